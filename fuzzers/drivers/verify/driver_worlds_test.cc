// The programs of a scope for a driver, against all words of tiny scopes from which what is the
// same is taken by trying every renaming.
#include "fuzzers/drivers/verify/driver_worlds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/program/driver_text.h"
#include "fuzzers/drivers/program/profile.h"

namespace cancelsafe::drivers {
namespace {

DriverFacts FactsOf(bool reads, bool writes, std::vector<uint32_t> codes) {
  DriverFacts facts;
  facts.reads = reads;
  facts.writes = writes;
  facts.controls = !codes.empty();
  facts.codes = std::move(codes);
  return facts;
}

DriverScope ScopeOf(int fibers, int calls, int files) {
  DriverScope scope;
  scope.fibers = fibers;
  scope.calls = calls;
  scope.files = files;
  return scope;
}

// A program as the calls of each fiber; a cancel names a call by its fiber and place.
struct Call {
  int variant;
  int file;
  int target_fiber;
  int target_place;
};
using Fibers = std::vector<std::vector<Call>>;

class AllWords {
 public:
  AllWords(const DriverScope& scope, std::vector<DriverVariant> variants)
      : scope_(scope), variants_(std::move(variants)) {}

  // The classes of all words with so many calls on each fiber.
  std::set<std::string> Classes() {
    Fill(0);
    return classes_;
  }
  // The least of all names of the program.
  std::string ClassOf(const Fibers& fibers) const {
    std::vector<int> order(fibers.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
    std::string least;
    do {
      std::vector<int> names(static_cast<size_t>(scope_.files));
      for (size_t i = 0; i < names.size(); ++i) names[i] = static_cast<int>(i);
      do {
        const std::string text = Print(fibers, order, names);
        if (least.empty() || text < least) least = text;
      } while (std::next_permutation(names.begin(), names.end()));
    } while (std::next_permutation(order.begin(), order.end()));
    return least;
  }
  const DriverVariant& VariantOf(const Call& call) const {
    return variants_[static_cast<size_t>(call.variant)];
  }

 private:
  bool Sends(const Call& call) const {
    return InfoOf(VariantOf(call).op).request && VariantOf(call).op != DriverOp::kCancel;
  }

  std::string Print(const Fibers& fibers, const std::vector<int>& order,
                    const std::vector<int>& names) const {
    std::string text;
    for (const int fiber : order) {
      const std::vector<Call>& calls = fibers[static_cast<size_t>(fiber)];
      if (calls.empty()) continue;
      text += "|";
      for (const Call& call : calls) {
        const DriverOp op = VariantOf(call).op;
        absl::StrAppend(&text, " ", call.variant);
        if (InfoOf(op).file) absl::StrAppend(&text, "f", names[static_cast<size_t>(call.file)]);
        if (op != DriverOp::kCancel) continue;
        // The place of the target's fiber among those that have calls.
        int place = 0;
        for (const int other : order) {
          if (other == call.target_fiber) break;
          place += fibers[static_cast<size_t>(other)].empty() ? 0 : 1;
        }
        absl::StrAppend(&text, "t", place, ".", call.target_place);
      }
    }
    return text;
  }

  // What is never carried out makes a program worthless.
  bool IsWorth(const Fibers& fibers) const {
    for (size_t f = 0; f < fibers.size(); ++f) {
      for (size_t i = 0; i < fibers[f].size(); ++i) {
        const Call& call = fibers[f][i];
        const DriverOp op = VariantOf(call).op;
        if (op == DriverOp::kCancel) {
          const auto target_fiber = static_cast<size_t>(call.target_fiber);
          const auto target = static_cast<size_t>(call.target_place);
          if (target >= fibers[target_fiber].size() || !Sends(fibers[target_fiber][target])) {
            return false;
          }
          if (target_fiber == f && target > i) return false;
        }
        bool cleaned = false;
        for (size_t g = 0; g < fibers.size(); ++g) {
          for (size_t k = 0; k < fibers[g].size(); ++k) {
            const DriverOp other = VariantOf(fibers[g][k]).op;
            if (!InfoOf(other).file || fibers[g][k].file != call.file) continue;
            const bool before = g == f && k < i;
            cleaned |= other == DriverOp::kCleanup && (g != f || before);
            if (!InfoOf(op).file || !before) continue;
            if (other == DriverOp::kClose) return false;
            if (other == DriverOp::kCleanup && op != DriverOp::kClose) return false;
          }
        }
        if (op == DriverOp::kClose && !cleaned) return false;
      }
    }
    return true;
  }

  void Fill(size_t fiber) {
    if (fiber == static_cast<size_t>(scope_.fibers)) {
      bool any = false;
      for (const std::vector<Call>& calls : fibers_) any |= !calls.empty();
      if (any && IsWorth(fibers_)) classes_.insert(ClassOf(fibers_));
      return;
    }
    fibers_.resize(static_cast<size_t>(scope_.fibers));
    Fill(fiber + 1);
    if (static_cast<int>(fibers_[fiber].size()) == scope_.calls) return;
    for (int variant = 0; variant < static_cast<int>(variants_.size()); ++variant) {
      const DriverOp op = variants_[static_cast<size_t>(variant)].op;
      for (int file = 0; file < (InfoOf(op).file ? scope_.files : 1); ++file) {
        const bool cancels = op == DriverOp::kCancel;
        for (int target = 0; target < (cancels ? scope_.fibers * scope_.calls : 1); ++target) {
          fibers_[fiber].push_back({variant, file, target / scope_.calls, target % scope_.calls});
          Fill(fiber);
          fibers_[fiber].pop_back();
        }
      }
    }
  }

  const DriverScope scope_;
  const std::vector<DriverVariant> variants_;
  Fibers fibers_;
  std::set<std::string> classes_;
};

// The program as those above.
Fibers FibersOf(const DriverProgram& program, int fibers,
                const std::vector<DriverVariant>& variants) {
  Fibers result(static_cast<size_t>(fibers));
  Call sent[kMaxRequests] = {};
  for (const bool cancels : {false, true}) {
    std::vector<size_t> at(result.size(), 0);
    for (const DriverOperation& operation : program.operations) {
      if (operation.fiber == kBefore) continue;
      const size_t place = at[operation.fiber]++;
      std::vector<Call>& calls = result[operation.fiber];
      if (!cancels) {
        Call call = {0, operation.file, 0, 0};
        while (variants[static_cast<size_t>(call.variant)].op != operation.op ||
               variants[static_cast<size_t>(call.variant)].code != operation.code ||
               variants[static_cast<size_t>(call.variant)].in != operation.in ||
               variants[static_cast<size_t>(call.variant)].out != operation.out ||
               variants[static_cast<size_t>(call.variant)].unreadable != operation.unreadable) {
          ++call.variant;
        }
        calls.push_back(call);
        if (operation.op != DriverOp::kCancel && InfoOf(operation.op).request) {
          sent[operation.request] = {0, 0, operation.fiber, static_cast<int>(place)};
        }
      } else if (operation.op == DriverOp::kCancel) {
        calls[place].target_fiber = sent[operation.request].target_fiber;
        calls[place].target_place = sent[operation.request].target_place;
      }
    }
  }
  return result;
}

void CompareWithAllWords(const DriverScope& scope, const std::vector<DriverVariant>& variants) {
  AllWords words(scope, variants);
  const std::set<std::string> wanted = words.Classes();
  std::set<std::string> visited;
  DriverWorlds worlds(scope, variants);
  ASSERT_TRUE(worlds.Next());
  EXPECT_EQ(worlds.program().operations.size(), 1u);  // opens a file
  while (worlds.Next()) {
    const std::string text = words.ClassOf(FibersOf(worlds.program(), scope.fibers, variants));
    EXPECT_TRUE(visited.insert(text).second) << text;
    EXPECT_EQ(wanted.count(text), 1u) << text;
  }
  EXPECT_EQ(visited.size(), wanted.size());
  EXPECT_FALSE(worlds.Next());
}

TEST(DriverWorldsTest, VisitsEachProgramOnceUpToRenaming) {
  const std::vector<DriverVariant> plain = {{DriverOp::kRead, 0, 0, kSomeBytes, 0},
                                            {DriverOp::kCancel},
                                            {DriverOp::kCleanup},
                                            {DriverOp::kClose}};
  CompareWithAllWords(ScopeOf(2, 2, 1), plain);
  CompareWithAllWords(ScopeOf(3, 1, 2), plain);
  CompareWithAllWords(ScopeOf(2, 2, 2), {{DriverOp::kRead}, {DriverOp::kCancel}});
  CompareWithAllWords(ScopeOf(1, 3, 2), plain);
}

TEST(DriverWorldsTest, BuffersThatAreNotThereAreProgramsOfTheirOwn) {
  const DriverScope scope = ScopeOf(2, 1, 1);
  const std::vector<DriverVariant> variants =
      VariantsOf(scope, FactsOf(false, false, {0x222003}), false);
  // Four pairs of lengths, three of them with a buffer; cancel, cleanup and close.
  EXPECT_EQ(variants.size(), 4u + 3u + 3u);
  CompareWithAllWords(scope, variants);
  bool unreadable = false;
  DriverWorlds worlds(scope, variants);
  while (worlds.Next()) {
    for (const DriverOperation& operation : worlds.program().operations) {
      unreadable |= operation.unreadable;
      EXPECT_TRUE(!operation.unreadable || operation.in + operation.out != 0);
    }
  }
  EXPECT_TRUE(unreadable);
}

TEST(DriverWorldsTest, WithAProfileTheRequestsAreTheEndsOfItsRanges) {
  const absl::StatusOr<DriverProfile> profile = ParseDriverProfile(
      "request get read out=1..8\n"
      "request put write in=4\n"
      "request more write in=4..6\n"
      "request user ioctl code=0x222003 in=8 out=0\n");
  ASSERT_TRUE(profile.ok()) << profile.status();
  const DriverFacts facts = FactsOf(true, true, {0x222000});
  const std::vector<DriverVariant> expected = {
      {DriverOp::kRead, 0, 0, 8},
      {DriverOp::kRead, 0, 0, 1},
      {DriverOp::kWrite, 0, 4, 0},
      {DriverOp::kWrite, 0, 6, 0},
      {DriverOp::kIoctl, 0x222003, 8, 0},
      {DriverOp::kIoctl, 0x222003, 8, 0, 0, true},
      {DriverOp::kCancel},
      {DriverOp::kCleanup},
      {DriverOp::kClose},
      {DriverOp::kAdvance, 0, 0, 0, kSomeMs},
  };
  EXPECT_TRUE(VariantsOf(ScopeOf(2, 1, 1), facts, true, &*profile) == expected);
  for (const DriverVariant& variant : expected) {
    if (!InfoOf(variant.op).request || variant.op == DriverOp::kCancel) continue;
    DriverOperation operation;
    operation.op = variant.op;
    operation.code = variant.code;
    operation.in = variant.in;
    operation.out = variant.out;
    EXPECT_GE(profile->KindOf(operation), 0);
  }
}

TEST(DriverWorldsTest, GoesFromSmallToLargeAndPrintsWhatCanBeParsed) {
  const DriverScope scope = ScopeOf(2, 2, 2);
  DriverWorlds worlds(scope, VariantsOf(scope, FactsOf(true, false, {0x222000}), true));
  size_t calls = 0;
  std::set<uint64_t> hashes;
  while (worlds.Next()) {
    const DriverProgram& program = worlds.program();
    const auto opens = static_cast<size_t>(
        std::count_if(program.operations.begin(), program.operations.end(),
                      [](const DriverOperation& o) { return o.op == DriverOp::kOpen; }));
    EXPECT_GE(program.operations.size() - opens, calls);
    calls = program.operations.size() - opens;
    EXPECT_TRUE(hashes.insert(worlds.hash()).second);
    if (worlds.index() % 97 != 0) continue;
    DriverProgramFile file;
    file.program = program;
    const absl::StatusOr<DriverProgramFile> parsed = ParseDriverProgram(PrintDriverProgram(file));
    ASSERT_TRUE(parsed.ok()) << parsed.status() << "\n" << PrintDriverProgram(file);
    EXPECT_EQ(parsed->program.operations, program.operations);
  }
  EXPECT_EQ(calls, 4u);
}

TEST(DriverWorldsTest, OffersWhatTheDriverCanNotice) {
  DriverScope scope = ScopeOf(2, 1, 1);
  const auto count = [&](const DriverFacts& facts, bool time) {
    return VariantsOf(scope, facts, time).size();
  };
  const size_t always = 3;  // cancel, cleanup, close
  EXPECT_EQ(count(FactsOf(false, false, {}), false), always);
  EXPECT_EQ(count(FactsOf(true, false, {}), false), always + 2);
  EXPECT_EQ(count(FactsOf(true, true, {1, 2}), true), always + 2 + 2 + 2 * 4 + 1);
  const absl::StatusOr<uint32_t> words = ReadDriverOperationWords("read,cancel");
  ASSERT_TRUE(words.ok());
  scope.operations = *words;
  EXPECT_EQ(count(FactsOf(true, true, {1, 2}), true), 3u);
  EXPECT_EQ(ScopeText(scope), "driver 2x1, 1 file, calls read+cancel");
  EXPECT_EQ(ReadDriverOperationWords("reed").status().message(),
            "'reed' is not a call on a driver; the calls are read, write, ioctl, cancel, cleanup, "
            "close, advance, unload");
}

}  // namespace
}  // namespace cancelsafe::drivers
