// The operations of cancel-safe queues, IRPs and callback data alike: which of them the
// caller contracts allow just now, and how they are made and recorded. What the driver
// does in the callbacks is ListDriver's business. The documented signatures of a family
// are bound to it in the family's folder.
#ifndef CANCELSAFE_FUZZERS_RUN_CANCEL_QUEUE_DRIVER_H_
#define CANCELSAFE_FUZZERS_RUN_CANCEL_QUEUE_DRIVER_H_

#include "fuzzers/run/callback_watch.h"
#include "fuzzers/run/family_driver.h"
#include "fuzzers/run/list_driver.h"

namespace cancelsafe {

class CancelQueueDriver : public FamilyDriver {
 public:
  void Start(const Program& program, Arena* arena, Recorder* recorder) override;
  Skip Execute(const Operation& operation) override;
  void Drain() override;
  std::string NameOf(const void* address) const override { return items_.NameOf(address); }
  void Inspect(Verdict* verdict) override;

  CallbackWatch& callbacks() { return callbacks_; }

 protected:
  explicit CancelQueueDriver(ItemKind kind) : kind_(kind) {}

  // The documented calls of the family. Items go in and come out by number;
  // kForeignPointer for a pointer that is not an item's.
  // Before the queues of a run: the memory of its contexts.
  virtual void Prepare(Arena* arena) = 0;
  virtual void* Initialize(Arena* arena, bool ex) = 0;
  // `queue` is what Initialize returned.
  virtual void Insert(void* queue, int item, bool with_context) = 0;
  virtual NTSTATUS InsertEx(void* queue, int item, bool with_context, void* insert_context) = 0;
  // The callback data of an operation that is not based on an IRP.
  virtual NTSTATUS InsertWithoutIrp(void* queue, int item, bool with_context,
                                    void* insert_context) = 0;
  virtual int32_t Remove(void* queue, int item) = 0;
  virtual int32_t RemoveNext(void* queue, void* peek_context) = 0;
  virtual void Enable(void* queue, bool enabled) = 0;
  // What the queue holds from its initialisation on: its driver's routines, and the like.
  struct Fields {
    const void* first;
    size_t bytes;  // at most kFieldBytesMax
  };
  static constexpr size_t kFieldBytesMax = 64;
  virtual Fields FieldsOf(const void* queue) const = 0;

  ItemTable items_;
  ContextMemory contexts_of_items_;
  Setup setup_;

 private:
  // For an item that has no IRP.
  Skip ExecuteWithoutIrp(const Operation& operation);
  Skip ExecuteInsert(const Operation& operation);
  // The IRP is about to be queued or completed. By a reading that others may follow, the
  // context of an insert that was refused names the IRP still (AMB-6): it is given up here.
  // False if a removal is looking at it just now.
  bool ForgetRefused(int number);
  Skip ExecuteRemove(const Operation& operation);
  Skip ExecuteRemoveNext(const Operation& operation);
  Skip ExecuteComplete(const Operation& operation);
  Skip ExecuteEnable(const Operation& operation);
  // The call returned `result`: an item, which is the caller's now, or less than 0.
  void EndRemoval(int call, int32_t result);

  const ItemKind kind_;
  Recorder* recorder_ = nullptr;
  CallbackWatch callbacks_;
  ListDriver drivers_[kMaxQueues] = {ListDriver(this), ListDriver(this)};
  void* queues_[kMaxQueues] = {};
  uint8_t fields_[kMaxQueues][kFieldBytesMax] = {};  // as they were when a run began
  PFILE_OBJECT files_ = nullptr;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_CANCEL_QUEUE_DRIVER_H_
