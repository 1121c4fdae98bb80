#include "api/router.h"

#include <charconv>

#include "api/live.h"
#include "api/resources.h"
#include "api/tracking.h"
#include "api/web_pages.h"

namespace api {
namespace {

using base::ErrorCode;
using http::Method;

constexpr RouteRow kRoutes[] = {
    {Method::kGet, "/", GetRoot, false},
    {Method::kGet, "/healthz", GetHealth, false},
    {Method::kGet, "/readyz", GetReady, false},
    {Method::kGet, "/metrics", GetMetrics, false},
    {Method::kGet, "/api/v1/openapi.yaml", GetOpenApi, false},
    {Method::kGet, "/api/v1/session", GetSession, false},
    {Method::kPost, "/api/v1/session", SignIn, false},
    {Method::kPatch, "/api/v1/session", PatchSession, true, true, false},
    {Method::kDelete, "/api/v1/session", SignOut, true, true, false},
    {Method::kPost, "/api/v1/start", StartFirst, false},
    {Method::kGet, "/api/v1/sessions", ListSessions, true, true, false},
    {Method::kDelete, "/api/v1/sessions/{id}", EndSession, true, true, false},
    {Method::kPost, "/api/v1/password", ChangePassword, true, true, false},
    {Method::kGet, "/api/v1/keys", ListKeys, true, true},
    {Method::kPost, "/api/v1/keys", CreateKey, true, true},
    {Method::kDelete, "/api/v1/keys/{id}", RevokeKey, true, true},
    {Method::kPost, "/api/v1/workspaces", CreateWorkspace, true, true, false},
    {Method::kPatch, "/api/v1/workspaces/{id}", RenameWorkspace, true, true, false},
    {Method::kDelete, "/api/v1/workspaces/{id}", DeleteWorkspace, true, true, false},
    {Method::kGet, "/api/v1/workspace", GetWorkspace},
    {Method::kGet, "/api/v1/persons", ListPersons},
    {Method::kGet, "/api/v1/persons/lookup", LookupPerson},
    {Method::kGet, "/api/v1/persons/{id}", GetPerson},
    {Method::kGet, "/api/v1/persons/{id}/timeline", GetTimeline},
    {Method::kGet, "/api/v1/segments", ListSegments},
    {Method::kPost, "/api/v1/segments", CreateSegment},
    {Method::kPost, "/api/v1/segments/preview", PreviewSegment},
    {Method::kGet, "/api/v1/segments/{id}", GetSegment},
    {Method::kPut, "/api/v1/segments/{id}", PutSegment},
    {Method::kDelete, "/api/v1/segments/{id}", DeleteSegment},
    {Method::kGet, "/api/v1/segments/{id}/persons", ListSegmentPersons},
    {Method::kGet, "/api/v1/journeys", ListJourneys},
    {Method::kPost, "/api/v1/journeys", CreateJourney},
    {Method::kGet, "/api/v1/journeys/{id}", GetJourney},
    {Method::kPut, "/api/v1/journeys/{id}", PutJourney},
    {Method::kPost, "/api/v1/journeys/{id}/publish", PublishJourney},
    {Method::kPost, "/api/v1/journeys/{id}/stop", StopJourney},
    {Method::kGet, "/api/v1/messages", ListMessages},
    {Method::kGet, "/api/v1/mailbox", ListLetters},
    {Method::kGet, "/api/v1/mailbox/{id}", GetLetter},
    {Method::kGet, "/api/v1/refused", ListRefused},
    {Method::kGet, "/api/v1/home", GetHome},
    {Method::kGet, "/api/v1/names", GetNames},
    {Method::kGet, "/api/v1/events/recent", ListRecentEvents},
    {Method::kPost, "/api/v1/conditions", ReadConditions},
    {Method::kGet, "/api/v1/settings/sender", GetSender},
    {Method::kPut, "/api/v1/settings/sender", PutSender},
    {Method::kPost, "/api/v1/messages/release", ReleaseLetters},
    {Method::kPost, "/api/v1/clock", MoveClock},
};

// True when the segments are the route's; `id` gets what stands for "{id}".
bool Matches(std::string_view pattern, const std::vector<std::string>& segments, std::string& id) {
    pattern.remove_prefix(1);
    size_t at = 0;
    while (!pattern.empty()) {
        const std::string_view part = pattern.substr(0, pattern.find('/'));
        pattern.remove_prefix(std::min(part.size() + 1, pattern.size()));
        if (at == segments.size()) return false;
        if (part == "{id}") {
            if (segments[at].empty()) return false;
            id = segments[at];
        } else if (part != segments[at]) {
            return false;
        }
        ++at;
    }
    return at == segments.size();
}

struct Found {
    const RouteRow* row = nullptr;
    std::string id;
    std::string allow;   // Methods of this path, when none is the request's.
};

// Routes without "{id}" come first in the table, so that "preview" is no id.
Found Find(const http::Request& request) {
    Found found;
    auto segments = request.Segments();
    if (segments.size() == 1 && segments[0].empty()) segments.clear();
    const Method method = request.method == Method::kHead ? Method::kGet : request.method;
    for (const RouteRow& row : kRoutes) {
        std::string id;
        if (!Matches(row.path, segments, id)) continue;
        if (row.method == method) return {&row, std::move(id), {}};
        found.allow.append(found.allow.empty() ? "" : ", ").append(http::MethodName(row.method));
        if (row.method == Method::kGet) found.allow += ", HEAD";
    }
    return found;
}

http::Response Refusal(ErrorCode code, std::string text) {
    http::Response response = ErrorResponse({code, {}, std::move(text), {}});
    if (code == ErrorCode::kUnauthorized) response.headers.Add("WWW-Authenticate", "Bearer");
    return response;
}

bool IsBearer(std::string_view header) {
    constexpr std::string_view kScheme = "Bearer ";
    return header.size() > kScheme.size() &&
           http::EqualNoCase(header.substr(0, kScheme.size()), kScheme);
}

bool Reads(const RouteRow& row) {
    return row.method == Method::kGet || row.answer == PreviewSegment ||
           row.answer == ReadConditions;
}

std::optional<http::Response> AuthorizeKey(Call& call, const RouteRow& row,
                                           std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    call.key = call.services.catalog.FindKey(text);
    if (!call.key) return Refusal(ErrorCode::kUnauthorized, "The key is not known.");
    if (!call.key->secret) {
        return Refusal(ErrorCode::kForbidden, "A public key sends events only; use a secret key.");
    }
    if (row.teammate_only) {
        return Refusal(ErrorCode::kForbidden, "Only a teammate who is signed in may ask this.");
    }
    const catalog::Scope scope = Reads(row) ? catalog::Scope::kRead : catalog::Scope::kWrite;
    if (!call.key->Allows(scope)) {
        return Refusal(ErrorCode::kForbidden, "The key lacks the scope " +
                                                  std::string(catalog::ScopeName(scope)) + ".");
    }
    call.workspace = call.key->workspace;
    if (call.services.sessions != nullptr) {
        call.services.sessions->KeyUsed(call.key->number, call.services.clock.Now());
    }
    return std::nullopt;
}

// The browser sends the cookie along with whatever page asks; these show that it was ours.
std::optional<http::Response> RefuseForeign(const Call& call) {
    const auto& headers = call.request.headers;
    if (!HasOwnOrigin(call.services, call.request)) {
        return Refusal(ErrorCode::kForbidden,
                       "The request comes from another page, or the server is asked by a name "
                       "that [admin] url does not have.");
    }
    if (!IsCsrf(*call.who, headers.Get("X-Ripen-Csrf"))) {
        return Refusal(ErrorCode::kForbidden, "The token X-Ripen-Csrf is missing or wrong.");
    }
    return RefuseType(call.request);
}

std::optional<http::Response> AuthorizeSession(Call& call, const RouteRow& row) {
    if (row.method != Method::kGet) {
        if (auto refusal = RefuseForeign(call)) return refusal;
    }
    if (!row.of_workspace) return std::nullopt;
    const std::string_view text = call.request.headers.Get("X-Ripen-Workspace");
    const auto read = std::from_chars(text.data(), text.data() + text.size(), call.workspace);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) {
        return Refusal(ErrorCode::kInvalidArgument,
                       "Name the workspace: X-Ripen-Workspace: NUMBER");
    }
    if (!call.who->MayEnter(call.workspace)) {
        return Refusal(ErrorCode::kForbidden, "You are no member of this workspace.");
    }
    return std::nullopt;
}

// Fills key or session, and workspace, of the call; otherwise the refusal. A key that is named
// counts before a cookie, which the browser adds by itself.
std::optional<http::Response> Authorize(Call& call, const RouteRow& row) {
    const std::string_view header = call.request.headers.Get("Authorization");
    if (IsBearer(header)) return AuthorizeKey(call, row, header.substr(7));
    if (header.empty()) call.who = SessionOf(call.services, call.request);
    if (call.who) return AuthorizeSession(call, row);
    return Refusal(ErrorCode::kUnauthorized,
                   "Sign in, or send the secret key: Authorization: Bearer sk_...");
}

}  // namespace

