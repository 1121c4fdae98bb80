#include "base/time.h"

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(ParseIso, TakesTheFormsClientsSend) {
    const TimeMs ten = 1'767'607'200'000;  // 2026-01-05T10:00:00Z
    EXPECT_EQ(ParseIso("2026-01-05T10:00:00Z"), ten);
    EXPECT_EQ(ParseIso("2026-01-05T10:00Z"), ten);
    EXPECT_EQ(ParseIso("2026-01-05 10:00:00"), ten);
    EXPECT_EQ(ParseIso("2026-01-05T19:00:00+09:00"), ten);
    EXPECT_EQ(ParseIso("2026-01-05T10:00:00.1234567Z"), ten + 123);
    EXPECT_EQ(ParseIso("2026-01-05"), ten - 10 * kHourMs);
    EXPECT_EQ(ParseIso("2024-02-29T00:00:00Z"), 1'709'164'800'000);
}

TEST(ParseIso, RefusesWhatIsNoTime) {
    for (const char* text : {"", "now", "2026-13-01", "2026-02-30", "2025-02-29T00:00:00Z",
                             "2026-01-05T24:01:00Z", "2026-01-05T10:60:00Z", "2026-01-05T10:00:00X",
                             "2026-01-05T10:00:00+99:00", "20260105"}) {
        EXPECT_FALSE(ParseIso(text)) << text;
    }
}

TEST(FormatIso, ReadsBack) {
    for (const TimeMs time :
         {TimeMs{0}, TimeMs{-1}, TimeMs{1'767'607'200'123}, TimeMs{253'402'300'799'999}}) {
        EXPECT_EQ(ParseIso(FormatIso(time)), time) << FormatIso(time);
    }
    EXPECT_EQ(FormatIso(kNeverMs).size(), 24U);
}

TEST(DayOf, RoundsDownAlsoBefore1970) {
    EXPECT_EQ(DayOf(0), 0);
    EXPECT_EQ(DayOf(kDayMs - 1), 0);
    EXPECT_EQ(DayOf(-1), -1);
    EXPECT_EQ(MonthOf(1'767'607'200'000), 202601);
    EXPECT_EQ(MonthOf(-1), 196912);
}

}  // namespace
}  // namespace base
