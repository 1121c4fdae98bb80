#include "flow/ingest/decode.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/limits.h"
#include "flow/ingest/answer.h"
#include "flow/ingest/signature.h"

namespace ingest {
namespace {

using model::EventType;
using model::Trust;

constexpr base::TimeMs kNow = 1767607261000;  // 2026-01-05T10:01:01Z

struct Request {
    std::string path = "/v1/batch";
    std::string body;
    RequestFacts facts;

    Request() {
        facts.received_ms = kNow;
        facts.key_id = "k1";
        facts.random = {7, 9};
    }
};

class Decoding : public ::testing::Test {
  protected:
    base::Result<const Decoded*> Run(Request request) {
        kept_ = std::move(request);
        const auto route = FindRoute(kept_.path);
        EXPECT_TRUE(route.has_value()) << kept_.path;
        return decoder_.Decode(*route, kept_.body, kept_.facts);
    }
    const Decoded& Taken(Request request) {
        auto result = Run(std::move(request));
        if (!result) {
            ADD_FAILURE() << result.error().internal;
            static const Decoded none;
            return none;
        }
        return **result;
    }
    const Decoded& Taken(std::string_view path, std::string body) {
        Request request;
        request.path = path;
        request.body = std::move(body);
        return Taken(std::move(request));
    }
    const model::Event& One(std::string_view path, std::string body) {
        return Only(Taken(path, std::move(body)));
    }
    const model::Event& One(Request request) { return Only(Taken(std::move(request))); }
    std::string RefusedWhy(std::string_view path, std::string body) {
        const Decoded& decoded = Taken(path, std::move(body));
        if (decoded.refused.size() != 1 || !decoded.events.empty()) {
            ADD_FAILURE() << "refused " << decoded.refused.size() << ", taken "
                          << decoded.events.size();
            return {};
        }
        return decoded.refused[0].reason;
    }

    Decoder decoder_{nullptr, nullptr};
    Request kept_;

