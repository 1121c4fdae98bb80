// Cuts a template into text, outputs and tags, taking care of {%- and -%}.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace liquid {

enum class Piece : uint8_t { kText, kOutput, kTag, kEnd };

struct Token {
    Piece piece = Piece::kEnd;
    std::string_view text;  // Of a text.
    std::string_view name;  // Of a tag: "for", "#".
    std::string_view markup;
    std::string_view at;    // Begins where the token does.
};

class Scanner {
  public:
    // A whole template.
    explicit Scanner(std::string_view source) : source_(source), rest_(source) {}
    // The lines of a {% liquid %} tag, each a tag of its own.
    static Scanner Lines(std::string_view markup, std::string_view source);

    // Errors: kInvalidArgument, `at` is the byte offset in the source.
    base::Result<Token> Next();
    // What follows up to {% end_name %}, unread. Errors: the tag is not closed.
    base::Result<std::string_view> RawUntil(std::string_view end_name, const Token& open);
    // Skips a {% comment %}; comments and raws inside are closed on their own.
    base::Status SkipComment(const Token& open);

    bool lines() const { return lines_; }
    tl::unexpected<base::Error> Wrong(std::string text, std::string_view where) const;

  private:
    Token NextLine();
    base::Result<Token> Marked(Piece piece, std::string_view close);
    Token Text(size_t end);
    // The next {% end_name %} from `from` on: where it begins and ends.
    struct Span {
        size_t begin = 0;
        size_t end = 0;
        bool trim_before = false;
        bool trim_after = false;
    };
    std::optional<Span> FindTag(std::string_view name, size_t from) const;

    std::string_view source_;
    std::string_view rest_;
    bool lines_ = false;
    bool trim_ = false;  // The tag before ended in -%}.
};

// The name and the markup of a tag's inside.
void SplitTag(std::string_view inside, Token& token);

}  // namespace liquid
