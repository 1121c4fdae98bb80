#include "net/http/url.h"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "net/http/syntax.h"

namespace http {
namespace {

// The byte that text[at..at+2] = "%XX" stands for; -1 when it is not one.
int EncodedByte(std::string_view text, size_t at) {
    if (at + 2 >= text.size()) return -1;
    const int high = HexDigit(text[at + 1]);
    const int low = HexDigit(text[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

std::string Lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

}  // namespace

std::optional<std::string> PercentDecode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        const int byte = EncodedByte(text, i);
        if (byte < 0) return std::nullopt;
        out.push_back(static_cast<char>(byte));
        i += 2;
    }
    return out;
}

std::string FormDecode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (size_t i = 0; i < text.size(); ++i) {
        const int byte = text[i] == '%' ? EncodedByte(text, i) : -1;
        if (byte >= 0) {
            out.push_back(static_cast<char>(byte));
            i += 2;
        } else {
            out.push_back(text[i] == '+' ? ' ' : text[i]);
        }
    }
    return out;
}

std::string PercentEncode(std::string_view text) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            out.push_back(c);
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out.push_back('%');
            out.push_back(kHex[byte >> 4]);
            out.push_back(kHex[byte & 15]);
        }
    }
    return out;
}

Query Query::Parse(std::string_view text) {
    Query query;
    while (!text.empty()) {
        const size_t end = std::min(text.find('&'), text.size());
        const std::string_view pair = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (pair.empty()) continue;
        const size_t equals = pair.find('=');
        query.all_.emplace_back(
            FormDecode(pair.substr(0, equals)),
            equals == std::string_view::npos ? std::string() : FormDecode(pair.substr(equals + 1)));
    }
    return query;
}

std::optional<std::string_view> Query::Find(std::string_view name) const {
    for (const auto& [key, value] : all_) {
        if (key == name) return value;
    }
    return std::nullopt;
}

std::string_view Query::Get(std::string_view name) const { return Find(name).value_or(""); }

std::vector<std::string_view> Query::FindAll(std::string_view name) const {
    std::vector<std::string_view> found;
    for (const auto& [key, value] : all_) {
        if (key == name) found.emplace_back(value);
    }
    return found;
}

uint16_t Url::PortOrDefault() const {
    if (port != 0) return port;
    if (scheme == "http" || scheme == "ws") return 80;
    if (scheme == "https" || scheme == "wss") return 443;
    return 0;
}

base::Result<Url> ParseUrl(std::string_view text) {
    const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
    if (parsed.has_error() || !parsed->has_authority() || parsed->encoded_host().empty()) {
        return base::Invalid("not an absolute address");
    }
    const auto as_string = [](const auto& part) { return std::string(part.data(), part.size()); };
    Url url;
    url.scheme = Lower(as_string(parsed->scheme()));
    url.user_info = as_string(parsed->encoded_userinfo());
    url.host = Lower(as_string(parsed->encoded_host()));
    if (parsed->has_port() && !parsed->port().empty()) {
        url.port = parsed->port_number();
        // Zero stands for "does not fit 16 bits" there.
        if (url.port == 0) return base::Invalid("the port is not one");
    }
    url.path = as_string(parsed->encoded_path());
    url.query = as_string(parsed->encoded_query());
    url.fragment = as_string(parsed->encoded_fragment());
    return url;
}

}  // namespace http
