// The mutants as files, and everything of the tool that needs no child process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "command/command_line.h"
#include "fuzzers/mutants/attack.h"
#include "fuzzers/mutants/guest.h"
#include "fuzzers/mutants/mutant.h"
#include "fuzzers/mutants/table.h"
#include "fuzzers/mutants/workers.h"

namespace cancelsafe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kRoot[] = CANCELSAFE_ROOT;
constexpr int kSecondsMax = 20;

std::vector<Mutant> MutantsIn(const std::string& folder) {
  const auto mutants = LoadMutants(absl::StrCat(kRoot, "/fuzzers/mutants/", folder));
  EXPECT_TRUE(mutants.ok()) << mutants.status();
  return mutants.ok() ? *mutants : std::vector<Mutant>();
}

std::vector<Mutant> AllMutants() { return MutantsIn("patches"); }

constexpr char kPatch[] =
    "id: a\nfamily: csq\nclass: lost cancel\nstory: it happened\n"
    "expect: lost-item data-race\nclause: CSQ-INV-01\nconcurrent: yes\n\n"
    "--- a/impl/csq.cc\n+++ b/impl/csq.cc\n@@ -1 +1 @@\n-x\n+y\n";

std::string Without(const std::string& line) {
  std::string text = kPatch;
  const size_t at = text.find(line);
  return text.erase(at, text.find('\n', at) + 1 - at);
}

SeedResult Seed(SeedResult::Ending ending, double seconds, uint64_t runs) {
  SeedResult seed;
  seed.ending = ending;
  seed.kind = VerdictKind::kDataRace;
  seed.seconds = seconds;
  seed.runs = runs;
  seed.rule = "data-race";
  seed.verdict_line = "VERDICT data-race (data-race): \"x\"";
  return seed;
}

MutantResult Result(const std::vector<SeedResult>& seeds) {
  MutantResult result;
  result.mutant = *ParseMutant("a", kPatch);
  result.mutant.path = "a.patch";
  result.attack.seeds = seeds;
  result.attack.needs_concurrency = true;
  result.attack.replay[0] = {20, 20, "", 0};
  return result;
}

constexpr auto kCaught = SeedResult::Ending::kCaught;
constexpr auto kWrong = SeedResult::Ending::kWrongVerdict;
constexpr auto kNothing = SeedResult::Ending::kNothing;

TEST(MutantFiles, ApplyToTheSourcesOfToday) {
  std::vector<Mutant> all = AllMutants();
  for (const Mutant& mutant : MutantsIn("reference")) all.push_back(mutant);
  for (const Mutant& mutant : all) {
    const auto applied = RunCommand({"/usr/bin/patch", "-p1", "--fuzz=0", "--dry-run", "--silent",
                                     "-d", kRoot, "-i", mutant.path},
                                    kSecondsMax);
    EXPECT_TRUE(applied.ok()) << mutant.id << ": " << applied.status();
  }
}

TEST(MutantFiles, AreSmallAndChangeTheirFamilysSources) {
  const std::map<Family, std::string> prefix = {{Family::kCsq, "impl/csq"},
                                                {Family::kCallbackDataQueue, "impl/callback_data"},
                                                {Family::kDeviceQueue, "impl/device_queue"},
                                                {Family::kStartIo, "impl/start_io"}};
  for (const Mutant& mutant : AllMutants()) {
    for (const std::string& file : mutant.files) {
      EXPECT_EQ(file.rfind(prefix.at(mutant.family), 0), 0u) << mutant.id << " changes " << file;
    }
    std::ifstream patch(mutant.path);
    int changed = 0;
    for (std::string line; std::getline(patch, line);) {
      changed += (line[0] == '+' || line[0] == '-') && line.compare(1, 2, "--") != 0 &&
                 line.compare(1, 2, "++") != 0;
    }
    EXPECT_LE(changed, 40) << mutant.id;
  }
}

TEST(MutantFiles, OfTheReferenceChangeItAlone) {
  EXPECT_GE(MutantsIn("reference").size(), 9u);
  for (const Mutant& mutant : MutantsIn("reference")) {
    ASSERT_EQ(mutant.files.size(), 1u) << mutant.id;
    EXPECT_EQ(mutant.files[0],
              absl::StrCat("impl/reference/", FamilyFileName(mutant.family), ".cc"));
  }
}

