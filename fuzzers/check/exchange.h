// What becomes of a failure when documented routines of the implementation are exchanged for
// those of the reference implementation: where it goes away, the mistake is in one of these
// or in what it calls. That works as far as both keep their state alike, in the documented
// members; where they do not, programs fail otherwise, and nothing follows.
#ifndef CANCELSAFE_FUZZERS_CHECK_EXCHANGE_H_
#define CANCELSAFE_FUZZERS_CHECK_EXCHANGE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "impl/implementation.h"

namespace cancelsafe {

// What it takes to exchange routines of one variant.
struct ExchangePlan {
  std::string variant;
  std::string folder;                 // ROUTINE.o of the reference; what is linked goes there
  std::vector<std::string> objects;   // the implementation's, whose routines give way to others
  std::vector<std::string> routines;  // that can be exchanged; may be empty
};

// Compiles the sources in `reference` for the variant, and takes those of `routines` out of
// them, one object each, which calls the others wherever they are. No routines if the sources
// are not there.
absl::StatusOr<ExchangePlan> PrepareExchange(const std::string& variant,
                                             const std::vector<std::string>& objects,
                                             const std::vector<std::string>& routines,
                                             const std::string& reference,
                                             const std::string& headers, const std::string& folder);

// Where the code of a shared object begins in its file. Code of one implementation lies
// behind it alike, whatever is exchanged. 0 if the file cannot be read.
uint64_t CodeBegin(const std::string& shared_object);
// How many bytes of code are in it; 0 likewise.
uint64_t CodeSize(const std::string& shared_object);

// The implementation with sets of its routines exchanged, linked and loaded as they are asked
// for, and kept: a process should not load too many.
class Exchanges {
 public:
  struct Loaded {
    std::string path;
    Implementation implementation;
    uint64_t code_begin = 0;
  };

  // The plan must outlive it.
  explicit Exchanges(const ExchangePlan& plan) : plan_(plan) {}

  const std::vector<std::string>& routines() const { return plan_.routines; }
  // Of these, the ones that can be exchanged.
  std::set<std::string> Known(const std::vector<std::string>& routines) const;
  // All that can be exchanged, but these.
  std::set<std::string> AllBut(const std::set<std::string>& routines) const;
  // Null for no routines, and if these cannot be linked or loaded.
  const Loaded* With(const std::set<std::string>& routines);
  // Links it alone; the path of the shared object, "" for none.
  std::string Link(const std::set<std::string>& routines) const;

 private:
  std::unique_ptr<Loaded> Load(const std::set<std::string>& routines) const;

  const ExchangePlan& plan_;
  std::map<std::set<std::string>, std::unique_ptr<Loaded>> loaded_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_EXCHANGE_H_
