// See image_implementation.h.
#include "fuzzers/drivers/implementation/image_implementation.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/files.h"
#include "fuzzers/drivers/image/driver_image.h"
#include "fuzzers/drivers/image/module_of_image.h"
#include "fuzzers/drivers/implementation/entry_doors.h"
#include "fuzzers/drivers/implementation/guest_services.h"
#include "fuzzers/drivers/implementation/thread_block.h"
#include "fuzzers/memory/runtime.h"
#include "impl/kernel/platform.h"

namespace cancelsafe::drivers {
namespace {

constexpr size_t kNamesShown = 20;
constexpr int kSetupFailed = 3;

struct Loaded {
  std::unique_ptr<DriverImage> image;
  Implementation table;
  ImageParts parts;
};
Loaded images[kMaxImageImplementations];
int image_count = 0;

// The run ends at the report, unless there is none yet: then nothing can be judged.
void NotProvided(const char* module, const char* name) {
  static std::string service;
  service = absl::StrCat(name, " of ", module, ", which is not provided,");
  const KiViolation violation = {kHostLimit, service.c_str(), nullptr};
  ki_platform->violation(&violation);
  fprintf(stderr, "cancelsafe: the implementation calls %s outside of a run\n", service.c_str());
  _exit(kSetupFailed);
}

bool IsDocumented(const std::string& name) {
#define CANCELSAFE_IS_ENTRY(type, entry, parameters) \
  if (name == #entry) return true;
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_IS_ENTRY)
#undef CANCELSAFE_IS_ENTRY
  return false;
}

bool ExportsDocumented(const PeFile& file) {
  return std::any_of(file.exports.begin(), file.exports.end(),
                     [](const PeExport& exported) { return IsDocumented(exported.name); });
}

bool Imports(const PeFile& file, const char* name) {
  return std::any_of(file.imports.begin(), file.imports.end(),
                     [name](const PeImport& import) { return import.name == name; });
}

bool Announces(const PeFile& file) { return Imports(file, "CancelsafeInterlockedPoint"); }

// A kernel's own image: its routines call its own services, which are in the same place.
bool HasOwnLocks(const PeFile& file) {
  return std::any_of(file.exports.begin(), file.exports.end(), [](const PeExport& exported) {
    return absl::StartsWith(exported.name, "KeAcquireSpinLock");
  });
}

void AppendRemark(std::string* text, const std::string& remark) {
  absl::StrAppend(text, text->empty() ? "" : "; ", remark);
}

// The file, whole and parsed. False, with the reason.
bool ReadImage(const std::string& path, std::vector<uint8_t>* bytes, PeFile* file,
               std::string* error) {
  const absl::StatusOr<std::string> text = ReadFile(path, kMaxImageBytes);
  if (!text.ok()) {
    *error = std::string(text.status().message());
    return false;
  }
  bytes->assign(text->begin(), text->end());
  std::string why;
  if (ParsePe(*bytes, file, &why)) return true;
  *error = absl::StrCat(path, ": ", why);
  return false;
}

template <int kImage>
void Fill(DriverImage* image, Implementation* implementation) {
  SetEntries<kImage>([image](const char* name) { return image->FindExport(name); }, implementation);
}
constexpr void (*kFill[])(DriverImage*, Implementation*) = {&Fill<0>, &Fill<1>, &Fill<2>, &Fill<3>};
static_assert(std::size(kFill) == kMaxImageImplementations);

// Reports, and the memory engine, learn where its code and variables are.
void Show(const DriverImage& image, const void* code) {
  memory::Module module = ModuleOf(image);
  for (const DriverImage::Span& span : image.writable()) {
    const auto begin = reinterpret_cast<uintptr_t>(span.begin);
    // One range: what lies between is not written.
    module.data_begin = module.data_end == 0 ? begin : std::min(module.data_begin, begin);
    module.data_end = std::max(module.data_end, begin + span.bytes);
  }
  memory::AddModule(module);
  if (memory::kHooked && image.instrumented()) {
    memory::NoteModule(reinterpret_cast<uintptr_t>(code));
  }
}

}  // namespace

bool LoadImageImplementation(const std::string& path, Implementation* implementation,
                             std::string* error) {
  std::vector<uint8_t> bytes;
  PeFile file;
  if (!ReadImage(path, &bytes, &file, error)) return false;
  if (!ExportsDocumented(file)) {
    *error = absl::StrCat(path,
                          ": exports none of the documented routines (for example "
                          "IoCsqInsertIrpEx) by name; a driver, which calls them, is for "
                          "'cancelsafe drive FILE.sys'");
    return false;
  }
  if (image_count == kMaxImageImplementations) {
    *error = absl::StrCat(path, ": at most ", kMaxImageImplementations,
                          " PE images are loaded as implementations in one process");
    return false;
  }
  const bool announces = Announces(file);
  // Absolute: its lines may be looked up from another folder.
  std::unique_ptr<DriverImage> image = DriverImage::LoadBytes(
      bytes, std::filesystem::absolute(path).string(),
      [announces](const std::string&, const std::string& name) {
        return FindGuestService(name, announces);
      },
      error);
  if (image == nullptr) return false;
  Implementation table;
  const void* code = nullptr;
  for (const PeExport& exported : file.exports) {
    if (!IsDocumented(exported.name)) continue;
    code = image->FindExport(exported.name);
    if (image->IsExecutable(code)) continue;
    *error = absl::StrCat(path, ": the exported ", exported.name, " is not in executable memory");
    return false;
  }
  if (!PlaceThreadBlock()) {
    *error = absl::StrCat(path, ": the system does not set the register gs: ", strerror(errno));
    return false;
  }
  // A driver that runs on these queues has set one already, which ends its runs as well.
  if (!DriverImage::HasMissingHandler()) DriverImage::SetMissingHandler(&NotProvided);
  kFill[image_count](image.get(), &table);
  Show(*image, code);
  images[image_count++] = {std::move(image), table, {code, HasOwnLocks(file), &AdoptCsq}};
  *implementation = table;
  return true;
}

const ImageParts* PartsOfImage(const Implementation& implementation) {
  for (int i = 0; i < image_count; ++i) {
#define CANCELSAFE_IS_OF_IMAGE(type, name, parameters)                                 \
  if (implementation.name != nullptr && implementation.name == images[i].table.name) { \
    return &images[i].parts;                                                           \
  }
    CANCELSAFE_ENTRY_POINTS(CANCELSAFE_IS_OF_IMAGE)
#undef CANCELSAFE_IS_OF_IMAGE
  }
  return nullptr;
}

void ResetImageImplementations() {
  for (int i = 0; i < image_count; ++i) images[i].image->Reset();
}

std::string ImageRemarks(const std::string& path) {
  std::vector<uint8_t> bytes;
  PeFile file;
  std::string error;
  // One that is refused is told why when it is loaded.
  if (!ReadImage(path, &bytes, &file, &error) || !ExportsDocumented(file)) return "";
  std::vector<std::string> missing;
  for (const PeImport& import : file.imports) {
    if (FindGuestService(import.name, false) != nullptr) continue;
    missing.push_back(absl::StrCat(import.name, " (", import.module, ")"));
  }
  const size_t count = missing.size();
  std::string text;
  if (count != 0) {
    if (count > kNamesShown) {
      missing.resize(kNamesShown);
      missing.push_back(absl::StrCat("and ", count - kNamesShown, " more"));
    }
    AppendRemark(&text, absl::StrCat("imports ", count,
                                     count == 1 ? " service that is" : " services that are",
                                     " not provided, and a run that reaches one is not judged: ",
                                     absl::StrJoin(missing, ", ")));
  }
  if (HasOwnLocks(file)) {
    AppendRemark(&text,
                 "exports spin locks, so it is taken to use its own: the host does not see them, "
                 "and the schedule does not switch there");
  }
  if (!Imports(file, "__tsan_read8") && !Imports(file, "__tsan_read4")) {
    AppendRemark(
        &text,
        "was not built by 'cancelsafe drive build --dll': the schedule switches at services "
        "and callbacks only, and accesses to memory are not seen");
  }
  return text;
}

}  // namespace cancelsafe::drivers
