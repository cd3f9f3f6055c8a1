// See exploration_parts.h.
#include "fuzzers/schedule/exploration_parts.h"

#include <algorithm>
#include <utility>

namespace cancelsafe::schedule {
namespace {

// Whether all that the step at `at` can do is known: of each choice in it the last alternative
// is being tried.
bool IsKnown(const std::vector<PathStep>& path, std::size_t at) {
  for (std::size_t i = at + 1; i < path.size() && path[i].alternatives != 0; ++i) {
    if (path[i].taken + 1 < path[i].alternatives) return false;
  }
  return true;
}

}  // namespace

void ExplorationParts::Begin(const PathStep* path, std::size_t length) {
  parts_.clear();
  parts_.push_back(std::make_unique<Part>());
  parts_[0]->path.assign(path, path + length);
}

std::unique_ptr<ExplorationParts::Part> ExplorationParts::Cut(Part* part) {
  std::size_t at = part->first;
  double share = part->share;
  for (; at + 1 < part->path.size(); ++at) {
    const PathStep& step = part->path[at];
    share /= std::max(step.Alternatives(), 1);
    if (step.alternatives == 0 && step.Left() != 0 && IsKnown(part->path, at)) break;
  }
  if (at + 1 >= part->path.size()) return nullptr;
  auto behind = std::make_unique<Part>();
  behind->path = part->path;
  behind->first = at + 1;
  behind->parent = part;
  behind->waits = part->waits;
  behind->share = share;
  for (const auto& other : parts_) {
    if (other->parent != part || other->first <= behind->first) continue;
    other->parent = behind.get();
    ++behind->parts_behind;
  }
  part->parts_behind += 1 - behind->parts_behind;
  part->path.resize(at + 1);
  part->path[at].PutToSleep();
  part->waits = false;
  return behind;
}

ExplorationParts::Part* ExplorationParts::OwnerOf(Part* part, std::size_t at) {
  while (at < part->first) part = part->parent;
  return part;
}

std::size_t ExplorationParts::LastNeeded(const Part& part) const {
  std::size_t last = part.first;
  for (const auto& other : parts_) {
    if (other->parent == &part) last = std::max(last, other->first - 1);
  }
  return last;
}

std::vector<ExplorationParts::Part*> ExplorationParts::Take(std::size_t most) {
  std::size_t open = 0;
  for (const auto& part : parts_) open += part->waits ? 0 : 1;
  for (bool cut = true; cut && open < most;) {
    cut = false;
    for (std::size_t i = 0; i < parts_.size() && open < most; ++i) {
      std::unique_ptr<Part> behind = Cut(parts_[i].get());
      if (behind == nullptr) continue;
      // What was being tried comes first.
      parts_.insert(parts_.begin() + static_cast<std::ptrdiff_t>(i), std::move(behind));
      ++i;
      ++open;
      cut = true;
    }
  }
  std::vector<Part*> taken;
  for (const auto& part : parts_) {
    if (part->waits || taken.size() == most) continue;
    for (std::size_t at = 0; at < part->first; ++at) {
      part->path[at].backtrack |= OwnerOf(part.get(), at)->path[at].backtrack;
    }
    part->kept = LastNeeded(*part);
    taken.push_back(part.get());
  }
  return taken;
}

void ExplorationParts::Return(Part* part, const PathStep* path, std::size_t length, bool complete) {
  for (std::size_t at = 0; at < part->first; ++at) {
    Part* const owner = OwnerOf(part, at);
    PathStep& step = owner->path[at];
    if ((path[at].backtrack & ~step.backtrack) == 0) continue;
    step.backtrack |= path[at].backtrack;
    owner->waits = false;
  }
  std::vector<PathStep> now(path, path + length);
  // What parts behind it have asked for meanwhile stays asked for.
  const std::size_t kept = std::min({part->kept + 1, length, part->path.size()});
  for (std::size_t at = part->first; at < kept; ++at) {
    now[at].backtrack |= part->path[at].backtrack;
  }
  part->path = std::move(now);
  part->waits = false;
  if (!complete || (length > part->first && part->path[length - 1].Left() != 0)) return;
  part->waits = part->parts_behind != 0 && LastNeeded(*part) == part->kept;
  if (part->parts_behind == 0 && part->kept == part->first) Finish(part);
}

void ExplorationParts::Finish(Part* part) {
  if (part->parent != nullptr) {
    --part->parent->parts_behind;
    part->parent->waits = false;
  }
  parts_.erase(std::find_if(parts_.begin(), parts_.end(),
                            [part](const auto& other) { return other.get() == part; }));
}

double ExplorationParts::Done() const {
  double done = parts_.empty() ? 1 : 0;
  for (const auto& part : parts_) {
    done += part->share * DoneOf(part->path.data(), part->path.size(), part->first);
    // Where it was cut off it counts as done.
    if (part->parent != nullptr) done -= part->share;
  }
  return std::clamp(done, 0.0, 1.0);
}

}  // namespace cancelsafe::schedule
