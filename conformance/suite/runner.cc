// See runner.h. The way out of an abandoned case is the compiler's own
// setjmp, since there is no C library and no exception here.
#include "runner.h"

#include "stubs.h"

namespace cancelsafe::suite {

namespace {

Result result;
// How many there were when the case found that it could not go on.
int failures_before_not_run = 0;
int checks_before_not_run = 0;
void* way_out[5];

int LengthOfWord(const char* words) {
  int length = 0;
  while (words[length] != 0 && words[length] != ' ') ++length;
  return length;
}

bool Provided(const EntryPoints& entry, const char* word, int length) {
#define CANCELSAFE_SUITE_PROVIDED(type, name, parameters)                            \
  if (length == static_cast<int>(sizeof(#name) - 1) && HasWord(#name, word, length)) \
    return entry.name != nullptr;
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_SUITE_PROVIDED)
#undef CANCELSAFE_SUITE_PROVIDED
  return true;  // a kernel service: see MissingService
}

// Whether the test driver (device_queue_driver.cc) does the work of a routine that is not
// provided: a queue is initialised by hand; an entry with the largest key goes to the end;
// key 0 takes the head.
bool HasStandIn(const EntryPoints& entry, const char* word, int length) {
  const auto is = [&](const char* name) { return HasWord(name, word, length) && !name[length]; };
  if (is("KeInitializeDeviceQueue")) return true;
  if (is("KeInsertDeviceQueue")) return entry.KeInsertByKeyDeviceQueue != nullptr;
  if (is("KeRemoveDeviceQueue")) {
    return entry.KeRemoveByKeyDeviceQueue != nullptr ||
           entry.KeRemoveByKeyDeviceQueueIfBusy != nullptr;
  }
  return false;
}

const char* RoutineNamed(const char* word, int length) {
#define CANCELSAFE_SUITE_NAMED(type, name, parameters) \
  if (length == static_cast<int>(sizeof(#name) - 1) && HasWord(#name, word, length)) return #name;
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_SUITE_NAMED)
#undef CANCELSAFE_SUITE_NAMED
  return "";
}

// Runs the case; false if it abandoned itself. Not inlined: the frame that
// setjmp saved has to stay.
__attribute__((noinline)) bool Attempt(const Case& test_case) {
  if (__builtin_setjmp(way_out) != 0) return false;
  test_case.run();
  return true;
}

}  // namespace

int CaseCount() {
  int count = 0;
  for (int i = 0; i < kCaseTableCount; ++i) count += kCaseTables[i]->count;
  return count;
}

const Case& CaseAt(int number) {
  int table = 0;
  while (number >= kCaseTables[table]->count) number -= kCaseTables[table++]->count;
  return kCaseTables[table]->cases[number];
}

const char* MissingRoutine(const Case& test_case, const EntryPoints& entry) {
  const char* words = test_case.routines;
  while (*words != 0) {
    const bool replaceable = *words == '?';
    if (replaceable) ++words;
    const int length = LengthOfWord(words);
    if (!Provided(entry, words, length) && !(replaceable && HasStandIn(entry, words, length))) {
      return RoutineNamed(words, length);
    }
    words += length;
    if (*words == ' ') ++words;
  }
  return nullptr;
}

const char* MissingService(const Case& test_case, const Services& kernel) {
  const unsigned needs = test_case.needs;
  if ((needs & kNeedsIrql) != 0 && kernel.current_irql == nullptr) return "the IRQL";
  if ((needs & kNeedsCancelLock) != 0 &&
      (kernel.cancel_lock_held == nullptr || kernel.acquire_cancel_lock == nullptr)) {
    return "the state of the cancel spin lock";
  }
  if ((needs & kNeedsExchangeHook) != 0 && kernel.set_exchange_hook == nullptr) {
    return "a hook before interlocked operations";
  }
  if ((needs & kNeedsCompletion) != 0 && kernel.complete_request == nullptr) {
    return "IoCompleteRequest";
  }
  if ((needs & kNeedsCancel) != 0 &&
      (kernel.cancel_irp == nullptr || kernel.release_cancel_lock == nullptr)) {
    return "IoCancelIrp";
  }
  if ((needs & kNeedsDevice) != 0 && kernel.create_device == nullptr) return "a device object";
  if ((needs & kNeedsCallbackData) != 0 && kernel.make_callback_data == nullptr) {
    return "callback data of its own";
  }
  if ((needs & kNeedsLocksHeld) != 0 && kernel.locks_held == nullptr) {
    return "the spin locks that are held";
  }
  if ((needs & kNeedsLockCount) != 0 && kernel.lock_count == nullptr) {
    return "how often a spin lock is taken";
  }
  if ((needs & kNeedsCancelLockCount) != 0 && kernel.cancel_lock_count == nullptr) {
    return "how often the cancel spin lock is taken";
  }
  if ((needs & kNeedsFilterCancel) != 0 && kernel.flt_cancel_io == nullptr) return "FltCancelIo";
  return nullptr;
}

bool ChecksHostAlone(const Case& test_case) {
  const char* words = test_case.routines;
  while (*words != 0) {
    if (*words == '?') ++words;
    const int length = LengthOfWord(words);
    if (*RoutineNamed(words, length) != 0) return false;
    words += length;
    if (*words == ' ') ++words;
  }
  return true;
}

const char* RoutineInProgress() {
  return w.current_call == kNone ? nullptr : w.calls[w.current_call].routine;
}

const Result& RunCase(const Case& test_case, const Host& host) {
  result.outcome = Outcome::kPass;
  result.reason = "";
  result.failure_count = result.check_count = result.reading_count = 0;
  w.event_count = w.call_count = 0;
  const char* missing = MissingRoutine(test_case, host.entry);
  if (missing != nullptr) {
    result.outcome = Outcome::kNotProvided;
    result.reason = missing;
    return result;
  }
  missing = MissingService(test_case, host.kernel);
  if (missing != nullptr) {
    result.outcome = Outcome::kNotRun;
    result.reason = missing;
    return result;
  }
  ResetWorld(host);
  if (!Attempt(test_case)) {
    for (TestQueue& queue : w.queues) queue.held = false;
  }
  CloseWorld();
  if (result.outcome == Outcome::kNotRun) {
    // What was noted after it is not the implementation's doing; what was noted before stands.
    result.failure_count = failures_before_not_run;
    result.check_count = checks_before_not_run;
    if (result.failure_count == 0) return result;
    result.reason = "";
  }
  if (result.failure_count != 0) {
    result.outcome = Outcome::kFail;
  } else if (result.reading_count != 0) {
    result.outcome = Outcome::kAmbiguous;
  }
  return result;
}

Result& CurrentResult() { return result; }

void NoteNotRun(const char* reason) {
  if (result.outcome != Outcome::kNotRun) {
    failures_before_not_run = result.failure_count;
    checks_before_not_run = result.check_count;
  }
  result.outcome = Outcome::kNotRun;
  result.reason = reason;
}

void NoteCheck(bool ok, const char* clauses, const char* what, const char* expected,
               const char* seen, const char* file, int line) {
  if (result.check_count < Result::kMaxChecks) result.checks[result.check_count] = {clauses, ok};
  ++result.check_count;
  if (ok) return;
  if (result.failure_count < Result::kMaxFailures) {
    Failure& failure = result.failures[result.failure_count];
    failure.clauses = clauses;
    failure.file = file;
    failure.line = line;
    failure.what = what;
    failure.expected.Clear();
    failure.expected.Add(expected);
    failure.seen.Clear();
    failure.seen.Add(seen);
  }
  ++result.failure_count;
}

void NoteValue(long long expected, long long seen, const char* clauses, const char* what,
               const char* file, int line) {
  Text<160> wanted;
  Text<160> got;
  // Small numbers are items and counts; the rest are status values.
  const bool hex = expected < 0 || expected > 255 || seen < 0 || seen > 255;
  if (hex) {
    wanted.AddHex(static_cast<unsigned long long>(expected) & 0xffffffff);
    got.AddHex(static_cast<unsigned long long>(seen) & 0xffffffff);
  } else {
    wanted.AddNumber(expected);
    got.AddNumber(seen);
  }
  NoteCheck(expected == seen, clauses, what, wanted.c_str(), got.c_str(), file, line);
}

void NotePolicy(bool holds, const char* clauses, const char* ambiguity, const char* if_so,
                const char* if_not) {
  NoteCheck(true, clauses, "", "", "", __FILE__, __LINE__);
  NoteReading(ambiguity, holds ? if_so : if_not);
}

void NoteReading(const char* ambiguity, const char* text) {
  if (result.reading_count < Result::kMaxReadings) {
    result.readings[result.reading_count++] = {ambiguity, text};
  }
}

void Abandon(const char* clauses, const char* what) {
  NoteCheck(false, clauses, what, "the call returns", "the case had to be given up", __FILE__,
            __LINE__);
  __builtin_longjmp(way_out, 1);
}

}  // namespace cancelsafe::suite
