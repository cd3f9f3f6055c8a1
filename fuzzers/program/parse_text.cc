// Parsing, declared in text.h; the class is in text_parser.h. The lines on the schedule are
// in parse_schedule.cc.
#include <algorithm>
#include <iterator>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "fuzzers/program/bytes.h"
#include "fuzzers/program/schedules.h"
#include "fuzzers/program/text.h"
#include "fuzzers/program/text_parser.h"
#include "fuzzers/program/tokens.h"
#include "fuzzers/program/words.h"
#include "oracle/family.h"
#include "oracle/operation_table.h"
#include "oracle/setup_table.h"

namespace cancelsafe {
namespace {

using Words = absl::Span<const char* const>;

// The settings of a line that this family has, as the words by which they are given.
struct SettingWords {
  std::vector<const char*> words;
  std::vector<const SetupField*> fields;
  std::vector<int> values;  // what a bare word stands for, else -1

  SettingWords(Family family, SetupLine line) {
    for (const SetupField& field : AllSetupFields()) {
      if (field.line != line || !field.IsOf(family)) continue;
      if (field.form != SetupForm::kBare) {
        Add(field.name, field, -1);
        continue;
      }
      for (int value = 0; value <= field.max; ++value) {
        if (field.words[value][0] != '\0') Add(field.words[value], field, value);
      }
    }
  }