TEST(MutantFiles, NameClausesThatThereAre) {
  std::ifstream file(absl::StrCat(kRoot, "/conformance/clause_ids.txt"));
  std::set<std::string> clauses;
  for (std::string line; std::getline(file, line);) clauses.insert(line.substr(0, line.find(' ')));
  for (const Mutant& mutant : AllMutants()) {
    if (!mutant.clause.empty()) EXPECT_EQ(clauses.count(mutant.clause), 1u) << mutant.id;
  }
}

TEST(MutantFiles, AreManyOfEveryFamily) {
  std::map<Family, int> count;
  for (const Mutant& mutant : AllMutants()) ++count[mutant.family];
  EXPECT_GE(AllMutants().size(), 60u);
  EXPECT_EQ(count.size(), 4u);
  for (const auto& [family, mutants] : count) EXPECT_GE(mutants, 15) << FamilyName(family);
}

// The first words of the rows of a table in a README.
std::multiset<std::string> RowsIn(const std::string& readme) {
  std::ifstream file(absl::StrCat(kRoot, "/", readme));
  std::multiset<std::string> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("| ", 0) != 0) continue;
    rows.insert(line.substr(2, line.find(" |", 2) - 2));
  }
  return rows;
}

// A number of mutants that are caught says little if some were never attacked.
TEST(MutantFiles, HaveEachTheirRowInTheTable) {
  const std::multiset<std::string> rows = RowsIn("fuzzers/mutants/README.md");
  std::set<std::string> ids;
  for (const Mutant& mutant : AllMutants()) {
    ids.insert(mutant.id);
    EXPECT_EQ(rows.count(mutant.id), 1u)
        << mutant.id << ": './cancelsafe mutants --seeds 5 --markdown FILE " << mutant.id
        << "' makes its row in fuzzers/mutants/README.md";
  }
  for (const Mutant& mutant : MutantsIn("reference")) {
    ids.insert(mutant.id);
    EXPECT_EQ(rows.count(mutant.id), 1u)
        << mutant.id << ": say in the last table of fuzzers/mutants/README.md which test finds it";
  }
  for (const std::string& row : rows) {
    if (row != "mutant") EXPECT_EQ(ids.count(row), 1u) << row << " has a row and no patch";
  }
}

TEST(MutantFiles, OfTheMachineRoomHaveEachTheirRowInItsTable) {
  const std::multiset<std::string> rows = RowsIn("fuzzers/machine_room/README.md");
  int mutants = 0;
  for (const char* folder : {"mutants", "explored/mutants"}) {
    for (const auto& entry : std::filesystem::directory_iterator(
             absl::StrCat(kRoot, "/fuzzers/machine_room/", folder))) {
      ++mutants;
      EXPECT_EQ(rows.count(entry.path().stem()), 1u) << entry.path();
    }
  }
  EXPECT_GE(mutants, 23);
}

TEST(MutantFiles, TheSubsetHasEveryClassAndFamilyOnce) {
  std::set<std::string> classes;
  std::set<Family> families;
  const std::vector<Mutant> subset = FirstOfEachClass(AllMutants());
  for (const Mutant& mutant : subset) {
    EXPECT_TRUE(classes.insert(mutant.bug_class).second) << mutant.id;
    families.insert(mutant.family);
  }
  EXPECT_GE(subset.size(), 20u);
  EXPECT_EQ(families.size(), 4u);
}

TEST(ParseMutant, ReadsHeaderAndFiles) {
  const auto mutant = ParseMutant("a", kPatch);
  ASSERT_TRUE(mutant.ok()) << mutant.status();
  EXPECT_EQ(mutant->family, Family::kCsq);
  EXPECT_EQ(mutant->bug_class, "lost cancel");
  EXPECT_EQ(mutant->clause, "CSQ-INV-01");
  EXPECT_TRUE(mutant->concurrent);
  EXPECT_THAT(mutant->expect, ElementsAre(VerdictKind::kLostItem, VerdictKind::kDataRace));
  EXPECT_THAT(mutant->files, ElementsAre("impl/csq.cc"));
  EXPECT_TRUE(mutant->expects(VerdictKind::kDataRace));
  EXPECT_FALSE(mutant->expects(VerdictKind::kRule));
}

