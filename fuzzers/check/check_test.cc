// From a source file to causes, in this build alone and with few runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "base/process.h"
#include "fuzzers/mutants/mixes.h"

namespace cancelsafe {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Output {
  int status = -1;
  std::string text;
};

Output RunWords(const std::vector<std::string>& words) {
  Output output;
  const absl::StatusOr<ChildEnd> end =
      RunProcess(words, 300, [&](absl::string_view text) { absl::StrAppend(&output.text, text); });
  if (end.ok() && !end->status.signaled) output.status = end->status.code;
  return output;
}

Output Check(const std::string& folder, const std::vector<std::string>& flags,
             const std::vector<std::string>& files = {"device_queue.cc"}) {
  std::vector<std::string> words = {std::string(CANCELSAFE_PROGRAM_DIR) + "/cancelsafe",
                                    "check",
                                    "--sanitizer",
                                    "none",
                                    "--runs",
                                    "400",
                                    "--jobs",
                                    "1",
                                    "--report",
                                    folder + "/report"};
  for (const std::string& file : files) words.push_back(absl::StrCat(folder, "/", file));
  words.insert(words.end(), flags.begin(), flags.end());
  return RunWords(words);
}

std::string NewFolder(const std::string& name) {
  const std::string folder = testing::TempDir() + "check_" + name;
  EXPECT_TRUE(MakeFolder(folder).ok());
  return folder;
}

// Writes these files of the reference implementation, with these mistakes, to the folder.
void WriteSources(const std::vector<std::string>& mistakes, const std::vector<std::string>& files,
                  const std::string& folder) {
  const absl::StatusOr<std::vector<Mistake>> all = LoadMistakes(CANCELSAFE_ROOT);
  ASSERT_TRUE(all.ok()) << all.status();
  const absl::StatusOr<std::vector<Mistake>> chosen = ChooseMistakes(*all, mistakes);
  ASSERT_TRUE(chosen.ok()) << chosen.status();
  const absl::Status written = WriteMixedSources(CANCELSAFE_ROOT, *chosen, files, folder);
  ASSERT_TRUE(written.ok()) << written;
}

nlohmann::json CausesIn(const std::string& folder) {
  return nlohmann::json::parse(ReadFile(folder + "/report/causes.json").value_or("{}"))["causes"];
}

// A command as it is printed, from another folder, but by this very program, since the front
// door would build. `more` goes behind the subcommand.
Output RunPrinted(const std::string& command, const std::vector<std::string>& more = {}) {
  std::vector<std::string> words = absl::StrSplit(command, ' ');
  words[0] = CANCELSAFE_PROGRAM_DIR "/cancelsafe";
  words.insert(words.begin() + 2, more.begin(), more.end());
  words.insert(words.begin(), {"env", "-C", "/"});
  return RunWords(words);
}

// Whether one of the lines that are printed for a cause has one of these texts.
bool NamesOneOf(const nlohmann::json& cause, const std::vector<std::string>& texts,
                const std::string& path) {
  constexpr size_t kLinesShown = 3;
  const std::vector<std::string> lines = absl::StrSplit(ReadFile(path).value_or(""), '\n');
  for (size_t i = 0; i < cause["lines"].size() && i < kLinesShown; ++i) {
    const size_t line = cause["lines"][i]["line"];
    for (const std::string& text : texts) {
      if (line <= lines.size() && absl::StrContains(lines[line - 1], text)) return true;
    }
  }
  return false;
}

TEST(Check, FindsEveryMistakeOnceWithASmallProgramThatReplays) {
  const std::string folder = NewFolder("three");
  ASSERT_NO_FATAL_FAILURE(
      WriteSources({"dq-choose-greater", "dq-release-at-passive", "dq-inserted-kept"},
                   {"device_queue.cc"}, folder));
  const Output first = Check(folder, {"--write-baseline", folder + "/baseline.txt"});
  EXPECT_EQ(first.status, 1) << first.text;
  EXPECT_THAT(first.text, HasSubstr("7 of 23 documented routines"));
  const nlohmann::json causes = CausesIn(folder);
  EXPECT_EQ(causes.size(), 3U) << first.text;
  for (const nlohmann::json& cause : causes) {
    EXPECT_LE(cause["operations"], 6) << cause;
    EXPECT_TRUE(NamesOneOf(
        cause, {"SortKey > key", "Lock, PASSIVE_LEVEL", "RemoveEntryList(&DeviceQueueEntry"},
        folder + "/device_queue.cc"))
        << cause;
    const Output replay = RunPrinted(cause["replay"], {"--repeat", "20"});
    EXPECT_EQ(replay.status, 1) << replay.text;
    EXPECT_THAT(replay.text, HasSubstr(cause["rule"].get<std::string>()));
  }
  const Output again = Check(folder, {"--baseline", folder + "/baseline.txt"});
  EXPECT_EQ(again.status, 0) << again.text;
  EXPECT_THAT(again.text, HasSubstr(": known"));
}

// In every program the queue is emptied with a peek that holds no lock.
TEST(Check, FindsWhatHidesBehindAMistakeThatShowsInEveryProgram) {
  const std::string folder = NewFolder("loud");
  const std::vector<std::string> files = {"csq.cc", "callback_data_queue.cc"};
  ASSERT_NO_FATAL_FAILURE(
      WriteSources({"csq-next-peeks-unlocked", "cbdq-disable-does-nothing"}, files, folder));
  const Output output = Check(folder, {}, files);
  EXPECT_EQ(output.status, 1) << output.text;
  const nlohmann::json causes = CausesIn(folder);
  EXPECT_EQ(causes.size(), 2U) << output.text;
  EXPECT_THAT(output.text, HasSubstr("mistake: in IoCsqRemoveNextIrp"));
  EXPECT_THAT(output.text, HasSubstr("mistake: in FltCbdqDisable"));
}

// No documented state shows a key that is cleared when its entry has left the queue.
TEST(Check, WhatTheConformanceSuiteAloneSeesIsACauseWithACommandThatShowsIt) {
  const std::string folder = NewFolder("suite_alone");
  ASSERT_NO_FATAL_FAILURE(WriteSources({"dq-removed-key-cleared"}, {"device_queue.cc"}, folder));
  const Output output = Check(folder, {});
  EXPECT_EQ(output.status, 1) << output.text;
  const nlohmann::json causes = CausesIn(folder);
  ASSERT_EQ(causes.size(), 1U) << output.text;
  ASSERT_FALSE(causes[0]["cases"].empty()) << output.text;
  EXPECT_THAT(causes[0]["replay"].get<std::string>(), HasSubstr(" conform "));
  const Output suite = RunPrinted(causes[0]["replay"]);
  EXPECT_EQ(suite.status, 1) << suite.text;
  EXPECT_THAT(suite.text, HasSubstr(causes[0]["cases"][0].get<std::string>()));
  const Output ignored = Check(folder, {"--ignore", causes[0]["clause"]});
  EXPECT_EQ(ignored.status, 0) << ignored.text;
  EXPECT_THAT(ignored.text, HasSubstr(", 0 failed, 1 more left out by --ignore"));
}

TEST(Check, ARightImplementationHasNoFindings) {
  const std::string folder = NewFolder("right");
  ASSERT_NO_FATAL_FAILURE(WriteSources({}, {"device_queue.cc"}, folder));
  const Output output = Check(folder, {});
  EXPECT_EQ(output.status, 0) << output.text;
  EXPECT_THAT(output.text, HasSubstr("No findings"));
  EXPECT_THAT(output.text, HasSubstr("left out: the complete search (nothing was built for"));
}

// As a part of another build is, for an object that cannot be looked at in this one.
TEST(Check, AFamilyThatIsNotProvidedIsNoPartThatEndedEarly) {
  const std::string folder = NewFolder("one_family");
  ASSERT_NO_FATAL_FAILURE(WriteSources({}, {"device_queue.cc"}, folder));
  ASSERT_EQ(Check(folder, {}).status, 0);
  const std::string plan = folder + "/report/parts/traced-device-queue.json";
  const std::string text = ReadFile(plan).value_or("");
  ASSERT_THAT(text, HasSubstr("\"device-queue\""));
  ASSERT_TRUE(
      WriteFileAtomically(plan, absl::StrReplaceAll(text, {{"\"device-queue\"", "\"csq\""}})).ok());
  const Output part = RunWords({CANCELSAFE_PROGRAM_DIR "/cancelsafe", "check", "--part", plan});
  EXPECT_EQ(part.status, 0) << part.text;
  EXPECT_THAT(ReadFile(plan + ".found").value_or(""), HasSubstr("\"not_provided\":\"IoCsq"));
}

TEST(Check, WhatProvidesNoFamilyIsNoImplementationWithoutFindings) {
  const std::string folder = NewFolder("nothing");
  ASSERT_TRUE(WriteFileAtomically(folder + "/device_queue.cc", "int f() { return 0; }\n").ok());
  const Output output = Check(folder, {});
  EXPECT_EQ(output.status, 3) << output.text;
  EXPECT_THAT(output.text, Not(HasSubstr("No findings")));
}

// Each program that shows it passes when it is run alone.
TEST(Check, AViolationThatNeedsEarlierProgramsIsCounted) {
  const std::string folder = NewFolder("stateful");
  ASSERT_NO_FATAL_FAILURE(WriteSources({}, {"device_queue.cc"}, folder));
  const std::string path = folder + "/device_queue.cc";
  const std::string right = ReadFile(path).value_or("");
  const std::string wrong = absl::StrReplaceAll(
      right, {{"  BOOLEAN inserted = DeviceQueue->Busy;\n  if (inserted) Insert",
               "  BOOLEAN inserted = DeviceQueue->Busy;\n"
               "  static int calls;\n"
               "  if (++calls == 500) inserted = !inserted;\n"
               "  if (inserted) Insert"}});
  ASSERT_NE(wrong, right);
  ASSERT_TRUE(WriteFileAtomically(path, wrong).ok());
  const Output output = Check(folder, {});
  EXPECT_EQ(output.status, 3) << output.text;
  EXPECT_THAT(output.text, HasSubstr("that did not happen again when their program was run alone"));
}

// One that is looked at in the end would cost the findings of the whole run.
TEST(Check, ABaselineThatCannotBeReadIsToldBeforeAnythingIsBuilt) {
  const std::string folder = NewFolder("no_baseline");
  ASSERT_NO_FATAL_FAILURE(WriteSources({}, {"device_queue.cc"}, folder));
  const Output output = Check(folder, {"--baseline", folder + "/none.txt"});
  EXPECT_EQ(output.status, 2) << output.text;
  EXPECT_THAT(output.text, HasSubstr("none.txt"));
  EXPECT_THAT(output.text, Not(HasSubstr("Building")));
}

TEST(Check, TwoObjectsOfOneBuildAreRefused) {
  const std::string folder = NewFolder("two_objects");
  ASSERT_TRUE(WriteFileAtomically(folder + "/a.so", "an object").ok());
  ASSERT_TRUE(WriteFileAtomically(folder + "/b.so", "another").ok());
  const Output output = Check(folder, {}, {"a.so", "b.so"});
  EXPECT_EQ(output.status, 2) << output.text;
  EXPECT_THAT(output.text, HasSubstr("only one could be judged; check them one at a time"));
}

TEST(Check, AnIgnoredClauseThatThereIsNotIsAnError) {
  const std::string folder = NewFolder("unknown");
  ASSERT_NO_FATAL_FAILURE(WriteSources({}, {"device_queue.cc"}, folder));
  const Output output = Check(folder, {"--ignore", "CSQ-INSERT-99"});
  EXPECT_EQ(output.status, 2) << output.text;
  EXPECT_THAT(output.text, HasSubstr("there is no clause CSQ-INSERT-99"));
}

TEST(Check, WhatDoesNotCompileIsShownWithTheCompilersWords) {
  const std::string folder = NewFolder("wrong");
  ASSERT_TRUE(WriteFileAtomically(folder + "/device_queue.cc", "int f( {\n").ok());
  const Output output = Check(folder, {});
  EXPECT_EQ(output.status, 3) << output.text;
  EXPECT_THAT(output.text, HasSubstr("this does not compile"));
}

}  // namespace
}  // namespace cancelsafe
