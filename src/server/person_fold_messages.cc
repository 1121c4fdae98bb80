// Claims, outcomes and receipts: how a message leaves, and what comes back (semantics 2, 23).

#include <simdjson.h>

#include <algorithm>

#include "base/hash.h"
#include "base/json.h"
#include "server/payload.h"
#include "server/person_fold.h"
#include "server/person_view.h"

namespace server {

using base::TimeMs;
using model::Message;
using model::MessageState;
using model::OutboxEvent;
using model::Person;
using model::RecordKind;

namespace {

constexpr base::DurationMs kReceiptPendingMs = 10 * base::kSecondMs;  // semantics 23.
constexpr size_t kReceiptsPendingMax = 200;                           // Of one person.
constexpr size_t kReasonBytesMax = 300;

Message* FindMessage(Person& person, const model::FactKey& id) {
    if (!person.facts) return nullptr;
    for (auto& message : person.facts->messages) {
        if (message.id == id) return &message;
    }
    return nullptr;
}

model::JourneyEntry* FindEntry(Person& person, const model::FactKey& id) {
    if (!person.facts) return nullptr;
    for (auto& entry : person.facts->entries) {
        if (entry.id == id) return &entry;
    }
    return nullptr;
}

}  // namespace

void PersonFold::Announce(const Person& person, const Message& message, OutboxEvent::Kind kind) {
    OutboxEvent event;
    event.kind = kind;
    event.message = message.id;
    event.stream = stream_;
    event.workspace = person.workspace;
    event.person = person.id;
    event.journey = message.journey;
    event.version = message.version;
    event.step = message.step;
    event.attempt = message.attempts;
    event.created_ms = message.created_ms;
    outbox_.push_back(std::move(event));
}

void PersonFold::MessageRow(const Person& person, const Message& message, std::string_view name) {
    tally_.MessageChanged(person.workspace, message, name == "Message Waiting", now_);
    const std::string journey = catalog::JourneyId(message.journey);
    const std::string id = model::ToText(message.id);
    std::string kind(name);
    for (char& c : kind) c = c == ' ' ? '_' : static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    RowOf(person, kind, name, numbers_.Next(), now_,
          {{"message_id", id}, {"journey_id", journey}, {"reason", message.reason}});
}

void PersonFold::Skip(Person& person, Message& message, std::string reason) {
    message.state = MessageState::kSkipped;
    message.reason = std::move(reason);
    message.changed_ms = now_;
    const model::FactKey entry = message.entry;
    MessageRow(person, message, "Message Skipped");
    Announce(person, message, OutboxEvent::Kind::kClosed);
    moves_.clear();
    facts_.clear();
    In(person.workspace).runner.Settle(person, entry, now_, numbers_, facts_);
    FactRows(person, "message");
}

std::string PersonFold::RefusalOf(Person& person, Workspace& in, const Message& message) {
    const auto* entry = FindEntry(person, message.entry);
    if (entry == nullptr) return "the journey entry is gone";
    if (entry->end == model::EntryEnd::kOpen) {
        // Goal and exit once more, in the instant of sending (E3).
        moves_.clear();
        facts_.clear();
        in.runner.Judge(person, names_, now_, numbers_, facts_);
        FactRows(person, "message");
        entry = FindEntry(person, message.entry);
    }
    switch (entry->end) {
        case model::EntryEnd::kGoal: return "goal reached";
        case model::EntryEnd::kExit: return "exit condition";
        case model::EntryEnd::kMerged: return "merged with another entry";
        case model::EntryEnd::kRetired: return "journey stopped";
        case model::EntryEnd::kOpen:
        case model::EntryEnd::kFinished: break;
    }
    if (profile::EmailOf(person, names_).empty()) return "no email address";
    if (person.facts->unsubscribed_ms != 0) return "unsubscribed";
    if (person.facts->bounced_ms != 0) return "address bounced";
    return {};
}

void PersonFold::ApplyClaim(const model::Record& record, std::string_view payload) {
    const auto found = persons_.find(record.person);
    if (found == persons_.end()) return;
    Person& person = *found->second;
    if (person.moved()) {
        Forward(person, RecordKind::kClaim, 0, 0, payload);
        return;
    }
    model::FactKey id;
    if (!ReadKeyField(payload, "message", id)) return;
    Message* message = FindMessage(person, id);
    const bool again = ReadBoolField(payload, "again");
    if (message == nullptr || !(message->state == MessageState::kWaiting ||
                                (again && message->state == MessageState::kClaimed))) {
        ++counters_.refused_claims;
        return;
    }
    Touch(person);
    Workspace& in = In(record.workspace);
    if (now_ < claims_refused_until_) {
        // The finishing event may still sit in a client's retry queue (semantics 4).
        ++counters_.refused_claims;
        message->state = MessageState::kWaiting;
        message->retry_ms = claims_refused_until_;
        Schedule(person, message->retry_ms);
        return;
    }
    if (message->state == MessageState::kWaiting) {
        std::string reason = RefusalOf(person, in, *message);
        message = FindMessage(person, id);
        if (!reason.empty()) {
            ++counters_.refused_claims;
            Skip(person, *message, std::move(reason));
            return;
        }
    }
    Grant(person, *message);
}

void PersonFold::Grant(Person& person, Message& message) {
    message.state = MessageState::kClaimed;
    message.changed_ms = now_;
    message.retry_ms = base::kNeverMs;
    ++message.attempts;
    if (message.first_attempt_ms == 0) message.first_attempt_ms = now_;
    const auto* entry = FindEntry(person, message.entry);
    Announce(person, message, OutboxEvent::Kind::kGranted);
    OutboxEvent& event = outbox_.back();
    event.address = profile::EmailOf(person, names_);
    base::JsonWriter w(event.values);
    w.Begin('{').Key("person");
    std::string attributes;
    base::JsonWriter a(attributes);
    WriteAttributes(a, person, names_);
    // The id stands beside the attributes, unless one has that name.
    if (person.attributes.Find(names_.Find("id")).type == model::AttributeType::kNone) {
        attributes.pop_back();
        attributes += (attributes.size() > 1 ? ",\"id\":\"" : "\"id\":\"") +
                      model::ToText(person.id) + "\"}";
    }
    w.Raw(attributes).Key("event").Begin('{');
    if (entry != nullptr) {
        w.Key("name").String(entry->trigger).Key("key").String(entry->key);
        w.Key("properties").Raw(entry->properties.empty() ? "{}" : entry->properties);
        w.Key("time").Time(entry->entered_ms);
    }
    w.End('}').Key("journey").Begin('{');
    w.Key("id").String(catalog::JourneyId(message.journey)).End('}').End('}');
}

void PersonFold::ApplyOutcome(const model::Record& record, std::string_view payload) {
    const auto found = persons_.find(record.person);
    if (found == persons_.end()) return;
    Person& person = *found->second;
    if (person.moved()) {
        Forward(person, RecordKind::kOutcome, 0, 0, payload);
        return;
    }
    model::FactKey id;
    if (!ReadKeyField(payload, "message", id)) return;
    Message* message = FindMessage(person, id);
    if (message == nullptr || message->state != MessageState::kClaimed) return;
    Touch(person);
    const std::string state = ReadTextField(payload, "state");
    message->reason = ReadTextField(payload, "text").substr(0, kReasonBytesMax);
    message->changed_ms = now_;
    const int64_t retry_ms = ReadIntField(payload, "retry_ms");
    if (state == "temporary" && retry_ms > 0) {
        message->state = MessageState::kWaiting;
        message->retry_ms = retry_ms;
        MessageRow(person, *message, "Message Deferred");
        Schedule(person, retry_ms);
        return;
    }
    if (state == "sent") {
        message->state = MessageState::kSent;
        MessageRow(person, *message, "Message Sent");
        EmitEvent(person, "Email Sent", *message, {}, false);
    } else if (state == "ambiguous") {
        message->state = MessageState::kAmbiguous;
        MessageRow(person, *message, "Message Ambiguous");
    } else {
        message->state = MessageState::kFailed;
        MessageRow(person, *message, "Message Failed");
        if (ReadBoolField(payload, "bounce")) {
            person.facts->bounced_ms = now_;
            EmitEvent(person, "Email Bounced", *message, {}, false);
        }
    }
    Announce(person, *message, OutboxEvent::Kind::kClosed);
    moves_.clear();
    facts_.clear();
    In(person.workspace).runner.Settle(person, message->entry, now_, numbers_, facts_);
    FactRows(person, "message");
}

void PersonFold::ApplyReceipt(const model::Record& record, std::string_view payload) {
    const auto found = persons_.find(record.person);
    if (found == persons_.end()) return;
    Person& person = *found->second;
    if (person.moved()) {
        Forward(person, RecordKind::kReceipt, 0, 0, payload);
        return;
    }
    model::FactKey id;
    if (!ReadKeyField(payload, "message", id)) return;
    Message* message = FindMessage(person, id);
    const auto kind = static_cast<model::ReceiptKind>(ReadIntField(payload, "kind"));
    if (message == nullptr && kind != model::ReceiptKind::kUnsubscribed) return;
    Touch(person);
    Message gone;   // An unsubscribe counts also when the message is no longer kept.
    gone.id = id;
    const Message& about = message != nullptr ? *message : gone;
    switch (kind) {
        case model::ReceiptKind::kOpened:
        case model::ReceiptKind::kClicked: {
            auto& receipts = person.Facts().receipts;
            if (receipts.size() >= kReceiptsPendingMax) return;
            model::PendingReceipt receipt;
            receipt.due_ms = now_ + kReceiptPendingMs;
            receipt.message = id;
            receipt.kind = static_cast<uint8_t>(kind);
            receipt.link = static_cast<uint16_t>(ReadIntField(payload, "link"));
            receipt.at_ms = now_;
            receipt.machine = ReadBoolField(payload, "machine");
            receipt.url = ReadTextField(payload, "url");
            receipts.push_back(std::move(receipt));
            Schedule(person, now_ + kReceiptPendingMs);
            return;
        }
        case model::ReceiptKind::kUnsubscribed:
            if (person.Facts().unsubscribed_ms != 0) return;
            person.Facts().unsubscribed_ms = now_;
            EmitEvent(person, "Unsubscribed", about, {}, false);
            return;
        case model::ReceiptKind::kBounced:
            if (ReadBoolField(payload, "hard")) person.Facts().bounced_ms = now_;
            EmitEvent(person, "Email Bounced", about, {}, false);
            return;
        case model::ReceiptKind::kComplained:
            if (person.Facts().unsubscribed_ms == 0) person.Facts().unsubscribed_ms = now_;
            EmitEvent(person, "Email Marked As Spam", about, {}, false);
            return;
        case model::ReceiptKind::kDelivered:
            EmitEvent(person, "Email Delivered", about, {}, false);
            return;
    }
}

void PersonFold::EmitEvent(const Person& person, std::string_view name, const Message& about,
                           std::string_view more_properties, bool machine) {
    std::string properties = "{\"message_id\":\"" + model::ToText(about.id) +
                             "\",\"journey_id\":\"" + catalog::JourneyId(about.journey) + '"';
    properties += more_properties;
    properties += '}';
    model::Event event;
    event.type = model::EventType::kTrack;
    event.name = name;
    event.properties = properties;
    event.time_ms = event.received_ms = now_;
    event.trust = model::Trust::kSecret;
    event.is_bot = machine;
    event.person = person.id;
    event.source_key = "server";
    std::string canonical;
    model::AppendEventJson(canonical, event);
    Relay(stream_, RecordKind::kForwarded, person.workspace, person.id, 0, model::NameHash(name),
          [&](std::string& json) {
              json += ",\"kind\":" + std::to_string(static_cast<int>(RecordKind::kEvent)) +
                      ",\"log_ms\":" + std::to_string(now_) + ",\"payload\":" + canonical;
          });
}

}  // namespace server
