// Names of the vocabulary. See operations.h.
#include "oracle/operations.h"

namespace cancelsafe {
namespace {

constexpr uint8_t kCsqBit = 1 << static_cast<int>(Family::kCsq);
constexpr uint8_t kDeviceQueueBit = 1 << static_cast<int>(Family::kDeviceQueue);
constexpr uint8_t kStartIoBit = 1 << static_cast<int>(Family::kStartIo);
constexpr uint8_t kCallbackDataBit = 1 << static_cast<int>(Family::kCallbackDataQueue);
constexpr uint8_t kIrpBits = kCsqBit | kStartIoBit | kCallbackDataBit;

struct OperationRow {
  const char* name;
  const char* routine;
  const char* callback_data_routine;  // null where it is the same
  uint8_t families;
};

// In the order of Op.
constexpr OperationRow kOperations[] = {
    {"insert", "IoCsqInsertIrp", nullptr, kCsqBit},
    {"insert-ex", "IoCsqInsertIrpEx", "FltCbdqInsertIo", kCsqBit | kCallbackDataBit},
    {"remove", "IoCsqRemoveIrp", "FltCbdqRemoveIo", kCsqBit | kCallbackDataBit},
    {"remove-next", "IoCsqRemoveNextIrp", "FltCbdqRemoveNextIo", kCsqBit | kCallbackDataBit},
    {"cancel", "IoCancelIrp", nullptr, kIrpBits},
    {"hold-cancel-lock", "IoAcquireCancelSpinLock", nullptr, kIrpBits},
    {"complete", "IoCompleteRequest", "FltCompletePendedPreOperation", kIrpBits},
    {"enable", "FltCbdqEnable", nullptr, kCallbackDataBit},
    {"disable", "FltCbdqDisable", nullptr, kCallbackDataBit},
    {"queue-insert", "KeInsertDeviceQueue", nullptr, kDeviceQueueBit},
    {"queue-insert-by-key", "KeInsertByKeyDeviceQueue", nullptr, kDeviceQueueBit},
    {"queue-remove", "KeRemoveDeviceQueue", nullptr, kDeviceQueueBit},
    {"queue-remove-by-key", "KeRemoveByKeyDeviceQueue", nullptr, kDeviceQueueBit},
    {"queue-remove-by-key-if-busy", "KeRemoveByKeyDeviceQueueIfBusy", nullptr, kDeviceQueueBit},
    {"queue-remove-entry", "KeRemoveEntryDeviceQueue", nullptr, kDeviceQueueBit},
    {"start-packet", "IoStartPacket", nullptr, kStartIoBit},
    {"start-packet-by-key", "IoStartPacket", nullptr, kStartIoBit},
    {"start-next", "IoStartNextPacket", nullptr, kStartIoBit},
    {"start-next-by-key", "IoStartNextPacketByKey", nullptr, kStartIoBit},
    {"set-attributes", "IoSetStartIoAttributes", nullptr, kStartIoBit},
};
static_assert(sizeof(kOperations) / sizeof(kOperations[0]) == kOpCount);

const OperationRow& Row(Op op) { return kOperations[static_cast<int>(op)]; }

}  // namespace

const char* RoutineName(Family family, Op op) {
  const OperationRow& row = Row(op);
  const bool callback_data = family == Family::kCallbackDataQueue;
  return callback_data && row.callback_data_routine != nullptr ? row.callback_data_routine
                                                               : row.routine;
}

const char* OperationName(Op op) { return Row(op).name; }

const char* FamilyName(Family family) {
  switch (family) {
    case Family::kCsq:
      return "csq";
    case Family::kDeviceQueue:
      return "device-queue";
    case Family::kStartIo:
      return "start-io";
    case Family::kCallbackDataQueue:
      return "callback-data-queue";
  }
  return "";
}

bool OperationBelongsTo(Family family, Op op) {
  return (Row(op).families >> static_cast<int>(family) & 1) != 0;
}

}  // namespace cancelsafe
