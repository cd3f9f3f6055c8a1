// Implementations that keep to the documented locks and do no more than that pass: what
// the host does for speed is not seen by them. Under TSan, and under the memory engine, a
// race that is the host's own would show.
#include "fuzzers/program/generate.h"
#include "fuzzers/program/schedules.h"
#include "fuzzers/run/run_testing.h"
#include "fuzzers/run/testdata/plain_start_io.h"

namespace cancelsafe {
namespace {

constexpr int kPrograms = 300;

// Without attributes. The optimized queue lies below in any case.
Implementation PlainStartIo() {
  Implementation guest = BuiltInImplementation();
  guest.IoStartPacket = &PlainStartPacket;
  guest.IoStartNextPacket = &PlainStartNextPacket;
  guest.IoStartNextPacketByKey = &PlainStartNextPacketByKey;
  guest.IoSetStartIoAttributes = nullptr;
  return guest;
}

TEST(PlainGuestTest, AStartIoLayerOfPlainAccessesUnderTheCancelLockPasses) {
  RunnerOptions options;
  options.reading = Reading::kPortable;
  Bench bench(Family::kStartIo, PlainStartIo(), options);
  int cancelable = 0;
  for (uint64_t seed = 0; seed < kPrograms; ++seed) {
    Program program;
    GenerateProgram(Family::kStartIo, seed, &program);
    ForEachSchedule(&program, [&](int) {
      const Verdict& verdict = bench.Run(program);
      EXPECT_TRUE(verdict.ok()) << "seed " << seed << ": " << VerdictLine(verdict);
      return verdict.ok();
    });
    for (int i = 0; i < program.operation_count; ++i) {
      cancelable += (program.operations[i].flags & kCancelable) != 0;
    }
  }
  EXPECT_GT(cancelable, kPrograms);
}

// IoCancelIrp beside an insertion: the one place where the host might look at the routine
// without the lock.
TEST(PlainGuestTest, ACancelBesideAPlainStoreOfTheRoutineIsNoRace) {
  RunnerOptions options;
  options.reading = Reading::kPortable;
  Bench bench(Family::kStartIo, PlainStartIo(), options);
  for (int step = 0; step < 40; ++step) {
    const Verdict& verdict = bench.Run(
        "target start-io\nfiber 0\n  start-packet 0\n  start-packet 1 cancelable\n"
        "  start-next cancelable\nfiber 1\n  cancel 1\nchoices " +
        std::to_string(step) + ":1\n");
    EXPECT_TRUE(verdict.ok()) << "step " << step << ": " << VerdictLine(verdict);
  }
}

// AMB-29: a packet that is started at once keeps its cancel routine.
VOID NTAPI StartPacketKeepingItsRoutine(PDEVICE_OBJECT device, PIRP irp, PULONG key,
                                        PDRIVER_CANCEL cancel) {
  constexpr ULONG kNonCancelable = 2;
  ULONG& flags = device->DeviceObjectExtension->StartIoFlags;
  const ULONG before = flags;
  flags &= ~kNonCancelable;
  BuiltInImplementation().IoStartPacket(device, irp, key, cancel);
  flags = before;
}

TEST(PlainGuestTest, NonCancelableMayLeavePacketsThatAreStartedAtOnceAlone) {
  constexpr char kProgram[] =
      "target start-io\nfiber 0\n  set-attributes non-cancelable\n  start-packet 0 cancelable\n"
      "  start-packet 1 cancelable\n  start-next cancelable\n";
  Implementation guest = BuiltInImplementation();
  guest.IoStartPacket = &StartPacketKeepingItsRoutine;
  RunnerOptions options;
  options.reading = Reading::kPortable;
  for (const Implementation& each : {guest, BuiltInImplementation()}) {
    Bench bench(Family::kStartIo, each, options);
    const Verdict& verdict = bench.Run(kProgram);
    EXPECT_TRUE(verdict.ok()) << VerdictLine(verdict);
    EXPECT_EQ(bench.runner().output().skipped_operations, 0);
  }
}

// What a warning means for the IRP: it stays its inserter's, who completes it; what an
// informational status means: it is queued.
TEST(PlainGuestTest, AStatusThatIsNoErrorIsASuccessUnlessItIsAWarning) {
  for (const Family family : {Family::kCsq, Family::kCallbackDataQueue}) {
    Bench bench(family);
    const bool csq = family == Family::kCsq;
    const Verdict& verdict = bench.Run(
        std::string(csq ? "target csq\nqueue ex " : "target callback-data-queue\nqueue ") +
        "status=informational\n"
        "driver failing-insert=1 failure=warning\nfiber 0\n"
        "  insert-ex 0 context\n  cancel 0\n  remove 0\n"
        "  complete 0\n  insert-ex 1 context\n  cancel 1\n");
    EXPECT_TRUE(verdict.ok()) << VerdictLine(verdict);
    const History& history = bench.runner().history();
    bool completed_as_cancelled[2] = {};
    for (int i = 0; i < history.event_count; ++i) {
      const CallbackEvent& event = history.events[i];
      if (event.kind == CallbackKind::kCompleteCanceled) completed_as_cancelled[event.item] = true;
    }
    EXPECT_FALSE(completed_as_cancelled[0]) << "a warning: no cancel routine was set";
    EXPECT_TRUE(completed_as_cancelled[1]) << "informational: it was queued";
  }
}

}  // namespace
}  // namespace cancelsafe
