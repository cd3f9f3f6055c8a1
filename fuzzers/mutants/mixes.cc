// See mixes.h.
#include "fuzzers/mutants/mixes.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "oracle/family.h"

namespace cancelsafe {
namespace {

absl::StatusOr<nlohmann::json> ReadMixes(const std::string& tree) {
  const std::string path = tree + "/fuzzers/mutants/mixes.json";
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  nlohmann::json parsed = nlohmann::json::parse(*text, nullptr, false);
  if (parsed.is_discarded()) return absl::DataLossError(path + " is not JSON");
  return parsed;
}

}  // namespace

std::vector<std::string> MixedFiles() {
  std::vector<std::string> files;
  for (int i = 0; i < kFamilyCount; ++i) {
    files.push_back(absl::StrCat(FamilyFileName(FamilyNumber(i)), ".cc"));
  }
  return files;
}

absl::StatusOr<std::vector<Mistake>> LoadMistakes(const std::string& tree) {
  const absl::StatusOr<nlohmann::json> known = ReadMixes(tree);
  if (!known.ok()) return known.status();
  std::vector<Mistake> mistakes;
  for (const nlohmann::json& one : (*known)["mutants"]) {
    mistakes.push_back({one["id"], one["file"], one["find"], one["replace"]});
  }
  return mistakes;
}

absl::StatusOr<std::vector<Mistake>> ChooseMistakes(const std::vector<Mistake>& all,
                                                    const std::vector<std::string>& ids) {
  std::vector<Mistake> chosen;
  for (const std::string& id : ids) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Mistake& one) { return one.id == id; });
    if (found == all.end()) return absl::NotFoundError(absl::StrCat("no mistake ", id));
    chosen.push_back(*found);
  }
  return chosen;
}

absl::StatusOr<std::vector<Mix>> LoadMixes(const std::string& tree) {
  const absl::StatusOr<nlohmann::json> known = ReadMixes(tree);
  if (!known.ok()) return known.status();
  const absl::StatusOr<std::vector<Mistake>> all = LoadMistakes(tree);
  if (!all.ok()) return all.status();
  std::vector<Mix> mixes;
  for (const nlohmann::json& one : (*known)["mixes"]) {
    const absl::StatusOr<std::vector<Mistake>> mistakes =
        ChooseMistakes(*all, one["mutants"].get<std::vector<std::string>>());
    if (!mistakes.ok()) return mistakes.status();
    mixes.push_back({one["name"], *mistakes});
  }
  return mixes;
}

absl::Status WriteMixedSources(const std::string& tree, const std::vector<Mistake>& mistakes,
                               const std::vector<std::string>& files, const std::string& folder) {
  std::map<std::string, std::string> sources;
  for (const std::string& file : files) {
    const absl::StatusOr<std::string> source =
        ReadFile(absl::StrCat(tree, "/impl/reference/", file));
    if (!source.ok()) return source.status();
    sources[file] = *source;
  }
  for (const Mistake& mistake : mistakes) {
    std::string& source = sources[mistake.file];
    const size_t at = source.find(mistake.find);
    if (at == std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat(mistake.id, " does not fit"));
    }
    source.replace(at, mistake.find.size(), mistake.replace);
  }
  const absl::Status made = MakeFolder(folder);
  if (!made.ok()) return made;
  for (const auto& [file, source] : sources) {
    const absl::Status status = WriteFileAtomically(absl::StrCat(folder, "/", file), source);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace cancelsafe
