// The worlds of a scope against all programs of it, from which those that are the same up
// to renaming are taken out by trying every renaming.
#include "fuzzers/worlds/worlds.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fuzzers/program/text.h"
#include "fuzzers/worlds/worth.h"
#include "gtest/gtest.h"
#include "oracle/family.h"
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

bool IsPinned(const Setup& setup) {
  return setup.reentry == Reentry::kInsert || setup.reentry == Reentry::kCancel;
}
bool HasQueueOfItsOwn(const Setup& setup) {
  return setup.reentry == Reentry::kInsert || setup.reentry == Reentry::kRemoveNext;
}
// Whether something has key 0 that does not say so.
bool HasImpliedZero(const World& world) {
  if (HasQueueOfItsOwn(world.setup)) return true;
  return std::any_of(world.operations, world.operations + world.calls, [](const Operation& o) {
    return o.op == Op::kQueueInsert || o.op == Op::kStartPacket;
  });
}

// What is equal for two worlds that differ in names alone, and for no others: the least
// text over all renamings.
std::string Nameless(const World& world) {
  const Setup& setup = world.setup;
  std::set<int> items;
  std::set<uint32_t> keys;
  if (IsPinned(setup)) items.insert(setup.reentry_item);
  if (setup.start_by_key) keys.insert(setup.start_key);
  if (HasImpliedZero(world)) keys.insert(0);
  for (int i = 0; i < world.calls; ++i) {
    const Operation& operation = world.operations[i];
    if (InfoOf(operation.op).fields.item != 0) items.insert(operation.item);
    if (FieldsOf(setup, operation.op).key != 0) keys.insert(operation.key);
  }
  const auto rank = [&](uint32_t key) { return std::distance(keys.begin(), keys.find(key)); };
  const bool files = setup.peek == PeekPolicy::kByFile;
  const bool parity = ParityCounts(setup);
  std::vector<int> fiber(world.fibers);
  std::iota(fiber.begin(), fiber.end(), 0);
  std::string least;
  do {
    std::vector<int> item(items.begin(), items.end());
    do {
      const auto item_name = [&](int number) {
        return std::distance(item.begin(), std::find(item.begin(), item.end(), number));
      };
      int file[kFileCount] = {0, 1, 2};
      do {
        for (int flip = 0; flip < (setup.two_queues && !HasQueueOfItsOwn(setup) ? 2 : 1); ++flip) {
          std::string text;
          if (IsPinned(setup)) {
            absl::StrAppend(&text, "re", item_name(setup.reentry_item), "f",
                            files ? file[setup.reentry_item % kFileCount] : 0);
          }
          if (setup.start_by_key) absl::StrAppend(&text, "start", rank(setup.start_key));
          for (int f : fiber) {
            text += "|";
            for (int i = 0; i < world.calls; ++i) {
              if (world.fiber_of[i] != f) continue;
              const Operation& o = world.operations[i];
              const FieldMasks fields = FieldsOf(setup, o.op);
              int flags = o.flags;
              if ((fields.flags & kOtherQueue) != 0 && flip != 0) flags ^= kOtherQueue;
              absl::StrAppend(&text, " ", OperationName(o.op), ".", flags);
              if (InfoOf(o.op).fields.item != 0) {
                absl::StrAppend(&text, " i", item_name(o.item), ".",
                                files    ? file[o.item % kFileCount]
                                : parity ? o.item % 2
                                         : 0);
              }
              if (o.op == Op::kRemoveNext && files) {
                absl::StrAppend(&text, " f", o.selector == 0 ? -1 : file[o.selector - 1]);
              }
              if (fields.key != 0) absl::StrAppend(&text, " k", rank(o.key));
            }
          }
          if (least.empty() || text < least) least = text;
        }
      } while (files && std::next_permutation(file, file + kFileCount));
    } while (std::next_permutation(item.begin(), item.end()));
  } while (std::next_permutation(fiber.begin(), fiber.end()));
  return least;
}

std::string SetupText(const World& world) {
  Setup setup = world.setup;
  setup.reentry_item = 0;
  setup.start_key = 0;
  return absl::StrCat(std::string(reinterpret_cast<const char*>(&setup), sizeof setup), "irql",
                      world.irql);
}

// Every program of the scope, whatever its names: with more item numbers than it may use
// at a time, and all keys from 0 to one above the number of calls.
class BruteForce {
 public:
  explicit BruteForce(const Scope& scope) : scope_(scope) {}

