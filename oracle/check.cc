// See check.h.
#include "oracle/check.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "oracle/callback_data_queue_model.h"
#include "oracle/counterexample.h"
#include "oracle/csq_model.h"
#include "oracle/device_queue_model.h"
#include "oracle/linearizability.h"
#include "oracle/quick_look.h"
#include "oracle/rules.h"
#include "oracle/start_io_model.h"

namespace cancelsafe {
namespace {

constexpr int kOpBits = 5;
static_assert(kOpCount <= 1 << kOpBits);
constexpr uint32_t kPairs = kFamilyCount * kAbstractStates << kOpBits;

// "CSQ-NEXT-01": capitals and digits in groups.
bool LooksLikeClause(std::string_view text) {
  bool grouped = false;
  for (char c : text) {
    grouped |= c == '-';
    if (c != '-' && !absl::ascii_isupper(c) && !absl::ascii_isdigit(c)) return false;
  }
  return grouped && absl::ascii_isupper(text.front());
}

// What was met along one history; entered into the records once it is accepted.
struct Coverage {
  int count = 0;
  uint32_t pairs[kMaxCalls];
  uint32_t outcomes[kMaxCalls];
};

}  // namespace

bool IgnoreSet::Add(std::string_view entry) {
  bool known = LooksLikeClause(entry) || entry == kLinearizabilityRule;
  for (int kind = 1; kind < static_cast<int>(VerdictKind::kUnknown); ++kind) {
    known |= entry == VerdictKindName(static_cast<VerdictKind>(kind));
  }
  for (int i = 0; i < kRuleCount; ++i) {
    const Rule rule = static_cast<Rule>(i);
    const RuleRow& row = RuleInfo(rule);
    for (int f = 0; f < kFamilyCount; ++f) {
      const char* clause = RuleClause(rule, static_cast<Family>(f));
      const bool meant = entry == row.name || entry == VerdictKindName(row.kind) ||
                         (clause != nullptr && entry == clause);
      if (!meant) continue;
      known = true;
      masks_[f] |= uint64_t{1} << i;
    }
  }
  if (known) entries_.emplace_back(entry);
  return known;
}

std::string IgnoreSet::Describe() const { return absl::StrJoin(entries_, ", "); }

bool IgnoreSet::Covers(const Verdict& verdict) const {
  for (const std::string& entry : entries_) {
    if (entry == verdict.rule || entry == verdict.clause ||
        entry == VerdictKindName(verdict.kind)) {
      return true;
    }
  }
  return false;
}

struct Checker::Impl {
  Reading reading;
  uint32_t states_covered = 0;
  uint64_t ignored = 0;
  uint64_t searches = 0;
  uint64_t pairs_met[kPairs / 64] = {};
  Trace traces[kMaxCalls];
  Coverage coverage;
  LinearizabilitySearch<CsqModel> csq;
  LinearizabilitySearch<CallbackDataQueueModel> callback_data_queue;
  LinearizabilitySearch<DeviceQueueModel> device_queue;
  LinearizabilitySearch<StartIoModel> start_io;

