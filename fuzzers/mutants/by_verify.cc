// See by_verify.h.
#include "fuzzers/mutants/by_verify.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/process.h"
#include "command/status.h"
#include "fuzzers/worlds/scope.h"
#include "oracle/family.h"

namespace cancelsafe {
namespace {

// A guest that hangs is found by verify itself: this is for a search that never ends.
constexpr int kSecondsMax = 24 * 60 * 60;

// What follows `word` in the text, as a number; -1 if there is none.
long long NumberAfter(absl::string_view text, absl::string_view word) {
  const size_t at = text.find(word);
  if (at == absl::string_view::npos) return -1;
  const absl::string_view rest = text.substr(at + word.size());
  long long number = -1;
  const bool is_number =
      absl::SimpleAtoi(rest.substr(0, rest.find_first_not_of("0123456789")), &number);
  return is_number ? number : -1;
}

bool ReadVerdict(absl::string_view output, Verdict* verdict) {
  for (const absl::string_view line : absl::StrSplit(output, '\n')) {
    if (absl::StrContains(line, "VERDICT ") && ParseVerdictLine(std::string(line), verdict)) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool ScopeToTry::IsOf(Family family) const {
  return operations.empty() || ReadOperationWords(family, operations).ok();
}

std::string ScopeToTry::Name() const {
  const ScopeToTry usual;
  std::string name = absl::StrCat(fibers, "x", calls);
  if (memory != usual.memory) absl::StrAppend(&name, " ", memory);
  if (settings != usual.settings) absl::StrAppend(&name, " settings=", settings);
  if (items != usual.items) absl::StrAppend(&name, " items=", items);
  if (!operations.empty()) absl::StrAppend(&name, " operations=", operations);
  return name;
}

namespace {

// What follows the size of a scope. False if it says nothing.
bool ReadScopePart(absl::string_view part, ScopeToTry* scope) {
  if (part == "sc" || part == "tso" || part == "rc11") {
    scope->memory = std::string(part);
    return true;
  }
  if (absl::ConsumePrefix(&part, "operations=")) {
    scope->operations = std::string(part);
    bool any = false;
    for (int i = 0; i < kFamilyCount; ++i) any |= scope->IsOf(FamilyNumber(i));
    return any && !part.empty();
  }
  if (absl::ConsumePrefix(&part, "settings=")) {
    return absl::SimpleAtoi(part, &scope->settings) && scope->settings >= 0 &&
           scope->settings <= kMaxWorldSettings;
  }
  return absl::ConsumePrefix(&part, "items=") && absl::SimpleAtoi(part, &scope->items) &&
         scope->items >= 1 && scope->items <= kMaxWorldItems;
}

bool ReadScope(absl::string_view text, ScopeToTry* scope) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  const std::vector<absl::string_view> sizes = absl::StrSplit(parts[0], 'x');
  if (sizes.size() != 2 || !absl::SimpleAtoi(sizes[0], &scope->fibers) ||
      !absl::SimpleAtoi(sizes[1], &scope->calls) || scope->fibers < 1 || scope->fibers > 4 ||
      scope->calls < 1) {
    return false;
  }
  return std::all_of(parts.begin() + 1, parts.end(),
                     [scope](absl::string_view part) { return ReadScopePart(part, scope); });
}

}  // namespace

absl::StatusOr<std::vector<ScopeToTry>> ParseScopes(absl::string_view text) {
  std::vector<ScopeToTry> scopes;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    ScopeToTry scope;
    if (!ReadScope(part, &scope)) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", part,
                       "' is not a scope: write fibers x calls, and after colons what is not as "
                       "usual: a model of memory (sc), settings=0 to ",
                       kMaxWorldSettings, " (1), items=1 to ", kMaxWorldItems,
                       " (2), operations=insert+cancel (all), such as 2x1, 2x1:rc11 or "
                       "2x2:settings=0"));
    }
    scopes.push_back(scope);
  }
  return scopes;
}

