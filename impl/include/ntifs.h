// The name under which file systems, minifilters and kernels include the kernel's
// declarations: those of ntddk.h, and the macros for flags.
#ifndef CANCELSAFE_NTIFS_H_
#define CANCELSAFE_NTIFS_H_

#include "ntddk.h"

#define FlagOn(Flags, SingleFlag) ((Flags) & (SingleFlag))
#define BooleanFlagOn(Flags, SingleFlag) ((BOOLEAN)(((Flags) & (SingleFlag)) != 0))
/* Not in C++, where libraries have functions of these names. */
#ifndef __cplusplus
#define SetFlag(Flags, SingleFlag) ((Flags) |= (SingleFlag))
#define ClearFlag(Flags, SingleFlag) ((Flags) &= ~(SingleFlag))
#endif

#endif /* CANCELSAFE_NTIFS_H_ */
