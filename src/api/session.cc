#include "api/session.h"

#include <algorithm>

#include "base/hash.h"
#include "net/http/url.h"

namespace api {
namespace {

constexpr std::string_view kCookieName = "ripen_session";
constexpr std::string_view kSecureCookieName = "__Host-ripen_session";

// Host and port as a Host field writes them; the name in lower case.
struct Authority {
    std::string name;
    std::string_view port;
};

Authority AuthorityOf(std::string_view text) {
    Authority a;
    const size_t colon = text.rfind(':');
    const bool port = colon != std::string_view::npos && text.find(']', colon) == text.npos;
    a.name = text.substr(0, port ? colon : text.size());
    if (port) a.port = text.substr(colon + 1);
    for (char& c : a.name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    return a;
}

bool IsAddress(std::string_view name) {
    if (name.starts_with('[') && name.ends_with(']')) return true;
    return !name.empty() && name.back() >= '0' && name.back() <= '9' &&
           name.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool IsLoopbackName(std::string_view name) {
    return name == "localhost" || name == "[::1]" || (name.starts_with("127.") && IsAddress(name));
}

bool IsLoopbackPeer(std::string_view address) {
    return address.empty() || address == "::1" || address.starts_with("127.");
}

// The host is the one of [admin] url.
bool IsAdminUrl(const Services& services, std::string_view host) {
    if (services.admin_url.empty()) return false;
    const auto url = http::ParseUrl(services.admin_url);
    if (!url) return false;
    const Authority a = AuthorityOf(host);
    const std::string port = std::to_string(url->PortOrDefault());
    const std::string_view standing = url->scheme == "https" ? "443" : "80";
    return a.name == url->host && (a.port.empty() ? standing == port : a.port == port);
}

std::string_view CookieName(const Services& services, const http::Request& head) {
    return IsHttps(services, head) ? kSecureCookieName : kCookieName;
}

}  // namespace

bool IsHttps(const Services& services, const http::Request& head) {
    return services.admin_url.starts_with("https://") &&
           IsAdminUrl(services, head.headers.Get("Host"));
}

bool HasOwnHost(const Services& services, const http::Request& head) {
    const std::string_view host = head.headers.Get("Host");
    const Authority a = AuthorityOf(host);
    return IsAddress(a.name) || IsLoopbackName(a.name) || IsAdminUrl(services, host);
}

bool HasOwnOrigin(const Services& services, const http::Request& head) {
    if (!HasOwnHost(services, head)) return false;
    const std::string own = (IsHttps(services, head) ? "https://" : "http://") +
                            std::string(head.headers.Get("Host"));
    return http::EqualNoCase(head.headers.Get("Origin"), own);
}

bool IsInsecure(const Services& services, const http::Request& head) {
    if (IsHttps(services, head)) return false;
    return !IsLoopbackPeer(head.peer_address) ||
           !IsLoopbackName(AuthorityOf(head.headers.Get("Host")).name);
}

std::string ClientAddress(const http::Request& head) {
    const std::string_view forwarded = head.headers.Get("X-Forwarded-For");
    if (forwarded.empty() || !IsLoopbackPeer(head.peer_address)) return head.peer_address;
    std::string_view last = forwarded.substr(forwarded.rfind(',') + 1);
    while (last.starts_with(' ')) last.remove_prefix(1);
    while (last.ends_with(' ')) last.remove_suffix(1);
    return std::string(last.substr(0, limits::kAddressBytesMax));
}

std::string_view CookieOf(const Services& services, const http::Request& head) {
    const std::string_view name = CookieName(services, head);
    std::string_view left = head.headers.Get("Cookie");
    while (!left.empty()) {
        std::string_view pair = left.substr(0, left.find(';'));
        left.remove_prefix(std::min(pair.size() + 1, left.size()));
        while (pair.starts_with(' ')) pair.remove_prefix(1);
        if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
            return pair.substr(name.size() + 1);
        }
    }
    return {};
}

std::string SessionCookie(const Services& services, const http::Request& head,
                          std::string_view cookie) {
    std::string text(CookieName(services, head));
    text.append("=").append(cookie).append("; Path=/; HttpOnly; SameSite=Strict; Max-Age=");
    text += std::to_string(limits::kSessionLifeMs / base::kSecondMs);
    if (IsHttps(services, head)) text += "; Secure";
    return text;
}

std::string EndedCookie(const Services& services, const http::Request& head) {
    std::string text(CookieName(services, head));
    text += "=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0";
    if (IsHttps(services, head)) text += "; Secure";
    return text;
}

std::string CsrfOf(std::string_view cookie) {
    return base::Base64UrlEncode(base::HmacSha256(cookie, "ripen csrf"));
}

bool Signed::MayEnter(model::WorkspaceId workspace) const {
    return std::binary_search(workspaces.begin(), workspaces.end(), workspace);
}

bool IsCsrf(const Signed& who, std::string_view token) {
    return base::ConstantTimeEqual(who.csrf, token);
}

std::optional<Signed> SessionOf(const Services& services, const http::Request& head) {
    if (services.sessions == nullptr) return std::nullopt;
    const std::string_view cookie = CookieOf(services, head);
    const auto session = services.sessions->Use(cookie, ClientAddress(head), services.RealNow());
    if (!session) return std::nullopt;
    Signed who;
    who.teammate = services.catalog.FindTeammate(session->teammate);
    if (!who.teammate || who.teammate->password_version != session->password_version) {
        return std::nullopt;
    }
    who.session = session->number;
    who.csrf = CsrfOf(cookie);
    for (const auto& workspace : services.catalog.WorkspacesOf(session->teammate)) {
        who.workspaces.push_back(workspace->number);
    }
    return who;
}

bool StillSigned(const Services& services, const Signed& who, model::WorkspaceId workspace) {
    const auto teammate = services.catalog.FindTeammate(who.teammate->number);
    return services.sessions != nullptr && teammate &&
           services.sessions->Lives(who.session, teammate->password_version, services.RealNow()) &&
           services.catalog.IsMember(teammate->number, workspace);
}

}  // namespace api
