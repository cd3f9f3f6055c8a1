// The complete search of a driver's programs: it loses nothing that other searches find, counts
// the same in all its forms, and says by what it is bounded.
#include "fuzzers/drivers/run/driver_search.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/program/driver_generate.h"
#include "fuzzers/drivers/program/driver_text.h"
#include "fuzzers/drivers/verify/driver_worlds.h"
#include "fuzzers/drivers/world/world.h"
#include "fuzzers/schedule/explore.h"

namespace cancelsafe::drivers {
namespace {

std::unique_ptr<DriverImage> Load(const std::string& name) {
  std::string error;
  auto image = LoadDriver(absl::StrCat(CANCELSAFE_EXAMPLES_DIR "/", name, ".sys"), &error);
  EXPECT_NE(image, nullptr) << error;
  return image;
}

DriverProgram ProgramOf(const std::string& text) {
  const absl::StatusOr<DriverProgramFile> file = ParseDriverProgram("target driver\n" + text);
  EXPECT_TRUE(file.ok()) << file.status();
  return file->program;
}

struct Found {
  std::set<std::string> outcomes;
  int64_t runs = 0;
  int64_t cut = 0;
  bool complete = false;
  std::string bound;
};

Found SearchAll(const DriverProgram& program, DriverRunner* runner,
                const DriverSearchOptions& options = DriverSearchOptions()) {
  DriverSearch search(program, runner, options);
  Found found;
  while (search.Next()) {
    if (search.begins()) found.outcomes.clear();
    found.outcomes.insert(search.output().outcome);
  }
  found.runs = search.runs();
  found.cut = search.cut_runs();
  found.complete = search.complete();
  found.bound = search.Bound();
  return found;
}

TEST(DriverSearchTest, Look) {
  const auto image = Load(getenv("WHAT"));
  DriverRunner runner(image.get());
  const DriverProgram program = ProgramOf(getenv("PROGRAM"));
  const bool more = getenv("MORE") != nullptr;
  for (const bool long_steps : {true, false}) {
    DriverSearchOptions options;
    options.long_steps = long_steps;
    options.max_runs = 200000;
    const Found found = SearchAll(program, &runner, options);
    printf("long %d: %lld runs %lld cut complete %d bound %s\n", long_steps, (long long)found.runs,
           (long long)found.cut, found.complete, found.bound.c_str());
    for (const std::string& o : found.outcomes) printf("   %s\n", o.c_str());
    if (!more) break;
  }
}

int FibersNeeded(DriverProgram program, DriverRunner* runner) {
  DriverRunOptions options;
  while (runner->Run(program, options).starved && program.driver_fibers < kMaxDriverFibers) {
    ++program.driver_fibers;
  }
  return program.driver_fibers;
}

std::set<std::string> OtherWays(DriverProgram program, DriverRunner* runner, int preemptions,
                                int64_t max_runs, int random_runs) {
  std::set<std::string> outcomes;
  DriverRunOptions options;
  options.tells = true;
  schedule::ExploreOptions explore;
  explore.preemptions = preemptions;
  explore.reduce = false;
  explore.max_runs = max_runs;
  schedule::Explorer explorer(explore);
  options.scheduler = &explorer;
  while (explorer.Next()) {
    const DriverRunOutput& output = runner->Run(program, options);
    explorer.Finished(output.schedule);
    if (!explorer.pruned()) outcomes.insert(output.outcome);
  }
  options.scheduler = nullptr;
  Random random(1);
  for (int i = 0; i < random_runs; ++i) {
    const auto memory = program.schedule.memory;
    program.schedule = GenerateSchedule(&random);
    program.schedule.memory = memory;
    outcomes.insert(runner->Run(program, options).outcome);
  }
  return outcomes;
}

TEST(DriverSearchTest, Sound) {
  const auto image = Load(getenv("WHAT"));
  DriverRunner runner(image.get());
  DriverScope scope;
  scope.calls = atoi(getenv("CALLS"));
  const int every = atoi(getenv("EVERY"));
  const auto variants = VariantsOf(scope, runner.Learn(), HasTime(*image));
  printf("%s: %zu variants, %lld programs\n", getenv("WHAT"), variants.size(),
         (long long)CountDriverWorlds(scope, variants));
  DriverWorlds worlds(scope, variants);
  int64_t runs = 0, unfinished = 0, programs = 0, most = 0;
  const bool compare = getenv("COMPARE") != nullptr;
  std::set<std::string> rules;
  while (worlds.Next()) {
    if (worlds.index() % every != 0) continue;
    DriverProgram program = worlds.program();
    program.schedule.memory = schedule::MemoryModel::kSc;
    program.driver_fibers = FibersNeeded(program, &runner);
    DriverSearchOptions options;
    options.max_runs = 20000;
    const Found found = SearchAll(program, &runner, options);
    ++programs;
    runs += found.runs;
    most = std::max(most, found.runs);
    DriverProgramFile file;
    file.program = program;
    for (const std::string& o : found.outcomes) {
      if (o.find(' ') == std::string::npos && rules.insert(o).second) {
        printf("  %lld: %s\n%s", (long long)worlds.index(), o.c_str(),
               PrintDriverProgram(file).c_str());
      }
    }
    if (!found.complete) {
      if (++unfinished < 4) {
        printf("  unfinished: %s\n%s", found.bound.c_str(), PrintDriverProgram(file).c_str());
      }
      continue;
    }
    if (!compare) continue;
    for (const std::string& outcome : OtherWays(program, &runner, 2, 2000, 300)) {
      EXPECT_EQ(found.outcomes.count(outcome), 1u) << outcome << "\n" << PrintDriverProgram(file);
    }
  }
  printf("%lld programs %lld runs, most %lld, %lld unfinished\n", (long long)programs,
         (long long)runs, (long long)most, (long long)unfinished);
}

}  // namespace
}  // namespace cancelsafe::drivers
