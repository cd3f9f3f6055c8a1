// See spectrum.h.
#include "fuzzers/check/spectrum.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

namespace cancelsafe {
namespace {

// Failures are few, and scores that are almost equal differ by chance.
constexpr double kAsGood = 0.95;

}  // namespace

double Spectrum::Score(uint64_t what) const {
  const auto at = counts.find(what);
  if (at == counts.end() || at->second.failing == 0) return 0;
  const Count& count = at->second;
  return count.failing / std::sqrt(static_cast<double>(failing) * (count.failing + count.passing));
}

double Spectrum::Best() const {
  double best = 0;
  for (const auto& [what, count] : counts) best = std::max(best, Score(what));
  return best;
}

std::vector<uint64_t> Spectrum::Ranked(double share) const {
  const double enough = share * Best();
  std::vector<std::tuple<bool, double, uint64_t>> ranked;
  for (const auto& [what, count] : counts) {
    const double score = Score(what);
    if (score > 0 && score >= enough) ranked.emplace_back(!count.in_call, -score, what);
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<uint64_t> result;
  for (const auto& one : ranked) result.push_back(std::get<2>(one));
  return result;
}

bool ShareSuspect(const Spectrum& a, const Spectrum& b) {
  if (a.empty() || b.empty()) return false;
  const std::vector<uint64_t> of_a = a.Ranked(kAsGood);
  const std::set<uint64_t> all(of_a.begin(), of_a.end());
  const std::vector<uint64_t> of_b = b.Ranked(kAsGood);
  return std::any_of(of_b.begin(), of_b.end(), [&](uint64_t what) { return all.count(what) != 0; });
}

double ShareOf(const Spectrum& root, const Spectrum& other) {
  const double best = other.Best();
  double shared = 0;
  for (const uint64_t what : root.Ranked(kAsGood)) shared = std::max(shared, other.Score(what));
  return best == 0 ? 0 : shared / best;
}

std::vector<uint64_t> RankedTogether(const std::vector<const Spectrum*>& spectra) {
  std::map<uint64_t, std::pair<double, int>> sums;  // of the scores, and of being in the call
  for (const Spectrum* spectrum : spectra) {
    const double best = spectrum->Best();
    if (best == 0) continue;
    for (const auto& [what, count] : spectrum->counts) {
      const double score = spectrum->Score(what);
      if (score == 0) continue;
      sums[what].first += score / best;
      sums[what].second += count.in_call ? 1 : 0;
    }
  }
  double best = 0;
  for (const auto& [what, sum] : sums) best = std::max(best, sum.first);
  std::vector<std::tuple<bool, int, double, uint64_t>> ranked;
  for (const auto& [what, sum] : sums) {
    const bool good = sum.first >= kAsGood * best;
    ranked.emplace_back(!good, good ? -sum.second : 0, -sum.first, what);
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<uint64_t> result;
  for (const auto& one : ranked) result.push_back(std::get<3>(one));
  return result;
}

}  // namespace cancelsafe
