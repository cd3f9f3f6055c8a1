// The suite on the implementations that have to pass it, and on those that have
// to be caught.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "conformance/hosts/user/suite_run.h"
#include "conformance/report/writers.h"
#include "conformance/selfcheck/defects.h"
#include "conformance/selfcheck/self_check.h"

namespace cancelsafe::conformance {
namespace {

#ifdef CANCELSAFE_SANITIZER_NONE
constexpr int kWrongImplementationStride = 1;
constexpr int kRepetitions = 10;
#else
// Forking a sanitized process is expensive.
constexpr int kWrongImplementationStride = 60;
constexpr int kRepetitions = 2;
#endif

void ExpectConforms(const Report& report) {
  for (const CaseReport& c : report.cases) {
    EXPECT_TRUE(c.verdict == CaseVerdict::kPass || c.verdict == CaseVerdict::kAmbiguous)
        << c.id << ": " << CaseVerdictName(c.verdict) << " " << c.reason;
  }
}

TEST(SuiteTest, BuiltInImplementationConforms) {
  ExpectConforms(RunSuite(BuiltInImplementation(), "built-in", ""));
}

TEST(SuiteTest, ReferenceImplementationConforms) {
  Implementation reference;
  std::string error;
  ASSERT_TRUE(LoadImplementation(CANCELSAFE_REFERENCE_PATH, &reference, &error)) << error;
  ExpectConforms(RunSuite(reference, "reference", ""));
}

void NTAPI LacksAService(PKDEVICE_QUEUE) {
  suite::NoteNotRun("a service");
  suite::Abandon("", "the host lacks what the call needs");
}

void NTAPI FailsAndThenLacksAService(PKDEVICE_QUEUE queue) {
  suite::NoteCheck(false, "DQ-INIT-01", "what it checked before", "true", "false", "", 0);
  LacksAService(queue);
}

// What the host lacks says nothing of the implementation, and takes nothing back.
TEST(SuiteTest, WhatFailedBeforeTheHostLackedAServiceIsAFailure) {
  for (const bool fails : {false, true}) {
    RunOptions options;
    options.change_host = [fails](suite::Host* host) {
      host->entry.KeInitializeDeviceQueue = fails ? &FailsAndThenLacksAService : &LacksAService;
    };
    const Report report = RunSuite(BuiltInImplementation(), "built-in", "dq.insert.tail", options);
    ASSERT_EQ(report.cases.size(), 1u);
    EXPECT_EQ(report.cases[0].verdict, fails ? CaseVerdict::kFail : CaseVerdict::kNotRun);
    EXPECT_EQ(report.cases[0].failures.size(), fails ? 1u : 0u);
  }
}

// IoCancelIrp and its like are those of the host, whatever is loaded.
TEST(SuiteTest, AnImplementationIsNotCreditedWithTheHostsKernel) {
  Subject subject = Subject::Of(BuiltInImplementation());
  subject.path = CANCELSAFE_REFERENCE_PATH;
  const Report theirs = RunSuite(subject, "reference", "irp.*");
  const Report ours = RunSuite(BuiltInImplementation(), "built-in", "irp.*");
  EXPECT_GT(theirs.left_out, 10);
  EXPECT_EQ(theirs.cases.size() + static_cast<size_t>(theirs.left_out), ours.cases.size());
  EXPECT_EQ(ours.left_out, 0);
}

TEST(SuiteTest, NullImplementationIsNotProvidedAndNotFailed) {
  const Report report = RunSuite(Implementation(), "null", "");
  EXPECT_GT(CountOf(report, CaseVerdict::kNotProvided), 250);
  for (const CaseReport& c : report.cases) EXPECT_FALSE(IsFailure(c.verdict)) << c.id;
}

TEST(SuiteTest, CasesCheckExactlyTheClausesTheyName) {
  const Report report = RunSuite(BuiltInImplementation(), "built-in", "");
  for (const CaseReport& c : report.cases) {
    const std::set<std::string> named(c.clauses.begin(), c.clauses.end());
    EXPECT_EQ(c.passed, named) << c.id;
  }
}

// Files of two families have one name: only the folder tells them apart.
TEST(SuiteTest, AFailureNamesItsFileWithTheFamilysFolder) {
  defect = Defect::kInsertNoPending;
  const Report report = RunSuite(BreakableImplementation(), "no pending mark", "csq.insert.*");
  defect = Defect::kNoDefect;
  int named = 0;
  for (const CaseReport& c : report.cases) {
    for (const CheckFailure& failure : c.failures) {
      EXPECT_NE(failure.at.substr(0, 10), "insert.cc:") << c.id;
      named += failure.at.substr(0, 14) == "csq/insert.cc:";
    }
  }
  EXPECT_GT(named, 0);
}

Implementation OnlyNamed(const std::string& routines) {
  Implementation some;
#define CANCELSAFE_COPY_NAMED(type, name, parameters)                    \
  if ((" " + routines + " ").find(" " #name " ") != std::string::npos) { \
    some.name = BuiltInImplementation().name;                            \
  }
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_COPY_NAMED)
#undef CANCELSAFE_COPY_NAMED
  return some;
}

// A case that needs a routine has to say so, or it could not be "not provided".
TEST(SuiteTest, CasesUseOnlyTheRoutinesTheyName) {
  for (int i = 0; i < suite::CaseCount(); ++i) {
    const suite::Case& c = suite::CaseAt(i);
    std::string routines = c.routines;
    routines.erase(std::remove(routines.begin(), routines.end(), '?'), routines.end());
    ExpectConforms(RunSuite(OnlyNamed(routines), "named routines only", c.id));
  }
}

TEST(SuiteTest, CasesDoWithoutTheRoutinesThatTheySayTheyCan) {
  int done_without = 0;
  for (int i = 0; i < suite::CaseCount(); ++i) {
    const suite::Case& c = suite::CaseAt(i);
    if (std::string(c.routines).find('?') == std::string::npos) continue;
    const Report report = RunSuite(OnlyNamed(c.routines), "what is left", c.id);
    for (const CaseReport& left : report.cases) {
      EXPECT_FALSE(IsFailure(left.verdict)) << c.id;
      done_without += left.verdict != CaseVerdict::kNotProvided;
    }
  }
  EXPECT_GE(done_without, 18);
}

// What a queue has is checked with what it has.
TEST(SuiteTest, KeyedOnlyQueueIsCheckedByItsKeyedCases) {
  Implementation keyed;
  keyed.KeInsertByKeyDeviceQueue = BuiltInImplementation().KeInsertByKeyDeviceQueue;
  keyed.KeRemoveByKeyDeviceQueue = BuiltInImplementation().KeRemoveByKeyDeviceQueue;
  for (const char* clauses : {"dq.insert-by-key.*", "dq.remove-by-key.*"}) {
    const Report report = RunSuite(keyed, "keyed only", clauses);
    int provided = 0;
    for (const CaseReport& c : report.cases) {
      EXPECT_FALSE(IsFailure(c.verdict)) << c.id;
      provided += c.verdict != CaseVerdict::kNotProvided;
    }
    // All but those about removal by name, or about entries that have no key.
    EXPECT_GE(provided + 2, static_cast<int>(report.cases.size())) << clauses;
  }
  keyed.KeInsertByKeyDeviceQueue = [](PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry, ULONG key) {
    return BuiltInImplementation().KeInsertByKeyDeviceQueue(queue, entry, key & 0xffff);
  };
  const Report wrong = RunSuite(keyed, "short keys", "dq.insert-by-key.unsigned");
  ASSERT_EQ(wrong.cases.size(), 1u);
  EXPECT_TRUE(IsFailure(wrong.cases[0].verdict));
}

TEST(SuiteTest, RunsGiveIdenticalReports) {
  const std::string first = JsonLines(RunSuite(BuiltInImplementation(), "built-in", ""));
  for (int i = 0; i < kRepetitions; ++i) {
    ASSERT_EQ(JsonLines(RunSuite(BuiltInImplementation(), "built-in", "")), first);
  }
}

TEST(SuiteTest, CrashAndHangCostOneCaseEach) {
  Implementation bad = BuiltInImplementation();
  bad.KeInsertDeviceQueue = [](PKDEVICE_QUEUE, PKDEVICE_QUEUE_ENTRY) -> BOOLEAN {
    __builtin_trap();
  };
  bad.KeRemoveEntryDeviceQueue = [](PKDEVICE_QUEUE, PKDEVICE_QUEUE_ENTRY) -> BOOLEAN {
    for (volatile bool forever = true; forever;) {
    }
    return FALSE;
  };
  RunOptions options;
  options.limits.processor_milliseconds = 100;
  const Report crash = RunSuite(bad, "bad", "dq.insert.idle", options);
  ASSERT_EQ(crash.cases.size(), 1u);
  EXPECT_EQ(crash.cases[0].verdict, CaseVerdict::kCrash);
  EXPECT_NE(crash.cases[0].reason.find("inside KeInsertDeviceQueue"), std::string::npos);
  EXPECT_FALSE(crash.cases[0].steps.empty());
  EXPECT_EQ(crash.cases[0].failed.count("DQ-INS-01"), 1u);
  bad.KeInsertDeviceQueue = BuiltInImplementation().KeInsertDeviceQueue;
  const Report hang = RunSuite(bad, "bad", "dq.remove-entry.queued", options);
  ASSERT_EQ(hang.cases.size(), 1u);
  EXPECT_EQ(hang.cases[0].verdict, CaseVerdict::kTimeout);
#ifndef CANCELSAFE_SANITIZER_THREAD
  // TSan holds signals back, so there the parent has to end the child.
  EXPECT_NE(hang.cases[0].reason.find("inside KeRemoveEntryDeviceQueue"), std::string::npos);
#endif
}

TEST(SuiteTest, WrongImplementationsAreNoticed) {
  const SelfCheckResult result = RunSelfCheck(kWrongImplementationStride);
  EXPECT_TRUE(result.ok) << SelfCheckText(result);
}

}  // namespace
}  // namespace cancelsafe::conformance
