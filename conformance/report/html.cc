// The page: page.html with the catalogue and the reports put into it as JSON.
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "conformance/report/catalogue.h"
#include "conformance/report/printable.h"
#include "conformance/report/writers.h"
#include "conformance/suite/runner.h"

extern "C" const char cancelsafe_page_begin[];
extern "C" const char cancelsafe_page_end[];

namespace cancelsafe::conformance {

namespace {

using Json = nlohmann::ordered_json;

Json CatalogueJson() {
  Json clauses = Json::array();
  for (const Clause& clause : Catalogue()) {
    if (clause.check == "drivers") continue;  // not of implementations
    clauses.push_back({{"id", clause.id},
                       {"routine", clause.routine},
                       {"rule", clause.rule},
                       {"kind", clause.kind},
                       {"source", clause.source},
                       {"evidence", clause.evidence},
                       {"ambiguity", clause.ambiguity},
                       {"check", clause.check},
                       {"reason", clause.reason}});
  }
  return clauses;
}

// The cases as JsonLines has them, and the requirement with each.
Json ReportJson(const Report& report) {
  Json json;
  json["implementation"] = report.implementation;
  json["host"] = report.host;
  json["cases"] = Json::array();
  const std::string text = JsonLines(report);
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  for (size_t i = 1; i + 1 < lines.size(); ++i) {
    Json line = Json::parse(lines[i].begin(), lines[i].end());
    const CaseReport& c = report.cases[i - 1];
    line["requirement"] = c.requirement;
    // Any other scheme would be run by the browser of the reader.
    if (IsWebAddress(c.link)) line["href"] = c.link;
    json["cases"].push_back(std::move(line));
  }
  return json;
}

}  // namespace

std::string Html(const std::vector<Report>& reports) {
  Json data;
  data["version"] = kSuiteVersion;
  data["clauses"] = CatalogueJson();
  data["ambiguities"] = Json::object();
  for (const Report& report : reports) {
    for (const auto& [id, texts] : Readings(report))
      data["ambiguities"][id] = AmbiguityQuestion(id);
  }
  data["reports"] = Json::array();
  for (const Report& report : reports) data["reports"].push_back(ReportJson(report));
  // Nothing in the data may end the script element it stands in.
  const std::string text = absl::StrReplaceAll(data.dump(), {{"<", "\\u003c"}});
  const std::string page(cancelsafe_page_begin, cancelsafe_page_end);
  const size_t at = page.find("@DATA@");
  return absl::StrCat(page.substr(0, at), text, page.substr(at + 6));
}

}  // namespace cancelsafe::conformance
