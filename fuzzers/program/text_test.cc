// The text form: both ways, stable, and clear about what is wrong.
#include "fuzzers/program/text.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "fuzzers/program/bytes.h"
#include "fuzzers/program/generate.h"
#include "fuzzers/program/words.h"
#include "gtest/gtest.h"

namespace cancelsafe {
namespace {

constexpr char kExample[] =
    R"(# Why this file exists.
#
# Second paragraph: ünïcode is fine.
target csq
queue ex insert=sorted peek=by-key lock=mutex status=pending
driver failing-insert=2 cancelling-insert=1 reentry=insert reentry-item=3
fiber 0
  insert-ex 2 context key=7 irql=dispatch selector=1
  remove-next key=0x80000000
fiber 1
  cancel 2
schedule pct seed=17 parameter=1 schedules=8
choices 3:1 9:0
)";

std::string ErrorOf(absl::string_view text) {
  const absl::StatusOr<Program> program = ParseProgram(text);
  return program.ok() ? "no error" : std::string(program.status().message());
}

TEST(TextTest, ExampleMeansWhatItSays) {
  const absl::StatusOr<Program> program = ParseProgram(kExample);
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_EQ(program->setup.family, Family::kCsq);
  EXPECT_TRUE(program->setup.ex);
  EXPECT_EQ(program->setup.insert, InsertPolicy::kSorted);
  EXPECT_EQ(program->setup.peek, PeekPolicy::kByKey);
  EXPECT_EQ(program->setup.lock, LockKind::kMutex);
  EXPECT_EQ(program->setup.insert_status, InsertStatus::kPending);
  EXPECT_EQ(program->setup.failing_insert, 2);
  EXPECT_EQ(program->setup.cancelling_insert, 1);
  EXPECT_EQ(program->setup.reentry, Reentry::kInsert);
  EXPECT_EQ(program->setup.reentry_item, 3);
  EXPECT_EQ(program->fibers, 2);
  ASSERT_EQ(program->operation_count, 3);
  EXPECT_TRUE(program->operations[0] == (Operation{Op::kInsertEx, 2, kWithContext, 2, 1, 7}));
  EXPECT_TRUE(program->operations[1] == (Operation{Op::kRemoveNext, 0, 0, 0, 0, 0x80000000}));
  EXPECT_TRUE(program->operations[2] == (Operation{Op::kCancel, 2, 0, 0, 0, 0}));
  EXPECT_EQ(program->fiber_of[2], 1);
  EXPECT_EQ(program->schedule.kind, schedule::Kind::kPct);
  EXPECT_EQ(program->schedule.seed, 17u);
  EXPECT_EQ(program->schedule.parameter, 1);
  ASSERT_EQ(program->schedule.choice_count, 2);
  EXPECT_TRUE(program->schedule.choices[0] == (schedule::Choice{3, 1}));
  EXPECT_TRUE(program->schedule.choices[1] == (schedule::Choice{9, 0}));
}

TEST(TextTest, FileWithCommentsPrintsAsItWas) {
  const absl::StatusOr<ProgramFile> file = ParseProgramFile(kExample);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_EQ(file->header_comments.size(), 3u);
  EXPECT_EQ(file->header_comments[0], "Why this file exists.");
  EXPECT_EQ(file->header_comments[1], "");
  EXPECT_EQ(PrintProgramFile(*file), kExample);
}

TEST(TextTest, TheModelOfMemoryAndItsChoicesPrintAsTheyWere) {
  const std::string text =
      "target csq\nqueue classic insert=tail peek=any lock=spin\nfiber 0\n  insert 0\nfiber 1\n"
      "  cancel 0\nmemory rc11\nstale-choices 3:read:1/2 12:place:2/4 700:flush:1\n";
  const absl::StatusOr<Program> program = ParseProgram(text);
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_EQ(program->schedule.memory, schedule::MemoryModel::kRc11);
  ASSERT_EQ(program->schedule.stale_count, 3);
  EXPECT_TRUE(program->schedule.stale[1] == (schedule::StaleChoice{12, 2, 2, 4}));
  EXPECT_TRUE(program->schedule.stale[2] == (schedule::StaleChoice{700, 3, 1, 0}));
  EXPECT_EQ(PrintProgram(*program), text);
}

TEST(TextTest, SaysWhatIsWrongWithModelsOfMemory) {
  EXPECT_EQ(ErrorOf("target csq\nmemory rc1"),
            "line 2: unknown memory model 'rc1'; did you mean 'rc11'? allowed: sc, tso, rc11");
  EXPECT_EQ(ErrorOf("target csq\nmemory"),
            "line 2: 'memory' takes one model; allowed: sc, tso, rc11");
  for (const char* wrong : {"3:read", "3:rad:1/2", "x:read:1", "3:read:0/2", "3:read:2/2",
                            "3:read:1/", "3:read:64", "65536:read:1/2", "3:read:1/256"}) {
    EXPECT_EQ(ErrorOf(absl::StrCat("target csq\nstale-choices ", wrong)),
              absl::StrCat("line 2: a stale choice is number:kind:index/alternatives with a number "
                           "up to 65535, one of read, update, place, flush, an index from 1 to 63, "
                           "and more alternatives than the index, if any are named, as in "
                           "12:read:1/2, not '",
                           wrong, "'"));
  }
  EXPECT_EQ(ErrorOf("target csq\nstale-choices 3:read:1 3:read:2"), "line 2: two stale choices 3");
  std::string many = "target csq\nstale-choices";
  for (int i = 0; i <= schedule::kMaxStaleChoices; ++i) absl::StrAppend(&many, " ", i, ":read:1");
  EXPECT_EQ(ErrorOf(many), absl::StrCat("line 2: too many stale choices; at most ",
                                        schedule::kMaxStaleChoices, " are allowed"));
}

TEST(TextTest, CommentWithLineBreakStaysAComment) {
  ProgramFile file;
  file.header_comments = {"one\ntarget start-io"};
  const absl::StatusOr<ProgramFile> again = ParseProgramFile(PrintProgramFile(file));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->program.setup.family, Family::kCsq);
  EXPECT_EQ(again->header_comments.size(), 2u);
}

