// Accounts as a browser meets them: the first teammate, sessions, keys, workspaces.

#include <gmock/gmock.h>
#include <simdjson.h>

#include "api/session.h"
#include "api/test_services.h"

namespace api {
namespace {

using http::Method;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kHost = "127.0.0.1:8080";
constexpr const char* kStart =
    R"({"name":"Ada","email":"Ada@Example.test","password":"correct horse","language":"ja"})";
constexpr const char* kSignIn = R"({"email":"ada@example.test","password":"correct horse"})";

std::string Field(const http::Response& response, const char* key) {
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    std::string_view text;
    const std::string body = Text(response);
    if (parser.parse(simdjson::padded_string(body)).get(root) != simdjson::SUCCESS ||
        root[key].get(text) != simdjson::SUCCESS) {
        return {};
    }
    return std::string(text);
}

// Keeps the cookie, and sends what our own page would send.
class Browser {
  public:
    explicit Browser(TestServices& t) : t_(t) {}

    http::Request Make(Method method, std::string_view target, std::string_view body = {}) {
        http::Request request = http::Request::Make(method, target, body);
        request.peer_address = peer;
        request.headers.Add("Host", host);
        request.headers.Add("User-Agent", "Test/1");
        if (!cookie.empty()) request.headers.Add("Cookie", "other=1; " + cookie);
        if (workspace != 0) request.headers.Add("X-Ripen-Workspace", std::to_string(workspace));
        if (method != Method::kGet) {
            request.headers.Add("Origin", "http://" + host);
            if (!csrf.empty()) request.headers.Add("X-Ripen-Csrf", csrf);
            if (!body.empty()) request.headers.Add("Content-Type", "application/json");
        }
        return request;
    }
    http::Response Send(http::Request request) {
        http::Response response = t_.Ask(Serve, std::move(request));
        const std::string_view set = response.headers.Get("Set-Cookie");
        if (!set.empty()) cookie = set.substr(0, set.find(';'));
        const std::string token = Field(response, "csrf");
        if (!token.empty()) csrf = token;
        return response;
    }
    http::Response Ask(Method method, std::string_view target, std::string_view body = {}) {
        return Send(Make(method, target, body));
    }
    http::Response Get(std::string_view target) { return Ask(Method::kGet, target); }
    http::Response Post(std::string_view target, std::string_view body) {
        return Ask(Method::kPost, target, body);
    }

    std::string peer = "127.0.0.1";
    std::string host = kHost;
    std::string cookie, csrf;
    model::WorkspaceId workspace = 1;

