// See complete_knowledge.h.
#include "fuzzers/schedule/complete_knowledge.h"

namespace cancelsafe::schedule {
namespace {

int WritePaths(const std::unordered_set<uint64_t>& paths, uint64_t* out) {
  if (paths.size() > CompleteKnowledge::Flat::kPaths) return 0;
  int count = 0;
  for (const uint64_t path : paths) out[count++] = path;
  return count;
}

}  // namespace

CompleteKnowledge::CompleteKnowledge() : ordering(ObjectTable::kMany) { objects.Clear(); }

void CompleteKnowledge::Write(Flat* flat) const {
  flat->objects = objects.count();
  objects.ForEach([&](uint16_t number, uintptr_t address) { flat->address[number] = address; });
  ordering.Write(&flat->ordering);
  flat->quiet_paths = WritePaths(quiet, flat->quiet);
  flat->loud_paths = WritePaths(loud, flat->loud);
}

bool CompleteKnowledge::Learn(const Flat& flat, uint16_t* numbers) {
  numbers[0] = 0;
  for (uint16_t n = 1; n <= ObjectTable::kMany; ++n) {
    numbers[n] = n <= flat.objects ? objects.NumberOf(flat.address[n]) : ObjectTable::kMany;
  }
  for (int i = 0; i < flat.loud_paths; ++i) NoteLoud(flat.loud[i]);
  for (int i = 0; i < flat.quiet_paths; ++i) NoteQuiet(flat.quiet[i]);
  return ordering.Learn(flat.ordering, numbers);
}

}  // namespace cancelsafe::schedule
