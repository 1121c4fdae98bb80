#include "api/tracking.h"

#include <gmock/gmock.h>

#include "api/test_services.h"
#include "net/http/encoding.h"

namespace api {
namespace {

using http::Method;
using http::Request;
using testing::HasSubstr;
using testing::Not;

std::string Track(std::string_view user, std::string_view message_id = "m1") {
    return R"({"type":"track","event":"Bought","userId":")" + std::string(user) +
           R"(","messageId":")" + std::string(message_id) + R"("})";
}
std::string Batch(std::string_view events) { return R"({"batch":[)" + std::string(events) + "]}"; }


TEST(Tracking, TwoHundredComesOnlyWhenTheRecordsAreDurable) {
    TestServices t;
    int answers = 0;
    Tracking(*t.services, t.Post("/v1/batch", Batch(Track("u1")), t.keys.write_key),
             http::Respond([&](http::Response r) {
                 EXPECT_EQ(200, r.status);
                 ++answers;
             }));
    EXPECT_EQ(0, answers);
    EXPECT_TRUE(t.PersonRecords().empty());
    t.log.CommitPending();
    EXPECT_EQ(1, answers);
    ASSERT_EQ(1u, t.PersonRecords().size());
}

TEST(Tracking, AnEventGoesToThePartitionOfItsPersonWithItsFingerprintAndName) {
    TestServices t;
    EXPECT_EQ(200, t.Ask(Tracking, t.Post("/v1/batch", Batch(Track("u1") + "," + Track("u2", "m2")),
                                          t.keys.secret_key)).status);
    const auto workspace = t.catalog->FindWorkspace(1);
    const auto all = t.PersonRecords();
    ASSERT_EQ(2u, all.size());
    for (const auto& [record, payload] : all) {
        EXPECT_EQ(model::RecordKind::kEvent, record.kind);
        EXPECT_EQ(1u, record.workspace);
        EXPECT_EQ(record.stream, model::PartitionOf(record.person, 4));
        EXPECT_EQ(model::NameHash("Bought"), record.name_hash);
        EXPECT_NE(0u, record.fingerprint);
        EXPECT_THAT(payload, HasSubstr("\"trust\":\"secret\""));
    }
    EXPECT_NE(all[0].first.fingerprint, all[1].first.fingerprint);
    const auto u1 = model::PersonOf(workspace->secret, model::IdKind::kUser, "u1");
    EXPECT_TRUE(all[0].first.person == u1 || all[1].first.person == u1);
}

TEST(Tracking, TheSameMessageOfTheSameKeyHasTheSameFingerprint) {
    TestServices t;
    for (int i = 0; i < 2; ++i) {
        t.Ask(Tracking, t.Post("/v1/batch", Batch(Track("u1")), t.keys.write_key));
    }
    t.Ask(Tracking, t.Post("/v1/batch", Batch(Track("u1")), t.keys.secret_key));
    const auto all = t.PersonRecords();
    ASSERT_EQ(3u, all.size());
    EXPECT_EQ(all[0].first.fingerprint, all[1].first.fingerprint);
    EXPECT_NE(all[0].first.fingerprint, all[2].first.fingerprint);
}

TEST(Tracking, AJoiningCallAsksForOneLinkAndNotAgainUntilItIsForgotten) {
    TestServices t;
    const std::string identify =
        R"({"type":"identify","userId":"u1","anonymousId":"a1","traits":{}})";
    t.Ask(Tracking, t.Post("/v1/batch", Batch(identify + "," + identify), t.keys.write_key));
    auto links = t.Records(t.log.links());
    ASSERT_EQ(1u, links.size());
    EXPECT_EQ(model::RecordKind::kLink, links[0].first.kind);
    identity::LinkCall call;
    ASSERT_TRUE(identity::DecodeCall(links[0].second, call));
    EXPECT_FALSE(call.trusted);
    EXPECT_FALSE(call.merge);
    ASSERT_EQ(2u, call.ids.size());
    EXPECT_EQ(model::IdKind::kUser, call.ids[0].kind);
    EXPECT_EQ(model::IdKind::kAnonymous, call.ids[1].kind);

    t.Ask(Tracking, t.Post("/v1/identify", identify, t.keys.write_key));
    EXPECT_EQ(1u, t.Records(t.log.links()).size());
    t.clock.MoveTo(kTestNow + 2 * limits::kRecentCallsMs);
    t.Ask(Tracking, t.Post("/v1/identify", identify, t.keys.write_key));
    EXPECT_EQ(2u, t.Records(t.log.links()).size());
}

