// See world.h: a run from its beginning to what is left of it.
#include "fuzzers/drivers/world/world.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "base/counted.h"
#include "fuzzers/drivers/image/module_of_image.h"
#include "fuzzers/drivers/world/exceptions.h"
#include "fuzzers/drivers/world/faults.h"
#include "fuzzers/drivers/world/filter.h"
#include "fuzzers/drivers/world/pool.h"
#include "fuzzers/drivers/world/state.h"
#include "fuzzers/memory/modules.h"
#include "fuzzers/memory/runtime.h"
#include "impl/image_format.h"

namespace cancelsafe::drivers {
namespace {

constexpr ULONG kDriverTag = 0x76697244;  // "Driv"
const WCHAR kRegistryPath[] = {'\\', 'R', 'e', 'g', 'i', 's', 't', 'r', 'y',
                               '\\', 'd', 'r', 'i', 'v', 'e', 'r', 0};

const DriveScheduler* scheduler = nullptr;

void NotProvided(const char* module, const char* name) {
  static std::string service;
  service = absl::StrCat(name, " of ", module);
  Scheduler().not_provided(service.c_str());
}

// The memory engine learns where the image's code and variables are. An image that is gone
// stays known until another one takes its place.
void ShowToEngine(const DriverImage& image) {
  static auto* const watched = new std::map<char*, char*>;  // by base: where the variables begin
  const memory::Module module = ModuleOf(image);
  memory::RemoveModule(module.begin);
  memory::AddModule(module);
  if (const auto before = watched->find(image.base()); before != watched->end()) {
    memory::UnwatchMemory(before->second);
    watched->erase(before);
  }
  if (image.writable().empty()) return;
  // One range, from the first writable section to the last: what lies between is not written.
  char* begin = image.writable().front().begin;
  char* end = begin;
  for (const DriverImage::Span& span : image.writable()) {
    begin = std::min(begin, span.begin);
    end = std::max(end, span.begin + span.bytes);
  }
  memory::WatchMemory(begin, static_cast<size_t>(end - begin));
  (*watched)[image.base()] = begin;
}

void Add(std::vector<Leak>* leaks, Leak::Kind kind, const void* caller, std::string text) {
  Leak leak;
  leak.kind = kind;
  leak.caller = caller;
  leak.text = std::move(text);
  leaks->push_back(std::move(leak));
}

std::string Ascii(const std::u16string& text) {
  std::string result;
  for (const char16_t c : text) result += c < 0x7f ? static_cast<char>(c) : '?';
  return result;
}

}  // namespace

void SetScheduler(const DriveScheduler* wanted) { scheduler = wanted; }
const DriveScheduler& Scheduler() { return *scheduler; }

std::unique_ptr<DriverImage> LoadDriver(const std::string& path, std::string* error) {
  DriverImage::SetMissingHandler(&NotProvided);
  auto image = DriverImage::Load(
      path,
      [](const std::string&, const std::string& name) -> const void* {
        const Service* service = FindService(name);
        return service == nullptr ? nullptr : service->address;
      },
      error);
  if (image != nullptr && image->entry() == nullptr) {
    *error = absl::StrCat(path, ": it has no entry point; link it with --entry,DriverEntry");
    return nullptr;
  }
  if (memory::kHooked && image != nullptr) ShowToEngine(*image);
  return image;
}

void BeginRun(DriverImage* image, const WorldOptions& options) {
  State& state = TheState();
  // Where the compiler's calls show each access, guarded pages would show nothing more.
  Pool::Get().Reset(!image->instrumented());
  state = State();
  state.image = image;
  state.queues =
      options.implementation != nullptr ? options.implementation : &BuiltInImplementation();
  state.fail_allocation = options.fail_allocation;
  ResetQueueDoors();
  ResetFilters();
  ResetThreads();
  ForgetAllExceptions();
  ResetTold();
  image->Reset();
  ResetImages();
  door_caller = nullptr;
  NoteRunBegins();
  state.driver = NewObject<DRIVER_OBJECT>(kDriverTag, PoolUse::kHost);
  state.driver_extension = NewObject<KernelDriverExtension>(kDriverTag, PoolUse::kHost);
  state.driver->Type = 4;
  state.driver->Size = sizeof(DRIVER_OBJECT);
  state.driver->DriverStart = image->base();
  state.driver->DriverSize = static_cast<ULONG>(image->size());
  state.driver->DriverExtension = state.driver_extension;
  state.driver->DriverInit = reinterpret_cast<PDRIVER_INITIALIZE>(image->entry());
  state.driver_extension->driver = state.driver;
  std::fill(std::begin(state.driver->MajorFunction), std::end(state.driver->MajorFunction),
            DefaultMajorFunction());
}

NTSTATUS StartDriver() {
  State& state = TheState();
  auto* path = NewObject<UNICODE_STRING>(kDriverTag, PoolUse::kHost);
  auto* text = static_cast<WCHAR*>(
      Pool::Get().Allocate(sizeof(kRegistryPath), kDriverTag, PoolUse::kHost, true, nullptr));
  std::copy(std::begin(kRegistryPath), std::end(kRegistryPath), text);
  *path = {sizeof(kRegistryPath) - 2, sizeof(kRegistryPath), text};
  NTSTATUS status;
  {
    SystemCall call("DriverEntry", PASSIVE_LEVEL);
    status = KiCall(state.driver->DriverInit, state.driver, path);
  }
  if (!NT_SUCCESS(status)) return status;
  if (state.driver->DriverStartIo != nullptr) AdoptStartIo();
  // As the I/O manager does: what DriverEntry created is ready.
  for (PDEVICE_OBJECT device : state.devices) device->Flags &= ~0x80u;
  return status;
}

bool UnloadDriver(bool mandatory) {
  State& state = TheState();
  if (TheFilterState().filter != nullptr) {
    if (!UnloadFilter(mandatory)) return false;
    if (state.driver->DriverUnload == nullptr) return true;
  }
  if (state.driver->DriverUnload == nullptr) return false;
  SystemCall call("DriverUnload", PASSIVE_LEVEL);
  KiCall(state.driver->DriverUnload, state.driver);
  return true;
}

PDRIVER_OBJECT DriverObject() { return TheState().driver; }
bool HasAddDevice() {
  const KernelDriverExtension* extension = TheState().driver_extension;
  return extension != nullptr && extension->add_device != nullptr;
}

std::vector<PDEVICE_OBJECT> Devices() {
  std::vector<PDEVICE_OBJECT> devices = TheState().devices;
  if (IsFilter()) devices.insert(devices.begin(), MakeVolumeDevice());
  return devices;
}

PFILE_OBJECT MakeFile(PDEVICE_OBJECT device) {
  constexpr ULONG kFileTag = 0x656c6946;
  auto* file = static_cast<KernelFile*>(
      Pool::Get().Allocate(sizeof(KernelFile), kFileTag, PoolUse::kHost, true, nullptr));
  while (device->AttachedDevice != nullptr) device = device->AttachedDevice;
  file->type = 5;
  file->size = sizeof(KernelFile);
  file->device = device;
  InitializeHeader(&file->lock.Header, kEventSynchronization, sizeof(KEVENT), 1);
  InitializeHeader(&file->event.Header, kEventNotification, sizeof(KEVENT), 0);
  return reinterpret_cast<PFILE_OBJECT>(file);
}

std::vector<Leak> Leaks() {
  const State& state = TheState();
  std::vector<Leak> leaks;
  static const std::map<PoolUse, Leak::Kind> kinds = {
      {PoolUse::kDriver, Leak::Kind::kPool},   {PoolUse::kMdl, Leak::Kind::kMdl},
      {PoolUse::kIrp, Leak::Kind::kIrp},       {PoolUse::kWorkItem, Leak::Kind::kWorkItem},
      {PoolUse::kFilter, Leak::Kind::kFilter}, {PoolUse::kContext, Leak::Kind::kContext}};
  for (const PoolBlock& block : Pool::Get().blocks()) {
    const auto kind = kinds.find(block.use);
    if (block.freed || kind == kinds.end()) continue;
    const char* what = block.use == PoolUse::kMdl        ? "an MDL"
                       : block.use == PoolUse::kIrp      ? "an IRP"
                       : block.use == PoolUse::kWorkItem ? "a work item"
                       : block.use == PoolUse::kFilter   ? "a filter that is registered"
                       : block.use == PoolUse::kContext  ? "a context of the filter manager"
                                                         : "";
    Add(&leaks, kind->second, block.caller,
        *what != 0 ? what : absl::StrCat(block.bytes, " bytes of pool, tag ", TagText(block.tag)));
    leaks.back().tag = block.tag;
    leaks.back().bytes = block.bytes;
  }
  for (PDEVICE_OBJECT device : state.devices) {
    const auto name = state.names.find(device);
    Add(&leaks, Leak::Kind::kDevice, state.device_callers.at(device),
        name == state.names.end() ? "a device without a name" : "device " + Ascii(name->second));
  }
  for (const auto& link : state.links) {
    Add(&leaks, Leak::Kind::kLink, link.second, "symbolic link " + Ascii(link.first));
  }
  for (size_t i = 0; i < state.armed.size(); ++i) {
    Add(&leaks, Leak::Kind::kTimer, nullptr, "a timer that is armed");
  }
  for (size_t i = 0; i < state.handles.size(); ++i) {
    if (state.handles[i] == nullptr) continue;
    Add(&leaks, Leak::Kind::kHandle, state.handle_callers[i], "the handle of a thread");
  }
  for (const SystemThread* thread : state.threads) {
    if (!thread->ended) Add(&leaks, Leak::Kind::kThread, thread->caller, "a thread that runs");
    const auto open = std::count(state.handles.begin(), state.handles.end(), thread);
    if (thread->references > open) {
      Add(&leaks, Leak::Kind::kReference, thread->caller, "a reference of a thread");
    }
  }
  for (size_t i = 0; i < state.lookasides.size(); ++i) {
    Add(&leaks, Leak::Kind::kLookaside, nullptr, "a lookaside list");
  }
  for (const Resource& resource : state.resources) {
    Add(&leaks, Leak::Kind::kResource, resource.caller, "an ERESOURCE");
  }
  return leaks;
}

std::string DamagedMemory() { return Pool::Get().Damage(); }
int AllocationCount() { return TheState().allocations; }

std::string DescribeAddress(const volatile void* address) {
  const PoolBlock* block = Pool::Get().Holding(address);
  if (block != nullptr) {
    const auto* const at = const_cast<const char*>(static_cast<const volatile char*>(address));
    return absl::StrCat(block->freed ? "freed " : "", "pool of ", block->bytes, " bytes, tag ",
                        TagText(block->tag), ", byte ", at - block->begin);
  }
  if (block = Pool::Get().FreedBeside(address); block != nullptr) {
    return absl::StrCat("the page of freed pool of ", block->bytes, " bytes, tag ",
                        TagText(block->tag));
  }
  if (block = Pool::Get().InFrontOf(address); block != nullptr) {
    const auto* const at = const_cast<const char*>(static_cast<const volatile char*>(address));
    return absl::StrCat(Counted(at - block->begin - block->bytes + 1, "byte"),
                        " behind the end of ", block->freed ? "freed " : "", "pool of ",
                        block->bytes, " bytes, tag ", TagText(block->tag));
  }
  const DriverImage* image = TheState().image;
  if (image == nullptr || !image->Contains(address)) return "";
  return absl::StrCat("the driver's image, address 0x", absl::Hex(image->LinkedAddress(address)));
}

}  // namespace cancelsafe::drivers
