// Replies of a hostile mail server, cut anywhere: never past a limit, the same however cut.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/limits.h"
#include "base/utf8.h"
#include "net/smtp/reply.h"

namespace {

// What a parser makes of `in` when it comes in pieces of `step` bytes.
std::string Read(std::string_view in, size_t step) {
    smtp::ReplyParser parser;
    std::string out;
    while (!in.empty()) {
        std::string_view piece = in.substr(0, step);
        in.remove_prefix(piece.size());
        while (!piece.empty()) {
            const smtp::ReplyState state = parser.Feed(piece);
            if (state == smtp::ReplyState::kMalformed) return out + "malformed";
            if (state == smtp::ReplyState::kNeedMore) break;
            const smtp::Reply& reply = parser.reply();
            const std::string text = reply.Text();
            if (reply.code < 200 || reply.code > 599) std::abort();
            if (text.size() > limits::kSmtpReplyTextBytesMax || !base::IsUtf8(text)) std::abort();
            for (const char c : text) {
                if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) std::abort();
            }
            smtp::ReadOffer(reply);
            out += std::to_string(reply.code) + reply.enhanced + text + "\n";
        }
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
    const std::string_view in(reinterpret_cast<const char*>(bytes), size);
    const std::string whole = Read(in, size + 1);
    if (Read(in, 1) != whole || Read(in, 7) != whole) std::abort();
    return 0;
}