  template <class Model>
  void CheckOrder(const History& history, const CheckOptions& options,
                  LinearizabilitySearch<Model>* search, Verdict* verdict);
  template <class Model>
  bool Search(const History& history, const CheckOptions& options,
              LinearizabilitySearch<Model>* search, Verdict* verdict);
  template <class Model>
  void Note(const Setup& setup, const typename Model::State& state, const Operation& operation,
            Outcome outcome);
  void Record(const CheckOptions& options);
};

template <class Model>
void Checker::Impl::Note(const Setup& setup, const typename Model::State& state,
                         const Operation& operation, Outcome outcome) {
  const uint32_t abstract = Model::Abstract(setup, state);
  const uint32_t family = static_cast<uint32_t>(setup.family);
  const uint32_t pair =
      (family * kAbstractStates + abstract) << kOpBits | static_cast<uint32_t>(operation.op);
  coverage.pairs[coverage.count] = pair;
  // Which item it was does not matter, that it was one does.
  const bool small = outcome.value >= 0 && outcome.value < kMaxItems;
  coverage.outcomes[coverage.count++] =
      small ? static_cast<uint32_t>(outcome.value != 0) : static_cast<uint32_t>(outcome.value);
}

void Checker::Impl::Record(const CheckOptions& options) {
  for (int i = 0; i < coverage.count; ++i) {
    const uint32_t pair = coverage.pairs[i];
    uint64_t& word = pairs_met[pair >> 6];
    const uint64_t bit = uint64_t{1} << (pair & 63);
    states_covered += (word & bit) == 0;
    word |= bit;
    if (options.state_counters == nullptr || options.state_counter_count == 0) continue;
    const uint64_t hash = MixHash(MixHash(1, pair), coverage.outcomes[i]) >> 32;
    options.state_counters[hash * options.state_counter_count >> 32] = 1;
  }
}

// The full search, and what to say if it finds nothing. True if it found an order.
template <class Model>
bool Checker::Impl::Search(const History& history, const CheckOptions& options,
                           LinearizabilitySearch<Model>* search, Verdict* verdict) {
  ++searches;
  SearchResult result = search->Search(true, options.budget);
  if (result == SearchResult::kFound) {
    typename Model::State state = Model::Initial(history.setup);
    Alternative<typename Model::State> alternatives[kMaxAlternatives];
    for (int i = 0; i < search->longest().length; ++i) {
      const Placement& placement = search->longest().placements[i];
      const Call& call = history.calls[placement.call];
      Note<Model>(history.setup, state, call.operation, call.outcome);
      search->Step(state, placement.call, alternatives);
      state = alternatives[placement.alternative].next;
    }
    return true;
  }
  if (result == SearchResult::kOutOfBudget) {
    verdict->kind = VerdictKind::kUnknown;
    verdict->rule = kLinearizabilityRule;
    verdict->reason = absl::StrCat("no order found within ", options.budget, " steps of the model");
    return false;
  }
  ExplainNoLinearization<Model>(*search, history, true, verdict);
  result = search->Search(false, options.budget);
  if (result == SearchResult::kNone) {
    ExplainNoLinearization<Model>(*search, history, false, verdict);
  } else if (result == SearchResult::kOutOfBudget) {
    verdict->evidence.push_back(
        absl::StrCat("whether the results alone can be explained was not "
                     "settled within ",
                     options.budget, " steps of the model"));
  }
  return false;
}

template <class Model>
void Checker::Impl::CheckOrder(const History& history, const CheckOptions& options,
                               LinearizabilitySearch<Model>* search, Verdict* verdict) {
  search->Start(history, reading, traces);
  coverage.count = 0;
  const bool settled = search->TryOrderOfEffect(
      [&](const typename Model::State& state, const Operation& operation, Outcome outcome) {
        Note<Model>(history.setup, state, operation, outcome);
      });
  if (!settled) {
    coverage.count = 0;
    if (!Search(history, options, search, verdict)) return;
  }
  Record(options);
}

Checker::Checker(Reading reading) : impl_(new Impl) { impl_->reading = reading; }

Checker::~Checker() = default;

bool Checker::Check(const History& history, const CheckOptions& options, Verdict* verdict) {
  if (!verdict->ok()) *verdict = Verdict();
  if (!LooksClean(history, impl_->traces)) {
    if (!CheckRules(history, options, verdict)) return false;
    CollectTraces(history, impl_->traces);
  }
  switch (history.setup.family) {
    case Family::kCsq:
      impl_->CheckOrder(history, options, &impl_->csq, verdict);
      break;
    case Family::kDeviceQueue:
      impl_->CheckOrder(history, options, &impl_->device_queue, verdict);
      break;
    case Family::kStartIo:
      impl_->CheckOrder(history, options, &impl_->start_io, verdict);
      break;
    case Family::kCallbackDataQueue:
      impl_->CheckOrder(history, options, &impl_->callback_data_queue, verdict);
      break;
  }
  if (verdict->ok() || options.ignore == nullptr || !options.ignore->Covers(*verdict)) {
    return verdict->ok();
  }
  ++impl_->ignored;
  *verdict = Verdict();
  return true;
}

bool Checker::CheckRules(const History& history, const CheckOptions& options, Verdict* verdict) {
  RuleFilter filter;
  const Family family = history.setup.family;
  if (options.ignore != nullptr) filter.ignored = options.ignore->RuleMask(family);
  Finding finding;
  const bool broken =
      FindBrokenRule(history, impl_->reading == Reading::kPortable, &filter, &finding) ||
      FindBrokenEnding(history, &filter, &finding);
  impl_->ignored += filter.hidden;
  if (broken) {
    ExplainFinding(history, finding, verdict);
    return false;
  }
  if (history.truncated) {
    verdict->kind = VerdictKind::kUnknown;
    verdict->rule = "truncated-history";
    verdict->reason = "the history is longer than can be recorded";
    return false;
  }
  return true;
}

uint32_t Checker::states_covered() const { return impl_->states_covered; }

std::vector<Situation> Checker::situations(Family family) const {
  constexpr uint32_t kPerFamily = kAbstractStates << kOpBits;
  const uint32_t first = static_cast<uint32_t>(family) * kPerFamily;
  std::vector<Situation> met;
  for (uint32_t i = 0; i < kPerFamily; ++i) {
    const uint32_t pair = first + i;
    if ((impl_->pairs_met[pair >> 6] >> (pair & 63) & 1) == 0) continue;
    met.push_back({i >> kOpBits, static_cast<Op>(i & ((1 << kOpBits) - 1))});
  }
  return met;
}

uint64_t Checker::ignored() const { return impl_->ignored; }
uint64_t Checker::searches() const { return impl_->searches; }

}  // namespace cancelsafe
