// write_dictionaries DIR: writes all dictionaries into a folder, for the tree.
#include <cstdio>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "fuzzers/program/dictionary.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: write_dictionaries DIR\n");
    return 2;
  }
  for (const char* name : cancelsafe::DictionaryNames()) {
    const std::string path = absl::StrCat(argv[1], "/", name, ".dict");
    std::ofstream file(path, std::ios::binary);
    file << cancelsafe::PrintDictionary(name);
    file.close();
    if (!file) {
      fprintf(stderr, "write_dictionaries: cannot write %s\n", path.c_str());
      return 1;
    }
  }
  return 0;
}
