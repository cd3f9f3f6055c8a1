// A run as files for other programs: one page for a browser, and the Chrome trace
// format for Perfetto.
#ifndef CANCELSAFE_FUZZERS_EXPLAIN_PAGE_H_
#define CANCELSAFE_FUZZERS_EXPLAIN_PAGE_H_

#include <nlohmann/json.hpp>
#include <string>

namespace cancelsafe {

// Self-contained: needs no network and no other file. `scene` as from SceneOf.
std::string PageOf(const nlohmann::json& scene);

// A thread per fiber, a thread each for its locks and IRQL; one row of the scene is
// 10 microseconds.
std::string ChromeTraceOf(const nlohmann::json& scene);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_EXPLAIN_PAGE_H_
