#include "language/condition/lexer.h"

#include <unicode/utf8.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/check.h"
#include "language/condition/words.h"

namespace condition {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

class Lexer {
  public:
    explicit Lexer(std::string_view text) : text_(text) {}

    base::Result<std::vector<Token>> All() {
        std::vector<Token> tokens;
        if (text_.starts_with("\xef\xbb\xbf")) pos_ = 3;
        for (;;) {
            SkipBlanks();
            TRY_ASSIGN(Token token, Next());
            const bool end = token.kind == TokenKind::kEnd;
            tokens.push_back(std::move(token));
            if (end) return tokens;
        }
    }

  private:
    char Peek(size_t ahead = 0) const {
        return pos_ + ahead < text_.size() ? text_[pos_ + ahead] : '\0';
    }

    tl::unexpected<base::Error> Wrong(std::string why, size_t at) const {
        return base::Invalid(std::move(why), PositionOf(text_, at));
    }

    void SkipBlanks() {
        while (pos_ < text_.size()) {
            const char c = text_[pos_];
            const std::string_view rest = text_.substr(pos_);
            if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
                ++pos_;
            } else if (rest.starts_with("\xc2\xa0")) {
                pos_ += 2;
            } else if (rest.starts_with("\xe3\x80\x80")) {
                pos_ += 3;
            } else if (c == '#') {
                pos_ = std::min(text_.find('\n', pos_), text_.size());
            } else {
                return;
            }
        }
    }

    // The code point at `pos`, and moves past it. The text is UTF-8.
    int32_t Point(size_t& pos) const {
        auto next = static_cast<int64_t>(pos);
        UChar32 point = 0;
        U8_NEXT(reinterpret_cast<const uint8_t*>(text_.data()), next,
                static_cast<int64_t>(text_.size()), point);
        pos = static_cast<size_t>(next);
        return point;
    }

    base::Result<Token> Next() {
        Token token;
        token.at = pos_;
        if (pos_ == text_.size()) return token;
        const char c = Peek();
        if (c == '"' || c == '\'' || c == '`') return Quoted(c);
        if (IsDigit(c) || ((c == '-' || c == '.') && IsDigit(Peek(1)))) return Number();
        for (const std::string_view sign : {"!=", ">=", "<=", "(", ")", ",", "+", "=", ">", "<"}) {
            if (!text_.substr(pos_).starts_with(sign)) continue;
            token.kind = TokenKind::kSign;
            token.text = sign;
            pos_ += sign.size();
            return token;
        }
        size_t next = pos_;
        const int32_t point = Point(next);
        if (StartsName(point)) return Word();
        const std::string sign(text_.substr(pos_, next - pos_));
        if (point >= 0x2018 && point <= 0x201f) {
            return Wrong("use straight quotes (\") instead of " + sign, pos_);
        }
        if (point < 0x20 || point == 0x7f) {
            return Wrong("a control character cannot stand here", pos_);
        }
        return Wrong("did not expect " + sign + " here", pos_);
    }

    base::Result<Token> Word() {
        Token token{TokenKind::kWord, {}, 0, false, pos_};
        size_t end = pos_;
        while (end < text_.size()) {
            size_t next = end;
            const int32_t point = Point(next);
            if (point != '.' && !ContinuesName(point)) break;
            end = next;
        }
        token.text = text_.substr(pos_, end - pos_);
        if (!IsPlainName(token.text)) {
            return Wrong("the name " + token.text +
                         " has a dot too many; odd names stand in backquotes: `odd name`", pos_);
        }
        pos_ = end;
        return token;
    }

