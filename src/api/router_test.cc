#include "api/router.h"

#include <gmock/gmock.h>
#include <yaml-cpp/yaml.h>

#include <set>

#include "api/call.h"
#include "api/openapi.h"
#include "api/test_services.h"

namespace api {
namespace {

using http::Method;
using testing::HasSubstr;

constexpr const char* kPlan = R"({"name":"Pro","condition":"plan is \"pro\""})";
constexpr const char* kJourney =
    R"({"name":"Start","entry":{"event":"Signed Up","again":"once"},)"
    R"("steps":[{"id":"w1","type":"wait","for":"1h"}]})";

// A route's path with an id that may exist.
std::string Filled(std::string_view path) {
    std::string filled(path);
    const size_t at = filled.find("{id}");
    if (at != std::string::npos) filled.replace(at, 4, "seg_1");
    return filled;
}

TEST(Router, NoKeyIsUnauthorizedAndAPublicKeyForbiddenOnEveryRoute) {
    TestServices t;
    for (const RouteRow& row : Routes()) {
        if (!row.needs_key && row.method != Method::kGet) continue;   // accounts_test.cc
        const std::string path = Filled(row.path);
        const int no_key = t.Api(row.method, path, "{}", "").status;
        const int unknown = t.Api(row.method, path, "{}", "Bearer sk_unknown").status;
        const int as_public = t.Api(row.method, path, "{}", "Bearer " + t.keys.write_key).status;
        EXPECT_EQ(row.needs_key ? 401 : 200, no_key) << path;
        EXPECT_EQ(row.needs_key ? 401 : 200, unknown) << path;
        EXPECT_EQ(row.needs_key ? 403 : 200, as_public) << path;
    }
    EXPECT_EQ(401, t.Api(Method::kGet, "/api/v1/persons", {}, "Basic " + t.keys.secret_key).status);
    EXPECT_EQ("Bearer",
              t.Api(Method::kGet, "/api/v1/persons", {}, "").headers.Get("WWW-Authenticate"));
}

TEST(Router, TheContractAndTheTableAreOne) {
    const YAML::Node contract = YAML::Load(std::string(OpenApiYaml()));
    std::set<std::string> written, routed;
    for (const auto& path : contract["paths"]) {
        for (const auto& method : path.second) {
            std::string name = method.first.as<std::string>();
            for (char& c : name) c = static_cast<char>(std::toupper(c));
            written.insert(name + " " + path.first.as<std::string>());
        }
    }
    for (const RouteRow& row : Routes()) {
        routed.insert(std::string(http::MethodName(row.method)) + " " + std::string(row.path));
    }
    EXPECT_EQ(written, routed);
    EXPECT_EQ("3.1.0", contract["openapi"].as<std::string>());
    TestServices t;
    EXPECT_EQ(OpenApiYaml(), Text(t.Api(Method::kGet, "/api/v1/openapi.yaml", {}, "")));
}

TEST(Router, UnknownAddressesAndMethodsAreNamed) {
    TestServices t;
    EXPECT_EQ(404, t.Api(Method::kGet, "/api/v1/nothing").status);
    EXPECT_EQ(404, t.Api(Method::kGet, "/api/v1/segments/seg_1/persons/x").status);
    const http::Response wrong = t.Api(Method::kPatch, "/api/v1/segments/seg_1");
    EXPECT_EQ(405, wrong.status);
    EXPECT_EQ("GET, HEAD, PUT, DELETE", wrong.headers.Get("Allow"));
    EXPECT_EQ(200, t.Api(Method::kHead, "/api/v1/workspace").status);
}

TEST(Router, UnknownParametersAreRefusedOnEveryRoute) {
    TestServices t;
    t.services->simulated = &t.clock;
    ASSERT_EQ(201, t.Api(Method::kPost, "/api/v1/segments", kPlan).status);
    for (const RouteRow& row : Routes()) {
        if (!row.needs_key || row.teammate_only) continue;
        const http::Response answer = t.Api(row.method, Filled(row.path) + "?surprise=1", "{}");
        EXPECT_EQ(400, answer.status) << row.path;
        EXPECT_THAT(Text(answer), HasSubstr(R"("at":"surprise")")) << row.path;
    }
    EXPECT_EQ(400, t.Api(Method::kGet, "/api/v1/persons?limit=1&limit=2").status);
}

