// See family.h.
#include "oracle/family.h"

#include <algorithm>

namespace cancelsafe {

// Each of them is defined in its family's folder.
namespace families {
#define CANCELSAFE_FAMILY(family, file_name) extern const FamilyInfo file_name;
#include "oracle/families.def"
#undef CANCELSAFE_FAMILY
}  // namespace families

namespace {

constexpr const FamilyInfo* kInfos[kFamilyCount] = {
#define CANCELSAFE_FAMILY(family, file_name) &families::file_name,
#include "oracle/families.def"
#undef CANCELSAFE_FAMILY
};

constexpr const char* kFileNames[kFamilyCount] = {
#define CANCELSAFE_FAMILY(family, file_name) #file_name,
#include "oracle/families.def"
#undef CANCELSAFE_FAMILY
};

}  // namespace

const FamilyInfo& InfoOf(Family family) { return *kInfos[static_cast<int>(family)]; }

const char* FamilyName(Family family) { return InfoOf(family).name; }

const char* FamilyFileName(Family family) { return kFileNames[static_cast<int>(family)]; }

std::optional<Family> FindFamily(std::string_view name) {
  for (int i = 0; i < kFamilyCount; ++i) {
    if (name == kInfos[i]->name || name == kFileNames[i]) return FamilyNumber(i);
  }
  return std::nullopt;
}

std::string FamilyNames() {
  std::string names;
  for (const FamilyInfo* info : kInfos) {
    names += names.empty() ? "" : ", ";
    names += info->name;
  }
  return names;
}

}  // namespace cancelsafe