TEST(ParseMutant, RefusesAnIncompleteHeader) {
  for (const char* line : {"id:", "family:", "class:", "story:", "expect:", "concurrent:"}) {
    EXPECT_FALSE(ParseMutant("a", Without(line)).ok()) << line;
  }
  EXPECT_TRUE(ParseMutant("a", Without("clause:")).ok());
  EXPECT_FALSE(ParseMutant("a", Without("+++ b/")).ok());
}

TEST(ParseMutant, RefusesWrongValues) {
  const auto with = [](const std::string& line, const std::string& value) {
    std::string text = kPatch;
    const size_t at = text.find(line);
    return text.replace(at, text.find('\n', at) - at, line + " " + value);
  };
  EXPECT_FALSE(ParseMutant("b", kPatch).ok());
  EXPECT_FALSE(ParseMutant("a", with("family:", "queue")).ok());
  EXPECT_FALSE(ParseMutant("a", with("expect:", "pass")).ok());
  EXPECT_FALSE(ParseMutant("a", with("expect:", "unknown")).ok());
  EXPECT_FALSE(ParseMutant("a", with("concurrent:", "maybe")).ok());
  EXPECT_FALSE(ParseMutant("a", with("story:", "twice\nstory: told")).ok());
  EXPECT_FALSE(ParseMutant("a", with("story:", "x\ncolour: red")).ok());
}

TEST(Summary, TakesTheMedianAndCountsMissesAsSlowest) {
  const MutantSummary summary =
      Summarize(Result({Seed(kCaught, 3, 30), Seed(kNothing, 60, 900), Seed(kCaught, 1, 10),
                        Seed(kCaught, 2, 20), Seed(kNothing, 60, 900)}));
  EXPECT_TRUE(summary.caught);
  EXPECT_EQ(summary.caught_seeds, 3);
  EXPECT_DOUBLE_EQ(summary.seconds_median, 3);
  EXPECT_EQ(summary.runs_median, 30u);
  EXPECT_TRUE(summary.replays_always());
}

TEST(Summary, AWrongVerdictIsNoCatch) {
  const MutantSummary summary =
      Summarize(Result({Seed(kWrong, 1, 1), Seed(kWrong, 1, 1), Seed(kCaught, 1, 1)}));
  EXPECT_FALSE(summary.caught);
  EXPECT_EQ(summary.wrong_seeds, 2);
}

TEST(Summary, ReplaysAreThoseOfTheWorseFlavour) {
  MutantResult result = Result({Seed(kCaught, 1, 1)});
  result.attack.replay[1] = {20, 19, "VERDICT pass", 1};
  EXPECT_EQ(Summarize(result).replays, 19);
  EXPECT_FALSE(Summarize(result).replays_always());
  EXPECT_THAT(Remarks({result}), HasSubstr("1 of 20 replays in the address flavour differ"));
}

TEST(Summary, ASanitizerThatComesFirstEachTimeIsNoDifference) {
  MutantResult result = Result({Seed(kCaught, 1, 1)});
  result.attack.replay[1] = {20, 0, "VERDICT memory-error (use-after-poison): x", 20};
  EXPECT_TRUE(Summarize(result).replays_always());
  EXPECT_THAT(Remarks({result}), IsEmpty());
  EXPECT_THAT(JsonOf({result}), HasSubstr("thread, address: memory-error"));
  result.attack.replay[1].other_same = 19;
  EXPECT_FALSE(Summarize(result).replays_always());
  result.attack.replay[1] = {20, 0, "VERDICT rule (x): y", 20};
  EXPECT_FALSE(Summarize(result).replays_always());
}

TEST(Table, JsonHasTheDocumentedKeysAndEscapesTexts) {
  const std::string json = JsonOf({Result({Seed(kCaught, 1.5, 7)})});
  for (const char* part :
       {"\"id\": \"a\"", "\"family\": \"csq\"", "\"class\": \"lost cancel\"", "\"caught\": true",
        "\"by\": \"concurrent\"", "\"verdict\": \"data-race\"", "\"seconds_median\": 1.500",
        "\"runs_median\": 7", "\"replays\": \"20/20\"", "\\\"x\\\""}) {
    EXPECT_THAT(json, HasSubstr(part));
  }
  EXPECT_THAT(JsonOf({Result({Seed(kNothing, 60, 7)})}), HasSubstr("\"verdict\": null"));
}

