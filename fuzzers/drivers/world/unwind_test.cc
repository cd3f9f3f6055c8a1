// Unwinding by tables that a file claims: those of a real driver, damaged at random.
#include "fuzzers/drivers/world/unwind.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>

#include "base/random.h"
#include "fuzzers/drivers/build/sequential.h"
#include "fuzzers/drivers/world/services.h"
#include "fuzzers/drivers/world/world.h"

namespace cancelsafe::drivers {
namespace {

#ifdef CANCELSAFE_DRIVER_EXCEPTIONS

const int any_service = 0;
const void* AnyService(const std::string&, const std::string&) { return &any_service; }

std::vector<uint8_t> Bytes() {
  std::ifstream in(CANCELSAFE_DRIVER_EXCEPTIONS_PLAIN, std::ios::binary);
  return std::vector<uint8_t>{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

struct Place {
  size_t begin = 0;
  size_t bytes = 0;
};

// Where the file has the table of functions, and what its entries point to.
struct Tables {
  explicit Tables(const std::vector<uint8_t>& bytes) {
    std::string error;
    PeFile file;
    EXPECT_TRUE(ParsePe(bytes, &file, &error)) << error;
    functions = {OffsetOf(file, file.exceptions.rva), file.exceptions.size};
    size_t first = bytes.size();
    size_t last = 0;
    for (size_t at = 0; at + sizeof(RuntimeFunction) <= functions.bytes;
         at += sizeof(RuntimeFunction)) {
      RuntimeFunction function;
      memcpy(&function, &bytes[functions.begin + at], sizeof(function));
      first = std::min(first, OffsetOf(file, function.unwind));
      last = std::max(last, OffsetOf(file, function.unwind));
    }
    info = {first, last + 4 - first};
  }
  static size_t OffsetOf(const PeFile& file, uint32_t rva) {
    for (const PeSection& section : file.sections) {
      if (rva - section.rva < section.file_size) return section.file_offset + (rva - section.rva);
    }
    ADD_FAILURE() << rva << " is in no section";
    return 0;
  }
  Place functions;
  Place info;
};

void Damage(const Place& place, Random* random, std::vector<uint8_t>* bytes) {
  for (int k = random->Between(1, 40); k > 0; --k) {
    uint8_t& byte = (*bytes)[place.begin + random->Below(static_cast<int>(place.bytes))];
    byte =
        static_cast<uint8_t>(random->OneIn(2) ? byte ^ 1u << random->Below(8) : random->Below(256));
  }
}

// A stack with nothing but addresses of itself, of code, and small numbers on it.
class StackOfRubbish {
 public:
  StackOfRubbish(const DriverImage& image, Random* random) {
    for (uint64_t& word : words_) {
      word = random->OneIn(3)   ? reinterpret_cast<uint64_t>(&words_[random->Below(kWords)])
             : random->OneIn(2) ? reinterpret_cast<uint64_t>(image.base()) + random->Below(65536)
                                : static_cast<uint64_t>(random->Below(4096));
    }
  }
  StackRange range() const {
    return {reinterpret_cast<uint64_t>(&words_[kMargin]),
            reinterpret_cast<uint64_t>(&words_[kWords - kMargin])};
  }

 private:
  static constexpr int kMargin = 512;
  static constexpr int kWords = 8192;
  uint64_t words_[kWords];
};

// A step back stays on the stack, goes towards its beginning, and ends.
void ExpectSteps(const DriverImage& image, Random* random, int* steps) {
  static StackOfRubbish* const stack = new StackOfRubbish(image, random);
  const StackRange range = stack->range();
  for (int i = 0; i < 40; ++i) {
    KernelContext context = {};
    for (uint64_t& value : context.registers) {
      value = range.low - 256 + 8ull * random->Below(8192);
    }
    context.rsp() = range.low + 8ull * random->Below(1024);
    context.rip = reinterpret_cast<uint64_t>(image.base()) + 4096 + random->Below(8192);
    for (int frames = 0; frames < 64; ++frames) {
      if (!image.IsExecutable(reinterpret_cast<const void*>(context.rip))) break;
      const uint64_t before = context.rsp();
      UnwoundFrame frame;
      if (!VirtualUnwind(image, range, &context, &frame)) break;
      ++*steps;
      ASSERT_GT(context.rsp(), before);
      ASSERT_LE(context.rsp(), range.high);
    }
  }
}

TEST(UnwindTest, DamagedTablesLeadNowhereElse) {
  const std::vector<uint8_t> whole = Bytes();
  const Tables tables(whole);
  ASSERT_GT(tables.info.bytes, 500u);
  Random random(1);
  int steps = 0;
  int loaded = 0;
  for (int i = 0; i < 1000; ++i) {
    std::vector<uint8_t> bytes = whole;
    Damage(random.OneIn(4) ? tables.functions : tables.info, &random, &bytes);
    std::string error;
    const auto image = DriverImage::LoadBytes(bytes, "damaged", AnyService, &error);
    if (image == nullptr) continue;
    ++loaded;
    ExpectSteps(*image, &random, &steps);
    if (HasFatalFailure()) return;
  }
  EXPECT_EQ(loaded, 1000);
  EXPECT_GT(steps, 10000) << "most steps are refused: this shows little";
}

TEST(UnwindTest, ADriverWithoutHandlersIsKnown) {
  std::string error;
  for (const char* path : {CANCELSAFE_DRIVER_EXCEPTIONS, CANCELSAFE_DRIVER_EXCEPTIONS_PLAIN}) {
    const auto image = DriverImage::Load(path, AnyService, &error);
    ASSERT_NE(image, nullptr) << error;
    EXPECT_TRUE(HasExceptionHandlers(*image)) << path;
  }
  for (const char* path : {CANCELSAFE_DRIVER_SERVICES, CANCELSAFE_DRIVER_SERVICES_PLAIN}) {
    const auto image = DriverImage::Load(path, AnyService, &error);
    ASSERT_NE(image, nullptr) << error;
    EXPECT_FALSE(HasExceptionHandlers(*image)) << path;
  }
}

// One kind of damage, done to the tables of every function that it applies to; and what is then
// said of the first exception of CaughtFromCallee.
struct Hostile {
  const char* name;
  void (*damage)(uint8_t* info);  // UNWIND_INFO
  const char* text;
};

bool HasScopes(const uint8_t* info) { return (info[0] >> 3 & kHandlesExceptions) != 0; }
void Store(uint8_t* at, uint32_t value) { memcpy(at, &value, 4); }
uint8_t* HandlerOf(uint8_t* info) { return info + 4 + (info[2] + 1) / 2 * 4; }
uint8_t* FirstScopeOf(uint8_t* info) { return HandlerOf(info) + 8; }

constexpr char kNotFollowed[] = "cannot be followed";
constexpr char kNoCode[] = "where no code is";
const Hostile kHostile[] = {
    {"AnotherVersion", [](uint8_t* info) { info[0] = 7; }, kNotFollowed},
    {"TrapFrames", [](uint8_t* info) { info[5] = 10; }, kNotFollowed},
    {"CodesWithoutEnd", [](uint8_t* info) { info[2] = 255; }, kNotFollowed},
    // Its parent is what follows, then what follows that.
    {"ChainToNowhere",
     [](uint8_t* info) {
       info[0] = 1 | kChained << 3;
       info[1] = info[2] = info[3] = 0;
       Store(info + 12, 0x7ffffff0);
     },
     kNotFollowed},
    {"FrameOffTheStack",
     [](uint8_t* info) {
       if (info[2] < 2) return;
       info[5] = 0x11;  // UWOP_ALLOC_LARGE of what the next slots say, where there is one
     },
     kNotFollowed},
    {"HandlerNowhere",
     [](uint8_t* info) {
       if (HasScopes(info)) Store(HandlerOf(info), 0x10);
     },
     kNoCode},
    {"FilterNowhere",
     [](uint8_t* info) {
       if (HasScopes(info)) Store(FirstScopeOf(info) + 8, 0xfffffff0);
     },
     kNoCode},
    {"TargetNowhere",
     [](uint8_t* info) {
       if (HasScopes(info)) Store(FirstScopeOf(info) + 12, 0x20);
     },
     kNoCode},
};

class HostileTablesTest : public testing::TestWithParam<Hostile> {};

TEST_P(HostileTablesTest, EndTheRunInWords) {
  std::vector<uint8_t> bytes = Bytes();
  PeFile file;
  std::string error;
  ASSERT_TRUE(ParsePe(bytes, &file, &error)) << error;
  std::set<size_t> done;
  for (uint32_t at = 0; at < file.exceptions.size; at += sizeof(RuntimeFunction)) {
    RuntimeFunction function;
    memcpy(&function, &bytes[Tables::OffsetOf(file, file.exceptions.rva + at)], sizeof(function));
    const size_t info = Tables::OffsetOf(file, function.unwind);
    if (done.insert(info).second) GetParam().damage(&bytes[info]);
  }
  const auto image = DriverImage::LoadBytes(
      bytes, "hostile",
      [](const std::string&, const std::string& name) { return FindService(name)->address; },
      &error);
  ASSERT_NE(image, nullptr) << error;
  BeginRun(image.get(), WorldOptions());
  const SequentialResult result = RunSequentially([&] {
    ASSERT_EQ(StartDriver(), STATUS_SUCCESS);
    RequestSpec spec;
    spec.major = IRP_MJ_DEVICE_CONTROL;
    spec.file = MakeFile(Devices().at(0));
    spec.control_code = 0x220000u;
    Dispatch(MakeRequest(spec));
  });
  EXPECT_EQ(result.end, SequentialEnd::kBroken);
  EXPECT_NE(result.text.find(GetParam().text), std::string::npos) << result.text;
}

INSTANTIATE_TEST_SUITE_P(All, HostileTablesTest, testing::ValuesIn(kHostile),
                         [](const auto& info) { return std::string(info.param.name); });

#endif

}  // namespace
}  // namespace cancelsafe::drivers
