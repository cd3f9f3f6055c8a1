// The JSON form of litmus tests.
#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "fuzzers/memory/litmus/program.h"

namespace cancelsafe::litmus {
namespace {

using Json = nlohmann::json;
using memory::Order;

// Thrown and caught in this file only.
struct Wrong {
  std::string what;
};

const Json& Field(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) throw Wrong{absl::StrCat("field '", name, "' is missing")};
  return *found;
}

Order ParseOrder(const Json& json) {
  const std::string name = json.get<std::string>();
  if (name == "na") return Order::kPlain;
  if (name == "rlx") return Order::kRelaxed;
  if (name == "acq") return Order::kAcquire;
  if (name == "rel") return Order::kRelease;
  if (name == "acq_rel") return Order::kAcqRel;
  if (name == "sc") return Order::kSeqCst;
  throw Wrong{absl::StrCat("order '", name, "' is none of na, rlx, acq, rel, acq_rel, sc")};
}

Relation ParseRelation(const Json& json) {
  const std::string name = json.get<std::string>();
  if (name == "==") return Relation::kEqual;
  if (name == "!=") return Relation::kNotEqual;
  if (name == "&") return Relation::kAnd;
  throw Wrong{absl::StrCat("comparison '", name, "' is none of ==, !=, &")};
}

Outcome ParseOutcome(const Json& json) { return json.get<Outcome>(); }

Expectation ParseExpectation(const Json& json) {
  Expectation expectation;
  expectation.executions = json.value("executions", int64_t{-1});
  for (const Json& outcome : Field(json, "outcomes")) {
    expectation.outcomes.insert(ParseOutcome(outcome));
  }
  return expectation;
}

class ThreadParser {
 public:
  ThreadParser(const Case& test, Thread* thread) : test_(test), thread_(thread) {}

  void ParseBlock(const Json& block) {
    for (const Json& json : block) ParseInstruction(json);
  }

 private:
  int Register(const std::string& name) {
    std::vector<std::string>& names = thread_->registers;
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i] == name) return static_cast<int>(i);
    }
    names.push_back(name);
    return static_cast<int>(names.size()) - 1;
  }

  Value ParseValue(const Json& json) {
    Value value;
    if (json.is_number()) {
      value.add = json.get<int64_t>();
    } else if (json.is_string()) {
      value.reg = Register(json.get<std::string>());
    } else {
      value.reg = Register(Field(json, "reg").get<std::string>());
      value.add = Field(json, "add").get<int64_t>();
    }
    return value;
  }

  int Location(const Json& json) {
    const std::string name = Field(json, "loc").get<std::string>();
    for (size_t i = 0; i < test_.locations.size(); ++i) {
      if (test_.locations[i] == name) return static_cast<int>(i);
    }
    throw Wrong{absl::StrCat("location '", name, "' is not in 'init'")};
  }

  int Size() const { return static_cast<int>(thread_->code.size()); }

  void ParseIf(const Json& json) {
    Instruction branch;
    branch.op = Op::kBranch;
    branch.reg = Register(Field(json, "reg").get<std::string>());
    branch.relation = ParseRelation(Field(json, "cmp"));
    branch.value = ParseValue(Field(json, "value"));
    const size_t branch_at = thread_->code.size();
    thread_->code.push_back(branch);
    ParseBlock(Field(json, "then"));
    if (json.contains("else")) {
      const size_t jump_at = thread_->code.size();
      Instruction jump;
      jump.op = Op::kJump;
      thread_->code.push_back(jump);
      thread_->code[branch_at].target = Size();
      ParseBlock(json["else"]);
      thread_->code[jump_at].target = Size();
    } else {
      thread_->code[branch_at].target = Size();
    }
  }

  void ParseInstruction(const Json& json) {
    const std::string op = Field(json, "op").get<std::string>();
    if (op == "if") return ParseIf(json);
    Instruction i;
    i.order = ParseOrder(Field(json, "order"));
    if (op == "fence") {
      thread_->code.push_back(i);
      return;
    }
    i.location = Location(json);
    if (json.contains("dst")) i.reg = Register(json["dst"].get<std::string>());
    if (op == "load") {
      i.op = Op::kLoad;
    } else if (op == "store") {
      i.op = Op::kStore;
      i.value = ParseValue(Field(json, "value"));
    } else if (op == "cas" || op == "await_cas") {
      i.op = op == "cas" ? Op::kCompareExchange : Op::kAwaitCompareExchange;
      i.failure = ParseOrder(Field(json, "fail"));
      i.expected = ParseValue(Field(json, "expected"));
      i.value = ParseValue(Field(json, "desired"));
    } else if (op == "await_load") {
      i.op = Op::kAwaitLoad;
      i.relation = ParseRelation(Field(json, "cmp"));
      i.until = ParseValue(Field(json, "until"));
    } else {
      i.op = op == "await_exchange" ? Op::kAwaitUpdate : Op::kUpdate;
      i.value = ParseValue(Field(json, "value"));
      if (op == "await_exchange") {
        i.until = ParseValue(Field(json, "until"));
      } else if (op == "fetch_add") {
        i.operation = memory::Operation::kAdd;
      } else if (op == "fetch_or") {
        i.operation = memory::Operation::kOr;
      } else if (op == "fetch_and") {
        i.operation = memory::Operation::kAnd;
      } else if (op != "exchange") {
        throw Wrong{absl::StrCat("op '", op, "' is not known")};
      }
    }
    thread_->code.push_back(i);
  }

  const Case& test_;
  Thread* thread_;
};