TEST(Tracking, ALinkThatWasNotTakenIsAskedForAgain) {
    TestServices t;
    const std::string identify = R"({"userId":"u1","anonymousId":"a1"})";
    t.log.SetFull(true);
    EXPECT_EQ(503, t.Ask(Tracking, t.Post("/v1/identify", identify, t.keys.write_key)).status);
    t.log.SetFull(false);
    EXPECT_EQ(200, t.Ask(Tracking, t.Post("/v1/identify", identify, t.keys.write_key)).status);
    EXPECT_EQ(1u, t.Records(t.log.links()).size());
}

TEST(Tracking, AnEventOfALinkedIdIsWrittenToItsRoot) {
    TestServices t;
    const auto workspace = t.catalog->FindWorkspace(1);
    const auto u1 = model::PersonOf(workspace->secret, model::IdKind::kUser, "u1");
    const auto a1 = model::PersonOf(workspace->secret, model::IdKind::kAnonymous, "a1");
    std::vector<identity::Joined> joined;
    t.links.Fold({{{model::IdKind::kUser, u1}, {model::IdKind::kAnonymous, a1}}, true, false},
                 joined);
    const auto send = [&] {
        t.Ask(Tracking,
              t.Post("/v1/track", R"({"event":"X","anonymousId":"a1"})", t.keys.write_key));
    };
    send();
    t.links.Arrived(a1);
    send();
    const auto place = [&](const model::PersonId& person) {
        return t.Records(model::PartitionOf(person, 4));
    };
    // Until her state has arrived, her records follow it by way of her old place.
    ASSERT_FALSE(place(a1).empty());
    EXPECT_EQ(a1, place(a1).front().first.person);
    ASSERT_FALSE(place(u1).empty());
    EXPECT_EQ(u1, place(u1).back().first.person);
}

TEST(Tracking, AnAliasMergesAndASelfAliasDoesNothing) {
    TestServices t;
    EXPECT_EQ(200, t.Ask(Tracking, t.Post("/v1/alias", R"({"userId":"u1","previousId":"u1"})",
                                          t.keys.secret_key)).status);
    EXPECT_TRUE(t.PersonRecords().empty());
    EXPECT_TRUE(t.Records(t.log.links()).empty());
    t.Ask(Tracking,
          t.Post("/v1/alias", R"({"userId":"u1","previousId":"old"})", t.keys.secret_key));
    const auto links = t.Records(t.log.links());
    ASSERT_EQ(1u, links.size());
    identity::LinkCall call;
    ASSERT_TRUE(identity::DecodeCall(links[0].second, call));
    EXPECT_TRUE(call.trusted);
    EXPECT_TRUE(call.merge);
    EXPECT_EQ(3u, call.ids.size());
}

