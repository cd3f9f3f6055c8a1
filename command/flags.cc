// See flags.h.
#include "command/flags.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/files.h"
#include "base/shell_word.h"
#include "command/suggest.h"

namespace cancelsafe {
namespace {

constexpr int kJobsMax = 1024;

// CLI11 checks values by a function that returns what is wrong, "" if nothing is.
CLI::Validator NotEmpty() {
  return CLI::Validator(
      [](std::string& value) { return value.empty() ? std::string("needs a value") : ""; }, "");
}

std::string ChoiceError(const std::string& word, const std::vector<std::string>& words) {
  if (std::find(words.begin(), words.end(), word) != words.end()) return "";
  return absl::StrCat("'", word, "' is not one of ", absl::StrJoin(words, ", "),
                      DidYouMean(word, words));
}

// The words end up in the option's type name, where help and completion find them.
CLI::Option* AsChoice(CLI::Option* option, const std::vector<std::string>& words) {
  return option
      ->check(CLI::Validator([words](std::string& word) { return ChoiceError(word, words); }, ""))
      ->type_name(absl::StrJoin(words, "|"));
}

}  // namespace

CLI::Option* AddNumber(CLI::App* app, const std::string& name, int* value, int min, int max,
                       const std::string& text) {
  return app->add_option(name, *value, text)
      ->take_last()
      ->check(CLI::Validator(
          [min, max](std::string& word) {
            int number = 0;
            if (absl::SimpleAtoi(word, &number) && number >= min && number <= max) {
              return std::string();
            }
            return absl::StrCat("'", word, "' is not a whole number from ", min, " to ", max);
          },
          ""))
      ->type_name("N");
}

CLI::Option* AddPositive(CLI::App* app, const std::string& name, double* value,
                         const std::string& text) {
  return app->add_option(name, *value, text)
      ->take_last()
      ->check(CLI::Validator(
          [](std::string& word) {
            double number = 0;
            if (absl::SimpleAtod(word, &number) && number > 0) return std::string();
            return absl::StrCat("'", word, "' is not a number above 0");
          },
          ""))
      ->type_name("N");
}

CLI::Option* AddChoice(CLI::App* app, const std::string& name, std::string* value,
                       const std::vector<std::string>& words, const std::string& text) {
  return AsChoice(app->add_option(name, *value, text)->take_last(), words);
}

CLI::Option* AddText(CLI::App* app, const std::string& name, std::string* value,
                     const std::string& shape, const std::string& text) {
  return app->add_option(name, *value, text)->take_last()->check(NotEmpty())->type_name(shape);
}

CLI::Option* AddTexts(CLI::App* app, const std::string& name, std::vector<std::string>* values,
                      const std::string& shape, const std::string& text) {
  return app->add_option(name, *values, text)
      ->allow_extra_args(false)
      ->check(NotEmpty())
      ->type_name(shape);
}

CLI::Option* AddSwitch(CLI::App* app, const std::string& name, bool* value,
                       const std::string& text) {
  return app->add_flag(name, *value, text);
}

CLI::Option* AddArguments(CLI::App* app, const std::string& shape, std::vector<std::string>* values,
                          const std::vector<std::string>& words) {
  CLI::Option* const option = app->add_option(shape, *values, "");
  return words.empty() ? option : option->type_name(absl::StrJoin(words, "|"));
}

std::vector<std::string> GuestFlags::AsWords() const {
  std::vector<std::string> words;
  if (!points.empty()) words.insert(words.end(), {"--points", points});
  if (strict) words.push_back("--strict");
  if (!memory.empty()) words.insert(words.end(), {"--memory", memory});
  for (const std::string& rule : ignore) words.insert(words.end(), {"--ignore", rule});
  if (!implementation.empty()) words.insert(words.end(), {"--implementation", implementation});
  return words;
}

GuestFlags GuestFlags::Under(const std::string& sanitizer) const {
  GuestFlags flags = *this;
  if (sanitizer != "model") flags.memory.clear();
  return flags;
}

std::string GuestFlags::AsText() const {
  std::string text;
  for (const std::string& word : AsWords()) absl::StrAppend(&text, " ", ShellWord(word));
  return text;
}

void AddGuestFlags(CLI::App* app, GuestFlags* flags) {
  AddText(app, "--implementation", &flags->implementation, "FILE",
          "run this shared object, or PE image (.dll), instead of the built-in implementation; "
          "\"canary\" is the "
          "device queue with the bug that the canary target has");
  AddChoice(app, "--points", &flags->points, {"all", "locks"},
            "where the schedule may switch: \"all\" adds every load and store, where the "
            "implementation was compiled for it (locks; fuzz: all in the model build)");
  AddChoice(app, "--memory", &flags->memory, {"sc", "tso", "rc11"},
            "what a load may return: the newest store, what x86 shows, or what C++ allows (the "
            "program's own, else rc11); with --sanitizer model");
  AddSwitch(app, "--strict", &flags->strict,
            "hold it to the built-in implementation's choices where the documentation leaves "
            "some; otherwise all are accepted from an --implementation");
  AddTexts(app, "--ignore", &flags->ignore, "RULE", "leave out a rule or clause; may be repeated");
}

const std::vector<std::string>& SanitizerNames() {
  static const std::vector<std::string> names = {"model", "thread", "address", "none"};
  return names;
}

void AddSanitizer(CLI::App* app, std::string* value, const std::string& fallback) {
  AddChoice(app, "--sanitizer", value, SanitizerNames(),
            absl::StrCat("which build to run it in (", fallback, ")"));
}

void AddSanitizers(CLI::App* app, std::vector<std::string>* values, const std::string& fallback) {
  AsChoice(
      app->add_option("--sanitizer", *values,
                      absl::StrCat("which builds to run it in; may be repeated (", fallback, ")"))
          ->allow_extra_args(false),
      SanitizerNames());
}

void AddSeconds(CLI::App* app, int* value, const std::string& of_what) {
  AddNumber(app, "--seconds", value, 1, kSecondsMax, absl::StrCat(of_what, " (", *value, ")"));
}

void AddJobs(CLI::App* app, int* value, const std::string& what) {
  AddNumber(app, "--jobs", value, 1, kJobsMax, what);
}

void AddWork(CLI::App* app, std::string* value, const std::string& what,
             const std::string& fallback) {
  AddText(app, "--work", value, "DIR", absl::StrCat("folder for ", what, " (", fallback, ")"));
}

void AddCorpus(CLI::App* app, std::string* value) {
  AddText(app, "--corpus", value, "DIR",
          "the corpus: DIR/<target>_fuzzer/{seeds,regressions} (corpus)");
}

void AddSave(CLI::App* app, std::string* value) {
  AddText(app, "--save", value, "DIR", "where a failure is saved (.)")
      ->check([](const std::string& path) {
        const absl::Status made = MakeFolder(path);
        return made.ok() ? std::string() : std::string(made.message());
      });
}

bool IsGiven(const CLI::App* app, const std::string& name) { return app->count(name) > 0; }

int ProcessorCount() {
  return static_cast<int>(std::clamp<long>(sysconf(_SC_NPROCESSORS_ONLN), 1, kJobsMax));
}

}  // namespace cancelsafe
