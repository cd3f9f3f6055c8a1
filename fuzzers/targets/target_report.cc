// See target_report.h.
#include "fuzzers/targets/target_report.h"

#include <nlohmann/json.hpp>

namespace cancelsafe {
namespace {

using nlohmann::json;

constexpr char kMark[] = "cancelsafe_report";
constexpr int kVersion = 1;

template <class T>
T Member(const json& object, const char* name, T otherwise) {
  const auto found = object.find(name);
  if (found == object.end()) return otherwise;
  if constexpr (std::is_same_v<T, std::string>) {
    return found->is_string() ? found->template get<T>() : otherwise;
  } else {
    return found->is_number_integer() ? found->template get<T>() : otherwise;
  }
}

}  // namespace

std::string TargetReportLine(const TargetReport& report) {
  const Verdict& verdict = report.verdict;
  const json line = {{kMark, kVersion},
                     {"kind", VerdictKindName(verdict.kind)},
                     {"severity", SeverityName(verdict.severity)},
                     {"clause", verdict.clause},
                     {"rule", verdict.rule},
                     {"reason", verdict.reason},
                     {"call", verdict.call},
                     {"event", verdict.event},
                     {"item", verdict.item},
                     {"saved", report.saved},
                     {"replay", report.replay},
                     {"unconfirmed", report.unconfirmed},
                     {"left_out", report.left_out ? 1 : 0}};
  // What an implementation writes over may come out as something else than UTF-8.
  return line.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool ParseTargetReport(absl::string_view line, TargetReport* report) {
  if (line.empty() || line.front() != '{') return false;
  const json object = json::parse(line.begin(), line.end(), nullptr, false);
  if (!object.is_object() || Member(object, kMark, 0) != kVersion) return false;
  TargetReport read;
  if (!VerdictKindOf(Member<std::string>(object, "kind", ""), &read.verdict.kind)) return false;
  read.verdict.severity = SeverityOf(Member<std::string>(object, "severity", ""));
  read.verdict.clause = Member<std::string>(object, "clause", "");
  read.verdict.rule = Member<std::string>(object, "rule", "");
  read.verdict.reason = Member<std::string>(object, "reason", "");
  read.verdict.call = Member(object, "call", -1);
  read.verdict.event = Member(object, "event", -1);
  read.verdict.item = Member(object, "item", -1);
  read.saved = Member<std::string>(object, "saved", "");
  read.replay = Member<std::string>(object, "replay", "");
  read.unconfirmed = Member<std::string>(object, "unconfirmed", "");
  read.left_out = Member(object, "left_out", 0) != 0;
  *report = std::move(read);
  return true;
}

}  // namespace cancelsafe
