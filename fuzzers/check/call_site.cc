// See call_site.h.
#include "fuzzers/check/call_site.h"

#include <execinfo.h>

#include <string>
#include <vector>

#include "fuzzers/memory/modules.h"
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

constexpr int kFramesMax = 40;
constexpr size_t kNotesMax = 32 * 1024;

// Decides nothing, and notes at every point where the implementation is.
class SiteWitness final : public schedule::Scheduler {
 public:
  struct Note {
    uint32_t sequence;  // of the history, when the point was passed
    int fiber;
    CallSite site;
  };

  SiteWitness(const History& history, const memory::Module& module)
      : history_(history), module_(module) {
    notes_.reserve(kNotesMax);
    void* frames[kFramesMax];
    backtrace(frames, kFramesMax);  // loads what it needs
  }

  void Start(const schedule::Schedule&, int, const uint16_t*) override {}
  bool sees_all_points() const override { return true; }
  int Pick(const schedule::Decision& decision) override {
    if (notes_.size() < kNotesMax && decision.current >= 0) {
      const CallSite site = Here();
      if (site.innermost != 0) notes_.push_back({history_.sequence, decision.current, site});
    }
    return decision.default_fiber;
  }

  // The last of the fiber's notes that was made before the sequence number; of any fiber's
  // for -1.
  CallSite LastBefore(uint32_t sequence, int fiber) const {
    CallSite site;
    for (const Note& note : notes_) {
      if (note.sequence < sequence && (fiber < 0 || note.fiber == fiber)) site = note.site;
    }
    return site;
  }

 private:
  CallSite Here() const {
    CallSite site;
    void* frames[kFramesMax];
    const int count = backtrace(frames, kFramesMax);
    for (int i = 0; i < count; ++i) {
      const auto address = reinterpret_cast<uintptr_t>(frames[i]);
      if (address < module_.begin || address >= module_.end) continue;
      if (site.innermost == 0) {
        site.innermost = address;
      } else if (site.caller == 0) {
        site.caller = address;
      }
      site.outermost = address;
    }
    return site;
  }

  const History& history_;
  const memory::Module module_;
  std::vector<Note> notes_;
};

}  // namespace

std::string RoutineOf(const Runner& runner) {
  const History& history = runner.history();
  const Verdict& verdict = runner.output().verdict;
  int call = verdict.call;
  if (call < 0 && verdict.event >= 0) call = history.events[verdict.event].call;
  // What ended the run did so in a call that has not returned.
  for (int i = history.call_count - 1; i >= 0 && call < 0 && verdict.item < 0; --i) {
    if (!history.calls[i].returned) call = i;
  }
  if (call < 0 || call >= history.call_count) return "";
  return RoutineName(runner.family(), history.calls[call].operation.op);
}

CallSite FindCallSite(Runner* runner, const Program& program, const void* inside) {
  memory::Module module;
  if (!memory::FindModule(reinterpret_cast<uintptr_t>(inside), &module)) return {};
  SiteWitness witness(runner->history(), module);
  schedule::RunOptions options;
  options.fresh_records = true;
  runner->RunWith(&witness, program, options);
  const Verdict& verdict = runner->output().verdict;
  const History& history = runner->history();
  if (verdict.ok()) return {};
  if (verdict.event >= 0 && verdict.event < history.event_count) {
    const CallbackEvent& event = history.events[verdict.event];
    return witness.LastBefore(event.sequence, event.fiber);
  }
  if (verdict.call >= 0 && verdict.call < history.call_count) {
    const Call& call = history.calls[verdict.call];
    return witness.LastBefore(call.returned ? call.end : UINT32_MAX, call.fiber);
  }
  return witness.LastBefore(UINT32_MAX, -1);
}

}  // namespace cancelsafe
