// What the test drivers do by themselves where an implementation does not provide the
// routine: what is documented of the structures, and no more. So that a routine that is not
// exported costs its own operations and nothing else.
#ifndef CANCELSAFE_FUZZERS_RUN_STAND_INS_H_
#define CANCELSAFE_FUZZERS_RUN_STAND_INS_H_

#include "impl/implementation.h"

namespace cancelsafe {

// By the implementation's routine, or by hand: empty and not busy.
void InitializeDeviceQueue(const Implementation& implementation, PKDEVICE_QUEUE queue);

// By the implementation's KeRemoveEntryDeviceQueue, or by hand: taken off the list under
// the queue's lock if it is inserted.
BOOLEAN RemoveEntryDeviceQueue(const Implementation& implementation, PKDEVICE_QUEUE queue,
                               PKDEVICE_QUEUE_ENTRY entry);

// What IoCsqInitialize and IoCsqInitializeEx store: the type and the callbacks. Inline, since
// its accesses are instrumented as those of the caller are.
inline void FillInCsq(PIO_CSQ csq, ULONG type, PIO_CSQ_INSERT_IRP insert, PIO_CSQ_REMOVE_IRP remove,
                      PIO_CSQ_PEEK_NEXT_IRP peek_next, PIO_CSQ_ACQUIRE_LOCK acquire,
                      PIO_CSQ_RELEASE_LOCK release,
                      PIO_CSQ_COMPLETE_CANCELED_IRP complete_canceled) {
  csq->Type = type;
  csq->CsqInsertIrp = insert;
  csq->CsqRemoveIrp = remove;
  csq->CsqPeekNextIrp = peek_next;
  csq->CsqAcquireLock = acquire;
  csq->CsqReleaseLock = release;
  csq->CsqCompleteCanceledIrp = complete_canceled;
  csq->ReservePointer = nullptr;
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_STAND_INS_H_
