// See cause_files.h.
#include "fuzzers/check/cause_files.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "conformance/report/catalogue.h"
#include "conformance/report/printable.h"

namespace cancelsafe {
namespace {

using conformance::InMarkup;
using conformance::InTableCell;

constexpr char kStyle[] = R"(<style>
:root { color-scheme: light dark; }
body { font: 16px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 70em; padding: 1em; }
pre { overflow-x: auto; padding: .7em; border: 1px solid #8884; border-radius: .3em; }
article { border-top: 1px solid #8886; padding: .5em 0; overflow-wrap: anywhere; }
dt { font-weight: 600; } dd { margin: 0 0 .4em 1em; }
.known { opacity: .7; }
</style>
)";

// GitHub ends a message at a line feed and a property at a comma or colon.
std::string InMessage(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"%", "%25"}, {"\r", "%0D"}, {"\n", "%0A"}});
}
std::string InProperty(absl::string_view text) {
  return absl::StrReplaceAll(InMessage(text), {{":", "%3A"}, {",", "%2C"}});
}

std::string AnnotationOf(Severity severity) {
  const std::string level = LevelOf(severity);
  return level == "note" ? "notice" : level;
}

// A fence that is longer than any run of backquotes in the text.
std::string Fenced(const std::string& text) {
  std::string fence = "```";
  while (absl::StrContains(text, fence)) fence += '`';
  return absl::StrCat(fence, "\n", text, absl::EndsWith(text, "\n") ? "" : "\n", fence, "\n");
}

}  // namespace

std::string CausesJUnit(const CauseList& list) {
  int failures = static_cast<int>(list.gone.size());
  int skipped = 0;
  std::string cases;
  for (const ReportedCause& reported : list.causes) {
    const CheckFinding& shown = reported.cause.shown;
    absl::StrAppend(&cases, "    <testcase classname=\"",
                    InMarkup(shown.routine.empty() ? "check" : shown.routine), "\" name=\"",
                    InMarkup(reported.cause.Identity()), "\">\n");
    if (reported.known) {
      ++skipped;
      absl::StrAppend(&cases, "      <skipped message=\"known: the baseline has it\"/>\n");
    } else {
      ++failures;
      std::string text = absl::StrCat(SentenceOf(reported.cause), "\n", shown.program);
      for (const CauseFact& fact : FactsOf(reported)) {
        for (const std::string& value : fact.values) {
          absl::StrAppend(&text, fact.name, ": ", value, "\n");
        }
      }
      absl::StrAppend(&cases, "      <failure type=\"",
                      InMarkup(SeverityName(reported.cause.severity)), "\" message=\"",
                      InMarkup(TitleOf(reported.cause)), "\">", InMarkup(text), "</failure>\n");
    }
    absl::StrAppend(&cases, "    </testcase>\n");
  }
  for (const std::string& gone : list.gone) {
    absl::StrAppend(&cases, "    <testcase classname=\"baseline\" name=\"", InMarkup(gone),
                    "\">\n      <failure type=\"gone\" message=\"the baseline has it, and it was "
                    "not found\"/>\n    </testcase>\n");
  }
  size_t tests = list.causes.size() + list.gone.size();
  const int errors = list.whole ? 0 : 1;
  if (!list.whole) {
    ++tests;
    absl::StrAppend(&cases, "    <testcase classname=\"check\" name=\"all parts ran\">\n      ",
                    "<error message=\"", InMarkup(list.summary), "\"/>\n    </testcase>\n");
  }
  if (tests == 0) {
    tests = 1;
    absl::StrAppend(&cases, "    <testcase classname=\"check\" name=\"no findings\"/>\n");
  }
  const std::string counts = absl::StrCat("tests=\"", tests, "\" failures=\"", failures,
                                          "\" errors=\"", errors, "\" skipped=\"", skipped, "\"");
  return absl::StrCat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites ", counts,
                      ">\n  <testsuite name=\"cancelsafe check\" ", counts, ">\n", cases,
                      "  </testsuite>\n</testsuites>\n");
}

