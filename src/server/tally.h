// What a partition counts of each workspace while it folds: the numbers of Home, of the live
// stream and of journeys. Counting is a handful of additions an event; asking is adding up the
// partitions. Every number equals a recount of persons and rows (tally_test, home tests).
//
// Days are days of the log's time, UTC: when Ripen heard of it. State of the partition: stored
// beside its persons (docs/formats/state.md), because events of past days cannot be counted again
// from persons.
//
// Threads: owned by the engine's thread for the partition.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/limits.h"
#include "model/person.h"

namespace server {

struct JourneyTally {
    int64_t in_it = 0;      // Recounted from persons after a load.
    int64_t sent = 0;
    int64_t goal = 0;
};

struct DayTally {
    uint32_t day = 0;          // Days since 1970-01-01.
    uint32_t events = 0;
    uint32_t visitors = 0;     // Persons with an act that day.
    uint32_t new_persons = 0;  // Persons whose first event came that day; merges take none away.
    uint32_t sent = 0;         // Letters.
    uint32_t opened = 0;       // Letters first opened that day, by a person.
    uint32_t clicked = 0;
};

struct WorkspaceTally {
    static constexpr size_t kDays = 32;          // A ring; 30 are shown.
    static constexpr size_t kSlots = 150;        // Of ten minutes: a day and a bit.
    static constexpr size_t kSteps = 64;         // Of ten seconds: kOnSiteMs and a bit.

    int64_t persons = 0;       // Recounted after a load, as `known`, `waiting` and `on_site`.
    int64_t known = 0;         // With a user id or an email address.
    int64_t waiting = 0;       // Letters that wait or are being sent.
    int64_t events = 0;        // Folded since the beginning.
    std::array<DayTally, kDays> days{};
    std::array<std::pair<uint32_t, uint32_t>, kSlots> slots{};   // (ten minutes, events).
    std::array<std::pair<uint32_t, int32_t>, kSteps> steps{};    // (ten seconds, persons).
    std::map<uint32_t, JourneyTally> journeys;

    // Persons with an act in the last kOnSiteMs, in steps of ten seconds.
    int64_t OnSite(base::TimeMs now) const;
    // Events of the last 24 hours, in steps of ten minutes.
    int64_t EventsOfADay(base::TimeMs now) const;
    const DayTally* Day(uint32_t day) const;     // nullptr: nothing happened.
    // Of the last seven days, today among them.
    DayTally Week(base::TimeMs now) const;
    DayTally& DayOf(base::TimeMs now);
};

class Tally {
  public:
    // How a person stands in the numbers: taken before an event, given back after it.
    struct Stand {
        bool first = false;        // No event was hers before.
        bool known = false;
        base::TimeMs visit_ms = 0;
    };
    static bool IsKnown(const model::Person& person) {
        // Ids are sorted by kind, anonymous ones first.
        return !person.ids.empty() && person.ids.back().kind != model::IdKind::kAnonymous;
    }
    static Stand Before(const model::Person& person) {
        return {person.events == 0, IsKnown(person), person.visit_ms};
    }

    // She was made a moment ago; nothing is known of her.
    void Made(model::WorkspaceId workspace) { ++In(workspace).persons; }
    // An event was applied to her. `now`: of the record.
    void Event(const model::Person& person, const Stand& before, base::TimeMs now);

    // --- a person as a whole: moving, merging, erasing. Nothing when she lives elsewhere ---
    void Leave(const model::Person& person) { Whole(person, -1); }
    void Enter(const model::Person& person) { Whole(person, 1); }
    // Before every person of a checkpoint enters anew.
    void BeginRecount();
    void Erase(model::WorkspaceId workspace);

    // --- facts ---
    void JourneyEntered(model::WorkspaceId workspace, uint32_t journey);
    void JourneyEnded(model::WorkspaceId workspace, uint32_t journey, model::EntryEnd end);
    // After the state of a message changed; `made`: it is new.
    void MessageChanged(model::WorkspaceId workspace, const model::Message& message, bool made,
                        base::TimeMs now);
    // A person opened or clicked in a letter for the first time.
    void Opened(model::WorkspaceId workspace, bool click, base::TimeMs now);

    // nullptr: nothing was counted there.
    const WorkspaceTally* Find(model::WorkspaceId workspace) const;

    // Without what is recounted.
    void Encode(base::ByteWriter& out) const;
    bool Decode(base::ByteReader& in);

  private:
    WorkspaceTally& In(model::WorkspaceId workspace);
    void Whole(const model::Person& person, int sign);

    std::map<model::WorkspaceId, WorkspaceTally> workspaces_;
    model::WorkspaceId last_workspace_ = 0;
    WorkspaceTally* last_ = nullptr;
};

// Key of the checkpoint's entry.
inline constexpr std::string_view kTallyKey = "t";

}  // namespace server
