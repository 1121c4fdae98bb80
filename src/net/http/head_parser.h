// The one place that knows Beast: it judges the syntax of request and answer heads. Framing, limits
// and everything else that the product relies on is checked by the callers besides.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "net/http/message.h"

namespace http {

enum class HeadSyntax : uint8_t { kGood, kBad, kBadVersion };

struct RequestHead {
    std::string_view method;  // In `head`.
    std::string_view target;  // In `head`.
    bool http_1_0 = false;
};

// `head` ends with the empty line. Fills `headers`, which takes a copy of the head.
HeadSyntax ParseRequestHead(std::string_view head, RequestHead& request, Headers& headers);

struct ResponseHead {
    int status = 0;
    bool http_1_0 = false;
};

HeadSyntax ParseResponseHead(std::string_view head, ResponseHead& response, Headers& headers);

}  // namespace http
