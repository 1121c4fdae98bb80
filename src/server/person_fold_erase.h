// What is left in the place of a person whose workspace was deleted: nobody.
#pragma once

#include "model/person.h"

namespace server {

// Slots are not used again before the next start; one that is empty reads as somebody who moved
// away, to nowhere, and is in no workspace.
inline constexpr model::PersonId kNowhere{UINT64_MAX, UINT64_MAX};
inline bool IsGone(const model::Person& person) { return person.moved_to == kNowhere; }

}  // namespace server
