// See check.h.
#include "oracle/check.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "oracle/family.h"
#include "oracle/order_check.h"
#include "oracle/quick_look.h"
#include "oracle/rules.h"

namespace cancelsafe {
namespace {

constexpr int kOpBits = 5;
// A step of a model with many items costs this many times as much memory and time.
constexpr uint64_t kLargeBudgetPart = 16;
static_assert(kOpCount <= 1 << kOpBits);
constexpr uint32_t kPairs = kFamilyCount * kAbstractStates << kOpBits;

// "CSQ-NEXT-01": capitals and digits in groups.
bool LooksLikeClause(absl::string_view text) {
  bool grouped = false;
  for (char c : text) {
    grouped |= c == '-';
    if (c != '-' && !absl::ascii_isupper(c) && !absl::ascii_isdigit(c)) return false;
  }
  return grouped && absl::ascii_isupper(text.front());
}

// What the system and AddressSanitizer call the end of a process.
bool NamesFault(absl::string_view text) {
  if (absl::ConsumePrefix(&text, "signal-")) {
    return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
  }
  for (const absl::string_view word :
       {"heap-use-after-free", "heap-buffer-overflow", "stack-buffer-overflow",
        "stack-buffer-underflow", "stack-use-after-return", "stack-use-after-scope",
        "stack-overflow", "global-buffer-overflow", "use-after-poison", "double-free", "bad-free",
        "SEGV"}) {
    if (text == word) return true;
  }
  return false;
}

bool NamesRule(absl::string_view text) {
  VerdictKind kind = VerdictKind::kPass;
  bool known = LooksLikeClause(text) || NamesFault(text);
  known |=
      VerdictKindOf(text, &kind) && kind != VerdictKind::kPass && kind != VerdictKind::kUnknown;
  for (int i = 0; i < kRuleCount && !known; ++i) {
    known = text == RuleInfo(static_cast<Rule>(i)).name;
  }
  return known;
}

bool IsPartOfName(char c) { return absl::ascii_isalnum(c) || c == '_'; }

// "IoCsqInsertIrp", "peek_next", "put()" or "csq.cc:120". A word in small letters is more
// likely the misspelt name of a rule, so a function of such a name needs its parentheses.
bool NamesPlace(absl::string_view text) {
  if (text.empty()) return false;
  const size_t colon = text.rfind(':');
  if (colon != absl::string_view::npos && colon != 0 && colon + 1 < text.size() &&
      std::all_of(text.begin() + colon + 1, text.end(), absl::ascii_isdigit)) {
    return true;
  }
  const bool called = absl::ConsumeSuffix(&text, "()");
  bool capital = false;
  for (const char c : text) {
    if (!IsPartOfName(c) && c != ':' && c != '~') return false;
    capital |= absl::ascii_isupper(c) || c == '_';
  }
  return !text.empty() && (called || capital);
}

// Whether the reason of a verdict names the function or line, as a whole word; folders may
// be in front of a file.
bool HasPlace(absl::string_view reason, absl::string_view place) {
  absl::ConsumeSuffix(&place, "()");
  for (size_t at = reason.find(place); at != absl::string_view::npos;
       at = reason.find(place, at + 1)) {
    const size_t end = at + place.size();
    if ((at == 0 || !IsPartOfName(reason[at - 1])) &&
        (end == reason.size() || !IsPartOfName(reason[end]))) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool IgnoreSet::Add(absl::string_view entry) {
  const std::vector<absl::string_view> parts = absl::StrSplit(entry, '+');
  for (const absl::string_view part : parts) {
    if (!NamesRule(part) && !NamesPlace(part)) return false;
  }
  for (int i = 0; i < kFilteredRules && parts.size() == 1; ++i) {
    const Rule rule = static_cast<Rule>(i);
    const RuleRow& row = RuleInfo(rule);
    for (int f = 0; f < kFamilyCount; ++f) {
      const char* clause = RuleClause(rule, static_cast<Family>(f));
      const bool meant = entry == row.name || entry == VerdictKindName(row.kind) ||
                         (clause != nullptr && entry == clause);
      if (meant) masks_[f] |= uint64_t{1} << i;
    }
  }
  entries_.emplace_back(entry);
  return true;
}

std::string IgnoreSet::Describe() const { return absl::StrJoin(entries_, ", "); }

bool IgnoreSet::Covers(const Verdict& verdict) const {
  const auto meant = [&verdict](absl::string_view part) {
    return part == verdict.rule || part == verdict.clause ||
           part == VerdictKindName(verdict.kind) ||
           (NamesPlace(part) && HasPlace(verdict.reason, part));
  };
  return std::any_of(entries_.begin(), entries_.end(), [&meant](const std::string& entry) {
    const std::vector<absl::string_view> parts = absl::StrSplit(entry, '+');
    return std::all_of(parts.begin(), parts.end(), meant);
  });
}

// Of how many histories that the quick look passes the rules judge one all the same. In
// the thread flavour none: what is instrumented for races has other things to do.
#if defined(CANCELSAFE_SANITIZER_ADDRESS)
constexpr uint32_t kQuickLooksPerCheck = 1;
#elif defined(CANCELSAFE_SANITIZER_THREAD)
constexpr uint32_t kQuickLooksPerCheck = 0;
#else
constexpr uint32_t kQuickLooksPerCheck = 64;
#endif

struct Checker::Impl {
  uint32_t quick_looks = 0;
  Reading reading;
  uint32_t states_covered = 0;
  uint64_t ignored = 0;
  uint64_t pairs_met[kPairs / 64] = {};
  Trace traces[kMaxCalls];
  Coverage coverage;
  std::unique_ptr<OrderCheck> order[kFamilyCount];
  std::unique_ptr<OrderCheck> large_order[kFamilyCount];

  void Record(Family family, const CheckOptions& options);
};

void Checker::Impl::Record(Family family, const CheckOptions& options) {
  const uint32_t first = static_cast<uint32_t>(family) * kAbstractStates;
  for (int i = 0; i < coverage.count; ++i) {
    const uint32_t pair =
        (first + coverage.states[i]) << kOpBits | static_cast<uint32_t>(coverage.ops[i]);
    uint64_t& word = pairs_met[pair >> 6];
    const uint64_t bit = uint64_t{1} << (pair & 63);
    states_covered += (word & bit) == 0;
    word |= bit;
    if (options.state_counters == nullptr || options.state_counter_count == 0) continue;
    const uint64_t hash = MixHash(MixHash(1, pair), coverage.outcomes[i]) >> 32;
    options.state_counters[hash * options.state_counter_count >> 32] = 1;
  }
}

Checker::Checker(Reading reading) : impl_(new Impl) {
  impl_->reading = reading;
  for (int i = 0; i < kFamilyCount; ++i) {
    const FamilyInfo& info = InfoOf(FamilyNumber(i));
    impl_->order[i] = info.new_order_check();
    if (info.new_large_order_check != nullptr) {
      impl_->large_order[i] = info.new_large_order_check();
    }
  }
}

Checker::~Checker() = default;

bool Checker::Check(const History& history, const CheckOptions& options, Verdict* verdict) {
  if (!verdict->ok()) *verdict = Verdict();
  RuleFinding figure;
  if (!LooksClean(history, impl_->traces)) {
    if (!CheckRules(history, options, &figure, verdict)) return false;
    CollectTraces(history, impl_->traces);
  } else if (kQuickLooksPerCheck != 0 && ++impl_->quick_looks % kQuickLooksPerCheck == 0) {
    HoldAgainstRules(history);
  }
  const Family family = history.setup.family;
  const bool large = history.setup.many_items;
  OrderCheck* const order =
      (large ? impl_->large_order : impl_->order)[static_cast<int>(family)].get();
  order->Check(history, impl_->reading, impl_->traces,
               large ? options.budget / kLargeBudgetPart : options.budget, &impl_->coverage,
               verdict);
  if (verdict->ok()) impl_->Record(family, options);
  if (!verdict->ok() && options.ignore != nullptr && options.ignore->Covers(*verdict)) {
    ++impl_->ignored;
    *verdict = Verdict();
  }
  if (verdict->ok() && figure.event >= 0) ExplainFinding(history, figure, verdict);
  return verdict->ok();
}

void Checker::HoldAgainstRules(const History& history) const {
  Trace traces[kMaxCalls];
  CollectTraces(history, traces);
  bool agree = std::equal(traces, traces + history.call_count, impl_->traces);
  for (const bool portable : {false, true}) {
    RuleFilter filter;
    RuleFinding finding, figure;
    agree = agree && !FindBrokenRule(history, portable, &filter, &finding, &figure) &&
            !FindBrokenEnding(history, &filter, &finding) && figure.event < 0;
  }
  if (agree) return;
  std::fprintf(stderr,
               "cancelsafe: the quick look and the rules disagree about a history; this is "
               "a defect of Cancelsafe: please report it with this program\n");
  std::abort();
}

bool Checker::CheckRules(const History& history, const CheckOptions& options, RuleFinding* figure,
                         Verdict* verdict) {
  RuleFilter filter;
  const Family family = history.setup.family;
  if (options.ignore != nullptr) filter.ignored = options.ignore->RuleMask(family);
  RuleFinding finding;
  const bool broken =
      FindBrokenRule(history, impl_->reading == Reading::kPortable, &filter, &finding, figure) ||
      FindBrokenEnding(history, &filter, &finding);
  impl_->ignored += filter.hidden;
  if (broken) {
    ExplainFinding(history, finding, verdict);
    return false;
  }
  if (history.truncated) {
    *verdict = MakeVerdict(Rule::kTruncated, family);
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
uint64_t Checker::searches() const {
  uint64_t sum = 0;
  for (const std::unique_ptr<OrderCheck>& order : impl_->order) sum += order->searches();
  for (const std::unique_ptr<OrderCheck>& order : impl_->large_order) {
    if (order != nullptr) sum += order->searches();
  }
  return sum;
}

}  // namespace cancelsafe
