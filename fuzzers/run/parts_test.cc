// The parts a run is put together from: the arena, the table of items, and the
// forms in which a failure is told.
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "fuzzers/program/program_file.h"
#include "fuzzers/run/context_memory.h"
#include "fuzzers/run/item_table.h"
#include "fuzzers/run/report.h"
#include "fuzzers/run/run_testing.h"
#include "fuzzers/run/timeline.h"

namespace cancelsafe {
namespace {

TEST(Arena, GivesAlignedMemoryThatDoesNotOverlap) {
  Arena arena;
  arena.Reset();
  char* before = nullptr;
  for (const size_t size : {1u, 8u, 13u, 300u, 5000u, 40u}) {
    char* memory = static_cast<char*>(arena.Allocate(size));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 8, 0u);
    if (before != nullptr) EXPECT_EQ(*before, 1);
    memset(memory, 1, size);
    before = memory + size - 1;
  }
}

TEST(Arena, ContentsAreTheSameInEveryRun) {
  Arena arena;
  std::string contents[3];
  for (std::string& run : contents) {
    arena.Reset();
    auto* memory = static_cast<char*>(arena.Allocate(64));
    run.assign(memory, 64);
    memset(memory, 7, 64);
  }
  EXPECT_EQ(contents[0], contents[1]);
  EXPECT_EQ(contents[0], contents[2]);
}

class ItemTableTest : public testing::Test {
 protected:
  void SetUp() override {
    Machine::Install();
    recorder_.Reset({}, 1);
    Machine::Reset(&recorder_, false);
    arena_.Reset();
    Program program;
    program.operation_count = kMaxOperations;
    table_.Reset(program, &arena_, &recorder_, ItemKind::kQueuedIrp, files_, nullptr);
  }

  FILE_OBJECT files_[kFileCount] = {};
  Recorder recorder_;
  Arena arena_;
  ItemTable table_;
};

TEST_F(ItemTableTest, ACompletedNumberGetsANewIrpWhenNobodyUsesTheOldOne) {
  ASSERT_TRUE(table_.Refresh(3));
  PIRP first = table_.Untold(3).irp;
  EXPECT_EQ(table_.NumberOf(first), 3);
  EXPECT_EQ(table_.Untold(3).generation, 0);
  table_.BeginUse(3);
  table_.Complete(3, STATUS_SUCCESS);
  EXPECT_EQ(table_.Untold(3).owner, Item::Owner::kEnded);
  EXPECT_FALSE(table_.Refresh(3));
  table_.EndUse(3);
  EXPECT_TRUE(table_.Refresh(3));
  EXPECT_NE(table_.Untold(3).irp, first);
  EXPECT_EQ(table_.Untold(3).generation, 1);
  EXPECT_EQ(table_.NumberOf(first), kNoItem);
}

TEST_F(ItemTableTest, AReusedIrpLiesWhereTheCompletedOneLayButNotUnderTsan) {
  Program program;
  program.operation_count = 8;
  program.setup.reused_irps = true;
  table_.Reset(program, &arena_, &recorder_, ItemKind::kQueuedIrp, files_, nullptr);
  ASSERT_TRUE(table_.Refresh(3));
  PIRP first = table_.Untold(3).irp;
  table_.BeginUse(3);
  table_.Complete(3, STATUS_SUCCESS);
  table_.EndUse(3);
  ASSERT_TRUE(table_.Refresh(3));
  PIRP second = table_.Untold(3).irp;
  EXPECT_EQ(second == first, ItemTable::kReusesIrpMemory);
  EXPECT_EQ(table_.Untold(3).generation, 1);
  EXPECT_EQ(second->Cancel, FALSE);
  EXPECT_EQ(table_.NumberOf(second), 3);
  EXPECT_EQ(table_.FindDamagedRetired(), kNoItem);
  // What was not taken again stays retired: a write to it is damage. What was taken is the
  // new IRP, which may be written.
  KiUnpoison(first);
  first->Tail.Overlay.DriverContext[3] = nullptr;
  EXPECT_EQ(table_.FindDamagedRetired(), ItemTable::kReusesIrpMemory ? kNoItem : 3);
}

TEST_F(ItemTableTest, AWriteBetweenCompletionAndReuseIsDamage) {
  Program program;
  program.operation_count = 8;
  program.setup.reused_irps = true;
  table_.Reset(program, &arena_, &recorder_, ItemKind::kQueuedIrp, files_, nullptr);
  ASSERT_TRUE(table_.Refresh(2));
  PIRP irp = table_.Untold(2).irp;
  table_.Complete(2, STATUS_SUCCESS);
  KiUnpoison(irp);
  irp->Tail.Overlay.DriverContext[3] = nullptr;
  ASSERT_TRUE(table_.Refresh(2));
  EXPECT_EQ(table_.FindDamagedRetired(), 2);
}

TEST_F(ItemTableTest, ADirtySlotIsDirtyAtEveryInsert) {
  Program program;
  program.operation_count = 8;
  program.setup.dirty_slot = true;
  table_.Reset(program, &arena_, &recorder_, ItemKind::kQueuedIrp, files_, nullptr);
  ASSERT_TRUE(table_.Refresh(0));
  for (int i = 0; i < 2; ++i) {
    table_.Untold(0).irp->Tail.Overlay.DriverContext[3] = nullptr;
    table_.GiveToLibrary(0);
    EXPECT_NE(table_.Untold(0).irp->Tail.Overlay.DriverContext[3], nullptr);
    table_.TakeFromLibrary(0);
  }
}

class ContextMemoryTest : public testing::Test {
 protected:
  ContextMemoryTest() { memory_.Reset(contexts_, sizeof contexts_[0]); }
  ~ContextMemoryTest() override { memory_.FindDamaged(); }  // addressable again

