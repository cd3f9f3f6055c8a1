// The filter manager as a minifilter meets it: testdata/filter.c, run sequentially. Races between
// a filter's callbacks, cancellation and teardown are in the example drivers (../examples).
#include <gtest/gtest.h>

#include "fuzzers/drivers/build/sequential.h"
#include "fuzzers/drivers/world/world.h"
#include "impl/kernel/irp.h"

namespace cancelsafe::drivers {
namespace {

struct Ending {
  int times = 0;
  NTSTATUS status = -1;
  ULONG_PTR information = 0;
};

class FilterTest : public testing::Test {
 protected:
  void SetUp() override { Load(CANCELSAFE_DRIVER_FILTER); }
  void Load(const char* path) {
    std::string error;
    image_ = LoadDriver(path, &error);
    ASSERT_NE(image_, nullptr) << error;
    ASSERT_TRUE(image_->missing_services().empty()) << image_->missing_services()[0];
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
  // Sends a request to the volume.
  NTSTATUS Send(UCHAR major, uint32_t number, bool to_rest = true) {
    // Not on the stack, which a broken rule leaves for good.
    RequestSpec& spec = spec_;
    spec = RequestSpec();
    spec.major = major;
    spec.file = MakeFile(Devices().at(0));
    spec.control_code = 0x220000u | number << 2;
    spec.output_length = 16;
    if (major == IRP_MJ_WRITE) spec.input.assign(4, 0);
    irp_ = MakeRequest(spec);
    KiIrpHeaderOf(irp_)->context = &ending_;
    KiIrpHeaderOf(irp_)->on_complete = [](PIRP ended, void* context) {
      auto* into = static_cast<Ending*>(context);
      ++into->times;
      into->status = ended->IoStatus.Status;
      into->information = ended->IoStatus.Information;
    };
    const NTSTATUS status = Dispatch(irp_);
    if (to_rest) LetOthersRun();
    return status;
  }
  SequentialResult Control(uint32_t number) {
    return Run([&] { Send(IRP_MJ_DEVICE_CONTROL, number); });
  }
  void ExpectDone(const SequentialResult& result, ULONG_PTR information) {
    EXPECT_EQ(result.end, SequentialEnd::kDone) << result.text;
    EXPECT_EQ(ending_.times, 1);
    EXPECT_EQ(ending_.status, STATUS_SUCCESS);
    EXPECT_EQ(ending_.information, information);
  }
  void ExpectBroken(const SequentialResult& result, const std::string& rule) {
    EXPECT_EQ(result.end, SequentialEnd::kBroken) << result.text;
    EXPECT_EQ(result.rule, rule) << result.text;
  }

  std::unique_ptr<DriverImage> image_;
  NTSTATUS start_ = -1;
  PIRP irp_ = nullptr;
  RequestSpec spec_;
  Ending ending_;
};

TEST_F(FilterTest, AnOperationThatItHasNoCallbackForGoesToTheFileSystem) {
  NTSTATUS status = -1;
  const SequentialResult result = Run([&] { status = Send(IRP_MJ_READ, 0); });
  ExpectDone(result, 16);
  EXPECT_EQ(status, STATUS_PENDING);
}

TEST_F(FilterTest, ThePostOperationCallbackIsCalledAtDispatchLevelWithTheContext) {
  ExpectDone(Control(1), 100 + DISPATCH_LEVEL);
}

TEST_F(FilterTest, ASynchronizedOperationComesBackInTheThreadOfTheCaller) {
  ExpectDone(Control(7), 100 + PASSIVE_LEVEL);
}

TEST_F(FilterTest, AnOperationThatItCompletesDoesNotReachTheFileSystem) {
  NTSTATUS status = -1;
  const SequentialResult result = Run([&] { status = Send(IRP_MJ_DEVICE_CONTROL, 2); });
  EXPECT_EQ(result.end, SequentialEnd::kDone) << result.text;
  EXPECT_EQ(status, static_cast<NTSTATUS>(0xC0000022));
  EXPECT_EQ(ending_.times, 1);
  EXPECT_EQ(ending_.status, status);
}

TEST_F(FilterTest, APendedOperationMayBeCompletedBeforeTheCallbackReturns) {
  ExpectDone(Control(3), 3);
}

TEST_F(FilterTest, ToCompleteAPendedOperationTwiceIsReported) {
  ExpectBroken(Control(5), "filter-completed-twice");
}

TEST_F(FilterTest, ToCompleteAnOperationThatIsNotPendedIsReported) {
  ExpectBroken(Run([&] { Send(IRP_MJ_WRITE, 0); }), "filter-completed-not-pended");
}

TEST_F(FilterTest, AStatusThatIsNotForTheOperationIsReported) {
  ExpectBroken(Control(6), "filter-status");
}

TEST_F(FilterTest, AtDispatchLevelAPendedOperationDoesNotGoOn) {
  ExpectBroken(Control(11), "irql");
}

TEST_F(FilterTest, ContextsAreSetFoundAndCounted) { ExpectDone(Control(8), 0); }

TEST_F(FilterTest, AContextThatIsReleasedTooOftenIsReported) {
  ExpectBroken(Control(9), "filter-context");
}

TEST_F(FilterTest, APostOperationCallbackMayPend) { ExpectDone(Control(10), 10); }

TEST_F(FilterTest, CompletionIsMovedToALowerLevel) { ExpectDone(Control(13), 100 + PASSIVE_LEVEL); }

TEST_F(FilterTest, AnOperationIsPostedToAWorkItem) { ExpectDone(Control(14), 14); }

TEST_F(FilterTest, UnloadMayBeRefusedUnlessItIsMandatory) {
  bool refused = false;
  bool unloaded = false;
  std::vector<Leak> before;
  const SequentialResult result = Run([&] {
    refused = !UnloadDriver(/*mandatory=*/false);
    before = Leaks();
    unloaded = UnloadDriver();
  });
  EXPECT_EQ(result.end, SequentialEnd::kDone) << result.text;
  EXPECT_TRUE(refused);
  EXPECT_TRUE(unloaded);
  ASSERT_EQ(before.size(), 1u);
  EXPECT_EQ(before[0].text, "a filter that is registered");
  EXPECT_TRUE(Leaks().empty());
}

TEST_F(FilterTest, AnUnloadedFilterGetsNoOperations) {
  const SequentialResult result = Run([&] {
    UnloadDriver();
    Send(IRP_MJ_DEVICE_CONTROL, 2);  // which the filter would refuse
  });
  ExpectDone(result, 16);
}

TEST_F(FilterTest, WhatTheFileSystemHasIsDrainedAtTeardown) {
  bool ended_before_unload = true;
  const SequentialResult result = Run([&] {
    Send(IRP_MJ_DEVICE_CONTROL, 1, /*to_rest=*/false);
    UnloadDriver();
    ended_before_unload = ending_.times != 0;
    LetOthersRun();
  });
  // Without what the callback would have made of it.
  ExpectDone(result, 16);
  EXPECT_FALSE(ended_before_unload);
  EXPECT_TRUE(Leaks().empty());
}

TEST_F(FilterTest, AnOperationThatStaysPendedAtTeardownIsReported) {
  const SequentialResult result = Run([&] {
    Send(IRP_MJ_DEVICE_CONTROL, 12);
    UnloadDriver();
  });
  ExpectBroken(result, "pended-at-teardown");
}

TEST_F(FilterTest, AContextThatIsNotReleasedIsNamed) {
  const SequentialResult result = Run([&] {
    Send(IRP_MJ_DEVICE_CONTROL, 15);
    UnloadDriver();
  });
  EXPECT_EQ(result.end, SequentialEnd::kDone) << result.text;
  const std::vector<Leak> leaks = Leaks();
  ASSERT_EQ(leaks.size(), 1u);
  EXPECT_EQ(leaks[0].text, "a context of the filter manager");
}

TEST_F(FilterTest, RegistrationAndStartCanFail) {
  Run([] {});
  ASSERT_EQ(AllocationCount(), 2);
  for (int k = 1; k <= 2; ++k) {
    Run([] {}, k);
    EXPECT_EQ(start_, STATUS_INSUFFICIENT_RESOURCES) << k;
    EXPECT_TRUE(Leaks().empty()) << k;
  }
}

TEST_F(FilterTest, AListOfOperationsWithoutAnEndIsReported) {
  Load(CANCELSAFE_DRIVER_FILTER_UNTERMINATED);
  const SequentialResult result = Run([] {});
  ExpectBroken(result, "misuse");
  EXPECT_NE(result.text.find("IRP_MJ_OPERATION_END"), std::string::npos) << result.text;
}

}  // namespace
}  // namespace cancelsafe::drivers
