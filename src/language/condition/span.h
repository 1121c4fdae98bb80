// Lengths of time as people write them: 30s 15m 12h 7d 2w 3mo 1y.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "language/condition/expression.h"

namespace condition {

// 1200: the longest span in calendar months.
inline constexpr int32_t kMonthsMax =
    static_cast<int32_t>(limits::kConditionSpanMax / (365 * base::kDayMs) * 12);

struct Length {
    base::DurationMs ms = 0;  // With months as 30 and years as 365 days.
    int32_t months = 0;       // The calendar months when the unit is mo or y, else 0.
    std::string text;         // "7d": digits without leading zeros, then the short unit.
};

// A whole number and a unit: s m h d w mo y or the English words ("days"), in any case.
// nullopt: no such unit, zero, or more than limits::kConditionSpanMax.
std::optional<Length> MakeLength(uint64_t number, std::string_view unit);
// "7d"; no blank inside. nullopt also when it is anything else.
std::optional<Length> ReadLength(std::string_view text);

// The shortest writing of a span by its value: "7d", "90m", "3mo", "1y". Weeks are written as days.
std::string SpanText(base::DurationMs ms);
std::string MonthsText(int32_t months);

// Calendar arithmetic in UTC; a day that the month lacks becomes its last day
// (31 January + 1 month = 28 or 29 February).
base::TimeMs AddMonths(base::TimeMs time, int32_t months);

}  // namespace condition
