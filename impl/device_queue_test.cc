// The device queue against its model: every state that a few entries can reach,
// and the clauses that need no search. Built once per list length at which the
// queue turns to its tree, since that length decides which code runs.
#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/affordable.h"
#include "device_queue_test_model.h"

namespace cancelsafe {
namespace {

#if defined(CANCELSAFE_SANITIZER_ADDRESS) || defined(CANCELSAFE_SANITIZER_THREAD)
constexpr int kSmallWorldItems = 4;
constexpr int kDistinctItems = 9;
constexpr int kSharingItems = 8;
#else
constexpr int kSmallWorldItems = 5;
constexpr int kDistinctItems = 12;
constexpr int kSharingItems = 10;
#endif

// Copies a world's memory out and in, so that a search can go back. Links of
// entries outside mean nothing and are left out.
class Snapshots {
 public:
  explicit Snapshots(DeviceQueueWorld* world) : world_(world) {}

  std::string Take() {
    for (KDEVICE_QUEUE_ENTRY& entry : world_->entries) {
      if (!entry.Inserted) entry.DeviceListEntry = {nullptr, nullptr};
    }
    std::string bytes(sizeof(world_->queue) + EntryBytes(), '\0');
    std::memcpy(bytes.data(), &world_->queue, sizeof(world_->queue));
    std::memcpy(bytes.data() + sizeof(world_->queue), world_->entries.data(), EntryBytes());
    return bytes;
  }

  void Restore(const std::string& bytes, const DeviceQueueModel& model) {
    std::memcpy(&world_->queue, bytes.data(), sizeof(world_->queue));
    std::memcpy(world_->entries.data(), bytes.data() + sizeof(world_->queue), EntryBytes());
    world_->model = model;
  }

