#include "language/condition/compare.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>

#include "language/condition/fold.h"
#include "language/condition/json_list.h"
#include "language/condition/pattern.h"
#include "language/condition/span.h"
#include "language/condition/valid.h"
#include "language/condition/words.h"

namespace condition {
namespace {

constexpr double kSecondsBelow = 1e11;    // Year 5138 in seconds, March 1973 in milliseconds.
constexpr double kDateMin = -62167219200000;  // The years 0 to 9999, as in ISO 8601 texts.
constexpr double kDateMax = 253402300799999;
constexpr size_t kFewTexts = 4;           // Up to here comparing beats folding a copy.

// The number that the whole of `text` writes, blanks around it aside.
std::optional<double> ReadNumber(std::string_view text) {
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
    double number = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || rest != end || !std::isfinite(number)) return std::nullopt;
    return number;
}

std::optional<base::TimeMs> DateOfNumber(double number) {
    if (std::abs(number) < kSecondsBelow) number *= 1000;
    if (!(number >= kDateMin && number <= kDateMax)) return std::nullopt;
    return static_cast<base::TimeMs>(std::floor(number));
}

// The four operators that deny, and what they deny.
std::optional<Operator> Denied(Operator op) {
    switch (op) {
        case Operator::kIsNot: return Operator::kIs;
        case Operator::kNotIn: return Operator::kIn;
        case Operator::kNotContains: return Operator::kContains;
        case Operator::kUnknown: return Operator::kKnown;
        default: return std::nullopt;
    }
}

// `text` folded, without allocating for the usual short ones.
class FoldedCopy {
  public:
    explicit FoldedCopy(std::string_view text) {
        if (text.size() <= sizeof small_ && FoldAscii(text, small_)) {
            view_ = {small_, text.size()};
        } else {
            AppendFolded(large_, text);
            view_ = large_;
        }
    }
    FoldedCopy(const FoldedCopy&) = delete;
    FoldedCopy& operator=(const FoldedCopy&) = delete;
    std::string_view view() const { return view_; }

  private:
    char small_[256];
    std::string large_;
    std::string_view view_;
};

bool Holds(const std::vector<double>& sorted, double number) {
    const auto found = std::lower_bound(sorted.begin(), sorted.end(), number);
    return found != sorted.end() && *found == number;
}

bool Holds(const std::vector<std::string>& sorted, std::string_view text) {
    if (sorted.size() <= kFewTexts) {
        return std::any_of(sorted.begin(), sorted.end(),
                           [&](const std::string& one) { return FoldedEqual(text, one); });
    }
    const FoldedCopy folded(text);
    const auto found = std::lower_bound(sorted.begin(), sorted.end(), folded.view());
    return found != sorted.end() && *found == folded.view();
}

}  // namespace

std::optional<base::TimeMs> DateOf(const Value& value) {
    if (value.type == Value::Type::kText) return base::ParseIso(value.text);
    if (value.type == Value::Type::kNumber) return DateOfNumber(value.number);
    return std::nullopt;
}

base::Result<Comparer> Comparer::Create(const Comparison& comparison, bool declared_number) {
    const Place place =
        comparison.subject == Subject::kProperty ? Place::kFilter : Place::kPerson;
    TRY(CheckNode(Expression{comparison}, place));
    Comparer made;
    const auto denied = Denied(comparison.op);
    made.negated_ = denied.has_value();
    made.op_ = denied.value_or(comparison.op);
    made.declared_number_ = declared_number;
    made.span_ms_ = comparison.span_ms;
    made.span_months_ = comparison.span_months;
    const auto& values = comparison.values;
    if (made.op_ == Operator::kMatches) {
        TRY_ASSIGN(made.pattern_, CompilePattern(std::get<std::string>(values[0])));
        return made;
    }
    const bool dates = ShapeOf(made.op_) == Shape::kDate ||
                       (made.op_ == Operator::kBetween &&
                        std::holds_alternative<std::string>(values[0]));
    if (dates) {
        made.dates_ = true;
        made.low_ms_ = *base::ParseIso(std::get<std::string>(values.front()));
        made.high_ms_ = *base::ParseIso(std::get<std::string>(values.back()));
        return made;
    }
    for (const Literal& literal : values) {
        if (const auto* text = std::get_if<std::string>(&literal)) {
            made.texts_.push_back(Fold(*text));
            const auto number = declared_number ? ReadNumber(*text) : std::nullopt;
            if (number) made.numbers_.push_back(*number);
        } else if (const auto* number = std::get_if<double>(&literal)) {
            made.numbers_.push_back(*number);
        } else {
            (std::get<bool>(literal) ? made.has_true_ : made.has_false_) = true;
        }
    }
    std::sort(made.texts_.begin(), made.texts_.end());
    std::sort(made.numbers_.begin(), made.numbers_.end());
    return made;
}

std::optional<double> Comparer::NumberOf(const Value& value) const {
    if (value.type == Value::Type::kNumber) return value.number;
    if (declared_number_ && value.type == Value::Type::kText) return ReadNumber(value.text);
    return std::nullopt;
}

bool Comparer::Equals(const Value& value) const {
    switch (value.type) {
        case Value::Type::kBool: return value.boolean ? has_true_ : has_false_;
        case Value::Type::kNumber: return Holds(numbers_, value.number);
        case Value::Type::kText: {
            if (Holds(texts_, value.text)) return true;
            const auto number = NumberOf(value);
            return number && Holds(numbers_, *number);
        }
        default: return false;
    }
}