 private:
  void Add(const char* word, const SetupField& field, int value) {
    words.push_back(word);
    fields.push_back(&field);
    values.push_back(value);
  }
};

}  // namespace

absl::Status TextParser::Number(Argument argument, uint64_t max, uint64_t* value) const {
  if (ParseNumber(argument.value, value) && *value <= max) return absl::OkStatus();
  return Error(argument.name, " must be a number from 0 to ", max, " (decimal, or 0x...), not ",
               Quoted(argument.value));
}

absl::Status TextParser::Target(const Tokens& tokens) {
  const char* families[kFamilyCount];
  for (int i = 0; i < kFamilyCount; ++i) families[i] = FamilyName(static_cast<Family>(i));
  if (tokens.size() != 2) {
    return Error("'target' takes one name; allowed: ", absl::StrJoin(families, ", "));
  }
  const int index = FindWord(tokens[1], families);
  if (index < 0) return UnknownWord("target", tokens[1], families, "allowed");
  file_.program.setup = InfoOf(static_cast<Family>(index)).setup;
  const OperationList& list = OperationsOf(static_cast<Family>(index));
  for (int i = 0; i < list.count; ++i) operation_words_.push_back(OperationName(list.ops[i]));
  has_target_ = true;
  return absl::OkStatus();
}

absl::Status TextParser::Settings(SetupLine line, const Tokens& tokens) {
  Setup& setup = file_.program.setup;
  const SettingWords known(setup.family, line);
  if (known.words.empty()) {
    return Error(
        FamilyName(setup.family), " has no '", tokens[0], "' line: ",
        line == SetupLine::kQueue ? "its queue has no settings" : "its queue calls no driver");
  }
  Tokens seen;
  for (size_t i = 1; i < tokens.size(); ++i) {
    const Argument argument = SplitArgument(tokens[i]);
    const int index = FindWord(argument.name, known.words);
    if (index < 0) {
      return UnknownWord(absl::StrCat(tokens[0], " setting"), argument.name, known.words,
                         "allowed");
    }
    const SetupField& field = *known.fields[static_cast<size_t>(index)];
    absl::Status status = Once(&seen, field.name);
    if (!status.ok()) return status;
    int value = known.values[static_cast<size_t>(index)];
    if (field.form == SetupForm::kBare) {
      status = Bare(argument);
    } else if (field.form == SetupForm::kNumber) {
      status = Number(argument, field.max, &value);
    } else {
      status = Value(argument, Words(field.words, field.max + 1u), &value);
    }
    if (!status.ok()) return status;
    field.Set(&setup, value);
    if (value != 0) setting_line_[&field - AllSetupFields().begin()] = line_;
  }
  return absl::OkStatus();
}

absl::Status TextParser::Fiber(const Tokens& tokens) {
  if (fibers_ == kMaxFibers) return Error("too many fibers; at most ", kMaxFibers, " are allowed");
  uint64_t number = 0;
  if (tokens.size() != 2 || !ParseNumber(tokens[1], &number) ||
      number != static_cast<uint64_t>(fibers_)) {
    return Error("fibers are numbered from 0 in order; this line must be 'fiber ", fibers_, "'");
  }
  ++fibers_;
  return absl::OkStatus();
}

absl::Status TextParser::OperationArgument(Argument argument, Operation* operation) {
  const FieldMasks masks = FieldsOf(operation->op);
  std::vector<const char*> allowed;
  for (size_t bit = 0; bit < std::size(kFlagWords); ++bit) {
    if ((masks.flags & 1 << bit) != 0) allowed.push_back(kFlagWords[bit]);
  }
  if (masks.key != 0) allowed.push_back("key");
  allowed.push_back("irql");
  if (masks.selector != 0) allowed.push_back("selector");
  if (FindWord(argument.name, allowed) < 0) {
    return UnknownWord("argument", argument.name, allowed,
                       absl::StrCat("'", OperationName(operation->op), "' takes"));
  }
  if (argument.name == "key") return Number(argument, 0xffffffff, &operation->key);
  if (argument.name == "irql") return Value(argument, kIrqlWords, &operation->irql);
  if (argument.name == "selector") {
    return Number(argument, InfoOf(operation->op).selector_max, &operation->selector);
  }
  operation->flags |= static_cast<uint8_t>(1 << FindWord(argument.name, kFlagWords));
  return Bare(argument);
}

absl::Status TextParser::OperationLine(const Tokens& tokens) {
  Program& program = file_.program;
  const int index = FindWord(tokens[0], operation_words_);
  if (index < 0) {
    std::vector<const char*> known(std::begin(kDirectiveWords), std::end(kDirectiveWords));
    if (fibers_ == 0) {
      return UnknownWord("line", tokens[0], known, "allowed before the first fiber");
    }
    known.insert(known.begin(), operation_words_.begin(), operation_words_.end());
    return Error("unknown operation ", Quoted(tokens[0]), "; ", DidYouMean(tokens[0], known),
                 FamilyName(program.setup.family),
                 " knows: ", absl::StrJoin(operation_words_, ", "));
  }
  if (fibers_ == 0) return Error("operation before the first fiber; put 'fiber 0' above it");
  if (program.operation_count == MaxOperationsOf(program.setup)) {
    return Error("too many operations; at most ", MaxOperationsOf(program.setup), " are allowed");
  }
  Operation& operation = program.operations[program.operation_count];
  operation = Operation();
  operation.op = OperationsOf(program.setup.family).ops[index];
  size_t next = 1;
  if (FieldsOf(operation.op).item != 0) {
    if (tokens.size() < 2) {
      return Error("'", tokens[0], "' needs an item, a number from 0 to ",
                   ItemsOf(program.setup) - 1);
    }
    const absl::Status status =
        Number({"the item", tokens[next++], true}, ItemsOf(program.setup) - 1, &operation.item);
    if (!status.ok()) return status;
  }
  Tokens seen;
  for (; next < tokens.size(); ++next) {
    const Argument argument = SplitArgument(tokens[next]);
    absl::Status status = Once(&seen, argument.name);
    if (status.ok()) status = OperationArgument(argument, &operation);
    if (!status.ok()) return status;
  }
  program.fiber_of[program.operation_count++] = static_cast<uint8_t>(fibers_ - 1);
  return absl::OkStatus();
}

absl::Status TextParser::Line(absl::string_view line) {
  const auto bad = std::find_if_not(line.begin(), line.end(), IsTextByte);
  if (bad != line.end()) {
    return Error(absl::StrFormat("byte 0x%02x is not text", static_cast<uint8_t>(*bad)));
  }
  const size_t comment = line.find('#');
  const Tokens tokens = SplitTokens(line.substr(0, comment));
  if (tokens.empty()) {
    if (comment != absl::string_view::npos && !has_target_) {
      absl::string_view text = absl::StripTrailingAsciiWhitespace(line.substr(comment + 1));
      absl::ConsumePrefix(&text, " ");
      // As it will be printed: "# ", the text and a line end.
      header_bytes_ += text.size() + 3;
      if (header_bytes_ > kMaxHeaderBytes) {
        return Error("too much comment above the program; at most ", kMaxHeaderBytes,
                     " bytes are allowed");
      }
      file_.header_comments.push_back(absl::StrReplaceAll(text, {{"\r", " "}}));
    }
    return absl::OkStatus();
  }
  const int directive = FindWord(tokens[0], kDirectiveWords);
  if (directive != 0 && !has_target_) {
    return Error("the first line must be 'target NAME', not ", Quoted(tokens[0]));
  }
  // Fibers and choices may take several lines.
  if (directive >= 0 && directive != 3 && directive != 5) {
    const absl::Status status = Once(&lines_seen_, kDirectiveWords[directive]);
    if (!status.ok()) return status;
  }
  switch (directive) {
    case 0:
      return Target(tokens);
    case 1:
      return Settings(SetupLine::kQueue, tokens);
    case 2:
      return Settings(SetupLine::kDriver, tokens);
    case 3:
      return Fiber(tokens);
    case 4:
      return ScheduleLine(tokens);
    case 5:
      return Choices(tokens);
    case 6:
      return Memory(tokens);
    case 7:
      return StaleChoices(tokens);
    default:
      return OperationLine(tokens);
  }
}

absl::Status TextParser::Finish() {
  Program& program = file_.program;
  if (!has_target_) return Error("no 'target' line; there is no program here");
  program.fibers = std::max(fibers_, 1);
  if (program.schedules == 0) program.schedules = UsualSchedules(program);
  for (int i = 0; i < AllSetupFields().count; ++i) {
    const SetupField& field = AllSetupFields()[i];
    if (setting_line_[i] == 0 || field.needs == nullptr || field.Applies(program.setup)) continue;
    line_ = setting_line_[i];
    const char* word =
        field.form == SetupForm::kWord ? field.words[field.Get(program.setup)] : nullptr;
    return Error(field.name, word == nullptr ? "" : "=", word == nullptr ? "" : word, " needs '",
                 field.needs, "'");
  }
  for (int i = 0; i < program.schedule.choice_count; ++i) {
    if (program.schedule.choices[i].fiber < program.fibers) continue;
    line_ = choice_line_[i];
    return Error("choice ", program.schedule.choices[i].step, ":",
                 program.schedule.choices[i].fiber, " names a fiber that does not exist");
  }
  Normalize(&program);
  return absl::OkStatus();
}

absl::StatusOr<ProgramFile> TextParser::Run(absl::string_view text) {
  file_.program.schedules = 0;  // until a line says how many
  if (text.size() > kMaxTextBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "line 1: the text has ", text.size(), " bytes; at most ", kMaxTextBytes, " are allowed"));
  }
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++line_;
    const absl::Status status = Line(line);
    if (!status.ok()) return status;
  }
  const absl::Status status = Finish();
  if (!status.ok()) return status;
  return std::move(file_);
}

absl::StatusOr<ProgramFile> ParseProgramFile(absl::string_view text) {
  return TextParser().Run(text);
}

absl::StatusOr<Program> ParseProgram(absl::string_view text) {
  absl::StatusOr<ProgramFile> file = ParseProgramFile(text);
  if (!file.ok()) return file.status();
  return file->program;
}

bool IsProgramText(absl::string_view bytes) {
  if (bytes.empty()) return false;
  if (DetectFamily(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size())) return false;
  return std::all_of(bytes.begin(), bytes.end(), IsTextByte);
}

}  // namespace cancelsafe