TEST(Table, MarkdownCountsWhatWasCaught) {
  const std::string text =
      MarkdownOf({Result({Seed(kCaught, 1, 1)}), Result({Seed(kNothing, 1, 1)})}, "command");
  EXPECT_THAT(text, HasSubstr("Made by `command`."));
  EXPECT_THAT(text, HasSubstr("**not caught**"));
  EXPECT_THAT(text, HasSubstr("1 of 2 mutants were caught, 1 of them only with more than one"));
}

TEST(Table, SaysHowSmallAFailureOfTheModelFlavourCanBe) {
  MutantResult result = Result({Seed(kCaught, 1, 1)});
  EXPECT_THAT(TableLine(result, 5), Not(HasSubstr("minimised")));
  result.attack.small = {3, 2, 1, 1};
  EXPECT_THAT(TableLine(result, 5),
              HasSubstr("minimised: 3 operations, 2 fibers, 1 switches, 1 stale choices"));
}

TEST(Table, ARaceThatTheModelFlavourDoesNotReportIsSaid) {
  MutantResult result = Result({Seed(kCaught, 1, 1)});
  result.attack.races = 3;
  result.attack.races_in_model = 2;
  result.attack.race_missed = "VERDICT pass instead of VERDICT data-race";
  EXPECT_THAT(TableLine(result, 5), HasSubstr("races in the model flavour too: 2/3"));
  EXPECT_THAT(Remarks({result}),
              HasSubstr("1 of 3 races of the thread flavour are none in the model flavour"));
}

TEST(Table, WhatIsFoundInTheImplementationItselfIsSaid) {
  MutantResult result = Result({Seed(kWrong, 1, 1)});
  result.mutant.path = "";
  EXPECT_THAT(TableLine(result, 5), HasSubstr("NOT CLEAN"));
  EXPECT_THAT(JsonOf({result}), Not(HasSubstr("data-race")));
  EXPECT_THAT(Remarks({result}), HasSubstr("VERDICT data-race"));
  result.attack.seeds = {Seed(kNothing, 1, 5)};
  EXPECT_THAT(TableLine(result, 5), HasSubstr("clean after 5 runs"));
}

TEST(Workers, ResultsComeThroughAsTheyWere) {
  MutantResult sent = Result({Seed(kCaught, 1.25, 7), Seed(kWrong, 2, 8)});
  sent.complaint = "a\tb\nc\\n";
  sent.attack.replay[1] = {20, 3, "VERDICT\tpass", 17};
  sent.attack.seeds[0].processor_seconds = 0.75;
  sent.attack.small = {3, 2, 1, 1};
  sent.attack.races = 2;
  sent.attack.races_in_model = 1;
  sent.attack.race_missed = "VERDICT\tpass";
  MutantResult received;
  UnpackResult(PackResult(sent), &received);
  EXPECT_EQ(received.complaint, sent.complaint);
  EXPECT_TRUE(received.attack.needs_concurrency);
  ASSERT_EQ(received.attack.seeds.size(), 2u);
  EXPECT_EQ(received.attack.seeds[1].ending, kWrong);
  EXPECT_EQ(received.attack.seeds[0].verdict_line, sent.attack.seeds[0].verdict_line);
  EXPECT_DOUBLE_EQ(received.attack.seeds[0].seconds, 1.25);
  EXPECT_DOUBLE_EQ(received.attack.seeds[0].processor_seconds, 0.75);
  EXPECT_EQ(received.attack.small.operations, 3);
  EXPECT_EQ(received.attack.small.stale_choices, 1);
  EXPECT_EQ(received.attack.races, 2);
  EXPECT_EQ(received.attack.races_in_model, 1);
  EXPECT_EQ(received.attack.race_missed, "VERDICT\tpass");
  EXPECT_EQ(received.attack.replay[1].same, 3);
  EXPECT_EQ(received.attack.replay[1].other_line, "VERDICT\tpass");
  EXPECT_EQ(received.attack.replay[1].other_same, 17);
}

