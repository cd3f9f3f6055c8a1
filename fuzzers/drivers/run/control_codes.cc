// See control_codes.h.
#include "fuzzers/drivers/run/control_codes.h"

#include <algorithm>
#include <cstring>

#include "fuzzers/drivers/program/driver_learnt.h"

namespace cancelsafe::drivers {

std::vector<uint32_t> ControlCodesIn(const DriverImage& image, int* left_out) {
  std::vector<uint32_t> codes;
  constexpr size_t kPage = 4096;
  for (size_t page = 0; page < image.size(); page += kPage) {
    if (!image.IsExecutable(image.base() + page)) continue;
    for (size_t at = page; at < page + kPage && at + 4 <= image.size(); ++at) {
      uint32_t value = 0;
      if (!image.IsExecutable(image.base() + at + 3)) break;
      std::memcpy(&value, image.base() + at, sizeof(value));
      if (LooksLikeControlCode(value)) codes.push_back(value);
    }
  }
  std::sort(codes.begin(), codes.end());
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  *left_out = static_cast<int>(codes.size() - std::min(codes.size(), kMaxControlCodes));
  codes.resize(std::min(codes.size(), kMaxControlCodes));
  return codes;
}

}  // namespace cancelsafe::drivers
