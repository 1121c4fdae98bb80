#include "net/smtp/wire.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/hash.h"
#include "base/utf8.h"

namespace smtp {
namespace {

bool IsAlphaNumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// RFC 5321 section 4.1.2 atext, and UTF-8 as in RFC 6531.
bool IsAtomText(char c) {
    return IsAlphaNumeric(c) || static_cast<uint8_t>(c) >= 0x80 ||
           (c != '\0' && std::strchr("!#$%&'*+-/=?^_`{|}~", c) != nullptr);
}

bool IsDotAtom(std::string_view text) {
    if (text.empty() || text.front() == '.' || text.back() == '.') return false;
    return text.find("..") == std::string_view::npos &&
           std::all_of(text.begin(), text.end(), [](char c) { return c == '.' || IsAtomText(c); });
}

// "a..b" and "a.": some Japanese carriers gave such addresses out. Nothing else needs quotes.
bool IsQuotedDots(std::string_view text) {
    if (text.size() < 3 || text.front() != '"' || text.back() != '"') return false;
    text.remove_prefix(1);
    text.remove_suffix(1);
    return std::all_of(text.begin(), text.end(), [](char c) { return c == '.' || IsAtomText(c); });
}

bool IsHostName(std::string_view text) {
    if (text.empty() || text.front() == '.' || text.back() == '.') return false;
    return text.find("..") == std::string_view::npos &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return IsAlphaNumeric(c) || c == '-' || c == '.' || c == '_';
           });
}

bool HasControl(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        return static_cast<uint8_t>(c) < 0x20 || c == 0x7f;
    });
}

bool PercentDecode(std::string_view text, std::string& out) {
    out.clear();
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        std::string byte;
        if (i + 2 >= text.size() || !base::FromHex(text.substr(i + 1, 2), byte)) return false;
        out.append(byte);
        i += 2;
    }
    return true;
}

base::Status ReadScheme(std::string_view& url, Target& target) {
    const struct {
        std::string_view prefix;
        Tls tls;
        uint16_t port;
    } kSchemes[] = {{"smtp://", Tls::kWhenOffered, 25},
                    {"smtp+starttls://", Tls::kStartTls, 587},
                    {"smtps://", Tls::kImplicit, 465}};
    for (const auto& scheme : kSchemes) {
        if (!url.starts_with(scheme.prefix)) continue;
        url.remove_prefix(scheme.prefix.size());
        target.tls = scheme.tls;
        target.port = scheme.port;
        return {};
    }
    return base::Invalid("mail server URL must begin with smtp://, smtp+starttls:// or smtps://",
                         "url");
}

base::Status ReadUser(std::string_view& url, Target& target) {
    const size_t at = url.rfind('@');
    if (at == std::string_view::npos) return {};
    const std::string_view user = url.substr(0, at);
    url.remove_prefix(at + 1);
    const size_t colon = user.find(':');
    if (colon == std::string_view::npos || colon == 0) {
        return base::Invalid("mail server URL needs user:password before the @", "url");
    }
    if (!PercentDecode(user.substr(0, colon), target.user) ||
        !PercentDecode(user.substr(colon + 1), target.password)) {
        return base::Invalid("bad percent code in the user or password of the URL", "url");
    }
    if (HasControl(target.user) || HasControl(target.password)) {
        return base::Invalid("user and password must not have control characters", "url");
    }
    return {};
}

// Whole words at a time: a letter is mostly ordinary bytes.
bool HasBareEndsOrDots(std::string_view bytes) {
    if (bytes.size() < 2 || bytes.substr(bytes.size() - 2) != "\r\n" || bytes.front() == '.') {
        return true;
    }
    size_t at = 0;
    while (at < bytes.size()) {
        const void* found = std::memchr(bytes.data() + at, '\n', bytes.size() - at);
        const size_t lf = static_cast<size_t>(static_cast<const char*>(found) - bytes.data());
        const void* cr = std::memchr(bytes.data() + at, '\r', lf - at);
        if (cr == nullptr || cr != bytes.data() + lf - 1) return true;
        at = lf + 1;
        if (at < bytes.size() && bytes[at] == '.') return true;
    }
    return false;
}

}  // namespace

