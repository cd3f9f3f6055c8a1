// See check_run.h.
#include "fuzzers/check/check_run.h"

#include <algorithm>
#include <climits>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/counted.h"
#include "base/files.h"
#include "base/process.h"
#include "base/signals.h"
#include "command/require_ok.h"
#include "command/status.h"
#include "command/tree.h"
#include "fuzzers/check/check_report.h"
#include "fuzzers/check/conformance_part.h"
#include "fuzzers/check/exchange.h"
#include "fuzzers/check/parts.h"
#include "fuzzers/check/variants.h"
#include "fuzzers/check/verify_part.h"
#include "impl/implementation.h"
#include "oracle/family.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

constexpr int kVerifySeconds = 10;  // for each family
// More show hardly anything new, and each part has up to eleven rounds.
constexpr int kProgramsOfARound = 1200;

std::vector<Variant> MakeVariants(const CheckRequest& options, const std::string& folder) {
  std::vector<std::string> sources, objects;
  std::error_code error;
  for (const std::string& path : options.files) {
    if (!fs::is_regular_file(path, error)) {
      throw UsageError(absl::StrCat("'", path, "' is not a file; name sources (.c, .cc) or one ",
                                    "shared object (.so) or PE image (.dll)"));
    }
    (IsSource(path) ? sources : objects).push_back(fs::absolute(path).string());
  }
  if (!sources.empty() && !objects.empty()) {
    throw UsageError("sources and shared objects do not go together; name one kind");
  }
  std::vector<Variant> variants;
  for (const std::string& object : objects) {
    const absl::StatusOr<std::vector<Variant>> of = VariantsOf(object);
    RequireOk(of.status());
    variants.insert(variants.end(), of->begin(), of->end());
  }
  for (size_t i = 0; i < variants.size(); ++i) {
    for (size_t j = i + 1; j < variants.size(); ++j) {
      if (variants[i].name != variants[j].name) continue;
      throw UsageError(absl::StrCat("'", variants[i].path, "' and '", variants[j].path,
                                    "' are both built like '", variants[i].name,
                                    "', and only one could be judged; check them one at a time"));
    }
  }
  if (sources.empty()) return variants;
  printf("Building 4 variants of %s: plain, traced, address, thread\n",
         Counted(static_cast<int64_t>(sources.size()), "source file").c_str());
  fflush(stdout);
  absl::StatusOr<std::vector<Variant>> built =
      BuildVariants(sources, options.flags, TreeRoot() + "/impl/include", folder);
  RequireOk(built.status());
  return *std::move(built);
}

std::string Routines(const Implementation& implementation, bool provided) {
  std::vector<std::string> names;
#define CANCELSAFE_NAME_ENTRY(type, name, parameters) \
  if ((implementation.name != nullptr) == provided) names.push_back(#name);
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_NAME_ENTRY)
#undef CANCELSAFE_NAME_ENTRY
  return absl::StrJoin(names, ", ");
}

// The families whose queues can be set up and emptied; first those that others are made of,
// since what is wrong with them is known then.
std::vector<Family> FamiliesOf(const Implementation& implementation) {
  std::vector<Family> families;
  for (const bool made_of_another : {false, true}) {
    for (int i = 0; i < kFamilyCount; ++i) {
      const Family family = FamilyNumber(i);
      if ((InfoOf(family).base != family) != made_of_another) continue;
      if (MissingFor(family, implementation).empty()) families.push_back(family);
    }
  }
  return families;
}

std::string FileWord(Family family) {
  std::string word = InfoOf(family).name;
  std::replace(word.begin(), word.end(), '-', '_');
  return word;
}

class CheckRun {
 public:
  explicit CheckRun(const CheckRequest& options) : options_(options) {}

  int Run() {
    const double begin = SecondsNow();
    // First: one that cannot be read must not cost the findings of the whole run.
    const std::vector<std::string> baseline = ReadBaseline(options_.baseline);
    folder_ = fs::absolute(options_.report.empty() ? TreePath("build/check") : options_.report)
                  .lexically_normal()
                  .string();
    RequireOk(MakeFolder(folder_ + "/parts"));
    RequireOk(MakeFolder(folder_ + "/programs"));
    variants_ = MakeVariants(options_, folder_ + "/variants");
    Implementation implementation;
    // Any variant will do for its names, one that is left out as well; only those of this host
    // can be loaded here.
    std::optional<Variant> named;
    if (const Variant* const plain = FindVariant("none"); plain != nullptr) named = *plain;
    LeaveOutVariants();
    std::vector<Family> families;
    if (named) {
      std::string error;
      if (!LoadImplementation(named->path, &implementation, &error)) throw SetupError(error);
      printf("Found %d of %d documented routines: %s\n", ProvidedEntryPoints(implementation),
             kEntryPointCount, Routines(implementation, true).c_str());
      if (ProvidedEntryPoints(implementation) < kEntryPointCount) {
        printf("Not provided: %s\n", Routines(implementation, false).c_str());
      }
      families = FamiliesOf(implementation);
    } else {
      for (int i = 0; i < kFamilyCount; ++i) families.push_back(FamilyNumber(i));
    }
    fflush(stdout);
    if (named) Exchange(implementation);
    BuildHosts();
    Hunt(&families);
    if (families.empty()) {
      throw SetupError(
          "no family's queues can be set up and emptied with the routines that are "
          "provided: nothing was checked");
    }
    if (!totals_.interrupted) Verify(families);
    std::vector<Cause> causes = GroupByCause(findings_, TracedLines());
    if (!totals_.interrupted) Conform(&causes);
    totals_.findings = findings_.size();
    totals_.seconds = SecondsNow() - begin;
    return ReportCheck(options_, folder_, variants_, std::move(causes), totals_, baseline);
  }

