// The inside of a tag or output, cut into words: {{ person.name | default: "you" }}.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "language/liquid/ast.h"

namespace liquid {

enum class Word : uint8_t {
    kEnd,
    kName,
    kNumber,
    kText,        // Quoted; `text` is without the quotes.
    kComparison,  // == != <> < > <= >=
    kPipe,
    kDot,
    kDots,  // ..
    kColon,
    kComma,
    kEquals,
    kOpenBracket,
    kCloseBracket,
    kOpenParen,
    kCloseParen,
    kUnknown,
    kTooMany,  // Stands where kTemplateTagWordsMax was passed; nothing takes it.
};

struct MarkupWord {
    Word word = Word::kEnd;
    std::string_view text;
};

// Reads expressions off one tag's markup, left to right. Errors: kInvalidArgument, `at` is the
// byte offset in the source (the parser turns it into line and column).
class Markup {
  public:
    Markup(std::string_view markup, std::string_view source);

    const MarkupWord& Peek(size_t ahead = 0) const;
    MarkupWord Take();
    bool TakeIf(Word word);
    bool TakeName(std::string_view name);  // That very name.
    bool AtEnd() const { return Peek().word == Word::kEnd; }

    base::Result<Expression> ReadExpression();
    base::Result<Filtered> ReadFiltered();
    base::Result<Condition> ReadCondition();
    base::Status ExpectEnd();
    base::Status Expect(Word word, std::string_view what);
    // An error at the next word.
    tl::unexpected<base::Error> Unexpected(std::string_view wanted) const;
    tl::unexpected<base::Error> Wrong(std::string text, std::string_view where) const;

  private:
    void Cut();
    base::Result<Expression> ReadAtom();
    base::Result<Expression> ReadPath();
    base::Result<FilterCall> ReadFilter();
    base::Result<Test> ReadTest();

    std::string_view markup_;
    std::string_view source_;
    std::vector<MarkupWord> words_;
    size_t next_ = 0;
    int depth_ = 0;
};

}  // namespace liquid
