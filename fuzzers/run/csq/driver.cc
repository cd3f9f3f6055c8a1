// Binds the cancel-safe queue driver to IO_CSQ: documented callback signatures
// on one side, item numbers on the other.
#include <iterator>

#include "fuzzers/run/cancel_queue_driver.h"

namespace cancelsafe {
namespace {

class CsqDriver final : public CancelQueueDriver {
 public:
  explicit CsqDriver(const Implementation& implementation)
      : CancelQueueDriver(ItemKind::kQueuedIrp), table_(implementation) {}

  static CsqDriver* active;

  uint8_t Number(const IRP* irp) const { return items_.NumberOf(irp); }
  PIRP IrpOf(uint8_t item) { return items_[item].irp; }

 protected:
  void* Initialize(Arena* arena, bool ex) override;

  void Insert(int item, bool with_context) override {
    table_.IoCsqInsertIrp(csq_, items_[item].irp, with_context ? &contexts_[item] : nullptr);
  }
  NTSTATUS InsertEx(int item, bool with_context, void* insert_context) override {
    return table_.IoCsqInsertIrpEx(csq_, items_[item].irp,
                                   with_context ? &contexts_[item] : nullptr, insert_context);
  }
  int32_t Remove(int item) override {
    return Result(table_.IoCsqRemoveIrp(csq_, &contexts_[item]));
  }
  int32_t RemoveNext(void* peek_context) override {
    return Result(table_.IoCsqRemoveNextIrp(csq_, peek_context));
  }
  void Enable(bool) override {}

 private:
  int32_t Result(const IRP* irp) const {
    if (irp == nullptr) return kNothing;
    const uint8_t number = Number(irp);
    return number == kNoItem ? kForeignPointer : number;
  }

  const Implementation& table_;
  PIO_CSQ csq_ = nullptr;
  PIO_CSQ_IRP_CONTEXT contexts_ = nullptr;
};

CsqDriver* CsqDriver::active = nullptr;

void Acquire(PIO_CSQ csq, PKIRQL irql) { CsqDriver::active->callbacks().OnAcquire(csq, irql); }
void Release(PIO_CSQ csq, KIRQL irql) { CsqDriver::active->callbacks().OnRelease(csq, irql); }
void InsertIrp(PIO_CSQ csq, PIRP irp) {
  CsqDriver::active->callbacks().OnInsert(csq, CsqDriver::active->Number(irp), nullptr);
}
NTSTATUS InsertIrpEx(PIO_CSQ csq, PIRP irp, PVOID insert_context) {
  return CsqDriver::active->callbacks().OnInsert(csq, CsqDriver::active->Number(irp),
                                                 insert_context);
}
void RemoveIrp(PIO_CSQ csq, PIRP irp) {
  CsqDriver::active->callbacks().OnRemove(csq, CsqDriver::active->Number(irp));
}
PIRP PeekNextIrp(PIO_CSQ csq, PIRP irp, PVOID peek_context) {
  CsqDriver* const driver = CsqDriver::active;
  const uint8_t found = driver->callbacks().OnPeek(
      csq, irp != nullptr, irp == nullptr ? kNoItem : driver->Number(irp), peek_context);
  return found == kNoItem ? nullptr : driver->IrpOf(found);
}
void CompleteCanceledIrp(PIO_CSQ csq, PIRP irp) {
  CsqDriver::active->callbacks().OnComplete(csq, CsqDriver::active->Number(irp));
}

void* CsqDriver::Initialize(Arena* arena, bool ex) {
  active = this;
  csq_ = arena->New<IO_CSQ>();
  contexts_ =
      static_cast<PIO_CSQ_IRP_CONTEXT>(arena->Allocate(sizeof(IO_CSQ_IRP_CONTEXT) * kMaxItems));
  if (ex) {
    table_.IoCsqInitializeEx(csq_, &InsertIrpEx, &RemoveIrp, &PeekNextIrp, &Acquire, &Release,
                             &CompleteCanceledIrp);
  } else {
    table_.IoCsqInitialize(csq_, &InsertIrp, &RemoveIrp, &PeekNextIrp, &Acquire, &Release,
                           &CompleteCanceledIrp);
  }
  return csq_;
}

constexpr const char* kRequired[] = {"IoCsqInitialize", "IoCsqInitializeEx", "IoCsqInsertIrp",
                                     "IoCsqInsertIrpEx", "IoCsqRemoveNextIrp"};

}  // namespace

namespace drivers {

extern const DriverInfo csq;
constexpr DriverInfo csq = {
    kRequired,
    static_cast<int>(std::size(kRequired)),
    39,
    33,
    [](const Implementation& table) -> FamilyDriver* { return new CsqDriver(table); },
};

}  // namespace drivers
}  // namespace cancelsafe
