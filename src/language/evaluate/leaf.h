// A leaf of a condition made ready to run: which events concern it, what it remembers of a person
// and whether it holds at a moment. Leaves that ask the same are one leaf (condition::LeafKey), so
// segments and journeys share what they remember.
//
// What is remembered is a commutative sum over the events, by their own time: the order of events
// does not matter, and two persons' accumulators unite into what one person would have. Events of
// the future count from the moment they arrive.
//
// Time comes from outside: the same leaf judges live, in previews and over the past.
// Threads: immutable; const calls from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "language/condition/compare.h"
#include "language/condition/expression.h"
#include "model/event.h"
#include "model/names.h"
#include "model/person.h"

namespace evaluate {

// What a condition is judged on.
struct Context {
    const model::Person& person;
    const model::Names& names;
    base::TimeMs now = 0;
    // Accumulators of `since entry` leaves; nullptr outside a journey.
    const model::Accumulators* since_entry = nullptr;
};

// The value of an attribute, as conditions see it. "address.city" looks into the object "address"
// when there is no attribute of that very name.
condition::Value AttributeOf(const model::Person& person, const model::Names& names,
                             std::string_view name);

// A property of an event as a condition sees it.
condition::Value PropertyOf(const model::EventView& event, std::string_view name);

class Leaf {
  public:
    enum class Kind : uint8_t { kComparison, kCount, kOccurrence, kAggregate };

    // `part` is a Comparison, Count, Occurrence or Aggregate.
    // Errors: kInvalidArgument, as condition::Validate.
    static base::Result<Leaf> Create(uint32_t id, const condition::Expression& part);

    uint32_t id() const { return id_; }
    Kind kind() const { return kind_; }
    bool since_entry() const { return since_entry_; }
    // The answer can change without an event.
    bool depends_on_time() const { return depends_on_time_; }
    // Of the events that concern it; 0 for comparisons.
    uint64_t event_hash() const { return event_hash_; }
    const std::string& event() const { return event_; }
    // Comparisons: what they look at.
    condition::Subject subject() const { return subject_; }
    const std::string& name() const { return name_; }
    // It needs no history: a comparison, or only events after the journey entry.
    bool needs_history() const { return kind_ != Kind::kComparison && !since_entry_; }

    // Whether an event of the right name passes the filter.
    bool Concerns(const model::EventView& event) const {
        return !where_ || PassesFilter(event);
    }
    // Adds an event that concerns it. `now` is the log time: later own times count as now.
    void Add(model::Accumulator& into, const model::EventView& event, base::TimeMs now) const;
    void Unite(model::Accumulator& into, const model::Accumulator& from) const;

    // Event leaves. `accumulator` may be nullptr: nothing remembered.
    bool Holds(const model::Accumulator* accumulator, base::TimeMs now) const;
    // First instant after now at which Holds differs from now's, or kNeverMs.
    base::TimeMs NextFlip(const model::Accumulator* accumulator, base::TimeMs now) const;

    // Either kind.
    bool Holds(const Context& context) const;
    base::TimeMs NextFlip(const Context& context) const;

  private:
    bool PassesFilter(const model::EventView& event) const;
    bool CountHolds(const model::Accumulator* a, base::TimeMs now) const;
    base::TimeMs CountFlip(const model::Accumulator* a, base::TimeMs now) const;
    bool AggregateHolds(int64_t value_micros, uint32_t count) const;
    base::TimeMs AggregateFlip(const model::Accumulator& a, base::TimeMs now) const;
    void AddTime(model::Accumulator& into, base::TimeMs at) const;
    void AddPair(model::Accumulator& into, base::TimeMs at, int64_t micros) const;
    condition::Value Subject(const Context& context) const;
    const model::Accumulator* Remembered(const Context& context) const;

    uint32_t id_ = 0;
    Kind kind_ = Kind::kComparison;
    bool since_entry_ = false;
    bool depends_on_time_ = false;
    // Comparison
    condition::Subject subject_ = condition::Subject::kAttribute;
    std::string name_;
    std::optional<condition::Comparer> comparer_;
    // Events
    uint64_t event_hash_ = 0;
    std::string event_;
    std::optional<condition::Filter> where_;
    base::DurationMs window_ms_ = 0;
    // Count
    uint32_t at_least_ = 1;
    uint32_t at_most_ = UINT32_MAX;
    uint32_t keep_ = 1;  // How many latest times decide a windowed count.
    // Occurrence
    bool last_ = true;
    condition::Operator op_ = condition::Operator::kMoreThanAgo;
    base::DurationMs span_ms_ = 0;
    base::TimeMs date_ms_ = 0;
    // Aggregate
    condition::AggregateKind aggregate_ = condition::AggregateKind::kSum;
    std::string property_;
    double low_ = 0;
    double high_ = 0;
};

}  // namespace evaluate