  private:
    TestServices& t_;
};

TEST(Accounts, TheFirstTeammateIsMadeOnceAndOwnsAllWorkspaces) {
    TestServices t;
    t.services->version = "1.2.3";
    t.services->public_port = 8081;
    t.services->sandbox_url = "https://sandbox.example.test";
    Browser ada(t);
    EXPECT_EQ(R"({"state":"start","version":"1.2.3","insecure":false,)"
              R"("public_url":"http://127.0.0.1:8081",)"
              R"("sandbox_url":"https://sandbox.example.test"})",
              Text(ada.Get("/api/v1/session")));
    const http::Response made = ada.Post("/api/v1/start", kStart);
    ASSERT_EQ(201, made.status) << Text(made);
    EXPECT_THAT(Text(made), HasSubstr(R"("state":"signed_in")"));
    EXPECT_THAT(Text(made), HasSubstr(R"("teammate":{"id":"t1","name":"Ada",)"
                                      R"("email":"ada@example.test","language":"ja"})"));
    EXPECT_THAT(Text(made), HasSubstr(R"("workspaces":[{"id":1,"name":"Shop","demo":false},)"
                                      R"({"id":2,"name":"Other","demo":false}])"));
    const std::string set(made.headers.Get("Set-Cookie"));
    EXPECT_THAT(set, testing::StartsWith("ripen_session="));
    for (const char* part : {"; Path=/", "; HttpOnly", "; SameSite=Strict"}) {
        EXPECT_THAT(set, HasSubstr(part));
    }
    EXPECT_THAT(set, Not(HasSubstr("Secure")));
    EXPECT_EQ(Text(made), Text(ada.Get("/api/v1/session")));

    Browser eve(t);
    EXPECT_THAT(Text(eve.Get("/api/v1/session")), HasSubstr(R"("state":"signed_out")"));
    EXPECT_EQ(409, eve.Post("/api/v1/start", kStart).status);
}

TEST(Accounts, APasswordHasTenCharacters) {
    TestServices t;
    Browser ada(t);
    const auto start = [&](const std::string& password) {
        return ada.Post("/api/v1/start", R"({"name":"A","email":"a@b.example","password":")" +
                                             password + "\"}");
    };
    EXPECT_THAT(Text(start("123456789")), HasSubstr(R"("at":"password")"));
    EXPECT_EQ(400, start("\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9").status);
    EXPECT_EQ(400, start(std::string(limits::kPasswordBytesMax + 1, 'a')).status);
    EXPECT_EQ(201, start("1234567890").status);
}

class SignedIn : public testing::Test {
  protected:
    SignedIn() : ada(t), eve(t) {
        const auto made = ada.Post("/api/v1/start", kStart);
        EXPECT_EQ(201, made.status) << Text(made);
    }
    TestServices t{event_log::MemoryLog::Commit::kThread};
    Browser ada, eve;
};

TEST_F(SignedIn, ASessionMayWhatASecretKeyMay) {
    EXPECT_EQ(200, ada.Get("/api/v1/persons").status);
    EXPECT_EQ(201, ada.Post("/api/v1/segments", R"({"name":"P","condition":"plan is \"a\""})").status);
    EXPECT_THAT(Text(ada.Get("/api/v1/workspace")), HasSubstr(R"("name":"Shop")"));
    ada.workspace = 2;
    EXPECT_THAT(Text(ada.Get("/api/v1/workspace")), HasSubstr(R"("name":"Other")"));
    ada.workspace = 0;
    EXPECT_EQ(400, ada.Get("/api/v1/persons").status);
    EXPECT_EQ(401, eve.Get("/api/v1/persons").status);
    eve.cookie = "ripen_session=" + std::string(43, 'A');
    EXPECT_EQ(401, eve.Get("/api/v1/persons").status);
}

TEST_F(SignedIn, OnlyMembersEnterAWorkspaceAndItsThingsAreNotThereInAnother) {
    const auto keys = *t.catalog->CreateWorkspace("Third", false, 77);
    ada.workspace = keys.workspace;
    EXPECT_EQ(403, ada.Get("/api/v1/persons").status);
    EXPECT_EQ(403, ada.Post("/api/v1/keys", R"({"name":"x","kind":"write"})").status);
    ada.workspace = 99;
    EXPECT_EQ(403, ada.Get("/api/v1/persons").status);
    ada.workspace = 1;
    const std::string path = "/api/v1/workspaces/" + std::to_string(keys.workspace);
    EXPECT_EQ(404, ada.Ask(Method::kPatch, path, R"({"name":"Mine"})").status);
    EXPECT_EQ(404, ada.Ask(Method::kDelete, path).status);
    const auto theirs = t.catalog->Keys(2);
    ASSERT_EQ(2u, theirs.size());
    const std::string key = "/api/v1/keys/k" + std::to_string(theirs[0]->number);
    EXPECT_EQ(404, ada.Ask(Method::kDelete, key).status);
    EXPECT_EQ(2u, t.catalog->Keys(2).size());
    const auto segment = t.catalog->CreateSegment(2, "Theirs", "plan is \"a\"").value();
    EXPECT_EQ(404,
              ada.Get("/api/v1/segments/" + catalog::SegmentId(segment->number)).status);
}

TEST_F(SignedIn, EveryChangeNeedsTokenOriginAndJson) {
    int routes = 0;
    for (const RouteRow& row : Routes()) {
        if (!row.needs_key || row.method == Method::kGet) continue;
        ++routes;
        std::string path(row.path);
        if (path.ends_with("{id}")) path.replace(path.size() - 4, 4, "k1");
        const auto status = [&](auto&& change) {
            http::Request request = ada.Make(row.method, path, "{}");
            change(request.headers);
            return ada.Send(std::move(request)).status;
        };
        EXPECT_EQ(403, status([](auto& h) { h.Remove("X-Ripen-Csrf"); })) << path;
        EXPECT_EQ(403, status([](auto& h) { h.Set("X-Ripen-Csrf", "abc"); })) << path;
        EXPECT_EQ(403, status([](auto& h) { h.Remove("Origin"); })) << path;
        for (const char* origin : {"http://evil.example", "null", "https://127.0.0.1:8080",
                                   "http://127.0.0.1:8081", "http://127.0.0.1"}) {
            EXPECT_EQ(403, status([&](auto& h) { h.Set("Origin", origin); })) << path << origin;
        }
        for (const char* type : {"text/plain", "application/x-www-form-urlencoded",
                                 "multipart/form-data; boundary=x"}) {
            EXPECT_EQ(415, status([&](auto& h) { h.Set("Content-Type", type); })) << path;
        }
    }
    EXPECT_GT(routes, 10);
    // The token of one session is no token of another.
    Browser second(t);
    ASSERT_EQ(200, second.Post("/api/v1/session", kSignIn).status);
    second.csrf = ada.csrf;
    EXPECT_EQ(403, second.Post("/api/v1/keys", R"({"name":"x","kind":"write"})").status);
}

TEST_F(SignedIn, ANameThatWasReboundToUsIsNoOriginOfOurs) {
    ada.host = "evil.example:8080";
    EXPECT_EQ(403, ada.Post("/api/v1/keys", R"({"name":"x","kind":"write"})").status);
    eve.host = "evil.example:8080";
    EXPECT_EQ(403, eve.Post("/api/v1/session", kSignIn).status);
    eve.host = "localhost:8080";
    EXPECT_EQ(200, eve.Post("/api/v1/session", kSignIn).status);
}

TEST_F(SignedIn, AKeyThatIsNamedCountsBeforeTheCookie) {
    http::Request request = ada.Make(Method::kPost, "/api/v1/segments",
                                     R"({"name":"K","condition":"plan is \"a\""})");
    request.headers.Remove("Origin");
    request.headers.Remove("X-Ripen-Csrf");
    request.headers.Add("Authorization", "Bearer " + t.other_keys.secret_key);
    EXPECT_EQ(201, ada.Send(std::move(request)).status);
    EXPECT_EQ(1u, t.catalog->Segments(2).size());
    request = ada.Make(Method::kGet, "/api/v1/persons");
    request.headers.Add("Authorization", "Bearer sk_unknown");
    EXPECT_EQ(401, ada.Send(std::move(request)).status);
}

