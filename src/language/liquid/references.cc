#include "language/liquid/references.h"

#include <algorithm>

#include "language/liquid/parser.h"

namespace liquid {

namespace {

constexpr int kRepeatsMax = 200;  // Of partials walked before.

}  // namespace

std::vector<Reference> ReferenceCollector::Collect() {
    Walk(program_->body);
    std::vector<Reference> references;
    references.reserve(found_.size());
    for (auto& [path, reference] : found_) references.push_back(std::move(reference));
    return references;
}

void ReferenceCollector::Add(const Expression& expression) {
    if (expression.type == Expression::Type::kRange) {
        Add(*expression.first);
        Add(*expression.last);
        return;
    }
    if (expression.type != Expression::Type::kPath) return;
    std::string path;
    bool open = true;  // Names after a computed one are not known.
    for (size_t i = 0; i < expression.path.size(); ++i) {
        const Segment& segment = expression.path[i];
        std::string_view name = segment.name;
        if (segment.index) {
            Add(*segment.index);
            const Expression& index = *segment.index;
            const bool text =
                index.type == Expression::Type::kLiteral && index.literal.IsString();
            if (!text) open = false;
            if (text) name = index.literal.text();
        }
        if (!open) continue;
        if (i > 0) path += '.';
        path += name;
    }
    if (path.empty()) return;
    const auto known = names_.find(std::string_view(path).substr(0, path.find('.')));
    if (known != names_.end() && known->second == Known::kSurely) return;
    const bool maybe_local = known != names_.end();
    const auto [place, added] = found_.try_emplace(path);
    Reference& reference = place->second;
    if (!added) {
        reference.maybe_local = reference.maybe_local && maybe_local;
        return;
    }
    reference.path = path;
    reference.maybe_local = maybe_local;
    const auto offset = static_cast<size_t>(expression.source.data() - program_->source.data());
    reference.at = PlaceOf(program_->source, offset);
    if (!program_->name.empty()) reference.at = program_->name + ":" + reference.at;
}

void ReferenceCollector::Add(const Filtered& filtered) {
    if (!filtered.present) return;
    Add(filtered.value);
    for (const FilterCall& call : filtered.filters) {
        for (const Expression& argument : call.arguments) Add(argument);
        if (call.allow_false) Add(*call.allow_false);
    }
}

void ReferenceCollector::Add(const Condition& condition) {
    for (const Test& test : condition) {
        Add(test.left);
        if (test.comparison != Comparison::kTruthy) Add(test.right);
    }
}

void ReferenceCollector::Add(const LoopHead& head) {
    Add(head.collection);
    if (head.limit) Add(*head.limit);
    if (head.offset) Add(*head.offset);
    if (head.columns) Add(*head.columns);
}

void ReferenceCollector::Walk(const Block& block) {
    for (const auto& node : block.nodes) node->Collect(*this);
}

void ReferenceCollector::WalkMaybe(const Block& block) {
    const Names before = names_;
    Walk(block);
    Names after = before;
    for (const auto& [name, known] : names_) after.try_emplace(name, Known::kMaybe);
    names_ = std::move(after);
}

void ReferenceCollector::Set(std::string_view name) {
    names_[std::string(name)] = Known::kSurely;
}

void ReferenceCollector::WalkWith(const std::vector<std::string_view>& names, const Block& block) {
    const Names before = names_;
    for (const std::string_view name : names) Set(name);
    Walk(block);
    Names after = before;
    for (const auto& [name, known] : names_) {
        const bool own = std::find(names.begin(), names.end(), name) != names.end();
        if (!own) after.try_emplace(name, Known::kMaybe);
    }
    names_ = std::move(after);
}

void ReferenceCollector::AddPartial(const Expression& name, bool isolated,
                                    const std::vector<std::string_view>& names) {
    const bool literal = name.type == Expression::Type::kLiteral && name.literal.IsString();
    if (!literal) Add(name);
    const Names before = names_;
    Names after = before;
    for (const auto& [key, program] : *program_->partials) {
        if (literal && key != name.literal.text()) continue;
        names_ = isolated ? Names() : before;
        for (const std::string_view own : names) Set(own);
        WalkProgram(program);
        if (isolated) continue;
        for (const auto& [set, known] : names_) after.try_emplace(set, Known::kMaybe);
    }
    names_ = std::move(after);
}

void ReferenceCollector::WalkProgram(const Program& program) {
    if (std::find(open_.begin(), open_.end(), &program) != open_.end()) return;
    if (open_.size() >= static_cast<size_t>(limits::kTemplateDepthMax)) return;
    // Partials that use each other twice would be walked 2^32 times.
    const bool first = walked_.insert(&program).second;
    if (!first && ++repeats_ > kRepeatsMax) return;
    const Program* const outer = program_;
    program_ = &program;
    open_.push_back(&program);
    Walk(program.body);
    open_.pop_back();
    program_ = outer;
}

// --- what each tag asks for --------------------------------------------------------------------

void OutputNode::Collect(ReferenceCollector& collector) const {
    collector.Add(value_);
}

void AssignNode::Collect(ReferenceCollector& collector) const {
    collector.Add(value_);
    collector.Set(name_);
}

void CaptureNode::Collect(ReferenceCollector& collector) const {
    collector.Walk(body_);
    collector.Set(name_);
}

void IfNode::Collect(ReferenceCollector& collector) const {
    for (const Branch& branch : branches_) {
        collector.Add(branch.condition);
        collector.WalkMaybe(branch.body);
    }
}

void CaseNode::Collect(ReferenceCollector& collector) const {
    collector.Add(value_);
    for (const When& when : whens_) {
        for (const Expression& value : when.values) collector.Add(value);
        collector.WalkMaybe(when.body);
    }
}

void ForNode::Collect(ReferenceCollector& collector) const {
    collector.Add(head_);
    collector.WalkWith({head_.variable, "forloop"}, body_);
    collector.WalkMaybe(otherwise_);
}

void TableRowNode::Collect(ReferenceCollector& collector) const {
    collector.Add(head_);
    collector.WalkWith({head_.variable, "tablerowloop"}, body_);
}

void CycleNode::Collect(ReferenceCollector& collector) const {
    if (group_) collector.Add(*group_);
    for (const Expression& item : items_) collector.Add(item);
}

void CounterNode::Collect(ReferenceCollector& collector) const {
    collector.Set(name_);
}

void IfChangedNode::Collect(ReferenceCollector& collector) const {
    collector.Walk(body_);
}

void PartialNode::Collect(ReferenceCollector& collector) const {
    std::vector<std::string_view> names;
    if (call_.bound) {
        collector.Add(*call_.bound);
        const bool literal = call_.name.literal.IsString();
        if (!call_.alias.empty()) {
            names.push_back(call_.alias);
        } else if (literal) {
            const std::string_view partial = call_.name.literal.text();
            names.push_back(partial.substr(partial.rfind('/') + 1));
        }
        names.push_back("forloop");
    }
    for (const NamedArgument& argument : call_.arguments) {
        collector.Add(argument.value);
        names.push_back(argument.name);
    }
    collector.AddPartial(call_.name, call_.isolated, names);
}

}  // namespace liquid
