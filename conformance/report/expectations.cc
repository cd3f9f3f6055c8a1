// See expectations.h.
#include "conformance/report/expectations.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "conformance/report/catalogue.h"
#include "conformance/report/printable.h"
#include "conformance/suite/runner.h"

namespace cancelsafe::conformance {

namespace {

bool NeedsLink(CaseVerdict verdict) {
  return verdict == CaseVerdict::kFail || verdict == CaseVerdict::kCrash ||
         verdict == CaseVerdict::kTimeout;
}

const Expectation* Find(const std::vector<Expectation>& expectations, const std::string& id) {
  for (const Expectation& expectation : expectations) {
    if (GlobMatch(expectation.glob, id)) return &expectation;
  }
  return nullptr;
}

void Judge(const Expectation* expectation, CaseReport* c) {
  if (expectation == nullptr) {
    if (c->verdict == CaseVerdict::kNotProvided || c->verdict == CaseVerdict::kNotRun) {
      c->reason = absl::StrCat(CaseVerdictName(c->verdict), " but not expected to be: ", c->reason);
      c->verdict = CaseVerdict::kFail;
    }
    return;
  }
  c->link = expectation->link;
  if (c->verdict == expectation->verdict) {
    if (!NeedsLink(c->verdict)) return;
    c->verdict = CaseVerdict::kExpectedFailure;
    c->reason = expectation->reason;
    return;
  }
  c->reason = absl::StrCat("expected ", CaseVerdictName(expectation->verdict), " (",
                           expectation->reason, "), was ", CaseVerdictName(c->verdict));
  const bool passed = c->verdict == CaseVerdict::kPass || c->verdict == CaseVerdict::kAmbiguous;
  c->verdict = passed ? CaseVerdict::kUnexpectedPass : CaseVerdict::kFail;
}

}  // namespace

bool ParseExpectations(const std::string& text, std::vector<Expectation>* expectations,
                       std::string* error) {
  int number = 0;
  for (absl::string_view raw : absl::StrSplit(WithoutByteOrderMark(text), '\n')) {
    ++number;
    const absl::string_view line = absl::StripAsciiWhitespace(raw);
    if (line.empty() || line.front() == '#') continue;
    std::vector<std::string> parts = absl::StrSplit(line, '|');
    for (std::string& part : parts) part = Printable(absl::StripAsciiWhitespace(part));
    if (parts.size() > 4) {
      *error = absl::StrCat("line ", number, ": ", parts.size(),
                            " columns; a line has at most 4: case glob | verdict | reason | link");
      return false;
    }
    parts.resize(4);
    Expectation expectation;
    expectation.line = number;
    expectation.glob = parts[0];
    expectation.reason = parts[2];
    expectation.link = parts[3];
    const bool known =
        CaseVerdictOfName(parts[1], &expectation.verdict) &&
        (NeedsLink(expectation.verdict) || expectation.verdict == CaseVerdict::kNotProvided ||
         expectation.verdict == CaseVerdict::kNotRun);
    if (!known) {
      *error = absl::StrCat("line ", number, ": '", parts[1],
                            "' cannot be expected; a verdict is fail, crash, time-out, "
                            "not-provided or not-run");
      return false;
    }
    if (expectation.reason.empty()) {
      *error = absl::StrCat("line ", number, ": a reason is missing, in the third column");
      return false;
    }
    if (NeedsLink(expectation.verdict) && expectation.link.empty()) {
      *error = absl::StrCat("line ", number, ": a link is missing, in the fourth column");
      return false;
    }
    expectations->push_back(expectation);
  }
  return true;
}

std::string ExpectationsAfter(const Report& report) {
  std::string text = absl::StrCat("# Expectations of ", report.implementation, ".\n");
  for (const CaseReport& c : report.cases) {
    if (c.verdict == CaseVerdict::kPass || c.verdict == CaseVerdict::kAmbiguous) continue;
    const std::string reason = c.failures.empty() ? c.reason : c.failures.front().what;
    absl::StrAppend(&text, c.id, " | ", CaseVerdictName(c.verdict), " | ", reason, "\n");
  }
  return text;
}

std::vector<std::string> ApplyExpectations(const std::vector<Expectation>& expectations,
                                           Report* report) {
  std::vector<std::string> stale;
  for (const Expectation& expectation : expectations) {
    bool used = false;
    for (int i = 0; i < suite::CaseCount() && !used; ++i) {
      const std::string id = suite::CaseAt(i).id;
      used = Find(expectations, id) == &expectation;
    }
    if (!used) {
      stale.push_back(absl::StrCat("line ", expectation.line, ": ", expectation.glob));
    }
  }
  for (CaseReport& c : report->cases) Judge(Find(expectations, c.id), &c);
  return stale;
}

}  // namespace cancelsafe::conformance
