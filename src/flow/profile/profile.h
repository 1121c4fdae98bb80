// What an event tells of the person herself: ids, attributes, visits, first and last touch.
// Pure: the event, the person and the record's time in; what changed out.
#pragma once

#include <cstdint>
#include <vector>

#include "base/hash.h"
#include "base/time.h"
#include "model/event.h"
#include "model/names.h"
#include "model/person.h"

namespace profile {

struct Changed {
    std::vector<uint32_t> attributes;  // Numbers of names whose value is another now.
    bool touches = false;
    bool visit_started = false;
    void Clear() {
        attributes.clear();
        touches = visit_started = false;
    }
};

// A visit ends after this long without an act, in log time (semantics 12).
inline constexpr base::DurationMs kVisitIdleMs = 30 * base::kMinuteMs;

// Applies the event. An untrusted event never changes the email of a person whose ids a trusted
// call has named (semantics 15).
void Apply(model::Person& person, model::Names& names, const base::SipKey& workspace_secret,
           const model::EventView& event, base::TimeMs now, Changed& changed);

// The derived half of two persons that are one: attributes by their times, visits, touches, ids.
void Unite(model::Person& into, const model::Person& from);

// The address letters go to: the attribute "email" when it is one; else empty.
std::string_view EmailOf(const model::Person& person, const model::Names& names);

}  // namespace profile
