// The DDK's header, and what it lacks.
#include_next <ntddk.h>
#include <driver_gaps.h>
