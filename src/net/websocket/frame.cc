#include "net/websocket/frame.h"

#include <openssl/sha.h>

#include <algorithm>

#include "base/hash.h"
#include "base/utf8.h"

namespace websocket {
namespace {

constexpr size_t kControlBytesMax = 125;   // RFC 6455 5.5.
constexpr std::string_view kAcceptSalt = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

bool IsKnown(Opcode opcode) {
    switch (opcode) {
        case Opcode::kContinuation:
        case Opcode::kText:
        case Opcode::kBinary:
        case Opcode::kClose:
        case Opcode::kPing:
        case Opcode::kPong: return true;
    }
    return false;
}

bool MaySend(uint16_t code) {
    if (code >= 3000 && code < 5000) return true;
    return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

}  // namespace

FrameReader::State FrameReader::Refuse(uint16_t code, std::string_view why) {
    refused_ = true;
    close_code_ = code;
    why_ = why;
    return State::kRefused;
}

// The first two bytes have come. False: refused.
bool FrameReader::CheckHead() {
    fin_ = (head_[0] & 0x80) != 0;
    opcode_ = static_cast<Opcode>(head_[0] & 0x0f);
    const uint8_t length = head_[1] & 0x7f;
    if ((head_[0] & 0x70) != 0) {
        Refuse(kProtocolError, "no extension was agreed on");
    } else if (!IsKnown(opcode_)) {
        Refuse(kProtocolError, "no such frame");
    } else if ((head_[1] & 0x80) == 0) {
        Refuse(kProtocolError, "frames of a client are masked");
    } else if (control() && (!fin_ || length > kControlBytesMax)) {
        Refuse(kProtocolError, "a control frame is whole and short");
    } else if (!control() && (opcode_ == Opcode::kContinuation) != in_message_) {
        Refuse(kProtocolError, "a fragment without its message");
    }
    return !refused_;
}

// True when the whole head has come and is right.
bool FrameReader::TakeHead(std::string_view& bytes) {
    while (!bytes.empty()) {
        head_[head_size_++] = static_cast<uint8_t>(bytes.front());
        bytes.remove_prefix(1);
        if (head_size_ < 2) continue;
        if (head_size_ == 2 && !CheckHead()) return false;
        const uint8_t length = head_[1] & 0x7f;
        const size_t wide = length == 127 ? 8u : length == 126 ? 2u : 0u;
        if (head_size_ < 2 + wide + 4) continue;
        left_ = length;
        if (wide > 0) {
            left_ = 0;
            for (size_t i = 0; i < wide; ++i) left_ = left_ << 8 | head_[2 + i];
        }
        // Before a byte of it is kept: the length may be any number of 64 bits.
        if (!control() && left_ > limits_.message_bytes_max - message_.size()) {
            Refuse(kTooBig, "the message is too large");
            return false;
        }
        if (!control() && ++fragments_ > limits_.fragments_max) {
            Refuse(kTooBig, "the message has too many fragments");
            return false;
        }
        std::copy_n(head_.begin() + static_cast<ptrdiff_t>(2 + wide), 4, mask_.begin());
        mask_at_ = 0;
        return true;
    }
    return false;
}

FrameReader::State FrameReader::EndFrame() {
    in_payload_ = false;
    head_size_ = 0;
    if (control()) {
        incoming_ = {opcode_, control_payload_};
        return State::kIncoming;
    }
    if (opcode_ != Opcode::kContinuation) message_opcode_ = opcode_;
    in_message_ = !fin_;
    if (!fin_) return State::kMore;
    fragments_ = 0;
    give_back_ = true;
    if (message_opcode_ == Opcode::kText && !base::IsUtf8(message_)) {
        return Refuse(kBadText, "the text is not UTF-8");
    }
    incoming_ = {message_opcode_, message_};
    return State::kIncoming;
}

FrameReader::State FrameReader::Take(std::string_view& bytes) {
    if (refused_) return State::kRefused;
    if (give_back_) {
        give_back_ = false;
        // A large message leaves no large buffer behind.
        if (message_.capacity() > 4096) {
            message_ = std::string();
        } else {
            message_.clear();
        }
    }
    while (true) {
        if (!in_payload_) {
            if (!TakeHead(bytes)) return refused_ ? State::kRefused : State::kMore;
            in_payload_ = true;
            control_payload_.clear();
        }
        std::string& into = control() ? control_payload_ : message_;
        const size_t now = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
        for (size_t i = 0; i < now; ++i) {
            into.push_back(static_cast<char>(bytes[i] ^ mask_[mask_at_++ & 3]));
        }
        bytes.remove_prefix(now);
        left_ -= now;
        if (left_ > 0) return State::kMore;
        const State state = EndFrame();
        if (state != State::kMore) return state;
        if (bytes.empty()) return State::kMore;
    }
}

std::string Frame(Opcode opcode, std::string_view payload) {
    std::string frame;
    frame.reserve(payload.size() + 10);
    frame.push_back(static_cast<char>(0x80 | static_cast<uint8_t>(opcode)));
    if (payload.size() < 126) {
        frame.push_back(static_cast<char>(payload.size()));
    } else {
        const bool wide = payload.size() > 0xffff;
        frame.push_back(static_cast<char>(wide ? 127 : 126));
        for (int shift = wide ? 56 : 8; shift >= 0; shift -= 8) {
            frame.push_back(static_cast<char>(static_cast<uint64_t>(payload.size()) >> shift));
        }
    }
    return frame.append(payload);
}

std::string CloseFrame(uint16_t code, std::string_view reason) {
    std::string payload;
    payload.push_back(static_cast<char>(code >> 8));
    payload.push_back(static_cast<char>(code & 0xff));
    size_t size = std::min(reason.size(), kControlBytesMax - 2);
    while (size > 0 && size < reason.size() &&
           (static_cast<uint8_t>(reason[size]) & 0xc0) == 0x80) {
        --size;
    }
    return Frame(Opcode::kClose, payload.append(reason.substr(0, size)));
}

bool ReadClose(std::string_view payload, uint16_t& code, std::string_view& reason) {
    code = kNoCode;
    reason = {};
    if (payload.empty()) return true;
    if (payload.size() == 1) return false;
    code = static_cast<uint16_t>(static_cast<uint8_t>(payload[0]) << 8 |
                                 static_cast<uint8_t>(payload[1]));
    reason = payload.substr(2);
    return MaySend(code) && base::IsUtf8(reason);
}

std::string AcceptKey(std::string_view key) {
    std::string text(key);
    text.append(kAcceptSalt);
    // SHA-1 is what the protocol says; it proves that we speak it, not who we are.
    unsigned char digest[SHA_DIGEST_LENGTH];
    SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
    return base::Base64Encode({reinterpret_cast<const char*>(digest), sizeof digest});
}

}  // namespace websocket
