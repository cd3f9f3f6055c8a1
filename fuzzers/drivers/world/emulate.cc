// What the DDK's inline routines do in the code of a driver that was built elsewhere: reads
// and writes of CR8, which hold the IRQL, and reads of the processor's region behind gs.
#include <ucontext.h>

#include "fuzzers/drivers/world/state.h"

namespace cancelsafe::drivers {
namespace {

constexpr int kRegisters[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                REG_R12, REG_R13, REG_R14, REG_R15};
constexpr uint32_t kCurrentThread = 0x188;
constexpr uint32_t kProcessorNumber = 0x184;

// mov reg, cr8 is 44 0f 20 /r, or 45 for r8 to r15; mov cr8, reg has 22 in the place of 20.
bool MoveOfCr8(const uint8_t* code, greg_t* registers) {
  if ((code[0] & 0xfe) != 0x44 || code[1] != 0x0f || (code[2] != 0x20 && code[2] != 0x22) ||
      (code[3] & 0xf8) != 0xc0) {
    return false;
  }
  greg_t& reg = registers[kRegisters[(code[3] & 7) | (code[0] & 1) << 3]];
  KiProcessor* processor = Processor();
  if (code[2] == 0x20) {
    reg = processor->irql;
  } else {
    processor->irql = static_cast<KIRQL>(reg);
  }
  registers[REG_RIP] += 4;
  return true;
}

// mov r64, gs:[disp32] is 65 48 8b /r 25 disp32, or 4c for r8 to r15; 8b without rex.w is 32 bits.
bool ReadOfGs(const uint8_t* code, greg_t* registers) {
  if (code[0] != 0x65) return false;
  const uint8_t* at = code + 1;
  uint8_t rex = 0;
  if ((*at & 0xf0) == 0x40) rex = *at++;
  if (*at++ != 0x8b) return false;
  const uint8_t modrm = *at++;
  if ((modrm & 0xc7) != 0x04 || *at++ != 0x25) return false;
  uint32_t offset;
  __builtin_memcpy(&offset, at, 4);
  if (offset != kCurrentThread && offset != kProcessorNumber) return false;
  registers[kRegisters[(modrm >> 3 & 7) | (rex & 4) << 1]] =
      offset == kCurrentThread ? reinterpret_cast<greg_t>(CurrentThread()) : Processor()->id;
  registers[REG_RIP] += at + 4 - code;
  return true;
}

}  // namespace

bool EmulateInstruction(void* context) {
  greg_t* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const auto* code = reinterpret_cast<const uint8_t*>(registers[REG_RIP]);
  const DriverImage* image = TheState().image;
  // The longest instruction has fifteen bytes, all of which must be readable.
  if (image == nullptr || !image->IsExecutable(code) || !image->IsExecutable(code + 15)) {
    return false;
  }
  return MoveOfCr8(code, registers) || ReadOfGs(code, registers);
}

}  // namespace cancelsafe::drivers
