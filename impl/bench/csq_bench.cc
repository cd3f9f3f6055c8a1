// Cost of the cancel-safe protocol: the library with a driver's six callbacks,
// beside the same protocol written out in the driver without a library call.
#include <memory>

#include "benchmarks.h"
#include "csq_drivers.h"
#include "measurements.h"

namespace cancelsafe {
namespace {

// One iteration inserts an IRP and takes out the next.
template <typename Driver>
void InsertAndRemoveNext(benchmark::State& state) {
  Driver driver;
  PlacedIrp first;
  PlacedIrp second;
  driver.Insert(first.irp(), nullptr);
  PIRP irp = second.irp();
  for (auto _ : state) {
    driver.Insert(irp, nullptr);
    irp = driver.RemoveNext();
  }
  driver.RemoveNext();
}

// One iteration inserts an IRP with a context and takes out that IRP.
template <typename Driver>
void InsertAndRemoveByContext(benchmark::State& state) {
  Driver driver;
  PlacedIrp first;
  PlacedIrp second;
  IO_CSQ_IRP_CONTEXT context = {};
  driver.Insert(first.irp(), nullptr);
  PIRP irp = second.irp();
  for (auto _ : state) {
    driver.Insert(irp, &context);
    benchmark::DoNotOptimize(driver.Remove(&context));
  }
  driver.RemoveNext();
}

}  // namespace

void RegisterCsqBenchmarks() {
  benchmark::RegisterBenchmark("csq/optimized/next", &InsertAndRemoveNext<LibraryDriver>);
  benchmark::RegisterBenchmark("csq/inline/next", &InsertAndRemoveNext<InlineDriver>);
  benchmark::RegisterBenchmark("csq/optimized/context", &InsertAndRemoveByContext<LibraryDriver>);
  benchmark::RegisterBenchmark("csq/inline/context", &InsertAndRemoveByContext<InlineDriver>);
}

}  // namespace cancelsafe
