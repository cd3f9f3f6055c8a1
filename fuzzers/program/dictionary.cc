// See dictionary.h.
#include "fuzzers/program/dictionary.h"

#include <cstdint>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "fuzzers/program/bytes.h"
#include "fuzzers/program/words.h"
#include "oracle/family.h"
#include "oracle/operation_table.h"
#include "oracle/setup_table.h"

namespace cancelsafe {
namespace {

using Words = absl::Span<const char* const>;

constexpr const char* kNames[] = {
    "text",
#define CANCELSAFE_FAMILY(family, file_name) #file_name,
#include "oracle/families.def"
#undef CANCELSAFE_FAMILY
};

// Keys at the ends of the range, and around the sign of those who compare wrongly.
constexpr uint32_t kKeys[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff};

void AddEntry(absl::string_view bytes, std::string* dictionary) {
  absl::StrAppend(dictionary, "\"");
  for (const char c : bytes) {
    if (c == '"' || c == '\\' || !absl::ascii_isprint(static_cast<unsigned char>(c))) {
      absl::StrAppendFormat(dictionary, "\\x%02X", static_cast<uint8_t>(c));
    } else {
      dictionary->push_back(c);
    }
  }
  absl::StrAppend(dictionary, "\"\n");
}

void AddWords(absl::string_view before, Words words, std::string* dictionary) {
  for (const char* word : words) AddEntry(absl::StrCat(before, word), dictionary);
}

std::string TextDictionary() {
  std::string dictionary = "# The words of the text form of programs (fuzzers/program/text.h).\n";
  AddWords("\n", kDirectiveWords, &dictionary);
  for (int i = 0; i < kFamilyCount; ++i) {
    AddEntry(absl::StrCat("target ", FamilyName(static_cast<Family>(i)), "\n"), &dictionary);
  }
  for (int i = 0; i < kMaxFibers; ++i) AddEntry(absl::StrCat("\nfiber ", i, "\n"), &dictionary);
  for (int i = 0; i < kOpCount; ++i) {
    AddEntry(absl::StrCat("\n  ", OperationName(static_cast<Op>(i)), " "), &dictionary);
  }
  for (const SetupField& field : AllSetupFields()) {
    if (field.form == SetupForm::kNumber) AddWords(" ", Words({field.name}), &dictionary);
    const std::string before =
        field.form == SetupForm::kWord ? absl::StrCat(" ", field.name, "=") : " ";
    for (int value = 0; field.words != nullptr && value <= field.max; ++value) {
      if (field.words[value][0] != '\0') {
        AddEntry(absl::StrCat(before, field.words[value]), &dictionary);
      }
    }
  }
  AddWords(" irql=", kIrqlWords, &dictionary);
  AddWords(" ", kFlagWords, &dictionary);
  AddWords("schedule ", schedule::kKindNames, &dictionary);
  AddWords(" ", kScheduleArgumentWords, &dictionary);
  AddWords("\nmemory ", Words(schedule::kMemoryModelNames).subspan(1), &dictionary);
  for (const char* kind : schedule::kStaleKindNames) {
    AddEntry(absl::StrCat(":", kind, ":1/2"), &dictionary);
  }
  for (const uint32_t key : kKeys) AddEntry(absl::StrCat(" key=", key), &dictionary);
  AddWords("", Words({" selector=", "=", ":", "# ", "0x"}), &dictionary);
  return dictionary;
}

std::string BytesDictionary(Family family) {
  std::string dictionary =
      absl::StrCat("# Programs of ", FamilyName(family), " in bytes (fuzzers/program/bytes.h).\n");
  Program program;
  program.setup = InfoOf(family).setup;
  program.fibers = 2;
  const OperationList& list = OperationsOf(family);
  for (int i = 0; i < list.count; ++i) {
    program.operations[0].op = program.operations[1].op = list.ops[i];
    program.fiber_of[0] = 0;
    program.fiber_of[1] = 1;
    program.operation_count = 2;
    uint8_t bytes[kMaxProgramBytes];
    EncodeProgram(program, bytes, sizeof bytes);
    const absl::string_view encoded(reinterpret_cast<const char*>(bytes), sizeof bytes);
    if (i == 0) AddEntry(encoded.substr(0, kProgramHeaderBytes), &dictionary);
    AddEntry(encoded.substr(kProgramHeaderBytes, kOperationBytes), &dictionary);
    AddEntry(encoded.substr(kProgramHeaderBytes + kOperationBytes, kOperationBytes), &dictionary);
  }
  for (const uint32_t key : kKeys) {
    const char bytes[] = {static_cast<char>(key), static_cast<char>(key >> 8),
                          static_cast<char>(key >> 16), static_cast<char>(key >> 24)};
    AddEntry(absl::string_view(bytes, sizeof bytes), &dictionary);
  }
  return dictionary;
}

}  // namespace

absl::Span<const char* const> DictionaryNames() { return kNames; }

std::string PrintDictionary(absl::string_view name) {
  const int index = FindWord(name, kNames);
  return index == 0 ? TextDictionary() : BytesDictionary(static_cast<Family>(index - 1));
}

}  // namespace cancelsafe
