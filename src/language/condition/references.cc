#include "language/condition/references.h"

#include <algorithm>

#include "language/condition/words.h"

namespace condition {
namespace {

// The events part of a leaf, or nullptr.
const Events* EventsOf(const Expression& leaf) {
    if (const auto* count = std::get_if<Count>(&leaf.node)) return &count->events;
    if (const auto* occurrence = std::get_if<Occurrence>(&leaf.node)) return &occurrence->events;
    if (const auto* aggregate = std::get_if<Aggregate>(&leaf.node)) return &aggregate->events;
    return nullptr;
}

void AddComparison(const Comparison& node, References& found) {
    switch (node.subject) {
        case Subject::kAttribute: found.attributes.push_back(node.name); break;
        case Subject::kFirstTouch: found.first_touch = true; break;
        case Subject::kLastTouch: found.last_touch = true; break;
        case Subject::kProperty: return;
    }
    found.relative_dates |= ShapeOf(node.op) == Shape::kSpan;
}

void AddEvents(const Events& events, References& found) {
    found.events.push_back(events.name);
    found.since_entry |= events.since_entry;
    if (events.where == nullptr) return;
    ForEachLeaf(*events.where, [&](const Expression& leaf) {
        if (const auto* property = std::get_if<Comparison>(&leaf.node)) {
            found.properties.emplace_back(events.name, property->name);
        }
    });
}

template <class List>
void Tidy(List& list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
}

template <class Node>
ExpressionPtr Make(Node node) {
    return std::make_shared<const Expression>(Expression{std::move(node)});
}

// The tree with fn applied to its leaves; fn gives back the same pointer for no change.
template <class Fn>
ExpressionPtr Rebuild(const ExpressionPtr& tree, const Fn& fn) {
    const auto all = [&](const auto& node) -> ExpressionPtr {
        auto copy = node;
        for (auto& child : copy.children) child = Rebuild(child, fn);
        return copy.children == node.children ? tree : Make(std::move(copy));
    };
    if (const auto* both = std::get_if<And>(&tree->node)) return all(*both);
    if (const auto* any = std::get_if<Or>(&tree->node)) return all(*any);
    if (const auto* negated = std::get_if<Not>(&tree->node)) {
        ExpressionPtr child = Rebuild(negated->child, fn);
        return child == negated->child ? tree : Make(Not{std::move(child)});
    }
    return fn(tree);
}

ExpressionPtr RenameComparison(const ExpressionPtr& leaf, Subject subject, std::string_view from,
                               std::string_view to) {
    const auto* node = std::get_if<Comparison>(&leaf->node);
    if (node == nullptr || node->subject != subject || node->name != from) return leaf;
    Comparison copy = *node;
    copy.name = to;
    return Make(std::move(copy));
}

// The leaf with its events part replaced.
ExpressionPtr WithEvents(const Expression& leaf, Events events) {
    Expression copy = leaf;
    if (auto* count = std::get_if<Count>(&copy.node)) count->events = std::move(events);
    if (auto* seen = std::get_if<Occurrence>(&copy.node)) seen->events = std::move(events);
    if (auto* total = std::get_if<Aggregate>(&copy.node)) total->events = std::move(events);
    return std::make_shared<const Expression>(std::move(copy));
}

}  // namespace

References FindReferences(const Expression& expression) {
    References found;
    ForEachLeaf(expression, [&](const Expression& leaf) {
        if (const auto* comparison = std::get_if<Comparison>(&leaf.node)) {
            AddComparison(*comparison, found);
        } else if (const auto* segment = std::get_if<InSegment>(&leaf.node)) {
            found.segments.push_back(segment->segment);
        } else if (const Events* events = EventsOf(leaf)) {
            AddEvents(*events, found);
        }
        if (const auto* total = std::get_if<Aggregate>(&leaf.node)) {
            found.properties.emplace_back(total->events.name, total->property);
        }
    });
    Tidy(found.events);
    Tidy(found.attributes);
    Tidy(found.segments);
    Tidy(found.properties);
    return found;
}

ExpressionPtr RenameEvent(const ExpressionPtr& tree, std::string_view from, std::string_view to) {
    return Rebuild(tree, [&](const ExpressionPtr& leaf) -> ExpressionPtr {
        const Events* events = EventsOf(*leaf);
        if (events == nullptr || events->name != from) return leaf;
        Events copy = *events;
        copy.name = to;
        return WithEvents(*leaf, std::move(copy));
    });
}

ExpressionPtr RenameAttribute(const ExpressionPtr& tree, std::string_view from,
                              std::string_view to) {
    return Rebuild(tree, [&](const ExpressionPtr& leaf) {
        return RenameComparison(leaf, Subject::kAttribute, from, to);
    });
}

ExpressionPtr RenameSegment(const ExpressionPtr& tree, std::string_view from, std::string_view to) {
    return Rebuild(tree, [&](const ExpressionPtr& leaf) -> ExpressionPtr {
        const auto* segment = std::get_if<InSegment>(&leaf->node);
        if (segment == nullptr || segment->segment != from) return leaf;
        return Make(InSegment{std::string(to)});
    });
}

ExpressionPtr RenameProperty(const ExpressionPtr& tree, std::string_view event,
                             std::string_view from, std::string_view to) {
    return Rebuild(tree, [&](const ExpressionPtr& leaf) -> ExpressionPtr {
        const Events* events = EventsOf(*leaf);
        if (events == nullptr || events->name != event) return leaf;
        ExpressionPtr changed = leaf;
        if (events->where != nullptr) {
            Events copy = *events;
            copy.where = Rebuild(copy.where, [&](const ExpressionPtr& part) {
                return RenameComparison(part, Subject::kProperty, from, to);
            });
            if (copy.where != events->where) changed = WithEvents(*leaf, std::move(copy));
        }
        const auto* total = std::get_if<Aggregate>(&changed->node);
        if (total == nullptr || total->property != from) return changed;
        Aggregate copy = *total;
        copy.property = to;
        return Make(std::move(copy));
    });
}

}  // namespace condition
