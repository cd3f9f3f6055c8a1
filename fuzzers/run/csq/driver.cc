// Binds the cancel-safe queue driver to IO_CSQ: documented callback signatures
// on one side, item numbers on the other.
#include <iterator>

#include "fuzzers/run/cancel_queue_driver.h"
#include "fuzzers/run/stand_ins.h"
#include "impl/image_format.h"

namespace cancelsafe {
namespace {

class CsqDriver final : public CancelQueueDriver {
 public:
  explicit CsqDriver(const Implementation& implementation)
      : CancelQueueDriver(ItemKind::kQueuedIrp), table_(implementation) {}

  static CsqDriver* active;

  uint8_t Number(const IRP* irp) const { return items_.NumberOf(irp); }
  PIRP IrpOf(uint8_t item) { return items_.Untold(item).irp; }

 protected:
  void Prepare(Arena* arena) override;
  void* Initialize(Arena* arena, bool ex) override;

  void Insert(void* queue, int item, bool with_context) override {
    table_.IoCsqInsertIrp(Csq(queue), items_.Untold(item).irp,
                          with_context ? &contexts_[item] : nullptr);
  }
  NTSTATUS InsertEx(void* queue, int item, bool with_context, void* insert_context) override {
    return table_.IoCsqInsertIrpEx(Csq(queue), items_.Untold(item).irp,
                                   with_context ? &contexts_[item] : nullptr, insert_context);
  }
  NTSTATUS InsertWithoutIrp(void*, int, bool, void*) override { return STATUS_SUCCESS; }
  int32_t Remove(void* queue, int item) override {
    return Result(table_.IoCsqRemoveIrp(Csq(queue), &contexts_[item]));
  }
  int32_t RemoveNext(void* queue, void* peek_context) override {
    return Result(table_.IoCsqRemoveNextIrp(Csq(queue), peek_context));
  }
  void Enable(void*, bool) override {}
  Fields FieldsOf(const void* queue) const override {
    const IO_CSQ* csq = static_cast<const IO_CSQ*>(queue);
    return {&csq->CsqInsertIrp, offsetof(IO_CSQ, ReservePointer) - offsetof(IO_CSQ, CsqInsertIrp)};
  }

 private:
  static PIO_CSQ Csq(void* queue) { return static_cast<PIO_CSQ>(queue); }
  void InitializeAs(PIO_CSQ csq, bool ex);
  int32_t Result(const IRP* irp) const {
    if (irp == nullptr) return kNothing;
    const uint8_t number = Number(irp);
    return number == kNoItem ? kForeignPointer : number;
  }

  const Implementation& table_;
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

void CsqDriver::Prepare(Arena* arena) {
  active = this;
  contexts_ = static_cast<PIO_CSQ_IRP_CONTEXT>(
      arena->Allocate(sizeof(IO_CSQ_IRP_CONTEXT) * ItemsOf(setup_)));
  contexts_of_items_.Reset(contexts_, sizeof(IO_CSQ_IRP_CONTEXT));
}

void* CsqDriver::Initialize(Arena* arena, bool ex) {
  auto* const csq = arena->New<IO_CSQ>();
  // Before this queue there was one of the other kind here.
  if (setup_.used_memory) InitializeAs(csq, !ex);
  InitializeAs(csq, ex);
  return csq;
}

void CsqDriver::InitializeAs(PIO_CSQ csq, bool ex) {
  if (ex && table_.IoCsqInitializeEx != nullptr) {
    table_.IoCsqInitializeEx(csq, &InsertIrpEx, &RemoveIrp, &PeekNextIrp, &Acquire, &Release,
                             &CompleteCanceledIrp);
  } else if (!ex && table_.IoCsqInitialize != nullptr) {
    table_.IoCsqInitialize(csq, &InsertIrp, &RemoveIrp, &PeekNextIrp, &Acquire, &Release,
                           &CompleteCanceledIrp);
  } else {
    auto* const insert_ex =
        reinterpret_cast<PIO_CSQ_INSERT_IRP>(reinterpret_cast<PVOID>(&InsertIrpEx));
    FillInCsq(csq, ex ? IO_TYPE_CSQ_EX : IO_TYPE_CSQ, ex ? insert_ex : &InsertIrp, &RemoveIrp,
              &PeekNextIrp, &Acquire, &Release, &CompleteCanceledIrp);
    if (const ImageParts* const image = ImagePartsOf(table_)) image->adopt_csq(csq);
  }
}

constexpr const char* kRequired[] = {"IoCsqInsertIrp or IoCsqInsertIrpEx"};

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
