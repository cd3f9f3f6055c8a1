// See driver_mutants.h.
#include "fuzzers/mutants/driver_mutants.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "base/process.h"
#include "command/status.h"
#include "fuzzers/drivers/build/driver_builder.h"
#include "fuzzers/drivers/program/driver_text.h"
#include "oracle/verdict.h"

namespace cancelsafe {
namespace {

constexpr double kSecondsMax = 3600;
constexpr size_t kFindingBytesMax = 1 << 20;

class Attack {
 public:
  Attack(const DriverAttackPlan& plan, const std::string& program, const std::string& work,
         DriverMutantResult* result)
      : plan_(plan), program_(program), work_(work), result_(*result) {}

  absl::Status Run(const std::string& gap_headers) {
    std::error_code error;
    std::filesystem::remove_all(work_, error);
    std::filesystem::create_directories(work_, error);
    for (const char* form : {"broken", "repaired"}) {
      drivers::DriverBuildOptions build;
      build.sources = {result_.example.source};
      build.output = DriverPath(form);
      build.definitions = {form == std::string("broken") ? "BROKEN=1" : "BROKEN=0"};
      build.gap_headers = gap_headers;
      if (absl::Status status = drivers::BuildDriver(build); !status.ok()) return status;
      // The example's profile, if it has one, lies beside both.
      const std::filesystem::path profile =
          std::filesystem::path(result_.example.source).replace_extension(".profile");
      if (std::filesystem::exists(profile, error)) {
        std::filesystem::copy_file(
            profile, std::filesystem::path(build.output).replace_extension(".profile"), error);
        if (error) return absl::InternalError(absl::StrCat(profile.string(), ": not copied"));
      }
    }
    for (int seed = 1; seed <= plan_.seeds; ++seed) {
      if (absl::Status status = AttackWith(seed); !status.ok()) return status;
    }
    if (absl::Status status = Replay(); !status.ok()) return status;
    if (plan_.clean_runs == 0) return absl::OkStatus();
    double seconds = 0;
    const absl::StatusOr<int> clean =
        Drive({"drive", DriverPath("repaired"), "--runs", absl::StrCat(plan_.clean_runs),
               "--directory", work_ + "/repaired"},
              &seconds);
    if (!clean.ok()) return clean.status();
    result_.repaired_is_clean = *clean == kExitOk;
    return absl::OkStatus();
  }

 private:
  std::string DriverPath(const char* form) const {
    return absl::StrCat(work_, "/", result_.example.name, ".", form, ".sys");
  }

  // The exit status; an error for another than 0 and 1.
  absl::StatusOr<int> Drive(std::vector<std::string> arguments, double* seconds) const {
    arguments.insert(arguments.begin(), program_);
    std::string output;
    const absl::StatusOr<ChildEnd> end =
        RunProcess(arguments, kSecondsMax,
                   [&output](absl::string_view text) { absl::StrAppend(&output, text); });
    if (!end.ok()) return end.status();
    *seconds = end->seconds;
    const ExitStatus& exit = end->status;
    if (!exit.signaled && (exit.code == kExitOk || exit.code == kExitViolation)) return exit.code;
    return absl::InternalError(absl::StrCat(absl::StrJoin(arguments, " "), " ended with ",
                                            DescribeExit(exit), "\n", output));
  }

  absl::Status AttackWith(int seed) {
    DriverSeed attack;
    const std::string folder = absl::StrCat(work_, "/seed-", seed);
    const absl::StatusOr<int> status =
        Drive({"drive", DriverPath("broken"), "--runs", absl::StrCat(plan_.runs), "--seed",
               absl::StrCat(seed), "--directory", folder},
              &attack.seconds);
    if (!status.ok()) return status.status();
    attack.runs = plan_.runs;
    if (*status == kExitViolation) {
      if (absl::Status read = ReadFinding(folder, &attack); !read.ok()) return read;
    }
    result_.seeds.push_back(attack);
    return absl::OkStatus();
  }

  absl::Status ReadFinding(const std::string& folder, DriverSeed* attack) {
    std::error_code error;
    std::filesystem::directory_iterator files(folder, error);
    if (error || files == std::filesystem::directory_iterator()) {
      return absl::NotFoundError(absl::StrCat(folder, ": no finding was saved"));
    }
    const std::string path = files->path().string();
    const absl::StatusOr<std::string> text = ReadFile(path, kFindingBytesMax);
    if (!text.ok()) return text.status();
    const absl::StatusOr<drivers::DriverProgramFile> file = drivers::ParseDriverProgram(*text);
    if (!file.ok()) return file.status();
    for (const std::string& line : file->header_comments) {
      absl::string_view rest = line;
      Verdict verdict;
      if (ParseVerdictLine(line, &verdict)) {
        attack->found = true;
        attack->rule = verdict.rule;
        const std::vector<std::string>& rules = result_.example.rules;
        attack->expected = std::find(rules.begin(), rules.end(), verdict.rule) != rules.end();
      } else if (absl::ConsumePrefix(&rest, "preemptions: ")) {
        static_cast<void>(absl::SimpleAtoi(rest, &attack->preemptions));
      } else if (const size_t run = line.find(", run "); run != std::string::npos) {
        static_cast<void>(absl::SimpleAtoi(line.substr(run + 6), &attack->runs));
      }
    }
    attack->operations = static_cast<int>(file->program.operations.size());
    if (found_.empty()) found_ = path;
    return absl::OkStatus();
  }

