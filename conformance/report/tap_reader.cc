// See tap_reader.h. The YAML is the small part of it that the suite writes.
#include "conformance/report/tap_reader.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "conformance/report/printable.h"
#include "conformance/suite/runner.h"

namespace cancelsafe::conformance {

namespace {

std::vector<std::string> Words(absl::string_view text) {
  return absl::StrSplit(text, ' ', absl::SkipEmpty());
}

std::string Unquoted(absl::string_view text) {
  if (text.size() < 2 || text.front() != '"') return std::string(text);
  std::string plain;
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '\\' && i + 2 < text.size()) ++i;
    plain.push_back(text[i]);
  }
  return plain;
}

// A failure that names no clause, and an end before the end, count against all
// clauses of the case.
void BlameAll(CaseReport* c) {
  c->failed.insert(c->clauses.begin(), c->clauses.end());
  c->passed.clear();
}

// Whether a test point and its verdict say the opposite. A case that is left out is "ok"; an
// expected failure and an unexpected pass may be either.
bool Contradicts(bool not_ok, CaseVerdict verdict) {
  if (not_ok) return verdict == CaseVerdict::kPass || verdict == CaseVerdict::kAmbiguous;
  return verdict == CaseVerdict::kFail || verdict == CaseVerdict::kCrash ||
         verdict == CaseVerdict::kTimeout;
}

class Reader {
 public:
  explicit Reader(Report* report) : report_(report) {}

  bool Line(absl::string_view line, std::string* error) {
    if (absl::StartsWith(line, "ok ") || absl::StartsWith(line, "not ok ")) {
      if (Begin(line, error)) return true;
      if (!error->empty()) return false;
    } else if (!open_ || line.empty() || line == "  ---" || absl::StartsWith(line, "#")) {
      return true;
    } else if (line == "  ...") {
      if (has_verdict_ && Contradicts(not_ok_, case_.verdict)) {
        *error = absl::StrCat("case ", case_.id, " is '", not_ok_ ? "not ok" : "ok",
                              "', and its verdict is ", CaseVerdictName(case_.verdict));
        return false;
      }
      End();
      return true;
    } else if (InBlock(line)) {
      return true;
    }
    *error = absl::StrCat("not a line of the suite: ", Printable(line));
    return false;
  }

  void Finish() {
    if (!open_) return;
    case_.verdict = CaseVerdict::kCrash;
    case_.reason = "the report ends inside this case";
    End();
  }

 private:
  bool Begin(absl::string_view line, std::string* error) {
    Finish();
    const size_t dash = line.find(" - ");
    if (dash == absl::string_view::npos) return false;
    absl::string_view id = line.substr(dash + 3);
    id = id.substr(0, id.find(' '));
    if (!ids_.insert(std::string(id)).second) {
      *error = absl::StrCat("case ", id, " is there twice");
      return false;
    }
    case_ = CaseReport();
    not_ok_ = absl::StartsWith(line, "not ");
    has_verdict_ = false;
    list_.clear();
    open_ = DescribeCase(std::string(id), &case_);
    return open_;
  }

  void End() {
    if (!has_verdict_ && case_.verdict != CaseVerdict::kCrash) {
      case_.verdict = CaseVerdict::kCrash;
      case_.reason = "the report has no verdict for this case";
    }
    if (case_.verdict == CaseVerdict::kCrash || case_.verdict == CaseVerdict::kTimeout)
      BlameAll(&case_);
    for (CheckFailure& failure : case_.failures) {
      if (failure.clauses.empty()) BlameAll(&case_);
    }
    for (const std::string& clause : case_.failed) case_.passed.erase(clause);
    report_->cases.push_back(case_);
    open_ = false;
  }

  bool InBlock(absl::string_view line) {
    if (absl::ConsumePrefix(&line, "    - ")) return Element(line);
    if (absl::ConsumePrefix(&line, "      ")) return OfFailure(line);
    if (!absl::ConsumePrefix(&line, "  ")) return false;
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (parts.size() != 2) return false;
    const std::string value = Unquoted(absl::StripPrefix(parts[1], " "));
    if (parts[0] == "verdict") {
      has_verdict_ = CaseVerdictOfName(value, &case_.verdict);
      return has_verdict_;
    }
    if (parts[0] == "reason") {
      case_.reason = value;
      return true;
    }
    list_ = parts[0];
    return value.empty();
  }

  bool Element(absl::string_view line) {
    if (list_ == "steps" || list_ == "trace") {
      (list_ == "steps" ? case_.steps : case_.trace).push_back(Unquoted(line));
      return true;
    }
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (parts.size() != 2) return false;
    const absl::string_view value = absl::StripPrefix(parts[1], " ");
    if (list_ == "checks") {
      for (std::string& clause : Words(value)) {
        (parts[0] == "failed" ? case_.failed : case_.passed).insert(clause);
      }
      return true;
    }
    if (list_ == "readings") {
      case_.readings.emplace_back(parts[0], Unquoted(value));
      return true;
    }
    if (list_ != "failures") return false;
    case_.failures.emplace_back();
    case_.failures.back().clauses = Words(value);
    return true;
  }

  bool OfFailure(absl::string_view line) {
    if (case_.failures.empty()) return false;
    CheckFailure& failure = case_.failures.back();
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (parts.size() != 2) return false;
    const std::string value = Unquoted(absl::StripPrefix(parts[1], " "));
    if (parts[0] == "at") {
      failure.at = value;
    } else if (parts[0] == "what") {
      failure.what = value;
    } else if (parts[0] == "expected") {
      failure.expected = value;
    } else if (parts[0] == "seen") {
      failure.seen = value;
    } else {
      return false;
    }
    return true;
  }

  Report* report_;
  std::set<std::string> ids_;
  CaseReport case_;
  std::string list_;
  bool open_ = false;
  // Of the case that is read.
  bool not_ok_ = false;
  bool has_verdict_ = false;
};

}  // namespace

bool DescribeCase(const std::string& id, CaseReport* report) {
  for (int i = 0; i < suite::CaseCount(); ++i) {
    const suite::Case& c = suite::CaseAt(i);
    if (id != c.id) continue;
    report->id = id;
    report->routine = Words(c.routines).front();
    report->clauses = Words(c.clauses);
    report->requirement = c.requirement;
    return true;
  }
  return false;
}

bool ReadTap(const std::string& tap, Report* report, std::string* error) {
  error->clear();
  Reader reader(report);
  int number = 0;
  for (absl::string_view raw : absl::StrSplit(WithoutByteOrderMark(tap), '\n')) {
    ++number;
    if (reader.Line(absl::StripSuffix(raw, "\r"), error)) continue;
    *error = absl::StrCat("line ", number, ": ", *error);
    return false;
  }
  reader.Finish();
  MakePrintable(report);
  return true;
}

void AddMissingCases(Report* report) {
  for (int i = 0; i < suite::CaseCount(); ++i) {
    const std::string id = suite::CaseAt(i).id;
    const bool present = std::any_of(report->cases.begin(), report->cases.end(),
                                     [&](const CaseReport& c) { return c.id == id; });
    if (present) continue;
    CaseReport missing;
    DescribeCase(id, &missing);
    missing.verdict = CaseVerdict::kCrash;
    missing.reason = "missing from the results: the host ended before this case";
    missing.failed.insert(missing.clauses.begin(), missing.clauses.end());
    report->cases.push_back(missing);
  }
}

}  // namespace cancelsafe::conformance
