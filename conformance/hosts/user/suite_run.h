// A run of the whole suite, or of a part of it, against one implementation in
// this machine's user mode.
#ifndef CANCELSAFE_CONFORMANCE_HOSTS_USER_SUITE_RUN_H_
#define CANCELSAFE_CONFORMANCE_HOSTS_USER_SUITE_RUN_H_

#include <string>

#include "conformance/hosts/user/sandbox.h"
#include "conformance/report/report.h"
#include "impl/implementation.h"

namespace cancelsafe::conformance {

// True if a clause or the id of the case matches `glob`; an empty one matches all.
bool Selected(const std::string& glob, int case_number);

// Runs the selected cases, each isolated, in catalogue order: as many reports as cases
// are selected. What checks this host's kernel alone is left out when a shared object is
// checked, and counted: it would be credited with what it does not do.
Report RunSuite(const Subject& subject, const std::string& name, const std::string& glob,
                const RunOptions& options = RunOptions());
Report RunSuite(const Implementation& implementation, const std::string& name,
                const std::string& glob, const RunOptions& options = RunOptions());

}  // namespace cancelsafe::conformance

#endif  // CANCELSAFE_CONFORMANCE_HOSTS_USER_SUITE_RUN_H_
