// The spelling of operators in both forms, and the words of the language.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "language/condition/expression.h"

namespace condition {

// How many values an operator takes.
enum class Shape : uint8_t {
    kNone,    // known, unknown
    kOne,     // is, contains, has, ...: one literal
    kNumber,  // > >= < <=
    kText,    // contains, starts, ends, matches: one text
    kDate,    // before, after
    kMany,    // in, not in: at least one literal
    kTwo,     // between: two numbers or two dates
    kSpan,    // the four relative to now
};
Shape ShapeOf(Operator op);

std::string_view JsonName(Operator op);                  // "not_contains"
std::optional<Operator> FindOperator(std::string_view json_name);
std::string_view JsonName(AggregateKind kind);           // "avg"; also the word of the text form.

// The seven that an aggregate takes.
bool IsNumberOperator(Operator op);
// The four that first and last take.
bool IsOccurrenceOperator(Operator op);

// True for words that stand in the grammar, in any case: as a name they need backquotes.
bool IsKeyword(std::string_view word);
// True when `name` needs no backquotes as far as its letters go: letters of any script, digits,
// _ $ and single dots between parts; the first letter no digit.
bool IsPlainName(std::string_view name);
// The letters of plain names, by code point.
bool StartsName(int32_t point);
bool ContinuesName(int32_t point);

bool SameWord(std::string_view any_case, std::string_view lower);

// The fields of first_touch and last_touch.
bool IsTouchField(std::string_view name);
inline constexpr std::string_view kFirstTouchPrefix = "first_touch.";
inline constexpr std::string_view kLastTouchPrefix = "last_touch.";

}  // namespace condition
