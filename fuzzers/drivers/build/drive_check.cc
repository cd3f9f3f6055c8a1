// See drive_check.h.
#include "fuzzers/drivers/build/drive_check.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "fuzzers/drivers/build/sequential.h"
#include "fuzzers/drivers/world/world.h"

namespace cancelsafe::drivers {
namespace {

constexpr int kPatienceMs = 1000;

struct Kind {
  UCHAR major;
  const char* name;
};
// In the order in which they are sent. Of device control there is one code that no driver has:
// how a driver refuses is what is seen.
constexpr Kind kKinds[] = {{0x00, "create"},
                           {0x03, "read"},
                           {0x04, "write"},
                           {0x0e, "device control"},
                           {0x0f, "internal device control"},
                           {0x09, "flush buffers"},
                           {0x12, "cleanup"},
                           {0x02, "close"}};

struct Ending {
  int times = 0;
  NTSTATUS status = 0;
  ULONG_PTR information = 0;
};

std::string StatusText(NTSTATUS status) {
  return absl::StrFormat("0x%08x", static_cast<uint32_t>(status));
}

class Check {
 public:
  explicit Check(DriveCheck* check) : check_(*check) {}

  void Run(PDEVICE_OBJECT device) {
    PFILE_OBJECT file = MakeFile(device);
    for (const Kind& kind : kKinds) Send(kind, file);
  }

 private:
  void Send(const Kind& kind, PFILE_OBJECT file) {
    RequestSpec spec;
    spec.major = kind.major;
    spec.file = file;
    spec.output_length = kind.major == 0x03 || kind.major >= 0x0e ? 16 : 0;
    if (kind.major == 0x04 || kind.major >= 0x0e) spec.input.assign(16, 0);
    if (kind.major == 0x12) spec.input.clear();
    spec.control_code = 0x22fffc;
    PIRP irp = MakeRequest(spec);
    Ending ending;
    KiIrpHeaderOf(irp)->context = &ending;
    KiIrpHeaderOf(irp)->on_complete = [](PIRP ended, void* context) {
      auto* into = static_cast<Ending*>(context);
      ++into->times;
      into->status = ended->IoStatus.Status;
      into->information = ended->IoStatus.Information;
    };
    const NTSTATUS returned = Dispatch(irp);
    LetTimePass(kPatienceMs);
    std::string line = absl::StrCat(kind.name, ": returned ", StatusText(returned));
    if (ending.times == 0) {
      const bool cancelled = IoCancelIrp(irp);
      LetTimePass(kPatienceMs);
      absl::StrAppend(&line, ", pending; ",
                      ending.times != 0 ? absl::StrCat("ended with ", StatusText(ending.status),
                                                       " when it was cancelled")
                      : cancelled       ? "cancelled, and did not end"
                                        : "cannot be cancelled");
      if (ending.times == 0) check_.complete = false;
    } else {
      absl::StrAppend(&line, ", ended with ", StatusText(ending.status), ", ", ending.information,
                      " bytes");
    }
    absl::StrAppend(&check_.text, line, "\n");
  }

  DriveCheck& check_;
};

}  // namespace

DriveCheck CheckDriver(const std::string& path) {
  DriveCheck check;
  std::unique_ptr<DriverImage> image = LoadDriver(path, &check.text);
  if (image == nullptr) return check;
  check.loaded = check.complete = true;
  check.text = absl::StrCat(
      "image: ", image->size(), " bytes, ", image->imports().size(), " imports, ",
      image->instrumented() ? "accesses are seen" : "accesses are not seen (not instrumented)",
      "\n");
  const auto& missing = image->missing_services();
  if (!missing.empty()) {
    absl::StrAppend(&check.text, "imports ", missing.size(),
                    " services that are not provided: ", absl::StrJoin(missing, ", "), "\n");
  }
  bool unloads = false;
  BeginRun(image.get(), {});
  const SequentialResult result = RunSequentially([&] {
    const NTSTATUS status = StartDriver();
    absl::StrAppend(&check.text, "entry: ", StatusText(status), ", ",
                    Devices().size() - (IsFilter() ? 1 : 0), " device(s)",
                    IsFilter() ? ", a filter, whose volume gets the requests" : "", "\n");
    if (!NT_SUCCESS(status)) {
      check.complete = false;
      return;
    }
    if (Devices().empty()) {
      check.complete = false;
      absl::StrAppend(&check.text, "no device: no request can be sent",
                      HasAddDevice()
                          ? "; AddDevice is set, and is not called: plug and play is not "
                            "provided"
                          : "",
                      "\n");
    } else {
      Check(&check).Run(Devices().front());
    }
    unloads = UnloadDriver();
  });
  if (result.end != SequentialEnd::kDone) {
    check.complete = false;
    absl::StrAppend(&check.text,
                    result.end == SequentialEnd::kNotProvided ? "stopped, not provided: "
                    : result.end == SequentialEnd::kBroken
                        ? absl::StrCat("stopped, rule ", result.rule, ": ")
                        : "stopped: ",
                    result.text, "\n");
  } else if (check.complete) {
    const std::vector<Leak> leaks = Leaks();
    absl::StrAppend(&check.text,
                    unloads ? "unload: done\n" : "unload: the driver has no routine\n");
    for (const Leak& leak : leaks)
      absl::StrAppend(&check.text, "not given back: ", leak.text, "\n");
    if (unloads && !leaks.empty()) check.complete = false;
  }
  const std::string damage = DamagedMemory();
  if (!damage.empty()) {
    check.complete = false;
    absl::StrAppend(&check.text, damage, "\n");
  }
  return check;
}

}  // namespace cancelsafe::drivers
