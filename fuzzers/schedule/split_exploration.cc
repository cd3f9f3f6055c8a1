// See split_exploration.h.
#include "fuzzers/schedule/split_exploration.h"

#include <cstring>

namespace cancelsafe::schedule {

void WritePart(const CompleteExplorer& explorer, PartReturn* out) {
  out->runs = explorer.runs();
  out->cut_runs = explorer.cut_runs();
  out->end = explorer.end();
  out->learned_more = explorer.learned_more();
  explorer.known().Write(&out->known);
  out->length = explorer.length();
  if (out->length != 0) memcpy(out->path, explorer.path(), out->length * sizeof(PathStep));
}

SplitExploration::SplitExploration(const CompleteExplorer& begun)
    : known_(begun.known()), runs_(begun.runs()), cut_runs_(begun.cut_runs()), end_(begun.end()) {
  parts_.Begin(begun.path(), begun.length());
}

std::vector<SplitExploration::Part*> SplitExploration::Take(std::size_t most) {
  if (end_ != ExploreEnd::kRunning) return {};
  if (again_) {
    again_ = false;
    runs_ = cut_runs_ = 0;
    parts_.Begin(nullptr, 0);
  }
  std::vector<Part*> taken = parts_.Take(most);
  if (taken.empty()) end_ = ExploreEnd::kComplete;
  return taken;
}

void SplitExploration::Return(Part* part, PartReturn* returned) {
  runs_ += returned->runs;
  cut_runs_ += returned->cut_runs;
  uint16_t numbers[ObjectTable::kMany + 1];
  again_ |= known_.Learn(returned->known, numbers) || returned->learned_more;
  if (again_) return;
  const bool complete = returned->end == ExploreEnd::kComplete;
  if (!complete && returned->end != ExploreEnd::kRunning && end_ == ExploreEnd::kRunning) {
    end_ = returned->end;
  }
  auto* const path = reinterpret_cast<PathStep*>(returned->path);
  for (std::size_t i = 0; i < returned->length; ++i) path[i].Renumber(numbers);
  parts_.Return(part, path, returned->length, complete);
}

}  // namespace cancelsafe::schedule
