// What a condition names: for reference checks on save, for "used in", for the event mask of the
// evaluator, and for renaming.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "language/condition/expression.h"

namespace condition {

// Each list sorted and without doubles.
struct References {
    std::vector<std::string> events;
    std::vector<std::string> attributes;
    std::vector<std::string> segments;
    std::vector<std::pair<std::string, std::string>> properties;  // (event, property)
    bool first_touch = false;
    bool last_touch = false;
    bool since_entry = false;   // Has a meaning inside a journey only.
    bool relative_dates = false;  // An attribute comparison whose answer time alone changes.
};
References FindReferences(const Expression& expression);

// The tree with every mention of `from` replaced. Parts that do not change are shared with the
// given tree; when nothing changes the same pointer comes back.
ExpressionPtr RenameEvent(const ExpressionPtr& tree, std::string_view from, std::string_view to);
ExpressionPtr RenameAttribute(const ExpressionPtr& tree, std::string_view from,
                              std::string_view to);
ExpressionPtr RenameSegment(const ExpressionPtr& tree, std::string_view from, std::string_view to);
// Of one event: in its filters and aggregates.
ExpressionPtr RenameProperty(const ExpressionPtr& tree, std::string_view event,
                             std::string_view from, std::string_view to);

// Calls fn(const Expression&) for every node that is no And, Or or Not, in reading order. Filters
// (`where`) are part of their leaf and are not entered.
template <class Fn>
void ForEachLeaf(const Expression& expression, Fn&& fn) {
    if (const auto* all = std::get_if<And>(&expression.node)) {
        for (const auto& child : all->children) ForEachLeaf(*child, fn);
    } else if (const auto* any = std::get_if<Or>(&expression.node)) {
        for (const auto& child : any->children) ForEachLeaf(*child, fn);
    } else if (const auto* negated = std::get_if<Not>(&expression.node)) {
        ForEachLeaf(*negated->child, fn);
    } else {
        fn(expression);
    }
}

}  // namespace condition