  private:
    const model::Event& Only(const Decoded& decoded) {
        if (decoded.events.size() != 1) {
            ADD_FAILURE() << "taken " << decoded.events.size() << ", refused "
                          << (decoded.refused.empty() ? "" : decoded.refused[0].reason);
            static const model::Event none;
            return none;
        }
        return decoded.events[0];
    }
};

std::string Event(std::string_view more) {
    return R"({"type":"track","event":"x","userId":"u1")" + std::string(more) + "}";
}
std::string Batch(std::string_view events, std::string_view more = "") {
    return R"({"batch":[)" + std::string(events) + "]" + std::string(more) + "}";
}

TEST_F(Decoding, ASegmentBatchGivesItsEvents) {
    const Decoded& d = Taken(
        "/v1/batch",
        Batch(
            R"({"type":"track","event":"Bought","messageId":"m1","timestamp":"2026-01-05T10:00:00.000Z",)"
            R"("userId":"u1","anonymousId":"a1","properties":{"price":1.50},"integrations":{},"context":{)"
            R"("library":{"name":"l","version":"1"},"locale":"en-GB","timezone":"Europe/Paris","ip":"1.2.3.4",)"
            R"("app":{"name":"x"}},"channel":"web"},)"
            R"({"type":"identify","userId":"u1","messageId":"m2","traits":{"email":" A@B.Example "}},)"
            R"({"type":"page","anonymousId":"a1","messageId":"m3","name":"Home","category":"Top","properties":{"a":1}},)"
            R"({"type":"screen","anonymousId":"a1","messageId":"m4","name":"Main"},)"
            R"({"type":"group","userId":"u1","groupId":"g1","messageId":"m5","traits":{"plan":"pro"}},)"
            R"({"type":"alias","userId":"u1","previousId":"a1","messageId":"m6"})",
            R"(,"writeKey":"k","sentAt":"2026-01-05T10:01:01.000Z")"));
    ASSERT_EQ(d.events.size(), 6u);
    EXPECT_TRUE(d.refused.empty());
    const model::Event& track = d.events[0];
    EXPECT_EQ(track.name, "Bought");
    EXPECT_EQ(track.message_id, "m1");
    EXPECT_EQ(track.user_id, "u1");
    EXPECT_EQ(track.anonymous_id, "a1");
    EXPECT_EQ(track.properties, R"({"price":1.50})");
    EXPECT_EQ(track.locale, "en-GB");
    EXPECT_EQ(track.timezone, "Europe/Paris");
    EXPECT_EQ(track.more, R"({"app":{"name":"x"}})");
    EXPECT_EQ(track.extra, R"({"channel":"web"})");
    EXPECT_EQ(track.source_key, "k1");
    EXPECT_EQ(d.events[1].name, "Identify");
    EXPECT_EQ(d.events[1].email, "a@b.example");
    EXPECT_EQ(d.events[2].name, "Page");
    EXPECT_EQ(d.events[2].properties, R"({"name":"Home","category":"Top","a":1})");
    EXPECT_EQ(d.events[3].name, "Screen");
    EXPECT_EQ(d.events[3].properties, R"({"name":"Main"})");
    EXPECT_EQ(d.events[4].name, "Group");
    EXPECT_EQ(d.events[4].group_id, "g1");
    EXPECT_EQ(d.events[5].name, "Alias");
    EXPECT_EQ(d.events[5].previous_id, "a1");
}

TEST_F(Decoding, TheAddressNamesTheCallOfASingleEvent) {
    const std::pair<const char*, EventType> cases[] = {
        {"/v1/t", EventType::kTrack},        {"/v1/track", EventType::kTrack},
        {"/v1/p", EventType::kPage},         {"/v1/page", EventType::kPage},
        {"/v1/s", EventType::kScreen},       {"/v1/screen", EventType::kScreen},
        {"/v1/i", EventType::kIdentify},     {"/v1/identify", EventType::kIdentify},
        {"/v1/g", EventType::kGroup},        {"/v1/group", EventType::kGroup},
        {"/v1/a", EventType::kAlias},        {"/v1/alias", EventType::kAlias},
        {"/api/s/track", EventType::kTrack}, {"/api/s/s2s/page", EventType::kPage},
    };
    for (const auto& [path, type] : cases) {
        const Decoded& d = Taken(
            path, R"({"event":"x","userId":"u1","groupId":"g","previousId":"a","type":"track"})");
        ASSERT_EQ(d.events.size(), 1u) << path;
        EXPECT_EQ(d.events[0].type, type) << path;
        EXPECT_TRUE(d.single);
    }
}

TEST_F(Decoding, EventContextOverridesBatchContext) {
    const Decoded& d =
        Taken("/v1/batch", Batch(Event(R"(,"context":{"locale":"ja-JP"})") + "," + Event(""),
                                 R"(,"context":{"locale":"en-GB","timezone":"Asia/Tokyo"})"));
    ASSERT_EQ(d.events.size(), 2u);
    EXPECT_EQ(d.events[0].locale, "ja-JP");
    EXPECT_EQ(d.events[0].timezone, "Asia/Tokyo");
    EXPECT_EQ(d.events[1].locale, "en-GB");
}

TEST_F(Decoding, IdsMayBeNumbersAndUserIdNull) {
    EXPECT_EQ(One("/v1/t", R"({"event":"x","userId":42})").user_id, "42");
    const model::Event& e = One("/v1/t", R"({"event":"x","userId":null,"anonymousId":"a"})");
    EXPECT_TRUE(e.user_id.empty());
    EXPECT_EQ(e.anonymous_id, "a");
    EXPECT_EQ(One("/v1/t", R"({"event":"x","userId":"","anonymousId":"a"})").anonymous_id, "a");
}

TEST_F(Decoding, NoIdAtAllIsRefusedWith400) {
    const Decoded& d = Taken("/v1/t", R"({"event":"x","userId":null})");
    ASSERT_EQ(d.refused.size(), 1u);
    EXPECT_EQ(AnswerFor(*FindRoute("/v1/t"), d).status, 400);
}

TEST_F(Decoding, AnEmptyMessageIdIsMadeFromTheRequestsRandom) {
    const Decoded& d = Taken(
        "/v1/batch", Batch(Event(R"(,"messageId":"")") + "," + Event("") + "," +
                           Event(R"(,"messageId":null)") + "," + Event(R"(,"messageId":17)")));
    ASSERT_EQ(d.events.size(), 4u);
    EXPECT_TRUE(d.events[0].message_id.starts_with("made-"));
    EXPECT_NE(d.events[0].message_id, d.events[1].message_id);
    EXPECT_NE(d.events[1].message_id, d.events[2].message_id);
    EXPECT_EQ(d.events[3].message_id, "17");
    const std::string first(d.events[0].message_id);
    EXPECT_EQ(Taken("/v1/batch", Batch(Event(""))).events[0].message_id, first);
    Request other;
    other.body = Batch(Event(""));
    other.facts.random = {8, 9};
    EXPECT_NE(One(other).message_id, first);
}

TEST_F(Decoding, ClockSkewIsCorrectedBySentAt) {
    // The client's clock is an hour fast: 20 s before sending.
    const auto& e = One("/v1/batch", Batch(Event(R"(,"timestamp":"2026-01-05T11:00:41.000Z")"),
                                           R"(,"sentAt":"2026-01-05T11:01:01.000Z")"));
    EXPECT_EQ(e.time_ms, kNow - 20'000);
    EXPECT_FALSE(e.time_clamped);
}

TEST_F(Decoding, SentAtOfTheEventServesWhereTheBatchHasNone) {
    EXPECT_EQ(One("/v1/t", R"({"event":"x","userId":"u","timestamp":"2026-01-05T11:00:41Z",)"
                           R"("sentAt":"2026-01-05T11:01:01Z"})")
                  .time_ms,
              kNow - 20'000);
}

TEST_F(Decoding, OriginalTimestampIsRudderStacks) {
    EXPECT_EQ(One("/v1/track",
                  R"({"event":"x","userId":"u","originalTimestamp":"2026-01-05T10:00:00.000Z"})")
                  .time_ms,
              kNow - 61'000);
}

TEST_F(Decoding, WithoutATimestampTheReceivedTimeCounts) {
    const auto& e = One("/api/public/apps/batch", Batch(Event("")));
    EXPECT_EQ(e.time_ms, kNow);
    EXPECT_FALSE(e.time_clamped);
}

TEST_F(Decoding, AnUnreadableTimestampIsClamped) {
    for (const char* bad : {"\"yesterday\"", "true", "{}", "1e300"}) {
        const auto& e = One("/v1/batch", Batch(Event(std::string(R"(,"timestamp":)") + bad)));
        EXPECT_EQ(e.time_ms, kNow) << bad;
        EXPECT_TRUE(e.time_clamped) << bad;
    }
}

TEST_F(Decoding, TimesMayBeNumbers) {
    EXPECT_EQ(One("/v1/batch", Batch(Event(R"(,"timestamp":1767607260)"))).time_ms, kNow - 1000);
    EXPECT_EQ(One("/v1/batch", Batch(Event(R"(,"timestamp":1767607260500)"))).time_ms, kNow - 500);
}

TEST_F(Decoding, EveryDayReadsAsTheCalendarSays) {
    Request request;
    request.path = "/v1/import";
    request.facts.key_trust = Trust::kSecret;
    for (base::TimeMs day = limits::kTrustedPastMin; day < kNow; day += 11 * base::kDayMs) {
        const base::TimeMs time = day + 86'399'123;
        request.body = Batch(Event(R"(,"timestamp":")" + base::FormatIso(time) + "\""));
        ASSERT_EQ(One(request).time_ms, time) << base::FormatIso(time);
    }
    request.body = Batch(Event(R"(,"timestamp":"2025-02-29T00:00:00.000Z")"));
    EXPECT_TRUE(One(request).time_clamped);
}

struct Bound {
    Trust trust;
    base::TimeMs inside, outside;
};

TEST_F(Decoding, OwnTimesAreClampedByTrust) {
    const Bound bounds[] = {
        {Trust::kPublicKey, kNow - limits::kPublicPastMax, kNow - limits::kPublicPastMax - 1},
        {Trust::kPublicKey, kNow + limits::kPublicFutureMax, kNow + limits::kPublicFutureMax + 1},
        {Trust::kSecret, limits::kTrustedPastMin, limits::kTrustedPastMin - 1},
        {Trust::kSecret, kNow + limits::kTrustedFutureMax, kNow + limits::kTrustedFutureMax + 1},
    };
    for (const Bound& bound : bounds) {
        Request request;
        request.facts.key_trust = bound.trust;
        request.body = Batch(Event(R"(,"timestamp":")" + base::FormatIso(bound.inside) + "\""));
        const auto& in = One(request);
        EXPECT_EQ(in.time_ms, bound.inside);
        EXPECT_FALSE(in.time_clamped);
        request.body = Batch(Event(R"(,"timestamp":")" + base::FormatIso(bound.outside) + "\""));
        const auto& out = One(request);
        EXPECT_EQ(out.time_ms, kNow);
        EXPECT_TRUE(out.time_clamped);
    }
}

TEST_F(Decoding, ImportTrustsEventTimesFromASecretKeyOnly) {
    Request request;
    request.path = "/v1/import";
    request.body = Batch(Event(R"(,"timestamp":"2019-03-01T00:00:00Z")"),
                         R"(,"sentAt":"2026-01-05T09:00:00Z")");
    request.facts.key_trust = Trust::kSecret;
    const auto& e = One(request);
    EXPECT_TRUE(e.import);
    EXPECT_EQ(base::FormatIso(e.time_ms), "2019-03-01T00:00:00.000Z");
    request.facts.key_trust = Trust::kPublicKey;
    const auto& untrusted = One(request);
    EXPECT_FALSE(untrusted.import);
    EXPECT_TRUE(untrusted.time_clamped);
}

TEST_F(Decoding, ASelfAliasIsDoneByDoingNothing) {
    const Decoded& d = Taken("/v1/a", R"({"userId":"u1","previousId":"u1"})");
    EXPECT_TRUE(d.events.empty());
    EXPECT_TRUE(d.refused.empty());
    EXPECT_EQ(d.self_aliases, 1u);
    EXPECT_EQ(AnswerFor(*FindRoute("/v1/a"), d).status, 200);
}

TEST_F(Decoding, ABadEventIsRefusedAloneWithItsReason) {
    const Decoded& d =
        Taken("/v1/batch", Batch(Event("") + R"(,{"type":"dance","userId":"u"},7,)" + Event("")));
    EXPECT_EQ(d.events.size(), 2u);
    ASSERT_EQ(d.refused.size(), 2u);
    EXPECT_EQ(d.refused[0].index, 1u);
    EXPECT_EQ(d.refused[0].raw, R"({"type":"dance","userId":"u"})");
    EXPECT_NE(d.refused[0].reason.find("type"), std::string::npos);
    EXPECT_EQ(d.refused[1].index, 2u);
    const Answer answer = AnswerFor(*FindRoute("/v1/batch"), d);
    EXPECT_EQ(answer.status, 200);
    EXPECT_NE(answer.body.find(R"("success":true)"), std::string::npos);
    EXPECT_NE(answer.body.find(R"("refused":[{"index":1)"), std::string::npos);
}

TEST_F(Decoding, ReasonsNameTheField) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"userId":"u","event":""})", "event: missing"},
        {R"({"userId":true,"event":"x"})", "userId: must be text or a number"},
        {R"({"userId":{},"event":"x"})", "userId: must be text or a number"},
        {R"({"userId":"u","event":"x","properties":[]})", "properties: must be an object"},
        {R"({"userId":"u","event":"x","properties":"x"})", "properties: must be an object"},
        {R"({"userId":"u","event":"a\u0000b"})", "event: holds a NUL character"},
        {R"({"userId":"a\u0000b","event":"x"})", "userId: holds a NUL character"},
        {R"({"userId":"u","event":"x","properties":{"a\u0000b":1}})",
         "properties: a name holds a NUL character"},
        {R"({"userId":"u","event":"x","userId":"v"})", "userId: given twice"},
        {R"({"userId":"u","event":"x","mine":1,"mine":2})", "a field is given twice"},
        {R"({"userId":"u","event":"x","properties":{"a":"\ud800"}})",
         "a text holds half a surrogate pair"},
    };
    for (const auto& [body, reason] : cases) EXPECT_EQ(RefusedWhy("/v1/t", body), reason) << body;
    EXPECT_EQ(RefusedWhy("/v1/g", R"({"userId":"u"})"), "groupId: missing");
    EXPECT_EQ(RefusedWhy("/v1/a", R"({"userId":"u"})"), "previousId: missing");
    EXPECT_EQ(RefusedWhy("/v1/batch", Batch(R"({"userId":"u","event":"x"})")), "type: missing");
}

