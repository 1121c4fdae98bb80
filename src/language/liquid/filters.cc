#include "language/liquid/filters.h"

#include <algorithm>

#include "language/liquid/renderer.h"
#include "language/liquid/template.h"

namespace liquid {

bool FilterCallContext::Spend(int64_t steps) {
    return renderer_.Spend(steps);
}

bool FilterCallContext::SpendBytes(size_t bytes) {
    return renderer_.SpendBytes(bytes);
}

Value FilterCallContext::Fail(std::string text) {
    renderer_.Fail(std::move(text));
    return {};
}

bool FilterCallContext::failed() const {
    return renderer_.failed();
}

Arena& FilterCallContext::arena() {
    return renderer_.arena();
}

base::TimeMs FilterCallContext::now_ms() const {
    return renderer_.options().now_ms;
}

std::string_view FilterCallContext::zone() const {
    return renderer_.options().zone;
}

bool FilterCallContext::escape_html() const {
    return renderer_.options().escape_html;
}

size_t FilterCallContext::text_bytes_max() const {
    return renderer_.options().output_bytes_max;
}

std::string_view FilterCallContext::TextOf(const Value& value) {
    const std::string_view text = renderer_.TextOf(value);
    // What a filter reads counts as much as what it makes.
    return renderer_.SpendBytes(text.size()) ? text : std::string_view();
}

Value FilterCallContext::NewText(std::string_view text) {
    if (text.size() > text_bytes_max()) {
        renderer_.Fail(base::ErrorCode::kTooLarge, "a text is larger than " +
                                                       std::to_string(text_bytes_max()) +
                                                       " bytes");
        return {};
    }
    if (!renderer_.SpendBytes(text.size())) return {};
    return Value::Text(renderer_.arena().Copy(text));
}

Value FilterCallContext::NewSafeText(std::string_view text) {
    const Value value = NewText(text);
    return value.IsString() ? Value::SafeText(value.text()) : value;
}

Value FilterCallContext::NewArray(std::span<const Value> items) {
    if (!renderer_.Spend(static_cast<int64_t>(items.size()))) return {};
    Value* const copy = renderer_.arena().Make<Value>(items.size());
    std::copy(items.begin(), items.end(), copy);
    return Value::Array({copy, items.size()});
}

namespace {

bool Flatten(Renderer& renderer, const Value& value, std::vector<Value>& out, int depth) {
    if (!renderer.Spend(1)) return false;
    if (!value.IsArray()) {
        out.push_back(value);
        return true;
    }
    if (depth > limits::kJsonDepthMax) return true;
    return std::all_of(value.items().begin(), value.items().end(), [&](const Value& item) {
        return Flatten(renderer, item, out, depth + 1);
    });
}

}  // namespace

std::optional<std::span<const Value>> FilterCallContext::Items(const Value& input) {
    std::vector<Value> items;
    if (input.kind() == Kind::kRange) {
        const uint64_t size = input.range_size();
        if (size > static_cast<uint64_t>(renderer_.options().steps_max)) {
            renderer_.Spend(renderer_.options().steps_max);
            renderer_.Spend(1);
            return std::nullopt;
        }
        if (!renderer_.Spend(static_cast<int64_t>(size))) return std::nullopt;
        for (uint64_t i = 0; i < size; ++i) {
            items.push_back(Value::Int(input.range_first() + static_cast<int64_t>(i)));
        }
    } else if (input.IsArray()) {
        const bool flat = std::none_of(input.items().begin(), input.items().end(),
                                       [](const Value& item) { return item.IsArray(); });
        if (flat) {
            if (!renderer_.Spend(static_cast<int64_t>(input.items().size()))) return std::nullopt;
            return input.items();
        }
        if (!Flatten(renderer_, input, items, 0)) return std::nullopt;
    } else if (!input.IsNil()) {
        items.push_back(input);
    }
    Value* const kept = renderer_.arena().Make<Value>(items.size());
    std::copy(items.begin(), items.end(), kept);
    return std::span<const Value>(kept, items.size());
}

bool FilterCallContext::SameAs(const Value& a, const Value& b) {
    return renderer_.SameAs(a, b);
}

namespace {

constexpr std::span<const Filter> (*kTables[])() = {StringFilters, ArrayFilters, NumberFilters};

}  // namespace

const Filter* FindFilter(std::string_view name) {
    for (const auto table : kTables) {
        for (const Filter& filter : table()) {
            if (filter.name == name) return &filter;
        }
    }
    return nullptr;
}

std::vector<std::string_view> FilterNames() {
    std::vector<std::string_view> names;
    for (const auto table : kTables) {
        for (const Filter& filter : table()) names.push_back(filter.name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace liquid
