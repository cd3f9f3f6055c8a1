// Spreads attacks over child processes of this one, several at a time. Each is
// independent of the others, whatever their number.
#ifndef CANCELSAFE_FUZZERS_MUTANTS_WORKERS_H_
#define CANCELSAFE_FUZZERS_MUTANTS_WORKERS_H_

#include <functional>
#include <string>
#include <vector>

#include "fuzzers/mutants/table.h"

namespace cancelsafe {

// Calls `attack` for each mutant, at most `jobs` at a time, each call in one of
// `jobs` processes, and returns the results in the order of the mutants. `done` is
// called here whenever one is through. `folder` is for the results on their way.
std::vector<MutantResult> AttackAll(const std::vector<Mutant>& mutants, int jobs,
                                    const std::string& folder,
                                    const std::function<MutantResult(const Mutant&)>& attack,
                                    const std::function<void(const MutantResult&)>& done);

// Locks the folder until this process, and all workers that it has started, have ended.
// False, with the reason, if it is locked already.
bool LockFolder(const std::string& folder, std::string* error);

// A result, without its mutant, as text and back; for a result that did not come
// through the complaint says so.
std::string PackResult(const MutantResult& result);
void UnpackResult(const std::string& text, MutantResult* result);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_MUTANTS_WORKERS_H_
