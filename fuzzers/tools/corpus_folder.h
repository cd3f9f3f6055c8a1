// The corpus of one target as it lies in its folders: what each file is, whether it
// still is what its header says, and what its run covers.
#ifndef CANCELSAFE_FUZZERS_TOOLS_CORPUS_FOLDER_H_
#define CANCELSAFE_FUZZERS_TOOLS_CORPUS_FOLDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "fuzzers/program/text.h"
#include "fuzzers/run/runner.h"

namespace cancelsafe {

struct CorpusEntry {
  std::string path;
  std::string error;  // not "" if the file cannot be read as a program of the target
  bool text = false;
  ProgramFile file;
  Verdict verdict;  // of the run below
  int skipped = 0;  // operations that could not be made
  // What the run covers: places of the code, states of the model with the operation
  // made there, and switches between fibers. Sorted.
  std::vector<uint32_t> code;
  std::vector<uint32_t> states;
  std::vector<uint32_t> switches;

  // Why the file is not what it should be any more, or "": a text that is not in its
  // canonical form, a run that fails though the header names no failure, operations
  // none of which can be made.
  std::string stale;
  std::string duplicate_of;  // path of an entry with the same program, or ""
};

// All files of the folders, by name. Unreadable ones are entries with an error.
std::vector<CorpusEntry> ReadCorpus(Family family, const std::vector<std::string>& folders);
CorpusEntry ReadCorpusEntry(Family family, const std::string& path);

// Runs every readable entry, under all schedules that it stands for, and fills in what
// that tells.
void RunCorpus(Runner* runner, std::vector<CorpusEntry>* entries);

// Indexes of entries that together cover what all do, small programs first. With
// `code`, `states` and `switches` as the things that count.
std::vector<size_t> SmallestCover(const std::vector<CorpusEntry>& entries);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_CORPUS_FOLDER_H_
