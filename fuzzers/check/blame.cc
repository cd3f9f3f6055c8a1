// See blame.h.
#include "fuzzers/check/blame.h"

#include <algorithm>

namespace cancelsafe {
namespace {

const SourceLine* LineAt(const PlaceLines& places, uint64_t place) {
  const auto at = places.find(place);
  return place == 0 || at == places.end() ? nullptr : &at->second;
}

bool SameLine(const SourceLine& a, const SourceLine& b) {
  return a.file == b.file && a.line == b.line;
}

void Add(const PlaceLines& places, uint64_t place, std::vector<SourceLine>* lines) {
  const SourceLine* const line = LineAt(places, place);
  if (line == nullptr) return;
  const bool there = std::any_of(lines->begin(), lines->end(),
                                 [&](const SourceLine& other) { return SameLine(*line, other); });
  if (!there) lines->push_back(*line);
}

// The block that the place is in, as the spectrum names it; 0 if none before it ran.
uint64_t BlockOf(const Spectrum& spectrum, uint64_t place) {
  uint64_t block = 0;
  for (const auto& [what, count] : spectrum.counts) {
    // Blocks alone are told by what % 4 == 0.
    if (what % 4 == 0 && PlaceOf(what) <= place) block = what;
  }
  return block;
}

// How well what the comparison came out as explains the failure.
double ScoreOfComparison(const Spectrum& spectrum, uint64_t place) {
  double best = 0;
  for (uint64_t outcome = 1; outcome <= 3; ++outcome) {
    best = std::max(best, spectrum.Score(place * 4 + outcome));
  }
  return best;
}

bool IsAt(const Difference& difference, const SourceLine& line, const PlaceLines& places) {
  return difference.kind != Difference::kMissing &&
         std::any_of(difference.places.begin(), difference.places.end(), [&](uint64_t place) {
           const SourceLine* const at = LineAt(places, place);
           return at != nullptr && SameLine(*at, line);
         });
}

const Difference& Choose(const CheckFinding& finding, const std::vector<SourceLine>& seen,
                         const std::set<uint64_t>& elsewhere, const PlaceLines& places) {
  const std::vector<Difference>& all = finding.differences;
  for (const Difference& one : all) {
    if (!seen.empty() && IsAt(one, seen.front(), places)) return one;
  }
  for (const Difference& one : all) {
    if (elsewhere.count(BeginOf(one)) == 0) return one;
  }
  return all.front();
}

bool InOneFunction(const SourceLine* a, const SourceLine* b) {
  return a != nullptr && b != nullptr && a->function == b->function;
}

// The frame of `places` in the function that one of the other frames is in too: of two places,
// that where both come from one call.
uint64_t FrameBeside(const std::vector<uint64_t>& frames, const std::vector<uint64_t>& others,
                     const PlaceLines& places) {
  for (const uint64_t frame : frames) {
    for (const uint64_t other : others) {
      if (InOneFunction(LineAt(places, frame), LineAt(places, other))) return frame;
    }
  }
  return frames.empty() ? 0 : frames.front();
}

// The line between two lines of one function that have only that one between.
void AddBetween(const SourceLine* before, const SourceLine* after, std::vector<SourceLine>* lines) {
  if (!InOneFunction(before, after) || after->line != before->line + 2) return;
  SourceLine between = *before;
  ++between.line;
  lines->push_back(between);
}

// Whether what a comparison came out as explains the failure clearly better than the block.
bool Decides(const Spectrum& spectrum, uint64_t compared, uint64_t block) {
  constexpr double kClearly = 1.1;
  return compared != 0 && ScoreOfComparison(spectrum, compared) > kClearly * spectrum.Score(block);
}

// Something is missing between two places, or in what is called between them.
void AddMissing(const Difference& difference, const Spectrum& spectrum, const PlaceLines& places,
                std::vector<SourceLine>* lines) {
  const uint64_t innermost = BeginOf(difference);
  const uint64_t before = FrameBeside(difference.places, difference.next, places);
  const uint64_t after = FrameBeside(difference.next, difference.places, places);
  if (Decides(spectrum, difference.compared, difference.block * 4)) {
    Add(places, difference.compared, lines);
  }
  // Code that was called between, and has returned.
  const SourceLine* const called = LineAt(places, difference.block);
  const uint64_t next = difference.next.empty() ? 0 : difference.next.front();
  if (called != nullptr && LineAt(places, next) != nullptr &&
      !InOneFunction(called, LineAt(places, next))) {
    const bool there = InOneFunction(called, LineAt(places, innermost));
    Add(places, there ? innermost : difference.block, lines);
  }
  AddBetween(LineAt(places, before), LineAt(places, after), lines);
  // What was decided between ends a branch; it is missing behind that.
  if (difference.compared != 0) Add(places, after, lines);
  Add(places, before, lines);
  Add(places, after, lines);
  // The branch that led past it: pointers are compared untraced.
  if (InOneFunction(LineAt(places, difference.entered), LineAt(places, after))) {
    Add(places, difference.entered, lines);
  }
  Add(places, innermost, lines);
}

}  // namespace

uint64_t BeginOf(const Difference& difference) {
  return difference.places.empty() ? 0 : difference.places.front();
}

Blame BlameDifference(const CheckFinding& finding, const std::vector<SourceLine>& seen,
                      const std::set<uint64_t>& elsewhere, const PlaceLines& places) {
  Blame blame;
  std::vector<SourceLine>& lines = blame.lines;
  if (finding.differences.empty()) return blame;
  const Difference& difference = Choose(finding, seen, elsewhere, places);
  const Spectrum& spectrum = finding.spectrum;
  if (difference.kind == Difference::kMissing) {
    blame.missing = true;
    AddMissing(difference, spectrum, places, &lines);
    return blame;
  }
  if (!seen.empty() && IsAt(difference, seen.front(), places)) lines.push_back(seen.front());
  const uint64_t place = BeginOf(difference);
  // What is wrong may be the decision that led there.
  const bool went_there =
      seen.empty() && InOneFunction(LineAt(places, difference.entered), LineAt(places, place));
  if (seen.empty() && difference.kind == Difference::kOther &&
      Decides(spectrum, difference.compared, BlockOf(spectrum, place))) {
    Add(places, difference.compared, &lines);
  }
  if (went_there && difference.kind == Difference::kCalled) Add(places, difference.entered, &lines);
  Add(places, place, &lines);
  if (!difference.places.empty()) Add(places, difference.places.back(), &lines);
  if (went_there) Add(places, difference.entered, &lines);
  for (const uint64_t frame : difference.places) Add(places, frame, &lines);
  return blame;
}

}  // namespace cancelsafe