TEST(Workers, AttackInProcessesOfTheirOwnAndKeepTheOrder) {
  std::vector<Mutant> mutants(3, *ParseMutant("a", kPatch));
  for (size_t i = 0; i < mutants.size(); ++i) mutants[i].id = absl::StrCat("m", i);
  int done = 0;
  const std::vector<MutantResult> results = AttackAll(
      mutants, 2, testing::TempDir(),
      [](const Mutant& mutant) {
        if (mutant.id == "m1") abort();
        MutantResult result;
        result.attack.seeds = {Seed(kCaught, 1, 1)};
        return result;
      },
      [&](const MutantResult&) { ++done; });
  EXPECT_EQ(done, 3);
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[2].mutant.id, "m2");
  EXPECT_THAT(results[0].complaint, IsEmpty());
  EXPECT_EQ(results[0].attack.seeds.size(), 1u);
  EXPECT_THAT(results[1].complaint, Not(IsEmpty()));
}

TEST(Workers, ShareNoFolderWithOthers) {
  const std::string folder = testing::TempDir();
  std::string error;
  ASSERT_TRUE(LockFolder(folder, &error)) << error;
  EXPECT_FALSE(LockFolder(folder, &error));
  EXPECT_THAT(error, HasSubstr("other attacks are using"));
  EXPECT_FALSE(LockFolder(folder + "/missing", &error));
  EXPECT_THAT(error, HasSubstr("No such file"));
}

TEST(Command, WrongUsageIsRefused) {
  for (const std::vector<std::string>& flags : {std::vector<std::string>{"--seeds", "0"},
                                                {"--seeds"},
                                                {"--seconds", "x"},
                                                {"--runs", "-1"},
                                                {"--colour"},
                                                {"--memory", "arm"},
                                                {"--subset", "some"},
                                                {"--json="},
                                                {"-x"}}) {
    std::vector<std::string> words = {"mutants"};
    words.insert(words.end(), flags.begin(), flags.end());
    EXPECT_NE(ParseCommandLine(words).error, "") << flags[0];
  }
}

TEST(Command, ANearMissOfAMutantIsSuggested) {
  const ParsedCommand command =
      ParseCommandLine({"mutants", "--patches", absl::StrCat(kRoot, "/fuzzers/mutants/patches"),
                        "csq-flag-read-after-unlok"});
  ASSERT_EQ(command.error, "");
  std::string error;
  try {
    command.run();
  } catch (const UsageError& thrown) {
    error = thrown.what();
  }
  EXPECT_THAT(error, HasSubstr("did you mean csq-flag-read-after-unlock?"));
}

TEST(Recipe, IsReadLineByLine) {
  const std::string path = testing::TempDir() + "/guest.txt";
  std::ofstream(path) << "compiler cc\nsource /a/b.cc\ncompile -O2\ncompile \ncompile SHELL:-mllvm "
                         "-x=1\nlink -shared\n";
  const auto recipe = ReadGuestRecipe(path);
  ASSERT_TRUE(recipe.ok()) << recipe.status();
  EXPECT_EQ(recipe->compiler, "cc");
  EXPECT_THAT(recipe->sources, ElementsAre("/a/b.cc"));
  EXPECT_THAT(recipe->compile_flags, ElementsAre("-O2", "-mllvm", "-x=1"));
  EXPECT_THAT(recipe->link_flags, ElementsAre("-shared"));
  std::ofstream(path) << "compiler cc\ncolour red\n";
  EXPECT_FALSE(ReadGuestRecipe(path).ok());
  EXPECT_FALSE(ReadGuestRecipe(path + ".missing").ok());
}

TEST(Races, AnAccessAfterCompletionIsTheRaceIfItsPlaceIs) {
  const std::string race =
      "VERDICT data-race (data-race): no happens-before between read of 1 bytes in "
      "Insert(_IO_CSQ*, "
      "_IRP*) impl/csq.cc:99 and write of 8 bytes in KiPoisonMemory(void*) "
      "impl/kernel/poison.cc:43";
  const auto late = [](const char* place) {
    return absl::StrCat(
        "VERDICT memory-error (access-after-completion): read in Insert(_IO_CSQ*, "
        "_IRP*) impl/",
        place, " of memory that belongs to an IRP that was completed");
  };
  EXPECT_TRUE(IsSameRace(race, race));
  EXPECT_TRUE(IsSameRace(late("csq.cc:99"), race));
  EXPECT_FALSE(IsSameRace(late("csq.cc:9"), race));
  EXPECT_FALSE(IsSameRace("VERDICT pass", race));
}

}  // namespace
}  // namespace cancelsafe
