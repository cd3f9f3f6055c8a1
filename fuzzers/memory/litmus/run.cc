// See run.h.
#include "fuzzers/memory/litmus/run.h"

#include <vector>

#include "fuzzers/memory/litmus/interpreter.h"

namespace cancelsafe::litmus {
namespace {

// A depth-first search over runs that repeat themselves under the same decisions.
class Search final : public Decider {
 public:
  // For the next run: goes on from the last one. False if there are no more.
  bool Next() {
    depth_ = 0;
    if (!started_) return started_ = true;
    while (!path_.empty() && path_.back().taken + 1 == path_.back().count) path_.pop_back();
    if (path_.empty()) return false;
    ++path_.back().taken;
    return true;
  }

  // Whether the run has left what the last one did.
  bool IsNew() const { return depth_ == path_.size(); }

  int Decide(int count) override {
    if (count == 1) return 0;
    if (depth_ == path_.size()) path_.push_back({0, count});
    return path_[depth_++].taken;
  }

 private:
  struct Decision {
    int taken;
    int count;
  };
  bool started_ = false;
  size_t depth_ = 0;
  std::vector<Decision> path_;
};

enum class End { kComplete, kBlocked, kSeen };

// One run with the decisions of `search`. kSeen: from its state on, all was run before.
End Go(Interpreter* run, Search* search, std::set<std::vector<uint32_t>>* seen) {
  run->Start(search);
  memory::Machine& machine = run->engine().machine();
  const int threads = run->threads();
  for (;;) {
    // Buffers are flushed whether or not a load could tell, so most schedules meet again. What
    // may still happen depends on nothing but the graph and the buffers; in rc11 it does
    // on the order of seq_cst events too.
    if (run->engine().model() == memory::Model::kTso && search->IsNew() &&
        !seen->insert(run->State()).second) {
      return End::kSeen;
    }
    int actions[2 * memory::kMaxFibers];
    int count = 0;
    for (int t = 0; t < threads; ++t) {
      if (run->CanStep(t)) actions[count++] = t;
    }
    for (int t = 0; t < threads; ++t) {
      if (machine.HasBuffered(t)) actions[count++] = threads + t;
    }
    if (count == 0) break;
    const int action = actions[search->Decide(count)];
    if (action >= threads) {
      machine.Flush(action - threads);
    } else {
      run->Step(action);
    }
  }
  for (int t = 0; t < threads; ++t) {
    if (!run->Finished(t)) return End::kBlocked;
  }
  return End::kComplete;
}

}  // namespace

Result RunAll(const Case& test, memory::Model model, int64_t max_runs) {
  Result result;
  Search search;
  Interpreter run(test, model);
  std::set<std::vector<uint32_t>> seen;
  std::set<std::vector<uint32_t>> graphs;
  while (search.Next()) {
    if (result.runs + result.blocked == max_runs) {
      result.bounded = true;
      break;
    }
    const End end = Go(&run, &search, &seen);
    result.races |= run.engine().race().found;
    result.bounded |= run.engine().bounded() || run.engine().exhausted();
    if (end == End::kBlocked) ++result.blocked;
    if (end != End::kComplete) continue;
    ++result.runs;
    // The graph decides what was read and what is left.
    if (graphs.insert(run.Graph()).second) result.outcomes.insert(run.FinalState());
  }
  result.executions = static_cast<int64_t>(graphs.size());
  return result;
}

}  // namespace cancelsafe::litmus