TEST(Router, UntilTheServerIsReadyQuestionsAreForLater) {
    TestServices t;
    bool ready = false;
    t.services->ready = [&] { return ready; };
    const http::Response persons = t.Api(Method::kGet, "/api/v1/persons");
    EXPECT_EQ(503, persons.status);
    EXPECT_EQ("5", persons.headers.Get("Retry-After"));
    EXPECT_EQ(200, t.Api(Method::kGet, "/healthz", {}, "").status);
    EXPECT_EQ(503, t.Api(Method::kGet, "/readyz", {}, "").status);
    ready = true;
    EXPECT_EQ(200, t.Api(Method::kGet, "/readyz", {}, "").status);
    EXPECT_EQ(200, t.Api(Method::kGet, "/api/v1/persons").status);
}

TEST(Router, MetricsAreTheServersAndTheApisOwn) {
    TestServices t;
    t.services->metrics = [] { return std::string("ripen_log_records_total 7"); };
    t.Ask(Serve, t.Post("/v1/track", R"({"event":"X","userId":"u"})", t.keys.write_key));
    const std::string text = Text(t.Api(Method::kGet, "/metrics", {}, ""));
    EXPECT_THAT(text, HasSubstr("ripen_log_records_total 7\n"));
    EXPECT_THAT(text, HasSubstr("ripen_tracking_events_total 1\n"));
}

TEST(Router, ABodyHasItsLimit) {
    TestServices t;
    const std::string head = R"({"name":"x","condition":"plan is \"pro\""})";
    std::string body = head + std::string(limits::kApiBodyBytesMax - head.size(), ' ');
    EXPECT_EQ(201, t.Api(Method::kPost, "/api/v1/segments", body).status);
    body.push_back(' ');
    EXPECT_EQ(413, t.Api(Method::kPost, "/api/v1/segments", body).status);
    EXPECT_EQ(limits::kBatchBytesMax, BodyLimit(http::Request::Make(Method::kPost, "/v1/batch")));
    EXPECT_EQ(limits::kApiBodyBytesMax,
              BodyLimit(http::Request::Make(Method::kPost, "/api/v1/segments")));
}

TEST(Persons, ListTakesConditionSortLimitAndCursor) {
    TestServices t;
    EXPECT_EQ(R"({"sort":0,"descending":true,"limit":50,"cursor":""})",
              Text(t.Api(Method::kGet, "/api/v1/persons?condition=&sort=&limit=&cursor=")));
    EXPECT_EQ("everybody", t.queries.asked);
    EXPECT_EQ(R"({"sort":2,"descending":false,"limit":500,"cursor":"abc"})",
              Text(t.Api(Method::kGet, "/api/v1/persons?sort=name&limit=500&cursor=abc")));
    EXPECT_EQ(200, t.Api(Method::kGet, "/api/v1/persons?condition=plan%20is%20%22pro%22").status);
    EXPECT_EQ("plan is \"pro\"", t.queries.asked);
    for (const auto& [query, at] : {std::pair("limit=0", "\"at\":\"limit\""),
                                    std::pair("limit=501", "\"at\":\"limit\""),
                                    std::pair("limit=-1", "\"at\":\"limit\""),
                                    std::pair("limit=1x", "\"at\":\"limit\""),
                                    std::pair("sort=age", "\"at\":\"sort\""),
                                    std::pair("condition=plan%20is", "\"at\":\"condition:1:")}) {
        const http::Response answer =
            t.Api(Method::kGet, "/api/v1/persons?" + std::string(query));
        EXPECT_EQ(400, answer.status) << query;
        EXPECT_THAT(Text(answer), HasSubstr(at)) << query;
        EXPECT_THAT(Text(answer), HasSubstr(R"({"error":{"code":"invalid_argument")")) << query;
    }
}

