// Text from outside (names of files, reasons, values that a guest made up) as text
// that every format can hold: valid UTF-8 without control characters.
#ifndef CANCELSAFE_CONFORMANCE_REPORT_PRINTABLE_H_
#define CANCELSAFE_CONFORMANCE_REPORT_PRINTABLE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "conformance/report/report.h"

namespace cancelsafe::conformance {

// Bytes that are not UTF-8, and control characters, become "\xNN". Idempotent.
std::string Printable(absl::string_view text);

// As text, or as the value of an attribute in double quotes, of XML and HTML.
std::string InMarkup(absl::string_view text);

// As text of a table's cell, and elsewhere, in Markdown.
std::string InTableCell(absl::string_view text);

// All text of the report, in place.
void MakePrintable(Report* report);

// True for what a page may turn into a link: http:// and https://.
bool IsWebAddress(absl::string_view link);

// The text without a byte order mark at its beginning.
absl::string_view WithoutByteOrderMark(absl::string_view text);

}  // namespace cancelsafe::conformance

#endif  // CANCELSAFE_CONFORMANCE_REPORT_PRINTABLE_H_
