// Sequential consistency: every read returns the newest store, which is all that the
// shared part does. Happens-before is still C++'s, so a race is a race here too.
#include "fuzzers/memory/machine.h"

namespace cancelsafe::memory {
namespace {

class MachineSc final : public Machine {
 public:
  MachineSc() : Machine(Model::kSc) {}
};

}  // namespace

std::unique_ptr<Machine> NewMachineSc() { return std::make_unique<MachineSc>(); }

}  // namespace cancelsafe::memory
