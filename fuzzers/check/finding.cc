// See finding.h.
#include "fuzzers/check/finding.h"

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace cancelsafe {
namespace {

using nlohmann::json;

json JsonOfLine(const SourceLine& line) {
  return {{"function", line.function}, {"file", line.file}, {"line", line.line}};
}

SourceLine LineOfJson(const json& object) {
  return {object.value("function", ""), object.value("file", ""), object.value("line", 0)};
}

}  // namespace

std::string SourceLine::Text() const {
  if (!known()) return function;
  return absl::StrCat(function, function.empty() ? "" : " ", file, ":", line);
}

SourceLine ParseSourceLine(absl::string_view text) {
  SourceLine line;
  const size_t colon = text.rfind(':');
  int number = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(text.substr(colon + 1), &number)) {
    return line;
  }
  // Functions of C++ have blanks in their parameters, paths hardly ever.
  const size_t blank = text.rfind(' ', colon);
  if (blank == absl::string_view::npos) return line;
  absl::string_view function = text.substr(0, blank);
  line.function = std::string(function.substr(0, function.find('(')));
  line.file = std::string(text.substr(blank + 1, colon - blank - 1));
  line.line = number;
  return line;
}

std::string CheckFinding::Key() const {
  std::string key =
      absl::StrCat(VerdictKindName(verdict.kind), "|", verdict.clause, "|", verdict.rule, "|");
  absl::StrAppend(&key, verdict.kind == VerdictKind::kDataRace ? verdict.reason : routine);
  return key;
}

std::set<std::string> RoutinesIn(const std::vector<std::string>& vanishes_without) {
  std::set<std::string> routines;
  for (const std::string& entry : vanishes_without) {
    for (const absl::string_view routine : absl::StrSplit(entry, '+')) routines.emplace(routine);
  }
  return routines;
}

std::string FindingJson(const CheckFinding& finding) {
  const Verdict& verdict = finding.verdict;
  json lines = json::array();
  for (const SourceLine& line : finding.lines) lines.push_back(JsonOfLine(line));
  json counts = json::array();
  for (const auto& [what, count] : finding.spectrum.counts) {
    counts.push_back({what, count.failing, count.passing, count.in_call ? 1 : 0});
  }
  json differences = json::array();
  for (const Difference& one : finding.differences) {
    differences.push_back(
        {static_cast<int>(one.kind), one.places, one.next, one.compared, one.entered, one.block});
  }
  const json object = {{"variant", finding.variant},
                       {"family", finding.family},
                       {"kind", VerdictKindName(verdict.kind)},
                       {"severity", SeverityName(verdict.severity)},
                       {"clause", verdict.clause},
                       {"rule", verdict.rule},
                       {"reason", verdict.reason},
                       {"routine", finding.routine},
                       {"program", finding.program},
                       {"operations", finding.operations},
                       {"fibers", finding.fibers},
                       {"ignored", finding.ignored},
                       {"lines", lines},
                       {"failing", finding.spectrum.failing},
                       {"passing", finding.spectrum.passing},
                       {"counts", counts},
                       {"differences", differences},
                       {"vanishes_without", finding.vanishes_without},
                       {"behind", finding.behind},
                       {"shown_in", finding.shown_in},
                       {"seen_there", finding.seen_there},
                       {"unconfirmed", finding.unconfirmed}};
  // What an implementation writes over may come out as something else than UTF-8.
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool ParseFindingJson(absl::string_view line, CheckFinding* finding) {
  const json object = json::parse(line.begin(), line.end(), nullptr, false);
  if (!object.is_object()) return false;
  CheckFinding read;
  try {
    if (!VerdictKindOf(object.value("kind", ""), &read.verdict.kind)) return false;
    read.variant = object.value("variant", "");
    read.family = object.value("family", "");
    read.verdict.severity = SeverityOf(object.value("severity", ""));
    read.verdict.clause = object.value("clause", "");
    read.verdict.rule = object.value("rule", "");
    read.verdict.reason = object.value("reason", "");
    read.routine = object.value("routine", "");
    read.program = object.value("program", "");
    read.operations = object.value("operations", 0);
    read.fibers = object.value("fibers", 0);
    read.ignored = object.value("ignored", std::vector<std::string>());
    for (const json& place : object.value("lines", json::array())) {
      read.lines.push_back(LineOfJson(place));
    }
    read.spectrum.failing = object.value("failing", 0);
    read.spectrum.passing = object.value("passing", 0);
    for (const json& one : object.value("counts", json::array())) {
      read.spectrum.counts[one.at(0)] = {one.at(1), one.at(2), one.at(3) != 0};
    }
    for (const json& one : object.value("differences", json::array())) {
      read.differences.push_back({static_cast<Difference::Kind>(one.at(0).get<int>()), one.at(1),
                                  one.at(2), one.at(3), one.at(4), one.at(5)});
    }
    read.vanishes_without = object.value("vanishes_without", std::vector<std::string>());
    read.behind = object.value("behind", std::vector<std::string>());
    read.shown_in = object.value("shown_in", "");
    read.seen_there = object.value("seen_there", false);
    read.unconfirmed = object.value("unconfirmed", false);
  } catch (const json::exception&) {
    return false;
  }
  *finding = std::move(read);
  return true;
}

}  // namespace cancelsafe