Case ParseTest(const Json& json) {
  Case test;
  test.note = json.value("note", "");
  for (const auto& [name, value] : Field(json, "init").items()) {
    test.locations.push_back(name);
    test.initial.push_back(value.get<int64_t>());
  }
  const Json& threads = Field(json, "threads");
  if (threads.empty() || threads.size() > memory::kMaxFibers) {
    throw Wrong{
        absl::StrCat("there are ", threads.size(), " threads; expected 1 to ", memory::kMaxFibers)};
  }
  for (const Json& block : threads) {
    Thread thread;
    ThreadParser(test, &thread).ParseBlock(block);
    test.threads.push_back(std::move(thread));
  }
  if (json.contains("weak")) test.weak = ParseOutcome(json["weak"]);
  for (const memory::Model model : memory::kModels) {
    test.expected[static_cast<int>(model)] =
        ParseExpectation(Field(json, memory::ModelName(model)));
  }
  const Json& race = Field(json, "race");
  test.expected[static_cast<int>(memory::Model::kSc)].races = Field(race, "sc").get<bool>();
  Expectation& rc11 = test.expected[static_cast<int>(memory::Model::kRc11)];
  rc11.races = Field(race, "rc11").get<bool>();
  test.has_rc11_machine = json.contains("rc11_machine");
  test.rc11_machine = test.has_rc11_machine ? ParseExpectation(json["rc11_machine"]) : rc11;
  test.rc11_machine.races = race.value("machine", rc11.races);
  return test;
}

}  // namespace

absl::StatusOr<std::vector<Case>> ParseTests(const std::string& text) {
  std::vector<Case> tests;
  std::string where = "the file";
  try {
    const Json json = Json::parse(text);
    if (const Json& all = Field(json, "tests"); !all.is_array() || all.empty()) {
      throw Wrong{"field 'tests' is not a list of one test or more"};
    }
    for (const Json& test : Field(json, "tests")) {
      where = absl::StrCat("test ", tests.size() + 1);
      const std::string name = Field(test, "name").get<std::string>();
      where = absl::StrCat("test '", name, "'");
      tests.push_back(ParseTest(test));
      tests.back().name = name;
    }
  } catch (const Wrong& wrong) {
    return absl::InvalidArgumentError(absl::StrCat(where, ": ", wrong.what));
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(where, ": ", error.what()));
  }
  return tests;
}

bool Holds(Relation relation, int64_t left, int64_t right) {
  switch (relation) {
    case Relation::kEqual:
      return left == right;
    case Relation::kNotEqual:
      return left != right;
    case Relation::kAnd:
      return (left & right) != 0;
  }
  __builtin_unreachable();
}

}  // namespace cancelsafe::litmus
