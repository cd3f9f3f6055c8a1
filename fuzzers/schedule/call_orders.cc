// See call_orders.h. A depth-first walk over the beginnings and ends of calls alone; the other
// steps are put between them when an order is written.
#include "fuzzers/schedule/call_orders.h"

#include <algorithm>
#include <iterator>

#include "fuzzers/schedule/mask.h"

namespace cancelsafe::schedule {

void CallOrders::Clear(int fibers) {
  fibers_ = fibers;
  steps_.clear();
  for (int f = 0; f < kFiberCapacity; ++f) {
    steps_of_[f].clear();
    marks_of_[f].clear();
    began_waiting_[f] = false;
  }
}

void CallOrders::Add(const Step& step) {
  const int number = static_cast<int>(steps_.size());
  steps_.push_back(step);
  steps_of_[step.fiber].push_back(number);
  bool& began = began_waiting_[step.fiber];
  began |= step.begins_call;
  if (step.waits) return;
  if (began || step.ends_call) {
    marks_of_[step.fiber].push_back({step.clock[step.fiber], number, began, step.ends_call});
  }
  began = false;
}

bool CallOrders::any_waits() const {
  return std::any_of(steps_.begin(), steps_.end(), [](const Step& step) { return step.waits; });
}

// Whether all that happens before the fiber's next mark was made.
bool CallOrders::CanMake(int fiber) const {
  if (marks_made_[fiber] == marks_of_[fiber].size()) return false;
  const Step& step = steps_[static_cast<size_t>(marks_of_[fiber][marks_made_[fiber]].step)];
  for (int f = 0; f < fibers_; ++f) {
    if (f == fiber || marks_made_[f] == marks_of_[f].size()) continue;
    if (marks_of_[f][marks_made_[f]].number <= step.clock[f]) return false;
  }
  return true;
}

// Whether the fiber's next mark has to come after the last that the other one made.
bool CallOrders::FollowsOn(int fiber, int other) const {
  const Step& step = steps_[static_cast<size_t>(marks_of_[fiber][marks_made_[fiber]].step)];
  return marks_of_[other][marks_made_[other] - 1].number <= step.clock[other];
}

void CallOrders::ForEach(const std::function<bool(const Order&)>& visit) {
  made_.clear();
  std::fill(std::begin(marks_made_), std::end(marks_made_), 0);
  Visit(-1, visit);
}

// `last_beginning`: the fiber whose call began and did not end in the last mark, or -1.
bool CallOrders::Visit(int last_beginning, const std::function<bool(const Order&)>& visit) {
  const size_t made_before = made_.size();
  const auto make = [this](int fiber) {
    ++marks_made_[fiber];
    made_.push_back(fiber);
  };
  const auto unmake = [this] {
    --marks_made_[made_.back()];
    made_.pop_back();
  };
  for (bool more = true; more;) {
    more = false;
    for (int f = 0; f < fibers_; ++f) {
      if (!CanMake(f) || marks_of_[f][marks_made_[f]].begins) continue;
      make(f);
      more = true;
      last_beginning = -1;
    }
  }
  bool at_end = true, goes_on = true;
  for (int f = 0; f < fibers_ && goes_on; ++f) {
    if (!CanMake(f)) continue;
    at_end = false;
    const bool only_begins = !marks_of_[f][marks_made_[f]].ends;
    // Visited with the two swapped.
    if (only_begins && f < last_beginning && !FollowsOn(f, last_beginning)) continue;
    make(f);
    goes_on = Visit(only_begins ? f : -1, visit);
    unmake();
  }
  if (at_end) {
    WriteOrder();
    goes_on = visit(order_);
  }
  while (made_.size() > made_before) unmake();
  return goes_on;
}

void CallOrders::WriteOrder() {
  order_.clear();
  std::fill(std::begin(steps_made_), std::end(steps_made_), 0);
  size_t next[kFiberCapacity] = {};
  for (const int f : made_) Make(f, marks_of_[f][next[f]++].number);
  for (int f = 0; f < fibers_; ++f) Make(f, static_cast<int>(steps_of_[f].size()));
}

// The fiber's steps up to that number, each after what happens before it; those that only
// wait go directly before the one that goes on.
void CallOrders::Make(int fiber, int steps) {
  int& made = steps_made_[fiber];
  while (made < steps) {
    int end = made;
    while (end + 1 < static_cast<int>(steps_of_[fiber].size()) &&
           steps_[static_cast<size_t>(steps_of_[fiber][static_cast<size_t>(end)])].waits) {
      ++end;
    }
    const Step& step = steps_[static_cast<size_t>(steps_of_[fiber][static_cast<size_t>(end)])];
    for (int f = 0; f < fibers_; ++f) {
      if (f != fiber) Make(f, step.clock[f]);
    }
    for (; made <= end; ++made) order_.push_back(steps_of_[fiber][static_cast<size_t>(made)]);
  }
}

void CallOrders::Retime(const Order& order, uint32_t last, std::vector<uint32_t>* times) const {
  times->resize(last + 1);
  if (steps_.empty()) return;
  uint32_t now = steps_[0].begin;
  for (uint32_t time = 0; time <= now && time <= last; ++time) (*times)[time] = time;
  for (const int number : order) {
    const auto i = static_cast<size_t>(number);
    const uint32_t end = i + 1 < steps_.size() ? std::min(steps_[i + 1].begin, last) : last;
    for (uint32_t time = steps_[i].begin + 1; time <= end; ++time) (*times)[time] = ++now;
  }
}

OrderedRun::OrderedRun(const CallOrders& orders, const CallOrders::Order& order) {
  int waited = 0;  // points before a wait that is not made now
  for (const int number : order) {
    const CallOrders::Step& step = orders.steps_[static_cast<size_t>(number)];
    if (step.waits) {
      waited += step.passed;
      continue;
    }
    parts_.push_back({step.fiber, waited + step.passed});
    waited = 0;
  }
}

int OrderedRun::Pick(const Decision& decision) {
  if (next_ > 0 && left_ > 0 && decision.current == parts_[next_ - 1].fiber &&
      Contains(decision.enabled, decision.current)) {
    --left_;
    return decision.current;
  }
  if (next_ == parts_.size()) return decision.default_fiber;
  left_ = parts_[next_].passed;
  return parts_[next_++].fiber;
}

}  // namespace cancelsafe::schedule
