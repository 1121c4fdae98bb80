// Comparisons and filters made ready to run: the part of the language that every event passes.
//
// What matches what (docs/conditions.md):
//   - texts fold case (fold.h), but in `matches`; literals are folded once, here;
//   - numbers compare with numbers, true and false with themselves; values of different kinds are
//     not equal. Texts that hold a number count as numbers only when the attribute is declared so;
//   - a missing value (kNone) makes every comparison false, and is not, not in, does not contain
//     and is unknown true; these four are the exact opposites of is, in, contains and is known;
//   - dates are ISO 8601 texts, or numbers: seconds since 1970 below 1e11, else milliseconds;
//   - `has` looks into a list; a single value counts as a list of one. Lists and objects answer
//     only has, is known, and the opposites above;
//   - months and years in date comparisons are calendar months in UTC, counted from the value.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "language/condition/expression.h"

namespace re2 {
class RE2;
}

namespace condition {

// A value of an attribute or property, borrowed from wherever it lies.
struct Value {
    enum class Type : uint8_t { kNone, kBool, kNumber, kText, kList, kObject };
    Type type = Type::kNone;
    bool boolean = false;
    double number = 0;
    std::string_view text;  // kText: the text. kList, kObject: the raw JSON.

    static Value None() { return {}; }
    static Value Bool(bool v) { return {Type::kBool, v, 0, {}}; }
    static Value Number(double v) { return {Type::kNumber, false, v, {}}; }
    static Value Text(std::string_view v) { return {Type::kText, false, 0, v}; }
    static Value List(std::string_view json) { return {Type::kList, false, 0, json}; }
    static Value Object(std::string_view json) { return {Type::kObject, false, 0, json}; }
};

// The instant a value means as a date, or nullopt. Texts: ISO 8601. Numbers: see above.
std::optional<base::TimeMs> DateOf(const Value& value);

// One comparison. Immutable, copies are cheap enough to keep one per place.
// Threads: const calls from any number of threads.
class Comparer {
  public:
    // Errors: as CheckNode (valid.h).
    static base::Result<Comparer> Create(const Comparison& comparison,
                                         bool declared_number = false);

    bool Matches(const Value& value, base::TimeMs now) const;

    // The first instant after `now` at which Matches(value, instant) differs from
    // Matches(value, now); base::kNeverMs when time alone never changes it.
    base::TimeMs NextFlip(const Value& value, base::TimeMs now) const;

    // True when NextFlip can be anything but never.
    bool depends_on_time() const;

  private:
    Comparer() = default;
    bool Equals(const Value& value) const;
    bool HasElement(const Value& list) const;
    bool Between(const Value& value) const;
    bool ContainsText(const Value& value) const;
    bool Relative(base::TimeMs date, base::TimeMs now) const;
    base::TimeMs EdgeOf(base::TimeMs date) const;
    std::optional<base::TimeMs> DateOfDeclared(const Value& value) const;
    std::optional<double> NumberOf(const Value& value) const;

    Operator op_ = Operator::kIs;      // The positive one of the four pairs.
    bool negated_ = false;
    bool declared_number_ = false;
    bool dates_ = false;               // kBetween of dates.
    bool has_true_ = false;            // Literals by kind, for is, in and has.
    bool has_false_ = false;
    std::vector<double> numbers_;      // Sorted.
    std::vector<std::string> texts_;   // Folded and sorted.
    base::TimeMs low_ms_ = 0;
    base::TimeMs high_ms_ = 0;
    base::DurationMs span_ms_ = 0;
    int32_t span_months_ = 0;
    std::shared_ptr<const re2::RE2> pattern_;  // Shared by the copies of this comparer.
};

// A `where` tree made ready. Properties are asked for by name, each when it is needed.
// Threads: const calls from any number of threads.
class Filter {
  public:
    // Errors: as Validate with Place::kFilter.
    static base::Result<Filter> Create(const Expression& where);

    // find(std::string_view name) -> Value; the value need live only until the next find.
    // `now` is the time of the event.
    template <class Find>
    bool Matches(Find&& find, base::TimeMs now) const {
        return Eval(0, find, now);
    }

    // The properties it looks at, sorted and without doubles.
    const std::vector<std::string>& names() const { return names_; }

  private:
    enum class Kind : uint8_t { kLeaf, kAll, kAny, kNot };
    struct Node {
        Kind kind;
        uint32_t end;   // One past the subtree: nodes lie in reading order.
        uint32_t leaf;  // Index into leaves_ for kLeaf.
    };
    struct Leaf {
        std::string name;
        Comparer comparer;
    };
    Filter() = default;
    base::Status Add(const Expression& part);

    template <class Find>
    bool Eval(uint32_t at, Find& find, base::TimeMs now) const {
        const Node& node = nodes_[at];
        if (node.kind == Kind::kLeaf) {
            const Leaf& leaf = leaves_[node.leaf];
            return leaf.comparer.Matches(find(std::string_view(leaf.name)), now);
        }
        if (node.kind == Kind::kNot) return !Eval(at + 1, find, now);
        const bool stop_on = node.kind == Kind::kAny;
        for (uint32_t child = at + 1; child < node.end; child = nodes_[child].end) {
            if (Eval(child, find, now) == stop_on) return stop_on;
        }
        return !stop_on;
    }

    std::vector<Node> nodes_;
    std::vector<Leaf> leaves_;
    std::vector<std::string> names_;
};

}  // namespace condition
