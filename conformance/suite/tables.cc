// The order of the cases: that of the catalogue.
#include "tables.h"

namespace cancelsafe::suite {

#define CANCELSAFE_SUITE_TABLE_ADDRESS(name) &name,
const CaseTable* const kCaseTables[] = {CANCELSAFE_SUITE_TABLES(CANCELSAFE_SUITE_TABLE_ADDRESS)};
#undef CANCELSAFE_SUITE_TABLE_ADDRESS
const int kCaseTableCount = sizeof(kCaseTables) / sizeof(kCaseTables[0]);

}  // namespace cancelsafe::suite