TEST(Persons, LookupTakesExactlyOneId) {
    TestServices t;
    EXPECT_EQ(R"({"user":"u1"})", Text(t.Api(Method::kGet, "/api/v1/persons/lookup?user_id=u1")));
    EXPECT_EQ(R"({"email":"a@b.example"})",
              Text(t.Api(Method::kGet, "/api/v1/persons/lookup?email=A%40B.example")));
    EXPECT_EQ(R"({"anonymous":"x"})",
              Text(t.Api(Method::kGet, "/api/v1/persons/lookup?anonymous_id=x")));
    EXPECT_EQ(400, t.Api(Method::kGet, "/api/v1/persons/lookup").status);
    EXPECT_EQ(400, t.Api(Method::kGet, "/api/v1/persons/lookup?user_id=a&email=b").status);
    const std::string at_limit(limits::kIdBytesMax, 'a');
    EXPECT_EQ(200, t.Api(Method::kGet, "/api/v1/persons/lookup?user_id=" + at_limit).status);
    EXPECT_EQ(400, t.Api(Method::kGet, "/api/v1/persons/lookup?user_id=a" + at_limit).status);
}

TEST(Persons, AnIdThatIsNoneIsNotFound) {
    TestServices t;
    const std::string id(32, 'a');
    EXPECT_EQ(R"({"person":")" + id + "\"}", Text(t.Api(Method::kGet, "/api/v1/persons/" + id)));
    EXPECT_EQ(404, t.Api(Method::kGet, "/api/v1/persons/xyz").status);
    EXPECT_EQ(200, t.Api(Method::kGet, "/api/v1/persons/" + id + "/timeline?limit=5").status);
    EXPECT_EQ(404, t.Api(Method::kGet, "/api/v1/persons/xyz/timeline").status);
}

TEST(Segments, AreMadeChangedListedAndDeleted) {
    TestServices t;
    int changes = 0;
    t.services->definitions_changed = [&] { ++changes; };
    const http::Response made = t.Api(Method::kPost, "/api/v1/segments", kPlan);
    EXPECT_EQ(201, made.status);
    const auto segments = t.catalog->Segments(1);
    ASSERT_EQ(1u, segments.size());
    const std::string id = catalog::SegmentId(segments[0]->number);
    const std::string path = "/api/v1/segments/" + id;
    EXPECT_EQ(R"({"id":")" + id + R"(","state":"ready","condition_tree":)"
              R"({"attribute":"plan","op":"is","value":"pro"}})", Text(made));
    EXPECT_EQ(Text(made), Text(t.Api(Method::kGet, path)));
    EXPECT_EQ(R"({"segments":[)" + Text(made) + R"(],"next_cursor":null})",
              Text(t.Api(Method::kGet, "/api/v1/segments")));
    EXPECT_EQ(200, t.Api(Method::kGet, path + "/persons").status);

    const char* const tree =
        R"({"name":"Pro","condition":{"attribute":"plan","op":"is","value":"gold"}})";
    EXPECT_EQ(409, t.Api(Method::kPut, path + "?version=2", tree).status);
    EXPECT_EQ(200, t.Api(Method::kPut, path + "?version=1", tree).status);
    EXPECT_EQ("plan is \"gold\"", t.catalog->CurrentSegment(1, segments[0]->number)->condition);
    EXPECT_EQ(400, t.Api(Method::kPut, path + "?version=0", tree).status);
    EXPECT_EQ(409, t.Api(Method::kDelete, path + "?version=1").status);
    EXPECT_EQ(200, t.Api(Method::kDelete, path + "?version=2").status);
    EXPECT_EQ(404, t.Api(Method::kGet, path).status);
    EXPECT_EQ(404, t.Api(Method::kDelete, path).status);
    EXPECT_EQ(3, changes);
}

TEST(Segments, OfAnotherWorkspaceDoNotExist) {
    TestServices t;
    t.Api(Method::kPost, "/api/v1/segments", kPlan);
    const std::string path =
        "/api/v1/segments/" + catalog::SegmentId(t.catalog->Segments(1)[0]->number);
    const std::string other = "Bearer " + t.other_keys.secret_key;
    EXPECT_EQ(404, t.Api(Method::kGet, path, {}, other).status);
    EXPECT_EQ(404, t.Api(Method::kPut, path, kPlan, other).status);
    EXPECT_EQ(404, t.Api(Method::kDelete, path, {}, other).status);
    EXPECT_EQ(404, t.Api(Method::kGet, path + "/persons", {}, other).status);
    EXPECT_EQ(R"({"segments":[],"next_cursor":null})",
              Text(t.Api(Method::kGet, "/api/v1/segments", {}, other)));
}

