// Situations: an abstract state of a model together with the operation made there.
// They are what semantic coverage counts; here they get words and an order, for
// tables that say what was never tried. Nothing here judges.
#ifndef CANCELSAFE_ORACLE_SITUATION_H_
#define CANCELSAFE_ORACLE_SITUATION_H_

#include <cstdint>
#include <string>

#include "oracle/operations.h"

namespace cancelsafe {

struct Situation {
  uint32_t state = 0;  // Model::Abstract of the family
  Op op = Op::kInsert;
};

// The coarse half of a state, the row of a table: "2 queued, disabled".
std::string SituationRow(Family family, uint32_t state);

// All of it: "2 queued, disabled, equal keys, one of them with a context".
std::string DescribeSituationState(Family family, uint32_t state);

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_SITUATION_H_
