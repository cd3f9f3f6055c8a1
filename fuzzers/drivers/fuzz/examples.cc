// See examples.h.
#include "fuzzers/drivers/fuzz/examples.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "fuzzers/drivers/rules/driver_rules.h"

namespace cancelsafe::drivers {
namespace {

struct Row {
  const char* name;
  bool of_memory;
  bool of_engine;
};
constexpr Row kExamples[] = {
#define CANCELSAFE_DRIVER_EXAMPLE(name) {#name, false, false},
#define CANCELSAFE_DRIVER_EXAMPLE_OF_MEMORY(name) {#name, true, false},
#define CANCELSAFE_DRIVER_EXAMPLE_OF_ENGINE(name) {#name, false, true},
#include "fuzzers/drivers/examples/examples.def"
#undef CANCELSAFE_DRIVER_EXAMPLE
#undef CANCELSAFE_DRIVER_EXAMPLE_OF_MEMORY
#undef CANCELSAFE_DRIVER_EXAMPLE_OF_ENGINE
};
constexpr size_t kBytesMax = 1 << 20;
constexpr char kFoundBy[] = "Found by: ";

// The comment that the source begins with, as one line.
std::string FirstComment(absl::string_view source) {
  std::string text;
  for (absl::string_view line : absl::StrSplit(source, '\n')) {
    if (!absl::ConsumePrefix(&line, "//")) break;
    absl::StrAppend(&text, text.empty() ? "" : " ", absl::StripAsciiWhitespace(line));
  }
  return text;
}

}  // namespace

absl::StatusOr<std::vector<DriverExample>> LoadExamples(const std::string& folder) {
  std::vector<DriverExample> examples;
  for (const Row& row : kExamples) {
    DriverExample example;
    example.name = row.name;
    example.of_memory = row.of_memory;
    example.of_engine = row.of_engine;
    example.source = absl::StrCat(folder, "/", row.name, ".c");
    const absl::StatusOr<std::string> source = ReadFile(example.source, kBytesMax);
    if (!source.ok()) return source.status();
    const std::string text = FirstComment(*source);
    const size_t found_by = text.find(kFoundBy);
    if (found_by == std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat(example.source, ": does not say '// ", kFoundBy, "RULE, ...'"));
    }
    example.story = std::string(absl::StripAsciiWhitespace(text.substr(0, found_by)));
    const absl::string_view list =
        absl::StripSuffix(absl::string_view(text).substr(found_by + sizeof kFoundBy - 1), ".");
    for (absl::string_view rule : absl::StrSplit(list, absl::ByAnyChar(", "), absl::SkipEmpty())) {
      DriverRule known;
      if (!FindDriverRule(rule, &known)) {
        return absl::InvalidArgumentError(
            absl::StrCat(example.source, ": '", rule, "' is not a rule"));
      }
      example.rules.emplace_back(rule);
    }
    examples.push_back(std::move(example));
  }
  return examples;
}

}  // namespace cancelsafe::drivers
