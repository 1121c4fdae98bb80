#include "flow/delivery/letter_check.h"

#include <algorithm>
#include <cstring>

#include "base/hash.h"
#include "base/limits.h"

namespace delivery {
namespace {

tl::unexpected<base::Error> Corrupt(std::string text) {
    return base::Fail(base::ErrorCode::kCorrupt, "letter check: " + std::move(text));
}

std::string Lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
}

// The next line without its CRLF. Lines were checked before.
std::string_view TakeLine(std::string_view& rest) {
    const size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
    return line;
}

using Headers = std::vector<std::pair<std::string, std::string>>;

base::Status ReadHeaders(std::string_view& rest, Headers& headers) {
    while (true) {
        if (rest.empty()) return Corrupt("no end of headers");
        const std::string_view line = TakeLine(rest);
        if (line.empty()) break;
        if (line.front() == ' ' || line.front() == '\t') {
            if (headers.empty()) return Corrupt("folding before the first header");
            if (line.find_first_not_of(" \t") == std::string_view::npos) {
                return Corrupt("a header line of spaces");
            }
            headers.back().second.append(line);
            continue;
        }
        const size_t colon = line.find(':');
        const std::string_view name = line.substr(0, colon);
        const bool named = colon != std::string_view::npos && colon > 0 &&
                           std::all_of(name.begin(), name.end(),
                                       [](char c) { return c > 0x20 && c < 0x7f; });
        if (!named) return Corrupt("a line that is no header");
        std::string_view value = line.substr(colon + 1);
        if (value.starts_with(' ')) value.remove_prefix(1);
        headers.emplace_back(name, value);
        if (headers.size() > limits::kLetterHeadersMax) return Corrupt("too many headers");
    }
    for (size_t i = 0; i < headers.size(); ++i) {
        for (size_t j = 0; j < i; ++j) {
            if (Lower(headers[i].first) == Lower(headers[j].first)) {
                return Corrupt("header twice: " + headers[i].first);
            }
        }
    }
    return {};
}

const std::string* Find(const Headers& headers, std::string_view name) {
    for (const auto& [key, value] : headers) {
        if (Lower(key) == name) return &value;
    }
    return nullptr;
}

int HexDigit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

base::Result<std::string> DecodeQuotedPrintable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') {
            out.push_back(text[i]);
            continue;
        }
        if (text.substr(i, 3) == "=\r\n") {
            i += 2;
            continue;
        }
        const int hi = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
        const int lo = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
        if (hi < 0 || lo < 0) return Corrupt("bad quoted-printable");
        out.push_back(static_cast<char>(hi * 16 + lo));
        i += 2;
    }
    return out;
}

// `body` ends with the CRLF that ends the part.
base::Status AddPart(const Headers& headers, std::string_view body, bool decode, ReadLetter& out) {
    const std::string* type = Find(headers, "content-type");
    const std::string* encoding = Find(headers, "content-transfer-encoding");
    if (type == nullptr || encoding == nullptr || *encoding != "quoted-printable" ||
        !type->ends_with("; charset=utf-8") || !body.ends_with("\r\n")) {
        return Corrupt("a part of another kind");
    }
    ReadPart part;
    part.content_type = Lower(type->substr(0, type->find(';')));
    body.remove_suffix(2);
    if (decode) {
        TRY_ASSIGN(part.body, DecodeQuotedPrintable(body));
    }
    out.parts.push_back(std::move(part));
    return {};
}

base::Status ReadMultipart(std::string_view rest, std::string_view boundary, bool decode,
                           ReadLetter& out) {
    const std::string open = "--" + std::string(boundary) + "\r\n";
    const std::string close = "--" + std::string(boundary) + "--\r\n";
    if (!rest.starts_with(open)) return Corrupt("no first boundary");
    rest.remove_prefix(open.size());
    const std::string mark = "\r\n--" + std::string(boundary);
    while (true) {
        // The CRLF before the boundary ends the part's last line here, as BuildLetter writes it.
        const size_t end = rest.find(mark);
        if (end == std::string_view::npos) return Corrupt("no closing boundary");
        std::string_view piece = rest.substr(0, end + 2);
        rest.remove_prefix(end + 2);
        Headers headers;
        TRY(ReadHeaders(piece, headers));
        if (headers.size() != 2) return Corrupt("headers of a part");
        TRY(AddPart(headers, piece, decode, out));
        if (rest == close) return {};
        if (!rest.starts_with(open)) return Corrupt("a bad boundary line");
        rest.remove_prefix(open.size());
        if (out.parts.size() > 2) return Corrupt("too many parts");
    }
}

