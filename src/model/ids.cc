#include "model/ids.h"

#include <charconv>

namespace model {
namespace {

void AppendHex64(std::string& out, uint64_t v) {
    static constexpr char kDigits[] = "0123456789abcdef";
    for (int shift = 60; shift >= 0; shift -= 4) out.push_back(kDigits[v >> shift & 15]);
}

bool ReadHex64(std::string_view text, uint64_t& v) {
    const auto result = std::from_chars(text.data(), text.data() + text.size(), v, 16);
    return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

}  // namespace

std::string ToText(const PersonId& id) {
    std::string out;
    out.reserve(32);
    AppendHex64(out, id.hi);
    AppendHex64(out, id.lo);
    return out;
}

bool FromText(std::string_view text, PersonId& id) {
    return text.size() == 32 && ReadHex64(text.substr(0, 16), id.hi) &&
           ReadHex64(text.substr(16), id.lo);
}

std::string_view IdKindName(IdKind kind) {
    switch (kind) {
        case IdKind::kAnonymous: return "anonymous";
        case IdKind::kEmail: return "email";
        case IdKind::kUser: return "user";
    }
    return "unknown";
}

std::string NormalEmail(std::string_view address) {
    const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
    while (!address.empty() && space(address.front())) address.remove_prefix(1);
    while (!address.empty() && space(address.back())) address.remove_suffix(1);
    std::string out(address);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

PersonId PersonOf(const base::SipKey& workspace_secret, IdKind kind, std::string_view id) {
    std::string text;
    text.reserve(id.size() + 1);
    text.push_back(static_cast<char>(kind));
    text.append(id);
    return base::SipHash128(workspace_secret, text);
}

std::string ToText(const FactKey& key) {
    return std::to_string(key.stream) + '-' + std::to_string(key.offset) + '-' +
           std::to_string(key.ordinal);
}

bool FromText(std::string_view text, FactKey& key) {
    const char* p = text.data();
    const char* end = p + text.size();
    const auto read = [&](auto& value, bool last) {
        const auto r = std::from_chars(p, end, value);
        if (r.ec != std::errc() || (last ? r.ptr != end : r.ptr == end || *r.ptr != '-')) {
            return false;
        }
        p = r.ptr + 1;
        return true;
    };
    return read(key.stream, false) && read(key.offset, false) && read(key.ordinal, true);
}

}  // namespace model
