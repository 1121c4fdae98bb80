#include "flow/journeys/runner.h"

#include <algorithm>

#include "base/check.h"
#include "base/hash.h"
#include "base/limits.h"

namespace journeys {
namespace {

using base::TimeMs;
using catalog::Instruction;
using catalog::Journey;
using model::EntryEnd;
using model::JourneyEntry;
using model::Person;

constexpr size_t kEndedKept = 100;           // Of journeys entered every time, per person.
constexpr size_t kPropertiesBytesMax = 8192;  // Kept of the entry event for templates.
constexpr int kStepsAtOnceMax = 1000;

std::string TextOf(const condition::Value& v) {
    switch (v.type) {
        case condition::Value::Type::kText: return std::string(v.text);
        case condition::Value::Type::kBool: return v.boolean ? "true" : "false";
        case condition::Value::Type::kNumber: {
            char buffer[32];
            const auto whole = static_cast<int64_t>(v.number);
            if (static_cast<double>(whole) == v.number) return std::to_string(whole);
            return {buffer, static_cast<size_t>(std::snprintf(buffer, sizeof buffer, "%.17g",
                                                              v.number))};
        }
        default: return {};
    }
}

bool Unsettled(const model::Message& m) {
    return m.state == model::MessageState::kWaiting || m.state == model::MessageState::kClaimed;
}

}  // namespace

void Runner::Build(const std::vector<catalog::JourneyPtr>& running, FindJourney find) {
    running_ = running;
    find_ = std::move(find);
    by_event_.clear();
    by_segment_.clear();
    for (uint32_t i = 0; i < running_.size(); ++i) {
        const Journey& journey = *running_[i];
        if (journey.entry_hash != 0) {
            by_event_[journey.entry_hash].push_back(i);
        } else {
            by_segment_[journey.entry_segment].push_back(i);
        }
    }
}

void Runner::OnEvent(Person& person, const model::Names& names, const model::EventView& event,
                     uint64_t event_hash, TimeMs now, model::FactNumbers& numbers,
                     std::vector<Fact>& facts) {
    if (person.facts) {
        auto& entries = person.facts->entries;
        for (size_t i = 0; i < entries.size(); ++i) {
            JourneyEntry& entry = entries[i];
            // Robots count for nothing.
            if (entry.end != EntryEnd::kOpen || event.is_bot) continue;
            const auto journey = find_(entry.journey, entry.version);
            if (!journey) continue;
            for (const auto& leaf : journey->since_entry_leaves) {
                if (leaf->event_hash() != event_hash || event.time_ms < entry.entered_ms ||
                    !leaf->Concerns(event)) {
                    continue;
                }
                if (!journey->key.empty() &&
                    TextOf(evaluate::PropertyOf(event, journey->key)) != entry.key) {
                    continue;
                }
                leaf->Add(model::GetAccumulator(entry.since_entry, leaf->id()), event, now);
            }
        }
        Judge(person, names, now, numbers, facts);
    }
    const auto found = by_event_.find(event_hash);
    if (found == by_event_.end()) return;
    if (event.is_bot || event.time_ms <= now - limits::kJourneyEntryAgeMax) return;
    for (const uint32_t index : found->second) {
        const Journey& journey = *running_[index];
        if (journey.entry_where &&
            !journey.entry_where->Matches(
                [&](std::string_view name) { return evaluate::PropertyOf(event, name); },
                event.time_ms)) {
            continue;
        }
        std::string key;
        if (!journey.key.empty()) {
            key = TextOf(evaluate::PropertyOf(event, journey.key)).substr(0, limits::kIdBytesMax);
            if (key.empty()) continue;
        }
        if (!MayEnter(person, journey, key, numbers, facts)) continue;
        Enter(person, names, journey, {std::move(key), event.name, event.properties_json,
                                       std::min(event.time_ms, now)},
              now, numbers, facts);
    }
}

void Runner::OnMove(Person& person, const model::Names& names, uint32_t segment, bool entered,
                    TimeMs now, model::FactNumbers& numbers, std::vector<Fact>& facts) {
    const auto found = by_segment_.find(segment);
    if (found == by_segment_.end()) return;
    for (const uint32_t index : found->second) {
        const Journey& journey = *running_[index];
        if (journey.entry_on_leave == entered) continue;
        if (!MayEnter(person, journey, {}, numbers, facts)) continue;
        Enter(person, names, journey, {{}, {}, {}, now}, now, numbers, facts);
    }
}

bool Runner::MayEnter(const Person& person, const Journey& journey, const std::string& key,
                      model::FactNumbers& numbers, std::vector<Fact>& facts) const {
    if (!person.facts) return true;
    size_t open = 0;
    for (const auto& entry : person.facts->entries) {
        open += entry.end == EntryEnd::kOpen;
        if (entry.journey != journey.number) continue;
        switch (journey.again) {
            case catalog::Again::kOnce: return false;
            case catalog::Again::kEveryTime:
                if (entry.end == EntryEnd::kOpen) return false;
                break;
            case catalog::Again::kOncePerKey:
                if (entry.key == key) return false;
                break;
        }
    }
    if (open < limits::kJourneyEntriesMax) return true;
    Fact fact;
    fact.kind = Fact::Kind::kRefused;
    fact.id = numbers.Next();
    fact.journey = journey.number;
    fact.version = journey.version;
    fact.text = "is in " + std::to_string(open) + " journeys already and could not enter \"" +
                journey.name + '"';
    facts.push_back(std::move(fact));
    return false;
}

void Runner::Enter(Person& person, const model::Names& names, const Journey& journey,
                   Start start, TimeMs now, model::FactNumbers& numbers,
                   std::vector<Fact>& facts) {
    auto& entries = person.Facts().entries;
    if (journey.again == catalog::Again::kEveryTime) {
        const auto ended = [&](const JourneyEntry& e) {
            return e.journey == journey.number && e.end != EntryEnd::kOpen;
        };
        if (static_cast<size_t>(std::count_if(entries.begin(), entries.end(), ended)) >=
            kEndedKept) {
            entries.erase(std::find_if(entries.begin(), entries.end(), ended));
        }
    }
    JourneyEntry entry;
    entry.journey = journey.number;
    entry.version = journey.version;
    entry.id = numbers.Next();
    entry.entered_ms = start.at_ms;
    entry.seed = base::Mix64(base::Mix64(journey.number) ^ base::Mix64(entry.id.offset) ^
                             base::Mix64((uint64_t{entry.id.stream} << 32) + entry.id.ordinal) ^
                             person.id.lo);
    entry.key = std::move(start.key);
    entry.trigger = start.trigger;
    if (start.properties.size() <= kPropertiesBytesMax) entry.properties = start.properties;
    Fact fact;
    fact.kind = Fact::Kind::kEntered;
    fact.id = entry.id;
    fact.journey = journey.number;
    fact.version = journey.version;
    fact.entry = entry.id;
    facts.push_back(std::move(fact));
    entries.push_back(std::move(entry));
    const size_t index = entries.size() - 1;
    if (JudgeEntry(person, names, entries[index], now, numbers, facts)) return;
    Advance(person, names, index, now, numbers, facts);
}

bool Runner::JudgeEntry(Person& person, const model::Names& names, JourneyEntry& entry, TimeMs now,
                        model::FactNumbers& numbers, std::vector<Fact>& facts) {
    const auto journey = find_(entry.journey, entry.version);
    if (!journey) return false;
    const evaluate::Context context{person, names, now, &entry.since_entry};
    if (journey->goal && journey->goal->Holds(context)) {
        End(entry, EntryEnd::kGoal, now, numbers, facts);
        return true;
    }
    if (journey->exit && journey->exit->Holds(context)) {
        End(entry, EntryEnd::kExit, now, numbers, facts);
        return true;
    }
    return false;
}

void Runner::Judge(Person& person, const model::Names& names, TimeMs now,
                   model::FactNumbers& numbers, std::vector<Fact>& facts) {
    if (!person.facts) return;
    for (auto& entry : person.facts->entries) {
        if (entry.end == EntryEnd::kOpen) JudgeEntry(person, names, entry, now, numbers, facts);
    }
}

void Runner::OnTime(Person& person, const model::Names& names, TimeMs now,
                    model::FactNumbers& numbers, std::vector<Fact>& facts) {
    Judge(person, names, now, numbers, facts);
    if (!person.facts) return;
    for (size_t i = 0; i < person.facts->entries.size(); ++i) {
        JourneyEntry& entry = person.facts->entries[i];
        if (entry.end != EntryEnd::kOpen || entry.due_ms > now) continue;
        entry.due_ms = base::kNeverMs;
        ++entry.step;
        Advance(person, names, i, now, numbers, facts);
    }
}

void Runner::Advance(Person& person, const model::Names& names, size_t index, TimeMs now,
                     model::FactNumbers& numbers, std::vector<Fact>& facts) {
    const auto journey =
        find_(person.facts->entries[index].journey, person.facts->entries[index].version);
    if (!journey) return;
    const auto& program = journey->program;
    for (int done = 0; done < kStepsAtOnceMax; ++done) {
        JourneyEntry& entry = person.facts->entries[index];
        if (entry.step >= program.size()) break;
        const Instruction& step = program[entry.step];
        switch (step.kind) {
            case Instruction::Kind::kWait: entry.due_ms = now + step.wait_ms; return;
            case Instruction::Kind::kJump: entry.step = step.target; continue;
            case Instruction::Kind::kExit:
                entry.step = static_cast<uint32_t>(program.size());
                continue;
            case Instruction::Kind::kBranch: {
                const evaluate::Context context{person, names, now, &entry.since_entry};
                entry.step = step.condition->Holds(context) ? entry.step + 1 : step.target;
                continue;
            }
            case Instruction::Kind::kLetter: {
                auto& messages = person.facts->messages;
                if (messages.size() >= limits::kMessagesPerPersonMax) {
                    const auto settled = std::find_if(
                        messages.begin(), messages.end(),
                        [](const model::Message& m) { return !Unsettled(m); });
                    if (settled != messages.end()) messages.erase(settled);
                }
                model::Message message;
                message.id = numbers.Next();
                message.journey = entry.journey;
                message.version = entry.version;
                message.entry = entry.id;
                message.step = entry.step;
                message.created_ms = message.changed_ms = now;
                Fact fact;
                fact.kind = Fact::Kind::kMessage;
                fact.id = fact.message = message.id;
                fact.journey = entry.journey;
                fact.version = entry.version;
                fact.entry = entry.id;
                facts.push_back(std::move(fact));
                messages.push_back(std::move(message));
                ++entry.step;
                continue;
            }
        }
    }
    Settle(person, person.facts->entries[index].id, now, numbers, facts);
}

void Runner::Settle(Person& person, const model::FactKey& id, TimeMs now,
                    model::FactNumbers& numbers, std::vector<Fact>& facts) {
    if (!person.facts) return;
    for (auto& entry : person.facts->entries) {
        if (entry.id != id || entry.end != EntryEnd::kOpen) continue;
        const auto journey = find_(entry.journey, entry.version);
        if (!journey || entry.step < journey->program.size()) return;
        for (const auto& message : person.facts->messages) {
            if (message.entry == id && Unsettled(message)) return;
        }
        End(entry, EntryEnd::kFinished, now, numbers, facts);
    }
}

void Runner::Retire(Person& person, uint32_t journey, TimeMs now, model::FactNumbers& numbers,
                    std::vector<Fact>& facts) {
    if (!person.facts) return;
    for (auto& entry : person.facts->entries) {
        if (entry.journey == journey && entry.end == EntryEnd::kOpen) {
            End(entry, EntryEnd::kRetired, now, numbers, facts);
        }
    }
}

void Runner::End(JourneyEntry& entry, EntryEnd end, TimeMs now, model::FactNumbers& numbers,
                 std::vector<Fact>& facts) {
    entry.end = end;
    entry.ended_ms = now;
    entry.due_ms = base::kNeverMs;
    entry.since_entry.clear();
    Fact fact;
    fact.kind = Fact::Kind::kEnded;
    fact.id = numbers.Next();
    fact.journey = entry.journey;
    fact.version = entry.version;
    fact.entry = entry.id;
    fact.end = end;
    facts.push_back(std::move(fact));
}

TimeMs Runner::NextDue(const Person& person, const model::Names& names, TimeMs now) const {
    TimeMs next = base::kNeverMs;
    if (!person.facts) return next;
    for (const auto& entry : person.facts->entries) {
        if (entry.end != EntryEnd::kOpen) continue;
        next = std::min(next, entry.due_ms);
        const auto journey = find_(entry.journey, entry.version);
        if (!journey) continue;
        const evaluate::Context context{person, names, now, &entry.since_entry};
        if (journey->goal) next = std::min(next, journey->goal->NextFlip(context));
        if (journey->exit) next = std::min(next, journey->exit->NextFlip(context));
    }
    return next;
}

void Runner::Unite(model::PersonFacts& into, model::PersonFacts from, TimeMs now,
                   model::FactNumbers& numbers, std::vector<Fact>& facts) {
    const auto merge_entry = [&](JourneyEntry& loser) {
        Fact fact;
        fact.kind = Fact::Kind::kEnded;
        fact.id = numbers.Next();
        fact.journey = loser.journey;
        fact.version = loser.version;
        fact.entry = loser.id;
        fact.end = EntryEnd::kMerged;
        facts.push_back(std::move(fact));
        loser.end = EntryEnd::kMerged;
        loser.ended_ms = now;
        loser.due_ms = base::kNeverMs;
        loser.since_entry.clear();
    };
    for (auto& theirs : from.entries) {
        for (auto& ours : into.entries) {
            if (theirs.end != EntryEnd::kOpen || ours.end != EntryEnd::kOpen ||
                ours.journey != theirs.journey || ours.key != theirs.key) {
                continue;
            }
            const bool ours_older = std::pair(ours.entered_ms, ours.id) <=
                                    std::pair(theirs.entered_ms, theirs.id);
            merge_entry(ours_older ? theirs : ours);
        }
    }
    for (auto& entry : from.entries) into.entries.push_back(std::move(entry));
    for (auto& message : from.messages) into.messages.push_back(std::move(message));
    for (auto& receipt : from.receipts) into.receipts.push_back(std::move(receipt));
    std::sort(into.entries.begin(), into.entries.end(), [](const auto& a, const auto& b) {
        return std::pair(a.entered_ms, a.id) < std::pair(b.entered_ms, b.id);
    });
    std::sort(into.messages.begin(), into.messages.end(), [](const auto& a, const auto& b) {
        return std::pair(a.created_ms, a.id) < std::pair(b.created_ms, b.id);
    });
    // A message of an entry that ended by the merge is skipped when it is claimed.
    into.merged.insert(into.merged.end(), from.merged.begin(), from.merged.end());
    std::sort(into.merged.begin(), into.merged.end());
    into.merged.erase(std::unique(into.merged.begin(), into.merged.end()), into.merged.end());
    // Withdrawn consent wins.
    if (into.unsubscribed_ms == 0) into.unsubscribed_ms = from.unsubscribed_ms;
    if (into.bounced_ms == 0) into.bounced_ms = from.bounced_ms;
    if (!from.claims.empty()) into.claims += (into.claims.empty() ? "" : ",") + from.claims;
}

}  // namespace journeys
