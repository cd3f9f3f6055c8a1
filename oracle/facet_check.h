// Whether a family's abstract states fit into the table of states that a campaign covers.
// For the tables of facets, next to which it is asserted.
#ifndef CANCELSAFE_ORACLE_FACET_CHECK_H_
#define CANCELSAFE_ORACLE_FACET_CHECK_H_

#include <cstddef>
#include <cstdint>

#include "oracle/family.h"
#include "oracle/model.h"

namespace cancelsafe {

// The largest value that Model::Abstract can return: every facet, and the length, which has
// the two lowest bits.
template <size_t kCount>
constexpr uint32_t LargestAbstractState(const Facet (&facets)[kCount]) {
  uint32_t bits = 3;
  for (const Facet& facet : facets) bits |= facet.bit;
  return bits;
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_FACET_CHECK_H_
