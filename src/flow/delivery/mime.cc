#include "flow/delivery/mime.h"

#include <idn2.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "base/hash.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "net/smtp/client.h"

namespace delivery {
namespace {

constexpr size_t kFoldColumn = 78;    // RFC 5322 section 2.1.1.
constexpr size_t kEncodedWordMax = 75;  // RFC 2047 section 2.
constexpr size_t kEncodedLineMax = 75;  // RFC 2045 section 6.7, less the soft break.
constexpr size_t kUrlBytesMax = 900;    // Fits a header line with its name.
constexpr std::string_view kWordOpen = "=?UTF-8?B?";
constexpr std::string_view kWordClose = "?=";

bool HasControl(std::string_view text) {
    for (size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<uint8_t>(text[i]);
        if (c < 0x20 || c == 0x7f) return true;
        if (c == 0xc2 && i + 1 < text.size() && static_cast<uint8_t>(text[i + 1]) < 0xa0) {
            return true;  // C1 controls.
        }
    }
    return false;
}

bool IsAscii(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<uint8_t>(c) < 0x80; });
}

base::Status CheckText(std::string_view text, size_t bytes_max, const char* what) {
    if (HasControl(text)) return base::Invalid("control characters are not allowed here", what);
    if (!base::IsUtf8(text)) return base::Invalid("not UTF-8", what);
    if (text.size() > bytes_max) return base::Invalid("too long", what);
    return {};
}

base::Status CheckHeaderUrl(std::string_view url, const char* what) {
    const bool plain = std::all_of(url.begin(), url.end(), [](char c) {
        return c > 0x20 && c < 0x7f && c != '<' && c != '>' && c != '"' && c != '\\';
    });
    const bool web = url.starts_with("https://") || url.starts_with("http://");
    if (!plain || !web || url.size() > kUrlBytesMax) {
        return base::Invalid("must be an http or https URL", what);
    }
    return {};
}

// ASCII that says itself: no leading, trailing or doubled space, no word too long to fold, and
// nothing that looks like an encoded word.
bool IsPlainHeaderText(std::string_view text) {
    if (!IsAscii(text) || text.find("=?") != std::string_view::npos) return false;
    if (text.starts_with(' ') || text.ends_with(' ')) return false;
    size_t word = 0;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == ' ' && i + 1 < text.size() && text[i + 1] == ' ') return false;
        word = text[i] == ' ' ? 0 : word + 1;
        if (word > kFoldColumn - 18) return false;
    }
    return true;
}

std::string FoldPlain(std::string_view text, size_t column) {
    std::string out;
    size_t at = 0;
    while (at < text.size()) {
        const size_t end = std::min(text.find(' ', at + 1), text.size());
        if (column + (end - at) > kFoldColumn && text[at] == ' ') {
            out.append("\r\n");
            column = 0;
        }
        out.append(text.substr(at, end - at));
        column += end - at;
        at = end;
    }
    return out;
}

// Where a word of at most `take` bytes ends: never within a character, for each word stands alone
// (RFC 2047 section 5), and where it can be on a multiple of three, because some readers join
// words before they decode and would stop at the padding.
size_t WordBreak(std::string_view utf8, size_t take) {
    const auto boundary = [&](size_t at) {
        return (static_cast<uint8_t>(utf8[at]) & 0xc0) != 0x80;
    };
    for (size_t at = take / 3 * 3; at > 0; at -= 3) {
        if (boundary(at)) return at;
    }
    while (take > 0 && !boundary(take)) --take;
    return take;
}

std::string EncodeWords(std::string_view utf8, size_t column) {
    std::string out;
    while (!utf8.empty()) {
        const size_t frame = kWordOpen.size() + kWordClose.size();
        const size_t line = std::min(kEncodedWordMax, kFoldColumn - std::min(column, kFoldColumn));
        size_t take = line <= frame ? 0 : (line - frame) / 4 * 3;
        take = std::min(take, utf8.size());
        if (take < utf8.size()) take = WordBreak(utf8, take);
        if (take > 0) {
            out.append(kWordOpen).append(base::Base64Encode(utf8.substr(0, take)));
            out.append(kWordClose);
            utf8.remove_prefix(take);
        }
        if (utf8.empty()) break;
        out.append("\r\n ");
        column = 1;
    }
    return out;
}