TEST(Segments, PagesMeet) {
    TestServices t;
    for (const char* name : {"A", "B", "C"}) {
        t.Api(Method::kPost, "/api/v1/segments",
              R"({"name":")" + std::string(name) + R"(","condition":"everyone"})");
    }
    const auto all = t.catalog->Segments(1);
    const std::string second = catalog::SegmentId(all[1]->number);
    EXPECT_THAT(Text(t.Api(Method::kGet, "/api/v1/segments?limit=2")),
                HasSubstr("\"next_cursor\":\"" + second + "\""));
    const std::string rest = Text(t.Api(Method::kGet, "/api/v1/segments?limit=2&cursor=" + second));
    EXPECT_THAT(rest, HasSubstr(catalog::SegmentId(all[2]->number)));
    EXPECT_THAT(rest, HasSubstr("\"next_cursor\":null"));
    EXPECT_EQ(400, t.Api(Method::kGet, "/api/v1/segments?cursor=x").status);
}

TEST(Segments, WrongBodiesSayWhere) {
    TestServices t;
    const auto refused = [&](std::string_view body, std::string_view at) {
        const http::Response answer = t.Api(Method::kPost, "/api/v1/segments", body);
        EXPECT_EQ(400, answer.status) << body;
        EXPECT_THAT(Text(answer), HasSubstr(at)) << body;
    };
    refused("", "not valid JSON");
    refused("{", "not valid JSON");
    refused("[]", "must be a JSON object");
    refused("{\"name\":\"\xff\"}", "not valid JSON");
    refused(R"({"name":"\ud800","condition":"everyone"})", "not valid JSON");
    refused(std::string(2000, '['), "not valid JSON");
    refused(R"({"name":"a","condition":"everyone","colour":1})", R"("at":"colour")");
    refused(R"({"name":"a","name":"b","condition":"everyone"})", R"("at":"name")");
    refused(R"({"condition":"everyone"})", R"("at":"name")");
    refused(R"({"name":1,"condition":"everyone"})", R"("at":"name")");
    refused(R"({"name":"a\u0000b","condition":"everyone"})", R"("at":"name")");
    refused(R"({"name":"a"})", R"("at":"condition")");
    refused(R"({"name":"a","condition":7})", R"("at":"condition")");
    refused(R"({"name":"a","condition":"plan is"})", R"("at":"condition:1:)");
    refused(R"({"name":"a","condition":{"and":[{"op":"is"}]}})", R"("at":"condition.and[0])");
    EXPECT_TRUE(t.catalog->Segments(1).empty());
    ASSERT_EQ(201, t.Api(Method::kPost, "/api/v1/segments", kPlan).status);
    EXPECT_EQ(409, t.Api(Method::kPost, "/api/v1/segments", kPlan).status);
}

TEST(Segments, PreviewTakesTextTreeAndAPastMoment) {
    TestServices t;
    const char* const path = "/api/v1/segments/preview";
    EXPECT_EQ(R"({"as_of":0})", Text(t.Api(Method::kPost, path, R"({"condition":"everyone"})")));
    t.Api(Method::kPost, path, R"({"condition":{"attribute":"plan","op":"is","value":"pro"}})");
    EXPECT_EQ("plan is \"pro\"", t.queries.asked);
    EXPECT_EQ(R"({"as_of":1767607200000})",
              Text(t.Api(Method::kPost, path,
                         R"({"condition":"everyone","as_of":"2026-01-05T10:00:00Z"})")));
    for (const char* as_of : {"\"2026-01-05T10:00:00.001Z\"", "\"\"", "\"yesterday\"", "5"}) {
        const http::Response answer =
            t.Api(Method::kPost, path,
                  R"({"condition":"everyone","as_of":)" + std::string(as_of) + "}");
        EXPECT_EQ(400, answer.status) << as_of;
        EXPECT_THAT(Text(answer), HasSubstr(R"("at":"as_of")")) << as_of;
    }
}

