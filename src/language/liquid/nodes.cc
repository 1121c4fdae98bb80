// How every tag prints itself.
#include "language/liquid/ast.h"

#include <algorithm>

#include "language/liquid/number.h"
#include "language/liquid/renderer.h"
#include "language/liquid/text.h"

namespace liquid {

bool Block::Blank() const {
    return std::all_of(nodes.begin(), nodes.end(), [](const auto& node) { return node->Blank(); });
}

void Block::DropText() {
    std::erase_if(nodes, [](const auto& node) { return node->IsText(); });
}

bool TextNode::Blank() const {
    return std::all_of(text_.begin(), text_.end(), IsSpace);
}

Flow TextNode::Render(Renderer& renderer) const {
    return renderer.AppendText(text_);
}

Flow OutputNode::Render(Renderer& renderer) const {
    return renderer.Print(renderer.Evaluate(value_));
}

Flow AssignNode::Render(Renderer& renderer) const {
    const Value value = renderer.Evaluate(value_);
    if (renderer.failed()) return Flow::kStop;
    renderer.Assign(name_, value);
    return Flow::kNext;
}

Flow CaptureNode::Render(Renderer& renderer) const {
    std::string_view text;
    const Flow flow = renderer.Captured(body_, text);
    if (flow == Flow::kStop) return flow;
    // Under escape_html the outputs inside were escaped, so the whole is HTML.
    renderer.Assign(name_, renderer.options().escape_html ? Value::SafeText(text)
                                                          : Value::Text(text));
    return flow;
}

IfNode::IfNode(std::vector<Branch> branches) : branches_(std::move(branches)) {
    for (const Branch& branch : branches_) blank_ = blank_ && branch.body.Blank();
    if (!blank_) return;
    for (Branch& branch : branches_) branch.body.DropText();
}

Flow IfNode::Render(Renderer& renderer) const {
    for (const Branch& branch : branches_) {
        const bool holds = branch.condition.empty() || renderer.Holds(branch.condition);
        if (renderer.failed()) return Flow::kStop;
        if (holds != branch.negated) return renderer.RenderBlock(branch.body);
    }
    return Flow::kNext;
}

CaseNode::CaseNode(Expression value, std::vector<When> whens)
    : value_(std::move(value)), whens_(std::move(whens)) {
    for (const When& when : whens_) blank_ = blank_ && when.body.Blank();
    if (!blank_) return;
    for (When& when : whens_) when.body.DropText();
}

Flow CaseNode::Render(Renderer& renderer) const {
    const Value value = renderer.EvaluateLax(value_);
    bool otherwise = true;
    // As the reference: every `when` that fits is printed, once for each value that does, and
    // every `else` while none has.
    for (const When& when : whens_) {
        if (when.otherwise) {
            if (!otherwise) continue;
            const Flow flow = renderer.RenderBlock(when.body);
            if (flow != Flow::kNext) return flow;
            continue;
        }
        for (const Expression& candidate : when.values) {
            const bool same = renderer.SameAs(value, renderer.EvaluateLax(candidate));
            if (renderer.failed() || !renderer.Spend(1)) return Flow::kStop;
            if (!same) continue;
            otherwise = false;
            const Flow flow = renderer.RenderBlock(when.body);
            if (flow != Flow::kNext) return flow;
        }
    }
    return Flow::kNext;
}

ForNode::ForNode(LoopHead head, Block body, Block otherwise)
    : head_(std::move(head)), body_(std::move(body)), otherwise_(std::move(otherwise)) {
    blank_ = body_.Blank() && otherwise_.Blank();
    if (!blank_) return;
    body_.DropText();
    otherwise_.DropText();
}

Flow ForNode::Render(Renderer& renderer) const {
    std::span<const Value> items;
    if (!renderer.LoopItems(head_, items)) return Flow::kStop;
    if (items.empty()) return renderer.RenderBlock(otherwise_);
    Scope& scope = renderer.scope();
    const ForLoop* const parent = scope.loops.empty() ? nullptr : scope.loops.back();
    auto* const loop = renderer.arena().New<ForLoop>(
        std::string_view(head_.name), static_cast<int64_t>(items.size()), parent);
    const size_t frame = scope.frames.size();
    scope.frames.push_back({"forloop", Value::Of(loop)});
    scope.frames.push_back({head_.variable, {}});
    scope.loops.push_back(loop);
    Flow flow = Flow::kNext;
    for (size_t i = 0; i < items.size(); ++i) {
        if (!renderer.Spend(1)) {
            flow = Flow::kStop;
            break;
        }
        loop->MoveTo(static_cast<int64_t>(i));
        scope.frames[frame + 1].value = items[i];
        flow = renderer.RenderBlock(body_);
        if (flow == Flow::kBreak || flow == Flow::kStop) break;
    }
    scope.loops.pop_back();
    scope.frames.resize(frame);
    return flow == Flow::kStop ? flow : Flow::kNext;
}

Flow TableRowNode::Render(Renderer& renderer) const {
    std::span<const Value> items;
    std::optional<int64_t> columns;
    if (!renderer.LoopItems(head_, items)) return Flow::kStop;
    if (head_.columns && !renderer.WholeOf(*head_.columns, columns)) return Flow::kStop;
    const auto length = static_cast<int64_t>(items.size());
    auto* const loop = renderer.arena().New<TableRowLoop>(
        length, std::max<int64_t>(columns.value_or(length), 1));
    Scope& scope = renderer.scope();
    const size_t frame = scope.frames.size();
    scope.frames.push_back({"tablerowloop", Value::Of(loop)});
    scope.frames.push_back({head_.variable, {}});
    const auto append_numbered = [&](std::string_view before, int64_t number) {
        std::string text(before);
        AppendInt(text, number);
        text += "\">";
        return renderer.AppendText(text);
    };
    Flow flow = renderer.AppendText("<tr class=\"row1\">\n");
    for (int64_t i = 0; i < length && flow != Flow::kStop; ++i) {
        loop->MoveTo(i);
        scope.frames[frame + 1].value = items[static_cast<size_t>(i)];
        if (!renderer.Spend(1)) flow = Flow::kStop;
        if (flow != Flow::kStop) flow = append_numbered("<td class=\"col", loop->column() + 1);
        if (flow != Flow::kStop) flow = renderer.RenderBlock(body_);
        if (flow == Flow::kStop) break;
        const bool broken = flow == Flow::kBreak;
        flow = renderer.AppendText("</td>");
        if (broken || flow == Flow::kStop) break;
        if (loop->LastOfRow() && i + 1 < length) {
            flow = renderer.AppendText("</tr>\n");
            if (flow != Flow::kStop) flow = append_numbered("<tr class=\"row", loop->row() + 1);
        }
    }
    scope.frames.resize(frame);
    return flow == Flow::kStop ? flow : renderer.AppendText("</tr>\n");
}

CycleNode::CycleNode(std::unique_ptr<Expression> group, std::vector<Expression> items)
    : group_(std::move(group)), items_(std::move(items)) {
    if (group_) return;
    for (const Expression& item : items_) {
        own_name_ += ',';
        own_name_ += item.source;
    }
}

Flow CycleNode::Render(Renderer& renderer) const {
    std::string_view name = own_name_;
    if (group_) name = renderer.TextOf(renderer.EvaluateLax(*group_));
    if (renderer.failed()) return Flow::kStop;
    auto& cycles = renderer.scope().cycles;
    auto place = std::find_if(cycles.begin(), cycles.end(),
                              [&](const auto& cycle) { return cycle.first == name; });
    if (!renderer.Spend(place - cycles.begin())) return Flow::kStop;
    if (place == cycles.end()) place = cycles.insert(place, {name, 0});
    const size_t i = place->second;
    place->second = i + 1 >= items_.size() ? 0 : i + 1;
    if (i >= items_.size()) return Flow::kNext;
    return renderer.Print(renderer.Evaluate(items_[i]));
}

Flow CounterNode::Render(Renderer& renderer) const {
    auto& counters = renderer.scope().counters;
    if (!renderer.SpendNames(counters.size())) return Flow::kStop;
    auto place = std::find_if(counters.begin(), counters.end(),
                              [&](const auto& counter) { return counter.first == name_; });
    if (place == counters.end()) place = counters.insert(place, {name_, 0});
    // increment prints, then counts; decrement counts, then prints.
    const int64_t shown = up_ ? place->second++ : --place->second;
    return renderer.Print(Value::Int(shown));
}

Flow IfChangedNode::Render(Renderer& renderer) const {
    std::string_view text;
    const Flow flow = renderer.Captured(body_, text);
    if (flow == Flow::kStop) return flow;
    std::string_view& seen = renderer.scope().changed;
    if (text == seen) return flow;
    seen = text;
    const Flow appended = renderer.AppendText(text);
    return appended == Flow::kNext ? flow : appended;
}

namespace {

// A partial for every item is a loop.
bool LoopAllowed(Renderer& renderer, const Value& items) {
    const auto most = static_cast<size_t>(renderer.options().loop_items_max);
    if (!items.IsArray() || items.items().size() <= most) return true;
    return renderer.Fail(base::ErrorCode::kTooLarge,
                         "a partial goes over more than " + std::to_string(most) + " items");
}

// "emails/footer" binds its item as "footer".
std::string_view BindingName(const PartialCall& call, std::string_view partial) {
    if (!call.alias.empty()) return call.alias;
    const size_t slash = partial.rfind('/');
    return slash == std::string_view::npos ? partial : partial.substr(slash + 1);
}

}  // namespace

Flow PartialNode::Render(Renderer& renderer) const {
    const Value name = renderer.Evaluate(call_.name);
    if (renderer.failed()) return Flow::kStop;
    renderer.At(call_.name.source);
    const auto& partials = *renderer.program().partials;
    const auto found = name.IsString() ? partials.find(name.text()) : partials.end();
    if (found == partials.end()) {
        renderer.Fail("there is no partial \"" +
                      std::string(renderer.TextOf(name).substr(0, 100)) + "\"");
        return Flow::kStop;
    }
    return call_.isolated ? RenderIsolated(renderer, found->second)
                          : RenderIncluded(renderer, found->second);
}

Flow PartialNode::RenderIncluded(Renderer& renderer, const Program& program) const {
    bool known = true;
    const Value bound = call_.bound ? renderer.EvaluateLax(*call_.bound)
                                    : renderer.FindName(program.name, known);
    Scope& scope = renderer.scope();
    const size_t frame = scope.frames.size();
    std::vector<Member> arguments;
    for (const NamedArgument& argument : call_.arguments) {
        arguments.push_back({argument.name, renderer.Evaluate(argument.value)});
    }
    if (renderer.failed() || !LoopAllowed(renderer, bound)) return Flow::kStop;
    scope.frames.insert(scope.frames.end(), arguments.begin(), arguments.end());
    const std::string_view name = BindingName(call_, program.name);
    Flow flow = Flow::kNext;
    if (bound.IsArray()) {
        scope.frames.push_back({name, {}});
        const size_t place = scope.frames.size() - 1;
        for (const Value& item : bound.items()) {
            scope.frames[place].value = item;
            if (!renderer.Spend(1)) flow = Flow::kStop;
            if (flow == Flow::kNext) flow = renderer.RenderProgram(program);
            if (flow != Flow::kNext) break;
        }
    } else {
        if (known) scope.frames.push_back({name, bound});
        flow = renderer.RenderProgram(program);
    }
    scope.frames.resize(frame);
    return flow;
}

Flow PartialNode::RenderIsolated(Renderer& renderer, const Program& program) const {
    const Value bound = call_.bound ? renderer.EvaluateLax(*call_.bound) : Value();
    std::vector<Member> arguments;
    for (const NamedArgument& argument : call_.arguments) {
        arguments.push_back({argument.name, renderer.Evaluate(argument.value)});
    }
    if (renderer.failed() || !LoopAllowed(renderer, bound)) return Flow::kStop;
    const bool each = call_.each && bound.IsArray();
    const size_t count = each ? bound.items().size() : 1;
    auto* const loop =
        renderer.arena().New<ForLoop>(program.name, static_cast<int64_t>(count), nullptr);
    const std::string_view name = BindingName(call_, program.name);
    Scope outer = std::move(renderer.scope());
    Flow flow = Flow::kNext;
    for (size_t i = 0; i < count && flow != Flow::kStop; ++i) {
        renderer.scope() = Scope();
        renderer.scope().locals = arguments;
        if (call_.bound) renderer.Assign(name, each ? bound.items()[i] : bound);
        if (each) renderer.Assign("forloop", Value::Of(loop));
        loop->MoveTo(static_cast<int64_t>(i));
        flow = renderer.Spend(1) ? renderer.RenderProgram(program) : Flow::kStop;
    }
    renderer.scope() = std::move(outer);
    return flow == Flow::kStop ? flow : Flow::kNext;
}

}  // namespace liquid