TEST_F(SignedIn, PlainHttpBeyondThisMachineNeedsAWordOfTheAdministrator) {
    eve.peer = "192.0.2.7";
    EXPECT_THAT(Text(eve.Get("/api/v1/session")), HasSubstr(R"("insecure":true)"));
    EXPECT_EQ(403, eve.Post("/api/v1/session", kSignIn).status);
    eve.peer = "127.0.0.1";
    eve.host = "192.0.2.1:8080";   // A proxy of this machine, to the outside in clear.
    EXPECT_EQ(403, eve.Post("/api/v1/session", kSignIn).status);
    t.services->admin_insecure = true;
    EXPECT_EQ(200, eve.Post("/api/v1/session", kSignIn).status);
    t.services->admin_insecure = false;

    t.services->admin_url = "https://ripen.example.test";
    Browser far(t);
    far.host = "ripen.example.test";
    far.peer = "192.0.2.9";
    EXPECT_THAT(Text(far.Get("/api/v1/session")), HasSubstr(R"("insecure":false)"));
    http::Request request = far.Make(Method::kPost, "/api/v1/session", kSignIn);
    EXPECT_EQ(403, far.Send(std::move(request)).status) << "the origin is https";
    request = far.Make(Method::kPost, "/api/v1/session", kSignIn);
    request.headers.Set("Origin", "https://ripen.example.test");
    const http::Response in = far.Send(std::move(request));
    EXPECT_EQ(200, in.status) << Text(in);
    const std::string set(in.headers.Get("Set-Cookie"));
    EXPECT_THAT(set, testing::StartsWith("__Host-ripen_session="));
    EXPECT_THAT(set, HasSubstr("; Secure"));
}

