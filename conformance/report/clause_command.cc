// cancelsafe clause: what a clause of the catalogue means, for those who met its id in a verdict or
// a report.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "command/flags.h"
#include "command/subcommand.h"
#include "conformance/report/catalogue.h"

namespace cancelsafe::conformance {
namespace {

int Explain(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    bool found = false;
    for (const Clause& clause : Catalogue()) {
      if (!GlobMatch(word, clause.id) && word != clause.name) continue;
      found = true;
      printf("%s", ExplainClause(clause).c_str());
    }
    if (!found) {
      throw UsageError(absl::StrCat(
          "there is no clause '", word,
          "', and no rule for drivers of that name; ids look like "
          "CSQ-INSERT-06 or DRV-CXL-01, and '*' and '?' match parts of them: cancelsafe clause "
          "'DRV-*' prints all of drivers"));
    }
  }
  return kExitOk;
}

std::function<int()> Declare(CLI::App* app) {
  const auto words = std::make_shared<std::vector<std::string>>();
  AddArguments(app, "ID...", words.get());
  return [words] {
    if (words->empty()) throw UsageError("name a clause, as in 'cancelsafe clause DRV-CXL-01'");
    return Explain(*words);
  };
}

const RegisterSubcommand registered(
    {"clause", SubcommandGroup::kUnderstand, "say what a clause of the catalogue means", "ID...",
     "Prints what a clause requires, where it is documented and how it is checked. ID is the id of "
     "a verdict (CSQ-INSERT-06, DRV-CXL-01), a pattern of ids ('DRV-*'), or the name of a rule for "
     "drivers (cancelled-not-ended).",
     "", &Declare});

}  // namespace
}  // namespace cancelsafe::conformance
