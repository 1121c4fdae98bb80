#include "language/condition/equal.h"

#include <type_traits>

#include "base/hash.h"
#include "language/condition/print.h"
#include "language/condition/print_options.h"

namespace condition {
namespace {

bool Same(const ExpressionPtr& a, const ExpressionPtr& b) {
    if (a == b) return true;
    return a != nullptr && b != nullptr && Equal(*a, *b);
}

bool Same(const std::vector<ExpressionPtr>& a, const std::vector<ExpressionPtr>& b) {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i) {
        if (!Same(a[i], b[i])) return false;
    }
    return true;
}

bool Same(const Events& a, const Events& b) {
    return a.name == b.name && a.within == b.within && a.since_entry == b.since_entry &&
           Same(a.where, b.where);
}

bool Same(const Everyone&, const Everyone&) { return true; }
bool Same(const And& a, const And& b) { return Same(a.children, b.children); }
bool Same(const Or& a, const Or& b) { return Same(a.children, b.children); }
bool Same(const Not& a, const Not& b) { return Same(a.child, b.child); }
bool Same(const Comparison& a, const Comparison& b) { return a == b; }
bool Same(const Count& a, const Count& b) {
    return a.at_least == b.at_least && a.at_most == b.at_most && Same(a.events, b.events);
}
bool Same(const Occurrence& a, const Occurrence& b) {
    return a.last == b.last && a.op == b.op && a.span == b.span && a.date_ms == b.date_ms &&
           a.date_text == b.date_text && Same(a.events, b.events);
}
bool Same(const Aggregate& a, const Aggregate& b) {
    return a.kind == b.kind && a.property == b.property && a.op == b.op && a.low == b.low &&
           a.high == b.high && Same(a.events, b.events);
}
bool Same(const InSegment& a, const InSegment& b) { return a.segment == b.segment; }

}  // namespace

bool Equal(const Expression& a, const Expression& b) {
    if (a.node.index() != b.node.index()) return false;
    return std::visit(
        [&](const auto& left) {
            return Same(left, std::get<std::decay_t<decltype(left)>>(b.node));
        },
        a.node);
}

uint64_t Hash(const Expression& expression) {
    uint64_t hash = 0;
    for (const char c : ToText(expression)) {
        hash = base::Mix64(hash ^ static_cast<uint8_t>(c));
    }
    return hash;
}

std::string LeafKey(const Expression& leaf) { return Print(leaf, Spelling::kByValue); }

}  // namespace condition
