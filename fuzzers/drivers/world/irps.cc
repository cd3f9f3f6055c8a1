// IRPs as drivers allocate, complete and cancel them, and those of the host's requests with
// their buffers.
#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/world/state.h"

namespace cancelsafe::drivers {
namespace {

constexpr ULONG kIrpTag = 0x20707249;  // "Irp "
constexpr ULONG kBufferTag = 0x66667542;
constexpr ULONG kBufferedIo = 0x04;  // DO_BUFFERED_IO
constexpr ULONG kDirectIo = 0x10;    // DO_DIRECT_IO
constexpr UCHAR kInternalControl = 0x0f;
constexpr CCHAR kMaxStack = 16;
constexpr NTSTATUS kInvalidDeviceRequest = static_cast<NTSTATUS>(0xC0000010);

enum Method { kBuffered = 0, kInDirect = 1, kOutDirect = 2, kNeither = 3 };

NTSTATUS InvalidDeviceRequest(PDEVICE_OBJECT, PIRP irp) {
  irp->IoStatus.Status = kInvalidDeviceRequest;
  irp->IoStatus.Information = 0;
  IofCompleteRequest(irp, 0);
  return kInvalidDeviceRequest;
}
using InvalidDoor = Door<&InvalidDeviceRequest, PASSIVE_LEVEL, DISPATCH_LEVEL>;

// ---- of the driver ----

PIRP IoAllocateIrp(CCHAR stack_size, BOOLEAN) {
  if (stack_size < 1 || stack_size > kMaxStack || !MayAllocate()) return nullptr;
  void* storage =
      Pool::Get().Allocate(KiIrpPlacedBytes(stack_size), kIrpTag, PoolUse::kIrp, true, door_caller);
  PIRP irp = KiPlaceIrpWithStack(storage, 0, stack_size);
  irp->CurrentLocation = static_cast<CHAR>(stack_size + 1);
  irp->Tail.Overlay.CurrentStackLocation =
      reinterpret_cast<PIO_STACK_LOCATION>(irp + 1) + stack_size;
  return irp;
}
void IoFreeIrp(PIRP irp) {
  static std::string why;
  PoolBlock* block =
      irp == nullptr ? nullptr : Pool::Get().FindLive(KiIrpHeaderOf(irp), PoolUse::kIrp, &why);
  if (block == nullptr) {
    Report("wrong-free", "IoFreeIrp", "was given no IRP that the driver allocated: " + why);
    return;
  }
  KiUnpoison(irp);
  Pool::Get().Free(block, door_caller);
}
// What the host knows of an IRP stands before it, where memory of the driver's own has no room.
void IoInitializeIrp(PIRP, USHORT, CCHAR) {
  Scheduler().not_provided("IoInitializeIrp, for an IRP in memory of the driver's own,");
}
void IoReuseIrp(PIRP irp, NTSTATUS status) {
  KiUnpoison(irp);
  const CCHAR stack_size = irp->StackCount;
  irp = KiPlaceIrpWithStack(KiIrpHeaderOf(irp), 0, stack_size);
  irp->CurrentLocation = static_cast<CHAR>(stack_size + 1);
  irp->Tail.Overlay.CurrentStackLocation =
      reinterpret_cast<PIO_STACK_LOCATION>(irp + 1) + stack_size;
  irp->IoStatus.Status = status;
}
void Complete(PIRP irp, CCHAR boost) { ::IofCompleteRequest(irp, boost); }
BOOLEAN Cancel(PIRP irp) { return ::IoCancelIrp(irp); }

// The routine that some compilers import for the inline one.
PDRIVER_CANCEL SetCancelRoutine(PIRP irp, PDRIVER_CANCEL routine) {
  const PDRIVER_CANCEL before = IoSetCancelRoutine(irp, routine);
  TellMemory(&irp->CancelRoutine, sizeof irp->CancelRoutine, true);
  TellLife(irp, false);
  return before;
}
BOOLEAN IoIsOperationSynchronous(PIRP) { return FALSE; }
PVOID IoGetRequestorProcess(PIRP) { return TheState().driver; }
NTSTATUS IoSetCompletionRoutineEx(PDEVICE_OBJECT, PIRP irp, PIO_COMPLETION_ROUTINE routine,
                                  PVOID context, BOOLEAN success, BOOLEAN error, BOOLEAN cancel) {
  IoSetCompletionRoutine(irp, routine, context, success, error, cancel);
  return STATUS_SUCCESS;
}

// ---- of the host ----

void* NewBuffer(size_t bytes) {
  return Pool::Get().Allocate(bytes, kBufferTag, PoolUse::kHost, true, nullptr);
}

PMDL DescribeBuffer(void* buffer, size_t bytes) {
  auto* mdl = static_cast<KernelMdl*>(
      Pool::Get().Allocate(sizeof(KernelMdl), kBufferTag, PoolUse::kHost, true, nullptr));
  const auto address = reinterpret_cast<ULONG_PTR>(buffer);
  mdl->size = sizeof(KernelMdl);
  mdl->flags = kMdlPagesLocked | kMdlMapped;
  mdl->mapped = buffer;
  mdl->start = reinterpret_cast<PVOID>(address & ~ULONG_PTR{4095});
  mdl->byte_offset = static_cast<ULONG>(address & 4095);
  mdl->byte_count = static_cast<ULONG>(bytes);
  return reinterpret_cast<PMDL>(mdl);
}

// Buffers of a request with the given input and room for output; null where there is none.
struct Buffers {
  void* input;
  void* output;
};

void PassTransfer(PIRP irp, const RequestSpec& spec, ULONG flags, size_t bytes) {
  void* buffer = bytes == 0 ? nullptr : NewBuffer(bytes);
  if (buffer != nullptr && !spec.input.empty()) memcpy(buffer, spec.input.data(), bytes);
  if ((flags & kBufferedIo) != 0) {
    irp->AssociatedIrp.SystemBuffer = buffer;
    irp->UserBuffer = buffer;
  } else if ((flags & kDirectIo) != 0) {
    irp->MdlAddress = buffer == nullptr ? nullptr : DescribeBuffer(buffer, bytes);
    irp->UserBuffer = buffer;
  } else {
    irp->UserBuffer = buffer;
  }
}

void PassControl(PIRP irp, const RequestSpec& spec, PIO_STACK_LOCATION stack) {
  const int method = spec.control_code & 3;
  const size_t in = spec.input.size();
  const size_t out = spec.output_length;
  stack->Parameters.DeviceIoControl.OutputBufferLength = spec.output_length;
  stack->Parameters.DeviceIoControl.InputBufferLength = static_cast<ULONG>(in);
  stack->Parameters.DeviceIoControl.IoControlCode = spec.control_code;
  if (method == kNeither) {
    if (spec.unreadable) {
      stack->Parameters.DeviceIoControl.Type3InputBuffer =
          in == 0 ? nullptr : UnreadableUserMemory();
      irp->UserBuffer = out == 0 ? nullptr : UnreadableUserMemory();
      return;
    }
    void* input = in == 0 ? nullptr : NewBuffer(in);
    if (input != nullptr) memcpy(input, spec.input.data(), in);
    stack->Parameters.DeviceIoControl.Type3InputBuffer = input;
    irp->UserBuffer = out == 0 ? nullptr : NewBuffer(out);
    return;
  }
  // One system buffer for both ways, as large as the larger; direct methods keep the input in
  // it and describe the other buffer by an MDL.
  const size_t system = method == kBuffered ? std::max(in, out) : in;
  if (system != 0) {
    irp->AssociatedIrp.SystemBuffer = NewBuffer(system);
    if (in != 0) memcpy(irp->AssociatedIrp.SystemBuffer, spec.input.data(), in);
  }
  if (method == kBuffered) {
    irp->UserBuffer = irp->AssociatedIrp.SystemBuffer;
  } else if (out != 0) {
    irp->UserBuffer = NewBuffer(out);
    irp->MdlAddress = DescribeBuffer(irp->UserBuffer, out);
  }
}

const Service kServices[] = {
    CANCELSAFE_SERVICE(IoAllocateIrp, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoFreeIrp, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoInitializeIrp, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoReuseIrp, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_AS(IofCompleteRequest, Complete, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_AS(IoCompleteRequest, Complete, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_AS(IoCancelIrp, Cancel, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_AS(IoSetCancelRoutine, SetCancelRoutine, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoIsOperationSynchronous, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(IoGetRequestorProcess, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoSetCompletionRoutineEx, PASSIVE_LEVEL, DISPATCH_LEVEL),
};

}  // namespace

PDRIVER_DISPATCH DefaultMajorFunction() {
  return reinterpret_cast<PDRIVER_DISPATCH>(reinterpret_cast<void (*)()>(&InvalidDoor::Call));
}

NTSTATUS CallMajorFunction(PDEVICE_OBJECT device, PIRP irp) {
  const int major = IoGetCurrentIrpStackLocation(irp)->MajorFunction;
  if (major > IRP_MJ_MAXIMUM_FUNCTION) return InvalidDeviceRequest(device, irp);
  PDRIVER_DISPATCH routine = device->DriverObject->MajorFunction[major];
  TellMemory(&device->DriverObject->MajorFunction[major], sizeof routine, false);
  TellLife(device, false);
  if (routine == DefaultMajorFunction() || routine == nullptr) {
    return InvalidDeviceRequest(device, irp);
  }
  return KiCall(routine, device, irp);
}

PIRP MakeRequest(const RequestSpec& spec) {
  PDEVICE_OBJECT device = spec.device != nullptr ? spec.device : spec.file->DeviceObject;
  TellMemory(&device->StackSize, sizeof device->StackSize, false);
  TellMemory(&device->Flags, sizeof device->Flags, false);
  const CCHAR stack_size = std::min(std::max<CCHAR>(device->StackSize, 1), kMaxStack);
  void* storage =
      Pool::Get().Allocate(KiIrpPlacedBytes(stack_size), kIrpTag, PoolUse::kHost, true, nullptr);
  PIRP irp = KiPlaceIrpWithStack(storage, spec.tag, stack_size);
  irp->CurrentLocation = static_cast<CHAR>(stack_size);
  PIO_STACK_LOCATION stack = reinterpret_cast<PIO_STACK_LOCATION>(irp + 1) + stack_size - 1;
  irp->Tail.Overlay.CurrentStackLocation = stack;
  irp->Tail.Overlay.OriginalFileObject = spec.file;
  irp->RequestorMode = UserMode;
  stack->MajorFunction = spec.major;
  stack->MinorFunction = spec.minor;
  stack->DeviceObject = device;
  stack->FileObject = spec.file;
  switch (spec.major) {
    case IRP_MJ_READ:
    case IRP_MJ_WRITE: {
      const size_t bytes = spec.major == IRP_MJ_READ ? spec.output_length : spec.input.size();
      stack->Parameters.Read.Length = static_cast<ULONG>(bytes);
      stack->Parameters.Read.ByteOffset.QuadPart = static_cast<LONGLONG>(spec.offset);
      PassTransfer(irp, spec, device->Flags, bytes);
      break;
    }
    case IRP_MJ_DEVICE_CONTROL:
    case kInternalControl:
      PassControl(irp, spec, stack);
      break;
    default:
      break;
  }
  return irp;
}

Buffer OutputOf(PIRP irp) {
  // The locations of an IRP that has ended are its memory still, but not to be read: the pool
  // knows how large a buffer is.
  const PoolBlock* block = Pool::Get().Holding(irp->UserBuffer);
  if (block == nullptr || irp->UserBuffer == nullptr) return {};
  return {static_cast<uint8_t*>(irp->UserBuffer), block->bytes};
}

NTSTATUS Dispatch(PIRP irp) {
  PDEVICE_OBJECT device = IoGetCurrentIrpStackLocation(irp)->DeviceObject;
  SystemCall call("the dispatch routine", PASSIVE_LEVEL);
  return CallMajorFunction(device, irp);
}

ServiceList IrpServices() { return {kServices, std::size(kServices)}; }

}  // namespace cancelsafe::drivers
