// Writes test points: TAP 14 with a YAML block. Strings are double-quoted where
// they may hold anything; clause lists and verdicts are plain words.
#include "runner.h"
#include "world.h"

namespace cancelsafe::suite {

namespace {

struct Lines {
  LineWriter writer;
  void* context;
  Text<400> line;

  void Flush() {
    writer(context, line.c_str());
    line.Clear();
  }
};

template <int kCapacity>
void AddQuoted(Text<kCapacity>& line, const char* text) {
  line.Add('"');
  for (; *text != 0; ++text) {
    if (*text == '"' || *text == '\\') line.Add('\\');
    line.Add(*text);
  }
  line.Add('"');
}

// The file as it is named from the suite's folder: files of two families may have one name.
const char* FileName(const char* path) {
  const char* name = path;  // behind the last separator
  const char* in_suite = nullptr;
  for (; *path != 0; ++path) {
    if (*path != '/' && *path != '\\') continue;
    const char* folder = "suite";
    const char* at = name;
    while (at != path && *at == *folder) {
      ++at;
      ++folder;
    }
    name = path + 1;
    if (at == path && *folder == 0) in_suite = name;
  }
  return in_suite != nullptr ? in_suite : name;
}

const char* VerdictOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPass:
      return "pass";
    case Outcome::kFail:
      return "fail";
    case Outcome::kAmbiguous:
      return "ambiguous";
    case Outcome::kNotProvided:
      return "not-provided";
    case Outcome::kNotRun:
      return "not-run";
  }
  return "";
}

// Lists of clauses can be long: a line for each check would be longer still.
void WriteClauses(Lines& out, const char* key, const Result& result, bool ok) {
  const int kept =
      result.check_count < Result::kMaxChecks ? result.check_count : Result::kMaxChecks;
  for (int i = 0; i < kept; ++i) {
    if (result.checks[i].ok != ok) continue;
    bool repeated = false;
    for (int j = 0; j < i && !repeated; ++j) {
      repeated =
          result.checks[j].ok == ok && SameText(result.checks[j].clauses, result.checks[i].clauses);
    }
    if (repeated) continue;
    out.line.Add("    - ").Add(key).Add(": ").Add(result.checks[i].clauses);
    out.Flush();
  }
}

void WriteEvent(Lines& out, const Event& event) {
  static constexpr struct {
    unsigned flag;
    const char* yes;
  } kWords[] = {{kQueueLockHeld, "locked"},
                {kCancelLockHeld, "cancel-lock"},
                {kPendingMarked, "pending"},
                {kCancelRoutineSet, "cancel-routine"},
                {kCancelFlagSet, "cancelled"},
                {kContextSlotSet, "slot3"},
                {kLinked, "linked"}};
  Text<400> text;
  int depth = 0;
  for (int call = event.call; call != kNone && depth < 4; call = w.calls[call].parent) ++depth;
  for (int i = 1; i < depth; ++i) text.Add("  ");
  text.Add(LetterOf(event.kind));
  if (event.kind == CallbackKind::kPeek) {
    text.Add(" after ");
    if (event.after == kNone) {
      text.Add("NULL");
    } else {
      text.AddNumber(event.after);
    }
    text.Add(" finds");
    if (event.item == kNone) text.Add(" NULL");
  }
  if (event.item != kNone) text.Add(' ').AddNumber(event.item);
  if (event.call != kNone) text.Add(" in ").Add(w.calls[event.call].routine);
  if (event.irql != kNone) text.Add(" irql ").AddNumber(event.irql);
  for (const auto& word : kWords) {
    if ((event.known & event.flags & word.flag) == 0) continue;
    const bool current = word.flag == kLinked && event.kind == CallbackKind::kStartIo;
    text.Add(' ').Add(current ? "current" : word.yes);
  }
  if ((event.known & kCanariesIntact) != 0 && (event.flags & kCanariesIntact) == 0)
    text.Add(" CANARY");
  if ((event.known & kTokenMatches) != 0 && (event.flags & kTokenMatches) == 0)
    text.Add(" WRONG-TOKEN");
  out.line.Add("    - ");
  AddQuoted(out.line, text.c_str());
  out.Flush();
}

