// See instruction_counts.h.
#include "impl/bench/instruction_counts.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "base/process.h"

namespace cancelsafe {
namespace {

constexpr double kSecondsMax = 300;
constexpr double kBoundPercent = 2;
constexpr double kBoundPercentOtherCompiler = 15;
// As many times does the program take a path; it is told nothing.
constexpr double kRounds = 1000;
constexpr char kCompilerMark[] = "# compiler: ";

absl::StatusOr<std::string> OutputOf(const std::vector<std::string>& command) {
  std::string output;
  const absl::StatusOr<ChildEnd> end = RunProcess(
      command, kSecondsMax, [&](absl::string_view text) { absl::StrAppend(&output, text); });
  if (!end.ok()) return end.status();
  if (end->status.clean()) return output;
  return absl::InternalError(
      absl::StrCat(command[0], " ended with ", DescribeExit(end->status), ":\n", output));
}

// "totals: 123456" of what callgrind wrote.
absl::StatusOr<double> TotalOf(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    double total = 0;
    if ((absl::ConsumePrefix(&line, "totals:") || absl::ConsumePrefix(&line, "summary:")) &&
        absl::SimpleAtod(line, &total)) {
      return total;
    }
  }
  return absl::InternalError(absl::StrCat(path, ": callgrind wrote no totals"));
}

}  // namespace

absl::StatusOr<InstructionTable> CountInstructions(const std::string& program) {
  const absl::StatusOr<std::string> names = OutputOf({program});
  if (!names.ok()) return names.status();
  const std::string counts =
      absl::StrCat(std::filesystem::temp_directory_path().string(), "/callgrind.", getpid());
  InstructionTable table;
  for (const std::string& name : std::vector<std::string>(absl::StrSplit(*names, '\n'))) {
    if (name.empty()) continue;
    if (table.compiler.empty()) {
      table.compiler = name;  // the first line
      continue;
    }
    const absl::StatusOr<std::string> output =
        OutputOf({"valgrind", "--tool=callgrind", "--toggle-collect=CountedPath",
                  absl::StrCat("--callgrind-out-file=", counts), program, name});
    if (!output.ok()) return output.status();
    const absl::StatusOr<double> total = TotalOf(counts);
    unlink(counts.c_str());
    if (!total.ok()) return total.status();
    table.counts[name] = *total / kRounds;
  }
  return table;
}

std::string PrintInstructionTable(const InstructionTable& table) {
  std::string text = absl::StrCat(
      "# Instructions per operation (an insertion and the removal, or the cancel, of it),\n"
      "# counted by callgrind. Written by ./cancelsafe bench --record-instructions.\n",
      kCompilerMark, table.compiler, "\n");
  for (const auto& [name, count] : table.counts) {
    absl::StrAppendFormat(&text, "%-34s %8.1f\n", name, count);
  }
  return text;
}

absl::StatusOr<InstructionTable> ReadInstructionTable(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  InstructionTable table;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    if (absl::ConsumePrefix(&line, kCompilerMark)) table.compiler = std::string(line);
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    double count = 0;
    if (words.size() != 2 || !absl::SimpleAtod(words[1], &count)) continue;
    table.counts[words[0]] = count;
  }
  return table;
}

InstructionComparison CompareWithPlainList(const InstructionTable& counted) {
  InstructionComparison result;
  for (const auto& [name, count] : counted.counts) {
    absl::string_view path = name;
    if (!absl::ConsumePrefix(&path, "device-queue-")) continue;
    const auto plain = counted.counts.find(absl::StrCat("plain-list-", path));
    if (plain == counted.counts.end()) continue;
    const double ratio = count / plain->second;
    const bool kept = ratio <= 1 + kBoundPercent / 100;
    absl::StrAppendFormat(&result.text, "%-34s %8.1f   plain list %6.1f  ratio %.3f   %s\n", name,
                          count, plain->second, ratio, kept ? "kept" : "NOT KEPT");
    result.same = result.same && kept;
  }
  return result;
}

InstructionComparison CompareInstructions(const InstructionTable& recorded,
                                          const InstructionTable& counted) {
  InstructionComparison result = CompareWithPlainList(counted);
  double bound = kBoundPercent;
  if (recorded.compiler != counted.compiler) {
    bound = kBoundPercentOtherCompiler;
    result.text = absl::StrFormat(
        "The table was recorded with another compiler, so the bound is %.0f %% instead of %.0f "
        "%%.\n  recorded: %s\n  here:     %s\n",
        bound, kBoundPercent, recorded.compiler, counted.compiler);
  }
  for (const auto& [name, count] : counted.counts) {
    const auto known = recorded.counts.find(name);
    if (known == recorded.counts.end()) {
      absl::StrAppendFormat(&result.text, "%-34s %8.1f   not in the table\n", name, count);
      result.same = false;
      continue;
    }
    const double change = 100 * (count / known->second - 1);
    const bool outside = change > bound || change < -bound;
    absl::StrAppendFormat(&result.text, "%-34s %8.1f   recorded %8.1f  %+5.1f %%%s\n", name, count,
                          known->second, change,
                          !outside     ? ""
                          : change > 0 ? "   WORSE"
                                       : "   better: record it");
    result.same = result.same && !outside;
  }
  for (const auto& [name, count] : recorded.counts) {
    if (counted.counts.count(name) != 0) continue;
    absl::StrAppendFormat(&result.text, "%-34s in the table only\n", name);
    result.same = false;
  }
  if (!result.same) {
    absl::StrAppend(&result.text,
                    "If this is meant: ./cancelsafe bench --record-instructions, and commit the "
                    "table.\n");
  }
  return result;
}

}  // namespace cancelsafe