std::string EncodeName(std::string_view name, size_t column) {
    const bool words = !IsAscii(name) || name.find("=?") != std::string_view::npos ||
                       name.size() > kFoldColumn - 18 || name.starts_with(' ') ||
                       name.ends_with(' ') || name.find("  ") != std::string_view::npos;
    if (words) return EncodeWords(name, column);
    const bool atoms = std::all_of(name.begin(), name.end(), [](char c) {
        return c == ' ' || (std::strchr("()<>[]:;@\\,.\"", c) == nullptr);
    });
    if (atoms) return std::string(name);
    std::string quoted = "\"";
    for (const char c : name) {
        if (c == '"' || c == '\\') quoted.push_back('\\');
        quoted.push_back(c);
    }
    return quoted + '"';
}

base::Status AppendMailbox(std::string& out, std::string_view header, const Mailbox& mailbox,
                           const char* what) {
    TRY(CheckText(mailbox.name, limits::kDisplayNameBytesMax, what));
    auto address = WireAddress(mailbox.address);
    if (!address) {
        address.error().at = what;
        return tl::make_unexpected(std::move(address.error()));
    }
    out.append(header).append(": ");
    if (mailbox.name.empty()) {
        out.append(*address).append("\r\n");
        return {};
    }
    const std::string name = EncodeName(mailbox.name, header.size() + 2);
    const size_t last_line = name.rfind('\n');
    const size_t column =
        last_line == std::string::npos ? header.size() + 2 + name.size() : name.size() - last_line;
    out.append(name);
    if (column + address->size() + 3 > kFoldColumn) out.append("\r\n");
    out.append(" <").append(*address).append(">\r\n");
    return {};
}

bool IsOwnHeaderName(std::string_view name) {
    const bool letters = std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-';
    });
    if (!letters || name.size() < 3 || name.size() > 60) return false;
    std::string lower(name);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return lower.starts_with("x-") && lower != "x-idempotency-key";
}

base::Status AppendTextHeader(std::string& out, std::string_view name, std::string_view value,
                              const char* what) {
    TRY(CheckText(value, limits::kSubjectBytesMax, what));
    out.append(name).append(": ");
    out.append(EncodeHeaderText(value, name.size() + 2)).append("\r\n");
    return {};
}

base::Status AppendUnsubscribe(std::string& out, const LetterParts& parts) {
    if (parts.list_unsubscribe_url.empty()) return {};
    TRY(CheckHeaderUrl(parts.list_unsubscribe_url, "list_unsubscribe_url"));
    out.append("List-Unsubscribe: ");
    if (!parts.list_unsubscribe_mailto.empty()) {
        TRY_ASSIGN(const std::string address, WireAddress(parts.list_unsubscribe_mailto));
        // Only what needs no escaping in a mailto URL.
        if (!IsAscii(address) || address.find_first_of("\"%?&#") != std::string::npos) {
            return base::Invalid("not an address for mailto:", "list_unsubscribe_mailto");
        }
        out.append("<mailto:").append(address).append("?subject=unsubscribe>,\r\n ");
    }
    out.append("<").append(parts.list_unsubscribe_url).append(">\r\n");
    out.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
    return {};
}

