// The loader on images that are right, wrong in one way, and wrong in any way.
#include "fuzzers/drivers/image/driver_image.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/random.h"
#include "impl/kernel/windows_code.h"

namespace cancelsafe::drivers {
namespace {

std::vector<uint8_t> Read(const char* path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// What imports are bound to here; none is called.
const int any_service = 0;

const void* AnyService(const std::string&, const std::string& name) {
  return name == "IoCsqInsertIrp" ? nullptr : &any_service;
}

TEST(PeFile, WhatIsNoImageIsRefusedInWords) {
  PeFile file;
  std::string error;
  EXPECT_FALSE(ParsePe({}, &file, &error));
  EXPECT_EQ(error, "not a PE image: it does not begin with \"MZ\"");
  EXPECT_FALSE(ParsePe({'M', 'Z'}, &file, &error));
  EXPECT_EQ(error, "the file ends within its DOS header: it has 2 bytes");
  std::unique_ptr<DriverImage> image = DriverImage::Load("/nonexistent", AnyService, &error);
  EXPECT_EQ(image, nullptr);
  EXPECT_EQ(error, "cannot read /nonexistent: No such file or directory");
}

#ifdef CANCELSAFE_DRIVER_SERVICES

// The image with one field changed, and the reason for which it is refused.
std::string Refusal(size_t offset, const std::vector<uint8_t>& value, bool from_pe = true) {
  std::vector<uint8_t> bytes = Read(CANCELSAFE_DRIVER_SERVICES);
  uint32_t pe;
  memcpy(&pe, &bytes[0x3c], 4);
  std::copy(value.begin(), value.end(),
            bytes.begin() + static_cast<long>(offset + (from_pe ? pe : 0)));
  PeFile file;
  std::string error;
  return ParsePe(bytes, &file, &error) ? "accepted" : error;
}

TEST(PeFile, EachWrongHeaderFieldIsNamed) {
  EXPECT_EQ(Refusal(0, {'P', 'X'}).substr(0, 33), "not a PE image: there is no \"PE\" ");
  EXPECT_EQ(Refusal(4, {0x4c, 0x01}), "it is for machine 0x14c; build it for x86-64 (0x8664)");
  EXPECT_EQ(Refusal(6, {0, 0}), "it has 0 sections; expected 1 to 96");
  EXPECT_EQ(Refusal(24, {0x0b, 0x01}),
            "its optional header is of kind 0x10b; expected PE32+ (0x20b)");
  EXPECT_EQ(Refusal(24 + 16, {0xff, 0xff, 0xff, 0x7f}),
            "its entry point, 2147483647, is not in an executable section");
  EXPECT_EQ(Refusal(24 + 32, {0x10, 0, 0, 0}),
            "sections are aligned to 16 bytes; expected a power of two, 4096 or more");
  EXPECT_EQ(Refusal(24 + 56, {0xff, 0xff, 0xff, 0xff}),
            "its size in memory is 4294967295; expected 1 to 67108864");
  EXPECT_EQ(Refusal(0x3c, {0xff, 0xff, 0xff, 0xff}, false),
            "the PE header's place, 4294967295, is outside of the file");
}

TEST(PeFile, ImportsByOrdinalAreRefused) {
  std::vector<uint8_t> bytes = Read(CANCELSAFE_DRIVER_SERVICES);
  PeFile file;
  std::string error;
  ASSERT_TRUE(ParsePe(bytes, &file, &error)) << error;
  // The lookup table's first entry: found by the place of the name that it leads to.
  const std::string name = file.imports[0].name;
  const auto at = std::search(bytes.begin(), bytes.end(), name.begin(), name.end());
  ASSERT_NE(at, bytes.end());
  uint32_t rva = 0;
  for (const PeSection& section : file.sections) {
    const auto offset = static_cast<uint32_t>(at - bytes.begin()) - 2;
    if (offset >= section.file_offset && offset - section.file_offset < section.file_size) {
      rva = section.rva + (offset - section.file_offset);
    }
  }
  const uint64_t lookup = rva;
  for (size_t i = 0; i + 8 <= bytes.size(); i += 8) {
    if (memcmp(&bytes[i], &lookup, 8) == 0) bytes[i + 7] = 0x80;
  }
  EXPECT_FALSE(ParsePe(bytes, &file, &error));
  EXPECT_NE(error.find("by ordinal"), std::string::npos) << error;
}

TEST(DriverImage, EachTruncationIsRefusedOrHarmless) {
  const std::vector<uint8_t> whole = Read(CANCELSAFE_DRIVER_SERVICES);
  for (size_t size = 0; size < whole.size(); size += size < 2048 ? 1 : 509) {
    std::string error;
    const auto image = DriverImage::LoadBytes(
        std::vector<uint8_t>(whole.begin(), whole.begin() + static_cast<long>(size)), "cut",
        AnyService, &error);
    if (image == nullptr) EXPECT_EQ(error.rfind("cut: ", 0), 0u) << error;
  }
}

// TSan, to which the loader is nothing special, maps memory ten times as slowly.
#ifdef CANCELSAFE_SANITIZER_THREAD
constexpr int kMutations = 1000;
#else
constexpr int kMutations = 10000;
#endif

// Most are loaded: the bytes that a mutation hits are most often code.
TEST(DriverImage, MutatedImagesAreLoadedOrRefused) {
  const std::vector<uint8_t> whole = Read(CANCELSAFE_DRIVER_SERVICES);
  Random random(1);
  int refused = 0;
  for (int i = 0; i < kMutations; ++i) {
    std::vector<uint8_t> bytes = whole;
    // Headers and tables are small: half of the mutations are in the first kilobyte.
    for (int k = random.Between(1, 8); k > 0; --k) {
      const auto at = static_cast<size_t>(
          random.Below(random.OneIn(2) ? 1024 : static_cast<int>(bytes.size())));
      const int kind = random.Below(4);
      bytes[at] = static_cast<uint8_t>(kind == 0   ? 0
                                       : kind == 1 ? 0xff
                                       : kind == 2 ? bytes[at] ^ 1u << random.Below(8)
                                                   : random.Below(256));
    }
    std::string error;
    const auto image = DriverImage::LoadBytes(bytes, "mutated", AnyService, &error);
    if (image == nullptr) {
      ++refused;
      ASSERT_EQ(error.rfind("mutated: ", 0), 0u) << error;
    } else {
      image->Reset();
    }
  }
  EXPECT_GT(refused, kMutations / 10);
  EXPECT_LT(refused, kMutations);
}

TEST(DriverImage, ImagesLieAtTheSameAddressEachTime) {
  const std::vector<uint8_t> whole = Read(CANCELSAFE_DRIVER_SERVICES);
  for (int i = 0; i < 2; ++i) {
    std::string error;
    const auto image = DriverImage::LoadBytes(whole, "services", AnyService, &error);
    ASSERT_NE(image, nullptr) << error;
    EXPECT_EQ(reinterpret_cast<uint64_t>(image->base()), uint64_t{kKiWindowsZone});
    EXPECT_TRUE(KiIsWindowsCode(static_cast<char*>(image->entry())));
    EXPECT_TRUE(image->IsExecutable(image->entry()));
    EXPECT_TRUE(image->instrumented());
    EXPECT_GT(image->blocks(), 0u);
  }
}

TEST(DriverImage, ServicesThatAreNotProvidedAreListed) {
  std::string error;
  const auto image = DriverImage::Load(CANCELSAFE_DRIVER_SERVICES, AnyService, &error);
  ASSERT_NE(image, nullptr) << error;
  ASSERT_EQ(image->missing_services().size(), 1u);
  EXPECT_EQ(image->missing_services()[0], "IoCsqInsertIrp (ntoskrnl.exe)");
}

#else

TEST(DriverImage, NeedsThePackagesThatBuildDrivers) {
  GTEST_SKIP() << "mingw-w64-common or mingw-w64-x86-64-dev is not installed";
}

#endif

}  // namespace
}  // namespace cancelsafe::drivers
