#include "language/condition/words.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>

namespace condition {
namespace {

struct OperatorRow {
    Operator op;
    std::string_view name;
    Shape shape;
};

constexpr OperatorRow kOperators[] = {
    {Operator::kIs, "is", Shape::kOne},
    {Operator::kIsNot, "is_not", Shape::kOne},
    {Operator::kContains, "contains", Shape::kText},
    {Operator::kNotContains, "not_contains", Shape::kText},
    {Operator::kStarts, "starts", Shape::kText},
    {Operator::kEnds, "ends", Shape::kText},
    {Operator::kIn, "in", Shape::kMany},
    {Operator::kNotIn, "not_in", Shape::kMany},
    {Operator::kKnown, "known", Shape::kNone},
    {Operator::kUnknown, "unknown", Shape::kNone},
    {Operator::kGreater, "greater", Shape::kNumber},
    {Operator::kGreaterEqual, "greater_equal", Shape::kNumber},
    {Operator::kLess, "less", Shape::kNumber},
    {Operator::kLessEqual, "less_equal", Shape::kNumber},
    {Operator::kBetween, "between", Shape::kTwo},
    {Operator::kMatches, "matches", Shape::kText},
    {Operator::kHas, "has", Shape::kOne},
    {Operator::kBefore, "before", Shape::kDate},
    {Operator::kAfter, "after", Shape::kDate},
    {Operator::kMoreThanAgo, "more_than_ago", Shape::kSpan},
    {Operator::kWithinLast, "within_last", Shape::kSpan},
    {Operator::kMoreThanAhead, "more_than_ahead", Shape::kSpan},
    {Operator::kWithinNext, "within_next", Shape::kSpan},
};

constexpr std::string_view kKeywords[] = {
    "after",  "ago",     "ahead", "and",     "at",     "avg",    "before",   "between", "contains",
    "did",    "do",      "does",  "ends",    "entry",  "everyone", "exactly", "false",  "first",
    "has",    "in",      "is",    "known",   "last",   "least",  "less",     "matches", "max",
    "min",    "more",    "most",  "next",    "not",    "of",     "once",     "or",      "segment",
    "since",  "starts",  "sum",   "than",    "time",   "times",  "to",       "true",    "twice",
    "unknown", "where",  "with",  "within"};

constexpr std::string_view kTouchFields[] = {"campaign", "content", "kind",  "medium",
                                             "referrer", "source",  "term"};

}  // namespace

Shape ShapeOf(Operator op) { return kOperators[static_cast<size_t>(op)].shape; }

std::string_view JsonName(Operator op) { return kOperators[static_cast<size_t>(op)].name; }

std::optional<Operator> FindOperator(std::string_view json_name) {
    for (const OperatorRow& row : kOperators) {
        if (row.name == json_name) return row.op;
    }
    return std::nullopt;
}

std::string_view JsonName(AggregateKind kind) {
    switch (kind) {
        case AggregateKind::kSum: return "sum";
        case AggregateKind::kAverage: return "avg";
        case AggregateKind::kMax: return "max";
        case AggregateKind::kMin: break;
    }
    return "min";
}

bool IsNumberOperator(Operator op) {
    return op == Operator::kIs || op == Operator::kIsNot || op == Operator::kBetween ||
           ShapeOf(op) == Shape::kNumber;
}

bool IsOccurrenceOperator(Operator op) {
    return op == Operator::kMoreThanAgo || op == Operator::kWithinLast ||
           op == Operator::kBefore || op == Operator::kAfter;
}

bool SameWord(std::string_view any_case, std::string_view lower) {
    return std::equal(any_case.begin(), any_case.end(), lower.begin(), lower.end(),
                      [](char c, char low) {
                          return (c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) == low;
                      });
}

bool IsKeyword(std::string_view word) {
    return std::any_of(std::begin(kKeywords), std::end(kKeywords),
                       [&](std::string_view keyword) { return SameWord(word, keyword); });
}

bool StartsName(int32_t point) {
    if (point < 0x80) {
        return (point >= 'a' && point <= 'z') || (point >= 'A' && point <= 'Z') || point == '_' ||
               point == '$';
    }
    return u_hasBinaryProperty(point, UCHAR_XID_START) != 0;
}

bool ContinuesName(int32_t point) {
    if (point < 0x80) return StartsName(point) || (point >= '0' && point <= '9');
    return u_hasBinaryProperty(point, UCHAR_XID_CONTINUE) != 0;
}

bool IsPlainName(std::string_view name) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(name.data());
    const auto length = static_cast<int64_t>(name.size());
    int64_t pos = 0;
    bool begins = true;        // At the start of the name.
    bool after_dot = false;
    while (pos < length) {
        UChar32 point = 0;
        U8_NEXT(bytes, pos, length, point);
        if (point < 0) return false;
        if (point == '.') {
            if (begins || after_dot) return false;
            after_dot = true;
            continue;
        }
        if (begins ? !StartsName(point) : !ContinuesName(point)) return false;
        begins = after_dot = false;
    }
    return !begins && !after_dot;
}

bool IsTouchField(std::string_view name) {
    return std::find(std::begin(kTouchFields), std::end(kTouchFields), name) !=
           std::end(kTouchFields);
}

}  // namespace condition
