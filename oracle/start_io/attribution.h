// Which request made StartIo run with which packet. The driver records calls and
// callbacks as they happen; StartIo does not say on whose behalf it is called, so the
// requests' results are worked out here, afterwards, from the order of what was recorded.
#ifndef CANCELSAFE_ORACLE_START_IO_ATTRIBUTION_H_
#define CANCELSAFE_ORACLE_START_IO_ATTRIBUTION_H_

#include "oracle/history.h"

namespace cancelsafe {

// Fills in the outcomes of the calls that start packets (1 if the device was idle and the
// packet was started at once, else 0) and of those that start the next one (the item, or
// kNothing). With DeferredStartIo a request may be carried out after its call returned:
// the call's end is moved to where StartIo was called for it, or where it became certain
// that it found nothing. O(calls + events).
void AttributeStarts(History* history);

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_START_IO_ATTRIBUTION_H_