TEST(TextTest, GeneratedProgramsSurviveTheRoundTrip) {
  for (uint64_t seed = 0; seed < 20'000; ++seed) {
    Program program;
    GenerateProgram(static_cast<Family>(seed % kFamilyCount), seed, &program);
    const std::string text = PrintProgram(program);
    const absl::StatusOr<Program> parsed = ParseProgram(text);
    ASSERT_TRUE(parsed.ok()) << parsed.status() << "\n" << text;
    ASSERT_TRUE(*parsed == program) << text;
    ASSERT_EQ(PrintProgram(*parsed), text);
    ASSERT_TRUE(IsProgramText(text));
  }
}

TEST(TextTest, RandomBytesAsProgramsSurviveTheRoundTrip) {
  Random random(7);
  for (int round = 0; round < 5'000; ++round) {
    uint8_t bytes[1000];
    const size_t size = random.Below(sizeof(bytes));
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(random.Next());
    Program program;
    DecodeProgram(static_cast<Family>(round % kFamilyCount), bytes, size, &program);
    const absl::StatusOr<Program> parsed = ParseProgram(PrintProgram(program));
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    ASSERT_TRUE(*parsed == program);
  }
}

TEST(TextTest, LayoutDoesNotMatter) {
  const absl::StatusOr<Program> a = ParseProgram(
      "\n\n  target csq # what is attacked\r\nfiber 0\r\n\tinsert   3 context#why\r\n\n");
  ASSERT_TRUE(a.ok()) << a.status();
  const absl::StatusOr<Program> b = ParseProgram("target csq\nfiber 0\ninsert 3 context");
  ASSERT_TRUE(b.ok()) << b.status();
  EXPECT_TRUE(*a == *b);
}

