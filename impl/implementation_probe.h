// Loading that does not trust what it loads. LoadImplementation (implementation.h) does
// both: it probes, then loads.
#ifndef CANCELSAFE_IMPL_IMPLEMENTATION_PROBE_H_
#define CANCELSAFE_IMPL_IMPLEMENTATION_PROBE_H_

#include <dlfcn.h>

#include <string>

#include "implementation.h"

namespace cancelsafe {

// Loads and unloads the shared object in a child process, with limits of time and
// memory. False, with the reason, if that process does not come to its end, or if
// loading changes what belongs to the host of an implementation: its descriptors,
// directory, signals, limits, threads, processes. `*provided` is the number of routines;
// may be null.
bool ProbeImplementation(const std::string& path, int* provided, std::string* error);

using LibraryOpener = void* (*)(const char* path, int mode);

// LoadImplementation without the probe, for a process that may be lost. `*object` is the
// loader's handle, null for a PE image; `open` is dlopen, or what stands for it.
bool LoadImplementationHere(const std::string& path, Implementation* implementation,
                            std::string* error, void** object, LibraryOpener open = &dlopen);

}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_IMPLEMENTATION_PROBE_H_
