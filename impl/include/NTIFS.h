// Another spelling of ntifs.h, which sources of case-blind file systems use.
#include "ntifs.h"
