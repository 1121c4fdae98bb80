// Reads the text form of a condition (docs/conditions.md has the grammar):
//   did "Product Viewed" where category is "ovens" and price >= 100, 3+ times within 7d
// Keywords are read in any case; names and quoted texts as written.
#pragma once

#include <string_view>

#include "base/result.h"
#include "language/condition/expression.h"

namespace condition {

// The tree of `text`. What is returned is valid (valid.h) and prints to a text that parses to an
// equal tree. Parentheses that group nothing are dropped; `(a and b) and c` keeps its two levels.
// Errors: kInvalidArgument; `at` is "line:column" (both from 1, columns count characters) and the
//   text is written for the person who typed the condition. kTooLarge: a limit of limits.h
//   (kConditionBytesMax, kConditionDepthMax, kConditionNodesMax), with `at` where it is known.
// Threads: any.
base::Result<ExpressionPtr> Parse(std::string_view text);

}  // namespace condition
