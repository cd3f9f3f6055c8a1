// See result.h.
#include "fuzzers/worlds/result.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/counted.h"
#include "oracle/family.h"

namespace cancelsafe {
namespace {

using nlohmann::json;

// Grows when a line means something else than before.
constexpr int kFormat = 1;

std::string Digest(const VerifyResult& result) {
  return absl::StrFormat("%016x", result.driver ? result.driver_tally.digest : result.tally.digest);
}
int64_t ProgramsOf(const VerifyResult& result) {
  return result.driver ? result.driver_tally.programs : result.tally.programs;
}

bool SameScope(const VerifyResult& a, const VerifyResult& b) {
  if (a.driver.has_value() != b.driver.has_value()) return false;
  // Each driver has programs of its own.
  return a.driver ? *a.driver == *b.driver && a.implementation == b.implementation
                  : a.scope == b.scope;
}

// What keeps the result from being complete.
std::vector<std::string> BoundsOf(const VerifyResult& result) {
  std::vector<std::string> bounds;
  if (!result.bound.empty()) bounds.push_back(result.bound);
  // Of a driver the runs are counted in which something was ignored.
  if (!result.driver && !result.ignored.empty()) bounds.push_back("leaving out " + result.ignored);
  if (!result.stopped_by.empty()) bounds.push_back(result.stopped_by);
  if (result.tally.unfinished != 0) {
    bounds.push_back(
        absl::StrCat(Counted(result.tally.unfinished, "program"), " that could not be searched"));
  }
  for (int i = 0; i < drivers::kUnjudgedCount; ++i) {
    if (result.driver_tally.unjudged[i] == 0) continue;
    bounds.push_back(absl::StrCat(Counted(result.driver_tally.unjudged[i], "program"), " ",
                                  UnjudgedText(static_cast<drivers::Unjudged>(i))));
  }
  if (result.driver_tally.ignored != 0) {
    bounds.push_back(absl::StrCat(Counted(result.driver_tally.ignored, "run"),
                                  " with a violation to be ignored"));
  }
  if (result.tally.left_out.unknown != 0) {
    bounds.push_back(
        absl::StrCat(Counted(result.tally.left_out.unknown, "run"), " that could not be judged"));
  }
  return bounds;
}

bool GoTogether(const VerifyResult& a, const VerifyResult& b) {
  return SameScope(a, b) && a.unseen == b.unseen && a.implementation == b.implementation &&
         a.revision == b.revision && a.memory == b.memory && a.bound == b.bound &&
         a.ignored == b.ignored && a.strict == b.strict && a.shard.shards == b.shard.shards;
}

// The parts of one shard, in order, as one.
absl::StatusOr<VerifyResult> MergeShard(std::vector<VerifyResult> parts) {
  std::sort(parts.begin(), parts.end(),
            [](const VerifyResult& a, const VerifyResult& b) { return a.from < b.from; });
  VerifyResult merged = parts[0];
  const std::string name =
      absl::StrCat(ScopeText(merged), ", shard ", merged.shard.shard, "/", merged.shard.shards);
  if (merged.from != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": the programs before number ", merged.from, " are missing"));
  }
  for (size_t i = 1; i < parts.size(); ++i) {
    const VerifyResult& part = parts[i];
    if (part.from != merged.next || merged.all) {
      return absl::InvalidArgumentError(absl::StrCat(name, ": one part ends before number ",
                                                     merged.next, ", and the next begins with ",
                                                     part.from));
    }
    merged.next = part.next;
    merged.all = part.all;
    merged.seconds += part.seconds;
    merged.tally.Add(part.tally);
    merged.driver_tally.Add(part.driver_tally);
  }
  if (!merged.all) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": the programs from number ", merged.next,
                                                   " on are missing; --from ", merged.next,
                                                   " goes on there"));
  }
  merged.stopped_by.clear();
  return merged;
}

absl::StatusOr<VerifyResult> MergeScope(const std::vector<VerifyResult>& parts) {
  std::optional<VerifyResult> whole;
  for (int shard = 1; shard <= parts[0].shard.shards; ++shard) {
    std::vector<VerifyResult> own;
    for (const VerifyResult& part : parts) {
      if (part.shard.shard == shard) own.push_back(part);
    }
    if (own.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(ScopeText(parts[0]), ": shard ", shard, "/",
                                                     parts[0].shard.shards, " is missing"));
    }
    absl::StatusOr<VerifyResult> merged = MergeShard(own);
    if (!merged.ok()) return merged.status();
    if (!whole) {
      whole = *std::move(merged);
      continue;
    }
    if (whole->next != merged->next) {
      return absl::InvalidArgumentError(
          absl::StrCat(ScopeText(*whole), ": one shard says that there are ", whole->next,
                       " programs, and shard ", shard, " that there are ", merged->next,
                       ": they are not of the same revision"));
    }
    whole->seconds += merged->seconds;
    whole->tally.Add(merged->tally);
    whole->driver_tally.Add(merged->driver_tally);
  }
  if (ProgramsOf(*whole) != whole->next) {
    return absl::InvalidArgumentError(
        absl::StrCat(ScopeText(*whole), ": the shards have ", ProgramsOf(*whole),
                     " programs together, and the scope has ", whole->next));
  }
  whole->shard = Shard();
  return *whole;
}

}  // namespace