TEST_F(Decoding, LimitsHoldOnBothSides) {
    const auto id = [](size_t n) {
        return R"({"event":"x","userId":")" + std::string(n, 'u') + "\"}";
    };
    EXPECT_EQ(One("/v1/t", id(limits::kIdBytesMax)).user_id.size(), limits::kIdBytesMax);
    EXPECT_EQ(RefusedWhy("/v1/t", id(limits::kIdBytesMax + 1)), "userId: longer than 512 bytes");

    const auto name = [](size_t n) {
        return R"({"userId":"u","event":")" + std::string(n, 'x') + "\"}";
    };
    EXPECT_EQ(One("/v1/t", name(limits::kNameBytesMax)).name.size(), limits::kNameBytesMax);
    EXPECT_EQ(RefusedWhy("/v1/t", name(limits::kNameBytesMax + 1)), "event: longer than 256 bytes");

    const auto keys = [](size_t n) {
        std::string text;
        for (size_t i = 0; i < n; ++i) {
            text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":1";
        }
        return Event(R"(,"properties":{)" + text + "}");
    };
    EXPECT_EQ(Taken("/v1/batch", Batch(keys(limits::kPropertiesMax))).events.size(), 1u);
    EXPECT_EQ(RefusedWhy("/v1/batch", Batch(keys(limits::kPropertiesMax + 1))),
              "properties: more than 1000 keys");

    const auto fields = [](size_t n) {  // Three are in Event.
        std::string text;
        for (size_t i = 3; i < n; ++i) text += ",\"f" + std::to_string(i) + "\":1";
        return Event(text);
    };
    EXPECT_EQ(Taken("/v1/batch", Batch(fields(limits::kEventFieldsMax))).events.size(), 1u);
    EXPECT_EQ(RefusedWhy("/v1/batch", Batch(fields(limits::kEventFieldsMax + 1))),
              "more than 100 fields");

    const auto sized = [](size_t n) {
        const std::string empty = Event(R"(,"properties":{"a":""})");
        return Event(R"(,"properties":{"a":")" + std::string(n - empty.size(), 'a') + "\"}");
    };
    EXPECT_EQ(Taken("/v1/batch", Batch(sized(limits::kEventBytesMax))).events.size(), 1u);
    const Decoded& large =
        Taken("/v1/batch", Batch(sized(limits::kEventBytesMax + 1) + "," + Event("")));
    EXPECT_EQ(large.events.size(), 1u);
    ASSERT_EQ(large.refused.size(), 1u);
    EXPECT_EQ(large.refused[0].reason, "larger than 32768 bytes");
    EXPECT_EQ(large.refused[0].raw.size(), limits::kRefusedRawBytesMax);
}

