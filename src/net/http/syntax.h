// Characters of HTTP syntax (RFC 9110 5.5 and 5.6.2).
#pragma once

#include <string_view>

namespace http {

inline bool IsTokenChar(char c) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
    return c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

inline bool IsToken(std::string_view text) {
    for (const char c : text) {
        if (!IsTokenChar(c)) return false;
    }
    return !text.empty();
}

// VCHAR, obs-text, space and tab: what a field value may hold.
inline bool IsFieldText(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= ' ' && byte != 0x7f);
}

inline int HexDigit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

inline std::string_view TrimBlanks(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

// True when the comma-separated `list` has `token`, without regard to case.
bool ListHas(std::string_view list, std::string_view token);

}  // namespace http
