// A watched child whose body does what no guest may: how the parent sees each end.
#include "base/guest_host.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "gmock/gmock.h"

namespace cancelsafe {
namespace {

using testing::HasSubstr;
using Kind = HostedEnd::Kind;

// A guard where nothing is meant to hang.
constexpr double kLong = 600;

HostedEnd Host(const std::function<void(GuestHost*)>& body, double hang_seconds = kLong) {
  GuestHost host;
  const std::optional<absl::StatusOr<HostedEnd>> end = host.Split(hang_seconds, nullptr);
  if (!end) {
    body(&host);
    host.TellChecked(0);
    _exit(0);
  }
  EXPECT_TRUE(end->ok());
  return end->value_or(HostedEnd());
}

TEST(GuestHostTest, ARegularEndHasTheStatusThatWasTold) {
  const HostedEnd end = Host([](GuestHost*) {});
  EXPECT_EQ(end.kind, Kind::kTold);
  EXPECT_EQ(end.code, 0);
  EXPECT_EQ(end.Fault(), "");
  EXPECT_EQ(Host([](GuestHost* host) { host->Tell(7), _exit(7); }).code, 7);
}

TEST(GuestHostTest, AnExitWithoutAWordIsAFaultWhateverItsStatus) {
  for (const int status : {0, 3}) {
    const HostedEnd end = Host([status](GuestHost*) { syscall(SYS_exit_group, status); });
    EXPECT_EQ(end.kind, Kind::kExited);
    EXPECT_EQ(end.code, status);
    EXPECT_THAT(end.Fault(), HasSubstr("ended the process"));
  }
}

TEST(GuestHostTest, ASignalIsAFaultUnlessAFailureHasBeenTold) {
  EXPECT_EQ(Host([](GuestHost*) { raise(SIGKILL); }).kind, Kind::kSignal);
  const HostedEnd told = Host([](GuestHost* host) { host->Tell(1), raise(SIGKILL); });
  EXPECT_EQ(told.kind, Kind::kTold);
  EXPECT_EQ(told.code, 1);
  EXPECT_EQ(Host([](GuestHost* host) { host->Tell(0), raise(SIGKILL); }).kind, Kind::kSignal);
}

TEST(GuestHostTest, AStoppedChildIsKilledAtOnce) {
  EXPECT_EQ(Host([](GuestHost*) { raise(SIGSTOP); }).kind, Kind::kAsleep);
}

TEST(GuestHostTest, ARunThatHangsIsKilledWhateverItBlocks) {
  const auto hang = [](GuestHost* host) {
    host->EnterRun();
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, nullptr);
    for (;;) pause();
  };
  EXPECT_EQ(Host(hang, 0.2).kind, Kind::kHung);
}

TEST(GuestHostTest, ACopyOfTheChildIsNoticed) {
  const HostedEnd end = Host([](GuestHost* host) {
    const auto copy = syscall(SYS_fork);
    if (copy == 0) host->EnterRun();
    if (copy == 0) _exit(9);  // not reached
    // Until the copy is gone.
    siginfo_t info = {};
    waitid(P_PID, static_cast<id_t>(copy), &info, WEXITED | WNOWAIT);
  });
  EXPECT_EQ(end.kind, Kind::kDoubled);
}

TEST(GuestHostTest, AProcessThatIsLeftBehindIsEndedAndNamed) {
  const HostedEnd end = Host([](GuestHost*) {
    if (syscall(SYS_fork) != 0) return;
    setsid();
    for (;;) pause();
  });
  EXPECT_EQ(end.processes_left, 1);
  EXPECT_THAT(end.Fault(), HasSubstr("a process of its own"));
}

// TSan starts one when it reports a race, and leaves it to end by itself.
TEST(GuestHostTest, TheOneThatNamesFunctionsForASanitizerIsTheHosts) {
  const HostedEnd end = Host([](GuestHost*) {
    if (syscall(SYS_fork) == 0) {
      prctl(PR_SET_NAME, "llvm-symbolizer");
      raise(SIGSTOP);
      for (;;) pause();
    }
    siginfo_t info = {};
    waitid(P_ALL, 0, &info, WSTOPPED);
  });
  EXPECT_EQ(end.processes_left, 0);
  EXPECT_EQ(end.Fault(), "");
}

TEST(GuestHostTest, WhatDecidesWhereOutputGoesIsNamed) {
  EXPECT_THAT(Host([](GuestHost*) { (void)!chdir("/proc"); }).Fault(),
              HasSubstr("the working directory"));
  EXPECT_THAT(Host([](GuestHost*) { close(STDOUT_FILENO); }).Fault(), HasSubstr("descriptor 1"));
}

}  // namespace
}  // namespace cancelsafe
