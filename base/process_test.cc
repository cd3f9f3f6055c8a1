// Children end as they are told to, and nothing of them is left.
#include "base/process.h"

#include <signal.h>
#include <unistd.h>

#include "gmock/gmock.h"

namespace cancelsafe {
namespace {

using testing::HasSubstr;

std::string Collected(const std::vector<std::string>& arguments, double seconds, ChildEnd* end) {
  std::string output;
  const absl::StatusOr<ChildEnd> ended = RunProcess(
      arguments, seconds, [&](absl::string_view text) { output.append(text.data(), text.size()); });
  if (ended.ok()) *end = *ended;
  return ended.ok() ? output : std::string(ended.status().message());
}

TEST(ProcessTest, OutputAndExitStatusArrive) {
  ChildEnd end;
  EXPECT_EQ(Collected({"sh", "-c", "echo one; echo two >&2; exit 7"}, 60, &end), "one\ntwo\n");
  EXPECT_EQ(end.status.code, 7);
  EXPECT_FALSE(end.timed_out);
}

TEST(ProcessTest, AProgramThatIsNotThereIsAnError) {
  ChildEnd end;
  EXPECT_THAT(Collected({"/no/such/program"}, 60, &end), HasSubstr("cannot run /no/such/program"));
}

TEST(ProcessTest, WhatDoesNotEndIsKilledAtItsLimit) {
  ChildEnd end;
  Collected({"sh", "-c", "trap '' TERM INT; while :; do :; done"}, 0.2, &end);
  EXPECT_TRUE(end.timed_out);
  EXPECT_TRUE(end.status.signaled);
  EXPECT_EQ(end.status.code, SIGKILL);
}

TEST(ProcessTest, AStoppedChildIsKilledAtItsLimit) {
  ChildEnd end;
  Collected({"sh", "-c", "kill -STOP $$"}, 0.2, &end);
  EXPECT_TRUE(end.timed_out);
}

TEST(ProcessTest, AnOrphanThatKeepsThePipeCostsNoWaitAndCanBeEnded) {
  AdoptOrphans();
  ChildEnd end;
  EXPECT_EQ(Collected({"sh", "-c", "echo here; setsid sleep 600 & exit 0"}, 60, &end), "here\n");
  EXPECT_FALSE(end.timed_out);
  EXPECT_EQ(end.status.code, 0);
  EXPECT_EQ(EndOrphans(), 1);
  EXPECT_EQ(EndOrphans(), 0);
}

TEST(ProcessTest, AForkedBodyReturnsItsStatus) {
  const absl::StatusOr<std::unique_ptr<Process>> child = Process::Fork([] { return 5; });
  ASSERT_TRUE(child.ok());
  EXPECT_EQ(WaitFor(child->get(), 60, [](absl::string_view) {}).status.code, 5);
}

TEST(ProcessTest, ARequestToStopKillsTheChild) {
  const StopSignals stop;
  const absl::StatusOr<std::unique_ptr<Process>> child = Process::Fork([] {
    pause();
    return 0;
  });
  ASSERT_TRUE(child.ok());
  kill(getpid(), SIGINT);
  const ChildEnd end = WaitFor(child->get(), 60, [](absl::string_view) {}, &stop);
  EXPECT_TRUE(end.stopped);
  EXPECT_FALSE(end.timed_out);
}

}  // namespace
}  // namespace cancelsafe
