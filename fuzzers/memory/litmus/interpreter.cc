// See interpreter.h.
#include "fuzzers/memory/litmus/interpreter.h"

namespace cancelsafe::litmus {

using memory::ChoiceKind;

namespace {

bool Awaits(const Instruction& i) {
  return i.op == Op::kAwaitLoad || i.op == Op::kAwaitUpdate || i.op == Op::kAwaitCompareExchange;
}

}  // namespace

Outcome Interpreter::FinalState() const {
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

std::vector<uint32_t> Interpreter::Graph() {
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

std::vector<uint32_t> Interpreter::State() {
  std::vector<uint32_t> state = Graph();
  for (const ThreadState& thread : threads_) {
    state.push_back(thread.events);
    state.push_back(static_cast<uint32_t>(thread.next));
  }
  return state;
}

// Of what the model offers, an awaiting instruction takes what ends the wait.
int Interpreter::Choose(ChoiceKind kind, int alternatives) {
  if (kind == ChoiceKind::kFlush) return 1;  // flushes are steps of their own
  if (kind == ChoiceKind::kPlace || !awaits_) return decider_->Decide(alternatives);
  return suitable_[decider_->Decide(suitable_count_)];
}

void Interpreter::Start(Decider* decider) {
  decider_ = decider;
  for (size_t l = 0; l < words_.size(); ++l) words_[l].value = test_.initial[l];
  engine_->NewRun();
  threads_.assign(test_.threads.size(), ThreadState());
  for (size_t t = 0; t < threads_.size(); ++t) {
    threads_[t].registers.assign(test_.threads[t].registers.size(), 0);
    threads_[t].written.assign(test_.threads[t].registers.size(), false);
    SkipBranches(static_cast<int>(t));
  }
  ids_.assign(1, 0);
  // It must not grow on a fiber: TSan would take that for a race.
  constexpr size_t kEvents = 256;
  ids_.reserve(kEvents);
  for (ThreadState& thread : threads_) thread.reads.reserve(kEvents);
}

// Branches are not events: they are done with the event before them.
void Interpreter::SkipBranches(int t) {
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
void Interpreter::FindSuitable(int t, const Instruction& i) {
  uint64_t values[memory::Machine::kMaxReadable];
  int count = 0;
  void* address = AddressOf(i);
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

bool Interpreter::CanStep(int t) {
  if (Finished(t)) return false;
  const Instruction& i = Current(t);
  if (!Awaits(i)) return true;
  FindSuitable(t, i);
  return suitable_count_ > 0;
}

int64_t Interpreter::Step(int t) {
  ThreadState& thread = threads_[t];
  const Instruction& i = Current(t);
  awaits_ = Awaits(i);
  if (awaits_) FindSuitable(t, i);
  const uint64_t value = static_cast<uint64_t>(Evaluate(t, i.value));
  void* address = AddressOf(i);
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
  return read;
}

}  // namespace cancelsafe::litmus
