// Every seed in the corpus is readable, canonical and says in its first line
// which situation it stands for.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fuzzers/program/bytes.h"
#include "fuzzers/program/program_file.h"
#include "gtest/gtest.h"
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

struct Target {
  const char* name;
  Family family;
};
constexpr Target kTargets[] = {
    {"csq_fuzzer", Family::kCsq},
    {"device_queue_fuzzer", Family::kDeviceQueue},
    {"start_io_fuzzer", Family::kStartIo},
    {"callback_data_queue_fuzzer", Family::kCallbackDataQueue},
};

std::string Contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream contents;
  contents << file.rdbuf();
  return contents.str();
}

class SeedsTest : public testing::TestWithParam<Target> {
 protected:
  void SetUp() override {
    const std::filesystem::path folder =
        std::filesystem::path(CANCELSAFE_CORPUS) / GetParam().name / "seeds";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      files_.push_back(entry.path());
    }
    std::sort(files_.begin(), files_.end());
  }

  std::vector<std::filesystem::path> files_;
};

TEST_P(SeedsTest, EveryFileIsACanonicalProgramOfTheTarget) {
  std::set<std::string> programs;
  for (const std::filesystem::path& path : files_) {
    SCOPED_TRACE(path.string());
    EXPECT_EQ(path.extension(), ".txt");
    const std::string contents = Contents(path);
    const absl::StatusOr<ProgramFile> file = ReadProgramFile(contents);
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ(file->program.setup.family, GetParam().family);
    EXPECT_GT(file->program.operation_count, 1);
    EXPECT_EQ(PrintProgramFile(*file), contents);
    EXPECT_TRUE(programs.insert(PrintProgram(file->program)).second) << "a duplicate";

    uint8_t bytes[kMaxProgramBytes];
    const size_t size = EncodeProgram(file->program, bytes, sizeof(bytes));
    Program again;
    DecodeProgram(GetParam().family, bytes, size, &again);
    EXPECT_TRUE(again == file->program);
  }
}

TEST_P(SeedsTest, FirstLineSaysWhatSituationAndTheCommentWhichClauses) {
  std::set<std::string> first_lines;
  for (const std::filesystem::path& path : files_) {
    SCOPED_TRACE(path.string());
    const absl::StatusOr<ProgramFile> file = ReadProgramFile(Contents(path));
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_GE(file->header_comments.size(), 2u);
    EXPECT_GE(file->header_comments[0].size(), 30u);
    EXPECT_TRUE(first_lines.insert(file->header_comments[0]).second) << "said twice";
    EXPECT_TRUE(absl::StrContains(absl::StrJoin(file->header_comments, " "), "Clauses: "));
  }
}

TEST_P(SeedsTest, SituationsWithOneAndWithSeveralFibersAreThere) {
  int sequential = 0;
  int concurrent = 0;
  std::set<Op> ops;
  for (const std::filesystem::path& path : files_) {
    const absl::StatusOr<ProgramFile> file = ReadProgramFile(Contents(path));
    ASSERT_TRUE(file.ok()) << path << ": " << file.status();
    const Program& program = file->program;
    (program.fibers == 1 ? sequential : concurrent) += 1;
    if (program.fibers > 1) {
      EXPECT_TRUE(program.schedule.choice_count > 0 ||
                  program.schedule.kind != schedule::Kind::kChoices)
          << path;
    }
    for (int i = 0; i < program.operation_count; ++i) ops.insert(program.operations[i].op);
  }
  EXPECT_GE(sequential + concurrent, 15);
  EXPECT_GE(sequential, 5);
  EXPECT_GE(concurrent, 3);
  // Every routine that this family has is used by some seed.
  for (int op = 0; op < kOpCount; ++op) {
    if (!OperationBelongsTo(GetParam().family, static_cast<Op>(op))) continue;
    EXPECT_EQ(ops.count(static_cast<Op>(op)), 1u) << OperationName(static_cast<Op>(op));
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, SeedsTest, testing::ValuesIn(kTargets),
                         [](const testing::TestParamInfo<Target>& info) {
                           return std::string(info.param.name);
                         });

}  // namespace
}  // namespace cancelsafe
