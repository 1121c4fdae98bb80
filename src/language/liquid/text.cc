#include "language/liquid/text.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <simdjson.h>

namespace liquid {

std::string_view LeftStripped(std::string_view text) {
    while (!text.empty() && (IsSpace(text.front()) || text.front() == '\0')) text.remove_prefix(1);
    return text;
}

std::string_view RightStripped(std::string_view text) {
    while (!text.empty() && (IsSpace(text.back()) || text.back() == '\0')) text.remove_suffix(1);
    return text;
}

std::string_view Stripped(std::string_view text) {
    return LeftStripped(RightStripped(text));
}

size_t CharacterBytes(std::string_view text, size_t at) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const size_t length = lead < 0xc2 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 1;
    if (length > text.size() - at) return 1;
    for (size_t i = 1; i < length; ++i) {
        if ((static_cast<unsigned char>(text[at + i]) & 0xc0) != 0x80) return 1;
    }
    return length;
}

size_t CharacterCount(std::string_view text) {
    size_t count = 0;
    for (size_t at = 0; at < text.size(); at += CharacterBytes(text, at)) ++count;
    return count;
}

std::string_view Characters(std::string_view text, size_t start, size_t count) {
    size_t at = 0;
    for (; start > 0 && at < text.size(); --start) at += CharacterBytes(text, at);
    size_t end = at;
    for (; count > 0 && end < text.size(); --count) end += CharacterBytes(text, end);
    return text.substr(at, end - at);
}

namespace {

uint32_t CodePoint(std::string_view text, size_t at, size_t bytes) {
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
    if (bytes == 1) return byte(0);
    if (bytes == 2) return ((byte(0) & 0x1fU) << 6) | (byte(1) & 0x3fU);
    return 0;  // No letter that we turn is longer than two bytes.
}

// The letters in question stay within two bytes: U+0080..U+07FF.
void AppendTwoBytes(std::string& out, uint32_t c) {
    out += static_cast<char>(0xc0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3f));
}

uint32_t Upper(uint32_t c) {
    if (c >= 0xe0 && c <= 0xfe && c != 0xf7) return c - 0x20;
    if (c == 0xff) return 0x178;
    if ((c >= 0x100 && c <= 0x137 && c != 0x131) || (c >= 0x14a && c <= 0x177)) return c & ~1U;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e)) return c % 2 == 0 ? c - 1 : c;
    if (c >= 0x3b1 && c <= 0x3c9) return c == 0x3c2 ? 0x3a3 : c - 0x20;
    if (c >= 0x3ad && c <= 0x3af) return c - 37;
    if (c == 0x3ac) return 0x386;
    if (c == 0x3cc) return 0x38c;
    if (c == 0x3cd || c == 0x3ce) return c - 63;
    if (c >= 0x430 && c <= 0x44f) return c - 0x20;
    if (c >= 0x450 && c <= 0x45f) return c - 0x50;
    if (c >= 0x460 && c <= 0x481) return c & ~1U;
    return c;
}

uint32_t Lower(uint32_t c) {
    if (c >= 0xc0 && c <= 0xde && c != 0xd7) return c + 0x20;
    if (c == 0x178) return 0xff;
    if ((c >= 0x100 && c <= 0x137 && c != 0x130) || (c >= 0x14a && c <= 0x177)) return c | 1U;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e)) return c % 2 == 1 ? c + 1 : c;
    if (c >= 0x391 && c <= 0x3a9 && c != 0x3a2) return c + 0x20;
    if (c >= 0x388 && c <= 0x38a) return c + 37;
    if (c == 0x386) return 0x3ac;
    if (c == 0x38c) return 0x3cc;
    if (c == 0x38e || c == 0x38f) return c + 63;
    if (c >= 0x410 && c <= 0x42f) return c + 0x20;
    if (c >= 0x400 && c <= 0x40f) return c + 0x50;
    if (c >= 0x460 && c <= 0x481) return c | 1U;
    return c;
}

void AppendTurned(std::string& out, std::string_view text, bool up) {
    for (size_t at = 0; at < text.size();) {
        const size_t bytes = CharacterBytes(text, at);
        if (bytes == 1) {
            const char c = text[at];
            if (up) {
                out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
            } else {
                out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
            }
        } else if (bytes == 2) {
            const uint32_t c = CodePoint(text, at, bytes);
            AppendTwoBytes(out, up ? Upper(c) : Lower(c));
        } else {
            out.append(text, at, bytes);
        }
        at += bytes;
    }
}

}  // namespace

std::string Upcase(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    AppendTurned(out, text, true);
    return out;
}

std::string Downcase(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    AppendTurned(out, text, false);
    return out;
}

std::string Capitalize(std::string_view text) {
    std::string out;
    if (text.empty()) return out;
    const size_t first = CharacterBytes(text, 0);
    AppendTurned(out, text.substr(0, first), true);
    AppendTurned(out, text.substr(first), false);
    return out;
}

