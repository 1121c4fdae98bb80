// Cuts the text of a condition into words, names, quoted texts, numbers and signs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace condition {

enum class TokenKind : uint8_t {
    kEnd,
    kWord,    // A bare word or dotted name: keyword or name, as the place demands.
    kName,    // `in backquotes`; text is unescaped.
    kText,    // "quoted" or 'quoted'; text is unescaped.
    kNumber,
    kLength,  // 7d: digits with a word directly behind; text is the whole.
    kSign,    // ( ) , + = != > >= < <=
};

struct Token {
    TokenKind kind = TokenKind::kEnd;
    std::string text;
    double number = 0;    // kNumber.
    bool whole = false;   // kNumber: digits only.
    size_t at = 0;        // Byte offset in the text.
};

// The last token is kEnd. Blanks are the ASCII ones, U+00A0, U+3000 and a leading U+FEFF;
// # begins a comment to the end of the line.
// Errors: kInvalidArgument with `at` "line:column".
base::Result<std::vector<Token>> Lex(std::string_view text);

// "line:column" of a byte offset, both from 1; columns count code points.
std::string PositionOf(std::string_view text, size_t offset);

}  // namespace condition
