// The state of one person: what the fold knows of her. Plain data; the flow stages give it
// meaning. docs/formats/person.md has the stored bytes.
//
// Two halves (semantics 17). Derived: attributes, touches, visits, accumulators, memberships: what
// they would be had all events been this person's from the start; each part merges with another
// person's part by a commutative rule. Facts: journey entries, messages, consents: what happened,
// united by rule when persons merge.
//
// Threads: owned by the thread that folds the partition.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "model/ids.h"
#include "model/number_list.h"

namespace model {

// What one leaf of a condition remembers of one person. What the fields mean depends on the leaf
// (flow/segments/leaf.h). Sums are in micro-units (1e-6), so that adding is exact and order-free.
struct Accumulator {
    uint32_t leaf = 0;
    uint32_t count = 0;
    int64_t value = 0;
    NumberList more;  // Sorted times, or (time, micros) pairs.

    Accumulator() = default;
    explicit Accumulator(uint32_t leaf_id) : leaf(leaf_id) {}
};
using Accumulators = std::vector<Accumulator>;  // Sorted by leaf.

// The accumulator of `leaf`, or nullptr.
const Accumulator* FindAccumulator(const Accumulators& all, uint32_t leaf);
Accumulator& GetAccumulator(Accumulators& all, uint32_t leaf);  // Made when absent.
// The same by its place. Leaves that are asked for in rising order are found the quicker: none of
// them lies before `from`, the place of the one before.
size_t AccumulatorPlace(Accumulators& all, uint32_t leaf, size_t from);
void EncodeAccumulators(base::ByteWriter& out, const Accumulators& all);
bool DecodeAccumulators(base::ByteReader& in, Accumulators& all);

struct PersonKey {  // An id this person is known by, in clear.
    IdKind kind = IdKind::kAnonymous;
    bool confirmed = false;  // Its link has arrived; unconfirmed ids are not shown.
    PersonId hash;           // PersonOf(kind, text).
    std::string text;
};

struct Membership {
    uint32_t segment = 0;
    base::TimeMs since_ms = 0;
};

// Message ids taken in the dedupe window, in hourly runs (semantics 27).
class TakenIds {
  public:
    // False when `fingerprint` was taken within the window before `now`; else takes it.
    bool Take(uint64_t fingerprint, base::TimeMs now);
    bool Has(uint64_t fingerprint) const;
    void Expire(base::TimeMs now);
    void Unite(const TakenIds& other);
    size_t size() const { return ids_.size(); }
    // Brings the ids that Take will look through into the processor's cache.
    void Prefetch() const {
        const auto* at = reinterpret_cast<const char*>(ids_.data());
        const size_t bytes = index_ ? 0 : ids_.size() * sizeof(uint64_t);
        for (size_t offset = 0; offset < bytes; offset += 64) __builtin_prefetch(at + offset);
        __builtin_prefetch(runs_.data());
    }
    void Encode(base::ByteWriter& out) const;
    bool Decode(base::ByteReader& in);

