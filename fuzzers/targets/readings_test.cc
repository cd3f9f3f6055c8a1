// Guests that do what a page allows and the built-in implementation does not: they pass
// when any documented reading is accepted, and each of them would be blamed otherwise.
#include <gtest/gtest.h>

#include "fuzzers/program/text.h"
#include "fuzzers/run/runner.h"
#include "impl/kernel/filter_manager.h"

namespace cancelsafe {
namespace {

Verdict VerdictOn(const Implementation& guest, Reading reading, const char* text) {
  const absl::StatusOr<Program> program = ParseProgram(text);
  EXPECT_TRUE(program.ok()) << program.status();
  RunnerOptions options;
  options.reading = reading;
  const char* missing = nullptr;
  Runner runner(program->setup.family, guest, options, &missing);
  EXPECT_EQ(missing, nullptr);
  runner.Run(*program);
  EXPECT_EQ(runner.output().skipped_operations, 0);
  return runner.output().verdict;
}

// Calls the cancel function at once for a packet that was cancelled before it is queued.
VOID NTAPI StartPacketLookingAtCancel(PDEVICE_OBJECT device, PIRP irp, PULONG key,
                                      PDRIVER_CANCEL cancel) {
  BuiltInImplementation().IoStartPacket(device, irp, key, cancel);
  if (cancel == nullptr || device->CurrentIrp == irp) return;
  KIRQL irql;
  IoAcquireCancelSpinLock(&irql);
  const PDRIVER_CANCEL routine = irp->Cancel ? IoSetCancelRoutine(irp, nullptr) : nullptr;
  if (routine == nullptr) {
    IoReleaseCancelSpinLock(irql);
    return;
  }
  irp->CancelIrql = irql;
  routine(device, irp);
}

TEST(ReadingsOfGuestsTest, ACancelledPacketMayEndWhenItIsQueued) {
  constexpr char kProgram[] =
      "target start-io\nfiber 0\n  start-packet 0\n  cancel 1\n  start-packet 1 cancelable\n"
      "  start-next cancelable\n";
  Implementation guest = BuiltInImplementation();
  guest.IoStartPacket = &StartPacketLookingAtCancel;
  const Verdict portable = VerdictOn(guest, Reading::kPortable, kProgram);
  EXPECT_TRUE(portable.ok()) << VerdictLine(portable);
  EXPECT_FALSE(VerdictOn(guest, Reading::kOwn, kProgram).ok());
  const Verdict own = VerdictOn(BuiltInImplementation(), Reading::kOwn, kProgram);
  EXPECT_TRUE(own.ok()) << VerdictLine(own);
}

// Marks the IRP before the insert callback, as IoMarkIrpPending's page advises.
VOID NTAPI InsertMarkingFirst(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context) {
  IoMarkIrpPending(irp);
  BuiltInImplementation().IoCsqInsertIrp(csq, irp, context);
}

TEST(ReadingsOfGuestsTest, ThePendingMarkMayComeFirst) {
  constexpr char kProgram[] = "target csq\nfiber 0\n  insert 0\n  remove-next\n";
  Implementation guest = BuiltInImplementation();
  guest.IoCsqInsertIrp = &InsertMarkingFirst;
  const Verdict portable = VerdictOn(guest, Reading::kPortable, kProgram);
  EXPECT_TRUE(portable.ok()) << VerdictLine(portable);
  EXPECT_EQ(VerdictOn(guest, Reading::kOwn, kProgram).rule, "pending-early");
}

// The filter manager owns the IRP of its callback data.
NTSTATUS NTAPI InsertUsingTheIrp(PFLT_CALLBACK_DATA_QUEUE queue, PFLT_CALLBACK_DATA data,
                                 PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT context,
                                 PVOID insert_context) {
  for (int slot = 0; slot < 3; ++slot) {
    CONTAINING_RECORD(data, KiCallbackData, data)->irp->Tail.Overlay.DriverContext[slot] = queue;
  }
  return BuiltInImplementation().FltCbdqInsertIo(queue, data, context, insert_context);
}

TEST(ReadingsOfGuestsTest, TheFilterManagerMayUseDriverContext) {
  constexpr char kProgram[] = "target callback-data-queue\nfiber 0\n  insert-ex 0\n  remove-next\n";
  Implementation guest = BuiltInImplementation();
  guest.FltCbdqInsertIo = &InsertUsingTheIrp;
  for (const Reading reading : {Reading::kOwn, Reading::kPortable}) {
    const Verdict verdict = VerdictOn(guest, reading, kProgram);
    EXPECT_TRUE(verdict.ok()) << VerdictLine(verdict);
  }
}

// What no callback sees: the mark is gone when the removal returns.
PIRP NTAPI RemoveNextWithoutMark(PIO_CSQ csq, PVOID peek_context) {
  const PIRP irp = BuiltInImplementation().IoCsqRemoveNextIrp(csq, peek_context);
  if (irp != nullptr) IoGetCurrentIrpStackLocation(irp)->Control = 0;
  return irp;
}

TEST(GuestsTest, AMarkThatIsGoneWhenARemovalReturnsIsABrokenRule) {
  Implementation guest = BuiltInImplementation();
  guest.IoCsqRemoveNextIrp = &RemoveNextWithoutMark;
  for (const Reading reading : {Reading::kOwn, Reading::kPortable}) {
    const Verdict verdict =
        VerdictOn(guest, reading, "target csq\nfiber 0\n  insert 0\n  remove-next\n");
    EXPECT_EQ(verdict.rule, "pending-kept") << VerdictLine(verdict);
    EXPECT_EQ(verdict.clause, "CSQ-INSERT-05");
    EXPECT_EQ(verdict.call, 1);
  }
}

VOID NTAPI SetAttributesOnly(PDEVICE_OBJECT device, BOOLEAN deferred, BOOLEAN non_cancelable) {
  static BOOLEAN sticky = FALSE;
  sticky = sticky || deferred;
  BuiltInImplementation().IoSetStartIoAttributes(device, sticky, non_cancelable);
}

TEST(GuestsTest, AttributesThatCannotBeClearedAreWrong) {
  // Packet 1 asks for the next one inside StartIo, which has to nest.
  constexpr char kProgram[] =
      "target start-io\ndriver start-io=finish-odd\nfiber 0\n  set-attributes deferred\n"
      "  set-attributes\n  start-packet 0\n  start-packet 1\n  start-packet 2\n  start-next\n";
  Implementation guest = BuiltInImplementation();
  guest.IoSetStartIoAttributes = &SetAttributesOnly;
  const Verdict own = VerdictOn(BuiltInImplementation(), Reading::kOwn, kProgram);
  EXPECT_TRUE(own.ok()) << VerdictLine(own);
  for (const Reading reading : {Reading::kOwn, Reading::kPortable}) {
    EXPECT_FALSE(VerdictOn(guest, reading, kProgram).ok());
  }
}

}  // namespace
}  // namespace cancelsafe
