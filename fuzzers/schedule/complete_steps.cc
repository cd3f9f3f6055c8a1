// See complete.h. From where to where a step goes, and what it touches.
#include "fuzzers/schedule/complete.h"
#include "fuzzers/schedule/mask.h"

namespace cancelsafe::schedule {
namespace {

bool HasKind(const uint64_t (&kinds)[4], uint8_t kind) {
  return (kinds[kind >> 6] >> (kind & 63) & 1) != 0;
}

}  // namespace

bool CompleteExplorer::IsShared(const Footprint& footprint) const {
  bool shared = footprint.all();
  for (int o = 0; o < footprint.count() && !shared; ++o) {
    shared = known_.ordering.Orders(footprint.object(o));
  }
  return shared;
}

void CompleteExplorer::Touch(uint16_t object, uint8_t parts, bool writes) {
  if (options_.tight_calls) {
    known_.ordering.Note(object, path_[last_].chosen, parts, writes);
    if (!known_.ordering.Orders(object)) return;
    NoteLoud();
  }
  touched_.Add(object, parts, writes);
}

void CompleteExplorer::NoteLoud() {
  part_is_loud_ = step_is_loud_ = true;
  mistaken_ |= trusting_;
}

void CompleteExplorer::TouchAnnounced(const Footprint& footprint) {
  for (int o = 0; o < footprint.count(); ++o) {
    Touch(footprint.object(o), kAllParts, footprint.writes(o));
  }
  if (!footprint.all()) return;
  NoteLoud();
  touched_.AddAll();
}

void CompleteExplorer::OnTouch(const volatile void* object, uint8_t parts, bool writes) {
  if (!alone_) Touch(known_.objects.Number(object), parts, writes);
}

void CompleteExplorer::OnBlock(const volatile void* object) {
  if (!alone_) touched_.SetBlocked(known_.objects.Number(object));
}

void CompleteExplorer::OnTouchAll() {
  if (alone_) return;
  met_unknown_ = true;
  NoteLoud();
  touched_.AddAll();
}

void CompleteExplorer::OnRest() {
  if (alone_) return;
  rested_ = true;
  if (options_.tight_calls) known_.ordering.NoteRest();
}

void CompleteExplorer::OnCall(bool begins) {
  if (alone_) return;
  Step& step = path_[last_];
  if (begins) {
    step.begins_call = true;
    if (!options_.tight_calls) touched_.AddCallBegin();
    in_new_call_[step.chosen] = true;
    part_is_loud_ = true;
    mistaken_ |= trusting_;
  } else {
    step.ends_call = true;
    if (!options_.tight_calls) touched_.AddCallEnd();
    step_is_loud_ = true;
  }
}

Footprint CompleteExplorer::Announced(const PendingEvent& event, const volatile void* object) {
  Footprint footprint;
  if (event.kind == kStartKind || HasKind(options_.silent_kinds, event.kind)) return footprint;
  if (object == nullptr) {
    footprint.AddAll();
  } else {
    footprint.Add(known_.objects.Number(object), kAllParts,
                  !HasKind(options_.reading_kinds, event.kind));
  }
  return footprint;
}

bool CompleteExplorer::Passes(const Decision& decision) {
  Step& step = path_[last_];
  const int fiber = decision.current;
  // It waits, yields or has ended.
  if (fiber != step.chosen || !Contains(decision.enabled, fiber)) return false;
  uint64_t& path = path_of_[fiber];
  if (!part_is_loud_ && newly_quiet_.size() < newly_quiet_.capacity()) newly_quiet_.push_back(path);
  if (in_new_call_[fiber]) {
    path = calls_of_[fiber] += kFiberCapacity;
    in_new_call_[fiber] = false;
  }
  path = (path ^ decision.pending[fiber].site ^ decision.pending[fiber].kind) * 0x9E3779B97F4A7C15u;
  path ^= path >> 29;
  part_is_loud_ = false;
  const bool is_recorded = last_ < recorded_;
  const Footprint announced = Announced(decision.pending[fiber], decision.objects[fiber]);
  const bool trusts = step_is_loud_;
  const bool passes =
      is_recorded
          ? passed_ < step.passed
          : !step_is_loud_ || (!IsShared(announced) &&
                               (known_.quiet.count(path) != 0 ||
                                (HasKind(options_.quiet_kinds, decision.pending[fiber].kind) &&
                                 !known_.IsLoud(path))));
  if (!passes) return false;
  ++passed_;
  if (!is_recorded) step.passed = passed_;
  trusting_ = trusts;
  TouchAnnounced(announced);
  return true;
}

void CompleteExplorer::EndStep() {
  Step& step = path_[last_];
  step.footprint = touched_;
  if (!options_.tight_calls) step.footprint.Merge(step.announced[step.chosen]);
  if (step.footprint.blocked_on() != 0) {
    step.attempt = step.footprint;
    step.footprint.ForgetAttempt();
  }
  step.outcomes.Merge(step.footprint);
}

}  // namespace cancelsafe::schedule
