// See cause_lines.h.
#include "fuzzers/check/cause_lines.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "fuzzers/check/alike.h"
#include "fuzzers/check/blame.h"

namespace cancelsafe {
namespace {

// Of a cause's lines, those that statistics suspect.
constexpr size_t kLinesMax = 8;

// Of a stack, the routine that the mistake is in comes first: it gave what was wrong.
void OrderStack(const CheckFinding& finding, std::vector<SourceLine>* lines) {
  const std::set<std::string> routines = RoutinesIn(finding.vanishes_without);
  std::vector<SourceLine> ordered;
  for (const bool wanted : {true, false}) {
    for (const SourceLine& line : *lines) {
      if ((routines.count(line.function) != 0) == wanted) ordered.push_back(line);
    }
  }
  *lines = std::move(ordered);
}

}  // namespace

void OrderPlacesOfRaces(Cause* cause) {
  if (!IsRace(cause->shown)) return;
  const auto count = [&](const SourceLine& line) {
    return std::count_if(
        cause->others.begin(), cause->others.end(), [&](const CheckFinding& other) {
          return IsRace(other) && std::any_of(other.lines.begin(), other.lines.end(),
                                              [&](const SourceLine& at) { return Near(at, line); });
        });
  };
  std::sort(cause->lines.begin(), cause->lines.end(),
            [&](const SourceLine& a, const SourceLine& b) { return count(a) > count(b); });
}

void TakeSuspects(const PlaceLines& places, const std::set<uint64_t>& elsewhere, Cause* cause) {
  cause->lines_are = cause->shown.seen_there ? LinesAre::kSeen : LinesAre::kNear;
  if (IsRace(cause->shown)) return;
  const bool seen = IsSeenThere(cause->shown);
  if (seen) OrderStack(cause->shown, &cause->lines);
  std::vector<SourceLine> lines;
  const auto add = [&](const SourceLine& line) {
    const bool there = std::any_of(lines.begin(), lines.end(), [&](const SourceLine& other) {
      return other.file == line.file && other.line == line.line;
    });
    if (!there && lines.size() < kLinesMax) lines.push_back(line);
  };
  // What a call returns is wrong if that was what was judged.
  CheckFinding shown = cause->shown;
  if (!shown.differences.empty() && shown.differences[0].kind == Difference::kReturned &&
      (seen || RoutinesIn(shown.vanishes_without).count(shown.routine) == 0)) {
    shown.differences.clear();
  }
  const std::vector<SourceLine> stack = seen ? cause->lines : std::vector<SourceLine>();
  const Blame blame = BlameDifference(shown, stack, elsewhere, places);
  for (const SourceLine& line : blame.lines) add(line);
  cause->lines_are = !blame.lines.empty()
                         ? blame.missing ? LinesAre::kMissingNear : LinesAre::kSuspect
                     : seen ? LinesAre::kSeen
                            : LinesAre::kNear;
  if (!seen) {
    std::vector<const Spectrum*> spectra = {&cause->shown.spectrum};
    for (const CheckFinding& other : cause->others) spectra.push_back(&other.spectrum);
    for (const uint64_t what : RankedTogether(spectra)) {
      const auto at = places.find(PlaceOf(what));
      if (at != places.end()) add(at->second);
    }
  }
  for (const SourceLine& line : cause->lines) add(line);
  cause->lines.clear();
  for (const bool wanted : {true, false}) {
    for (const SourceLine& line : lines) {
      if (MayBeIn(line.function, cause->shown) == wanted) cause->lines.push_back(line);
    }
  }
}

}  // namespace cancelsafe
