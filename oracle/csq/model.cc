// See model.h.
#include "oracle/csq/model.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace cancelsafe {
namespace {

template <class Model>
using Choice = Alternative<typename Model::State>;

constexpr CsqDialect kDialect = {
    /*always_ex=*/false,
    kStatusUnsuccessful,
    /*insert=*/{"CSQ-INSERT-01", "CSQ-INSERT-02"},
    /*insert_ex=*/{"CSQ-INSEX-02", "CSQ-INSEX-05"},
    /*insert_ex_classic=*/{"CSQ-INSEX-01", "CSQ-INSEX-13"},
    /*insert_failed=*/{"CSQ-INSEX-02", "CSQ-INSEX-08"},
    /*insert_cancelled=*/{"CSQ-INSERT-13", "CSQ-INSERT-13"},
    /*insert_ex_cancelled=*/{"CSQ-INSEX-16", "CSQ-INSEX-15"},
    /*insert_refused=*/{"CSQ-INSERT-12", "CSQ-INSERT-12"},
    /*insert_ex_refused=*/{"CSQ-INSEX-14", "CSQ-INSEX-14"},
    /*insert_claimed=*/{"CSQ-INSERT-16", "CSQ-INSERT-16"},
    /*insert_ex_claimed=*/{"CSQ-INSEX-16", "CSQ-INSERT-16"},
    /*remove=*/{"CSQ-REM-01", "CSQ-REM-03"},
    /*remove_cancelled=*/{"CSQ-REM-02", "CSQ-REM-04"},
    /*remove_stale=*/{"CSQ-REM-08", "CSQ-REM-04"},
    /*next=*/{"CSQ-NEXT-01", "CSQ-NEXT-04"},
    /*next_none=*/{"CSQ-NEXT-02", "CSQ-NEXT-08"},
    /*cancel=*/{"CSQ-CXL-02", "CSQ-CXL-03"},
    /*cancel_again=*/{"CSQ-CXL-08", "CSQ-CXL-08"},
    /*cancel_early=*/{"CSQ-CXL-09", "CSQ-CXL-11"},
    /*complete=*/{"IRP-COMP-02", "CSQ-CXL-11"},
};

constexpr Trace kLockOnly =
    Trace::Empty().Then(CallbackKind::kAcquire).Then(CallbackKind::kRelease);

constexpr Trace Acquired() { return Trace::Empty().Then(CallbackKind::kAcquire); }

template <class State>
void Fill(Alternative<State>* choice, int32_t outcome, Trace trace, const ClausePair& clause) {
  choice->outcome.value = outcome;
  choice->any_outcome = false;
  choice->needs_cancel = false;
  choice->trace = trace;
  choice->clause = clause.outcome;
  choice->order_clause = clause.order;
}

int32_t SuccessStatus(InsertStatus status) {
  switch (status) {
    case InsertStatus::kSuccess:
      return kStatusSuccess;
    case InsertStatus::kPending:
      return kStatusPending;
    case InsertStatus::kInformational:
      return kStatusObjectNameExists;
  }
  return kStatusSuccess;
}

template <class State>
bool Matches(const Setup& setup, const State& state, const Operation& operation, uint8_t item) {
  switch (setup.peek) {
    case PeekPolicy::kAny:
      return true;
    case PeekPolicy::kByFile:
      return operation.selector == 0 || item % kFileCount == operation.selector - 1;
    case PeekPolicy::kByKey:
      return state.key[item] >= operation.key;
  }
  return false;
}

template <class Model>
void Enqueue(const Setup& setup, const Operation& operation, typename Model::State* state) {
  const int queue = QueueOf(operation);
  ItemListOf<Model::kItems>& order = state->order[queue];
  int position = state->count[queue];
  if (setup.insert == InsertPolicy::kHead) {
    position = 0;
  } else if (setup.insert == InsertPolicy::kSorted) {
    position = 0;
    while (position < state->count[queue] && state->key[order.item[position]] <= operation.key) {
      ++position;
    }
  }
  order.InsertAt(position, operation.item);
  ++state->count[queue];
  state->queued |= ItemBit<Model::kItems>(operation.item);
  if (queue != 0) state->second |= ItemBit<Model::kItems>(operation.item);
  state->key[operation.item] = operation.key;
}

template <class Model>
void Dequeue(uint8_t item, typename Model::State* state) {
  const int queue = (state->second & ItemBit<Model::kItems>(item)) != 0 ? 1 : 0;
  state->order[queue].RemoveAt(state->order[queue].Find(item));
  --state->count[queue];
  state->second &= ~ItemBit<Model::kItems>(item);
  state->queued &= ~ItemBit<Model::kItems>(item);
  state->context &= ~ItemBit<Model::kItems>(item);
  state->key[item] = 0;
}

template <class Model>
int StepInsert(const CsqDialect& dialect, const Setup& setup, Reading reading,
               const Operation& operation, Choice<Model>* out) {
  typename Model::State& state = out[0].next;
  const uint8_t item = operation.item;
  const auto bit = ItemBit<Model::kItems>(item);
  if (((state.queued | state.ended) & bit) != 0) return 0;
  const bool ex_queue = setup.ex || dialect.always_ex;
  const bool ex_call = operation.op == Op::kInsertEx;
  const bool cancelled_before = (state.cancelled & bit) != 0;
  int count = 1;

  if (reading == Reading::kPortable && cancelled_before) {
    // Whether the lock is taken for an IRP that is not to be queued is nowhere said (AMB-1).
    for (const Trace& before : {kLockOnly, Trace::Empty()}) {
      Choice<Model>& refused = out[count++];
      refused.next = state;
      refused.next.ended |= bit;
      refused.next.context &= ~bit;
      Fill(&refused, 0, before.Then(CallbackKind::kCompleteCanceled, item),
           ex_call ? dialect.insert_ex_refused : dialect.insert_refused);
      refused.any_outcome = ex_call;
    }
  }

  uint8_t& insert_callbacks = state.insert_callbacks[QueueOf(operation)];
  const int ordinal = insert_callbacks + 1;
  const int last_named = std::max(setup.failing_insert, setup.cancelling_insert);
  if (ordinal <= last_named + 1) insert_callbacks = static_cast<uint8_t>(ordinal);
  state.context &= ~bit;
  const Trace inserted = Acquired().Then(CallbackKind::kInsert, item);

  if (ex_queue && setup.failing_insert != 0 && ordinal == setup.failing_insert) {
    const int32_t failure = setup.warning_status ? kStatusBufferOverflow : dialect.failure_status;
    Fill(&out[0], ex_call ? failure : 0, inserted.Then(CallbackKind::kRelease),
         dialect.insert_failed);
    return count;
  }
  const int32_t status = ex_call && ex_queue ? SuccessStatus(setup.insert_status) : kStatusSuccess;
  const bool cancelled_inside = setup.cancelling_insert != 0 && ordinal == setup.cancelling_insert;
  if (cancelled_before || cancelled_inside) {
    state.cancelled |= bit;
    // CSQ-INSERT-16: the routine is set for a moment, and a second IoCancelIrp
    // may take it in that moment.
    Choice<Model>& claimed = out[count++];
    claimed.next = state;
    Enqueue<Model>(setup, operation, &claimed.next);
    if ((operation.flags & kWithContext) != 0) claimed.next.context |= bit;
    claimed.next.claimed = static_cast<uint8_t>(1 + item);
    Fill(&claimed, status, inserted.Then(CallbackKind::kRelease),
         ex_call ? dialect.insert_ex_claimed : dialect.insert_claimed);
    claimed.needs_cancel = true;
    state.ended |= bit;
    Fill(&out[0], status,
         inserted.Then(CallbackKind::kRemove, item)
             .Then(CallbackKind::kRelease)
             .Then(CallbackKind::kCompleteCanceled, item),
         ex_call ? dialect.insert_ex_cancelled : dialect.insert_cancelled);
    out[0].any_outcome = ex_call && reading == Reading::kPortable;
    return count;
  }
  Enqueue<Model>(setup, operation, &state);
  if ((operation.flags & kWithContext) != 0) state.context |= bit;
  Fill(&out[0], status, inserted.Then(CallbackKind::kRelease),
       !ex_call    ? dialect.insert
       : !ex_queue ? dialect.insert_ex_classic
                   : dialect.insert_ex);
  return count;
}

template <class Model>
int StepRemove(const CsqDialect& dialect, const Operation& operation, Choice<Model>* out) {
  typename Model::State& state = out[0].next;
  const uint8_t item = operation.item;
  const auto bit = ItemBit<Model::kItems>(item);
  if ((state.queued & state.context & bit) != 0) {
    Dequeue<Model>(item, &state);
    Fill(&out[0], item, Acquired().Then(CallbackKind::kRemove, item).Then(CallbackKind::kRelease),
         dialect.remove);
    return 1;
  }
  const bool cancelled = (state.cancelled & state.ended & bit) != 0;
  Fill(&out[0], kNothing, kLockOnly, cancelled ? dialect.remove_cancelled : dialect.remove_stale);
  return 1;
}

template <class Model>
int StepRemoveNext(const CsqDialect& dialect, const Setup& setup, const Operation& operation,
                   Choice<Model>* out) {
  typename Model::State& state = out[0].next;
  const int queue = QueueOf(operation);
  for (int i = 0; i < state.count[queue]; ++i) {
    const uint8_t item = state.order[queue].item[i];
    if (!Matches(setup, state, operation, item)) continue;
    Dequeue<Model>(item, &state);
    Fill(&out[0], item,
         Acquired()
             .Then(CallbackKind::kPeek, item)
             .Then(CallbackKind::kRemove, item)
             .Then(CallbackKind::kRelease),
         dialect.next);
    return 1;
  }
  Fill(&out[0], kNothing,
       Acquired().Then(CallbackKind::kPeek, kNoItem).Then(CallbackKind::kRelease),
       dialect.next_none);
  return 1;
}

template <class Model>
int StepCancel(const CsqDialect& dialect, const Operation& operation, bool old_irp,
               Choice<Model>* out) {
  typename Model::State& state = out[0].next;
  const uint8_t item = operation.item;
  const auto bit = ItemBit<Model::kItems>(item);
  if (old_irp || (state.ended & bit) != 0) {
    Fill(&out[0], 0, Trace::Empty(), dialect.cancel_again);
    return 1;
  }
  const bool queued = (state.queued & bit) != 0;
  state.cancelled |= bit;
  if (!queued) {
    Fill(&out[0], 0, Trace::Empty(), dialect.cancel_early);
    return 1;
  }
  Dequeue<Model>(item, &state);
  state.ended |= bit;
  state.claimed = 0;
  Fill(&out[0], 1,
       Acquired()
           .Then(CallbackKind::kRemove, item)
           .Then(CallbackKind::kRelease)
           .Then(CallbackKind::kCompleteCanceled, item),
       dialect.cancel);
  return 1;
}

}  // namespace