 private:
  size_t EntryBytes() const { return world_->entries.size() * sizeof(KDEVICE_QUEUE_ENTRY); }
  DeviceQueueWorld* const world_;
};

struct Explored {
  size_t states = 0;
  size_t states_with_tree = 0;
};

// Visits every state that any sequence of `steps` can reach and makes every step
// from it: sequences of all lengths, not only short ones.
// `keys` are the SortKeys that the entries start with.
void Explore(const std::vector<ULONG>& keys, const std::vector<DeviceQueueStep>& steps,
             Explored* explored) {
  DeviceQueueWorld world(static_cast<int>(keys.size()));
  world.model.keys = keys;
  for (size_t i = 0; i < keys.size(); ++i) world.entries[i].SortKey = keys[i];
  Snapshots snapshots(&world);
  std::unordered_map<std::string, DeviceQueueModel> seen;
  std::deque<const std::pair<const std::string, DeviceQueueModel>*> to_visit;
  to_visit.push_back(&*seen.emplace(snapshots.Take(), world.model).first);
  while (!to_visit.empty()) {
    const auto* from = to_visit.front();
    to_visit.pop_front();
    for (const DeviceQueueStep& step : steps) {
      snapshots.Restore(from->first, from->second);
      if (!world.Allowed(step)) continue;
      ASSERT_EQ(world.Step(step), "")
          << "routine " << step.routine << " item " << step.item << " key " << step.key;
      const auto [state, added] = seen.emplace(snapshots.Take(), world.model);
      ASSERT_TRUE(state->second == world.model) << "one state of memory for two of the model";
      if (!added) continue;
      ASSERT_EQ(world.Compare(), "")
          << "routine " << step.routine << " item " << step.item << " key " << step.key;
      explored->states_with_tree += device_queue::HasTree(device_queue::QueueOf(&world.queue));
      to_visit.push_back(&*state);
    }
  }
  explored->states = seen.size();
}

TEST(DeviceQueueSmallWorld, AgreesWithTheModelInEveryStateOfAFewEntries) {
  constexpr ULONG kKeys = 3;
  std::vector<DeviceQueueStep> steps = {{DeviceQueueStep::kRemove, 0, 0}};
  for (ULONG key = 0; key <= kKeys; ++key) {
    steps.push_back({DeviceQueueStep::kRemoveByKey, 0, key});
  }
  for (int item = 0; item < kSmallWorldItems; ++item) {
    steps.push_back({DeviceQueueStep::kInsert, item, 0});
    steps.push_back({DeviceQueueStep::kRemoveEntry, item, 0});
    for (ULONG key = 0; key < kKeys; ++key) {
      steps.push_back({DeviceQueueStep::kInsertByKey, item, key});
    }
  }
  Explored explored;
  ASSERT_NO_FATAL_FAILURE(Explore(std::vector<ULONG>(kSmallWorldItems), steps, &explored));
  RecordProperty("states", static_cast<int>(explored.states));
  EXPECT_GT(explored.states, 1000u);
  EXPECT_EQ(explored.states_with_tree != 0, device_queue::ListMax() < kSmallWorldItems);
}

// Every item always has the same key, which it may share with one or two others:
// deeper trees than above, in every shape that insertions and removals can give.
class DeviceQueueSmallWorldTrees : public testing::TestWithParam<int> {};

TEST_P(DeviceQueueSmallWorldTrees, AgreesWithTheModelInEveryShapeOfTree) {
  const int items_per_key = GetParam();
  const int items = items_per_key == 1 ? kDistinctItems : kSharingItems;
  std::vector<ULONG> keys;
  std::vector<DeviceQueueStep> steps;
  for (int item = 0; item < items; ++item) {
    const ULONG key = static_cast<ULONG>(item / items_per_key);
    keys.push_back(key);
    steps.push_back({DeviceQueueStep::kInsertByKey, item, key});
    steps.push_back({DeviceQueueStep::kRemoveEntry, item, 0});
    steps.push_back({DeviceQueueStep::kRemoveByKey, 0, key});
  }
  Explored explored;
  ASSERT_NO_FATAL_FAILURE(Explore(keys, steps, &explored));
  RecordProperty("states", static_cast<int>(explored.states));
  EXPECT_EQ(explored.states_with_tree != 0, device_queue::ListMax() < items);
}

INSTANTIATE_TEST_SUITE_P(ItemsPerKey, DeviceQueueSmallWorldTrees, testing::Values(1, 2, 3));

TEST(DeviceQueue, InitialisesItsOwnMemoryOnly) {
  struct {
    ULONG64 before = 0x1122334455667788;
    KDEVICE_QUEUE queue;
    ULONG64 behind = 0x8877665544332211;
  } memory;
  std::memset(&memory.queue, 0xa5, sizeof(memory.queue));
  KeInitializeDeviceQueue(&memory.queue);
  EXPECT_EQ(memory.before, 0x1122334455667788u);
  EXPECT_EQ(memory.behind, 0x8877665544332211u);
  EXPECT_EQ(memory.queue.Type, 20);
  EXPECT_EQ(memory.queue.Size, 40);
  EXPECT_EQ(memory.queue.Busy, FALSE);
  EXPECT_EQ(device_queue::KiCheckDeviceQueue(&memory.queue).broken, nullptr);
}

TEST(DeviceQueue, ComparesKeysWithoutSign) {
  DeviceQueueWorld world(4);
  ASSERT_EQ(world.Step({DeviceQueueStep::kInsert, 0, 0}), "");
  const ULONG keys[] = {0x80000000, 0xffffffff, 0x7fffffff, 0};
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(world.Step({DeviceQueueStep::kInsertByKey, i, keys[i]}), "");
  }
  EXPECT_EQ(world.ItemOf(KeRemoveByKeyDeviceQueue(&world.queue, 0xffffffff)), 1);
  EXPECT_EQ(world.ItemOf(KeRemoveByKeyDeviceQueue(&world.queue, 0xffffffff)), 3);
  EXPECT_EQ(world.ItemOf(KeRemoveByKeyDeviceQueueIfBusy(&world.queue, 0x7fffffff)), 2);
  EXPECT_EQ(world.ItemOf(KeRemoveDeviceQueue(&world.queue)), 0);
}

TEST(DeviceQueue, WorksFromEveryIrqlUpToDispatchAndRestoresIt) {
  for (KIRQL irql : {PASSIVE_LEVEL, APC_LEVEL, DISPATCH_LEVEL}) {
    DeviceQueueWorld world(2);
    KIRQL old;
    KeRaiseIrql(irql, &old);
    EXPECT_EQ(world.Step({DeviceQueueStep::kInsert, 0, 0}), "");
    EXPECT_EQ(world.Step({DeviceQueueStep::kInsertByKey, 1, 7}), "");
    EXPECT_EQ(world.Step({DeviceQueueStep::kRemoveEntry, 1, 0}), "");
    EXPECT_EQ(world.Step({DeviceQueueStep::kRemoveEntry, 1, 0}), "");
    EXPECT_EQ(world.Step({DeviceQueueStep::kRemoveByKey, 0, 7}), "");
    EXPECT_EQ(world.Step({DeviceQueueStep::kRemoveByKeyIfBusy, 0, 7}), "");
    EXPECT_EQ(KeGetCurrentIrql(), irql);
    KeLowerIrql(old);
  }
}

// DQ-INS-11, DQ-ENTRY-11: no entry is lost or handed out twice.
TEST(DeviceQueue, HandsEveryEntryToOneOfTwoRacingThreads) {
  constexpr int kThreads = 2;
  constexpr int kItemsPerThread = 48;
  std::vector<KDEVICE_QUEUE_ENTRY> entries(kThreads * kItemsPerThread);
  // Written by the thread that took the entry out, while it is outside.
  std::vector<int> residencies(entries.size());
  KDEVICE_QUEUE queue;
  KeInitializeDeviceQueue(&queue);
  int refused[kThreads] = {};
  int taken[kThreads] = {};
  auto run = [&](int thread) {
    ULONG64 random = 88172645463325252ull + static_cast<ULONG64>(thread);
    std::vector<int> outside;
    for (int i = 0; i < kItemsPerThread; ++i) outside.push_back(thread * kItemsPerThread + i);
    for (int round = 0; round < Affordable(200000); ++round) {
      random ^= random << 13;
      random ^= random >> 7;
      random ^= random << 17;
      const ULONG key = static_cast<ULONG>(random >> 20) % 40;
      if (!outside.empty() && random % 2 == 0) {
        PKDEVICE_QUEUE_ENTRY entry = &entries[outside.back()];
        if (KeInsertByKeyDeviceQueue(&queue, entry, key)) {
          outside.pop_back();
        } else {
          ++refused[thread];
        }
      } else if (random % 8 == 1) {
        const int item = static_cast<int>(random >> 40) % static_cast<int>(entries.size());
        if (!KeRemoveEntryDeviceQueue(&queue, &entries[item])) continue;
        outside.push_back(item);
        ++residencies[item];
        ++taken[thread];
      } else {
        PKDEVICE_QUEUE_ENTRY entry = KeRemoveByKeyDeviceQueueIfBusy(&queue, key);
        if (entry == nullptr) continue;
        outside.push_back(static_cast<int>(entry - entries.data()));
        ++residencies[outside.back()];
        ++taken[thread];
      }
    }
  };
  std::thread other(run, 1);
  run(0);
  other.join();
  EXPECT_EQ(device_queue::KiCheckDeviceQueue(&queue).broken, nullptr);
  int sum = 0;
  for (int count : residencies) sum += count;
  EXPECT_EQ(sum, taken[0] + taken[1]);
  EXPECT_GT(refused[0] + refused[1], 0);
}

}  // namespace
}  // namespace cancelsafe
