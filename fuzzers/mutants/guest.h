// Makes shared objects of the queue sources, as they are or with a patch, with
// the compiler and the flags of one flavour of the build. Whatever a patch does
// not change is compiled once.
#ifndef CANCELSAFE_FUZZERS_MUTANTS_GUEST_H_
#define CANCELSAFE_FUZZERS_MUTANTS_GUEST_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fuzzers/mutants/mutant.h"

namespace cancelsafe {

// How the build compiles the queues: read from guest.txt, which the build writes
// into its folder fuzzers/mutants.
struct GuestRecipe {
  std::string compiler;
  std::vector<std::string> sources;  // absolute
  std::vector<std::string> compile_flags;
  std::vector<std::string> link_flags;
};

// Errors name the file and the line.
absl::StatusOr<GuestRecipe> ReadGuestRecipe(const std::string& path);

class GuestBuilder {
 public:
  // `work` is a folder of its own for this flavour. Compiles all sources as they
  // are, which takes some seconds.
  static absl::StatusOr<GuestBuilder> Create(const GuestRecipe& recipe, const std::string& work);

  // Returns the path of the shared object: one or two compilations. Errors carry
  // what patch, compiler or linker said.
  absl::StatusOr<std::string> Build(const Mutant& mutant) const;

 private:
  GuestBuilder(GuestRecipe recipe, std::string work)
      : recipe_(std::move(recipe)), work_(std::move(work)) {}
  absl::Status Compile(const std::string& source, const std::string& object) const;
  absl::Status CopySources(const std::string& folder) const;
  absl::Status Link(const std::vector<std::string>& objects, const std::string& path) const;
  std::string PlainObject(const std::string& source) const;

  GuestRecipe recipe_;
  std::string work_;
};

// Runs a command to its end and returns what it printed; an error, with the end
// of that, if it fails or takes longer than `seconds_max`.
absl::StatusOr<std::string> RunCommand(const std::vector<std::string>& arguments, int seconds_max);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_MUTANTS_GUEST_H_