template <int kItemCount>
typename CsqModelOf<kItemCount>::State CsqModelOf<kItemCount>::Initial(const Setup&) {
  State state;
  std::memset(&state, 0, sizeof(state));
  for (ItemListOf<kItems>& order : state.order) order.Clear();
  return state;
}

template <int kItemCount>
int CsqModelOf<kItemCount>::Step(const Setup& setup, Reading reading, const State& state,
                                 const Operation& operation, uint8_t generation, Alternatives out) {
  return StepIn(kDialect, setup, reading, state, operation, generation, out);
}

template <int kItemCount>
int CsqModelOf<kItemCount>::StepIn(const CsqDialect& dialect, const Setup& setup, Reading reading,
                                   const State& state, const Operation& operation,
                                   uint8_t generation, Alternatives out) {
  if (state.claimed != 0 && (operation.op != Op::kCancel || operation.item + 1 != state.claimed ||
                             generation != state.generation[operation.item])) {
    return 0;
  }
  State& next = out[0].next;
  next = state;
  if (operation.op == Op::kRemoveNext)
    return StepRemoveNext<CsqModelOf>(dialect, setup, operation, out);
  if (operation.op == Op::kHoldCancelLock) {
    Fill(&out[0], 0, Trace::Empty(), {"IRP-CSL-02", "CSQ-CXL-11"});
    return 1;
  }
  const uint8_t item = operation.item;
  const auto bit = ItemBit<kItems>(item);
  const bool old_irp = generation < next.generation[item];
  if (generation > next.generation[item]) {
    // A new IRP has the old one's number only once the old one has ended.
    if ((next.queued & bit) != 0) return 0;
    next.generation[item] = generation;
    next.context &= ~bit;
    next.cancelled &= ~bit;
    next.ended &= ~bit;
  }
  switch (operation.op) {
    case Op::kInsert:
    case Op::kInsertEx:
      return old_irp ? 0 : StepInsert<CsqModelOf>(dialect, setup, reading, operation, out);
    case Op::kRemove:
      return StepRemove<CsqModelOf>(dialect, operation, out);
    case Op::kCancel:
      return StepCancel<CsqModelOf>(dialect, operation, old_irp, out);
    case Op::kComplete:
      if (old_irp || ((next.queued | next.ended) & bit) != 0) return 0;
      next.ended |= bit;
      next.context &= ~bit;
      Fill(&out[0], 0, Trace::Empty(), dialect.complete);
      return 1;
    default:
      return 0;
  }
}

