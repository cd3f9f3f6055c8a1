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

// Locks by object number as the names that people use, in order of first use.
class LockNames {
 public:
  void NoteCancelLock(uint16_t lock) {
    if (!known_) names_[lock] = "cancel lock";
    known_ = true;
  }
  std::string Of(uint16_t lock) {
    std::string& name = names_[lock];
    if (name.empty()) {
      ++others_;
      name = others_ == 1 ? "queue lock" : absl::StrCat("lock ", others_);
    }
    return name;
  }

 private:
  std::map<uint16_t, std::string> names_;
  bool known_ = false;
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
  if (memory::kHooked) note.events = memory::TheEngine().events();
  note.cancel_lock = processor.cancel_lock_held;
  notes_.push_back(note);
  return decision.default_fiber;
}

int Witness::PointsBefore(uint32_t event) const {
  int count = 0;
  while (count < static_cast<int>(notes_.size()) && notes_[count].events < event) ++count;
  return count;
}

int Witness::StepBefore(uint32_t event) const {
  int step = -1;
  for (int i = 0; i < PointsBefore(event); ++i) step = std::max(step, notes_[i].point.step);
  return step;
}

// If it was preempted there: as soon as it went on, not before.
Moment Witness::CarriedOut(int i) const {
  const int fiber = notes_[i].point.fiber;
  int next = i + 1;
  while (next < static_cast<int>(notes_.size()) && notes_[next].point.fiber != fiber) ++next;
  if (next == i + 1) return notes_[i].point.moment;
  return notes_[next - 1].point.moment;
}

// From the points before a lock is taken and after it was given back; between them
// there may be none. A lock that was still held when the run ended shows at a later
// point or callback of its fiber.
void Witness::FindLocks(Observation* observation) const {
  struct Span {
    uint16_t object;
    LockSpan span;
  };
  std::vector<Span> spans;
  std::map<uint16_t, int> waiting[kMaxFibers];  // object -> note
  int last_note[kMaxFibers] = {-1, -1, -1, -1};
  uint16_t last_taken[kMaxFibers] = {};
  LockNames names;
  for (int i = 0; i < static_cast<int>(notes_.size()); ++i) {
    const PassedPoint& point = notes_[i].point;
    // The mark of the cancel lock belongs to the lock that was taken last before it
    // was first seen.
    if (notes_[i].cancel_lock) names.NoteCancelLock(last_taken[point.fiber]);
    if (!point.ended && point.kind == Machine::PointKind(kPointAcquire)) {
      waiting[point.fiber][point.object] = i;
      last_taken[point.fiber] = point.object;
    } else if (!point.ended && point.kind == Machine::PointKind(kPointRelease)) {
      const auto taken = waiting[point.fiber].find(point.object);
      if (taken != waiting[point.fiber].end()) {
        LockSpan span;
        span.fiber = point.fiber;
        span.taken = CarriedOut(taken->second);
        span.given = point.moment;
        span.given_back = true;
        spans.push_back({point.object, span});
        waiting[point.fiber].erase(taken);
      }
    }
    last_note[point.fiber] = i;
  }
  const History& history = observation->history;
  for (int fiber = 0; fiber < kMaxFibers; ++fiber) {
    for (const auto& [object, note] : waiting[fiber]) {
      LockSpan span;
      span.fiber = fiber;
      span.taken = CarriedOut(note);
      span.given = {history.sequence, static_cast<int>(notes_.size())};
      bool held = last_note[fiber] > note;
      for (int i = 0; i < history.event_count; ++i) {
        const CallbackEvent& event = history.events[i];
        held |= event.fiber == fiber && event.sequence > span.taken.sequence &&
                (event.snapshot & (kQueueLockHeld | kCancelLockHeld)) != 0;
      }
      if (held) spans.push_back({object, span});
    }
  }
  std::sort(spans.begin(), spans.end(),
            [](const Span& a, const Span& b) { return a.span.taken < b.span.taken; });
  std::map<uint16_t, const LockSpan*> before;
  for (Span& entry : spans) {
    entry.span.object = entry.object;
    entry.span.name = names.Of(entry.object);
    const LockSpan*& last = before[entry.object];
    if (last != nullptr && last->fiber != entry.span.fiber) {
      observation->orderings.push_back(
          {last->fiber, entry.span.fiber, last->given, entry.span.taken, entry.span.name});
    }
    last = &entry.span;
    observation->locks.push_back(entry.span);
  }
  for (const Note& note : notes_) {
    if (note.point.ended || note.point.kind != Machine::PointKind(kPointAcquire)) continue;
    observation->lock_names[note.point.object] = names.Of(note.point.object);
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
