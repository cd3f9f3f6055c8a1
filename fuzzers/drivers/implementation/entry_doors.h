// The entries of an implementation that is a PE image: for each documented routine a function of
// this program that calls the image's, with the Microsoft calling convention and with callbacks
// that the image can call. Generated from the types in the list of entry points; a new routine
// there needs nothing here, unless a callback reaches it by other ways than its parameters.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_IMPLEMENTATION_ENTRY_DOORS_H_
#define CANCELSAFE_FUZZERS_DRIVERS_IMPLEMENTATION_ENTRY_DOORS_H_

#include "fuzzers/drivers/implementation/host_routines.h"
#include "impl/implementation.h"

namespace cancelsafe::drivers {

// ---- what is passed, as the image may use it ----

template <typename T>
inline T ForImage(T value) {
  return value;
}
template <typename Result, typename... Parameters>
inline auto ForImage(Result (*callback)(Parameters...)) -> Result (*)(Parameters...) {
  return HostRoutines<Result(Parameters...)>::ForImage(callback);
}
// A cancel routine goes into the IRP as it is. It is the host that calls it, by where it lies.
inline PDRIVER_CANCEL ForImage(PDRIVER_CANCEL cancel) { return cancel; }
// The routines of StartIo packets call DriverStartIo of the device's driver.
inline PDEVICE_OBJECT ForImage(PDEVICE_OBJECT device) {
  PDRIVER_STARTIO& start_io = device->DriverObject->DriverStartIo;
  PDRIVER_STARTIO const callable = HostRoutines<VOID(PDEVICE_OBJECT, PIRP)>::ForImage(start_io);
  if (start_io != callable) start_io = callable;
  return device;
}

// The callbacks of a queue that the host has filled in, in the place of an image that exports no
// routine to do so.
inline void AdoptCsq(PIO_CSQ csq) {
  csq->CsqInsertIrp = csq->Type == IO_TYPE_CSQ_EX
                          ? reinterpret_cast<PIO_CSQ_INSERT_IRP>(reinterpret_cast<PVOID>(
                                ForImage(reinterpret_cast<PIO_CSQ_INSERT_IRP_EX>(
                                    reinterpret_cast<PVOID>(csq->CsqInsertIrp)))))
                          : ForImage(csq->CsqInsertIrp);
  csq->CsqRemoveIrp = ForImage(csq->CsqRemoveIrp);
  csq->CsqPeekNextIrp = ForImage(csq->CsqPeekNextIrp);
  csq->CsqAcquireLock = ForImage(csq->CsqAcquireLock);
  csq->CsqReleaseLock = ForImage(csq->CsqReleaseLock);
  csq->CsqCompleteCanceledIrp = ForImage(csq->CsqCompleteCanceledIrp);
}

// ---- the entries ----

enum class EntryNumber {
#define CANCELSAFE_NUMBER_ENTRY(type, name, parameters) name,
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_NUMBER_ENTRY)
#undef CANCELSAFE_NUMBER_ENTRY
};

// Of the image number kImage of this process.
template <int kImage, EntryNumber kEntry, typename Signature>
struct EntryDoor;
template <int kImage, EntryNumber kEntry, typename Result, typename... Parameters>
struct EntryDoor<kImage, kEntry, Result(Parameters...)> {
  static inline Result(CANCELSAFE_MS_ABI* routine)(Parameters...) = nullptr;
  static Result Call(Parameters... parameters) { return routine(ForImage(parameters)...); }
};

// Sets the entries of those routines for which `find` has an address in the image.
template <int kImage, typename Find>
void SetEntries(const Find& find, Implementation* implementation) {
#define CANCELSAFE_SET_DOOR(type, name, parameters)                     \
  if (void* const routine = find(#name); routine != nullptr) {          \
    using Door = EntryDoor<kImage, EntryNumber::name, type parameters>; \
    Door::routine = reinterpret_cast<decltype(Door::routine)>(routine); \
    implementation->name = &Door::Call;                                 \
  }
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_SET_DOOR)
#undef CANCELSAFE_SET_DOOR
}

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_IMPLEMENTATION_ENTRY_DOORS_H_
