#include "flow/profile/profile.h"

#include <algorithm>
#include <tuple>

#include "base/limits.h"
#include "model/touch.h"

namespace profile {
namespace {

using model::AttributeType;
using model::AttributeValue;
using model::Person;

uint32_t Seconds(base::TimeMs time) {
    return static_cast<uint32_t>(std::clamp<int64_t>(time / 1000, 0, UINT32_MAX));
}

AttributeValue ValueOf(const model::Property& p, uint32_t set_s) {
    AttributeValue v;
    v.set_s = set_s;
    switch (p.kind) {
        case model::Property::Kind::kText:
            v.type = AttributeType::kText;
            v.text = p.text.substr(0, limits::kAttributeBytesMax);
            break;
        case model::Property::Kind::kNumber:
            v.type = AttributeType::kNumber;
            v.number = p.number;
            break;
        case model::Property::Kind::kBool:
            v.type = p.truth ? AttributeType::kTrue : AttributeType::kFalse;
            break;
        case model::Property::Kind::kNull: v.type = AttributeType::kNone; break;
        case model::Property::Kind::kJson:
            // Cut JSON would be no JSON: a list or object beyond the limit is not taken.
            if (p.text.size() <= limits::kAttributeBytesMax) {
                v.type = AttributeType::kJson;
                v.text = p.text;
            }
            break;
    }
    return v;
}

void AddId(Person& person, model::IdKind kind, std::string_view text,
           const base::SipKey& secret) {
    if (text.empty() || person.ids.size() >= limits::kIdsPerPersonMax) return;
    for (const auto& key : person.ids) {
        if (key.kind == kind && key.text == text) return;
    }
    model::PersonKey key;
    key.kind = kind;
    key.text = text;
    key.hash = model::PersonOf(secret, kind, text);
    key.confirmed = key.hash == person.id;
    if (!key.confirmed && person.facts) {
        const auto& merged = person.facts->merged;
        key.confirmed = std::find(merged.begin(), merged.end(), key.hash) != merged.end();
    }
    const auto at = std::upper_bound(
        person.ids.begin(), person.ids.end(), key, [](const auto& a, const auto& b) {
            return std::tie(a.kind, a.text) < std::tie(b.kind, b.text);
        });
    person.ids.insert(at, std::move(key));
}

void SetText(Person& person, model::Names& names, std::string_view name, std::string_view text,
             Changed& changed) {
    if (text.empty()) return;
    const uint32_t number = names.Number(name);
    if (number == model::Names::kUnknown) return;
    AttributeValue v;
    v.type = AttributeType::kText;
    v.text = text.substr(0, limits::kAttributeBytesMax);
    // Time 0: what the surroundings tell never overwrites what the person told.
    if (person.attributes.Set(number, v)) changed.attributes.push_back(number);
}

void ApplyTraits(Person& person, model::Names& names, const model::EventView& event,
                 Changed& changed) {
    const uint32_t set_s = std::max<uint32_t>(1, Seconds(event.time_ms));
    const bool guarded = person.trusted && event.trust == model::Trust::kPublicKey;
    const auto set = [&](const model::Property& p, bool once) {
        if (p.key.size() > limits::kNameBytesMax || p.key.empty()) return;
        if (guarded && p.key == "email") return;
        const uint32_t number = names.Number(p.key);
        if (number == model::Names::kUnknown) return;
        if (once && person.attributes.Find(number).type != AttributeType::kNone) return;
        std::string normal;
        AttributeValue v = ValueOf(p, set_s);
        if (p.key == "email" && v.type == AttributeType::kText) {
            normal = model::NormalEmail(v.text);
            v.text = normal;
        }
        if (person.attributes.Set(number, v)) changed.attributes.push_back(number);
    };
    for (const auto& p : event.traits) set(p, false);
    for (const auto& p : event.traits_once) set(p, true);
    if (!event.email.empty() && !guarded && event.FindTrait("email") == nullptr) {
        model::Property email;
        email.key = "email";
        email.kind = model::Property::Kind::kText;
        email.text = event.email;
        set(email, false);
    }
    if (!event.group_id.empty()) {
        model::Property company;
        company.key = "company_id";
        company.kind = model::Property::Kind::kText;
        company.text = event.group_id;
        set(company, false);
    }
}

// Direct visits are a last touch only while nothing better is known.
int Rank(const model::Touch& touch) { return touch.kind == "direct" ? 0 : 1; }

bool Earlier(const std::string& a, const std::string& b) {
    return std::pair(model::UnpackTouch(a).at_ms, std::string_view(a)) <
           std::pair(model::UnpackTouch(b).at_ms, std::string_view(b));
}

bool LaterTouch(const std::string& a, const std::string& b) {
    const auto x = model::UnpackTouch(a), y = model::UnpackTouch(b);
    return std::tuple(Rank(x), x.at_ms, std::string_view(a)) >
           std::tuple(Rank(y), y.at_ms, std::string_view(b));
}

void ApplyTouch(Person& person, const model::EventView& event, Changed& changed) {
    const auto& s = event.source;
    if (s.kind.empty() || s.kind == "internal") return;
    if (s.kind == "direct" && !changed.visit_started) return;
    const model::Touch touch{event.time_ms, s.source,  s.medium,        s.campaign,
                             s.term,        s.content, s.referrer_host, s.kind};
    const model::Touch last = model::UnpackTouch(person.last_touch);
    const bool first_may_change =
        person.first_touch.empty() || touch.at_ms <= model::UnpackTouch(person.first_touch).at_ms;
    const auto worth = [](const model::Touch& t) { return std::pair(Rank(t), t.at_ms); };
    const bool last_may_change = person.last_touch.empty() || worth(touch) >= worth(last);
    if (!first_may_change && !last_may_change) return;
    const std::string packed = model::PackTouch(touch);
    if (first_may_change && (person.first_touch.empty() || Earlier(packed, person.first_touch))) {
        person.first_touch = packed;
        changed.touches = true;
    }
    // Ties: the greater bytes.
    if (last_may_change && (person.last_touch.empty() || worth(touch) > worth(last) ||
                            packed > person.last_touch)) {
        person.last_touch = packed;
        changed.touches = true;
    }
}

bool IsAct(const model::EventView& event) {
    return event.type == model::EventType::kPage || event.type == model::EventType::kScreen ||
           (!event.anonymous_id.empty() && event.trust != model::Trust::kSecret);
}

}  // namespace

void Apply(Person& person, model::Names& names, const base::SipKey& workspace_secret,
           const model::EventView& event, base::TimeMs now, Changed& changed) {
    ++person.events;
    if (person.created_ms == 0 || event.time_ms < person.created_ms) {
        person.created_ms = event.time_ms;
    }
    AddId(person, model::IdKind::kUser, event.user_id, workspace_secret);
    AddId(person, model::IdKind::kEmail, event.email, workspace_secret);
    AddId(person, model::IdKind::kAnonymous, event.anonymous_id, workspace_secret);
    if (event.trust != model::Trust::kPublicKey && !person.trusted &&
        (!event.user_id.empty() || !event.email.empty())) {
        person.trusted = true;
    }
    if (!event.traits.empty() || !event.traits_once.empty() || !event.email.empty() ||
        !event.group_id.empty()) {
        ApplyTraits(person, names, event, changed);
    }
    // What the server itself did to her is no sign of life.
    if (event.is_bot || event.source_key == "server") return;
    person.seen_ms = std::max(person.seen_ms, event.time_ms);
    if (!event.import && IsAct(event)) {
        if (person.visit_ms == 0 || now - person.visit_ms > kVisitIdleMs) {
            ++person.visits;
            changed.visit_started = true;
            SetText(person, names, "country", event.place.country, changed);
            SetText(person, names, "region", event.place.region, changed);
            SetText(person, names, "city", event.place.city, changed);
            SetText(person, names, "device", event.device.type, changed);
            SetText(person, names, "os", event.device.os, changed);
            SetText(person, names, "browser", event.device.browser, changed);
            SetText(person, names, "language", event.locale, changed);
            SetText(person, names, "timezone", event.timezone, changed);
        }
        person.visit_ms = now;
    }
    ApplyTouch(person, event, changed);
}

void Unite(Person& into, const Person& from) {
    into.attributes.Unite(from.attributes);
    into.visits += from.visits;
    into.events += from.events;
    if (from.created_ms != 0 && (into.created_ms == 0 || from.created_ms < into.created_ms)) {
        into.created_ms = from.created_ms;
    }
    into.seen_ms = std::max(into.seen_ms, from.seen_ms);
    into.visit_ms = std::max(into.visit_ms, from.visit_ms);
    into.trusted = into.trusted || from.trusted;
    if (!from.first_touch.empty() &&
        (into.first_touch.empty() || Earlier(from.first_touch, into.first_touch))) {
        into.first_touch = from.first_touch;
    }
    if (!from.last_touch.empty() &&
        (into.last_touch.empty() || LaterTouch(from.last_touch, into.last_touch))) {
        into.last_touch = from.last_touch;
    }
    for (const auto& key : from.ids) {
        auto same = std::find_if(into.ids.begin(), into.ids.end(), [&](const auto& k) {
            return k.kind == key.kind && k.text == key.text;
        });
        if (same != into.ids.end()) {
            same->confirmed = same->confirmed || key.confirmed;
        } else if (into.ids.size() < limits::kIdsPerPersonMax) {
            into.ids.push_back(key);
        }
    }
    std::sort(into.ids.begin(), into.ids.end(), [](const auto& a, const auto& b) {
        return std::tie(a.kind, a.text) < std::tie(b.kind, b.text);
    });
}

std::string_view EmailOf(const Person& person, const model::Names& names) {
    const uint32_t number = names.Find("email");
    if (number == model::Names::kUnknown) return {};
    const AttributeValue v = person.attributes.Find(number);
    return v.type == AttributeType::kText && model::LooksLikeEmail(v.text) ? v.text
                                                                           : std::string_view();
}

}  // namespace profile