bool Comparer::HasElement(const Value& list) const {
    if (list.type != Value::Type::kList) return Equals(list);
    ListReader elements(list.text);
    while (const auto element = elements.Next()) {
        if (Equals(*element)) return true;
    }
    return false;
}

bool Comparer::Between(const Value& value) const {
    if (dates_) {
        const auto date = DateOfDeclared(value);
        return date && *date >= low_ms_ && *date <= high_ms_;
    }
    const auto number = NumberOf(value);
    return number && *number >= numbers_.front() && *number <= numbers_.back();
}

bool Comparer::ContainsText(const Value& value) const {
    if (value.type != Value::Type::kText) return false;
    const std::string& wanted = texts_.front();
    if (op_ == Operator::kStarts) return FoldedStarts(value.text, wanted);
    const FoldedCopy folded(value.text);
    if (op_ == Operator::kEnds) return folded.view().ends_with(wanted);
    return folded.view().find(wanted) != std::string_view::npos;
}

// The two instants at which a relative comparison turns: value and value +- span. All four are
// read from the side of the value, so that calendar months turn exactly once.
bool Comparer::Relative(base::TimeMs date, base::TimeMs now) const {
    const base::TimeMs edge = EdgeOf(date);
    switch (op_) {
        case Operator::kMoreThanAgo: return edge <= now;
        case Operator::kWithinLast: return date <= now && now < edge;
        case Operator::kMoreThanAhead: return now < edge;
        default: break;
    }
    return edge <= now && now < date;
}

base::TimeMs Comparer::EdgeOf(base::TimeMs date) const {
    const bool ahead = op_ == Operator::kMoreThanAhead || op_ == Operator::kWithinNext;
    if (span_months_ != 0) return AddMonths(date, ahead ? -span_months_ : span_months_);
    return ahead ? date - span_ms_ : date + span_ms_;
}

bool Comparer::depends_on_time() const { return ShapeOf(op_) == Shape::kSpan; }

bool Comparer::Matches(const Value& value, base::TimeMs now) const {
    if (value.type == Value::Type::kNone) return negated_;
    switch (op_) {
        case Operator::kKnown: return !negated_;
        case Operator::kIs:
        case Operator::kIn: return Equals(value) != negated_;
        case Operator::kContains: return ContainsText(value) != negated_;
        case Operator::kStarts:
        case Operator::kEnds: return ContainsText(value);
        case Operator::kHas: return HasElement(value);
        case Operator::kBetween: return Between(value);
        case Operator::kMatches:
            return value.type == Value::Type::kText &&
                   re2::RE2::PartialMatch(
                       re2::StringPiece(value.text.data(), value.text.size()), *pattern_);
        case Operator::kBefore:
        case Operator::kAfter: {
            const auto date = DateOfDeclared(value);
            if (!date) return false;
            return op_ == Operator::kBefore ? *date < low_ms_ : *date > low_ms_;
        }
        default: break;
    }
    if (depends_on_time()) {
        const auto date = DateOfDeclared(value);
        return date && Relative(*date, now);
    }
    const auto number = NumberOf(value);
    if (!number) return false;
    const double limit = numbers_.front();
    switch (op_) {
        case Operator::kGreater: return *number > limit;
        case Operator::kGreaterEqual: return *number >= limit;
        case Operator::kLess: return *number < limit;
        default: break;
    }
    return *number <= limit;
}

std::optional<base::TimeMs> Comparer::DateOfDeclared(const Value& value) const {
    const auto date = DateOf(value);
    if (date || !declared_number_) return date;
    const auto number = NumberOf(value);
    return number ? DateOfNumber(*number) : std::nullopt;
}

base::TimeMs Comparer::NextFlip(const Value& value, base::TimeMs now) const {
    if (!depends_on_time()) return base::kNeverMs;
    const auto date = DateOfDeclared(value);
    if (!date) return base::kNeverMs;
    const bool here = Relative(*date, now);
    base::TimeMs next = base::kNeverMs;
    for (const base::TimeMs turn : {EdgeOf(*date), *date}) {
        if (turn > now && turn < next && Relative(*date, turn) != here) next = turn;
    }
    return next;
}

base::Result<Filter> Filter::Create(const Expression& where) {
    Filter made;
    TRY(made.Add(where));
    for (const Leaf& leaf : made.leaves_) made.names_.push_back(leaf.name);
    std::sort(made.names_.begin(), made.names_.end());
    made.names_.erase(std::unique(made.names_.begin(), made.names_.end()), made.names_.end());
    return made;
}

base::Status Filter::Add(const Expression& part) {
    TRY(CheckNode(part, Place::kFilter));
    const size_t at = nodes_.size();
    nodes_.push_back({Kind::kLeaf, 0, 0});
    const auto children = [&](Kind kind, const std::vector<ExpressionPtr>& list) -> base::Status {
        nodes_[at].kind = kind;
        for (const auto& child : list) TRY(Add(*child));
        return {};
    };
    if (const auto* all = std::get_if<And>(&part.node)) {
        TRY(children(Kind::kAll, all->children));
    } else if (const auto* any = std::get_if<Or>(&part.node)) {
        TRY(children(Kind::kAny, any->children));
    } else if (const auto* negated = std::get_if<Not>(&part.node)) {
        TRY(children(Kind::kNot, {negated->child}));
    } else {
        const auto& comparison = std::get<Comparison>(part.node);
        TRY_ASSIGN(Comparer comparer, Comparer::Create(comparison));
        nodes_[at].leaf = static_cast<uint32_t>(leaves_.size());
        leaves_.push_back({comparison.name, std::move(comparer)});
    }
    nodes_[at].end = static_cast<uint32_t>(nodes_.size());
    return {};
}

}  // namespace condition
