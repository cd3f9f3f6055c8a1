// See parts.h.
#include "fuzzers/check/parts.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "base/process.h"
#include "command/require_ok.h"
#include "command/status.h"
#include "fuzzers/check/reach.h"
#include "fuzzers/program/text.h"
#include "fuzzers/run/family_driver.h"
#include "impl/implementation.h"
#include "oracle/family.h"

namespace cancelsafe {
namespace {

using nlohmann::json;

constexpr int kPollMilliseconds = 50;
// A part looks at its clock between programs; making one small may take a while.
constexpr double kGraceSeconds = 120;

std::string FoundPath(const std::string& plan_path) { return plan_path + ".found"; }

void AppendLine(const std::string& path, const std::string& line) {
  FILE* const file = fopen(path.c_str(), "ae");
  if (file == nullptr) throw SetupError(absl::StrCat("cannot write ", path));
  fprintf(file, "%s\n", line.c_str());
  fclose(file);
}

PartResult ReadResult(const std::string& path) {
  PartResult result;
  result.complaint = "it did not come to its end";
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return result;
  for (const absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    CheckFinding finding;
    if (ParseFindingJson(line, &finding)) {
      // What is said again is said with more.
      const auto before = std::find_if(
          result.findings.begin(), result.findings.end(), [&](const CheckFinding& other) {
            return other.Key() == finding.Key() && other.program == finding.program;
          });
      if (before != result.findings.end()) {
        *before = std::move(finding);
      } else {
        result.findings.push_back(std::move(finding));
      }
      continue;
    }
    const json object = json::parse(line.begin(), line.end(), nullptr, false);
    if (!object.is_object() || !object.contains("programs")) continue;
    result.counts = {object.value("programs", int64_t{0}), object.value("runs", int64_t{0}),
                     object.value("unknown", int64_t{0}), object.value("cut_rounds", int64_t{0}),
                     object.value("unconfirmed", int64_t{0})};
    result.complaint = "";
    result.not_provided = object.value("not_provided", "");
  }
  return result;
}

// Families that are made of one another share their mistakes.
Family LayerOf(const std::string& name) {
  const std::optional<Family> family = FindFamily(name);
  return InfoOf(family.value_or(Family::kCsq)).base;
}

struct Running {
  std::unique_ptr<Process> process;
  std::string path;
  std::string output;
  double end = 0;
};

}  // namespace

std::string PlanJson(const HuntPlan& plan) {
  return json{{"variant", plan.variant},
              {"implementation", plan.implementation},
              {"family", plan.family},
              {"seeds", plan.seeds},
              {"access_points", plan.access_points},
              {"strict", plan.strict},
              {"programs", plan.programs},
              {"goes_on", plan.goes_on},
              {"seconds", plan.seconds},
              {"rounds", plan.rounds},
              {"seed", plan.seed},
              {"known", plan.known},
              {"ignore", plan.ignore},
              {"exchange_variant", plan.exchange.variant},
              {"exchange_folder", plan.exchange.folder},
              {"exchange_objects", plan.exchange.objects},
              {"exchange_routines", plan.exchange.routines},
              {"guilty", plan.guilty}}
      .dump(1);
}

absl::StatusOr<HuntPlan> ParsePlan(const std::string& text) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) return absl::InvalidArgumentError("this is not a plan");
  HuntPlan plan;
  try {
    plan.variant = object.at("variant");
    plan.implementation = object.at("implementation");
    plan.family = object.at("family");
    plan.seeds = object.at("seeds");
    plan.access_points = object.at("access_points");
    plan.strict = object.at("strict");
    plan.programs = object.at("programs");
    plan.goes_on = object.at("goes_on");
    plan.seconds = object.at("seconds");
    plan.rounds = object.at("rounds");
    plan.seed = object.at("seed");
    plan.known = object.at("known").get<std::vector<std::string>>();
    plan.ignore = object.at("ignore").get<std::vector<std::string>>();
    plan.exchange.variant = object.at("exchange_variant");
    plan.exchange.folder = object.at("exchange_folder");
    plan.exchange.objects = object.at("exchange_objects").get<std::vector<std::string>>();
    plan.exchange.routines = object.at("exchange_routines").get<std::vector<std::string>>();
    plan.guilty = object.at("guilty").get<decltype(plan.guilty)>();
  } catch (const json::exception& error) {
    return absl::InvalidArgumentError(error.what());
  }
  return plan;
}

std::string MissingFor(Family family, const Implementation& implementation) {
  const char* missing = nullptr;
  const std::unique_ptr<FamilyDriver> driver(NewFamilyDriver(family, implementation, &missing));
  return missing == nullptr ? "" : missing;
}

