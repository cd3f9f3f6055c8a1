// See status_text.h.
#include "fuzzers/drivers/run/status_text.h"

#include "absl/strings/str_format.h"

namespace cancelsafe::drivers {

std::string DescribeNtStatus(NTSTATUS status) {
  switch (static_cast<uint32_t>(status)) {
#define CANCELSAFE_STATUS(value, name) \
  case value:                          \
    return name;
#include "fuzzers/drivers/run/status_names.def"
#undef CANCELSAFE_STATUS
    default:
      return absl::StrFormat("0x%08X", static_cast<uint32_t>(status));
  }
}

}  // namespace cancelsafe::drivers
