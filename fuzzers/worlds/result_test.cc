// Results as lines, and what merging them accepts.
#include "fuzzers/worlds/result.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace cancelsafe {
namespace {

using testing::HasSubstr;
using testing::Not;

VerifyResult PartOf(int shard, int shards, int64_t programs) {
  VerifyResult part;
  part.scope = {Family::kStartIo, 2, 1, 1, 1};
  part.implementation = "built-in";
  part.revision = "abc";
  part.shard = {shard, shards};
  part.next = 7;
  part.all = true;
  part.tally.programs = programs;
  part.tally.executions = 10 * programs;
  part.tally.digest = static_cast<uint64_t>(0xf000000000000000u + static_cast<unsigned>(shard));
  part.tally.left_out.skipped[static_cast<int>(Skip::kItemInUse)] = 3;
  part.seconds = 1.5;
  return part;
}

std::string ErrorOf(const std::vector<VerifyResult>& parts) {
  return std::string(MergeResults(parts).status().message());
}

TEST(ResultTest, IsTheSameAfterALineOfJson) {
  VerifyResult part = PartOf(2, 3, 2);
  part.from = 4;
  part.all = false;
  part.stopped_by = "Ctrl-C";
  part.bound = "2 preemptions";
  part.tally.cut = 5;
  part.tally.unfinished = 1;
  part.tally.left_out.unknown = 9;
  part.ignored = "deadlock, lost-item";
  part.strict = true;
  part.scope.operations = *ReadOperationWords(Family::kStartIo, "start-next,start-packet");
  EXPECT_THAT(ResultLine(part), HasSubstr(", operations start-packet+start-next"));
  const absl::StatusOr<VerifyResult> read = ParseResult(ResultJson(part));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(ResultJson(*read), ResultJson(part));
  EXPECT_EQ(ResultLine(*read), ResultLine(part));
}

TEST(ResultTest, AWordThatIsNoOperationIsNamed) {
  EXPECT_THAT(std::string(ReadOperationWords(Family::kCsq, "insert,inzert").status().message()),
              HasSubstr("'inzert' is not an operation of csq; its operations are insert+"));
  EXPECT_FALSE(ReadOperationWords(Family::kCsq, "").ok());
}

TEST(ResultTest, SaysCompleteOnlyIfNothingBoundsIt) {
  const VerifyResult complete = PartOf(1, 1, 7);
  EXPECT_EQ(ResultLine(complete),
            "start-io 2x1, 1 item, 1 setting: 7 programs, 70 executions (0 cut), model sc, "
            "complete, no violation, 1.5 s, digest f000000000000001");
  for (const auto& change : {+[](VerifyResult* result) { result->bound = "2 preemptions"; },
                             +[](VerifyResult* result) { result->stopped_by = "10 seconds"; },
                             +[](VerifyResult* result) { result->tally.unfinished = 1; },
                             +[](VerifyResult* result) { result->ignored = "lost-item"; },
                             +[](VerifyResult* result) { result->tally.left_out.unknown = 1; }}) {
    VerifyResult bounded = complete;
    change(&bounded);
    EXPECT_THAT(ResultLine(bounded), Not(HasSubstr("complete")));
    EXPECT_THAT(ResultLine(bounded), HasSubstr("bounded by "));
  }
}

TEST(ResultTest, ShardsMergeInAnyOrder) {
  const absl::StatusOr<std::vector<VerifyResult>> merged =
      MergeResults({PartOf(3, 3, 2), PartOf(1, 3, 3), PartOf(2, 3, 2)});
  ASSERT_TRUE(merged.ok()) << merged.status();
  ASSERT_EQ(merged->size(), 1u);
  EXPECT_EQ(ResultLine((*merged)[0]),
            "start-io 2x1, 1 item, 1 setting: 7 programs, 70 executions (0 cut), model sc, "
            "complete, no violation, 4.5 s, digest d000000000000006");
}

TEST(ResultTest, APartThatWentOnWhereAnotherStoppedMerges) {
  VerifyResult first = PartOf(1, 1, 4), second = PartOf(1, 1, 3);
  first.next = 4;
  first.all = false;
  first.stopped_by = "Ctrl-C";
  second.from = 4;
  const absl::StatusOr<std::vector<VerifyResult>> merged = MergeResults({second, first});
  ASSERT_TRUE(merged.ok()) << merged.status();
  EXPECT_THAT(ResultLine((*merged)[0]), HasSubstr("7 programs, 70 executions"));
  EXPECT_THAT(ResultLine((*merged)[0]), HasSubstr("complete"));
}

TEST(ResultTest, MissingPartsAreNamed) {
  EXPECT_THAT(ErrorOf({PartOf(1, 3, 3), PartOf(3, 3, 2)}), HasSubstr("shard 2/3 is missing"));
  VerifyResult stopped = PartOf(1, 1, 4);
  stopped.next = 4;
  stopped.all = false;
  EXPECT_THAT(ErrorOf({stopped}), HasSubstr("--from 4 goes on there"));
  VerifyResult late = PartOf(1, 1, 3);
  late.from = 4;
  EXPECT_THAT(ErrorOf({late}), HasSubstr("the programs before number 4 are missing"));
  late.from = 5;
  EXPECT_THAT(ErrorOf({stopped, late}), HasSubstr("one part ends before number 4, and the next"));
}

TEST(ResultTest, APartThatIsThereTwiceIsAnError) {
  EXPECT_FALSE(MergeResults({PartOf(1, 1, 7), PartOf(1, 1, 7)}).ok());
  EXPECT_THAT(ErrorOf({PartOf(1, 2, 4), PartOf(2, 2, 4)}),
              HasSubstr("the shards have 8 programs together, and the scope has 7"));
}

TEST(ResultTest, PartsOfAnotherRevisionOrSearchAreAnError) {
  for (const auto& change : {+[](VerifyResult* part) { part->revision = "def"; },
                             +[](VerifyResult* part) { part->implementation = "my.so"; },
                             +[](VerifyResult* part) { part->memory = "rc11"; },
                             +[](VerifyResult* part) { part->ignored = "lost-item"; },
                             +[](VerifyResult* part) { part->strict = true; },
                             +[](VerifyResult* part) { part->bound = "2 preemptions"; }}) {
    VerifyResult other = PartOf(2, 2, 3);
    change(&other);
    EXPECT_THAT(ErrorOf({PartOf(1, 2, 4), other}), HasSubstr("of another implementation"));
  }
}

TEST(ResultTest, OtherTextsAreNoResults) {
  EXPECT_THAT(std::string(ParseResult("{").status().message()),
              HasSubstr("not a result of cancelsafe verify"));
  EXPECT_THAT(std::string(ParseResult("{\"verify\": 99}").status().message()),
              HasSubstr("format 99 is not known"));
}

TEST(ShardTest, IsAPartOfAWhole) {
  EXPECT_EQ(ParseShard("3/16")->shard, 3);
  EXPECT_EQ(ParseShard("3/16")->shards, 16);
  for (const char* const text : {"", "3", "0/4", "5/4", "1/0", "a/b", "1/2/3"}) {
    EXPECT_THAT(std::string(ParseShard(text).status().message()), HasSubstr("is not a shard"))
        << text;
  }
}

TEST(ShardTest, TakesEveryNthProgram) {
  const Shard shard = {3, 4};
  EXPECT_EQ(shard.FirstFrom(0), 2);
  EXPECT_EQ(shard.FirstFrom(2), 2);
  EXPECT_EQ(shard.FirstFrom(3), 6);
  EXPECT_EQ(Shard().FirstFrom(5), 5);
}

}  // namespace
}  // namespace cancelsafe