TEST(Tracking, EveryAddressOfTheWireTakesItsEvent) {
    TestServices t;
    const std::string one = R"({"userId":"u1","event":"E","name":"N","groupId":"g","traits":{},)"
                            R"("previousId":"p"})";
    const std::string batch = Batch(Track("u1"));
    size_t before = 0;
    const auto takes = [&](Request request, std::string_view what) {
        EXPECT_EQ(200, t.Ask(Serve, std::move(request)).status) << what;
        const size_t now = t.PersonRecords().size();
        EXPECT_EQ(before + 1, now) << what;
        before = now;
    };
    for (const char* call : {"identify", "i", "track", "t", "page", "p", "screen", "s", "group",
                             "g", "alias", "a"}) {
        takes(t.Post("/v1/" + std::string(call), one, t.keys.write_key), call);
    }
    for (const char* path : {"/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch",
                             "/api/public/apps/batch"}) {
        takes(t.Post(path, batch, t.keys.secret_key), path);
    }
    takes(t.Post("/beacon/v1/batch?writeKey=" + t.keys.write_key, batch, ""), "beacon by query");
    for (const char* path : {"/api/s/track", "/api/s/s2s/track"}) {
        Request jitsu = t.Post(path, one, "");
        jitsu.headers.Add("X-Write-Key", "shop:" + t.keys.secret_key);
        takes(std::move(jitsu), path);
    }
    const std::string posthog = R"({"api_key":")" + t.keys.write_key +
                                R"(","batch":[{"event":"X","distinct_id":"d","properties":{}}]})";
    takes(t.Post("/batch/", posthog, ""), "posthog batch");
    Request zipped = t.Post("/e/", http::Gzip(posthog), "");
    zipped.headers.Add("Content-Type", "text/plain");
    takes(std::move(zipped), "posthog-js, gzip without a label");
    Request rudder = t.Post("/v1/batch", http::Gzip(batch), t.keys.write_key);
    rudder.headers.Add("Content-Encoding", "gzip");
    rudder.headers.Add("Content-Type", "application/x-www-form-urlencoded");
    takes(std::move(rudder), "rudder, gzip labelled a form");
    const std::string in_body = R"({"writeKey":")" + t.keys.write_key + R"(","batch":[)" +
                                Track("u1") + "]}";
    takes(t.Post("/v1/b", in_body, ""), "key in the body");
    const std::string data = base::Base64UrlEncode(R"({"userId":"u1","event":"Seen"})");
    const http::Response pixel = t.Ask(
        Serve, Request::Make(Method::kGet, "/pixel/v1/track?writeKey=" + t.keys.write_key +
                                               "&data=" + data));
    EXPECT_EQ(200, pixel.status);
    EXPECT_EQ("image/gif", pixel.content_type);
    EXPECT_EQ(before + 1, t.PersonRecords().size());
}

TEST(Tracking, SettingsTellAClientWhereToSend) {
    TestServices t;
    Request settings =
        Request::Make(Method::kGet, "/v1/projects/" + t.keys.write_key + "/settings");
    settings.headers.Add("Host", "shop.example:8080");
    settings.headers.Add("Origin", "https://shop.example");
    const http::Response answer = t.Ask(Serve, std::move(settings));
    EXPECT_EQ(200, answer.status);
    EXPECT_THAT(Text(answer), HasSubstr(R"("apiHost":"shop.example:8080/v1","protocol":"http")"));
    EXPECT_EQ("https://shop.example", answer.headers.Get("Access-Control-Allow-Origin"));

    EXPECT_EQ(401, t.Ask(Serve, Request::Make(Method::kGet, "/v1/projects/pk_x/settings")).status);
    EXPECT_EQ(200, t.Ask(Serve, Request::Make(Method::kGet, "/sourceConfig/?writeKey=" +
                                                                t.keys.write_key)).status);
    EXPECT_EQ(401, t.Ask(Serve, Request::Make(Method::kGet, "/sourceConfig/")).status);
    EXPECT_EQ(200, t.Ask(Serve, Request::Make(Method::kGet, "/array/" + t.keys.write_key +
                                                                "/config")).status);
    EXPECT_EQ(404, t.Ask(Serve, Request::Make(Method::kGet, "/array/" + t.keys.write_key +
                                                                "/config.js")).status);
    const std::string token = R"({"token":")" + t.keys.write_key + R"("})";
    EXPECT_THAT(Text(t.Ask(Serve, t.Post("/flags/?v=2", token, ""))), HasSubstr("\"flags\":{}"));
    EXPECT_EQ(401, t.Ask(Serve, t.Post("/flags/?v=2", "{}", "")).status);
}