TEST(Segments, ADiskThatIsFullIsForLater) {
    TestServices t;
    t.queries.fail = base::ErrorCode::kUnavailable;
    const http::Response answer = t.Api(Method::kPost, "/api/v1/segments", kPlan);
    EXPECT_EQ(503, answer.status);
    EXPECT_EQ("5", answer.headers.Get("Retry-After"));
    EXPECT_EQ(503, t.Api(Method::kGet, "/api/v1/segments").status);
}

TEST(Journeys, AreSavedPublishedChangedAndStopped) {
    TestServices t;
    int changes = 0;
    t.services->definitions_changed = [&] { ++changes; };
    const http::Response made = t.Api(Method::kPost, "/api/v1/journeys", kJourney);
    EXPECT_EQ(201, made.status);
    EXPECT_THAT(Text(made), HasSubstr(R"("state":"idle","published_version":null)"));
    EXPECT_THAT(Text(made), HasSubstr("\"definition\":" + std::string(kJourney)));
    ASSERT_EQ(1u, t.catalog->Journeys(1).size());
    const std::string path =
        "/api/v1/journeys/" + catalog::JourneyId(t.catalog->Journeys(1)[0].number);
    // Who asks gets its numbers besides.
    std::string asked(Text(made));
    asked.insert(asked.find(R"("definition")"), R"("in_it":0,"sent":0,"goal":0,)");
    EXPECT_EQ(asked, Text(t.Api(Method::kGet, path)));
    EXPECT_EQ(R"({"journeys":[)" + asked + R"(],"next_cursor":null})",
              Text(t.Api(Method::kGet, "/api/v1/journeys")));
    EXPECT_THAT(Text(t.Api(Method::kPost, path + "/publish")),
                HasSubstr(R"("state":"running","published_version":1)"));
    EXPECT_EQ(409, t.Api(Method::kPut, path + "?version=7", kJourney).status);
    EXPECT_THAT(Text(t.Api(Method::kPut, path + "?version=1", kJourney)),
                HasSubstr(R"("version":2,"state":"running","published_version":1)"));
    EXPECT_EQ(400, t.Api(Method::kPost, path + "/stop", R"({"now":true})").status);
    EXPECT_THAT(Text(t.Api(Method::kPost, path + "/stop")), HasSubstr("\"state\":\"idle\""));
    EXPECT_EQ(4, changes);
    EXPECT_EQ(404, t.Api(Method::kPost, "/api/v1/journeys/jrn_99/publish").status);
    EXPECT_EQ(404, t.Api(Method::kGet, path, {}, "Bearer " + t.other_keys.secret_key).status);
}

