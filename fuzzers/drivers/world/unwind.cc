// See unwind.h. The names of operations are those of "x64 exception handling" (UWOP_*).
#include "fuzzers/drivers/world/unwind.h"

namespace cancelsafe::drivers {
namespace {

constexpr int kMaxChain = 32;

enum Operation : uint8_t {
  kPushNonvolatile = 0,
  kAllocateLarge = 1,
  kAllocateSmall = 2,
  kSetFrameRegister = 3,
  kSaveNonvolatile = 4,
  kSaveNonvolatileFar = 5,
  kEpilog = 6,  // of version 2: two slots; epilogs are recognised by their instructions
  kSaveXmm = 8,
  kSaveXmmFar = 9,
};

struct Info {
  uint8_t version;
  uint8_t flags;
  uint8_t prolog;
  uint8_t codes;
  uint8_t frame_register;  // 0: none
  uint8_t frame_offset;    // in units of 16 bytes
  uint32_t first_code;
  uint32_t behind_codes;
};

class Unwinder {
 public:
  Unwinder(const DriverImage& image, const StackRange& stack, KernelContext* context)
      : image_(image), stack_(stack), context_(*context) {}

  bool Unwind(UnwoundFrame* frame);

 private:
  template <typename T>
  bool Code(uint32_t rva, T* value) const {
    return image_.ReadAt(rva, value);
  }
  bool Load(uint64_t address, uint64_t* value) const {
    if (!InStack(address, 8)) return false;
    *value = *reinterpret_cast<const uint64_t*>(address);
    return true;
  }
  bool InStack(uint64_t address, uint64_t bytes) const {
    return address % 8 == 0 && address >= stack_.low && address <= stack_.high &&
           stack_.high - address >= bytes;
  }
  bool Pop(uint64_t* value) {
    if (!Load(context_.rsp(), value)) return false;
    context_.rsp() += 8;
    return true;
  }

  bool ReadInfo(uint32_t rva, Info* info) const;
  uint64_t FrameBase(const Info& info, uint32_t offset) const;
  bool UndoProlog(const Info& info, uint32_t offset, uint64_t base);
  bool UndoOne(uint8_t operation, uint8_t info, const Info& of, uint32_t operand, uint64_t base);
  bool IsEpilog(uint32_t at, const RuntimeFunction& function, const Info& info);
  bool RunEpilog(uint32_t at, const Info& info);

