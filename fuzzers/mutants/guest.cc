// See guest.h.
#include "fuzzers/mutants/guest.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "base/process.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

constexpr int kCompileSecondsMax = 120;
constexpr size_t kComplaintBytesMax = 2000;

absl::Status FileError(const std::string& what, const std::error_code& error) {
  return absl::UnavailableError(absl::StrCat(what, ": ", error.message()));
}

// One flag, or what CMake keeps together: "SHELL:-mllvm -flag=1".
void AddFlags(absl::string_view value, std::vector<std::string>* flags) {
  if (absl::ConsumePrefix(&value, "SHELL:")) {
    for (const absl::string_view word : absl::StrSplit(value, ' ', absl::SkipEmpty())) {
      flags->push_back(std::string(word));
    }
  } else if (!value.empty()) {
    flags->push_back(std::string(value));
  }
}

}  // namespace

absl::StatusOr<std::string> RunCommand(const std::vector<std::string>& arguments, int seconds_max) {
  std::string output;
  const absl::StatusOr<ChildEnd> end = RunProcess(
      arguments, seconds_max, [&](absl::string_view text) { absl::StrAppend(&output, text); });
  if (!end.ok()) return end.status();
  if (end->status.clean() && !end->timed_out) return output;
  const size_t from = output.size() - std::min(output.size(), kComplaintBytesMax);
  return absl::InternalError(absl::StrCat(
      arguments[0], end->timed_out ? " took too long" : " failed", ":\n", output.substr(from)));
}

absl::StatusOr<GuestRecipe> ReadGuestRecipe(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  GuestRecipe recipe;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(*text, '\n'))) {
    if (line.empty()) continue;
    const size_t space = line.find(' ');
    const std::string word = line.substr(0, space);
    const std::string value = space == std::string::npos ? "" : line.substr(space + 1);
    if (word == "compiler") {
      recipe.compiler = value;
    } else if (word == "source") {
      recipe.sources.push_back(value);
    } else if (word == "compile") {
      AddFlags(value, &recipe.compile_flags);
    } else if (word == "link") {
      AddFlags(value, &recipe.link_flags);
    } else {
      return absl::InvalidArgumentError(absl::StrCat(path, ": unknown line '", line, "'"));
    }
  }
  if (recipe.compiler.empty() || recipe.sources.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": names no compiler or no sources"));
  }
  return recipe;
}

absl::StatusOr<GuestBuilder> GuestBuilder::Create(const GuestRecipe& recipe,
                                                  const std::string& work) {
  std::error_code error;
  fs::create_directories(work + "/plain", error);
  if (error) return FileError(work, error);
  GuestBuilder builder(recipe, fs::absolute(work).string());
  for (const std::string& source : recipe.sources) {
    const absl::Status status = builder.Compile(source, builder.PlainObject(source));
    if (!status.ok()) return status;
  }
  return builder;
}

std::string GuestBuilder::PlainObject(const std::string& source) const {
  return absl::StrCat(work_, "/plain/", fs::path(source).filename().string(), ".o");
}

absl::Status GuestBuilder::Compile(const std::string& source, const std::string& object) const {
  std::vector<std::string> command = {recipe_.compiler};
  command.insert(command.end(), recipe_.compile_flags.begin(), recipe_.compile_flags.end());
  // A patch may leave something unused.
  command.insert(command.end(), {"-w", "-c", source, "-o", object});
  return RunCommand(command, kCompileSecondsMax).status();
}

// The sources and the headers beside them, without subfolders.
absl::Status GuestBuilder::CopySources(const std::string& folder) const {
  std::error_code error;
  fs::remove_all(folder, error);
  fs::create_directories(folder, error);
  if (error) return FileError(folder, error);
  const fs::path from = fs::path(recipe_.sources.front()).parent_path();
  for (fs::directory_iterator it(from, error), end; !error && it != end; it.increment(error)) {
    const std::string extension = it->path().extension().string();
    if (extension != ".cc" && extension != ".h") continue;
    fs::copy_file(it->path(), fs::path(folder) / it->path().filename(), error);
    if (error) break;
  }
  return error ? FileError(from.string(), error) : absl::OkStatus();
}

absl::Status GuestBuilder::Link(const std::vector<std::string>& objects,
                                const std::string& path) const {
  std::vector<std::string> command = {recipe_.compiler};
  command.insert(command.end(), recipe_.link_flags.begin(), recipe_.link_flags.end());
  command.insert(command.end(), objects.begin(), objects.end());
  command.insert(command.end(), {"-o", path});
  return RunCommand(command, kCompileSecondsMax).status();
}

absl::StatusOr<std::string> GuestBuilder::Build(const Mutant& mutant) const {
  const std::string folder = absl::StrCat(work_, "/", mutant.id);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return FileError(folder, error);
  const std::string sources = folder + "/source/impl";
  absl::Status status;
  bool header_changed = false;
  if (!mutant.path.empty()) {
    status = CopySources(sources);
    if (!status.ok()) return status;
    status = RunCommand({"/usr/bin/patch", "-p1", "--fuzz=0", "--silent", "-d", folder + "/source",
                         "-i", mutant.path},
                        kCompileSecondsMax)
                 .status();
    if (!status.ok()) return status;
    for (const std::string& file : mutant.files) header_changed |= absl::EndsWith(file, ".h");
  }
  std::vector<std::string> objects;
  for (const std::string& source : recipe_.sources) {
    const std::string name = fs::path(source).filename().string();
    const bool changed =
        std::find(mutant.files.begin(), mutant.files.end(), "impl/" + name) != mutant.files.end();
    if (!changed && !header_changed) {
      objects.push_back(PlainObject(source));
      continue;
    }
    objects.push_back(absl::StrCat(folder, "/", name, ".o"));
    status = Compile(absl::StrCat(sources, "/", name), objects.back());
    if (!status.ok()) return status;
  }
  const std::string path = absl::StrCat(folder, "/", mutant.id, ".so");
  status = Link(objects, path);
  if (!status.ok()) return status;
  return path;
}

}  // namespace cancelsafe