void WriteSteps(Lines& out) {
  out.line.Add("  steps:");
  out.Flush();
  for (int i = 0; i < w.call_count; ++i) {
    const Call& call = w.calls[i];
    Text<400> text;
    for (int at = call.parent, depth = 0; at != kNone && depth < 4;
         at = w.calls[at].parent, ++depth) {
      text.Add("  ");
    }
    text.Add(call.routine).Add('(').Add(call.text.c_str()).Add(')');
    if (call.answer.size() != 0) text.Add(" -> ").Add(call.answer.c_str());
    const Text<160> trace = TraceOf(i);
    if (trace.size() != 0) text.Add(" [").Add(trace.c_str()).Add(']');
    out.line.Add("    - ");
    AddQuoted(out.line, text.c_str());
    out.Flush();
  }
  out.line.Add("  trace:");
  out.Flush();
  for (int i = 0; i < w.event_count; ++i) WriteEvent(out, w.events[i]);
}

void WriteHead(Lines& out, int number, const Case& test_case, bool ok, const char* skip) {
  out.line.Add(ok ? "ok " : "not ok ").AddNumber(number).Add(" - ").Add(test_case.id);
  if (skip != nullptr) out.line.Add(" # SKIP ").Add(skip);
  out.Flush();
  out.line.Add("  ---");
  out.Flush();
}

}  // namespace

void WriteTestPoint(int number, const Case& test_case, const Result& result, LineWriter writer,
                    void* context) {
  Lines out = {writer, context, {}};
  const bool skipped =
      result.outcome == Outcome::kNotProvided || result.outcome == Outcome::kNotRun;
  Text<160> skip;
  if (skipped) skip.Add(VerdictOf(result.outcome)).Add(": ").Add(result.reason);
  WriteHead(out, number, test_case, result.outcome != Outcome::kFail,
            skipped ? skip.c_str() : nullptr);
  out.line.Add("  verdict: ").Add(VerdictOf(result.outcome));
  out.Flush();
  if (skipped) {
    out.line.Add("  reason: ");
    AddQuoted(out.line, result.reason);
    out.Flush();
  } else {
    out.line.Add("  checks:");
    out.Flush();
    WriteClauses(out, "passed", result, true);
    WriteClauses(out, "failed", result, false);
  }
  if (result.reading_count != 0) {
    out.line.Add("  readings:");
    out.Flush();
  }
  for (int i = 0; i < result.reading_count; ++i) {
    out.line.Add("    - ").Add(result.readings[i].ambiguity).Add(": ");
    AddQuoted(out.line, result.readings[i].text);
    out.Flush();
  }
  if (result.outcome == Outcome::kFail) {
    out.line.Add("  failures:");
    out.Flush();
    for (int i = 0; i < result.failure_count && i < Result::kMaxFailures; ++i) {
      const Failure& failure = result.failures[i];
      out.line.Add("    - clauses: ").Add(failure.clauses);
      out.Flush();
      out.line.Add("      at: ").Add(FileName(failure.file)).Add(':').AddNumber(failure.line);
      out.Flush();
      out.line.Add("      what: ");
      AddQuoted(out.line, failure.what);
      out.Flush();
      out.line.Add("      expected: ");
      AddQuoted(out.line, failure.expected.c_str());
      out.Flush();
      out.line.Add("      seen: ");
      AddQuoted(out.line, failure.seen.c_str());
      out.Flush();
    }
  }
  if (!skipped) WriteSteps(out);
  out.line.Add("  ...");
  out.Flush();
}

void WriteAborted(int number, const Case& test_case, const char* verdict, const char* reason,
                  LineWriter writer, void* context) {
  Lines out = {writer, context, {}};
  const bool skipped = SameText(verdict, "not-provided") || SameText(verdict, "not-run");
  Text<160> skip;
  skip.Add(verdict).Add(": ").Add(reason);
  WriteHead(out, number, test_case, skipped, skipped ? skip.c_str() : nullptr);
  out.line.Add("  verdict: ").Add(verdict);
  out.Flush();
  out.line.Add("  reason: ");
  AddQuoted(out.line, reason);
  out.Flush();
  if (!skipped) WriteSteps(out);
  out.line.Add("  ...");
  out.Flush();
}

}  // namespace cancelsafe::suite
