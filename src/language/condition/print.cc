#include "language/condition/print.h"

#include <type_traits>

#include "base/json.h"
#include "base/time.h"
#include "language/condition/print_options.h"
#include "language/condition/span.h"
#include "language/condition/words.h"

namespace condition {
namespace {

// What stands around a node: decides its parentheses.
enum class Around : uint8_t { kNothing, kOr, kAnd, kNot };

std::string_view WordsOf(Operator op) {
    switch (op) {
        case Operator::kIs: return "is";
        case Operator::kIsNot: return "is not";
        case Operator::kContains: return "contains";
        case Operator::kNotContains: return "does not contain";
        case Operator::kStarts: return "starts with";
        case Operator::kEnds: return "ends with";
        case Operator::kIn: return "in";
        case Operator::kNotIn: return "not in";
        case Operator::kKnown: return "is known";
        case Operator::kUnknown: return "is unknown";
        case Operator::kGreater: return ">";
        case Operator::kGreaterEqual: return ">=";
        case Operator::kLess: return "<";
        case Operator::kLessEqual: return "<=";
        case Operator::kBetween: return "between";
        case Operator::kMatches: return "matches";
        case Operator::kHas: return "has";
        case Operator::kBefore: return "before";
        case Operator::kAfter: return "after";
        case Operator::kMoreThanAgo:
        case Operator::kMoreThanAhead: return "more than";
        case Operator::kWithinLast: return "within last";
        case Operator::kWithinNext: break;
    }
    return "within next";
}

void AppendEscaped(std::string& out, std::string_view text, char quote) {
    static constexpr char kDigits[] = "0123456789abcdef";
    out.push_back(quote);
    for (const char c : text) {
        const auto byte = static_cast<uint8_t>(c);
        if (c == quote || c == '\\') {
            out.push_back('\\');
            out.push_back(c);
        } else if (c == '\n') {
            out.append("\\n");
        } else if (c == '\r') {
            out.append("\\r");
        } else if (c == '\t') {
            out.append("\\t");
        } else if (byte < 0x20 || byte == 0x7f) {
            out.append("\\u00");
            out.push_back(kDigits[byte >> 4]);
            out.push_back(kDigits[byte & 15]);
        } else {
            out.push_back(c);
        }
    }
    out.push_back(quote);
}

class Printer {
  public:
    explicit Printer(Spelling spelling) : spelling_(spelling) {}

    // `followed`: an and, or or clause comes next, so that a filter at the end needs its comma.
    void Node(const Expression& expression, Around around, bool followed) {
        std::visit([&](const auto& node) { Write(node, around, followed); }, expression.node);
    }
    std::string Take() { return std::move(out_); }

  private:
    void Write(const Everyone&, Around, bool) { out_.append("everyone"); }

    void Write(const InSegment& node, Around, bool) {
        out_.append("in segment ");
        AppendEscaped(out_, node.segment, '"');
    }

    void Write(const And& node, Around around, bool followed) {
        if (node.children.empty()) return Write(Everyone{}, around, followed);
        const bool wrap = around == Around::kAnd || around == Around::kNot;
        Group(node.children, " and ", Around::kAnd, wrap, {around, followed});
    }

    void Write(const Or& node, Around around, bool followed) {
        if (node.children.empty()) {
            out_.append("not everyone");
            return;
        }
        Group(node.children, " or ", Around::kOr, around != Around::kNothing, {around, followed});
    }

    struct Outside {
        Around around;
        bool followed;
    };
    void Group(const std::vector<ExpressionPtr>& children, std::string_view word, Around inside,
               bool wrap, Outside outside) {
        if (children.size() == 1) return Node(*children[0], outside.around, outside.followed);
        if (wrap) out_.push_back('(');
        for (size_t i = 0; i < children.size(); ++i) {
            if (i > 0) out_.append(word);
            const bool last = i + 1 == children.size();
            Node(*children[i], inside, !last || (outside.followed && !wrap));
        }
        if (wrap) out_.push_back(')');
    }

    void Write(const Not& node, Around, bool followed) {
        out_.append("not ");
        Node(*node.child, Around::kNot, followed);
    }

    void Write(const Comparison& node, Around, bool) {
        if (node.subject == Subject::kFirstTouch) {
            out_.append(kFirstTouchPrefix).append(node.name);
        } else if (node.subject == Subject::kLastTouch) {
            out_.append(kLastTouchPrefix).append(node.name);
        } else {
            out_.append(NameText(node.name));
        }
        out_.push_back(' ');
        out_.append(WordsOf(node.op));
        Values(node);
    }

    void Values(const Comparison& node) {
        const auto value = [&](size_t i) {
            if (i < node.values.size()) One(node.values[i], node.op);
        };
        switch (ShapeOf(node.op)) {
            case Shape::kNone: return;
            case Shape::kMany:
                out_.append(" (");
                for (size_t i = 0; i < node.values.size(); ++i) {
                    if (i > 0) out_.append(", ");
                    value(i);
                }
                out_.push_back(')');
                return;
            case Shape::kTwo:
                out_.push_back(' ');
                value(0);
                out_.append(" and ");
                value(1);
                return;
            case Shape::kSpan:
                out_.push_back(' ');
                out_.append(node.span_months != 0 ? MonthsText(node.span_months)
                                                  : SpanText(node.span_ms));
                Direction(node.op);
                return;
            default:
                out_.push_back(' ');
                value(0);
        }
    }

