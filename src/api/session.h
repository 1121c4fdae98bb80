// The browser's session on the admin listener: whose a request is, and whether the page that sent
// it is ours (reliability.md V3, V7).
//
// Cookie: "ripen_session" on http; "__Host-ripen_session" with Secure on https; HttpOnly,
// SameSite=Strict, Path=/. A request that changes something besides carries X-Ripen-Csrf, an Origin
// that is the listener's own, and JSON or no body. The CSRF token is an HMAC under the cookie, so
// that only who was given the cookie's session can have been told it.
//
// Threads: any; nothing blocks.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/services.h"
#include "net/http/message.h"

namespace api {

struct Signed {
    catalog::TeammatePtr teammate;
    uint64_t session = 0;                         // catalog::Session::number.
    std::vector<model::WorkspaceId> workspaces;   // She is a member of; rising.
    std::string csrf;                             // What X-Ripen-Csrf has to be.

    bool MayEnter(model::WorkspaceId workspace) const;
};

// By the cookie of the request's head. nullopt: nobody is signed in. Counts as a use of the
// session.
std::optional<Signed> SessionOf(const Services& services, const http::Request& head);
// For connections that stay open: the session has not ended since, and she still may enter.
bool StillSigned(const Services& services, const Signed& who, model::WorkspaceId workspace);

// In constant time.
bool IsCsrf(const Signed& who, std::string_view token);
// True when the Origin field is the listener's own: scheme and host of the request itself, and the
// host is one that only we can be reached by (an address, localhost, the one of [admin] url), so
// that a name that was rebound to us is refused.
bool HasOwnOrigin(const Services& services, const http::Request& head);
bool HasOwnHost(const Services& services, const http::Request& head);
// Plain http that does not stay on this machine.
bool IsInsecure(const Services& services, const http::Request& head);
bool IsHttps(const Services& services, const http::Request& head);

// Where the client is: the peer, or what a proxy on this machine says of it (the last entry of
// X-Forwarded-For).
std::string ClientAddress(const http::Request& head);

// Set-Cookie for a new session, and for the end of one.
std::string SessionCookie(const Services& services, const http::Request& head,
                          std::string_view cookie);
std::string EndedCookie(const Services& services, const http::Request& head);
// What was sent as the cookie; empty: none.
std::string_view CookieOf(const Services& services, const http::Request& head);
std::string CsrfOf(std::string_view cookie);

}  // namespace api
