// Implementations in PE images: what is taken from one, that its runs are those of the same sources
// in a shared object, and that what is wrong with one is found, and told as of any other.
#include "fuzzers/drivers/implementation/image_implementation.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/affordable.h"
#include "base/signals.h"
#include "fuzzers/memory/runtime.h"
#include "fuzzers/program/generate.h"
#include "fuzzers/program/mutate.h"
#include "fuzzers/run/fault_site.h"
#include "fuzzers/run/run_testing.h"
#include "gmock/gmock.h"
#include "impl/guest_points.h"
#include "impl/kernel/windows_code.h"

namespace cancelsafe::drivers {
namespace {

using testing::HasSubstr;

std::string Dll(const std::string& name) { return CANCELSAFE_DLLS + name + ".dll"; }

Implementation Load(const std::string& path) {
  Implementation table;
  std::string error;
  EXPECT_TRUE(LoadImplementation(path, &table, &error)) << error;
  return table;
}

// Loaded once: see main.
const Implementation& Reference() {
  static const Implementation table = Load(Dll("reference"));
  return table;
}

std::string Refusal(const std::string& path) {
  Implementation table = BuiltInImplementation();
  std::string error;
  EXPECT_FALSE(LoadImplementation(path, &table, &error));
  EXPECT_EQ(kEntryPointCount, ProvidedEntryPoints(table)) << "a refusal leaves the table";
  return error;
}

std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The reference's image with every `from` in it replaced, as a file.
std::string Changed(const std::string& from, const std::string& to) {
  EXPECT_EQ(from.size(), to.size());
  std::string bytes = ReadAll(Dll("reference"));
  size_t at = bytes.find(from);
  EXPECT_NE(std::string::npos, at) << from;
  for (; at != std::string::npos; at = bytes.find(from, at)) bytes.replace(at, to.size(), to);
  const std::string path = testing::TempDir() + "changed_" + std::to_string(getpid()) + ".dll";
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

TEST(ImageImplementationTest, AnImageOfTheReferenceProvidesEverything) {
  EXPECT_EQ(kEntryPointCount, ProvidedEntryPoints(Reference()));
  const auto code = reinterpret_cast<void (*)()>(const_cast<void*>(CodeOf(Reference())));
  EXPECT_TRUE(KiIsWindowsCode(code)) << "its code is the image's, not its converters'";
  EXPECT_EQ("", DescribeGuestPoints(Dll("reference"), false));
  EXPECT_EQ(nullptr, ImagePartsOf(BuiltInImplementation()));
}

// The first program whose run on `image` fails or is not the one on the same sources in a shared
// object; "" if there is none.
std::string FirstDifference(const Implementation& image) {
  const Implementation shared = Load(CANCELSAFE_REFERENCE_PATH);
  for (int number = 0; number < kFamilyCount; ++number) {
    const auto family = static_cast<Family>(number);
    Bench here(family, image);
    Bench there(family, shared);
    for (int seed = 1; seed <= Affordable(300); ++seed) {
      Program program;
      GenerateProgram(family, static_cast<uint64_t>(seed), &program);
      const Verdict& verdict = here.Run(program);
      if (!verdict.ok()) return VerdictLine(verdict) + "\n" + PrintProgram(program);
      there.Run(program);
      if (there.runner().Digest() != here.runner().Digest()) return PrintProgram(program);
    }
  }
  return "";
}

TEST(ImageImplementationTest, RunsAreThoseOfTheSameSourcesInASharedObject) {
  EXPECT_EQ("", FirstDifference(Reference()));
}

void ComparePlain() {
  const std::string difference = FirstDifference(Load(Dll("reference_plain")));
  fprintf(stderr, "%s\n", difference.c_str());
  _exit(difference.empty() ? 7 : 1);
}
TEST(ImageImplementationDeathTest, RunsOfAnImageWithoutInstrumentationAreTheSame) {
  EXPECT_EXIT(ComparePlain(), testing::ExitedWithCode(7), "");
  EXPECT_THAT(DescribeGuestPoints(Dll("reference_plain"), false),
              HasSubstr("accesses to memory are not seen"));
}

TEST(ImageImplementationTest, AccessesArePointsOfAnInstrumentedImageWhereTheyAreAskedFor) {
  RunnerOptions options;
  options.access_points = true;
  Bench all(Family::kCsq, Reference(), options);
  // Only then can a search of all schedules be complete.
  EXPECT_EQ(memory::kHooked, all.runner().sees_all_accesses());
  Bench locks(Family::kCsq, Reference());
  const char kProgram[] = "target csq\nfiber 0\n  insert 0\nfiber 1\n  remove-next\n";
  EXPECT_TRUE(all.Run(kProgram).ok());
  EXPECT_TRUE(locks.Run(kProgram).ok());
  EXPECT_GT(all.runner().output().schedule.points, locks.runner().output().schedule.points);
}

TEST(ImageImplementationTest, AQueueThatTheHostHasFilledInIsOneThatTheImageCanUse) {
  const Implementation table = Load(Dll("without_initialize"));
  EXPECT_EQ(nullptr, table.IoCsqInitialize);
  ASSERT_NE(nullptr, table.IoCsqInsertIrp);
  Bench bench(Family::kCsq, table);
  for (uint64_t seed = 1; seed <= Affordable(300); ++seed) {
    Program program;
    GenerateProgram(Family::kCsq, seed, &program);
    const Verdict& verdict = bench.Run(program);
    ASSERT_TRUE(verdict.ok()) << VerdictLine(verdict) << "\n" << PrintProgram(program);
  }
}

TEST(ImageImplementationTest, AKnownBugIsFoundAndItsRunRepeats) {
  Bench bench(Family::kCsq, Load(Dll("spoilt")));
  Program found;
  for (uint64_t seed = 1; seed <= 2000 && found.operation_count == 0; ++seed) {
    Program program;
    GenerateProgram(Family::kCsq, seed, &program);
    if (!bench.Run(program).ok()) found = program;
  }
  ASSERT_NE(0, found.operation_count);
  const Program executed = bench.runner().Executed(found);
  const std::string line = VerdictLine(bench.runner().output().verdict);
  // The memory engine, and TSan perhaps, see what comes before it.
  EXPECT_THAT(line, testing::ContainsRegex(
                        memory::kHooked
                            ? "data-race.* read in .* impl/reference/csq.cc:[0-9]+ and write in "
                              "Disconnect.* impl/reference/csq.cc:[0-9]+"
                            : "double-ending|data-race"));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(line, VerdictLine(bench.Run(executed)));
}

TEST(ImageImplementationTest, OnlyWhatIsExportedByNameAndIsInTheImageIsProvided) {
  const Implementation table = Load(Dll("few_exports"));
  EXPECT_EQ(1, ProvidedEntryPoints(table));
  ASSERT_NE(nullptr, table.KeInsertDeviceQueue);
  EXPECT_EQ(7, table.KeInsertDeviceQueue(nullptr, nullptr));
  EXPECT_EQ(9, table.KeInsertDeviceQueue(nullptr, nullptr));
  ResetImages();
  EXPECT_EQ(7, table.KeInsertDeviceQueue(nullptr, nullptr));
}

TEST(ImageImplementationTest, AnImageWithoutDocumentedRoutinesIsRefused) {
  EXPECT_THAT(Refusal(Dll("nothing_documented")),
              HasSubstr("nothing_documented.dll: exports none of the documented routines"));
}

TEST(ImageImplementationTest, ADamagedImageIsRefusedWithTheReason) {
  const std::string path = testing::TempDir() + "damaged_" + std::to_string(getpid()) + ".dll";
  std::ofstream(path, std::ios::binary) << ReadAll(Dll("reference")).substr(0, 700);
  EXPECT_THAT(Refusal(path), HasSubstr(path + ": "));
  std::ofstream(path, std::ios::binary) << "MZ";
  EXPECT_THAT(Refusal(path), HasSubstr("the file ends within its DOS header"));
  unlink(path.c_str());
}

void CallMissingService() {
  const std::string path = Changed("IoAcquireCancelSpinLock", "IoAcquireCancelSpinLimb");
  const std::string remarks = DescribeGuestPoints(path, false);
  Bench bench(Family::kStartIo, Load(path));
  Verdict verdict;
  for (uint64_t seed = 1; seed <= 50 && verdict.ok(); ++seed) {
    Program program;
    GenerateProgram(Family::kStartIo, seed, &program);
    verdict = bench.Run(program);
  }
  fprintf(stderr, "%s\n%s\n", remarks.c_str(), VerdictLine(verdict).c_str());
  unlink(path.c_str());
  _exit(verdict.kind == VerdictKind::kUnknown ? 7 : 1);
}
TEST(ImageImplementationDeathTest, AServiceThatIsNotProvidedIsNamedAndItsRunsAreNotJudged) {
  EXPECT_EXIT(CallMissingService(), testing::ExitedWithCode(7),
              "imports 1 service that is not provided(.|\n)*IoAcquireCancelSpinLimb"
              "(.|\n)*host-limit(.|\n)*IoAcquireCancelSpinLimb of ntoskrnl.exe");
}

void SayWhereAndExit() {
  fprintf(stderr, "%s\n", FaultPlace().c_str());
  _exit(7);
}

void CrashAndSayWhere() {
  const Implementation table = Load(Dll("few_exports_crashing"));
  SetFaultyCode(table);
  CatchDeadlySignals([](int) { SayWhereAndExit(); });
  table.KeInsertDeviceQueue(nullptr, nullptr);
}
TEST(ImageImplementationDeathTest, ACrashIsToldWithItsLine) {
  EXPECT_EXIT(CrashAndSayWhere(), testing::ExitedWithCode(7),
              "in KeInsertDeviceQueue .*few_exports.c:1[0-9]");
}

#ifdef CANCELSAFE_SANITIZER_ADDRESS

void UseCompletedIrp() {
  Bench bench(Family::kCsq, Load(Dll("writes_late")));
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    Program program;
    GenerateProgram(Family::kCsq, seed, &program);
    bench.Run(program);
  }
}
TEST(ImageImplementationDeathTest, AddressSanitizerSeesTheAccessesOfAnImage) {
  EXPECT_EXIT(UseCompletedIrp(), testing::ExitedWithCode(7),
              "in IoCsqInsertIrp impl/reference/csq.cc:[0-9]+");
}

#endif
#ifdef CANCELSAFE_SANITIZER_MODEL

// Says the first violation among the runs of generated and changed programs, and exits with 7.
void FindUnderRc11(const char* dll) {
  RunnerOptions options;
  options.memory = schedule::MemoryModel::kRc11;
  Bench bench(Family::kCsq, Load(Dll(dll)), options);
  for (uint64_t seed = 1; seed <= 4000; ++seed) {
    Program program;
    GenerateProgram(Family::kCsq, seed, &program);
    for (uint64_t change = 0; change < 4; ++change) {
      const Verdict& verdict = bench.Run(program);
      if (!verdict.ok()) {
        fprintf(stderr, "%s\n", VerdictLine(verdict).c_str());
        for (const std::string& line : verdict.evidence) fprintf(stderr, "%s\n", line.c_str());
        _exit(7);
      }
      MutateProgram(seed * 4 + change, &program, StaleChoices::kMutated);
    }
  }
}

TEST(ImageImplementationDeathTest, WhatOnlyTheMemoryEngineSeesIsSeenInAnImage) {
  EXPECT_EXIT(FindUnderRc11("writes_late"), testing::ExitedWithCode(7),
              "access-after-completion.*read in IoCsqInsertIrp impl/reference/csq.cc:[0-9]+");
  EXPECT_EXIT(FindUnderRc11("stored_routine"), testing::ExitedWithCode(7),
              "stale choice: fiber .* in IoCsqInsertIrpEx impl/reference/csq.cc:[0-9]+");
}

#endif

}  // namespace
}  // namespace cancelsafe::drivers

#ifdef CANCELSAFE_SANITIZER_ADDRESS
// Not the signal is caught there, but the report of it.
extern "C" __attribute__((visibility("default"))) void __asan_on_error() {
  cancelsafe::drivers::SayWhereAndExit();
}
#endif

// Each death test is a process of its own: images stay loaded, and there is room for few in one.
int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  return RUN_ALL_TESTS();
}
