// The registry of families: every row is whole, and names lead back to their family.
#include "oracle/family.h"

#include <gtest/gtest.h>

namespace cancelsafe {
namespace {

TEST(FamilyTest, EveryRowIsWhole) {
  for (int i = 0; i < kFamilyCount; ++i) {
    const FamilyInfo& info = InfoOf(FamilyNumber(i));
    EXPECT_STRNE(info.name, "");
    EXPECT_EQ(info.setup.family, FamilyNumber(i)) << info.name;
    EXPECT_NE(info.add_endings, nullptr) << info.name;
    EXPECT_NE(info.new_order_check(), nullptr) << info.name;
    EXPECT_EQ(InfoOf(info.base).base, info.base) << info.name;
    EXPECT_GT(info.facets.count, 0) << info.name;
    uint32_t bits = 3;  // the length
    for (int j = 0; j < info.facets.count; ++j) {
      EXPECT_EQ(bits & info.facets.facets[j].bit, 0u) << info.name << " facet " << j;
      bits |= info.facets.facets[j].bit;
    }
    EXPECT_LT(bits, kAbstractStates) << info.name;
  }
}

TEST(FamilyTest, BothSpellingsOfANameLeadBackToTheFamily) {
  for (int i = 0; i < kFamilyCount; ++i) {
    const Family family = FamilyNumber(i);
    EXPECT_EQ(FindFamily(FamilyName(family)), family);
    EXPECT_EQ(FindFamily(FamilyFileName(family)), family);
  }
  EXPECT_EQ(FindFamily("callback_data_queue"), Family::kCallbackDataQueue);
  EXPECT_EQ(FindFamily("callback-data-queue"), Family::kCallbackDataQueue);
  EXPECT_FALSE(FindFamily("").has_value());
  EXPECT_FALSE(FindFamily("csq_fuzzer").has_value());
  EXPECT_NE(FamilyNames().find("csq, device-queue"), std::string::npos);
}

}  // namespace
}  // namespace cancelsafe
