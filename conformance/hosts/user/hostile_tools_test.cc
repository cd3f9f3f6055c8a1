// Every act of the hostile guest, inside a routine, in every tool that runs an
// implementation: which exit status each has, and what it says. A cell is a process of the
// tool as a user starts it. No tool may hang, succeed in silence, or leave a file where it
// was not told to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "conformance/testing/run_command.h"

namespace cancelsafe::conformance {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

namespace fs = std::filesystem;

constexpr int kOk = 0;
constexpr int kViolation = 1;
constexpr int kSetup = 3;
// What libFuzzer ends with: a finding, a run that does not end, too much memory, SIGTERM.
constexpr int kFinding = 77;
constexpr int kTimeOut = 70;
constexpr int kOutOfMemory = 71;
constexpr int kInterrupted = 72;

// ASan and UBSan need descriptors to look at memory; without any they end the process, or
// take a sound object for a damaged one.
#ifdef CANCELSAFE_SANITIZER_ADDRESS
constexpr bool kAddress = true;
#else
constexpr bool kAddress = false;
#endif

constexpr char kOtherReport[] =
    R"({"suite":"cancelsafe","version":"1.0.0","implementation":"a kernel of another kind","host":"user mode","entry_points":23}
{"case":"dq.insert.idle","routine":"KeInsertDeviceQueue","clauses":["DQ-INS-01"],"verdict":"pass","passed":["DQ-INS-01"],"steps":[],"trace":[]}
{"cases":1,"verdicts":{"pass":1,"fail":0,"not-provided":0,"ambiguous":0,"expected-failure":0,"unexpected-pass":0,"crash":0,"time-out":0,"not-run":0},"clauses_checked":1}
)";

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The expected exit status and a part of the output, for each tool.
struct Cell {
  int status;
  const char* says;
  int or_status = -1;  // where two limits race
};

struct Row {
  const char* act;
  Cell conform;
  Cell replay;
  Cell explore;
  Cell fuzz;
};