template <int kItemCount>
uint32_t CsqModelOf<kItemCount>::Abstract(const Setup& setup, const State& state) {
  bool ascending = true;
  bool equal_keys = false;
  int count = 0;
  for (int queue = 0; queue < QueuesOf(setup); ++queue) {
    const ItemListOf<kItems>& order = state.order[queue];
    for (int i = 1; i < state.count[queue]; ++i) {
      const uint32_t before = state.key[order.item[i - 1]];
      const uint32_t here = state.key[order.item[i]];
      ascending &= before <= here;
      equal_keys |= before == here;
    }
    count += state.count[queue];
  }
  const uint32_t length = static_cast<uint32_t>(std::min(count, 3));
  const uint32_t free_cancelled = (state.cancelled & ~state.ended) != 0;
  const uint32_t removable = (state.queued & state.context) != 0;
  const uint32_t anonymous = (state.queued & ~state.context) != 0;
  const uint32_t named = std::max(setup.failing_insert, setup.cancelling_insert);
  const uint32_t faults_over =
      named != 0 && std::max(state.insert_callbacks[0], state.insert_callbacks[1]) >= named;
  return length | free_cancelled << 2 | removable << 3 | anonymous << 4 |
         static_cast<uint32_t>(ascending) << 5 | static_cast<uint32_t>(equal_keys) << 6 |
         faults_over << 7 | static_cast<uint32_t>(state.disabled != 0) << 8 |
         static_cast<uint32_t>(state.ended != 0) << 9;
}

