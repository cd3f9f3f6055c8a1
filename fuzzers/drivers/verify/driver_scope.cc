// See driver_scope.h.
#include "fuzzers/drivers/verify/driver_scope.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/counted.h"

namespace cancelsafe::drivers {
namespace {

// All programs of a scope open what they use.
bool IsCall(DriverOp op) { return op != DriverOp::kOpen; }

std::vector<DriverVariant> RequestsOf(const DriverFacts& facts) {
  std::vector<DriverVariant> requests;
  constexpr uint32_t kLengths[] = {kSomeBytes, 0};
  for (const uint32_t length : kLengths) {
    if (facts.reads) requests.push_back({DriverOp::kRead, 0, 0, length});
    if (facts.writes) requests.push_back({DriverOp::kWrite, 0, length});
  }
  if (!facts.controls) return requests;
  for (const uint32_t code : facts.codes) {
    for (const uint32_t in : kLengths) {
      for (const uint32_t out : kLengths) requests.push_back({DriverOp::kIoctl, code, in, out});
    }
  }
  return requests;
}

// Ranges may overlap, and each request is one program, not two.
std::vector<DriverVariant> RequestsOf(const DriverProfile& profile) {
  std::vector<DriverVariant> requests;
  for (const ProfileRequest& request : profile.requests) {
    for (const uint32_t in : {request.in.max, request.in.min}) {
      for (const uint32_t out : {request.out.max, request.out.min}) {
        const DriverVariant variant = {request.op, request.code, in, out};
        if (std::find(requests.begin(), requests.end(), variant) == requests.end()) {
          requests.push_back(variant);
        }
      }
    }
  }
  return requests;
}

}  // namespace

std::string ScopeText(const DriverScope& scope) {
  const std::string words = DriverOperationWords(scope.operations);
  return absl::StrCat("driver ", scope.fibers, "x", scope.calls, ", ", Counted(scope.files, "file"),
                      scope.failures ? ", failing allocations" : "",
                      words.empty() ? "" : ", calls ", words);
}

std::string DriverOperationWords(uint32_t operations) {
  std::vector<std::string> words;
  for (int op = 0; op < kDriverOpCount; ++op) {
    if ((operations >> op & 1) != 0) words.emplace_back(kDriverOps[op].word);
  }
  return absl::StrJoin(words, "+");
}

absl::StatusOr<uint32_t> ReadDriverOperationWords(absl::string_view words) {
  uint32_t operations = 0;
  for (const absl::string_view word : absl::StrSplit(words, absl::ByAnyChar(",+"))) {
    uint32_t bit = 0;
    std::vector<std::string> allowed;
    for (int op = 0; op < kDriverOpCount; ++op) {
      if (!IsCall(static_cast<DriverOp>(op))) continue;
      allowed.emplace_back(kDriverOps[op].word);
      if (word == kDriverOps[op].word) bit = 1u << op;
    }
    if (bit == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "'", word, "' is not a call on a driver; the calls are ", absl::StrJoin(allowed, ", ")));
    }
    operations |= bit;
  }
  return operations;
}

std::vector<DriverVariant> VariantsOf(const DriverScope& scope, const DriverFacts& facts,
                                      bool has_time, const DriverProfile* profile) {
  std::vector<DriverVariant> variants;
  for (const DriverVariant& variant :
       profile != nullptr ? RequestsOf(*profile) : RequestsOf(facts)) {
    variants.push_back(variant);
    const bool has_buffer = variant.in != 0 || variant.out != 0;
    if (!has_buffer || !PassesUserAddresses(variant.op, variant.code)) continue;
    variants.push_back(variant);
    variants.back().unreadable = true;
  }
  for (const DriverOp op : {DriverOp::kCancel, DriverOp::kCleanup, DriverOp::kClose}) {
    variants.push_back({op});
  }
  if (facts.filters) variants.push_back({DriverOp::kUnload});
  if (has_time) variants.push_back({DriverOp::kAdvance, 0, 0, 0, kSomeMs});
  variants.erase(
      std::remove_if(variants.begin(), variants.end(),
                     [&](const DriverVariant& variant) { return !scope.Allows(variant.op); }),
      variants.end());
  return variants;
}

bool HasTime(const DriverImage& image) {
  // Parts of names, so that a new service of this kind is not forgotten.
  constexpr const char* kWords[] = {"Timer",     "Wait",        "Delay", "Time",
                                    "TickCount", "Performance", "Mutex", "Resource"};
  return std::any_of(image.imports().begin(), image.imports().end(), [&](const PeImport& import) {
    return std::any_of(std::begin(kWords), std::end(kWords),
                       [&](const char* word) { return absl::StrContains(import.name, word); });
  });
}

}  // namespace cancelsafe::drivers