TEST_F(SignedIn, AWrongPasswordAndAnUnknownAddressAnswerAlike) {
    const auto wrong =
        eve.Post("/api/v1/session", R"({"email":"ada@example.test","password":"wrong wrong"})");
    const auto unknown =
        eve.Post("/api/v1/session", R"({"email":"bob@example.test","password":"wrong wrong"})");
    EXPECT_EQ(401, wrong.status);
    EXPECT_THAT(Text(wrong), HasSubstr(R"("code":"wrong_credentials")"));
    EXPECT_EQ(Text(wrong), Text(unknown));
    EXPECT_EQ(wrong.status, unknown.status);
    EXPECT_EQ("", unknown.headers.Get("Set-Cookie"));
}

TEST_F(SignedIn, GuessingLocksTheAccountForLongerEachTimeAndNotTheOwnersOwnAddress) {
    eve.peer = "127.0.0.5";
    const char* const wrong = R"({"email":"ada@example.test","password":"wrong wrong"})";
    for (uint32_t n = 0; n < limits::kSignInFreeTries; ++n) {
        EXPECT_EQ(401, eve.Post("/api/v1/session", wrong).status);
    }
    const auto locked = eve.Post("/api/v1/session", kSignIn);
    EXPECT_EQ(429, locked.status) << "also with the right one";
    EXPECT_EQ("1", locked.headers.Get("Retry-After"));
    EXPECT_THAT(Text(locked), HasSubstr(R"("code":"locked")"));
    t.clock.MoveTo(t.clock.Now() + limits::kSignInLockMs);
    EXPECT_EQ(401, eve.Post("/api/v1/session", wrong).status);
    EXPECT_EQ("2", eve.Post("/api/v1/session", wrong).headers.Get("Retry-After"));
    Browser other(t);
    other.peer = "127.0.0.6";
    EXPECT_EQ(429, other.Post("/api/v1/session", kSignIn).status) << "from another address too";
    Browser home(t);
    EXPECT_EQ(200, home.Post("/api/v1/session", kSignIn).status);
}

TEST_F(SignedIn, TheSessionIdIsNewAtEverySignInAndTheOldOneEnds) {
    const std::string before = ada.cookie;
    ASSERT_EQ(200, ada.Post("/api/v1/session", kSignIn).status);
    EXPECT_NE(before, ada.cookie);
    eve.cookie = before;
    EXPECT_EQ(401, eve.Get("/api/v1/persons").status);
    EXPECT_EQ(200, ada.Get("/api/v1/persons").status);
}

TEST_F(SignedIn, SigningOutEndsTheSession) {
    const std::string before = ada.cookie;
    const auto out = ada.Ask(Method::kDelete, "/api/v1/session");
    EXPECT_EQ(204, out.status);
    EXPECT_THAT(std::string(out.headers.Get("Set-Cookie")), HasSubstr("Max-Age=0"));
    ada.cookie = before;
    EXPECT_EQ(401, ada.Get("/api/v1/persons").status);
}

