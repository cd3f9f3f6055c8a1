// Where images of Windows drivers are mapped. A routine that lies there is called with the
// Microsoft calling convention; any other is the host's, or that of a guest built for it.
#ifndef CANCELSAFE_IMPL_KERNEL_WINDOWS_CODE_H_
#define CANCELSAFE_IMPL_KERNEL_WINDOWS_CODE_H_

#include "wdm.h"

#define CANCELSAFE_MS_ABI __attribute__((ms_abi))

// The zone is a constant, so that addresses are the same in every process. Under TSan,
// whose memory for programs lies elsewhere, it is another one than under ASan.
#if defined(CANCELSAFE_SANITIZER_THREAD)
enum : ULONG64 { kKiWindowsZone = 0x20000000ull, kKiWindowsZoneBytes = 0x20000000ull };
#else
enum : ULONG64 { kKiWindowsZone = 0x110000000000ull, kKiWindowsZoneBytes = 0x100000000ull };
#endif

template <typename Routine>
inline __attribute__((always_inline)) bool KiIsWindowsCode(Routine* routine) {
  return reinterpret_cast<ULONG_PTR>(routine) - kKiWindowsZone < kKiWindowsZoneBytes;
}

// Calls a routine of either convention. Products and benchmarks meet one convention alone.
template <typename Result, typename... Parameters, typename... Arguments>
inline __attribute__((always_inline)) Result KiCall(Result (*routine)(Parameters...),
                                                    Arguments... arguments) {
  if (CANCELSAFE_POINTS && __builtin_expect(KiIsWindowsCode(routine), 0)) {
    typedef Result(CANCELSAFE_MS_ABI * WindowsRoutine)(Parameters...);
    return reinterpret_cast<WindowsRoutine>(routine)(arguments...);
  }
  return routine(arguments...);
}

#endif  // CANCELSAFE_IMPL_KERNEL_WINDOWS_CODE_H_
