// See stop_at.h.
#include "fuzzers/tools/stop_at.h"

#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "fuzzers/run/timeline.h"

namespace cancelsafe {
namespace {

// Picks the default everywhere; the choices of the program override that as ever.
class Stopper final : public schedule::Scheduler {
 public:
  Stopper(int step, bool trap) : step_(step), trap_(trap) {}

  void Start(const schedule::Schedule&, int, const uint16_t*) override {}
  int Pick(const schedule::Decision& decision) override {
    if (decision.step != step_) return decision.default_fiber;
    fiber_ = decision.current;
    enabled_ = decision.enabled;
    if (!trap_) return -1;
    fprintf(stderr, "cancelsafe replay: before step %d, on fiber %d; continue to go on\n", step_,
            decision.current);
    raise(SIGTRAP);
    return decision.default_fiber;
  }

  uint8_t enabled() const { return enabled_; }
  int fiber() const { return fiber_; }

 private:
  const int step_;
  const bool trap_;
  int fiber_ = -1;
  uint8_t enabled_ = 0;
};

}  // namespace

bool BeingDebugged() {
  FILE* file = fopen("/proc/self/status", "re");
  if (file == nullptr) return false;
  char line[256];
  int tracer = 0;
  while (fgets(line, sizeof line, file) != nullptr) {
    if (strncmp(line, "TracerPid:", 10) == 0) tracer = atoi(line + 10);
  }
  fclose(file);
  return tracer != 0;
}

std::string RunUntil(Runner* runner, const Program& program, int step) {
  const bool trap = BeingDebugged();
  Stopper stopper(step, trap);
  schedule::RunOptions options;
  options.fresh_records = true;
  runner->RunWith(&stopper, program, options);
  if (stopper.enabled() == 0) {
    return absl::StrCat("the run never gets to step ", step, ": it makes ",
                        runner->output().schedule.decisions, " decisions\n");
  }
  std::string text = Timeline(runner->history());
  absl::StrAppend(&text, trap ? "Was stopped before step " : "Stopped before step ", step,
                  stopper.fiber() < 0 ? "" : absl::StrCat(", on fiber ", stopper.fiber()),
                  ". Able to run:");
  for (int f = 0; f < program.fibers; ++f) {
    if ((stopper.enabled() >> f & 1) != 0) absl::StrAppend(&text, " fiber ", f);
  }
  return text + "\n";
}

}  // namespace cancelsafe
