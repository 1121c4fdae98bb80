#include "language/condition/parse.h"

#include <simdjson.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "language/condition/lexer.h"
#include "language/condition/span.h"
#include "language/condition/valid.h"
#include "language/condition/words.h"

namespace condition {
namespace {

template <class Node>
ExpressionPtr Make(Node node) {
    return std::make_shared<const Expression>(Expression{std::move(node)});
}

// Recursive descent over the tokens; one method per rule of the grammar in docs/conditions.md.
class Parser {
  public:
    Parser(std::string_view text, std::vector<Token> tokens)
        : text_(text), tokens_(std::move(tokens)) {}

    base::Result<ExpressionPtr> All() {
        if (Now().kind == TokenKind::kEnd) {
            return Wrong("the condition is empty; for all persons write everyone");
        }
        TRY_ASSIGN(ExpressionPtr tree, AnyOf());
        if (Now().kind == TokenKind::kEnd) return tree;
        if (IsSign(")")) return Wrong("this ) closes nothing");
        if (IsSign(",")) return Wrong("a comma stands only after where ... and in lists");
        return Wrong("expected and, or, or the end of the condition");
    }

  private:
    using Tree = base::Result<ExpressionPtr>;

    // --- tokens ------------------------------------------------------------------------------

    const Token& Now() const { return tokens_[pos_]; }
    const Token& Ahead(size_t count) const {
        return tokens_[std::min(pos_ + count, tokens_.size() - 1)];
    }
    static bool Is(const Token& token, std::string_view word) {
        return token.kind == TokenKind::kWord && SameWord(token.text, word);
    }
    static bool IsOneOf(const Token& token, std::initializer_list<std::string_view> words) {
        for (const std::string_view word : words) {
            if (Is(token, word)) return true;
        }
        return false;
    }
    bool IsSign(std::string_view sign, size_t ahead = 0) const {
        return Ahead(ahead).kind == TokenKind::kSign && Ahead(ahead).text == sign;
    }
    bool Accept(std::string_view word) {
        if (!Is(Now(), word)) return false;
        ++pos_;
        return true;
    }
    bool AcceptSign(std::string_view sign) {
        if (!IsSign(sign)) return false;
        ++pos_;
        return true;
    }
    base::Status Expect(std::string_view word, std::string_view after) {
        if (Accept(word)) return {};
        return Wrong("expected " + std::string(word) + " after " + std::string(after));
    }
    tl::unexpected<base::Error> Wrong(std::string why) const {
        return WrongAt(std::move(why), pos_);
    }
    tl::unexpected<base::Error> WrongAt(std::string why, size_t token) const {
        return base::Invalid(std::move(why), PositionOf(text_, tokens_[token].at));
    }

    // The node, when valid.h agrees; what it says is placed at `token`.
    template <class Node>
    Tree Checked(Node node, size_t token) const {
        ExpressionPtr tree = Make(std::move(node));
        if (auto good = CheckNode(*tree, in_filter_ ? Place::kFilter : Place::kPerson); !good) {
            return WrongAt(good.error().public_text, token);
        }
        return tree;
    }

    // --- and, or, not, parentheses -----------------------------------------------------------

    Tree AnyOf() {
        std::vector<ExpressionPtr> parts;
        do {
            TRY_ASSIGN(ExpressionPtr part, AllOf());
            parts.push_back(std::move(part));
        } while (Joins("or"));
        if (parts.size() == 1) return std::move(parts[0]);
        return Make(Or{std::move(parts)});
    }

    Tree AllOf() {
        std::vector<ExpressionPtr> parts;
        do {
            TRY_ASSIGN(ExpressionPtr part, One());
            parts.push_back(std::move(part));
        } while (Joins("and"));
        if (parts.size() == 1) return std::move(parts[0]);
        return Make(And{std::move(parts)});
    }

    // Takes `word` unless we are in a filter and what follows speaks of the person again.
    bool Joins(std::string_view word) {
        if (!Is(Now(), word)) return false;
        if (in_filter_ && filter_parentheses_ == 0 && SpeaksOfPerson(pos_ + 1)) return false;
        ++pos_;
        return true;
    }