base::Result<Target> ReadTarget(std::string_view url) {
    Target target;
    TRY(ReadScheme(url, target));
    TRY(ReadUser(url, target));
    if (url.ends_with('/')) url.remove_suffix(1);
    std::string_view port;
    if (url.starts_with('[')) {
        const size_t close = url.find(']');
        if (close == std::string_view::npos) return base::Invalid("missing ] in the URL", "url");
        target.host = url.substr(1, close - 1);
        port = url.substr(close + 1);
        if (target.host.empty() ||
            target.host.find_first_not_of("0123456789abcdefABCDEF:.") != std::string::npos) {
            return base::Invalid("bad address in the mail server URL", "url");
        }
    } else {
        const size_t colon = url.find(':');
        target.host = url.substr(0, colon);
        port = colon == std::string_view::npos ? std::string_view() : url.substr(colon);
        if (!IsHostName(target.host)) {
            return base::Invalid("bad host in the mail server URL", "url");
        }
    }
    if (port.empty()) return target;
    port.remove_prefix(1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), target.port);
    if (error != std::errc() || end != port.data() + port.size() || target.port == 0) {
        return base::Invalid("bad port in the mail server URL", "url");
    }
    return target;
}

base::Status CheckEhloName(std::string_view name) {
    const bool literal = name.size() > 2 && name.front() == '[' && name.back() == ']';
    const std::string_view inner = literal ? name.substr(1, name.size() - 2) : name;
    const bool fine = literal ? std::all_of(inner.begin(), inner.end(),
                                            [](char c) {
                                                return IsAlphaNumeric(c) || c == ':' || c == '.';
                                            })
                              : IsHostName(inner);
    if (!fine || name.size() > 255) {
        return base::Invalid("EHLO name must be a host name or an address in brackets",
                             "ehlo_name");
    }
    return {};
}

bool IsAscii(std::string_view text) {
    uint64_t high = 0;
    size_t i = 0;
    for (; i + 8 <= text.size(); i += 8) {
        uint64_t eight = 0;
        std::memcpy(&eight, text.data() + i, 8);
        high |= eight;
    }
    for (; i < text.size(); ++i) high |= static_cast<uint8_t>(text[i]);
    return (high & 0x8080808080808080ULL) == 0;
}

base::Status CheckAddress(std::string_view address, std::string_view what) {
    const size_t at = address.rfind('@');
    if (at == std::string_view::npos || address.size() > limits::kAddressBytesMax) {
        return base::Invalid("not an email address", std::string(what));
    }
    const std::string_view local = address.substr(0, at);
    const std::string_view domain = address.substr(at + 1);
    const bool local_fine = local.size() <= limits::kLocalPartBytesMax &&
                            (IsDotAtom(local) || IsQuotedDots(local)) && base::IsUtf8(local);
    if (!local_fine || !IsHostName(domain)) {
        return base::Invalid("not an email address", std::string(what));
    }
    return {};
}

bool Canonicalise(std::string_view bytes, std::string& out) {
    if (!HasBareEndsOrDots(bytes)) return false;
    out.clear();
    out.reserve(bytes.size() + bytes.size() / 32 + 16);
    bool line_start = true;
    for (size_t i = 0; i < bytes.size(); ++i) {
        const char c = bytes[i];
        if (c == '\r' || c == '\n') {
            if (c == '\r' && i + 1 < bytes.size() && bytes[i + 1] == '\n') ++i;
            out.append("\r\n");
            line_start = true;
            continue;
        }
        if (c == '.' && line_start) out.push_back('.');
        out.push_back(c);
        line_start = false;
    }
    if (!line_start) out.append("\r\n");
    return true;
}

std::string_view ResultKindName(ResultKind kind) {
    switch (kind) {
        case ResultKind::kAccepted: return "accepted";
        case ResultKind::kTemporary: return "temporary";
        case ResultKind::kPermanent: return "permanent";
        case ResultKind::kAmbiguous: return "ambiguous";
        case ResultKind::kNotSent: return "not_sent";
    }
    return "not_sent";
}

}  // namespace smtp
