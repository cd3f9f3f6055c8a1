// See scope.h.
#include "fuzzers/worlds/scope.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "oracle/family.h"
#include "oracle/operation_table.h"

namespace cancelsafe {

std::string ScopeText(const Scope& scope) {
  std::string text = absl::StrCat(InfoOf(scope.family).name, " ", scope.fibers, "x", scope.calls,
                                  ", ", scope.items, scope.items == 1 ? " item, " : " items, ",
                                  scope.settings, scope.settings == 1 ? " setting" : " settings");
  if (scope.operations != 0) {
    absl::StrAppend(&text, ", operations ", OperationWords(scope.operations));
  }
  return text;
}

std::string OperationWords(uint64_t operations) {
  std::vector<const char*> words;
  for (int code = 0; code < kOpCount; ++code) {
    const Op op = static_cast<Op>(code);
    if ((operations & OperationBit(op)) != 0) words.push_back(OperationName(op));
  }
  return absl::StrJoin(words, "+");
}

absl::StatusOr<uint64_t> ReadOperationWords(Family family, absl::string_view words) {
  const OperationList& list = OperationsOf(family);
  uint64_t operations = 0;
  for (const absl::string_view word : absl::StrSplit(words, absl::ByAnyChar("+,"))) {
    uint64_t bit = 0;
    for (int i = 0; i < list.count; ++i) {
      if (word == OperationName(list.ops[i])) bit = OperationBit(list.ops[i]);
    }
    if (bit == 0) {
      return absl::InvalidArgumentError(absl::StrCat("'", word, "' is not an operation of ",
                                                     InfoOf(family).name, "; its operations are ",
                                                     OperationWords(list.set)));
    }
    operations |= bit;
  }
  return operations;
}

}  // namespace cancelsafe
