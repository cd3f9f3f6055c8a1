// Printing, declared in text.h.
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "fuzzers/program/stale_text.h"
#include "fuzzers/program/text.h"
#include "fuzzers/program/words.h"
#include "oracle/family.h"
#include "oracle/operation_table.h"
#include "oracle/setup_table.h"

namespace cancelsafe {
namespace {

using schedule::Kind;
using schedule::Schedule;

constexpr size_t kChoicesPerLine = 12;

std::string KeyText(uint32_t key) {
  return key < 0x10000 ? absl::StrCat(key) : absl::StrFormat("0x%08x", key);
}

std::string SettingText(const SetupField& field, int value) {
  switch (field.form) {
    case SetupForm::kWord:
      return absl::StrCat(" ", field.name, "=", field.words[value]);
    case SetupForm::kNumber:
      return absl::StrCat(" ", field.name, "=", value);
    case SetupForm::kBare:
      break;
  }
  return absl::StrCat(" ", field.words[value]);
}

void PrintSettings(const Setup& setup, SetupLine line, std::string* out) {
  const Setup& plain = InfoOf(setup.family).setup;
  std::string settings;
  for (const SetupField& field : AllSetupFields()) {
    if (field.line != line || !field.Applies(setup)) continue;
    const int value = field.Get(setup);
    if (!field.always_written && value == field.Get(plain)) continue;
    absl::StrAppend(&settings, SettingText(field, value));
  }
  if (settings.empty()) return;
  absl::StrAppend(out, kDirectiveWords[line == SetupLine::kQueue ? 1 : 2], settings, "\n");
}

void PrintSchedule(const Program& program, std::string* out) {
  const Schedule& schedule = program.schedule;
  if (schedule.kind != Kind::kChoices) {
    absl::StrAppend(out, "schedule ", schedule::NameOf(schedule.kind), " seed=", schedule.seed);
    if (schedule.parameter != 0) absl::StrAppend(out, " parameter=", schedule.parameter);
    absl::StrAppend(out, " schedules=", program.schedules);
    absl::StrAppend(out, "\n");
  }
  for (int i = 0; i < schedule.choice_count; ++i) {
    const schedule::Choice choice = schedule.choices[i];
    absl::StrAppend(out, i % kChoicesPerLine == 0 ? (i == 0 ? "choices " : "\nchoices ") : " ",
                    choice.step, ":", choice.fiber);
  }
  if (schedule.choice_count > 0) absl::StrAppend(out, "\n");
  AppendMemory(schedule, out);
}

}  // namespace

std::string PrintOperation(const Setup& setup, const Operation& operation) {
  const FieldMasks masks = FieldsOf(setup, operation.op);
  std::string line = OperationName(operation.op);
  if (masks.item != 0) absl::StrAppend(&line, " ", operation.item & masks.item);
  for (size_t bit = 0; bit < std::size(kFlagWords); ++bit) {
    if ((operation.flags & masks.flags & 1 << bit) != 0) {
      absl::StrAppend(&line, " ", kFlagWords[bit]);
    }
  }
  const uint32_t key = operation.key & masks.key;
  if (key != 0) absl::StrAppend(&line, " key=", KeyText(key));
  if (operation.irql % 3 != 0) absl::StrAppend(&line, " irql=", kIrqlWords[operation.irql % 3]);
  const int selector = operation.selector & masks.selector;
  if (selector != 0) absl::StrAppend(&line, " selector=", selector);
  return line;
}

std::string PrintProgram(const Program& program) {
  Program normal = program;
  Normalize(&normal);
  std::string out = absl::StrCat("target ", FamilyName(normal.setup.family), "\n");
  PrintSettings(normal.setup, SetupLine::kQueue, &out);
  PrintSettings(normal.setup, SetupLine::kDriver, &out);
  int next = 0;
  for (int fiber = 0; fiber < normal.fibers; ++fiber) {
    absl::StrAppend(&out, "fiber ", fiber, "\n");
    for (; next < normal.operation_count && normal.fiber_of[next] == fiber; ++next) {
      absl::StrAppend(&out, "  ", PrintOperation(normal.setup, normal.operations[next]), "\n");
    }
  }
  PrintSchedule(normal, &out);
  return out;
}

std::string PrintProgramFile(const ProgramFile& file) {
  std::string out;
  for (const std::string& comment : file.header_comments) {
    // A comment that holds a line break would otherwise leave its line.
    for (absl::string_view line : absl::StrSplit(comment, absl::ByAnyChar("\r\n"))) {
      line = absl::StripTrailingAsciiWhitespace(line);
      absl::StrAppend(&out, line.empty() ? "#" : "# ", line, "\n");
    }
  }
  absl::StrAppend(&out, PrintProgram(file.program));
  return out;
}

}  // namespace cancelsafe
