// See exchange.h.
#include "fuzzers/check/exchange.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "fuzzers/check/variants.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

// The sources of the reference implementation, by the beginning of what they define.
struct Layer {
  const char* prefix;
  const char* source;
};
constexpr Layer kLayers[] = {{"IoCsq", "csq.cc"},
                             {"FltCbdq", "callback_data_queue.cc"},
                             {"Ke", "device_queue.cc"},
                             {"IoS", "start_io.cc"}};

const Layer* LayerOf(const std::string& routine) {
  for (const Layer& layer : kLayers) {
    if (absl::StartsWith(routine, layer.prefix)) return &layer;
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<Exchanged> BuildExchanged(const std::vector<std::string>& objects,
                                         const std::vector<std::string>& routines,
                                         const std::string& reference, const std::string& headers,
                                         const std::string& folder) {
  Exchanged exchanged;
  std::error_code error;
  if (!fs::is_directory(reference, error)) return exchanged;
  const absl::Status made = MakeFolder(folder);
  if (!made.ok()) return made;
  for (const Layer& layer : kLayers) {
    const absl::Status status =
        RunCompiler({"clang++-19", "-std=c++17", "-c", "-O0", "-fPIC", "-w", "-I", headers,
                     absl::StrCat(reference, "/", layer.source), "-o",
                     absl::StrCat(folder, "/", layer.source, ".o")});
    if (!status.ok()) return status;
  }
  for (const std::string& routine : routines) {
    const Layer* const layer = LayerOf(routine);
    if (layer == nullptr) continue;
    const std::string object = absl::StrCat(folder, "/", routine, ".o");
    const std::string path = absl::StrCat(folder, "/", routine, ".so");
    absl::Status status =
        RunCompiler({"llvm-objcopy-19", absl::StrCat("--keep-global-symbol=", routine),
                     absl::StrCat(folder, "/", layer->source, ".o"), object});
    if (!status.ok()) return status;
    // Of two definitions the first one counts.
    std::vector<std::string> link = {"clang++-19", "-shared", "-fPIC", "-Wl,-z,muldefs", object};
    for (const std::string& flag : LinkFlags("traced")) link.push_back(flag);
    link.insert(link.end(), objects.begin(), objects.end());
    link.insert(link.end(), {"-o", path});
    status = RunCompiler(link);
    if (!status.ok()) return status;
    exchanged[routine] = path;
  }
  return exchanged;
}

}  // namespace cancelsafe
