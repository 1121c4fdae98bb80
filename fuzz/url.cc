// Addresses, queries and percent-encoding: encoding and decoding are inverse, no target escapes
// its checks.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/http/message.h"
#include "net/http/url.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (http::PercentDecode(http::PercentEncode(text)) != text) std::abort();
    if (http::FormDecode(http::PercentEncode(text)) != text) std::abort();
    const http::Query query = http::Query::Parse(text);
    if (query.size() > size + 1) std::abort();
    if (const auto url = http::ParseUrl(text); url && url->host.empty()) std::abort();
    http::Request request;
    if (http::SetTarget(request, text)) {
        const std::string path = request.path + "/";
        if (path.find("/../") != std::string::npos || path.find("/./") != std::string::npos) {
            std::abort();
        }
        if (request.path != "*" && request.path.front() != '/') std::abort();
    }
    return 0;
}
