// Binds the cancel-safe queue driver to FLT_CALLBACK_DATA_QUEUE: documented
// callback signatures on one side, item numbers on the other.
#include <iterator>

#include "fuzzers/run/cancel_queue_driver.h"

namespace cancelsafe {
namespace {

class CallbackDataQueueDriver final : public CancelQueueDriver {
 public:
  explicit CallbackDataQueueDriver(const Implementation& implementation)
      : CancelQueueDriver(ItemKind::kCallbackData), table_(implementation) {}

  static CallbackDataQueueDriver* active;

  uint8_t Number(const FLT_CALLBACK_DATA* data) const { return items_.NumberOf(data); }
  PFLT_CALLBACK_DATA DataOf(uint8_t item) { return items_[item].data; }

 protected:
  void* Initialize(Arena* arena, bool ex) override;

  // The family has one insert routine; programs use kInsertEx for it.
  void Insert(int item, bool with_context) override { InsertEx(item, with_context, nullptr); }
  NTSTATUS InsertEx(int item, bool with_context, void* insert_context) override {
    return table_.FltCbdqInsertIo(queue_, items_[item].data,
                                  with_context ? &contexts_[item] : nullptr, insert_context);
  }
  int32_t Remove(int item) override {
    return Result(table_.FltCbdqRemoveIo(queue_, &contexts_[item]));
  }
  int32_t RemoveNext(void* peek_context) override {
    return Result(table_.FltCbdqRemoveNextIo(queue_, peek_context));
  }
  void Enable(bool enabled) override {
    (enabled ? table_.FltCbdqEnable : table_.FltCbdqDisable)(queue_);
  }

 private:
  int32_t Result(const FLT_CALLBACK_DATA* data) const {
    if (data == nullptr) return kNothing;
    const uint8_t number = Number(data);
    return number == kNoItem ? kForeignPointer : number;
  }

  const Implementation& table_;
  PFLT_CALLBACK_DATA_QUEUE queue_ = nullptr;
  PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT contexts_ = nullptr;
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

void* CallbackDataQueueDriver::Initialize(Arena* arena, bool) {
  active = this;
  queue_ = arena->New<FLT_CALLBACK_DATA_QUEUE>();
  contexts_ = static_cast<PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT>(
      arena->Allocate(sizeof(FLT_CALLBACK_DATA_QUEUE_IO_CONTEXT) * kMaxItems));
  // An instance is opaque to all but the filter manager: any address does.
  auto* instance = static_cast<PFLT_INSTANCE>(arena->Allocate(sizeof(void*)));
  table_.FltCbdqInitialize(instance, queue_, &InsertIo, &RemoveIo, &PeekNextIo, &Acquire, &Release,
                           &CompleteCanceledIo);
  return queue_;
}

constexpr const char* kRequired[] = {"FltCbdqInitialize", "FltCbdqEnable", "FltCbdqDisable",
                                     "FltCbdqInsertIo", "FltCbdqRemoveNextIo"};

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
