// Every ambiguity of the documents: what they support is accepted, what they rule out is
// not, and the report names the reading that was followed and no other.
#include "conformance/selfcheck/readings.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "conformance/hosts/user/suite_run.h"
#include "conformance/report/catalogue.h"
#include "conformance/report/writers.h"

namespace cancelsafe::conformance {
namespace {

Report RunReading(const Reading& reading) {
  defect = reading.variant;
  const Report report = RunSuite(reading.implementation(), reading.what, reading.cases);
  defect = Defect::kNoDefect;
  return report;
}

TEST(ReadingsTest, EveryAmbiguityIsSettled) {
  for (const std::string& id : AmbiguityIds()) {
    EXPECT_TRUE(std::any_of(Readings().begin(), Readings().end(), [&id](const Reading& reading) {
      return reading.ambiguity == id;
    })) << id;
  }
  for (const Reading& reading : Readings()) {
    EXPECT_NE(AmbiguityQuestion(reading.ambiguity), "") << reading.ambiguity;
  }
}

// That of the built-in implementation is accepted where it conforms (SuiteTest).
std::vector<Reading> OtherReadings() {
  std::vector<Reading> others;
  for (const Reading& reading : Readings()) {
    const bool tried = reading.implementation != nullptr;
    if (tried && reading.implementation != &BuiltInReading) others.push_back(reading);
  }
  return others;
}

class OtherReadingTest : public testing::TestWithParam<Reading> {};

TEST_P(OtherReadingTest, IsAcceptedIfDocumentedAndElseRefused) {
  const Reading& reading = GetParam();
  const Report report = RunReading(reading);
  ASSERT_FALSE(report.cases.empty()) << reading.cases;
  const bool accepted = std::none_of(report.cases.begin(), report.cases.end(),
                                     [](const CaseReport& c) { return IsFailure(c.verdict); });
  EXPECT_EQ(accepted, reading.accepted) << reading.ambiguity << ": " << reading.what << "\n"
                                        << ConsoleFailures(report);
}

INSTANTIATE_TEST_SUITE_P(Readings, OtherReadingTest, testing::ValuesIn(OtherReadings()),
                         [](const testing::TestParamInfo<Reading>& info) {
                           // "AMB_5_1"
                           std::string name = info.param.ambiguity;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name + "_" + std::to_string(info.index);
                         });

std::string ReadingOf(const Implementation& implementation, const char* id, const char* ambiguity) {
  const Report report = RunSuite(implementation, "one", id);
  std::string text;
  for (const CaseReport& c : report.cases) {
    for (const auto& [name, reading] : c.readings) {
      if (name == ambiguity) text += reading;
    }
  }
  return text;
}

// A reading is named only where it is followed.
TEST(ReadingsTest, WhatFollowsNoReadingIsCreditedWithNone) {
  defect = Defect::kInsertCompletesLocked;
  const Implementation locked = BreakableImplementation();
  EXPECT_EQ(ReadingOf(locked, "csq.insert.already-cancelled", "AMB-1"), "");
  EXPECT_EQ(ReadingOf(locked, "cbdq.insert.already-cancelled", "AMB-45"), "");
  defect = Defect::kNoDefect;
  EXPECT_NE(ReadingOf(locked, "csq.insert.already-cancelled", "AMB-1"), "");
  EXPECT_NE(ReadingOf(locked, "cbdq.insert.already-cancelled", "AMB-45"), "");
}

TEST(ReadingsTest, ReadingsOfAnUnsortedListAreToldApart) {
  constexpr char kCase[] = "dq.remove-by-key.unsorted-list";
  const Implementation breakable = BreakableImplementation();
  EXPECT_EQ(ReadingOf(breakable, kCase, "AMB-21"), "first qualifying in queue order");
  defect = Defect::kDqRkeySmallest;
  EXPECT_EQ(ReadingOf(breakable, kCase, "AMB-21"), "smallest qualifying key");
  defect = Defect::kDqRkeyLastKeyOnly;
  EXPECT_EQ(ReadingOf(breakable, kCase, "AMB-21"), "the head, since the last key does not qualify");
  defect = Defect::kNoDefect;
}

// The IRP of a minifilter's operation is the filter manager's.
TEST(ReadingsTest, FilterQueueMayUseAllOfDriverContext) {
  static const Implementation& built_in = BuiltInImplementation();
  Implementation table = built_in;
  table.FltCbdqInsertIo = [](PFLT_CALLBACK_DATA_QUEUE queue, PFLT_CALLBACK_DATA data,
                             PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT context,
                             PVOID insert_context) -> NTSTATUS {
    PIRP irp = CancelsafeIrpOfCallbackData(data);
    for (int slot = 0; slot < 3; ++slot) irp->Tail.Overlay.DriverContext[slot] = queue;
    return built_in.FltCbdqInsertIo(queue, data, context, insert_context);
  };
  const Report report = RunSuite(table, "slots", "cbdq.*");
  for (const CaseReport& c : report.cases) EXPECT_FALSE(IsFailure(c.verdict)) << c.id;
}

}  // namespace
}  // namespace cancelsafe::conformance
