// See by_check.h.
#include "fuzzers/mutants/by_check.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "base/process.h"
#include "fuzzers/check/variants.h"
#include "oracle/verdict.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

constexpr double kCheckSecondsMax = 3600;
constexpr double kReplaySecondsMax = 300;
constexpr size_t kLinesShown = 3;
constexpr int kNear = 3;
constexpr char kImplementation[] = "--implementation ";

std::vector<std::string> SourcesIn(const std::string& folder) {
  std::vector<std::string> sources;
  for (const std::string& file : MixedFiles()) sources.push_back(absl::StrCat(folder, "/", file));
  return sources;
}

// What a printed command shows: its verdict, or for one of the conformance suite its status.
std::string ShownBy(const std::string& command) {
  std::string output;
  const absl::StatusOr<ChildEnd> end =
      RunProcess({"sh", "-c", absl::StrCat("cd / && ", command)}, kReplaySecondsMax,
                 [&](absl::string_view text) { absl::StrAppend(&output, text); });
  if (!end.ok()) return std::string(end.status().message());
  if (end->status.code == 0 && !end->status.signaled) return "";
  for (const absl::string_view line : absl::StrSplit(output, '\n')) {
    const size_t at = line.find("VERDICT ");
    Verdict verdict;
    if (at == absl::string_view::npos || !ParseVerdictLine(line.substr(at), &verdict)) continue;
    return absl::StrCat(VerdictKindName(verdict.kind), " ", verdict.clause, " ", verdict.rule);
  }
  return DescribeExit(end->status);
}

// One mix with and without each of its mistakes.
class Judge {
 public:
  Judge(const Mix& mix, const CheckPlan& plan)
      : mix_(mix), plan_(plan), folder_(absl::StrCat(plan.work, "/mix-", mix.name)) {}

  CheckedMix Run();

 private:
  struct Change {
    std::string file;
    std::vector<int> lines;
    std::string function;
  };

  absl::Status RunCheck(CheckedMix* checked);
  absl::Status FindChanges();
  absl::StatusOr<JudgedCause> JudgeCause(const nlohmann::json& cause);
  absl::Status FindMistakes(const std::string& command, const std::string& shown,
                            const nlohmann::json& cause, JudgedCause* judged);
  void JudgeLines(const nlohmann::json& cause, JudgedCause* judged) const;
  // The variant of the implementation without mistake i, or with it alone.
  absl::StatusOr<std::string> Build(size_t i, bool alone, const std::string& variant);
  std::vector<Mistake> Part(size_t i, bool alone) const;

  const Mix& mix_;
  const CheckPlan& plan_;
  const std::string folder_;
  std::vector<Change> changes_;
  std::set<std::string> built_;  // shared objects
  nlohmann::json causes_;
};

CheckedMix Judge::Run() {
  CheckedMix checked;
  checked.mix = mix_;
  absl::Status status = RunCheck(&checked);
  if (status.ok()) status = FindChanges();
  if (status.ok()) {
    for (const nlohmann::json& cause : causes_) {
      const absl::StatusOr<JudgedCause> judged = JudgeCause(cause);
      status = judged.status();
      if (!status.ok()) break;
      checked.causes.push_back(*judged);
    }
  }
  AssignMistakes(mix_.mistakes.size(), &checked.causes);
  for (JudgedCause& cause : checked.causes) {
    if (cause.mistake < 0) continue;
    JudgeLines(causes_[static_cast<size_t>(&cause - checked.causes.data())], &cause);
  }
  checked.complaint = std::string(status.message());
  return checked;
}

absl::Status Judge::RunCheck(CheckedMix* checked) {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
  const std::string sources = folder_ + "/sources";
  const absl::Status written = WriteMixedSources(plan_.tree, mix_.mistakes, MixedFiles(), sources);
  if (!written.ok()) return written;
  std::vector<std::string> command = {plan_.program, "check", "--report", folder_ + "/report"};
  command.insert(command.end(), plan_.flags.begin(), plan_.flags.end());
  for (std::string& path : SourcesIn(sources)) command.push_back(std::move(path));
  std::string output;
  const absl::StatusOr<ChildEnd> end = RunProcess(
      command, kCheckSecondsMax, [&](absl::string_view text) { absl::StrAppend(&output, text); });
  if (!end.ok()) return end.status();
  checked->seconds = end->seconds;
  if (end->status.signaled || end->status.code != 1) {
    return absl::InternalError(
        absl::StrCat("check: ", DescribeExit(end->status), ": ",
                     output.substr(output.size() - std::min<size_t>(500, output.size()))));
  }
  const absl::StatusOr<std::string> text = ReadFile(folder_ + "/report/causes.json");
  if (!text.ok()) return text.status();
  const nlohmann::json parsed = nlohmann::json::parse(*text, nullptr, false);
  if (parsed.is_discarded()) return absl::DataLossError("causes.json is not JSON");
  causes_ = parsed["causes"];
  return absl::OkStatus();
}