TEST_F(SignedIn, SessionsAreListedAndRevoked) {
    eve.peer = "127.0.0.9";
    ASSERT_EQ(200, eve.Post("/api/v1/session", kSignIn).status);
    const std::string list = Text(ada.Get("/api/v1/sessions"));
    EXPECT_THAT(list, HasSubstr(R"("id":"s1")"));
    EXPECT_THAT(list, HasSubstr(R"("address":"127.0.0.9","agent":"Test/1","current":false)"));
    EXPECT_THAT(list, HasSubstr(R"("current":true)"));
    EXPECT_EQ(404, ada.Ask(Method::kDelete, "/api/v1/sessions/s77").status);
    EXPECT_EQ(404, ada.Ask(Method::kDelete, "/api/v1/sessions/x").status);
    EXPECT_EQ(204, ada.Ask(Method::kDelete, "/api/v1/sessions/s2").status);
    EXPECT_EQ(401, eve.Get("/api/v1/persons").status);
    EXPECT_EQ(200, ada.Get("/api/v1/persons").status);
}

TEST_F(SignedIn, ASessionEndsWhenIdleAndWhenOld) {
    t.clock.MoveTo(t.clock.Now() + limits::kSessionIdleMs - 1);
    EXPECT_EQ(200, ada.Get("/api/v1/persons").status);
    t.clock.MoveTo(t.clock.Now() + limits::kSessionIdleMs);
    EXPECT_EQ(401, ada.Get("/api/v1/persons").status);
    ASSERT_EQ(200, ada.Post("/api/v1/session", kSignIn).status);
    const base::TimeMs end = t.clock.Now() + limits::kSessionLifeMs;
    while (t.clock.Now() + base::kDayMs < end) {
        t.clock.MoveTo(t.clock.Now() + base::kDayMs);
        ASSERT_EQ(200, ada.Get("/api/v1/persons").status);
    }
    t.clock.MoveTo(end);
    EXPECT_EQ(401, ada.Get("/api/v1/persons").status);
}

TEST_F(SignedIn, ANewPasswordEndsTheOtherSessions) {
    ASSERT_EQ(200, eve.Post("/api/v1/session", kSignIn).status);
    const auto change = [&](const char* old, const char* chosen) {
        return ada.Post("/api/v1/password",
                        R"({"old":")" + std::string(old) + R"(","new":")" + chosen + "\"}");
    };
    EXPECT_EQ(403, change("wrong horse", "better horse").status);
    EXPECT_EQ(400, change("correct horse", "short").status);
    EXPECT_EQ(200, eve.Get("/api/v1/persons").status);
    EXPECT_EQ(204, change("correct horse", "better horse").status);
    EXPECT_EQ(401, eve.Get("/api/v1/persons").status);
    EXPECT_EQ(200, ada.Get("/api/v1/persons").status);
    EXPECT_EQ(401, eve.Post("/api/v1/session", kSignIn).status);
    EXPECT_EQ(200, eve.Post("/api/v1/session",
                            R"({"email":"ada@example.test","password":"better horse"})").status);
}

TEST_F(SignedIn, NameAndLanguageAreHers) {
    EXPECT_THAT(Text(ada.Ask(Method::kPatch, "/api/v1/session", R"({"language":"en"})")),
                HasSubstr(R"("name":"Ada","email":"ada@example.test","language":"en")"));
    EXPECT_EQ(400, ada.Ask(Method::kPatch, "/api/v1/session", R"({"language":"xx"})").status);
    EXPECT_EQ(400, ada.Ask(Method::kPatch, "/api/v1/session", R"({"name":""})").status);
    EXPECT_EQ(400, ada.Ask(Method::kPatch, "/api/v1/session", R"({"role":"x"})").status);
}

