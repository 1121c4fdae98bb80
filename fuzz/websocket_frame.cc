// The frame reader: the same bytes whole and in pieces must give the same messages; nothing larger
// than the limits comes out of it; refused means refused for good.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "net/websocket/frame.h"

namespace {

constexpr websocket::FrameLimits kLimits{4096, 4};

struct Seen {
    std::vector<std::string> came;
    int code = 0;
    bool operator==(const Seen&) const = default;
};

Seen Read(std::string_view bytes, size_t step) {
    using State = websocket::FrameReader::State;
    websocket::FrameReader reader(kLimits);
    Seen seen;
    while (!bytes.empty()) {
        std::string_view piece = bytes.substr(0, step);
        bytes.remove_prefix(piece.size());
        while (true) {
            const State state = reader.Take(piece);
            if (state == State::kMore) {
                if (!piece.empty()) std::abort();
                break;
            }
            if (state == State::kRefused) {
                seen.code = reader.close_code();
                std::string_view more = "\x81\x80....";
                if (seen.code < 1000 || reader.Take(more) != State::kRefused) std::abort();
                return seen;
            }
            const auto& incoming = reader.incoming();
            if (incoming.payload.size() > kLimits.message_bytes_max) std::abort();
            seen.came.push_back(static_cast<char>(incoming.opcode) +
                                std::string(incoming.payload));
            uint16_t code = 0;
            std::string_view reason;
            if (incoming.opcode == websocket::Opcode::kClose) {
                (void)websocket::ReadClose(incoming.payload, code, reason);
            }
        }
    }
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const Seen whole = Read(bytes, SIZE_MAX);
    if (whole != Read(bytes, 1)) std::abort();
    if (whole != Read(bytes, 7)) std::abort();
    return 0;
}