int RunPart(const std::string& plan_path) {
  const absl::StatusOr<std::string> text = ReadFile(plan_path);
  if (!text.ok()) throw UsageError(std::string(text.status().message()));
  const absl::StatusOr<HuntPlan> plan = ParsePlan(*text);
  if (!plan.ok()) throw UsageError(absl::StrCat(plan_path, ": ", plan.status().message()));
  Implementation implementation;
  std::string error;
  if (!LoadImplementation(plan->implementation, &implementation, &error)) throw SetupError(error);
  const std::string path = FoundPath(plan_path);
  const std::string missing = MissingFor(*FindFamily(plan->family), implementation);
  if (!missing.empty()) {
    AppendLine(path, json{{"programs", 0}, {"not_provided", missing}}.dump());
    return kExitOk;
  }
  const HuntCounts counts = Hunt(*plan, implementation, [&](const CheckFinding& finding) {
    AppendLine(path, FindingJson(finding));
  });
  AppendLine(path, json{{"programs", counts.programs},
                        {"runs", counts.runs},
                        {"unknown", counts.unknown},
                        {"cut_rounds", counts.cut_rounds},
                        {"unconfirmed", counts.unconfirmed}}
                       .dump());
  return kExitOk;
}

namespace {

// What parts have found so far, for the next ones.
class KnownSoFar {
 public:
  void Add(const PartResult& result);
  void Tell(HuntPlan* plan) const;

 private:
  std::map<std::string, std::set<std::string>> keys_;                      // by family
  std::map<Family, std::map<std::string, std::set<std::string>>> guilty_;  // by layer
};

// Parts of one wave learn from those before it, and nothing from each other: which of them is
// through first must not matter. A family that is made of another one comes in a later wave.
std::string WaveOf(const Part& part) {
  const bool lowest = InfoOf(LayerOf(part.plan.family)).name == part.plan.family;
  return absl::StrCat(part.plan.variant, lowest ? "" : " made of others");
}

void KnownSoFar::Add(const PartResult& result) {
  for (const CheckFinding& finding : result.findings) {
    // What the next parts exchange they do not meet again.
    if (!finding.vanishes_without.empty()) {
      for (const std::string& routine : RoutinesIn(finding.vanishes_without)) {
        std::set<std::string>& clauses = guilty_[LayerOf(finding.family)][routine];
        const std::string clause = LeftOutBy(finding.verdict);
        if (!clause.empty()) clauses.insert(clause);
      }
    } else if (finding.verdict.kind != VerdictKind::kDataRace && finding.ignored.empty()) {
      const absl::StatusOr<Program> program = ParseProgram(finding.program);
      keys_[finding.family].insert(
          absl::StrCat(finding.Key(), "\t", program.ok() ? ReachOf(*program) : ""));
    }
  }
}

void KnownSoFar::Tell(HuntPlan* plan) const {
  const auto keys = keys_.find(plan->family);
  if (keys != keys_.end()) plan->known.assign(keys->second.begin(), keys->second.end());
  const auto guilty = guilty_.find(LayerOf(plan->family));
  if (guilty == guilty_.end()) return;
  for (const auto& [routine, clauses] : guilty->second) {
    plan->guilty[routine].assign(clauses.begin(), clauses.end());
  }
}

}  // namespace

PartsEnd RunParts(const std::vector<Part>& parts, int jobs, const std::string& folder,
                  const StopSignals& stop,
                  const std::function<void(int, const PartResult&)>& done) {
  std::vector<PartResult> results(parts.size());
  std::map<int, Running> running;
  KnownSoFar known;
  size_t begin = 0;  // of this wave
  size_t next = 0;
  bool stopped = false;
  while ((!stopped && next < parts.size()) || !running.empty()) {
    stopped |= stop.Take();
    if (stopped) {
      for (auto& [number, part] : running) part.process->Signal(SIGKILL);
    }
    const bool of_another = next < parts.size() && WaveOf(parts[next]) != WaveOf(parts[begin]);
    if (of_another && running.empty()) {
      for (; begin < next; ++begin) known.Add(results[begin]);
    }
    if (!stopped && next < parts.size() && running.size() < static_cast<size_t>(jobs) &&
        (!of_another || begin == next)) {
      const int number = static_cast<int>(next++);
      HuntPlan plan = parts[number].plan;
      known.Tell(&plan);
      Running part;
      part.path = absl::StrCat(folder, "/", plan.variant, "-", plan.family, ".json");
      unlink(FoundPath(part.path).c_str());
      const absl::Status written = WriteFileAtomically(part.path, PlanJson(plan));
      absl::StatusOr<std::unique_ptr<Process>> process =
          written.ok() ? Process::Start({parts[number].program, "check", "--part", part.path})
                       : absl::StatusOr<std::unique_ptr<Process>>(written);
      RequireOk(process);
      part.process = *std::move(process);
      part.end = SecondsNow() + kHuntShareMax * plan.seconds + kGraceSeconds;
      running[number] = std::move(part);
      continue;
    }
    poll(nullptr, 0, kPollMilliseconds);
    for (auto at = running.begin(); at != running.end();) {
      Running& part = at->second;
      part.process->ReadOutput(&part.output);
      if (SecondsNow() > part.end) part.process->Signal(SIGKILL);
      const std::optional<ExitStatus> status = part.process->Poll();
      if (!status) {
        ++at;
        continue;
      }
      part.process->ReadOutput(&part.output);
      PartResult& result = results[at->first];
      result = ReadResult(FoundPath(part.path));
      if (!status->clean()) {
        result.complaint = absl::StrCat(DescribeExit(*status), part.output.empty() ? "" : ": ",
                                        part.output.substr(0, 400));
      }
      done(at->first, result);
      at = running.erase(at);
    }
  }
  results.resize(next);
  return {std::move(results), stopped};
}

}  // namespace cancelsafe
