// Runs a driver without a search: one fiber at a time, each until it waits or ends, in the
// order in which they were started; time moves when nothing else can. For `drive check` and
// for tests of the services.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_BUILD_SEQUENTIAL_H_
#define CANCELSAFE_FUZZERS_DRIVERS_BUILD_SEQUENTIAL_H_

#include <functional>
#include <string>

namespace cancelsafe::drivers {

enum class SequentialEnd {
  kDone,         // the body and all that it started have ended
  kWaits,        // the body has ended; what is left waits for what does not come
  kStuck,        // the body itself waits for what does not come
  kBroken,       // a rule was broken
  kNotProvided,  // a service that is not provided was called
};

struct SequentialResult {
  SequentialEnd end = SequentialEnd::kDone;
  std::string rule;  // of kBroken
  std::string text;  // in words; of kNotProvided the service
};

// Runs `body`, which calls the driver (world.h), on a fiber, and then what is left. Installs
// itself as scheduler and platform while it runs.
SequentialResult RunSequentially(const std::function<void()>& body);

// Within the body: lets all others run until each has ended or waits, without moving time.
void LetOthersRun();
// Likewise, and moves time by so much.
void LetTimePass(int milliseconds);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_BUILD_SEQUENTIAL_H_
