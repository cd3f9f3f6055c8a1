// The headers as C++. csq.h first: it also stands alone.
#include <csq.h>
#include <fltKernel.h>
#include <ntddk.h>

extern "C" {
#define HEADER_USES HeaderUsesInCpp
#include "header_uses.inc"
}