std::string DecodeWord(std::string_view charset_free, char encoding, bool& fine) {
    std::string out;
    if (encoding == 'B' || encoding == 'b') {
        fine = base::Base64Decode(charset_free, out);
        return out;
    }
    for (size_t i = 0; i < charset_free.size(); ++i) {
        const char c = charset_free[i];
        if (c == '_') {
            out.push_back(' ');
        } else if (c == '=' && i + 2 < charset_free.size()) {
            out.push_back(static_cast<char>(HexDigit(charset_free[i + 1]) * 16 +
                                            HexDigit(charset_free[i + 2])));
            i += 2;
        } else {
            out.push_back(c);
        }
    }
    return out;
}

struct ReadMailbox {
    std::string name;
    std::string address;
};

std::string Unquoted(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        out.push_back(text[i]);
    }
    return out;
}

base::Result<ReadMailbox> ReadOneMailbox(std::string_view value) {
    ReadMailbox out;
    if (!value.ends_with('>')) {
        out.address = value;
    } else {
        const size_t open = value.rfind(" <");
        if (open == std::string_view::npos) return Corrupt("a mailbox without <");
        out.address = value.substr(open + 2, value.size() - open - 3);
        const std::string_view name = value.substr(0, open);
        if (name.size() >= 2 && name.front() == '"' && name.back() == '"') {
            out.name = Unquoted(name.substr(1, name.size() - 2));
        } else {
            if (name.find_first_of("()<>[]:;@\\,.\"") != std::string_view::npos &&
                !name.starts_with("=?")) {
                return Corrupt("specials in a bare name");
            }
            out.name = DecodeHeaderText(name);
        }
    }
    const size_t at = out.address.rfind('@');
    if (at == std::string::npos || out.address.find_first_of(" <>,;:") != std::string::npos) {
        return Corrupt("a bad address");
    }
    return out;
}

base::Status CheckMailbox(const Headers& headers, std::string_view name, const Mailbox& meant) {
    const std::string* value = Find(headers, name);
    if (value == nullptr) return Corrupt("missing " + std::string(name));
    TRY_ASSIGN(const ReadMailbox read, ReadOneMailbox(*value));
    TRY_ASSIGN(const std::string address, WireAddress(meant.address));
    if (read.name != meant.name || read.address != address) {
        return Corrupt(std::string(name) + " reads otherwise than meant");
    }
    return {};
}

std::vector<std::string> ExpectedHeaders(const LetterParts& parts) {
    std::vector<std::string> names = {"From", "To"};
    if (!parts.reply_to.address.empty()) names.emplace_back("Reply-To");
    for (const char* name : {"Subject", "Date", "Message-ID", "X-Idempotency-Key"}) {
        names.emplace_back(name);
    }
    if (!parts.list_unsubscribe_url.empty()) {
        names.emplace_back("List-Unsubscribe");
        names.emplace_back("List-Unsubscribe-Post");
    }
    if (!parts.feedback_id.empty()) names.emplace_back("Feedback-ID");
    if (!parts.language.empty()) names.emplace_back("Content-Language");
    for (const auto& header : parts.extra_headers) names.push_back(header.first);
    names.emplace_back("MIME-Version");
    names.emplace_back("Content-Type");
    if (parts.text.empty() || parts.html.empty()) names.emplace_back("Content-Transfer-Encoding");
    return names;
}

base::Status CheckUnsubscribe(const Headers& headers, const LetterParts& parts) {
    if (parts.list_unsubscribe_url.empty()) return {};
    const std::string* url = Find(headers, "list-unsubscribe");
    const std::string* post = Find(headers, "list-unsubscribe-post");
    const std::string meant = "<" + parts.list_unsubscribe_url + ">";
    if (url == nullptr || !url->ends_with(meant) || *post != "List-Unsubscribe=One-Click") {
        return Corrupt("List-Unsubscribe reads otherwise than meant");
    }
    const std::string_view before(url->data(), url->size() - meant.size());
    const bool mail = !parts.list_unsubscribe_mailto.empty();
    if (mail ? !(before.starts_with("<mailto:") && before.ends_with(">, ")) : !before.empty()) {
        return Corrupt("List-Unsubscribe reads otherwise than meant");
    }
    return {};
}

base::Status CheckTexts(const Headers& headers, const LetterParts& parts) {
    const auto check = [&](std::string_view name, const std::string& meant) -> base::Status {
        const std::string* value = Find(headers, Lower(name));
        if (value == nullptr || DecodeHeaderText(*value) != meant) {
            return Corrupt(std::string(name) + " reads otherwise than meant");
        }
        return {};
    };
    TRY(check("Subject", parts.subject));
    if (!parts.feedback_id.empty()) TRY(check("Feedback-ID", parts.feedback_id));
    for (const auto& [name, value] : parts.extra_headers) TRY(check(name, value));
    return {};
}

}  // namespace

