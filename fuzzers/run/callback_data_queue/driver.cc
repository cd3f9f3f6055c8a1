// Binds the cancel-safe queue driver to FLT_CALLBACK_DATA_QUEUE: documented
// callback signatures on one side, item numbers on the other.
#include <iterator>

#include "fuzzers/run/cancel_queue_driver.h"
#include "impl/kernel/filter_manager.h"

namespace cancelsafe {
namespace {

class CallbackDataQueueDriver final : public CancelQueueDriver {
 public:
  explicit CallbackDataQueueDriver(const Implementation& implementation)
      : CancelQueueDriver(ItemKind::kCallbackData), table_(implementation) {}

  static CallbackDataQueueDriver* active;

  uint8_t Number(const FLT_CALLBACK_DATA* data) const { return items_.NumberOf(data); }
  PFLT_CALLBACK_DATA DataOf(uint8_t item) { return items_.Untold(item).data; }

 protected:
  void Prepare(Arena* arena) override;
  void* Initialize(Arena* arena, bool ex) override;

  // The family has one insert routine; programs use kInsertEx for it.
  void Insert(void* queue, int item, bool with_context) override {
    InsertEx(queue, item, with_context, nullptr);
  }
  NTSTATUS InsertEx(void* queue, int item, bool with_context, void* insert_context) override {
    return table_.FltCbdqInsertIo(Cbdq(queue), items_.Untold(item).data,
                                  with_context ? &contexts_[item] : nullptr, insert_context);
  }
  NTSTATUS InsertWithoutIrp(void* queue, int item, bool with_context,
                            void* insert_context) override {
    return table_.FltCbdqInsertIo(Cbdq(queue), without_irp_,
                                  with_context ? &contexts_[item] : nullptr, insert_context);
  }
  int32_t Remove(void* queue, int item) override {
    return Result(table_.FltCbdqRemoveIo(Cbdq(queue), &contexts_[item]));
  }
  int32_t RemoveNext(void* queue, void* peek_context) override {
    return Result(table_.FltCbdqRemoveNextIo(Cbdq(queue), peek_context));
  }
  // The rest is the filter manager's.
  Fields FieldsOf(const void* queue) const override {
    const auto* cbdq = static_cast<const FLT_CALLBACK_DATA_QUEUE*>(queue);
    return {&cbdq->Instance, sizeof *cbdq - offsetof(FLT_CALLBACK_DATA_QUEUE, Instance)};
  }
  void Enable(void* queue, bool enabled) override {
    (enabled ? table_.FltCbdqEnable : table_.FltCbdqDisable)(Cbdq(queue));
  }

 private:
  static PFLT_CALLBACK_DATA_QUEUE Cbdq(void* queue) {
    return static_cast<PFLT_CALLBACK_DATA_QUEUE>(queue);
  }
  void InitializeAt(PFLT_CALLBACK_DATA_QUEUE queue);
  int32_t Result(const FLT_CALLBACK_DATA* data) const {
    if (data == nullptr) return kNothing;
    const uint8_t number = Number(data);
    return number == kNoItem ? kForeignPointer : number;
  }

  const Implementation& table_;
  PFLT_INSTANCE instance_ = nullptr;
  PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT contexts_ = nullptr;
  PFLT_CALLBACK_DATA without_irp_ = nullptr;  // where the program has such operations
};

CallbackDataQueueDriver* CallbackDataQueueDriver::active = nullptr;

void Acquire(PFLT_CALLBACK_DATA_QUEUE queue, PKIRQL irql) {
  CallbackDataQueueDriver::active->callbacks().OnAcquire(queue, irql);
}
void Release(PFLT_CALLBACK_DATA_QUEUE queue, KIRQL irql) {
  CallbackDataQueueDriver::active->callbacks().OnRelease(queue, irql);
}
NTSTATUS InsertIo(PFLT_CALLBACK_DATA_QUEUE queue, PFLT_CALLBACK_DATA data, PVOID insert_context) {
  CallbackDataQueueDriver* const driver = CallbackDataQueueDriver::active;
  return driver->callbacks().OnInsert(queue, driver->Number(data), insert_context);
}
void RemoveIo(PFLT_CALLBACK_DATA_QUEUE queue, PFLT_CALLBACK_DATA data) {
  CallbackDataQueueDriver* const driver = CallbackDataQueueDriver::active;
  driver->callbacks().OnRemove(queue, driver->Number(data));
}
PFLT_CALLBACK_DATA PeekNextIo(PFLT_CALLBACK_DATA_QUEUE queue, PFLT_CALLBACK_DATA data,
                              PVOID peek_context) {
  CallbackDataQueueDriver* const driver = CallbackDataQueueDriver::active;
  const uint8_t found = driver->callbacks().OnPeek(
      queue, data != nullptr, data == nullptr ? kNoItem : driver->Number(data), peek_context);
  return found == kNoItem ? nullptr : driver->DataOf(found);
}
void CompleteCanceledIo(PFLT_CALLBACK_DATA_QUEUE queue, PFLT_CALLBACK_DATA data) {
  CallbackDataQueueDriver* const driver = CallbackDataQueueDriver::active;
  driver->callbacks().OnComplete(queue, driver->Number(data));
}

void CallbackDataQueueDriver::Prepare(Arena* arena) {
  active = this;
  contexts_ = static_cast<PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT>(
      arena->Allocate(sizeof(FLT_CALLBACK_DATA_QUEUE_IO_CONTEXT) * ItemsOf(setup_)));
  contexts_of_items_.Reset(contexts_, sizeof(FLT_CALLBACK_DATA_QUEUE_IO_CONTEXT));
  if (setup_.mixed_operations) {
    without_irp_ = KiPlaceCallbackData(arena->New<KiCallbackData>(), nullptr, nullptr);
  }
  // An instance is opaque to all but the filter manager: any address will do.
  instance_ = static_cast<PFLT_INSTANCE>(arena->Allocate(sizeof(void*)));
}

void* CallbackDataQueueDriver::Initialize(Arena* arena, bool) {
  auto* const queue = arena->New<FLT_CALLBACK_DATA_QUEUE>();
  if (setup_.used_memory) {
    // Before this queue there was one here that had been disabled.
    InitializeAt(queue);
    queue->Flags = ~FLT_CALLBACK_DATA_QUEUE_FLAGS{0};
  }
  InitializeAt(queue);
  return queue;
}

void CallbackDataQueueDriver::InitializeAt(PFLT_CALLBACK_DATA_QUEUE queue) {
  table_.FltCbdqInitialize(instance_, queue, &InsertIo, &RemoveIo, &PeekNextIo, &Acquire, &Release,
                           &CompleteCanceledIo);
}

constexpr const char* kRequired[] = {"FltCbdqInitialize", "FltCbdqInsertIo"};

}  // namespace

namespace drivers {

extern const DriverInfo callback_data_queue;
constexpr DriverInfo callback_data_queue = {
    kRequired,
    static_cast<int>(std::size(kRequired)),
    38,
    44,
    [](const Implementation& table) -> FamilyDriver* { return new CallbackDataQueueDriver(table); },
};

}  // namespace drivers
}  // namespace cancelsafe
