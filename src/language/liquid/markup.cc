#include "language/liquid/markup.h"

#include <charconv>

#include "base/limits.h"
#include "language/liquid/filters.h"
#include "language/liquid/number.h"
#include "language/liquid/text.h"

namespace liquid {

namespace {

bool Digit(char c) {
    return c >= '0' && c <= '9';
}

// Bytes above 127 too: attributes may have names in any script.
bool NameStart(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

bool NamePart(char c) {
    return NameStart(c) || Digit(c) || c == '-';
}

Word Mark(char c) {
    switch (c) {
        case '|': return Word::kPipe;
        case '.': return Word::kDot;
        case ':': return Word::kColon;
        case ',': return Word::kComma;
        case '=': return Word::kEquals;
        case '[': return Word::kOpenBracket;
        case ']': return Word::kCloseBracket;
        case '(': return Word::kOpenParen;
        case ')': return Word::kCloseParen;
        case '<':
        case '>': return Word::kComparison;
        default: return Word::kUnknown;
    }
}

size_t NumberBytes(std::string_view text) {
    size_t i = text[0] == '-' ? 1 : 0;
    while (i < text.size() && Digit(text[i])) ++i;
    if (i + 1 < text.size() && text[i] == '.' && Digit(text[i + 1])) {
        ++i;
        while (i < text.size() && Digit(text[i])) ++i;
    }
    return i;
}

MarkupWord NextWord(std::string_view rest) {
    const char c = rest[0];
    if (NameStart(c)) {
        size_t i = 1;
        while (i < rest.size() && NamePart(rest[i])) ++i;
        if (i < rest.size() && rest[i] == '?') ++i;
        return {Word::kName, rest.substr(0, i)};
    }
    if (Digit(c) || (c == '-' && rest.size() > 1 && Digit(rest[1]))) {
        return {Word::kNumber, rest.substr(0, NumberBytes(rest))};
    }
    if (c == '"' || c == '\'') {
        const size_t end = rest.find(c, 1);
        if (end == std::string_view::npos) return {Word::kUnknown, rest};
        return {Word::kText, rest.substr(1, end - 1)};
    }
    const std::string_view two = rest.substr(0, 2);
    if (two == "==" || two == "!=" || two == "<>" || two == "<=" || two == ">=") {
        return {Word::kComparison, two};
    }
    if (two == "..") return {Word::kDots, two};
    return {Mark(c), rest.substr(0, 1)};
}

}  // namespace

Markup::Markup(std::string_view markup, std::string_view source)
    : markup_(markup), source_(source) {
    Cut();
}

void Markup::Cut() {
    for (size_t i = 0; i < markup_.size();) {
        if (IsSpace(markup_[i])) {
            ++i;
            continue;
        }
        const MarkupWord word = NextWord(markup_.substr(i));
        i = static_cast<size_t>(word.text.data() - markup_.data()) + word.text.size() +
            (word.word == Word::kText ? 1 : 0);
        if (words_.size() >= static_cast<size_t>(limits::kTemplateTagWordsMax)) {
            words_.push_back({Word::kTooMany, word.text});
            break;
        }
        words_.push_back(word);
    }
    words_.push_back({Word::kEnd, markup_.substr(markup_.size())});
}

const MarkupWord& Markup::Peek(size_t ahead) const {
    return words_[std::min(next_ + ahead, words_.size() - 1)];
}

MarkupWord Markup::Take() {
    const MarkupWord word = Peek();
    if (word.word != Word::kEnd) ++next_;
    return word;
}

bool Markup::TakeIf(Word word) {
    if (Peek().word != word) return false;
    ++next_;
    return true;
}

bool Markup::TakeName(std::string_view name) {
    if (Peek().word != Word::kName || Peek().text != name) return false;
    ++next_;
    return true;
}

tl::unexpected<base::Error> Markup::Wrong(std::string text, std::string_view where) const {
    return base::Invalid(std::move(text), std::to_string(where.data() - source_.data()));
}

tl::unexpected<base::Error> Markup::Unexpected(std::string_view wanted) const {
    const MarkupWord& word = Peek();
    std::string text = "expected ";
    text += wanted;
    if (word.word == Word::kTooMany) {
        text = "a tag has more than " + std::to_string(limits::kTemplateTagWordsMax) + " words";
    } else if (word.word == Word::kEnd) {
        text += ", but the tag ends here";
    } else if (word.word == Word::kUnknown && (word.text[0] == '"' || word.text[0] == '\'')) {
        text = "a quoted text is not closed";
    } else {
        text += ", found \"" + std::string(word.text.substr(0, 40)) + "\"";
    }
    return Wrong(std::move(text), word.text);
}

base::Status Markup::ExpectEnd() {
    if (!AtEnd()) return Unexpected("the end of the tag");
    return {};
}

base::Status Markup::Expect(Word word, std::string_view what) {
    if (!TakeIf(word)) return Unexpected(what);
    return {};
}

base::Result<Expression> Markup::ReadExpression() {
    if (++depth_ > limits::kTemplateDepthMax) {
        return Wrong("brackets are nested too deeply", Peek().text);
    }
    const char* const start = Peek().text.data();
    auto expression = ReadAtom();
    if (!expression) return expression;
    --depth_;
    // The text of the expression as written; quotes of a leading text are outside its word.
    const MarkupWord& last = words_[next_ - 1];
    const char* const end = last.text.data() + last.text.size();
    expression->source = {start, static_cast<size_t>(end - start)};
    return expression;
}

base::Result<Expression> Markup::ReadAtom() {
    Expression e;
    const MarkupWord word = Peek();
    if (word.word == Word::kText) {
        e.literal = Value::Text(Take().text);
        return e;
    }
    if (word.word == Word::kNumber) {
        e.literal = ToNumber(Value::Text(Take().text));
        return e;
    }
    if (word.word == Word::kOpenParen) {
        Take();
        e.type = Expression::Type::kRange;
        TRY_ASSIGN(Expression first, ReadExpression());
        TRY(Expect(Word::kDots, "\"..\""));
        TRY_ASSIGN(Expression last, ReadExpression());
        TRY(Expect(Word::kCloseParen, "\")\""));
        e.first = std::make_unique<Expression>(std::move(first));
        e.last = std::make_unique<Expression>(std::move(last));
        return e;
    }
    if (word.word == Word::kName && Peek(1).word != Word::kDot &&
        Peek(1).word != Word::kOpenBracket) {
        const std::string_view name = word.text;
        bool literal = true;
        if (name == "true" || name == "false") {
            e.literal = Value::Bool(name == "true");
        } else if (name == "empty") {
            e.literal = Value::Empty();
        } else if (name == "blank") {
            e.literal = Value::Blank();
        } else {
            literal = name == "nil" || name == "null";
        }
        if (literal) {
            Take();
            return e;
        }
    }
    return ReadPath();
}

base::Result<Expression> Markup::ReadPath() {
    Expression e;
    e.type = Expression::Type::kPath;
    if (Peek().word != Word::kName && Peek().word != Word::kOpenBracket) {
        return Unexpected("a value");
    }
    if (Peek().word == Word::kName) {
        Segment root;
        root.name = Take().text;
        e.path.push_back(std::move(root));
    }
    while (true) {
        Segment segment;
        if (TakeIf(Word::kDot)) {
            if (Peek().word != Word::kName) return Unexpected("a name after the dot");
            segment.name = Take().text;
        } else if (TakeIf(Word::kOpenBracket)) {
            TRY_ASSIGN(Expression index, ReadExpression());
            TRY(Expect(Word::kCloseBracket, "\"]\""));
            segment.index = std::make_unique<Expression>(std::move(index));
        } else {
            return e;
        }
        e.path.push_back(std::move(segment));
    }
}

base::Result<Filtered> Markup::ReadFiltered() {
    Filtered filtered;
    if (AtEnd()) return filtered;
    filtered.present = true;
    TRY_ASSIGN(filtered.value, ReadExpression());
    while (TakeIf(Word::kPipe)) {
        TRY_ASSIGN(FilterCall call, ReadFilter());
        filtered.filters.push_back(std::move(call));
    }
    TRY(ExpectEnd());
    return filtered;
}

base::Result<FilterCall> Markup::ReadFilter() {
    if (Peek().word != Word::kName) return Unexpected("the name of a filter");
    const MarkupWord name = Take();
    FilterCall call;
    call.source = name.text;
    call.filter = FindFilter(name.text);
    if (call.filter == nullptr) {
        return Wrong("there is no filter \"" + std::string(name.text) + "\"", name.text);
    }
    if (TakeIf(Word::kColon)) {
        do {
            if (Peek().word == Word::kName && Peek(1).word == Word::kColon) {
                const MarkupWord key = Take();
                Take();
                if (!call.filter->takes_allow_false || key.text != "allow_false") {
                    return Wrong("the filter " + std::string(name.text) +
                                     " takes no argument \"" + std::string(key.text) + "\"",
                                 key.text);
                }
                TRY_ASSIGN(Expression value, ReadExpression());
                call.allow_false = std::make_unique<Expression>(std::move(value));
            } else {
                TRY_ASSIGN(Expression value, ReadExpression());
                call.arguments.push_back(std::move(value));
            }
        } while (TakeIf(Word::kComma));
    }
    const size_t count = call.arguments.size();
    if (count < call.filter->arguments_min || count > call.filter->arguments_max) {
        const bool few = count < call.filter->arguments_min;
        const size_t bound = few ? call.filter->arguments_min : call.filter->arguments_max;
        return Wrong("the filter " + std::string(name.text) + " takes at " +
                         (few ? "least " : "most ") + std::to_string(bound) +
                         (bound == 1 ? " argument" : " arguments"),
                     name.text);
    }
    return call;
}

base::Result<Test> Markup::ReadTest() {
    Test test;
    TRY_ASSIGN(test.left, ReadExpression());
    if (Peek().word == Word::kComparison) {
        const std::string_view sign = Take().text;
        test.comparison = sign == "==" ? Comparison::kEqual
                          : sign == "!=" || sign == "<>" ? Comparison::kNotEqual
                          : sign == "<" ? Comparison::kLess
                          : sign == "<=" ? Comparison::kLessOrEqual
                          : sign == ">" ? Comparison::kGreater
                                        : Comparison::kGreaterOrEqual;
        TRY_ASSIGN(test.right, ReadExpression());
    } else if (TakeName("contains")) {
        test.comparison = Comparison::kContains;
        TRY_ASSIGN(test.right, ReadExpression());
    }
    return test;
}

base::Result<Condition> Markup::ReadCondition() {
    Condition condition;
    while (true) {
        TRY_ASSIGN(Test test, ReadTest());
        condition.push_back(std::move(test));
        if (TakeName("or")) {
            condition.back().or_next = true;
        } else if (!TakeName("and")) {
            break;
        }
    }
    if (!AtEnd()) return Unexpected("\"and\", \"or\", a comparison or the end of the tag");
    return condition;
}

}  // namespace liquid
