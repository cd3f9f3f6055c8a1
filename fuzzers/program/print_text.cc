// Printing, declared in text.h.
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "fuzzers/program/fields.h"
#include "fuzzers/program/text.h"
#include "fuzzers/program/words.h"

namespace cancelsafe {
namespace {

using schedule::Kind;
using schedule::Schedule;

constexpr size_t kChoicesPerLine = 12;

std::string KeyText(uint32_t key) {
  return key < 0x10000 ? absl::StrCat(key) : absl::StrFormat("0x%08x", key);
}

template <typename Enum, size_t kCount>
const char* Word(const char* const (&words)[kCount], Enum value) {
  return words[static_cast<size_t>(value)];
}

void PrintQueue(const Setup& setup, std::string* out) {
  absl::StrAppend(out, "queue");
  if (setup.family == Family::kCsq) absl::StrAppend(out, " ", Word(kQueueKindWords, setup.ex));
  absl::StrAppend(out, " insert=", Word(kInsertPolicyWords, setup.insert),
                  " peek=", Word(kPeekPolicyWords, setup.peek),
                  " lock=", Word(kLockKindWords, setup.lock));
  if (setup.ex) absl::StrAppend(out, " status=", Word(kInsertStatusWords, setup.pending_status));
  absl::StrAppend(out, "\n");
}

void PrintDriver(const Setup& setup, std::string* out) {
  std::string line;
  if (setup.failing_insert != 0) absl::StrAppend(&line, " failing-insert=", setup.failing_insert);
  if (setup.cancelling_insert != 0) {
    absl::StrAppend(&line, " cancelling-insert=", setup.cancelling_insert);
  }
  if (setup.reentry != Reentry::kNone) {
    absl::StrAppend(&line, " reentry=", Word(kReentryWords, setup.reentry));
  }
  if (setup.reentry == Reentry::kInsert || setup.reentry == Reentry::kCancel) {
    absl::StrAppend(&line, " reentry-item=", setup.reentry_item);
  }
  if (setup.family == Family::kStartIo) {
    absl::StrAppend(&line, " start-io=", Word(kStartIoStyleWords, setup.start_io));
    if (setup.start_by_key) absl::StrAppend(&line, " start-by-key");
  }
  if (!line.empty()) absl::StrAppend(out, "driver", line, "\n");
}

void PrintSchedule(const Schedule& schedule, std::string* out) {
  if (schedule.kind != Kind::kChoices) {
    absl::StrAppend(out, "schedule ", schedule::NameOf(schedule.kind), " seed=", schedule.seed);
    if (schedule.parameter != 0) absl::StrAppend(out, " parameter=", schedule.parameter);
    absl::StrAppend(out, "\n");
  }
  for (int i = 0; i < schedule.choice_count; ++i) {
    const schedule::Choice choice = schedule.choices[i];
    absl::StrAppend(out, i % kChoicesPerLine == 0 ? (i == 0 ? "choices " : "\nchoices ") : " ",
                    choice.step, ":", choice.fiber);
  }
  if (schedule.choice_count > 0) absl::StrAppend(out, "\n");
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
  if (HasCallbacks(normal.setup.family)) PrintQueue(normal.setup, &out);
  PrintDriver(normal.setup, &out);
  int next = 0;
  for (int fiber = 0; fiber < normal.fibers; ++fiber) {
    absl::StrAppend(&out, "fiber ", fiber, "\n");
    for (; next < normal.operation_count && normal.fiber_of[next] == fiber; ++next) {
      absl::StrAppend(&out, "  ", PrintOperation(normal.setup, normal.operations[next]), "\n");
    }
  }
  PrintSchedule(normal.schedule, &out);
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
