// The list of wrong implementations and the table of the breakable one.
#include "conformance/selfcheck/defects.h"

#include "conformance/selfcheck/broken.h"

namespace cancelsafe::conformance {

Defect defect = Defect::kNoDefect;

#define CANCELSAFE_WRONG(name, story, cases) \
  {#name, story, cases, Defect::k##name, KernelDefect::kNoDefect},
// A minifilter queue shares the defects of the CSQ beneath it.
#define CANCELSAFE_WRONG_CSQ(name, story) CANCELSAFE_WRONG(name, story, "[ci]*")
#define CANCELSAFE_WRONG_DEVICE_QUEUE(name, story) CANCELSAFE_WRONG(name, story, "[di]*q*")
#define CANCELSAFE_WRONG_START_IO(name, story) CANCELSAFE_WRONG(name, story, "sio.*")
#define CANCELSAFE_WRONG_CBDQ(name, story) CANCELSAFE_WRONG(name, story, "cbdq.*")
#define CANCELSAFE_WRONG_KERNEL(name, story) \
  {"kernel: " #name, story, "", Defect::kNoDefect, KernelDefect::k##name},
const WrongImplementation kWrongImplementations[kWrongImplementationCount] = {
    CANCELSAFE_CSQ_DEFECTS(CANCELSAFE_WRONG_CSQ)
        CANCELSAFE_DEVICE_QUEUE_DEFECTS(CANCELSAFE_WRONG_DEVICE_QUEUE)
            CANCELSAFE_START_IO_DEFECTS(CANCELSAFE_WRONG_START_IO)
                CANCELSAFE_CALLBACK_DATA_QUEUE_DEFECTS(CANCELSAFE_WRONG_CBDQ)
                    CANCELSAFE_KERNEL_DEFECTS(CANCELSAFE_WRONG_KERNEL)};

Implementation BreakableImplementation() {
  Implementation table;
  table.IoCsqInitialize = &BrokenCsqInitialize;
  table.IoCsqInitializeEx = &BrokenCsqInitializeEx;
  table.IoCsqInsertIrp = &BrokenCsqInsertIrp;
  table.IoCsqInsertIrpEx = &BrokenCsqInsertIrpEx;
  table.IoCsqRemoveIrp = &BrokenCsqRemoveIrp;
  table.IoCsqRemoveNextIrp = &BrokenCsqRemoveNextIrp;
  table.KeInitializeDeviceQueue = &BrokenInitializeDeviceQueue;
  table.KeInsertDeviceQueue = &BrokenInsertDeviceQueue;
  table.KeInsertByKeyDeviceQueue = &BrokenInsertByKeyDeviceQueue;
  table.KeRemoveDeviceQueue = &BrokenRemoveDeviceQueue;
  table.KeRemoveByKeyDeviceQueue = &BrokenRemoveByKeyDeviceQueue;
  table.KeRemoveByKeyDeviceQueueIfBusy = &BrokenRemoveByKeyDeviceQueueIfBusy;
  table.KeRemoveEntryDeviceQueue = &BrokenRemoveEntryDeviceQueue;
  table.IoStartPacket = &BrokenStartPacket;
  table.IoStartNextPacket = &BrokenStartNextPacket;
  table.IoStartNextPacketByKey = &BrokenStartNextPacketByKey;
  table.IoSetStartIoAttributes = &BrokenSetStartIoAttributes;
  table.FltCbdqInitialize = &BrokenCbdqInitialize;
  table.FltCbdqEnable = &BrokenCbdqEnable;
  table.FltCbdqDisable = &BrokenCbdqDisable;
  table.FltCbdqInsertIo = &BrokenCbdqInsertIo;
  table.FltCbdqRemoveIo = &BrokenCbdqRemoveIo;
  table.FltCbdqRemoveNextIo = &BrokenCbdqRemoveNextIo;
  return table;
}

}  // namespace cancelsafe::conformance
