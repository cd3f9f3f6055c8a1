// See run.h.
#include "fuzzers/memory/litmus/run.h"

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fuzzers/memory/engine.h"

namespace cancelsafe::litmus {
namespace {

using memory::ChoiceKind;
using memory::Engine;

// A depth-first search over runs that repeat themselves under the same decisions.
class Search {
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

  int Decide(int count) {
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

// The state of one run. The engine's calls are the only accesses to the locations.
class Run final : public memory::Chooser {
 public:
  Run(const Case& test, memory::Model model) : test_(test), engine_(new Engine(model)) {
    words_.resize(test.locations.size());
    engine_->shadow().AddRange(words_.data(), words_.size() * sizeof(Word));
    engine_->SetChooser(this);
  }

  enum class End { kComplete, kBlocked, kSeen };

  // One run with the decisions of `search`. kSeen: from its state on, all was run before.
  End Go(Search* search) {
    search_ = search;
    Start();
    for (;;) {
      // Buffers are flushed whether or not a load could tell, so most schedules meet again. What
      // may still happen depends on nothing but the graph and the buffers; in rc11 it does
      // on the order of seq_cst events too.
      if (engine_->model() == memory::Model::kTso && search->IsNew() &&
          !seen_.insert(State()).second) {
        return End::kSeen;
      }
      int actions[2 * memory::kMaxFibers];
      int count = 0;
      const int threads = static_cast<int>(test_.threads.size());
      for (int t = 0; t < threads; ++t) {
        if (CanStep(t)) actions[count++] = t;
      }
      for (int t = 0; t < threads; ++t) {
        if (engine_->machine().HasBuffered(t)) actions[count++] = threads + t;
      }
      if (count == 0) break;
      const int action = actions[search->Decide(count)];
      if (action >= threads) {
        engine_->machine().Flush(action - threads);
      } else {
        Step(action);
      }
    }
    for (size_t t = 0; t < test_.threads.size(); ++t) {
      if (!Finished(static_cast<int>(t))) return End::kBlocked;
    }
    return End::kComplete;
  }

  const Engine& engine() const { return *engine_; }

  Outcome FinalState() const {
    Outcome outcome;
    for (size_t t = 0; t < test_.threads.size(); ++t) {
      const std::vector<std::string>& names = test_.threads[t].registers;
      for (size_t r = 0; r < names.size(); ++r) {
        if (threads_[t].written[r]) {
          outcome[absl::StrCat(t, ":", names[r])] = threads_[t].registers[r];
        }
      }
    }
    for (size_t l = 0; l < words_.size(); ++l) outcome[test_.locations[l]] = words_[l].value;
    return outcome;
  }

  // What each read read, and the order of each location's stores, by numbers that do
  // not depend on the schedule.
  std::vector<uint32_t> Graph() {
    std::vector<uint32_t> graph;
    for (const ThreadState& thread : threads_) {
      graph.insert(graph.end(), thread.reads.begin(), thread.reads.end());
      graph.push_back(UINT32_MAX);
    }
    for (Word& word : words_) {
      const memory::Location* location = engine_->FindLocation(&word.value, 8);
      for (int i = 0; i < location->count(); ++i) graph.push_back(Id(location->at(i).number));
      graph.push_back(UINT32_MAX);
    }
    return graph;
  }

  // What is buffered are the stores of the events so far that the graph lacks.
  std::vector<uint32_t> State() {
    std::vector<uint32_t> state = Graph();
    for (const ThreadState& thread : threads_) {
      state.push_back(thread.events);
      state.push_back(static_cast<uint32_t>(thread.next));
    }
    return state;
  }

  // Of what the model offers, an awaiting instruction takes what ends the wait.
  int Choose(ChoiceKind kind, int alternatives) override {
    if (kind == ChoiceKind::kFlush) return 1;  // flushes are steps of their own
    if (kind == ChoiceKind::kPlace || !awaits_) return search_->Decide(alternatives);
    return suitable_[search_->Decide(suitable_count_)];
  }

 private:
  struct Word {
    alignas(8) int64_t value;
  };
  struct ThreadState {
    size_t next = 0;
    uint32_t events = 0;
    std::vector<int64_t> registers;
    std::vector<bool> written;
    std::vector<uint32_t> reads;
  };

  void Start() {
    for (size_t l = 0; l < words_.size(); ++l) words_[l].value = test_.initial[l];
    engine_->NewRun();
    threads_.assign(test_.threads.size(), ThreadState());
    for (size_t t = 0; t < threads_.size(); ++t) {
      threads_[t].registers.assign(test_.threads[t].registers.size(), 0);
      threads_[t].written.assign(test_.threads[t].registers.size(), false);
      SkipBranches(static_cast<int>(t));
    }
    ids_.assign(1, 0);
  }

  bool Finished(int t) const { return threads_[t].next == test_.threads[t].code.size(); }
  const Instruction& Current(int t) const { return test_.threads[t].code[threads_[t].next]; }

  int64_t Evaluate(int t, const Value& value) const {
    return value.add + (value.reg < 0 ? 0 : threads_[t].registers[value.reg]);
  }

  // Branches are no events: they are done with the event before them.
  void SkipBranches(int t) {
    ThreadState& thread = threads_[t];
    while (!Finished(t)) {
      const Instruction& i = Current(t);
      if (i.op == Op::kJump) {
        thread.next = static_cast<size_t>(i.target);
      } else if (i.op == Op::kBranch) {
        const bool holds = Holds(i.relation, thread.registers[i.reg], Evaluate(t, i.value));
        thread.next = holds ? thread.next + 1 : static_cast<size_t>(i.target);
      } else {
        return;
      }
    }
  }

  // Fills suitable_ with those of the model's alternatives that end the wait.
  void FindSuitable(int t, const Instruction& i) {
    uint64_t values[memory::Machine::kMaxReadable];
    int count = 0;
    int64_t* address = &words_[i.location].value;
    if (i.op == Op::kAwaitLoad) {
      count = engine_->Readable(t, address, 8, i.order, values);
    } else {
      memory::UpdateRequest request;
      request.order = i.order;
      request.compares = i.op == Op::kAwaitCompareExchange;
      request.failure = i.failure;
      request.expected = static_cast<uint64_t>(Evaluate(t, i.expected));
      count = engine_->Updatable(t, address, 8, request, values);
    }
    suitable_count_ = 0;
    for (int a = 0; a < count; ++a) {
      const int64_t value = static_cast<int64_t>(values[a]);
      const bool suits = i.op == Op::kAwaitCompareExchange
                             ? value == Evaluate(t, i.expected)
                             : Holds(i.relation, value, Evaluate(t, i.until));
      if (suits) suitable_[suitable_count_++] = a;
    }
  }

  static bool Awaits(const Instruction& i) {
    return i.op == Op::kAwaitLoad || i.op == Op::kAwaitUpdate || i.op == Op::kAwaitCompareExchange;
  }

  bool CanStep(int t) {
    if (Finished(t)) return false;
    const Instruction& i = Current(t);
    if (!Awaits(i)) return true;
    FindSuitable(t, i);
    return suitable_count_ > 0;
  }

  void Step(int t) {
    ThreadState& thread = threads_[t];
    const Instruction& i = Current(t);
    awaits_ = Awaits(i);
    if (awaits_) FindSuitable(t, i);
    const uint64_t value = static_cast<uint64_t>(Evaluate(t, i.value));
    void* address = i.location < 0 ? nullptr : &words_[i.location].value;
    int64_t read = 0;
    bool reads = true;
    switch (i.op) {
      case Op::kLoad:
      case Op::kAwaitLoad:
        read = static_cast<int64_t>(engine_->Load(t, address, 8, i.order, 0));
        break;
      case Op::kUpdate:
      case Op::kAwaitUpdate:
        read = static_cast<int64_t>(engine_->Update(t, address, 8, i.operation, value, i.order, 0));
        break;
      case Op::kCompareExchange:
      case Op::kAwaitCompareExchange: {
        const uint64_t expected = static_cast<uint64_t>(Evaluate(t, i.expected));
        read = static_cast<int64_t>(
            engine_->CompareExchange(t, address, 8, expected, value, i.order, i.failure, 0));
        break;
      }
      case Op::kStore:
        engine_->Store(t, address, 8, value, i.order, 0);
        reads = false;
        break;
      default:
        engine_->Fence(t, i.order);
        reads = false;
        break;
    }
    ids_.resize(engine_->events() + 1, 0);
    ids_[engine_->events()] = static_cast<uint32_t>(t + 1) << 16 | ++thread.events;
    if (reads) thread.reads.push_back(Id(engine_->last_read().number));
    if (reads && i.reg >= 0) {
      thread.registers[i.reg] = read;
      thread.written[i.reg] = true;
    }
    ++thread.next;
    SkipBranches(t);
  }

  // Of the event with this number: its thread and its place there.
  uint32_t Id(uint32_t number) const { return ids_[number]; }

  const Case& test_;
  std::unique_ptr<Engine> engine_;
  std::vector<Word> words_;
  std::vector<ThreadState> threads_;
  std::vector<uint32_t> ids_;
  std::set<std::vector<uint32_t>> seen_;
  Search* search_ = nullptr;
  bool awaits_ = false;
  int suitable_count_ = 0;
  int suitable_[memory::Machine::kMaxReadable];
};

}  // namespace

Result RunAll(const Case& test, memory::Model model, int64_t max_runs) {
  Result result;
  Search search;
  Run run(test, model);
  std::set<std::vector<uint32_t>> graphs;
  while (search.Next()) {
    if (result.runs + result.blocked == max_runs) {
      result.bounded = true;
      break;
    }
    const Run::End end = run.Go(&search);
    result.races |= run.engine().race().found;
    result.bounded |= run.engine().bounded() || run.engine().exhausted();
    if (end == Run::End::kBlocked) ++result.blocked;
    if (end != Run::End::kComplete) continue;
    ++result.runs;
    // The graph decides what was read and what is left.
    if (graphs.insert(run.Graph()).second) result.outcomes.insert(run.FinalState());
  }
  result.executions = static_cast<int64_t>(graphs.size());
  return result;
}

}  // namespace cancelsafe::litmus
