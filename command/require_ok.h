// For subcommands, which cannot go on where a file, a folder or a process cannot be had.
#ifndef CANCELSAFE_COMMAND_REQUIRE_OK_H_
#define CANCELSAFE_COMMAND_REQUIRE_OK_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "command/status.h"

namespace cancelsafe {

// Throws a SetupError with the status' message unless it is ok.
inline void RequireOk(const absl::Status& status) {
  if (!status.ok()) throw SetupError(std::string(status.message()));
}
template <typename T>
void RequireOk(const absl::StatusOr<T>& value) {
  RequireOk(value.status());
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_COMMAND_REQUIRE_OK_H_
