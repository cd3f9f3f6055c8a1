// The documented kernel names, from this project's headers or from a DDK. The
// suite includes no other header of the outside world, so that it compiles
// wherever a driver does.
#ifndef CANCELSAFE_CONFORMANCE_SUITE_KERNEL_NAMES_H_
#define CANCELSAFE_CONFORMANCE_SUITE_KERNEL_NAMES_H_

#ifdef CANCELSAFE_SUITE_USES_DDK
// The DDK's wdm.h brings IRPs, device queues and csq.h. Mingw's has no
// fltKernel.h, so ours is read with its own way to ntifs.h closed.
// Its two bit-test inlines clash in C++ with those of intrin.h, hence the detour.
#include <intrin.h>
#define InterlockedBitTestAndSet CancelsafeDdkBitTestAndSet
#define InterlockedBitTestAndReset CancelsafeDdkBitTestAndReset
#include <ntddk.h>
#undef InterlockedBitTestAndSet
#undef InterlockedBitTestAndReset
#include <csq.h>

#define CANCELSAFE_NTIFS_H_
#define CANCELSAFE_BEGIN_C extern "C" {
#define CANCELSAFE_END_C }
#define CANCELSAFE_STATIC_ASSERT(e, m) static_assert(e, m)
#define FLTAPI NTAPI
#ifndef STATUS_FLT_CBDQ_DISABLED
#define STATUS_FLT_CBDQ_DISABLED ((NTSTATUS)0xC01C000E)
#endif
#include "../../impl/include/fltKernel.h"
#else
#include "fltKernel.h"
#endif

#endif  // CANCELSAFE_CONFORMANCE_SUITE_KERNEL_NAMES_H_
