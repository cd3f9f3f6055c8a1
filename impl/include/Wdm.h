// Another spelling of wdm.h, which sources of case-blind file systems use.
#include "wdm.h"