void AppendPart(std::string& out, std::string_view type, std::string_view text) {
    out.append("Content-Type: text/").append(type).append("; charset=utf-8\r\n");
    out.append("Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    AppendQuotedPrintable(out, text);
    out.append("\r\n");
}

void AppendBody(std::string& out, const LetterParts& parts, std::string_view boundary_id) {
    out.append("MIME-Version: 1.0\r\n");
    if (parts.html.empty()) return AppendPart(out, "plain", parts.text);
    if (parts.text.empty()) return AppendPart(out, "html", parts.html);
    // "=_" never occurs in quoted-printable text, so no body holds its own boundary.
    const std::string boundary = "=_" + std::string(boundary_id.substr(0, 24));
    out.append("Content-Type: multipart/alternative; boundary=\"").append(boundary);
    out.append("\"\r\n\r\n--").append(boundary).append("\r\n");
    AppendPart(out, "plain", parts.text);
    out.append("--").append(boundary).append("\r\n");
    AppendPart(out, "html", parts.html);
    out.append("--").append(boundary).append("--\r\n");
}

std::string KeyedHex(std::string_view secret, std::string_view use, std::string_view key) {
    std::string text(use);
    text.push_back('\n');
    text.append(key);
    return base::ToHex(base::HmacSha256(secret, text).substr(0, 16));
}

base::Status CheckParts(const LetterParts& parts) {
    if (parts.text.empty() && parts.html.empty()) return base::Invalid("an empty letter", "text");
    if (!base::IsUtf8(parts.text)) return base::Invalid("not UTF-8", "text");
    if (!base::IsUtf8(parts.html)) return base::Invalid("not UTF-8", "html");
    if (parts.text.find('\0') != std::string::npos) return base::Invalid("a NUL", "text");
    if (parts.html.find('\0') != std::string::npos) return base::Invalid("a NUL", "html");
    if (parts.idempotency_key.empty()) return base::Invalid("no key", "idempotency_key");
    if (parts.date_ms < 0 || parts.date_ms >= 253402300800000) {  // Year 10000.
        return base::Invalid("a date outside 1970 to 9999", "date");
    }
    if (parts.text.size() + parts.html.size() > limits::kLetterBytesMax) {
        return base::Fail(base::ErrorCode::kTooLarge, "letter too large",
                          "The letter is too large.");
    }
    return {};
}

base::Status AppendOtherHeaders(std::string& out, const LetterParts& parts) {
    TRY(AppendUnsubscribe(out, parts));
    if (!parts.feedback_id.empty()) {
        TRY(AppendTextHeader(out, "Feedback-ID", parts.feedback_id, "feedback_id"));
    }
    if (!parts.language.empty()) {
        const bool tag = std::all_of(parts.language.begin(), parts.language.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '-';
        });
        if (!tag || parts.language.size() > 35) return base::Invalid("no language", "language");
        out.append("Content-Language: ").append(parts.language).append("\r\n");
    }
    for (size_t i = 0; i < parts.extra_headers.size(); ++i) {
        const auto& [name, value] = parts.extra_headers[i];
        if (!IsOwnHeaderName(name)) return base::Invalid("not an X- header", "extra_headers");
        for (size_t j = 0; j < i; ++j) {
            if (parts.extra_headers[j].first == name) {
                return base::Invalid("a header twice", "extra_headers");
            }
        }
        TRY(AppendTextHeader(out, name, value, "extra_headers"));
    }
    return {};
}

// What may stand as itself in quoted-printable; space and tab but at the end of a line.
constexpr std::array<bool, 256> MakeSafe() {
    std::array<bool, 256> safe{};
    for (int c = 33; c < 127; ++c) safe[static_cast<size_t>(c)] = c != '=';
    safe[' '] = safe['\t'] = true;
    return safe;
}
constexpr std::array<bool, 256> kSafe = MakeSafe();
constexpr char kHex[] = "0123456789ABCDEF";

}  // namespace

std::string EncodeHeaderText(std::string_view utf8, size_t column) {
    return IsPlainHeaderText(utf8) ? FoldPlain(utf8, column) : EncodeWords(utf8, column);
}

void AppendQuotedPrintable(std::string& out, std::string_view text) {
    size_t column = 0;
    const auto escape = [&](uint8_t c) {
        if (column + 3 > kEncodedLineMax) {
            out.append("=\r\n");
            column = 0;
        }
        const char code[3] = {'=', kHex[c >> 4], kHex[c & 15]};
        out.append(code, 3);
        column += 3;
    };
    const auto end_line = [&] {
        if (column == 0 || (out.back() != ' ' && out.back() != '\t')) return;
        const auto space = static_cast<uint8_t>(out.back());
        out.pop_back();
        --column;
        escape(space);
    };
    size_t i = 0;
    while (i < text.size()) {
        const auto c = static_cast<uint8_t>(text[i]);
        if (c == '\r' || c == '\n') {
            end_line();
            out.append("\r\n");
            column = 0;
            i += c == '\r' && i + 1 < text.size() && text[i + 1] == '\n' ? 2 : 1;
            continue;
        }
        // A dot at a line start would be doubled on the wire, "From " is quoted by mailboxes.
        const bool risky = column == 0 && (c == '.' || text.substr(i, 5) == "From ");
        if (!kSafe[c] || risky) {
            escape(c);
            ++i;
            continue;
        }
        if (column == kEncodedLineMax) {
            out.append("=\r\n");
            column = 0;
            continue;
        }
        const size_t run_max = std::min(text.size() - i, kEncodedLineMax - column);
        size_t run = 1;
        while (run < run_max && kSafe[static_cast<uint8_t>(text[i + run])]) ++run;
        out.append(text.data() + i, run);
        column += run;
        i += run;
    }
    end_line();
}

