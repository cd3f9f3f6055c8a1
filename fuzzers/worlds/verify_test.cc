// cancelsafe verify as a person, and a batch system, would use it.
#include "fuzzers/tools/tool_test_util.h"
#include "gmock/gmock.h"

namespace cancelsafe {
namespace {

using testing::HasSubstr;
using testing::Not;

class VerifyTest : public ToolTest {
 protected:
  // What follows `word` in the output, up to a space, comma or the end of the line.
  static std::string After(const std::string& output, const std::string& word) {
    const size_t at = output.find(word);
    if (at == std::string::npos) return "";
    const size_t begin = at + word.size();
    return output.substr(begin, output.find_first_of(" ,\n", begin) - begin);
  }
};

TEST_F(VerifyTest, EndsWithALineThatCanBeQuoted) {
  const CommandResult result = Run("cancelsafe verify csq --items 1 --settings 0");
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("\ncsq 2x1, 1 item, 0 settings: 21 programs, "));
  EXPECT_THAT(result.output, HasSubstr(", no violation, "));
}

TEST_F(VerifyTest, SavesASmallestFailureWithTheCommandThatReplaysIt) {
  const CommandResult result =
      Run("cancelsafe verify csq --jobs 2 --implementation ./ignored_cancel.so");
  EXPECT_EQ(result.status, 1) << result.output;
  EXPECT_THAT(result.output, HasSubstr("CSQ-NEXT-02"));
  EXPECT_THAT(result.output, HasSubstr("of csq 2x1, 2 items, 1 setting"));
  const std::string file = After(result.output, "saved:  ");
  EXPECT_THAT(ReadAll(Path(file)), HasSubstr("found: by cancelsafe verify, in program "));
  // One insert, whose callback cancels the IRP.
  EXPECT_THAT(ReadAll(Path(file)), HasSubstr("cancelling-insert=1\nfiber 0\n  insert 0\n"));
  EXPECT_THAT(ReadAll(Path(file)), Not(HasSubstr("fiber 1")));
  const CommandResult replay =
      Run("cancelsafe replay --implementation ./ignored_cancel.so " + file);
  EXPECT_EQ(replay.status, 1);
  EXPECT_THAT(replay.output, HasSubstr("CSQ-NEXT-02"));
}

TEST_F(VerifyTest, ReportsAnImplementationThatTakesTheProcessDown) {
  const CommandResult result =
      Run("cancelsafe verify csq --calls 2 --implementation ./crashing_remove.so");
  EXPECT_EQ(result.status, 1) << result.output;
  EXPECT_THAT(result.output, HasSubstr("saved:  "));
  EXPECT_THAT(result.output, HasSubstr("remove 0"));
}

TEST_F(VerifyTest, AViolationInALaterFamilyKeepsTheResultsOfTheEarlierOnes) {
  WriteAll(Path("all.json"), "of an earlier run\n");
  const CommandResult result =
      Run("cancelsafe verify device_queue csq start_io --settings 0 --result all.json "
          "--implementation ./ignored_cancel.so");
  EXPECT_EQ(result.status, 1) << result.output;
  EXPECT_THAT(result.output, HasSubstr("not searched: start_io\n"));
  const std::string lines = ReadAll(Path("all.json"));
  EXPECT_THAT(lines, HasSubstr("\"family\":\"device-queue\""));
  EXPECT_THAT(lines, Not(HasSubstr("an earlier run")));
}

TEST_F(VerifyTest, ShardsOfManyMachinesMergeToTheSameDigest) {
  const std::string scope = "verify device_queue csq --settings 0 --revision r1 ";
  const CommandResult whole = Run("cancelsafe " + scope);
  ASSERT_EQ(whole.status, 0) << whole.output;
  for (const char* const shard : {"1", "2", "3"}) {
    const CommandResult part = Run(
        absl::StrCat("cancelsafe ", scope, "--shard ", shard, "/3 --result part", shard, ".json"));
    EXPECT_EQ(part.status, 0) << part.output;
  }
  const CommandResult merged = Run("cancelsafe verify --merge part?.json");
  EXPECT_EQ(merged.status, 0) << merged.output;
  EXPECT_EQ(After(merged.output, "digest "), After(whole.output, "digest "));
  EXPECT_THAT(merged.output, HasSubstr("\ncsq 2x1"));
  const CommandResult missing = Run("cancelsafe verify --merge part1.json part3.json");
  EXPECT_EQ(missing.status, 2);
  EXPECT_THAT(missing.output, HasSubstr("shard 2/3 is missing"));
}

TEST_F(VerifyTest, GoesOnWhereItStopped) {
  const std::string scope = "cancelsafe verify csq --settings 0 ";
  const int64_t all = std::stoll(After(Run(scope).output, "0 settings: "));
  const CommandResult rest = Run(scope + "--from 9 --result rest.json");
  EXPECT_EQ(rest.status, 0) << rest.output;
  EXPECT_THAT(rest.output,
              HasSubstr(absl::StrCat("0 settings, from program 9: ", all - 9, " programs")));
  const CommandResult merged = Run("cancelsafe verify --merge rest.json");
  EXPECT_EQ(merged.status, 2);
  EXPECT_THAT(merged.output, HasSubstr("the programs before number 9 are missing"));
}

#ifdef CANCELSAFE_EXAMPLES_DIR
TEST_F(VerifyTest, GoesThroughTheProgramsOfADriver) {
  const std::string driver = CANCELSAFE_EXAMPLES_DIR "/two_locks_lose_wakeup.";
  const std::string repaired = absl::StrCat("cancelsafe verify --driver ", driver, "repaired.sys");
  const CommandResult whole = Run(repaired);
  EXPECT_EQ(whole.status, 0) << whole.output;
  EXPECT_THAT(whole.output, HasSubstr("two_locks_lose_wakeup.repaired.sys: driver 2x1, 1 file: "));
  EXPECT_THAT(whole.output, HasSubstr(", model sc, complete, no violation, "));
  for (const char* const shard : {"1", "2"}) {
    Run(absl::StrCat(repaired, " --shard ", shard, "/2 --result driver", shard, ".json"));
  }
  const CommandResult merged = Run("cancelsafe verify --merge driver1.json driver2.json");
  EXPECT_EQ(merged.status, 0) << merged.output;
  EXPECT_EQ(After(merged.output, "digest "), After(whole.output, "digest "));
  EXPECT_EQ(After(Run(repaired + " --jobs 2").output, "digest "), After(whole.output, "digest "));

  const CommandResult broken =
      Run(absl::StrCat("cancelsafe verify --driver ", driver, "broken.sys"));
  EXPECT_EQ(broken.status, 1) << broken.output;
  EXPECT_THAT(broken.output, HasSubstr("of driver 2x1, 1 file"));
  const std::string file = After(broken.output, "saved:  ");
  EXPECT_EQ(Run("cancelsafe replay --repeat 20 " + file).status, 1);
  const CommandResult explored = Run("cancelsafe explore --complete " + file);
  EXPECT_EQ(explored.status, 1);
  EXPECT_THAT(explored.output, HasSubstr(" of a complete search"));
  const CommandResult clean =
      Run(absl::StrCat("cancelsafe explore --complete --driver ", driver, "repaired.sys ", file));
  EXPECT_EQ(clean.status, 0);
  EXPECT_THAT(clean.output, HasSubstr("complete: "));
  EXPECT_EQ(Run("cancelsafe verify --driver no-such.sys").status, 2);
  EXPECT_EQ(Run(repaired + " csq").status, 2);
}
#endif

TEST_F(VerifyTest, SaysWhatIsWrongWithItsFlags) {
  const CommandResult family = Run("cancelsafe verify cqs");
  EXPECT_EQ(family.status, 2);
  EXPECT_THAT(family.output, HasSubstr("unknown family 'cqs'; did you mean csq?"));
  const CommandResult large = Run("cancelsafe verify csq --fibers 4 --calls 4");
  EXPECT_EQ(large.status, 2);
  EXPECT_THAT(large.output, HasSubstr("all fibers together may have 7 calls"));
  const CommandResult shard = Run("cancelsafe verify csq --shard 4/3");
  EXPECT_EQ(shard.status, 2);
  EXPECT_THAT(shard.output, HasSubstr("--shard: '4/3' is not a shard"));
  const CommandResult memory = Run("cancelsafe verify csq --memory pso");
  EXPECT_EQ(memory.status, 2);
  EXPECT_THAT(memory.output, HasSubstr("--memory: 'pso' is not one of sc, tso, rc11"));
  const CommandResult operations = Run("cancelsafe verify --operations insert");
  EXPECT_EQ(operations.status, 2);
  EXPECT_THAT(operations.output, HasSubstr("--operations: each family has its own operations"));
  const CommandResult word = Run("cancelsafe verify csq --operations insert,start-next");
  EXPECT_EQ(word.status, 2);
  EXPECT_THAT(word.output, HasSubstr("--operations: 'start-next' is not an operation of csq"));
  const CommandResult from = Run("cancelsafe verify --from 3");
  EXPECT_EQ(from.status, 2);
  EXPECT_THAT(from.output, HasSubstr("--from: numbers of programs are those of one family"));
}

}  // namespace
}  // namespace cancelsafe
