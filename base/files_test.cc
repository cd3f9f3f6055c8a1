// What output does to the thing that it was pointed at.
#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class FilesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = absl::StrCat(testing::TempDir(), "cancelsafe-files-", getpid(), "-",
                           testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string Path(const std::string& name) const { return absl::StrCat(folder_, "/", name); }

  std::string folder_;
};

TEST_F(FilesTest, ARegularFileIsReplacedAsAWhole) {
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "first").ok());
  const int before = open(Path("a").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "second").ok());
  char text[16] = "";
  EXPECT_EQ(read(before, text, sizeof text - 1), 5) << "a reader keeps the file it opened";
  EXPECT_STREQ(text, "first");
  close(before);
  EXPECT_EQ(*ReadFile(Path("a")), "second");
  EXPECT_THAT(FilesIn(folder_), testing::ElementsAre(Path("a"))) << "nothing is left beside it";
}

TEST_F(FilesTest, ADeviceIsWrittenInPlace) {
  EXPECT_THAT(std::string(WriteFileAtomically("/dev/full", "text").message()),
              HasSubstr("cannot write /dev/full: No space left on device"));
  struct stat found = {};
  ASSERT_EQ(stat("/dev/full", &found), 0);
  EXPECT_TRUE(S_ISCHR(found.st_mode));
  EXPECT_TRUE(WriteFileAtomically("/dev/null", "text").ok());
}

TEST_F(FilesTest, ALinkThatAUserNamedIsFollowedAndKept) {
  ASSERT_TRUE(WriteFileAtomically(Path("real"), "old").ok());
  fs::create_symlink("real", Path("link"));
  ASSERT_TRUE(WriteFileAtomically(Path("link"), "new").ok());
  EXPECT_TRUE(fs::is_symlink(Path("link")));
  EXPECT_EQ(*ReadFile(Path("real")), "new");
  fs::create_symlink("nowhere", Path("broken"));
  EXPECT_FALSE(WriteFileAtomically(Path("broken"), "new").ok());
}

TEST_F(FilesTest, AFolderOfReportsIsNotLeftThroughALink) {
  ASSERT_TRUE(MakeFolder(Path("report")).ok());
  ASSERT_TRUE(WriteFileAtomically(Path("outside"), "mine").ok());
  fs::create_symlink("../outside", Path("report/page.html"));
  ASSERT_TRUE(WriteFileIn(Path("report"), "page.html", "page").ok());
  EXPECT_EQ(*ReadFile(Path("outside")), "mine");
  EXPECT_EQ(*ReadFile(Path("report/page.html")), "page");
}

TEST_F(FilesTest, AnEndlessFileIsReadUpToTheLimit) {
  EXPECT_EQ(ReadFile("/dev/zero", 1000)->size(), 1001u) << "one more says that it is longer";
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "12345").ok());
  EXPECT_EQ(*ReadFile(Path("a"), 5), "12345");
}

TEST_F(FilesTest, ErrorsNameThePathAndTheReason) {
  EXPECT_THAT(std::string(WriteFileAtomically(folder_, "text").message()),
              HasSubstr(absl::StrCat("cannot write ", folder_, ": Is a directory")));
  EXPECT_THAT(std::string(ReadFile(Path("missing")).status().message()),
              HasSubstr("missing: No such file or directory"));
  EXPECT_THAT(std::string(ReadFile(folder_).status().message()), HasSubstr("Is a directory"));
}

}  // namespace
}  // namespace cancelsafe
