// The services as a driver meets them: a .sys of world/testdata, run sequentially.
#include "fuzzers/drivers/world/services.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "fuzzers/drivers/build/drive_check.h"
#include "fuzzers/drivers/build/sequential.h"
#include "fuzzers/drivers/world/world.h"

namespace cancelsafe::drivers {
namespace {

// What became of a request.
struct Ending {
  int times = 0;
  NTSTATUS status = -1;
  ULONG_PTR information = 0;
};

PIRP Watched(const RequestSpec& spec, Ending* ending) {
  PIRP irp = MakeRequest(spec);
  KiIrpHeaderOf(irp)->context = ending;
  KiIrpHeaderOf(irp)->on_complete = [](PIRP ended, void* context) {
    auto* into = static_cast<Ending*>(context);
    ++into->times;
    into->status = ended->IoStatus.Status;
    into->information = ended->IoStatus.Information;
  };
  return irp;
}

class DriverServices : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string error;
    image_ = LoadDriver(GetParam(), &error);
    ASSERT_NE(image_, nullptr) << error;
  }

  SequentialResult Run(const std::function<void()>& body, int fail_allocation = 0) {
    WorldOptions options;
    options.fail_allocation = fail_allocation;
    BeginRun(image_.get(), options);
    return RunSequentially([&] {
      start_ = StartDriver();
      if (NT_SUCCESS(start_)) body();
    });
  }
  RequestSpec Control(int number) {
    RequestSpec spec;
    spec.major = IRP_MJ_DEVICE_CONTROL;
    spec.file = MakeFile(Devices().at(0));
    spec.control_code = 0x220000u | static_cast<uint32_t>(number) << 2;
    return spec;
  }
  // Runs one control request to its end.
  SequentialResult RunControl(int number, Ending* ending) {
    return Run([&] {
      Dispatch(Watched(Control(number), ending));
      LetTimePass(100);
    });
  }

  std::unique_ptr<DriverImage> image_;
  NTSTATUS start_ = -1;
};

TEST_P(DriverServices, AllOfItsImportsAreProvided) {
  EXPECT_TRUE(image_->missing_services().empty()) << image_->missing_services()[0];
}

TEST_P(DriverServices, GivesEverythingBackAtUnload) {
  std::vector<Leak> before;
  std::vector<Leak> after;
  const SequentialResult result = Run([&] {
    before = Leaks();
    UnloadDriver();
    after = Leaks();
  });
  EXPECT_EQ(result.end, SequentialEnd::kDone) << result.text;
  ASSERT_EQ(before.size(), 2u);
  EXPECT_EQ(before[0].text, "device \\Device\\services");
  EXPECT_EQ(before[1].text, "symbolic link \\DosDevices\\services");
  EXPECT_TRUE(image_->Contains(before[0].caller));
  EXPECT_TRUE(after.empty());
}

TEST_P(DriverServices, AQueuedReadIsServedByAWrite) {
  Ending read, write;
  const SequentialResult result = Run([&] {
    RequestSpec spec = Control(0);
    spec.major = IRP_MJ_READ;
    spec.output_length = 8;
    EXPECT_EQ(Dispatch(Watched(spec, &read)), STATUS_PENDING);
    EXPECT_EQ(read.times, 0);
    spec.major = IRP_MJ_WRITE;
    spec.input = {1};
    EXPECT_EQ(Dispatch(Watched(spec, &write)), STATUS_SUCCESS);
  });
  EXPECT_EQ(result.end, SequentialEnd::kDone) << result.text;
  EXPECT_EQ(read.times, 1);
  EXPECT_EQ(read.status, STATUS_SUCCESS);
  EXPECT_EQ(write.times, 1);
}

TEST_P(DriverServices, AQueuedReadIsCancelledThroughTheDriversRoutines) {
  Ending read;
  const SequentialResult result = Run([&] {
    RequestSpec spec = Control(0);
    spec.major = IRP_MJ_READ;
    PIRP irp = Watched(spec, &read);
    EXPECT_EQ(Dispatch(irp), STATUS_PENDING);
    EXPECT_TRUE(IoCancelIrp(irp));
  });
  EXPECT_EQ(result.end, SequentialEnd::kDone) << result.text;
  EXPECT_EQ(read.times, 1);
  EXPECT_EQ(read.status, STATUS_CANCELLED);
}

