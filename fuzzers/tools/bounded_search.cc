// See bounded_search.h.
#include "fuzzers/tools/bounded_search.h"

#include <cinttypes>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "base/counted.h"
#include "command/status.h"

namespace cancelsafe {

bool SearchUpToBound(const BoundedSearch& search) {
  int64_t total = 0;
  for (int bound = 0; bound <= search.preemptions; ++bound) {
    schedule::ExploreOptions options;
    options.preemptions = bound;
    // The order in which calls begin and end, and what services touch, is shared state that no
    // point announces, so nothing may be left out.
    options.reduce = false;
    if (search.schedules > 0) options.max_runs = search.schedules;
    schedule::Explorer explorer(options);
    while (explorer.Next()) {
      const std::string how =
          absl::StrCat("at most ", bound, bound == 1 ? " preemption" : " preemptions",
                       ", in schedule ", explorer.runs() + 1, " of that bound");
      explorer.Finished(search.run(&explorer, how));
      search.progress->Show(explorer.runs());
      if (!search.passes()) return false;
    }
    total = explorer.runs();
    if (search.spoilt()) return false;
    if (explorer.end() == schedule::ExploreEnd::kOutOfRuns) {
      printf("%" PRId64
             " schedules with up to %s explored, no violation%s; there are more "
             "(--schedules was reached)\n",
             total, Counted(bound, "preemption").c_str(), search.left_out().c_str());
      return true;
    }
    if (explorer.end() != schedule::ExploreEnd::kComplete) {
      throw SetupError(
          "the program did not repeat itself, or its runs have too many steps, so not all of its "
          "schedules can be searched; --scheduler searches at random");
    }
  }
  printf("all %" PRId64 " schedules up to %s explored%s, no violation%s\n", total,
         Counted(search.preemptions, "preemption").c_str(), search.besides().c_str(),
         search.left_out().c_str());
  return true;
}

}  // namespace cancelsafe
