// See plain_start_io.c.
#ifndef CANCELSAFE_FUZZERS_RUN_TESTDATA_PLAIN_START_IO_H_
#define CANCELSAFE_FUZZERS_RUN_TESTDATA_PLAIN_START_IO_H_

#include "impl/include/wdm.h"

CANCELSAFE_BEGIN_C
VOID PlainStartPacket(PDEVICE_OBJECT device, PIRP irp, PULONG key, PDRIVER_CANCEL cancel);
VOID BufferedStartPacket(PDEVICE_OBJECT device, PIRP irp, PULONG key, PDRIVER_CANCEL cancel);
VOID PlainStartNextPacket(PDEVICE_OBJECT device, BOOLEAN cancelable);
VOID PlainStartNextPacketByKey(PDEVICE_OBJECT device, BOOLEAN cancelable, ULONG key);
CANCELSAFE_END_C

#endif /* CANCELSAFE_FUZZERS_RUN_TESTDATA_PLAIN_START_IO_H_ */
