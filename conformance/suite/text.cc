// See text.h.
#include "text.h"

namespace cancelsafe::suite {

bool SameText(const char* a, const char* b) {
  while (*a != 0 && *a == *b) {
    ++a;
    ++b;
  }
  return *a == *b;
}

bool StartsWith(const char* text, const char* start) {
  while (*start != 0 && *text == *start) {
    ++text;
    ++start;
  }
  return *start == 0;
}

bool HasWord(const char* words, const char* word, int word_length) {
  while (*words != 0) {
    int same = 0;
    while (same < word_length && words[same] == word[same]) ++same;
    if (same == word_length && (words[same] == ' ' || words[same] == 0)) return true;
    while (*words != 0 && *words != ' ') ++words;
    if (*words == ' ') ++words;
  }
  return false;
}

}  // namespace cancelsafe::suite
