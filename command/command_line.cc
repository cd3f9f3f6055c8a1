// See command_line.h.
#include "command/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "command/flags.h"
#include "command/suggest.h"

namespace cancelsafe {
namespace {

constexpr size_t kColumns = 88;
constexpr size_t kFlagColumns = 28;  // where the text beside a flag begins

constexpr char kExitStatusText[] =
    "Exit status: 0 all is well, 1 a violation or a failed test, 2 wrong usage or an\n"
    "unreadable file, 3 set-up failed, 130 interrupted.\n";

const char* GroupTitle(SubcommandGroup group) {
  switch (group) {
    case SubcommandGroup::kFind:
      return "Find bugs";
    case SubcommandGroup::kUnderstand:
      return "Understand one";
    case SubcommandGroup::kMeasure:
      return "Measure";
    case SubcommandGroup::kWorkOn:
      return "Work on Cancelsafe";
  }
  return "";
}

// `text` with line breaks, all lines but the first indented.
std::string Wrapped(const std::string& text, size_t indent) {
  std::string result;
  size_t column = indent;
  for (const std::string& word : std::vector<std::string>(absl::StrSplit(text, ' '))) {
    if (column > indent && column + 1 + word.size() > kColumns) {
      absl::StrAppend(&result, "\n", std::string(indent, ' '));
      column = indent;
    } else if (column > indent) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
  }
  return result;
}

// One paragraph for each line of the text. An indented one is a row of a table: its columns
// are two blanks or more apart, and the last of them is wrapped.
std::string Paragraphs(const char* text) {
  std::string result;
  for (const std::string& paragraph : std::vector<std::string>(absl::StrSplit(text, '\n'))) {
    size_t last_column = 0;
    if (absl::StartsWith(paragraph, " ")) {
      const size_t gap = paragraph.find("  ", paragraph.find_first_not_of(' '));
      last_column = paragraph.find_first_not_of(' ', gap == std::string::npos ? 0 : gap);
    }
    absl::StrAppend(&result, paragraph.substr(0, last_column),
                    Wrapped(paragraph.substr(last_column), last_column), "\n");
  }
  return result;
}

bool IsWordList(const std::string& type) {
  return !type.empty() && std::isupper(static_cast<unsigned char>(type[0])) == 0;
}

std::vector<std::string> WordsOf(const CLI::Option& option) {
  if (!IsWordList(option.get_type_name())) return {};
  return absl::StrSplit(option.get_type_name(), '|');
}

std::unique_ptr<CLI::App> NewApp(const Subcommand& subcommand) {
  auto app = std::make_unique<CLI::App>(subcommand.purpose, subcommand.name);
  app->set_help_flag("--help", "this text");
  return app;
}

std::vector<std::string> FlagNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) names.push_back(option->get_name());
  }
  return names;
}

std::string SeeHelp(const std::string& name) {
  return absl::StrCat("; see 'cancelsafe ", name, " --help'");
}

std::string ExtrasText(const Subcommand& subcommand, const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining();
  const std::string word = extras.empty() ? "" : extras[0].substr(0, extras[0].find('='));
  if (!absl::StartsWith(word, "-")) {
    return absl::StrCat("unexpected argument '", word, "'", SeeHelp(subcommand.name));
  }
  return absl::StrCat("unknown flag ", word, DidYouMean(word, FlagNames(app)),
                      SeeHelp(subcommand.name));
}

// "--seconds" of "--seconds: 1 required N missing".
std::string MismatchText(const Subcommand& subcommand, const CLI::ParseError& error) {
  const std::string text = error.what();
  if (!absl::EndsWith(text, " missing")) return text;
  return absl::StrCat(text.substr(0, text.find(':')), " needs a value", SeeHelp(subcommand.name));
}

ParsedCommand Parse(const Subcommand& subcommand, std::vector<std::string> words) {
  ParsedCommand result;
  const std::shared_ptr<CLI::App> app = NewApp(subcommand);
  const std::function<int()> run = subcommand.declare(app.get());
  std::reverse(words.begin(), words.end());
  try {
    app->parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    result.text = HelpText(subcommand);
    return result;
  } catch (const CLI::ExtrasError&) {
    result.error = ExtrasText(subcommand, *app);
  } catch (const CLI::ArgumentMismatch& error) {
    result.error = MismatchText(subcommand, error);
  } catch (const CLI::ParseError& error) {
    result.error = error.what();
  }
  // The options live as long as what is bound to them.
  result.run = [app, run] { return run(); };
  return result;
}

}  // namespace

std::string OverviewText() {
  std::string text = "usage: cancelsafe SUBCOMMAND [flags] [arguments]\n";
  const char* title = "";
  for (const Subcommand& subcommand : Subcommands()) {
    if (title != GroupTitle(subcommand.group)) {
      title = GroupTitle(subcommand.group);
      absl::StrAppend(&text, "\n", title, "\n");
    }
    absl::StrAppendFormat(&text, "  %-11s %s\n", subcommand.name, subcommand.purpose);
  }
  absl::StrAppend(&text, R"(
  help [SUBCOMMAND]  this text, or that of a subcommand; the same as --help
  --version          the version

From a checkout, ./cancelsafe installs with apt-get what a Debian 12 machine lacks and
builds what is needed; --no-install anywhere names the packages instead.

)",
                  kExitStatusText);
  return text;
}

