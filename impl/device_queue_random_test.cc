// The device queue against its model at depths where the tree works: long random
// runs for every distribution of keys, and the moves between list and tree.
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "base/affordable.h"
#include "base/random.h"
#include "device_queue_test_model.h"

namespace cancelsafe {
namespace {

enum class Keys { kMany, kFew, kAscending, kDescending, kEqual, kExtreme };
enum class Mix { kKeyedOnly, kSomeUnkeyed };

// A world that picks its own steps.
class RandomRun {
 public:
  RandomRun(int items, Keys keys, Mix mix)
      : world_(items), keys_(keys), mix_(mix), random_(static_cast<uint64_t>(items)) {
    for (int item = items - 1; item >= 0; --item) outside_.push_back(item);
  }

  // Makes `count` steps of which `inserts` in a hundred are insertions. Checks the
  // whole queue every `check_every` steps.
  void Make(int count, int inserts, int check_every) {
    for (int i = 0; i < count; ++i) {
      const DeviceQueueStep step = Pick(inserts);
      const std::vector<int> before = TakenBy(step);
      ASSERT_EQ(world_.Step(step), "") << "routine " << step.routine << " key " << step.key;
      Account(step, before);
      if (++steps_ % check_every == 0) ASSERT_EQ(world_.Compare(), "");
    }
    ASSERT_EQ(world_.Compare(), "");
  }

  // Takes everything out, which compares the whole order.
  void Drain() {
    while (world_.model.busy) ASSERT_EQ(world_.Step({DeviceQueueStep::kRemove, 0, 0}), "");
    ASSERT_EQ(world_.Compare(), "");
  }

  ULONG tree_entries() const {
    return device_queue::KiCheckDeviceQueue(&world_.queue).tree_entries;
  }
  int depth() const { return static_cast<int>(world_.model.order.size()); }

 private:
  ULONG PickKey() {
    switch (keys_) {
      case Keys::kMany:
        return static_cast<ULONG>(random_.Next());
      case Keys::kFew:
        return static_cast<ULONG>(random_.Below(7));
      case Keys::kAscending:
        return next_key_++;
      case Keys::kDescending:
        return 0x70000000 - next_key_++;
      case Keys::kEqual:
        return 5;
      case Keys::kExtreme:
        return random_.Below(2) == 0 ? 0 : MAXULONG - static_cast<ULONG>(random_.Below(2));
    }
    return 0;
  }

  DeviceQueueStep Pick(int inserts) {
    if (!outside_.empty() && random_.Below(100) < inserts) {
      const int item = outside_.back();
      if (mix_ == Mix::kSomeUnkeyed && random_.Below(4) == 0) {
        return {DeviceQueueStep::kInsert, item, 0};
      }
      return {DeviceQueueStep::kInsertByKey, item, PickKey()};
    }
    switch (random_.Below(5)) {
      case 0:
        return {DeviceQueueStep::kRemove, 0, 0};
      case 1:
      case 2: {
        const int any = random_.Below(static_cast<int>(world_.entries.size()));
        return {DeviceQueueStep::kRemoveEntry, any, 0};
      }
      case 3:
        return {DeviceQueueStep::kRemoveByKeyIfBusy, 0, PickKey()};
      default:
        return {DeviceQueueStep::kRemoveByKey, 0, PickKey()};
    }
  }

  // The item that a removal will take, by the model.
  std::vector<int> TakenBy(const DeviceQueueStep& step) const {
    const DeviceQueueModel& model = world_.model;
    if (step.routine <= DeviceQueueStep::kInsertByKey || model.order.empty()) return {};
    if (step.routine == DeviceQueueStep::kRemoveEntry) {
      return world_.entries[step.item].Inserted ? std::vector<int>{step.item} : std::vector<int>{};
    }
    const size_t found = model.First(step.routine == DeviceQueueStep::kRemove ? 0 : step.key);
    return {model.order[found == model.order.size() ? 0 : found]};
  }

  void Account(const DeviceQueueStep& step, const std::vector<int>& taken) {
    if (step.routine <= DeviceQueueStep::kInsertByKey) {
      if (world_.entries[step.item].Inserted) outside_.pop_back();
    } else {
      outside_.insert(outside_.end(), taken.begin(), taken.end());
    }
  }

