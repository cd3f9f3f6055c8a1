// Inside the world room only: the filter manager's objects, which the files filter_*.cc share.
// There is one filter at a time (a driver registers one), one volume, and at most one instance
// of the filter on it.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_WORLD_FILTER_H_
#define CANCELSAFE_FUZZERS_DRIVERS_WORLD_FILTER_H_

#include <vector>

#include "fltKernel.h"
#include "fuzzers/drivers/world/state.h"
#include "impl/kernel/filter_manager.h"

namespace cancelsafe::drivers {

inline constexpr ULONG kFilterTag = 0x72746c46;  // "Fltr"

// What a PFLT_FILTER, PFLT_VOLUME and PFLT_INSTANCE point to. Its end is waited for until
// `uses` is 0: of an instance, the operations that the filter has; of all, references by
// FltObjectReference and work items.
struct FilterObject {
  int uses;
  bool ending;
  // Published when the object is ready, observed by whatever is called for it. Not what the
  // ends of uses publish, which only the end of the object observes.
  char ready;
};
struct KernelFilter {
  FilterObject object;
  FLT_REGISTRATION registration;
};
struct KernelVolume {
  FilterObject object;
};
struct KernelInstance {
  FilterObject object;
};

// Where a request on the volume is.
enum class FilterStage : uint8_t {
  kBefore,      // in its pre-operation callback, or not yet there
  kPended,      // the callback has returned FLT_PREOP_PENDING
  kBelow,       // the file system has it
  kAfter,       // in its post-operation callback
  kPostPended,  // that has returned FLT_POSTOP_MORE_PROCESSING_REQUIRED
  kEnded,
};

// A request on the volume. Its memory lives until the next run; only the callback data is
// retired with the IRP.
struct FilterOperation {
  KiCallbackData whole;
  PIRP irp;
  FLT_RELATED_OBJECTS related;
  // Null where the filter has no callbacks for it.
  const FLT_OPERATION_REGISTRATION* callbacks;
  PVOID context;  // of the callbacks
  FilterStage stage;
  bool in_callback;  // the pre-operation callback has not returned
  bool let_go;       // FltCompletePendedPreOperation was called for it
  bool let_go_post;  // FltCompletePendedPostOperation was
  bool is_queued;    // in a callback data queue
  bool wants_post;
  bool is_drained;  // the filter was called for its end before the file system has ended it
  bool has_use;     // of the instance
};

struct FilterContext;

struct FilterState {
  KernelFilter* filter = nullptr;
  const FLT_OPERATION_REGISTRATION* operations = nullptr;  // the driver's list
  std::vector<FLT_CONTEXT_REGISTRATION> context_kinds;
  KernelVolume* volume = nullptr;
  PDEVICE_OBJECT volume_device = nullptr;
  KernelInstance* instance = nullptr;
  std::vector<FilterOperation*> requests;  // all of the run
  std::vector<FilterContext*> contexts;    // those that live
};
FilterState& TheFilterState();

// Another use of the object, false if it ends already; and the end of one.
bool BeginUse(FilterObject* object);
void EndUse(FilterObject* object);
// While a callback of the filter runs, its instance is in use, whatever becomes of the operation.
class CallbackUse {
 public:
  CallbackUse() : object_(&TheFilterState().instance->object) { ++object_->uses; }
  ~CallbackUse() { EndUse(object_); }
  CallbackUse(const CallbackUse&) = delete;
  CallbackUse& operator=(const CallbackUse&) = delete;

 private:
  FilterObject* const object_;
};
// Waits until the object has no uses. `what` waits, for reports.
void WaitForUses(FilterObject* object, const char* what);

// The object is a live one of the filter manager's. Reports otherwise.
bool CheckFilterObject(const void* object, const char* routine);

// Calls the unload callback of the filter that is registered. False if it has none, or refuses.
bool UnloadFilter(bool mandatory);

FLT_RELATED_OBJECTS RelatedObjects(PFILE_OBJECT file);

// The volume's device, made at the first call: its requests go through the filter to a file
// system that ends them (filter_operations.cc).
PDEVICE_OBJECT MakeVolumeDevice();
// The operation goes where the status of its pre-operation callback says. `in_dispatch`: the
// dispatch routine is to return what this returns, so that an operation that has ended need not
// be marked pending.
NTSTATUS GoOnAfterCallback(FilterOperation* operation, FLT_PREOP_CALLBACK_STATUS status,
                           bool in_dispatch);
// The end: its status, which is returned, is that of the callback data, if there is one.
NTSTATUS EndOperation(FilterOperation* operation);
// Whether the file system ends such requests later, not in the thread of the caller.
bool EndsLater(UCHAR major);
// "a read"; "FLT_PREOP_PENDING".
// Not a std::string: a report, which it is for, leaves the stack it stands on for good. Valid until
// the next call.
const char* OperationName(const FilterOperation& operation);
const char* PreOperationStatusName(FLT_PREOP_CALLBACK_STATUS status);
// The request to which the callback data belongs, after reporting that there is none.
FilterOperation* OperationOf(PFLT_CALLBACK_DATA data, const char* routine);
// Of the instance that is torn down: post-operation callbacks for what the file system has.
void DrainOperations();
// The operation is in a callback data queue from here on, or not any more.
void NoteQueued(PFLT_CALLBACK_DATA data, bool is_queued);
// Ends a post-operation callback that has required more processing.
void FltCompletePendedPostOperation(PFLT_CALLBACK_DATA data);

// What was set on the object (an instance, the volume, a file) is given back.
void ReleaseContextsOf(const void* object);

ServiceList FilterServices();  // registration
ServiceList FilterCompletionServices();
ServiceList FilterContextServices();
ServiceList FilterWorkItemServices();
ServiceList FilterQueueServices();  // FltCbdq*
void ResetFilters();
void ResetFilterQueues();

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_WORLD_FILTER_H_