std::string FormatDate(base::TimeMs time) {
    using namespace std::chrono;
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const sys_time<milliseconds> at{milliseconds(time)};
    const sys_days day = floor<days>(at);
    const year_month_day ymd(day);
    const hh_mm_ss clock(floor<seconds>(at - day));
    char out[64];
    std::snprintf(out, sizeof out, "%s, %02u %s %04d %02d:%02d:%02d +0000",
                  kDays[weekday(day).c_encoding()], static_cast<unsigned>(ymd.day()),
                  kMonths[static_cast<unsigned>(ymd.month()) - 1], static_cast<int>(ymd.year()),
                  static_cast<int>(clock.hours().count()),
                  static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
    return out;
}

base::Result<std::string> WireAddress(std::string_view address) {
    const size_t at = address.rfind('@');
    if (at == std::string_view::npos || HasControl(address)) {
        return base::Invalid("not an email address");
    }
    std::string out(address.substr(0, at));
    const bool odd_dots = out.starts_with('.') || out.ends_with('.') ||
                          out.find("..") != std::string::npos;
    if (odd_dots && out.find('"') == std::string::npos) out = '"' + out + '"';
    out.push_back('@');
    std::string domain(address.substr(at + 1));
    if (IsAscii(domain)) {
        for (char& c : domain) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        out.append(domain);
    } else {
        uint8_t* ascii = nullptr;
        const int rc = idn2_lookup_u8(reinterpret_cast<const uint8_t*>(domain.c_str()), &ascii,
                                      IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
        if (rc != IDN2_OK) return base::Invalid("not a domain name");
        out.append(reinterpret_cast<const char*>(ascii));
        idn2_free(ascii);
    }
    TRY(smtp::CheckAddress(out, ""));
    return out;
}

std::string MessageIdOf(std::string_view secret, std::string_view idempotency_key,
                        std::string_view domain) {
    std::string id = "<" + KeyedHex(secret, "message-id", idempotency_key) + "@";
    return id.append(domain).append(">");
}

base::Result<BuiltLetter> BuildLetter(const LetterParts& parts, std::string_view secret) {
    TRY(CheckParts(parts));
    BuiltLetter built;
    TRY_ASSIGN(const std::string from, WireAddress(parts.from.address));
    TRY_ASSIGN(built.to, WireAddress(parts.to.address));
    std::string domain = from.substr(from.rfind('@') + 1);
    if (!parts.message_id_domain.empty()) {
        TRY_ASSIGN(const std::string checked, WireAddress("x@" + parts.message_id_domain));
        domain = checked.substr(2);
    }
    built.message_id = MessageIdOf(secret, parts.idempotency_key, domain);

    std::string& out = built.bytes;
    out.reserve(2048 + (parts.text.size() + parts.html.size()) / 4 * 5);
    TRY(AppendMailbox(out, "From", parts.from, "from"));
    TRY(AppendMailbox(out, "To", parts.to, "to"));
    if (!parts.reply_to.address.empty()) {
        TRY(AppendMailbox(out, "Reply-To", parts.reply_to, "reply_to"));
    }
    TRY(AppendTextHeader(out, "Subject", parts.subject, "subject"));
    out.append("Date: ").append(FormatDate(parts.date_ms)).append("\r\n");
    out.append("Message-ID: ").append(built.message_id).append("\r\n");
    out.append("X-Idempotency-Key: ");
    out.append(KeyedHex(secret, "idempotency", parts.idempotency_key)).append("\r\n");
    TRY(AppendOtherHeaders(out, parts));
    built.needs_smtp_utf8 = !IsAscii(out);
    AppendBody(out, parts, KeyedHex(secret, "boundary", parts.idempotency_key));
    if (out.size() > limits::kLetterBytesMax) {
        return base::Fail(base::ErrorCode::kTooLarge, "letter too large",
                          "The letter is too large.");
    }
    return built;
}

}  // namespace delivery
