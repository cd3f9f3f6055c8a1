// See model.h.
#include "oracle/callback_data_queue/model.h"

namespace cancelsafe {
namespace {

constexpr CsqDialect kDialect = {
    /*always_ex=*/true,
    kStatusInsufficientResources,
    /*insert=*/{"CBDQ-INS-01", "CBDQ-INS-05"},
    /*insert_ex=*/{"CBDQ-INS-01", "CBDQ-INS-05"},
    /*insert_ex_classic=*/{"CBDQ-INS-01", "CBDQ-INS-05"},
    /*insert_failed=*/{"CBDQ-INS-09", "CBDQ-INS-10"},
    /*insert_cancelled=*/{"CBDQ-INS-13", "CBDQ-INS-12"},
    /*insert_ex_cancelled=*/{"CBDQ-INS-13", "CBDQ-INS-12"},
    /*insert_refused=*/{"CBDQ-INS-13", "CBDQ-INS-12"},
    /*insert_ex_refused=*/{"CBDQ-INS-13", "CBDQ-INS-12"},
    /*insert_claimed=*/{"CBDQ-INS-13", "CBDQ-INS-12"},
    /*insert_ex_claimed=*/{"CBDQ-INS-13", "CBDQ-INS-12"},
    /*remove=*/{"CBDQ-REM-01", "CBDQ-REM-03"},
    /*remove_cancelled=*/{"CBDQ-REM-05", "CBDQ-REM-04"},
    /*remove_stale=*/{"CBDQ-REM-02", "CBDQ-REM-04"},
    /*next=*/{"CBDQ-NEXT-01", "CBDQ-NEXT-04"},
    /*next_none=*/{"CBDQ-NEXT-02", "CBDQ-NEXT-04"},
    /*cancel=*/{"CBDQ-INS-18", "CBDQ-CXL-01"},
    /*cancel_again=*/{"CSQ-CXL-08", "CBDQ-CXL-02"},
    /*cancel_early=*/{"CSQ-CXL-09", "CBDQ-CXL-01"},
    /*complete=*/{"IRP-COMP-02", "CBDQ-CXL-01"},
};

constexpr Trace kLockOnly =
    Trace::Empty().Then(CallbackKind::kAcquire).Then(CallbackKind::kRelease);

// The one alternative in out[0] with these callbacks, and under the portable
// reading another one without any (AMB-40, AMB-43).
template <class State>
int LockedStep(Reading reading, int32_t outcome, const char* clause, const char* order_clause,
               Alternative<State>* out) {
  out[0].outcome.value = outcome;
  out[0].any_outcome = false;
  out[0].needs_cancel = false;
  out[0].trace = kLockOnly;
  out[0].clause = clause;
  out[0].order_clause = order_clause;
  if (reading == Reading::kOwn) return 1;
  out[1] = out[0];
  out[1].trace = Trace::Empty();
  return 2;
}

// No page says what disabling a queue twice does (AMB-42): one flag is our own reading; by
// another, disables are counted, and as many enables undo them.
constexpr int kDisablesMax = 15;

template <class State>
int Disables(const State& state, int queue) {
  return state.disables >> 4 * queue & kDisablesMax;
}

template <class State>
void SetDisables(State* state, int queue, int count) {
  state->disables =
      static_cast<uint8_t>((state->disables & ~(kDisablesMax << 4 * queue)) | count << 4 * queue);
}

template <class State>
int StepDisable(Reading reading, const State& state, int queue, Alternative<State>* out) {
  out[0].next = state;
  out[0].next.disabled |= static_cast<uint8_t>(1u << queue);
  const int before = Disables(state, queue);
  if (reading == Reading::kPortable && before < kDisablesMax) {
    SetDisables(&out[0].next, queue, before + 1);
  }
  return LockedStep(reading, 0, "CBDQ-DIS-01", "CBDQ-DIS-07", out);
}

template <class State>
int StepEnable(Reading reading, const State& state, int queue, Alternative<State>* out) {
  out[0].next = state;
  out[0].next.disabled &= static_cast<uint8_t>(~(1u << queue));
  SetDisables(&out[0].next, queue, 0);
  int count = LockedStep(reading, 0, "CBDQ-EN-01", "CBDQ-EN-05", out);
  const int before = Disables(state, queue);
  if (before > 1) {
    out[count].next = state;
    SetDisables(&out[count].next, queue, before - 1);
    count += LockedStep(reading, 0, "CBDQ-EN-01", "CBDQ-EN-05", &out[count]);
  }
  return count;
}

bool GivesToInsertCallback(Trace trace) {
  TraceStep steps[Trace::kMaxSteps];
  const int count = UnpackTrace(trace, steps);
  for (int i = 0; i < count; ++i) {
    if (steps[i].kind == CallbackKind::kInsert) return true;
  }
  return false;
}

// Which of "disabled" and "already cancelled" comes first is nowhere said (AMB-43). Of the
// `count` ways to insert into a queue that is enabled, those that never give the item to the
// insert callback are ways of one that is disabled, too. Moves them to the front of `out`.
template <class State>
int KeepRefusals(int count, Alternative<State>* out) {
  int kept = 0;
  for (int i = 0; i < count; ++i) {
    if (!GivesToInsertCallback(out[i].trace)) out[kept++] = out[i];
  }
  return kept;
}

}  // namespace

template <int kItemCount>
typename CallbackDataQueueModelOf<kItemCount>::State CallbackDataQueueModelOf<kItemCount>::Initial(
    const Setup& setup) {
  return Queue::Initial(setup);
}

template <int kItemCount>
int CallbackDataQueueModelOf<kItemCount>::Step(const Setup& setup, Reading reading,
                                               const State& state, const Operation& operation,
                                               uint8_t generation, Alternatives out) {
  if (state.claimed != 0 && operation.op != Op::kCancel) return 0;
  switch (operation.op) {
    case Op::kEnable:
      return StepEnable(reading, state, QueueOf(operation), out);
    case Op::kDisable:
      return StepDisable(reading, state, QueueOf(operation), out);
    case Op::kInsert:
      return 0;
    case Op::kInsertEx: {
      if (!HasIrp(setup, operation.item)) {
        // No document says what happens (AMB-44), so other implementations are not asked.
        out[0].next = state;
        LockedStep(Reading::kOwn, kStatusInvalidParameter, "CBDQ-INS-11", "CBDQ-INS-11", out);
        out[0].trace = Trace::Empty();
        return 1;
      }
      int count = Queue::StepIn(kDialect, setup, reading, state, operation, generation, out);
      if (count == 0 || (state.disabled >> QueueOf(operation) & 1) == 0) return count;
      count = KeepRefusals(count, out);
      // A refused item stays as it was; only its number may now name a new IRP.
      const auto bit = ItemBit<kItems>(operation.item);
      State& refused = out[count].next;
      refused = state;
      if (generation > state.generation[operation.item]) {
        refused.generation[operation.item] = generation;
        refused.cancelled &= ~bit;
        refused.ended &= ~bit;
      }
      refused.context &= ~bit;
      return count +
             LockedStep(reading, kStatusCbdqDisabled, "CBDQ-INS-03", "CBDQ-INS-04", &out[count]);
    }
    default:
      return Queue::StepIn(kDialect, setup, reading, state, operation, generation, out);
  }
}

template <int kItemCount>
uint32_t CallbackDataQueueModelOf<kItemCount>::Abstract(const Setup& setup, const State& state) {
  return Queue::Abstract(setup, state);
}

template <int kItemCount>
std::string CallbackDataQueueModelOf<kItemCount>::Describe(const Setup& setup, const State& state) {
  return Queue::Describe(setup, state);
}

template struct CallbackDataQueueModelOf<kFewItems>;
template struct CallbackDataQueueModelOf<kMaxItems>;

}  // namespace cancelsafe
