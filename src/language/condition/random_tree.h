// Random valid conditions for the round-trip tests: every node, operator and odd name.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/time.h"
#include "language/condition/expression.h"
#include "language/condition/span.h"
#include "language/condition/words.h"

namespace condition {

class RandomTree {
  public:
    explicit RandomTree(uint64_t seed) : random_(seed) {}

    ExpressionPtr Make(int depth, bool filter = false) {
        const uint64_t kind = depth <= 1 ? 3 + Below(filter ? 1 : 6) : Below(filter ? 4 : 9);
        Expression made;
        if (kind == 0) {
            made.node = And{Children(depth, filter)};
        } else if (kind == 1) {
            made.node = Or{Children(depth, filter)};
        } else if (kind == 2) {
            made.node = Not{Make(depth - 1, filter)};
        } else if (kind == 3) {
            made.node = Compare(filter);
        } else if (kind == 4) {
            made.node = Counted(depth);
        } else if (kind == 5) {
            made.node = Seen(depth);
        } else if (kind == 6) {
            made.node = Total(depth);
        } else if (kind == 7) {
            made.node = InSegment{Word()};
        } else {
            made.node = Everyone{};
        }
        return std::make_shared<const Expression>(std::move(made));
    }

    uint64_t Below(uint64_t limit) { return random_() % limit; }

  private:
    std::vector<ExpressionPtr> Children(int depth, bool filter) {
        std::vector<ExpressionPtr> list(2 + Below(2));
        for (auto& child : list) child = Make(depth - 1, filter);
        return list;
    }

    std::string Word() {
        static const std::vector<std::string> kWords = {
            "plan", "address.city", "odd name", "first", "Last", "did", "first_touch.medium",
            "LAST_TOUCH.source", "Straße", "日本語", "a`b", "a\\b", "line\nbreak", "tab\t", "1st",
            ".dot", "dot.", "a..b", "items.0.price", "$x", "_", "\x01\x7f", "🍎", "\"quoted\"",
            "it's", "not", "everyone", "sum", "#", "first_touch", "x-y", "true", "\u3000"};
        return kWords[Below(kWords.size())];
    }

    double Number() {
        switch (Below(4)) {
            case 0: return static_cast<double>(Below(1000));
            case 1: return -static_cast<double>(Below(100'000)) / 100;
            case 2: return static_cast<double>(Below(2) * 9007199254740993ULL);
            default: break;
        }
        const auto number = std::bit_cast<double>(random_());
        return std::isfinite(number) ? number : 1e300;
    }

    std::string Date() {
        static const std::vector<std::string> kDates = {"2026-01-05", "2026-01-05T10:00Z",
                                                        "2026-02-28 23:59:59.5+09:00"};
        return kDates[Below(kDates.size())];
    }

    Literal AnyLiteral() {
        switch (Below(3)) {
            case 0: return Word();
            case 1: return Number();
            default: return Below(2) == 0;
        }
    }

    Length AnyLength() {
        static const std::vector<std::string> kUnits = {"s", "m", "h", "d", "w", "mo", "y"};
        return *MakeLength(1 + Below(100), kUnits[Below(kUnits.size())]);
    }

    Comparison Compare(bool filter) {
        Comparison made;
        made.op = static_cast<Operator>(Below(static_cast<uint64_t>(Operator::kWithinNext) + 1));
        made.name = Word();
        made.subject = filter ? Subject::kProperty : Subject::kAttribute;
        if (!filter && Below(4) == 0) {
            made.subject = Below(2) == 0 ? Subject::kFirstTouch : Subject::kLastTouch;
            made.name = Below(2) == 0 ? "medium" : "referrer";
        }
        switch (ShapeOf(made.op)) {
            case Shape::kNone: break;
            case Shape::kOne: made.values = {AnyLiteral()}; break;
            case Shape::kNumber: made.values = {Number()}; break;
            case Shape::kText:
                made.values = {made.op == Operator::kMatches ? std::string("^\\d+(a|b)$") : Word()};
                break;
            case Shape::kDate: made.values = {Date()}; break;
            case Shape::kMany:
                made.values.resize(1 + Below(4));
                for (auto& value : made.values) value = AnyLiteral();
                break;
            case Shape::kTwo: {
                const double low = Number();
                made.values = {low, low + std::abs(low)};
                if (Below(2) == 0) made.values = {"2026-01-05", "2026-01-05T10:00Z"};
                if (!std::isfinite(low + std::abs(low))) made.values = {0.0, 1.0};
                break;
            }
            case Shape::kSpan: {
                const Length length = AnyLength();
                made.span_months = length.months;
                made.span_ms = length.months == 0 ? length.ms : 0;
            }
        }
        return made;
    }

    Events AnyEvents(int depth, bool windows) {
        Events made;
        made.name = Word();
        if (depth > 1 && Below(2) == 0) made.where = Make(depth - 1, true);
        if (windows && Below(2) == 0) {
            const Length length = AnyLength();
            made.within = {length.ms, length.text};
        }
        made.since_entry = windows && Below(3) == 0;
        return made;
    }

    Count Counted(int depth) {
        Count made;
        made.events = AnyEvents(depth, true);
        const auto low = static_cast<uint32_t>(Below(4));
        const uint64_t form = Below(4);
        if (form == 0) {
            made.at_least = 1 + low;
        } else if (form > 1) {
            made.at_least = low;
            made.at_most = low + static_cast<uint32_t>(Below(3));
        }
        return made;
    }

    Occurrence Seen(int depth) {
        Occurrence made;
        made.events = AnyEvents(depth, false);
        made.last = Below(2) == 0;
        if (Below(2) == 0) {
            made.op = Below(2) == 0 ? Operator::kBefore : Operator::kAfter;
            made.date_text = Date();
            made.date_ms = *base::ParseIso(made.date_text);
        } else {
            made.op = Below(2) == 0 ? Operator::kMoreThanAgo : Operator::kWithinLast;
            const Length length = AnyLength();
            made.span = {length.ms, length.text};
        }
        return made;
    }

    Aggregate Total(int depth) {
        static const std::vector<Operator> kOps = {
            Operator::kIs,   Operator::kIsNot,     Operator::kGreater, Operator::kGreaterEqual,
            Operator::kLess, Operator::kLessEqual, Operator::kBetween};
        Aggregate made;
        made.kind = static_cast<AggregateKind>(Below(4));
        made.property = Word();
        made.events = AnyEvents(depth, true);
        made.op = kOps[Below(kOps.size())];
        made.low = made.op == Operator::kBetween ? -5 : Number();
        if (made.op == Operator::kBetween) made.high = static_cast<double>(Below(1000));
        return made;
    }

    std::mt19937_64 random_;
};

}  // namespace condition
