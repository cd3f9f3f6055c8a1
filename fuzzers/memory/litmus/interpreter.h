// A litmus test while it runs: executes its instructions on the memory engine, one at a
// time. Who says which is next, and which alternative of the model is taken, is its caller's
// business.
#ifndef CANCELSAFE_FUZZERS_MEMORY_LITMUS_INTERPRETER_H_
#define CANCELSAFE_FUZZERS_MEMORY_LITMUS_INTERPRETER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fuzzers/memory/engine.h"
#include "fuzzers/memory/litmus/program.h"

namespace cancelsafe::litmus {

class Decider {
 public:
  virtual ~Decider() = default;
  // A number in [0, count).
  virtual int Decide(int count) = 0;
};

// The engine's calls are the only accesses to the locations.
class Interpreter final : public memory::Chooser {
 public:
  Interpreter(const Case& test, memory::Model model)
      : test_(test), engine_(new memory::Engine(model)) {
    words_.resize(test.locations.size());
    engine_->shadow().AddRange(words_.data(), words_.size() * sizeof(Word));
    engine_->SetChooser(this);
  }

  // A new run, whose alternatives `decider` chooses.
  void Start(Decider* decider);

  int threads() const { return static_cast<int>(test_.threads.size()); }
  bool Finished(int t) const { return threads_[t].next == test_.threads[t].code.size(); }
  const Instruction& Current(int t) const { return test_.threads[t].code[threads_[t].next]; }
  // Neither finished nor at an instruction that waits.
  bool CanStep(int t);
  // Executes the current instruction, and the branches after it. Returns what it read.
  int64_t Step(int t);

  void* AddressOf(const Instruction& i) {
    return i.location < 0 ? nullptr : &words_[i.location].value;
  }
  int64_t Evaluate(int t, const Value& value) const {
    return value.add + (value.reg < 0 ? 0 : threads_[t].registers[value.reg]);
  }
  memory::Engine& engine() { return *engine_; }

  Outcome FinalState() const;
  // What each read read, and the order of each location's stores, by numbers that do
  // not depend on the schedule.
  std::vector<uint32_t> Graph();
  // What is buffered are the stores of the events so far that the graph lacks.
  std::vector<uint32_t> State();

  int Choose(memory::ChoiceKind kind, int alternatives) override;

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

  void SkipBranches(int t);
  void FindSuitable(int t, const Instruction& i);
  // Of the event with this number: its thread and its place there.
  uint32_t Id(uint32_t number) const { return ids_[number]; }

  const Case& test_;
  std::unique_ptr<memory::Engine> engine_;
  std::vector<Word> words_;
  std::vector<ThreadState> threads_;
  std::vector<uint32_t> ids_;
  Decider* decider_ = nullptr;
  bool awaits_ = false;
  int suitable_count_ = 0;
  int suitable_[memory::Machine::kMaxReadable];
};

}  // namespace cancelsafe::litmus

#endif  // CANCELSAFE_FUZZERS_MEMORY_LITMUS_INTERPRETER_H_
