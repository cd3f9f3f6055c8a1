// See mutant.h.
#include "fuzzers/mutants/mutant.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "oracle/family.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

constexpr char kExtension[] = ".patch";

absl::Status Error(const std::string& reason) { return absl::InvalidArgumentError(reason); }

absl::Status ReadFamily(const std::string& name, Mutant* mutant) {
  const std::optional<Family> family = FindFamily(name);
  if (!family) {
    return Error(absl::StrCat("family: '", name, "' is not one of ", FamilyNames()));
  }
  mutant->family = *family;
  return absl::OkStatus();
}

absl::Status ReadExpectation(const std::string& value, Mutant* mutant) {
  for (const absl::string_view name : absl::StrSplit(value, ' ', absl::SkipEmpty())) {
    VerdictKind kind = VerdictKind::kUnknown;
    if (!VerdictKindOf(name, &kind) || kind == VerdictKind::kUnknown ||
        kind == VerdictKind::kPass) {
      return Error(
          absl::StrCat("expect: '", name, "' is not a kind of verdict that counts as a catch"));
    }
    mutant->expect.push_back(kind);
  }
  return mutant->expect.empty() ? Error("expect: no kind of verdict") : absl::OkStatus();
}

absl::Status ReadField(const std::string& name, const std::string& value, Mutant* mutant) {
  if (value.empty()) return Error(absl::StrCat(name, ": no value"));
  if (name == "family") return ReadFamily(value, mutant);
  if (name == "expect") return ReadExpectation(value, mutant);
  if (name == "concurrent" || name == "fences") {
    if (value != "yes" && value != "no") return Error(absl::StrCat(name, ": neither yes nor no"));
    (name == "fences" ? mutant->fences : mutant->concurrent) = value == "yes";
  } else if (name == "id") {
    if (value != mutant->id) return Error(absl::StrCat("id: '", value, "' is not the file's name"));
  } else if (name == "class") {
    mutant->bug_class = value;
  } else if (name == "story") {
    mutant->story = value;
  } else if (name == "clause") {
    mutant->clause = value;
  } else {
    return Error(absl::StrCat("unknown header line '", name, "'"));
  }
  return absl::OkStatus();
}

}  // namespace

bool Mutant::expects(VerdictKind kind) const {
  return std::find(expect.begin(), expect.end(), kind) != expect.end();
}

absl::StatusOr<Mutant> ParseMutant(absl::string_view id, absl::string_view text) {
  Mutant mutant;
  mutant.id = std::string(id);
  std::set<std::string> seen;
  bool header = true;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    absl::string_view file = line;
    if (absl::ConsumePrefix(&file, "+++ b/")) {
      header = false;
      mutant.files.push_back(std::string(file));
    }
    header = header && !line.empty();
    if (!header) continue;
    const std::pair<std::string, std::string> field =
        absl::StrSplit(line, absl::MaxSplits(": ", 1));
    if (!seen.insert(field.first).second) return Error(absl::StrCat(field.first, ": given twice"));
    const absl::Status status = ReadField(field.first, field.second, &mutant);
    if (!status.ok()) return status;
  }
  for (const char* needed : {"id", "family", "class", "story", "expect", "concurrent"}) {
    if (seen.count(needed) == 0) return Error(absl::StrCat("no header line '", needed, "'"));
  }
  if (mutant.files.empty()) return Error("changes no file");
  return mutant;
}

absl::StatusOr<std::vector<Mutant>> LoadMutants(const std::string& folder) {
  std::vector<Mutant> mutants;
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return absl::UnavailableError(absl::StrCat(folder, " is not a folder of patches"));
  }
  for (const std::string& name : FilesIn(folder)) {
    const fs::path path(name);
    if (path.extension() != kExtension) continue;
    const absl::StatusOr<std::string> text = ReadFile(path.string());
    if (!text.ok()) return text.status();
    absl::StatusOr<Mutant> mutant = ParseMutant(path.stem().string(), *text);
    if (!mutant.ok()) {
      return Error(absl::StrCat(path.string(), ": ", mutant.status().message()));
    }
    mutant->path = fs::absolute(path).string();
    mutants.push_back(*std::move(mutant));
  }
  std::sort(mutants.begin(), mutants.end(),
            [](const Mutant& a, const Mutant& b) { return a.id < b.id; });
  return mutants;
}

std::vector<Mutant> FirstOfEachClass(const std::vector<Mutant>& mutants) {
  std::vector<Mutant> first;
  std::set<std::string> classes;
  for (const Mutant& mutant : mutants) {
    if (classes.insert(mutant.bug_class).second) first.push_back(mutant);
  }
  return first;
}

}  // namespace cancelsafe
