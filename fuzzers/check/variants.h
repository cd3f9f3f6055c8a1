// The shared objects that check attacks: every variant of a user's sources, built with the
// documented flags, or one that was built already. Knows compilers, and no queues.
#ifndef CANCELSAFE_FUZZERS_CHECK_VARIANTS_H_
#define CANCELSAFE_FUZZERS_CHECK_VARIANTS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace cancelsafe {

// One build of the implementation, and the host that it is attacked in.
struct Variant {
  std::string name;       // "plain", "traced", "address", "thread", "model"
  std::string sanitizer;  // of the host: "none", "address", "thread", "model"
  std::string path;       // of the shared object, absolute
  // Loads and stores of the implementation are preemption points.
  bool access_points = false;
};

// The compiler flags of a variant that is built here, beyond those of all; for messages and
// documentation as well.
std::vector<std::string> VariantFlags(const std::string& variant);

// In all of them: a routine that calls another does so by its name, so that the other can be
// exchanged.
inline constexpr char kCallsStayCalls[] = "-fsemantic-interposition";

// Those for linking it.
std::vector<std::string> LinkFlags(const std::string& variant);
// Runs a compiler or linker; the error is what it said.
absl::Status RunCompiler(const std::vector<std::string>& command);
// What BuildVariants leaves in its folder of so many sources: the objects of a variant.
std::vector<std::string> ObjectsOf(const std::string& variant, const std::string& folder,
                                   size_t sources);

// Compiles the sources (C or C++, by extension) to DIR/<variant>.so: "plain", "traced" (tells
// which code runs: for the plain host), "address", and "thread", which the hosts of
// ThreadSanitizer and of the memory engine share. `flags` are the caller's, such as -I. The
// error is what the compiler said.
absl::StatusOr<std::vector<Variant>> BuildVariants(const std::vector<std::string>& sources,
                                                   const std::vector<std::string>& flags,
                                                   const std::string& headers,
                                                   const std::string& folder);
// One of them alone, in a folder that is there.
absl::Status BuildVariant(const std::vector<std::string>& sources,
                          const std::vector<std::string>& flags, const std::string& headers,
                          const std::string& variant, const std::string& folder);

// The hosts that a given shared object is made for, by its undefined symbols: that of its
// sanitizer, or the plain one.
absl::StatusOr<std::vector<Variant>> VariantsOf(const std::string& shared_object);

// Whether the path names a source that BuildVariants can compile.
bool IsSource(const std::string& path);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_VARIANTS_H_
