// See by_check.h.
#include "fuzzers/mutants/by_check.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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
constexpr int kOperationsMost = 6;
constexpr char kImplementation[] = "--implementation ";

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
  std::map<std::string, std::string> built_;
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
  for (const std::string& file : MixedFiles()) {
    command.push_back(absl::StrCat(sources, "/", file));
  }
  std::string output;
  const absl::StatusOr<ChildEnd> end = RunProcess(
      command, kCheckSecondsMax, [&](absl::string_view text) { absl::StrAppend(&output, text); });
  if (!end.ok()) return end.status();
  checked->seconds = end->seconds;
  checked->processor_seconds = end->processor_seconds;
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
  if (!built_.emplace(path, "").second) return path;
  const absl::Status written = WriteMixedSources(plan_.tree, Part(i, alone), MixedFiles(), folder);
  if (!written.ok()) return written;
  std::vector<std::string> sources;
  for (const std::string& file : MixedFiles()) sources.push_back(absl::StrCat(folder, "/", file));
  const absl::Status built =
      BuildVariant(sources, {}, plan_.tree + "/impl/include", variant, folder);
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

// A larger matching by one, along an alternating path from `cause`.
bool Place(size_t cause, const std::vector<JudgedCause>& causes, std::vector<int>* cause_of,
           std::set<size_t>* seen) {
  for (const size_t mistake : causes[cause].mistakes) {
    if (!seen->insert(mistake).second) continue;
    int& holder = (*cause_of)[mistake];
    if (holder < 0 || Place(static_cast<size_t>(holder), causes, cause_of, seen)) {
      holder = static_cast<int>(cause);
      return true;
    }
  }
  return false;
}

int Count(const CheckedMix& checked, const std::function<bool(const JudgedCause&)>& is) {
  return static_cast<int>(std::count_if(checked.causes.begin(), checked.causes.end(), is));
}

std::string Joined(const std::vector<std::string>& names) {
  return names.empty() ? "none" : absl::StrJoin(names, ", ");
}

}  // namespace

CheckedMix CheckMix(const Mix& mix, const CheckPlan& plan) { return Judge(mix, plan).Run(); }

void AssignMistakes(size_t mistakes, std::vector<JudgedCause>* causes) {
  std::vector<int> cause_of(mistakes, -1);
  for (size_t i = 0; i < causes->size(); ++i) {
    std::set<size_t> seen;
    Place(i, *causes, &cause_of, &seen);
  }
  for (size_t i = 0; i < mistakes; ++i) {
    if (cause_of[i] >= 0) (*causes)[static_cast<size_t>(cause_of[i])].mistake = static_cast<int>(i);
  }
}

std::vector<int> ChangedLines(const std::string& with, const std::string& without) {
  const std::vector<std::string> a = absl::StrSplit(with, '\n');
  const std::vector<std::string> b = absl::StrSplit(without, '\n');
  size_t begin = 0;
  while (begin < a.size() && begin < b.size() && a[begin] == b[begin]) ++begin;
  size_t end = 0;
  while (end < a.size() - begin && end < b.size() - begin &&
         a[a.size() - 1 - end] == b[b.size() - 1 - end]) {
    ++end;
  }
  // What is moved stands in both, and is changed where it stands now.
  std::vector<int> lines;
  for (size_t i = begin; i < a.size() - end; ++i) {
    if (!a[i].empty()) lines.push_back(static_cast<int>(i) + 1);
  }
  if (lines.empty()) lines = {static_cast<int>(begin), static_cast<int>(begin) + 1};
  return lines;
}

std::string FunctionAt(const std::string& source, int line) {
  const std::vector<std::string> lines = absl::StrSplit(source, '\n');
  for (size_t i = std::min(static_cast<size_t>(line), lines.size()); i-- > 0;) {
    const std::string& text = lines[i];
    const size_t bracket = text.find('(');
    if (text.empty() || isalpha(static_cast<unsigned char>(text[0])) == 0 ||
        bracket == std::string::npos) {
      continue;
    }
    const size_t begin = text.find_last_of(" *&", bracket) + 1;
    return text.substr(begin, bracket - begin);
  }
  return "";
}

