// Numbers as Liquid knows them: whole numbers of 64 bits and decimals.
//
// 10.1 minus 2.2 is 7.9: the sum, difference, product and remainder of decimals are computed on
// their shortest decimal digits, not on their binary values, as the reference does with
// BigDecimal. A whole result past 64 bits becomes a decimal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "language/liquid/value.h"

namespace liquid {

void AppendInt(std::string& out, int64_t value);
// "5.0", "0.1", "1.0e+16": always with a point.
void AppendDouble(std::string& out, double value);

// The number a value stands for: text is read ("12 apples" is 12, "1.5" is 1.5, "x" is 0),
// everything else that is no number is 0.
Value ToNumber(const Value& value);
// A whole number: an int, or text that is one as a whole. nullopt for anything else.
std::optional<int64_t> ToWhole(const Value& value);
// As ToNumber, cut to a whole number, for the ends of a range. Saturates.
int64_t ToInt(const Value& value);

// Both arguments are numbers. -1, 0 or 1; exact. Any NaN: 1.
int CompareNumbers(const Value& a, const Value& b);

Value Plus(const Value& a, const Value& b);
Value Minus(const Value& a, const Value& b);
Value Times(const Value& a, const Value& b);
// Rounds down for whole numbers. nullopt: division by zero.
std::optional<Value> DividedBy(const Value& a, const Value& b);
// Takes the sign of b. nullopt: division by zero.
std::optional<Value> Modulo(const Value& a, const Value& b);
Value Abs(const Value& a);
// Half away from zero. digits <= 0 gives a whole number.
Value Round(const Value& a, int64_t digits);
Value Ceil(const Value& a);
Value Floor(const Value& a);

}  // namespace liquid
