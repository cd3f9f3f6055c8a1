// IRQL of the calling virtual processor. Nothing is masked by it here: it is
// kept so that drivers see the documented values and rules can be checked.
#include "watch.h"

extern "C" {

KI_SERVICE KI_BARE KIRQL KeGetCurrentIrql(VOID) { return ki_platform->processor()->irql; }

KI_SERVICE KI_BARE KIRQL KfRaiseIrql(KIRQL NewIrql) {
  KiProcessor* processor = ki_platform->processor();
  KiAnnounce(kPointIrql, processor);
  const KIRQL old = processor->irql;
  if (kWatching && NewIrql < old) {
    KiReport(kIrqlRaisedDownwards, "KeRaiseIrql", nullptr);
    return old;
  }
  processor->irql = NewIrql;
  return old;
}

KI_SERVICE KI_BARE VOID KeLowerIrql(KIRQL NewIrql) {
  KiProcessor* processor = ki_platform->processor();
  KiAnnounce(kPointIrql, processor);
  if (kWatching && NewIrql > processor->irql) {
    KiReport(kIrqlRaisedDownwards, "KeLowerIrql", nullptr);
    return;
  }
  processor->irql = NewIrql;
}

}  // extern "C"
