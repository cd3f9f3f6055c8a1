// The orders in which the calls of one run can begin and end, where the run stands for all
// that only swap independent steps. In each of them everything that happens is the same, but
// not which calls had ended when another one began, and that is what a judge of histories
// looks at. Knows neither histories nor how a run is chosen.
//
// Not all orders are visited, but for each there is one that is, in which every call that had
// ended before another began has done so too:
//   - what brings calls nearer to their ends is done as soon as it can be: to do it earlier
//     lets calls end earlier, and none begin earlier;
//   - of two beginnings with nothing between them the order does not matter;
//   - a fiber that only found that it has to wait began its call when the wait was over.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_CALL_ORDERS_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_CALL_ORDERS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "fuzzers/schedule/executor.h"

namespace cancelsafe::schedule {

class CallOrders {
 public:
  struct Step {
    int fiber;
    // Of each fiber, how many of its steps happen before this one; of its own, with it.
    uint16_t clock[kFiberCapacity];
    int passed;      // points within the step
    uint32_t begin;  // its times are those above this one
    bool begins_call;
    bool ends_call;
    bool waits;  // it only found that it has to wait, and no other step depends on it
  };
  // The numbers of all steps, as they were added, in an order in which they can be made.
  using Order = std::vector<int>;

  void Clear(int fibers);
  // In the order of the run.
  void Add(const Step& step);

  // Whether a fiber had to wait. A run in another order, in which it need not, passes other
  // points then: OrderedRun does not know where it is.
  bool any_waits() const;

  // Visits the orders until `visit` returns false. Deterministic. O(steps) for each, which
  // may be as many as there are ways to interleave the calls.
  void ForEach(const std::function<bool(const Order&)>& visit);

  // (*times)[t] is the time at which what the run did at time t, up to `last`, is done in
  // this order. O(steps + last).
  void Retime(const Order& order, uint32_t last, std::vector<uint32_t>* times) const;

 private:
  friend class OrderedRun;
  // Where a call of the fiber begins or ends.
  struct Mark {
    uint16_t number;  // of the fiber's step
    int step;
    bool begins;
    bool ends;
  };

  bool CanMake(int fiber) const;
  bool FollowsOn(int fiber, int other) const;
  bool Visit(int last_beginning, const std::function<bool(const Order&)>& visit);
  void Make(int fiber, int steps);
  void WriteOrder();

  int fibers_ = 0;
  std::vector<Step> steps_;
  std::vector<int> steps_of_[kFiberCapacity];
  std::vector<Mark> marks_of_[kFiberCapacity];
  bool began_waiting_[kFiberCapacity];
  // While orders are visited: the marks that were made, in order, by their fibers.
  std::vector<int> made_;
  size_t marks_made_[kFiberCapacity];
  // While one is written.
  int steps_made_[kFiberCapacity];
  Order order_;
};

// Makes the run of CallOrders again in one of the orders, if no fiber waited in it; and else
// something like it.
class OrderedRun final : public Scheduler {
 public:
  OrderedRun(const CallOrders& orders, const CallOrders::Order& order);

  void Start(const Schedule&, int, const uint16_t*) override { next_ = 0; }
  int Pick(const Decision& decision) override;
  bool sees_all_points() const override { return true; }

 private:
  struct Part {
    int fiber;
    int passed;
  };
  std::vector<Part> parts_;
  size_t next_ = 0;
  int left_ = 0;  // points that are still to be passed
};

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_CALL_ORDERS_H_
