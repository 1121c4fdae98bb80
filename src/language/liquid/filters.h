// The closed table of filters.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "language/liquid/value.h"

namespace liquid {

class Renderer;

// One call of a filter while rendering. Filters make their results through it, so that every byte
// and item they make is counted. After a failure (Fail, or a budget passed) any value may be
// returned: the render ends.
class FilterCallContext {
  public:
    FilterCallContext(Renderer& renderer, std::span<const Value> arguments, bool allow_false)
        : renderer_(renderer), arguments_(arguments), allow_false_(allow_false) {}

    size_t count() const { return arguments_.size(); }
    // Nil when it was not given.
    Value Argument(size_t i) const { return i < arguments_.size() ? arguments_[i] : Value(); }
    bool allow_false() const { return allow_false_; }

    // Counts work; false: the budget is used up.
    bool Spend(int64_t steps);
    bool SpendBytes(size_t bytes);
    Value Fail(std::string text);
    bool failed() const;

    Arena& arena();
    base::TimeMs now_ms() const;
    std::string_view zone() const;
    bool escape_html() const;
    // A text that grows past this is to be given up; NewText then reports it.
    size_t text_bytes_max() const;

    // The value as text; points into the value or the arena.
    std::string_view TextOf(const Value& value);
    // Keeps `text` in the arena.
    Value NewText(std::string_view text);
    Value NewSafeText(std::string_view text);
    Value NewArray(std::span<const Value> items);
    // The input of array filters: arrays inside arrays opened, an object or anything else as one
    // item, nil as none, a range as its numbers. Nullopt when that passed a budget.
    std::optional<std::span<const Value>> Items(const Value& input);
    // As `==` of the language.
    bool SameAs(const Value& a, const Value& b);

  private:
    Renderer& renderer_;
    std::span<const Value> arguments_;
    bool allow_false_;
};

using FilterFunction = Value (*)(FilterCallContext& call, const Value& input);

struct Filter {
    std::string_view name;
    uint8_t arguments_min = 0;
    uint8_t arguments_max = 0;
    FilterFunction function = nullptr;
    bool takes_allow_false = false;
};

// Null when there is none.
const Filter* FindFilter(std::string_view name);

std::span<const Filter> StringFilters();
std::span<const Filter> ArrayFilters();
std::span<const Filter> NumberFilters();  // And date and default.

}  // namespace liquid
