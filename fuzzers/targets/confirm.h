// Makes a violation happen again before it is reported: from the form in which it is
// saved, in this process and in a fresh one. Nothing here decides what becomes of a
// violation that does not.
#ifndef CANCELSAFE_FUZZERS_TARGETS_CONFIRM_H_
#define CANCELSAFE_FUZZERS_TARGETS_CONFIRM_H_

#include <string>
#include <vector>

#include "fuzzers/program/program.h"
#include "fuzzers/run/runner.h"

namespace cancelsafe {

// A violation in the form in which it is saved.
struct Failure {
  Program program;
  Verdict verdict;
};

// Runs `program`, under which `seen` was seen, twice more: once to record its choices, and
// once from them. `*failure` becomes the form to save: with the recorded choices if they
// give a violation, else as it was. Returns "" if the form gives the verdict of *failure
// again, else what it gave instead. When recording gives another violation than `seen`,
// *failure is the new one.
std::string ConfirmFromChoices(Runner* runner, const Program& program, const Verdict& seen,
                               Failure* failure);

// Runs `command`, this target with the flag that makes it answer with AnswerConfirmation,
// and holds its answer against the verdict. "" if it is the same finding, else what it
// gave instead. Takes as long as the start of a process.
std::string ConfirmInFreshProcess(const std::vector<std::string>& command, const Verdict& verdict);

// In the fresh process: runs the saved program and prints the verdict for the process that
// waits for it. Returns the exit status.
int AnswerConfirmation(Runner* runner, const std::string& path);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TARGETS_CONFIRM_H_
