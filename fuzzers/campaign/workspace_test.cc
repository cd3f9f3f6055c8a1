// The folder of a campaign when something is wrong with it: a full disk, no right to
// write, another campaign that is running there, one that was interrupted.
#include "fuzzers/campaign/workspace.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

// Root may write anywhere: gives that up while it lives.
class Unprivileged {
 public:
  Unprivileged() : before_(geteuid()) { Become(before_ == 0 ? 65534 : before_); }
  ~Unprivileged() { Become(before_); }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;

 private:
  static void Become(uid_t user) {
    if (seteuid(user) != 0) ADD_FAILURE() << "cannot become user " << user;
  }

  const uid_t before_;
};

class WorkspaceTest : public testing::Test {
 protected:
  WorkspaceTest() {
    char name[] = "/tmp/workspace_test_XXXXXX";
    folder_ = mkdtemp(name);
    chmod(folder_.c_str(), 0755);
    options_.targets = {FindFuzzTarget("csq")};
    options_.corpus = folder_ + "/corpus";
    options_.work = folder_ + "/work";
    options_.findings = folder_ + "/work/findings";
  }
  ~WorkspaceTest() override { fs::remove_all(folder_); }

  std::string ErrorOfOpen() const {
    const absl::StatusOr<std::unique_ptr<Workspace>> workspace = Workspace::Open(options_);
    return workspace.ok() ? "" : std::string(workspace.status().message());
  }

  // Whatever is written to this path from now on, by way of a temporary file, meets a
  // full disk.
  static void FillDiskOf(const std::string& path) { fs::create_symlink("/dev/full", path); }

  std::string folder_;
  CampaignOptions options_;
};

TEST_F(WorkspaceTest, AFullDiskIsToldBeforeAnythingRuns) {
  fs::create_directories(options_.work);
  FillDiskOf(options_.work + "/.probe");
  EXPECT_EQ(ErrorOfOpen(),
            absl::StrCat("cannot write in ", options_.work, ": No space left on device"));
}

TEST_F(WorkspaceTest, ADiskThatFillsUpIsToldMeanwhile) {
  const absl::StatusOr<std::unique_ptr<Workspace>> workspace = Workspace::Open(options_);
  ASSERT_TRUE(workspace.ok()) << workspace.status();
  EXPECT_TRUE((*workspace)->Check().ok());
  FillDiskOf(options_.work + "/.probe");
  EXPECT_EQ((*workspace)->Check().message(),
            absl::StrCat("cannot write in ", options_.work, ": No space left on device"));
}

TEST_F(WorkspaceTest, AReadOnlyFolderIsNamedWithTheReason) {
  fs::create_directories(options_.work);
  chmod(options_.work.c_str(), 0555);
  const Unprivileged unprivileged;
  EXPECT_EQ(ErrorOfOpen(), absl::StrCat("cannot write in ", options_.work, ": Permission denied"));
}

TEST_F(WorkspaceTest, AFolderThatCannotBeMadeIsNamedWithTheReason) {
  chmod(folder_.c_str(), 0555);
  const Unprivileged unprivileged;
  EXPECT_EQ(ErrorOfOpen(), absl::StrCat("cannot create ", options_.work, ": Permission denied"));
}

TEST_F(WorkspaceTest, OneCampaignAtATime) {
  absl::StatusOr<std::unique_ptr<Workspace>> first = Workspace::Open(options_);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(ErrorOfOpen(), absl::StrCat("another campaign is running in ", options_.work,
                                        "; wait for it, or give another --work DIR"));
  // However that one ended: a lock goes with its process.
  first->reset();
  EXPECT_EQ(ErrorOfOpen(), "");
}

TEST_F(WorkspaceTest, SlotsHaveFoldersOfTheirOwn) {
  const absl::StatusOr<std::unique_ptr<Workspace>> workspace = Workspace::Open(options_);
  ASSERT_TRUE(workspace.ok()) << workspace.status();
  const absl::StatusOr<std::string> first = (*workspace)->MakeSlotFolder("csq-address-0");
  const absl::StatusOr<std::string> second = (*workspace)->MakeSlotFolder("csq-address-1");
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(*first, *second);
  EXPECT_TRUE(fs::is_directory(*first) && fs::is_directory(*second));
}

// An engine that reads an input which crashes the implementation ends, each time it is started.
TEST_F(WorkspaceTest, ASeedThatCrashesIsTakenOutOfTheCorpusOfAnEarlierCampaign) {
  const FuzzTarget& csq = *options_.targets[0];
  const std::string seed = options_.corpus + "/csq_fuzzer/seeds/a.txt";
  fs::create_directories(options_.corpus + "/csq_fuzzer/seeds");
  std::ofstream(seed)
      << "target csq\nqueue classic insert=tail peek=any lock=spin\nfiber 0\n  insert 1\n";
  const absl::StatusOr<std::unique_ptr<Workspace>> workspace = Workspace::Open(options_);
  ASSERT_TRUE(workspace.ok()) << workspace.status();
  ASSERT_TRUE((*workspace)->AddSeeds(csq).ok()) << (*workspace)->AddSeeds(csq).status();
  EXPECT_EQ((*workspace)->CorpusSize(csq), 1);
  options_.fatal_seeds = {seed};
  ASSERT_TRUE((*workspace)->AddSeeds(csq).ok());
  EXPECT_EQ((*workspace)->CorpusSize(csq), 0);
}

TEST_F(WorkspaceTest, WhatAnInterruptedCampaignLearntIsThere) {
  const FuzzTarget& csq = *options_.targets[0];
  {
    const absl::StatusOr<std::unique_ptr<Workspace>> workspace = Workspace::Open(options_);
    ASSERT_TRUE(workspace.ok()) << workspace.status();
    std::ofstream((*workspace)->CorpusFolder(csq) + "/0123") << "bytes";
  }
  const absl::StatusOr<std::unique_ptr<Workspace>> workspace = Workspace::Open(options_);
  ASSERT_TRUE(workspace.ok()) << workspace.status();
  EXPECT_TRUE(fs::exists((*workspace)->CorpusFolder(csq) + "/0123"));
  EXPECT_EQ((*workspace)->CorpusSize(csq), 1);
}

}  // namespace
}  // namespace cancelsafe
