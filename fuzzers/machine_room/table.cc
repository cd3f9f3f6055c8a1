// machine_room_table: the table of weakened memory orders, as Markdown. For each order of
// the machine room and the queues that can be weaker: which scenario notices that, under
// which model, and after how many random schedules; or the litmus test by which nothing
// can. With --check the table in README.md has to be the same, but for numbers.
#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "fuzzers/machine_room/room.h"
#include "fuzzers/memory/litmus/compare.h"

namespace cancelsafe::machine_room {
namespace {

constexpr uint32_t kSeed = 1;
// For each scenario and model.
constexpr int64_t kRuns = 2500;
constexpr char kHead[] = "| weakened | sc | tso | rc11 |";

[[noreturn]] void Fail(const std::string& message) {
  fprintf(stderr, "machine_room_table: %s\n", message.c_str());
  exit(3);
}

std::string Contents(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) Fail(std::string(text.status().message()));
  return *text;
}

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

// A weakened order, as its shared object is named: irp-37-1-add_fetch-ACQ_REL-to-ACQUIRE.
struct Variant {
  std::string id;
  std::vector<std::string> part;

  explicit Variant(const std::string& name)
      : id(name), part(absl::StrSplit(name, absl::MaxSplits('-', 3))) {
    if (part.size() != 4) Fail(absl::StrCat("'", name, "' is not the name of a variant"));
  }
  // Without what changes with every line that is added above.
  std::string key() const { return absl::StrCat(part[0], "-", part[2], "-", part[3]); }
  std::string title() const {
    // "spin.h_in_fast_mutex": of a header, as that source has it.
    const std::string file =
        absl::StrReplaceAll(part[0], {{".h_in_", absl::StrCat(".h:", part[1], " in ")}});
    return absl::StrCat(file, file == part[0] ? absl::StrCat(".cc:", part[1]) : ".cc", " ",
                        absl::StrReplaceAll(part[3], {{"-", " "}}));
  }
};

// Why no run shows that an order is weaker.
struct Reason {
  std::string test;
  std::string text;
};

// equivalent.txt: "key test reason" on each line; '#' begins a comment.
std::map<std::string, Reason> ReadReasons() {
  std::map<std::string, Reason> reasons;
  for (const std::string& line : Lines(Contents(CANCELSAFE_MACHINE_ROOM "/equivalent.txt"))) {
    if (line[0] == '#') continue;
    const std::vector<std::string> words = absl::StrSplit(line, absl::MaxSplits(' ', 2));
    if (words.size() != 3) Fail("equivalent.txt: expected 'key test reason': " + line);
    reasons[words[0]] = {words[1], words[2]};
  }
  return reasons;
}

// All tests that an order can be excused by.
std::map<std::string, litmus::Case> ReadTests() {
  std::map<std::string, litmus::Case> tests;
  for (const char* file : {"litmus.json", "weakened.json"}) {
    const auto parsed = litmus::ParseTests(Contents(absl::StrCat(CANCELSAFE_LITMUS, "/", file)));
    if (!parsed.ok()) Fail(absl::StrCat(file, ": ", parsed.status().message()));
    for (const litmus::Case& test : *parsed) tests[test.name] = test;
  }
  return tests;
}

// What every schedule and every choice of the test says under rc11.
std::string Excuse(const Reason& reason, const std::map<std::string, litmus::Case>& tests) {
  const auto found = tests.find(reason.test);
  if (found == tests.end()) Fail(absl::StrCat("there is no litmus test '", reason.test, "'"));
  const litmus::Case& test = found->second;
  const litmus::Result result = litmus::RunAll(test, memory::Model::kRc11);
  const litmus::Comparison comparison = litmus::Compare(test, memory::Model::kRc11, result);
  if (!comparison.as_expected || result.races) {
    Fail(absl::StrCat("litmus test '", reason.test, "' does not excuse anything"));
  }
  return absl::StrCat(comparison.as_machine ? "shown by no processor" : "equivalent", ": ",
                      reason.test, ", ", reason.text);
}

// "data-race in cancel-irp, 812 runs" of the first scenario that finds something, or "-".
std::string FirstFinding(const ScenarioList& list, memory::Model model, int64_t runs) {
  for (const Scenario& scenario : AllScenarios(list)) {
    const SearchResult result = Search(list, scenario, model, kSeed, runs);
    if (result.finding.kind.empty()) continue;
    return absl::StrCat(result.finding.kind, " in ", scenario.name, ", ", result.runs,
                        result.runs == 1 ? " run" : " runs");
  }
  return "-";
}

// What each model finds, in the order of memory::kModels.
std::vector<std::string> Findings(const ScenarioList& list, int64_t runs) {
  std::vector<std::string> findings;
  for (const memory::Model model : memory::kModels) {
    findings.push_back(FirstFinding(list, model, runs));
  }
  return findings;
}

bool FoundNothing(const std::vector<std::string>& findings) {
  return std::all_of(findings.begin(), findings.end(),
                     [](const std::string& finding) { return finding == "-"; });
}

std::string Row(const std::string& title, const std::vector<std::string>& cells) {
  return absl::StrCat("| ", title, " | ", absl::StrJoin(cells, " | "), " |");
}

// The rows, "nothing" first; *unexplained lists what is neither noticed nor excused.
std::vector<std::string> MakeTable(int64_t runs, std::vector<std::string>* unexplained) {
  const std::map<std::string, litmus::Case> tests = ReadTests();
  std::map<std::string, Reason> reasons = ReadReasons();
  const std::vector<std::string> as_it_is = Findings(BuiltIn(), runs);
  std::vector<std::string> rows = {Row("nothing", as_it_is)};
  if (!FoundNothing(as_it_is)) unexplained->push_back("the machine room as it is has a finding");
  for (const std::string& id : Lines(Contents(CANCELSAFE_WEAKENED ".txt"))) {
    const Variant variant(id);
    std::string error;
    const LoadedRoom room(absl::StrCat(CANCELSAFE_WEAKENED, "/", id, ".so"), &error);
    if (room.list() == nullptr) Fail(error);
    std::vector<std::string> findings = Findings(*room.list(), runs);
    const auto reason = reasons.find(variant.key());
    if (FoundNothing(findings) && reason == reasons.end()) {
      unexplained->push_back(variant.key() +
                             " is not noticed, and equivalent.txt does not say why");
    } else if (!FoundNothing(findings) && reason != reasons.end()) {
      unexplained->push_back(variant.key() + " is noticed, against what equivalent.txt says");
    } else if (reason != reasons.end()) {
      findings.back() = Excuse(reason->second, tests);
    }
    reasons.erase(variant.key());
    rows.push_back(Row(variant.title(), findings));
  }
  for (const auto& [key, reason] : reasons) {
    unexplained->push_back(key + " is in equivalent.txt, and is not an order that can be weaker");
  }
  return rows;
}

// Of README.md.
std::vector<std::string> DocumentedTable() {
  std::vector<std::string> rows;
  bool inside = false;
  for (const std::string& line : Lines(Contents(CANCELSAFE_MACHINE_ROOM "/README.md"))) {
    if (inside && line[0] == '|') rows.push_back(line);
    inside = line == kHead || (inside && line[0] == '|');
  }
  if (!rows.empty()) rows.erase(rows.begin());  // the rule below the head
  return rows;
}

std::string WithoutNumbers(std::string text) {
  text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }),
             text.end());
  return absl::StrReplaceAll(text, {{" runs", " run"}});
}