    // Whether the condition at token `i` cannot be one of an event's properties.
    bool SpeaksOfPerson(size_t i) const {
        const auto at = [&](size_t n) -> const Token& {
            return tokens_[std::min(n, tokens_.size() - 1)];
        };
        while (Is(at(i), "not") || (at(i).kind == TokenKind::kSign && at(i).text == "(")) ++i;
        const Token& token = at(i);
        const Token& next = at(i + 1);
        if (IsOneOf(token, {"did", "everyone"})) return true;
        if (IsOneOf(token, {"first", "last"})) return next.kind == TokenKind::kText;
        if (Is(token, "in")) return Is(next, "segment");
        if (token.kind == TokenKind::kWord && TouchOf(token.text)) return true;
        return IsOneOf(token, {"sum", "avg", "max", "min"}) && next.kind == TokenKind::kSign &&
               next.text == "(";
    }

    base::Status Deeper() {
        if (++depth_ <= limits::kConditionDepthMax) return {};
        base::Error error;
        error.code = base::ErrorCode::kTooLarge;
        error.internal = error.public_text = "the condition is nested deeper than " +
                                             std::to_string(limits::kConditionDepthMax) + " levels";
        error.at = PositionOf(text_, Now().at);
        return tl::make_unexpected(std::move(error));
    }

    Tree One() {
        if (Is(Now(), "not")) {
            TRY(Deeper());
            ++pos_;
            TRY_ASSIGN(ExpressionPtr child, One());
            --depth_;
            return Make(Not{std::move(child)});
        }
        if (!IsSign("(")) return Leaf();
        TRY(Deeper());
        const size_t open = pos_++;
        if (in_filter_) ++filter_parentheses_;
        TRY_ASSIGN(ExpressionPtr inside, AnyOf());
        if (!AcceptSign(")")) {
            if (Now().kind == TokenKind::kEnd) return WrongAt("this ( is not closed", open);
            return Wrong("expected and, or, or the closing )");
        }
        if (in_filter_) --filter_parentheses_;
        --depth_;
        return inside;
    }

    Tree Leaf() {
        if (in_filter_ && SpeaksOfPerson(pos_)) {
            return Wrong(Now().text +
                         " speaks of the person and cannot stand inside where; end the filter "
                         "with a comma first");
        }
        const Token& token = Now();
        if (token.kind == TokenKind::kName) return Compare();
        if (token.kind != TokenKind::kWord) return NoCondition();
        if (Accept("everyone")) return Make(Everyone{});
        if (Is(token, "did")) return Did();
        if (Is(token, "in")) return Segment();
        if (IsOneOf(token, {"first", "last"}) && Ahead(1).kind == TokenKind::kText) return Seen();
        if (IsOneOf(token, {"sum", "avg", "max", "min"}) && IsSign("(", 1)) return Total();
        if (IsOneOf(token, {"and", "or", "where", "is", "true", "false", "since", "within"})) {
            return NoCondition();
        }
        return Compare();
    }

    tl::unexpected<base::Error> NoCondition() const {
        if (Now().kind == TokenKind::kText && pos_ > 0 && Is(tokens_[pos_ - 1], "or")) {
            return Wrong(
                "expected a condition after or; for several values write in (\"a\", \"b\")");
        }
        if (Now().kind == TokenKind::kText) {
            return Wrong("expected a condition such as plan is \"pro\"; names of attributes stand "
                         "without quotes, odd ones in `backquotes`");
        }
        return Wrong("expected a condition such as plan is \"pro\" or did \"Signed Up\"");
    }

    // --- values ------------------------------------------------------------------------------

    base::Result<Literal> Value(std::string_view after) {
        const Token& token = Now();
        if (token.kind == TokenKind::kText) {
            ++pos_;
            return Literal(token.text);
        }
        if (token.kind == TokenKind::kNumber) {
            ++pos_;
            return Literal(token.number);
        }
        if (Accept("true")) return Literal(true);
        if (Accept("false")) return Literal(false);
        return Wrong("expected a value after " + std::string(after) +
                     ": a quoted text, a number, true or false");
    }