TEST_F(Decoding, AnEventNestsAtMost32Levels) {
    const auto nested = [](int levels) {  // The event and its properties are two.
        std::string text;
        for (int i = 2; i < levels; ++i) text += "[";
        for (int i = 2; i < levels; ++i) text += "]";
        return Event(R"(,"properties":{"a":)" + text + "}");
    };
    const Decoded& good = Taken("/v1/batch", Batch(nested(32)));
    ASSERT_EQ(good.events.size(), 1u);
    std::string json;
    model::AppendEventJson(json, good.events[0]);
    model::EventReader reader;
    model::EventView view;
    EXPECT_TRUE(reader.ReadCopy(json, view));
    const Decoded& deep = Taken("/v1/batch", Batch(nested(33) + "," + Event("")));
    EXPECT_EQ(deep.events.size(), 1u);
    ASSERT_EQ(deep.refused.size(), 1u);
    EXPECT_EQ(deep.refused[0].reason, "deeper than 32 levels");
}

TEST_F(Decoding, ABatchHoldsAtMost1000Events) {
    std::string events = Event("");
    for (size_t i = 1; i < limits::kBatchEventsMax; ++i) events += "," + Event("");
    EXPECT_EQ(Taken("/v1/batch", Batch(events)).events.size(), limits::kBatchEventsMax);
    Request request;
    request.body = Batch(events + "," + Event(""));
    const auto result = Run(request);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(base::HttpStatus(result.error().code), 413);
}

