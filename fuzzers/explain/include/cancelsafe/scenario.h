// Virtual threads with a forced interleaving, for tests written in C++: what
// `cancelsafe replay --test` generates; it can also be written by hand. Each step makes
// the documented call of its name on a queue with the driver described in Setup. A
// step that would break its caller's contract just then is left out: completing an
// IRP that the queue owns, say. What the calls returned, called back and left
// behind is judged against the documented behaviour.
//
// Needs the library cancelsafe_scenario and nothing else; one scenario runs at a time.
#ifndef CANCELSAFE_SCENARIO_H_
#define CANCELSAFE_SCENARIO_H_

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cancelsafe {

// An IRP, device queue entry or callback data by number, 0 to 7. Each number is a
// new one after it was completed.
struct Item {
  explicit Item(int item_number) : number(item_number) {}
  int number;
};

// What else a call is given. Which of them matter depends on the routine and queue.
struct Argument {
  enum Kind { kContext, kKey, kSelector, kCancelFunction, kDeferred, kNonCancelable, kOtherQueue };
  Kind kind;
  uint32_t value;
};
// The item's own context (IO_CSQ_IRP_CONTEXT): a removal may name the item later.
inline Argument WithContext() { return {Argument::kContext, 0}; }
inline Argument Key(uint32_t key) { return {Argument::kKey, key}; }
// Removal: 1 + the file object that peek looks for. Insertion: the insert context.
inline Argument Selector(uint32_t value) { return {Argument::kSelector, value}; }
// IoStartPacket: a cancel routine. IoStartNextPacket: Cancelable is TRUE.
inline Argument Cancelable() { return {Argument::kCancelFunction, 0}; }
inline Argument DeferredStartIo() { return {Argument::kDeferred, 0}; }
inline Argument NonCancelable() { return {Argument::kNonCancelable, 0}; }
// On the second queue, where the setup has "queues=two".
inline Argument OtherQueue() { return {Argument::kOtherQueue, 0}; }

// What a fiber does, step by step. Each routine begins at the IRQL given with At.
class Steps {
 public:
  using Arguments = std::initializer_list<Argument>;

  // The next call is made at this IRQL (0 to 2), or at the highest that it allows.
  Steps& At(int irql);

  void IoCsqInsertIrp(Item irp, Arguments arguments = {});
  void IoCsqInsertIrpEx(Item irp, Arguments arguments = {});
  void IoCsqRemoveIrp(Item irp);
  void IoCsqRemoveNextIrp(Arguments arguments = {});
  void IoCancelIrp(Item irp);
  // IoAcquireCancelSpinLock and IoReleaseCancelSpinLock.
  void HoldCancelSpinLock();
  void IofCompleteRequest(Item irp);

  void FltCbdqEnable(Arguments arguments = {});
  void FltCbdqDisable(Arguments arguments = {});
  void FltCbdqInsertIo(Item data, Arguments arguments = {});
  void FltCbdqRemoveIo(Item data);
  void FltCbdqRemoveNextIo(Arguments arguments = {});
  void FltCompletePendedPreOperation(Item data);

  void KeInsertDeviceQueue(Item entry);
  void KeInsertByKeyDeviceQueue(Item entry, Arguments arguments = {});
  void KeRemoveDeviceQueue();
  void KeRemoveByKeyDeviceQueue(Arguments arguments = {});
  void KeRemoveByKeyDeviceQueueIfBusy(Arguments arguments = {});
  void KeRemoveEntryDeviceQueue(Item entry);

  // Without a key, and with one.
  void IoStartPacket(Item irp, Arguments arguments = {});
  void IoStartPacketByKey(Item irp, Arguments arguments = {});
  // Followed by the completion of what was the current IRP.
  void IoStartNextPacket(Arguments arguments = {});
  void IoStartNextPacketByKey(Arguments arguments = {});
  void IoSetStartIoAttributes(Arguments arguments = {});

  // Any operation by its name in the text form of programs, for those without a method
  // of their own here. A name that is none does nothing.
  void Operation(const char* name, Item item, Arguments arguments = {});

 private:
  friend class Scenario;
  explicit Steps(void* sink) : sink_(sink) {}
  void Call(int operation, int item, Arguments arguments);

  void* const sink_;
  int irql_ = 0;
};

// The shared object to test: that of the environment, else that of the macro of the
// same name, else "" for the built-in implementation.
inline std::string TestedImplementation() {
  const char* path = std::getenv("CANCELSAFE_IMPLEMENTATION");
  if (path != nullptr) return path;
#ifdef CANCELSAFE_IMPLEMENTATION
  return CANCELSAFE_IMPLEMENTATION;
#else
  return "";
#endif
}

// At the decision with number `step` (only places where two fibers could go on
// count), `fiber` goes on instead of the one that would by itself.
struct Switch {
  int step;
  int fiber;
};

class Scenario {
 public:
  // The family by its name: "csq", "device-queue", ... (the word after `target` in programs).
  explicit Scenario(const std::string& target,
                    const std::string& implementation = TestedImplementation());
  ~Scenario();
  Scenario(const Scenario&) = delete;
  Scenario& operator=(const Scenario&) = delete;

  // A line that describes the queue or its driver, as in the text of a program:
  // "queue ex insert=sorted peek=by-key lock=mutex status=pending".
  void Setup(const std::string& line);
  // Adds a fiber, up to four. `body` is called once to see what it will do, and
  // again on its fiber; it has to make the same calls each time.
  void Fiber(std::function<void(Steps&)> body);
  void Switches(const std::vector<Switch>& switches);
  // A model of memory, "sc", "tso" or "rc11", and what it left open and was not done as
  // sequential consistency would, as in the line "stale-choices" of a program. Needs a
  // library that was built with the memory engine (cmake --preset model).
  void Memory(const std::string& model, const std::string& stale_choices);
  // Loads and stores of the implementation are decisions too.
  void PointsAtEveryAccess();
  // Where the documentation leaves a choice, only the built-in implementation's is
  // right. Without this, any is for an implementation that was named.
  void Strict();

  // Runs it: "" if all was as documented, else the report. The process is ended if
  // that takes more than 20 seconds.
  std::string Run();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_SCENARIO_H_
