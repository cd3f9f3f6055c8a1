// Cost of the cancel-safe protocol: the library with a driver's six callbacks,
// beside the same protocol written out in the driver without a library call.
#include "benchmarks.h"
#include "csq_drivers.h"
#include "measurements.h"
#include "paired_stretches.h"

namespace cancelsafe {
namespace {

// A driver whose queue always holds one IRP.
template <typename Driver>
class BusyDriver : public ShortStretches {
 public:
  BusyDriver() { driver_.Insert(first_.irp(), nullptr); }

 protected:
  Driver driver_;
  PlacedIrp first_;
  PlacedIrp second_;
};

// Inserts an IRP and takes out the next.
template <typename Driver>
class InsertAndRemoveNext : public BusyDriver<Driver> {
 public:
  void Step() {
    this->driver_.Insert(irp_, nullptr);
    irp_ = this->driver_.RemoveNext();
  }

 private:
  PIRP irp_ = this->second_.irp();
};

// Inserts an IRP with a context and takes out that IRP.
template <typename Driver>
class InsertAndRemoveByContext : public BusyDriver<Driver> {
 public:
  void Step() {
    this->driver_.Insert(this->second_.irp(), &context_);
    benchmark::DoNotOptimize(this->driver_.Remove(&context_));
  }

 private:
  IO_CSQ_IRP_CONTEXT context_ = {};
};

}  // namespace

void RegisterCsqBenchmarks() {
  RegisterPairedStretches<InsertAndRemoveNext<LibraryDriver>, InsertAndRemoveNext<InlineDriver>>(
      "csq/optimized/next", "csq/inline/next");
  RegisterPairedStretches<InsertAndRemoveByContext<LibraryDriver>,
                          InsertAndRemoveByContext<InlineDriver>>("csq/optimized/context",
                                                                  "csq/inline/context");
}

}  // namespace cancelsafe
