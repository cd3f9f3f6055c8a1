// Another spelling of fltKernel.h, which sources of case-blind file systems use.
#include "fltKernel.h"
