// Frames of the WebSocket protocol, without a socket: the server's sessions and the fuzz target
// use the same code. Server side: frames of clients are masked, ours are not. No extensions.
//
// Source: RFC 6455 sections 5.2 (frame), 5.4 (fragments), 5.5 (control frames), 7.4 (close codes).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace websocket {

enum class Opcode : uint8_t {
    kContinuation = 0x0,
    kText = 0x1,
    kBinary = 0x2,
    kClose = 0x8,
    kPing = 0x9,
    kPong = 0xa
};

// Of a close frame (RFC 6455 7.4.1, and the registry for 1013). 4000..4999 are the application's.
inline constexpr uint16_t kNormal = 1000;
inline constexpr uint16_t kGoingAway = 1001;
inline constexpr uint16_t kProtocolError = 1002;
inline constexpr uint16_t kUnsupported = 1003;
inline constexpr uint16_t kNoCode = 1005;       // Never on the wire: the frame had none.
inline constexpr uint16_t kBadText = 1007;
inline constexpr uint16_t kPolicy = 1008;
inline constexpr uint16_t kTooBig = 1009;
inline constexpr uint16_t kTryLater = 1013;

struct FrameLimits {
    size_t message_bytes_max = 0;
    size_t fragments_max = 0;    // Frames of one message.
};

// Something whole that came: a message, or a control frame between its fragments.
struct Incoming {
    Opcode opcode = Opcode::kText;   // kText, kBinary, kClose, kPing, kPong.
    std::string_view payload;        // Valid until the next Take.
};

// Reads what a client sends. After kRefused nothing more is taken.
class FrameReader {
  public:
    enum class State : uint8_t {
        kMore,      // All bytes were taken; nothing is whole.
        kIncoming,  // incoming() is; call again with the rest.
        kRefused    // The connection has to be closed with close_code().
    };

    explicit FrameReader(const FrameLimits& limits) : limits_(limits) {}

    // Takes bytes from the front of `bytes` until something is whole.
    State Take(std::string_view& bytes);

    const Incoming& incoming() const { return incoming_; }
    uint16_t close_code() const { return close_code_; }
    std::string_view why() const { return why_; }   // Literals only.

  private:
    State Refuse(uint16_t code, std::string_view why);
    bool CheckHead();
    bool TakeHead(std::string_view& bytes);
    State EndFrame();
    bool control() const { return (static_cast<uint8_t>(opcode_) & 0x8) != 0; }

    FrameLimits limits_;
    bool refused_ = false;
    uint16_t close_code_ = 0;
    std::string_view why_;
    // The frame at hand.
    std::array<uint8_t, 14> head_{};
    size_t head_size_ = 0;        // Received.
    bool in_payload_ = false;
    bool fin_ = false;
    Opcode opcode_ = Opcode::kText;
    uint64_t left_ = 0;           // Of the payload.
    std::array<uint8_t, 4> mask_{};
    size_t mask_at_ = 0;
    std::string control_payload_;
    // The message at hand.
    bool in_message_ = false;
    Opcode message_opcode_ = Opcode::kText;
    size_t fragments_ = 0;
    std::string message_;
    bool give_back_ = false;      // message_ was handed out and is to be emptied.
    Incoming incoming_;
};

// One whole unmasked frame.
std::string Frame(Opcode opcode, std::string_view payload);
// `reason` is cut to what a control frame holds, at a character's border.
std::string CloseFrame(uint16_t code, std::string_view reason);
// The code and reason of a close frame's payload. False: a payload that RFC 6455 does not allow.
bool ReadClose(std::string_view payload, uint16_t& code, std::string_view& reason);

// Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 4.2.2).
std::string AcceptKey(std::string_view key);

}  // namespace websocket