TEST(Tracking, APreflightIsAnsweredAndAnswersCarryTheOrigin) {
    TestServices t;
    Request preflight = Request::Make(Method::kOptions, "/v1/t");
    preflight.headers.Add("Origin", "https://shop.example");
    preflight.headers.Add("Access-Control-Request-Method", "POST");
    preflight.headers.Add("Access-Control-Request-Headers", "authorization, content-type");
    const http::Response allowed = t.Ask(Serve, std::move(preflight));
    EXPECT_EQ(204, allowed.status);
    EXPECT_EQ("https://shop.example", allowed.headers.Get("Access-Control-Allow-Origin"));
    EXPECT_THAT(std::string(allowed.headers.Get("Access-Control-Allow-Headers")),
                HasSubstr("authorization"));
    EXPECT_FALSE(allowed.headers.Get("Access-Control-Max-Age").empty());

    // Also on errors: a page must be able to read why.
    Request wrong = t.Post("/v1/t", "{", t.keys.write_key);
    wrong.headers.Add("Origin", "https://shop.example");
    const http::Response refused = t.Ask(Serve, std::move(wrong));
    EXPECT_EQ(400, refused.status);
    EXPECT_EQ("https://shop.example", refused.headers.Get("Access-Control-Allow-Origin"));
}

TEST(Tracking, OnlyTheMethodOfARouteIsTaken) {
    TestServices t;
    const http::Response get = t.Ask(Serve, Request::Make(Method::kGet, "/v1/batch"));
    EXPECT_EQ(405, get.status);
    EXPECT_EQ("POST, OPTIONS", get.headers.Get("Allow"));
    const http::Response post = t.Ask(Serve, t.Post("/sourceConfig/", "{}", ""));
    EXPECT_EQ(405, post.status);
    EXPECT_EQ("GET, OPTIONS", post.headers.Get("Allow"));
    EXPECT_EQ(204, t.Ask(Serve, Request::Make(Method::kOptions, "/v1/batch")).status);
}

TEST(Tracking, AMissingOrUnknownKeyIsUnauthorized) {
    TestServices t;
    EXPECT_EQ(401, t.Ask(Tracking, t.Post("/v1/batch", Batch(Track("u1")), "")).status);
    EXPECT_EQ(401, t.Ask(Tracking, t.Post("/v1/batch", Batch(Track("u1")), "pk_no")).status);
    EXPECT_TRUE(t.PersonRecords().empty());
}

TEST(Tracking, ABadEventIsRefusedAloneAndKeptForTheDebugger) {
    TestServices t;
    const http::Response answer = t.Ask(
        Tracking, t.Post("/v1/batch", Batch(Track("u1") + R"(,{"type":"track","event":"X"})"),
                         t.keys.write_key));
    EXPECT_EQ(200, answer.status);
    EXPECT_THAT(Text(answer), HasSubstr("\"index\":1"));
    EXPECT_EQ(1u, t.PersonRecords().size());
    const std::string kept = Text(t.Api(Method::kGet, "/api/v1/refused"));
    EXPECT_THAT(kept, HasSubstr("\"index\":1"));
    EXPECT_THAT(kept, HasSubstr("one is needed"));
    EXPECT_THAT(kept, HasSubstr("/v1/batch"));
    const std::string other =
        Text(t.Api(Method::kGet, "/api/v1/refused", {}, "Bearer " + t.other_keys.secret_key));
    EXPECT_EQ("{\"refused\":[],\"next_cursor\":null}", other);
}

TEST(Tracking, WrongBodiesAreRefusedWholeAndKeptForTheDebugger) {
    TestServices t;
    for (const std::string& body :
         {std::string("{"), std::string("[1"), std::string("{}"), std::string("\xff"),
          std::string(1000, '['), std::string("\x1f\x8b broken")}) {
        EXPECT_EQ(400, t.Ask(Tracking, t.Post("/v1/batch", body, t.keys.write_key)).status) << body;
    }
    EXPECT_TRUE(t.PersonRecords().empty());
    EXPECT_THAT(Text(t.Api(Method::kGet, "/api/v1/refused?limit=1")), HasSubstr("\"index\":null"));
}

