// Decoding of bodies: no input may pass the limits, and what Gzip wrote comes back.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/http/encoding.h"
#include "net/http/message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    constexpr size_t kMax = 256 * 1024;
    const std::string body(reinterpret_cast<const char*>(data), size);
    for (const std::string_view coding : {"", "gzip", "deflate", "br", "zstd"}) {
        const auto text = http::Inflate(body, coding, kMax);
        if (!text) continue;
        if (text->size() > kMax || text->capacity() < text->size() + http::kBodyPadding) {
            std::abort();
        }
    }
    const auto back = http::Inflate(http::Gzip(body), "gzip", SIZE_MAX);
    if (back ? *back != body : back.error().code != base::ErrorCode::kTooLarge) std::abort();
    return 0;
}