  DeviceQueueWorld world_;
  const Keys keys_;
  const Mix mix_;
  Random random_;
  std::vector<int> outside_;
  ULONG next_key_ = 0;
  int steps_ = 0;
};

using Parameters = std::tuple<int, Keys, Mix>;
class DeviceQueueRandom : public testing::TestWithParam<Parameters> {};

TEST_P(DeviceQueueRandom, AgreesWithTheModelWhileItGrowsStaysAndShrinks) {
  const auto [items, keys, mix] = GetParam();
  RandomRun run(items, keys, mix);
  const int check_every = items <= 100 ? 1 : items / 16;
  const int steps = Affordable(items <= 100 ? 4000 : items * 3);
  for (int round = 0; round < 3; ++round) {
    ASSERT_NO_FATAL_FAILURE(run.Make(steps, 85, check_every));
    ASSERT_NO_FATAL_FAILURE(run.Make(steps, 50, check_every));
    ASSERT_NO_FATAL_FAILURE(run.Make(steps, 15, check_every));
  }
  ASSERT_NO_FATAL_FAILURE(run.Make(steps, 85, check_every));
  ASSERT_NO_FATAL_FAILURE(run.Drain());
}

INSTANTIATE_TEST_SUITE_P(EveryKindOfKeys, DeviceQueueRandom,
                         testing::Combine(testing::Values(1, 3, 9, 40, 100, 900, 5000),
                                          testing::Values(Keys::kMany, Keys::kFew, Keys::kAscending,
                                                          Keys::kDescending, Keys::kEqual,
                                                          Keys::kExtreme),
                                          testing::Values(Mix::kKeyedOnly, Mix::kSomeUnkeyed)));

// `count` entries with keys 10, 20, ... in a busy queue, by insertions at the tail.
void Fill(DeviceQueueWorld* world, int count) {
  ASSERT_EQ(world->Step({DeviceQueueStep::kInsert, 0, 0}), "");
  for (int i = 0; i < count; ++i) {
    ASSERT_EQ(world->Step({DeviceQueueStep::kInsertByKey, i, 10 * static_cast<ULONG>(i + 1)}), "");
  }
}

device_queue::QueueCheck Check(const DeviceQueueWorld& world) {
  return device_queue::KiCheckDeviceQueue(&world.queue);
}

TEST(DeviceQueueForm, TrafficAtTheEndsStaysAListAtAnyDepth) {
  DeviceQueueWorld world(3000);
  ASSERT_NO_FATAL_FAILURE(Fill(&world, 2999));
  for (int i = 0; i < 500; ++i) {
    ASSERT_EQ(world.Step({DeviceQueueStep::kRemove, 0, 0}), "");
    ASSERT_EQ(world.Step({DeviceQueueStep::kInsert, i, 0}), "");
  }
  EXPECT_EQ(Check(world).tree_entries, 0u);
  EXPECT_EQ(Check(world).list_entries, 2999u);
}

TEST(DeviceQueueForm, AKeyedWalkPutsWhatItPassesInTheTreeAndNoMore) {
  DeviceQueueWorld world(1001);
  ASSERT_NO_FATAL_FAILURE(Fill(&world, 1000));
  ASSERT_EQ(world.Step({DeviceQueueStep::kInsertByKey, 1000, 5005}), "");
  EXPECT_EQ(Check(world).tree_entries, 501u);
  EXPECT_EQ(Check(world).list_entries, 500u);
  ASSERT_EQ(world.Step({DeviceQueueStep::kRemoveByKey, 0, MAXULONG}), "");
  EXPECT_EQ(Check(world).tree_entries, 1000u);
  EXPECT_EQ(world.Compare(), "");
}

TEST(DeviceQueueForm, AShrinkingTreeReturnsToTheListInOrder) {
  DeviceQueueWorld world(400);
  ASSERT_NO_FATAL_FAILURE(Fill(&world, 400));
  ASSERT_EQ(world.Step({DeviceQueueStep::kRemoveByKey, 0, MAXULONG}), "");
  ASSERT_EQ(Check(world).tree_entries, 399u);
  while (world.model.order.size() > device_queue::TreeMin()) {
    ASSERT_EQ(world.Step({DeviceQueueStep::kRemoveByKey, 0, 2000}), "");
  }
  EXPECT_EQ(Check(world).tree_entries, 0u);
  while (world.model.busy) ASSERT_EQ(world.Step({DeviceQueueStep::kRemove, 0, 0}), "");
}

TEST(DeviceQueueForm, AnUnkeyedInsertBehindATreeIsAListOperation) {
  DeviceQueueWorld world(600);
  ASSERT_NO_FATAL_FAILURE(Fill(&world, 599));
  ASSERT_EQ(world.Step({DeviceQueueStep::kRemoveByKey, 0, MAXULONG}), "");
  ASSERT_EQ(world.Step({DeviceQueueStep::kInsert, 599, 0}), "");  // SortKey 0 descends.
  EXPECT_EQ(Check(world).list_entries, 1u);
  ASSERT_EQ(world.Step({DeviceQueueStep::kInsertByKey, 0, 1}), "");
  EXPECT_EQ(Check(world).list_entries, 2u) << "the last key was not greater: the tail";
  while (world.model.busy) ASSERT_EQ(world.Step({DeviceQueueStep::kRemove, 0, 0}), "");
}

TEST(DeviceQueueForm, ADescendingListIsLeftAlone) {
  DeviceQueueWorld world(200);
  ASSERT_EQ(world.Step({DeviceQueueStep::kInsert, 0, 0}), "");
  for (int i = 0; i < 200; ++i) {
    world.entries[i].SortKey = world.model.keys[i] = 1000 - static_cast<ULONG>(i);
    ASSERT_EQ(world.Step({DeviceQueueStep::kInsert, i, 0}), "");
  }
  ASSERT_EQ(world.Step({DeviceQueueStep::kRemoveByKey, 0, 2000}), "");
  EXPECT_LE(Check(world).tree_entries, 1u);
  ASSERT_EQ(world.Compare(), "");
}

TEST(DeviceQueueForm, AMillionEqualKeysAreOneNode) {
  constexpr int kItems = Affordable(1000000);
  DeviceQueueWorld world(kItems);
  KeInsertDeviceQueue(&world.queue, &world.entries[0]);
  for (auto& entry : world.entries) KeInsertByKeyDeviceQueue(&world.queue, &entry, 7);
  // Nothing qualifies, so the walk passes all of them and takes the first.
  ASSERT_EQ(KeRemoveByKeyDeviceQueue(&world.queue, 8), &world.entries[0]);
  EXPECT_EQ(Check(world).tree_entries, static_cast<ULONG>(kItems - 1));
  for (int i = 1; i < kItems; i += 2) {
    ASSERT_TRUE(KeRemoveEntryDeviceQueue(&world.queue, &world.entries[i]));
  }
  for (int i = 2; i < kItems; i += 2) {
    ASSERT_EQ(KeRemoveByKeyDeviceQueue(&world.queue, 7), &world.entries[i]);
  }
  EXPECT_EQ(KeRemoveDeviceQueue(&world.queue), nullptr);
}

// Equal keys on both sides of where a counter of 4, 8 or 16 bits wraps, beside a few
// other keys, so that there is a tree to lose them in.
class DeviceQueueEqualKeys : public testing::TestWithParam<int> {};

TEST_P(DeviceQueueEqualKeys, AreAllFoundInOrderOfArrival) {
  const int count = GetParam();
  constexpr int kOthers = 2 * device_queue::ListMax() + 2;
  constexpr ULONG kEqual = kOthers;  // half of the other keys are less, half are greater
  KDEVICE_QUEUE queue;
  std::vector<KDEVICE_QUEUE_ENTRY> others(kOthers), equal(static_cast<size_t>(count));
  KeInitializeDeviceQueue(&queue);
  KeInsertDeviceQueue(&queue, &others[0]);
  for (size_t i = 0; i < others.size(); ++i) {
    KeInsertByKeyDeviceQueue(&queue, &others[i], 2 * static_cast<ULONG>(i) + 1);
  }
  // In front of greater keys: a search, and the tree.
  for (auto& entry : equal) KeInsertByKeyDeviceQueue(&queue, &entry, kEqual);
  auto check = device_queue::KiCheckDeviceQueue(&queue);
  ASSERT_EQ(check.broken, nullptr) << check.broken;
  ASSERT_EQ(check.tree_entries + check.list_entries, others.size() + equal.size());
  ASSERT_GE(check.tree_entries, equal.size());
  // One that waits behind the first, out of turn; then all others in turn.
  ASSERT_TRUE(KeRemoveEntryDeviceQueue(&queue, &equal[equal.size() / 2]));
  for (auto& entry : equal) {
    if (&entry == &equal[equal.size() / 2]) continue;
    ASSERT_EQ(KeRemoveByKeyDeviceQueue(&queue, kEqual), &entry) << &entry - equal.data();
  }
  check = device_queue::KiCheckDeviceQueue(&queue);
  EXPECT_EQ(check.broken, nullptr) << check.broken;
  EXPECT_EQ(check.tree_entries + check.list_entries, others.size());
  for (auto& entry : others) ASSERT_EQ(KeRemoveDeviceQueue(&queue), &entry);
  EXPECT_EQ(KeRemoveDeviceQueue(&queue), nullptr);
}

INSTANTIATE_TEST_SUITE_P(WhereCountersWrap, DeviceQueueEqualKeys,
                         testing::Values(15, 16, 17, 255, 256, 257, 258, 65535, 65536, 65537));

TEST(DeviceQueueForm, ThousandsOfDistinctKeysAreTakenOutOfTheMiddleInOrder) {
  constexpr int kItems = 3500;
  DeviceQueueWorld world(kItems);
  ASSERT_EQ(world.Step({DeviceQueueStep::kInsert, 0, 0}), "");
  // A stride prime to the number of keys: each once, never in order.
  for (int i = 0; i < kItems; ++i) {
    const ULONG key = static_cast<ULONG>(i * 1117 % kItems);
    ASSERT_EQ(world.Step({DeviceQueueStep::kInsertByKey, i, key}), "");
  }
  ASSERT_EQ(world.Compare(), "");
  EXPECT_GT(Check(world).tree_entries, 3000u);
  for (int i = 0; world.model.busy; ++i) {
    const ULONG key = static_cast<ULONG>(i * 611 % kItems);
    ASSERT_EQ(world.Step({DeviceQueueStep::kRemoveByKey, 0, key}), "") << key;
    if (i % 250 == 0) ASSERT_EQ(world.Compare(), "");
  }
}

}  // namespace
}  // namespace cancelsafe
