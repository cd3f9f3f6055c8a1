// Inside the machine room only: retired memory. It is filled with a pattern, it
// counts as written for TSan, and ASan stops at any access.
#ifndef CANCELSAFE_IMPL_KERNEL_POISON_H_
#define CANCELSAFE_IMPL_KERNEL_POISON_H_

#include "watch.h"

// `words` 8-byte words from `start`, which is 8-byte aligned.
void KiPoisonMemory(void* start, unsigned words);
void KiUnpoisonMemory(const void* start, unsigned words);
BOOLEAN KiPoisonIntact(const void* start, unsigned words);

// TSan: what happened before KiHandOver(token) happened before what follows
// KiTakeOver(token). Nothing elsewhere.
void KiHandOver(void* token);
void KiTakeOver(void* token);

#endif  // CANCELSAFE_IMPL_KERNEL_POISON_H_
