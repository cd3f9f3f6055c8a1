// Another spelling of ntddk.h, which sources of case-blind file systems use.
#include "ntddk.h"