    base::Result<std::string> Text(std::string_view what, std::string_view after) {
        const Token& token = Now();
        if (token.kind != TokenKind::kText) {
            return Wrong("expected " + std::string(what) + " after " + std::string(after));
        }
        ++pos_;
        return token.text;
    }

    base::Result<double> Number(std::string_view after) {
        const Token& token = Now();
        if (token.kind != TokenKind::kNumber) {
            return Wrong("expected a number after " + std::string(after));
        }
        ++pos_;
        return token.number;
    }

    base::Result<Length> Span(std::string_view after) {
        std::string text = Now().text;
        const bool spaced = Now().kind == TokenKind::kNumber && Now().whole &&
                            Ahead(1).kind == TokenKind::kWord;
        if (spaced) text += Ahead(1).text;
        if (!spaced && Now().kind != TokenKind::kLength) {
            return Wrong("expected a length of time such as 7d, 12h or 3mo after " +
                         std::string(after));
        }
        auto length = ReadLength(text);
        if (!length) {
            return Wrong(text + " is no length of time; write a whole number and s, m, h, d, w, mo "
                                "or y, from 1s to 100y");
        }
        pos_ += spaced ? 2 : 1;
        return *std::move(length);
    }

    // --- comparisons -------------------------------------------------------------------------

    // The subject when `word` is first_touch.x or last_touch.x.
    static std::optional<Subject> TouchOf(std::string_view word) {
        const auto begins = [&](std::string_view prefix) {
            return word.size() > prefix.size() && SameWord(word.substr(0, prefix.size()), prefix);
        };
        if (begins(kFirstTouchPrefix)) return Subject::kFirstTouch;
        if (begins(kLastTouchPrefix)) return Subject::kLastTouch;
        return std::nullopt;
    }

    Tree Compare() {
        const size_t start = pos_;
        const Token& token = Now();
        Comparison node;
        node.subject = in_filter_ ? Subject::kProperty : Subject::kAttribute;
        node.name = token.text;
        const auto touch = token.kind == TokenKind::kWord ? TouchOf(token.text) : std::nullopt;
        if (touch) {
            node.subject = *touch;
            node.name.erase(0, node.name.find('.') + 1);
        }
        ++pos_;
        TRY(Checked(Comparison{node.subject, node.name, Operator::kKnown, {}, 0, 0}, start));
        value_at_ = start;
        TRY(Operation(node, token.text));
        return Checked(std::move(node), value_at_);
    }

    // The operator and its values.
    base::Status Operation(Comparison& node, const std::string& name) {
        const auto one = [&](Operator op, std::string_view after) {
            node.op = op;
            return Values(node, after);
        };
        if (AcceptSign("=")) return one(Operator::kIs, "=");
        if (AcceptSign("!=")) return one(Operator::kIsNot, "!=");
        if (AcceptSign(">")) return one(Operator::kGreater, ">");
        if (AcceptSign(">=")) return one(Operator::kGreaterEqual, ">=");
        if (AcceptSign("<")) return one(Operator::kLess, "<");
        if (AcceptSign("<=")) return one(Operator::kLessEqual, "<=");
        if (Accept("is")) return AfterIs(node);
        if (Accept("contains")) return one(Operator::kContains, "contains");
        if (Accept("matches")) return one(Operator::kMatches, "matches");
        if (Accept("has")) return one(Operator::kHas, "has");
        if (Accept("before")) return one(Operator::kBefore, "before");
        if (Accept("after")) return one(Operator::kAfter, "after");
        if (Accept("between")) return one(Operator::kBetween, "between");
        if (Accept("in")) return one(Operator::kIn, "in");
        if (Accept("does")) {
            TRY(Expect("not", "does"));
            TRY(Expect("contain", "does not"));
            return one(Operator::kNotContains, "does not contain");
        }
        if (Accept("starts")) {
            TRY(Expect("with", "starts"));
            return one(Operator::kStarts, "starts with");
        }
        if (Accept("ends")) {
            TRY(Expect("with", "ends"));
            return one(Operator::kEnds, "ends with");
        }
        if (Accept("not")) {
            TRY(Expect("in", name + " not"));
            return one(Operator::kNotIn, "not in");
        }
        if (Is(Now(), "more") || Is(Now(), "less") || Is(Now(), "within")) return FromNow(node);
        return Wrong("expected a comparison such as is, contains, in or > after " + name);
    }