TEST_F(Decoding, ABodyHoldsAtMost4MB) {
    const auto sized = [](size_t n) {
        Request request;
        request.body = Batch(Event(""));
        request.body.resize(n, ' ');
        return request;
    };
    EXPECT_EQ(Taken(sized(limits::kBatchBytesMax)).events.size(), 1u);
    const auto result = Run(sized(limits::kBatchBytesMax + 1));
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(base::HttpStatus(result.error().code), 413);
}

TEST_F(Decoding, ABodyThatIsNoJsonFailsAsAWhole) {
    for (const std::string& bad :
         std::vector<std::string>{"", " ", "{", "nonsense", R"({"batch":[{]})", "{\"batch\":[]}x",
                                  R"({"batch":7})", R"({"no":"batch"})", "\"text\"",
                                  "{\"batch\":[],\"a\":\"\xff\"}", R"({"batch":[],"batch":[]})",
                                  R"({"batch":[{"type":"track","userId":"u","event":"x"},]})",
                                  R"({"batch":[{"userId":"u" "event":"x"}]})"}) {
        Request request;
        request.body = bad;
        const auto result = Run(request);
        ASSERT_FALSE(result.has_value()) << bad;
        EXPECT_EQ(base::HttpStatus(result.error().code), 400) << bad;
    }
}

TEST_F(Decoding, AnEmptyBatchIsTaken) {
    const Decoded& d = Taken("/v1/batch", R"({"batch":[]})");
    EXPECT_EQ(AnswerFor(*FindRoute("/v1/batch"), d).status, 200);
}

