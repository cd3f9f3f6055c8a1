// What was probably meant by a misspelt name. Knows nothing of commands.
#ifndef CANCELSAFE_COMMAND_SUGGEST_H_
#define CANCELSAFE_COMMAND_SUGGEST_H_

#include <string>
#include <vector>

namespace cancelsafe {

// The name nearest to `word`, counting insertions, deletions, replacements and swaps of
// neighbours; dashes and underscores are equal. "" if none is near enough to be meant.
std::string NearestName(const std::string& word, const std::vector<std::string>& names);

// "; did you mean NAME?", or "" if NearestName finds none.
std::string DidYouMean(const std::string& word, const std::vector<std::string>& names);

// Throws a UsageError unless `word` is one of `names`; `what` is what they are called
// ("target").
void CheckWord(const std::string& what, const std::string& word,
               const std::vector<std::string>& names);

}  // namespace cancelsafe

#endif  // CANCELSAFE_COMMAND_SUGGEST_H_
