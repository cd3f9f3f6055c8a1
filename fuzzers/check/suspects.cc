// See suspects.h.
#include "fuzzers/check/suspects.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "fuzzers/check/hunt_programs.h"
#include "fuzzers/check/traced_code.h"

namespace cancelsafe {
namespace {

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
                  const std::function<bool(const Program&)>& same, HuntBoard* board) {
  std::map<uintptr_t, HuntBoard::Traced*> blocks;
  for (int i = 0; i < board->traced_count; ++i) {
    blocks[board->traced[i].block] = &board->traced[i];
  }
  const auto counts_of = [&](uintptr_t block) -> HuntBoard::Traced* {
    HuntBoard::Traced*& counts = blocks[block];
    if (counts == nullptr && board->traced_count < HuntBoard::kTracedMax) {
      counts = &board->traced[board->traced_count++];
      *counts = {block, 0, 0, false};
    }
    return counts;
  };
  Program neighbour = program;
  while (board->neighbours < runs) {
    const int i = board->neighbours++;
    if (i > 0) {
      MakeNeighbour(runner->family(), seed + static_cast<uint64_t>(i), program, &neighbour);
    }
    TracedCode::Clear();
    if (i == 0) TracedCode::KeepOrder(&runner->history().sequence);
    const bool passed = runner->Run(neighbour);
    if (i == 0) {
      TracedCode::KeepOrder(nullptr);
      for (const uintptr_t block : BlocksOfCall(*runner)) {
        HuntBoard::Traced* const counts = counts_of(block);
        if (counts != nullptr) counts->in_call = true;
      }
    }
    if (!passed && !same(neighbour)) continue;
    ++(passed ? board->passing : board->failing);
    for (const uintptr_t block : TracedCode::Blocks()) {
      HuntBoard::Traced* const counts = counts_of(block);
      if (counts != nullptr) ++(passed ? counts->passing : counts->failing);
    }
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