// What ends, stops, blocks, doubles or spoils the process is a violation, except in
// conform, where what only the process of one case has is gone with it.
constexpr Row kRows[] = {
    {"exit",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "ended the process"},
     {kViolation, "ended the process"},
     {kFinding, "target exited"}},
    {"quick-exit",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "exit status 0"},
     {kViolation, "exit status 0"},
     {kFinding, "exit status 0"}},
    {"exit-one",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "ended the process"},
     {kViolation, "ended the process"},
     {kFinding, "target exited"}},
    {"library-exit",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "exit status 0"},
     {kViolation, "exit status 0"},
     {kFinding, "exit status 0"}},
    {"system-exit",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "exit status 0"},
     {kViolation, "exit status 0"},
     {kFinding, "exit status 0"}},
    {"abort",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "signal-6"},
     {kViolation, "signal-6"},
     {kFinding, "signal-6"}},
    {"trap",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "VERDICT "},
     {kViolation, "VERDICT "},
     {kFinding, ""}},
    {"float",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "VERDICT "},
     {kViolation, "VERDICT "},
     {kFinding, "VERDICT "}},
    {"pipe",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "signal 13"},
     {kViolation, "signal 13"},
     {kFinding, "signal 13"}},
    {"bus",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "VERDICT "},
     {kViolation, "VERDICT "},
     {kFinding, "VERDICT "}},
    {"segv",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "VERDICT "},
     {kViolation, "VERDICT "},
     {kFinding, "VERDICT "}},
    {"kill",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "signal 9"},
     {kViolation, "signal 9"},
     {kFinding, "signal 9"}},
    {"term",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "signal 15"},
     {kViolation, "signal 15"},
     {kInterrupted, "run interrupted"}},
    {"stop",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "stopped the process"},
     {kViolation, "stopped the process"},
     {kFinding, "stopped the process"}},
    {"loop",
     {kViolation, "time-out: dq.insert.idle"},
     {kViolation, "livelock (time-out)"},
     {kViolation, "livelock (time-out)"},
     {kTimeOut, "timeout"}},
    {"sleep",
     {kViolation, "time-out: dq.insert.idle"},
     {kViolation, "livelock (time-out)"},
     {kViolation, "livelock (time-out)"},
     {kTimeOut, "timeout"}},
    {"disarm-loop",
     {kViolation, "time-out: dq.insert.idle"},
     {kViolation, "did not end and was killed"},
     {kViolation, "did not end and was killed"},
     {kFinding, "did not end and was killed"}},
    {"block-loop",
     {kViolation, "time-out: dq.insert.idle"},
     {kViolation, "did not end and was killed"},
     {kViolation, "did not end and was killed"},
     {kFinding, "did not end and was killed"}},
    {"block-sleep",
     {kViolation, "time-out: dq.insert.idle"},
     {kViolation, "did not end and was killed"},
     {kViolation, "did not end and was killed"},
     {kFinding, "did not end and was killed"}},
    {"block",
     {kOk, "conforms: "},
     {kOk, "VERDICT pass"},
     {kOk, "no violation"},
     {kOk, "Executed "}},
    {"fork",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "started another"},
     {kViolation, "started another"},
     {kFinding, "started another"}},
    {"system-fork",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "VERDICT crash (exit)"},
     {kViolation, "VERDICT crash (exit)"},
     {kFinding, "VERDICT crash (exit)"}},
    {"fork-wait",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "started another"},
     {kViolation, "started another"},
     {kFinding, "started another"}},
    {"daemon",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "started another"},
     {kViolation, "started another"},
     {kFinding, "started another"}},
    {"exec",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "exit status 0"},
     {kViolation, "exit status 0"},
     {kFinding, "exit status 0"}},
    {"exec-sleep",
     {kViolation, "time-out: dq.insert.idle"},
     {kViolation, "signal 14"},
     {kViolation, "signal 14"},
     {kFinding, "signal 14"}},
    {"thread",
     {kOk, "conforms: "},
     {kOk, "VERDICT pass"},
     {kOk, "no violation"},
     {kOk, "Executed "}},
    {"many-threads",
     {kOk, "conforms: "},
     {kOk, "VERDICT pass"},
     {kOk, "no violation"},
     {kOk, "Executed "}},
    {"thread-exits",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "ended the process"},
     {kViolation, "ended the process"},
     {kFinding, "target exited"}},
    {"end-thread",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "VERDICT "},
     {kViolation, "VERDICT "},
     {kFinding, "VERDICT "}},
    {"memory",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "VERDICT "},
     {kViolation, "VERDICT "},
     {kFinding, "", kOutOfMemory}},
    {"many-descriptors",
     {kOk, "conforms: "},
     {kAddress ? kViolation : kSetup, ""},
     {kAddress ? kViolation : kOk, ""},
     {kAddress ? kFinding : kOk, ""}},
    {"close",
     {kOk, "conforms: "},
     {kViolation, "descriptor"},
     {kViolation, "descriptor"},
     {kFinding, "descriptor"}},
    {"write-all",
     {kOk, "conforms: "},
     {kViolation, "VERDICT crash"},
     {kViolation, "VERDICT crash"},
     {kFinding, "VERDICT crash"}},
    {"replace-output",
     {kOk, "conforms: "},
     {kViolation, "descriptor"},
     {kViolation, "descriptor"},
     {kFinding, "descriptor"}},
    {"directory",
     {kOk, "conforms: "},
     {kViolation, "the working directory"},
     {kViolation, "the working directory"},
     {kFinding, "the working directory"}},
    {"umask",
     {kOk, "conforms: "},
     {kViolation, "the umask"},
     {kViolation, "the umask"},
     {kFinding, "the umask"}},
    {"handler",
     {kOk, "conforms: "},
     {kOk, "VERDICT pass"},
     {kOk, "no violation"},
     {kOk, "Executed "}},
    {"alarm",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "VERDICT "},
     {kViolation, "VERDICT "},
     {kFinding, "VERDICT "}},
    {"longjmp",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "VERDICT "},
     {kViolation, "VERDICT "},
     {kFinding, "VERDICT "}},
    {"stack",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "VERDICT "},
     {kViolation, "VERDICT "},
     {kFinding, "VERDICT "}},
    {"stack-alone",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "VERDICT "},
     {kViolation, "VERDICT "},
     {kFinding, "VERDICT "}},
    {"unmap",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "VERDICT "},
     {kViolation, "VERDICT "},
     {kFinding, "VERDICT "}},
    {"limits",
     {kOk, "conforms: "},
     {kViolation, "VERDICT "},
     {kViolation, "VERDICT crash"},
     {kFinding, "VERDICT "}},
    {"limit-processor",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "signal 9"},
     {kViolation, "signal 9"},
     {kFinding, "signal 9"}},
    {"limit-memory",
     {kOk, "conforms: "},
     {kViolation, "VERDICT crash"},
     {kViolation, "VERDICT crash"},
     {kFinding, "VERDICT crash"}},
    {"kill-group",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "signal 9"},
     {kViolation, "signal 9"},
     {kFinding, "signal 9"}},
    {"bad-heap",
     {kViolation, "crash: dq.insert.idle"},
     {kViolation, "VERDICT "},
     {kViolation, "VERDICT "},
     {kFinding, "VERDICT "}},
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.act; }

