// Reads-from as feedback: which pairs of sites count, and that each has a counter.
#include <gtest/gtest.h>

#include <algorithm>

#include "fuzzers/memory/runtime.h"

namespace cancelsafe::memory {
namespace {

constexpr uint32_t kCounters = 1024;
uint8_t counters[kCounters];

// Of some code in this program.
uint32_t Site(int number) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(&SetReadsFromCoverage)) +
         static_cast<uint32_t>(number);
}

class ReadsFromTest : public ::testing::Test {
 protected:
  ReadsFromTest() {
    std::fill(std::begin(counters), std::end(counters), 0);
    SetReadsFromCoverage(counters, kCounters);
  }
  ~ReadsFromTest() override { SetReadsFromCoverage(nullptr, 1); }

  static void Read(int writer_site, int writer, int reader_site, int reader) {
    ReadsFrom read;
    read.number = 1;
    read.site = Site(writer_site);
    read.writer = static_cast<uint8_t>(writer);
    NoteReadsFrom(read, reader, Site(reader_site));
  }
  static int64_t Met() { return std::count(std::begin(counters), std::end(counters), 1); }
};

TEST_F(ReadsFromTest, APairOfSitesIsMetOnce) {
  Read(1, 0, 2, 1);
  Read(1, 0, 2, 1);
  EXPECT_EQ(Met(), 1);
}

TEST_F(ReadsFromTest, WhichSiteWroteAndWhichReadsMakeADifference) {
  Read(1, 0, 2, 1);
  Read(3, 0, 2, 1);
  Read(1, 0, 4, 1);
  Read(2, 0, 1, 1);
  EXPECT_EQ(Met(), 4);
}

TEST_F(ReadsFromTest, WhatAFiberWroteItselfOrWasThereBeforeTellsNothing) {
  Read(1, 1, 2, 1);
  Read(1, kNoFiber, 2, 1);
  EXPECT_EQ(Met(), 0);
}

}  // namespace
}  // namespace cancelsafe::memory
