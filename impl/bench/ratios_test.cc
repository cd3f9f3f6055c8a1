// Medians, ratios and their written forms, from figures made up here.
#include "ratios.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "plot.h"

namespace cancelsafe {
namespace {

TEST(Measurements, CostIsTheMedianAndNoiseHalfTheQuartilesDistance) {
  Measurements measurements;
  for (double cost : {30.0, 10.0, 20.0, 50.0, 40.0}) measurements.Add("a", cost);
  const auto cost = measurements.Cost("a");
  ASSERT_TRUE(cost.has_value());
  EXPECT_DOUBLE_EQ(cost->value, 30);
  EXPECT_DOUBLE_EQ(cost->noise, (40.0 - 20.0) / 2 / 30);
  EXPECT_FALSE(measurements.Cost("b").has_value());
}

TEST(Measurements, RatioComparesWithinARound) {
  Measurements measurements;
  for (double speed : {1.0, 5.0, 2.0}) {  // The machine's mood in three rounds.
    measurements.Add("twice", 2 * speed);
    measurements.Add("once", speed);
  }
  const auto ratio = measurements.Ratio("twice", "once");
  ASSERT_TRUE(ratio.has_value());
  EXPECT_DOUBLE_EQ(ratio->value, 2);
  EXPECT_DOUBLE_EQ(ratio->noise, 0);
  measurements.Add("once", 1);
  EXPECT_FALSE(measurements.Ratio("twice", "once").has_value()) << "a round lacks one";
}

TEST(Measurements, LeastRatioForgetsRoundsThatWereDisturbed) {
  Measurements measurements;
  for (double cost : {20.0, 10.0, 30.0}) measurements.Add("ours", cost);
  for (double cost : {10.0, 12.0, 10.5}) measurements.Add("plain", cost);
  const auto ratio = measurements.LeastRatio("ours", "plain");
  ASSERT_TRUE(ratio.has_value());
  EXPECT_DOUBLE_EQ(ratio->value, 1);
  EXPECT_FALSE(measurements.LeastRatio("ours", "none").has_value());
}

TEST(Ratios, ArePresentOnlyIfTheirBenchmarksRan) {
  Measurements measurements;
  EXPECT_TRUE(RatiosOf(measurements).empty());
  measurements.Add("fifo/optimized/unkeyed/8", 12);
  measurements.Add("fifo/inline/unkeyed/8", 10);
  const auto ratios = RatiosOf(measurements);
  ASSERT_EQ(ratios.size(), 1u);
  EXPECT_EQ(ratios[0].name, "fifo_vs_list");
  EXPECT_DOUBLE_EQ(ratios[0].figure.value, 1.2);
  EXPECT_FALSE(ratios[0].Kept());
  EXPECT_NE(RatiosAsText(ratios).find("NOT KEPT"), std::string::npos);
}

TEST(Ratios, APromiseWithoutAFigureIsNamed) {
  Measurements measurements;
  for (const char* name :
       {"threads/cancel/1", "threads/cancel/2", "threads/pairs/1", "threads/pairs/2"}) {
    measurements.Add(name, 10);
  }
  const auto lacks_scaling = [&] {
    const std::vector<std::string> names = NotMeasured(RatiosOf(measurements));
    return std::find(names.begin(), names.end(), "cancel_scaling") != names.end();
  };
  EXPECT_FALSE(lacks_scaling());
  measurements.Add("threads/cancel/1", 10);
  EXPECT_TRUE(lacks_scaling()) << "a round of the other is missing";
}

TEST(Ratios, OneDisturbedRoundDoesNotDecideWhereNanosecondsDo) {
  Measurements measurements;
  for (const double ours : {30.0, 31.0, 24.0}) measurements.Add("fifo/optimized/unkeyed/8", ours);
  for (const double other : {24.0, 25.0, 24.0}) measurements.Add("fifo/inline/unkeyed/8", other);
  const auto ratios = RatiosOf(measurements);
  ASSERT_EQ(ratios.size(), 1u);
  EXPECT_DOUBLE_EQ(ratios[0].figure.value, 1);
}

TEST(Ratios, ASmallQueueIsHeldAgainstThePlainListAtEachDepth) {
  Measurements measurements;
  measurements.Add("small/optimized/by_key/0", 100);
  measurements.Add("small/plain/by_key/0", 100);
  measurements.Add("small/optimized/fifo/16", 103);
  measurements.Add("small/plain/fifo/16", 100);
  measurements.Add("small/optimized/by_key/3", 100);
  measurements.Add("small/plain/by_key/3", 1);
  const auto ratios = RatiosOf(measurements);
  ASSERT_EQ(ratios.size(), 2u) << "3 is not one of the depths";
  EXPECT_EQ(ratios[0].name, "by_key_vs_plain_list_0");
  EXPECT_TRUE(ratios[0].Kept());
  EXPECT_EQ(ratios[1].name, "fifo_vs_plain_list_16");
  EXPECT_FALSE(ratios[1].Kept()) << "3 % slower is slower";
}

TEST(Ratios, CancelScalingIsWhatASecondThreadIsWorthToCancelling) {
  Measurements measurements;
  measurements.Add("threads/cancel/1", 50);
  measurements.Add("threads/cancel/2", 100);  // Half as fast side by side.
  measurements.Add("threads/pairs/1", 30);
  measurements.Add("threads/pairs/2", 30);
  const auto ratios = RatiosOf(measurements);
  ASSERT_EQ(ratios.size(), 1u);
  EXPECT_EQ(ratios[0].name, "cancel_scaling");
  EXPECT_DOUBLE_EQ(ratios[0].figure.value, 0.5);
  EXPECT_FALSE(ratios[0].Kept());
}

TEST(Ratios, JsonHoldsRatiosAndCosts) {
  Measurements measurements;
  measurements.Add("fifo/optimized/unkeyed/8", 10);
  measurements.Add("fifo/inline/unkeyed/8", 10);
  EXPECT_EQ(RatiosAsJson(RatiosOf(measurements), measurements),
            "{\n  \"ratios\": {\n    \"fifo_vs_list\": 1\n  },\n"
            "  \"noise\": {\n    \"fifo_vs_list\": 0\n  },\n"
            "  \"limits\": {\n    \"fifo_vs_list\": 1.1\n  },\n"
            "  \"nanoseconds\": {\n    \"fifo/inline/unkeyed/8\": 10,\n"
            "    \"fifo/optimized/unkeyed/8\": 10\n  }\n}\n");
}

TEST(Plot, DrawsALineForWhatWasMeasured) {
  Measurements measurements;
  const std::vector<PlotLine> lines = {{"ours", "a"}, {"never measured", "b"}};
  EXPECT_EQ(PlotAsSvg("t", lines, measurements).find("polyline"), std::string::npos);
  measurements.Add("a/1", 10);
  measurements.Add("a/1000", 300);
  const std::string svg = PlotAsSvg("t", lines, measurements);
  EXPECT_NE(svg.find("polyline"), std::string::npos);
  EXPECT_NE(svg.find(">ours<"), std::string::npos);
  EXPECT_EQ(svg.find("never measured"), std::string::npos);
  EXPECT_EQ(svg.substr(svg.size() - 7), "</svg>\n");
}

TEST(Plot, NamesLinesFromTopToBottomWhateverTheirOrder) {
  Measurements measurements;
  for (const char* name : {"a/1", "b/1", "c/1"}) measurements.Add(name, 10);
  measurements.Add("a/100000", 50);
  measurements.Add("b/100000", 2500000);
  measurements.Add("c/100000", 51);
  const std::string svg =
      PlotAsSvg("t", {{"ours", "a"}, {"slow", "b"}, {"near", "c"}}, measurements);
  EXPECT_LT(svg.find(">slow<"), svg.find(">near<"));
  EXPECT_LT(svg.find(">near<"), svg.find(">ours<"));
  EXPECT_NE(svg.find(">1 ms<"), std::string::npos);
  EXPECT_NE(svg.find(">100 k<"), std::string::npos);
}

}  // namespace
}  // namespace cancelsafe
