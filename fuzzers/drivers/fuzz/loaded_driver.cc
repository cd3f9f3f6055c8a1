// See loaded_driver.h.
#include "fuzzers/drivers/fuzz/loaded_driver.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "command/status.h"
#include "fuzzers/memory/runtime.h"
#include "fuzzers/program/text.h"

namespace cancelsafe::drivers {

LoadedDriver OpenDriver(const std::string& driver, const std::string& implementation) {
  LoadedDriver loaded;
  std::string error;
  loaded.image = LoadDriver(driver, &error);
  if (loaded.image == nullptr) throw UsageError(error);
  const std::vector<std::string>& missing = loaded.image->missing_services();
  if (!missing.empty()) {
    absl::StrAppend(&loaded.remarks, driver, " imports ", missing.size(),
                    missing.size() == 1 ? " service that is" : " services that are",
                    " not provided: ", absl::StrJoin(missing, ", "), "\n");
  }
  if (!loaded.image->instrumented()) {
    absl::StrAppend(&loaded.remarks, driver,
                    " was not built by 'cancelsafe drive build': the schedule switches at services"
                    " only, and data races are not seen.\n");
  }
  if (!implementation.empty()) {
    loaded.queues = std::make_unique<Implementation>();
    if (!LoadImplementation(implementation.c_str(), loaded.queues.get(), &error)) {
      throw UsageError(error);
    }
  }
  loaded.runner = std::make_unique<DriverRunner>(loaded.image.get(), loaded.queues.get());
  return loaded;
}

std::string DriverOf(const DriverProgramFile& file, const std::string& program_path,
                     const std::string& named) {
  if (!named.empty()) return named;
  for (const std::string& comment : file.header_comments) {
    absl::string_view rest = comment;
    if (!absl::ConsumePrefix(&rest, "driver ")) continue;
    const std::string driver(rest);
    const std::string beside = absl::StrCat(program_path.substr(0, program_path.rfind('/') + 1),
                                            driver.substr(driver.rfind('/') + 1));
    for (const std::string& path : {driver, beside}) {
      if (access(path.c_str(), R_OK) == 0) return path;
    }
    throw UsageError(absl::StrCat(program_path, ": its driver ", driver, " cannot be read, nor ",
                                  beside, "; name the driver with --driver FILE.sys"));
  }
  throw UsageError(absl::StrCat(program_path,
                                ": has no line '# driver FILE.sys' that says which driver it is"
                                " for; name the driver with --driver FILE.sys"));
}

DriverProgramFile OpenDriverProgram(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path, kMaxTextBytes);
  if (!text.ok()) throw UsageError(std::string(text.status().message()));
  absl::StatusOr<DriverProgramFile> file = ParseDriverProgram(*text);
  if (!file.ok()) throw UsageError(absl::StrCat(path, ": ", file.status().message()));
  if (!memory::kHooked && file->program.schedule.stale_count != 0) {
    throw UsageError(absl::StrCat(path,
                                  ": it was found with the memory engine, which this build "
                                  "does not have; run it with --sanitizer model"));
  }
  return *std::move(file);
}

std::set<std::string> IgnoredRules(const std::vector<std::string>& words) {
  std::set<std::string> ignored;
  for (const std::string& word : words) {
    DriverRule rule;
    if (!FindDriverRule(word, &rule)) {
      throw UsageError(absl::StrCat(
          "--ignore: '", word, "' is not a rule or clause for drivers; the rules are ",
          absl::StrJoin(DriverRules(), ", ", [](std::string* out, const DriverRuleRow& row) {
            out->append(row.name);
          })));
    }
    ignored.insert(word);
  }
  return ignored;
}

}  // namespace cancelsafe::drivers