TEST(Journeys, WrongBodiesSayWhere) {
    TestServices t;
    const http::Response answer = t.Api(
        Method::kPost, "/api/v1/journeys",
        R"({"name":"J","entry":{"event":"E"},"steps":[{"id":"w","type":"wait","for":"soon"}]})");
    EXPECT_EQ(400, answer.status);
    EXPECT_THAT(Text(answer), HasSubstr(R"("at":"steps[0].for)"));
    EXPECT_EQ(400, t.Api(Method::kPost, "/api/v1/journeys", R"({"name":"J","colour":1})").status);
    EXPECT_EQ(400, t.Api(Method::kPost, "/api/v1/journeys", "{").status);
}

TEST(Messages, AreFilteredByPersonAndJourney) {
    TestServices t;
    EXPECT_EQ(R"({"person":false,"journey":0})", Text(t.Api(Method::kGet, "/api/v1/messages")));
    EXPECT_EQ(R"({"person":true,"journey":0})",
              Text(t.Api(Method::kGet, "/api/v1/messages?person_id=" + std::string(32, 'b'))));
    t.Api(Method::kPost, "/api/v1/journeys", kJourney);
    const uint32_t number = t.catalog->Journeys(1)[0].number;
    EXPECT_EQ(R"({"person":false,"journey":)" + std::to_string(number) + "}",
              Text(t.Api(Method::kGet,
                         "/api/v1/messages?journey_id=" + catalog::JourneyId(number))));
    EXPECT_EQ(404, t.Api(Method::kGet, "/api/v1/messages?journey_id=jrn_99").status);
    EXPECT_EQ(400, t.Api(Method::kGet, "/api/v1/messages?journey_id=99").status);
    EXPECT_EQ(400, t.Api(Method::kGet, "/api/v1/messages?person_id=1").status);
}

TEST(Settings, TheSenderIsKept) {
    TestServices t;
    const char* const path = "/api/v1/settings/sender";
    const std::string sender =
        R"({"from_name":"Shop","from_address":"a@shop.example","postal_address":"1 Market St"})";
    EXPECT_EQ(sender, Text(t.Api(Method::kPut, path, sender)));
    EXPECT_EQ(sender, Text(t.Api(Method::kGet, path)));
    EXPECT_EQ(400, t.Api(Method::kPut, path, R"({"from_name":"Shop"})").status);
    EXPECT_EQ(400, t.Api(Method::kPut, path, R"({"from_address":"nobody"})").status);
    EXPECT_EQ(400, t.Api(Method::kPut, path,
                         R"({"from_address":"a@shop.example","from_name":"A\r\nBcc: x"})").status);
    EXPECT_EQ(400, t.Api(Method::kPut, path, R"({"from_address":"a@b.example","x":1})").status);
    EXPECT_EQ(sender, Text(t.Api(Method::kGet, path)));
}

TEST(Clock, MovesOnlyWhenSimulatedAndAnswersWhenTimersRan) {
    TestServices t;
    const char* const path = "/api/v1/clock";
    const char* const body = R"({"now":"2026-01-05T11:00:00Z"})";
    EXPECT_EQ(404, t.Api(Method::kPost, path, body).status);
    EXPECT_EQ(kTestNow, t.clock.Now());
    t.services->simulated = &t.clock;
    EXPECT_EQ(400, t.Api(Method::kPost, path, R"({"now":"soon"})").status);
    EXPECT_EQ(400, t.Api(Method::kPost, path, R"({"now":5})").status);
    EXPECT_EQ(400, t.Api(Method::kPost, path, "{}").status);
    http::Request request = http::Request::Make(Method::kPost, path, body);
    request.headers.Add("Authorization", "Bearer " + t.keys.secret_key);
    auto answer = t.Begin(Serve, std::move(request))->get_future();
    EXPECT_NE(std::future_status::ready, answer.wait_for(std::chrono::seconds(0)));
    EXPECT_EQ(kTestNow + base::kHourMs, t.clock.Now());
    EXPECT_EQ(kTestNow + base::kHourMs, t.engine.asked_ms);
    EXPECT_EQ(1, t.engine.wakes);
    t.engine.waiting();
    EXPECT_EQ(R"({"now":"2026-01-05T11:00:00.000Z"})", Text(answer.get()));
}

TEST(Workspace, TellsWhoseTheKeyIs) {
    TestServices t;
    EXPECT_THAT(Text(t.Api(Method::kGet, "/api/v1/workspace")),
                HasSubstr(R"("id":1,"name":"Shop")"));
    EXPECT_THAT(Text(t.Api(Method::kGet, "/api/v1/workspace", {},
                           "Bearer " + t.other_keys.secret_key)),
                HasSubstr(R"("id":2,"name":"Other")"));
}

TEST(WriteQueue, HoldsItsLimitAndNoMoreAndRunsAllInOrder) {
    std::promise<void> begun, go;
    std::vector<size_t> ran;
    {
        WriteQueue queue;
        EXPECT_TRUE(queue.Post([&] {
            begun.set_value();
            go.get_future().wait();
        }));
        begun.get_future().wait();
        for (size_t i = 0; i < limits::kApiWritesWaitingMax; ++i) {
            EXPECT_TRUE(queue.Post([&ran, i] { ran.push_back(i); }));
        }
        EXPECT_FALSE(queue.Post([] {}));
        go.set_value();
    }
    ASSERT_EQ(limits::kApiWritesWaitingMax, ran.size());
    EXPECT_TRUE(std::is_sorted(ran.begin(), ran.end()));
}

}  // namespace
}  // namespace api
