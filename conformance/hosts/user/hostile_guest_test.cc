// Implementations that misuse the process they are in, by every way that the guest of
// testdata/ knows: each costs the cases that meet it, and no more; each that is asked
// for has one outcome; and one that cannot be loaded is refused with the reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/guest_child.h"
#include "conformance/hosts/user/suite_run.h"
#include "impl/implementation_probe.h"

namespace cancelsafe::conformance {
namespace {

using testing::HasSubstr;

constexpr char kInsertCase[] = "dq.insert.idle";
constexpr char kQueueCase[] = "csq.insert.live-order";

#ifdef CANCELSAFE_SANITIZER_NONE
constexpr int kLimitMilliseconds = 300;
#else
// Starting a process of a sanitized program takes longer.
constexpr int kLimitMilliseconds = 1500;
#endif

// The guest under the name that makes it do `act` in `place`.
std::string Guest(const std::string& place, const std::string& act) {
  const std::string folder = absl::StrCat(testing::TempDir(), "/cancelsafe-hostile-", getpid());
  std::filesystem::create_directories(folder);
  const std::string path = absl::StrCat(folder, "/hostile.", place, ".", act, ".so");
  std::error_code exists;
  std::filesystem::create_symlink(CANCELSAFE_HOSTILE_GUEST, path, exists);
  return path;
}

RunOptions ShortLimits() {
  RunOptions options;
  options.limits.processor_milliseconds = options.limits.idle_milliseconds = kLimitMilliseconds;
  options.limits.memory_bytes = int64_t{64} << 20;
  return options;
}

CaseReport RunOn(const std::string& place, const std::string& act, const std::string& glob) {
  Subject subject;
  subject.path = Guest(place, act);
  const Report report = RunSuite(subject, act, glob, ShortLimits());
  EXPECT_EQ(report.cases.size(), 1u) << glob;
  return report.cases.at(0);
}

TEST(HostileGuestTest, ConformsWithoutAnAct) {
  EXPECT_EQ(RunOn("nowhere", "exit", kInsertCase).verdict, CaseVerdict::kPass);
  EXPECT_FALSE(IsFailure(RunOn("nowhere", "exit", kQueueCase).verdict));
  int provided = 0;
  std::string error;
  EXPECT_TRUE(ProbeImplementation(Guest("nowhere", "exit"), &provided, &error)) << error;
  EXPECT_EQ(provided, 5);
}

struct Act {
  const char* name;
  CaseVerdict verdict;
  const char* reason;  // a part of it
};

// An act that ends, changes or doubles the process of a case.
constexpr Act kFatal[] = {
    {"exit", CaseVerdict::kCrash, "exit status 0"},
    {"quick-exit", CaseVerdict::kCrash, "exit status 0"},
    {"exit-one", CaseVerdict::kCrash, "exit status 1"},
    {"abort", CaseVerdict::kCrash, "SIGABRT inside"},
    {"segv", CaseVerdict::kCrash, "SIGSEGV inside"},
    {"kill", CaseVerdict::kCrash, "SIGKILL"},
    {"term", CaseVerdict::kCrash, "SIGTERM"},
    {"stop", CaseVerdict::kCrash, "stopped"},
    {"loop", CaseVerdict::kTimeout, "no end"},
    {"sleep", CaseVerdict::kTimeout, "no end"},
    {"block-loop", CaseVerdict::kTimeout, "no end"},
    {"block-sleep", CaseVerdict::kTimeout, "no end"},
    {"fork", CaseVerdict::kCrash, "process"},
    {"fork-wait", CaseVerdict::kCrash, "two processes"},
    {"daemon", CaseVerdict::kCrash, "process"},
    {"exec", CaseVerdict::kCrash, "exit status 0"},
    {"exec-sleep", CaseVerdict::kTimeout, "no end"},
    {"thread-exits", CaseVerdict::kCrash, "exit status 0"},
    {"memory", CaseVerdict::kCrash, ""},
    {"alarm", CaseVerdict::kCrash, "a signal inside"},
    {"stack", CaseVerdict::kCrash, ""},
    {"unmap", CaseVerdict::kCrash, ""},
    {"kill-group", CaseVerdict::kCrash, "SIGKILL"},
    {"bad-heap", CaseVerdict::kCrash, ""},
};

// What it changes dies with the process of the case.
constexpr const char* kHarmless[] = {"block",     "thread",         "close",
                                     "write-all", "replace-output", "directory",
                                     "umask",     "handler",        "limits"};

TEST(HostileGuestTest, RoutineThatEndsTheProcessFailsItsCase) {
  for (const Act& act : kFatal) {
    const CaseReport report = RunOn("routine", act.name, kInsertCase);
    EXPECT_EQ(report.verdict, act.verdict) << act.name << ": " << report.reason;
    EXPECT_THAT(report.reason, HasSubstr(act.reason)) << act.name;
    EXPECT_EQ(report.failed.count("DQ-INS-01"), 1u) << act.name;
  }
}

TEST(HostileGuestTest, EndUnderTheLockOfADriverFailsItsCase) {
  for (const Act& act : kFatal) {
    // These have been seen above to be ended by a limit.
    if (act.verdict == CaseVerdict::kTimeout) continue;
    const CaseReport report = RunOn("callback", act.name, kQueueCase);
    EXPECT_EQ(report.verdict, act.verdict) << act.name << ": " << report.reason;
    EXPECT_THAT(report.reason, HasSubstr(act.reason)) << act.name;
  }
}

TEST(HostileGuestTest, JumpIntoADeadFrameNeverPasses) {
  EXPECT_TRUE(IsFailure(RunOn("routine", "longjmp", kInsertCase).verdict));
  EXPECT_TRUE(IsFailure(RunOn("callback", "longjmp", kQueueCase).verdict));
}

TEST(HostileGuestTest, HarmlessActsChangeNoVerdict) {
  for (const char* act : kHarmless) {
    const CaseReport report = RunOn("routine", act, kInsertCase);
    EXPECT_EQ(report.verdict, CaseVerdict::kPass) << act << ": " << report.reason;
  }
}

TEST(HostileGuestTest, EveryCaseThatIsAskedForHasOneOutcome) {
  int asked = 0;
  for (int i = 0; i < suite::CaseCount(); ++i) asked += Selected("dq.insert.*", i);
  for (const char* act : {"fork", "write-all", "quick-exit"}) {
    Subject subject;
    subject.path = Guest("routine", act);
    const Report report = RunSuite(subject, act, "dq.insert.*", ShortLimits());
    ASSERT_EQ(static_cast<int>(report.cases.size()), asked) << act;
    for (int i = 0, at = 0; i < suite::CaseCount(); ++i) {
      if (Selected("dq.insert.*", i)) EXPECT_EQ(report.cases[at++].id, suite::CaseAt(i).id) << act;
    }
  }
}

struct Refusal {
  const char* place;
  const char* act;
  const char* reason;
};

constexpr Refusal kRefusals[] = {
    {"constructor", "exit", "exit status 0"},
    {"constructor", "quick-exit", "exit status 0"},
    {"constructor", "exit-one", "exit status 1"},
    {"constructor", "abort", "SIGABRT"},
    {"constructor", "segv", "SIGSEGV"},
    {"constructor", "kill", "SIGKILL"},
    {"constructor", "term", "SIGTERM"},
    {"constructor", "stop", "stopped by SIGSTOP"},
    {"constructor", "loop", "no end"},
    {"constructor", "sleep", "no end: asleep"},
    {"constructor", "block", "which signals are blocked"},
    {"constructor", "fork", "process of its own"},
    {"constructor", "daemon", "process of its own"},
    {"constructor", "exec", "exit status 0"},
    {"constructor", "thread", "the number of threads"},
    {"constructor", "thread-exits", "no end: asleep"},
    {"constructor", "close", "descriptor 3"},
    {"constructor", "write-all", "descriptor 3"},
    {"constructor", "directory", "the working directory"},
    {"constructor", "umask", "the umask"},
    {"constructor", "handler", "what SIGALRM does"},
    {"constructor", "alarm", "SIGALRM"},
    {"constructor", "longjmp", ""},
    {"constructor", "stack", ""},
    {"constructor", "unmap", ""},
    {"constructor", "limits", "resource limit"},
    {"constructor", "kill-group", "SIGKILL"},
    {"constructor", "bad-heap", ""},
    {"destructor", "exit", "exit status 0"},
    {"destructor", "quick-exit", "exit status 0"},
    {"destructor", "abort", "SIGABRT"},
    {"destructor", "segv", "SIGSEGV"},
    {"destructor", "stop", "stopped by SIGSTOP"},
    {"destructor", "sleep", "no end: asleep"},
    {"destructor", "fork", "process of its own"},
    {"destructor", "daemon", "process of its own"},
    {"destructor", "exec", "exit status 0"},
    {"destructor", "unmap", ""},
};

TEST(HostileGuestTest, WhatCannotBeLoadedAndUnloadedIsRefusedWithTheReason) {
  for (const Refusal& refusal : kRefusals) {
    const std::string path = Guest(refusal.place, refusal.act);
    Subject subject;
    std::string error;
    EXPECT_FALSE(Subject::Of(path, &subject, &error)) << path;
    EXPECT_THAT(error, HasSubstr(refusal.reason)) << path;
    EXPECT_THAT(error, HasSubstr(path));
  }
}

TEST(HostileGuestTest, TruncatedFileIsRefusedWithTheReason) {
  const std::string path =
      absl::StrCat(testing::TempDir(), "/cancelsafe-truncated-", getpid(), ".so");
  std::filesystem::copy_file(CANCELSAFE_HOSTILE_GUEST, path,
                             std::filesystem::copy_options::overwrite_existing);
  const auto size = static_cast<int64_t>(std::filesystem::file_size(path));
  for (int part = 1; part < 8; ++part) {
    std::filesystem::resize_file(path, static_cast<uintmax_t>(size * (8 - part) / 8));
    std::string error;
    if (ProbeImplementation(path, nullptr, &error)) continue;  // debug information only
    EXPECT_THAT(error, HasSubstr(path));
  }
  std::string error;
  EXPECT_FALSE(ProbeImplementation(path, nullptr, &error));
  std::filesystem::remove(path);
}

// What loses its parent becomes a child of this process, and of no other test's: so a
// process that outlives its case is seen whatever else runs on the machine.
TEST(HostileGuestTest, NothingThatAGuestStartsOutlivesItsCase) {
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  for (const char* act : {"daemon", "fork"}) {
    (void)RunOn("routine", act, kInsertCase);
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG | __WALL), -1) << act;
    EXPECT_EQ(errno, ECHILD) << act;
  }
  prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST(GuestChildTest, EndsOfAChildAreTold) {
  const GuestLimits limits;
  EXPECT_TRUE(RunGuest([] {}, limits).clean());
  const GuestEnd end = RunGuest([] { _exit(7); }, limits);
  EXPECT_EQ(DescribeGuestEnd(end, limits), "exit status 7");
}

}  // namespace
}  // namespace cancelsafe::conformance
