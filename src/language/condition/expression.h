// A condition as a tree: the one meaning that the text form, the JSON form and the evaluator share.
// docs/conditions.md has the grammar and what each part means.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"

namespace condition {

// A literal of the text: "pro", 100, true. Dates are texts that read as ISO 8601 and stand only
// with the operators that take dates.
using Literal = std::variant<std::string, double, bool>;

enum class Operator : uint8_t {
    kIs, kIsNot,                  // Texts fold case; numbers compare as numbers.
    kContains, kNotContains, kStarts, kEnds,
    kIn, kNotIn,                  // Any of the values.
    kKnown, kUnknown,
    kGreater, kGreaterEqual, kLess, kLessEqual,
    kBetween,                     // Two values, both ends included.
    kMatches,                     // RE2, unanchored, case-sensitive.
    kHas,                         // The value is a list that holds the literal.
    kBefore, kAfter,              // Dates: a fixed instant.
    kMoreThanAgo,                 // value <= now - span
    kWithinLast,                  // now - span < value <= now
    kMoreThanAhead,               // value > now + span
    kWithinNext,                  // now < value <= now + span
};

// What a comparison looks at.
enum class Subject : uint8_t {
    kAttribute,   // plan, address.city: an attribute of the person
    kFirstTouch,  // first_touch.medium: source, medium, campaign, term, content, referrer, kind
    kLastTouch,   // last_touch.medium
    kProperty,    // inside `where`: a property of the event
};

struct Comparison {
    Subject subject = Subject::kAttribute;
    std::string name;             // Dotted path below the subject: "plan", "address.city".
    Operator op = Operator::kIs;
    std::vector<Literal> values;  // As many as the operator takes.
    base::DurationMs span_ms = 0; // For the four relative date operators.
    int32_t span_months = 0;      // 3mo, 1y: calendar months; then span_ms is 0.
    bool operator==(const Comparison&) const = default;
};

// A length of time as written. Months and years are counted as 30 and 365 days in rolling
// windows; `text` keeps what the user wrote ("7d").
struct Span {
    base::DurationMs ms = 0;      // 0: no window ("ever").
    std::string text;
    bool operator==(const Span&) const = default;
};

struct Expression;
using ExpressionPtr = std::shared_ptr<const Expression>;

// Which events: by name, with an optional filter (a tree of comparisons of properties).
struct Events {
    std::string name;
    ExpressionPtr where;          // Null: all.
    Span within;                  // Rolling window (now - T, now]; ms 0: ever.
    bool since_entry = false;     // Only events after the journey entry (and of its key).
};

// did "X" [where ...,] [N+ times | N times | at most N times | N to M times] [within T]
//     [since entry]
struct Count {
    Events events;
    uint32_t at_least = 1;
    uint32_t at_most = UINT32_MAX;
};

// first|last "X" [where ...] more than T ago | within T | before DATE | after DATE
struct Occurrence {
    Events events;                // `within` unused.
    bool last = true;
    Operator op = Operator::kMoreThanAgo;  // kMoreThanAgo, kWithinLast, kBefore, kAfter.
    Span span;                    // For the relative two.
    base::TimeMs date_ms = 0;     // For kBefore and kAfter.
    std::string date_text;
};

enum class AggregateKind : uint8_t { kSum, kAverage, kMax, kMin };

// sum(revenue) of "X" [where ...] [within T] [since entry] >= 1000
struct Aggregate {
    AggregateKind kind = AggregateKind::kSum;
    std::string property;
    Events events;
    // kIs kIsNot kGreater kGreaterEqual kLess kLessEqual kBetween
    Operator op = Operator::kGreaterEqual;
    double low = 0;
    double high = 0;              // For kBetween.
};

struct InSegment {                // in segment "Name"
    std::string segment;
};
struct Everyone {};               // everyone

struct Not { ExpressionPtr child; };
struct And { std::vector<ExpressionPtr> children; };
struct Or { std::vector<ExpressionPtr> children; };

struct Expression {
    std::variant<Everyone, And, Or, Not, Comparison, Count, Occurrence, Aggregate, InSegment> node;
};

}  // namespace condition
