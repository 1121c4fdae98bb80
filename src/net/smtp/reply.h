// Reads SMTP replies (RFC 5321 section 4.2) from bytes as they come, hostile ones included.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace smtp {

struct Reply {
    uint16_t code = 0;               // 200..599.
    std::string enhanced;            // "2.1.5" or empty; its class is that of the code.
    std::vector<std::string> lines;  // Text after code and separator, as sent.

    bool positive() const { return code >= 200 && code < 300; }
    // The lines joined by a space, without the enhanced code, controls and non-UTF-8 replaced by
    // '?', cut to kSmtpReplyTextBytesMax: fit for a log and a screen (escape it all the same).
    std::string Text() const;
};

enum class ReplyState : uint8_t { kNeedMore, kComplete, kMalformed };

// One thread. Lines end with CRLF; a bare LF is taken as well. A reply whose lines differ in
// code, whose code is not 2yz to 5yz, or that passes kSmtpReplyLineBytesMax or
// kSmtpReplyBytesMax is malformed; a parser stays malformed for ever.
class ReplyParser {
  public:
    // Consumes from the front of `in` up to the end of one reply. kComplete: `reply()` holds it
    // and the rest of `in` belongs to the next; the next call begins anew.
    ReplyState Feed(std::string_view& in);
    const Reply& reply() const { return reply_; }
    // True when nothing of a next reply has been taken.
    bool empty() const { return line_.empty() && !in_reply_; }

  private:
    ReplyState TakeLine();

    Reply reply_;
    std::string line_;
    size_t reply_bytes_ = 0;
    bool in_reply_ = false;
    bool malformed_ = false;
};

// What an EHLO answer offers (keywords compared without case).
struct Offer {
    bool pipelining = false;
    bool starttls = false;
    bool eight_bit = false;
    bool smtp_utf8 = false;
    bool auth_plain = false;
    bool auth_login = false;
    bool size = false;
    uint64_t size_max = 0;  // 0: no fixed limit.
};
Offer ReadOffer(const Reply& ehlo);

}  // namespace smtp