std::span<const RouteRow> Routes() { return kRoutes; }

void Serve(Services& services, http::Request&& request, http::Respond respond) {
    if (IsTrackingPath(request)) {
        return Tracking(services, std::move(request), std::move(respond));
    }
    if (IsLivePath(request)) return ServeLive(services, std::move(request), std::move(respond));
    if (auto page = ScreenPage(services, request)) return respond(std::move(*page));
    Found found = Find(request);
    if (found.row == nullptr) {
        if (found.allow.empty()) {
            return respond(http::Response::Error(404, "not_found", "There is no such address."));
        }
        http::Response response = http::Response::Error(
            405, "method_not_allowed", "This address does not take that method.");
        response.headers.Add("Allow", found.allow);
        return respond(std::move(response));
    }
    Call call{services, std::move(request), std::move(respond),
              0,        nullptr,            std::move(found.id), std::nullopt};
    if (found.row->needs_key) {
        if (auto refusal = Authorize(call, *found.row)) return call.respond(std::move(*refusal));
        if (services.ready && !services.ready()) {
            return call.respond(Refusal(ErrorCode::kUnavailable, "The server is starting."));
        }
    }
    if (call.request.body.size() > limits::kApiBodyBytesMax) {
        return call.respond(Refusal(ErrorCode::kTooLarge,
                                    "A body holds at most " +
                                        std::to_string(limits::kApiBodyBytesMax) + " bytes."));
    }
    found.row->answer(std::move(call));
}

size_t BodyLimit(const http::Request& head) {
    return IsTrackingPath(head) ? limits::kBatchBytesMax : limits::kApiBodyBytesMax;
}

}  // namespace api
