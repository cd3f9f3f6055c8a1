// Flags that more than one subcommand has: each is declared once, with one meaning and one
// text, and so are the ways in which values are checked.
#ifndef CANCELSAFE_COMMAND_FLAGS_H_
#define CANCELSAFE_COMMAND_FLAGS_H_

#include <string>
#include <vector>

#include "command/guest_flags.h"
#include "command/status.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace cancelsafe {

// ---- kinds of values ----

// A whole number from `min` to `max`. The default is what `value` holds.
CLI::Option* AddNumber(CLI::App* app, const std::string& name, int* value, int min, int max,
                       const std::string& text);
// A number above 0.
CLI::Option* AddPositive(CLI::App* app, const std::string& name, double* value,
                         const std::string& text);
// One of `words`; a near miss is suggested.
CLI::Option* AddChoice(CLI::App* app, const std::string& name, std::string* value,
                       const std::vector<std::string>& words, const std::string& text);
// Any text but "". `shape` is how help calls it: FILE, DIR, RULE.
CLI::Option* AddText(CLI::App* app, const std::string& name, std::string* value,
                     const std::string& shape, const std::string& text);
// Likewise, and may be repeated.
CLI::Option* AddTexts(CLI::App* app, const std::string& name, std::vector<std::string>* values,
                      const std::string& shape, const std::string& text);
CLI::Option* AddSwitch(CLI::App* app, const std::string& name, bool* value,
                       const std::string& text);
// The arguments that are not flags. `words` are those allowed, none for file names.
CLI::Option* AddArguments(CLI::App* app, const std::string& shape, std::vector<std::string>* values,
                          const std::vector<std::string>& words = {});

// Whether the command line has the flag, whatever its value.
bool IsGiven(const CLI::App* app, const std::string& name);

// ---- flags with a fixed name ----

void AddGuestFlags(CLI::App* app, GuestFlags* flags);

// How a build may be sanitized, by the names that users give.
const std::vector<std::string>& SanitizerNames();
void AddSanitizer(CLI::App* app, std::string* value, const std::string& fallback);
void AddSanitizers(CLI::App* app, std::vector<std::string>* values, const std::string& fallback);
inline constexpr int kSecondsMax = 30 * 24 * 60 * 60;
void AddSeconds(CLI::App* app, int* value, const std::string& of_what);
void AddJobs(CLI::App* app, int* value, const std::string& what);
void AddWork(CLI::App* app, std::string* value, const std::string& what,
             const std::string& fallback);
void AddCorpus(CLI::App* app, std::string* value);
// --save: the folder of what is found. It is made at once: a finding that took an hour must not
// be lost for the want of it.
void AddSave(CLI::App* app, std::string* value);
// As many as there are processors.
int ProcessorCount();

}  // namespace cancelsafe

#endif  // CANCELSAFE_COMMAND_FLAGS_H_