class HostileToolsTest : public testing::TestWithParam<Row> {
 protected:
  void SetUp() override {
    folder_ = absl::StrCat(testing::TempDir(), "/cancelsafe-tools-", GetParam().act, "-", getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_ + "/corpus");
    fs::create_directories(folder_ + "/saved");
    guest_ = absl::StrCat(folder_, "/hostile.routine.", GetParam().act, ".so");
    fs::create_symlink(CANCELSAFE_HOSTILE_GUEST, guest_);
    program_ = folder_ + "/corpus/program.txt";
    std::ofstream(program_) << "target device-queue\nfiber 0\n  queue-insert 0\n"
                               "  queue-insert 1\n  queue-remove\n";
  }
  void TearDown() override { fs::remove_all(folder_); }

  // Files that lie in the folder, beside those of SetUp and those in saved/.
  std::vector<std::string> Strays() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      const std::string path = entry.path().string();
      if (entry.is_directory() || path == guest_ || path == program_) continue;
      if (path.rfind(folder_ + "/saved/", 0) != 0) names.push_back(path);
    }
    return names;
  }

  void Expect(const Cell& cell, const std::vector<std::string>& words) {
    std::vector<std::string> limited = {"timeout", "-k", "5", "120"};
    limited.insert(limited.end(), words.begin(), words.end());
    const CommandResult result = RunCommand(limited);
    EXPECT_THAT(result.status, AnyOf(cell.status, cell.or_status)) << result.output;
    EXPECT_THAT(result.output, HasSubstr(cell.says));
    EXPECT_THAT(Strays(), testing::IsEmpty());
  }

  std::string folder_, guest_, program_;
};

// The report of another implementation lies beside what the guest does, and has nothing to do with
// it.
TEST_P(HostileToolsTest, ConformBesideAnotherReport) {
  const std::string other = folder_ + "/saved/other.jsonl";
  std::ofstream(other) << kOtherReport;
  Expect(GetParam().conform,
         {CANCELSAFE_PROGRAM, "conform", "--implementation", guest_, "--clause", "dq.insert.idle",
          "--report", folder_ + "/saved", "--compare", other});
  EXPECT_EQ(Contents(other), kOtherReport);
  const std::string page = Contents(folder_ + "/saved/report.html");
  EXPECT_THAT(page, HasSubstr("a kernel of another kind"));
  EXPECT_THAT(page, HasSubstr("dq.insert.idle"));
}

TEST_P(HostileToolsTest, Replay) {
  Expect(GetParam().replay,
         {CANCELSAFE_PROGRAM, "replay", "--sanitizer", CANCELSAFE_OWN_SANITIZER, "--file-seconds",
          "2", "--implementation", guest_, "--html", folder_ + "/saved/page.html", program_});
}

TEST_P(HostileToolsTest, Explore) {
  Expect(GetParam().explore,
         {CANCELSAFE_PROGRAM, "explore", "--sanitizer", CANCELSAFE_OWN_SANITIZER, "--hang-seconds",
          "2", "--implementation", guest_, "--save", folder_ + "/saved", program_});
}

TEST_P(HostileToolsTest, FuzzTarget) {
  Expect(GetParam().fuzz, {CANCELSAFE_FUZZER, absl::StrCat("--implementation=", guest_),
                           // Memory takes time as well.
                           std::string(GetParam().act) == "memory" ? "-timeout=60" : "-timeout=2",
                           absl::StrCat("--artifacts=", folder_, "/saved"),
                           absl::StrCat("-artifact_prefix=", folder_, "/saved/"), program_});
}

using HungTargetTest = HostileToolsTest;

Row ActAlone(const char* act) { return {act, Cell(), Cell(), Cell(), Cell()}; }

// A campaign asks so when its time is over.
TEST_P(HungTargetTest, SaysWhereItHangsWhenItIsAskedToStop) {
  const CommandResult result =
      RunCommand({"timeout", "--preserve-status", "-k", "60", "4", CANCELSAFE_FUZZER,
                  absl::StrCat("--implementation=", guest_), "-timeout=1000",
                  absl::StrCat("--artifacts=", folder_, "/saved"), program_});
  EXPECT_EQ(result.status, kFinding) << result.output;
  EXPECT_THAT(result.output, HasSubstr("VERDICT livelock (time-out)"));
  EXPECT_THAT(result.output, HasSubstr("saved:  " + folder_ + "/saved/device-queue-livelock"));
}

INSTANTIATE_TEST_SUITE_P(Acts, HungTargetTest,
                         testing::Values(ActAlone("block-loop"), ActAlone("sleep"),
                                         ActAlone("disarm-loop")),
                         [](const testing::TestParamInfo<Row>& row) {
                           return absl::StrReplaceAll(row.param.act, {{"-", "_"}});
                         });

INSTANTIATE_TEST_SUITE_P(Acts, HostileToolsTest, testing::ValuesIn(kRows),
                         [](const testing::TestParamInfo<Row>& row) {
                           return absl::StrReplaceAll(row.param.act, {{"-", "_"}});
                         });

}  // namespace
}  // namespace cancelsafe::conformance
