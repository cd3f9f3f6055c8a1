// See implementation_probe.h: a constructor or destructor that does not come back costs
// a message and not the tool.
#include "implementation_probe.h"

#include <dlfcn.h>

#include "base/guest_channel.h"
#include "base/guest_child.h"
#include "base/process_state.h"

namespace cancelsafe {

namespace {

// What the child says, one character each, in this order; a reason or the number of
// entry points follows.
constexpr char kRefused = 'R';
constexpr char kLoaded = 'L';

void Say(GuestChannel* channel, char what, const std::string& more) {
  channel->Append(&what, 1);
  channel->Append(more.data(), more.size());
}

// The C library's dlopen. TSan's calls an exit inside it an error of the program, and
// replaces the exit status, which the reason is to name.
LibraryOpener PlainDlopen() {
  void* const next = dlsym(RTLD_NEXT, "dlopen");
  return next != nullptr ? reinterpret_cast<LibraryOpener>(next) : &dlopen;
}

// The child: loads, compares, unloads.
void LoadAndUnload(const std::string& path, GuestChannel* channel) {
  channel->Seal();
  const ProcessState before;
  Implementation table;
  std::string error;
  void* object = nullptr;
  if (!LoadImplementationHere(path, &table, &error, &object, PlainDlopen())) {
    Say(channel, kRefused, error);
    return channel->Finish();
  }
  const std::string changes = before.ChangesSince();
  if (!changes.empty()) {
    Say(channel, kRefused,
        path + ": loading it changes the process that loads it: " + changes +
            "; an implementation has to leave alone what belongs to its host");
    return channel->Finish();
  }
  Say(channel, kLoaded, std::to_string(ProvidedEntryPoints(table)));
  channel->Seal();
  if (object != nullptr) dlclose(object);
  channel->Finish();
}

}  // namespace

bool ProbeImplementation(const std::string& path, int* provided, std::string* error) {
  GuestChannel channel;
  const GuestLimits limits;
  const GuestEnd end = RunGuest([&] { LoadAndUnload(path, &channel); }, limits);
  std::string text;
  const GuestChannel::State state = channel.Read(&text);
  const bool loaded = !text.empty() && text[0] == kLoaded;
  if (state == GuestChannel::State::kTwice ||
      (state == GuestChannel::State::kWhole && loaded && end.processes_left != 0)) {
    *error = path + ": it starts a process of its own while it is loaded or unloaded";
    return false;
  }
  // Refused: what it did to its process counts, and not how that ended.
  if (state == GuestChannel::State::kWhole && !loaded) {
    *error = text.substr(1);
    return false;
  }
  if (state != GuestChannel::State::kWhole || !end.clean()) {
    *error =
        path + ": it ends the process that " +
        (loaded ? "unloads it (a destructor?): " : "loads it (a damaged file, a constructor?): ") +
        DescribeGuestEnd(end, limits);
    return false;
  }
  if (provided != nullptr) *provided = std::stoi(text.substr(1));
  return true;
}

bool LoadImplementation(const std::string& path, Implementation* implementation,
                        std::string* error) {
  void* object = nullptr;
  return ProbeImplementation(path, nullptr, error) &&
         LoadImplementationHere(path, implementation, error, &object);
}

}  // namespace cancelsafe
