// Numbers of things in texts for people.
#ifndef CANCELSAFE_BASE_COUNTED_H_
#define CANCELSAFE_BASE_COUNTED_H_

#include <cstdint>
#include <string>

namespace cancelsafe {

// "1 run", "2 runs": `what` is one of them.
inline std::string Counted(int64_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_BASE_COUNTED_H_
