// The sequential model of the StartIo layer (IoStartPacket, IoStartNextPacket
// and ByKey, IoCancelIrp on their IRPs): a current IRP and a device queue, of each device.
#ifndef CANCELSAFE_ORACLE_START_IO_MODEL_H_
#define CANCELSAFE_ORACLE_START_IO_MODEL_H_

#include <string>

#include "oracle/device_queue/model.h"

namespace cancelsafe {

// How many items it knows is a parameter: see device_queue/model.h.
template <int kItemCount>
struct StartIoModelOf {
  static constexpr int kItems = kItemCount;
  static constexpr uint8_t kFinished = 0xfe;
  using Set = ItemSet<kItems>;

  struct State {
    EntryLists<kItems, kMaxQueues> list;
    uint8_t generation[kItems];
    Set cancelled;   // bit per item, like the next two
    Set cancelable;  // has a cancel function that was not taken out
    Set ended;
    // Item that StartIo was given last, kNoItem if idle, kFinished if that item has
    // ended while the request to start the next one was postponed.
    uint8_t current[kMaxQueues];
    uint8_t reserved[sizeof(Set) == 1 ? 3 : 6];

    bool IsCurrent(uint8_t item) const {
      bool is = false;
      for (const uint8_t one : current) is |= one == item;
      return is;
    }
  };
  using Alternatives = Alternative<State>*;

  static State Initial(const Setup& setup);
  static bool MayEnd(const State&) { return true; }
  static int Step(const Setup& setup, Reading reading, const State& state,
                  const Operation& operation, uint8_t generation, Alternatives out);
  static uint32_t Abstract(const Setup& setup, const State& state);
  static std::string Describe(const Setup& setup, const State& state);
};

using StartIoModel = StartIoModelOf<kFewItems>;
using LargeStartIoModel = StartIoModelOf<kMaxItems>;

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_START_IO_MODEL_H_
