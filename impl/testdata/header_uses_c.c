/* The headers as C. */
#include <fltKernel.h>

#define HEADER_USES HeaderUsesInC
#include "header_uses.inc"
