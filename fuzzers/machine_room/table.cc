// machine_room_table FOLDER: the table of weakened memory orders, as Markdown. For each
// variant: which scenario finds it under which model, and after how many random schedules.
// Exit status 1 if the machine room as it is has a finding.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

#include "fuzzers/machine_room/room.h"

namespace cancelsafe::machine_room {
namespace {

constexpr uint32_t kSeed = 1;

// "data-race in cancel-irp, 812 runs" of the first scenario that finds something, or "-".
std::string FirstFinding(const ScenarioList& list, memory::Model model, int64_t runs) {
  for (int i = 0; i < list.count; ++i) {
    const SearchResult result = Search(list, list.scenarios[i], model, kSeed, runs);
    if (result.finding.kind.empty()) continue;
    return result.finding.kind + " in " + list.scenarios[i].name + ", " +
           std::to_string(result.runs) + (result.runs == 1 ? " run" : " runs");
  }
  return "-";
}

bool PrintRow(const std::string& name, const ScenarioList& list, int64_t runs) {
  bool found = false;
  printf("| %s |", name.c_str());
  for (const memory::Model model : memory::kModels) {
    const std::string finding = FirstFinding(list, model, runs);
    found |= finding != "-";
    printf(" %s |", finding.c_str());
    fflush(stdout);
  }
  printf("\n");
  return found;
}

int Main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    fprintf(stderr,
            "usage: machine_room_table FOLDER [RUNS]\n"
            "FOLDER has the weakened machine rooms, as machine_room_weakened builds them; "
            "RUNS is the number of schedules for each scenario and model (20000)\n");
    return 2;
  }
  const int64_t runs = argc == 3 ? atoll(argv[2]) : 20000;
  printf("| weakened | sc | tso | rc11 |\n|---|---|---|---|\n");
  const bool wrong = PrintRow("nothing", BuiltIn(), runs);
  std::set<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    if (entry.path().extension() == ".so") paths.insert(entry.path().string());
  }
  for (const std::string& path : paths) {
    std::string error;
    const ScenarioList* list = Load(path, &error);
    if (list == nullptr) {
      fprintf(stderr, "machine_room_table: %s\n", error.c_str());
      return 3;
    }
    PrintRow(std::filesystem::path(path).stem().string(), *list, runs);
  }
  return wrong ? 1 : 0;
}

}  // namespace
}  // namespace cancelsafe::machine_room

int main(int argc, char** argv) { return cancelsafe::machine_room::Main(argc, argv); }
