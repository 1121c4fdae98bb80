#include "net/smtp/reply.h"

#include <algorithm>
#include <charconv>

#include "base/limits.h"
#include "base/utf8.h"

namespace smtp {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Length of "5.1.1" at the front of `text` when its class is that of `code` and a space or the
// end follows; else 0 (RFC 2034 section 4).
size_t EnhancedLength(std::string_view text, uint16_t code) {
    size_t at = 0;
    for (int part = 0; part < 3; ++part) {
        const size_t start = at;
        while (at < text.size() && IsDigit(text[at]) && at - start < 3) ++at;
        if (at == start) return 0;
        if (part == 0 && (at != 1 || text[0] - '0' != code / 100)) return 0;
        if (part < 2 && (at == text.size() || text[at++] != '.')) return 0;
    }
    return at == text.size() || text[at] == ' ' ? at : 0;
}

std::string_view WithoutEnhanced(std::string_view line, uint16_t code) {
    const size_t length = EnhancedLength(line, code);
    if (length == 0) return line;
    line.remove_prefix(std::min(length + 1, line.size()));
    return line;
}

char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

std::string UpperText(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), Upper);
    return out;
}

}  // namespace

std::string Reply::Text() const {
    std::string raw;
    for (const std::string& line : lines) {
        if (!raw.empty()) raw.push_back(' ');
        raw.append(WithoutEnhanced(line, code));
        if (raw.size() >= limits::kSmtpReplyTextBytesMax) break;
    }
    std::string out;
    const auto* p = reinterpret_cast<const uint8_t*>(raw.data());
    const auto* end = p + raw.size();
    while (p < end) {
        const size_t length = base::Utf8Length(p, end);
        if (out.size() + std::max<size_t>(length, 1) > limits::kSmtpReplyTextBytesMax) break;
        const bool control = *p < 0x20 || *p == 0x7f || (*p == 0xc2 && length == 2 && p[1] < 0xa0);
        if (length == 0 || control) {
            out.push_back('?');
        } else {
            out.append(reinterpret_cast<const char*>(p), length);
        }
        p += std::max<size_t>(length, 1);
    }
    return out;
}

ReplyState ReplyParser::Feed(std::string_view& in) {
    if (malformed_) return ReplyState::kMalformed;
    while (!in.empty()) {
        const size_t end = in.find('\n');
        const std::string_view piece = in.substr(0, end == std::string_view::npos ? end : end + 1);
        if (line_.size() + piece.size() > limits::kSmtpReplyLineBytesMax) {
            malformed_ = true;
            return ReplyState::kMalformed;
        }
        line_.append(piece);
        in.remove_prefix(piece.size());
        if (end == std::string_view::npos) break;
        const ReplyState state = TakeLine();
        if (state == ReplyState::kMalformed) malformed_ = true;
        if (state != ReplyState::kNeedMore) return state;
    }
    return ReplyState::kNeedMore;
}

ReplyState ReplyParser::TakeLine() {
    std::string_view line(line_);
    line.remove_suffix(1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.size() < 3 || !IsDigit(line[0]) || !IsDigit(line[1]) || !IsDigit(line[2])) {
        return ReplyState::kMalformed;
    }
    const auto code =
        static_cast<uint16_t>((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
    const char separator = line.size() == 3 ? ' ' : line[3];
    if (code < 200 || code > 599 || (separator != ' ' && separator != '-')) {
        return ReplyState::kMalformed;
    }
    if (!in_reply_) {
        reply_ = Reply{code, {}, {}};
        reply_bytes_ = 0;
        in_reply_ = true;
    }
    reply_bytes_ += line_.size();
    if (code != reply_.code || reply_bytes_ > limits::kSmtpReplyBytesMax) {
        return ReplyState::kMalformed;
    }
    const std::string_view text = line.substr(std::min<size_t>(line.size(), 4));
    if (reply_.enhanced.empty()) reply_.enhanced = text.substr(0, EnhancedLength(text, code));
    reply_.lines.emplace_back(text);
    line_.clear();
    if (separator == '-') return ReplyState::kNeedMore;
    in_reply_ = false;
    return ReplyState::kComplete;
}

Offer ReadOffer(const Reply& ehlo) {
    Offer offer;
    for (size_t i = 1; i < ehlo.lines.size(); ++i) {
        const std::string line = UpperText(ehlo.lines[i]);
        const size_t space = line.find(' ');
        const std::string_view word = std::string_view(line).substr(0, space);
        const std::string_view rest =
            space == std::string::npos ? std::string_view() : std::string_view(line).substr(space);
        if (word == "PIPELINING") offer.pipelining = true;
        if (word == "STARTTLS") offer.starttls = true;
        if (word == "8BITMIME") offer.eight_bit = true;
        if (word == "SMTPUTF8") offer.smtp_utf8 = true;
        if (word == "AUTH") {
            const std::string mechanisms = std::string(rest) + ' ';
            offer.auth_plain |= mechanisms.find(" PLAIN ") != std::string::npos;
            offer.auth_login |= mechanisms.find(" LOGIN ") != std::string::npos;
        }
        if (word == "SIZE") {
            offer.size = true;
            const char* begin = rest.empty() ? nullptr : rest.data() + 1;
            if (begin != nullptr) {
                std::from_chars(begin, rest.data() + rest.size(), offer.size_max);
            }
        }
    }
    return offer;
}

}  // namespace smtp
