// The check accepts a good build, and refuses one that is bad in a single way, for the
// right reason. The builds are made here, of a target with more than enough edges and
// memory accesses, whose flaws are chosen by macros.
#include "fuzzers/fleets/build_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fuzzers/mutants/guest.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr char kBulk[] = R"(
#include <stddef.h>
#include <stdint.h>
int table[1024];
int Bulk(const uint8_t *data, size_t size) {
#define ONE(n) if (data[(n) % size] == ((n) & 255)) ++table[data[(n + 7) % size]];
#define FOUR(n) ONE(n) ONE(n + 1) ONE(n + 2) ONE(n + 3)
#define SIXTEEN(n) FOUR(n) FOUR(n + 4) FOUR(n + 8) FOUR(n + 12)
#define MANY(n) SIXTEEN(n) SIXTEEN(n + 16) SIXTEEN(n + 32) SIXTEEN(n + 48)
  if (size != 0) { MANY(0) MANY(64) MANY(128) MANY(192) MANY(256) }
  return 0;
}
)";

constexpr char kTarget[] = R"(
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int Bulk(const uint8_t *data, size_t size);
int Other(void);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
#ifdef REFUSES_DASHES
  for (int i = 1; i < *argc; ++i) if (strcmp((*argv)[i], "--") == 0) exit(2);
#endif
  (void)argc, (void)argv;
#ifdef NEEDS_ENVIRONMENT
  if (getenv("HOME") == NULL) abort();
#endif
#ifdef REFUSES_OPTIONS
  if (getenv("ASAN_OPTIONS") != NULL) abort();
#endif
#ifdef WRITES_BESIDE_ITSELF
  if (fopen("state", "w") == NULL) abort();
#endif
#ifdef NEEDS_ITS_PLACE
  if (access(PLACE "/target_fuzzer.dict", R_OK) != 0) abort();
#endif
#ifdef LIBRARY
  return Other();
#endif
  return 0;
}
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
#ifdef FAILS_ON_SEED
  if (size > 3 && data[0] == 's' && data[3] == 'd') abort();
#endif
#ifdef LEAKS
  static char *volatile leak;
  leak = malloc(16 + size);
#endif
#ifdef ENDS_THE_PROCESS
  if (size > 3) exit(0);
#endif
  return Bulk(data, size);
}
)";

void Write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::vector<CommandLine> RealLines() {
  std::ifstream file(CANCELSAFE_COMMAND_LINES);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const auto lines = ParseCommandLines(text);
  return lines.ok() ? *lines : std::vector<CommandLine>{};
}

class FuzzBuildCheck : public testing::Test {
 protected:
  FuzzBuildCheck() : work_(testing::TempDir() + "/fuzz_build.XXXXXX") {
    EXPECT_NE(mkdtemp(work_.data()), nullptr);
    Write(work_ + "/bulk.c", kBulk);
    Write(work_ + "/target.c", kTarget);
    out_ = work_ + "/out";
  }
  ~FuzzBuildCheck() override { fs::remove_all(work_); }

  void Compile(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {CANCELSAFE_C_COMPILER, "-O1", "-g"});
    const auto output = RunCommand(arguments, 120);
    ASSERT_TRUE(output.ok()) << output.status();
  }

  // A build that is good but for the flags of its two sources.
  void MakeBuild(const std::vector<std::string>& target_flags,
                 const std::vector<std::string>& bulk_flags = {"-fsanitize=address",
                                                               "-fsanitize=fuzzer-no-link"}) {
    fs::create_directories(out_);
    std::vector<std::string> bulk = {"-c", work_ + "/bulk.c", "-o", work_ + "/bulk.o"};
    bulk.insert(bulk.end(), bulk_flags.begin(), bulk_flags.end());
    ASSERT_NO_FATAL_FAILURE(Compile(bulk));
    std::vector<std::string> link = {work_ + "/target.c",
                                     work_ + "/bulk.o",
                                     "-fsanitize=address",
                                     "-fsanitize=fuzzer",
                                     "-static-libstdc++",
                                     "-static-libgcc",
                                     absl::StrCat("-DPLACE=\"", out_, "\"")};
    link.insert(link.end(), target_flags.begin(), target_flags.end());
    link.insert(link.end(), {"-o", out_ + "/target_fuzzer"});
    ASSERT_NO_FATAL_FAILURE(Compile(link));
    Write(out_ + "/target_fuzzer.options", "[libfuzzer]\nmax_len = 64\n");
    Write(out_ + "/target_fuzzer.dict", "# Words.\nword=\"abc\"\n\"\\x00\\x01\"\n");
    Write(work_ + "/seed", "seed");
    const auto zip = RunCommand(
        {"/usr/bin/zip", "-q", "-j", out_ + "/target_fuzzer_seed_corpus.zip", work_ + "/seed"}, 60);
    ASSERT_TRUE(zip.ok()) << zip.status();
  }

  // What is said of the build, "" if it is good.
  std::string Complaints(const std::string& sanitizer = "address") {
    const auto checks = CheckFuzzBuild({"libfuzzer", sanitizer, out_}, RealLines());
    if (!checks.ok()) return std::string(checks.status().message());
    if (checks->size() != 1) return absl::StrCat(checks->size(), " targets");
    EXPECT_EQ((*checks)[0].target, "target_fuzzer");
    return absl::StrJoin((*checks)[0].complaints, "\n");
  }

  std::string work_, out_;
};

