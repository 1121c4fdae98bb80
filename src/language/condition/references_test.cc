#include "language/condition/references.h"

#include <gtest/gtest.h>

#include "language/condition/equal.h"
#include "language/condition/parse.h"
#include "language/condition/print.h"

namespace condition {
namespace {

ExpressionPtr Tree(std::string_view text) {
    auto tree = Parse(text);
    EXPECT_TRUE(tree) << text;
    return *tree;
}

TEST(References, EveryNameIsFoundOnceAndSorted) {
    const References found = FindReferences(*Tree(
        R"(plan is "pro" and did "B" where q is 1 or p is 2, and (not last "A" within 7d or
           in segment "S") and plan is known and sum(r) of "B" where p is 1, > 5)"));
    EXPECT_EQ(found.attributes, std::vector<std::string>{"plan"});
    EXPECT_EQ(found.events, (std::vector<std::string>{"A", "B"}));
    EXPECT_EQ(found.segments, std::vector<std::string>{"S"});
    EXPECT_EQ(found.properties, (std::vector<std::pair<std::string, std::string>>{
                                    {"B", "p"}, {"B", "q"}, {"B", "r"}}));
    EXPECT_FALSE(found.first_touch);
    EXPECT_FALSE(found.last_touch);
    EXPECT_FALSE(found.since_entry);
    EXPECT_FALSE(found.relative_dates);
}

TEST(References, TouchesEntriesAndRelativeDatesAreTold) {
    EXPECT_TRUE(FindReferences(*Tree("first_touch.medium is 1")).first_touch);
    EXPECT_TRUE(FindReferences(*Tree("last_touch.medium is 1")).last_touch);
    EXPECT_TRUE(FindReferences(*Tree("not did \"X\" since entry")).since_entry);
    EXPECT_TRUE(FindReferences(*Tree("seen within last 7d")).relative_dates);
    // Filters are judged once, at the event.
    EXPECT_FALSE(FindReferences(*Tree("did \"X\" where d within last 7d")).relative_dates);
}

TEST(Rename, ReplacesOneKindOfNameAndSharesTheRest) {
    const ExpressionPtr tree =
        Tree(R"(a is 1 and (did "a" where a is 1 or sum(a) of "a" > 1) and in segment "a")");
    EXPECT_EQ(ToText(*RenameEvent(tree, "a", "b")),
              R"(a is 1 and (did "b" where a is 1, or sum(a) of "b" > 1) and in segment "a")");
    EXPECT_EQ(ToText(*RenameAttribute(tree, "a", "b")),
              R"(b is 1 and (did "a" where a is 1, or sum(a) of "a" > 1) and in segment "a")");
    EXPECT_EQ(ToText(*RenameSegment(tree, "a", "b")),
              R"(a is 1 and (did "a" where a is 1, or sum(a) of "a" > 1) and in segment "b")");
    EXPECT_EQ(ToText(*RenameProperty(tree, "a", "a", "b")),
              R"(a is 1 and (did "a" where b is 1, or sum(b) of "a" > 1) and in segment "a")");
    const auto renamed = RenameSegment(tree, "a", "b");
    EXPECT_EQ(std::get<And>(renamed->node).children[1], std::get<And>(tree->node).children[1]);
}

TEST(Rename, OfANameThatIsNotThereGivesTheSamePointer) {
    const ExpressionPtr tree = Tree(R"(not (did "X" where p is 1, or a is 1))");
    EXPECT_EQ(RenameEvent(tree, "Y", "Z"), tree);
    EXPECT_EQ(RenameAttribute(tree, "p", "Z"), tree);
    EXPECT_EQ(RenameSegment(tree, "X", "Z"), tree);
    EXPECT_EQ(RenameProperty(tree, "X", "a", "Z"), tree);
    EXPECT_EQ(RenameProperty(tree, "Y", "p", "Z"), tree);
}

TEST(Equal, WhatIsWrittenDifferentlyDiffers) {
    const char* texts[] = {
        "everyone", "a is 1", "a is 2", "a is \"1\"", "a is true", "b is 1", "a is not 1",
        "first_touch.kind is 1", "last_touch.kind is 1", "a within last 7d", "a within last 8d",
        "a within last 1mo", "did \"X\"", "did \"Y\"", "did \"X\" 2+ times", "did \"X\" once",
        "did \"X\" within 7d", "did \"X\" within 1w", "did \"X\" since entry",
        "did \"X\" where a is 1", "did \"X\" where a is 2", "last \"X\" within 7d",
        "first \"X\" within 7d", "last \"X\" more than 7d ago", "last \"X\" before \"2026-01-05\"",
        "last \"X\" after \"2026-01-05\"", "last \"X\" after \"2026-01-05T00:00Z\"",
        "sum(a) of \"X\" > 1", "avg(a) of \"X\" > 1", "sum(b) of \"X\" > 1", "sum(a) of \"X\" < 1",
        "sum(a) of \"X\" > 2", "sum(a) of \"X\" between 1 and 2",
        "sum(a) of \"X\" between 1 and 3", "in segment \"X\"", "in segment \"Y\"", "not a is 1",
        "a is 1 and b is 1", "b is 1 and a is 1", "a is 1 or b is 1",
        "a is 1 and b is 1 and c is 1",
        "(a is 1 and b is 1) and c is 1"};
    for (const char* one : texts) {
        for (const char* other : texts) {
            const auto a = Tree(one);
            const auto b = Tree(other);
            EXPECT_EQ(Equal(*a, *b), one == other) << one << " / " << other;
            EXPECT_EQ(Hash(*a) == Hash(*b), one == other) << one << " / " << other;
        }
    }
}

TEST(LeafKey, SameQuestionsShareAKeyAndOthersDoNot) {
    const auto key = [](std::string_view text) { return LeafKey(*Tree(text)); };
    EXPECT_EQ(key("did \"X\" within 7d"), key("did  \"X\"  1+ times within 1 week"));
    EXPECT_EQ(key("did \"X\" within 1mo"), key("did \"X\" within 30d"));
    EXPECT_EQ(key("last \"X\" before \"2026-01-05\""),
              key("last \"X\" before \"2026-01-05T09:00+09:00\""));
    EXPECT_EQ(key("a before \"2026-01-05\""), key("a before \"2026-01-05T00:00Z\""));
    EXPECT_NE(key("a is \"2026-01-05\""), key("a is \"2026-01-05T00:00Z\""));
    EXPECT_NE(key("a within last 1mo"), key("a within last 30d"));  // Calendar month.
    EXPECT_NE(key("did \"X\" within 7d"), key("did \"X\" within 8d"));
    EXPECT_NE(key("`first_touch.kind` is 1"), key("first_touch.kind is 1"));
    EXPECT_NE(key("a is \"1\""), key("a is 1"));
    EXPECT_NE(key("did \"X\" where a is 1"), key("did \"X\""));
}

}  // namespace
}  // namespace condition
