// The tables of cases, one per file. tables.cc puts them in order.
#ifndef CANCELSAFE_CONFORMANCE_SUITE_TABLES_H_
#define CANCELSAFE_CONFORMANCE_SUITE_TABLES_H_

#include "case.h"

// clang-format off
#define CANCELSAFE_SUITE_TABLES(X) \
  X(kCsqInitialize) X(kCsqInsert) X(kCsqInsertEx) X(kCsqRemove) X(kCsqRemoveNext) \
  X(kCsqCallbacks) X(kCsqCancel) X(kCsqInvariants) X(kIrpCancel) X(kIrpPrimitives) \
  X(kDeviceQueueInsert) X(kDeviceQueueByKey) X(kDeviceQueueRemove) \
  X(kDeviceQueueRemoveByKey) X(kDeviceQueueRemoveEntry) X(kDeviceQueueState) X(kStartPacket) \
  X(kStartNextPacket) X(kStartIoAttributes) X(kFilterQueueInitialize) X(kFilterQueueInsert) \
  X(kFilterQueueRemove) X(kFilterQueueCallbacks) X(kFilterOperations)
// clang-format on

namespace cancelsafe::suite {

#define CANCELSAFE_SUITE_DECLARE_TABLE(name) extern const CaseTable name;
CANCELSAFE_SUITE_TABLES(CANCELSAFE_SUITE_DECLARE_TABLE)
#undef CANCELSAFE_SUITE_DECLARE_TABLE

}  // namespace cancelsafe::suite

#endif  // CANCELSAFE_CONFORMANCE_SUITE_TABLES_H_
