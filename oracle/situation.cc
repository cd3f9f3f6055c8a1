// See situation.h. The bits are those of each model's Abstract().
#include "oracle/situation.h"

#include "absl/strings/str_cat.h"
#include "oracle/family.h"

namespace cancelsafe {
namespace {

constexpr uint32_t kLengthMask = 3;

void Append(const Facet& facet, uint32_t state, std::string* text) {
  const char* words = (state & facet.bit) != 0 ? facet.set : facet.clear;
  if (words[0] != '\0') absl::StrAppend(text, ", ", words);
}

// The first facets of a family, in words behind the length.
std::string Describe(const FacetList& list, int count, uint32_t state) {
  const uint32_t length = state & kLengthMask;
  std::string text = absl::StrCat(length, length == kLengthMask ? " or more" : "", " queued");
  for (int i = 0; i < count; ++i) Append(list.facets[i], state, &text);
  return text;
}

}  // namespace

std::string SituationRow(Family family, uint32_t state) {
  return Describe(InfoOf(family).facets, 1, state);
}

std::string DescribeSituationState(Family family, uint32_t state) {
  const FacetList& facets = InfoOf(family).facets;
  return Describe(facets, facets.count, state);
}

}  // namespace cancelsafe