TEST_F(Decoding, RudderStackKeepsTraitsInTheContext) {
    const auto& e =
        One("/v1/identify", R"({"userId":"u","context":{"traits":{"email":"x@y.jp"}}})");
    EXPECT_EQ(e.traits, R"({"email":"x@y.jp"})");
    EXPECT_EQ(e.email, "x@y.jp");
}

TEST_F(Decoding, AnEmailIsAnIdOnlyWhenItLooksLikeOneAndTheCallIdentifies) {
    EXPECT_TRUE(One("/v1/i", R"({"userId":"u","traits":{"email":"nobody"}})").email.empty());
    EXPECT_EQ(One("/v1/i", R"({"userId":"u","properties":{"email":"p@y.jp"}})").email, "p@y.jp");
    EXPECT_TRUE(One("/v1/t", R"({"event":"x","userId":"u","properties":{"email":"p@y.jp"}})")
                    .email.empty());
}

TEST_F(Decoding, UserIdBeatsEmailBeatsAnonymousIdAsFounder) {
    using model::IdKind;
    const base::SipKey key{};
    EXPECT_EQ(
        One("/v1/i", R"({"userId":"u","anonymousId":"a","traits":{"email":"x@y.jp"}})").person,
        model::PersonOf(key, IdKind::kUser, "u"));
    EXPECT_EQ(One("/v1/i", R"({"anonymousId":"a","traits":{"email":"X@y.jp"}})").person,
              model::PersonOf(key, IdKind::kEmail, "x@y.jp"));
    EXPECT_EQ(One("/v1/i", R"({"anonymousId":"a"})").person,
              model::PersonOf(key, IdKind::kAnonymous, "a"));
}

TEST_F(Decoding, ASignatureOnEveryJoiningIdMakesAnEventSigned) {
    const std::string user = SignId("secret", model::IdKind::kUser, "u1");
    const std::string email = SignId("secret", model::IdKind::kEmail, " X@Y.jp");
    EXPECT_EQ(user, base::ToHex(base::HmacSha256("secret", "user:u1")));
    EXPECT_EQ(email, base::ToHex(base::HmacSha256("secret", "email:x@y.jp")));
    const auto trust = [&](std::string_view signature, std::string_view traits = "{}") {
        Request request;
        request.path = "/v1/i";
        request.facts.identity_secret = "secret";
        request.body = R"({"userId":"u1","traits":)" + std::string(traits) +
                       R"(,"context":{"ripen":{"signature":)" + std::string(signature) + "}}}";
        return One(request).trust;
    };
    EXPECT_EQ(trust("\"" + user + "\""), Trust::kSigned);
    EXPECT_EQ(trust(R"({"user":")" + user + "\"}"), Trust::kSigned);
    EXPECT_EQ(trust("\"" + email + "\""), Trust::kPublicKey);
    EXPECT_EQ(trust("\"\""), Trust::kPublicKey);
    EXPECT_EQ(trust("\"" + user + "\"", R"({"email":"x@y.jp"})"), Trust::kPublicKey);
    EXPECT_EQ(
        trust(R"({"user":")" + user + R"(","email":")" + email + "\"}", R"({"email":"x@y.jp"})"),
        Trust::kSigned);
    EXPECT_FALSE(
        SignatureHolds("", model::IdKind::kUser, "u1", SignId("", model::IdKind::kUser, "u1")));
}

TEST_F(Decoding, PrivacySignalsAreHonouredAsConfigured) {
    for (const bool gpc : {false, true}) {
        Request request;
        request.body = Batch(Event(""));
        request.facts.do_not_track = !gpc;
        request.facts.global_privacy_control = gpc;
        EXPECT_EQ(Taken(request).events.size(), 1u);
        request.facts.policy = TrackingPolicy::kHonourSignals;
        const Decoded& d = Taken(request);
        EXPECT_TRUE(d.events.empty());
        EXPECT_EQ(d.not_tracked, 1u);
        EXPECT_EQ(AnswerFor(*FindRoute("/v1/batch"), d).status, 200);
        request.facts.key_trust = Trust::kSecret;
        EXPECT_EQ(Taken(request).events.size(), 1u);
    }
}

TEST_F(Decoding, TheAddressOfTheVisitorIsNotKept) {
    const auto& e = One("/v1/batch", Batch(Event(R"(,"context":{"ip":"203.0.113.9","x":1})")));
    std::string json;
    model::AppendEventJson(json, e);
    EXPECT_EQ(json.find("203.0.113.9"), std::string::npos);
}

