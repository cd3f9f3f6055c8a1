// See difference.h. Between two points the order of what is stored does not matter: there, what
// the words hold in the end is compared.
#include "fuzzers/check/difference.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "fuzzers/check/effects.h"

namespace cancelsafe {
namespace {

// Those behind them are consequences.
constexpr size_t kDifferencesMax = 6;

// The effects from one point to the next.
struct Part {
  int begin = 0;
  int end = 0;                   // index of the point, or the count
  std::map<uint64_t, int> last;  // by word: its last change
};

std::vector<Part> PartsOf(const EffectList& list, const std::set<uint64_t>& left_out) {
  std::vector<Part> parts(1);
  for (int i = 0; i < list.count; ++i) {
    if (!list.effects[i].is_point) {
      if (left_out.count(list.effects[i].where) == 0) parts.back().last[list.effects[i].where] = i;
      continue;
    }
    parts.back().end = i;
    parts.emplace_back();
    parts.back().begin = i + 1;
  }
  parts.back().end = list.count;
  return parts;
}

// The words of locks, which services change as they like.
std::set<uint64_t> LocksOf(const EffectList& a, const EffectList& b) {
  std::set<uint64_t> locks;
  for (const EffectList* list : {&a, &b}) {
    for (int i = 0; i < list->count; ++i) {
      if (list->effects[i].is_point) locks.insert(list->effects[i].where);
    }
  }
  return locks;
}

std::vector<uint64_t> PlacesOf(const Effect& effect) {
  return std::vector<uint64_t>(effect.frame, effect.frame + effect.frames);
}

bool SamePoint(const EffectList& a, int i, const EffectList& b, int j) {
  if (i >= a.count || j >= b.count) return i >= a.count && j >= b.count;
  return a.effects[i].kind == b.effects[j].kind && a.effects[i].where == b.effects[j].where &&
         a.effects[i].fiber == b.effects[j].fiber;
}

const Effect& At(const EffectList& list, int i) {
  return i < list.count ? list.effects[i] : list.end;
}

class Comparison {
 public:
  Comparison(const EffectList& wrong, const EffectList& right)
      : wrong_(wrong),
        right_(right),
        locks_(LocksOf(wrong, right)),
        wrong_parts_(PartsOf(wrong, locks_)),
        right_parts_(PartsOf(right, locks_)) {}

  std::vector<Difference> All() {
    std::vector<Difference> all;
    for (size_t i = 0; i < wrong_parts_.size() && i < right_parts_.size(); ++i) {
      const bool same = SamePoint(wrong_, wrong_parts_[i].end, right_, right_parts_[i].end);
      Difference difference = InMemory(wrong_parts_[i], RightPart(i), same);
      if (difference.kind == Difference::kNone && !same) difference = OfPoints(i);
      if (difference.kind != Difference::kNone) all.push_back(std::move(difference));
      if (!same || all.size() == kDifferencesMax) break;
    }
    if (all.empty() && wrong_.end.stored != 0) {
      all.push_back({Difference::kReturned, {wrong_.end.stored}, {}, wrong_.end.compared, 0, 0});
    }
    return all;
  }

 private:
  using Values = std::map<uint64_t, uint64_t>;

  static void TakePart(const EffectList& list, const Part& part, Values* values) {
    for (const auto& [word, index] : part.last) (*values)[word] = list.effects[index].value;
  }

  // What a word holds, of which the other run has changed it: as it was then, if this one never
  // has.
  static uint64_t ValueIn(const Values& values, uint64_t word, const Effect& other) {
    const auto at = values.find(word);
    return at == values.end() ? other.before : at->second;
  }