  const DriverImage& image_;
  const StackRange stack_;
  KernelContext& context_;
};

bool Unwinder::ReadInfo(uint32_t rva, Info* info) const {
  uint32_t head;
  if (!Code(rva, &head)) return false;
  info->version = head & 7;
  info->flags = head >> 3 & 0x1f;
  info->prolog = head >> 8 & 0xff;
  info->codes = head >> 16 & 0xff;
  info->frame_register = head >> 24 & 0xf;
  info->frame_offset = head >> 28;
  info->first_code = rva + 4;
  info->behind_codes = rva + 4 + (info->codes + 1u) / 2 * 4;
  return info->version == 1 || info->version == 2;
}

// What offsets of saved registers are relative to, which is also how the frame is named.
uint64_t Unwinder::FrameBase(const Info& info, uint32_t offset) const {
  const uint64_t by_register =
      context_.registers[info.frame_register] - uint64_t{info.frame_offset} * 16;
  if (info.frame_register == 0) return context_.rsp();
  if (offset >= info.prolog || (info.flags & kChained) != 0) return by_register;
  for (int i = 0; i < info.codes; ++i) {
    uint16_t code;
    if (!Code(info.first_code + i * 2u, &code)) break;
    if ((code >> 8 & 0xf) == kSetFrameRegister) {
      return offset >= (code & 0xff) ? by_register : context_.rsp();
    }
  }
  return context_.rsp();
}

bool Unwinder::UndoOne(uint8_t operation, uint8_t info, const Info& of, uint32_t operand,
                       uint64_t base) {
  switch (operation) {
    case kPushNonvolatile:
      return info == kRsp ? false : Pop(&context_.registers[info]);
    case kAllocateLarge:
      context_.rsp() += info == 0 ? operand * uint64_t{8} : operand;
      return true;
    case kAllocateSmall:
      context_.rsp() += info * 8u + 8;
      return true;
    case kSetFrameRegister:
      if (of.frame_register == 0) return false;
      context_.rsp() = context_.registers[of.frame_register] - uint64_t{of.frame_offset} * 16;
      return true;
    case kSaveNonvolatile:
      return info != kRsp && Load(base + operand * uint64_t{8}, &context_.registers[info]);
    case kSaveNonvolatileFar:
      return info != kRsp && Load(base + operand, &context_.registers[info]);
    case kEpilog:
      return of.version == 2;
    case kSaveXmm:
    case kSaveXmmFar: {
      const uint64_t at = base + (operation == kSaveXmm ? operand * uint64_t{16} : operand);
      if (!InStack(at, 16)) return false;
      __builtin_memcpy(context_.xmm[info], reinterpret_cast<const void*>(at), 16);
      return true;
    }
    default:
      return false;  // among them UWOP_PUSH_MACHFRAME
  }
}

// Undoes what the first `offset` bytes of the prolog have done; the table has the last first.
bool Unwinder::UndoProlog(const Info& info, uint32_t offset, uint64_t base) {
  for (int i = 0; i < info.codes;) {
    uint16_t code;
    if (!Code(info.first_code + i * 2u, &code)) return false;
    const auto operation = static_cast<uint8_t>(code >> 8 & 0xf);
    const auto parameter = static_cast<uint8_t>(code >> 12);
    int slots = 1;
    if (operation == kSaveNonvolatile || operation == kSaveXmm || operation == kEpilog ||
        (operation == kAllocateLarge && parameter == 0)) {
      slots = 2;
    } else if (operation == kSaveNonvolatileFar || operation == kSaveXmmFar ||
               operation == kAllocateLarge) {
      slots = 3;
    }
    if (operation == kAllocateLarge && parameter > 1) return false;
    if (i + slots > info.codes) return false;
    uint32_t operand = 0;
    if (slots > 1) {
      uint16_t low;
      if (!Code(info.first_code + (i + 1) * 2u, &low)) return false;
      operand = low;
    }
    if (slots > 2) {
      uint16_t high;
      if (!Code(info.first_code + (i + 2) * 2u, &high)) return false;
      operand |= uint32_t{high} << 16;
    }
    i += slots;
    if ((code & 0xffu) > offset && operation != kEpilog) continue;
    if (!UndoOne(operation, parameter, info, operand, base)) return false;
  }
  return true;
}

// Whether the instructions from `at` on are the rest of an epilog: at most one that takes the
// frame off, pops, and a return or a jump out of the function.
bool Unwinder::IsEpilog(uint32_t at, const RuntimeFunction& function, const Info& info) {
  uint8_t c[3];
  if (!Code(at, &c)) return false;
  if (c[0] == 0x48 && c[1] == 0x83 && c[2] == 0xc4) {
    at += 4;
  } else if (c[0] == 0x48 && c[1] == 0x81 && c[2] == 0xc4) {
    at += 7;
  } else if ((c[0] & 0xfe) == 0x48 && c[1] == 0x8d && (c[2] & 0x38) == 0x20 &&
             info.frame_register != 0 && ((c[2] & 7) | (c[0] & 1) << 3) == info.frame_register &&
             (c[2] & 7) != 4) {
    if (c[2] >> 6 != 1 && c[2] >> 6 != 2) return false;
    at += c[2] >> 6 == 1 ? 4 : 7;
  }
  for (int pops = 0; pops <= 16; ++pops) {
    uint8_t first;
    uint8_t second;
    if (!Code(at, &first)) return false;
    if ((first & 0xf8) == 0x58 && first != 0x5c) {
      at += 1;
      continue;
    }
    if (first == 0xc3) return true;
    if (!Code(at + 1, &second)) return false;
    if (first == 0x41 && (second & 0xf8) == 0x58) {
      at += 2;
      continue;
    }
    if (first == 0xf3 && second == 0xc3) return true;
    if (first == 0xff && second == 0x25) return true;
    if (first == 0x48 && second == 0xff) {
      uint8_t third;
      return Code(at + 2, &third) && (third & 0x38) == 0x20;
    }
    int32_t distance;
    if (first == 0xe9 && Code(at + 1, &distance)) {
      const uint32_t to = at + 5 + static_cast<uint32_t>(distance);
      return to <= function.begin || to >= function.end;
    }
    if (first == 0xeb) {
      const uint32_t to = at + 2 + static_cast<uint32_t>(static_cast<int8_t>(second));
      return to <= function.begin || to >= function.end;
    }
    return false;
  }
  return false;
}

// Does what IsEpilog has recognised, up to the return or jump.
bool Unwinder::RunEpilog(uint32_t at, const Info& info) {
  uint8_t c[3];
  if (!Code(at, &c)) return false;
  const bool adds = c[0] == 0x48 && (c[1] == 0x83 || c[1] == 0x81) && c[2] == 0xc4;
  const bool loads = (c[0] & 0xfe) == 0x48 && c[1] == 0x8d;
  if (adds || loads) {
    const bool is_short = adds ? c[1] == 0x83 : c[2] >> 6 == 1;
    int32_t distance;
    if (is_short) {
      uint8_t byte;
      if (!Code(at + 3, &byte)) return false;
      distance = (byte ^ 0x80) - 0x80;  // its sign is extended
    } else if (!Code(at + 3, &distance)) {
      return false;
    }
    const uint64_t from = adds ? context_.rsp() : context_.registers[info.frame_register];
    context_.rsp() = from + static_cast<uint64_t>(static_cast<int64_t>(distance));
    at += is_short ? 4 : 7;
  }
  for (;;) {
    uint8_t first;
    uint8_t second;
    if (!Code(at, &first)) return false;
    if ((first & 0xf8) == 0x58 && first != 0x5c) {
      if (!Pop(&context_.registers[first & 7])) return false;
      at += 1;
    } else if (first == 0x41 && Code(at + 1, &second) && (second & 0xf8) == 0x58) {
      if (!Pop(&context_.registers[8 + (second & 7)])) return false;
      at += 2;
    } else {
      return true;
    }
  }
}

bool Unwinder::Unwind(UnwoundFrame* frame) {
  *frame = UnwoundFrame();
  const uint64_t before = context_.rsp();
  const auto rva = static_cast<uint32_t>(context_.rip - reinterpret_cast<uintptr_t>(image_.base()));
  frame->has_function = FindFunction(image_, rva, &frame->function);
  frame->establisher = before;
  if (frame->has_function) {
    RuntimeFunction function = frame->function;
    Info info;
    if (!ReadInfo(function.unwind, &info)) return false;
    uint32_t offset = rva - function.begin;
    const bool in_prolog = offset < info.prolog;
    frame->establisher = FrameBase(info, offset);
    if (!in_prolog && IsEpilog(rva, function, info)) {
      if (!RunEpilog(rva, info)) return false;
    } else {
      uint64_t base = frame->establisher;
      for (int links = 0;; ++links) {
        if (!UndoProlog(info, offset, base)) return false;
        if ((info.flags & kChained) == 0) break;
        // The function that this is a part of: all of its prolog was run.
        if (links == kMaxChain || !Code(info.behind_codes, &function) ||
            !ReadInfo(function.unwind, &info)) {
          return false;
        }
        offset = ~0u;
        base = info.frame_register == 0 ? context_.rsp() : frame->establisher;
      }
      if (!in_prolog && (info.flags & (kHandlesExceptions | kHandlesUnwinds)) != 0) {
        if (!Code(info.behind_codes, &frame->handler)) return false;
        frame->handles = info.flags & (kHandlesExceptions | kHandlesUnwinds);
        frame->handler_data = info.behind_codes + 4;
      }
    }
  }
  if (!Pop(&context_.rip)) return false;
  return context_.rsp() > before;
}

}  // namespace

bool FindFunction(const DriverImage& image, uint32_t rva, RuntimeFunction* function) {
  const PeRange table = image.exceptions();
  uint32_t low = 0;
  uint32_t high = table.size / sizeof(RuntimeFunction);
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    RuntimeFunction entry;
    if (!image.ReadAt(table.rva + middle * static_cast<uint32_t>(sizeof(entry)), &entry)) {
      return false;
    }
    if (rva < entry.begin) {
      high = middle;
    } else if (rva >= entry.end) {
      low = middle + 1;
    } else {
      // An entry of which the lowest bit is set names another one.
      if ((entry.unwind & 1) != 0 && !image.ReadAt(entry.unwind - 1, &entry)) return false;
      *function = entry;
      return true;
    }
  }
  return false;
}

bool HasExceptionHandlers(const DriverImage& image) {
  const PeRange table = image.exceptions();
  for (uint32_t i = 0; i < table.size / sizeof(RuntimeFunction); ++i) {
    RuntimeFunction entry;
    uint8_t head;
    if (!image.ReadAt(table.rva + i * static_cast<uint32_t>(sizeof(entry)), &entry)) return false;
    // An entry that names another one is read where that is.
    if ((entry.unwind & 1) != 0 || !image.ReadAt(entry.unwind, &head)) continue;
    if ((head >> 3 & kHandlesExceptions) != 0) return true;
  }
  return false;
}

bool VirtualUnwind(const DriverImage& image, const StackRange& stack, KernelContext* context,
                   UnwoundFrame* frame) {
  return Unwinder(image, stack, context).Unwind(frame);
}

}  // namespace cancelsafe::drivers