  alignas(8) uint64_t contexts_[kFewItems][3] = {};
  ContextMemory memory_;
};

TEST_F(ContextMemoryTest, AFreedContextThatIsLeftAloneIsIntact) {
  memory_.Free(1);
  EXPECT_TRUE(memory_.IsFree(1));
  EXPECT_FALSE(memory_.IsFree(0));
  memory_.Allocate(1);
  EXPECT_FALSE(memory_.IsFree(1));
  contexts_[1][0] = 7;
  memory_.Free(2);
  EXPECT_EQ(memory_.FindDamaged(), kNoItem);
}

#ifndef CANCELSAFE_SANITIZER_ADDRESS
TEST_F(ContextMemoryTest, AWriteToAFreedContextIsFound) {
  memory_.Free(1);
  contexts_[1][2] = 0;
  EXPECT_EQ(memory_.FindDamaged(), 1);
}

TEST_F(ContextMemoryTest, AWriteBeforeTheContextIsAllocatedAgainIsFound) {
  memory_.Free(1);
  contexts_[1][0] = 0;
  memory_.Allocate(1);
  EXPECT_EQ(memory_.FindDamaged(), 1);
}
#endif

TEST_F(ItemTableTest, CompletionIsRecorded) {
  ASSERT_TRUE(table_.Refresh(1));
  table_.Complete(1, STATUS_CANCELLED);
  ASSERT_EQ(recorder_.history().event_count, 1);
  const CallbackEvent& event = recorder_.history().events[0];
  EXPECT_EQ(event.kind, CallbackKind::kCompleted);
  EXPECT_EQ(event.item, 1);
  EXPECT_EQ(event.status, kStatusCancelled);
}

TEST_F(ItemTableTest, TheSnapshotShowsWhatADriverSees) {
  ASSERT_TRUE(table_.Refresh(0));
  PIRP irp = table_.Untold(0).irp;
  EXPECT_EQ(table_.Snapshot(0, 0xffff), kKnownItem | kCanariesIntact);
  IoMarkIrpPending(irp);
  irp->Cancel = TRUE;
  irp->Tail.Overlay.DriverContext[3] = irp;
  EXPECT_EQ(table_.Snapshot(0, 0xffff),
            kKnownItem | kCanariesIntact | kPendingMarked | kCancelFlagSet | kContextSlotSet);
  irp->Tail.Overlay.DriverContext[1] = nullptr;
  EXPECT_EQ(table_.Snapshot(0, 0xffff) & kCanariesIntact, 0);
  table_.Complete(0, STATUS_SUCCESS);
  EXPECT_EQ(table_.Snapshot(0, 0xffff), 0);
}

TEST_F(ItemTableTest, NewIrpsOfOneNumberBelongToOneFile) {
  for (int number = 0; number < kFewItems; ++number) {
    ASSERT_TRUE(table_.Refresh(number));
    EXPECT_EQ(IoGetCurrentIrpStackLocation(table_.Untold(number).irp)->FileObject,
              &files_[number % kFileCount]);
  }
  EXPECT_EQ(table_.FindDamagedRetired(), kNoItem);
}

std::string Table(Bench* bench, const char* program) {
  EXPECT_TRUE(bench->Run(program).ok());
  return Timeline(bench->runner().history());
}

TEST(TimelineTable, HasAColumnForEachFiber) {
  Bench bench(Family::kCsq);
  const std::string table = Table(&bench, R"(target csq
    fiber 0
      insert 0
    fiber 1
      cancel 0
  )");
  const std::string head = table.substr(0, table.find('\n'));
  EXPECT_NE(head.find("fiber 0"), std::string::npos) << table;
  EXPECT_NE(head.find("fiber 1"), std::string::npos) << table;
  EXPECT_EQ(head.find("fiber 2"), std::string::npos) << table;
  EXPECT_NE(table.find("insert 0"), std::string::npos) << table;
  EXPECT_NE(table.find("cancel 0"), std::string::npos) << table;
  EXPECT_EQ(table.back(), '\n');
}

TEST(TimelineTable, IsTheSameForTheSameRun) {
  Bench bench(Family::kStartIo);
  constexpr char kProgram[] = "target start-io\nfiber 0\n  start-packet 0\n  start-next\n";
  EXPECT_EQ(Table(&bench, kProgram), Table(&bench, kProgram));
}

class ReportTest : public testing::Test {
 protected:
  ReportTest() {
    verdict_.kind = VerdictKind::kLostItem;
    verdict_.clause = "CSQ-INV-01";
    verdict_.rule = "lost-item";
    verdict_.reason = "an accepted item ends;\nseen otherwise";
    verdict_.evidence = {"call: insert 0", "call: remove-next"};
  }

