#include "language/evaluate/leaf.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "base/limits.h"
#include "model/json_scan.h"
#include "model/record.h"
#include "model/touch.h"

namespace evaluate {
namespace {

using base::TimeMs;
using condition::AggregateKind;
using condition::Operator;
using condition::Value;
using model::Accumulator;

constexpr double kMicro = 1e6;

int64_t ToMicros(double value) {
    const double micros = value * kMicro;
    if (!(std::abs(micros) < 9.2e18)) {
        return micros > 0 ? std::numeric_limits<int64_t>::max() / 4
                          : std::numeric_limits<int64_t>::min() / 4;
    }
    return std::llround(micros);
}

int64_t SaturatingAdd(int64_t a, int64_t b) {
    int64_t sum = 0;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    return b > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

int64_t Combine(AggregateKind kind, int64_t a, int64_t b) {
    switch (kind) {
        case AggregateKind::kMax: return std::max(a, b);
        case AggregateKind::kMin: return std::min(a, b);
        default: return SaturatingAdd(a, b);
    }
}

// Follows a dotted path into a JSON object. None when there is no such value.
Value Dig(std::string_view json, std::string_view path, std::string& scratch) {
    std::string padded(json);
    padded.append(model::kJsonPadding, ' ');
    model::JsonScan scan;
    Value found;
    if (!scan.Open(std::string_view(padded).substr(0, json.size()), limits::kJsonDepthMax) ||
        scan.Peek() != '{') {
        return found;
    }
    const size_t dot = path.find('.');
    const std::string_view head = path.substr(0, dot);
    scan.EachField([&](std::string_view key) {
        const auto slice = scan.Take();
        if (slice.none()) return false;
        if (key != head) return true;
        found = {};
        switch (slice.kind) {
            case model::JsonKind::kString:
                scratch = scan.Text(slice);
                if (dot == std::string_view::npos) found = Value::Text(scratch);
                break;
            case model::JsonKind::kNumber:
                if (dot == std::string_view::npos) {
                    found = Value::Number(model::JsonNumber(slice.raw));
                }
                break;
            case model::JsonKind::kTrue:
            case model::JsonKind::kFalse:
                if (dot == std::string_view::npos) {
                    found = Value::Bool(slice.kind == model::JsonKind::kTrue);
                }
                break;
            case model::JsonKind::kObject:
            case model::JsonKind::kArray: {
                const std::string inner(slice.raw);
                if (dot != std::string_view::npos) {
                    if (slice.is_object()) found = Dig(inner, path.substr(dot + 1), scratch);
                } else {
                    scratch = inner;
                    found = slice.is_object() ? Value::Object(scratch) : Value::List(scratch);
                }
                break;
            }
            default: break;
        }
        return true;
    });
    return found;
}

Value FromJson(std::string_view json) {
    return !json.empty() && json.front() == '[' ? Value::List(json) : Value::Object(json);
}

thread_local std::string dug;  // What the last Dig found, until the next.

}  // namespace

Value AttributeOf(const model::Person& person, const model::Names& names, std::string_view name) {
    const uint32_t number = names.Find(name);
    if (number != model::Names::kUnknown) {
        const auto v = person.attributes.Find(number);
        switch (v.type) {
            case model::AttributeType::kText: return Value::Text(v.text);
            case model::AttributeType::kNumber: return Value::Number(v.number);
            case model::AttributeType::kTrue: return Value::Bool(true);
            case model::AttributeType::kFalse: return Value::Bool(false);
            case model::AttributeType::kJson: return FromJson(v.text);
            case model::AttributeType::kNone: break;
        }
    }
    const size_t dot = name.find('.');
    if (dot == std::string_view::npos) return Value::None();
    const uint32_t outer = names.Find(name.substr(0, dot));
    if (outer == model::Names::kUnknown) return Value::None();
    const auto v = person.attributes.Find(outer);
    if (v.type != model::AttributeType::kJson) return Value::None();
    return Dig(v.text, name.substr(dot + 1), dug);
}

Value PropertyOf(const model::EventView& event, std::string_view name) {
    if (const model::Property* p = event.FindProperty(name)) {
        switch (p->kind) {
            case model::Property::Kind::kText: return Value::Text(p->text);
            case model::Property::Kind::kNumber: return Value::Number(p->number);
            case model::Property::Kind::kBool: return Value::Bool(p->truth);
            case model::Property::Kind::kJson: return FromJson(p->text);
            case model::Property::Kind::kNull: return Value::None();
        }
    }
    const size_t dot = name.find('.');
    if (dot != std::string_view::npos) {
        const model::Property* outer = event.FindProperty(name.substr(0, dot));
        if (outer != nullptr && outer->kind == model::Property::Kind::kJson) {
            return Dig(outer->text, name.substr(dot + 1), dug);
        }
    }
    // A page view knows its page without properties.
    if (event.type == model::EventType::kPage) {
        const auto text = [](std::string_view v) {
            return v.empty() ? Value::None() : Value::Text(v);
        };
        if (name == "url") return text(event.page.url);
        if (name == "path") return text(event.page.path);
        if (name == "title") return text(event.page.title);
        if (name == "referrer") return text(event.page.referrer);
        if (name == "search") return text(event.page.search);
    }
    return Value::None();
}

base::Result<Leaf> Leaf::Create(uint32_t id, const condition::Expression& part) {
    Leaf leaf;
    leaf.id_ = id;
    const auto take_events = [&](const condition::Events& events) -> base::Status {
        leaf.event_ = events.name;
        leaf.event_hash_ = model::NameHash(events.name);
        leaf.since_entry_ = events.since_entry;
        leaf.window_ms_ = events.within.ms;
        if (events.where) {
            TRY_ASSIGN(auto filter, condition::Filter::Create(*events.where));
            leaf.where_ = std::move(filter);
        }
        return {};
    };
    if (const auto* c = std::get_if<condition::Comparison>(&part.node)) {
        leaf.kind_ = Kind::kComparison;
        leaf.subject_ = c->subject;
        leaf.name_ = c->name;
        TRY_ASSIGN(auto comparer, condition::Comparer::Create(*c));
        leaf.depends_on_time_ = comparer.depends_on_time();
        leaf.comparer_ = std::move(comparer);
    } else if (const auto* count = std::get_if<condition::Count>(&part.node)) {
        leaf.kind_ = Kind::kCount;
        TRY(take_events(count->events));
        leaf.at_least_ = count->at_least;
        leaf.at_most_ = count->at_most;
        leaf.keep_ = std::max<uint32_t>(
            1, count->at_most == UINT32_MAX ? count->at_least : count->at_most + 1);
        leaf.depends_on_time_ = leaf.window_ms_ > 0;
        if (leaf.window_ms_ > 0 && leaf.keep_ > limits::kCountThresholdMax) {
            return base::Invalid("a count inside a window may be at most 10000");
        }
    } else if (const auto* occurrence = std::get_if<condition::Occurrence>(&part.node)) {
        leaf.kind_ = Kind::kOccurrence;
        TRY(take_events(occurrence->events));
        leaf.last_ = occurrence->last;
        leaf.op_ = occurrence->op;
        leaf.span_ms_ = occurrence->span.ms;
        leaf.date_ms_ = occurrence->date_ms;
        leaf.depends_on_time_ =
            leaf.op_ == Operator::kMoreThanAgo || leaf.op_ == Operator::kWithinLast;
    } else if (const auto* aggregate = std::get_if<condition::Aggregate>(&part.node)) {
        leaf.kind_ = Kind::kAggregate;
        TRY(take_events(aggregate->events));
        leaf.aggregate_ = aggregate->kind;
        leaf.property_ = aggregate->property;
        leaf.op_ = aggregate->op;
        leaf.low_ = aggregate->low;
        leaf.high_ = aggregate->high;
        leaf.depends_on_time_ = leaf.window_ms_ > 0;
    } else {
        return base::Fail(base::ErrorCode::kInternal, "not a leaf");
    }
    return leaf;
}

bool Leaf::PassesFilter(const model::EventView& event) const {
    return where_->Matches([&](std::string_view name) { return PropertyOf(event, name); },
                           event.time_ms);
}

void Leaf::AddTime(Accumulator& into, TimeMs at) const {
    ++into.count;
    if (keep_ == 1) {
        into.value = into.count == 1 ? at : std::max(into.value, at);
        return;
    }
    auto& times = into.more;
    auto place = static_cast<size_t>(std::upper_bound(times.begin(), times.end(), at) -
                                     times.begin());
    if (times.size() < keep_) {
        times.Insert(place, &at, 1);
    } else if (place > 0) {
        // The oldest goes: those up to the place of the new one move down.
        --place;
        std::copy(times.begin() + 1, times.begin() + place + 1, times.begin());
        times[place] = at;
    }
}

void Leaf::AddPair(Accumulator& into, TimeMs at, int64_t micros) const {
    ++into.count;
    auto& pairs = into.more;
    size_t i = pairs.size();
    while (i > 0 && std::pair(pairs[i - 2], pairs[i - 1]) > std::pair(at, micros)) i -= 2;
    const int64_t pair[] = {at, micros};
    pairs.Insert(i, pair, 2);
    // What has left the window at the newest event's time can never count again.
    size_t gone = 0;
    const TimeMs newest = pairs[pairs.size() - 2];
    while (gone < pairs.size() && pairs[gone] <= newest - window_ms_) gone += 2;
    pairs.Erase(0, gone);
    while (pairs.size() / 2 > limits::kWindowValuesMax) {
        pairs[3] = Combine(aggregate_, pairs[1], pairs[3]);
        pairs.Erase(0, 2);
    }
}

void Leaf::Add(Accumulator& into, const model::EventView& event, TimeMs now) const {
    const TimeMs at = std::min(event.time_ms, now);
    switch (kind_) {
        case Kind::kComparison: return;
        case Kind::kCount:
            if (window_ms_ > 0) {
                AddTime(into, at);
            } else {
                ++into.count;
            }
            return;
        case Kind::kOccurrence:
            into.value = into.count == 0 ? at
                         : last_         ? std::max(into.value, at)
                                         : std::min(into.value, at);
            ++into.count;
            return;
        case Kind::kAggregate: {
            const Value v = PropertyOf(event, property_);
            if (v.type != Value::Type::kNumber) return;
            const int64_t micros = ToMicros(v.number);
            if (window_ms_ > 0) {
                AddPair(into, at, micros);
            } else {
                into.value = into.count == 0 ? micros : Combine(aggregate_, into.value, micros);
                ++into.count;
            }
            return;
        }
    }
}

void Leaf::Unite(Accumulator& into, const Accumulator& from) const {
    if (from.count == 0) return;
    const bool first = into.count == 0;
    into.count += from.count;
    if (kind_ == Kind::kOccurrence || (kind_ == Kind::kCount && keep_ == 1)) {
        const bool latest = kind_ == Kind::kCount || last_;
        into.value = first    ? from.value
                     : latest ? std::max(into.value, from.value)
                              : std::min(into.value, from.value);
        return;
    }
    if (kind_ == Kind::kCount) {
        auto& times = into.more;
        times.Insert(times.size(), from.more.begin(), from.more.size());
        std::sort(times.begin(), times.end());
        if (times.size() > keep_) times.Erase(0, times.size() - keep_);
        return;
    }
    if (window_ms_ == 0) {
        into.value = first ? from.value : Combine(aggregate_, into.value, from.value);
        return;
    }
    const uint32_t count = into.count;
    for (size_t i = 0; i < from.more.size(); i += 2) {
        AddPair(into, from.more[i], from.more[i + 1]);
    }
    into.count = count;
}

bool Leaf::CountHolds(const Accumulator* a, TimeMs now) const {
    uint32_t n = 0;
    if (a != nullptr && window_ms_ == 0) {
        n = a->count;
    } else if (a != nullptr && keep_ == 1) {
        n = a->count > 0 && a->value > now - window_ms_ ? 1 : 0;
    } else if (a != nullptr) {
        const auto& times = a->more;
        n = static_cast<uint32_t>(
            times.end() - std::upper_bound(times.begin(), times.end(), now - window_ms_));
    }
    return n >= at_least_ && n <= at_most_;
}

TimeMs Leaf::CountFlip(const Accumulator* a, TimeMs now) const {
    if (a == nullptr || window_ms_ == 0 || a->count == 0) return base::kNeverMs;
    const bool holds = CountHolds(a, now);
    if (keep_ == 1) {
        const TimeMs out = a->value + window_ms_;
        return out > now && CountHolds(a, out) != holds ? out : base::kNeverMs;
    }
    if (at_most_ == UINT32_MAX) {
        // Time alone can only end it: when the first of the latest `at_least_` leaves.
        return holds ? a->more[a->more.size() - at_least_] + window_ms_ : base::kNeverMs;
    }
    for (const TimeMs t : a->more) {
        const TimeMs out = t + window_ms_;
        if (out > now && CountHolds(a, out) != holds) return out;
    }
    return base::kNeverMs;
}

bool Leaf::AggregateHolds(int64_t value_micros, uint32_t count) const {
    if (count == 0 && aggregate_ != AggregateKind::kSum) return op_ == Operator::kIsNot;
    double value = static_cast<double>(value_micros) / kMicro;
    if (aggregate_ == AggregateKind::kAverage) value /= count;
    switch (op_) {
        case Operator::kIs: return value == low_;
        case Operator::kIsNot: return value != low_;
        case Operator::kGreater: return value > low_;
        case Operator::kGreaterEqual: return value >= low_;
        case Operator::kLess: return value < low_;
        case Operator::kLessEqual: return value <= low_;
        case Operator::kBetween: return value >= low_ && value <= high_;
        default: return false;
    }
}

TimeMs Leaf::AggregateFlip(const Accumulator& a, TimeMs now) const {
    if (a.more.empty()) return base::kNeverMs;
    const auto& pairs = a.more;
    const size_t n = pairs.size() / 2;
    // suffix[i]: the aggregate of pairs i.. ; what is left when the first i have gone.
    std::vector<int64_t> suffix(n + 1, 0);
    for (size_t i = n; i-- > 0;) {
        suffix[i] = i + 1 == n ? pairs[2 * i + 1]
                               : Combine(aggregate_, pairs[2 * i + 1], suffix[i + 1]);
    }
    const auto holds_at = [&](TimeMs t) {
        size_t i = 0;
        while (i < n && pairs[2 * i] <= t - window_ms_) ++i;
        return AggregateHolds(suffix[i], static_cast<uint32_t>(n - i));
    };
    const bool holds = holds_at(now);
    for (size_t i = 0; i < n; ++i) {
        const TimeMs out = pairs[2 * i] + window_ms_;
        if (out > now && holds_at(out) != holds) return out;
    }
    return base::kNeverMs;
}

bool Leaf::Holds(const Accumulator* a, TimeMs now) const {
    switch (kind_) {
        case Kind::kComparison: return false;
        case Kind::kCount: return CountHolds(a, now);
        case Kind::kOccurrence:
            if (a == nullptr || a->count == 0) return false;
            switch (op_) {
                case Operator::kMoreThanAgo: return a->value <= now - span_ms_;
                case Operator::kWithinLast: return a->value > now - span_ms_;
                case Operator::kBefore: return a->value < date_ms_;
                case Operator::kAfter: return a->value > date_ms_;
                default: return false;
            }
        case Kind::kAggregate: {
            if (window_ms_ == 0) {
                return AggregateHolds(a != nullptr ? a->value : 0, a != nullptr ? a->count : 0);
            }
            int64_t value = 0;
            uint32_t n = 0;
            if (a != nullptr) {
                const auto& pairs = a->more;
                for (size_t i = 0; i < pairs.size(); i += 2) {
                    if (pairs[i] <= now - window_ms_) continue;
                    value = n == 0 ? pairs[i + 1] : Combine(aggregate_, value, pairs[i + 1]);
                    ++n;
                }
            }
            return AggregateHolds(value, n);
        }
    }
    return false;
}

TimeMs Leaf::NextFlip(const Accumulator* a, TimeMs now) const {
    if (!depends_on_time_ || a == nullptr) return base::kNeverMs;
    switch (kind_) {
        case Kind::kComparison: return base::kNeverMs;
        case Kind::kCount: return CountFlip(a, now);
        case Kind::kOccurrence: {
            const TimeMs out = a->value + span_ms_;
            return a->count > 0 && out > now ? out : base::kNeverMs;
        }
        case Kind::kAggregate: return AggregateFlip(*a, now);
    }
    return base::kNeverMs;
}

Value Leaf::Subject(const Context& context) const {
    if (subject_ == condition::Subject::kAttribute) {
        return AttributeOf(context.person, context.names, name_);
    }
    const auto& bytes = subject_ == condition::Subject::kFirstTouch ? context.person.first_touch
                                                                    : context.person.last_touch;
    const std::string_view part = model::UnpackTouch(bytes).Find(name_);
    return part.empty() ? Value::None() : Value::Text(part);
}

const Accumulator* Leaf::Remembered(const Context& context) const {
    if (!since_entry_) return model::FindAccumulator(context.person.accumulators, id_);
    return context.since_entry != nullptr ? model::FindAccumulator(*context.since_entry, id_)
                                          : nullptr;
}

bool Leaf::Holds(const Context& context) const {
    if (kind_ == Kind::kComparison) return comparer_->Matches(Subject(context), context.now);
    return Holds(Remembered(context), context.now);
}

TimeMs Leaf::NextFlip(const Context& context) const {
    if (!depends_on_time_) return base::kNeverMs;
    if (kind_ == Kind::kComparison) return comparer_->NextFlip(Subject(context), context.now);
    return NextFlip(Remembered(context), context.now);
}

}  // namespace evaluate
