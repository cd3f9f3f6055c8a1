// See witness.h.
#include "fuzzers/explain/witness.h"

#include <algorithm>
#include <climits>
#include <map>

#include "absl/strings/str_cat.h"

namespace cancelsafe {
namespace {

// More than the point budget of a run.
constexpr size_t kMaxNotes = 32 * 1024;

// Lock addresses as the names that people use, in order of first use.
class LockNames {
 public:
  void NoteCancelLock(const volatile void* lock) { names_[lock] = "cancel lock"; }
  std::string Of(const volatile void* lock) {
    std::string& name = names_[lock];
    if (name.empty()) {
      ++others_;
      name = others_ == 1 ? "queue lock" : absl::StrCat("lock ", others_);
    }
    return name;
  }

 private:
  std::map<const volatile void*, std::string> names_;
  int others_ = 0;
};

}  // namespace

Witness::Witness(const History& history) : history_(history) { notes_.reserve(kMaxNotes); }

void Witness::Start(const schedule::Schedule&, int, const uint16_t*) {
  notes_.clear();
  for (int& points : points_) points = 0;
}

int Witness::Pick(const schedule::Decision& decision) {
  if (notes_.size() == kMaxNotes || decision.current < 0) return decision.default_fiber;
  Note note;
  PassedPoint& point = note.point;
  const schedule::PendingEvent& pending = decision.pending[decision.current];
  point.moment.sequence = history_.sequence;
  point.moment.point = static_cast<int>(notes_.size());
  point.fiber = decision.current;
  point.kind = pending.kind;
  point.object = pending.object;
  point.enabled = decision.enabled;
  // A fiber that has ended decides who goes on without passing a point.
  point.ended = decision.points[point.fiber] == points_[point.fiber];
  points_[point.fiber] = decision.points[point.fiber];
  point.blocked = !point.ended && (decision.enabled >> decision.current & 1) == 0;
  if ((decision.enabled & (decision.enabled - 1)) != 0) point.step = decision.step;
  const KiProcessor& processor = Machine::processor();
  point.irql = processor.irql;
  note.raced = LastRace().found;
  note.cancel_lock = processor.cancel_lock_held;
  note.held_count = processor.held_count;
  for (int i = 0; i < processor.held_count && i < kMaxHeldLocks; ++i) {
    note.held[i] = processor.held[i].lock;
  }
  notes_.push_back(note);
  return decision.default_fiber;
}

// If it was preempted there: as soon as it went on, not before.
Moment Witness::CarriedOut(int i) const {
  const int fiber = notes_[i].point.fiber;
  int next = i + 1;
  while (next < static_cast<int>(notes_.size()) && notes_[next].point.fiber != fiber) ++next;
  if (next == i + 1) return notes_[i].point.moment;
  return notes_[next - 1].point.moment;
}

void Witness::FindLocks(Observation* observation) const {
  LockNames names;
  // The lock that comes with the cancel lock's mark is it.
  for (const Note& note : notes_) {
    if (!note.cancel_lock || note.held_count == 0) continue;
    names.NoteCancelLock(note.held[note.held_count - 1]);
    break;
  }
  struct Held {
    const volatile void* lock;
    size_t span;
  };
  std::vector<Held> held[kMaxFibers];
  std::map<const volatile void*, size_t> last_span;
  int last_note[kMaxFibers] = {-1, -1, -1, -1};
  for (int i = 0; i < static_cast<int>(notes_.size()); ++i) {
    const Note& note = notes_[i];
    const int fiber = note.point.fiber;
    std::vector<Held>& mine = held[fiber];
    const auto* end = note.held + note.held_count;
    for (size_t k = mine.size(); k-- > 0;) {
      if (std::find(note.held, end, mine[k].lock) != end) continue;
      LockSpan& span = observation->locks[mine[k].span];
      span.given = note.point.moment;
      span.given_back = true;
      mine.erase(mine.begin() + static_cast<std::ptrdiff_t>(k));
    }
    for (const auto* lock = note.held; lock != end; ++lock) {
      const auto is_it = [lock](const Held& other) { return other.lock == *lock; };
      if (std::any_of(mine.begin(), mine.end(), is_it)) continue;
      LockSpan span;
      span.fiber = fiber;
      span.name = names.Of(*lock);
      span.taken = last_note[fiber] < 0 ? Moment() : CarriedOut(last_note[fiber]);
      const auto before = last_span.find(*lock);
      if (before != last_span.end() && observation->locks[before->second].fiber != fiber) {
        const LockSpan& other = observation->locks[before->second];
        observation->orderings.push_back({other.fiber, fiber, other.given, span.taken, span.name});
      }
      last_span[*lock] = observation->locks.size();
      mine.push_back({*lock, observation->locks.size()});
      observation->locks.push_back(span);
    }
    last_note[fiber] = i;
  }
  for (LockSpan& span : observation->locks) {
    if (!span.given_back) {
      span.given = {observation->history.sequence, static_cast<int>(notes_.size())};
    }
  }
}

void Witness::FindInterlockedOrderings(Observation* observation) const {
  struct Done {
    Moment moment;
    int fiber;
    uint16_t object;
  };
  std::vector<Done> all;
  for (int i = 0; i < static_cast<int>(notes_.size()); ++i) {
    const PassedPoint& point = notes_[i].point;
    if (point.ended || point.kind != Machine::PointKind(kPointInterlocked)) continue;
    all.push_back({CarriedOut(i), point.fiber, point.object});
  }
  std::sort(all.begin(), all.end(),
            [](const Done& a, const Done& b) { return a.moment < b.moment; });
  std::map<uint16_t, Done> last;
  for (const Done& done : all) {
    const auto before = last.find(done.object);
    if (before != last.end() && before->second.fiber != done.fiber) {
      observation->orderings.push_back({before->second.fiber, done.fiber, before->second.moment,
                                        done.moment, "interlocked operations"});
    }
    last[done.object] = done;
  }
}

void Witness::Finish(Observation* observation) const {
  for (size_t i = 0; i < notes_.size(); ++i) {
    PassedPoint point = notes_[i].point;
    point.next = i + 1 < notes_.size() ? notes_[i + 1].point.fiber : point.fiber;
    observation->points.push_back(point);
  }
  const auto raced =
      std::find_if(notes_.begin(), notes_.end(), [](const Note& note) { return note.raced; });
  observation->race_seen =
      raced != notes_.end() ? raced->point.moment : Moment{observation->history.sequence, INT_MAX};
  FindLocks(observation);
  FindInterlockedOrderings(observation);
  std::sort(observation->orderings.begin(), observation->orderings.end(),
            [](const Ordering& a, const Ordering& b) {
              return a.to < b.to || (!(b.to < a.to) && a.from < b.from);
            });
}

}  // namespace cancelsafe
