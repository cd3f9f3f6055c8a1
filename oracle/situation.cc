// See situation.h. The bits are those of each model's Abstract().
#include "oracle/situation.h"

#include "absl/strings/str_cat.h"

namespace cancelsafe {
namespace {

struct Facet {
  uint32_t bit;
  const char* set;    // what a set bit says; "" for nothing
  const char* clear;  // likewise a clear one
};

constexpr uint32_t kLengthMask = 3;

// The first facet of each family belongs to the row.
constexpr Facet kIrpQueueFacets[] = {
    {1 << 8, "disabled", ""},
    {1 << 2, "an unfinished one is cancelled", ""},
    {1 << 3, "some have a context", ""},
    {1 << 4, "some have none", ""},
    {1 << 5, "", "keys not ascending"},
    {1 << 6, "equal keys", ""},
    {1 << 7, "after the insert callback's fault", ""},
    {1 << 9, "after an ending", ""},
};
constexpr Facet kDeviceQueueFacets[] = {
    {1 << 6, "busy", "idle"},     {1 << 5, "some with a key", ""},
    {1 << 4, "some without", ""}, {1 << 2, "", "keys not ascending"},
    {1 << 3, "equal keys", ""},
};
constexpr Facet kStartIoFacets[] = {
    {1 << 6, "busy", "idle"},
    {1 << 7, "the current one is cancelled", ""},
    {1 << 8, "some can be cancelled", ""},
    {1 << 9, "an unfinished one is cancelled", ""},
    {1 << 5, "some with a key", ""},
    {1 << 4, "some without", ""},
    {1 << 2, "", "keys not ascending"},
    {1 << 3, "equal keys", ""},
};

void Append(const Facet& facet, uint32_t state, std::string* text) {
  const char* words = (state & facet.bit) != 0 ? facet.set : facet.clear;
  if (words[0] != '\0') absl::StrAppend(text, ", ", words);
}

template <int kCount>
std::string Describe(const Facet (&facets)[kCount], uint32_t state, bool whole) {
  const uint32_t length = state & kLengthMask;
  std::string text = absl::StrCat(length, length == kLengthMask ? " or more" : "", " queued");
  for (int i = 0; i < (whole ? kCount : 1); ++i) Append(facets[i], state, &text);
  return text;
}

std::string Describe(Family family, uint32_t state, bool whole) {
  switch (family) {
    case Family::kCsq:
    case Family::kCallbackDataQueue:
      return Describe(kIrpQueueFacets, state, whole);
    case Family::kDeviceQueue:
      return Describe(kDeviceQueueFacets, state, whole);
    case Family::kStartIo:
      break;
  }
  return Describe(kStartIoFacets, state, whole);
}

}  // namespace

std::string SituationRow(Family family, uint32_t state) { return Describe(family, state, false); }

std::string DescribeSituationState(Family family, uint32_t state) {
  return Describe(family, state, true);
}

}  // namespace cancelsafe
