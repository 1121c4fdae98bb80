#include "language/liquid/value.h"

#include <algorithm>
#include <limits>
#include <simdjson.h>

#include "base/limits.h"
#include "language/liquid/number.h"
#include "language/liquid/text.h"

namespace liquid {

namespace {

constexpr size_t kBlockBytes = 4096;

}  // namespace

void* Arena::Allocate(size_t bytes, size_t alignment) {
    bytes_ += bytes;
    const size_t off = reinterpret_cast<uintptr_t>(at_) & (alignment - 1);
    const size_t pad = off == 0 ? 0 : alignment - off;
    if (at_ == nullptr || left_ < bytes + pad) {
        // A large piece gets a block of its own, so that the current block is not wasted.
        if (bytes >= kBlockBytes / 2) {
            blocks_.push_back(std::make_unique_for_overwrite<char[]>(bytes + alignment));
            char* const start = blocks_.back().get();
            const size_t skew = reinterpret_cast<uintptr_t>(start) & (alignment - 1);
            return start + (skew == 0 ? 0 : alignment - skew);
        }
        blocks_.push_back(std::make_unique_for_overwrite<char[]>(kBlockBytes));
        at_ = blocks_.back().get();  // new[] aligns for every type used here.
        left_ = kBlockBytes;
        at_ += bytes;
        left_ -= bytes;
        return at_ - bytes;
    }
    char* const result = at_ + pad;
    at_ = result + bytes;
    left_ -= bytes + pad;
    return result;
}

std::string_view Arena::Copy(std::string_view text) {
    if (text.empty()) return {};
    char* const copy = static_cast<char*>(Allocate(text.size(), 1));
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
}

Value Value::Object(Arena& arena, std::span<const Member> members) {
    Member* const copy = arena.Make<Member>(members.size());
    std::copy(members.begin(), members.end(), copy);
    return Object(copy, members.size());
}

Value Value::Object(Arena& arena, std::initializer_list<Member> members) {
    return Object(arena, std::span<const Member>(members.begin(), members.size()));
}

uint64_t Value::range_size() const {
    if (last_ < int_) return 0;
    const uint64_t distance = static_cast<uint64_t>(last_) - static_cast<uint64_t>(int_);
    return distance == std::numeric_limits<uint64_t>::max() ? distance : distance + 1;
}

Value Value::Find(std::string_view name, Arena& arena) const {
    if (kind_ == Kind::kDrop) return drop_->Find(name, arena);
    if (kind_ != Kind::kObject) return {};
    for (const Member& member : members()) {
        if (member.name == name) return member.value;
    }
    return {};
}

bool Value::Has(std::string_view name) const {
    if (kind_ != Kind::kObject) return false;
    return std::any_of(members().begin(), members().end(),
                       [name](const Member& member) { return member.name == name; });
}

namespace {

std::string_view Kept(std::string_view text, Arena& arena, bool copy) {
    return copy ? arena.Copy(text) : text;
}

Value Converted(const simdjson::dom::element& element, Arena& arena, bool copy, int depth) {
    using simdjson::dom::element_type;
    if (depth > limits::kJsonDepthMax) return {};
    switch (element.type()) {
        case element_type::NULL_VALUE: return {};
        case element_type::BOOL: return Value::Bool(element.get_bool().value_unsafe());
        case element_type::INT64: return Value::Int(element.get_int64().value_unsafe());
        case element_type::UINT64:
            return Value::Double(static_cast<double>(element.get_uint64().value_unsafe()));
        case element_type::DOUBLE: return Value::Double(element.get_double().value_unsafe());
        case element_type::STRING:
            return Value::Text(Kept(element.get_string().value_unsafe(), arena, copy));
        case element_type::ARRAY: {
            const simdjson::dom::array array = element.get_array().value_unsafe();
            // size() of simdjson saturates at 2^24 - 1, so the items are counted.
            const auto count = static_cast<size_t>(std::distance(array.begin(), array.end()));
            Value* const items = arena.Make<Value>(count);
            size_t i = 0;
            for (const auto item : array) items[i++] = Converted(item, arena, copy, depth + 1);
            return Value::Array({items, count});
        }
        case element_type::OBJECT: {
            const simdjson::dom::object object = element.get_object().value_unsafe();
            const auto count = static_cast<size_t>(std::distance(object.begin(), object.end()));
            Member* const members = arena.Make<Member>(count);
            size_t i = 0;
            for (const auto field : object) {
                members[i].name = Kept(field.key, arena, copy);
                members[i++].value = Converted(field.value, arena, copy, depth + 1);
            }
            return Value::Object(members, count);
        }
    }
    return {};
}

}  // namespace

Value FromJson(const simdjson::dom::element& element, Arena& arena) {
    return Converted(element, arena, false, 0);
}

base::Result<Value> ParseJson(std::string_view json, Arena& arena) {
    thread_local simdjson::dom::parser parser;
    simdjson::dom::element element;
    const auto code = parser.parse(json.data(), json.size()).get(element);
    if (code != simdjson::SUCCESS) {
        return base::Invalid(std::string("not JSON: ") + simdjson::error_message(code));
    }
    return Converted(element, arena, true, 0);
}

namespace {

class TextWriter {
  public:
    TextWriter(std::string& out, TextBounds& bounds) : out_(out), bounds_(bounds) {}

