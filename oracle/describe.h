// Calls, events and traces as one line of text each: the words that every
// report uses. Cold: allocates freely.
#ifndef CANCELSAFE_ORACLE_DESCRIBE_H_
#define CANCELSAFE_ORACLE_DESCRIBE_H_

#include <string>

#include "oracle/history.h"
#include "oracle/operations.h"
#include "oracle/trace.h"

namespace cancelsafe {

// "insert-ex item 3 key 7 with-context".
std::string DescribeOperation(const Setup& setup, const Operation& operation);

// "item 2", "nothing", "true", "STATUS_PENDING"; "" for a void routine.
std::string DescribeOutcome(const Setup& setup, const Operation& operation, Outcome outcome);

// "fiber 1: insert-ex item 3 -> STATUS_PENDING"; "-> (did not return)".
std::string DescribeCall(const History& history, int call);

// "fiber 1: P3 (after 2) in remove-next, irql 2, queue lock".
std::string DescribeEvent(const History& history, const CallbackEvent& event);

// "A I3 R3 U C3". A peek is P3 or P- (nothing), with ">3" appended for the item
// it was asked to go on from. "nothing" for no callbacks.
std::string DescribeTrace(Trace trace);

// The callbacks of one call as they were recorded, skipped peeks included.
std::string DescribeRecordedTrace(const History& history, int call);

// "STATUS_PENDING", or the hexadecimal number.
std::string DescribeStatus(int32_t status);

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_DESCRIBE_H_
