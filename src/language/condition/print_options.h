// What print.h and equal.h share: one printer with two spellings.
#pragma once

#include <cstdint>
#include <string>

#include "language/condition/expression.h"

namespace condition {

enum class Spelling : uint8_t {
    kAsWritten,  // Spans and dates as the user wrote them.
    kByValue,    // By their value, so that equal meanings give equal texts.
};
std::string Print(const Expression& expression, Spelling spelling);

}  // namespace condition
