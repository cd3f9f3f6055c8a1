// The DDK's header, and what it lacks.
#include_next <ntifs.h>
#include <driver_gaps.h>
