// Conditions, as text and as JSON, from strangers. Oracles: what is read prints to a text and to a
// JSON that read back as the equal tree, and its comparers do not change before they say so.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "language/condition/compare.h"
#include "language/condition/equal.h"
#include "language/condition/json_form.h"
#include "language/condition/json_list.h"
#include "language/condition/parse.h"
#include "language/condition/print.h"
#include "language/condition/references.h"
#include "language/condition/valid.h"

namespace {

constexpr base::TimeMs kNow = 1767571200000;

void CheckComparer(const condition::Comparison& comparison, std::string_view input) {
    const auto made = condition::Comparer::Create(comparison, input.size() % 2 == 0);
    CHECK(made.has_value());
    for (const auto& value : {condition::Value::Text(input), condition::Value::List(input),
                              condition::Value::Number(static_cast<double>(kNow)),
                              condition::Value::None()}) {
        const bool here = made->Matches(value, kNow);
        const base::TimeMs flip = made->NextFlip(value, kNow);
        CHECK(flip > kNow);
        if (flip == base::kNeverMs) continue;
        CHECK(made->Matches(value, flip - 1) == here);
        CHECK(made->Matches(value, flip) != here);
    }
}

void CheckTree(const condition::Expression& tree, std::string_view input) {
    CHECK(condition::Validate(tree).has_value());
    const auto text = condition::Parse(condition::ToText(tree));
    CHECK(text.has_value());
    CHECK(condition::Equal(tree, **text));
    const auto json = condition::FromJson(condition::ToJson(tree));
    CHECK(json.has_value());
    CHECK(condition::Equal(tree, **json));
    const auto key = condition::LeafKey(tree);
    const auto again = condition::Parse(key);
    CHECK(!again || condition::LeafKey(**again) == key);
    condition::FindReferences(tree);
    condition::ForEachLeaf(tree, [&](const condition::Expression& leaf) {
        if (const auto* comparison = std::get_if<condition::Comparison>(&leaf.node)) {
            CheckComparer(*comparison, input);
        } else if (const auto* count = std::get_if<condition::Count>(&leaf.node)) {
            if (count->events.where == nullptr) return;
            const auto filter = condition::Filter::Create(*count->events.where);
            CHECK(filter.has_value());
            filter->Matches([&](std::string_view) { return condition::Value::Text(input); }, kNow);
        }
    });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    if (const auto tree = condition::Parse(input)) CheckTree(**tree, input);
    if (const auto tree = condition::FromJson(input)) CheckTree(**tree, input);
    return 0;
}
