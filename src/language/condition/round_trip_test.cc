#include <gtest/gtest.h>

#include "language/condition/equal.h"
#include "language/condition/json_form.h"
#include "language/condition/parse.h"
#include "language/condition/print.h"
#include "language/condition/random_tree.h"
#include "language/condition/references.h"
#include "language/condition/valid.h"

namespace condition {
namespace {

constexpr uint64_t kTrees = 5000;

TEST(RoundTrip, EveryTreeIsTheSameAfterItsText) {
    for (uint64_t seed = 0; seed < kTrees; ++seed) {
        const ExpressionPtr tree = RandomTree(seed).Make(1 + static_cast<int>(seed % 6));
        const auto valid = Validate(*tree);
        ASSERT_TRUE(valid) << seed << ": " << valid.error().internal;
        const std::string text = ToText(*tree);
        const auto again = Parse(text);
        ASSERT_TRUE(again) << seed << ": " << text << "\n"
                           << again.error().at << " " << again.error().public_text;
        ASSERT_TRUE(Equal(*tree, **again)) << seed << ": " << text << "\n" << ToText(**again);
    }
}

TEST(RoundTrip, EveryTreeIsTheSameAfterItsJson) {
    for (uint64_t seed = 0; seed < kTrees; ++seed) {
        const ExpressionPtr tree = RandomTree(seed).Make(1 + static_cast<int>(seed % 6));
        const std::string json = ToJson(*tree);
        const auto again = FromJson(json);
        ASSERT_TRUE(again) << seed << ": " << json << "\n"
                           << again.error().at << " " << again.error().public_text;
        ASSERT_TRUE(Equal(*tree, **again)) << seed << ": " << json;
        ASSERT_EQ(ToJson(**again), json) << seed;
    }
}

TEST(RoundTrip, KeysAreTextOfTheLanguageAndKeysOfThemselves) {
    for (uint64_t seed = 0; seed < kTrees; ++seed) {
        const ExpressionPtr tree = RandomTree(seed).Make(3);
        const std::string key = LeafKey(*tree);
        const auto again = Parse(key);
        ASSERT_TRUE(again) << seed << ": " << key;
        ASSERT_EQ(LeafKey(**again), key) << seed;
    }
}

TEST(RoundTrip, RenamingThereAndBackGivesTheSameTree) {
    for (uint64_t seed = 0; seed < kTrees; ++seed) {
        const ExpressionPtr tree = RandomTree(seed).Make(4);
        const References names = FindReferences(*tree);
        ExpressionPtr changed = tree;
        for (const auto& event : names.events) changed = RenameEvent(changed, event, event + "!");
        for (const auto& name : names.attributes) {
            changed = RenameAttribute(changed, name, name + "!");
        }
        for (const auto& name : names.segments) changed = RenameSegment(changed, name, name + "!");
        for (const auto& [event, name] : names.properties) {
            changed = RenameProperty(changed, event + "!", name, name + "!");
        }
        const References renamed = FindReferences(*changed);
        ASSERT_EQ(renamed.events.size(), names.events.size());
        for (const auto& event : renamed.events) {
            ASSERT_EQ(event.back(), '!');
            changed = RenameEvent(changed, event, event.substr(0, event.size() - 1));
        }
        for (const auto& name : renamed.attributes) {
            changed = RenameAttribute(changed, name, name.substr(0, name.size() - 1));
        }
        for (const auto& name : renamed.segments) {
            changed = RenameSegment(changed, name, name.substr(0, name.size() - 1));
        }
        for (const auto& [event, name] : names.properties) {
            changed = RenameProperty(changed, event, name + "!", name);
        }
        ASSERT_TRUE(Equal(*changed, *tree)) << seed;
    }
}

}  // namespace
}  // namespace condition