int Main(int argc, char** argv) {
  const bool check = argc == 2 && std::string(argv[1]) == "--check";
  if (argc > 2 || (argc == 2 && !check)) {
    fprintf(stderr, "usage: machine_room_table [--check]\n");
    return 2;
  }
  std::vector<std::string> complaints;
  const std::vector<std::string> rows = MakeTable(kRuns, &complaints);
  printf("%s\n|---|---|---|---|\n%s\n", kHead, absl::StrJoin(rows, "\n").c_str());
  if (check) {
    const std::vector<std::string> documented = DocumentedTable();
    if (documented.size() != rows.size()) complaints.push_back("README.md has other rows");
    for (size_t i = 0; i < std::min(rows.size(), documented.size()); ++i) {
      if (WithoutNumbers(rows[i]) == WithoutNumbers(documented[i])) continue;
      complaints.push_back(
          absl::StrCat("README.md says ", documented[i], "\n  instead of ", rows[i]));
    }
  }
  for (const std::string& complaint : complaints) {
    fprintf(stderr, "machine_room_table: %s\n", complaint.c_str());
  }
  return complaints.empty() ? 0 : 1;
}

}  // namespace
}  // namespace cancelsafe::machine_room

int main(int argc, char** argv) { return cancelsafe::machine_room::Main(argc, argv); }
