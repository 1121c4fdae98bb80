// The admin listener: /api/v1 (openapi.yaml), the tracking API, /healthz, /readyz and /metrics.
//
// Errors of /api/v1: {"error": {"code", "message", "at"?}}; unknown fields of a body and unknown
// parameters are refused with their name in `at`; a wrong method is 405 with Allow; no key or an
// unknown one is 401, a public key or one without the scope 403; until the server is ready 503.
//
// A session (session.h) may ask what a secret key of the workspace in X-Ripen-Workspace may, and
// the rows that are teammate_only. Scopes of keys: kRead for GET and previews, kWrite for the rest,
// kIngest for the tracking API.
//
// Threads: any; nothing blocks. Answers come at once, from the log's or the engine's threads.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "api/services.h"
#include "net/http/server.h"

namespace api {

struct Call;

struct RouteRow {
    http::Method method;
    std::string_view path;        // "/api/v1/segments/{id}"
    void (*answer)(Call&& call);
    bool needs_key = true;        // A secret key, or a session. False: anybody may ask.
    bool teammate_only = false;   // A session only: keys do not make keys.
    bool of_workspace = true;     // A session has to name a workspace it may enter.
};
// Every route of the admin listener but those of the tracking API.
std::span<const RouteRow> Routes();

void Serve(Services& services, http::Request&& request, http::Respond respond);

// For http::ServerOptions::body_limit.
size_t BodyLimit(const http::Request& head);

}  // namespace api
