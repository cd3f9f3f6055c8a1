// For tests of the machine room and of the queues: a platform that records
// violations instead of aborting, calls back at preemption points, and IRPs with
// storage of their own. One OS thread at a time.
#ifndef CANCELSAFE_IMPL_KERNEL_TESTING_H_
#define CANCELSAFE_IMPL_KERNEL_TESTING_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernel/filter_manager.h"
#include "kernel/irp.h"

namespace cancelsafe {

// Installed while it lives. `violations` collects "name in Routine".
class RecordingPlatform {
 public:
  RecordingPlatform() {
    instance_ = this;
    KiSetPlatform(&kPlatform);
  }
  ~RecordingPlatform() {
    KiSetPlatform(nullptr);
    KiResetCancelLock();
    instance_ = nullptr;
  }
  RecordingPlatform(const RecordingPlatform&) = delete;
  RecordingPlatform& operator=(const RecordingPlatform&) = delete;

  KiProcessor processor = {};
  std::vector<std::string> violations;
  // Called at each preemption point that is not inside such a call; what it does
  // counts as the work of another processor.
  std::function<void(KiPoint, const volatile void*)> at_point;
  // Called instead of waiting for a lock; has to make it free.
  std::function<void(const volatile void*)> at_block;

 private:
  static KiProcessor* Processor() {
    return instance_->inside_point_ ? &instance_->other_ : &instance_->processor;
  }
  static void Point(KiPoint kind, const volatile void* object) {
    if (!instance_->at_point || instance_->inside_point_) return;
    instance_->inside_point_ = true;
    instance_->at_point(kind, object);
    instance_->inside_point_ = false;
  }
  static void Block(const volatile void* object) { instance_->at_block(object); }
  static void Wake(const volatile void*) {}
  static void Violation(const KiViolation* violation) {
    instance_->violations.push_back(std::string(KiViolationName(violation->kind)) + " in " +
                                    violation->routine);
  }

  static constexpr KiPlatform kPlatform = {&Processor, &Point, &Block, &Wake, &Violation};
  static inline RecordingPlatform* instance_ = nullptr;
  bool inside_point_ = false;
  KiProcessor other_ = {0, 0, 1, 0, {}};
};

// An IRP with one stack location, counting its completions.
class TestIrp {
 public:
  explicit TestIrp(PFILE_OBJECT file = nullptr, PDEVICE_OBJECT device = nullptr)
      : storage_(new ULONG64[(kKiIrpPlacedBytes + 7) / 8]),
        irp_(KiPlaceIrp(storage_.get(), 7, file, device)) {
    KiIrpHeaderOf(irp_)->context = this;
    KiIrpHeaderOf(irp_)->on_complete = [](PIRP irp, void* context) {
      auto* self = static_cast<TestIrp*>(context);
      ++self->completions;
      self->status = irp->IoStatus.Status;
    };
  }
  ~TestIrp() { KiUnpoison(irp_); }
  TestIrp(const TestIrp&) = delete;
  TestIrp& operator=(const TestIrp&) = delete;

  PIRP get() const { return irp_; }
  PIRP operator->() const { return irp_; }
  KiIrpHeader& header() const { return *KiIrpHeaderOf(irp_); }
  bool retired() const { return header().retired != 0; }

  int completions = 0;
  NTSTATUS status = -1;

 private:
  std::unique_ptr<ULONG64[]> storage_;
  PIRP irp_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_KERNEL_TESTING_H_
