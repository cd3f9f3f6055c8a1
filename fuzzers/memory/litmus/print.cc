// Litmus programs and outcomes as text.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fuzzers/memory/litmus/compare.h"

namespace cancelsafe::litmus {
namespace {

const char* OrderName(memory::Order order) {
  switch (order) {
    case memory::Order::kPlain:
      return "na";
    case memory::Order::kRelaxed:
      return "rlx";
    case memory::Order::kAcquire:
      return "acq";
    case memory::Order::kRelease:
      return "rel";
    case memory::Order::kAcqRel:
      return "acq_rel";
    case memory::Order::kSeqCst:
      return "sc";
  }
  __builtin_unreachable();
}

const char* OperationName(memory::Operation operation) {
  switch (operation) {
    case memory::Operation::kAdd:
      return "fetch_add";
    case memory::Operation::kAnd:
      return "fetch_and";
    case memory::Operation::kOr:
      return "fetch_or";
    default:
      return "exchange";
  }
}

const char* RelationName(Relation relation) {
  return relation == Relation::kEqual ? " == " : relation == Relation::kNotEqual ? " != " : " & ";
}

std::string ValueName(const Thread& thread, const Value& value) {
  if (value.reg < 0) return absl::StrCat(value.add);
  if (value.add == 0) return thread.registers[value.reg];
  return absl::StrCat(thread.registers[value.reg], " + ", value.add);
}

std::string ToString(const Case& test, const Thread& thread, const Instruction& i) {
  const auto name = [&thread](const Value& value) { return ValueName(thread, value); };
  const std::string order = OrderName(i.order);
  const std::string location = i.location < 0 ? "" : test.locations[i.location];
  const std::string result = i.reg < 0 ? "" : absl::StrCat(thread.registers[i.reg], " = ");
  switch (i.op) {
    case Op::kLoad:
      return absl::StrCat(result, location, ".load(", order, ")");
    case Op::kStore:
      return absl::StrCat(location, ".store(", name(i.value), ", ", order, ")");
    case Op::kUpdate:
      return absl::StrCat(result, location, ".", OperationName(i.operation), "(", name(i.value),
                          ", ", order, ")");
    case Op::kCompareExchange:
    case Op::kAwaitCompareExchange:
      return absl::StrCat(i.op == Op::kCompareExchange ? result : "until it succeeds: ", location,
                          ".compare_exchange(", name(i.expected), ", ", name(i.value), ", ", order,
                          ", ", OrderName(i.failure), ")");
    case Op::kFence:
      return absl::StrCat("fence(", order, ")");
    case Op::kAwaitLoad:
      return absl::StrCat("until it holds: ", location, ".load(", order, ")",
                          RelationName(i.relation), name(i.until));
    case Op::kAwaitUpdate:
      return absl::StrCat("until it holds: ", location, ".exchange(", name(i.value), ", ", order,
                          ")", RelationName(i.relation), name(i.until));
    case Op::kBranch:
      return absl::StrCat("unless ", thread.registers[i.reg], RelationName(i.relation),
                          name(i.value), " go to ", i.target + 1);
    case Op::kJump:
      return absl::StrCat("go to ", i.target + 1);
  }
  __builtin_unreachable();
}

}  // namespace

std::string ToString(const Outcome& outcome) {
  return absl::StrJoin(outcome, " ", absl::PairFormatter("="));
}

std::string ToString(const Case& test) {
  std::string text;
  for (size_t t = 0; t < test.threads.size(); ++t) {
    absl::StrAppend(&text, "  fiber ", t, "\n");
    const Thread& thread = test.threads[t];
    for (size_t i = 0; i < thread.code.size(); ++i) {
      absl::StrAppend(&text, "    ", i + 1, ": ", ToString(test, thread, thread.code[i]), "\n");
    }
  }
  return text;
}

}  // namespace cancelsafe::litmus
