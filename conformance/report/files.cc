// The files of a report directory, each replaced as a whole; links in it are not followed.
#include "base/files.h"

#include <utility>

#include "conformance/report/writers.h"

namespace cancelsafe::conformance {

absl::Status WriteReports(const std::vector<Report>& reports, const std::string& directory) {
  absl::Status status = MakeFolder(directory);
  const Report& report = reports.front();
  const std::pair<const char*, std::string> files[] = {{"junit.xml", JUnitXml(report)},
                                                       {"report.tap", Tap14(report)},
                                                       {"report.jsonl", JsonLines(report)},
                                                       {"report.md", Markdown(report)},
                                                       {"report.html", Html(reports)}};
  for (const auto& [name, text] : files) {
    if (status.ok()) status = WriteFileIn(directory, name, text);
  }
  return status;
}

}  // namespace cancelsafe::conformance
