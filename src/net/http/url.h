// Percent-encoding, query strings, form bodies and absolute addresses (RFC 3986; for forms the
// URL standard's application/x-www-form-urlencoded).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace http {

// Decodes %XX exactly once ('+' stays). nullopt on a '%' without two hexadecimal digits.
std::optional<std::string> PercentDecode(std::string_view text);
// The forgiving kind for queries and forms: a broken "%" stays as it is, '+' becomes a space.
std::string FormDecode(std::string_view text);
// Everything but ALPHA DIGIT - . _ ~ becomes %XX (RFC 3986 2.3), a space too.
std::string PercentEncode(std::string_view text);

// Decoded parameters in their order: of a query string or of a form body (same syntax). Never
// fails; limits on the size of the input limit it.
class Query {
  public:
    Query() = default;
    static Query Parse(std::string_view text);

    // The first of that name (case-sensitive); nullopt when there is none.
    std::optional<std::string_view> Find(std::string_view name) const;
    std::string_view Get(std::string_view name) const;  // As Find; empty when there is none.
    std::vector<std::string_view> FindAll(std::string_view name) const;
    const std::vector<std::pair<std::string, std::string>>& all() const { return all_; }
    bool empty() const { return all_.empty(); }
    size_t size() const { return all_.size(); }

  private:
    std::vector<std::pair<std::string, std::string>> all_;
};

// An absolute address. Parts are as written, not decoded; the scheme and the host in lower case.
struct Url {
    std::string scheme;
    std::string user_info;  // Without '@'.
    std::string host;       // An IPv6 address keeps its brackets.
    uint16_t port = 0;      // As written; 0: none written.
    std::string path;
    std::string query;      // Without '?'.
    std::string fragment;   // Without '#'.

    uint16_t PortOrDefault() const;  // 80 for http and ws, 443 for https and wss, else 0.
};

// Reads "scheme://host..." (RFC 3986 4.3 and a fragment). Errors: kInvalidArgument.
base::Result<Url> ParseUrl(std::string_view text);

}  // namespace http
