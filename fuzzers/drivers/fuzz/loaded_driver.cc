// See loaded_driver.h.
#include "fuzzers/drivers/fuzz/loaded_driver.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "command/status.h"
#include "fuzzers/drivers/run/profile_file.h"
#include "fuzzers/memory/runtime.h"
#include "fuzzers/program/text.h"

namespace cancelsafe::drivers {

namespace {

// The file that the header names behind `word`, as it stands or in the folder of the program; ""
// without such a line.
std::string NamedFile(const DriverProgramFile& file, const std::string& program_path,
                      absl::string_view word) {
  for (const std::string& comment : file.header_comments) {
    absl::string_view rest = comment;
    if (!absl::ConsumePrefix(&rest, absl::StrCat(word, " "))) continue;
    const std::string named(rest);
    const std::string beside = absl::StrCat(program_path.substr(0, program_path.rfind('/') + 1),
                                            named.substr(named.rfind('/') + 1));
    for (const std::string& path : {named, beside}) {
      if (access(path.c_str(), R_OK) == 0) return path;
    }
    throw UsageError(
        absl::StrCat(program_path, ": its ", word, " ", named, " cannot be read, nor ", beside,
                     word == "driver" ? "; name the driver with --driver FILE.sys"
                                      : absl::StrCat("; correct the line '# ", word, "'")));
  }
  return "";
}

}  // namespace

LoadedDriver OpenDriver(const std::string& driver, const std::string& implementation,
                        const std::string& profile) {
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
  const std::string profile_path = profile.empty() ? ProfileBeside(driver) : profile;
  if (!profile_path.empty()) {
    absl::StatusOr<DriverProfile> read = ReadDriverProfile(profile_path);
    if (!read.ok()) throw UsageError(std::string(read.status().message()));
    loaded.profile = std::make_unique<DriverProfile>(*std::move(read));
    loaded.runner->SetProfile(loaded.profile.get());
    absl::StrAppend(&loaded.remarks, "profile: ", profile_path, "\n");
  }
  return loaded;
}

DriverFacts RequireRequests(DriverRunner* runner) {
  const DriverFacts facts = runner->Learn();
  // What is wrong with loading it is a finding.
  if (!facts.verdict.ok() && facts.verdict.kind != VerdictKind::kUnknown) return facts;
  std::string reason;
  if (!facts.verdict.ok()) {
    reason = facts.verdict.reason;
  } else if (!facts.starts) {
    reason = "DriverEntry fails";
  } else if (!facts.has_device && !facts.filters) {
    reason = facts.adds_device
                 ? "DriverEntry has set AddDevice, which is not called: plug and play "
                   "is not provided, and there is no device"
                 : "DriverEntry has created no device";
  }
  if (reason.empty()) return facts;
  throw SetupError(absl::StrCat("nothing can be judged, since no request can be sent: ", reason));
}

std::string DriverOf(const DriverProgramFile& file, const std::string& program_path,
                     const std::string& named) {
  if (!named.empty()) return named;
  const std::string path = NamedFile(file, program_path, "driver");
  if (!path.empty()) return path;
  throw UsageError(absl::StrCat(program_path,
                                ": has no line '# driver FILE.sys' that says which driver it is"
                                " for; name the driver with --driver FILE.sys"));
}

std::string ProfileOf(const DriverProgramFile& file, const std::string& program_path) {
  return NamedFile(file, program_path, "profile");
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