VerifiedMutant VerifyMutant(const Mutant& mutant, const std::vector<ScopeToTry>& scopes, int jobs,
                            const std::string& program, const std::string& guest,
                            const std::string& work) {
  VerifiedMutant verified;
  verified.mutant = mutant;
  for (size_t i = 0; i < scopes.size() && verified.scope < 0; ++i) {
    const ScopeToTry& scope = scopes[i];
    if (!scope.IsOf(mutant.family)) continue;
    std::string output;
    std::vector<std::string> command = {program,
                                        "verify",
                                        std::string(FamilyFileName(mutant.family)),
                                        "--strict",
                                        absl::StrCat("--fibers=", scope.fibers),
                                        absl::StrCat("--calls=", scope.calls),
                                        absl::StrCat("--memory=", scope.memory),
                                        absl::StrCat("--items=", scope.items),
                                        absl::StrCat("--settings=", scope.settings),
                                        absl::StrCat("--jobs=", jobs),
                                        absl::StrCat("--implementation=", guest),
                                        absl::StrCat("--save=", work)};
    if (!scope.operations.empty()) {
      command.push_back(absl::StrCat("--operations=", scope.operations));
    }
    const absl::StatusOr<ChildEnd> end = RunProcess(
        command, kSecondsMax, [&](absl::string_view text) { absl::StrAppend(&output, text); });
    if (!end.ok()) {
      verified.complaint = std::string(end.status().message());
      return verified;
    }
    verified.seconds += end->seconds;
    if (end->status.clean()) {
      verified.bounded |= !absl::StrContains(output, ", complete, ");
      continue;
    }
    Verdict verdict;
    if (end->status.signaled || end->status.code != kExitViolation ||
        !ReadVerdict(output, &verdict)) {
      verified.complaint =
          absl::StrCat("verify ", scope.Name(), ": ", DescribeExit(end->status), ": ", output);
      return verified;
    }
    if (!mutant.expects(verdict.kind)) {
      verified.complaint =
          absl::StrCat("verify ", scope.Name(),
                       ": another kind of verdict than the patch names: ", VerdictLine(verdict));
      return verified;
    }
    verified.scope = static_cast<int>(i);
    verified.program = NumberAfter(output, "found in program ");
    verified.kind = verdict.kind;
    verified.rule = verdict.rule;
  }
  return verified;
}

std::string VerifiedLine(const VerifiedMutant& verified, const std::vector<ScopeToTry>& scopes,
                         size_t width) {
  const std::string id = absl::StrFormat("%-*s", static_cast<int>(width), verified.mutant.id);
  if (!verified.complaint.empty()) return absl::StrCat(id, "  ", verified.complaint, "\n");
  if (verified.scope < 0) {
    return absl::StrFormat("%s  survives%s  %.1f s\n", id, verified.bounded ? " (bounded)" : "",
                           verified.seconds);
  }
  return absl::StrFormat("%s  %-8s  program %-6d  %s  %.1f s\n", id,
                         scopes[static_cast<size_t>(verified.scope)].Name(), verified.program,
                         verified.rule, verified.seconds);
}

namespace {

int KilledBy(const std::vector<VerifiedMutant>& all, size_t scope) {
  return static_cast<int>(
      std::count_if(all.begin(), all.end(), [scope](const VerifiedMutant& verified) {
        return verified.scope == static_cast<int>(scope);
      }));
}

}  // namespace

std::string VerifiedPlot(const std::vector<VerifiedMutant>& all,
                         const std::vector<ScopeToTry>& scopes, const std::string& output) {
  std::string text = absl::StrCat("set terminal svg size 900,", 120 + 24 * scopes.size(),
                                  " dynamic font 'sans-serif,13' background '#ffffff'\n",
                                  "set output '", output, "'\n$scopes << END\n");
  int killed = 0;
  for (size_t i = 0; i < scopes.size(); ++i) {
    const int before = killed;
    killed += KilledBy(all, i);
    absl::StrAppendFormat(&text, "%d %d %d \"%s\"\n", i, before, killed, scopes[i].Name());
  }
  absl::StrAppend(&text, "END\nset title 'Mutants killed by each scope and those before it, of ",
                  all.size(), "' noenhanced\nset xrange [0:", all.size(), "]\nset yrange [",
                  scopes.size(), ":-1]\nset grid xtics\nunset key\n",
                  "set style fill solid\nset lmargin at screen 0.02\nset ytics scale 0 format ''\n",
                  "plot $scopes using 2:1:(0):3:($1-0.4):($1+0.4) with boxxyerror lc '#9ec5e8', ",
                  "$scopes using 2:1:2:3:($1-0.4):($1+0.4) with boxxyerror lc '#4f9bdc', ",
                  "$scopes using (1):1:4 with labels left noenhanced, ",
                  "$scopes using 3:1:3 with labels left offset 1,0\n");
  return text;
}

std::string VerifiedSummary(const std::vector<VerifiedMutant>& all,
                            const std::vector<ScopeToTry>& scopes) {
  std::vector<std::string> parts;
  int killed = 0;
  for (size_t i = 0; i < scopes.size(); ++i) {
    const int count = KilledBy(all, i);
    killed += count;
    parts.push_back(absl::StrCat(count, " by ", scopes[i].Name()));
  }
  return absl::StrCat(killed, " of ", all.size(), " mutants killed: ", absl::StrJoin(parts, ", "));
}

std::string VerifiedMarkdown(const std::vector<VerifiedMutant>& all,
                             const std::vector<ScopeToTry>& scopes, const std::string& command) {
  std::string text =
      absl::StrCat("Made by `", command, "`: ", VerifiedSummary(all, scopes), ".\n\n",
                   "| mutant | smallest scope | program | rule |\n|---|---|---|---|\n");
  for (const VerifiedMutant& verified : all) {
    const bool killed = verified.scope >= 0;
    absl::StrAppend(&text, "| ", verified.mutant.id, " | ",
                    killed ? scopes[static_cast<size_t>(verified.scope)].Name() : "none of these",
                    " | ", killed ? absl::StrCat(verified.program) : "", " | ", verified.rule,
                    " |\n");
  }
  return text;
}

}  // namespace cancelsafe
