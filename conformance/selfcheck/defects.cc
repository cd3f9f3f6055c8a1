// The list of wrong implementations and the table of the breakable one.
#include "conformance/selfcheck/defects.h"

#include "conformance/selfcheck/broken.h"

namespace cancelsafe::conformance {

Defect defect = Defect::kNoDefect;

#define CANCELSAFE_WRONG(name, story) {#name, story, Defect::k##name, KernelDefect::kNoDefect},
#define CANCELSAFE_WRONG_KERNEL(name, story) \
  {"kernel: " #name, story, Defect::kNoDefect, KernelDefect::k##name},
const WrongImplementation kWrongImplementations[kWrongImplementationCount] = {
    CANCELSAFE_CSQ_DEFECTS(CANCELSAFE_WRONG) CANCELSAFE_DEVICE_QUEUE_DEFECTS(CANCELSAFE_WRONG)
        CANCELSAFE_START_IO_DEFECTS(CANCELSAFE_WRONG)
            CANCELSAFE_CALLBACK_DATA_QUEUE_DEFECTS(CANCELSAFE_WRONG)
                CANCELSAFE_KERNEL_DEFECTS(CANCELSAFE_WRONG_KERNEL)};
#undef CANCELSAFE_WRONG
#undef CANCELSAFE_WRONG_KERNEL

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