template <int kItemCount>
std::string CsqModelOf<kItemCount>::Describe(const Setup& setup, const State& state) {
  std::string text;
  for (int queue = 0; queue < QueuesOf(setup); ++queue) {
    text += queue == 0 ? "queue [" : ", other queue [";
    for (int i = 0; i < state.count[queue]; ++i) {
      const uint8_t item = state.order[queue].item[i];
      absl::StrAppend(&text, i == 0 ? "" : " ", item);
      if (setup.insert == InsertPolicy::kSorted || setup.peek == PeekPolicy::kByKey) {
        absl::StrAppend(&text, ":", state.key[item]);
      }
    }
    text += "]";
    if ((state.disabled >> queue & 1) != 0) text += ", disabled";
  }
  const auto list = [&text](const char* title, Set mask) {
    if (mask == 0) return;
    absl::StrAppend(&text, ", ", title);
    for (int item = 0; item < kItems; ++item) {
      if ((mask & ItemBit<kItems>(static_cast<uint8_t>(item))) != 0)
        absl::StrAppend(&text, " ", item);
    }
  };
  list("cancelled", state.cancelled);
  list("ended", state.ended);
  return text;
}

template struct CsqModelOf<kFewItems>;
template struct CsqModelOf<kMaxItems>;

}  // namespace cancelsafe
