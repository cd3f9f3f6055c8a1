// The memory models behind one interface: what a read may return, where a store
// goes, what a fence orders. A machine keeps what each fiber knows, and changes
// locations; it knows no addresses, shadows or races. One file for each model.
#ifndef CANCELSAFE_FUZZERS_MEMORY_MACHINE_H_
#define CANCELSAFE_FUZZERS_MEMORY_MACHINE_H_

#include <cstdint>
#include <memory>

#include "fuzzers/memory/choices.h"
#include "fuzzers/memory/clocks.h"
#include "fuzzers/memory/locations.h"

namespace cancelsafe::memory {

// A read-modify-write, or a compare-exchange.
struct UpdateRequest {
  Order order = Order::kSeqCst;
  bool compares = false;
  Order failure = Order::kRelaxed;  // of a compare-exchange that fails; may be the stronger
  uint64_t expected = 0;
};

class Machine {
 public:
  // More stores than a history or a buffer can offer.
  static constexpr int kMaxReadable = Location::kHistory + 1;

  virtual ~Machine() = default;
  Model model() const { return model_; }
  // Whether stores wait in buffers: what is said of these below is nothing elsewhere.
  bool has_buffers() const { return model_ == Model::kTso; }

  // A new run: nothing has happened yet.
  void Reset();

  // ---- what may happen: no side effects, newest first, at least one ----

  // The stores that a load may return.
  virtual int Readable(int fiber, const Location& location, Order order, const Store** out) const;
  // The stores that an update may read. A compare-exchange fails on those whose value
  // is not the expected one.
  virtual int Updatable(int fiber, const Location& location, const UpdateRequest& request,
                        const Store** out) const;

  // ---- events ----

  // `store` is one of Readable; or of Updatable, and this is the failed comparison.
  void Read(int fiber, Location* location, const Store& store, Order order);
  // Asks `chooser` (null: alternative 0 always) where the store goes.
  virtual void Write(int fiber, Location* location, uint64_t value, Order order, uint32_t number,
                     uint32_t site, Chooser* chooser);
  // To be called before an update chooses what it reads.
  virtual void BeginUpdate(int fiber) { (void)fiber; }
  // `read` is one of Updatable, and the comparison has succeeded.
  void Update(int fiber, Location* location, const Store& read, uint64_t value, Order order,
              uint32_t number, uint32_t site);
  virtual void Fence(int fiber, Order order);
  // A plain store that memory holds already.
  void Overwritten(Location* location, uint32_t number);

  // ---- what is not an access ----

  // A lock or another object of the harness's orders: `fiber` acquires or releases it.
  void Acquire(int fiber, const Knowledge& object) { now_[fiber].Join(object); }
  // `first`: it was neither before, and `object` has no value yet.
  void Release(int fiber, Knowledge* object, bool first = false);
  // Orders values as an acquire and a release would, and makes nothing happen before:
  // a fiber that has seen `order` does not read what is older than those that published it.
  void SeeOrder(int fiber, const Clock& order) { now_[fiber].coherent.Join(order); }
  virtual void PublishOrder(int fiber, Clock* order);
  // From now on `fiber` reads the newest values: it has waited, and time has passed.
  virtual void CatchUp(int fiber);
  // Everything before, on any fiber, happens before what `fiber` does now.
  void JoinAll(int fiber);
  // Everything that `fiber` did happens before what any fiber does now.
  void HappensBeforeAll(int fiber);

  // ---- store buffers ----

  virtual bool HasBuffered(int fiber) const { return fiber < 0; }
  // Moves the oldest store of the fiber's buffer to memory.
  virtual void Flush(int fiber) { (void)fiber; }
  // No buffer holds a store to this location any more.
  virtual void FlushAll(const Location& location) { (void)location; }
  // Stores that the fiber has put into its buffer so far; and moves to memory those that were
  // among the first so many.
  virtual uint32_t BufferedEver(int /*fiber*/) const { return 0; }
  virtual void FlushFirst(int /*fiber*/, uint32_t /*stores*/) {}
  // The store that Flush would move, and where to; null if there is none.
  virtual const Store* Oldest(int /*fiber*/, const Location** /*location*/) const {
    return nullptr;
  }
  // Called for each store that leaves a buffer; may be null.
  using FlushWatcher = void (*)(const Location& location);
  void SetFlushWatcher(FlushWatcher watcher) { flush_watcher_ = watcher; }

  const Clock& clock(int fiber) const { return now_[fiber].happened; }
  Lane lane(int fiber) const { return now_[fiber].happened[fiber]; }
  // A lane has reached its end: from here on races could be missed.
  bool exhausted() const { return exhausted_; }

 protected:
  explicit Machine(Model model) : model_(model), keeps_marks_(model == Model::kRc11) {}
  virtual void ResetModel() {}
  // Makes the store that `fiber` writes now, with what it publishes.
  Store MakeStore(int fiber, uint64_t value, Order order, uint32_t number, uint32_t site) {
    Store store;
    FillStore(&store, fiber, value, order, number, site);
    return store;
  }
  // The same in place; leaves the key as it is.
  void FillStore(Store* store, int fiber, uint64_t value, Order order, uint32_t number,
                 uint32_t site);
  // To be called when what the fiber knows at its lane was handed on.
  void Tick(int fiber);

  FlushWatcher flush_watcher_ = nullptr;
  Knowledge now_[kMaxFibers];
  Knowledge at_release_fence_[kMaxFibers];  // what relaxed stores publish
  Knowledge collected_[kMaxFibers];         // by reads, for the next acquire fence
  uint32_t sc_count_ = 0;                   // seq_cst stores so far
  Clock fenced_;                            // happened before some sc fence

 private:
  void UpdateBetween(int fiber, Location* location, const Store& read, uint64_t value, Order order,
                     uint32_t number, uint32_t site);

  const Model model_;
  const bool keeps_marks_;  // what a fiber has seen of a location limits what it may read
  bool exhausted_ = false;
};

std::unique_ptr<Machine> NewMachineSc();
std::unique_ptr<Machine> NewMachineTso();
std::unique_ptr<Machine> NewMachineRc11();
std::unique_ptr<Machine> NewMachine(Model model);

}  // namespace cancelsafe::memory

#endif  // CANCELSAFE_FUZZERS_MEMORY_MACHINE_H_