TEST(TextTest, ASchedulerWithoutANumberOfSchedulesHasTheUsualOne) {
  const absl::StatusOr<Program> two =
      ParseProgram("target csq\nfiber 0\nfiber 1\nschedule pct seed=3");
  ASSERT_TRUE(two.ok()) << two.status();
  EXPECT_EQ(two->schedules, 8);
  const absl::StatusOr<Program> said =
      ParseProgram("target csq\nfiber 0\nfiber 1\nschedule pct seed=3 schedules=5");
  ASSERT_TRUE(said.ok()) << said.status();
  EXPECT_EQ(said->schedules, 5);
  EXPECT_TRUE(absl::StrContains(PrintProgram(*said), " schedules=5\n"));
}

TEST(TextTest, TargetAloneIsTheEmptyProgram) {
  const absl::StatusOr<Program> program = ParseProgram("target start-io");
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_EQ(program->operation_count, 0);
  EXPECT_EQ(program->fibers, 1);
}

TEST(TextTest, NeverFailsWithoutALineNumber) {
  // Damaged texts: cut, changed in one place, or two glued together.
  Random random(11);
  int accepted = 0;
  for (uint64_t round = 0; round < 10'000; ++round) {
    Program program;
    GenerateProgram(static_cast<Family>(round % kFamilyCount), round, &program);
    std::string text = PrintProgram(program);
    switch (random.Below(3)) {
      case 0:
        text.resize(random.Below(static_cast<int>(text.size())));
        break;
      case 1:
        text[random.Below(static_cast<int>(text.size()))] = static_cast<char>(random.Next());
        break;
      default:
        text.insert(random.Below(static_cast<int>(text.size())), text.substr(text.size() / 2));
    }
    const absl::StatusOr<Program> parsed = ParseProgram(text);
    if (parsed.ok()) {
      ++accepted;
      ASSERT_TRUE(*ParseProgram(PrintProgram(*parsed)) == *parsed);
    } else {
      ASSERT_TRUE(absl::StartsWith(parsed.status().message(), "line ")) << parsed.status();
      ASSERT_FALSE(absl::StrContains(parsed.status().message(), "\n")) << parsed.status();
    }
  }
  EXPECT_GT(accepted, 0);
}

struct BadText {
  const char* text;
  const char* error;  // how the message must begin
};

