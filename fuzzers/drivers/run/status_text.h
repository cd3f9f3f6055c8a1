// NTSTATUS values as text.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_RUN_STATUS_TEXT_H_
#define CANCELSAFE_FUZZERS_DRIVERS_RUN_STATUS_TEXT_H_

#include <string>

#include "impl/kernel/platform.h"

namespace cancelsafe::drivers {

// "STATUS_PENDING", or the number.
std::string DescribeNtStatus(NTSTATUS status);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_RUN_STATUS_TEXT_H_
