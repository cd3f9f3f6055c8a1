// A driver with a StartIo routine, for the SIO cases: its device, the calls of
// the four routines, and the documented Cancel routine of such a driver.
#ifndef CANCELSAFE_CONFORMANCE_SUITE_START_IO_DRIVER_H_
#define CANCELSAFE_CONFORMANCE_SUITE_START_IO_DRIVER_H_

#include "../stubs.h"

namespace cancelsafe::suite {

// What StartIo does with the IRP besides being logged as S (with the nesting
// depth as detail). Null: nothing, the IRP stays current.
extern void (*start_io_action)(int item);

void InitDevice();
// IoStartPacket; with the driver's Cancel routine if `cancelable`.
void Start(int item, bool cancelable = false);
void StartByKey(int item, ULONG key, bool cancelable = false);
// IoStartNextPacket and IoStartNextPacketByKey, at DISPATCH_LEVEL.
void Next(bool cancelable = false);
void NextByKey(ULONG key, bool cancelable = false);
void SetAttributes(bool deferred, bool non_cancelable);
// The driver ends the current IRP as the pages tell: next packet, then complete.
void FinishCurrent(int item, bool cancelable = false);

// The documented Cancel routine: a current IRP is left alone, a queued one is
// taken out and completed as cancelled. Logged as K.
VOID NTAPI CancelOfDriver(PDEVICE_OBJECT device, PIRP irp);

PIRP Current();
// The IRPs that StartIo was called with, in order: "0 2 1".
Text<64> Started();
bool StartedIs(const char* items);

}  // namespace cancelsafe::suite

#endif  // CANCELSAFE_CONFORMANCE_SUITE_START_IO_DRIVER_H_