TEST_F(FuzzBuildCheck, AcceptsAGoodBuildAndRunsEveryCommandLine) {
  ASSERT_NO_FATAL_FAILURE(MakeBuild({}));
  const auto lines = RealLines();
  const auto checks = CheckFuzzBuild({"libfuzzer", "address", out_}, lines);
  ASSERT_TRUE(checks.ok()) << checks.status();
  ASSERT_EQ(checks->size(), 1u);
  EXPECT_EQ(absl::StrJoin((*checks)[0].complaints, "\n"), "");
  EXPECT_EQ((*checks)[0].started, static_cast<int>(LinesFor(lines, "libfuzzer", "address").size()));
  EXPECT_GE((*checks)[0].started, 6);
}

TEST_F(FuzzBuildCheck, RefusesASanitizerThatIsNotTheClaimedOne) {
  ASSERT_NO_FATAL_FAILURE(MakeBuild({}));
  EXPECT_THAT(Complaints("undefined"), HasSubstr("claims undefined and calls AddressSanitizer at"));
  EXPECT_THAT(Complaints("coverage"), HasSubstr("claims source coverage and has no map of it"));
}

TEST_F(FuzzBuildCheck, RefusesFilesThatAreOfNoUse) {
  ASSERT_NO_FATAL_FAILURE(MakeBuild({}));
  Write(out_ + "/target_fuzzer.dict", "abc\n");
  EXPECT_THAT(Complaints(), HasSubstr("has a dictionary with this line: abc"));
  Write(out_ + "/target_fuzzer.dict", "# Nothing.\n");
  EXPECT_THAT(Complaints(), HasSubstr("has an empty dictionary"));
  fs::remove(out_ + "/target_fuzzer.dict");
  EXPECT_THAT(Complaints(), HasSubstr("has no dictionary"));
  Write(out_ + "/target_fuzzer.dict", "\"a\"\n");
  Write(out_ + "/target_fuzzer.options", "[libfuzzer]\nmax_length = 64\n");
  EXPECT_THAT(Complaints(), HasSubstr("options that libFuzzer does not know"));
  Write(out_ + "/target_fuzzer.options", "max_len = 64\n");
  EXPECT_THAT(Complaints(), HasSubstr("has options with this line: max_len = 64"));
  Write(out_ + "/target_fuzzer.options", "[libfuzzer]\nmax_len = 64\n");
  fs::remove(out_ + "/target_fuzzer_seed_corpus.zip");
  EXPECT_THAT(Complaints(), HasSubstr("has no seed corpus"));
  fs::remove(out_ + "/target_fuzzer");
  EXPECT_EQ(Complaints(), "0 targets");
}

TEST_F(FuzzBuildCheck, RefusesCodeWithoutInstrumentation) {
  ASSERT_NO_FATAL_FAILURE(MakeBuild({}, {"-fsanitize=fuzzer-no-link"}));
  EXPECT_THAT(Complaints(), HasSubstr("claims AddressSanitizer and calls it at"));
  ASSERT_NO_FATAL_FAILURE(MakeBuild({}, {"-fsanitize=address"}));
  EXPECT_THAT(Complaints(), HasSubstr("edges; at least 100 expected"));
}