  const Program program_ = ProgramOf("target csq\nfiber 0\n  insert 0\n  remove-next\n");
  Verdict verdict_;
};

TEST_F(ReportTest, TellsVerdictProgramAndEvidence) {
  Bench bench(Family::kCsq);
  bench.Run(program_);
  const std::string report = FailureReport(program_, bench.runner().history(), verdict_);
  EXPECT_EQ(report.rfind("VERDICT lost-item CSQ-INV-01 (lost-item)", 0), 0u) << report;
  for (const std::string& part : {PrintProgram(program_), verdict_.evidence[0]}) {
    EXPECT_NE(report.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(report.back(), '\n');
}

TEST_F(ReportTest, TheFileIsTheProgramAgain) {
  const std::string file = FailureFile(program_, verdict_, {"replay: ./cancelsafe replay x"});
  const absl::StatusOr<ProgramFile> read = ReadProgramFile(file);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(read->program == program_);
  ASSERT_EQ(read->header_comments.size(), 2u);
  EXPECT_EQ(read->header_comments[0],
            "VERDICT lost-item CSQ-INV-01 (lost-item): an accepted item ends; seen otherwise");
}

TEST_F(ReportTest, FileNamesTellFailuresApart) {
  const std::string name = FailureFileName(program_, verdict_);
  EXPECT_EQ(name, FailureFileName(program_, verdict_));
  EXPECT_EQ(name.rfind("csq-lost-item-CSQ-INV-01-", 0), 0u) << name;
  EXPECT_NE(name, FailureFileName(ProgramOf("target csq\nfiber 0\n  insert 1\n"), verdict_));
  verdict_.kind = VerdictKind::kDoubleEnding;
  EXPECT_NE(name, FailureFileName(program_, verdict_));
}

TEST_F(ReportTest, WritesWholeFilesOrSaysWhyNot) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("cancelsafe-parts-" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  const std::string path = folder / "failure.txt";
  ASSERT_TRUE(WriteFileAtomically(path, "one").ok());
  ASSERT_TRUE(WriteFileAtomically(path, "two").ok());
  std::ostringstream contents;
  contents << std::ifstream(path).rdbuf();
  EXPECT_EQ(contents.str(), "two");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
  std::filesystem::remove_all(folder);
  const absl::Status status = WriteFileAtomically(path, "three");
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find(path), absl::string_view::npos) << status;
}

TEST_F(ReportTest, AHeaderThatNamesAnotherVerdictIsSaid) {
  const absl::StatusOr<ProgramFile> file = ParseProgramFile(FailureFile(program_, verdict_, {}));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(HeaderDifference(file->header_comments, verdict_), "");
  EXPECT_NE(HeaderDifference(file->header_comments, Verdict()).find(VerdictLine(verdict_)),
            std::string::npos);
  Verdict other = verdict_;
  other.clause = "CSQ-INV-02";
  EXPECT_NE(HeaderDifference(file->header_comments, other), "");
  EXPECT_EQ(HeaderDifference({}, other), "");
}

TEST(MachineTest, EveryViolationHasARowInTheTableOfRules) {
  for (int kind = kIrqlTooHigh; kind <= kNotAnIrp; ++kind) {
    const char* name = KiViolationName(static_cast<KiViolationKind>(kind));
    for (const char* routine :
         {"KeAcquireSpinLock", "IoAcquireCancelSpinLock", "IoCompleteRequest"}) {
      Rule rule = Rule::kLockOrder;
      EXPECT_TRUE(FindKernelRule(name, routine, &rule)) << name;
      EXPECT_STREQ(RuleInfo(rule).name, name);
    }
  }
}

}  // namespace
}  // namespace cancelsafe