TEST(Tracking, ABatchHoldsAThousandEventsAndNotOneMore) {
    TestServices t;
    std::string events;
    for (size_t i = 0; i < limits::kBatchEventsMax; ++i) {
        events += (i == 0 ? "" : ",") + Track("u1", std::to_string(i));
    }
    EXPECT_EQ(200, t.Ask(Tracking, t.Post("/v1/batch", Batch(events), t.keys.write_key)).status);
    EXPECT_EQ(limits::kBatchEventsMax, t.PersonRecords().size());
    events += "," + Track("u1", "more");
    EXPECT_EQ(413, t.Ask(Tracking, t.Post("/v1/batch", Batch(events), t.keys.write_key)).status);
    EXPECT_EQ(limits::kBatchEventsMax, t.PersonRecords().size());
}

TEST(Tracking, WhatMaySucceedLaterIsNeverAFourHundred) {
    TestServices t;
    const auto later = [&](std::string_view what) {
        const http::Response answer =
            t.Ask(Tracking, t.Post("/v1/batch", Batch(Track("u1")), t.keys.write_key));
        EXPECT_EQ(503, answer.status) << what;
        EXPECT_EQ("5", answer.headers.Get("Retry-After")) << what;
    };
    t.log.SetFull(true);
    later("disk full");
    t.log.SetFull(false);
    bool ready = false;
    t.services->ready = [&] { return ready; };
    later("starting");
    ready = true;
    EXPECT_EQ(200,
              t.Ask(Tracking, t.Post("/v1/batch", Batch(Track("u1")), t.keys.write_key)).status);
    t.log.Fail();
    later("the log has failed");
    EXPECT_EQ(3u, t.services->counts.turned_away.load());
}

TEST(Tracking, SignalsOfPrivacyAreHonouredAsConfigured) {
    TestServices t;
    const auto send = [&](const char* header) {
        Request request =
            t.Post("/v1/track", R"({"event":"X","anonymousId":"a"})", t.keys.write_key);
        request.headers.Add(header, "1");
        return t.Ask(Tracking, std::move(request)).status;
    };
    EXPECT_EQ(200, send("DNT"));
    EXPECT_EQ(200, send("Sec-GPC"));
    EXPECT_TRUE(t.PersonRecords().empty());
    EXPECT_EQ(2u, t.services->counts.not_tracked.load());
    t.services->tracking_policy = ingest::TrackingPolicy::kIgnoreSignals;
    EXPECT_EQ(200, send("DNT"));
    EXPECT_EQ(1u, t.PersonRecords().size());
}

TEST(Tracking, OnlyTheSecretKeyImportsOldTimes) {
    TestServices t;
    const std::string old = Batch(
        R"({"type":"track","event":"X","userId":"u","timestamp":"2011-01-05T10:00:00Z"})");
    t.Ask(Tracking, t.Post("/v1/import", old, t.keys.secret_key));
    t.Ask(Tracking, t.Post("/v1/import", old, t.keys.write_key));
    const auto all = t.PersonRecords();
    ASSERT_EQ(2u, all.size());
    EXPECT_THAT(all[0].second, HasSubstr("\"time_ms\":1294221600000"));
    EXPECT_THAT(all[1].second, HasSubstr("\"time_clamped\":true"));
    EXPECT_THAT(all[1].second, Not(HasSubstr("\"import\":true")));
}

TEST(RefusedEvents, TheNewestAreKeptAndPagesMeet) {
    RefusedEvents refused;
    for (size_t i = 0; i < limits::kRefusedEventsKept + 1; ++i) {
        RefusedEvent event;
        event.workspace = 1;
        event.reason = "r";
        refused.Add(event);
    }
    EXPECT_EQ(limits::kRefusedEventsKept + 1, refused.total());
    const std::string oldest = *refused.List(1, 10, "3");
    EXPECT_THAT(oldest, HasSubstr("\"id\":\"2\""));
    EXPECT_THAT(oldest, Not(HasSubstr("\"id\":\"1\"")));
    EXPECT_THAT(*refused.List(1, 2, "10"), HasSubstr("\"next_cursor\":\"8\""));
    EXPECT_EQ("cursor", refused.List(1, 2, "x").error().at);
}

}  // namespace
}  // namespace api