    base::Result<Token> Number() {
        Token token{TokenKind::kNumber, {}, 0, true, pos_};
        size_t end = pos_;
        const auto digits = [&] {
            while (end < text_.size() && IsDigit(text_[end])) ++end;
        };
        const auto at = [&](size_t i) { return i < text_.size() ? text_[i] : '\0'; };
        if (at(end) == '-') {
            token.whole = false;
            ++end;
        }
        digits();
        if (at(end) == '.' && IsDigit(at(end + 1))) {
            token.whole = false;
            ++end;
            digits();
        }
        if ((at(end) == 'e' || at(end) == 'E') &&
            (IsDigit(at(end + 1)) ||
             ((at(end + 1) == '+' || at(end + 1) == '-') && IsDigit(at(end + 2))))) {
            token.whole = false;
            end += 2;
            digits();
        }
        size_t word_end = end;
        while (word_end < text_.size() && (StartsName(at(word_end)) || IsDigit(at(word_end)))) {
            ++word_end;
        }
        token.text = text_.substr(pos_, word_end - pos_);
        if (word_end > end) {
            token.kind = TokenKind::kLength;
        } else if (!Convert(token)) {
            return Wrong("the number " + token.text + " is out of range", pos_);
        }
        pos_ = word_end;
        return token;
    }

    static bool Convert(Token& token) {
        const char* end = token.text.data() + token.text.size();
        const auto [rest, error] = std::from_chars(token.text.data(), end, token.number);
        if (token.number == 0) token.number = 0;  // No negative zero.
        return error == std::errc() && rest == end && std::isfinite(token.number);
    }

    base::Result<Token> Quoted(char quote) {
        Token token{quote == '`' ? TokenKind::kName : TokenKind::kText, {}, 0, false, pos_};
        const size_t start = pos_++;
        for (;;) {
            if (pos_ == text_.size() || text_[pos_] == '\n') {
                return Wrong(quote == '`' ? "this name in backquotes is not closed"
                                          : "this quoted text is not closed",
                             start);
            }
            const char c = text_[pos_];
            if (c == quote) {
                ++pos_;
                return token;
            }
            if (c == '\\') {
                TRY(Escape(token.text));
            } else {
                token.text.push_back(c);
                ++pos_;
            }
        }
    }

    base::Status Escape(std::string& out) {
        const char c = Peek(1);
        switch (c) {
            case '"':
            case '\'':
            case '`':
            case '\\': out.push_back(c); break;
            case 'n': out.push_back('\n'); break;
            case 'r': out.push_back('\r'); break;
            case 't': out.push_back('\t'); break;
            case 'u': return Unicode(out);
            default:
                return Wrong("for a backslash inside quotes write \\\\", pos_);
        }
        pos_ += 2;
        return {};
    }

    // \uXXXX: one code point of the basic plane.
    base::Status Unicode(std::string& out) {
        const std::string_view hex = text_.substr(pos_ + 2, 4);
        uint32_t point = 0;
        const auto [rest, error] = std::from_chars(hex.data(), hex.data() + hex.size(), point, 16);
        if (hex.size() < 4 || error != std::errc() || rest != hex.data() + 4 ||
            (point >= 0xd800 && point <= 0xdfff)) {
            return Wrong("\\u takes four hexadecimal digits of a character", pos_);
        }
        uint8_t bytes[4];
        uint32_t length = 0;
        U8_APPEND_UNSAFE(bytes, length, point);
        out.append(reinterpret_cast<const char*>(bytes), length);
        pos_ += 6;
        return {};
    }

    const std::string_view text_;
    size_t pos_ = 0;
};

}  // namespace

base::Result<std::vector<Token>> Lex(std::string_view text) { return Lexer(text).All(); }

std::string PositionOf(std::string_view text, size_t offset) {
    CHECK(offset <= text.size());
    const std::string_view before = text.substr(0, offset);
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const size_t line_start = lines == 0 ? 0 : before.rfind('\n') + 1;
    const std::string_view line = before.substr(line_start);
    const auto columns = std::count_if(line.begin(), line.end(), [](char c) {
        return (static_cast<uint8_t>(c) & 0xc0) != 0x80;
    });
    return std::to_string(lines + 1) + ":" + std::to_string(columns + 1);
}

}  // namespace condition
