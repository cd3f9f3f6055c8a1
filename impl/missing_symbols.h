// What a shared object wants of its host and does not get: all of it at once, where a
// loader names the first alone.
#ifndef CANCELSAFE_IMPL_MISSING_SYMBOLS_H_
#define CANCELSAFE_IMPL_MISSING_SYMBOLS_H_

#include <string>
#include <vector>

namespace cancelsafe {

// The strong undefined symbols of the file that neither this program nor the libraries the
// file names have. Loads those libraries; call it where that does no harm.
std::vector<std::string> MissingSymbols(const std::string& path);

// What to say of them and what to do, or "" if there are none.
std::string DescribeMissingSymbols(const std::string& path);

}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_MISSING_SYMBOLS_H_
