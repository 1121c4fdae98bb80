#include "language/liquid/renderer.h"

#include <algorithm>
#include <cmath>

#include "language/liquid/filters.h"
#include "language/liquid/number.h"
#include "language/liquid/parser.h"
#include "language/liquid/text.h"

namespace liquid {

Value ForLoop::Find(std::string_view name, Arena&) const {
    if (name == "index") return Value::Int(index_ + 1);
    if (name == "index0") return Value::Int(index_);
    if (name == "rindex") return Value::Int(length_ - index_);
    if (name == "rindex0") return Value::Int(length_ - index_ - 1);
    if (name == "first") return Value::Bool(index_ == 0);
    if (name == "last") return Value::Bool(index_ + 1 == length_);
    if (name == "length") return Value::Int(length_);
    if (name == "name") return Value::Text(name_);
    if (name == "parentloop" && parent_ != nullptr) return Value::Of(parent_);
    return {};
}

Value TableRowLoop::Find(std::string_view name, Arena&) const {
    if (name == "index") return Value::Int(index_ + 1);
    if (name == "index0") return Value::Int(index_);
    if (name == "rindex") return Value::Int(length_ - index_);
    if (name == "rindex0") return Value::Int(length_ - index_ - 1);
    if (name == "first") return Value::Bool(index_ == 0);
    if (name == "last") return Value::Bool(index_ + 1 == length_);
    if (name == "length") return Value::Int(length_);
    if (name == "row") return Value::Int(row());
    if (name == "col") return Value::Int(column() + 1);
    if (name == "col0") return Value::Int(column());
    if (name == "col_first") return Value::Bool(column() == 0);
    if (name == "col_last") return Value::Bool(column() + 1 == columns_);
    return {};
}

base::Result<std::string> Renderer::Run() {
    out_.reserve(program_->source.size() + program_->source.size() / 8 + 64);
    RenderBlock(program_->body);
    if (error_) return tl::make_unexpected(std::move(*error_));
    return std::move(out_);
}

bool Renderer::Fail(base::ErrorCode code, std::string text) {
    if (error_) return false;
    base::Error error{code, text, std::move(text), {}};
    const std::string& source = program_->source;
    const bool inside = !place_.empty() && place_.data() >= source.data() &&
                        place_.data() <= source.data() + source.size();
    if (inside) {
        error.at = PlaceOf(source, static_cast<size_t>(place_.data() - source.data()));
        if (!program_->name.empty()) error.at = program_->name + ":" + error.at;
    }
    error_ = std::move(error);
    return false;
}

bool Renderer::FailSteps() {
    return Fail(base::ErrorCode::kTooLarge, "the template takes more than " +
                                                std::to_string(options_.steps_max) + " steps");
}

Flow Renderer::RenderBlock(const Block& block) {
    for (const auto& node : block.nodes) {
        if (!Spend(1)) return Flow::kStop;
        const Flow flow = node->Render(*this);
        if (flow != Flow::kNext) return flow;
    }
    return Flow::kNext;
}

Flow Renderer::AppendText(std::string_view text) {
    if (out_.size() + text.size() > options_.output_bytes_max) {
        Fail(base::ErrorCode::kTooLarge,
             "the output is larger than " + std::to_string(options_.output_bytes_max) + " bytes");
        return Flow::kStop;
    }
    if (!SpendCopy(text.size())) return Flow::kStop;
    out_ += text;
    return Flow::kNext;
}

Flow Renderer::Print(const Value& value) {
    if (failed()) return Flow::kStop;
    const bool escaped = options_.escape_html && !value.safe();
    if (value.IsString() && !escaped) return AppendText(value.text());
    if (value.kind() == Kind::kInt) {
        if (out_.size() + 24 > options_.output_bytes_max) return AppendText(TextOf(value));
        AppendInt(out_, value.int_value());
        return Flow::kNext;
    }
    const std::string_view text = TextOf(value);
    if (failed()) return Flow::kStop;
    if (!escaped) return AppendText(text);
    const size_t before = out_.size();
    if (before + text.size() > options_.output_bytes_max) return AppendText(text);
    AppendHtmlEscaped(out_, text);
    if (!SpendBytes(out_.size() - before)) return Flow::kStop;
    return AppendText({});
}

std::string_view Renderer::TextOf(const Value& value) {
    if (value.IsString()) return value.text();
    if (value.IsNil()) return {};
    std::string text;
    TextBounds bounds;
    bounds.bytes_max = options_.output_bytes_max;
    bounds.steps_max = options_.steps_max - steps_;
    liquid::AppendText(text, value, bounds);
    if (text.size() > options_.output_bytes_max) {
        Fail(base::ErrorCode::kTooLarge, "a text is larger than " +
                                             std::to_string(options_.output_bytes_max) + " bytes");
        return {};
    }
    if (!Spend(bounds.steps - 1) || !SpendBytes(text.size())) return {};
    return arena_.Copy(text);
}

Flow Renderer::Captured(const Block& block, std::string_view& text) {
    std::string outer;
    std::swap(outer, out_);
    const Flow flow = RenderBlock(block);
    std::swap(outer, out_);
    if (failed()) return Flow::kStop;
    if (!SpendCopy(outer.size())) return Flow::kStop;
    text = arena_.Copy(outer);
    return flow;
}

Flow Renderer::RenderProgram(const Program& program) {
    if (partial_depth_ >= limits::kTemplateDepthMax) {
        Fail(base::ErrorCode::kTooLarge, "partials are nested more than " +
                                             std::to_string(limits::kTemplateDepthMax) + " deep");
        return Flow::kStop;
    }
    ++partial_depth_;
    const Program* const outer = program_;
    program_ = &program;
    const Flow flow = RenderBlock(program.body);
    program_ = outer;
    --partial_depth_;
    return flow;
}

Value Renderer::FindName(std::string_view name, bool& found) {
    found = true;
    const size_t names = scope_.frames.size() + scope_.locals.size() + scope_.counters.size() +
                         (globals_.IsObject() ? globals_.members().size() : 0);
    if (!SpendNames(names)) return {};
    for (auto it = scope_.frames.rbegin(); it != scope_.frames.rend(); ++it) {
        if (it->name == name) return it->value;
    }
    for (const Member& local : scope_.locals) {
        if (local.name == name) return local.value;
    }
    for (const auto& [counter, value] : scope_.counters) {
        if (counter == name) return Value::Int(value);
    }
    if (globals_.IsObject()) {
        for (const Member& member : globals_.members()) {
            if (member.name == name) return member.value;
        }
        found = false;
        return {};
    }
    const Value value = globals_.Find(name, arena_);
    found = !value.IsNil();
    return value;
}

void Renderer::Assign(std::string_view name, const Value& value) {
    if (!SpendNames(scope_.locals.size())) return;
    for (Member& local : scope_.locals) {
        if (local.name != name) continue;
        local.value = value;
        return;
    }
    scope_.locals.push_back({name, value});
}

Value Renderer::Follow(const Value& value, const Segment& segment) {
    Value key = segment.index ? Evaluate(*segment.index) : Value::Text(segment.name);
    if (failed()) return {};
    const bool dotted = segment.index == nullptr;
    if (value.IsArray()) {
        const std::span<const Value> items = value.items();
        const auto size = static_cast<int64_t>(items.size());
        if (key.kind() == Kind::kInt) {
            int64_t i = key.int_value();
            if (i < 0 && i >= -size) i += size;
            return i >= 0 && i < size ? items[static_cast<size_t>(i)] : Value();
        }
        if (!dotted) return {};
        if (key.text() == "size") return Value::Int(size);
        if (size == 0) return {};
        if (key.text() == "first") return items.front();
        if (key.text() == "last") return items.back();
        return {};
    }
    if (value.IsObject()) {
        if (!key.IsString()) return {};
        const std::string_view name = key.text();
        if (!SpendNames(value.members().size())) return {};
        for (const Member& member : value.members()) {
            if (member.name == name) return member.value;
        }
        if (!dotted) return {};
        if (name == "size") return Value::Int(static_cast<int64_t>(value.members().size()));
        if (name == "first" && !value.members().empty()) {
            Value* const pair = arena_.Make<Value>(2);
            pair[0] = Value::Text(value.members()[0].name);
            pair[1] = value.members()[0].value;
            return Value::Array({pair, 2});
        }
        return {};
    }
    if (value.kind() == Kind::kDrop) {
        return key.IsString() ? value.drop()->Find(key.text(), arena_) : Value();
    }
    if (!dotted) return {};
    if (value.IsString() && key.text() == "size") {
        if (!SpendBytes(value.text().size())) return {};
        return Value::Int(static_cast<int64_t>(CharacterCount(value.text())));
    }
    if (value.kind() == Kind::kRange && value.range_size() > 0) {
        if (key.text() == "first") return Value::Int(value.range_first());
        if (key.text() == "last") return Value::Int(value.range_last());
        if (key.text() == "size") {
            return Value::Int(static_cast<int64_t>(
                std::min<uint64_t>(value.range_size(), INT64_MAX)));
        }
    }
    return {};
}

Value Renderer::Undefined(const Expression& expression) {
    if (options_.strict_variables && !lax_) {
        Fail("there is no \"" + std::string(expression.source.substr(0, 100)) + "\"");
    }
    return {};
}

Value Renderer::Evaluate(const Expression& expression) {
    if (expression.type == Expression::Type::kLiteral) return expression.literal;
    if (expression.type == Expression::Type::kRange) {
        const Value first = Evaluate(*expression.first);
        const Value last = Evaluate(*expression.last);
        return Value::Range(ToInt(first), ToInt(last));
    }
    place_ = expression.source;
    bool found = true;
    Value value;
    if (expression.path[0].index) {
        const Value name = Evaluate(*expression.path[0].index);
        if (name.IsString()) value = FindName(name.text(), found);
    } else {
        value = FindName(expression.path[0].name, found);
    }
    if (!found) return Undefined(expression);
    for (size_t i = 1; i < expression.path.size(); ++i) {
        value = Follow(value, expression.path[i]);
        if (value.IsNil()) return Undefined(expression);
    }
    return value;
}

Value Renderer::Evaluate(const Filtered& filtered) {
    if (!filtered.present) return {};
    // `default` is for names that are not there, so strictness does not apply to its input.
    const bool excused =
        !filtered.filters.empty() && filtered.filters[0].filter->takes_allow_false;
    Value value = excused ? EvaluateLax(filtered.value) : Evaluate(filtered.value);
    for (const FilterCall& call : filtered.filters) {
        if (failed() || !Spend(1)) return {};
        Value arguments[2];
        for (size_t i = 0; i < call.arguments.size(); ++i) {
            arguments[i] = Evaluate(call.arguments[i]);
        }
        const bool allow_false = call.allow_false && Evaluate(*call.allow_false).Truthy();
        if (failed()) return {};
        place_ = call.source;
        FilterCallContext context(*this, {arguments, call.arguments.size()}, allow_false);
        value = call.filter->function(context, value);
    }
    return value;
}

bool Renderer::SameAs(const Value& a, const Value& b) {
    int64_t steps = 0;
    const bool same = Equal(a, b, steps);
    return Spend(steps - 1) && same;
}

bool Renderer::OrderHolds(Comparison comparison, const Value& left, const Value& right) {
    int order = 0;
    const auto ordered = [](const Value& v) { return v.IsString() || v.IsNumber(); };
    if (!ordered(left) || !ordered(right)) return false;
    if (left.IsString() != right.IsString()) {
        return Fail("cannot compare a text with a number");
    }
    if (left.IsString()) {
        if (!SpendBytes(std::min(left.text().size(), right.text().size()))) return false;
        order = left.text().compare(right.text());
    } else {
        order = CompareNumbers(left, right);
    }
    switch (comparison) {
        case Comparison::kLess: return order < 0;
        case Comparison::kLessOrEqual: return order <= 0;
        case Comparison::kGreater: return order > 0;
        default: return order >= 0;
    }
}

bool Renderer::Contains(const Value& left, const Value& right) {
    if (!right.Truthy()) return false;
    switch (left.kind()) {
        case Kind::kString: {
            const std::string_view needle = TextOf(right);
            if (failed() || !SpendBytes(left.text().size())) return false;
            return FindText(left.text(), needle) != std::string_view::npos;
        }
        case Kind::kArray:
            return std::any_of(left.items().begin(), left.items().end(), [&](const Value& item) {
                return Spend(1) && SameAs(item, right);
            });
        case Kind::kObject: return right.IsString() && left.Has(right.text());
        case Kind::kDrop:
            return right.IsString() && !left.drop()->Find(right.text(), arena_).IsNil();
        case Kind::kRange:
            return right.kind() == Kind::kInt && right.int_value() >= left.range_first() &&
                   right.int_value() <= left.range_last();
        default: return false;
    }
}

bool Renderer::Compare(const Test& test, const Value& left, const Value& right) {
    switch (test.comparison) {
        case Comparison::kTruthy: return left.Truthy();
        case Comparison::kEqual: return SameAs(left, right);
        case Comparison::kNotEqual: return !SameAs(left, right);
        case Comparison::kContains: return Contains(left, right);
        default: return OrderHolds(test.comparison, left, right);
    }
}

bool Renderer::Holds(const Condition& condition) {
    bool holds = false;
    for (const Test& test : condition) {
        if (!Spend(1)) return false;
        // A condition may ask for a name that is not there.
        const Value left = EvaluateLax(test.left);
        const Value right =
            test.comparison == Comparison::kTruthy ? Value() : EvaluateLax(test.right);
        if (failed()) return false;
        holds = Compare(test, left, right);
        if (failed()) return false;
        // Right associative: a decided left side leaves nothing to ask for on the right.
        if (holds == test.or_next) return holds;
    }
    return holds;
}

Value Renderer::EvaluateLax(const Expression& expression) {
    const bool lax = lax_;
    lax_ = true;
    const Value value = Evaluate(expression);
    lax_ = lax;
    return value;
}

bool Renderer::WholeOf(const Expression& expression, std::optional<int64_t>& whole) {
    const Value value = Evaluate(expression);
    if (failed()) return false;
    if (value.IsNil()) return true;
    whole = value.kind() == Kind::kDouble ? ToInt(value) : ToWhole(value);
    if (!whole) {
        place_ = expression.source;
        return Fail("a whole number is wanted here");
    }
    return true;
}

namespace {

// The part of 0..size that offset and limit leave.
struct Window {
    size_t begin = 0;
    size_t count = 0;
};

Window WindowOf(uint64_t size, int64_t offset, const std::optional<int64_t>& limit) {
    Window window;
    window.begin = std::min<uint64_t>(static_cast<uint64_t>(std::max<int64_t>(offset, 0)), size);
    window.count = size - window.begin;
    if (limit) {
        window.count = std::min<uint64_t>(window.count,
                                          static_cast<uint64_t>(std::max<int64_t>(*limit, 0)));
    }
    return window;
}

uint64_t LoopSize(const Value& value) {
    switch (value.kind()) {
        case Kind::kArray: return value.items().size();
        case Kind::kObject: return value.members().size();
        case Kind::kRange: return value.range_size();
        case Kind::kString: return value.text().empty() ? 0 : 1;
        default: return 0;
    }
}

Value LoopItem(const Value& value, size_t i, Arena& arena) {
    switch (value.kind()) {
        case Kind::kArray: return value.items()[i];
        case Kind::kObject: {
            Value* const pair = arena.Make<Value>(2);
            pair[0] = Value::Text(value.members()[i].name);
            pair[1] = value.members()[i].value;
            return Value::Array({pair, 2});
        }
        case Kind::kRange: return Value::Int(value.range_first() + static_cast<int64_t>(i));
        default: return value;
    }
}

}  // namespace

bool Renderer::LoopItems(const LoopHead& head, std::span<const Value>& items) {
    const Value collection = Evaluate(head.collection);
    std::optional<int64_t> limit;
    std::optional<int64_t> offset;
    if (head.limit && !WholeOf(*head.limit, limit)) return false;
    if (head.offset && !WholeOf(*head.offset, offset)) return false;
    if (failed()) return false;
    auto& offsets = scope_.offsets;
    if (!SpendNames(offsets.size())) return false;
    auto last = std::find_if(offsets.begin(), offsets.end(),
                             [&](const auto& entry) { return entry.first == head.name; });
    if (head.offset_continue && last != offsets.end()) offset = last->second;
    const Window window = WindowOf(LoopSize(collection), offset.value_or(0), limit);
    if (window.count > static_cast<uint64_t>(options_.loop_items_max)) {
        place_ = head.collection.source;
        return Fail(base::ErrorCode::kTooLarge, "a loop goes over more than " +
                                                    std::to_string(options_.loop_items_max) +
                                                    " items; use limit");
    }
    const auto end = static_cast<int64_t>(window.begin + window.count);
    if (last != offsets.end()) {
        last->second = end;
    } else {
        offsets.emplace_back(head.name, end);
    }
    if (collection.IsArray() && !head.reversed) {
        items = collection.items().subspan(window.begin, window.count);
        return true;
    }
    if (!Spend(static_cast<int64_t>(window.count))) return false;
    Value* const copy = arena_.Make<Value>(window.count);
    for (size_t i = 0; i < window.count; ++i) {
        const size_t to = head.reversed ? window.count - 1 - i : i;
        copy[to] = LoopItem(collection, window.begin + i, arena_);
    }
    items = {copy, window.count};
    return true;
}

}  // namespace liquid