TEST_F(Decoding, TheHeadersAgentCountsForBrowsersOnly) {
    Request request;
    request.body = Batch(Event(""));
    request.facts.user_agent = "Mozilla/5.0 (iPhone)";
    EXPECT_EQ(One(request).user_agent, "Mozilla/5.0 (iPhone)");
    request.facts.key_trust = Trust::kSecret;
    EXPECT_TRUE(One(request).user_agent.empty());
}

TEST_F(Decoding, ThePixelCarriesItsEventInTheQuery) {
    const std::string json = R"({"anonymousId":"a","event":"Opened"})";
    for (const std::string& data :
         {base::Base64Encode(json), base::Base64UrlEncode(json),
          std::string("%7B%22anonymousId%22%3A%22a%22%2C%22event%22%3A%22Opened%22%7D")}) {
        Request request;
        request.path = "/pixel/v1/track";
        const std::string query = "writeKey=k&data=" + data;
        request.facts.query = query;
        EXPECT_EQ(One(request).name, "Opened");
    }
    Request none;
    none.path = "/pixel/v1/page";
    EXPECT_FALSE(Run(none).has_value());
}

TEST_F(Decoding, ADecoderForgetsTheRequestBefore) {
    Taken("/v1/batch",
          Batch(Event("") + ",7", R"(,"context":{"locale":"en"},"sentAt":"2026-01-05T11:01:01Z")"));
    const Decoded& d = Taken("/v1/batch", Batch(Event(R"(,"timestamp":"2026-01-05T10:00:00Z")")));
    ASSERT_EQ(d.events.size(), 1u);
    EXPECT_TRUE(d.refused.empty());
    EXPECT_TRUE(d.events[0].locale.empty());
    EXPECT_EQ(d.events[0].time_ms, kNow - 61'000);
}

TEST_F(Decoding, PostHogsServerClientIsUnderstood) {
    const Decoded& d = Taken(
        "/batch/",
        R"({"api_key":"phc","batch":[{"distinct_id":"u1","event":"Bought","type":"capture",)"
        R"("library":"posthog-node","properties":{"$lib":"posthog-node","$lib_version":"5","price":2},)"
        R"("timestamp":"2026-01-05T10:00:41.000Z","uuid":"m1"},)"
        R"({"distinct_id":"u1","event":"$identify","properties":{"$set":{"email":"x@y.jp"},"$set_once":{"first":1},)"
        R"("$anon_distinct_id":"a1"},"uuid":"m2"},)"
        R"({"distinct_id":"u1","event":"$create_alias","properties":{"distinct_id":"u1","alias":"old"},"uuid":"m3"},)"
        R"({"distinct_id":"u1","event":"$groupidentify","properties":{"$group_type":"company","$group_key":"acme",)"
        R"("$group_set":{"plan":"pro"}},"uuid":"m4"}],"sent_at":"2026-01-05T10:01:01.000Z"})");
    ASSERT_EQ(d.events.size(), 4u) << (d.refused.empty() ? "" : d.refused[0].reason);
    EXPECT_EQ(d.events[0].name, "Bought");
    EXPECT_EQ(d.events[0].user_id, "u1");
    EXPECT_EQ(d.events[0].message_id, "m1");
    EXPECT_EQ(d.events[0].time_ms, kNow - 20'000);
    EXPECT_EQ(d.events[0].library, R"({"name":"posthog-node","version":"5"})");
    EXPECT_EQ(d.events[1].type, EventType::kIdentify);
    EXPECT_EQ(d.events[1].anonymous_id, "a1");
    EXPECT_EQ(d.events[1].traits, R"({"email":"x@y.jp"})");
    EXPECT_EQ(d.events[1].traits_once, R"({"first":1})");
    EXPECT_EQ(d.events[1].email, "x@y.jp");
    EXPECT_EQ(d.events[2].type, EventType::kAlias);
    EXPECT_EQ(d.events[2].user_id, "u1");
    EXPECT_EQ(d.events[2].previous_id, "old");
    EXPECT_EQ(d.events[3].type, EventType::kGroup);
    EXPECT_EQ(d.events[3].group_id, "acme");
    EXPECT_EQ(d.events[3].traits, R"({"plan":"pro"})");
    EXPECT_EQ(AnswerFor(*FindRoute("/batch/"), d).body, R"({"status":1})");
}

TEST_F(Decoding, PostHogsBrowserClientIsUnderstood) {
    const std::string event =
        R"({"uuid":"m1","event":"$pageview","properties":{"token":"phc","distinct_id":"d1","$device_id":"d1",)"
        R"("$is_identified":false,"$current_url":"https://shop.example/p","$pathname":"/p","$host":"shop.example",)"
        R"("$referrer":"$direct","title":"P","$raw_user_agent":"Mozilla","$browser_language":"ja",)"
        R"("$timezone":"Asia/Tokyo","$ip":"1.2.3.4"},"offset":3000})";
    for (const std::string& body : {event, "[" + event + "]"}) {
        const auto& e = One("/e/", body);
        EXPECT_EQ(e.type, EventType::kPage);
        EXPECT_EQ(e.name, "Page");
        EXPECT_EQ(e.anonymous_id, "d1");
        EXPECT_TRUE(e.user_id.empty());
        EXPECT_EQ(e.page, R"({"path":"/p","url":"https://shop.example/p","title":"P"})");
        EXPECT_EQ(e.time_ms, kNow - 3000);
        EXPECT_EQ(e.locale, "ja");
        EXPECT_EQ(e.source.kind, "direct");
        EXPECT_EQ(e.properties.find("token"), std::string_view::npos);
        EXPECT_EQ(e.properties.find("1.2.3.4"), std::string_view::npos);
    }
}

TEST_F(Decoding, PostHogsTimeInPropertiesIsCorrectedByTheQueryClock) {
    Request request;
    request.path = "/e/";
    request.body = R"([{"event":"x","properties":{"distinct_id":"d1","$time":1767610841.5}}])";
    request.facts.query = "ip=1&_=1767610861500&ver=1";  // An hour fast; 20 s ago.
    EXPECT_EQ(One(request).time_ms, kNow - 20'000);
}

TEST_F(Decoding, PostHogsOldFormBodyIsUnderstood) {
    const std::string json = R"({"event":"x","distinct_id":"d1","properties":{}})";
    std::string coded = base::Base64Encode(json);
    for (const std::string& body :
         {"data=" + coded + "&ver=1",
          std::string("data=%7B%22event%22%3A%22x%22%2C%22distinct_id%22%3A%22d1%22%7D")}) {
        EXPECT_EQ(One("/e/", body).name, "x");
    }
}

TEST_F(Decoding, JitsuAndDittofeedAreUnderstood) {
    const auto& e = One(
        "/api/s/page",
        R"({"type":"page","anonymousId":"a","userId":null,"messageId":"m",)"
        R"("context":{"page":{"url":"https://x.example/?utm_source=n&utm_medium=email","referrer":""},"campaign":{}},)"
        R"("properties":{"path":"/"},"sentAt":"2026-01-05T10:01:01Z","timestamp":"2026-01-05T10:01:00Z"})");
    EXPECT_EQ(e.type, EventType::kPage);
    EXPECT_EQ(e.time_ms, kNow - 1000);
    EXPECT_EQ(e.source.kind, "email");
    EXPECT_EQ(One("/api/public/apps/batch", Batch(Event(R"(,"messageId":"m")"))).message_id, "m");
}

// --- conformance -----------------------------------------------------------------------------

std::filesystem::path SharedData() {
    const char* path = std::getenv("RIPEN_SHARED_DATA");
    return path != nullptr ? path : "../shared/data";
}

TEST_F(Decoding, JsonConformanceOfPropertyValues) {
    const auto directory = SharedData() / "json/test_parsing";
    if (!std::filesystem::exists(directory)) GTEST_SKIP() << "no " << directory;
    int must = 0, must_not = 0;
    for (const auto& file : std::filesystem::directory_iterator(directory)) {
        const std::string name = file.path().filename();
        if (name[0] == 'i') continue;
        std::ifstream in(file.path(), std::ios::binary);
        std::stringstream text;
        text << in.rdbuf();
        Request request;
        request.path = "/v1/t";
        request.body = R"({"event":"x","userId":"u","properties":{"v":)" + text.str() + "}}";
        const auto result = Run(request);
        const bool taken = result.has_value() && (*result)->events.size() == 1;
        EXPECT_EQ(taken, name[0] == 'y') << name;
        ++(name[0] == 'y' ? must : must_not);
        if (!taken) continue;
        std::string json;
        model::AppendEventJson(json, (*result)->events[0]);
        model::EventReader reader;
        model::EventView view;
        EXPECT_TRUE(reader.ReadCopy(json, view)) << name;
    }
    EXPECT_EQ(must, 95);
    EXPECT_EQ(must_not, 188);
}

}  // namespace
}  // namespace ingest
