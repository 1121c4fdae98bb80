#include "model/event.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/limits.h"
#include "model/json_scan.h"

namespace model {
namespace {

Event FullEvent() {
    Event e;
    e.name = "Product \"Viewed\"";
    e.message_id = "m-1";
    e.user_id = "u\n1";
    e.anonymous_id = "a1";
    e.email = "a@b.example";
    e.previous_id = "old";
    e.group_id = "g1";
    e.time_ms = 1767607201123;
    e.received_ms = 1767607261000;
    e.trust = Trust::kSigned;
    e.time_clamped = true;
    e.import = true;
    e.is_bot = true;
    e.source_key = "k1";
    e.person = PersonId{0x0123456789abcdefULL, 0xfedcba9876543210ULL};
    e.properties =
        R"({"price": 12.50 ,"ok":true,"no":false,"none":null,"name":"T\u00e9nt","list":[1,{"a":2}],"price":13})";
    e.traits = R"({"email":"a@b.example"})";
    e.traits_once = R"({"first":1})";
    e.page =
        R"({"path":"/p","url":"https://x.example/p?q=1","referrer":"r","title":"T","search":"?q=1","own":[]})";
    e.campaign = R"({"source":"news"})";
    e.library = R"({"name":"lib"})";
    e.more = R"({"app":{"v":1}})";
    e.extra = R"({"channel":"web"})";
    e.locale = "ja-JP";
    e.timezone = "Asia/Tokyo";
    e.user_agent = "Mozilla/5.0";
    e.place = {"JP", "Tokyo", "Shibuya"};
    e.device = {"mobile", "iOS", "Mobile Safari"};
    e.source = {"ad", "google", "cpc", "spring", "tent", "b", "gclid:x", "google.com"};
    return e;
}

std::string Json(const Event& event) {
    std::string out;
    AppendEventJson(out, event);
    return out;
}

TEST(CanonicalEvent, EverythingWrittenIsReadBack) {
    const std::string json = Json(FullEvent());
    EventReader reader;
    EventView v;
    ASSERT_TRUE(reader.ReadCopy(json, v)) << json;
    EXPECT_EQ(v.type, EventType::kTrack);
    EXPECT_EQ(v.name, "Product \"Viewed\"");
    EXPECT_EQ(v.message_id, "m-1");
    EXPECT_EQ(v.user_id, "u\n1");
    EXPECT_EQ(v.anonymous_id, "a1");
    EXPECT_EQ(v.email, "a@b.example");
    EXPECT_EQ(v.previous_id, "old");
    EXPECT_EQ(v.group_id, "g1");
    EXPECT_EQ(v.time_ms, 1767607201123);
    EXPECT_EQ(v.received_ms, 1767607261000);
    EXPECT_EQ(v.trust, Trust::kSigned);
    EXPECT_TRUE(v.time_clamped && v.import && v.is_bot);
    EXPECT_EQ(v.source_key, "k1");
    EXPECT_EQ(ToText(v.person), "0123456789abcdeffedcba9876543210");
    EXPECT_EQ(v.page.path, "/p");
    EXPECT_EQ(v.page.url, "https://x.example/p?q=1");
    EXPECT_EQ(v.page.referrer, "r");
    EXPECT_EQ(v.page.title, "T");
    EXPECT_EQ(v.page.search, "?q=1");
    EXPECT_EQ(v.campaign_json, R"({"source":"news"})");
    EXPECT_EQ(v.library_json, R"({"name":"lib"})");
    EXPECT_EQ(v.more_json, R"({"app":{"v":1}})");
    EXPECT_EQ(v.extra_json, R"({"channel":"web"})");
    EXPECT_EQ(v.locale, "ja-JP");
    EXPECT_EQ(v.timezone, "Asia/Tokyo");
    EXPECT_EQ(v.user_agent, "Mozilla/5.0");
    EXPECT_EQ(v.place.country, "JP");
    EXPECT_EQ(v.place.region, "Tokyo");
    EXPECT_EQ(v.place.city, "Shibuya");
    EXPECT_EQ(v.device.type, "mobile");
    EXPECT_EQ(v.device.os, "iOS");
    EXPECT_EQ(v.device.browser, "Mobile Safari");
    EXPECT_EQ(v.source.kind, "ad");
    EXPECT_EQ(v.source.source, "google");
    EXPECT_EQ(v.source.medium, "cpc");
    EXPECT_EQ(v.source.campaign, "spring");
    EXPECT_EQ(v.source.term, "tent");
    EXPECT_EQ(v.source.content, "b");
    EXPECT_EQ(v.source.click_id, "gclid:x");
    EXPECT_EQ(v.source.referrer_host, "google.com");
    EXPECT_EQ(v.traits_once.size(), 1u);
}

TEST(CanonicalEvent, PropertiesKeepTheirTypes) {
    const std::string json = Json(FullEvent());
    EventReader reader;
    EventView v;
    ASSERT_TRUE(reader.ReadCopy(json, v));
    ASSERT_EQ(v.properties.size(), 7u);
    EXPECT_EQ(v.properties[0].kind, Property::Kind::kNumber);
    EXPECT_EQ(v.properties[0].number, 12.5);
    EXPECT_EQ(v.properties[0].text, "12.50");
    EXPECT_EQ(v.FindProperty("ok")->kind, Property::Kind::kBool);
    EXPECT_TRUE(v.FindProperty("ok")->truth);
    EXPECT_FALSE(v.FindProperty("no")->truth);
    EXPECT_EQ(v.FindProperty("none")->kind, Property::Kind::kNull);
    EXPECT_EQ(v.FindProperty("name")->text, "T\xc3\xa9nt");
    EXPECT_EQ(v.FindProperty("list")->text, R"([1,{"a":2}])");
    EXPECT_EQ(v.FindTrait("email")->text, "a@b.example");
    EXPECT_EQ(v.FindProperty("absent"), nullptr);
}

TEST(CanonicalEvent, OfEqualKeysTheLaterCounts) {
    EventReader reader;
    EventView v;
    ASSERT_TRUE(reader.ReadCopy(Json(FullEvent()), v));
    EXPECT_EQ(v.FindProperty("price")->number, 13);
}

TEST(CanonicalEvent, AbsentPartsAreNotWritten) {
    Event e;
    e.name = "x";
    e.time_ms = 1;
    EXPECT_EQ(Json(e),
              R"({"v":1,"type":"track","name":"x","time_ms":1,"received_ms":0,"trust":"public"})");
}

TEST(CanonicalEvent, TextsThatAreAllEscapesFit) {
    const std::string controls(5000, '\x01');
    Event e;
    e.name = controls;
    e.user_id = controls;
    e.user_agent = controls;
    e.source.referrer_host = controls;
    EventReader reader;
    EventView v;
    ASSERT_TRUE(reader.ReadCopy(Json(e), v));
    EXPECT_EQ(v.name, controls);
    EXPECT_EQ(v.user_id, controls);
    EXPECT_EQ(v.source.referrer_host, controls);
    e.name = "abcdefghijklmnopqrstuvwxyz\xff";
    ASSERT_TRUE(reader.ReadCopy(Json(e), v));
    EXPECT_EQ(v.name, "abcdefghijklmnopqrstuvwxyz\xef\xbf\xbd");
}

TEST(CanonicalEvent, AReaderForgetsTheEventBefore) {
    EventReader reader;
    EventView v;
    ASSERT_TRUE(reader.ReadCopy(Json(FullEvent()), v));
    Event small;
    small.name = "x";
    ASSERT_TRUE(reader.ReadCopy(Json(small), v));
    EXPECT_TRUE(v.user_id.empty());
    EXPECT_TRUE(v.properties.empty());
    EXPECT_TRUE(v.page.url.empty());
    EXPECT_FALSE(v.is_bot);
}

TEST(CanonicalEvent, UnknownKeysArePassedOver) {
    EventReader reader;
    EventView v;
    EXPECT_TRUE(reader.ReadCopy(
        R"({"v":1,"type":"page","name":"Page","later":{"x":[1]},"key":{"not":"text"},"time_ms":5,"new":1})",
        v));
    EXPECT_EQ(v.type, EventType::kPage);
    EXPECT_EQ(v.time_ms, 5);
}

TEST(CanonicalEvent, WhatIsNotOneIsRefused) {
    EventReader reader;
    EventView v;
    for (const char* json :
         {"", "{}", "[]", "null", R"({"v":2,"type":"track","time_ms":1})",
          R"({"v":1,"type":"nothing","time_ms":1})", R"({"v":1,"type":"track"})",
          R"({"v":1,"type":"track","time_ms":1)", R"({"v":1,"type":"track","time_ms":1}})",
          R"({"v":1,"type":"track","time_ms":1,"person":"12"})",
          R"({"v":1,"type":"track","time_ms":1,"properties":{"a":tru}})"}) {
        EXPECT_FALSE(reader.ReadCopy(json, v)) << json;
    }
}

TEST(EventFingerprint, DependsOnEveryPart) {
    base::SipKey a{}, b{};
    b[0] = 1;
    const auto f = EventFingerprint(a, "k1", "m1");
    EXPECT_NE(f, 0u);
    EXPECT_EQ(f, EventFingerprint(a, "k1", "m1"));
    EXPECT_NE(f, EventFingerprint(b, "k1", "m1"));
    EXPECT_NE(f, EventFingerprint(a, "k2", "m1"));
    EXPECT_NE(f, EventFingerprint(a, "k1", "m2"));
    EXPECT_NE(EventFingerprint(a, "k1", "2m"), EventFingerprint(a, "k12", "m"));
    const std::string longest(limits::kIdBytesMax, 'm');
    EXPECT_NE(EventFingerprint(a, "k1", longest), EventFingerprint(a, "k1", longest + "x"));
}

TEST(LooksLikeEmail, AddressesPassAndOtherTextDoesNot) {
    for (const char* good : {"a@b.jp", "first.last+tag@mail.example.com", "x@xn--bcher-kva.example",
                             "\xe6\x97\xa5\xe6\x9c\xac@example.jp"}) {
        EXPECT_TRUE(LooksLikeEmail(good)) << good;
    }
    for (const char* bad : {"", "a", "@b.jp", "a@", "a@b", "a@b.", "a@.b", "a@@b.jp", "a b@c.jp",
                            "a@b..jp", "<a@b.jp>", "a@b.jp,c@d.jp", "a\n@b.jp"}) {
        EXPECT_FALSE(LooksLikeEmail(bad)) << bad;
    }
    EXPECT_TRUE(LooksLikeEmail("a@" + std::string(249, 'b') + ".jp"));
    EXPECT_FALSE(LooksLikeEmail("a@" + std::string(250, 'b') + ".jp"));
    EXPECT_TRUE(LooksLikeEmail(std::string(64, 'a') + "@b.jp"));
    EXPECT_FALSE(LooksLikeEmail(std::string(65, 'a') + "@b.jp"));
}

// Text with room behind it, as the scan wants it.
struct Padded {
    explicit Padded(std::string_view text) {
        bytes.reserve(text.size() + kJsonPadding);
        bytes.assign(text);
    }
    std::string bytes;
};

bool Holds(std::string_view text, int depth = 32) {
    const Padded padded(text);
    JsonScan scan;
    return scan.Open(padded.bytes, depth) && !scan.Take().none() && scan.AtEnd();
}

TEST(JsonScan, NestsAsDeepAsItIsAllowed) {
    for (const auto& [open, close] : {std::pair{"[", "]"}, {R"({"a":)", "}"}}) {
        const auto nested = [&](int levels) {
            std::string text;
            for (int i = 0; i < levels; ++i) text += open;
            text += "1";
            for (int i = 0; i < levels; ++i) text += close;
            return text;
        };
        EXPECT_TRUE(Holds(nested(32)));
        EXPECT_FALSE(Holds(nested(33)));
    }
}

TEST(JsonScan, NumbersFollowTheGrammar) {
    for (const char* good : {"0", "-0", "1", "10", "1.5", "-1.5e10", "1E+2", "0.0e-1",
                             "123456789012345678901234567890"}) {
        EXPECT_TRUE(IsJsonNumber(good)) << good;
    }
    for (const char* bad :
         {"", "-", "01", "1.", ".5", "1e", "1e+", "+1", "0x1", "1 ", "NaN", "Infinity", "1.5.2"}) {
        EXPECT_FALSE(IsJsonNumber(bad)) << bad;
    }
    EXPECT_EQ(JsonNumber("-12.25"), -12.25);
    EXPECT_TRUE(std::isinf(JsonNumber("1e400")));
    EXPECT_EQ(JsonNumber("1e-400"), 0);
}

TEST(JsonScan, TextsAreUnescaped) {
    const Padded padded(R"({"a\u0062":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00 end"})");
    JsonScan scan;
    ASSERT_TRUE(scan.Open(padded.bytes, 32));
    std::string seen;
    ASSERT_TRUE(scan.EachField([&](std::string_view key) {
        EXPECT_EQ(key, "ab");
        const JsonSlice value = scan.Take();
        EXPECT_TRUE(value.escaped);
        seen = scan.Text(value);
        return true;
    }));
    EXPECT_EQ(seen, "\"\\/\b\f\n\r\t\xc3\xa9\xf0\x9f\x98\x80 end");
}

TEST(JsonScan, HalfASurrogatePairIsItsOwnFault) {
    for (const char* bad :
         {R"("\ud800")", R"("\udc00")", R"("\ud800x")", R"("\ud800\ud800")", R"("\ud800\n")"}) {
        const Padded padded(bad);
        JsonScan scan;
        ASSERT_TRUE(scan.Open(padded.bytes, 32));
        EXPECT_TRUE(scan.Take().none());
        EXPECT_EQ(scan.fault(), JsonScan::Fault::kSurrogate) << bad;
    }
}

TEST(JsonScan, ARefusedValueCanBeSkipped) {
    const Padded padded(R"([{"a":[1,{"b":2}]},7])");
    JsonScan scan;
    ASSERT_TRUE(scan.Open(padded.bytes, 2));
    std::vector<std::string> seen;
    ASSERT_TRUE(scan.EachElement([&] {
        const auto mark = scan.Here();
        const JsonSlice value = scan.Take();
        if (!value.none()) {
            seen.emplace_back(value.raw);
            return true;
        }
        EXPECT_EQ(scan.fault(), JsonScan::Fault::kTooDeep);
        seen.emplace_back("deep");
        return scan.SkipFrom(mark);
    }));
    EXPECT_EQ(seen, (std::vector<std::string>{"deep", "7"}));
}

TEST(JsonScan, SlicesStandWithoutWhiteSpaceAround) {
    const Padded padded(" { \"a\" : \"x \" , \"b\" : 12 \n, \"c\" : [ 1 , 2 ] } ");
    JsonScan scan;
    ASSERT_TRUE(scan.Open(padded.bytes, 32));
    std::vector<std::string> seen;
    ASSERT_TRUE(scan.EachField([&](std::string_view) {
        seen.emplace_back(scan.Take().raw);
        return true;
    }));
    EXPECT_EQ(seen, (std::vector<std::string>{"\"x \"", "12", "[ 1 , 2 ]"}));
    EXPECT_TRUE(scan.AtEnd());
}

}  // namespace
}  // namespace model
