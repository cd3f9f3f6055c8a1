// See room.h.
#include "fuzzers/machine_room/room.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "fuzzers/memory/modules.h"
#include "fuzzers/memory/runtime.h"
#include "fuzzers/memory/scheduled_choices.h"
#include "fuzzers/schedule/executor.h"

namespace cancelsafe::machine_room {
namespace {

using schedule::Executor;

// Enough for every scenario many times over; a waiter that is not woken meets it.
constexpr int kPointBudget = 2000;
// Above those of KiPoint, which begin at 1.
constexpr uint8_t kAccessPoint = 200;

KiProcessor processors[kMaxProcessors];
// A waiter looks at the word and then blocks; where each access is a point, the owner may
// be done in between. So a waiter that a wake has passed by looks once more.
int wakes = 0;
int seen_wakes[kMaxProcessors];
const KiViolation* violation = nullptr;
KiViolation violation_storage;

int Current() {
  const int current = Executor::Get().current();
  return current < 0 ? 0 : current;
}

KiProcessor* Processor() { return &processors[Current()]; }

void Point(KiPoint kind, const volatile void* object) {
  if (!Executor::Get().running()) return;
  Executor::Get().Point(static_cast<uint8_t>(kind + 1), object, 0);
  if (kind == kPointInterlocked) memory::BeginInterlocked();
}

void Block(const volatile void* object) {
  int& seen = seen_wakes[Current()];
  if (!memory::LookAgain() && seen == wakes) Executor::Get().Block(object, 0);
  seen = wakes;
}

void Wake(const volatile void* object) {
  ++wakes;
  if (Executor::Get().running()) Executor::Get().Wake(object);
}

void Violate(const KiViolation* seen) {
  violation_storage = *seen;
  violation = &violation_storage;
  if (Executor::Get().running()) Executor::Get().Stop();
}

const KiPlatform platform = {&Processor, &Point, &Block, &Wake, &Violate};

void Body(void* context, int fiber) {
  static_cast<const Scenario*>(context)->body(fiber);
  memory::EndFiber();
}

std::string DescribeSide(const memory::RaceSide& side) {
  return absl::StrCat(side.atomic ? "atomic " : "", side.write ? "write" : "read", " of processor ",
                      side.fiber, " in ", memory::DescribeSite(side.site));
}

void Judge(const Scenario& scenario, schedule::RunStatus status, Finding* finding) {
  const memory::Engine& engine = memory::TheEngine();
  const memory::Race& race = engine.race();
  if (engine.bad_access().found) {
    finding->kind = "memory-error";
    finding->text = memory::DescribeSite(engine.bad_access().site);
  } else if (race.found) {
    finding->kind = "data-race";
    finding->text = absl::StrCat("no happens-before between ", DescribeSide(race.earlier), " and ",
                                 DescribeSide(race.later));
  } else if (violation != nullptr) {
    finding->kind = "violation";
    finding->text = absl::StrCat("kind ", static_cast<int>(violation->kind),
                                 " of KiViolationKind in ", violation->routine);
  } else if (status == schedule::RunStatus::kDeadlock) {
    finding->kind = "deadlock";
  } else if (status == schedule::RunStatus::kLivelock) {
    finding->kind = "livelock";
  } else if (!scenario.holds()) {
    finding->kind = "broken";
    finding->text = scenario.demand;
  }
}

}  // namespace

const ScenarioList& BuiltIn() { return *CancelsafeMachineRoom(); }

LoadedRoom::LoadedRoom(const std::string& path, std::string* error)
    : module_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  void* entry = module_ == nullptr ? nullptr : dlsym(module_, "CancelsafeMachineRoom");
  if (entry == nullptr) {
    *error = dlerror();
    return;
  }
  list_ = reinterpret_cast<const ScenarioList* (*)(void)>(entry)();
}

LoadedRoom::~LoadedRoom() {
  if (module_ != nullptr) dlclose(module_);
}

std::vector<Scenario> AllScenarios(const ScenarioList& list) {
  std::vector<Scenario> all;
  for (const ScenarioArray& part : list.parts) {
    all.insert(all.end(), part.scenarios, part.scenarios + part.count);
  }
  return all;
}

Scenario FindScenario(const ScenarioList& list, const std::string& name) {
  for (const Scenario& scenario : AllScenarios(list)) {
    if (name == scenario.name) return scenario;
  }
  fprintf(stderr, "machine room: there is no scenario '%s'\n", name.c_str());
  abort();
}

Finding RunOnce(const ScenarioList& list, const Scenario& scenario, memory::Model model,
                const schedule::Schedule& schedule) {
  static memory::ScheduledChoices choices;
  static schedule::RunResult result;
  list.set_platform(&platform);
  for (int i = 0; i < kMaxProcessors; ++i) {
    processors[i] = KiProcessor();
    processors[i].id = scenario.id[i];
  }
  wakes = 0;
  for (int& seen : seen_wakes) seen = 0;
  violation = nullptr;
  memory::TheEngine().SetModel(model);
  choices.Start(schedule);
  memory::RunSetup setup;
  setup.chooser = &choices;
  setup.access_point = kAccessPoint;
  memory::BeginRun(setup);
  scenario.set_up();
  schedule::RunOptions options;
  options.point_budget = kPointBudget;
  options.record_choices = true;
  memory::BeginFibers();
  Executor::Get().Run(scenario.processors, &Body, const_cast<Scenario*>(&scenario), schedule,
                      options, &result);
  memory::EndFibers();
  Finding finding;
  Judge(scenario, result.status, &finding);
  memory::EndRun();
  finding.executed = result.executed;
  finding.executed.stale_count = choices.made_count();
  for (int i = 0; i < choices.made_count(); ++i) finding.executed.stale[i] = choices.made()[i];
  return finding;
}

SearchResult Search(const ScenarioList& list, const Scenario& scenario, memory::Model model,
                    uint32_t seed, int64_t runs_max) {
  SearchResult search;
  schedule::Schedule schedule;
  for (; search.runs < runs_max && search.finding.kind.empty(); ++search.runs) {
    // The schedulers in turn, each with the next seed.
    const int kinds = schedule::kKindCount - 1;
    schedule.kind = static_cast<schedule::Kind>(1 + search.runs % kinds);
    schedule.parameter = static_cast<uint8_t>(
        search.runs / kinds % schedule::kParameterCounts[static_cast<int>(schedule.kind)]);
    schedule.seed = seed + static_cast<uint32_t>(search.runs);
    search.finding = RunOnce(list, scenario, model, schedule);
  }
  return search;
}

}  // namespace cancelsafe::machine_room
