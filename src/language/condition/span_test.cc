#include "language/condition/span.h"

#include <gtest/gtest.h>

namespace condition {
namespace {

TEST(Span, UnitsAreReadShortAndLong) {
    const std::pair<const char*, base::DurationMs> lengths[] = {
        {"30s", 30'000},          {"15m", 900'000},           {"12h", 43'200'000},
        {"7d", 604'800'000},      {"2w", 14 * base::kDayMs},  {"3mo", 90 * base::kDayMs},
        {"1y", 365 * base::kDayMs}, {"7DAYS", 604'800'000},   {"1Minute", 60'000},
        {"12mo", 360 * base::kDayMs}};
    for (const auto& [text, ms] : lengths) {
        const auto length = ReadLength(text);
        ASSERT_TRUE(length) << text;
        EXPECT_EQ(length->ms, ms) << text;
    }
    EXPECT_EQ(ReadLength("007days")->text, "7d");
    EXPECT_EQ(ReadLength("2weeks")->text, "2w");
    EXPECT_EQ(ReadLength("2y")->months, 24);
    EXPECT_EQ(ReadLength("2w")->months, 0);
}

TEST(Span, OnlyWholeLengthsFromOneSecondToAHundredYearsAreRead) {
    for (const char* text : {"", "7", "d", "0d", "-1d", "1.5h", "7x", "7 d", "7d ", "1e3s", "101y",
                             "1201mo", "36501d", "18446744073709551616d", "7dd"}) {
        EXPECT_FALSE(ReadLength(text)) << text;
    }
    for (const char* text : {"1s", "100y", "1200mo", "36500d", "3153600000s"}) {
        EXPECT_TRUE(ReadLength(text)) << text;
    }
    EXPECT_FALSE(ReadLength("3153600001s"));
}

TEST(Span, TextsOfSpansReadBackAsTheSameSpan) {
    EXPECT_EQ(SpanText(7 * base::kDayMs), "7d");
    EXPECT_EQ(SpanText(90 * base::kMinuteMs), "90m");
    EXPECT_EQ(SpanText(36 * base::kHourMs), "36h");
    EXPECT_EQ(SpanText(61'000), "61s");
    EXPECT_EQ(MonthsText(18), "18mo");
    EXPECT_EQ(MonthsText(24), "2y");
    for (base::DurationMs s = 1; s < 3'000'000; s += 997) {
        ASSERT_EQ(ReadLength(SpanText(s * 1000))->ms, s * 1000);
    }
}

TEST(Span, CalendarMonthsEndAtTheLastDay) {
    const auto add = [](const char* from, int months) {
        return base::FormatIso(AddMonths(*base::ParseIso(from), months));
    };
    EXPECT_EQ(add("2026-01-31T10:00Z", 1), "2026-02-28T10:00:00.000Z");
    EXPECT_EQ(add("2024-01-31T10:00Z", 1), "2024-02-29T10:00:00.000Z");
    EXPECT_EQ(add("2024-02-29", 12), "2025-02-28T00:00:00.000Z");
    EXPECT_EQ(add("2026-03-31", -1), "2026-02-28T00:00:00.000Z");
    EXPECT_EQ(add("2026-01-15", -13), "2024-12-15T00:00:00.000Z");
    EXPECT_EQ(add("1969-12-31T23:59:59.999Z", 2), "1970-02-28T23:59:59.999Z");
    EXPECT_EQ(add("9999-12-31", -12), "9998-12-31T00:00:00.000Z");
}

}  // namespace
}  // namespace condition
