// See driver_text.h.
#include "fuzzers/drivers/program/driver_text.h"

#include <algorithm>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "fuzzers/program/stale_text.h"
#include "fuzzers/program/tokens.h"
#include "fuzzers/program/words.h"

namespace cancelsafe::drivers {
namespace {

class Parser {
 public:
  absl::StatusOr<DriverProgramFile> Parse(absl::string_view text) {
    bool in_header = true;
    for (absl::string_view line : absl::StrSplit(text, '\n')) {
      ++line_;
      const size_t comment = line.find('#');
      if (comment != absl::string_view::npos) {
        if (in_header) {
          absl::string_view kept = line.substr(comment + 1);
          if (!kept.empty() && kept[0] == ' ') kept.remove_prefix(1);
          file_.header_comments.emplace_back(kept);
        }
        line = line.substr(0, comment);
      }
      const Tokens tokens = SplitTokens(line);
      if (tokens.empty()) continue;
      in_header = false;
      if (absl::Status status = Line(tokens); !status.ok()) return status;
    }
    if (!has_target_) return Error("the first line must be 'target driver'");
    file_.program.fibers = std::max(fibers_, 1);
    return file_;
  }

 private:
  template <typename... Parts>
  absl::Status Error(const Parts&... parts) const {
    return absl::InvalidArgumentError(absl::StrCat("line ", line_, ": ", parts...));
  }

  absl::Status Line(const Tokens& tokens) {
    if (!has_target_) {
      if (tokens.size() != 2 || tokens[0] != "target" || tokens[1] != "driver") {
        return Error("the first line must be 'target driver'");
      }
      has_target_ = true;
      return absl::OkStatus();
    }
    DriverProgram& program = file_.program;
    if (tokens[0] == "driver-fibers") {
      return Whole(tokens, kMaxDriverFibers, &program.driver_fibers);
    }
    if (tokens[0] == "fail-allocation") {
      return Whole(tokens, kMaxFailAllocation, &program.fail_allocation);
    }
    if (tokens[0] == "fiber") return Fiber(tokens);
    if (tokens[0] == "schedule") return ScheduleLine(tokens);
    if (tokens[0] == "choices") return Choices(tokens);
    if (tokens[0] == "memory") return Memory(tokens);
    if (tokens[0] == "stale-choices") {
      const std::string wrong = ReadStaleChoices(tokens, &program.schedule);
      return wrong.empty() ? absl::OkStatus() : Error(wrong);
    }
    return Operation(tokens);
  }

  absl::Status Whole(const Tokens& tokens, int max, int* value) {
    uint64_t number = 0;
    if (tokens.size() != 2 || !ParseNumber(tokens[1], &number) ||
        number > static_cast<uint64_t>(max)) {
      return Error("'", tokens[0], "' takes a number from 0 to ", max);
    }
    *value = static_cast<int>(number);
    return absl::OkStatus();
  }

  absl::Status Fiber(const Tokens& tokens) {
    if (fibers_ == kMaxProgramFibers) return Error("at most ", kMaxProgramFibers, " fibers");
    uint64_t number = 0;
    if (tokens.size() != 2 || !ParseNumber(tokens[1], &number) ||
        number != static_cast<uint64_t>(fibers_)) {
      return Error("fibers are numbered from 0 in order; this line must be 'fiber ", fibers_, "'");
    }
    ++fibers_;
    return absl::OkStatus();
  }

  absl::Status ScheduleLine(const Tokens& tokens) {
    schedule::Schedule& schedule = file_.program.schedule;
    int kind = -1;
    for (int i = 0; i < schedule::kKindCount && tokens.size() > 1; ++i) {
      if (tokens[1] == schedule::kKindNames[i]) kind = i;
    }
    if (kind < 0) {
      return Error("'schedule' takes one of ", absl::StrJoin(schedule::kKindNames, ", "));
    }
    schedule.kind = static_cast<schedule::Kind>(kind);
    for (size_t i = 2; i < tokens.size(); ++i) {
      const Argument argument = SplitArgument(tokens[i]);
      uint64_t value = 0;
      const bool well = argument.has_value && ParseNumber(argument.value, &value);
      if (well && argument.name == "seed" && value <= 0xffffffff) {
        schedule.seed = static_cast<uint32_t>(value);
      } else if (well && argument.name == "parameter" && value <= 0xff) {
        schedule.parameter = static_cast<uint8_t>(value);
      } else {
        return Error("'", tokens[i], "' is neither seed=0..4294967295 nor parameter=0..255");
      }
    }
    return absl::OkStatus();
  }

