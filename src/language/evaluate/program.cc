#include "language/evaluate/program.h"

#include <algorithm>

namespace evaluate {

base::Result<Program> Program::Compile(const condition::Expression& expression,
                                       const LeafSource& leaves, const SegmentSource& segments) {
    Program program;
    TRY(program.Add(expression, leaves, segments));
    return program;
}

base::Status Program::Add(const condition::Expression& part, const LeafSource& leaves,
                          const SegmentSource& segments) {
    const size_t at = nodes_.size();
    nodes_.push_back({Kind::kLeaf, 0, 0});
    const auto add_all = [&](const auto& children) -> base::Status {
        for (const auto& child : children) TRY(Add(*child, leaves, segments));
        return {};
    };
    if (std::holds_alternative<condition::Everyone>(part.node)) {
        nodes_[at].kind = Kind::kEveryone;
    } else if (const auto* all = std::get_if<condition::And>(&part.node)) {
        nodes_[at].kind = Kind::kAll;
        TRY(add_all(all->children));
    } else if (const auto* any = std::get_if<condition::Or>(&part.node)) {
        nodes_[at].kind = Kind::kAny;
        TRY(add_all(any->children));
    } else if (const auto* negated = std::get_if<condition::Not>(&part.node)) {
        nodes_[at].kind = Kind::kNot;
        TRY(Add(*negated->child, leaves, segments));
    } else if (const auto* in = std::get_if<condition::InSegment>(&part.node)) {
        nodes_[at].kind = Kind::kSegment;
        TRY_ASSIGN(const uint32_t number, segments(in->segment));
        nodes_[at].index = number;
        segments_.push_back(nodes_[at].index);
    } else {
        TRY_ASSIGN(LeafPtr leaf, leaves(part));
        const auto same = std::find(leaves_.begin(), leaves_.end(), leaf);
        nodes_[at].index = static_cast<uint32_t>(same - leaves_.begin());
        if (same == leaves_.end()) leaves_.push_back(std::move(leaf));
    }
    nodes_[at].end = static_cast<uint32_t>(nodes_.size());
    return {};
}

bool Program::Eval(uint32_t at, const Context& context) const {
    const Node& node = nodes_[at];
    switch (node.kind) {
        case Kind::kEveryone: return true;
        case Kind::kLeaf: return leaves_[node.index]->Holds(context);
        case Kind::kSegment: return context.person.InSegment(node.index);
        case Kind::kNot: return !Eval(at + 1, context);
        case Kind::kAll:
        case Kind::kAny: {
            const bool stop_on = node.kind == Kind::kAny;
            for (uint32_t child = at + 1; child < node.end; child = nodes_[child].end) {
                if (Eval(child, context) == stop_on) return stop_on;
            }
            return !stop_on;
        }
    }
    return false;
}

base::TimeMs Program::NextFlip(const Context& context) const {
    base::TimeMs next = base::kNeverMs;
    for (const auto& leaf : leaves_) {
        if (leaf->depends_on_time()) next = std::min(next, leaf->NextFlip(context));
    }
    return next;
}

}  // namespace evaluate
