// Instants and spans as the log stores them: milliseconds since 1970-01-01 UTC in an int64.
// `_ms` at the end of a name says so. Calendar work goes through Howard Hinnant's date library.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace base {

using TimeMs = int64_t;      // An instant.
using DurationMs = int64_t;  // A span.

inline constexpr DurationMs kSecondMs = 1000;
inline constexpr DurationMs kMinuteMs = 60 * kSecondMs;
inline constexpr DurationMs kHourMs = 60 * kMinuteMs;
inline constexpr DurationMs kDayMs = 24 * kHourMs;

inline constexpr TimeMs kNeverMs = INT64_MAX;

// Reads ISO 8601 / RFC 3339: "2026-01-05", "2026-01-05T10:00Z", "2026-01-05T10:00:00.123+09:00",
// also with a space for T. Without a zone it is UTC. nullopt when it is anything else.
std::optional<TimeMs> ParseIso(std::string_view text);

// "2026-01-05T10:00:00.123Z".
std::string FormatIso(TimeMs time);
// Appends the same 24 characters; years outside 0..9999 are clamped.
void AppendIso(std::string& out, TimeMs time);

// Days since 1970-01-01, rounding down.
int64_t DayOf(TimeMs time);
// Year * 100 + month in UTC: 202601.
int32_t MonthOf(TimeMs time);

}  // namespace base
