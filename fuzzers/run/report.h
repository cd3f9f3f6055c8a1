// Failures as people read them: the verdict line, the program, what was allowed
// and what was seen, and the command that replays it.
#ifndef CANCELSAFE_FUZZERS_RUN_REPORT_H_
#define CANCELSAFE_FUZZERS_RUN_REPORT_H_

#include <string>
#include <vector>

#include "base/files.h"
#include "fuzzers/program/program.h"
#include "fuzzers/program/text.h"
#include "oracle/history.h"
#include "oracle/verdict.h"

namespace cancelsafe {

// The whole report but for the replay command. Ends with a line feed.
std::string FailureReport(const Program& program, const History& history, const Verdict& verdict);

// The readable file of a failure: header comments (verdict line, then `origin`
// lines), then the program.
std::string FailureFile(const Program& program, const Verdict& verdict,
                        const std::vector<std::string>& origin);

// What a replay prints of a file whose run gives another verdict than its header names. The
// verdict in such a line is the header's and not the run's, and a reader of verdicts leaves it out.
inline constexpr char kHeaderDiffers[] = "not what the file's header names, which is: ";

// In words, how a run's verdict differs from the one that the header of its file names; ""
// if it is the same finding, or if the header names none.
std::string HeaderDifference(const std::vector<std::string>& header_comments,
                             const Verdict& verdict);

// What the name of a saved failure begins with while a fresh process confirms it: it is to stay
// where it is until then. One that is left when the target has ended was not confirmed.
inline constexpr char kBeingConfirmed[] = "being-confirmed-";
inline constexpr char kUnconfirmed[] = "unconfirmed-";

// "csq-lost-item-CSQ-INV-01-1a2b3c4d.txt": the same program and verdict always
// give the same name, different ones different names.
std::string FailureFileName(const Program& program, const Verdict& verdict);
// Likewise of what `target` names, whose program is this text.
std::string FailureFileName(absl::string_view target, absl::string_view program_text,
                            const Verdict& verdict);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_REPORT_H_
