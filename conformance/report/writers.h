// The formats of a report. Each writer is a function from report to text; the
// same report gives the same text, byte for byte.
#ifndef CANCELSAFE_CONFORMANCE_REPORT_WRITERS_H_
#define CANCELSAFE_CONFORMANCE_REPORT_WRITERS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "conformance/report/report.h"

namespace cancelsafe::conformance {

// For people at a terminal: a table by routine, the failures with expected and
// seen traces side by side, and one closing line.
std::string ConsoleTable(const Report& report);
std::string ConsoleFailures(const Report& report);
std::string ClosingLine(const Report& report);

std::string JUnitXml(const Report& report);
std::string Tap14(const Report& report);
// Header, one object a case, footer with the counts.
std::string JsonLines(const Report& report);
// For pull requests.
std::string Markdown(const Report& report);
// One self-contained page; several reports stand side by side in one matrix.
std::string Html(const std::vector<Report>& reports);

// Reads back what JsonLines wrote. False with a reason if the footer is missing
// or does not match.
bool ReadJsonLines(const std::string& text, Report* report, std::string* error);

// Writes junit.xml, report.tap, report.jsonl, report.md and report.html of
// reports[0] (the page with all of them) into `directory`, which is made. A file that is
// there is replaced, a link too: nothing outside of the folder is written.
absl::Status WriteReports(const std::vector<Report>& reports, const std::string& directory);

}  // namespace cancelsafe::conformance

#endif  // CANCELSAFE_CONFORMANCE_REPORT_WRITERS_H_