  std::set<std::string> All() {
    const int calls = scope_.fibers * scope_.calls;
    for (const WorldSetup& setup : SetupsWithin(scope_, calls)) {
      world_.setup = setup.setup;
      world_.irql = setup.irql;
      const Setup& s = setup.setup;
      pool_ = s.peek == PeekPolicy::kByFile ? kFileCount * scope_.items
              : ParityCounts(s)             ? 2 * scope_.items
                                            : scope_.items + 1;
      const int reentry_items = IsPinned(s) ? pool_ : 1;
      const int start_keys = s.start_by_key ? calls + 2 : 1;
      for (int item = 0; item < reentry_items; ++item) {
        for (int key = 0; key < start_keys; ++key) {
          world_.setup.reentry_item = static_cast<uint8_t>(item);
          world_.setup.start_key = static_cast<uint8_t>(key);
          for (world_.fibers = 1; world_.fibers <= scope_.fibers; ++world_.fibers) {
            world_.calls = 0;
            Fiber(0);
          }
        }
      }
    }
    return std::move(found_);
  }

 private:
  void Fiber(int fiber) {
    if (fiber == world_.fibers) {
      Take();
      return;
    }
    for (int calls = 1; calls <= scope_.calls; ++calls) Calls(fiber, calls);
  }

  void Calls(int fiber, int left) {
    if (left == 0) {
      Fiber(fiber + 1);
      return;
    }
    const Setup& setup = world_.setup;
    const OperationList& list = OperationsOf(setup.family);
    const uint32_t keys = static_cast<uint32_t>(scope_.fibers * scope_.calls) + 2;
    const int at = world_.calls++;
    world_.fiber_of[at] = static_cast<uint8_t>(fiber);
    for (int i = 0; i < list.count; ++i) {
      if (!scope_.Allows(list.ops[i])) continue;
      const FieldMasks fields = FieldsOf(setup, list.ops[i]);
      const int items = InfoOf(list.ops[i]).fields.item != 0 ? pool_ : 1;
      const bool by_file = list.ops[i] == Op::kRemoveNext && fields.selector != 0;
      for (int flags = 0; flags <= fields.flags; ++flags) {
        if ((flags & ~fields.flags) != 0) continue;
        for (int item = 0; item < items; ++item) {
          for (int selector = 0; selector <= (by_file ? kFileCount : 0); ++selector) {
            for (uint32_t key = 0; key < (fields.key != 0 ? keys : 1); ++key) {
              world_.operations[at] = {
                  list.ops[i], static_cast<uint8_t>(item),     static_cast<uint8_t>(flags),
                  0,           static_cast<uint8_t>(selector), key};
              Calls(fiber, left - 1);
            }
          }
        }
      }
    }
    --world_.calls;
  }

  void Take() {
    std::set<int> items;
    if (IsPinned(world_.setup)) items.insert(world_.setup.reentry_item);
    for (int i = 0; i < world_.calls; ++i) {
      if (InfoOf(world_.operations[i].op).fields.item != 0) {
        items.insert(world_.operations[i].item);
      }
    }
    if (static_cast<int>(items.size()) > scope_.items) return;
    if (IsLeftOut(world_)) return;
    found_.insert(SetupText(world_) + Nameless(world_));
  }

  const Scope scope_;
  World world_;
  int pool_ = 1;
  std::set<std::string> found_;
};

class WorldsTest : public testing::TestWithParam<int> {
 protected:
  Scope ScopeOf(int fibers, int calls, int items, int settings) const {
    return {FamilyNumber(GetParam()), fibers, calls, items, settings};
  }

  void ExpectEachOnce(const Scope& scope) {
    const std::set<std::string> all = BruteForce(scope).All();
    std::set<std::string> seen;
    Worlds worlds(scope);
    while (worlds.Next()) {
      Program program;
      ToProgram(worlds.world(), &program);
      EXPECT_TRUE(seen.insert(SetupText(worlds.world()) + Nameless(worlds.world())).second)
          << "a second time:\n"
          << PrintProgram(program);
      EXPECT_EQ(all.count(SetupText(worlds.world()) + Nameless(worlds.world())), 1u)
          << PrintProgram(program);
    }
    for (const std::string& world : all) {
      EXPECT_EQ(seen.count(world), 1u) << "missing: " << world.substr(sizeof(cancelsafe::Setup));
    }
    EXPECT_EQ(worlds.index() + 1, static_cast<int64_t>(all.size())) << ScopeText(scope);
    EXPECT_GT(worlds.index(), 0);
  }
};

TEST_P(WorldsTest, EveryProgramOfOneCallOnTwoFibersComesOnceUpToRenaming) {
  ExpectEachOnce(ScopeOf(2, 1, 2, 1));
}

