// Litmus tests as data: a few threads of a few instructions, and the outcomes that
// each memory model allows. Read from the JSON form that README.md describes. Knows
// nothing of how they are run.
#ifndef CANCELSAFE_FUZZERS_MEMORY_LITMUS_PROGRAM_H_
#define CANCELSAFE_FUZZERS_MEMORY_LITMUS_PROGRAM_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fuzzers/memory/engine.h"

namespace cancelsafe::litmus {

// Registers "thread:name" that were written, and the final value of each location.
using Outcome = std::map<std::string, int64_t>;

// A number, or a register plus a number.
struct Value {
  int reg = -1;  // -1: only the number
  int64_t add = 0;
};

enum class Relation : uint8_t { kEqual, kNotEqual, kAnd };
bool Holds(Relation relation, int64_t left, int64_t right);

enum class Op : uint8_t {
  kLoad,
  kStore,
  kUpdate,
  kCompareExchange,
  kFence,
  kAwaitLoad,             // a load that returns a value for which `relation` holds
  kAwaitUpdate,           // an exchange whose old value is `until`
  kAwaitCompareExchange,  // one that succeeds
  kBranch,                // to `target` unless `relation` holds for the register
  kJump,                  // to `target`
};

struct Instruction {
  Op op = Op::kFence;
  int location = -1;
  memory::Order order = memory::Order::kSeqCst;
  memory::Order failure = memory::Order::kRelaxed;
  memory::Operation operation = memory::Operation::kExchange;
  Value value;     // stored, or the operand
  Value expected;  // of a compare-exchange
  int reg = -1;    // receives what was read, -1: none; of a branch: compared
  Relation relation = Relation::kEqual;
  Value until;  // what an await compares with
  int target = 0;
};

struct Thread {
  std::vector<Instruction> code;
  std::vector<std::string> registers;
};

// What one model allows. Of tso, files do not say whether it races: a race is expected
// if there is one under sc, and is not if there is none under rc11.
struct Expectation {
  std::set<Outcome> outcomes;
  int64_t executions = -1;  // graphs of reads-from and modification order; -1: not said
  bool races = false;
};

struct Case {
  std::string name;
  std::string note;
  std::vector<std::string> locations;
  std::vector<int64_t> initial;  // of each location
  std::vector<Thread> threads;
  Outcome weak;             // the registers of interest; may be empty
  Expectation expected[3];  // by memory::Model
  // What rc11 is where the order of seq_cst events is their order of execution: the
  // same, but for a few tests.
  bool has_rc11_machine = false;
  Expectation rc11_machine;
};

// All tests of a file's text. An error says which test and which field is wrong.
absl::StatusOr<std::vector<Case>> ParseTests(const std::string& json);

// "a=0 b=1", in the order of the names.
std::string ToString(const Outcome& outcome);

}  // namespace cancelsafe::litmus

#endif  // CANCELSAFE_FUZZERS_MEMORY_LITMUS_PROGRAM_H_