TEST(TextErrorTest, EveryMistakeIsNamed) {
  const BadText kBad[] = {
      {"", "line 1: no 'target' line; there is no program here"},
      {"# only a comment\n", "line 2: no 'target' line"},
      {"fiber 0", "line 1: the first line must be 'target NAME', not 'fiber'"},
      {"target", "line 1: 'target' takes one name; allowed: csq, "},
      {"target cqs", "line 1: unknown target 'cqs'; did you mean 'csq'? allowed: csq, "},
      {"target csq\ntarget csq", "line 2: 'target' is given twice"},
      {"target csq\nqueue\nqueue", "line 3: 'queue' is given twice"},
      {"target csq\nquue", "line 2: unknown line 'quue'; did you mean 'queue'? allowed before"},
      {"target device-queue\ndriver", "line 2: device-queue has no 'driver' line"},
      {"target csq\nqueue lok=spin",
       "line 2: unknown queue setting 'lok'; did you mean 'lock'? allowed: classic, ex, "},
      {"target callback-data-queue\nqueue ex", "line 2: unknown queue setting 'ex'; allowed"},
      {"target csq\nqueue ex classic", "line 2: 'classic or ex' is given twice"},
      {"target csq\nqueue lock=spn",
       "line 2: unknown value of lock= 'spn'; did you mean 'spin'? allowed: spin, mutex"},
      {"target csq\nqueue lock", "line 2: unknown value of lock= ''; allowed: spin, mutex"},
      {"target csq\nqueue ex=1", "line 2: 'ex' takes no value"},
      {"target csq\nqueue status=pending\nfiber 0", "line 2: status=pending needs 'queue ex'"},
      {"target csq\n\ndriver failing-insert=2\n", "line 3: failing-insert needs 'queue ex'"},
      {"target csq\ndriver failing-insert=16",
       "line 2: failing-insert must be a number from 0 to 15 (decimal, or 0x...), not '16'"},
      {"target csq\ndriver start-io=pend", "line 2: unknown driver setting 'start-io'; allowed: f"},
      {"target start-io\ndriver start-io=pent",
       "line 2: unknown value of start-io= 'pent'; did you mean 'pend'? allowed: pend, "},
      {"target csq\nfiber 1", "line 2: fibers are numbered from 0 in order; this line must be 'fi"},
      {"target csq\nfiber 0\nfiber 1\nfiber 2\nfiber 3\nfiber 4", "line 6: too many fibers; at m"},
      {"target csq\nfiber 0\n insrt 1",
       "line 3: unknown operation 'insrt'; did you mean 'insert'? csq knows: insert, insert-ex, "},
      {"target csq\nfiber 0\n enable", "line 3: unknown operation 'enable'; csq knows: insert, "},
      {"target csq\ninsert 1", "line 2: operation before the first fiber; put 'fiber 0' above it"},
      {"target csq\nfiber 0\ncancel", "line 3: 'cancel' needs an item, a number from 0 to 7"},
      {"target csq\nfiber 0\ncancel 8", "line 3: the item must be a number from 0 to 7"},
      {"target csq\nfiber 0\ncancel -1", "line 3: the item must be a number from 0 to 7"},
      {"target csq\nfiber 0\ncancel 1 key=2",
       "line 3: unknown argument 'key'; 'cancel' takes: irql"},
      {"target csq\nfiber 0\ninsert 1 contxt",
       "line 3: unknown argument 'contxt'; did you mean 'context'? 'insert' takes: context, "
       "other-queue"},
      {"target csq\nfiber 0\ninsert 1 context=1", "line 3: 'context' takes no value"},
      {"target csq\nfiber 0\ninsert 1 key=1 key=1", "line 3: 'key' is given twice"},
      {"target csq\nfiber 0\ninsert 1 key=0x100000000",
       "line 3: key must be a number from 0 to 42"},
      {"target csq\nfiber 0\ninsert 1 irql=high",
       "line 3: unknown value of irql= 'high'; allowed: passive, apc, dispatch"},
      {"target csq\nfiber 0\nremove-next selector=4", "line 3: selector must be a number from 0 t"},
      {"target csq\nschedule", "line 2: 'schedule' needs a scheduler; allowed: choices, random"},
      {"target csq\nschedule ptc", "line 2: unknown scheduler 'ptc'; did you mean 'pct'? allowed:"},
      {"target csq\nschedule pct depth=2", "line 2: unknown schedule setting 'depth'; allowed: se"},
      {"target csq\nschedule pct schedules=0", "line 2: schedules must be a number from 1 to 64"},
      {"target csq\nschedule pct schedules=65", "line 2: schedules must be a number from 1 to 64"},
      {"target csq\nschedule pct seed=4294967296", "line 2: seed must be a number from 0 to 4294"},
      {"target csq\nchoices 3", "line 2: a choice is step:fiber with a step up to 65535"},
      {"target csq\nchoices 65536:0", "line 2: a choice is step:fiber"},
      {"target csq\nchoices 1:0 1:0", "line 2: two choices for step 1"},
      {"target csq\nchoices 5:0 3:0 5:0", "line 2: two choices for step 5"},
      {"target csq\nfiber 0\nchoices 1:0\nchoices 4:1\n",
       "line 4: choice 4:1 names a fiber that does not exist"},
      {"target csq\n\x01", "line 2: byte 0x01 is not text"},
  };
  for (const BadText& bad : kBad) {
    const std::string error = ErrorOf(bad.text);
    EXPECT_TRUE(absl::StartsWith(error, bad.error)) << "text:\n" << bad.text << "\ngot: " << error;
  }
}