TEST_P(WorldsTest, EveryProgramOfTwoCallsOnOneFiberComesOnceUpToRenaming) {
  ExpectEachOnce(ScopeOf(1, 2, 2, 1));
}

TEST_P(WorldsTest, EveryProgramOfOneCallOnThreeFibersComesOnceUpToRenaming) {
  ExpectEachOnce(ScopeOf(3, 1, 2, 0));
}

// Where there are no keys: all programs with keys are too many to be tried.
TEST_P(WorldsTest, EveryProgramOfTwoCallsOnTwoFibersComesOnceUpToRenaming) {
  if (HasQueueCallbacks(FamilyNumber(GetParam()))) ExpectEachOnce(ScopeOf(2, 2, 2, 0));
}

TEST_P(WorldsTest, SettingsThatDependOnEachOtherAreCombined) {
  ExpectEachOnce(ScopeOf(1, 1, 2, 2));
}

TEST_P(WorldsTest, ProgramsOfSomeOperationsAreThoseThatHaveNoOthers) {
  Scope scope = ScopeOf(1, 3, 3, 0);
  const OperationList& list = OperationsOf(scope.family);
  scope.operations = OperationBit(list.ops[0]) | OperationBit(list.ops[2]);
  ExpectEachOnce(scope);
  Scope whole = scope;
  whole.operations = 0;
  EXPECT_LT(CountWorlds(scope), CountWorlds(whole));
}

// They have numbers that only `items=many` has.
TEST_P(WorldsTest, FourItemsOfOneFileAreFour) {
  if (!HasQueueCallbacks(FamilyNumber(GetParam()))) return;
  Scope scope = ScopeOf(1, 4, 4, 1);
  const Op insert = OperationBelongsTo(scope.family, Op::kInsert) ? Op::kInsert : Op::kInsertEx;
  scope.operations = OperationBit(insert);
  // The items, and whether they are four of one file.
  const auto inserted = [insert](const World& world) {
    std::set<int> items, files;
    for (int i = 0; i < world.calls; ++i) {
      if (world.operations[i].op != insert) continue;
      items.insert(world.operations[i].item);
      files.insert(world.operations[i].item % kFileCount);
    }
    return std::make_pair(
        items, world.setup.peek == PeekPolicy::kByFile && items.size() == 4 && files.size() == 1);
  };
  int of_one_file = 0;
  Worlds worlds(scope);
  while (worlds.Next()) {
    const World& world = worlds.world();
    const auto [items, is_of_one_file] = inserted(world);
    EXPECT_EQ(world.setup.many_items, *items.rbegin() >= kFewItems);
    if (is_of_one_file) ++of_one_file;
  }
  // A program without a question for a file does not need that setting.
  EXPECT_EQ(of_one_file, 0);
  scope.operations |= OperationBit(Op::kRemoveNext);
  scope.calls = 5;
  Worlds asking(scope);
  while (asking.Next()) {
    const World& world = asking.world();
    if (!inserted(world).second) continue;
    ++of_one_file;
    EXPECT_TRUE(world.setup.many_items);
  }
  EXPECT_GT(of_one_file, 0);
}

TEST_P(WorldsTest, SmallerProgramsComeFirst) {
  Worlds worlds(ScopeOf(2, 2, 1, 1));
  int calls = 1, fibers = 1;
  while (worlds.Next()) {
    const World& world = worlds.world();
    EXPECT_GE(world.calls, calls);
    if (world.calls > calls) fibers = 1;
    EXPECT_GE(world.fibers, fibers);
    calls = world.calls;
    fibers = world.fibers;
  }
  EXPECT_EQ(calls, 4);
}

// Normalize would make them another program, and two might become the same.
TEST_P(WorldsTest, WorldsAreProgramsInNormalForm) {
  Worlds worlds(ScopeOf(2, 2, 2, 1));
  while (worlds.Next()) {
    if (worlds.index() % 7 != 0) continue;
    const World& world = worlds.world();
    Program program;
    ToProgram(world, &program);
    EXPECT_EQ(program.setup, world.setup);
    ASSERT_EQ(program.operation_count, world.calls);
    for (int i = 0; i < world.calls; ++i) {
      Operation operation = program.operations[i];
      operation.irql = 0;
      EXPECT_EQ(operation, world.operations[i]) << PrintProgram(program);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AllFamilies, WorldsTest, testing::Range(0, kFamilyCount),
                         [](const testing::TestParamInfo<int>& info) {
                           return std::string(FamilyFileName(FamilyNumber(info.param)));
                         });

}  // namespace
}  // namespace cancelsafe
