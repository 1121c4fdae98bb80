// Journeys of one workspace in one partition: who enters, where each stands, what it sends, when
// it ends. Pure: person, event and record time in; changed person and facts out.
//
// Order at an event: the entry's own memory, then goal before exit of every open entry, then
// entries by this event, then steps. A letter that still waits keeps its entry open, so that goal
// and exit are judged once more when a sender claims it.
//
// Threads: owned by the thread that folds the partition.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <functional>
#include <string>
#include <vector>

#include "catalog/journey.h"
#include "model/event.h"
#include "model/names.h"
#include "model/outbox.h"
#include "model/person.h"

namespace journeys {

// What happened, for the card, the warehouse and the outbox.
struct Fact {
    enum class Kind : uint8_t { kEntered, kEnded, kMessage, kRefused };
    Kind kind = Kind::kEntered;
    model::FactKey id;
    uint32_t journey = 0;
    uint32_t version = 0;
    model::FactKey entry;
    model::EntryEnd end = model::EntryEnd::kOpen;
    model::FactKey message;
    std::string text;
};

using FindJourney = std::function<catalog::JourneyPtr(uint32_t number, uint32_t version)>;

class Runner {
  public:
    // `running`: the versions that people enter. `find` gives any version ever published.
    void Build(const std::vector<catalog::JourneyPtr>& running, FindJourney find);

    bool empty() const { return running_.empty(); }
    bool Asks(uint64_t event_hash) const { return by_event_.contains(event_hash); }

    void OnEvent(model::Person& person, const model::Names& names, const model::EventView& event,
                 uint64_t event_hash, base::TimeMs now, model::FactNumbers& numbers,
                 std::vector<Fact>& facts);
    // The person entered or left a segment at `now`.
    void OnMove(model::Person& person, const model::Names& names, uint32_t segment, bool entered,
                base::TimeMs now, model::FactNumbers& numbers, std::vector<Fact>& facts);
    // Waits that end at `now`, and goals and exits that time alone makes true.
    void OnTime(model::Person& person, const model::Names& names, base::TimeMs now,
                model::FactNumbers& numbers, std::vector<Fact>& facts);
    // Something else changed (a membership, a merge): goals and exits again.
    void Judge(model::Person& person, const model::Names& names, base::TimeMs now,
               model::FactNumbers& numbers, std::vector<Fact>& facts);
    // A message was settled: an entry that only waited for it ends.
    void Settle(model::Person& person, const model::FactKey& entry, base::TimeMs now,
                model::FactNumbers& numbers, std::vector<Fact>& facts);
    // Ends every open entry of the journey.
    void Retire(model::Person& person, uint32_t journey, base::TimeMs now,
                model::FactNumbers& numbers, std::vector<Fact>& facts);

    // Earliest wait end, or instant at which a goal or exit may change by time alone.
    base::TimeMs NextDue(const model::Person& person, const model::Names& names,
                         base::TimeMs now) const;

    // Facts of two persons that are one (semantics 17): the same journey open in both: the older
    // entry stays, the other ends as merged.
    static void Unite(model::PersonFacts& into, model::PersonFacts from, base::TimeMs now,
                      model::FactNumbers& numbers, std::vector<Fact>& facts);

  private:
    // Whether she may enter now. With too many open entries she may not, and that is a fact.
    bool MayEnter(const model::Person& person, const catalog::Journey& journey,
                  const std::string& key, model::FactNumbers& numbers,
                  std::vector<Fact>& facts) const;
    // What an entry begins with. `at_ms`: own time of the event, so that what the same batch of a
    // client tells of a moment later counts as since entry.
    struct Start {
        std::string key;
        std::string_view trigger;
        std::string_view properties;
        base::TimeMs at_ms = 0;
    };
    void Enter(model::Person& person, const model::Names& names, const catalog::Journey& journey,
               Start start, base::TimeMs now, model::FactNumbers& numbers,
               std::vector<Fact>& facts);
    // True when the entry ended.
    bool JudgeEntry(model::Person& person, const model::Names& names, model::JourneyEntry& entry,
                    base::TimeMs now, model::FactNumbers& numbers, std::vector<Fact>& facts);
    void Advance(model::Person& person, const model::Names& names, size_t entry, base::TimeMs now,
                 model::FactNumbers& numbers, std::vector<Fact>& facts);
    void End(model::JourneyEntry& entry, model::EntryEnd end, base::TimeMs now,
             model::FactNumbers& numbers, std::vector<Fact>& facts);

    std::vector<catalog::JourneyPtr> running_;
    FindJourney find_;
    boost::unordered_flat_map<uint64_t, std::vector<uint32_t>> by_event_;
    boost::unordered_flat_map<uint32_t, std::vector<uint32_t>> by_segment_;
};

}  // namespace journeys