    base::Status AfterIs(Comparison& node) {
        const bool negated = Accept("not");
        if (Accept("known")) {
            node.op = negated ? Operator::kUnknown : Operator::kKnown;
            return {};
        }
        if (!negated && Accept("unknown")) {
            node.op = Operator::kUnknown;
            return {};
        }
        if (Accept("in")) {
            node.op = negated ? Operator::kNotIn : Operator::kIn;
            return Values(node, "in");
        }
        node.op = negated ? Operator::kIsNot : Operator::kIs;
        return Values(node, negated ? "is not" : "is");
    }

    base::Status Values(Comparison& node, std::string_view after) {
        value_at_ = pos_;
        switch (ShapeOf(node.op)) {
            case Shape::kMany: return List(node);
            case Shape::kNumber: {
                TRY_ASSIGN(const double number, Number(after));
                node.values.emplace_back(number);
                return {};
            }
            case Shape::kText: {
                TRY_ASSIGN(std::string text, Text("a quoted text", after));
                node.values.emplace_back(std::move(text));
                return {};
            }
            case Shape::kDate: {
                TRY_ASSIGN(std::string text, Text("a date such as \"2026-01-05\"", after));
                node.values.emplace_back(std::move(text));
                return {};
            }
            default: break;
        }
        TRY_ASSIGN(Literal first, Value(after));
        node.values.push_back(std::move(first));
        if (ShapeOf(node.op) != Shape::kTwo) return {};
        TRY(Expect("and", "the first value of between"));
        TRY_ASSIGN(Literal second, Value("and"));
        node.values.push_back(std::move(second));
        return {};
    }

    base::Status List(Comparison& node) {
        if (!AcceptSign("(")) return Wrong("expected a list such as (\"DE\", \"AT\") after in");
        do {
            TRY_ASSIGN(Literal value, Value(node.values.empty() ? "(" : ","));
            node.values.push_back(std::move(value));
        } while (AcceptSign(","));
        if (AcceptSign(")")) return {};
        return Wrong("expected a comma or the closing ) of the list");
    }

    // more|less than S ago|ahead, within last|next S
    base::Status FromNow(Comparison& node) {
        if (Accept("within")) {
            const bool next = Accept("next");
            if (!next && !Accept("last")) return Wrong("expected last or next after within");
            node.op = next ? Operator::kWithinNext : Operator::kWithinLast;
            return SpanOf(node, next ? "next" : "last");
        }
        const bool more = Accept("more");
        if (!more) ++pos_;
        TRY(Expect("than", more ? "more" : "less"));
        TRY(SpanOf(node, "than"));
        if (Accept("ago")) {
            node.op = more ? Operator::kMoreThanAgo : Operator::kWithinLast;
        } else if (Accept("ahead")) {
            node.op = more ? Operator::kMoreThanAhead : Operator::kWithinNext;
        } else {
            return Wrong("expected ago or ahead after the length of time");
        }
        return {};
    }

    base::Status SpanOf(Comparison& node, std::string_view after) {
        TRY_ASSIGN(const Length length, Span(after));
        node.span_months = length.months;
        node.span_ms = length.months == 0 ? length.ms : 0;
        return {};
    }

    // --- events ------------------------------------------------------------------------------

    Tree Segment() {
        const size_t start = pos_++;
        TRY(Expect("segment", "in"));
        TRY_ASSIGN(std::string name, Text("a quoted segment name", "in segment"));
        return Checked(InSegment{std::move(name)}, start);
    }

