// The DDK's header, and what it lacks.
#include_next <wdm.h>
#include <driver_gaps.h>
