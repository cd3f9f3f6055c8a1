// See driver_builder.h.
#include "fuzzers/drivers/build/driver_builder.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/files.h"
#include "base/process.h"
#include "fuzzers/drivers/world/services.h"

namespace cancelsafe::drivers {
namespace {

constexpr char kHeaders[] = "/usr/share/mingw-w64/include";
constexpr char kLibraries[] = "/usr/x86_64-w64-mingw32/lib";
constexpr double kSecondsMax = 600;

constexpr char kGuardBounds[] = R"(
.section .SCOV$GA,"dw"
.balign 4
.globl __start___sancov_guards
__start___sancov_guards:
.section .SCOV$GZ,"dw"
.balign 4
.globl __stop___sancov_guards
__stop___sancov_guards:
.long 0
.section .drectve,"yn"
.ascii " -export:__start___sancov_guards,data -export:__stop___sancov_guards,data"
)";

// A folder that is removed again, with what is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name =
        (std::filesystem::temp_directory_path() / "cancelsafe_driver_XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

absl::Status Run(const std::vector<std::string>& words) {
  std::string said;
  const absl::StatusOr<ChildEnd> end =
      RunProcess(words, kSecondsMax,
                 [&said](absl::string_view piece) { said.append(piece.data(), piece.size()); });
  if (!end.ok()) return absl::NotFoundError(end.status().message());
  if (!end->status.clean()) {
    return absl::InvalidArgumentError(
        absl::StrCat(words[0], " failed (", DescribeExit(end->status), "):\n", said));
  }
  fputs(said.c_str(), stderr);
  return absl::OkStatus();
}

// Headers under any spelling of their names: "NTDDK.H" is ntddk.h.
std::string OverlayOfNames(const std::string& gap_headers) {
  std::string text = "{\"version\": 0, \"case-sensitive\": \"false\", \"roots\": [";
  const char* comma = "";
  for (const std::string& folder : {std::filesystem::absolute(gap_headers).string(),
                                    std::string(kHeaders), absl::StrCat(kHeaders, "/ddk")}) {
    absl::StrAppend(&text, comma, "{\"type\": \"directory\", \"name\": \"", folder,
                    "\", \"contents\": [");
    comma = "";
    for (const std::string& name : FilesIn(folder)) {
      const std::string base = BaseName(name);
      absl::StrAppend(&text, comma, "{\"type\": \"file\", \"name\": \"", base,
                      "\", \"external-contents\": \"", folder, "/", base, "\"}");
      comma = ",";
    }
    text += "]}";
    comma = ",";
  }
  return text + "]}";
}

std::string Definitions() {
  std::string text = "LIBRARY ntoskrnl.exe\nEXPORTS\n";
  for (const Service* service : AllServices()) {
    absl::StrAppend(&text, service->name, service->is_data ? " DATA" : "", "\n");
  }
  return text;
}

}  // namespace

absl::Status BuildDriver(const DriverBuildOptions& options) {
  namespace fs = std::filesystem;
  if (!fs::exists(absl::StrCat(kHeaders, "/ddk/wdm.h"))) {
    return absl::NotFoundError(
        absl::StrCat(kHeaders, "/ddk/wdm.h is missing: install the package mingw-w64-common"));
  }
  if (!fs::exists(absl::StrCat(kLibraries, "/libntoskrnl.a"))) {
    return absl::NotFoundError(absl::StrCat(
        kLibraries, "/libntoskrnl.a is missing: install the package mingw-w64-x86-64-dev"));
  }
  const TemporaryFolder folder;
  if (folder.path().empty()) return absl::NotFoundError("cannot create a folder for objects");
  const auto in_folder = [&folder](absl::string_view name) {
    return absl::StrCat(folder.path(), "/", name);
  };
  absl::Status status =
      WriteFileAtomically(in_folder("names.yaml"), OverlayOfNames(options.gap_headers));
  if (status.ok()) status = WriteFileAtomically(in_folder("host.def"), Definitions());
  if (status.ok()) {
    status = Run({"llvm-dlltool-19", "-m", "i386:x86-64", "-d", in_folder("host.def"), "-l",
                  in_folder("libhost.a")});
  }
  if (!status.ok()) return status;

  std::vector<std::string> link = {"ld.lld-19", "-m",          "i386pep",     "-shared",
                                   "--entry",   options.entry, "--subsystem", "native",
                                   "-o",        options.output};
  for (size_t i = 0; i < options.sources.size(); ++i) {
    const std::string object = in_folder(absl::StrCat(i, ".o"));
    std::vector<std::string> compile = {
        "clang-19", "--target=x86_64-w64-mingw32", "-isystem", options.gap_headers, "-isystem",
        kHeaders, "-isystem", absl::StrCat(kHeaders, "/ddk"), "-ivfsoverlay",
        in_folder("names.yaml"), "-include", "driver_prefix.h", "-fms-extensions",
        "-Wno-ignored-attributes", "-Wno-microsoft",
        // A deprecated header of the compiler's that the DDK includes.
        "-D_MM3DNOW_H_INCLUDED", "-gdwarf-4", "-O1", "-fno-omit-frame-pointer",
        // Frames of more than a page would call a routine that probes the stack.
        "-mno-stack-arg-probe"};
    if (options.instrument) {
      for (const char* flag :
           {"-Xclang", "-fsanitize=thread", "-mllvm", "-tsan-instrument-func-entry-exit=0",

            // As the compilers of x64 drivers do: a volatile load acquires, a store releases.
            "-fms-volatile",
            // The driver's spelling names a runtime for the linker.
            "-Xclang", "-fsanitize-coverage-type=3", "-Xclang",
            "-fsanitize-coverage-trace-pc-guard", "-Xclang", "-fsanitize-coverage-trace-cmp"}) {
        compile.push_back(flag);
      }
    }
    for (const std::string& name : options.definitions) compile.push_back("-D" + name);
    for (const std::string& name : options.includes) compile.push_back("-I" + name);
    compile.insert(compile.end(), {"-c", options.sources[i], "-o", object});
    status = Run(compile);
    if (!status.ok()) return status;
    link.push_back(object);
  }
  if (options.instrument) {
    // The bounds of the blocks' guards: on COFF the linker sorts what is behind the "$".
    const std::string source = in_folder("guards.s");
    const std::string object = in_folder("guards.o");
    status = WriteFileAtomically(source, kGuardBounds);
    if (status.ok()) {
      status = Run({"clang-19", "--target=x86_64-w64-mingw32", "-c", source, "-o", object});
    }
    if (!status.ok()) return status;
    link.push_back(object);
  }
  link.insert(link.end(), {in_folder("libhost.a"), "-L", kLibraries, "-lntoskrnl", "-lhal"});
  return Run(link);
}

}  // namespace cancelsafe::drivers
