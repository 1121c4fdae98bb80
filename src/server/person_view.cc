#include "server/person_view.h"

#include "catalog/catalog.h"
#include "model/touch.h"

namespace server {
namespace {

void WriteTouch(base::JsonWriter& w, std::string_view key, const std::string& bytes) {
    w.Key(key);
    if (bytes.empty()) {
        w.Null();
        return;
    }
    const model::Touch t = model::UnpackTouch(bytes);
    w.Begin('{').Key("time").Time(t.at_ms);
    for (const std::string_view part :
         {"kind", "source", "medium", "campaign", "term", "content", "referrer"}) {
        const std::string_view value = t.Find(part);
        if (!value.empty()) w.Key(part).String(value);
    }
    w.End('}');
}

void WriteIds(base::JsonWriter& w, std::string_view key, const model::Person& person,
              model::IdKind kind) {
    w.Key(key).Begin('[');
    for (const auto& id : person.ids) {
        if (id.kind == kind && id.confirmed) w.String(id.text);
    }
    w.End(']');
}

std::string_view EndName(model::EntryEnd end) {
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

void WriteAttributes(base::JsonWriter& w, const model::Person& person, const model::Names& names) {
    w.Begin('{');
    person.attributes.ForEach([&](uint32_t name, const model::AttributeValue& v) {
        w.Key(names.Text(name));
        switch (v.type) {
            case model::AttributeType::kText: w.String(v.text); break;
            case model::AttributeType::kNumber: w.Double(v.number); break;
            case model::AttributeType::kTrue: w.Bool(true); break;
            case model::AttributeType::kFalse: w.Bool(false); break;
            case model::AttributeType::kJson: w.Raw(v.text); break;
            case model::AttributeType::kNone: w.Null(); break;
        }
    });
    w.End('}');
}

void WritePerson(base::JsonWriter& w, const model::Person& person, const model::Names& names,
                 const NameOf& segment_name, const NameOf& journey_name) {
    w.Begin('{').Key("id").String(model::ToText(person.id));
    WriteIds(w, "user_ids", person, model::IdKind::kUser);
    WriteIds(w, "emails", person, model::IdKind::kEmail);
    WriteIds(w, "anonymous_ids", person, model::IdKind::kAnonymous);
    w.Key("attributes");
    WriteAttributes(w, person, names);
    w.Key("segments").Begin('[');
    for (const auto& m : person.segments) {
        w.Begin('{').Key("id").String(catalog::SegmentId(m.segment));
        w.Key("name").String(segment_name(m.segment));
        w.Key("since").Time(m.since_ms).End('}');
    }
    w.End(']').Key("journeys").Begin('[');
    if (person.facts) {
        for (const auto& e : person.facts->entries) {
            w.Begin('{').Key("id").String(catalog::JourneyId(e.journey));
            w.Key("name").String(journey_name(e.journey));
            w.Key("entry").String(model::ToText(e.id));
            w.Key("version").Int(e.version).Key("entered").Time(e.entered_ms);
            if (!e.key.empty()) w.Key("key").String(e.key);
            w.Key("state").String(EndName(e.end));
            if (e.end != model::EntryEnd::kOpen) w.Key("ended").Time(e.ended_ms);
            if (e.due_ms != base::kNeverMs) w.Key("waits_until").Time(e.due_ms);
            w.End('}');
        }
    }
    w.End(']');
    WriteTouch(w, "first_touch", person.first_touch);
    WriteTouch(w, "last_touch", person.last_touch);
    w.Key("visits").Int(person.visits).Key("events").Int(person.events);
    w.Key("first_seen").Time(person.created_ms).Key("last_seen").Time(person.seen_ms);
    w.Key("trusted").Bool(person.trusted);
    const auto* facts = person.facts.get();
    w.Key("unsubscribed");
    if (facts != nullptr && facts->unsubscribed_ms != 0) {
        w.Time(facts->unsubscribed_ms);
    } else {
        w.Null();
    }
    w.Key("merged").Begin('[');
    if (facts != nullptr) {
        for (const auto& id : facts->merged) w.String(model::ToText(id));
    }
    w.End(']').Key("pending_claims").Begin('[');
    if (facts != nullptr && !facts->claims.empty()) w.Raw(facts->claims);
    w.End(']').End('}');
}

void WriteMessage(base::JsonWriter& w, const model::Person& person, const model::Message& m,
                  std::string_view step) {
    w.Begin('{').Key("id").String(model::ToText(m.id));
    w.Key("person_id").String(model::ToText(person.id));
    w.Key("journey_id").String(catalog::JourneyId(m.journey));
    w.Key("entry").String(model::ToText(m.entry));
    w.Key("step").String(step).Key("channel").String("email");
    w.Key("state").String(model::MessageStateName(m.state)).Key("reason").String(m.reason);
    w.Key("attempts").Int(m.attempts);
    w.Key("created").Time(m.created_ms).Key("time").Time(m.changed_ms);
    w.Key("opened");
    if (m.opened_ms != 0) w.Time(m.opened_ms); else w.Null();
    w.Key("clicked");
    if (m.clicked_ms != 0) w.Time(m.clicked_ms); else w.Null();
    w.End('}');
}

}  // namespace server
