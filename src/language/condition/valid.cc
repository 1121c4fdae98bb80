#include "language/condition/valid.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "base/limits.h"
#include "language/condition/pattern.h"
#include "language/condition/print.h"
#include "language/condition/span.h"
#include "language/condition/words.h"

namespace condition {
namespace {

using base::Invalid;

base::Status CheckText(std::string_view text, std::string_view what) {
    if (!simdjson::validate_utf8(text.data(), text.size())) {
        return Invalid(std::string(what) + " is not valid UTF-8");
    }
    return {};
}

base::Status CheckName(std::string_view name, std::string_view what) {
    if (name.empty()) return Invalid(std::string(what) + " is empty");
    if (name.size() > limits::kNameBytesMax) {
        return Invalid(std::string(what) + " is longer than " +
                       std::to_string(limits::kNameBytesMax) + " bytes");
    }
    return CheckText(name, what);
}

base::Status CheckNumber(double number) {
    if (!std::isfinite(number)) return Invalid("the number is out of range");
    return {};
}

base::Status CheckDate(const std::string& text) {
    if (base::ParseIso(text)) return {};
    return Invalid("expected a date such as \"2026-01-05\" or \"2026-01-05T10:00Z\"");
}

base::Status CheckLiteral(const Literal& literal) {
    if (const auto* text = std::get_if<std::string>(&literal)) return CheckText(*text, "a value");
    if (const auto* number = std::get_if<double>(&literal)) return CheckNumber(*number);
    return {};
}

base::Status CheckTwo(const std::vector<Literal>& values) {
    if (values.size() != 2) return Invalid("between takes two values");
    const auto* low = std::get_if<double>(&values[0]);
    const auto* high = std::get_if<double>(&values[1]);
    if (low != nullptr && high != nullptr) {
        if (*low <= *high) return {};
        return Invalid("between takes the smaller value first");
    }
    const auto* from = std::get_if<std::string>(&values[0]);
    const auto* to = std::get_if<std::string>(&values[1]);
    if (from == nullptr || to == nullptr) return Invalid("between takes two numbers or two dates");
    TRY(CheckDate(*from));
    TRY(CheckDate(*to));
    if (*base::ParseIso(*from) <= *base::ParseIso(*to)) return {};
    return Invalid("between takes the earlier date first");
}

base::Status CheckSpan(base::DurationMs ms) {
    if (ms < base::kSecondMs || ms > limits::kConditionSpanMax || ms % base::kSecondMs != 0) {
        return Invalid("a length of time is from 1s to 100y");
    }
    return {};
}

// A span of the tree: its text must say what its value is.
base::Status CheckSpan(const Span& span) {
    TRY(CheckSpan(span.ms));
    const auto length = ReadLength(span.text);
    if (!length || length->ms != span.ms || length->text != span.text) {
        return Invalid("expected a length of time such as 7d");
    }
    return {};
}

base::Status CheckValues(const Comparison& node) {
    const auto takes = [&](size_t count) { return node.values.size() == count; };
    const bool text = takes(1) && std::holds_alternative<std::string>(node.values[0]);
    for (const Literal& literal : node.values) TRY(CheckLiteral(literal));
    switch (ShapeOf(node.op)) {
        case Shape::kNone:
            if (!takes(0)) return Invalid("known and unknown take no value");
            return {};
        case Shape::kOne:
            if (!takes(1)) return Invalid("this comparison takes one value");
            return {};
        case Shape::kNumber:
            if (takes(1) && std::holds_alternative<double>(node.values[0])) return {};
            return Invalid("expected a number");
        case Shape::kText:
            if (!text) return Invalid("expected a quoted text");
            if (node.op != Operator::kMatches) return {};
            return CompilePattern(std::get<std::string>(node.values[0])).map([](const auto&) {});
        case Shape::kDate:
            if (!text) return Invalid("expected a date such as \"2026-01-05\"");
            return CheckDate(std::get<std::string>(node.values[0]));
        case Shape::kMany:
            if (node.values.empty()) return Invalid("the list of values is empty");
            return {};
        case Shape::kTwo: return CheckTwo(node.values);
        case Shape::kSpan: break;
    }
    if (!takes(0)) return Invalid("this comparison takes a length of time");
    if (node.span_months == 0) return CheckSpan(node.span_ms);
    if (node.span_ms != 0 || node.span_months < 0 || node.span_months > kMonthsMax) {
        return Invalid("a length of time is from 1s to 100y");
    }
    return {};
}

base::Status Check(const Comparison& node, Place place) {
    if ((node.subject == Subject::kProperty) != (place == Place::kFilter)) {
        return Invalid(place == Place::kFilter
                           ? "inside where only properties of the event can be compared"
                           : "properties of an event can be compared only inside where");
    }
    if (node.subject == Subject::kFirstTouch || node.subject == Subject::kLastTouch) {
        if (!IsTouchField(node.name)) {
            return Invalid("a touch has source, medium, campaign, term, content, referrer and "
                           "kind, but no " + QuotedText(node.name));
        }
    }
    TRY(CheckName(node.name, "the name"));
    if (ShapeOf(node.op) != Shape::kSpan && (node.span_ms != 0 || node.span_months != 0)) {
        return Invalid("this comparison takes no length of time");
    }
    return CheckValues(node);
}

base::Status CheckEvents(const Events& events) {
    TRY(CheckName(events.name, "the event name"));
    if (events.within.ms != 0 || !events.within.text.empty()) return CheckSpan(events.within);
    return {};
}

base::Status Check(const Count& node) {
    TRY(CheckEvents(node.events));
    const auto most = static_cast<uint32_t>(limits::kCountThresholdMax);
    const bool open = node.at_most == UINT32_MAX;
    if (node.at_least > most || (!open && node.at_most > most)) {
        return Invalid("a count is at most " + std::to_string(most));
    }
    if (node.at_least == 0 && open) return Invalid("0+ times is true for everyone");
    if (node.at_least > node.at_most) return Invalid("write the smaller number of times first");
    return {};
}

base::Status Check(const Occurrence& node) {
    TRY(CheckEvents(node.events));
    if (node.events.within.ms != 0 || node.events.since_entry) {
        return Invalid("first and last take one time clause");
    }
    if (!IsOccurrenceOperator(node.op)) {
        return Invalid("first and last take within, more than ... ago, before or after");
    }
    const bool relative = ShapeOf(node.op) == Shape::kSpan;
    if (relative) {
        if (!node.date_text.empty() || node.date_ms != 0) return Invalid("no date belongs here");
        return CheckSpan(node.span);
    }
    if (node.span != Span{}) return Invalid("no length of time belongs here");
    TRY(CheckDate(node.date_text));
    if (*base::ParseIso(node.date_text) != node.date_ms) {
        return Invalid("the date and its text differ");
    }
    return {};
}

base::Status Check(const Aggregate& node) {
    TRY(CheckName(node.property, "the property"));
    TRY(CheckEvents(node.events));
    if (!IsNumberOperator(node.op)) return Invalid("expected =, !=, >, >=, <, <= or between");
    TRY(CheckNumber(node.low));
    TRY(CheckNumber(node.high));
    if (node.op == Operator::kBetween) {
        if (node.low > node.high) return Invalid("between takes the smaller value first");
    } else if (node.high != 0) {
        return Invalid("only between takes a second value");
    }
    return {};
}

struct Size {
    int depth = 1;
    size_t nodes = 1;
};

void Join(Size& size, const Expression* child);

Size Measure(const Expression& expression) {
    Size size;
    const auto all = [&](const std::vector<ExpressionPtr>& children) {
        for (const auto& child : children) Join(size, child.get());
    };
    std::visit(
        [&](const auto& node) {
            using Node = std::decay_t<decltype(node)>;
            if constexpr (std::is_same_v<Node, And> || std::is_same_v<Node, Or>) {
                all(node.children);
            } else if constexpr (std::is_same_v<Node, Not>) {
                Join(size, node.child.get());
            } else if constexpr (std::is_same_v<Node, Count> || std::is_same_v<Node, Occurrence> ||
                                 std::is_same_v<Node, Aggregate>) {
                Join(size, node.events.where.get());
            }
        },
        expression.node);
    return size;
}

void Join(Size& size, const Expression* child) {
    if (child == nullptr) return;
    const Size inner = Measure(*child);
    size.depth = std::max(size.depth, inner.depth + 1);
    size.nodes += inner.nodes;
}

base::Status TooLarge(const std::string& text) {
    return base::Fail(base::ErrorCode::kTooLarge, text, text);
}

base::Status CheckAll(const Expression& expression, Place place) {
    TRY(CheckNode(expression, place));
    const auto below = [](const ExpressionPtr& child, Place where) -> base::Status {
        if (child == nullptr) return Invalid("a part is missing");
        return CheckAll(*child, where);
    };
    const auto filter = [&](const Events& events) -> base::Status {
        if (events.where == nullptr) return {};
        return below(events.where, Place::kFilter);
    };
    if (const auto* all = std::get_if<And>(&expression.node)) {
        for (const auto& child : all->children) TRY(below(child, place));
    } else if (const auto* any = std::get_if<Or>(&expression.node)) {
        for (const auto& child : any->children) TRY(below(child, place));
    } else if (const auto* negated = std::get_if<Not>(&expression.node)) {
        TRY(below(negated->child, place));
    } else if (const auto* count = std::get_if<Count>(&expression.node)) {
        TRY(filter(count->events));
    } else if (const auto* occurrence = std::get_if<Occurrence>(&expression.node)) {
        TRY(filter(occurrence->events));
    } else if (const auto* aggregate = std::get_if<Aggregate>(&expression.node)) {
        TRY(filter(aggregate->events));
    }
    return {};
}

}  // namespace

base::Status CheckNode(const Expression& expression, Place place) {
    if (const auto* comparison = std::get_if<Comparison>(&expression.node)) {
        return Check(*comparison, place);
    }
    if (const auto* all = std::get_if<And>(&expression.node)) {
        if (all->children.size() < 2) return Invalid("and joins at least two conditions");
        return {};
    }
    if (const auto* any = std::get_if<Or>(&expression.node)) {
        if (any->children.size() < 2) return Invalid("or joins at least two conditions");
        return {};
    }
    if (std::holds_alternative<Not>(expression.node)) return {};
    if (place == Place::kFilter) {
        return Invalid("inside where only properties of the event can be compared");
    }
    if (const auto* count = std::get_if<Count>(&expression.node)) return Check(*count);
    if (const auto* first = std::get_if<Occurrence>(&expression.node)) return Check(*first);
    if (const auto* sum = std::get_if<Aggregate>(&expression.node)) return Check(*sum);
    if (const auto* segment = std::get_if<InSegment>(&expression.node)) {
        return CheckName(segment->segment, "the segment name");
    }
    return {};
}

base::Status CheckSize(const Expression& expression) {
    const Size size = Measure(expression);
    if (size.depth > limits::kConditionDepthMax) {
        return TooLarge("the condition is nested deeper than " +
                        std::to_string(limits::kConditionDepthMax) + " levels");
    }
    if (size.nodes > limits::kConditionNodesMax) {
        return TooLarge("the condition has more than " +
                        std::to_string(limits::kConditionNodesMax) + " parts");
    }
    if (ToText(expression).size() > limits::kConditionBytesMax) {
        return TooLarge("the condition is longer than " +
                        std::to_string(limits::kConditionBytesMax) + " bytes");
    }
    return {};
}

base::Status Validate(const Expression& expression) {
    TRY(CheckAll(expression, Place::kPerson));
    return CheckSize(expression);
}

}  // namespace condition
