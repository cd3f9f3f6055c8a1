// See complete.h.
#include "fuzzers/memory/litmus/complete.h"

#include <vector>

#include "fuzzers/memory/litmus/interpreter.h"

namespace cancelsafe::litmus {
namespace {

using memory::Location;
using memory::Machine;
using memory::Model;
using schedule::CompleteExplorer;
using schedule::Executor;

constexpr uint8_t kStep = 1;

// A run on fibers. Each tells the explorer what an instruction has accessed.
class FiberRun final : public Decider {
 public:
  FiberRun(Interpreter* run, CompleteExplorer* explorer) : run_(run), explorer_(explorer) {}

  int Decide(int count) override { return count == 1 ? 0 : explorer_->Choose(count); }

  static void Body(void* context, int fiber) { static_cast<FiberRun*>(context)->Thread(fiber); }

  static void NoteStore(const void* address) {
    Executor::Get().Touch(address, true);
    Executor::Get().Wake(address);
  }

 private:
  Machine& machine() { return run_->engine().machine(); }

  void Flush(int t) {
    Executor::Get().Point(kStep, nullptr, 0);
    if (machine().HasBuffered(t)) machine().Flush(t);
  }

  void Thread(int t) {
    while (!run_->Finished(t)) {
      while (machine().HasBuffered(t) && Decide(2) == 1) Flush(t);
      Executor::Get().Point(kStep, nullptr, 0);
      const Instruction i = run_->Current(t);
      void* const address = run_->AddressOf(i);
      while (!run_->CanStep(t)) {
        Executor::Get().Touch(address, false);
        Executor::Get().Block(address, 0);
      }
      const int64_t expected = run_->Evaluate(t, i.expected);
      const int64_t read = run_->Step(t);
      Tell(i, address, read == expected);
    }
    while (machine().HasBuffered(t)) Flush(t);
  }

  void Tell(const Instruction& i, const void* address, bool as_expected) {
    bool writes = i.op != Op::kLoad && i.op != Op::kAwaitLoad && i.op != Op::kFence;
    if (i.op == Op::kCompareExchange) writes = as_expected;
    const bool is_tso = run_->engine().model() == Model::kTso;
    // Tells so when it leaves the buffer.
    const bool is_buffered = is_tso && i.op == Op::kStore && i.order != memory::Order::kSeqCst;
    if (address != nullptr && !is_buffered) {
      if (writes) {
        NoteStore(address);
      } else {
        Executor::Get().Touch(address, false);
      }
    }
    const bool is_sc = i.order == memory::Order::kSeqCst ||
                       (i.op == Op::kCompareExchange && i.failure == memory::Order::kSeqCst);
    if (is_sc && run_->engine().model() == Model::kRc11) Executor::Get().Touch(this, true);
  }

  Interpreter* const run_;
  CompleteExplorer* const explorer_;
};

}  // namespace

bool CanRunCompletely(const Case& test) {
  return test.threads.size() <= static_cast<size_t>(schedule::kMaxFibers);
}

CompleteResult RunCompletely(const Case& test, Model model, bool source_sets) {
  schedule::CompleteOptions options;
  options.silent_kinds[0] = 1 << kStep;  // fibers tell what they access
  options.source_sets = source_sets;
  CompleteExplorer explorer(options);
  Interpreter run(test, model);
  run.engine().SetFlushWatcher(
      [](const Location& location) { FiberRun::NoteStore(location.address()); });
  CompleteResult complete;
  Result& result = complete.result;
  std::set<std::vector<uint32_t>> graphs;
  while (explorer.Next()) {
    FiberRun fibers(&run, &explorer);
    run.Start(&fibers);
    schedule::RunResult end;
    Executor::Get().RunWith(&explorer, run.threads(), &FiberRun::Body, &fibers, {}, {}, &end);
    explorer.Finished(end);
    result.races |= run.engine().race().found;
    if (explorer.cut()) continue;
    result.bounded |= run.engine().bounded() || run.engine().exhausted();
    if (end.status != schedule::RunStatus::kDone) {
      ++result.blocked;
      continue;
    }
    ++result.runs;
    if (graphs.insert(run.Graph()).second) result.outcomes.insert(run.FinalState());
  }
  result.bounded |= explorer.end() != schedule::ExploreEnd::kComplete;
  result.executions = static_cast<int64_t>(graphs.size());
  complete.cut = explorer.cut_runs();
  return complete;
}

}  // namespace cancelsafe::litmus
