// The test driver of cancel-safe queues, IRPs and callback data alike: carries
// out the operations and answers the callbacks by item number. The documented
// signatures of the two families are bound to it in csq_driver.cc and
// callback_data_queue_driver.cc.
#ifndef CANCELSAFE_FUZZERS_RUN_CANCEL_QUEUE_DRIVER_H_
#define CANCELSAFE_FUZZERS_RUN_CANCEL_QUEUE_DRIVER_H_

#include "fuzzers/run/driver_list.h"
#include "fuzzers/run/family_driver.h"
#include "fuzzers/run/item_table.h"

namespace cancelsafe {

class CancelQueueDriver : public FamilyDriver {
 public:
  void Start(const Program& program, Arena* arena, Recorder* recorder) override;
  bool Execute(const Operation& operation) override;
  void Drain() override;
  void Inspect(Verdict* verdict) override;

  // ---- callbacks; `queue` is the pointer the library passed ----
  void OnAcquire(const void* queue, PKIRQL irql);
  void OnRelease(const void* queue, KIRQL irql);
  NTSTATUS OnInsert(const void* queue, uint8_t item, const void* insert_context);
  void OnRemove(const void* queue, uint8_t item);
  uint8_t OnPeek(const void* queue, bool has_after, uint8_t after, const void* peek_context);
  void OnComplete(const void* queue, uint8_t item);

 protected:
  explicit CancelQueueDriver(bool callback_data) : callback_data_(callback_data) {}

  // The documented calls of the family. Items go in and come out by number;
  // kForeignPointer for a pointer that is none.
  virtual void* Initialize(Arena* arena, bool ex) = 0;
  virtual void Insert(int item, bool with_context) = 0;
  virtual NTSTATUS InsertEx(int item, bool with_context, void* insert_context) = 0;
  virtual int32_t Remove(int item) = 0;
  virtual int32_t RemoveNext(void* peek_context) = 0;
  virtual void Enable(bool enabled) = 0;
  virtual LIST_ENTRY* EntryOf(int item) = 0;
  virtual uint8_t ItemOfEntry(PLIST_ENTRY entry) = 0;

  ItemTable items_;
  Setup setup_;
  Recorder* recorder_ = nullptr;

 private:
  bool ExecuteInsert(const Operation& operation);
  bool ExecuteRemove(const Operation& operation);
  bool ExecuteRemoveNext(const Operation& operation);
  bool ExecuteComplete(const Operation& operation);
  bool ExecuteEnable(const Operation& operation);
  void Reenter();
  // What the driver sees of locks and queue at the start of a callback.
  CallbackEvent* Event(CallbackKind kind, const void* queue, uint8_t item);
  // The callback was given something that is no item: nothing can go on.
  void StopIfForeign(uint8_t item);
  void* InsertContext(int selector) { return &insert_contexts_[selector & 3]; }

  const bool callback_data_;
  DriverList* list_ = nullptr;
  void* queue_ = nullptr;
  PFILE_OBJECT files_ = nullptr;
  int insert_callbacks_ = 0;
  int lock_owner_ = -1;
  KIRQL token_ = 0;  // what the lock's owner stored at acquire
  const void* peek_context_[kMaxFibers];
  char insert_contexts_[4];
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_CANCEL_QUEUE_DRIVER_H_
