// The rules that every condition obeys, however it was written. Parse and FromJson return valid
// trees only; whoever builds a tree by hand asks here.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "language/condition/expression.h"

namespace condition {

enum class Place : uint8_t {
    kPerson,  // The condition itself: attributes, touches, events, segments.
    kFilter,  // Inside `where`: comparisons of properties, and, or, not.
};

// One node without its children and filter: the right number and kinds of values for the operator,
// names not empty and at most kNameBytesMax, patterns that RE2 reads, dates that read as ISO 8601,
// counts at most kCountThresholdMax, spans from 1 s to kConditionSpanMax.
// Errors: kInvalidArgument; the text is written for the user, `at` is empty.
base::Status CheckNode(const Expression& expression, Place place);

// The size of the whole: depth (a leaf is 1; a filter counts on), nodes, and the length of the
// canonical text, so that what was accepted in one form can be saved in the other.
// Errors: kTooLarge.
base::Status CheckSize(const Expression& expression);

// CheckNode on every node, and CheckSize.
base::Status Validate(const Expression& expression);

}  // namespace condition