  absl::Status Choices(const Tokens& tokens) {
    schedule::Schedule& schedule = file_.program.schedule;
    for (size_t i = 1; i < tokens.size(); ++i) {
      const std::pair<absl::string_view, absl::string_view> parts =
          absl::StrSplit(tokens[i], absl::MaxSplits(':', 1));
      uint64_t step = 0;
      uint64_t fiber = 0;
      const int last =
          schedule.choice_count == 0 ? -1 : schedule.choices[schedule.choice_count - 1].step;
      if (schedule.choice_count == schedule::kMaxChoices || !ParseNumber(parts.first, &step) ||
          !ParseNumber(parts.second, &fiber) || step > 0xffff || static_cast<int>(step) <= last ||
          fiber >= schedule::kFiberCapacity) {
        return Error("a choice is step:fiber with ascending steps up to 65535 and a fiber up to ",
                     schedule::kFiberCapacity - 1, ", as in 3:1, not '", tokens[i], "'");
      }
      schedule.choices[schedule.choice_count++] = {static_cast<uint16_t>(step),
                                                   static_cast<uint8_t>(fiber)};
    }
    return absl::OkStatus();
  }

  absl::Status Memory(const Tokens& tokens) {
    const auto models = absl::MakeConstSpan(schedule::kMemoryModelNames).subspan(1);
    const int index = tokens.size() == 2 ? FindWord(tokens[1], models) : -1;
    if (index < 0) return Error("'memory' takes one of ", absl::StrJoin(models, ", "));
    file_.program.schedule.memory = static_cast<schedule::MemoryModel>(index + 1);
    return absl::OkStatus();
  }

  absl::Status Operation(const Tokens& tokens) {
    DriverOperation operation;
    const DriverOpRow* row = nullptr;
    for (int i = 0; i < kDriverOpCount; ++i) {
      if (tokens[0] != kDriverOps[i].word) continue;
      operation.op = static_cast<DriverOp>(i);
      row = &kDriverOps[i];
    }
    if (row == nullptr) {
      return Error("unknown line '", tokens[0], "'; the operations are ",
                   absl::StrJoin(kDriverOps, ", ", [](std::string* out, const DriverOpRow& known) {
                     out->append(known.word);
                   }));
    }
    if (file_.program.operations.size() == kMaxOperations) {
      return Error("at most ", kMaxOperations, " operations");
    }
    operation.fiber = fibers_ == 0 ? kBefore : static_cast<uint8_t>(fibers_ - 1);
    size_t at = 1;
    uint64_t value = 0;
    if (row->request) {
      if (!Next(tokens, &at, kMaxRequests - 1, &value)) {
        return Error("'", row->word, "' takes a request from 0 to ", kMaxRequests - 1, " first");
      }
      operation.request = static_cast<uint8_t>(value);
      if (row->file && (sent_ >> value & 1) != 0) {
        return Error("request ", value, " is sent twice; each has a number of its own");
      }
      if (row->file) sent_ |= 1u << value;
    }
    if (row->file) {
      if (!Next(tokens, &at, kMaxFiles - 1, &value)) {
        return Error("'", row->word, "' takes a file from 0 to ", kMaxFiles - 1,
                     row->request ? " after the request" : "");
      }
      operation.file = static_cast<uint8_t>(value);
    }
    if (row->number) {
      if (!Next(tokens, &at, kMaxAdvanceMs, &value)) {
        return Error("'", row->word, "' takes milliseconds from 0 to ", kMaxAdvanceMs);
      }
      operation.number = static_cast<uint32_t>(value);
    }
    for (; at < tokens.size(); ++at) {
      const Argument argument = SplitArgument(tokens[at]);
      const bool well = argument.has_value && ParseNumber(argument.value, &value);
      if (well && row->code && argument.name == "code" && value <= 0xffffffff) {
        operation.code = static_cast<uint32_t>(value);
      } else if (well && row->in && argument.name == "in" && value <= kMaxLength) {
        operation.in = static_cast<uint32_t>(value);
      } else if (well && row->out && argument.name == "out" && value <= kMaxLength) {
        operation.out = static_cast<uint32_t>(value);
      } else if (tokens[at] == "unreadable" && PassesUserAddresses(operation.op, operation.code)) {
        operation.unreadable = true;
      } else if (row->in && argument.has_value && argument.name == "data" &&
                 ReadData(argument.value, &operation)) {
        continue;
      } else {
        return Error("'", row->word, "' does not take '", tokens[at], "'; it takes",
                     row->code ? " code=0..0xffffffff" : "",
                     row->in ? absl::StrCat(" in=0..", kMaxLength, " data=HEX (at most ", kMaxData,
                                            " bytes, two digits each)")
                             : "",
                     row->out ? absl::StrCat(" out=0..", kMaxLength) : "",
                     row->code ? " and, behind a code of METHOD_NEITHER, unreadable" : "",
                     row->code || row->in || row->out ? "" : " no settings");
      }
    }
    if (operation.data_size > operation.in) {
      return Error("data= has ", operation.data_size, " bytes, and in= says ", operation.in,
                   "; it has to be as many at least");
    }
    file_.program.operations.push_back(operation);
    return absl::OkStatus();
  }