TEST(TextErrorTest, TooMuchIsRefused) {
  std::string operations = "target csq\nfiber 0\n";
  for (int i = 0; i <= kMaxFewOperations; ++i) absl::StrAppend(&operations, "cancel 0\n");
  EXPECT_EQ(ErrorOf(operations),
            absl::StrCat("line ", kMaxFewOperations + 3, ": too many operations; at most ",
                         kMaxFewOperations, " are allowed"));

  std::string choices = "target csq\nfiber 0\nfiber 1\nchoices";
  for (int i = 0; i <= schedule::kMaxChoices; ++i) absl::StrAppend(&choices, " ", i, ":1");
  EXPECT_EQ(ErrorOf(choices), absl::StrCat("line 4: too many choices; at most ",
                                           schedule::kMaxChoices, " are allowed"));

  EXPECT_TRUE(absl::StartsWith(ErrorOf(std::string(kMaxTextBytes + 1, '\n')),
                               "line 1: the text has 262145 bytes"));
}

TEST(TextTest, LongestListOfChoicesPrintsAndParses) {
  Program program;
  program.fibers = 2;
  program.schedule.choice_count = schedule::kMaxChoices;
  for (int i = 0; i < schedule::kMaxChoices; ++i) {
    program.schedule.choices[i] = {static_cast<uint16_t>(45000 + i), 1};
  }
  const std::string text = PrintProgram(program);
  ASSERT_LE(text.size() + kMaxHeaderBytes, kMaxTextBytes);
  const absl::StatusOr<Program> parsed = ParseProgram(text);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_TRUE(*parsed == program);
}

TEST(TextErrorTest, HeaderThatCouldNotBePrintedBackIsRefused) {
  std::string text;
  for (int i = 0; i < 9000; ++i) text += "#x\n";
  EXPECT_TRUE(absl::StartsWith(ErrorOf(text + "target csq"),
                               "line 8193: too much comment above the program; at most 32768"));
}

TEST(TextTest, BlanksAndCarriageReturnsInCommentsPrintStably) {
  const absl::StatusOr<ProgramFile> file = ParseProgramFile("#a\r\rb \t\r\n# \n#\ntarget csq");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->header_comments, (std::vector<std::string>{"a  b", "", ""}));
  const std::string text = PrintProgramFile(*file);
  EXPECT_EQ(PrintProgramFile(*ParseProgramFile(text)), text);
}

TEST(TextErrorTest, LongAndStrangeWordsAreCut) {
  const std::string error = ErrorOf(absl::StrCat("target ", std::string(5000, '\xff')));
  EXPECT_LT(error.size(), 400u);
  EXPECT_TRUE(absl::StrContains(error, "\\xff"));
}

TEST(IsProgramTextTest, TellsTextFromBytes) {
  EXPECT_TRUE(IsProgramText("target csq\n"));
  EXPECT_TRUE(IsProgramText("# comment"));
  EXPECT_TRUE(IsProgramText("tagret csq"));  // wrong, but text
  EXPECT_FALSE(IsProgramText(""));
  EXPECT_FALSE(IsProgramText(absl::string_view("target\0", 7)));
  uint8_t bytes[kMaxProgramBytes];
  const size_t size = EncodeProgram(Program(), bytes, sizeof(bytes));
  EXPECT_FALSE(IsProgramText(absl::string_view(reinterpret_cast<char*>(bytes), size)));
}

TEST(WordsTest, SuggestsOnlyWhatIsNear) {
  EXPECT_EQ(DidYouMean("apcc", kIrqlWords), "did you mean 'apc'? ");
  EXPECT_EQ(DidYouMean("semaphore", kIrqlWords), "");
  EXPECT_EQ(DidYouMean("", kIrqlWords), "");
  EXPECT_STREQ(schedule::NameOf(schedule::Kind::kStarve), "starve");
}

}  // namespace
}  // namespace cancelsafe
