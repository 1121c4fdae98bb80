// Writes the one canonical text of a condition: lower-case keywords, double quotes, single blanks,
// `is` for =, parentheses only where they are needed.
#pragma once

#include <string>
#include <string_view>

#include "language/condition/expression.h"

namespace condition {

// For every valid tree e: Parse(ToText(e)) equals e. Of a tree that is not valid (And of none) the
// text is what comes nearest: an And of nothing is everyone, an Or of nothing nobody.
std::string ToText(const Expression& expression);

// `name` as it stands in a condition: bare, or in backquotes when it is not a plain word.
std::string NameText(std::string_view name);

// `text` in double quotes with \" \\ \n \r \t and \uXXXX for other control characters.
std::string QuotedText(std::string_view text);

}  // namespace condition
