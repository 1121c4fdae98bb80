#include "base/json.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>

#include "base/utf8.h"

namespace base {
namespace {

std::string Quoted(std::string_view text) {
    std::string out;
    AppendJsonString(out, text);
    return out;
}
std::string Number(double value) {
    std::string out;
    AppendJsonNumber(out, value);
    return out;
}

TEST(JsonString, EscapesWhatJsonForbids) {
    EXPECT_EQ(Quoted("a\"b\\c"), R"("a\"b\\c")");
    EXPECT_EQ(Quoted(std::string_view("\n\t\r\x01\0", 5)), R"("\n\t\r\u0001\u0000")");
    EXPECT_EQ(Quoted("日本 €😀"), "\"日本 €😀\"");
}

TEST(JsonString, WhatIsNoUtf8BecomesTheReplacementCharacter) {
    for (const char* bad : {"\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
        const std::string quoted = Quoted(std::string("a") + bad + "b");
        EXPECT_TRUE(IsUtf8(quoted));
        EXPECT_NE(quoted.find("\xef\xbf\xbd"), std::string::npos) << quoted;
        EXPECT_EQ(quoted.substr(0, 2), "\"a");
        EXPECT_EQ(quoted.substr(quoted.size() - 2), "b\"");
    }
}

TEST(JsonNumber, ReadsBackAsTheSameDouble) {
    for (const double value : {0.0, 0.1, -2.5, 1e21, 5e-324, 1.7976931348623157e308, 1.0 / 3}) {
        EXPECT_EQ(std::strtod(Number(value).c_str(), nullptr), value);
    }
    EXPECT_EQ(Number(3), "3");
    EXPECT_EQ(Number(std::numeric_limits<double>::quiet_NaN()), "null");
    EXPECT_EQ(Number(std::numeric_limits<double>::infinity()), "null");
}

TEST(JsonWriter, PlacesCommasItself) {
    std::string out;
    JsonWriter w(out);
    w.Begin('{').Key("a").Begin('[').Int(1).String("x").End(']');
    w.Key("b").Begin('{').End('}').Key("c").Null().Key("d").Bool(true).End('}');
    EXPECT_EQ(out, R"({"a":[1,"x"],"b":{},"c":null,"d":true})");
}

TEST(Utf8, OnlyWhatRfc3629Allows) {
    for (const char* good :
         {"", "a", "\xc2\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"}) {
        EXPECT_TRUE(IsUtf8(good));
    }
    for (const char* bad : {"\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                            "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc2", "a\x80"}) {
        EXPECT_FALSE(IsUtf8(bad));
    }
}

}  // namespace
}  // namespace base