absl::StatusOr<Shard> ParseShard(const std::string& text) {
  Shard shard;
  const std::vector<std::string> numbers = absl::StrSplit(text, '/');
  if (numbers.size() == 2 && absl::SimpleAtoi(numbers[0], &shard.shard) &&
      absl::SimpleAtoi(numbers[1], &shard.shards) && shard.shard >= 1 &&
      shard.shard <= shard.shards && shard.shards <= 1 << 20) {
    return shard;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", text, "' is not a shard such as 3/16, the third of sixteen"));
}

std::string ScopeText(const VerifyResult& result) {
  return result.driver ? absl::StrCat(result.implementation, ": ", ScopeText(*result.driver))
                       : ScopeText(result.scope);
}

std::string LeftOutText(const VerifyResult& result) {
  // It begins like the sentence that explore ends with.
  return result.driver ? Counted(result.driver_tally.skipped, "operation") + " skipped"
                       : result.tally.left_out.Text().substr(2);
}

std::string ResultLine(const VerifyResult& result) {
  std::string text = ScopeText(result);
  if (!result.shard.whole()) {
    absl::StrAppend(&text, ", shard ", result.shard.shard, "/", result.shard.shards);
  }
  if (result.from != 0) absl::StrAppend(&text, ", from program ", result.from);
  const std::vector<std::string> bounds = BoundsOf(result);
  const int64_t executions =
      result.driver ? result.driver_tally.executions : result.tally.executions;
  const int64_t cut = result.driver ? result.driver_tally.cut : result.tally.cut;
  const std::string complete = drivers::CompleteText(result.unseen);
  absl::StrAppend(
      &text, ": ", Counted(ProgramsOf(result), "program"), ", ", Counted(executions, "execution"),
      " (", cut, " cut), model ", result.memory, ", ",
      bounds.empty() ? complete : absl::StrCat("bounded by ", absl::StrJoin(bounds, ", ")),
      ", no violation, ", absl::StrFormat("%.1f s", result.seconds), ", digest ", Digest(result));
  return text;
}

namespace {

// What the results on a driver have in place of those on queues.
json DriverJson(const VerifyResult& result) {
  const drivers::DriverTally& tally = result.driver_tally;
  json unjudged = json::array();
  for (const int64_t programs : tally.unjudged) unjudged.push_back(programs);
  return {{"family", "driver"},
          {"fibers", result.driver->fibers},
          {"calls", result.driver->calls},
          {"files", result.driver->files},
          {"failures", result.driver->failures},
          {"operations", drivers::DriverOperationWords(result.driver->operations)},
          {"unseen", result.unseen},
          {"programs", tally.programs},
          {"executions", tally.executions},
          {"cut", tally.cut},
          {"skipped", tally.skipped},
          {"ignored", tally.ignored},
          {"unjudged", unjudged}};
}

json QueueJson(const VerifyResult& result) {
  json skipped = json::object();
  for (int i = 1; i < kSkipCount; ++i) {
    if (result.tally.left_out.skipped[i] != 0) {
      skipped[SkipReason(static_cast<Skip>(i))] = result.tally.left_out.skipped[i];
    }
  }
  return {{"family", InfoOf(result.scope.family).name},
          {"fibers", result.scope.fibers},
          {"calls", result.scope.calls},
          {"items", result.scope.items},
          {"settings", result.scope.settings},
          {"operations", OperationWords(result.scope.operations)},
          {"programs", result.tally.programs},
          {"executions", result.tally.executions},
          {"cut", result.tally.cut},
          {"unfinished", result.tally.unfinished},
          {"skipped", skipped},
          {"unknown", result.tally.left_out.unknown}};
}

absl::Status ReadDriver(const json& object, VerifyResult* result) {
  drivers::DriverScope& scope = result->driver.emplace();
  drivers::DriverTally& tally = result->driver_tally;
  object.at("fibers").get_to(scope.fibers);
  object.at("calls").get_to(scope.calls);
  object.at("files").get_to(scope.files);
  object.at("failures").get_to(scope.failures);
  if (const std::string words = object.at("operations").get<std::string>(); !words.empty()) {
    const absl::StatusOr<uint32_t> operations = drivers::ReadDriverOperationWords(words);
    if (!operations.ok()) return operations.status();
    scope.operations = *operations;
  }
  object.at("unseen").get_to(result->unseen);
  object.at("programs").get_to(tally.programs);
  object.at("executions").get_to(tally.executions);
  object.at("cut").get_to(tally.cut);
  object.at("skipped").get_to(tally.skipped);
  object.at("ignored").get_to(tally.ignored);
  for (size_t i = 0; i < drivers::kUnjudgedCount; ++i) {
    object.at("unjudged").at(i).get_to(tally.unjudged[i]);
  }
  return absl::OkStatus();
}

absl::Status ReadQueue(const json& object, VerifyResult* result) {
  const std::optional<Family> family = FindFamily(object.at("family").get<std::string>());
  if (!family) return absl::InvalidArgumentError("the family is not known");
  result->scope.family = *family;
  object.at("fibers").get_to(result->scope.fibers);
  object.at("calls").get_to(result->scope.calls);
  object.at("items").get_to(result->scope.items);
  object.at("settings").get_to(result->scope.settings);
  // Results of earlier releases have all operations.
  if (const std::string words = object.value("operations", std::string()); !words.empty()) {
    const absl::StatusOr<uint64_t> operations = ReadOperationWords(*family, words);
    if (!operations.ok()) return operations.status();
    result->scope.operations = *operations;
  }
  object.at("programs").get_to(result->tally.programs);
  object.at("executions").get_to(result->tally.executions);
  object.at("cut").get_to(result->tally.cut);
  object.at("unfinished").get_to(result->tally.unfinished);
  object.at("unknown").get_to(result->tally.left_out.unknown);
  for (int i = 1; i < kSkipCount; ++i) {
    result->tally.left_out.skipped[i] =
        object.at("skipped").value(SkipReason(static_cast<Skip>(i)), int64_t{0});
  }
  return absl::OkStatus();
}

}  // namespace

std::string ResultJson(const VerifyResult& result) {
  json line = result.driver ? DriverJson(result) : QueueJson(result);
  line.update({
      {"verify", kFormat},
      {"implementation", result.implementation},
      {"revision", result.revision},
      {"memory", result.memory},
      {"bound", result.bound},
      {"ignored", result.ignored},
      {"strict", result.strict},
      {"shard", result.shard.shard},
      {"shards", result.shard.shards},
      {"from", result.from},
      {"next", result.next},
      {"all", result.all},
      {"stopped_by", result.stopped_by},
      {"seconds", result.seconds},
      {"digest", Digest(result)},
  });
  return line.dump();
}

absl::StatusOr<VerifyResult> ParseResult(const std::string& line) {
  VerifyResult result;
  try {
    const json object = json::parse(line);
    if (object.at("verify").get<int>() != kFormat) {
      return absl::InvalidArgumentError(absl::StrCat("format ", object.at("verify").get<int>(),
                                                     " is not known; this build reads ", kFormat));
    }
    const bool is_driver = object.at("family").get<std::string>() == "driver";
    const absl::Status read = is_driver ? ReadDriver(object, &result) : ReadQueue(object, &result);
    if (!read.ok()) return read;
    object.at("implementation").get_to(result.implementation);
    object.at("revision").get_to(result.revision);
    object.at("memory").get_to(result.memory);
    object.at("bound").get_to(result.bound);
    // Results of earlier releases do not say it.
    result.ignored = object.value("ignored", std::string());
    result.strict = object.value("strict", false);
    const absl::StatusOr<Shard> shard = ParseShard(
        absl::StrCat(object.at("shard").get<int>(), "/", object.at("shards").get<int>()));
    if (!shard.ok()) return shard.status();
    result.shard = *shard;
    object.at("from").get_to(result.from);
    object.at("next").get_to(result.next);
    object.at("all").get_to(result.all);
    object.at("stopped_by").get_to(result.stopped_by);
    object.at("seconds").get_to(result.seconds);
    uint64_t* const digest = is_driver ? &result.driver_tally.digest : &result.tally.digest;
    if (!absl::SimpleHexAtoi(object.at("digest").get<std::string>(), digest)) {
      return absl::InvalidArgumentError("the digest is not a number in hexadecimal");
    }
  } catch (const json::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("not a result of cancelsafe verify: ", error.what()));
  }
  return result;
}

absl::StatusOr<std::vector<VerifyResult>> MergeResults(const std::vector<VerifyResult>& parts) {
  std::vector<std::vector<VerifyResult>> scopes;
  for (const VerifyResult& part : parts) {
    const auto same = std::find_if(
        scopes.begin(), scopes.end(),
        [&](const std::vector<VerifyResult>& scope) { return SameScope(scope[0], part); });
    if (same == scopes.end()) {
      scopes.push_back({part});
      continue;
    }
    const VerifyResult& first = (*same)[0];
    if (!GoTogether(first, part)) {
      return absl::InvalidArgumentError(absl::StrCat(
          ScopeText(part),
          ": results of another implementation, revision, model, search or number of shards"));
    }
    same->push_back(part);
  }
  std::vector<VerifyResult> merged;
  for (const std::vector<VerifyResult>& scope : scopes) {
    absl::StatusOr<VerifyResult> whole = MergeScope(scope);
    if (!whole.ok()) return whole.status();
    merged.push_back(*std::move(whole));
  }
  return merged;
}

}  // namespace cancelsafe
