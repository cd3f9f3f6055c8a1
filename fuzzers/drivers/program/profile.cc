// See profile.h.
#include "fuzzers/drivers/program/profile.h"

#include <algorithm>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "fuzzers/program/tokens.h"

namespace cancelsafe::drivers {
namespace {

constexpr char kLines[] = "request, order and wakes";
constexpr DriverOp kKinds[] = {DriverOp::kRead, DriverOp::kWrite, DriverOp::kIoctl};

class Parser {
 public:
  absl::StatusOr<DriverProfile> Parse(absl::string_view text) {
    for (absl::string_view line : absl::StrSplit(text, '\n')) {
      ++line_;
      const Tokens tokens = SplitTokens(line.substr(0, line.find('#')));
      if (tokens.empty()) continue;
      const absl::Status status = tokens[0] == "request" ? Request(tokens)
                                  : tokens[0] == "order" ? Names(tokens, 1, &profile_.orders)
                                  : tokens[0] == "wakes" ? Names(tokens, 2, &profile_.wakes)
                                                         : Error("unknown line '", tokens[0],
                                                                 "'; a profile has the "
                                                                 "lines ",
                                                                 kLines);
      if (!status.ok()) return status;
    }
    if (profile_.requests.empty()) return Error("a profile has at least one line 'request'");
    return profile_;
  }

 private:
  template <typename... Parts>
  absl::Status Error(const Parts&... parts) const {
    return absl::InvalidArgumentError(absl::StrCat("line ", line_, ": ", parts...));
  }

  absl::Status Request(const Tokens& tokens) {
    ProfileRequest request;
    const DriverOpRow* row = nullptr;
    if (tokens.size() >= 3) {
      for (const DriverOp op : kKinds) {
        if (tokens[2] != InfoOf(op).word) continue;
        request.op = op;
        row = &InfoOf(op);
      }
    }
    if (row == nullptr) {
      return Error("'request' takes a name and one of read, write, ioctl, as in 'request get read ",
                   "out=1..64'", tokens.size() >= 3 ? absl::StrCat(", not '", tokens[2], "'") : "");
    }
    request.name = std::string(tokens[1]);
    if (Find(request.name) >= 0) return Error("there are two requests '", request.name, "'");
    if (profile_.requests.size() == kMaxProfileRequests) {
      return Error("at most ", kMaxProfileRequests, " requests");
    }
    bool has_code = false;
    for (size_t i = 3; i < tokens.size(); ++i) {
      const Argument argument = SplitArgument(tokens[i]);
      uint64_t code = 0;
      if (row->code && argument.name == "code" && ParseNumber(argument.value, &code) &&
          code <= 0xffffffff) {
        request.code = static_cast<uint32_t>(code);
        has_code = true;
      } else if (row->in && argument.name == "in" && Range(argument.value, &request.in)) {
      } else if (row->out && argument.name == "out" && Range(argument.value, &request.out)) {
      } else if (row->in && argument.name == "bytes" && Bytes(argument.value, &request.bytes)) {
      } else {
        return Error(
            "'", row->word, "' does not take '", tokens[i], "'; it takes",
            row->code ? " code=0..0xffffffff" : "",
            row->in ? absl::StrCat(" in=0..", kMaxLength, " or a range, as in in=1..8,",
                                   " and bytes=, as in bytes=01,ff,*")
                    : "",
            row->out ? absl::StrCat(" out=0..", kMaxLength, " or a range, as in out=1..8") : "");
      }
    }
    if (row->code && !has_code) return Error("'ioctl' needs a code, as in code=0x222004");
    if (request.bytes.size() > request.in.max) {
      return Error("bytes= has ", request.bytes.size(), " bytes, and in= allows at most ",
                   request.in.max);
    }
    profile_.requests.push_back(std::move(request));
    return absl::OkStatus();
  }

  static bool Range(absl::string_view text, LengthRange* range) {
    const std::vector<absl::string_view> ends = absl::StrSplit(text, "..");
    uint64_t min = 0;
    uint64_t max = 0;
    if (ends.size() > 2 || !ParseNumber(ends.front(), &min) || !ParseNumber(ends.back(), &max) ||
        min > max || max > kMaxLength) {
      return false;
    }
    *range = {static_cast<uint32_t>(min), static_cast<uint32_t>(max)};
    return true;
  }

  static bool Bytes(absl::string_view text, std::vector<int>* bytes) {
    for (absl::string_view byte : absl::StrSplit(text, ',')) {
      uint32_t value = 0;
      if (byte == "*") {
        bytes->push_back(-1);
      } else if (byte.size() <= 2 && absl::SimpleHexAtoi(byte, &value)) {
        bytes->push_back(static_cast<int>(value));
      } else {
        return false;
      }
    }
    return true;
  }

  int Find(absl::string_view name) const {
    for (size_t i = 0; i < profile_.requests.size(); ++i) {
      if (profile_.requests[i].name == name) return static_cast<int>(i);
    }
    return -1;
  }

