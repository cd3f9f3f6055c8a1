// See suspects.h.
#include "fuzzers/check/suspects.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "fuzzers/check/hunt_programs.h"
#include "fuzzers/check/traced_code.h"

namespace cancelsafe {
namespace {

struct Counts {
  int failing = 0;
  int passing = 0;
};

constexpr double kAsGood = 0.95;

// What ran, in the last run, while the call that its verdict is about was open.
std::set<uintptr_t> BlocksOfCall(const Runner& runner) {
  std::set<uintptr_t> blocks;
  const History& history = runner.history();
  const Verdict& verdict = runner.output().verdict;
  int call = verdict.call;
  if (call < 0 && verdict.event >= 0) call = history.events[verdict.event].call;
  if (call < 0 || call >= history.call_count) return blocks;
  const uint32_t end = history.calls[call].returned ? history.calls[call].end : UINT32_MAX;
  for (const TracedCode::Step& step : TracedCode::Order()) {
    if (step.time >= history.calls[call].begin && step.time < end) blocks.insert(step.block);
  }
  return blocks;
}

}  // namespace

void FindSuspects(Runner* runner, const Program& program, uint64_t seed, int runs,
                  const std::function<bool()>& same, HuntBoard* board) {
  std::map<uintptr_t, Counts> blocks;
  int failing = 0;
  std::set<uintptr_t> in_call;
  Program neighbour = program;
  for (int i = 0; i < runs; ++i) {
    if (i > 0)
      MakeNeighbour(runner->family(), seed + static_cast<uint64_t>(i), program, &neighbour);
    TracedCode::Clear();
    if (i == 0) TracedCode::KeepOrder(&runner->history().sequence);
    const bool passed = runner->Run(neighbour);
    if (i == 0) {
      TracedCode::KeepOrder(nullptr);
      in_call = BlocksOfCall(*runner);
    }
    if (!passed && !same()) continue;
    failing += passed ? 0 : 1;
    for (const uintptr_t block : TracedCode::Blocks()) {
      Counts& counts = blocks[block];
      ++(passed ? counts.passing : counts.failing);
    }
  }
  std::vector<std::pair<double, uintptr_t>> ranked;
  for (const auto& [block, counts] : blocks) {
    if (counts.failing == 0) continue;
    const double score = counts.failing / std::sqrt(static_cast<double>(failing) *
                                                    (counts.failing + counts.passing));
    ranked.emplace_back(-score, block);
  }
  if (ranked.empty()) return;
  // Failures are few, and equal scores often chance.
  const double good = kAsGood * std::min_element(ranked.begin(), ranked.end())->first;
  const auto later = [&](const std::pair<double, uintptr_t>& one) {
    return one.first > good || in_call.count(one.second) == 0;
  };
  std::sort(ranked.begin(), ranked.end(),
            [&](const std::pair<double, uintptr_t>& a, const std::pair<double, uintptr_t>& b) {
              return std::make_pair(later(a), a) < std::make_pair(later(b), b);
            });
  for (size_t i = 0; i < ranked.size() && i < HuntBoard::kSuspects; ++i) {
    board->suspects[i] = ranked[i].second;
  }
}

std::vector<SourceLine> LinesOfRace(const std::string& reason) {
  // "... between atomic write of 8 bytes in F a.c:1 and read in G b.c:2"
  std::vector<SourceLine> lines;
  const size_t first = reason.find(" in ");
  if (first == std::string::npos) return lines;
  size_t middle = reason.find(" and ", first);
  if (middle == std::string::npos) middle = reason.size();
  const size_t second = reason.find(" in ", middle);
  lines.push_back(ParseSourceLine(reason.substr(first + 4, middle - first - 4)));
  if (second != std::string::npos) lines.push_back(ParseSourceLine(reason.substr(second + 4)));
  lines.erase(std::remove_if(lines.begin(), lines.end(),
                             [](const SourceLine& line) { return !line.known(); }),
              lines.end());
  return lines;
}

}  // namespace cancelsafe
