#include "server/tally.h"

#include <algorithm>

namespace server {

using base::TimeMs;
using model::MessageState;
using model::Person;
using model::WorkspaceId;

namespace {

constexpr uint8_t kVersion = 1;
constexpr base::DurationMs kSlotMs = 10 * base::kMinuteMs;
constexpr base::DurationMs kStepMs = 10 * base::kSecondMs;

uint32_t Number(TimeMs time, base::DurationMs length) {
    return static_cast<uint32_t>(std::max<TimeMs>(time, 0) / length);
}
uint32_t DayNumber(TimeMs time) { return Number(time, base::kDayMs); }
uint32_t SlotNumber(TimeMs time) { return Number(time, kSlotMs); }
uint32_t StepNumber(TimeMs time) { return Number(time, kStepMs); }

// Adds persons to the step of an act; steps that have passed out of the ring are gone.
void AddStep(WorkspaceTally& in, TimeMs visit_ms, int32_t persons) {
    if (visit_ms == 0) return;
    const uint32_t step = StepNumber(visit_ms);
    auto& [number, count] = in.steps[step % in.steps.size()];
    if (number < step && persons > 0) {
        number = step;
        count = 0;
    }
    if (number == step) count += persons;
}

bool Waits(const model::Message& message) {
    return message.state == MessageState::kWaiting || message.state == MessageState::kClaimed;
}

}  // namespace

int64_t WorkspaceTally::OnSite(TimeMs now) const {
    const uint32_t first = StepNumber(now - limits::kOnSiteMs) + 1;
    int64_t persons_here = 0;
    for (const auto& [step, count] : steps) {
        if (step >= first) persons_here += count;
    }
    return persons_here;
}

int64_t WorkspaceTally::EventsOfADay(TimeMs now) const {
    const uint32_t first = SlotNumber(now - base::kDayMs) + 1;
    int64_t count = 0;
    for (const auto& [slot, events_of_it] : slots) {
        if (slot >= first) count += events_of_it;
    }
    return count;
}

const DayTally* WorkspaceTally::Day(uint32_t day) const {
    const DayTally& found = days[day % days.size()];
    return found.day == day ? &found : nullptr;
}

DayTally WorkspaceTally::Week(TimeMs now) const {
    DayTally week;
    const uint32_t today = DayNumber(now);
    for (uint32_t back = 0; back < 7 && back <= today; ++back) {
        const DayTally* const day = Day(today - back);
        if (day == nullptr) continue;
        week.sent += day->sent;
        week.opened += day->opened;
        week.clicked += day->clicked;
    }
    return week;
}

DayTally& WorkspaceTally::DayOf(TimeMs now) {
    const uint32_t number = DayNumber(now);
    DayTally& day = days[number % days.size()];
    if (day.day != number) day = DayTally{number};
    return day;
}

WorkspaceTally& Tally::In(WorkspaceId workspace) {
    if (last_ == nullptr || last_workspace_ != workspace) {
        last_ = &workspaces_[workspace];
        last_workspace_ = workspace;
    }
    return *last_;
}

const WorkspaceTally* Tally::Find(WorkspaceId workspace) const {
    const auto it = workspaces_.find(workspace);
    return it == workspaces_.end() ? nullptr : &it->second;
}

void Tally::Event(const Person& person, const Stand& before, TimeMs now) {
    WorkspaceTally& in = In(person.workspace);
    DayTally& day = in.DayOf(now);
    ++in.events;
    ++day.events;
    auto& [number, events] = in.slots[SlotNumber(now) % in.slots.size()];
    if (number != SlotNumber(now)) {
        number = SlotNumber(now);
        events = 0;
    }
    ++events;
    if (before.first) ++day.new_persons;
    if (!before.known && IsKnown(person)) ++in.known;
    if (person.visit_ms == before.visit_ms) return;
    AddStep(in, before.visit_ms, -1);
    AddStep(in, person.visit_ms, 1);
    if (before.visit_ms == 0 || DayNumber(before.visit_ms) != DayNumber(person.visit_ms)) {
        ++day.visitors;
    }
}

void Tally::Whole(const Person& person, int sign) {
    if (person.moved()) return;
    WorkspaceTally& in = In(person.workspace);
    in.persons += sign;
    if (IsKnown(person)) in.known += sign;
    AddStep(in, person.visit_ms, sign);
    if (!person.facts) return;
    for (const auto& message : person.facts->messages) {
        if (Waits(message)) in.waiting += sign;
    }
    for (const auto& entry : person.facts->entries) {
        if (entry.end == model::EntryEnd::kOpen) in.journeys[entry.journey].in_it += sign;
    }
}

void Tally::BeginRecount() {
    for (auto& [number, in] : workspaces_) {
        in.persons = in.known = in.waiting = 0;
        in.steps = {};
        for (auto& [journey, tally] : in.journeys) tally.in_it = 0;
    }
}

void Tally::Erase(WorkspaceId workspace) {
    workspaces_.erase(workspace);
    last_ = nullptr;
}

void Tally::JourneyEntered(WorkspaceId workspace, uint32_t journey) {
    ++In(workspace).journeys[journey].in_it;
}

void Tally::JourneyEnded(WorkspaceId workspace, uint32_t journey, model::EntryEnd end) {
    // Whose entries a merge ends has left and entered as a whole.
    if (end == model::EntryEnd::kMerged) return;
    JourneyTally& tally = In(workspace).journeys[journey];
    --tally.in_it;
    if (end == model::EntryEnd::kGoal) ++tally.goal;
}

void Tally::MessageChanged(WorkspaceId workspace, const model::Message& message, bool made,
                           TimeMs now) {
    WorkspaceTally& in = In(workspace);
    if (Waits(message)) {
        if (made) ++in.waiting;
        return;
    }
    --in.waiting;
    if (message.state != MessageState::kSent) return;
    ++in.DayOf(now).sent;
    ++in.journeys[message.journey].sent;
}

void Tally::Opened(WorkspaceId workspace, bool click, TimeMs now) {
    DayTally& day = In(workspace).DayOf(now);
    ++(click ? day.clicked : day.opened);
}

void Tally::Encode(base::ByteWriter& out) const {
    out.U8(kVersion);
    out.Varint(workspaces_.size());
    for (const auto& [number, in] : workspaces_) {
        out.Varint(number);
        out.Signed(in.events);
        out.Varint(in.days.size());
        for (const DayTally& day : in.days) {
            for (const uint32_t v : {day.day, day.events, day.visitors, day.new_persons, day.sent,
                                     day.opened, day.clicked}) {
                out.Varint(v);
            }
        }
        out.Varint(in.slots.size());
        for (const auto& [slot, events] : in.slots) {
            out.Varint(slot);
            out.Varint(events);
        }
        // What only was entered may have left again without a trace: it is recounted.
        const auto lasting = [](const auto& entry) {
            return entry.second.sent != 0 || entry.second.goal != 0;
        };
        out.Varint(static_cast<uint64_t>(
            std::count_if(in.journeys.begin(), in.journeys.end(), lasting)));
        for (const auto& entry : in.journeys) {
            if (!lasting(entry)) continue;
            out.Varint(entry.first);
            out.Signed(entry.second.sent);
            out.Signed(entry.second.goal);
        }
    }
}

bool Tally::Decode(base::ByteReader& in) {
    if (in.U8() != kVersion) return false;
    const uint64_t workspaces = in.Count();
    for (uint64_t i = 0; i < workspaces && in.ok(); ++i) {
        WorkspaceTally& tally = In(static_cast<WorkspaceId>(in.Varint()));
        tally.events = in.Signed();
        const uint64_t days = in.Count();
        if (days != tally.days.size()) return false;
        for (DayTally& day : tally.days) {
            for (uint32_t* v : {&day.day, &day.events, &day.visitors, &day.new_persons, &day.sent,
                                &day.opened, &day.clicked}) {
                *v = static_cast<uint32_t>(in.Varint());
            }
        }
        const uint64_t slots = in.Count();
        if (slots != tally.slots.size()) return false;
        for (auto& [slot, events] : tally.slots) {
            slot = static_cast<uint32_t>(in.Varint());
            events = static_cast<uint32_t>(in.Varint());
        }
        const uint64_t journeys = in.Count();
        for (uint64_t k = 0; k < journeys && in.ok(); ++k) {
            JourneyTally& journey = tally.journeys[static_cast<uint32_t>(in.Varint())];
            journey.sent = in.Signed();
            journey.goal = in.Signed();
        }
    }
    return in.ok() && in.done();
}

}  // namespace server