  // Names of requests that stand in lines before.
  absl::Status Names(const Tokens& tokens, size_t at_least, std::vector<std::vector<int>>* into) {
    if (tokens.size() <= at_least) {
      return Error("'", tokens[0], "' takes ",
                   at_least == 1 ? "names of requests"
                                 : "the name of a request and those "
                                   "of requests that it may end");
    }
    std::vector<int> numbers;
    for (size_t i = 1; i < tokens.size(); ++i) {
      numbers.push_back(Find(tokens[i]));
      if (numbers.back() >= 0) continue;
      return Error("'", tokens[i], "' is not a request of the lines before; those are ",
                   profile_.requests.empty() ? "none" : NamesOf(profile_.requests));
    }
    into->push_back(std::move(numbers));
    return absl::OkStatus();
  }

  static std::string NamesOf(const std::vector<ProfileRequest>& requests) {
    return absl::StrJoin(requests, ", ", [](std::string* out, const ProfileRequest& request) {
      out->append(request.name);
    });
  }

  DriverProfile profile_;
  int line_ = 0;
};

bool Contains(const std::vector<int>& numbers, int number) {
  return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

std::string RangeText(const char* name, const LengthRange& range) {
  return range.min == range.max ? absl::StrCat(" ", name, "=", range.min)
                                : absl::StrCat(" ", name, "=", range.min, "..", range.max);
}

// What a template leaves open is a value that often makes a difference, the same for equal
// requests.
void FillIn(const DriverOperation& operation, const std::vector<int>& bytes,
            std::vector<uint8_t>* input) {
  const auto letter = static_cast<uint8_t>('A' + operation.request);
  const uint8_t values[] = {0, 1, 2, letter, 0x7f, 0x80, 0xfe, 0xff};
  for (size_t i = 0; i < std::min(input->size(), bytes.size()); ++i) {
    const size_t mixed = operation.request * 5u + operation.in * 3u + operation.out + i * 7u;
    (*input)[i] =
        bytes[i] >= 0 ? static_cast<uint8_t>(bytes[i]) : values[mixed % std::size(values)];
  }
}

}  // namespace

absl::StatusOr<DriverProfile> ParseDriverProfile(absl::string_view text) {
  return Parser().Parse(text);
}

int DriverProfile::KindOf(const DriverOperation& operation) const {
  for (size_t i = 0; i < requests.size(); ++i) {
    const ProfileRequest& request = requests[i];
    if (request.op == operation.op && request.code == operation.code &&
        request.in.Has(operation.in) && request.out.Has(operation.out)) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

bool DriverProfile::InOneOrder(int kind, int other) const {
  return std::any_of(orders.begin(), orders.end(), [&](const std::vector<int>& order) {
    return Contains(order, kind) && Contains(order, other);
  });
}

std::vector<int> DriverProfile::WakersOf(int kind) const {
  std::vector<int> wakers;
  for (const std::vector<int>& wake : wakes) {
    if (std::find(wake.begin() + 1, wake.end(), kind) != wake.end()) wakers.push_back(wake[0]);
  }
  return wakers;
}

std::string DescribeProfile(const DriverProfile& profile) {
  std::string text;
  for (const ProfileRequest& request : profile.requests) {
    const DriverOpRow& row = InfoOf(request.op);
    absl::StrAppend(&text, "request ", request.name, " ", row.word);
    if (row.code) absl::StrAppendFormat(&text, " code=0x%x", request.code);
    if (row.in) text += RangeText("in", request.in);
    if (row.out) text += RangeText("out", request.out);
    if (!request.bytes.empty()) {
      absl::StrAppend(&text,
                      " bytes=", absl::StrJoin(request.bytes, ",", [](std::string* out, int byte) {
                        out->append(byte < 0 ? "*" : absl::StrFormat("%02x", byte));
                      }));
    }
    text += "\n";
  }
  const auto names = [&](const char* word, const std::vector<std::vector<int>>& lists) {
    for (const std::vector<int>& list : lists) {
      text += word;
      for (const int number : list) {
        absl::StrAppend(&text, " ", profile.requests[static_cast<size_t>(number)].name);
      }
      text += "\n";
    }
  };
  names("order", profile.orders);
  names("wakes", profile.wakes);
  return text;
}

std::vector<uint8_t> InputOf(const DriverOperation& operation, const DriverProfile* profile) {
  const auto letter = static_cast<uint8_t>('A' + operation.request);
  std::vector<uint8_t> input(operation.in, letter);
  const int kind = profile == nullptr ? -1 : profile->KindOf(operation);
  if (kind >= 0) FillIn(operation, profile->requests[static_cast<size_t>(kind)].bytes, &input);
  std::copy_n(operation.data, std::min<size_t>(operation.data_size, operation.in), input.begin());
  return input;
}

}  // namespace cancelsafe::drivers
