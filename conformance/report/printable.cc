// See printable.h.
#include "conformance/report/printable.h"

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace cancelsafe::conformance {

namespace {

// Length of the well-formed character at the start of `text`, 0 if there is none:
// shortest form, no surrogates, up to U+10FFFF.
size_t CharacterLength(absl::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const unsigned second = byte(1);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
      (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) {
    return 0;
  }
  return length;
}

void Make(std::string* text) { *text = Printable(*text); }

}  // namespace

std::string Printable(absl::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    const auto first = static_cast<unsigned char>(text[0]);
    if (length == 0 || first < 0x20 || first == 0x7f) {
      absl::StrAppendFormat(&out, "\\x%02x", first);
      text.remove_prefix(1);
      continue;
    }
    out.append(text.data(), length);
    text.remove_prefix(length);
  }
  return out;
}

std::string InMarkup(absl::string_view text) {
  return absl::StrReplaceAll(
      text, {{"<", "&lt;"}, {">", "&gt;"}, {"&", "&amp;"}, {"\"", "&quot;"}, {"\n", "&#10;"}});
}

std::string InTableCell(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"|", "\\|"}, {"\n", " "}, {"<", "&lt;"}});
}

void MakePrintable(Report* report) {
  Make(&report->implementation);
  Make(&report->host);
  for (CaseReport& c : report->cases) {
    Make(&c.reason);
    Make(&c.link);
    for (CheckFailure& failure : c.failures) {
      for (std::string* text : {&failure.at, &failure.what, &failure.expected, &failure.seen}) {
        Make(text);
      }
    }
    for (auto& [ambiguity, reading] : c.readings) {
      Make(&ambiguity);
      Make(&reading);
    }
    for (std::string& step : c.steps) Make(&step);
    for (std::string& event : c.trace) Make(&event);
  }
}

bool IsWebAddress(absl::string_view link) {
  return absl::StartsWithIgnoreCase(link, "http://") ||
         absl::StartsWithIgnoreCase(link, "https://");
}

absl::string_view WithoutByteOrderMark(absl::string_view text) {
  return absl::StartsWith(text, "\xef\xbb\xbf") ? text.substr(3) : text;
}

}  // namespace cancelsafe::conformance
