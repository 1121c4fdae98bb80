#include "language/condition/span.h"

#include <charconv>
#include <chrono>

#include "base/limits.h"
#include "language/condition/words.h"

namespace condition {
namespace {

struct Unit {
    std::string_view name;
    std::string_view letters;
    base::DurationMs ms;
    int32_t months;
};

constexpr base::DurationMs kMonthMs = 30 * base::kDayMs;
constexpr base::DurationMs kYearMs = 365 * base::kDayMs;

constexpr Unit kUnits[] = {
    {"s", "s", base::kSecondMs, 0},          {"sec", "s", base::kSecondMs, 0},
    {"second", "s", base::kSecondMs, 0},     {"seconds", "s", base::kSecondMs, 0},
    {"m", "m", base::kMinuteMs, 0},          {"min", "m", base::kMinuteMs, 0},
    {"minute", "m", base::kMinuteMs, 0},     {"minutes", "m", base::kMinuteMs, 0},
    {"h", "h", base::kHourMs, 0},            {"hour", "h", base::kHourMs, 0},
    {"hours", "h", base::kHourMs, 0},        {"d", "d", base::kDayMs, 0},
    {"day", "d", base::kDayMs, 0},           {"days", "d", base::kDayMs, 0},
    {"w", "w", 7 * base::kDayMs, 0},         {"week", "w", 7 * base::kDayMs, 0},
    {"weeks", "w", 7 * base::kDayMs, 0},     {"mo", "mo", kMonthMs, 1},
    {"month", "mo", kMonthMs, 1},            {"months", "mo", kMonthMs, 1},
    {"y", "y", kYearMs, 12},                 {"year", "y", kYearMs, 12},
    {"years", "y", kYearMs, 12},
};

}  // namespace

std::optional<Length> MakeLength(uint64_t number, std::string_view unit) {
    for (const Unit& known : kUnits) {
        if (!SameWord(unit, known.name)) continue;
        if (number == 0 || number > static_cast<uint64_t>(limits::kConditionSpanMax / known.ms)) {
            return std::nullopt;
        }
        const auto count = static_cast<int64_t>(number);
        if (count * known.months > kMonthsMax) return std::nullopt;
        return Length{count * known.ms, static_cast<int32_t>(count * known.months),
                      std::to_string(number) + std::string(known.letters)};
    }
    return std::nullopt;
}

std::optional<Length> ReadLength(std::string_view text) {
    uint64_t number = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    return MakeLength(number, text.substr(static_cast<size_t>(rest - text.data())));
}

std::string SpanText(base::DurationMs ms) {
    if (ms % base::kDayMs == 0) return std::to_string(ms / base::kDayMs) + "d";
    if (ms % base::kHourMs == 0) return std::to_string(ms / base::kHourMs) + "h";
    if (ms % base::kMinuteMs == 0) return std::to_string(ms / base::kMinuteMs) + "m";
    return std::to_string(ms / base::kSecondMs) + "s";
}

std::string MonthsText(int32_t months) {
    if (months % 12 == 0) return std::to_string(months / 12) + "y";
    return std::to_string(months) + "mo";
}

base::TimeMs AddMonths(base::TimeMs time, int32_t months) {
    namespace ch = std::chrono;
    const int64_t day = base::DayOf(time);
    const base::DurationMs in_day = time - day * base::kDayMs;
    const ch::sys_days days{ch::days{static_cast<int>(day)}};
    const ch::year_month_day date{days};
    const ch::year_month moved = ch::year_month{date.year(), date.month()} + ch::months{months};
    ch::year_month_day target = moved / date.day();
    if (!target.ok()) target = moved / ch::last;
    return ch::sys_days{target}.time_since_epoch().count() * base::kDayMs + in_day;
}

}  // namespace condition
