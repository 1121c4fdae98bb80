// Cross-origin answers for browsers (Fetch standard, "CORS protocol"), as the tracking clients
// need them (wire/segment): the origin is echoed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/http/message.h"

namespace http {

struct CorsRules {
    std::string_view methods = "GET, POST, OPTIONS";
    // Always allowed; those a preflight asks for are added when they are field names.
    std::string_view headers = "authorization, content-type";
    int max_age_s = 86'400;
    // Fields of the answer that a page may read; a browser hides all others that matter.
    std::string_view exposed = "Retry-After";
    // Only for routes that take no cookie: the origin is anybody's.
    bool credentials = false;
};

// The answer (204) when `request` is a preflight: OPTIONS with Origin and
// Access-Control-Request-Method. nullopt otherwise.
std::optional<Response> AnswerPreflight(const Request& request, const CorsRules& rules = {});

// Adds the fields that let the page at the request's Origin read the answer. Nothing without
// an Origin that is well formed ("null" is).
void AddCors(const Request& request, Response& response, const CorsRules& rules = {});

}  // namespace http
