// See control_codes.h.
#include "fuzzers/drivers/run/control_codes.h"

#include <algorithm>
#include <cstring>

namespace cancelsafe::drivers {
namespace {

constexpr size_t kMaxCodes = 32;

// CTL_CODE: device type, access, function, method. Functions of vendors begin at 0x800.
bool LooksLikeCode(uint32_t value) {
  const uint32_t device = value >> 16;
  const uint32_t function = value >> 2 & 0xfff;
  return (device == 0x22 || (device >= 0x8000 && device < 0x9000)) && function >= 0x800 &&
         function < 0xa00;
}

}  // namespace

std::vector<uint32_t> ControlCodesIn(const DriverImage& image) {
  std::vector<uint32_t> codes;
  constexpr size_t kPage = 4096;
  for (size_t page = 0; page < image.size(); page += kPage) {
    if (!image.IsExecutable(image.base() + page)) continue;
    for (size_t at = page; at < page + kPage && at + 4 <= image.size(); ++at) {
      uint32_t value = 0;
      if (!image.IsExecutable(image.base() + at + 3)) break;
      std::memcpy(&value, image.base() + at, sizeof(value));
      if (LooksLikeCode(value)) codes.push_back(value);
    }
  }
  std::sort(codes.begin(), codes.end());
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  if (codes.size() > kMaxCodes) codes.resize(kMaxCodes);
  return codes;
}

}  // namespace cancelsafe::drivers
