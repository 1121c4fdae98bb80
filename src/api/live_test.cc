// The live stream as a browser and as a script meet it, without a network.
#include "api/live.h"

#include <gmock/gmock.h>

#include "api/test_services.h"
#include "net/http/upgrade.h"
#include "net/websocket/test_client.h"

namespace api {
namespace {

using http::Method;
using http::Request;
using http::Response;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using websocket::Masked;
using websocket::Opcode;

constexpr const char* kHost = "127.0.0.1:8080";
constexpr const char* kAda = "00000000000000010000000000000002";

// Keeps what is written.
class MemoryWire final : public http::Wire {
  public:
    bool Send(Piece piece, size_t bytes_max) override {
        if (finished || piece->size() > bytes_max) return false;
        // Short frames only: two bytes and the text.
        texts.push_back(piece->substr(static_cast<uint8_t>((*piece)[1]) == 126 ? 4 : 2));
        return true;
    }
    void Finish(Piece last, int) override {
        finished = true;
        std::string_view reason;
        EXPECT_TRUE(websocket::ReadClose(std::string_view(*last).substr(2), code, reason));
    }
    size_t waiting_bytes() const override { return 0; }

    std::vector<std::string> texts;
    bool finished = false;
    uint16_t code = 0;
};

class MemoryFeed final : public LiveFeed {
  public:
    void Subscribe(const LiveScreenPtr& screen, model::WorkspaceId workspace, LiveTopic topic,
                   const model::PersonId& person) override {
        last = screen;
        asked.push_back("+" + std::to_string(workspace) + ":" +
                        std::to_string(static_cast<int>(topic)) + ":" +
                        std::to_string(person.lo));
    }
    void Unsubscribe(const LiveScreenPtr&, LiveTopic topic,
                     const model::PersonId& person) override {
        asked.push_back("-" + std::to_string(static_cast<int>(topic)) + ":" +
                        std::to_string(person.lo));
    }
    void Leave(const LiveScreenPtr& screen) override {
        asked.push_back(screen == last ? "gone" : "gone, whoever that was");
    }
    LiveScreenPtr last;
    std::vector<std::string> asked;
};

struct Live : TestServices {
    Live() { services->live = &feed; }
    Request Upgrade(std::vector<std::pair<std::string, std::string>> fields) {
        Request request = Request::Make(Method::kGet, "/api/v1/live");
        request.peer_address = "127.0.0.1";
        request.headers.Add("Host", kHost);
        request.headers.Add("Upgrade", "websocket");
        request.headers.Add("Connection", "Upgrade");
        request.headers.Add("Sec-WebSocket-Version", "13");
        request.headers.Add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        for (const auto& [name, value] : fields) request.headers.Add(name, value);
        return request;
    }
    Response Ask(std::vector<std::pair<std::string, std::string>> fields) {
        return TestServices::Ask(Serve, Upgrade(std::move(fields)));
    }
    // Signs the first teammate in: fields of a browser's request.
    std::vector<std::pair<std::string, std::string>> SignIn() {
        Request request = Request::Make(
            Method::kPost, "/api/v1/start",
            R"({"name":"Ada","email":"ada@example.test","password":"correct horse"})");
        request.peer_address = "127.0.0.1";
        request.headers.Add("Host", kHost);
        request.headers.Add("Origin", std::string("http://") + kHost);
        request.headers.Add("Content-Type", "application/json");
        const Response response = TestServices::Ask(Serve, std::move(request));
        const std::string cookie(response.headers.Get("Set-Cookie"));
        const std::string body = Text(response);
        const size_t at = body.find("\"csrf\":\"") + 8;
        csrf = body.substr(at, body.find('"', at) - at);
        return {{"Cookie", cookie.substr(0, cookie.find(';'))},
                {"Origin", std::string("http://") + kHost}};
    }
    // An open stream.
    void Open(std::vector<std::pair<std::string, std::string>> fields) {
        const Response response = Ask(std::move(fields));
        ASSERT_EQ(101, response.status);
        stream = response.upgrade;
        stream->Begin(wire);
    }
    void Say(std::string_view text) { stream->Received(Masked(Opcode::kText, text)); }
    std::string First(int workspace) const {
        return "{\"csrf\":\"" + csrf + "\",\"workspace\":" + std::to_string(workspace) + "}";
    }
    ~Live() {
        if (stream) stream->Ended();
    }

