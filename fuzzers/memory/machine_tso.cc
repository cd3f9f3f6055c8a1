// x86-TSO: stores wait in a first-in first-out buffer of their fiber, which its own
// loads look into. Locked instructions (seq_cst stores, every update even if its
// comparison fails) and seq_cst fences empty the buffer; nothing else does but the
// choice to. Plain stores reach memory at once, which makes no difference in a program
// without races. What a store publishes is what was known when it was made, so that
// this model does not bless a missing release.
#include "fuzzers/memory/machine.h"

namespace cancelsafe::memory {
namespace {

class MachineTso final : public Machine {
 public:
  MachineTso() : Machine(Model::kTso) {}
  // A processor has some 50 places; a full buffer moves its oldest store to memory.
  static constexpr int kCapacity = 16;

  int Readable(int fiber, const Location& location, Order, const Store** out) const override {
    out[0] = Newest(fiber, location);
    return 1;
  }

  int Updatable(int fiber, const Location& location, const UpdateRequest&,
                const Store** out) const override {
    out[0] = Newest(fiber, location);
    return 1;
  }

  void Write(int fiber, Location* location, uint64_t value, Order order, uint32_t number,
             uint32_t site, Chooser* chooser) override {
    if (order == Order::kSeqCst) {
      Drain(fiber);
      return Machine::Write(fiber, location, value, order, number, site, chooser);
    }
    Buffer& buffer = buffer_[fiber];
    if (buffer.count == kCapacity) Flush(fiber);
    Entry& entry = buffer.entry[(buffer.head + buffer.count++) % kCapacity];
    ++buffer.ever;
    entry.location = location;
    entry.store = MakeStore(fiber, value, order, number, site);
    if (Releases(order)) Tick(fiber);
    if (chooser == nullptr || chooser->Choose(ChoiceKind::kFlush, 2) == 0) Drain(fiber);
  }

  void BeginUpdate(int fiber) override { Drain(fiber); }

  void Fence(int fiber, Order order) override {
    if (order == Order::kSeqCst) Drain(fiber);
    Machine::Fence(fiber, order);
  }

  void CatchUp(int fiber) override { Drain(fiber); }

  void PublishOrder(int fiber, Clock*) override { Drain(fiber); }

  bool HasBuffered(int fiber) const override { return buffer_[fiber].count != 0; }

  void Flush(int fiber) override {
    Buffer& buffer = buffer_[fiber];
    const Entry& entry = buffer.entry[buffer.head];
    buffer.head = (buffer.head + 1) % kCapacity;
    --buffer.count;
    entry.location->Insert(entry.location->count(), entry.store);
    entry.location->WriteThrough();
    if (flush_watcher_ != nullptr) flush_watcher_(*entry.location);
  }

  uint32_t BufferedEver(int fiber) const override { return buffer_[fiber].ever; }

  void FlushFirst(int fiber, uint32_t stores) override {
    const Buffer& buffer = buffer_[fiber];
    while (buffer.count != 0 && buffer.ever - static_cast<uint32_t>(buffer.count) < stores) {
      Flush(fiber);
    }
  }

  const Store* Oldest(int fiber, const Location** location) const override {
    const Buffer& buffer = buffer_[fiber];
    if (buffer.count == 0) return nullptr;
    const Entry& entry = buffer.entry[buffer.head];
    *location = entry.location;
    return &entry.store;
  }

  void FlushAll(const Location& location) override {
    for (int f = 0; f < kMaxFibers; ++f) {
      while (Find(f, location) != nullptr) Flush(f);
    }
  }

 private:
  struct Entry {
    Location* location;
    Store store;
  };
  struct Buffer {
    int head = 0;
    int count = 0;
    uint32_t ever = 0;
    Entry entry[kCapacity];
  };

  void ResetModel() override {
    for (Buffer& buffer : buffer_) {
      buffer.count = 0;
      buffer.ever = 0;
    }
  }

  void Drain(int fiber) {
    while (HasBuffered(fiber)) Flush(fiber);
  }

  // The fiber's newest buffered store to the location, or null.
  const Store* Find(int fiber, const Location& location) const {
    const Buffer& buffer = buffer_[fiber];
    for (int i = buffer.count - 1; i >= 0; --i) {
      const Entry& entry = buffer.entry[(buffer.head + i) % kCapacity];
      if (entry.location == &location) return &entry.store;
    }
    return nullptr;
  }

  const Store* Newest(int fiber, const Location& location) const {
    const Store* own = Find(fiber, location);
    return own != nullptr ? own : &location.newest();
  }

  Buffer buffer_[kMaxFibers];
};

}  // namespace

std::unique_ptr<Machine> NewMachineTso() { return std::make_unique<MachineTso>(); }

}  // namespace cancelsafe::memory
