// See variants.h.
#include "fuzzers/check/variants.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/process.h"
#include "impl/image_format.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

constexpr double kCompileSecondsMax = 300;
constexpr size_t kComplaintBytesMax = 4000;

// Of traced code; see traced_code.cc.
constexpr const char* kTracingHooks[] = {"__sanitizer_cov_trace_cmp1",
                                         "__sanitizer_cov_trace_cmp2",
                                         "__sanitizer_cov_trace_cmp4",
                                         "__sanitizer_cov_trace_cmp8",
                                         "__sanitizer_cov_trace_const_cmp1",
                                         "__sanitizer_cov_trace_const_cmp2",
                                         "__sanitizer_cov_trace_const_cmp4",
                                         "__sanitizer_cov_trace_const_cmp8",
                                         "__sanitizer_cov_trace_switch",
                                         "__sanitizer_cov_load1",
                                         "__sanitizer_cov_load2",
                                         "__sanitizer_cov_load4",
                                         "__sanitizer_cov_load8",
                                         "__sanitizer_cov_load16",
                                         "__sanitizer_cov_store1",
                                         "__sanitizer_cov_store2",
                                         "__sanitizer_cov_store4",
                                         "__sanitizer_cov_store8",
                                         "__sanitizer_cov_store16"};

constexpr const char* kCompilers[] = {"clang-19", "clang++-19"};

bool IsC(const std::string& path) { return absl::EndsWith(path, ".c"); }

}  // namespace

absl::Status RunCompiler(const std::vector<std::string>& command) {
  std::string output;
  const absl::StatusOr<ChildEnd> end = RunProcess(
      command, kCompileSecondsMax, [&](absl::string_view text) { absl::StrAppend(&output, text); });
  if (!end.ok()) return end.status();
  if (end->status.clean() && !end->timed_out) return absl::OkStatus();
  std::string words;
  for (const std::string& word : command) absl::StrAppend(&words, words.empty() ? "" : " ", word);
  return absl::FailedPreconditionError(
      absl::StrCat("this does not compile:\n", words, "\n", output.substr(0, kComplaintBytesMax)));
}

namespace {}  // namespace

std::vector<std::string> VariantFlags(const std::string& variant) {
  constexpr char kPoints[] = "-fsanitize-coverage=func,trace-loads,trace-stores";
  if (variant == "traced")
    return {"-O0", "-fsanitize-coverage=trace-pc,trace-cmp,trace-loads,trace-stores"};
  if (variant == "address") return {"-O1", "-fsanitize=address", kPoints};
  if (variant == "thread") return {"-O1", "-fsanitize=thread", kPoints};
  return {"-O1", kPoints};
}

std::vector<std::string> LinkFlags(const std::string& variant) {
  std::vector<std::string> flags = VariantFlags(variant);
  if (variant != "traced") return flags;
  for (const char* const hook : kTracingHooks) {
    flags.push_back(absl::StrCat("-Wl,--wrap=", hook));
  }
  return flags;
}

std::vector<std::string> ObjectsOf(const std::string& variant, const std::string& folder,
                                   size_t sources) {
  std::vector<std::string> objects;
  for (size_t i = 0; i < sources; ++i) {
    objects.push_back(absl::StrCat(folder, "/", variant, "-", i, ".o"));
  }
  return objects;
}

bool IsSource(const std::string& path) {
  return IsC(path) || absl::EndsWith(path, ".cc") || absl::EndsWith(path, ".cpp") ||
         absl::EndsWith(path, ".cxx");
}

absl::Status BuildVariant(const std::vector<std::string>& sources,
                          const std::vector<std::string>& flags, const std::string& headers,
                          const std::string& variant, const std::string& folder) {
  std::vector<std::string> link = {kCompilers[1], "-shared", "-fPIC"};
  for (const std::string& flag : LinkFlags(variant)) link.push_back(flag);
  for (size_t i = 0; i < sources.size(); ++i) {
    const std::string object = absl::StrCat(folder, "/", variant, "-", i, ".o");
    std::vector<std::string> compile = {kCompilers[IsC(sources[i]) ? 0 : 1]};
    if (!IsC(sources[i])) compile.push_back("-std=c++17");
    // What the sources warn of is their authors' business.
    compile.insert(compile.end(), {"-c", "-fPIC", "-g", "-w", "-fno-omit-frame-pointer",
                                   kCallsStayCalls, absl::StrCat("-I", headers)});
    for (const std::string& flag : VariantFlags(variant)) compile.push_back(flag);
    compile.insert(compile.end(), flags.begin(), flags.end());
    compile.insert(compile.end(), {sources[i], "-o", object});
    const absl::Status status = RunCompiler(compile);
    if (!status.ok()) return status;
    link.push_back(object);
  }
  link.insert(link.end(), {"-o", absl::StrCat(folder, "/", variant, ".so")});
  return RunCompiler(link);
}

absl::StatusOr<std::vector<Variant>> BuildVariants(const std::vector<std::string>& sources,
                                                   const std::vector<std::string>& flags,
                                                   const std::string& headers,
                                                   const std::string& folder) {
  const absl::Status made = MakeFolder(folder);
  if (!made.ok()) return made;
  const std::vector<std::string> names = {"plain", "traced", "address", "thread"};
  absl::Status failed;
  for (const std::string& name : names) {
    failed = BuildVariant(sources, flags, headers, name, folder);
    if (!failed.ok()) return failed;
  }
  const auto path = [&](const char* name) {
    return fs::absolute(absl::StrCat(folder, "/", name, ".so")).string();
  };
  return std::vector<Variant>{{"plain", "none", path("plain"), false},
                              {"traced", "none", path("traced"), false},
                              {"address", "address", path("address"), false},
                              {"thread", "thread", path("thread"), true},
                              {"model", "model", path("thread"), true}};
}

absl::StatusOr<std::vector<Variant>> VariantsOf(const std::string& shared_object) {
  const absl::StatusOr<std::string> bytes = ReadFile(shared_object);
  if (!bytes.ok()) return bytes.status();
  const std::string path = fs::absolute(shared_object).string();
  // An instrumented PE image means in each build what that build looks for.
  if (IsImageFile(path)) {
    if (!absl::StrContains(*bytes, "__tsan_init")) {
      return std::vector<Variant>{{"plain", "none", path, false}};
    }
    return std::vector<Variant>{{"plain", "none", path, true},
                                {"address", "address", path, true},
                                {"thread", "thread", path, true},
                                {"model", "model", path, true}};
  }
  const bool points = absl::StrContains(*bytes, "__sanitizer_cov_load");
  if (absl::StrContains(*bytes, "__tsan_func_entry") || absl::StrContains(*bytes, "__tsan_init")) {
    return std::vector<Variant>{{"thread", "thread", path, points}, {"model", "model", path, true}};
  }
  if (absl::StrContains(*bytes, "__asan_init") || absl::StrContains(*bytes, "__ubsan_")) {
    return std::vector<Variant>{{"address", "address", path, points}};
  }
  return std::vector<Variant>{{"plain", "none", path, points}};
}

}  // namespace cancelsafe
