// See bytes_version_1.h.
#include "fuzzers/program/bytes_version_1.h"

namespace cancelsafe {

void DecodeVersion1Header(const uint8_t* header, Program* program) {
  Setup& setup = program->setup;
  setup.ex = (header[4] & 1) != 0;
  setup.insert_status = (header[4] & 2) != 0 ? InsertStatus::kPending : InsertStatus::kSuccess;
  setup.lock = static_cast<LockKind>(header[4] >> 2 & 1);
  setup.start_by_key = (header[4] & 8) != 0;
  setup.insert = static_cast<InsertPolicy>(header[4] >> 4 & 3);
  setup.peek = static_cast<PeekPolicy>(header[4] >> 6);
  setup.reentry = static_cast<Reentry>(header[5] & 3);
  setup.reentry_item = header[5] >> 2 & 7;
  setup.start_io = static_cast<StartIoStyle>(header[5] >> 5 & 3);
  setup.failing_insert = header[6] & 15;
  setup.cancelling_insert = header[6] >> 4;
  program->fibers = 1 + header[7] % kMaxFibers;
  program->schedule.kind = static_cast<schedule::Kind>(header[8]);
  program->schedule.parameter = header[9];
  program->schedule.seed = 0;
  for (int i = 3; i >= 0; --i) {
    program->schedule.seed = program->schedule.seed << 8 | header[10 + i];
  }
}

}  // namespace cancelsafe
