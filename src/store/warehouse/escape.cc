#include "store/warehouse/escape.h"

#include <charconv>
#include <cmath>

namespace warehouse {
namespace {

constexpr char kHex[] = "0123456789abcdef";

void AppendEscapedByte(std::string& sql, char c) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '\'' || c == '\\') {
        sql.push_back('\\');
        sql.push_back(c);
    } else if (byte < 0x20 || byte == 0x7f) {
        sql.append("\\x");
        sql.push_back(kHex[byte >> 4]);
        sql.push_back(kHex[byte & 15]);
    } else {
        sql.push_back(c);
    }
}

template <typename T>
void AppendNumber(std::string& sql, T value) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof(text), value);
    sql.append(text, end.ptr);
}

}  // namespace

void AppendLiteral(std::string& sql, std::string_view text) {
    sql.push_back('\'');
    for (const char c : text) AppendEscapedByte(sql, c);
    sql.push_back('\'');
}

void AppendLiteral(std::string& sql, int64_t value) {
    // A parenthesis keeps "1-" and a negative number from becoming a comment.
    if (value < 0) sql.push_back('(');
    AppendNumber(sql, value);
    if (value < 0) sql.push_back(')');
}

void AppendLiteral(std::string& sql, uint64_t value) { AppendNumber(sql, value); }

void AppendLiteral(std::string& sql, double value) {
    if (std::isnan(value)) {
        sql.append("nan");
    } else if (std::isinf(value)) {
        sql.append(value > 0 ? "inf" : "(-inf)");
    } else {
        if (std::signbit(value)) sql.push_back('(');
        AppendNumber(sql, value);
        if (std::signbit(value)) sql.push_back(')');
    }
}

std::string Literal(std::string_view text) {
    std::string sql;
    AppendLiteral(sql, text);
    return sql;
}

void AppendContains(std::string& sql, std::string_view text) {
    // Twice escaped: once for LIKE (% _ \), once for the quotes.
    sql.append("'%");
    for (const char c : text) {
        if (c == '%' || c == '_' || c == '\\') sql.append("\\\\");
        AppendEscapedByte(sql, c);
    }
    sql.append("%'");
}

}  // namespace warehouse
