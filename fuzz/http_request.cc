// The request reader, as the server's connections use it: the same bytes whole and in pieces must
// give the same requests, and refused means refused for good.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "net/http/request_reader.h"

namespace {

struct Seen {
    std::vector<std::string> requests;
    int refusal = 0;
    bool operator==(const Seen&) const = default;
};

Seen Read(std::string_view bytes, size_t step, bool in_place) {
    const http::RequestReader::BodyLimit body_limit = [](const http::Request&) { return 4096U; };
    http::RequestReader reader({512, 8, 128}, &body_limit);
    Seen seen;
    while (!bytes.empty()) {
        const auto room = reader.BodyRoom();
        if (in_place && room.size > 0) {
            const size_t size = std::min({room.size, bytes.size(), step});
            bytes.copy(room.data, size);
            bytes.remove_prefix(size);
            reader.Filled(size);
        } else {
            bytes.remove_prefix(reader.Take(bytes.substr(0, step)));
        }
        if (reader.state() == http::RequestReader::State::kRefused) {
            seen.refusal = reader.refusal_status();
            if (seen.refusal < 400 || reader.keep_alive()) std::abort();
            return seen;
        }
        if (reader.state() == http::RequestReader::State::kDone) {
            const http::Request request = reader.Release();
            if (request.PaddedBody().capacity < request.body.size() + http::kBodyPadding) {
                std::abort();
            }
            std::string text = request.target + "\n" + request.path + "\n" + request.body;
            for (const auto& field : request.headers.All()) {
                text.append("\n").append(field.name).append("=").append(field.value);
            }
            seen.requests.push_back(std::move(text));
        }
    }
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const Seen whole = Read(bytes, SIZE_MAX, false);
    if (whole != Read(bytes, 1, false)) std::abort();
    if (whole != Read(bytes, 13, true)) std::abort();
    return 0;
}