TEST_F(SignedIn, KeysAreMadeListedAndRevoked) {
    const auto made = ada.Post("/api/v1/keys", R"({"name":"Blog","kind":"write"})");
    ASSERT_EQ(201, made.status) << Text(made);
    const std::string text = Field(made, "text"), id = Field(made, "id");
    EXPECT_THAT(text, testing::StartsWith("pk_"));
    EXPECT_THAT(Text(made), HasSubstr(R"("scopes":["ingest"])"));
    const auto secret = ada.Post("/api/v1/keys", R"({"name":"Reports","kind":"secret"})");
    ASSERT_EQ(201, secret.status);
    const std::string secret_text = Field(secret, "text");
    std::string list = Text(ada.Get("/api/v1/keys"));
    EXPECT_THAT(list, HasSubstr(text));
    EXPECT_THAT(list, HasSubstr(t.keys.write_key));
    EXPECT_THAT(list, Not(HasSubstr(secret_text)));
    EXPECT_THAT(list, Not(HasSubstr(t.keys.secret_key)));
    EXPECT_THAT(list, Not(HasSubstr(t.other_keys.write_key)));
    EXPECT_THAT(list, HasSubstr(R"("last_used":null)"));

    t.Ask(Serve, t.Post("/v1/track", R"({"event":"X","userId":"u"})", text));
    EXPECT_THAT(Text(ada.Get("/api/v1/keys")),
                HasSubstr(R"("last_used":"2026-01-05T10:00:00.000Z","text":")" + text));
    EXPECT_EQ(204, ada.Ask(Method::kDelete, "/api/v1/keys/" + id).status);
    EXPECT_EQ(404, ada.Ask(Method::kDelete, "/api/v1/keys/" + id).status);
    EXPECT_EQ(404, ada.Ask(Method::kDelete, "/api/v1/keys/x").status);
    EXPECT_EQ(401, t.Ask(Serve, t.Post("/v1/track", R"({"event":"X","userId":"u"})", text)).status);
    for (const char* body : {R"({"name":"x","kind":"other"})", R"({"name":"","kind":"write"})",
                             R"({"name":"x","kind":"secret","scopes":[]})",
                             R"({"name":"x","kind":"secret","scopes":["all"]})",
                             R"({"name":"x","kind":"secret","scopes":"read"})",
                             R"({"name":"x","kind":"write","scopes":["read"]})"}) {
        EXPECT_EQ(400, ada.Post("/api/v1/keys", body).status) << body;
    }
}

TEST_F(SignedIn, AKeyDoesWhatItsScopesSayAndNeverMakesKeys) {
    const auto made = [&](const char* scopes) {
        return Field(ada.Post("/api/v1/keys", R"({"name":"k","kind":"secret","scopes":)" +
                                                  std::string(scopes) + "}"),
                     "text");
    };
    const std::string ingest = made(R"(["ingest"])"), read = made(R"(["read"])"),
                      write = made(R"(["write"])");
    const auto statuses = [&](const std::string& key) {
        static int n = 0;
        const std::string bearer = "Bearer " + key;
        const std::string body =
            R"({"name":"S)" + std::to_string(++n) + R"(","condition":"plan is \"a\""})";
        return std::vector<int>{
            t.Ask(Serve, t.Post("/v1/track", R"({"event":"X","userId":"u"})", key)).status,
            t.Api(Method::kGet, "/api/v1/persons", {}, bearer).status,
            t.Api(Method::kPost, "/api/v1/segments/preview", R"({"condition":"plan is \"a\""})",
                  bearer).status,
            t.Api(Method::kPost, "/api/v1/segments", body, bearer).status};
    };
    EXPECT_EQ((std::vector<int>{200, 403, 403, 403}), statuses(ingest));
    EXPECT_EQ((std::vector<int>{403, 200, 200, 403}), statuses(read));
    EXPECT_EQ((std::vector<int>{403, 403, 403, 201}), statuses(write));
    EXPECT_EQ((std::vector<int>{200, 200, 200, 201}), statuses(t.keys.secret_key));
    for (const RouteRow& row : Routes()) {
        if (!row.teammate_only) continue;
        EXPECT_EQ(403, t.Api(row.method, row.path, "{}").status) << row.path;
    }
}