  // Of the first finding. A run that gives another verdict than the file's is told to be "not
  // what the file's header names", in one line more.
  absl::Status Replay() {
    for (int i = 0; i < plan_.replays && !found_.empty(); ++i) {
      std::string output;
      const absl::StatusOr<ChildEnd> end =
          RunProcess({program_, "replay", "--quiet", "--sanitizer", "none", found_}, kSecondsMax,
                     [&output](absl::string_view text) { absl::StrAppend(&output, text); });
      if (!end.ok()) return end.status();
      const bool differs = output.find("not what the file's header") != std::string::npos;
      result_.replays +=
          !end->status.signaled && end->status.code == kExitViolation && !differs ? 1 : 0;
    }
    return absl::OkStatus();
  }

  const DriverAttackPlan& plan_;
  const std::string& program_;
  const std::string& work_;
  DriverMutantResult& result_;
  std::string found_;  // the first finding
};

// The median and the most of what was measured for each seed; seeds that found nothing count
// with their whole budget.
template <typename T>
std::pair<T, T> MedianAndMost(const std::vector<DriverSeed>& seeds, T DriverSeed::* value) {
  std::vector<T> values;
  for (const DriverSeed& seed : seeds) values.push_back(seed.*value);
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  return {values[(values.size() - 1) / 2], values.back()};
}

std::string RulesOf(const DriverMutantResult& result) {
  std::set<std::string> rules;
  for (const DriverSeed& seed : result.seeds) {
    if (seed.found) rules.insert(seed.expected ? seed.rule : seed.rule + " (not expected)");
  }
  return rules.empty() ? "-" : absl::StrJoin(rules, ", ");
}

int FoundBy(const DriverMutantResult& result) {
  return static_cast<int>(std::count_if(result.seeds.begin(), result.seeds.end(),
                                        [](const DriverSeed& seed) { return seed.expected; }));
}

}  // namespace

bool DriverMutantResult::AllIsWell(const DriverAttackPlan& plan) const {
  return complaint.empty() && FoundBy(*this) == plan.seeds && replays == plan.replays &&
         repaired_is_clean;
}

DriverMutantResult AttackDriver(const drivers::DriverExample& example, const DriverAttackPlan& plan,
                                const std::string& program, const std::string& gap_headers,
                                const std::string& work) {
  DriverMutantResult result;
  result.example = example;
  const absl::Status status = Attack(plan, program, work, &result).Run(gap_headers);
  if (!status.ok()) result.complaint = std::string(status.message());
  return result;
}

std::string DriverTableLine(const DriverMutantResult& result, const DriverAttackPlan& plan,
                            size_t width) {
  if (!result.complaint.empty()) {
    return absl::StrFormat("%-*s  %s\n", static_cast<int>(width), result.example.name,
                           result.complaint);
  }
  const auto runs = MedianAndMost(result.seeds, &DriverSeed::runs);
  return absl::StrFormat(
      "%-*s  found by %d of %d seeds, %7d runs (most %d), %5.1f s, replays %d/%d, %d operations, "
      "%d preemptions, repaired %s: %s\n",
      static_cast<int>(width), result.example.name, FoundBy(result), result.seeds.size(),
      runs.first, runs.second, MedianAndMost(result.seeds, &DriverSeed::seconds).first,
      result.replays, plan.replays, MedianAndMost(result.seeds, &DriverSeed::operations).second,
      MedianAndMost(result.seeds, &DriverSeed::preemptions).second,
      result.repaired_is_clean ? "clean" : "NOT CLEAN", RulesOf(result));
}

std::string DriverMarkdown(const std::vector<DriverMutantResult>& results,
                           const DriverAttackPlan& plan, const std::string& command) {
  std::string text = absl::StrCat(
      "Made by `", command, "`. Seconds are those of a whole process, minimising included; the ",
      "repaired forms ran ", plan.clean_runs, " schedules each.\n\n",
      "| mutant | seeds | found as | runs, median | most | seconds | replays | operations, most | "
      "preemptions, most | repaired |\n|---|---|---|---:|---:|---:|---|---:|---:|---|\n");
  for (const DriverMutantResult& result : results) {
    const auto runs = MedianAndMost(result.seeds, &DriverSeed::runs);
    absl::StrAppendFormat(&text, "| %s | %d/%d | %s | %d | %d | %.1f | %d/%d | %d | %d | %s |\n",
                          result.example.name, FoundBy(result), result.seeds.size(),
                          result.complaint.empty() ? RulesOf(result) : result.complaint, runs.first,
                          runs.second, MedianAndMost(result.seeds, &DriverSeed::seconds).first,
                          result.replays, plan.replays,
                          MedianAndMost(result.seeds, &DriverSeed::operations).second,
                          MedianAndMost(result.seeds, &DriverSeed::preemptions).second,
                          result.repaired_is_clean ? "clean" : "not clean");
  }
  return text;
}

std::string DriverJson(const std::vector<DriverMutantResult>& results) {
  nlohmann::json all = nlohmann::json::array();
  for (const DriverMutantResult& result : results) {
    nlohmann::json seeds = nlohmann::json::array();
    for (const DriverSeed& seed : result.seeds) {
      seeds.push_back({{"found", seed.found},
                       {"rule", seed.rule},
                       {"expected", seed.expected},
                       {"runs", seed.runs},
                       {"seconds", seed.seconds},
                       {"operations", seed.operations},
                       {"preemptions", seed.preemptions}});
    }
    all.push_back({{"id", result.example.name},
                   {"family", "driver"},
                   {"complaint", result.complaint},
                   {"seeds", seeds},
                   {"replays", result.replays},
                   {"repaired_is_clean", result.repaired_is_clean}});
  }
  return all.dump(1) + "\n";
}

}  // namespace cancelsafe
