// When a failing program shows nothing beyond what smaller ones have shown: it breaks the
// same rule in the same routine, and has all operations of one of theirs. Values only.
#ifndef CANCELSAFE_FUZZERS_CHECK_REACH_H_
#define CANCELSAFE_FUZZERS_CHECK_REACH_H_

#include <string>
#include <vector>

#include "fuzzers/program/program.h"

namespace cancelsafe {

// What kinds of operations a program is made of, with their flags, and on how many fibers;
// which items, files and keys they name is left out. As text: for a plan.
std::string ReachOf(const Program& program);

// Whether a program of this reach has all that one of `small` has, each operation with at
// least its flags.
bool Reaches(const std::string& large, const std::string& small);

// The failures that are known, by key.
class Known {
 public:
  // "KEY<tab>REACH"; a key alone stands for all programs.
  void Add(const std::string& key, const std::string& reach);
  void Add(const std::string& entry);
  bool Explains(const std::string& key, const Program& program) const;
  bool Has(const std::string& key) const;

 private:
  struct Entry {
    std::string key;
    std::string reach;
  };
  std::vector<Entry> entries_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_REACH_H_
