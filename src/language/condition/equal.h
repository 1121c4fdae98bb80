// Equality of trees, and the key by which the shared graph merges leaves that mean the same.
#pragma once

#include <cstdint>
#include <string>

#include "language/condition/expression.h"

namespace condition {

// Equal in every part, as written: "7d" differs from "168h", (a and b) from (b and a).
bool Equal(const Expression& a, const Expression& b);
inline bool operator==(const Expression& a, const Expression& b) { return Equal(a, b); }
inline bool operator!=(const Expression& a, const Expression& b) { return !Equal(a, b); }

// Agrees with Equal; the same in every process and release.
uint64_t Hash(const Expression& expression);

// Text that two Comparison, Count, Occurrence or Aggregate leaves share exactly when they ask the
// same: spans and dates are written by their value ("168h" and "7d" give the same key). It is
// itself text of the language. Works for any expression.
std::string LeafKey(const Expression& leaf);

}  // namespace condition
