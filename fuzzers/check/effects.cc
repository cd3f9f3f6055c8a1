// See effects.h.
#include "fuzzers/check/effects.h"

#include <execinfo.h>

#include <cstring>
#include <vector>

#include "fuzzers/check/traced_code.h"
#include "fuzzers/memory/modules.h"

namespace cancelsafe {
namespace {

constexpr uintptr_t kBlockBytes = WatchedMemory::kBlockBytes;
// What lies so near to a frame is on the same stack.
constexpr uintptr_t kStackBytes = 16 * 1024;
constexpr int kFramesMax = 40;
// Notes what is accessed.
class AccessWitness final : public TracedCode::Watcher {
 public:
  AccessWitness(const CodeUnderTest& code, WatchedMemory* watched)
      : code_(code), watched_(watched) {}

  void OnHook(TracedCode::Hook, uintptr_t, const void* frame, const void* accessed) override {
    const auto address = reinterpret_cast<uintptr_t>(accessed);
    const auto stack = reinterpret_cast<uintptr_t>(frame);
    if (accessed == nullptr || address - stack + kStackBytes < 2 * kStackBytes) return;
    if (address >= code_.module_begin && address < code_.module_end) return;
    const uintptr_t block = address & ~(kBlockBytes - 1);
    int& count = watched_->count;
    for (int i = 0; i < count; ++i) {
      if (watched_->block[i] == block) return;
    }
    if (count < WatchedMemory::kBlocksMax) watched_->block[count++] = block;
  }

 private:
  const CodeUnderTest code_;
  WatchedMemory* const watched_;
};

class EffectWitness final : public schedule::Scheduler, public TracedCode::Watcher {
 public:
  EffectWitness(const CodeUnderTest& code, const WatchedMemory& watched, EffectList* effects)
      : code_(code), watched_(watched), effects_(effects), shadow_(watched.count) {
    effects_->count = 0;
    effects_->end = Effect();
    for (int i = 0; i < watched_.count; ++i) {
      memcpy(shadow_[i].word, BlockAt(i), kBlockBytes);
    }
    void* frames[kFramesMax];
    backtrace(frames, kFramesMax);  // loads what it needs
  }

  void Start(const schedule::Schedule&, int, const uint16_t*) override {}
  bool sees_all_points() const override { return true; }
  int Pick(const schedule::Decision& decision) override {
    if (decision.current < 0) return decision.default_fiber;
    fiber_ = static_cast<uint8_t>(decision.current);
    NoteChanges();
    NoteCall();
    Effect effect = Now();
    effect.is_point = true;
    effect.kind = decision.pending[fiber_].kind;
    effect.where = reinterpret_cast<uint64_t>(decision.objects[fiber_]);
    Add(effect);
    return decision.default_fiber;
  }

  void OnHook(TracedCode::Hook hook, uintptr_t place, const void* frame, const void*) override {
    NoteChanges();
    // Code of other routines, such as those that are exchanged, is none that may be to blame:
    // that was called from it, or it has returned, and was last where it was.
    const uint64_t here = place - 1 - code_.begin;
    Effect now = effects_->end;
    now.frames = 0;
    if (here < code_.size) {
      if (hook == TracedCode::Hook::kCompare) now.compared = here;
      if (hook == TracedCode::Hook::kStore) now.stored = here;
      if (hook == TracedCode::Hook::kBlock) {
        now.block = here;
        now.entered = frame == last_frame_ ? effects_->end.frame[0] : 0;
      }
      last_frame_ = frame;
    }
    const auto* at = static_cast<const uintptr_t*>(frame);
    while (InModule(place) && now.frames < Effect::kFramesMax) {
      const uint64_t behind = place - 1 - code_.begin;
      if (behind < code_.size) now.frame[now.frames++] = behind;
      place = at[1];
      at = reinterpret_cast<const uintptr_t*>(at[0]);  // NOLINT
    }
    if (now.frames > 0) effects_->end = now;
  }

  void NoteChanges() {
    for (int i = 0; i < watched_.count; ++i) {
      const uint64_t* const now = BlockAt(i);
      if (memcmp(now, shadow_[i].word, kBlockBytes) == 0) continue;
      for (size_t word = 0; word < kBlockBytes / 8; ++word) {
        if (now[word] == shadow_[i].word[word]) continue;
        NoteChange(watched_.block[i] + word * 8, shadow_[i].word[word], now[word]);
        shadow_[i].word[word] = now[word];
      }
    }
  }

 private:
  // Where it calls what has a point. Frames of the harness have no pointers.
  void NoteCall() {
    void* frames[kFramesMax];
    const int count = backtrace(frames, kFramesMax);
    Effect now = effects_->end;
    now.frames = 0;
    for (int i = 0; i < count && now.frames < Effect::kFramesMax; ++i) {
      const uint64_t behind = reinterpret_cast<uintptr_t>(frames[i]) - 1 - code_.begin;
      if (behind < code_.size) now.frame[now.frames++] = behind;
    }
    if (now.frames > 0) effects_->end = now;
  }

  // Of a word that does not point into code, the halves that changed: they may be members apart.
  void NoteChange(uintptr_t address, uint64_t before, uint64_t value) {
    constexpr int kHalf = 32;
    Effect effect = Now();
    effect.where = address;
    effect.before = Plain(before);
    effect.value = Plain(value);
    if (effect.before == Effect::kCode || effect.value == Effect::kCode) return Add(effect);
    for (int half = 0; half < 2; ++half) {
      effect.where = address + static_cast<uintptr_t>(half) * sizeof(uint32_t);
      effect.before = static_cast<uint32_t>(before >> half * kHalf);
      effect.value = static_cast<uint32_t>(value >> half * kHalf);
      if (effect.before != effect.value) Add(effect);
    }
  }

  Effect Now() const {
    Effect effect = effects_->end;
    effect.fiber = fiber_;
    return effect;
  }

  void Add(const Effect& effect) {
    if (effects_->count < EffectList::kMax) effects_->effects[effects_->count++] = effect;
  }

  bool InModule(uintptr_t address) const {
    return address >= code_.module_begin && address < code_.module_end;
  }

  // Addresses of code are those of different routines in two runs.
  static uint64_t Plain(uint64_t value) {
    memory::Module module;
    return value > kBlockBytes && memory::FindModule(value, &module) ? Effect::kCode : value;
  }

  const uint64_t* BlockAt(int i) const {
    return reinterpret_cast<const uint64_t*>(watched_.block[i]);  // NOLINT
  }

  struct Block {
    uint64_t word[kBlockBytes / 8];
  };

  const CodeUnderTest code_;
  const WatchedMemory& watched_;
  EffectList* const effects_;
  std::vector<Block> shadow_;
  uint8_t fiber_ = 0;
  const void* last_frame_ = nullptr;
};

}  // namespace

void FindWatchedMemory(Runner* runner, const Program& program, const CodeUnderTest& code,
                       WatchedMemory* watched) {
  AccessWitness witness(code, watched);
  TracedCode::SetWatcher(&witness);
  runner->Run(program);
  TracedCode::SetWatcher(nullptr);
}

void RecordEffects(Runner* runner, const Program& program, const CodeUnderTest& code,
                   const WatchedMemory& watched, EffectList* effects) {
  EffectWitness witness(code, watched, effects);
  TracedCode::SetWatcher(&witness);
  schedule::RunOptions options;
  options.fresh_records = true;
  runner->RunWith(&witness, program, options);
  TracedCode::SetWatcher(nullptr);
  witness.NoteChanges();
}

}  // namespace cancelsafe
