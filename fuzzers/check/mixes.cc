// See mixes.h.
#include "fuzzers/check/mixes.h"

#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "base/files.h"

namespace cancelsafe {

std::string WriteMixedSources(const std::vector<std::string>& mistakes,
                              const std::vector<std::string>& files, const std::string& folder) {
  const absl::StatusOr<std::string> text =
      ReadFile(CANCELSAFE_ROOT "/fuzzers/check/testdata/mixes.json");
  if (!text.ok()) return std::string(text.status().message());
  const nlohmann::json known = nlohmann::json::parse(*text);
  std::map<std::string, std::string> sources;
  for (const std::string& file : files) {
    const absl::StatusOr<std::string> source =
        ReadFile(absl::StrCat(CANCELSAFE_ROOT "/impl/reference/", file));
    if (!source.ok()) return std::string(source.status().message());
    sources[file] = *source;
  }
  for (const std::string& name : mistakes) {
    bool found = false;
    for (const nlohmann::json& mistake : known["mutants"]) {
      if (mistake["id"] != name) continue;
      std::string& source = sources[mistake["file"]];
      const std::string find = mistake["find"];
      const size_t at = source.find(find);
      if (at == std::string::npos) return absl::StrCat(name, " does not fit");
      source.replace(at, find.size(), mistake["replace"].get<std::string>());
      found = true;
    }
    if (!found) return absl::StrCat("no mistake ", name);
  }
  for (const auto& [file, source] : sources) {
    const absl::Status status = WriteFileAtomically(absl::StrCat(folder, "/", file), source);
    if (!status.ok()) return std::string(status.message());
  }
  return "";
}

}  // namespace cancelsafe
