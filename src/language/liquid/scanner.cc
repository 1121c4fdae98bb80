#include "language/liquid/scanner.h"

#include <algorithm>
#include <string>

#include "language/liquid/text.h"

namespace liquid {

namespace {

bool NameByte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string_view TrimLeft(std::string_view text) {
    while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
    return text;
}

std::string_view TrimRight(std::string_view text) {
    while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
    return text;
}

}  // namespace

void SplitTag(std::string_view inside, Token& token) {
    inside = TrimLeft(inside);
    size_t end = 0;
    if (!inside.empty() && inside[0] == '#') {
        end = 1;
    } else {
        while (end < inside.size() && NameByte(inside[end])) ++end;
    }
    token.name = inside.substr(0, end);
    token.markup = TrimRight(TrimLeft(inside.substr(end)));
    if (token.markup.empty()) token.markup = inside.substr(end, 0);
}

Scanner Scanner::Lines(std::string_view markup, std::string_view source) {
    Scanner scanner(source);
    scanner.rest_ = markup;
    scanner.lines_ = true;
    return scanner;
}

tl::unexpected<base::Error> Scanner::Wrong(std::string text, std::string_view where) const {
    return base::Invalid(std::move(text), std::to_string(where.data() - source_.data()));
}

base::Result<Token> Scanner::Next() {
    if (lines_) {
        const Token line = NextLine();
        if (line.piece == Piece::kTag && line.name.empty()) {
            return Wrong("a line of {% liquid %} begins with a tag", line.at);
        }
        return line;
    }
    if (trim_) {
        rest_ = TrimLeft(rest_);
        trim_ = false;
    }
    if (rest_.empty()) {
        Token end;
        end.at = rest_;
        return end;
    }
    size_t open = rest_.find('{');
    while (open != std::string_view::npos && open + 1 < rest_.size() && rest_[open + 1] != '{' &&
           rest_[open + 1] != '%') {
        open = rest_.find('{', open + 1);
    }
    if (open == std::string_view::npos || open + 1 >= rest_.size()) return Text(rest_.size());
    if (open == 0) {
        return rest_[1] == '{' ? Marked(Piece::kOutput, "}}") : Marked(Piece::kTag, "%}");
    }
    const bool trims = open + 2 < rest_.size() && rest_[open + 2] == '-';
    const std::string_view text = rest_.substr(0, open);
    if (trims && TrimRight(text).empty()) {
        rest_.remove_prefix(open);
        return Next();
    }
    Token token = Text(open);
    if (trims) token.text = TrimRight(token.text);
    return token;
}

Token Scanner::Text(size_t end) {
    Token token;
    token.piece = Piece::kText;
    token.at = rest_;
    token.text = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return token;
}

base::Result<Token> Scanner::Marked(Piece piece, std::string_view close) {
    const size_t end = rest_.find(close, 2);
    if (end == std::string_view::npos) {
        return Wrong(piece == Piece::kOutput ? "\"{{\" is not closed by \"}}\""
                                             : "\"{%\" is not closed by \"%}\"",
                     rest_);
    }
    Token token;
    token.piece = piece;
    token.at = rest_;
    std::string_view inside = rest_.substr(2, end - 2);
    if (!inside.empty() && inside.front() == '-') inside.remove_prefix(1);
    trim_ = !inside.empty() && inside.back() == '-';
    if (trim_) inside.remove_suffix(1);
    rest_.remove_prefix(end + 2);
    if (piece == Piece::kOutput) {
        token.markup = inside;
        return token;
    }
    SplitTag(inside, token);
    if (token.name.empty()) return Wrong("a tag needs a name", token.at);
    return token;
}

Token Scanner::NextLine() {
    while (!rest_.empty()) {
        const size_t end = std::min(rest_.find('\n'), rest_.size());
        const std::string_view line = TrimLeft(TrimRight(rest_.substr(0, end)));
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        if (line.empty()) continue;
        Token token;
        token.piece = Piece::kTag;
        token.at = line;
        SplitTag(line, token);
        return token;
    }
    Token end;
    end.at = rest_;
    return end;
}

std::optional<Scanner::Span> Scanner::FindTag(std::string_view name, size_t from) const {
    size_t open = rest_.find("{%", from);
    for (; open != std::string_view::npos; open = rest_.find("{%", open + 1)) {
        Span span;
        span.begin = open;
        size_t i = open + 2;
        if (i < rest_.size() && rest_[i] == '-') {
            span.trim_before = true;
            ++i;
        }
        while (i < rest_.size() && IsSpace(rest_[i])) ++i;
        if (rest_.substr(i, name.size()) != name) continue;
        i += name.size();
        while (i < rest_.size() && IsSpace(rest_[i])) ++i;
        if (i < rest_.size() && rest_[i] == '-') {
            span.trim_after = true;
            ++i;
        }
        if (rest_.substr(i, 2) != "%}") continue;
        span.end = i + 2;
        return span;
    }
    return std::nullopt;
}

base::Result<std::string_view> Scanner::RawUntil(std::string_view end_name, const Token& open) {
    if (lines_) {
        return Wrong("\"" + std::string(open.name) + "\" cannot stand inside {% liquid %}",
                     open.at);
    }
    const auto span = FindTag(end_name, 0);
    if (!span) {
        return Wrong("{% " + std::string(open.name) + " %} is not closed by {% " +
                         std::string(end_name) + " %}",
                     open.at);
    }
    std::string_view raw = rest_.substr(0, span->begin);
    if (trim_) raw = TrimLeft(raw);
    if (span->trim_before) raw = TrimRight(raw);
    trim_ = span->trim_after;
    rest_.remove_prefix(span->end);
    return raw;
}

base::Status Scanner::SkipComment(const Token& open) {
    int depth = 1;
    while (depth > 0) {
        Token token;
        if (lines_) {
            token = NextLine();
        } else {
            const size_t tag = rest_.find("{%");
            if (tag != std::string_view::npos) {
                rest_.remove_prefix(tag);
                const size_t end = rest_.find("%}", 2);
                if (end != std::string_view::npos) {
                    std::string_view inside = rest_.substr(2, end - 2);
                    if (!inside.empty() && inside.front() == '-') inside.remove_prefix(1);
                    trim_ = !inside.empty() && inside.back() == '-';
                    if (trim_) inside.remove_suffix(1);
                    rest_.remove_prefix(end + 2);
                    token.piece = Piece::kTag;
                    SplitTag(inside, token);
                }
            }
        }
        if (token.piece == Piece::kEnd) {
            return Wrong("{% comment %} is not closed by {% endcomment %}", open.at);
        }
        if (token.name == "comment") ++depth;
        if (token.name == "endcomment") --depth;
        if (token.name == "raw" && !lines_) {
            const auto span = FindTag("endraw", 0);
            if (!span) return Wrong("{% raw %} is not closed by {% endraw %}", rest_);
            rest_.remove_prefix(span->end);
        }
    }
    return {};
}

}  // namespace liquid
