#include <algorithm>
#include <unordered_set>

#include "base/limits.h"
#include "language/liquid/filters.h"
#include "language/liquid/number.h"
#include "language/liquid/text.h"

namespace liquid {

namespace {

using Call = FilterCallContext;

// --- properties --------------------------------------------------------------------------------

// What `item[property]` gives in the reference, whose items are Ruby objects.
enum class Pick : uint8_t {
    kFound,
    kEndsAll,  // The item has no [] at all: the filter gives nil.
    kWrong,    // The property is of a kind the item cannot take: an error.
};

Pick PickProperty(Call& call, const Value& item, const Value& property, Value& picked) {
    picked = {};
    switch (item.kind()) {
        case Kind::kObject:
        case Kind::kDrop:
            if (property.IsString()) picked = item.Find(property.text(), call.arena());
            return Pick::kFound;
        case Kind::kString:
            if (property.kind() == Kind::kInt) {
                picked = Value::Bool(property.int_value() >= 0 &&
                                     static_cast<uint64_t>(property.int_value()) <
                                         CharacterCount(item.text()));
                if (!picked.Truthy()) picked = {};
                return Pick::kFound;
            }
            if (property.IsString() || property.IsNil()) {
                const std::string_view part = property.IsNil() ? "" : property.text();
                if (FindText(item.text(), part) != std::string_view::npos) {
                    picked = Value::Text(part);
                }
                return Pick::kFound;
            }
            return Pick::kWrong;
        case Kind::kInt:
            // A whole number gives its bits, all of which are true.
            if (property.kind() != Kind::kInt) return Pick::kWrong;
            picked = Value::Int(property.int_value() >= 0 && property.int_value() < 64
                                    ? (item.int_value() >> property.int_value()) & 1
                                    : 0);
            return Pick::kFound;
        default: return Pick::kEndsAll;
    }
}

Value WrongProperty(Call& call, const Value& property) {
    return call.Fail("cannot take \"" + std::string(call.TextOf(property).substr(0, 100)) +
                     "\" of what is no object");
}

enum class Selection : uint8_t { kDone, kNil, kFailed };

// Calls `each(index, item, matches)` until it returns false.
template <typename Each>
Selection Select(Call& call, std::span<const Value> items, const Each& each) {
    const Value property = call.Argument(0);
    const Value wanted = call.Argument(1);
    for (size_t i = 0; i < items.size(); ++i) {
        Value picked;
        const size_t bytes = items[i].IsString() ? items[i].text().size() : 0;
        if (!call.SpendBytes(bytes)) return Selection::kFailed;
        switch (PickProperty(call, items[i], property, picked)) {
            case Pick::kFound: break;
            case Pick::kEndsAll: return Selection::kNil;
            case Pick::kWrong: WrongProperty(call, property); return Selection::kFailed;
        }
        const bool matches = wanted.IsNil() ? picked.Truthy() : call.SameAs(picked, wanted);
        if (call.failed()) return Selection::kFailed;
        if (!each(i, items[i], matches)) break;
    }
    return Selection::kDone;
}

Value Filtered(Call& call, const Value& input, bool keep) {
    const auto items = call.Items(input);
    if (!items) return {};
    std::vector<Value> kept;
    const Selection done = Select(call, *items, [&](size_t, const Value& item, bool matches) {
        if (matches == keep) kept.push_back(item);
        return true;
    });
    return done == Selection::kDone ? call.NewArray(kept) : Value();
}

Value Where(Call& call, const Value& input) {
    return Filtered(call, input, true);
}

Value Reject(Call& call, const Value& input) {
    return Filtered(call, input, false);
}

Value Find(Call& call, const Value& input) {
    const auto items = call.Items(input);
    if (!items) return {};
    Value found;
    Select(call, *items, [&](size_t, const Value& item, bool matches) {
        if (matches) found = item;
        return !matches;
    });
    return found;
}

Value FindIndex(Call& call, const Value& input) {
    const auto items = call.Items(input);
    if (!items) return {};
    Value found;
    Select(call, *items, [&](size_t i, const Value&, bool matches) {
        if (matches) found = Value::Int(static_cast<int64_t>(i));
        return !matches;
    });
    return found;
}

Value Has(Call& call, const Value& input) {
    const auto items = call.Items(input);
    if (!items) return {};
    bool found = false;
    const Selection done = Select(call, *items, [&](size_t, const Value&, bool matches) {
        found = found || matches;
        return !matches;
    });
    return done == Selection::kDone ? Value::Bool(found) : Value();
}

// The property of an object; false and an error when the item is none.
bool PropertyOf(Call& call, const Value& item, const Value& property, Value& picked) {
    if (item.kind() != Kind::kObject && item.kind() != Kind::kDrop) {
        WrongProperty(call, property);
        return false;
    }
    picked = property.IsString() ? item.Find(property.text(), call.arena()) : Value();
    return call.Spend(1);
}

Value Map(Call& call, const Value& input) {
    const auto items = call.Items(input);
    if (!items) return {};
    std::vector<Value> mapped(items->size());
    for (size_t i = 0; i < mapped.size(); ++i) {
        if (!PropertyOf(call, (*items)[i], call.Argument(0), mapped[i])) return {};
    }
    return call.NewArray(mapped);
}

Value Sum(Call& call, const Value& input) {
    const auto items = call.Items(input);
    if (!items) return {};
    Value sum = Value::Int(0);
    for (const Value& item : *items) {
        Value value = item;
        if (!call.Argument(0).IsNil() && !PropertyOf(call, item, call.Argument(0), value)) {
            return {};
        }
        sum = Plus(sum, ToNumber(value));
    }
    return sum;
}

Value Compact(Call& call, const Value& input) {
    const auto items = call.Items(input);
    if (!items) return {};
    std::vector<Value> kept;
    for (const Value& item : *items) {
        Value value = item;
        if (!call.Argument(0).IsNil() && !PropertyOf(call, item, call.Argument(0), value)) {
            return {};
        }
        if (!value.IsNil()) kept.push_back(item);
    }
    return call.NewArray(kept);
}

// --- order -------------------------------------------------------------------------------------

struct Keyed {
    Value key;
    std::string folded;
    Value item;
};

std::optional<std::vector<Keyed>> Keys(Call& call, const Value& input) {
    const auto items = call.Items(input);
    if (!items) return std::nullopt;
    std::vector<Keyed> keyed(items->size());
    for (size_t i = 0; i < keyed.size(); ++i) {
        keyed[i].item = (*items)[i];
        keyed[i].key = keyed[i].item;
        if (call.Argument(0).IsNil()) continue;
        if (!PropertyOf(call, keyed[i].item, call.Argument(0), keyed[i].key)) return std::nullopt;
    }
    // n log n comparisons, charged before they are made.
    int64_t rounds = 1;
    for (size_t n = keyed.size(); n > 1; n /= 2) ++rounds;
    if (!call.Spend(static_cast<int64_t>(keyed.size()) * rounds / 4)) return std::nullopt;
    return keyed;
}

Value ItemsOf(Call& call, const std::vector<Keyed>& keyed) {
    std::vector<Value> items;
    items.reserve(keyed.size());
    for (const Keyed& entry : keyed) items.push_back(entry.item);
    return call.NewArray(items);
}

Value Sort(Call& call, const Value& input) {
    auto keyed = Keys(call, input);
    if (!keyed) return {};
    bool wrong = false;
    std::stable_sort(keyed->begin(), keyed->end(), [&](const Keyed& x, const Keyed& y) {
        const Value& a = x.key;
        const Value& b = y.key;
        if (a.IsNil() || b.IsNil()) return !a.IsNil();  // nil comes last.
        if (a.IsNumber() && b.IsNumber()) return CompareNumbers(a, b) < 0;
        if (a.IsString() && b.IsString()) {
            wrong = wrong || !call.SpendBytes(std::min(a.text().size(), b.text().size()));
            return !wrong && a.text() < b.text();
        }
        wrong = true;
        return false;
    });
    if (wrong) return call.Fail("cannot sort values of different kinds");
    return ItemsOf(call, *keyed);
}

Value SortNatural(Call& call, const Value& input) {
    auto keyed = Keys(call, input);
    if (!keyed) return {};
    for (Keyed& entry : *keyed) {
        entry.folded = call.TextOf(entry.key);
        for (char& c : entry.folded) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    bool stopped = call.failed();
    std::stable_sort(keyed->begin(), keyed->end(), [&](const Keyed& x, const Keyed& y) {
        if (x.key.IsNil() || y.key.IsNil()) return !x.key.IsNil() && y.key.IsNil();
        stopped = stopped || !call.SpendBytes(std::min(x.folded.size(), y.folded.size()));
        return !stopped && x.folded < y.folded;
    });
    return stopped ? Value() : ItemsOf(call, *keyed);
}

// --- the rest ----------------------------------------------------------------------------------

// One text for equal values of one kind: 1 and 1.0 are two.
void AppendIdentity(std::string& out, const Value& value, int64_t& steps, int depth) {
    ++steps;
    out += static_cast<char>('A' + static_cast<int>(value.kind()));
    const auto append_size = [&](size_t size) {
        AppendInt(out, static_cast<int64_t>(size));
        out += ':';
    };
    if (value.IsString()) {
        append_size(value.text().size());
        out += value.text();
    } else if (value.IsArray() && depth < limits::kJsonDepthMax) {
        append_size(value.items().size());
        for (const Value& item : value.items()) AppendIdentity(out, item, steps, depth + 1);
    } else if (value.IsObject() && depth < limits::kJsonDepthMax) {
        append_size(value.members().size());
        std::vector<const Member*> members;
        for (const Member& member : value.members()) members.push_back(&member);
        std::sort(members.begin(), members.end(),
                  [](const Member* a, const Member* b) { return a->name < b->name; });
        for (const Member* member : members) {
            append_size(member->name.size());
            out += member->name;
            AppendIdentity(out, member->value, steps, depth + 1);
        }
    } else if (value.kind() == Kind::kDrop) {
        append_size(reinterpret_cast<uintptr_t>(value.drop()));
    } else {
        TextBounds bounds;
        AppendText(out, value, bounds);
        out += ';';
    }
}

Value Uniq(Call& call, const Value& input) {
    const auto items = call.Items(input);
    if (!items) return {};
    std::unordered_set<std::string> seen;
    std::vector<Value> kept;
    for (const Value& item : *items) {
        Value value = item;
        if (!call.Argument(0).IsNil() && !PropertyOf(call, item, call.Argument(0), value)) {
            return {};
        }
        std::string identity;
        int64_t steps = 0;
        AppendIdentity(identity, value, steps, 0);
        if (!call.Spend(steps) || !call.SpendBytes(identity.size())) return {};
        if (seen.insert(std::move(identity)).second) kept.push_back(item);
    }
    return call.NewArray(kept);
}

Value Concat(Call& call, const Value& input) {
    const Value other = call.Argument(0);
    if (!other.IsArray() && other.kind() != Kind::kRange) {
        return call.Fail("concat needs an array");
    }
    const auto first = call.Items(input);
    const auto second = call.Items(other);
    if (!first || !second) return {};
    std::vector<Value> joined(first->begin(), first->end());
    joined.insert(joined.end(), second->begin(), second->end());
    return call.NewArray(joined);
}

Value First(Call&, const Value& input) {
    if (input.IsArray()) return input.items().empty() ? Value() : input.items().front();
    if (input.kind() == Kind::kRange && input.range_size() > 0) {
        return Value::Int(input.range_first());
    }
    return {};
}

Value FirstOf(Call& call, const Value& input) {
    if (!input.IsObject() || input.members().empty()) return First(call, input);
    const Value pair[] = {Value::Text(input.members()[0].name), input.members()[0].value};
    return call.NewArray(pair);
}

Value LastOf(Call&, const Value& input) {
    if (input.IsArray()) return input.items().empty() ? Value() : input.items().back();
    if (input.kind() == Kind::kRange && input.range_size() > 0) {
        return Value::Int(input.range_last());
    }
    return {};
}

Value Join(Call& call, const Value& input) {
    const std::string_view glue = call.count() > 0 ? call.TextOf(call.Argument(0)) : " ";
    const auto items = call.Items(input);
    if (!items) return {};
    std::string out;
    for (size_t i = 0; i < items->size() && out.size() <= call.text_bytes_max(); ++i) {
        if (i > 0) out += glue;
        out += call.TextOf((*items)[i]);
        if (call.failed()) return {};
    }
    return call.NewText(out);
}

Value Reverse(Call& call, const Value& input) {
    const auto items = call.Items(input);
    if (!items) return {};
    const std::vector<Value> reversed(items->rbegin(), items->rend());
    return call.NewArray(reversed);
}

Value Size(Call& call, const Value& input) {
    switch (input.kind()) {
        case Kind::kString:
            if (!call.SpendBytes(input.text().size())) return {};
            return Value::Int(static_cast<int64_t>(CharacterCount(input.text())));
        case Kind::kArray: return Value::Int(static_cast<int64_t>(input.items().size()));
        case Kind::kObject: return Value::Int(static_cast<int64_t>(input.members().size()));
        case Kind::kRange:
            return Value::Int(
                static_cast<int64_t>(std::min<uint64_t>(input.range_size(), INT64_MAX)));
        case Kind::kInt: return Value::Int(8);  // Bytes, as the reference has it.
        default: return Value::Int(0);
    }
}

Value Slice(Call& call, const Value& input) {
    const auto start = ToWhole(call.Argument(0));
    const Value given = call.Argument(1);
    const auto length = given.IsNil() ? std::optional<int64_t>(1) : ToWhole(given);
    if (!start || !length) return call.Fail("slice needs whole numbers");
    std::string_view text;
    std::span<const Value> items;
    int64_t size = 0;
    if (input.IsArray()) {
        items = input.items();
        size = static_cast<int64_t>(items.size());
    } else {
        text = call.TextOf(input);
        size = static_cast<int64_t>(CharacterCount(text));
    }
    const int64_t begin = *start < 0 ? std::max(*start, -size - 1) + size : *start;
    const bool outside = begin < 0 || begin > size || *length < 0;
    const auto from = static_cast<size_t>(outside ? 0 : begin);
    const auto count = static_cast<size_t>(outside ? 0 : std::min(*length, size - begin));
    if (input.IsArray()) return Value::Array(items.subspan(from, count));
    return Value::Text(Characters(text, from, count));
}

constexpr Filter kFilters[] = {
    {"compact", 0, 1, Compact},
    {"concat", 1, 1, Concat},
    {"find", 1, 2, Find},
    {"find_index", 1, 2, FindIndex},
    {"first", 0, 0, FirstOf},
    {"has", 1, 2, Has},
    {"join", 0, 1, Join},
    {"last", 0, 0, LastOf},
    {"map", 1, 1, Map},
    {"reject", 1, 2, Reject},
    {"reverse", 0, 0, Reverse},
    {"size", 0, 0, Size},
    {"slice", 1, 2, Slice},
    {"sort", 0, 1, Sort},
    {"sort_natural", 0, 1, SortNatural},
    {"sum", 0, 1, Sum},
    {"uniq", 0, 1, Uniq},
    {"where", 1, 2, Where},
};

}  // namespace

std::span<const Filter> ArrayFilters() {
    return kFilters;
}

}  // namespace liquid
