// Reads the test points that the suite writes, whatever host it ran on.
#ifndef CANCELSAFE_CONFORMANCE_REPORT_TAP_READER_H_
#define CANCELSAFE_CONFORMANCE_REPORT_TAP_READER_H_

#include <string>

#include "conformance/report/report.h"

namespace cancelsafe::conformance {

// The case of this id from the suite's own tables: id, routine, clauses and
// requirement; verdict not run. False if the suite has no such case.
bool DescribeCase(const std::string& id, CaseReport* report);

// Adds the test points in `tap` to `*report`. Unknown cases, unknown keys and a case
// that is there twice are an error: false, with the line in `*error`. A test point cut
// short is kept as a crash.
bool ReadTap(const std::string& tap, Report* report, std::string* error);

// Adds the cases that the report lacks, as crashes: a host that ended early.
void AddMissingCases(Report* report);

}  // namespace cancelsafe::conformance

#endif  // CANCELSAFE_CONFORMANCE_REPORT_TAP_READER_H_