TEST_F(SignedIn, WorkspacesAreMadeRenamedAndDeleted) {
    std::vector<model::WorkspaceId> deleted;
    t.services->workspace_deleted = [&](model::WorkspaceId w) { deleted.push_back(w); };
    const auto made = ada.Post("/api/v1/workspaces", R"({"name":"Third"})");
    ASSERT_EQ(201, made.status) << Text(made);
    EXPECT_THAT(Text(made), HasSubstr(R"({"id":3,"name":"Third","demo":false,"write_key":"pk_)"));
    const std::string key = Field(made, "secret_key");
    EXPECT_EQ(200, t.Api(Method::kGet, "/api/v1/persons", {}, "Bearer " + key).status);
    EXPECT_EQ(200, ada.Ask(Method::kPatch, "/api/v1/workspaces/3", R"({"name":"3rd"})").status);
    EXPECT_THAT(Text(ada.Get("/api/v1/session")), HasSubstr(R"({"id":3,"name":"3rd")"));
    RefusedEvent refused;
    refused.workspace = 3;
    t.services->refused.Add(refused);

    ada.workspace = 3;
    EXPECT_EQ(204, ada.Ask(Method::kDelete, "/api/v1/workspaces/3").status);
    EXPECT_EQ(std::vector<model::WorkspaceId>{3}, deleted);
    EXPECT_EQ(401, t.Api(Method::kGet, "/api/v1/persons", {}, "Bearer " + key).status);
    EXPECT_EQ(401, t.Ask(Serve, t.Post("/v1/track", R"({"event":"X","userId":"u"})", key)).status);
    EXPECT_EQ(403, ada.Get("/api/v1/persons").status);
    EXPECT_THAT(Text(ada.Get("/api/v1/session")), Not(HasSubstr("3rd")));
    EXPECT_EQ(R"({"refused":[],"next_cursor":null})", *t.services->refused.List(3, 10, ""));
    EXPECT_EQ(404, ada.Ask(Method::kDelete, "/api/v1/workspaces/3").status);
    EXPECT_EQ(204, ada.Ask(Method::kDelete, "/api/v1/workspaces/2").status);
    EXPECT_EQ(409, ada.Ask(Method::kDelete, "/api/v1/workspaces/1").status);
    EXPECT_THAT(Text(ada.Post("/api/v1/workspaces", R"({"name":"Fourth"})")),
                HasSubstr(R"("id":4)"));
}

TEST_F(SignedIn, WhoStaysConnectedLosesAuthorityWithTheSession) {
    const auto who = SessionOf(*t.services, ada.Make(Method::kGet, "/api/v1/live"));
    ASSERT_TRUE(who.has_value());
    EXPECT_TRUE(IsCsrf(*who, ada.csrf));
    EXPECT_FALSE(IsCsrf(*who, ""));
    EXPECT_TRUE(who->MayEnter(2));
    EXPECT_FALSE(who->MayEnter(3));
    EXPECT_TRUE(StillSigned(*t.services, *who, 2));
    EXPECT_FALSE(StillSigned(*t.services, *who, 3));
    ASSERT_TRUE(t.catalog->DeleteWorkspace(2));
    EXPECT_FALSE(StillSigned(*t.services, *who, 2));
    EXPECT_TRUE(StillSigned(*t.services, *who, 1));
    ASSERT_TRUE(t.sessions->End(1, who->session));
    EXPECT_FALSE(StillSigned(*t.services, *who, 1));
    EXPECT_FALSE(SessionOf(*t.services, ada.Make(Method::kGet, "/api/v1/live")).has_value());
}

}  // namespace
}  // namespace api
