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
#include "fuzzers/drivers/implementation/guest_services.h"
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

// What the linker is told to take from the host.
std::string Definitions(bool dll) {
  std::string text = "LIBRARY ntoskrnl.exe\nEXPORTS\n";
  if (dll) {
    for (const std::string& name : GuestServiceNames()) absl::StrAppend(&text, name, "\n");
    return text;
  }
  for (const Service* service : AllServices()) {
    absl::StrAppend(&text, service->name, service->is_data ? " DATA" : "", "\n");
  }
  return text;
}

void Append(std::vector<std::string>* words, const std::vector<std::string>& more) {
  words->insert(words->end(), more.begin(), more.end());
}

// The command that compiles a source, without its name and the object's. `overlay` is the file
// with the names of headers.
std::vector<std::string> CompileCommand(const DriverBuildOptions& options,
                                        const std::string& overlay) {
  std::vector<std::string> words = {"clang-19", "--target=x86_64-w64-mingw32"};
  if (options.dll) {
    // The kernel's C library is not that of mingw's headers.
    Append(&words,
           {"-isystem", absl::StrCat(options.gap_headers, "/.."), "-D_CRT_USE_BUILTIN_OFFSETOF",
            "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"});
  } else {
    Append(&words,
           {"-isystem", options.gap_headers, "-isystem", kHeaders, "-isystem",
            absl::StrCat(kHeaders, "/ddk"), "-ivfsoverlay", overlay, "-include", "driver_prefix.h",
            // A deprecated header of the compiler's that the DDK includes.
            "-D_MM3DNOW_H_INCLUDED",
            // A __try covers the accesses in it, not its calls alone: what MSVC does.
            "-Xclang", "-fasync-exceptions"});
  }
  Append(&words, {"-fms-extensions", "-Wno-ignored-attributes", "-Wno-microsoft", "-gdwarf-4",
                  "-O1", "-fno-omit-frame-pointer",
                  // Frames of more than a page would call a routine that probes the stack.
                  "-mno-stack-arg-probe"});
  if (options.instrument) {
    Append(&words, {"-Xclang", "-fsanitize=thread", "-mllvm", "-tsan-instrument-func-entry-exit=0",
                    // As the compilers of x64 drivers do: a volatile load acquires, a store
                    // releases.
                    "-fms-volatile"});
  }
  if (options.instrument && !options.dll) {
    // The driver's spelling names a runtime for the linker.
    Append(&words,
           {"-Xclang", "-fsanitize-coverage-type=3", "-Xclang",
            "-fsanitize-coverage-trace-pc-guard", "-Xclang", "-fsanitize-coverage-trace-cmp"});
  }
  for (const std::string& name : options.definitions) words.push_back("-D" + name);
  for (const std::string& name : options.includes) words.push_back("-I" + name);
  return words;
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
  if (status.ok()) {
    status = WriteFileAtomically(in_folder("host.def"), Definitions(options.dll));
  }
  if (status.ok()) {
    status = Run({"llvm-dlltool-19", "-m", "i386:x86-64", "-d", in_folder("host.def"), "-l",
                  in_folder("libhost.a")});
  }
  if (!status.ok()) return status;

  std::vector<std::string> link = {"ld.lld-19",   "-m",     "i386pep", "-shared",
                                   "--subsystem", "native", "-o",      options.output};
  if (options.dll) {
    Append(&link, {"-Xlink=-noentry", "--export-all-symbols"});
  } else {
    Append(&link, {"--entry", options.entry});
  }
  const std::vector<std::string> command = CompileCommand(options, in_folder("names.yaml"));
  for (size_t i = 0; i < options.sources.size(); ++i) {
    const std::string object = in_folder(absl::StrCat(i, ".o"));
    std::vector<std::string> compile = command;
    Append(&compile, {"-c", options.sources[i], "-o", object});
    status = Run(compile);
    if (!status.ok()) return status;
    link.push_back(object);
  }
  if (options.instrument && !options.dll) {
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
  link.push_back(in_folder("libhost.a"));
  // What a driver imports beyond the services is named when it is loaded; what a DLL does, here.
  if (!options.dll) Append(&link, {"-L", kLibraries, "-lntoskrnl", "-lhal"});
  return Run(link);
}

}  // namespace cancelsafe::drivers