std::vector<std::string> CheckedMix::Missing() const {
  std::vector<std::string> missing;
  for (size_t i = 0; i < mix.mistakes.size(); ++i) {
    const bool has = std::any_of(causes.begin(), causes.end(), [i](const JudgedCause& cause) {
      return cause.mistake == static_cast<int>(i);
    });
    if (!has) missing.push_back(mix.mistakes[i].id);
  }
  return missing;
}

std::vector<std::string> CheckedMix::Twice() const {
  std::vector<std::string> twice;
  for (const JudgedCause& cause : causes) {
    if (cause.mistake < 0 && !cause.mistakes.empty()) {
      twice.push_back(mix.mistakes[cause.mistakes[0]].id);
    }
  }
  return twice;
}

int CheckedMix::False() const {
  return Count(*this, [](const JudgedCause& cause) { return cause.mistakes.empty(); });
}
int CheckedMix::OperationsMost() const {
  int most = 0;
  for (const JudgedCause& cause : causes) most = std::max(most, cause.operations);
  return most;
}
int CheckedMix::ReplaysLeast() const {
  int least = causes.empty() ? 0 : causes[0].replays;
  for (const JudgedCause& cause : causes) least = std::min(least, cause.replays);
  return least;
}
int CheckedMix::ChangedLineFirst() const {
  return Count(*this, [](const JudgedCause& cause) { return cause.changed_line == 1; });
}
int CheckedMix::ChangedLineNamed() const {
  return Count(*this, [](const JudgedCause& cause) { return cause.changed_line > 0; });
}
int CheckedMix::WithinThree() const {
  return Count(*this, [](const JudgedCause& cause) { return cause.within_three; });
}

bool CheckedMix::AllIsWell(int replays) const {
  return complaint.empty() && Missing().empty() && Twice().empty() && False() == 0 &&
         OperationsMost() <= kOperationsMost && ReplaysLeast() == replays &&
         4 * ChangedLineNamed() >= 3 * static_cast<int>(mix.mistakes.size());
}

std::string CheckedLine(const CheckedMix& checked) {
  if (!checked.complaint.empty()) {
    return absl::StrCat("mix ", checked.mix.name, ": ", checked.complaint, "\n");
  }
  std::string text =
      absl::StrCat("mix ", checked.mix.name, ": ", checked.causes.size(), " causes of ",
                   checked.mix.mistakes.size(), " mistakes, missing: ", Joined(checked.Missing()),
                   ", twice: ", Joined(checked.Twice()), ", false: ", checked.False(), ", at most ",
                   checked.OperationsMost(), " operations, ", checked.ReplaysLeast(),
                   " replays at least, changed line first in ", checked.ChangedLineFirst(),
                   ", named in ", checked.ChangedLineNamed(), ", within three lines in ",
                   checked.WithinThree(), ", ", static_cast<int>(checked.seconds + 0.5), " s\n");
  for (const JudgedCause& cause : checked.causes) {
    std::vector<std::string> names;
    for (const size_t i : cause.mistakes) names.push_back(checked.mix.mistakes[i].id);
    absl::StrAppend(
        &text, "  ",
        cause.mistake < 0 ? "-" : checked.mix.mistakes[static_cast<size_t>(cause.mistake)].id, ": ",
        cause.title, ", ", cause.operations, " operations, ", cause.replays, " replays, line ",
        cause.changed_line == 0 ? std::string(cause.within_three ? "near" : "not named")
                                : absl::StrCat(cause.changed_line),
        names.size() > 1 ? absl::StrCat(" (of ", absl::StrJoin(names, " or "), ")") : "", "\n");
  }
  return text;
}

std::string CheckedMarkdown(const std::vector<CheckedMix>& all, const std::string& command) {
  std::string text = absl::StrCat(
      "Made by `", command,
      "`:\n\n| mix | causes | missing | twice | false | operations at most | replays at least | "
      "changed line named first | among the three named | first within three lines | s |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const CheckedMix& checked : all) {
    absl::StrAppend(&text, "| ", checked.mix.name, " | ", checked.causes.size(), " | ",
                    Joined(checked.Missing()), " | ", Joined(checked.Twice()), " | ",
                    checked.False(), " | ", checked.OperationsMost(), " | ", checked.ReplaysLeast(),
                    " | ", checked.ChangedLineFirst(), " | ", checked.ChangedLineNamed(), " | ",
                    checked.WithinThree(), " | ", static_cast<int>(checked.seconds + 0.5), " |\n");
  }
  return text;
}

}  // namespace cancelsafe