    void Plain(const Value& value, int depth) {
        if (!Enter(depth)) return;
        switch (value.kind()) {
            case Kind::kNil:
            case Kind::kEmpty:
            case Kind::kBlank:
            case Kind::kDrop: return;
            case Kind::kBool: out_ += value.bool_value() ? "true" : "false"; return;
            case Kind::kInt: AppendInt(out_, value.int_value()); return;
            case Kind::kDouble: AppendDouble(out_, value.double_value()); return;
            case Kind::kString: out_ += value.text(); return;
            case Kind::kArray:
                for (const Value& item : value.items()) {
                    Plain(item, depth + 1);
                    if (Full()) return;
                }
                return;
            case Kind::kObject: Inspected(value, depth); return;
            case Kind::kRange:
                AppendInt(out_, value.range_first());
                out_ += "..";
                AppendInt(out_, value.range_last());
                return;
        }
    }

  private:
    bool Full() const {
        return out_.size() > bounds_.bytes_max || bounds_.steps > bounds_.steps_max;
    }
    bool Enter(int depth) {
        ++bounds_.steps;
        return depth <= limits::kJsonDepthMax && !Full();
    }

    void Quoted(std::string_view text) {
        out_ += '"';
        for (const char c : text) {
            if (c == '"' || c == '\\') out_ += '\\';
            out_ += c;
        }
        out_ += '"';
    }

    void Inspected(const Value& value, int depth) {
        if (!Enter(depth)) return;
        if (value.IsNil()) {
            out_ += "nil";
        } else if (value.IsString()) {
            Quoted(value.text());
        } else if (value.IsArray()) {
            out_ += '[';
            for (size_t i = 0; i < value.items().size() && !Full(); ++i) {
                if (i > 0) out_ += ", ";
                Inspected(value.items()[i], depth + 1);
            }
            out_ += ']';
        } else if (value.IsObject()) {
            out_ += '{';
            for (size_t i = 0; i < value.members().size() && !Full(); ++i) {
                if (i > 0) out_ += ", ";
                Quoted(value.members()[i].name);
                out_ += "=>";
                Inspected(value.members()[i].value, depth + 1);
            }
            out_ += '}';
        } else {
            Plain(value, depth + 1);
        }
    }

    std::string& out_;
    TextBounds& bounds_;
};

bool EqualAt(const Value& a, const Value& b, int64_t& steps, int depth) {
    ++steps;
    if (depth > limits::kJsonDepthMax) return false;
    if (a.IsNumber() && b.IsNumber()) return CompareNumbers(a, b) == 0;
    if (a.kind() == Kind::kEmpty || a.kind() == Kind::kBlank) {
        if (b.kind() == Kind::kEmpty || b.kind() == Kind::kBlank) return a.kind() == b.kind();
        return a.kind() == Kind::kEmpty ? IsEmpty(b) : IsBlank(b);
    }
    if (b.kind() == Kind::kEmpty || b.kind() == Kind::kBlank) return EqualAt(b, a, steps, depth);
    if (a.kind() != b.kind()) return false;
    switch (a.kind()) {
        case Kind::kBool: return a.bool_value() == b.bool_value();
        case Kind::kString:
            steps += static_cast<int64_t>(std::min(a.text().size(), b.text().size()) / 64);
            return a.text() == b.text();
        case Kind::kArray:
            return std::equal(a.items().begin(), a.items().end(), b.items().begin(),
                              b.items().end(), [&](const Value& x, const Value& y) {
                                  return EqualAt(x, y, steps, depth + 1);
                              });
        case Kind::kObject: {
            if (a.members().size() != b.members().size()) return false;
            for (const Member& member : a.members()) {
                const auto other = std::find_if(
                    b.members().begin(), b.members().end(),
                    [&](const Member& candidate) { return candidate.name == member.name; });
                steps += other - b.members().begin();
                if (other == b.members().end()) return false;
                if (!EqualAt(member.value, other->value, steps, depth + 1)) return false;
            }
            return true;
        }
        case Kind::kRange:
            return a.range_first() == b.range_first() && a.range_last() == b.range_last();
        case Kind::kDrop: return a.drop() == b.drop();
        default: return true;
    }
}

}  // namespace

void AppendText(std::string& out, const Value& value, TextBounds& bounds) {
    TextWriter(out, bounds).Plain(value, 0);
}

bool Equal(const Value& a, const Value& b, int64_t& steps) {
    return EqualAt(a, b, steps, 0);
}

bool IsEmpty(const Value& value) {
    switch (value.kind()) {
        case Kind::kString: return value.text().empty();
        case Kind::kArray: return value.items().empty();
        case Kind::kObject: return value.members().empty();
        case Kind::kRange: return value.range_size() == 0;
        default: return false;
    }
}

bool IsBlank(const Value& value) {
    if (!value.Truthy()) return true;
    if (value.IsString()) return Stripped(value.text()).empty();
    return IsEmpty(value);
}

}  // namespace liquid
