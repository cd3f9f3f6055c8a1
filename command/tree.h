// The checkout that the program was built in: where it is, its builds by preset, and how
// to make what is missing in them. An installed program has none.
#ifndef CANCELSAFE_COMMAND_TREE_H_
#define CANCELSAFE_COMMAND_TREE_H_

#include <string>
#include <vector>

namespace cancelsafe {

// Whether there is one.
bool InTree();
// How a user starts this program again, for commands that are printed: "./cancelsafe" in the
// root of a checkout, that file's path elsewhere, "cancelsafe" where it is installed.
std::string FrontDoor();
// Its folder. Throws SetupError if there is none.
std::string TreeRoot();
// A path of the tree as users like to read it: relative where that is right.
std::string TreePath(const std::string& path);
// Where a build is: "build/asan" as TreePath.
std::string BuildFolder(const std::string& preset);

// The preset for fuzz targets under a sanitizer, by its name in SanitizerNames(), and that
// for everything else, where optimization across files matters less than sharing a build.
std::string PresetForTargets(const std::string& sanitizer);
std::string PresetForTools(const std::string& sanitizer);
// The sanitizer of this very program.
const char* OwnSanitizer();

// Builds CMake targets quietly, all if none are named; says so if there is anything to do.
// The output is in the build's build.log. Throws SetupError with its end if that fails.
void BuildTargets(const std::string& preset, const std::vector<std::string>& targets);
// Whether a build, if it is configured, has a target of that name; and configures it again.
bool HasTarget(const std::string& preset, const std::string& target);
void Reconfigure(const std::string& preset);
// Like BuildTargets, but returns false where it fails.
bool TryBuildTargets(const std::string& preset, const std::vector<std::string>& targets);

// Makes sure that the rest happens in the build for a sanitizer: the one that was asked
// for, or, if `asked` is "" and ./cancelsafe has started this program, `preferred`. Builds
// that program and becomes it, with the same words, or returns if this is it. A program
// that was started directly and not asked stays as it was built. With the path of an
// implementation, the build is one that can load it (guest_build.h).
void ContinueUnder(const std::string& asked, const std::string& preferred,
                   const std::string& implementation);
// The words of the command line, the subcommand first; main sets them.
const std::vector<std::string>& CommandWords();
void NoteCommandWords(const std::vector<std::string>& words);

// The program's own path.
std::string OwnPath();

}  // namespace cancelsafe

#endif  // CANCELSAFE_COMMAND_TREE_H_
