// What one Check() of a passing history costs: 15 calls of three fibers with
// their callbacks, as a concurrent run of a cancel-safe queue records them.
#include <chrono>
#include <cstdio>
#include <memory>

#include "oracle/check.h"
#include "oracle/history_builder.h"

namespace cancelsafe {
namespace {

void FillTypicalHistory(HistoryBuilder* b) {
  const auto insert = [](uint8_t item) {
    return MakeOperation(Op::kInsertEx, item, 0, kWithContext);
  };
  const Operation next = MakeOperation(Op::kRemoveNext);
  b->Add(0, insert(0), "A I0 U", 0);
  b->Add(1, insert(1), "A I1 U", 0);
  b->Add(2, insert(2), "A I2 U", 0);
  b->Add(0, insert(3), "A I3 U", 0);
  const int cancel = b->Begin(1, MakeOperation(Op::kCancel, 1));
  b->history.calls[cancel].effect = ++b->history.sequence;
  b->Add(2, next, "A P0 R0 U", 0);
  b->Callbacks(cancel, "A R1 U C1 D1");
  b->End(cancel, 1);
  b->Add(0, MakeOperation(Op::kRemove, 2), "A R2 U", 2);
  b->Add(0, insert(2), "A I2 U", 0);
  b->Add(1, insert(0), "A I0 U", 0);
  b->Add(2, next, "A P3 R3 U", 3);
  b->Add(2, MakeOperation(Op::kComplete, 3), "D3", 0);
  b->Add(1, MakeOperation(Op::kCancel, 2), "A R2 U C2 D2", 1);
  b->Add(0, MakeOperation(Op::kRemove, 2), "A U", kNothing);
  b->Add(0, next, "A P0 R0 U", 0);
  b->Add(0, next, "A P- U", kNothing);
}

int Run() {
  Setup setup;
  setup.ex = true;
  auto b = std::make_unique<HistoryBuilder>(setup, 3);
  FillTypicalHistory(b.get());
  static uint8_t counters[4096];
  CheckOptions options;
  options.state_counters = counters;
  options.state_counter_count = sizeof(counters);
  Checker checker(Reading::kOwn);
  Verdict verdict;
  constexpr int kRounds = 2000000;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kRounds; ++i) {
    if (!checker.Check(b->history, options, &verdict)) {
      std::printf("%s\n", VerdictLine(verdict).c_str());
      return 1;
    }
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("%d calls, %d events: %.0f ns per check, %d searches\n", b->history.call_count,
              b->history.event_count, seconds.count() / kRounds * 1e9,
              static_cast<int>(checker.searches()));
  return 0;
}

}  // namespace
}  // namespace cancelsafe

int main() { return cancelsafe::Run(); }
