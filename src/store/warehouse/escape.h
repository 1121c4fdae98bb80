// The one place where values become SQL. The result means the same to ClickHouse 18 and 26, holds
// no control byte (so no blank line) and cannot end its quotes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace warehouse {

// 'text' with quotes. Any bytes, also NUL and what is no UTF-8.
void AppendLiteral(std::string& sql, std::string_view text);
void AppendLiteral(std::string& sql, int64_t value);
void AppendLiteral(std::string& sql, uint64_t value);
// NaN and infinities become nan, inf, -inf, which ClickHouse reads.
void AppendLiteral(std::string& sql, double value);

std::string Literal(std::string_view text);

// A pattern for LIKE that matches `text` anywhere, itself quoted: '%50\\%%'.
void AppendContains(std::string& sql, std::string_view text);

}  // namespace warehouse