size_t FindText(std::string_view text, std::string_view needle, size_t from) {
    if (from > text.size() || needle.size() > text.size() - from) return std::string_view::npos;
    if (needle.empty()) return from;
    if (needle.size() == 1) return text.find(needle[0], from);
    // glibc's memmem is the two-way search: linear time, constant space.
    const void* const found =
        memmem(text.data() + from, text.size() - from, needle.data(), needle.size());
    if (found == nullptr) return std::string_view::npos;
    return static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

size_t FindLastText(std::string_view text, std::string_view needle) {
    const std::string mirrored(text.rbegin(), text.rend());
    const std::string mirrored_needle(needle.rbegin(), needle.rend());
    const size_t found = FindText(mirrored, mirrored_needle);
    if (found == std::string_view::npos) return found;
    return text.size() - found - needle.size();
}

namespace {

std::string_view Entity(char c) {
    switch (c) {
        case '&': return "&amp;";
        case '<': return "&lt;";
        case '>': return "&gt;";
        case '"': return "&quot;";
        case '\'': return "&#39;";
        default: return {};
    }
}

// True when an entity's rest, "lt;" or "#20;", begins at `at`.
bool EntityAt(std::string_view text, size_t at) {
    size_t i = at;
    if (i < text.size() && text[i] == '#') {
        const size_t digits = ++i;
        while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
        return i > digits && i < text.size() && text[i] == ';';
    }
    while (i < text.size() && std::isalpha(static_cast<unsigned char>(text[i]))) ++i;
    return i > at && i < text.size() && text[i] == ';';
}

void AppendEscaped(std::string& out, std::string_view text, bool once) {
    size_t plain = 0;
    for (size_t i = 0; i < text.size(); ++i) {
        const std::string_view entity = Entity(text[i]);
        if (entity.empty() || (once && text[i] == '&' && EntityAt(text, i + 1))) continue;
        out.append(text, plain, i - plain);
        out += entity;
        plain = i + 1;
    }
    out.append(text, plain, text.size() - plain);
}

// Ends of the blocks that go with their content. Each knows from where on no end follows, so
// that many openings without an end cost one search.
struct Enclosure {
    std::string_view open;
    std::string_view close;
    bool closes = true;
};

}  // namespace

void AppendHtmlEscaped(std::string& out, std::string_view text) {
    AppendEscaped(out, text, false);
}

void AppendHtmlEscapedOnce(std::string& out, std::string_view text) {
    AppendEscaped(out, text, true);
}

std::string StripHtml(std::string_view html) {
    const std::string lower = [&] {
        std::string copy(html);
        for (char& c : copy) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        return copy;
    }();
    Enclosure blocks[] = {{"<script", "</script>"}, {"<!--", "-->"}, {"<style", "</style>"}};
    bool tags_close = true;
    std::string out;
    for (size_t i = 0; i < html.size();) {
        const size_t open = std::min(html.find('<', i), html.size());
        out.append(html, i, open - i);
        i = open;
        if (i == html.size()) break;
        size_t end = std::string_view::npos;
        const char next = i + 1 < lower.size() ? lower[i + 1] : '\0';
        const bool may_block = next == 's' || next == '!';
        for (Enclosure& block : blocks) {
            if (!may_block || !block.closes) continue;
            if (lower.compare(i, block.open.size(), block.open) != 0) continue;
            const size_t close = FindText(lower, block.close, i + block.open.size());
            if (close == std::string_view::npos) {
                block.closes = false;
            } else {
                end = close + block.close.size();
                break;
            }
        }
        if (end == std::string_view::npos && tags_close) {
            const size_t close = html.find('>', i);
            if (close == std::string_view::npos) {
                tags_close = false;
            } else {
                end = close + 1;
            }
        }
        if (end == std::string_view::npos) {
            out += html[i++];
        } else {
            i = end;
        }
    }
    return out;
}

std::string UrlEncode(std::string_view text) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80 && (std::isalnum(byte) || c == '_' || c == '.' || c == '-' || c == '~')) {
            out += c;
        } else if (c == ' ') {
            out += '+';
        } else {
            out += '%';
            out += kHex[byte >> 4];
            out += kHex[byte & 15];
        }
    }
    return out;
}

std::string UrlDecode(std::string_view text) {
    const auto digit = [](char c) {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        return -1;
    };
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && text.size() - i > 2 && digit(text[i + 1]) >= 0 &&
            digit(text[i + 2]) >= 0) {
            out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
            i += 2;
        } else {
            out += text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

std::vector<std::string_view> Words(std::string_view text) {
    std::vector<std::string_view> words;
    for (size_t i = 0; i < text.size();) {
        while (i < text.size() && IsSpace(text[i])) ++i;
        const size_t start = i;
        while (i < text.size() && !IsSpace(text[i])) ++i;
        if (i > start) words.push_back(text.substr(start, i - start));
    }
    return words;
}

bool IsUtf8(std::string_view text) {
    return text.empty() || simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace liquid
