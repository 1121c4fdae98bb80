#include "language/liquid/date.h"

#include <gtest/gtest.h>

namespace liquid {
namespace {

constexpr base::TimeMs kNow = 1772530200000;  // 2026-03-03T09:30:00Z, a Tuesday

std::string Read(std::string_view text, std::string_view zone = "") {
    const auto time = ParseDate(Value::Text(text), zone, kNow);
    return time ? base::FormatIso(*time) : "none";
}

std::string Show(base::TimeMs time, std::string_view format, std::string_view zone = "") {
    return FormatDate(time, format, zone).value_or("error");
}

TEST(ReadingDates, KnowsWhatPeopleWrite) {
    for (const std::string_view text :
         {"2016-03-14", "2016/3/14", "14/3/2016", "14-03-2016", "20160314", "March 14, 2016",
          "Mar 14 2016", "14 March 2016", "14th of March 2016", "Mon, 14 Mar 2016 00:00:00 GMT",
          "2016-03-14T00:00Z", "2016-03-14 09:00:00 +0900", "2016-03-13T19:00:00-05:00",
          "14-Mar-2016", "14 Mar 16", "1457913600"}) {
        EXPECT_EQ(Read(text), "2016-03-14T00:00:00.000Z") << text;
    }
    EXPECT_EQ(Read("2016-03-14T10:30:15.250Z"), "2016-03-14T10:30:15.250Z");
    EXPECT_EQ(Read("March 14, 2016 10:30 pm"), "2016-03-14T22:30:00.000Z");
    EXPECT_EQ(Read("14 Mar 2016 12:05 AM"), "2016-03-14T00:05:00.000Z");
    EXPECT_EQ(Read("March 2016"), "2016-03-01T00:00:00.000Z");
    EXPECT_EQ(Read("14"), "1970-01-01T00:00:14.000Z");
    EXPECT_EQ(Read("now"), "2026-03-03T09:30:00.000Z");
    EXPECT_EQ(Read("Today"), "2026-03-03T09:30:00.000Z");
}

TEST(ReadingDates, RefusesEverythingElse) {
    for (const std::string_view text :
         {"", "soon", "2016-13-01", "2016-02-30", "31/02/2016", "2016-03-14T25:00", "10:30",
          "March", "-1152098955", "99999999999999999999", "2016-03-14 <b>", "14/3", "1/257/2016",
          "257/1/2016", "March 14, 2016 13:30 pm"}) {
        EXPECT_EQ(Read(text), "none") << text;
    }
    EXPECT_EQ(Read(std::string(200, ' ') + "2016-03-14" + std::string(200, '1')), "none");
}

TEST(ReadingDates, NumbersAreSecondsWithinTheYears) {
    const auto read = [](const Value& value) { return ParseDate(value, "", kNow).has_value(); };
    EXPECT_TRUE(read(Value::Int(253402300799)));
    EXPECT_FALSE(read(Value::Int(253402300800)));
    EXPECT_TRUE(read(Value::Int(-62167219200)));
    EXPECT_FALSE(read(Value::Int(-62167219201)));
    EXPECT_FALSE(read(Value::Int(INT64_MIN)));
    EXPECT_FALSE(read(Value::Double(1e300)));
    EXPECT_FALSE(read(Value::Bool(true)));
}

TEST(Zones, ATimeWithoutAnOffsetIsLocal) {
    EXPECT_EQ(Read("2026-03-03 09:30", "Asia/Tokyo"), "2026-03-03T00:30:00.000Z");
    EXPECT_EQ(Read("2026-03-03T09:30Z", "Asia/Tokyo"), "2026-03-03T09:30:00.000Z");
}

TEST(Zones, ABirthdayStaysOnItsDay) {
    for (const std::string_view zone : {"", "Asia/Tokyo", "America/Los_Angeles"}) {
        const auto time = ParseDate(Value::Text("1990-05-01"), zone, kNow);
        ASSERT_TRUE(time);
        EXPECT_EQ(Show(*time, "%Y-%m-%d", zone), "1990-05-01") << zone;
    }
}

TEST(Zones, SummerTimeIsKnown) {
    const base::TimeMs summer = *base::ParseIso("2026-07-01T12:00Z");
    const base::TimeMs winter = *base::ParseIso("2026-01-01T12:00Z");
    EXPECT_EQ(Show(summer, "%H:%M %z %Z", "Europe/Berlin"), "14:00 +0200 CEST");
    EXPECT_EQ(Show(winter, "%H:%M %:z %Z", "Europe/Berlin"), "13:00 +01:00 CET");
    EXPECT_EQ(Show(winter, "%H:%M %::z %Z"), "12:00 +00:00:00 UTC");
    // 02:30 does not exist on the day the clocks go forward.
    EXPECT_EQ(Read("2026-03-29 02:30", "Europe/Berlin"), "2026-03-29T01:00:00.000Z");
}

TEST(Zones, UnknownOnesAreAnError) {
    EXPECT_FALSE(FormatDate(kNow, "%Y", "Mars/Olympus"));
    EXPECT_FALSE(KnownZone("Mars/Olympus"));
    EXPECT_FALSE(KnownZone("../../etc/passwd"));
    EXPECT_TRUE(KnownZone("Asia/Tokyo"));
    EXPECT_TRUE(KnownZone(""));
}

TEST(Strftime, Directives) {
    const base::TimeMs time = *base::ParseIso("2026-03-03T09:05:07.089Z");
    EXPECT_EQ(Show(time, "%Y %C %y %m %B %b %h %d %e %j"), "2026 20 26 03 March Mar Mar 03  3 062");
    EXPECT_EQ(Show(time, "%H %k %I %l %M %S %L %N %3N %6N"), "09  9 09  9 05 07 089 089000000 089 "
                                                            "089000");
    EXPECT_EQ(Show(time, "%p %P %A %a %u %w %G %g %V %U %W"), "AM am Tuesday Tue 2 2 2026 26 10 "
                                                             "09 09");
    EXPECT_EQ(Show(time, "%D %F %T %R %r %x %X %v"),
              "03/03/26 2026-03-03 09:05:07 09:05 09:05:07 AM 03/03/26 09:05:07  3-MAR-2026");
    EXPECT_EQ(Show(time, "%c|%+|%s|%Q|%n|%t|%%"), "Tue Mar  3 09:05:07 2026|Tue Mar  3 09:05:07 "
                                                  "UTC 2026|1772528707|1772528707089|\n|\t|%");
}

TEST(Strftime, FlagsAndWidths) {
    const base::TimeMs time = *base::ParseIso("2026-03-03T14:05:07Z");
    EXPECT_EQ(Show(time, "%-d %-m %_m %05d %^B %^a %#p %10A|%-I"),
              "3 3  3 00003 MARCH TUE pm    Tuesday|2");
    EXPECT_EQ(Show(time, "%Y年%-m月%-d日"), "2026年3月3日");
    EXPECT_EQ(Show(time, "%999999999d").size(), 64U);
}

TEST(Strftime, WhatItDoesNotKnowStays) {
    EXPECT_EQ(Show(kNow, "%! %-! %E 100%"), "%! %-! %E 100%");
    EXPECT_EQ(Show(kNow, "%"), "%");
    EXPECT_EQ(Show(kNow, "%-"), "%-");
}

TEST(Strftime, WeeksAtTheEdgeOfTheYear) {
    EXPECT_EQ(Show(*base::ParseIso("2027-01-01"), "%G-W%V-%u"), "2026-W53-5");
    EXPECT_EQ(Show(*base::ParseIso("2024-12-30"), "%G-W%V-%u"), "2025-W01-1");
    EXPECT_EQ(Show(*base::ParseIso("2023-01-01"), "%U %W %j"), "01 00 001");
}

TEST(Strftime, OldTimesAreWhole) {
    EXPECT_EQ(Show(-1, "%F %T.%L %s"), "1969-12-31 23:59:59.999 -1");
    EXPECT_EQ(Show(INT64_MIN, "%Y"), "0000");
    EXPECT_EQ(Show(INT64_MAX, "%F"), "9999-12-31");
}

}  // namespace
}  // namespace liquid