TEST_F(FuzzBuildCheck, RefusesALibraryThatOtherMachinesLack) {
  Write(work_ + "/other.c", "int Other(void) { return 0; }\n");
  ASSERT_NO_FATAL_FAILURE(
      Compile({"-shared", "-fPIC", work_ + "/other.c", "-o", work_ + "/libother.so"}));
  ASSERT_NO_FATAL_FAILURE(MakeBuild({"-DLIBRARY", "-L" + work_, "-lother", "-Wl,-rpath," + work_}));
  const std::string complaints = Complaints();
  EXPECT_THAT(complaints, HasSubstr("needs libother.so, which other machines lack"));
  EXPECT_THAT(complaints, HasSubstr("has a library path of the building machine"));
}

TEST_F(FuzzBuildCheck, RefusesATargetThatDoesNotTakeABareDash) {
  ASSERT_NO_FATAL_FAILURE(MakeBuild({"-DREFUSES_DASHES"}));
  EXPECT_THAT(Complaints(),
              HasSubstr("does not end cleanly on the command line 'engine': exit status 2"));
}

TEST_F(FuzzBuildCheck, RefusesATargetThatDependsOnItsSurroundings) {
  ASSERT_NO_FATAL_FAILURE(MakeBuild({"-DNEEDS_ENVIRONMENT"}));
  EXPECT_THAT(Complaints(), HasSubstr("the command line 'engine'"));
  ASSERT_NO_FATAL_FAILURE(MakeBuild({"-DREFUSES_OPTIONS"}));
  EXPECT_THAT(Complaints(), HasSubstr("the command line 'startup'"));
  ASSERT_NO_FATAL_FAILURE(MakeBuild({"-DWRITES_BESIDE_ITSELF"}));
  EXPECT_THAT(Complaints(), HasSubstr("the command line 'engine'"));
  ASSERT_NO_FATAL_FAILURE(MakeBuild({"-DNEEDS_ITS_PLACE"}));
  fs::rename(out_, work_ + "/elsewhere");
  out_ = work_ + "/elsewhere";
  EXPECT_THAT(Complaints(), HasSubstr("the command line 'engine'"));
}

TEST_F(FuzzBuildCheck, RefusesATargetThatFailsOnItsSeeds) {
  for (const char* flaw : {"-DFAILS_ON_SEED", "-DLEAKS", "-DENDS_THE_PROCESS"}) {
    ASSERT_NO_FATAL_FAILURE(MakeBuild({flaw}));
    EXPECT_THAT(Complaints(), HasSubstr("does not")) << flaw;
  }
}

TEST(CoveredLines, AreThoseOfAllFilesWhateverTheFirstOneHas) {
  const std::string first = R"({"data":[{"files":[{"filename":"a.cc","summary":{"lines":)"
                            R"({"count":7,"covered":0}}}],"totals":{"lines":{"count":9,)";
  EXPECT_EQ(CoveredLines(first + R"("covered":2}}}]})"), 2);
  EXPECT_EQ(CoveredLines(first + R"("covered":0}}}]})"), 0);
  EXPECT_EQ(CoveredLines("no counters"), 0);
}

TEST(CommandLines, NameWhatIsWrongWithALine) {
  EXPECT_EQ(ParseCommandLines("# x\n\nstart libfuzzer address -\n").status().message(),
            "line 3: expected NAME ENGINE SANITIZERS ENVIRONMENT ARGUMENTS...");
  EXPECT_EQ(ParseCommandLines("start honggfuzz address - @target\n").status().message(),
            "line 1: engine 'honggfuzz': libfuzzer or afl expected");
}

TEST(CommandLines, AreExpandedWordByWord) {
  const Words words = {{"@target", {"./t"}}, {"@options", {"-a=1", "-b=2"}}, {"@none", {}}};
  EXPECT_THAT(*Expand({"@target", "--", "@options", "@none", "-p=@target/x"}, words),
              testing::ElementsAre("./t", "--", "-a=1", "-b=2", "-p=./t/x"));
  EXPECT_EQ(Expand({"@other"}, words).status().message(), "unknown word in '@other'");
}

}  // namespace
}  // namespace cancelsafe