TEST_P(DriverServices, PoolStringsLevelsAndTimeDoAsDocumented) {
  Ending ending;
  const SequentialResult result = RunControl(1, &ending);
  EXPECT_EQ(result.end, SequentialEnd::kDone) << result.text;
  EXPECT_EQ(ending.status, STATUS_SUCCESS);
}

TEST_P(DriverServices, AWaitEndsWhenAWorkItemSetsTheEvent) {
  Ending ending;
  const SequentialResult result = RunControl(2, &ending);
  EXPECT_EQ(result.end, SequentialEnd::kDone) << result.text;
  EXPECT_EQ(ending.status, STATUS_SUCCESS);
}

TEST_P(DriverServices, AWaitForAThreadTimesOutAndThenEndsWithIt) {
  Ending ending;
  const SequentialResult result = RunControl(3, &ending);
  EXPECT_EQ(result.end, SequentialEnd::kDone) << result.text;
  EXPECT_EQ(ending.status, STATUS_SUCCESS);
}

TEST_P(DriverServices, ATimerExpiresWhenItsTimeHasCome) {
  Ending ending;
  const SequentialResult result = Run([&] {
    EXPECT_EQ(Dispatch(Watched(Control(4), &ending)), STATUS_PENDING);
    LetTimePass(4);
    EXPECT_EQ(ending.times, 0);
    LetTimePass(1);
    EXPECT_EQ(ending.times, 1);
  });
  EXPECT_EQ(result.end, SequentialEnd::kDone) << result.text;
}

TEST_P(DriverServices, ADpcThatWasRemovedMayBeFreed) {
  Ending ending;
  const SequentialResult result = RunControl(12, &ending);
  EXPECT_EQ(result.end, SequentialEnd::kDone) << result.text;
  EXPECT_EQ(ending.status, STATUS_SUCCESS);
}

TEST_P(DriverServices, AWaitAtDispatchLevelIsReported) {
  Ending ending;
  const SequentialResult result = RunControl(5, &ending);
  EXPECT_EQ(result.end, SequentialEnd::kBroken);
  EXPECT_EQ(result.rule, "irql");
  EXPECT_NE(result.text.find("KeWaitForSingleObject: called at DISPATCH_LEVEL"), std::string::npos)
      << result.text;
}

TEST_P(DriverServices, PoolThatIsFreedTwiceIsReported) {
  Ending ending;
  const SequentialResult result = RunControl(6, &ending);
  EXPECT_EQ(result.end, SequentialEnd::kBroken);
  EXPECT_EQ(result.rule, "double-free") << result.text;
}

TEST_P(DriverServices, AStoreBehindAnAllocationIsSeen) {
  Ending ending;
  RunControl(7, &ending);
  EXPECT_EQ(DamagedMemory(), "pool of 8 bytes, tag 'Test': the bytes behind it were written to");
}

TEST_P(DriverServices, PoolThatIsNotGivenBackIsNamed) {
  Ending ending;
  const SequentialResult result = Run([&] {
    Dispatch(Watched(Control(8), &ending));
    UnloadDriver();
  });
  EXPECT_EQ(result.end, SequentialEnd::kDone) << result.text;
  const std::vector<Leak> leaks = Leaks();
  ASSERT_EQ(leaks.size(), 1u);
  EXPECT_EQ(leaks[0].text, "8 bytes of pool, tag 'Leak'");
}

TEST_P(DriverServices, BuffersArePassedByTheirMethod) {
  Ending ending;
  Run([&] {
    RequestSpec spec = Control(9);
    spec.input = {1, 2, 3};
    spec.output_length = 3;
    PIRP irp = Watched(spec, &ending);
    const Buffer output = OutputOf(irp);
    Dispatch(irp);
    ASSERT_EQ(output.bytes, 3u);
    EXPECT_EQ(output.data[0], 3);
    EXPECT_EQ(output.data[2], 1);
  });
  EXPECT_EQ(ending.information, 3u);
}

