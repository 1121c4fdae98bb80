#include "server/person_fold.h"

#include <simdjson.h>

#include <algorithm>

#include "base/check.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "server/payload.h"
#include "store/warehouse/row.h"

namespace server {

using base::TimeMs;
using catalog::Change;
using model::Person;
using model::PersonId;
using model::RecordKind;

PersonFold::PersonFold(model::StreamId stream, int partitions, const catalog::Catalog& catalog)
    : stream_(stream), partitions_(partitions), catalog_(catalog) {
    numbers_.stream = stream;
}

PersonFold::~PersonFold() = default;

// What a person points at can only be fetched once she herself is near: her turn comes again some
// records later. The engine looks 16 records ahead.
void PersonFold::Prefetch(const model::Record& record) {
    const auto it = persons_.find(record.person);
    const Person* const person = it == persons_.end() ? nullptr : it->second;
    const auto near = [](const void* at, size_t bytes) {
        for (size_t offset = 0; offset < bytes; offset += 64) {
            __builtin_prefetch(static_cast<const char*>(at) + offset);
        }
    };
    if (person != nullptr) near(person, sizeof *person);
    const Person* const before = ahead_[ahead_at_ % ahead_.size()];
    const Person* const long_before = ahead_[(ahead_at_ + ahead_.size() / 2) % ahead_.size()];
    ahead_[ahead_at_++ % ahead_.size()] = person;
    if (long_before != nullptr) {
        near(long_before->accumulators.data(),
             std::min<size_t>(long_before->accumulators.size() * sizeof(model::Accumulator), 512));
        near(long_before->ids.data(), long_before->ids.empty() ? 0 : 128);
        near(long_before->segments.data(), long_before->segments.empty() ? 0 : 64);
        near(long_before->last_touch.data(), 64);
        if (long_before->taken) near(long_before->taken.get(), 64);
    }
    if (before != nullptr && before->taken) before->taken->Prefetch();
}

void PersonFold::Apply(const model::Record& record) {
    CHECK(record.offset == offset_ + 1);
    numbers_ = {stream_, record.offset, 0};
    rows_from_ = rows_.size();
    log_time_ = std::max(now_, record.time_ms);
    RunTimers(log_time_);
    now_ = log_time_;
    // Of a deleted workspace nothing counts any more but that time passes.
    switch (IsErased(record.workspace) ? RecordKind::kTick : record.kind) {
        case RecordKind::kEvent:
            ApplyEvent(record.workspace, record.person, record.fingerprint, record.name_hash,
                       record.payload, RecordKind::kEvent);
            break;
        case RecordKind::kForwarded: ApplyForwarded(record); break;
        case RecordKind::kMovedOut: ApplyMovedOut(record); break;
        case RecordKind::kMovedIn: ApplyMovedIn(record); break;
        case RecordKind::kJoinClaim: ApplyJoinClaim(record); break;
        case RecordKind::kRelayed: ApplyRelayed(record); break;
        case RecordKind::kClaim: ApplyClaim(record, record.payload); break;
        case RecordKind::kOutcome: ApplyOutcome(record, record.payload); break;
        case RecordKind::kReceipt: ApplyReceipt(record, record.payload); break;
        case RecordKind::kMarker: ApplyMarker(record); break;
        case RecordKind::kLoaded: ApplyLoaded(record); break;
        case RecordKind::kReady: ApplyReady(record); break;
        case RecordKind::kRetired: ApplyRetired(record); break;
        case RecordKind::kStarted: ApplyStarted(record); break;
        case RecordKind::kErased: ApplyErased(record); break;
        case RecordKind::kTick:
        case RecordKind::kLink:
        case RecordKind::kLinkDone:
        case RecordKind::kControl: break;
    }
    StepCursor();
    if (rows_unsorted_) SortRows();
    offset_ = record.offset;
}

// --- persons -----------------------------------------------------------------------------------

const Person* PersonFold::Find(const PersonId& id) const {
    const auto it = persons_.find(id);
    return it == persons_.end() ? nullptr : it->second;
}

Person& PersonFold::Get(model::WorkspaceId workspace, const PersonId& id, bool& made) {
    auto [it, added] = persons_.try_emplace(id, nullptr);
    made = added;
    if (added) {
        Person& person = store_.emplace_back();
        person.id = id;
        person.workspace = workspace;
        person.slot = static_cast<uint32_t>(slots_.size());
        slots_.push_back(&person);
        it->second = &person;
        ++known_;
        tally_.Made(workspace);
        if (!cursors_.empty()) cursor_made_.insert(id);
    }
    return *it->second;
}

void PersonFold::Touch(Person& person) {
    live_.Touched(person.workspace, person.id);
    if (person.frozen) {
        // The running checkpoint wants her as she was: write that down before she changes.
        auto& copy = frozen_copies_.emplace_back();
        copy.first = PersonKeyOf(person.id);
        model::EncodePerson(copy.second, person);
        person.frozen = false;
    }
    if (!person.dirty) {
        person.dirty = true;
        dirty_.push_back(&person);
    }
}

PersonFold::Workspace& PersonFold::In(model::WorkspaceId workspace) {
    Workspace& in = workspaces_[workspace];
    if (!in.known) {
        const auto definition = catalog_.FindWorkspaceEver(workspace);
        if (definition) {
            in.secret = definition->secret;
            in.known = true;
        }
        in.runner.Build({}, [this](uint32_t n, uint32_t v) { return catalog_.FindJourney(n, v); });
    }
    return in;
}

// --- timers ------------------------------------------------------------------------------------

void PersonFold::Schedule(Person& person, TimeMs due) {
    if (due >= person.due_ms) return;
    person.due_ms = due;
    timers_.push({due, person.id, &person});
}

TimeMs PersonFold::NextDue() const {
    // The top may be a leftover of a time that was brought forward; a tick for it does nothing.
    return timers_.empty() ? base::kNeverMs : timers_.top().due_ms;
}

TimeMs PersonFold::NextDueOf(const Person& person) {
    if (person.moved()) return base::kNeverMs;
    Workspace& in = In(person.workspace);
    TimeMs next = std::min(in.watch.NextFlip(person, names_, now_),
                           in.runner.NextDue(person, names_, now_));
    if (person.facts) {
        for (const auto& receipt : person.facts->receipts) next = std::min(next, receipt.due_ms);
        for (const auto& message : person.facts->messages) {
            if (message.state == model::MessageState::kWaiting) {
                next = std::min(next, message.retry_ms);
            }
        }
    }
    return next;
}

void PersonFold::RunTimers(TimeMs until) {
    while (!timers_.empty() && timers_.top().due_ms <= until) {
        const Due due = timers_.top();
        timers_.pop();
        Person& person = *due.person;
        if (person.due_ms != due.due_ms || IsErased(person.workspace)) continue;
        person.due_ms = base::kNeverMs;
        now_ = std::max(now_, due.due_ms);
        if (!person.moved()) RunPersonTimers(person);
        Schedule(person, NextDueOf(person));
    }
}

void PersonFold::RunPersonTimers(Person& person) {
    ++counters_.timers;
    Workspace& in = In(person.workspace);
    Touch(person);
    if (person.facts) JudgeReceipts(person);
    in.watch.MarkFlips(person, names_, now_);
    moves_.clear();
    facts_.clear();
    in.watch.Judge(person, names_, now_, CursorNow(), moves_);
    in.runner.OnTime(person, names_, now_, numbers_, facts_);
    for (const auto& move : moves_) {
        in.runner.OnMove(person, names_, move.segment, move.entered, now_, numbers_, facts_);
    }
    FactRows(person, "time");
    if (!person.facts) return;
    for (auto& message : person.facts->messages) {
        if (message.state == model::MessageState::kWaiting && message.retry_ms <= now_) {
            message.retry_ms = base::kNeverMs;
            Announce(person, message, model::OutboxEvent::Kind::kWaiting);
        }
    }
}

void PersonFold::JudgeReceipts(Person& person) {
    auto& receipts = person.facts->receipts;
    for (size_t i = 0; i < receipts.size();) {
        if (receipts[i].due_ms > now_) {
            ++i;
            continue;
        }
        const model::PendingReceipt receipt = receipts[i];
        receipts.erase(receipts.begin() + static_cast<ptrdiff_t>(i));
        for (auto& message : person.facts->messages) {
            if (message.id != receipt.message) continue;
            const bool click = receipt.kind == static_cast<uint8_t>(model::ReceiptKind::kClicked);
            // Several links of one letter within the pending time: a scanner follows them all.
            bool machine = receipt.machine;
            if (click) {
                for (auto& other : receipts) {
                    if (other.message != receipt.message || other.kind != receipt.kind ||
                        other.link == receipt.link) {
                        continue;
                    }
                    // The ones that are judged later must not pass for human alone.
                    machine = other.machine = true;
                }
            }
            TimeMs& first = click ? message.clicked_ms : message.opened_ms;
            if (!machine && first == 0) {
                first = receipt.at_ms;
                tally_.Opened(person.workspace, click, now_);
            }
            std::string more;
            if (click) {
                more = ",\"url\":";
                base::AppendJsonString(more, receipt.url);
            }
            EmitEvent(person, click ? "Email Link Clicked" : "Email Opened", message, more,
                      machine);
        }
    }
}

// --- events ------------------------------------------------------------------------------------

void PersonFold::ApplyEvent(model::WorkspaceId workspace, const PersonId& id, uint64_t fingerprint,
                            uint64_t name_hash, std::string_view payload, RecordKind kind) {
    bool made = false;
    Person& person = Get(workspace, id, made);
    if (person.moved()) {
        Forward(person, kind, fingerprint, name_hash, payload);
        return;
    }
    Touch(person);
    if (fingerprint != 0) {
        if (!person.taken) person.taken = std::make_unique<model::TakenIds>();
        if (!person.taken->Take(fingerprint, now_)) {
            ++counters_.duplicates;
            live_.Dropped(numbers_.offset);
            return;
        }
    }
    model::EventView event;
    if (!reader_.ReadCopy(payload, event)) {
        ++counters_.unreadable;
        return;
    }
    ++counters_.events;
    Workspace& in = In(workspace);
    // Other records (a claim, a receipt) may have made her before.
    const bool first = person.events == 0;
    changed_.Clear();
    const bool bounced = person.facts && person.facts->bounced_ms != 0;
    const std::string address(bounced ? profile::EmailOf(person, names_) : std::string_view());
    const Tally::Stand before = Tally::Before(person);
    profile::Apply(person, names_, in.secret, event, now_, changed_);
    tally_.Event(person, before, now_);
    // A bounce speaks of the address it met.
    if (bounced && profile::EmailOf(person, names_) != address) person.facts->bounced_ms = 0;
    EventRow(person, event, payload);
    moves_.clear();
    facts_.clear();
    TimeMs due = base::kNeverMs;
    if (made) {
        in.watch.MarkNewborn();
    } else if (first) {
        in.watch.MarkAll();
    }
    for (const uint32_t name : changed_.attributes) in.watch.MarkAttribute(name);
    if (changed_.touches) in.watch.MarkTouches();
    // Robots are kept and marked, and count for nothing.
    if (!event.is_bot) due = in.watch.Add(person, event, name_hash, now_);
    in.watch.Judge(person, names_, now_, CursorNow(), moves_);
    in.runner.OnEvent(person, names_, event, name_hash, now_, numbers_, facts_);
    if (event.time_ms > now_ - limits::kJourneyEntryAgeMax) {
        for (const auto& move : moves_) {
            in.runner.OnMove(person, names_, move.segment, move.entered, now_, numbers_, facts_);
        }
    }
    FactRows(person, "event");
    if (first && !made) {
        due = std::min(due, in.watch.NextFlip(person, names_, now_));
    } else if (!changed_.attributes.empty()) {
        due = std::min(due, in.watch.NextDatedFlip(person, names_, now_));
    }
    if (person.facts) due = std::min(due, in.runner.NextDue(person, names_, now_));
    Schedule(person, due);
}

void PersonFold::AfterChange(Person& person, Workspace& in, bool start_journeys,
                             std::string_view cause) {
    moves_.clear();
    facts_.clear();
    in.watch.Judge(person, names_, now_, CursorNow(), moves_);
    in.runner.Judge(person, names_, now_, numbers_, facts_);
    if (start_journeys) {
        for (const auto& move : moves_) {
            in.runner.OnMove(person, names_, move.segment, move.entered, now_, numbers_, facts_);
        }
    }
    FactRows(person, cause);
    Schedule(person, NextDueOf(person));
}

void PersonFold::ApplyForwarded(const model::Record& record) {
    Envelope envelope;
    if (!ReadEnvelope(record.payload, envelope) || !Accept(envelope.from)) return;
    const std::string payload(envelope.payload);
    switch (envelope.kind) {
        case RecordKind::kEvent:
            ApplyEvent(record.workspace, record.person, record.fingerprint, record.name_hash,
                       payload, RecordKind::kEvent);
            break;
        case RecordKind::kClaim: ApplyClaim(record, payload); break;
        case RecordKind::kOutcome: ApplyOutcome(record, payload); break;
        case RecordKind::kReceipt: ApplyReceipt(record, payload); break;
        case RecordKind::kLoaded: ApplyLoadedPersons(record.workspace, payload, true); break;
        default: ++counters_.unreadable; break;
    }
}

// --- moving (semantics 16) ---------------------------------------------------------------------

bool PersonFold::Accept(const model::FactKey& from) {
    auto& heard = heard_[from.stream];
    const std::pair place(from.offset, from.ordinal);
    if (place <= heard) return false;
    heard = place;
    return true;
}

void PersonFold::Relay(model::StreamId target, RecordKind kind, model::WorkspaceId workspace,
                       const PersonId& person, uint64_t fingerprint, uint64_t name_hash,
                       const std::function<void(std::string& json)>& fields) {
    engine::Relay relay;
    relay.origin = numbers_.Next();
    relay.record.stream = target;
    relay.record.kind = kind;
    relay.record.workspace = workspace;
    relay.record.person = person;
    relay.record.fingerprint = fingerprint;
    relay.record.name_hash = name_hash;
    auto& json = relay.record.payload;
    json = "{\"from\":[" + std::to_string(relay.origin.stream) + ',' +
           std::to_string(relay.origin.offset) + ',' + std::to_string(relay.origin.ordinal) + ']';
    fields(json);
    json += '}';
    relays_.push_back(std::move(relay));
}

void PersonFold::Forward(const Person& stub, RecordKind kind, uint64_t fingerprint,
                         uint64_t name_hash, std::string_view payload) {
    ++counters_.forwarded;
    Relay(model::PartitionOf(stub.moved_to, partitions_), RecordKind::kForwarded, stub.workspace,
          stub.moved_to, fingerprint, name_hash, [&](std::string& json) {
              json += ",\"kind\":" + std::to_string(static_cast<int>(kind)) + ",\"log_ms\":" +
                      std::to_string(now_) + ",\"payload\":";
              json += payload.empty() ? std::string_view("null") : payload;
          });
}

void PersonFold::ApplyMovedOut(const model::Record& record) {
    MovedOut moved;
    if (!ReadMovedOut(record.payload, moved) || !Accept(moved.from)) return;
    bool made = false;
    Person& person = Get(record.workspace, record.person, made);
    if (person.moved()) return;
    Touch(person);
    const std::string state = PackMover(person, names_);
    tally_.Leave(person);
    for (const auto& membership : person.segments) {
        members_[membership.segment].remove(person.slot);
    }
    --known_;
    if (person.facts) {
        for (const auto& message : person.facts->messages) {
            Announce(person, message, model::OutboxEvent::Kind::kClosed);
        }
    }
    person.moved_to = moved.to;
    person.segments.clear();
    person.accumulators.clear();
    person.ids.clear();
    person.attributes = {};
    person.first_touch.clear();
    person.last_touch.clear();
    person.taken.reset();
    person.facts.reset();
    Relay(model::PartitionOf(moved.to, partitions_), RecordKind::kMovedIn, record.workspace,
          moved.to, 0, 0, [&](std::string& json) {
              json += ",\"who\":\"" + model::ToText(person.id) + "\",\"state\":\"" +
                      base::Base64Encode(state) + '"';
          });
}

void PersonFold::ApplyMovedIn(const model::Record& record) {
    MovedIn moved;
    if (!ReadMovedIn(record.payload, moved) || !Accept(moved.from)) return;
    bool made = false;
    Person& person = Get(record.workspace, record.person, made);
    if (person.moved()) {
        // Joined further meanwhile: the state goes after her.
        Relay(model::PartitionOf(person.moved_to, partitions_), RecordKind::kMovedIn,
              record.workspace, person.moved_to, 0, 0, [&](std::string& json) {
                  json += ",\"who\":\"" + model::ToText(moved.who) + "\",\"state\":\"" +
                          base::Base64Encode(moved.packed) + '"';
              });
        return;
    }
    Person theirs;
    if (!model::DecodePerson(moved.state, theirs)) {
        ++counters_.unreadable;
        return;
    }
    std::map<uint32_t, uint32_t> numbers;
    for (const auto& [number, text] : moved.names) numbers[number] = names_.Number(text);
    theirs.attributes.Renumber([&](uint32_t name) {
        const auto it = numbers.find(name);
        return it == numbers.end() ? model::Names::kUnknown : it->second;
    });
    // A bounce speaks of the address it met.
    const std::string our_address(profile::EmailOf(person, names_));
    const std::string their_address(profile::EmailOf(theirs, names_));
    Touch(person);
    Workspace& in = In(record.workspace);
    tally_.Leave(person);
    profile::Unite(person, theirs);
    in.watch.Unite(person.accumulators, theirs.accumulators);
    if (theirs.taken) {
        if (!person.taken) person.taken = std::make_unique<model::TakenIds>();
        person.taken->Unite(*theirs.taken);
    }
    model::PersonFacts facts;
    if (theirs.facts) facts = std::move(*theirs.facts);
    facts.merged.push_back(moved.who);
    const auto address = profile::EmailOf(person, names_);
    if (address != their_address) facts.bounced_ms = 0;
    if (address != our_address) person.Facts().bounced_ms = 0;
    moves_.clear();
    facts_.clear();
    journeys::Runner::Unite(person.Facts(), std::move(facts), now_, numbers_, facts_);
    tally_.Enter(person);
    const auto& merged = person.facts->merged;
    for (auto& key : person.ids) {
        key.confirmed = key.confirmed || key.hash == person.id ||
                        std::find(merged.begin(), merged.end(), key.hash) != merged.end();
    }
    for (const auto& message : person.facts->messages) {
        const bool claimed = message.state == model::MessageState::kClaimed;
        if (claimed || (message.state == model::MessageState::kWaiting &&
                        message.retry_ms == base::kNeverMs)) {
            // A sender that knows nothing of a claim lost it in a crash, while she was on her way.
            Announce(person, message, model::OutboxEvent::Kind::kWaiting);
            outbox_.back().claimed_before = claimed;
        }
    }
    const std::string who = model::ToText(moved.who);
    RowOf(person, "merged", "Person Merged", numbers_.Next(), now_, {{"person_id", who}});
    FactRows(person, "merge");
    in.watch.MarkAll();
    // Changes that a merge derives start no journey (semantics 17).
    AfterChange(person, in, false, "merge");
    // From now on what is hers may be written here at once (identity/link_map.h).
    Relay(static_cast<model::StreamId>(partitions_), RecordKind::kLinkDone, record.workspace,
          moved.who, 0, 0, [](std::string&) {});
}

void PersonFold::ApplyJoinClaim(const model::Record& record) {
    MovedOut claim;  // {"from": [...], "to": the person who claims}
    if (!ReadMovedOut(record.payload, claim) || !Accept(claim.from)) return;
    bool made = false;
    Person& person = Get(record.workspace, record.person, made);
    if (person.moved()) return;
    Touch(person);
    const std::string id = "\"" + model::ToText(claim.to) + "\"";
    auto& claims = person.Facts().claims;
    if (claims.find(id) == std::string::npos && claims.size() < 4096) {
        claims += (claims.empty() ? "" : ",") + id;
    }
    const std::string who = model::ToText(claim.to);
    RowOf(person, "join_claimed", "Join Claimed", numbers_.Next(), now_, {{"person_id", who}});
}

void PersonFold::ApplyRelayed(const model::Record& record) {
    model::FactKey upto;
    if (!ReadKeyField(record.payload, "upto", upto)) return;
    while (!relays_.empty() && std::pair(relays_.front().origin.offset,
                                         relays_.front().origin.ordinal) <=
                                   std::pair(upto.offset, upto.ordinal)) {
        relays_.pop_front();
    }
}

void PersonFold::ApplyStarted(const model::Record& record) {
    const int64_t down = ReadIntField(record.payload, "down_ms");
    if (down > limits::kDownQuietMs) {
        claims_refused_until_ = now_ + limits::kClaimsRefusedAfterDownMs;
    }
}

// --- outputs -----------------------------------------------------------------------------------

void PersonFold::TakeRows(std::string& rows) {
    if (rows.empty()) {
        rows.swap(rows_);
    } else {
        rows.append(rows_);
        rows_.clear();
    }
}

void PersonFold::TakeOutbox(std::vector<model::OutboxEvent>& events) {
    if (outbox_.empty()) return;
    std::move(outbox_.begin(), outbox_.end(), std::back_inserter(events));
    outbox_.clear();
}

void PersonFold::ListOutbox(std::vector<model::OutboxEvent>& events) {
    outbox_.clear();
    std::vector<model::OutboxEvent> all;
    for (const Person* person : slots_) {
        if (!person->facts || person->moved() || IsErased(person->workspace)) continue;
        for (const auto& message : person->facts->messages) {
            const bool claimed = message.state == model::MessageState::kClaimed;
            if (claimed || (message.state == model::MessageState::kWaiting &&
                            message.retry_ms == base::kNeverMs)) {
                Announce(*person, message, model::OutboxEvent::Kind::kWaiting);
                outbox_.back().claimed_before = claimed;
            }
        }
    }
    std::sort(outbox_.begin(), outbox_.end(),
              [](const auto& a, const auto& b) { return a.message < b.message; });
    TakeOutbox(events);
}

namespace {

std::string_view EndText(model::EntryEnd end) {
    switch (end) {
        case model::EntryEnd::kOpen: return "open";
        case model::EntryEnd::kFinished: return "finished";
        case model::EntryEnd::kGoal: return "goal";
        case model::EntryEnd::kExit: return "exit";
        case model::EntryEnd::kMerged: return "merged";
        case model::EntryEnd::kRetired: return "stopped";
    }
    return "open";
}

}  // namespace

void PersonFold::FactRows(Person& person, std::string_view cause) {
    for (const auto& move : moves_) {
        auto& bitmap = members_[move.segment];
        if (move.entered) {
            bitmap.add(person.slot);
        } else {
            bitmap.remove(person.slot);
        }
        const std::string id = catalog::SegmentId(move.segment);
        RowOf(person, move.entered ? "segment_entered" : "segment_left",
              move.entered ? "Segment Entered" : "Segment Left", numbers_.Next(), now_,
              {{"segment_id", id}, {"cause", cause}});
    }
    for (const auto& fact : facts_) {
        const std::string id = catalog::JourneyId(fact.journey);
        const std::string entry = model::ToText(fact.entry);
        switch (fact.kind) {
            case journeys::Fact::Kind::kEntered:
                tally_.JourneyEntered(person.workspace, fact.journey);
                RowOf(person, "journey_entered", "Journey Entered", fact.id, now_,
                      {{"journey_id", id}, {"entry", entry}});
                break;
            case journeys::Fact::Kind::kEnded:
                tally_.JourneyEnded(person.workspace, fact.journey, fact.end);
                RowOf(person, "journey_ended", "Journey Ended", fact.id, now_,
                      {{"journey_id", id}, {"entry", entry}, {"end", EndText(fact.end)}});
                break;
            case journeys::Fact::Kind::kMessage:
                for (const auto& message : person.facts->messages) {
                    if (message.id != fact.message) continue;
                    MessageRow(person, message, "Message Waiting");
                    Announce(person, message, model::OutboxEvent::Kind::kWaiting);
                }
                break;
            case journeys::Fact::Kind::kRefused:
                RowOf(person, "error", "Error", fact.id, now_, {{"text", fact.text}});
                break;
        }
    }
    moves_.clear();
    facts_.clear();
}

void PersonFold::RowOf(
    const Person& person, std::string_view kind, std::string_view name, model::FactKey key,
    TimeMs time_ms,
    const std::vector<std::pair<std::string_view, std::string_view>>& properties) {
    ++counters_.facts;
    std::vector<std::string_view> keys, texts;
    std::vector<double> numbers(properties.size(), 0);
    for (const auto& [k, v] : properties) {
        keys.push_back(k);
        texts.push_back(v);
    }
    warehouse::RowView row;
    row.workspace = person.workspace;
    row.person = person.id.lo;
    row.time_ms = time_ms;
    row.log_time_ms = log_time_;
    row.kind = kind;
    row.name = name;
    row.visit = person.visits;
    row.prop_key = keys;
    row.prop_text = texts;
    row.prop_num = numbers;
    row.partition = stream_;
    row.offset = key.offset;
    row.ordinal = static_cast<decltype(row.ordinal)>(key.ordinal);
    AppendRow(row);
}

void PersonFold::EventRow(const Person& person, const model::EventView& event,
                          std::string_view payload) {
    static thread_local std::vector<std::string_view> keys, texts;
    static thread_local std::vector<double> numbers;
    static thread_local std::string ids;
    static thread_local std::vector<std::string_view> id_views;
    keys.clear();
    texts.clear();
    numbers.clear();
    id_views.clear();
    ids.clear();
    // What an identify or group call tells stands in its traits.
    for (const auto& p : event.properties.empty() ? event.traits : event.properties) {
        keys.push_back(p.key);
        texts.push_back(p.text);
        numbers.push_back(p.number);
    }
    // Room for all first: the views stay.
    ids.reserve(32 + event.user_id.size() + event.anonymous_id.size() + event.email.size());
    const auto add_id = [&](std::string_view kind, std::string_view id) {
        if (id.empty()) return;
        const size_t begin = ids.size();
        ids.append(kind).append(id);
        id_views.push_back(std::string_view(ids).substr(begin));
    };
    add_id("user:", event.user_id);
    add_id("anonymous:", event.anonymous_id);
    add_id("email:", event.email);
    warehouse::RowView row;
    row.workspace = person.workspace;
    row.person = person.id.lo;
    row.time_ms = event.time_ms;
    row.log_time_ms = log_time_;
    row.kind = "event";
    row.name = event.name;
    row.ids = id_views;
    row.visit = person.visits;
    row.prop_key = keys;
    row.prop_text = texts;
    row.prop_num = numbers;
    row.source = event.source.source;
    row.medium = event.source.medium;
    row.campaign = event.source.campaign;
    row.payload = payload;
    row.partition = stream_;
    row.offset = numbers_.offset;
    row.ordinal = 0;
    AppendRow(row);
}

void PersonFold::AppendRow(const warehouse::RowView& row) {
    rows_unsorted_ = rows_unsorted_ || (rows_.size() > rows_from_ && row.ordinal < last_ordinal_);
    last_ordinal_ = row.ordinal;
    warehouse::AppendEntry(rows_, row);
}

void PersonFold::SortRows() {
    rows_unsorted_ = false;
    const std::string unsorted = rows_.substr(rows_from_);
    std::vector<std::pair<uint32_t, std::string_view>> entries;
    std::string_view left = unsorted, row;
    warehouse::EntryHeader header;
    while (!left.empty()) {
        const std::string_view whole = left;
        CHECK(warehouse::NextEntry(left, header, row));
        entries.emplace_back(header.ordinal, whole.substr(0, whole.size() - left.size()));
    }
    std::stable_sort(entries.begin(), entries.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    rows_.resize(rows_from_);
    for (const auto& [ordinal, entry] : entries) rows_.append(entry);
}

}  // namespace server
