// The instrumented modules: what is known of them when they are loaded, and their variables,
// which are watched from the first run on; see runtime.h.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>

#include "fuzzers/memory/modules.h"
#include "fuzzers/memory/runtime.h"
#include "fuzzers/memory/runtime_state.h"

namespace cancelsafe::memory {
namespace {

// Modules that have called __tsan_init and whose variables are not watched yet. They come
// before any constructor of ours, so this is all that can be done with them then.
constexpr int kMaxModules = 12;
uintptr_t new_modules[64];
int new_module_count = 0;

// Where the modules that have ever called it were loaded.
uintptr_t instrumented[kMaxModules];
int instrumented_count = 0;

struct WatchedModule {
  uintptr_t load_address;
  uintptr_t data_begin;
  uintptr_t data_end;
};
WatchedModule watched[kMaxModules];
int watched_count = 0;

// A module that is not watched would hide what it does.
[[noreturn]] void Fail(const char* what) {
  fprintf(stderr, "cancelsafe: memory engine: %s\n", what);
  abort();
}

void ForgetUnloadedModules() {
  for (int i = 0; i < watched_count;) {
    Module module;
    // Another one may have taken its place.
    if (FindModule(watched[i].data_begin, &module) &&
        module.load_address == watched[i].load_address &&
        module.data_begin == watched[i].data_begin && module.data_end == watched[i].data_end) {
      ++i;
      continue;
    }
    TheEngine().shadow().RemoveRange(reinterpret_cast<void*>(watched[i].data_begin));
    watched[i] = watched[--watched_count];
  }
}

void NoteInstrumented(uintptr_t site) {
  Module module;
  if (IsInstrumented(site) || instrumented_count == kMaxModules) return;
  if (FindModule(site, &module)) instrumented[instrumented_count++] = module.load_address;
}

}  // namespace

void internal::WatchNewModules() {
  if (new_module_count == 0) return;
  ForgetUnloadedModules();
  for (int i = 0; i < new_module_count; ++i) {
    Module module;
    if (!FindModule(new_modules[i], &module) || module.data_begin == 0) continue;
    bool known = false;
    for (int k = 0; k < watched_count; ++k) {
      known |= watched[k].load_address == module.load_address;
    }
    // It may lie where one like it lay, to the byte: what ended in that has not ended here.
    if (known) {
      SetState(reinterpret_cast<void*>(module.data_begin), module.data_end - module.data_begin,
               State::kLive);
    }
    if (known) continue;
    if (watched_count == kMaxModules) Fail("too many instrumented modules are loaded");
    TheEngine().shadow().AddRange(reinterpret_cast<void*>(module.data_begin),
                                  module.data_end - module.data_begin);
    watched[watched_count++] = {module.load_address, module.data_begin, module.data_end};
  }
  new_module_count = 0;
}

bool IsInstrumented(uintptr_t code) {
  Module module;
  if (!FindModule(code, &module)) return false;
  const uintptr_t* const end = instrumented + instrumented_count;
  return std::find<const uintptr_t*>(instrumented, end, module.load_address) != end;
}

void NoteModule(uintptr_t site) {
  NoteInstrumented(site);
  // One call for each object file: mostly the same module again.
  Module last;
  if (new_module_count > 0 && FindModule(new_modules[new_module_count - 1], &last) &&
      site >= last.begin && site < last.end) {
    return;
  }
  if (new_module_count == static_cast<int>(std::size(new_modules))) {
    Fail("too many instrumented modules were loaded at once");
  }
  new_modules[new_module_count++] = site;
}

}  // namespace cancelsafe::memory