  // "00ff" as two bytes.
  static bool ReadData(absl::string_view digits, DriverOperation* operation) {
    if (digits.empty() || digits.size() % 2 != 0 || digits.size() > 2 * kMaxData) return false;
    if (!std::all_of(digits.begin(), digits.end(), absl::ascii_isxdigit)) return false;
    const std::string bytes = absl::HexStringToBytes(digits);
    std::copy(bytes.begin(), bytes.end(), operation->data);
    operation->data_size = static_cast<uint8_t>(bytes.size());
    return true;
  }

  static bool Next(const Tokens& tokens, size_t* at, uint64_t max, uint64_t* value) {
    return *at < tokens.size() && ParseNumber(tokens[(*at)++], value) && *value <= max;
  }

  DriverProgramFile file_;
  int line_ = 0;
  int fibers_ = 0;
  uint32_t sent_ = 0;
  bool has_target_ = false;
};

}  // namespace

bool IsDriverProgramText(absl::string_view text) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const Tokens tokens = SplitTokens(line.substr(0, line.find('#')));
    if (!tokens.empty()) {
      return tokens.size() == 2 && tokens[0] == "target" && tokens[1] == "driver";
    }
  }
  return false;
}

absl::StatusOr<DriverProgramFile> ParseDriverProgram(absl::string_view text) {
  return Parser().Parse(text);
}

std::string PrintDriverOperation(const DriverOperation& operation) {
  const DriverOpRow& row = InfoOf(operation.op);
  std::string line = row.word;
  if (row.request) absl::StrAppend(&line, " ", operation.request);
  if (row.file) absl::StrAppend(&line, " ", operation.file);
  if (row.number) absl::StrAppend(&line, " ", operation.number);
  if (row.code) absl::StrAppendFormat(&line, " code=0x%x", operation.code);
  if (row.in) absl::StrAppend(&line, " in=", operation.in);
  if (row.out) absl::StrAppend(&line, " out=", operation.out);
  if (operation.unreadable) absl::StrAppend(&line, " unreadable");
  if (operation.data_size != 0) {
    const auto* const data = reinterpret_cast<const char*>(operation.data);
    absl::StrAppend(&line,
                    " data=", absl::BytesToHexString(absl::string_view(data, operation.data_size)));
  }
  return line;
}

std::string PrintDriverProgram(const DriverProgramFile& file) {
  const DriverProgram& program = file.program;
  std::string text;
  for (const std::string& comment : file.header_comments) {
    absl::StrAppend(&text, comment.empty() ? "#" : "# ", comment, "\n");
  }
  absl::StrAppend(&text, "target driver\n");
  if (program.driver_fibers != 0) {
    absl::StrAppend(&text, "driver-fibers ", program.driver_fibers, "\n");
  }
  if (program.fail_allocation != 0) {
    absl::StrAppend(&text, "fail-allocation ", program.fail_allocation, "\n");
  }
  for (int fiber = -1; fiber < program.fibers; ++fiber) {
    if (fiber >= 0) absl::StrAppend(&text, "fiber ", fiber, "\n");
    for (const DriverOperation& operation : program.operations) {
      if (operation.fiber != (fiber < 0 ? kBefore : fiber)) continue;
      absl::StrAppend(&text, fiber < 0 ? "" : "  ", PrintDriverOperation(operation), "\n");
    }
  }
  const schedule::Schedule& schedule = program.schedule;
  if (schedule.kind != schedule::Kind::kChoices) {
    absl::StrAppend(&text, "schedule ", schedule::NameOf(schedule.kind), " seed=", schedule.seed);
    if (schedule.parameter != 0) absl::StrAppend(&text, " parameter=", schedule.parameter);
    absl::StrAppend(&text, "\n");
  }
  if (schedule.choice_count != 0) {
    absl::StrAppend(&text, "choices");
    for (int i = 0; i < schedule.choice_count; ++i) {
      absl::StrAppend(&text, " ", schedule.choices[i].step, ":", schedule.choices[i].fiber);
    }
    absl::StrAppend(&text, "\n");
  }
  AppendMemory(schedule, &text);
  return text;
}

}  // namespace cancelsafe::drivers