    MemoryFeed feed;
    std::string csrf;
    std::shared_ptr<MemoryWire> wire = std::make_shared<MemoryWire>();
    std::shared_ptr<http::Upgrade> stream;
};

TEST(LiveUpgrade, OnlyOurOwnPagesAndKeysThatReadGetIn) {
    Live t;
    auto browser = t.SignIn();
    EXPECT_EQ(101, t.Ask(browser).status);
    // A page elsewhere has the cookie too.
    for (const char* origin : {"http://evil.example", "https://127.0.0.1:8080", "null",
                               "http://127.0.0.1:8081"}) {
        browser[1].second = origin;
        EXPECT_EQ(403, t.Ask(browser).status) << origin;
    }
    browser.pop_back();
    EXPECT_EQ(403, t.Ask(browser).status);
    const std::string secret = "Bearer " + t.keys.secret_key;
    EXPECT_EQ(101, t.Ask({{"Authorization", secret}}).status);
    EXPECT_EQ(403, t.Ask({{"Authorization", secret}, {"Origin", "http://evil.example"}}).status);
    EXPECT_EQ(401, t.Ask({{"Authorization", "Bearer sk_unknown"}}).status);
    EXPECT_EQ(403, t.Ask({{"Authorization", "Bearer " + t.keys.write_key}}).status);
    const auto ingest = t.catalog->CreateKey(1, "only ingest", true,
                                             static_cast<uint8_t>(catalog::Scope::kIngest));
    EXPECT_EQ(403, t.Ask({{"Authorization", "Bearer " + ingest->text}}).status);
}

TEST(LiveUpgrade, WhoIsNotSignedInIsToldByTheCode) {
    Live t;
    t.Open({{"Origin", std::string("http://") + kHost}});
    EXPECT_EQ(4401, t.wire->code);
}

TEST(LiveUpgrade, BeyondTheLimitItIsForLater) {
    Live t;
    t.services->live_screens = limits::kLiveScreensMax;
    EXPECT_EQ(503, t.Ask({{"Authorization", "Bearer " + t.keys.secret_key}}).status);
    t.services->live_screens = limits::kLiveScreensMax - 1;
    EXPECT_EQ(101, t.Ask({{"Authorization", "Bearer " + t.keys.secret_key}}).status);
}

TEST(LiveFrames, TheFirstOneNamesTokenAndWorkspace) {
    Live t;
    t.Open(t.SignIn());
    t.Say(t.First(1));
    ASSERT_EQ(1u, t.wire->texts.size());
    EXPECT_EQ(R"({"hello":{"now":"2026-01-05T10:00:00.000Z"}})", t.wire->texts[0]);
    EXPECT_FALSE(t.wire->finished);
}

TEST(LiveFrames, AWrongFirstFrameIsClosed) {
    const auto code = [](const std::function<std::string(const Live&)>& first) {
        Live t;
        t.Open(t.SignIn());
        t.Say(first(t));
        EXPECT_THAT(t.wire->texts, IsEmpty());
        return t.wire->code;
    };
    EXPECT_EQ(4403, code([](const Live&) { return R"({"csrf":"x","workspace":1})"; }));
    EXPECT_EQ(4403, code([](const Live& t) { return t.First(99); }));
    EXPECT_EQ(4403, code([](const Live& t) {
                  return "{\"csrf\":\"" + t.csrf + "\",\"workspace\":4294967297}";
              }));
    EXPECT_EQ(4400, code([](const Live& t) { return "{\"csrf\":\"" + t.csrf + "\"}"; }));
    EXPECT_EQ(4400, code([](const Live&) { return R"({"subscribe":"counts"})"; }));
    EXPECT_EQ(4400, code([](const Live&) { return "hello"; }));
}

TEST(LiveFrames, AKeyIsOfOneWorkspace) {
    Live t;
    t.Open({{"Authorization", "Bearer " + t.keys.secret_key}});
    t.Say("{\"workspace\":2}");
    EXPECT_EQ(4403, t.wire->code);
    Live again;
    again.Open({{"Authorization", "Bearer " + again.keys.secret_key}});
    again.Say("{}");
    again.Say(R"({"subscribe":"counts"})");
    EXPECT_THAT(again.feed.asked, ElementsAre("+1:0:0"));
}

TEST(LiveFrames, TopicsAreSubscribedAndLeft) {
    Live t;
    t.Open(t.SignIn());
    t.Say(t.First(2));
    t.Say(R"({"subscribe":"counts"})");
    t.Say(R"({"subscribe":"events"})");
    t.Say(R"({"subscribe":"visitors"})");
    t.Say(std::string(R"({"subscribe":"person","id":")") + kAda + "\"}");
    t.Say(R"({"unsubscribe":"events"})");
    t.Say(std::string(R"({"unsubscribe":"person","id":")") + kAda + "\"}");
    EXPECT_THAT(t.feed.asked,
                ElementsAre("+2:0:0", "+2:1:0", "+2:2:0", "+2:3:2", "-1:0", "-3:2"));
    t.feed.last->Show(std::make_shared<const std::string>(
        websocket::Frame(Opcode::kText, "{\"topic\":1}")));
    EXPECT_EQ("{\"topic\":1}", t.wire->texts.back());
    std::exchange(t.stream, nullptr)->Ended();
    EXPECT_EQ("gone", t.feed.asked.back());
}

TEST(LiveFrames, WhatCannotBeGrantedIsSaidAndWhatIsNoFrameCloses) {
    Live t;
    t.Open({{"Authorization", "Bearer " + t.keys.secret_key}});
    t.Say("{}");
    t.Say(R"({"subscribe":"secrets"})");
    EXPECT_THAT(t.wire->texts.back(), HasSubstr("\"not_found\""));
    t.Say(R"({"subscribe":"person","id":"ada"})");
    EXPECT_THAT(t.wire->texts.back(), HasSubstr("\"invalid_argument\""));
    EXPECT_THAT(t.feed.asked, IsEmpty());
    t.Say(R"({"listen":"counts"})");
    EXPECT_EQ(4400, t.wire->code);
}


TEST(Conditions, TextAndTreeAreOne) {
    TestServices t;
    const std::string path = "/api/v1/conditions";
    const Response by_text = t.Api(Method::kPost, path, R"({"text":"plan  is  \"pro\""})");
    EXPECT_EQ(200, by_text.status);
    EXPECT_THAT(Text(by_text), HasSubstr(R"({"text":"plan is \"pro\"","tree":{)"));
    const std::string body = Text(by_text);
    const std::string tree = body.substr(body.find("\"tree\":"));
    const Response by_tree = t.Api(Method::kPost, path, "{" + tree);
    EXPECT_EQ(body, Text(by_tree));
    EXPECT_THAT(Text(t.Api(Method::kPost, path, R"({"text":"plan is"})")),
                HasSubstr("\"at\":\"text:1:"));
    EXPECT_THAT(Text(t.Api(Method::kPost, path, R"({"tree":{"and":[{"op":"?"}]}})")),
                HasSubstr("\"at\":\"tree"));
    for (const char* wrong : {"{}", R"({"text":"plan is \"pro\"","tree":{}})", R"({"tree":"x"})",
                              R"({"text":{}})"}) {
        EXPECT_EQ(400, t.Api(Method::kPost, path, wrong).status) << wrong;
    }
}

TEST(Home, IsAskedOfTheWorkspaceOfTheKey) {
    TestServices t;
    EXPECT_EQ("{\"home\":1}", Text(t.Api(Method::kGet, "/api/v1/home")));
    EXPECT_EQ("{\"events\":50}", Text(t.Api(Method::kGet, "/api/v1/events/recent")));
    EXPECT_EQ("{\"events\":7}", Text(t.Api(Method::kGet, "/api/v1/events/recent?limit=7")));
    EXPECT_EQ(400, t.Api(Method::kGet, "/api/v1/events/recent?limit=501").status);
}

TEST(Journeys, TheirNumbersStandInTheListAndAlone) {
    TestServices t;
    const Response made = t.Api(
        Method::kPost, "/api/v1/journeys",
        R"({"name":"Start","entry":{"event":"Signed Up","again":"once"},)"
        R"("steps":[{"id":"w1","type":"wait","for":"1h"}]})");
    ASSERT_EQ(201, made.status);
    EXPECT_THAT(Text(made), testing::Not(HasSubstr("in_it")));
    const uint32_t number = catalog::JourneyNumber(Text(made).substr(7, 5));
    ASSERT_NE(0u, number) << Text(made);
    const std::string id = catalog::JourneyId(number);
    EXPECT_THAT(Text(t.Api(Method::kGet, "/api/v1/journeys/" + id)),
                HasSubstr(R"("in_it":0,"sent":0,"goal":0)"));
    t.queries.journeys[number] = {3, 2, 1};
    EXPECT_THAT(Text(t.Api(Method::kGet, "/api/v1/journeys/" + id)),
                HasSubstr(R"("in_it":3,"sent":2,"goal":1)"));
    EXPECT_THAT(Text(t.Api(Method::kGet, "/api/v1/journeys")),
                HasSubstr(R"("in_it":3,"sent":2,"goal":1)"));
    t.queries.fail = base::ErrorCode::kUnavailable;
    EXPECT_EQ(503, t.Api(Method::kGet, "/api/v1/journeys").status);
}

}  // namespace
}  // namespace api
