// The parser behind ParseProgramFile (text.h): a class over the lines of one text, in
// two files. The lines on the schedule are in parse_schedule.cc, all others in
// parse_text.cc. Every error names the line, the word, and what is allowed.
#ifndef CANCELSAFE_FUZZERS_PROGRAM_TEXT_PARSER_H_
#define CANCELSAFE_FUZZERS_PROGRAM_TEXT_PARSER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fuzzers/program/text.h"
#include "fuzzers/program/tokens.h"
#include "fuzzers/program/words.h"
#include "oracle/setup_table.h"

namespace cancelsafe {

class TextParser {
 public:
  absl::StatusOr<ProgramFile> Run(absl::string_view text);

 private:
  absl::Status Line(absl::string_view line);
  absl::Status Target(const Tokens& tokens);
  absl::Status Settings(SetupLine line, const Tokens& tokens);
  absl::Status Fiber(const Tokens& tokens);
  absl::Status ScheduleLine(const Tokens& tokens);
  absl::Status Choices(const Tokens& tokens);
  absl::Status Memory(const Tokens& tokens);
  absl::Status StaleChoices(const Tokens& tokens);
  absl::Status OperationLine(const Tokens& tokens);
  absl::Status OperationArgument(Argument argument, Operation* operation);
  absl::Status Finish();

  template <typename... Parts>
  absl::Status Error(const Parts&... parts) const {
    return absl::InvalidArgumentError(absl::StrCat("line ", line_, ": ", parts...));
  }
  absl::Status UnknownWord(absl::string_view what, absl::string_view word,
                           absl::Span<const char* const> words, absl::string_view who) const {
    return Error("unknown ", what, " ", Quoted(word), "; ", DidYouMean(word, words), who, ": ",
                 absl::StrJoin(words, ", "));
  }
  absl::Status Number(Argument argument, uint64_t max, uint64_t* value) const;
  template <typename T>
  absl::Status Number(Argument argument, uint64_t max, T* value) const {
    uint64_t number = 0;
    const absl::Status status = Number(argument, max, &number);
    *value = static_cast<T>(number);
    return status;
  }
  template <typename Enum>
  absl::Status Value(Argument argument, absl::Span<const char* const> words, Enum* value) const {
    const int index = FindWord(argument.value, words);
    if (index < 0) {
      return UnknownWord(absl::StrCat("value of ", argument.name, "="), argument.value, words,
                         "allowed");
    }
    *value = static_cast<Enum>(index);
    return absl::OkStatus();
  }
  absl::Status Bare(Argument argument) const {
    return argument.has_value ? Error("'", argument.name, "' takes no value") : absl::OkStatus();
  }
  // An argument or a line may be given once.
  absl::Status Once(Tokens* seen, absl::string_view name) const {
    if (std::find(seen->begin(), seen->end(), name) != seen->end()) {
      return Error(Quoted(name), " is given twice");
    }
    seen->push_back(name);
    return absl::OkStatus();
  }

  int line_ = 0;
  bool has_target_ = false;
  int fibers_ = 0;
  size_t header_bytes_ = 0;
  Tokens lines_seen_;
  // Where something stands that can only be judged at the end.
  std::vector<int> setting_line_ = std::vector<int>(kSetupFieldCount);
  std::vector<int> choice_line_;
  int64_t highest_step_ = -1;  // of the choices
  ProgramFile file_;
  std::vector<const char*> operation_words_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_PROGRAM_TEXT_PARSER_H_
