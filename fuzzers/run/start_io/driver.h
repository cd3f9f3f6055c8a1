// The test driver of the StartIo layer: one or two device objects whose StartIo and cancel
// routines follow the documented pattern (SIO-CXL-01..03). It records what happened; which
// request made StartIo run is worked out afterwards (oracle/start_io/attribution.h). What a
// program asks for is in driver.cc, what the library calls in callbacks.cc.
#ifndef CANCELSAFE_FUZZERS_RUN_START_IO_DRIVER_H_
#define CANCELSAFE_FUZZERS_RUN_START_IO_DRIVER_H_

#include <string>

#include "fuzzers/run/family_driver.h"
#include "fuzzers/run/irp_calls.h"
#include "oracle/start_io/attribution.h"

namespace cancelsafe {

class StartIoDriver final : public FamilyDriver {
 public:
  explicit StartIoDriver(const Implementation& implementation) : table_(implementation) {}

  static StartIoDriver* active;

  void Start(const Program& program, Arena* arena, Recorder* recorder) override;
  Skip Execute(const Operation& operation) override;
  void Drain() override;
  void Complete(History* history) override { AttributeStarts(history); }
  void Inspect(Verdict* verdict) override;
  std::string NameOf(const void* address) const override;

  // ---- callbacks ----
  void OnStartIo(PDEVICE_OBJECT device, PIRP irp);
  // `routine`: which of the two cancel routines was called.
  void OnCancel(PDEVICE_OBJECT device, PIRP irp, int routine);

 private:
  // A device object, and what its driver knows of it.
  struct Device {
    PDEVICE_OBJECT object = nullptr;
    bool used = false;          // a packet was started: attributes stay as they are
    uint8_t open_settings = 0;  // open kSetAttributes calls
    // The attributes in force, as operation flags. Known if no setting overlapped
    // another one or the first packet.
    uint8_t attributes = 0;
    bool attributes_known = true;
    bool settings_overlapped = false;
    uint8_t setters = 0;           // fibers that have set the attributes
    bool deferred_inside = false;  // StartIo has set the attribute itself
    uint8_t running = 0;           // StartIo calls that have not returned
    int current = -1;              // item that the driver may finish
  };

  Skip ExecuteStart(const Operation& operation);
  Skip ExecuteNext(const Operation& operation);
  Skip ExecuteAttributes(const Operation& operation);
  void CallSetAttributes(const Operation& operation);
  // What a StartIo does that asks for deferral itself, before the next packet can be
  // started.
  void DeferInside(int number);
  // What it does to another packet of the device, or to the present one.
  void CallInside(int number);
  // Starts the next packet and completes the present one with `status`.
  void Finish(const Operation& operation, NTSTATUS status);
  // How the driver goes on to the next packet: by key or not, if there is the choice.
  Op NextOp(bool by_key) const {
    const Op wanted = by_key ? Op::kStartNextByKey : Op::kStartNext;
    const Op other = by_key ? Op::kStartNext : Op::kStartNextByKey;
    return Provides(wanted) ? wanted : other;
  }
  static uint8_t FlagsOf(int number) { return number == 0 ? 0 : kOtherQueue; }
  int DeviceOf(uint8_t item) const { return items_.Untold(item).queue; }
  // Whether StartIo was called in a way that the attributes forbid.
  void CheckAttributes(const Device& device, const CallbackEvent& event);
  // The event recorded last breaks it.
  void BreakAttribute(Rule rule);
  CallbackEvent* Event(CallbackKind kind, PDEVICE_OBJECT object, uint8_t item);
  bool InspectDevice(const Device& device, Verdict* verdict) const;

  // The driver's own state, as far as a complete search has to know of it: which packet it
  // may finish; attributes and what decides how they are judged; and of each fiber, whether
  // it has started a packet, which makes no difference to other starts.
  static constexpr uint8_t kCurrentPart = 0x10, kAttributesPart = 0x20, kUsedParts = 0x0f;
  static void Tell(const Device& device, int parts) {
    schedule::Executor::Get().Touch(&device, true, static_cast<uint8_t>(parts));
  }
  void TellRunning(const Device& device) const {
    if (sets_attributes_) Tell(device, kAttributesPart);
  }

  const Implementation& table_;
  Setup setup_;
  Recorder* recorder_ = nullptr;
  ItemTable items_;
  Device devices_[kMaxQueues];
  int device_count_ = 1;
  bool cancelable_ = false;       // some packet of this program has a cancel function
  bool sets_attributes_ = false;  // some call of this program does
  bool attribute_broken_ = false;
  Rule broken_attribute_ = Rule::kStartIoDeferred;
  int attribute_event_ = -1;
};

// Each packet has one of the two cancel routines, so that its own is told from another's.
inline int CancelRoutineOf(uint8_t item) { return item & 1; }

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_START_IO_DRIVER_H_