std::string CausesMarkdown(const CauseList& list) {
  std::string text = absl::StrCat("## Causes\n\n", InTableCell(list.summary), "\n\n");
  if (!list.causes.empty()) {
    absl::StrAppend(&text, "| | severity | what | where | operations |\n|---:|---|---|---|---:|\n");
  }
  int number = 0;
  for (const ReportedCause& reported : list.causes) {
    const CheckFinding& shown = reported.cause.shown;
    absl::StrAppend(
        &text, "| ", ++number, " | ", SeverityName(reported.cause.severity),
        reported.known ? " (known)" : "", " | ", InTableCell(SentenceOf(reported.cause)), " | ",
        InTableCell(reported.cause.lines.empty() ? shown.routine : reported.cause.lines[0].Text()),
        " | ", shown.program.empty() ? std::string("-") : absl::StrCat(shown.operations), " |\n");
  }
  number = 0;
  for (const ReportedCause& reported : list.causes) {
    ++number;
    if (reported.known) continue;
    absl::StrAppend(&text, "\n<details><summary>", number, ". ", InMarkup(TitleOf(reported.cause)),
                    "</summary>\n\n");
    for (const CauseFact& fact : FactsOf(reported)) {
      for (const std::string& value : fact.values) {
        absl::StrAppend(&text, "- ", fact.name, ": ", InTableCell(value), "\n");
      }
    }
    if (!reported.cause.shown.program.empty()) {
      absl::StrAppend(&text, "\n", Fenced(reported.cause.shown.program));
    }
    absl::StrAppend(&text, "\n</details>\n");
  }
  for (const std::string& gone : list.gone)
    absl::StrAppend(&text, "\nGone: ", InTableCell(gone), "\n");
  return text;
}

std::string CausesHtml(const CauseList& list) {
  std::string page = absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width\">\n<title>Causes</title>\n",
      kStyle, "<h1>Causes</h1>\n<p>", InMarkup(list.summary), "</p>\n");
  int number = 0;
  for (const ReportedCause& reported : list.causes) {
    absl::StrAppend(&page, "<article", reported.known ? " class=\"known\"" : "", ">\n<h2>",
                    ++number, ". ", InMarkup(TitleOf(reported.cause)),
                    reported.known ? " (known)" : "", "</h2>\n<p>",
                    InMarkup(SentenceOf(reported.cause)), "</p>\n<dl>\n");
    for (const CauseFact& fact : FactsOf(reported)) {
      absl::StrAppend(&page, "<dt>", fact.name, "</dt>");
      for (const std::string& value : fact.values) {
        const std::string shown = InMarkup(value);
        absl::StrAppend(&page, "<dd>",
                        fact.name == "page" && conformance::IsWebAddress(value)
                            ? absl::StrCat("<a href=\"", shown, "\">", shown, "</a>")
                        : fact.name == "replay" ? absl::StrCat("<code>", shown, "</code>")
                                                : shown,
                        "</dd>\n");
      }
    }
    absl::StrAppend(&page, "</dl>\n");
    if (!reported.cause.shown.program.empty()) {
      absl::StrAppend(&page, "<pre>", InMarkup(reported.cause.shown.program), "</pre>\n");
    }
    absl::StrAppend(&page, "</article>\n");
  }
  for (const std::string& gone : list.gone) {
    absl::StrAppend(&page, "<p>Gone: ", InMarkup(gone), "</p>\n");
  }
  return absl::StrCat(page, "</html>\n");
}

std::string CausesAnnotations(const CauseList& list, absl::string_view root) {
  std::string lines;
  for (const ReportedCause& reported : list.causes) {
    if (reported.known) continue;
    std::string place;
    for (const SourceLine& line : reported.cause.lines) {
      if (!line.known()) continue;
      absl::string_view file = line.file;
      if (!root.empty() && absl::ConsumePrefix(&file, root)) absl::ConsumePrefix(&file, "/");
      place = absl::StrCat("file=", InProperty(file), ",line=", line.line, ",");
      break;
    }
    absl::StrAppend(&lines, "::", AnnotationOf(reported.cause.severity), " ", place,
                    "title=", InProperty(TitleOf(reported.cause)),
                    "::", InMessage(SentenceOf(reported.cause)), "\n");
  }
  return lines;
}

absl::Status WriteCauseFiles(const CauseList& list, const std::string& folder) {
  const std::pair<const char*, std::string> files[] = {
      {"causes.json", CausesJson(list.causes)},
      {"causes.sarif", CausesSarif(list.causes, list.has_baseline, list.whole)},
      {"causes.xml", CausesJUnit(list)},
      {"causes.md", CausesMarkdown(list)},
      {"causes.html", CausesHtml(list)},
  };
  for (const auto& [name, contents] : files) {
    const absl::Status status = WriteFileIn(folder, name, contents);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace cancelsafe
