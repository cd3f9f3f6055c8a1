// What one process of a target keeps for the one that follows it.
#include "fuzzers/targets/watched_guest.h"

#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>

#include "gtest/gtest.h"

namespace cancelsafe {
namespace {

void InProcess(const std::function<void()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    body();
    _exit(0);
  }
  waitpid(child, nullptr, 0);
}

void NoteText(const std::string& text) {
  NoteInput(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

TEST(InputForNextTest, IsWhatAProcessEndedInsideOf) {
  KeepInputForNext();
  std::string bytes;
  EXPECT_FALSE(LeftByProcessBefore(&bytes));
  InProcess([] {
    NoteText("first");
    EnterGuest();
    LeaveGuest();
    NoteText("second");
    EnterGuest();
  });
  ASSERT_TRUE(LeftByProcessBefore(&bytes));
  EXPECT_EQ(bytes, "second");
  EXPECT_FALSE(LeftByProcessBefore(&bytes)) << "is told once";
}

TEST(InputForNextTest, IsNothingAfterAnEndBetweenRunsOrWithAReport) {
  KeepInputForNext();
  std::string bytes;
  InProcess([] {
    NoteText("done");
    EnterGuest();
    LeaveGuest();
  });
  EXPECT_FALSE(LeftByProcessBefore(&bytes));
  InProcess([] {
    NoteText("reported");
    EnterGuest();
    NoteReported();
  });
  EXPECT_FALSE(LeftByProcessBefore(&bytes));
}

}  // namespace
}  // namespace cancelsafe