  // What holds something else after this part. Where the points that end it are different ones,
  // what the right run alone has changed may follow in the other.
  Difference InMemory(const Part& wrong, const Part& right, bool same) {
    TakePart(wrong_, wrong, &wrong_values_);
    TakePart(right_, right, &right_values_);
    Difference first;
    int at = INT32_MAX;
    for (const auto& [word, index] : wrong.last) {
      const Effect& effect = wrong_.effects[index];
      if (!IsNew(word, ValueIn(right_values_, word, effect) != effect.value) || index >= at)
        continue;
      at = index;
      first = {Difference::kOther, PlacesOf(effect), {}, effect.compared, effect.entered, 0};
    }
    if (!same) return first;
    const bool other = first.kind != Difference::kNone;
    for (const auto& [word, index] : right.last) {
      const Effect& effect = right_.effects[index];
      if (wrong.last.count(word) != 0) continue;
      if (!IsNew(word, ValueIn(wrong_values_, word, effect) != effect.value) || other) continue;
      const int before = LastOfBoth(wrong, right, index);
      if (before >= at) continue;
      at = before;
      first = Missing(before, NextOfBoth(wrong, right, index));
    }
    return first;
  }

  // Whether the wrong run goes from the end of part i to the point after the right one's next.
  bool Skips(size_t i) const {
    const int wrong = wrong_parts_[i].end;
    return i + 1 < right_parts_.size() && wrong < wrong_.count &&
           !SamePoint(wrong_, wrong, right_, right_parts_[i].end) &&
           SamePoint(wrong_, wrong, right_, right_parts_[i + 1].end);
  }

  // What the right run does while the wrong one does its part i.
  Part RightPart(size_t i) const {
    Part part = right_parts_[i];
    if (!Skips(i)) return part;
    for (const auto& [word, index] : right_parts_[i + 1].last) part.last[word] = index;
    part.end = right_parts_[i + 1].end;
    return part;
  }

  // Whether the word differs now, and did not before.
  bool IsNew(uint64_t word, bool differs) {
    if (!differs) differing_.erase(word);
    return differs && differing_.insert(word).second;
  }

  // Of what both do in this part, or the point before it, the last that is before the right
  // run's effect: where it is in the wrong run.
  int LastOfBoth(const Part& wrong, const Part& right, int index) const {
    for (int i = index - 1; i >= right.begin; --i) {
      const auto both = wrong.last.find(right_.effects[i].where);
      if (both != wrong.last.end()) return both->second;
    }
    return wrong.begin - 1;
  }

  int NextOfBoth(const Part& wrong, const Part& right, int index) const {
    for (int i = index + 1; i < right.end; ++i) {
      const auto both = wrong.last.find(right_.effects[i].where);
      if (both != wrong.last.end()) return both->second;
    }
    return wrong.end;
  }

  // Of what the wrong run does behind `before`, the first that the right one does in that part.
  int FirstOfBothBehind(int before, const Part& wrong, const Part& right) const {
    int first = wrong.end;
    for (const auto& [word, index] : wrong.last) {
      if (index > before && right.last.count(word) != 0) first = std::min(first, index);
    }
    return first;
  }

  // Between two effects of the wrong run.
  Difference Missing(int before, int after) const {
    const Effect& next = At(wrong_, after);
    Difference difference;
    difference.kind = Difference::kMissing;
    difference.next = PlacesOf(next);
    difference.block = next.block;
    difference.entered = next.entered;
    if (before >= 0) {
      difference.places = PlacesOf(wrong_.effects[before]);
      // Whether it has decided anything between.
      if (wrong_.effects[before].compared != next.compared) difference.compared = next.compared;
    }
    return difference;
  }

  Difference OfPoints(size_t i) const {
    const int wrong = wrong_parts_[i].end;
    if (Skips(i)) {
      const int before = LastOfBoth(wrong_parts_[i], right_parts_[i], right_parts_[i].end);
      return Missing(before, FirstOfBothBehind(before, wrong_parts_[i], right_parts_[i + 1]));
    }
    const Effect& effect = At(wrong_, wrong);
    return {Difference::kCalled, PlacesOf(effect), {}, effect.compared, effect.entered, 0};
  }

  const EffectList& wrong_;
  const EffectList& right_;
  const std::set<uint64_t> locks_;
  const std::vector<Part> wrong_parts_;
  const std::vector<Part> right_parts_;
  Values wrong_values_;
  Values right_values_;
  std::set<uint64_t> differing_;
};

}  // namespace

std::vector<Difference> DifferencesOf(const EffectList& wrong, const EffectList& right) {
  return Comparison(wrong, right).All();
}

}  // namespace cancelsafe
