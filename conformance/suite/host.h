// What a host hands to the suite: the entry points under test and the kernel
// services the suite's own driver stubs need. A null pointer means "not
// provided" (entry points) or "this host cannot show it" (services).
#ifndef CANCELSAFE_CONFORMANCE_SUITE_HOST_H_
#define CANCELSAFE_CONFORMANCE_SUITE_HOST_H_

#include "../../impl/entry_points.h"
#include "kernel_names.h"

namespace cancelsafe::suite {

struct EntryPoints {
#define CANCELSAFE_SUITE_DECLARE(type, name, parameters) decltype(&::name) name = nullptr;
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_SUITE_DECLARE)
#undef CANCELSAFE_SUITE_DECLARE
};

// The kernel around the implementation. The routines of the IRP-* clauses are
// here too: a host that offers them is checked by the same cases.
struct Services {
  PIRP (*allocate_irp)(CCHAR stack_size, BOOLEAN charge_quota) = nullptr;  // mandatory
  void (*free_irp)(PIRP irp) = nullptr;                                    // mandatory
  void (*complete_request)(PIRP irp, CCHAR boost) = nullptr;
  BOOLEAN (*cancel_irp)(PIRP irp) = nullptr;
  void (*acquire_cancel_lock)(PKIRQL irql) = nullptr;
  void (*release_cancel_lock)(KIRQL irql) = nullptr;
  KIRQL (*current_irql)() = nullptr;
  KIRQL (*raise_irql)(KIRQL irql) = nullptr;
  void (*lower_irql)(KIRQL irql) = nullptr;

  // Beyond the documented routines.
  bool (*cancel_lock_held)() = nullptr;
  // How often the cancel spin lock has been taken so far.
  int (*cancel_lock_count)() = nullptr;
  // How often any other spin lock has been taken so far.
  int (*lock_count)() = nullptr;
  // Number of spin locks the calling processor holds.
  int (*locks_held)() = nullptr;
  // `hook` runs before every interlocked operation of the implementation, with
  // the operand's address. Null switches it off.
  void (*set_exchange_hook)(void (*hook)(const volatile void* operand)) = nullptr;
  // A device whose driver has this StartIo routine. One at a time.
  PDEVICE_OBJECT (*create_device)(PDRIVER_STARTIO start_io) = nullptr;
  void (*delete_device)(PDEVICE_OBJECT device) = nullptr;
  // Callback data of `irp`, as the filter manager would make it; of an operation
  // without an IRP if `irp` is null. Lives until the next case.
  PFLT_CALLBACK_DATA (*make_callback_data)(PIRP irp) = nullptr;
  void (*complete_pended_pre_operation)(PFLT_CALLBACK_DATA data, FLT_PREOP_CALLBACK_STATUS status,
                                        PVOID context) = nullptr;
  BOOLEAN (*flt_cancel_io)(PFLT_CALLBACK_DATA data) = nullptr;
  NTSTATUS(*flt_set_cancel_completion)
  (PFLT_CALLBACK_DATA data, PFLT_COMPLETE_CANCELED_CALLBACK callback) = nullptr;
  NTSTATUS (*flt_clear_cancel_completion)(PFLT_CALLBACK_DATA data) = nullptr;
};

struct Host {
  EntryPoints entry;
  Services kernel;
};

}  // namespace cancelsafe::suite

#endif  // CANCELSAFE_CONFORMANCE_SUITE_HOST_H_