base::Status CheckLines(std::string_view letter) {
    if (letter.size() < 2 || letter.substr(letter.size() - 2) != "\r\n") {
        return Corrupt("no final CRLF");
    }
    if (std::memchr(letter.data(), '\0', letter.size()) != nullptr) return Corrupt("a NUL");
    size_t at = 0;
    while (at < letter.size()) {
        const char* line = letter.data() + at;
        const auto* cr = static_cast<const char*>(std::memchr(line, '\r', letter.size() - at));
        if (cr == nullptr || cr + 1 == letter.data() + letter.size() || cr[1] != '\n') {
            return Corrupt("a bare CR or LF");
        }
        const auto length = static_cast<size_t>(cr - line);
        if (std::memchr(line, '\n', length) != nullptr) return Corrupt("a bare LF");
        if (length > limits::kLetterLineBytesMax) return Corrupt("a line too long");
        at += length + 2;
    }
    return {};
}

base::Status CheckDots(std::string_view letter, std::string_view wire) {
    while (!wire.empty()) {
        std::string_view line = TakeLine(wire);
        if (line == ".") return Corrupt("a lone dot");
        if (line.starts_with('.')) line.remove_prefix(1);
        if (!letter.starts_with(line) || letter.substr(line.size(), 2) != "\r\n") {
            return Corrupt("dots");
        }
        letter.remove_prefix(line.size() + 2);
    }
    if (!letter.empty()) return Corrupt("a letter cut short");
    return {};
}

base::Result<ReadLetter> ParseLetter(std::string_view letter, bool decode_bodies) {
    TRY(CheckLines(letter));
    ReadLetter out;
    TRY(ReadHeaders(letter, out.headers));
    const std::string* type = Find(out.headers, "content-type");
    const std::string_view multipart = "multipart/alternative; boundary=\"";
    if (type != nullptr && type->starts_with(multipart) && type->ends_with('"')) {
        const std::string boundary =
            type->substr(multipart.size(), type->size() - multipart.size() - 1);
        if (boundary.empty()) return Corrupt("an empty boundary");
        TRY(ReadMultipart(letter, boundary, decode_bodies, out));
        return out;
    }
    TRY(AddPart(out.headers, letter, decode_bodies, out));
    return out;
}

base::Status CheckLetter(std::string_view letter, const LetterParts& parts) {
    TRY_ASSIGN(const ReadLetter read, ParseLetter(letter, false));
    const std::vector<std::string> expected = ExpectedHeaders(parts);
    if (read.headers.size() != expected.size()) return Corrupt("a header too many or too few");
    for (size_t i = 0; i < expected.size(); ++i) {
        if (read.headers[i].first != expected[i]) {
            return Corrupt("header " + read.headers[i].first + " where " + expected[i] +
                           " should be");
        }
    }
    TRY(CheckMailbox(read.headers, "from", parts.from));
    TRY(CheckMailbox(read.headers, "to", parts.to));
    if (!parts.reply_to.address.empty()) {
        TRY(CheckMailbox(read.headers, "reply-to", parts.reply_to));
    }
    TRY(CheckTexts(read.headers, parts));
    TRY(CheckUnsubscribe(read.headers, parts));
    std::vector<std::string> types;
    if (!parts.text.empty()) types.emplace_back("text/plain");
    if (!parts.html.empty()) types.emplace_back("text/html");
    if (read.parts.size() != types.size()) return Corrupt("a part too many or too few");
    for (size_t i = 0; i < types.size(); ++i) {
        if (read.parts[i].content_type != types[i]) return Corrupt("a part of another type");
    }
    return {};
}

std::string DecodeHeaderText(std::string_view value) {
    std::string out;
    bool after_word = false;
    while (!value.empty()) {
        const size_t open = value.find("=?");
        const size_t charset_end = open == value.npos ? open : value.find('?', open + 2);
        const size_t encoding_end =
            charset_end == value.npos ? charset_end : value.find('?', charset_end + 1);
        const size_t close = encoding_end == value.npos ? encoding_end
                                                        : value.find("?=", encoding_end + 1);
        if (close == value.npos || encoding_end != charset_end + 2) break;
        const std::string_view between = value.substr(0, open);
        const bool gap = between.find_first_not_of(" \t") == std::string_view::npos;
        if (!(after_word && gap)) out.append(between);
        bool fine = true;
        const std::string word =
            DecodeWord(value.substr(encoding_end + 1, close - encoding_end - 1),
                       value[charset_end + 1], fine);
        out.append(fine ? std::string_view(word) : value.substr(open, close + 2 - open));
        after_word = true;
        value.remove_prefix(close + 2);
    }
    return out.append(value);
}

}  // namespace delivery
