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
int LockedStep(Reading reading, int32_t outcome, const char* clause, const char* order_clause,
               Alternative<CsqModel::State>* out) {
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

}  // namespace

CallbackDataQueueModel::State CallbackDataQueueModel::Initial(const Setup& setup) {
  return CsqModel::Initial(setup);
}

int CallbackDataQueueModel::Step(const Setup& setup, Reading reading, const State& state,
                                 const Operation& operation, uint8_t generation, Alternatives out) {
  if (state.claimed != 0 && operation.op != Op::kCancel) return 0;
  switch (operation.op) {
    case Op::kEnable:
      out[0].next = state;
      out[0].next.disabled &= static_cast<uint8_t>(~(1u << QueueOf(operation)));
      return LockedStep(reading, 0, "CBDQ-EN-01", "CBDQ-EN-05", out);
    case Op::kDisable:
      out[0].next = state;
      out[0].next.disabled |= static_cast<uint8_t>(1u << QueueOf(operation));
      return LockedStep(reading, 0, "CBDQ-DIS-01", "CBDQ-DIS-07", out);
    case Op::kInsert:
      return 0;
    case Op::kInsertEx: {
      const int count =
          CsqModel::StepIn(kDialect, setup, reading, state, operation, generation, out);
      if (count == 0 || (state.disabled >> QueueOf(operation) & 1) == 0) return count;
      // A refused item stays as it was; only its number may now name a new IRP.
      const uint8_t bit = ItemBit(operation.item);
      out[0].next = state;
      if (generation > state.generation[operation.item]) {
        out[0].next.generation[operation.item] = generation;
        out[0].next.cancelled &= static_cast<uint8_t>(~bit);
        out[0].next.ended &= static_cast<uint8_t>(~bit);
      }
      out[0].next.context &= static_cast<uint8_t>(~bit);
      return LockedStep(reading, kStatusCbdqDisabled, "CBDQ-INS-03", "CBDQ-INS-04", out);
    }
    default:
      return CsqModel::StepIn(kDialect, setup, reading, state, operation, generation, out);
  }
}

uint32_t CallbackDataQueueModel::Abstract(const Setup& setup, const State& state) {
  return CsqModel::Abstract(setup, state);
}

std::string CallbackDataQueueModel::Describe(const Setup& setup, const State& state) {
  return CsqModel::Describe(setup, state);
}

}  // namespace cancelsafe