  private:
    struct Run {
        uint32_t hour = 0;
        uint32_t count = 0;
    };
    void Index();
    std::vector<uint64_t> ids_;  // In order of their runs.
    std::vector<Run> runs_;
    std::unique_ptr<boost::unordered_flat_set<uint64_t>> index_;  // Beyond kIndexFrom ids.
};

enum class EntryEnd : uint8_t {
    kOpen = 0,
    kFinished = 1,
    kGoal = 2,
    kExit = 3,
    kMerged = 4,
    kRetired = 5
};

struct JourneyEntry {
    uint32_t journey = 0;
    uint32_t version = 0;
    FactKey id;  // The record and ordinal that started it.
    base::TimeMs entered_ms = 0;
    uint64_t seed = 0;                     // For draws: hash of (journey, entry).
    std::string key;                       // Value of the key property; empty without a key.
    uint32_t step = 0;                     // Index of the step it stands at.
    base::TimeMs due_ms = base::kNeverMs;  // End of the wait at `step`.
    base::TimeMs ended_ms = 0;
    EntryEnd end = EntryEnd::kOpen;
    Accumulators since_entry;
    std::string trigger;     // Name of the entry event, for templates.
    std::string properties;  // Its properties as JSON, for templates.
};

enum class MessageState : uint8_t {
    kWaiting = 1,
    kClaimed = 2,
    kSent = 3,
    kAmbiguous = 4,
    kFailed = 5,
    kSkipped = 6,
};
std::string_view MessageStateName(MessageState state);

struct Message {
    FactKey id;
    uint32_t journey = 0;
    uint32_t version = 0;
    FactKey entry;
    uint32_t step = 0;
    MessageState state = MessageState::kWaiting;
    uint32_t attempts = 0;
    base::TimeMs created_ms = 0;
    base::TimeMs changed_ms = 0;
    base::TimeMs retry_ms = base::kNeverMs;  // When a temporary failure is tried again.
    base::TimeMs first_attempt_ms = 0;
    base::TimeMs opened_ms = 0;  // First human open; 0: none.
    base::TimeMs clicked_ms = 0;
    std::string reason;
};

// An open or click that waits to be judged human (semantics 23).
struct PendingReceipt {
    base::TimeMs due_ms = 0;
    FactKey message;
    uint8_t kind = 0;  // model::ReceiptKind
    uint16_t link = 0;
    base::TimeMs at_ms = 0;
    bool machine = false;  // The request itself showed a machine.
    std::string url;
};

struct PersonFacts {
    std::vector<JourneyEntry> entries;
    std::vector<Message> messages;  // In order of creation.
    std::vector<PersonId> merged;   // Persons that became this one.
    std::vector<PendingReceipt> receipts;
    base::TimeMs unsubscribed_ms = 0;  // 0: receives letters.
    base::TimeMs bounced_ms = 0;       // A hard bounce of the present address.
    std::string claims;                // Pending claims by untrusted joins, JSON array.
};

enum class AttributeType : uint8_t {
    kNone = 0,
    kText = 1,
    kNumber = 2,
    kTrue = 3,
    kFalse = 4,
    kJson = 5
};

struct AttributeValue {
    AttributeType type = AttributeType::kNone;
    double number = 0;
    std::string_view text;  // Of kText, and the raw JSON of kJson.
    uint32_t set_s = 0;     // Own time of the event that set it, seconds.
};

// Named values packed into one string: cheap to keep for a million persons.
class Attributes {
  public:
    AttributeValue Find(uint32_t name) const;
    // Sets the value unless a later one is there. Returns false when nothing changed.
    // A value of type kNone removes.
    bool Set(uint32_t name, const AttributeValue& value);
    // Takes every value of `other` that is later than ours. Ties: the greater bytes win, so that
    // uniting is commutative.
    void Unite(const Attributes& other);
    size_t count() const { return count_; }
    template <typename Visit>  // Visit(uint32_t name, const AttributeValue&), by rising name.
    void ForEach(Visit&& visit) const {
        base::ByteReader in(bytes_);
        while (!in.done()) {
            uint32_t name = 0;
            AttributeValue value = Next(in, name);
            if (value.type != AttributeType::kNone) visit(name, value);
        }
    }
    template <typename Visit>  // The same with removals, which are of type kNone.
    void ForEachStored(Visit&& visit) const {
        base::ByteReader in(bytes_);
        while (!in.done()) {
            uint32_t name = 0;
            const AttributeValue value = Next(in, name);
            visit(name, value);
        }
    }
    // Gives every name the number that another partition knows it by; kUnknown ones are dropped.
    template <typename NumberOf>  // uint32_t NumberOf(uint32_t)
    void Renumber(NumberOf&& number_of) {
        std::vector<std::pair<uint32_t, AttributeValue>> all;
        const std::string before = bytes_;
        base::ByteReader in(before);
        while (!in.done()) {
            uint32_t name = 0;
            const AttributeValue value = Next(in, name);
            all.emplace_back(number_of(name), value);
        }
        Assign(all);
    }
    const std::string& bytes() const { return bytes_; }
    bool Load(std::string_view bytes);

  private:
    static AttributeValue Next(base::ByteReader& in, uint32_t& name);
    void Assign(std::vector<std::pair<uint32_t, AttributeValue>>& all);
    std::string bytes_;
    uint32_t count_ = 0;
};

struct Person {
    PersonId id;
    PersonId moved_to;  // Set: she lives elsewhere; records are forwarded.
    WorkspaceId workspace = 0;
    uint32_t slot = 0;     // Place in the partition's memory; not stored.
    bool dirty = false;    // Not stored.
    bool frozen = false;   // Waits to be written by the running checkpoint; not stored.
    bool trusted = false;  // A trusted call has named one of her ids.
    uint32_t visits = 0;
    uint32_t events = 0;
    base::TimeMs created_ms = 0;  // Own time of the earliest event.
    base::TimeMs seen_ms = 0;     // Own time of the latest event of a visit.
    base::TimeMs visit_ms = 0;    // Log time of the latest act of the present visit.
    base::TimeMs due_ms =
        base::kNeverMs;  // Earliest entry in the partition's timer heap; not stored.
    std::vector<PersonKey> ids;
    Attributes attributes;
    std::string first_touch;  // model/touch.h
    std::string last_touch;
    Accumulators accumulators;
    std::vector<Membership> segments;  // Sorted by segment.
    std::unique_ptr<TakenIds> taken;
    std::unique_ptr<PersonFacts> facts;

    bool moved() const { return !IsNobody(moved_to); }
    PersonFacts& Facts() {
        if (!facts) facts = std::make_unique<PersonFacts>();
        return *facts;
    }
    bool InSegment(uint32_t segment) const;
};

// The stored form, version byte first. Bytes depend on the state alone, never on how it came to be.
void EncodePerson(std::string& out, const Person& person);
// False when the bytes are not a person of a version we read.
bool DecodePerson(std::string_view bytes, Person& person);

}  // namespace model
