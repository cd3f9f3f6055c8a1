// Histories of calls and StartIo callbacks, written down by hand, and the requests that
// each StartIo answers.
#include "oracle/start_io/attribution.h"

#include <gtest/gtest.h>

#include <memory>

namespace cancelsafe {
namespace {

class AttributionTest : public testing::Test {
 protected:
  AttributionTest() { history_->Reset(cancelsafe::Setup(), 2); }

  uint8_t Begin(int fiber, Op op, uint8_t item = 0, uint8_t flags = 0) {
    const auto index = static_cast<uint8_t>(history_->call_count++);
    Call& call = history_->calls[index];
    call = Call();
    call.operation.op = op;
    call.operation.item = item;
    call.operation.flags = flags;
    call.fiber = static_cast<uint8_t>(fiber);
    call.begin = ++history_->sequence;
    return index;
  }
  void End(uint8_t index) {
    Call& call = history_->calls[index];
    call.returned = true;
    call.end = call.effect = ++history_->sequence;
  }
  void StartIo(int fiber, uint8_t call, uint8_t item) {
    CallbackEvent& event = history_->events[history_->event_count++];
    event = CallbackEvent();
    event.kind = CallbackKind::kStartIo;
    event.fiber = static_cast<uint8_t>(fiber);
    event.call = call;
    event.item = item;
    event.sequence = ++history_->sequence;
  }
  uint8_t Whole(int fiber, Op op, uint8_t item = 0, uint8_t flags = 0) {
    const uint8_t call = Begin(fiber, op, item, flags);
    End(call);
    return call;
  }
  void BeginDrain() { history_->drain_begin = history_->sequence + 1; }
  int32_t ResultOf(uint8_t call) const { return history_->calls[call].outcome.value; }
  uint32_t EndOf(uint8_t call) const { return history_->calls[call].end; }

  const std::unique_ptr<History> history_ = std::make_unique<History>();
};

TEST_F(AttributionTest, APacketThatFindsTheDeviceIdleIsStartedByItsOwnCall) {
  const uint8_t first = Begin(0, Op::kStartPacket, 3);
  StartIo(0, first, 3);
  End(first);
  const uint8_t second = Whole(0, Op::kStartPacket, 4);
  const uint8_t next = Begin(0, Op::kStartNext);
  StartIo(0, next, 4);
  End(next);
  const uint8_t last = Whole(0, Op::kStartNext);
  AttributeStarts(history_.get());
  EXPECT_EQ(ResultOf(first), 1);
  EXPECT_EQ(ResultOf(second), 0);
  EXPECT_EQ(ResultOf(next), 4);
  EXPECT_EQ(ResultOf(last), kNothing);
}

TEST_F(AttributionTest, APacketThatIsHandedOverBelongsToTheOpenRequest) {
  const uint8_t request = Begin(1, Op::kStartNext);
  const uint8_t start = Begin(0, Op::kStartPacket, 1);
  StartIo(0, start, 2);  // not its own
  End(start);
  End(request);
  AttributeStarts(history_.get());
  EXPECT_EQ(ResultOf(request), 2);
  EXPECT_EQ(ResultOf(start), 0);
}

TEST_F(AttributionTest, APostponedRequestEndsWhereItIsCarriedOut) {
  Whole(0, Op::kSetAttributes, 0, kDeferred);
  const uint8_t start = Begin(0, Op::kStartPacket, 1);
  StartIo(0, start, 1);
  const uint8_t request = Whole(1, Op::kStartNext);
  const uint32_t returned = EndOf(request);
  StartIo(0, start, 5);
  End(start);
  AttributeStarts(history_.get());
  EXPECT_EQ(ResultOf(start), 1);
  EXPECT_EQ(ResultOf(request), 5);
  EXPECT_GT(EndOf(request), returned);
  EXPECT_EQ(EndOf(request), history_->events[1].sequence);
}

TEST_F(AttributionTest, APostponedRequestThatFoundNothingEndsBeforeTheDrain) {
  Whole(0, Op::kSetAttributes, 0, kDeferred);
  const uint8_t start = Begin(0, Op::kStartPacket, 1);
  StartIo(0, start, 1);
  const uint8_t request = Whole(1, Op::kStartNext);
  End(start);
  BeginDrain();
  const uint8_t drain = Whole(0, Op::kStartNext);
  AttributeStarts(history_.get());
  EXPECT_EQ(ResultOf(request), kNothing);
  EXPECT_EQ(EndOf(request), EndOf(start));
  EXPECT_LT(EndOf(request), history_->calls[drain].begin);
  EXPECT_EQ(ResultOf(drain), kNothing);
}

TEST_F(AttributionTest, ALaterSettingWithoutDeferredStartIoClearsIt) {
  Whole(0, Op::kSetAttributes, 0, kDeferred);
  Whole(0, Op::kSetAttributes);
  const uint8_t start = Begin(0, Op::kStartPacket, 1);
  StartIo(0, start, 1);
  const uint8_t request = Whole(1, Op::kStartNext);
  StartIo(0, start, 5);
  End(start);
  AttributeStarts(history_.get());
  EXPECT_EQ(ResultOf(request), kNothing);
}

TEST_F(AttributionTest, WithoutDeferredStartIoARequestIsOverWhenItReturns) {
  const uint8_t start = Begin(0, Op::kStartPacket, 1);
  StartIo(0, start, 1);
  const uint8_t request = Whole(1, Op::kStartNext);
  const uint32_t returned = EndOf(request);
  StartIo(0, start, 5);
  End(start);
  AttributeStarts(history_.get());
  EXPECT_EQ(ResultOf(request), kNothing);
  EXPECT_EQ(EndOf(request), returned);
}

// Of two devices each has its own current packet and its own request that waits.
TEST_F(AttributionTest, OfTwoDevicesEachCarriesOutItsOwnRequests) {
  history_->setup.two_queues = true;
  Whole(0, Op::kSetAttributes, 0, kDeferred | kOtherQueue);
  const uint8_t first = Begin(0, Op::kStartPacket, 1);
  StartIo(0, first, 1);
  const uint8_t other = Begin(1, Op::kStartPacket, 2, kOtherQueue);
  StartIo(1, other, 2);
  Whole(2, Op::kStartPacket, 3);
  const uint8_t queued = Whole(2, Op::kStartPacket, 4, kOtherQueue);
  const uint8_t postponed = Whole(2, Op::kStartNext, 0, kOtherQueue);
  const uint8_t request = Begin(2, Op::kStartNext);
  StartIo(2, request, 3);
  End(request);
  // Handed over by the start that waited for its StartIo to return.
  StartIo(1, other, 4);
  End(other);
  End(first);
  AttributeStarts(history_.get());
  EXPECT_EQ(ResultOf(first), 1);
  EXPECT_EQ(ResultOf(other), 1);
  EXPECT_EQ(ResultOf(queued), 0);
  EXPECT_EQ(ResultOf(request), 3);
  EXPECT_EQ(ResultOf(postponed), 4);
}

}  // namespace
}  // namespace cancelsafe