absl::Status Judge::FindChanges() {
  for (size_t i = 0; i < mix_.mistakes.size(); ++i) {
    const std::string& file = mix_.mistakes[i].file;
    const std::string without = absl::StrCat(folder_, "/without-", i);
    const absl::Status written =
        WriteMixedSources(plan_.tree, Part(i, false), MixedFiles(), without);
    if (!written.ok()) return written;
    const absl::StatusOr<std::string> mixed = ReadFile(absl::StrCat(folder_, "/sources/", file));
    if (!mixed.ok()) return mixed.status();
    const absl::StatusOr<std::string> other = ReadFile(absl::StrCat(without, "/", file));
    if (!other.ok()) return other.status();
    const std::vector<int> lines = ChangedLines(*mixed, *other);
    changes_.push_back({file, lines, FunctionAt(*mixed, lines.front())});
  }
  return absl::OkStatus();
}

std::vector<Mistake> Judge::Part(size_t i, bool alone) const {
  if (alone) return {mix_.mistakes[i]};
  std::vector<Mistake> others = mix_.mistakes;
  others.erase(others.begin() + static_cast<ptrdiff_t>(i));
  return others;
}

absl::StatusOr<std::string> Judge::Build(size_t i, bool alone, const std::string& variant) {
  const std::string folder = absl::StrCat(folder_, alone ? "/alone-" : "/without-", i);
  const std::string path = absl::StrCat(folder, "/", variant, ".so");
  if (!built_.insert(path).second) return path;
  const absl::Status written = WriteMixedSources(plan_.tree, Part(i, alone), MixedFiles(), folder);
  if (!written.ok()) return written;
  const absl::Status built =
      BuildVariant(SourcesIn(folder), {}, plan_.tree + "/impl/include", variant, folder);
  if (!built.ok()) return built;
  return path;
}

absl::StatusOr<JudgedCause> Judge::JudgeCause(const nlohmann::json& cause) {
  JudgedCause judged;
  judged.title = cause["identity"];
  judged.operations = cause["operations"];
  const std::string command = cause["replay"];
  if (command.empty()) return judged;
  const std::string shown = ShownBy(command);
  for (int i = 0; i < plan_.replays; ++i) {
    judged.replays += !shown.empty() && ShownBy(command) == shown ? 1 : 0;
  }
  // The list and its command have to agree.
  const std::string rule = cause["rule"];
  if (!cause["saved"].get<std::string>().empty() && !absl::EndsWith(shown, rule)) {
    judged.replays = 0;
  }
  const absl::Status status = FindMistakes(command, shown, cause, &judged);
  if (!status.ok()) return status;
  return judged;
}

absl::Status Judge::FindMistakes(const std::string& command, const std::string& shown,
                                 const nlohmann::json& cause, JudgedCause* judged) {
  const size_t at = command.find(kImplementation);
  if (at == std::string::npos) return absl::InternalError("no implementation in: " + command);
  const size_t begin = at + sizeof kImplementation - 1;
  const std::string path = command.substr(begin, command.find(' ', begin) - begin);
  const fs::path folder = fs::path(path).parent_path();
  const bool exchanged = absl::StartsWith(folder.filename().string(), "exchanged-");
  const std::string variant = exchanged ? folder.filename().string().substr(sizeof "exchanged-" - 1)
                                        : fs::path(path).stem().string();
  const auto shown_by = [&](size_t i, bool alone) -> absl::StatusOr<std::string> {
    const absl::StatusOr<std::string> other = Build(i, alone, variant);
    if (!other.ok()) return other.status();
    return ShownBy(absl::StrReplaceAll(command, {{path, *other}}));
  };
  // With routines exchanged, what is left is not the mix without one mistake.
  for (const bool alone : {false, true}) {
    if (alone != exchanged && !(alone && judged->mistakes.empty())) continue;
    for (size_t i = 0; i < mix_.mistakes.size(); ++i) {
      const absl::StatusOr<std::string> with = shown_by(i, alone);
      if (!with.ok()) return with.status();
      if ((*with == shown) == alone) judged->mistakes.push_back(i);
    }
  }
  const std::vector<std::string> routines = cause["mistake_in"];
  std::vector<size_t> inside;
  for (const size_t i : judged->mistakes) {
    const bool in =
        std::find(routines.begin(), routines.end(), changes_[i].function) != routines.end();
    if (in) inside.push_back(i);
  }
  if (!inside.empty()) judged->mistakes = inside;
  return absl::OkStatus();
}

void Judge::JudgeLines(const nlohmann::json& cause, JudgedCause* judged) const {
  const Change& change = changes_[static_cast<size_t>(judged->mistake)];
  const nlohmann::json& lines = cause["lines"];
  for (size_t i = 0; i < std::min(kLinesShown, lines.size()); ++i) {
    const int line = lines[i]["line"];
    if (fs::path(lines[i]["file"].get<std::string>()).filename() != change.file) continue;
    for (const int changed : change.lines) {
      if (line == changed && judged->changed_line == 0)
        judged->changed_line = static_cast<int>(i) + 1;
      judged->within_three |= std::abs(line - changed) <= kNear;
    }
  }
}

}  // namespace

CheckedMix CheckMix(const Mix& mix, const CheckPlan& plan) { return Judge(mix, plan).Run(); }

}  // namespace cancelsafe
