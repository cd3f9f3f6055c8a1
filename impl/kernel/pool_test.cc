// The pool and the bug checks: what a block is, and which calls end the process.
#include <gtest/gtest.h>

#include "kernel/testing.h"

namespace cancelsafe {
namespace {

using Names = std::vector<std::string>;
constexpr ULONG kTag = 0x74736554;

TEST(PoolTest, PagedPoolIsForLowLevels) {
  RecordingPlatform platform;
  platform.processor.irql = DISPATCH_LEVEL;
  ExFreePool(ExAllocatePoolWithTag(PagedPool, 8, kTag));
  ExFreePool(ExAllocatePool2(POOL_FLAG_PAGED, 8, kTag));
  ExFreePool(ExAllocatePoolWithTag(NonPagedPool, 8, kTag));
  platform.processor.irql = SYNCH_LEVEL;
  ExFreePool(ExAllocatePoolZero(NonPagedPoolNx, 8, kTag));
  EXPECT_EQ((Names{"irql-too-high in ExAllocatePoolWithTag", "irql-too-high in ExAllocatePool2",
                   "irql-too-high in ExAllocatePoolZero"}),
            platform.violations);
}

TEST(PoolTest, WrongTagIsABugCheck) {
  void* block = ExAllocatePoolWithTag(NonPagedPool, 8, kTag);
  EXPECT_DEATH(ExFreePoolWithTag(block, kTag + 1), "bug check 0x000000c2 \\(0xa, ");
  ExFreePoolWithTag(block, kTag);
}

TEST(PoolTest, WhatIsNoBlockIsABugCheck) {
  alignas(16) UCHAR memory[64] = {};
  EXPECT_DEATH(ExFreePool(memory + 32), "bug check 0x000000c2 \\(0x46, ");
  EXPECT_DEATH(ExFreePool(memory + 33), "bug check 0x000000c2 \\(0x46, ");
  EXPECT_DEATH(ExFreePool(nullptr), "bug check 0x000000c2 \\(0x46, ");
}

TEST(DebuggingTest, AssertionsAndBugChecksSayWhatTheyWere) {
  EXPECT_DEATH(ASSERT(kTag == 0), "pool_test.cc:[0-9]+: assertion failed: kTag == 0\n");
  EXPECT_DEATH(ASSERTMSG("so it is", kTag == 0), "assertion failed: kTag == 0: so it is\n");
  EXPECT_DEATH(KeBugCheckEx(0xe2, 1, 2, 3, 4), "bug check 0x000000e2 \\(0x1, 0x2, 0x3, 0x4\\)");
  EXPECT_DEATH(KeBugCheck(0x44), "bug check 0x00000044");
  EXPECT_DEATH(DbgBreakPoint(), "DbgBreakPoint");
  RecordingPlatform platform;
  platform.processor.irql = DISPATCH_LEVEL;
  EXPECT_DEATH(PAGED_CODE(), "assertion failed: PAGED_CODE");
}

}  // namespace
}  // namespace cancelsafe