    void Direction(Operator op) {
        if (op == Operator::kMoreThanAgo) out_.append(" ago");
        if (op == Operator::kMoreThanAhead) out_.append(" ahead");
    }

    void One(const Literal& literal, Operator op) {
        if (const auto* text = std::get_if<std::string>(&literal)) {
            const bool date = ShapeOf(op) == Shape::kDate || op == Operator::kBetween;
            const auto time = date ? base::ParseIso(*text) : std::nullopt;
            if (time && spelling_ == Spelling::kByValue) {
                AppendEscaped(out_, base::FormatIso(*time), '"');
            } else {
                AppendEscaped(out_, *text, '"');
            }
        } else if (const auto* number = std::get_if<double>(&literal)) {
            base::AppendJsonNumber(out_, *number);
        } else {
            out_.append(std::get<bool>(literal) ? "true" : "false");
        }
    }

    // `"X" where ...`, with the comma where something follows.
    void EventName(const Events& events, bool followed) {
        AppendEscaped(out_, events.name, '"');
        if (events.where == nullptr) return;
        out_.append(" where ");
        Node(*events.where, Around::kNothing, false);
        if (followed) out_.push_back(',');
    }

    std::string SpelledSpan(const Span& span) const {
        return spelling_ == Spelling::kByValue ? SpanText(span.ms) : span.text;
    }

    void Windows(const Events& events) {
        if (events.within.ms != 0) out_.append(" within ").append(SpelledSpan(events.within));
        if (events.since_entry) out_.append(" since entry");
    }

    static std::string Times(const Count& node) {
        if (node.at_most == UINT32_MAX) {
            return node.at_least == 1 ? "" : " " + std::to_string(node.at_least) + "+ times";
        }
        if (node.at_least == 1 && node.at_most == 1) return " once";
        if (node.at_least == node.at_most) {
            return " exactly " + std::to_string(node.at_least) + " times";
        }
        if (node.at_least == 0) return " at most " + std::to_string(node.at_most) + " times";
        return " " + std::to_string(node.at_least) + " to " + std::to_string(node.at_most) +
               " times";
    }

    void Write(const Count& node, Around, bool followed) {
        const std::string times = Times(node);
        const bool more = !times.empty() || node.events.within.ms != 0 || node.events.since_entry;
        out_.append("did ");
        EventName(node.events, more || followed);
        out_.append(times);
        Windows(node.events);
    }

    void Write(const Occurrence& node, Around, bool) {
        out_.append(node.last ? "last " : "first ");
        EventName(node.events, true);
        switch (node.op) {
            case Operator::kMoreThanAgo:
                out_.append(" more than ").append(SpelledSpan(node.span)).append(" ago");
                return;
            case Operator::kWithinLast:
                out_.append(" within ").append(SpelledSpan(node.span));
                return;
            default:
                out_.append(node.op == Operator::kBefore ? " before " : " after ");
                AppendEscaped(out_,
                              spelling_ == Spelling::kByValue ? base::FormatIso(node.date_ms)
                                                              : node.date_text,
                              '"');
        }
    }

    void Write(const Aggregate& node, Around, bool) {
        out_.append(JsonName(node.kind)).push_back('(');
        out_.append(NameText(node.property)).append(") of ");
        EventName(node.events, true);
        Windows(node.events);
        out_.push_back(' ');
        if (node.op == Operator::kIs) {
            out_.push_back('=');
        } else if (node.op == Operator::kIsNot) {
            out_.append("!=");
        } else {
            out_.append(WordsOf(node.op));
        }
        out_.push_back(' ');
        base::AppendJsonNumber(out_, node.low);
        if (node.op == Operator::kBetween) {
            out_.append(" and ");
            base::AppendJsonNumber(out_, node.high);
        }
    }

    const Spelling spelling_;
    std::string out_;
};

}  // namespace

std::string Print(const Expression& expression, Spelling spelling) {
    Printer printer(spelling);
    printer.Node(expression, Around::kNothing, false);
    return printer.Take();
}

std::string ToText(const Expression& expression) { return Print(expression, Spelling::kAsWritten); }

std::string NameText(std::string_view name) {
    const auto begins = [&](std::string_view prefix) {
        return name.size() >= prefix.size() && SameWord(name.substr(0, prefix.size()), prefix);
    };
    if (IsPlainName(name) && !IsKeyword(name) && !begins(kFirstTouchPrefix) &&
        !begins(kLastTouchPrefix)) {
        return std::string(name);
    }
    std::string out;
    AppendEscaped(out, name, '`');
    return out;
}

std::string QuotedText(std::string_view text) {
    std::string out;
    AppendEscaped(out, text, '"');
    return out;
}

}  // namespace condition