TEST_P(DriverServices, ARequestThatTheDriverDoesNotKnowIsRefusedByTheSystem) {
  Ending ending;
  Run([&] {
    RequestSpec spec = Control(0);
    spec.major = 0x09;  // flush
    EXPECT_EQ(Dispatch(Watched(spec, &ending)), static_cast<NTSTATUS>(0xC0000010));
  });
  EXPECT_EQ(ending.times, 1);
}

TEST_P(DriverServices, EachAllocationCanFail) {
  Run([] {});
  const int allocations = AllocationCount();
  EXPECT_EQ(allocations, 2);  // the device and the link
  for (int k = 1; k <= allocations; ++k) {
    Run([] {}, k);
    EXPECT_EQ(start_, STATUS_INSUFFICIENT_RESOURCES) << k;
    EXPECT_TRUE(Leaks().empty()) << k;
  }
}

TEST_P(DriverServices, RegistersOfAKernelAreEmulated) {
  struct sigaction action = {};
  struct sigaction before = {};
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  action.sa_sigaction = [](int, siginfo_t*, void* context) {
    if (!EmulateInstruction(context)) signal(SIGSEGV, SIG_DFL);
  };
  sigaction(SIGSEGV, &action, &before);
  Ending ending;
  const SequentialResult result = RunControl(11, &ending);
  sigaction(SIGSEGV, &before, nullptr);
  EXPECT_EQ(result.end, SequentialEnd::kDone) << result.text;
  EXPECT_EQ(ending.status, STATUS_SUCCESS);
}

TEST_P(DriverServices, VariablesOfTheImageAreAsNewInEachRun) {
  for (int run = 0; run < 3; ++run) {
    Ending ending;
    RunControl(10, &ending);
    EXPECT_EQ(ending.information, 1u);
  }
}

#ifdef CANCELSAFE_DRIVER_SERVICES
INSTANTIATE_TEST_SUITE_P(Instrumented, DriverServices, testing::Values(CANCELSAFE_DRIVER_SERVICES));
INSTANTIATE_TEST_SUITE_P(Plain, DriverServices, testing::Values(CANCELSAFE_DRIVER_SERVICES_PLAIN));
#else
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DriverServices);
TEST(DriverServices, NeedsThePackagesThatBuildDrivers) {
  GTEST_SKIP() << "mingw-w64-common or mingw-w64-x86-64-dev is not installed";
}
#endif

// ---- the first look ----

#ifdef CANCELSAFE_DRIVER_SERVICES
TEST(DriveCheck, SendsEachKindAndUnloads) {
  const DriveCheck check = CheckDriver(CANCELSAFE_DRIVER_SERVICES);
  EXPECT_TRUE(check.complete) << check.text;
  for (const char* line :
       {"entry: 0x00000000, 1 device(s)", "create: returned 0x00000000, ended with 0x00000000",
        "read: returned 0x00000103, pending; ended with 0xc0000120 when it was cancelled",
        "device control: returned 0xc0000010", "flush buffers: returned 0xc0000010",
        "unload: done"}) {
    EXPECT_NE(check.text.find(line), std::string::npos) << line << " in\n" << check.text;
  }
}
#endif

TEST(DriveCheck, SaysWhyAFileIsNotLoaded) {
  const DriveCheck check = CheckDriver("/dev/null");
  EXPECT_FALSE(check.loaded);
  EXPECT_EQ(check.text, "/dev/null: not a PE image: it does not begin with \"MZ\"");
}

// ---- the table ----

TEST(ServiceTable, NamesAreDifferentAndAddressesSet) {
  const Service* before = nullptr;
  for (const Service* service : AllServices()) {
    EXPECT_NE(service->address, nullptr) << service->name;
    EXPECT_LE(service->min_irql, service->max_irql) << service->name;
    if (before != nullptr) EXPECT_STRNE(before->name, service->name);
    EXPECT_EQ(FindService(service->name), service);
    before = service;
  }
  EXPECT_EQ(FindService("KeNothing"), nullptr);
}

}  // namespace
}  // namespace cancelsafe::drivers
