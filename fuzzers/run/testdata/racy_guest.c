// A cancel-safe queue that counts its calls without a lock: the race that the order of
// the harness must not hide. Instrumented as implementations are.
#include "fuzzers/run/testdata/racy_guest.h"

static LONG calls;

PIRP RacyRemoveNext(PIO_CSQ csq, PVOID context) {
  (void)csq, (void)context;
  ++calls;
  return 0;
}