std::string VersionText() { return "cancelsafe " CANCELSAFE_VERSION "\n"; }

std::string HelpText(const Subcommand& subcommand) {
  const std::unique_ptr<CLI::App> app = NewApp(subcommand);
  const std::function<int()> run = subcommand.declare(app.get());
  std::string text = absl::StrCat("usage: cancelsafe ", subcommand.name, " [flags]",
                                  subcommand.arguments[0] == '\0' ? "" : " ", subcommand.arguments,
                                  "\n\n", Paragraphs(subcommand.about), "\n");
  for (const CLI::Option* option : app->get_options()) {
    if (option->get_positional()) continue;
    std::string flag = absl::StrCat("  ", option->get_name());
    if (option->get_items_expected_max() > 0) {
      absl::StrAppend(&flag, " ", option->get_type_name());
    }
    text += flag;
    if (flag.size() + 2 > kFlagColumns) {
      absl::StrAppend(&text, "\n", std::string(kFlagColumns, ' '));
    } else {
      text += std::string(kFlagColumns - flag.size(), ' ');
    }
    absl::StrAppend(&text, Wrapped(option->get_description(), kFlagColumns), "\n");
  }
  if (subcommand.notes[0] != '\0') absl::StrAppend(&text, "\n", Paragraphs(subcommand.notes));
  absl::StrAppend(&text, "\n", kExitStatusText);
  return text;
}

ParsedCommand ParseCommandLine(const std::vector<std::string>& words) {
  ParsedCommand result;
  if (words.empty()) {
    result.error = "no subcommand; 'cancelsafe help' lists them";
    return result;
  }
  const std::string& name = words[0];
  const bool help = name == "help" || name == "--help" || name == "-h";
  if (name == "--version") {
    result.text = VersionText();
    return result;
  }
  if (help && (words.size() == 1 || words[1] == "help" || words[1] == "--help")) {
    result.text = OverviewText();
    return result;
  }
  if (!help && absl::StartsWith(name, "-")) {
    result.error = absl::StrCat("unknown flag ", name, DidYouMean(name, {"--help", "--version"}),
                                "; the flags of a subcommand stand behind its name");
    return result;
  }
  const std::string& wanted = help ? words[1] : name;
  std::vector<std::string> names;
  for (const Subcommand& subcommand : Subcommands()) {
    if (wanted != subcommand.name) {
      names.push_back(subcommand.name);
      continue;
    }
    if (!help) return Parse(subcommand, {words.begin() + 1, words.end()});
    result.text = HelpText(subcommand);
    return result;
  }
  result.error = absl::StrCat("no subcommand '", wanted, "'", DidYouMean(wanted, names),
                              "; 'cancelsafe help' lists them");
  return result;
}

int RunSingleCommand(const Subcommand& subcommand, int argc, char** argv) {
  const auto complain = [&](int status, const std::string& what) {
    fprintf(stderr, "cancelsafe %s: %s\n", subcommand.name, what.c_str());
    return status;
  };
  ParsedCommand command = Parse(subcommand, {argv + 1, argv + argc});
  if (!command.error.empty()) return complain(kExitUsage, command.error);
  int status = kExitOk;
  try {
    fputs(command.text.c_str(), stdout);
    if (command.text.empty()) status = command.run();
  } catch (const SetupError& error) {
    return complain(kExitSetup, error.what());
  } catch (const UsageError& error) {
    return complain(kExitUsage, error.what());
  }
  const absl::Status flushed = FlushStandardOutput();
  return flushed.ok() ? status : complain(kExitSetup, std::string(flushed.message()));
}

std::vector<FlagWords> FlagsOf(const Subcommand& subcommand) {
  const std::unique_ptr<CLI::App> app = NewApp(subcommand);
  const std::function<int()> run = subcommand.declare(app.get());
  std::vector<FlagWords> flags;
  for (const CLI::Option* option : app->get_options()) {
    if (option->get_positional()) continue;
    const bool takes_value = option->get_items_expected_max() > 0;
    flags.push_back({option->get_name(), takes_value,
                     takes_value ? WordsOf(*option) : std::vector<std::string>()});
  }
  return flags;
}

std::vector<std::string> PositionalWords(const Subcommand& subcommand) {
  const std::unique_ptr<CLI::App> app = NewApp(subcommand);
  const std::function<int()> run = subcommand.declare(app.get());
  std::vector<std::string> words;
  for (const CLI::Option* option : app->get_options()) {
    if (!option->get_positional()) continue;
    for (std::string& word : WordsOf(*option)) words.push_back(std::move(word));
  }
  return words;
}

}  // namespace cancelsafe
