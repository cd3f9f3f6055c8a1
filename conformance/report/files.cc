// The files of a report directory.
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "conformance/report/writers.h"

namespace cancelsafe::conformance {

namespace {

bool WriteFile(const std::string& path, const std::string& text, std::string* error) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (file) return true;
  *error = absl::StrCat("cannot write ", path);
  return false;
}

}  // namespace

bool WriteReports(const std::vector<Report>& reports, const std::string& directory,
                  std::string* error) {
  std::error_code code;
  std::filesystem::create_directories(directory, code);
  if (code) {
    *error = absl::StrCat("cannot make ", directory, ": ", code.message());
    return false;
  }
  const Report& report = reports.front();
  return WriteFile(directory + "/junit.xml", JUnitXml(report), error) &&
         WriteFile(directory + "/report.tap", Tap14(report), error) &&
         WriteFile(directory + "/report.jsonl", JsonLines(report), error) &&
         WriteFile(directory + "/report.md", Markdown(report), error) &&
         WriteFile(directory + "/report.html", Html(reports), error);
}

}  // namespace cancelsafe::conformance
