// See report.h.
#include "fuzzers/memory/litmus/report.h"

#include <cinttypes>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "fuzzers/memory/litmus/compare.h"
#include "fuzzers/memory/litmus/run.h"

namespace cancelsafe::litmus {
namespace {

using memory::Model;

// Whether an outcome is the one that the test is about.
bool Contains(const Outcome& outcome, const Outcome& part) {
  for (const auto& [name, value] : part) {
    const auto found = outcome.find(name);
    if (found == outcome.end() || found->second != value) return false;
  }
  return !part.empty();
}

}  // namespace

bool ReportAll(const std::vector<Case>& tests, const std::vector<Model>& models, FILE* out) {
  struct Row {
    int as_expected = 0;
    int64_t runs = 0;
    int64_t executions = 0;
    std::string as_machine;
  };
  std::vector<Row> rows(models.size());
  bool all = true, bounded = false;
  for (const Case& test : tests) {
    for (size_t m = 0; m < models.size(); ++m) {
      const Result result = RunAll(test, models[m]);
      bounded |= result.bounded;
      const Comparison comparison = Compare(test, models[m], result);
      Row& row = rows[m];
      row.as_expected += comparison.as_expected;
      row.runs += result.runs;
      row.executions += result.executions;
      if (comparison.as_machine) absl::StrAppend(&row.as_machine, " ", test.name);
      if (comparison.as_expected) continue;
      all = false;
      fprintf(out, "%s under %s\n%s", test.name.c_str(), ModelName(models[m]),
              Describe(comparison, result).c_str());
    }
  }
  fprintf(out, "model   tests  as expected        runs  executions\n");
  for (size_t m = 0; m < models.size(); ++m) {
    fprintf(out, "%-5s  %6zu  %11d  %10" PRId64 "  %10" PRId64 "\n", ModelName(models[m]),
            tests.size(), rows[m].as_expected, rows[m].runs, rows[m].executions);
  }
  for (const Row& row : rows) {
    if (!row.as_machine.empty()) {
      fprintf(out, "As rc11_machine, which differs from rc11:%s\n", row.as_machine.c_str());
    }
  }
  fprintf(out, bounded ? "not complete: a bound was met (above)\n"
                       : "complete: every schedule and every choice of each test, no bound\n");
  return all;
}

bool ReportOne(const Case& test, const std::vector<Model>& models, FILE* out) {
  fprintf(out, "%s%s%s\n%s\n", test.name.c_str(), test.note.empty() ? "" : ": ", test.note.c_str(),
          ToString(test).c_str());
  std::map<Outcome, std::set<size_t>> allowed_by;
  std::vector<Result> results;
  for (size_t m = 0; m < models.size(); ++m) {
    results.push_back(RunAll(test, models[m]));
    for (const Outcome& outcome : results[m].outcomes) allowed_by[outcome].insert(m);
  }
  for (const Model model : models) fprintf(out, "  %-5s", ModelName(model));
  fprintf(out, "  outcome\n");
  for (const auto& [outcome, by] : allowed_by) {
    for (size_t m = 0; m < models.size(); ++m)
      fprintf(out, "  %-5s", by.count(m) != 0 ? "yes" : "-");
    fprintf(out, "  %s%s\n", ToString(outcome).c_str(),
            Contains(outcome, test.weak) ? "   <- the question" : "");
  }
  for (const Result& result : results) fprintf(out, "  %-5s", result.races ? "yes" : "-");
  fprintf(out, "  data race\n\n");
  bool all = true;
  for (size_t m = 0; m < models.size(); ++m) {
    const Comparison comparison = Compare(test, models[m], results[m]);
    all &= comparison.as_expected;
    fprintf(out, "%s: %s, %" PRId64 " executions in %" PRId64 " runs\n%s", ModelName(models[m]),
            comparison.as_machine    ? "as rc11_machine"
            : comparison.as_expected ? "as expected"
                                     : "not as expected",
            results[m].executions, results[m].runs, Describe(comparison, results[m]).c_str());
  }
  return all;
}

}  // namespace cancelsafe::litmus
