// What a template sees: a value of 24 bytes that owns nothing.
//
// Text, arrays and objects lie in an Arena (or in memory the caller keeps, such as a simdjson
// document); a Value only points there. Copying one copies 24 bytes; nothing is counted or freed
// until the arena goes. So a value is valid as long as the arena or text it was made from.
//
// Threads: values are immutable once made and may be read by any number of threads; an Arena
// belongs to one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"

namespace simdjson::dom {
class element;
}

namespace liquid {

class Value;
struct Member;

// Memory that is given back all at once. Destructors of what lies in it are not run.
class Arena {
  public:
    Arena() = default;
    Arena(Arena&&) = default;
    Arena& operator=(Arena&&) = default;

    void* Allocate(size_t bytes, size_t alignment);
    std::string_view Copy(std::string_view text);
    template <typename T>
    T* Make(size_t count) {
        static_assert(std::is_trivially_destructible_v<T>);
        T* const items = static_cast<T*>(Allocate(count * sizeof(T), alignof(T)));
        for (size_t i = 0; i < count; ++i) new (items + i) T();
        return items;
    }
    template <typename T, typename... Args>
    T* New(Args&&... args) {
        return new (Allocate(sizeof(T), alignof(T))) T(std::forward<Args>(args)...);
    }
    // Bytes asked for so far.
    size_t bytes() const { return bytes_; }

  private:
    std::vector<std::unique_ptr<char[]>> blocks_;
    char* at_ = nullptr;
    size_t left_ = 0;
    size_t bytes_ = 0;
};

// An object whose members are looked up when asked for, so that a person with 500 attributes
// costs what the letter uses. Outlives the render; Find may be called by several threads at once.
class Drop {
  public:
    virtual ~Drop() = default;
    // The member, or nil. What has to be made is put into `arena` (the render's).
    virtual Value Find(std::string_view name, Arena& arena) const = 0;
};

enum class Kind : uint8_t {
    kNil,
    kBool,
    kInt,
    kDouble,
    kString,
    kArray,
    kObject,  // Members in the order of the source.
    kRange,   // Whole numbers first..last, both included; empty when last < first.
    kEmpty,   // The words `empty` and `blank`: equal to whatever is empty or blank.
    kBlank,
    kDrop,
};

class Value {
  public:
    Value() = default;  // nil
    static Value Bool(bool v) {
        Value x(Kind::kBool);
        x.int_ = v ? 1 : 0;
        return x;
    }
    static Value Int(int64_t v) {
        Value x(Kind::kInt);
        x.int_ = v;
        return x;
    }
    static Value Double(double v) {
        Value x(Kind::kDouble);
        x.double_ = v;
        return x;
    }
    // Points at `text`.
    static Value Text(std::string_view text) {
        Value x(Kind::kString);
        x.chars_ = text.data();
        x.size_ = text.size();
        return x;
    }
    // Text that is HTML already: Options::escape_html leaves it alone.
    static Value SafeText(std::string_view text) {
        Value x = Text(text);
        x.safe_ = true;
        return x;
    }
    // Points at `items`.
    static Value Array(std::span<const Value> items) {
        Value x(Kind::kArray);
        x.items_ = items.data();
        x.size_ = items.size();
        return x;
    }
    static Value Object(const Member* members, size_t count) {
        Value x(Kind::kObject);
        x.members_ = members;
        x.size_ = count;
        return x;
    }
    // Copies the members (not what they point at) into the arena.
    static Value Object(Arena& arena, std::initializer_list<Member> members);
    static Value Object(Arena& arena, std::span<const Member> members);
    static Value Range(int64_t first, int64_t last) {
        Value x(Kind::kRange);
        x.int_ = first;
        x.last_ = last;
        return x;
    }
    static Value Empty() { return Value(Kind::kEmpty); }
    static Value Blank() { return Value(Kind::kBlank); }
    // Points at `drop`.
    static Value Of(const Drop* drop) {
        Value x(Kind::kDrop);
        x.drop_ = drop;
        return x;
    }

    Kind kind() const { return kind_; }
    bool IsNil() const { return kind_ == Kind::kNil; }
    bool IsString() const { return kind_ == Kind::kString; }
    bool IsArray() const { return kind_ == Kind::kArray; }
    bool IsObject() const { return kind_ == Kind::kObject; }
    bool IsNumber() const { return kind_ == Kind::kInt || kind_ == Kind::kDouble; }
    // Liquid's truth: everything but nil and false.
    bool Truthy() const {
        return kind_ != Kind::kNil && (kind_ != Kind::kBool || int_ != 0);
    }
    bool safe() const { return safe_; }

    // Each only for its kind.
    bool bool_value() const { return int_ != 0; }
    int64_t int_value() const { return int_; }
    double double_value() const { return double_; }
    std::string_view text() const { return {chars_, size_}; }
    std::span<const Value> items() const { return {items_, size_}; }
    std::span<const Member> members() const;
    const Drop* drop() const { return drop_; }
    int64_t range_first() const { return int_; }
    int64_t range_last() const { return last_; }
    // Numbers in a range; saturates.
    uint64_t range_size() const;

    // Member of an object or drop by name; nil when there is none. Linear: objects are small.
    Value Find(std::string_view name, Arena& arena) const;
    bool Has(std::string_view name) const;  // Objects only.

  private:
    explicit Value(Kind kind) : kind_(kind) {}

    Kind kind_ = Kind::kNil;
    bool safe_ = false;
    union {
        int64_t int_ = 0;
        double double_;
        const char* chars_;
        const Value* items_;
        const Member* members_;
        const Drop* drop_;
    };
    union {
        size_t size_ = 0;
        int64_t last_;
    };
};

struct Member {
    std::string_view name;
    Value value;
};

inline std::span<const Member> Value::members() const { return {members_, size_}; }

static_assert(sizeof(Value) == 24 && std::is_trivially_copyable_v<Value>);

// The value of a JSON document. Text points into the document, whose parser must stay as it is
// for as long as the value is used; arrays and objects are laid out in the arena.
Value FromJson(const simdjson::dom::element& element, Arena& arena);
// The same from JSON text; everything is copied into the arena. Errors: kInvalidArgument.
base::Result<Value> ParseJson(std::string_view json, Arena& arena);

// Appends what `{{ value }}` prints: nothing for nil, the items one after another for an array,
// {"a"=>1} for an object, 1..3 for a range. Nesting below kJsonDepthMax is left out.
// Stops soon after `out` passes bytes_max or `steps`, counted up for every value met, passes
// steps_max; the caller looks at both.
struct TextBounds {
    size_t bytes_max = SIZE_MAX;
    int64_t steps_max = INT64_MAX;
    int64_t steps = 0;
};
void AppendText(std::string& out, const Value& value, TextBounds& bounds);

// Liquid's ==. 1 equals 1.0 and not "1"; arrays and objects by content.
// `steps` counts the values compared, for the caller's budget.
bool Equal(const Value& a, const Value& b, int64_t& steps);
bool IsEmpty(const Value& value);  // "" [] {} and empty ranges
bool IsBlank(const Value& value);  // also nil, false, and text of white space

}  // namespace liquid