    // "Name" [where filter [,]]
    base::Result<Events> EventsAfter(std::string_view word) {
        Events events;
        TRY_ASSIGN(events.name, Text("a quoted event name", word));
        if (!Accept("where")) return events;
        TRY(Deeper());
        in_filter_ = true;
        filter_parentheses_ = 0;
        auto filter = AnyOf();
        in_filter_ = false;
        --depth_;
        TRY_ASSIGN(events.where, std::move(filter));
        AcceptSign(",");
        return events;
    }

    // `within` and `since entry`, each once, in any order. True when one was taken.
    base::Result<bool> Window(Events& events) {
        if (Is(Now(), "within")) {
            if (events.within.ms != 0) return Wrong("within stands here twice");
            ++pos_;
            Accept("last");
            TRY_ASSIGN(Length length, Span("within"));
            events.within = {length.ms, std::move(length.text)};
            return true;
        }
        if (Is(Now(), "since")) {
            if (events.since_entry) return Wrong("since entry stands here twice");
            ++pos_;
            TRY(Expect("entry", "since"));
            events.since_entry = true;
            return true;
        }
        return false;
    }

    Tree Did() {
        const size_t start = pos_++;
        const bool negated = Accept("not");
        if (negated) Accept("do");
        Count node;
        TRY_ASSIGN(node.events, EventsAfter(negated ? "did not" : "did"));
        bool counted = false;
        for (;;) {
            TRY_ASSIGN(const bool window, Window(node.events));
            if (window) continue;
            const size_t at = pos_;
            TRY_ASSIGN(const bool times, Times(node));
            if (!times) break;
            if (counted) return WrongAt("the number of times stands here twice", at);
            counted = true;
        }
        TRY_ASSIGN(ExpressionPtr tree, Checked(std::move(node), start));
        if (!negated) return tree;
        return Make(Not{std::move(tree)});
    }

    base::Result<uint32_t> Whole(std::string_view after) {
        const Token& token = Now();
        if (token.kind != TokenKind::kNumber || !token.whole) {
            return Wrong("expected a whole number after " + std::string(after));
        }
        if (token.number > limits::kCountThresholdMax) {
            return Wrong("a count is at most " + std::to_string(limits::kCountThresholdMax));
        }
        ++pos_;
        return static_cast<uint32_t>(token.number);
    }

    base::Status ExpectTimes(std::string_view after) {
        if (Accept("times") || Accept("time")) return {};
        return Wrong("expected times after " + std::string(after));
    }

    base::Result<bool> Times(Count& node) {
        if (Accept("once") || Accept("twice")) {
            node.at_least = node.at_most = Is(tokens_[pos_ - 1], "once") ? 1 : 2;
            return true;
        }
        if (Accept("exactly")) {
            TRY_ASSIGN(node.at_least, Whole("exactly"));
            node.at_most = node.at_least;
        } else if (Accept("at")) {
            const bool most = Accept("most");
            if (!most && !Accept("least")) return Wrong("expected most or least after at");
            TRY_ASSIGN(const uint32_t number, Whole(most ? "at most" : "at least"));
            node.at_least = most ? 0 : number;
            node.at_most = most ? number : UINT32_MAX;
        } else if (Now().kind == TokenKind::kNumber) {
            TRY_ASSIGN(node.at_least, Whole("the event"));
            node.at_most = node.at_least;
            if (AcceptSign("+")) {
                node.at_most = UINT32_MAX;
            } else if (Accept("to")) {
                TRY_ASSIGN(node.at_most, Whole("to"));
            }
        } else {
            return false;
        }
        TRY(ExpectTimes("the number"));
        return true;
    }