 private:
  void LeaveOutVariants() {
    const std::vector<std::string>& wanted = options_.sanitizers;
    if (wanted.empty()) return;
    variants_.erase(std::remove_if(variants_.begin(), variants_.end(),
                                   [&](const Variant& variant) {
                                     return std::find(wanted.begin(), wanted.end(),
                                                      variant.sanitizer) == wanted.end();
                                   }),
                    variants_.end());
    if (variants_.empty()) {
      throw UsageError("--sanitizer: what was given was not built for any of these");
    }
  }

  // For sources alone: objects are needed. It is a help, and not a judge.
  void Exchange(const Implementation& implementation) {
    if (!IsSource(options_.files.front())) return;
    const std::string folder = folder_ + "/variants";
    std::vector<std::string> routines;
#define CANCELSAFE_TAKE_ENTRY(type, name, parameters) \
  if (implementation.name != nullptr) routines.push_back(#name);
    CANCELSAFE_ENTRY_POINTS(CANCELSAFE_TAKE_ENTRY)
#undef CANCELSAFE_TAKE_ENTRY
    for (const Variant& variant : variants_) {
      const std::string built = BuiltAs(variant);
      if (exchanges_.count(built) != 0) continue;
      absl::StatusOr<ExchangePlan> plan =
          PrepareExchange(built, ObjectsOf(built, folder, options_.files.size()), routines,
                          TreeRoot() + "/impl/reference", TreeRoot() + "/impl/include",
                          absl::StrCat(folder, "/exchanged-", built));
      if (plan.ok()) exchanges_[built] = *std::move(plan);
    }
  }

  static std::string BuiltAs(const Variant& variant) {
    return variant.name == "model" ? "thread" : variant.name;
  }

  PlaceLines TracedLines() const {
    std::set<uint64_t> places;
    for (const CheckFinding& finding : findings_) {
      for (const auto& [what, count] : finding.spectrum.counts) places.insert(PlaceOf(what));
      for (const Difference& one : finding.differences) {
        places.insert(one.places.begin(), one.places.end());
        places.insert(one.next.begin(), one.next.end());
        places.insert({one.compared, one.entered, one.block});
      }
    }
    for (const Variant& variant : variants_) {
      if (variant.name == "traced") return FindPlaceLines(variant.path, places);
    }
    return {};
  }

  const Variant* FindVariant(const std::string& sanitizer) const {
    for (const Variant& variant : variants_) {
      if (variant.sanitizer == sanitizer) return &variant;
    }
    return nullptr;
  }

  static std::string HostOf(const std::string& sanitizer) {
    if (sanitizer == OwnSanitizer()) return OwnPath();
    return absl::StrCat(TreeRoot(), "/build/", PresetForTools(sanitizer), "/cancelsafe");
  }

  void BuildHosts() {
    std::vector<std::string> built;
    for (const Variant& variant : variants_) {
      if (std::find(built.begin(), built.end(), variant.sanitizer) != built.end()) continue;
      built.push_back(variant.sanitizer);
      if (variant.sanitizer == OwnSanitizer()) continue;
      BuildTargets(PresetForTools(variant.sanitizer), {"cancelsafe"});
    }
  }

  // Takes those families away of which it turns out that they are not provided.
  void Hunt(std::vector<Family>* families) {
    std::vector<Part> parts;
    const bool traced = std::any_of(variants_.begin(), variants_.end(), [](const Variant& variant) {
      return variant.name == "traced";
    });
    for (const Variant& variant : variants_) {
      // What is traced shows all that is plain.
      if (traced && variant.name == "plain") continue;
      for (const Family family : *families) {
        Part part;
        part.program = HostOf(variant.sanitizer);
        part.plan.variant = variant.name;
        part.plan.implementation = variant.path;
        part.plan.family = InfoOf(family).name;
        part.plan.seeds = absl::StrCat(TreeRoot(), "/corpus/", FileWord(family), "_fuzzer/seeds");
        part.plan.access_points = variant.access_points;
        part.plan.strict = options_.strict;
        part.plan.ignore = options_.ignore;
        const auto exchange = exchanges_.find(BuiltAs(variant));
        if (exchange != exchanges_.end()) part.plan.exchange = exchange->second;
        parts.push_back(std::move(part));
      }
    }
    const int jobs = options_.jobs;
    for (Part& part : parts) {
      part.plan.programs = options_.runs > 0 ? options_.runs : kProgramsOfARound;
      part.plan.goes_on = options_.runs == 0;
      part.plan.seconds = options_.runs > 0 ? 3600
                                            : static_cast<double>(options_.seconds) * jobs /
                                                  static_cast<double>(parts.size());
    }
    const StopSignals stop;
    const PartsEnd end =
        RunParts(parts, jobs, folder_ + "/parts", stop, [&](int number, const PartResult& result) {
          const HuntPlan& plan = parts[number].plan;
          if (!result.not_provided.empty()) {
            printf("%-8s %-20s not provided: there is no %s\n", plan.variant.c_str(),
                   plan.family.c_str(), result.not_provided.c_str());
            fflush(stdout);
            families->erase(
                std::remove(families->begin(), families->end(), *FindFamily(plan.family)),
                families->end());
            return;
          }
          printf("%-8s %-20s %9lld programs %10lld runs %3zu findings%s%s\n", plan.variant.c_str(),
                 plan.family.c_str(), static_cast<long long>(result.counts.programs),
                 static_cast<long long>(result.counts.runs), result.findings.size(),
                 result.complaint.empty() ? "" : "; ended early: ", result.complaint.c_str());
          fflush(stdout);
        });
    totals_.interrupted = end.stopped;
    totals_.not_begun = static_cast<int>(parts.size() - end.results.size());
    for (const PartResult& result : end.results) {
      findings_.insert(findings_.end(), result.findings.begin(), result.findings.end());
      totals_.counts.programs += result.counts.programs;
      totals_.counts.runs += result.counts.runs;
      totals_.counts.unknown += result.counts.unknown;
      totals_.counts.cut_rounds += result.counts.cut_rounds;
      totals_.counts.unconfirmed += result.counts.unconfirmed;
      totals_.ended_early += result.complaint.empty() ? 0 : 1;
    }
  }

  // What the hunts have found needs no search for the smallest world that shows it.
  void Verify(const std::vector<Family>& families) {
    const Variant* const model = FindVariant("model");
    if (model == nullptr) {
      totals_.left_out.push_back("the complete search (nothing was built for the memory engine)");
      return;
    }
    for (const Family family : families) {
      const std::string name = InfoOf(family).name;
      if (std::any_of(findings_.begin(), findings_.end(),
                      [&](const CheckFinding& finding) { return finding.family == name; })) {
        continue;
      }
      std::vector<std::string> flags;
      if (options_.strict) flags.push_back("--strict");
      for (const std::string& entry : options_.ignore)
        flags.insert(flags.end(), {"--ignore", entry});
      const VerifyOutcome outcome = RunVerify(HostOf("model"), model->path, name, kVerifySeconds,
                                              folder_ + "/programs", flags);
      totals_.ended_early += outcome.failed ? 1 : 0;
      printf("verify   %s\n", outcome.line.c_str());
      fflush(stdout);
      findings_.insert(findings_.end(), outcome.findings.begin(), outcome.findings.end());
    }
  }

  void Conform(std::vector<Cause>* causes) {
    const Variant* const plain = FindVariant("none");
    if (plain == nullptr) {
      totals_.left_out.push_back("the conformance suite (nothing was built without a sanitizer)");
      return;
    }
    absl::StatusOr<conformance::Report> report =
        RunConformance(HostOf("none"), plain->path, folder_ + "/conformance");
    if (!report.ok()) {
      printf("conform  %s\n", std::string(report.status().message()).c_str());
      ++totals_.ended_early;
      return;
    }
    totals_.cases = static_cast<int>(report->cases.size());
    const int ignored = LeaveOutIgnoredCases(options_.ignore, &*report);
    int failed = 0;
    for (const conformance::CaseReport& one : report->cases) {
      failed += conformance::IsFailure(one.verdict) ? 1 : 0;
    }
    printf("conform  %d cases, %d failed%s\n", totals_.cases, failed,
           ignored == 0 ? "" : absl::StrCat(", ", ignored, " more left out by --ignore").c_str());
    CasesBehind behind;
    const auto exchange = exchanges_.find("plain");
    if (exchange != exchanges_.end()) {
      behind = FindCasesBehind(*report, *causes, exchange->second, HostOf("none"),
                               folder_ + "/conformance/behind");
    }
    AddFailedCases(*report, behind, causes);
  }

  const CheckRequest& options_;
  std::string folder_;
  std::vector<Variant> variants_;
  std::map<std::string, ExchangePlan> exchanges_;  // by what was built
  std::vector<CheckFinding> findings_;
  CheckTotals totals_;
};

}  // namespace

int RunCheck(const CheckRequest& options) { return CheckRun(options).Run(); }

}  // namespace cancelsafe
