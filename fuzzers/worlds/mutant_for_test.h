// A known bug of the queues as an implementation that tests search: built from its patch, and
// loaded. Tests only.
#ifndef CANCELSAFE_FUZZERS_WORLDS_MUTANT_FOR_TEST_H_
#define CANCELSAFE_FUZZERS_WORLDS_MUTANT_FOR_TEST_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fuzzers/mutants/guest.h"
#include "impl/implementation.h"
#include "oracle/family.h"

namespace cancelsafe {

struct LoadedMutant {
  Implementation implementation;
  Family family = Family::kCsq;
};

// With a failed assertion if there is no such mutant, or if it cannot be built or loaded. Takes
// seconds.
inline void LoadMutantForTest(const std::string& id, LoadedMutant* loaded) {
  const std::string work = absl::StrCat(testing::TempDir(), "cancelsafe-mutant-", id);
  std::filesystem::create_directories(work);
  const absl::StatusOr<GuestRecipe> recipe = ReadGuestRecipe(CANCELSAFE_GUEST_RECIPE);
  ASSERT_TRUE(recipe.ok()) << recipe.status();
  const absl::StatusOr<GuestBuilder> builder = GuestBuilder::Create(*recipe, work);
  ASSERT_TRUE(builder.ok()) << builder.status();
  const absl::StatusOr<std::vector<Mutant>> mutants = LoadMutants(CANCELSAFE_PATCHES);
  ASSERT_TRUE(mutants.ok()) << mutants.status();
  std::string guest;
  for (const Mutant& mutant : *mutants) {
    if (mutant.id != id) continue;
    loaded->family = mutant.family;
    const absl::StatusOr<std::string> built = builder->Build(mutant);
    ASSERT_TRUE(built.ok()) << built.status();
    guest = *built;
  }
  std::string error;
  ASSERT_TRUE(LoadImplementation(guest, &loaded->implementation, &error)) << error;
  std::filesystem::remove_all(work);
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_WORLDS_MUTANT_FOR_TEST_H_
