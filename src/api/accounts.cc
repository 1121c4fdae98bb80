// Who is signed in: the first teammate, signing in and out, sessions, the password.

#include <charconv>

#include "api/resources.h"
#include "base/json.h"
#include "catalog/passwords.h"

namespace api {
namespace {

using base::ErrorCode;
using catalog::TeammatePtr;

std::string PortUrl(const http::Request& request, const std::string& set, uint16_t port) {
    if (!set.empty() || port == 0) return set;
    std::string_view host = request.headers.Get("Host");
    const size_t colon = host.rfind(':');
    if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) {
        host = host.substr(0, colon);
    }
    return "http://" + std::string(host.empty() ? "127.0.0.1" : host) + ":" + std::to_string(port);
}

std::string StateJson(const Services& services, const http::Request& request,
                      const TeammatePtr& teammate, const std::string& csrf) {
    std::string out;
    base::JsonWriter w(out);
    w.Begin('{').Key("state");
    w.String(teammate                          ? "signed_in"
             : services.catalog.HasTeammates() ? "signed_out"
                                               : "start");
    w.Key("version").String(services.version);
    w.Key("insecure").Bool(IsInsecure(services, request));
    w.Key("public_url").String(PortUrl(request, services.public_url, services.public_port));
    w.Key("sandbox_url").String(PortUrl(request, services.sandbox_url, services.sandbox_port));
    if (teammate) {
        w.Key("teammate").Begin('{').Key("id").String("t" + std::to_string(teammate->number));
        w.Key("name").String(teammate->name).Key("email").String(teammate->email);
        w.Key("language").String(teammate->language).End('}');
        w.Key("workspaces").Begin('[');
        for (const auto& workspace : services.catalog.WorkspacesOf(teammate->number)) {
            w.Begin('{').Key("id").Int(workspace->number).Key("name").String(workspace->name);
            w.Key("demo").Bool(workspace->demo).End('}');
        }
        w.End(']').Key("csrf").String(csrf);
    }
    w.End('}');
    return out;
}

http::Response NoStore(int status, std::string json) {
    http::Response response = http::Response::Json(status, std::move(json));
    response.headers.Add("Cache-Control", "no-store");
    response.headers.Add("X-Content-Type-Options", "nosniff");
    return response;
}

// What has to hold of a request that may set a session; otherwise the refusal. Programs send no
// Origin, and have no cookie that could be abused.
std::optional<http::Response> RefuseStranger(const Call& call) {
    const bool named = call.request.headers.Find("Origin").has_value();
    if (!HasOwnHost(call.services, call.request) ||
        (named && !HasOwnOrigin(call.services, call.request))) {
        return ErrorResponse({ErrorCode::kForbidden, "foreign origin or host",
                              "The request comes from another page, or the server is asked by a "
                              "name that [admin] url does not have.",
                              {}});
    }
    if (auto refusal = RefuseType(call.request)) return refusal;
    if (IsInsecure(call.services, call.request) && !call.services.admin_insecure) {
        return ErrorResponse({ErrorCode::kForbidden, "plain http beyond this machine",
                              "A password would travel in clear. Put https in front and set "
                              "[admin] url, or set [admin] insecure = true.",
                              {}});
    }
    if (call.services.sessions == nullptr) {
        return ErrorResponse({ErrorCode::kUnavailable, "no table of sessions", {}, {}});
    }
    return std::nullopt;
}

void ReplyBusy(const http::Respond& respond) {
    Reply(respond, base::Fail(ErrorCode::kOverloaded, "too many passwords wait to be hashed"));
}

void ReplyLocked(const http::Respond& respond, base::DurationMs wait) {
    http::Response response = http::Response::Error(
        429, "locked", "There were too many wrong passwords. Wait, then try again.");
    response.headers.Add("Retry-After", std::to_string((wait + base::kSecondMs - 1) /
                                                       base::kSecondMs));
    respond(std::move(response));
}

void ReplyWrong(const http::Respond& respond) {
    respond(http::Response::Error(401, "wrong_credentials",
                                  "The email address or the password is wrong."));
}

// A new id at every sign-in: one that somebody else may have planted or seen ends.
void BeginSession(Services& services, const http::Request& request, const http::Respond& respond,
                  const TeammatePtr& teammate, int status) {
    const std::string address = ClientAddress(request);
    const base::TimeMs now = services.RealNow();
    const auto before = services.sessions->Use(CookieOf(services, request), address, now);
    // Should the end not reach the disk it is written later (Sessions::Flush).
    if (before) (void)services.sessions->End(before->teammate, before->number);
    catalog::Session session;
    session.teammate = teammate->number;
    session.password_version = teammate->password_version;
    session.created_ms = session.last_used_ms = now;
    session.address = address;
    session.agent = request.headers.Get("User-Agent");
    // On a full disk she is signed in until the next restart: semantics 20.
    base::Status stored;
    const std::string cookie = services.sessions->Begin(std::move(session), stored);
    http::Response response =
        NoStore(status, StateJson(services, request, teammate, CsrfOf(cookie)));
    response.headers.Add("Set-Cookie", SessionCookie(services, request, cookie));
    respond(std::move(response));
}

base::Status Get(Call& call) {
    TRY(CheckParameters(call.request, {}));
    const auto who = SessionOf(call.services, call.request);
    call.respond(NoStore(200, StateJson(call.services, call.request,
                                        who ? who->teammate : nullptr, who ? who->csrf : "")));
    return {};
}

base::Status Start(Call& call) {
    TRY(CheckParameters(call.request, {}));
    if (auto refusal = RefuseStranger(call)) {
        call.respond(std::move(*refusal));
        return {};
    }
    TRY_ASSIGN(const Body body,
               Body::Parse(call.request, {"name", "email", "password", "language"}));
    catalog::Teammate teammate;
    TRY_ASSIGN(teammate.name, body.Text("name"));
    TRY_ASSIGN(teammate.email, body.Text("email"));
    TRY_ASSIGN(const std::string password, body.Text("password"));
    TRY_ASSIGN(teammate.language, body.TextOrEmpty("language"));
    TRY(catalog::CheckPassword(password, "password"));
    if (call.services.catalog.HasTeammates()) {
        return base::Fail(ErrorCode::kConflict, "there is a teammate",
                          "This server has its first teammate already. Sign in.");
    }
    auto asked = std::make_shared<Call>(std::move(call));
    const bool posted = asked->services.hashes.Post([asked, teammate, password]() mutable {
        auto& services = asked->services;
        const auto made = [&]() -> base::Result<TeammatePtr> {
            TRY_ASSIGN(teammate.password_hash, catalog::HashPassword(password));
            return services.catalog.CreateFirstTeammate(teammate);
        }();
        if (!made) return Reply(asked->respond, tl::make_unexpected(made.error()));
        BeginSession(services, asked->request, asked->respond, *made, 201);
    });
    if (!posted) ReplyBusy(asked->respond);
    return {};
}

base::Status In(Call& call) {
    TRY(CheckParameters(call.request, {}));
    if (auto refusal = RefuseStranger(call)) {
        call.respond(std::move(*refusal));
        return {};
    }
    TRY_ASSIGN(const Body body, Body::Parse(call.request, {"email", "password"}));
    TRY_ASSIGN(std::string email, body.Text("email"));
    TRY_ASSIGN(std::string password, body.Text("password"));
    email = model::NormalEmail(email);
    // Longer than any that was ever taken, so it is wrong; and no more of it is kept or hashed.
    email.resize(std::min(email.size(), limits::kAddressBytesMax + 1));
    password.resize(std::min(password.size(), limits::kPasswordBytesMax + 1));
    Services& services = call.services;
    const std::string address = ClientAddress(call.request);
    const base::TimeMs now = services.RealNow();
    const auto found = services.catalog.FindTeammateByEmail(email);
    std::string account = email;
    if (found && services.sessions->Knows(found->number, address, now)) account += ' ' + address;
    if (const auto wait = services.guard.Begin(account, address, now); wait > 0) {
        ReplyLocked(call.respond, wait);
        return {};
    }
    auto asked = std::make_shared<Call>(std::move(call));
    const bool posted = services.hashes.Post([asked, found, account, address,
                                              password = std::move(password)] {
        const bool right = catalog::IsPassword(found ? found->password_hash : "", password);
        if (!right || !found) return ReplyWrong(asked->respond);
        asked->services.guard.Succeeded(account, address);
        BeginSession(asked->services, asked->request, asked->respond, found, 200);
    });
    if (!posted) {
        services.guard.Undone(account, address);
        ReplyBusy(asked->respond);
    }
    return {};
}

base::Status Patch(Call& call) {
    TRY(CheckParameters(call.request, {}));
    TRY_ASSIGN(const Body body, Body::Parse(call.request, {"name", "language"}));
    const TeammatePtr teammate = call.who->teammate;
    std::string name = teammate->name, language = teammate->language;
    if (body.Find("name")) {
        TRY_ASSIGN(name, body.Text("name"));
    }
    if (body.Find("language")) {
        TRY_ASSIGN(language, body.Text("language"));
    }
    auto asked = std::make_shared<Call>(std::move(call));
    Change(*asked, 200, [asked, teammate, name, language]() -> base::Result<std::string> {
        TRY_ASSIGN(const TeammatePtr changed,
                   asked->services.catalog.SetTeammateName(teammate->number, name, language));
        return StateJson(asked->services, asked->request, changed, asked->who->csrf);
    });
    return {};
}

// `work` on the thread of changes; 503 when too many wait.
void PostEnd(Call& call, bool forget, std::function<base::Status()> work) {
    auto asked = std::make_shared<Call>(std::move(call));
    const bool posted = asked->services.writes.Post([asked, forget, work = std::move(work)] {
        const base::Status status = work();
        if (!status || !forget) return ReplyNothing(asked->respond, status);
        http::Response response = http::Response::Empty(204);
        response.headers.Add("Cache-Control", "no-store");
        response.headers.Add("Set-Cookie", EndedCookie(asked->services, asked->request));
        asked->respond(std::move(response));
    });
    if (!posted) Reply(asked->respond, base::Fail(ErrorCode::kOverloaded, "too many changes wait"));
}

base::Status Out(Call& call) {
    TRY(CheckParameters(call.request, {}));
    PostEnd(call, true,
            [sessions = call.services.sessions, teammate = call.who->teammate->number,
             number = call.who->session] { return sessions->End(teammate, number); });
    return {};
}

base::Status List(Call& call) {
    TRY(CheckParameters(call.request, {}));
    std::string out;
    base::JsonWriter w(out);
    w.Begin('{').Key("sessions").Begin('[');
    for (const auto& s :
         call.services.sessions->Of(call.who->teammate->number, call.services.RealNow())) {
        if (s.password_version != call.who->teammate->password_version) continue;
        w.Begin('{').Key("id").String("s" + std::to_string(s.number));
        w.Key("created").Time(s.created_ms).Key("last_used").Time(s.last_used_ms);
        w.Key("address").String(s.address).Key("agent").String(s.agent);
        w.Key("current").Bool(s.number == call.who->session).End('}');
    }
    w.End(']').End('}');
    Reply(call.respond, std::move(out));
    return {};
}

base::Status End(Call& call) {
    TRY(CheckParameters(call.request, {}));
    const std::string_view id = call.id;
    uint64_t number = 0;
    const auto read = std::from_chars(id.data() + 1, id.data() + id.size(), number);
    if (!id.starts_with('s') || read.ec != std::errc() || read.ptr != id.data() + id.size()) {
        return tl::make_unexpected(NotFound("session"));
    }
    PostEnd(call, number == call.who->session,
            [sessions = call.services.sessions, teammate = call.who->teammate->number,
             number]() -> base::Status {
                auto ended = sessions->End(teammate, number);
                if (!ended && ended.error().code == ErrorCode::kNotFound) {
                    return tl::make_unexpected(NotFound("session"));
                }
                return ended;
            });
    return {};
}

base::Status Password(Call& call) {
    TRY(CheckParameters(call.request, {}));
    TRY_ASSIGN(const Body body, Body::Parse(call.request, {"old", "new"}));
    TRY_ASSIGN(std::string old, body.Text("old"));
    TRY_ASSIGN(const std::string chosen, body.Text("new"));
    TRY(catalog::CheckPassword(chosen, "new"));
    old.resize(std::min(old.size(), limits::kPasswordBytesMax + 1));
    Services& services = call.services;
    const TeammatePtr teammate = call.who->teammate;
    // Whoever found an open browser guesses no faster here than at the sign-in.
    const std::string address = ClientAddress(call.request);
    const std::string account = "password " + teammate->email;
    if (const auto wait = services.guard.Begin(account, address, services.RealNow()); wait > 0) {
        ReplyLocked(call.respond, wait);
        return {};
    }
    auto asked = std::make_shared<Call>(std::move(call));
    const bool posted = services.hashes.Post([asked, teammate, account, address, old, chosen] {
        auto& s = asked->services;
        if (!catalog::IsPassword(teammate->password_hash, old)) {
            return asked->respond(http::Response::Error(403, "wrong_credentials",
                                                        "The old password is wrong."));
        }
        s.guard.Succeeded(account, address);
        ReplyNothing(asked->respond, [&]() -> base::Status {
            TRY_ASSIGN(const std::string hash, catalog::HashPassword(chosen));
            TRY_ASSIGN(const TeammatePtr changed, s.catalog.SetPassword(teammate->number, hash));
            return s.sessions->EndOthers(teammate->number, asked->who->session,
                                         changed->password_version);
        }());
    });
    if (!posted) {
        services.guard.Undone(account, address);
        ReplyBusy(asked->respond);
    }
    return {};
}

}  // namespace

void GetSession(Call&& call) { Run(call, Get); }
void StartFirst(Call&& call) { Run(call, Start); }
void SignIn(Call&& call) { Run(call, In); }
void SignOut(Call&& call) { Run(call, Out); }
void PatchSession(Call&& call) { Run(call, Patch); }
void ListSessions(Call&& call) { Run(call, List); }
void EndSession(Call&& call) { Run(call, End); }
void ChangePassword(Call&& call) { Run(call, Password); }

}  // namespace api
