#include "net/http/cors.h"

#include <algorithm>

#include "net/http/syntax.h"

namespace http {
namespace {

bool OriginIsWellFormed(std::string_view origin) {
    if (origin == "null") return true;
    const size_t scheme = origin.find("://");
    if (scheme == std::string_view::npos || scheme == 0 || origin.size() > 512) return false;
    const std::string_view host = origin.substr(scheme + 3);
    return !host.empty() && std::all_of(origin.begin(), origin.end(), [](char c) {
        return c > ' ' && c < 0x7f && c != '"' && c != ',' && c != '<' && c != '>';
    }) && host.find_first_of("/?#@\\") == std::string_view::npos;
}

// `base` and those of the requested names that are field names and not in it yet.
std::string AllowedHeaders(std::string_view base, std::string_view requested) {
    std::string allowed(base);
    while (!requested.empty() && allowed.size() < 1024) {
        const size_t end = std::min(requested.find(','), requested.size());
        const std::string_view name = TrimBlanks(requested.substr(0, end));
        if (IsToken(name) && name.size() <= 64 && !ListHas(allowed, name)) {
            allowed.append(allowed.empty() ? "" : ", ").append(name);
        }
        requested.remove_prefix(std::min(end + 1, requested.size()));
    }
    return allowed;
}

}  // namespace

std::optional<Response> AnswerPreflight(const Request& request, const CorsRules& rules) {
    if (request.method != Method::kOptions || !request.headers.Find("Origin") ||
        !request.headers.Find("Access-Control-Request-Method")) {
        return std::nullopt;
    }
    Response response = Response::Empty(204);
    AddCors(request, response, rules);
    response.headers.Add("Access-Control-Allow-Methods", rules.methods);
    response.headers.Add(
        "Access-Control-Allow-Headers",
        AllowedHeaders(rules.headers, request.headers.Get("Access-Control-Request-Headers")));
    response.headers.Add("Access-Control-Max-Age", std::to_string(rules.max_age_s));
    return response;
}

void AddCors(const Request& request, Response& response, const CorsRules& rules) {
    const auto origin = request.headers.Find("Origin");
    if (!origin || !OriginIsWellFormed(*origin)) return;
    response.headers.Set("Access-Control-Allow-Origin", *origin);
    response.headers.Add("Vary", "Origin");
    if (!rules.exposed.empty()) {
        response.headers.Add("Access-Control-Expose-Headers", rules.exposed);
    }
    if (rules.credentials) response.headers.Set("Access-Control-Allow-Credentials", "true");
}

}  // namespace http
