// Where a visit came from, packed for keeping: first touch and last touch of a person.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"

namespace model {

struct Touch {
    base::TimeMs at_ms = 0;
    std::string_view source, medium, campaign, term, content, referrer, kind;
    // "source", "medium", ...; empty view when the name is none of these.
    std::string_view Find(std::string_view name) const;
};

std::string PackTouch(const Touch& touch);
Touch UnpackTouch(std::string_view bytes);  // Views into `bytes`; all empty when bytes is empty.

}  // namespace model
