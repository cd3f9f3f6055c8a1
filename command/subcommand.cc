// See subcommand.h.
#include "command/subcommand.h"

#include <algorithm>
#include <string_view>
#include <tuple>

namespace cancelsafe {
namespace {

// Filled before main by objects of other files, so it cannot be one of them itself.
std::vector<Subcommand>& Registry() {
  static std::vector<Subcommand> registry;
  return registry;
}

}  // namespace

const std::vector<Subcommand>& Subcommands() { return Registry(); }

RegisterSubcommand::RegisterSubcommand(const Subcommand& subcommand) {
  std::vector<Subcommand>& registry = Registry();
  registry.push_back(subcommand);
  std::sort(registry.begin(), registry.end(), [](const Subcommand& a, const Subcommand& b) {
    return std::make_tuple(a.group, std::string_view(a.name)) <
           std::make_tuple(b.group, std::string_view(b.name));
  });
}

}  // namespace cancelsafe
