// The major function codes of what a run sends.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_RUN_MAJOR_H_
#define CANCELSAFE_FUZZERS_DRIVERS_RUN_MAJOR_H_

#include "wdm.h"

namespace cancelsafe::drivers {

inline constexpr UCHAR kMajorCreate = 0x00;
inline constexpr UCHAR kMajorClose = 0x02;
inline constexpr UCHAR kMajorRead = IRP_MJ_READ;
inline constexpr UCHAR kMajorWrite = IRP_MJ_WRITE;
inline constexpr UCHAR kMajorDeviceControl = IRP_MJ_DEVICE_CONTROL;
inline constexpr UCHAR kMajorCleanup = 0x12;

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_RUN_MAJOR_H_