    // first|last "X" [where ...,] clause
    Tree Seen() {
        const size_t start = pos_;
        Occurrence node;
        node.last = Is(Now(), "last");
        ++pos_;
        TRY_ASSIGN(node.events, EventsAfter(node.last ? "last" : "first"));
        if (Is(Now(), "before") || Is(Now(), "after")) {
            node.op = Is(Now(), "before") ? Operator::kBefore : Operator::kAfter;
            const std::string word = tokens_[pos_++].text;
            TRY_ASSIGN(node.date_text, Text("a date such as \"2026-01-05\"", word));
            const auto time = base::ParseIso(node.date_text);
            if (!time) {
                return WrongAt("expected a date such as \"2026-01-05\" or \"2026-01-05T10:00Z\"",
                               pos_ - 1);
            }
            node.date_ms = *time;
            return Checked(std::move(node), start);
        }
        const bool more = Is(Now(), "more");
        const bool within = Is(Now(), "within");
        if (!more && !within && !Is(Now(), "less")) {
            return Wrong(std::string("expected within, more than ... ago, before or after behind "
                                     "the event of ") + (node.last ? "last" : "first"));
        }
        ++pos_;
        if (within) {
            Accept("last");
        } else {
            TRY(Expect("than", more ? "more" : "less"));
        }
        TRY_ASSIGN(Length length, Span(within ? "within" : "than"));
        if (!within) TRY(Expect("ago", "the length of time"));
        node.op = more ? Operator::kMoreThanAgo : Operator::kWithinLast;
        node.span = {length.ms, std::move(length.text)};
        return Checked(std::move(node), start);
    }

    // sum(property) of "X" [where ...,] [within T] [since entry] op number
    Tree Total() {
        const size_t start = pos_;
        Aggregate node;
        for (const auto kind : {AggregateKind::kSum, AggregateKind::kAverage, AggregateKind::kMax,
                                AggregateKind::kMin}) {
            if (Is(Now(), JsonName(kind))) node.kind = kind;
        }
        pos_ += 2;
        if (Now().kind != TokenKind::kWord && Now().kind != TokenKind::kName) {
            return Wrong("expected the name of a property after " +
                         std::string(JsonName(node.kind)) + "(");
        }
        node.property = Now().text;
        ++pos_;
        if (!AcceptSign(")")) return Wrong("expected ) after the property");
        TRY(Expect("of", ")"));
        TRY_ASSIGN(node.events, EventsAfter("of"));
        for (;;) {
            TRY_ASSIGN(const bool window, Window(node.events));
            if (!window) break;
        }
        Comparison compared;
        const size_t at = pos_;
        if (!IsOneOf(Now(), {"is", "between"}) && Now().kind != TokenKind::kSign) {
            return Wrong("expected =, !=, >, >=, <, <= or between and a number");
        }
        TRY(Operation(compared, "the event"));
        if (!IsNumberOperator(compared.op)) {
            return WrongAt("expected =, !=, >, >=, <, <= or between and a number", at);
        }
        node.op = compared.op;
        for (size_t i = 0; i < compared.values.size(); ++i) {
            const auto* number = std::get_if<double>(&compared.values[i]);
            if (number == nullptr) return WrongAt("expected a number to compare with", value_at_);
            (i == 0 ? node.low : node.high) = *number;
        }
        return Checked(std::move(node), node.op == Operator::kBetween ? value_at_ : start);
    }

    const std::string_view text_;
    const std::vector<Token> tokens_;
    size_t pos_ = 0;
    size_t value_at_ = 0;         // Token of the first value of the latest comparison.
    int depth_ = 1;               // Open parentheses, nots and filters around, and this one.
    bool in_filter_ = false;
    int filter_parentheses_ = 0;  // Open ones since `where`.
};

}  // namespace

base::Result<ExpressionPtr> Parse(std::string_view text) {
    if (text.size() > limits::kConditionBytesMax) {
        const std::string why = "the condition is longer than " +
                                std::to_string(limits::kConditionBytesMax) + " bytes";
        return base::Fail(base::ErrorCode::kTooLarge, why, why);
    }
    if (!simdjson::validate_utf8(text.data(), text.size())) {
        return base::Invalid("the condition is not valid UTF-8", "1:1");
    }
    TRY_ASSIGN(std::vector<Token> tokens, Lex(text));
    TRY_ASSIGN(ExpressionPtr tree, Parser(text, std::move(tokens)).All());
    TRY(CheckSize(*tree));
    return tree;
}

}  // namespace condition
