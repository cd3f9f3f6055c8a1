// The lines of a text that say how its program is scheduled, and what its memory does; see
// text_parser.h.
#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "fuzzers/program/schedules.h"
#include "fuzzers/program/stale_text.h"
#include "fuzzers/program/text_parser.h"

namespace cancelsafe {

using schedule::kMaxChoices;
using schedule::kMemoryModelNames;
using schedule::Schedule;

absl::Status TextParser::ScheduleLine(const Tokens& tokens) {
  Schedule& schedule = file_.program.schedule;
  if (tokens.size() < 2) {
    return Error("'schedule' needs a scheduler; allowed: ",
                 absl::StrJoin(schedule::kKindNames, ", "));
  }
  const int kind = FindWord(tokens[1], schedule::kKindNames);
  if (kind < 0) return UnknownWord("scheduler", tokens[1], schedule::kKindNames, "allowed");
  schedule.kind = static_cast<schedule::Kind>(kind);
  Tokens seen;
  for (size_t i = 2; i < tokens.size(); ++i) {
    const Argument argument = SplitArgument(tokens[i]);
    const int index = FindWord(argument.name, kScheduleArgumentWords);
    if (index < 0) {
      return UnknownWord("schedule setting", argument.name, kScheduleArgumentWords, "allowed");
    }
    absl::Status status = Once(&seen, argument.name);
    if (!status.ok()) return status;
    if (index == 0) status = Number(argument, 0xffffffff, &schedule.seed);
    if (index == 1) status = Number(argument, 0xff, &schedule.parameter);
    if (index == 2) {
      status = Number(argument, kMaxSchedules, &file_.program.schedules);
      if (!status.ok() || file_.program.schedules == 0) {
        return Error("schedules must be a number from 1 to ", kMaxSchedules, ", not ",
                     Quoted(argument.value));
      }
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status TextParser::Choices(const Tokens& tokens) {
  Schedule& schedule = file_.program.schedule;
  for (size_t i = 1; i < tokens.size(); ++i) {
    if (schedule.choice_count == kMaxChoices) {
      return Error("too many choices; at most ", kMaxChoices, " are allowed");
    }
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(tokens[i], absl::MaxSplits(':', 1));
    uint64_t step = 0;
    uint64_t fiber = 0;
    if (!ParseNumber(parts.first, &step) || !ParseNumber(parts.second, &fiber) || step > 0xffff ||
        fiber >= kMaxFibers) {
      return Error("a choice is step:fiber with a step up to 65535 and a fiber up to ",
                   kMaxFibers - 1, ", as in 3:1, not ", Quoted(tokens[i]));
    }
    // Printed lists ascend: only a step below the highest so far can be a duplicate.
    for (int j = 0; static_cast<int64_t>(step) <= highest_step_ && j < schedule.choice_count; ++j) {
      if (schedule.choices[j].step == step) return Error("two choices for step ", step);
    }
    highest_step_ = std::max(highest_step_, static_cast<int64_t>(step));
    choice_line_.push_back(line_);
    schedule.choices[schedule.choice_count++] = {static_cast<uint16_t>(step),
                                                 static_cast<uint8_t>(fiber)};
  }
  return absl::OkStatus();
}

absl::Status TextParser::Memory(const Tokens& tokens) {
  const auto words = absl::Span<const char* const>(kMemoryModelNames).subspan(1);
  if (tokens.size() != 2) {
    return Error("'memory' takes one model; allowed: ", absl::StrJoin(words, ", "));
  }
  const int index = FindWord(tokens[1], words);
  if (index < 0) return UnknownWord("memory model", tokens[1], words, "allowed");
  file_.program.schedule.memory = static_cast<schedule::MemoryModel>(index + 1);
  return absl::OkStatus();
}

absl::Status TextParser::StaleChoices(const Tokens& tokens) {
  const std::string wrong = ReadStaleChoices(tokens, &file_.program.schedule);
  return wrong.empty() ? absl::OkStatus() : Error(wrong);
}

}  // namespace cancelsafe
