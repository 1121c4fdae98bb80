#include "language/condition/valid.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/limits.h"
#include "language/condition/json_form.h"
#include "language/condition/parse.h"

namespace condition {
namespace {

base::ErrorCode CodeOf(const base::Result<ExpressionPtr>& result) {
    return result ? base::ErrorCode::kInternal : result.error().code;
}

std::string Repeat(std::string_view part, size_t times) {
    std::string out;
    for (size_t i = 0; i < times; ++i) out += part;
    return out;
}

// A text of exactly `size` bytes: x is "aaa...".
std::string TextOfSize(size_t size) { return "x is \"" + std::string(size - 7, 'a') + "\""; }

std::string NestedJson(int nots) {
    return Repeat("{\"not\":", static_cast<size_t>(nots)) + "{\"everyone\":true}" +
           std::string(static_cast<size_t>(nots), '}');
}

TEST(ConditionLimits, BytesAtTheLimitAreReadAndOneMoreIsTooLarge) {
    EXPECT_TRUE(Parse(TextOfSize(limits::kConditionBytesMax)));
    EXPECT_EQ(CodeOf(Parse(TextOfSize(limits::kConditionBytesMax + 1))),
              base::ErrorCode::kTooLarge);
}

TEST(ConditionLimits, WhatIsShortAsWrittenButLongWhenPrintedIsTooLarge) {
    const std::string quotes(limits::kConditionBytesMax / 2, '"');
    const std::string shorter(limits::kConditionBytesMax / 2 - 4, '"');
    EXPECT_EQ(CodeOf(Parse("x is '" + quotes + "'")), base::ErrorCode::kTooLarge);
    EXPECT_TRUE(Parse("x is '" + shorter + "'"));
    const auto json = [](const std::string& text) {
        return R"({"attribute":"x","op":"is","value":")" + text + "\"}";
    };
    EXPECT_TRUE(FromJson(json(std::string(limits::kConditionBytesMax - 7, 'a'))));
    EXPECT_EQ(CodeOf(FromJson(json(std::string(limits::kConditionBytesMax - 6, 'a')))),
              base::ErrorCode::kTooLarge);
    EXPECT_EQ(CodeOf(FromJson(json(std::string(8 * limits::kConditionBytesMax, 'a')))),
              base::ErrorCode::kTooLarge);
}

TEST(ConditionLimits, DepthAtTheLimitIsReadAndOneMoreIsTooLarge) {
    const int most = limits::kConditionDepthMax;
    const auto open = static_cast<size_t>(most - 1);
    const auto brackets = [](size_t n) { return Repeat("(", n) + "everyone" + Repeat(")", n); };
    EXPECT_TRUE(Parse(brackets(open)));
    const auto deep = Parse(brackets(open + 1));
    EXPECT_EQ(CodeOf(deep), base::ErrorCode::kTooLarge);
    EXPECT_EQ(deep.error().at, "1:" + std::to_string(most));
    EXPECT_TRUE(Parse(Repeat("not ", open) + "everyone"));
    EXPECT_EQ(CodeOf(Parse(Repeat("not ", open + 1) + "everyone")), base::ErrorCode::kTooLarge);
    EXPECT_TRUE(FromJson(NestedJson(most - 1)));
    EXPECT_EQ(CodeOf(FromJson(NestedJson(most))), base::ErrorCode::kTooLarge);
    EXPECT_EQ(CodeOf(FromJson(NestedJson(20'000))), base::ErrorCode::kTooLarge);
}

TEST(ConditionLimits, AFilterCountsAsOneLevel) {
    const auto open = static_cast<size_t>(limits::kConditionDepthMax - 2);
    const std::string leaf = R"(did "X" where a is 1)";
    EXPECT_TRUE(Parse(Repeat("not ", open) + leaf));
    EXPECT_EQ(CodeOf(Parse(Repeat("not ", open + 1) + leaf)), base::ErrorCode::kTooLarge);
}

TEST(ConditionLimits, DepthWithoutParenthesesIsMeasuredToo) {
    // Each pair of parentheses holds an or of an and: two levels of the tree.
    std::string text = "a is 1";
    for (int i = 0; i < limits::kConditionDepthMax / 2; ++i) {
        text = "b is 1 or c is 1 and (" + text + ")";
    }
    EXPECT_EQ(CodeOf(Parse(text)), base::ErrorCode::kTooLarge);
}

TEST(ConditionLimits, HostileNestingIsRefusedWithoutDeepRecursion) {
    EXPECT_EQ(CodeOf(Parse(std::string(limits::kConditionBytesMax, '('))),
              base::ErrorCode::kTooLarge);
    EXPECT_EQ(CodeOf(Parse(Repeat("not ", limits::kConditionBytesMax / 4))),
              base::ErrorCode::kTooLarge);
}

TEST(ConditionLimits, PartsAtTheLimitAreReadAndOneMoreIsTooLarge) {
    // One Or and its children.
    const std::string text = "everyone" + Repeat(" or everyone", limits::kConditionNodesMax - 2);
    EXPECT_TRUE(Parse(text));
    EXPECT_EQ(CodeOf(Parse(text + " or everyone")), base::ErrorCode::kTooLarge);
    const auto json = [](size_t children) {
        return "{\"or\":[{\"everyone\":true}" + Repeat(",{\"everyone\":true}", children - 1) + "]}";
    };
    EXPECT_TRUE(FromJson(json(limits::kConditionNodesMax - 1)));
    EXPECT_EQ(CodeOf(FromJson(json(limits::kConditionNodesMax))), base::ErrorCode::kTooLarge);
}

TEST(ConditionLimits, NamesPatternsAndCountsAreReadUpToTheirLimits) {
    const auto event = [](size_t size) { return "did \"" + std::string(size, 'a') + "\""; };
    EXPECT_TRUE(Parse(event(limits::kNameBytesMax)));
    EXPECT_FALSE(Parse(event(limits::kNameBytesMax + 1)));
    const auto pattern = [](size_t size) { return "x matches \"" + std::string(size, 'a') + "\""; };
    EXPECT_TRUE(Parse(pattern(limits::kPatternBytesMax)));
    EXPECT_FALSE(Parse(pattern(limits::kPatternBytesMax + 1)));
    EXPECT_TRUE(Parse(R"(x matches "(a{100}){10}")"));
    EXPECT_FALSE(Parse(R"(x matches "((a{100}){100}){100}")"));
    const auto most = std::to_string(limits::kCountThresholdMax);
    const auto more = std::to_string(limits::kCountThresholdMax + 1);
    EXPECT_TRUE(Parse("did \"X\" " + most + "+ times"));
    EXPECT_FALSE(Parse("did \"X\" " + more + "+ times"));
    EXPECT_TRUE(FromJson(R"({"did":"X","at_most":)" + most + "}"));
    EXPECT_FALSE(FromJson(R"({"did":"X","at_most":)" + more + "}"));
}

TEST(Valid, TreesMadeByHandAreCheckedLikeWrittenOnes) {
    const auto good = [](auto node) { return Validate(Expression{std::move(node)}).has_value(); };
    EXPECT_TRUE(good(Comparison{Subject::kAttribute, "a", Operator::kIs, {1.0}, 0, 0}));
    EXPECT_FALSE(good(Comparison{Subject::kAttribute, "", Operator::kIs, {1.0}, 0, 0}));
    EXPECT_FALSE(good(Comparison{Subject::kAttribute, "a", Operator::kIs, {}, 0, 0}));
    EXPECT_FALSE(good(Comparison{Subject::kAttribute, "a", Operator::kIs, {1.0, 2.0}, 0, 0}));
    EXPECT_FALSE(good(Comparison{Subject::kAttribute, "a", Operator::kIs, {1.0}, 5000, 0}));
    EXPECT_FALSE(good(Comparison{Subject::kAttribute, "a", Operator::kIs, {INFINITY}, 0, 0}));
    EXPECT_FALSE(good(Comparison{Subject::kAttribute, "a", Operator::kIs, {"\xff"}, 0, 0}));
    EXPECT_FALSE(good(Comparison{Subject::kProperty, "a", Operator::kIs, {1.0}, 0, 0}));
    EXPECT_FALSE(good(Comparison{Subject::kAttribute, "a", Operator::kKnown, {1.0}, 0, 0}));
    EXPECT_FALSE(good(Comparison{Subject::kAttribute, "a", Operator::kIn, {}, 0, 0}));
    EXPECT_TRUE(good(Comparison{Subject::kAttribute, "a", Operator::kWithinLast, {}, 1000, 0}));
    EXPECT_FALSE(good(Comparison{Subject::kAttribute, "a", Operator::kWithinLast, {}, 999, 0}));
    EXPECT_FALSE(good(Comparison{Subject::kAttribute, "a", Operator::kWithinLast, {}, 1500, 0}));
    EXPECT_FALSE(good(Comparison{Subject::kAttribute, "a", Operator::kWithinLast, {}, 1000, 1}));
    EXPECT_TRUE(good(Comparison{Subject::kAttribute, "a", Operator::kWithinLast, {}, 0, 1200}));
    EXPECT_FALSE(good(Comparison{Subject::kAttribute, "a", Operator::kWithinLast, {}, 0, 1201}));
    EXPECT_FALSE(good(And{}));
    EXPECT_FALSE(good(Or{}));
    EXPECT_FALSE(good(Not{}));
    Events windowed{"X", nullptr, {7 * base::kDayMs, "7d"}, false};
    EXPECT_TRUE(good(Count{windowed, 1, 5}));
    windowed.within.text = "8d";
    EXPECT_FALSE(good(Count{windowed, 1, 5}));
    EXPECT_FALSE(good(Count{Events{"X", nullptr, {}, false}, 5, 4}));
    Occurrence seen;
    seen.events.name = "X";
    seen.op = Operator::kBefore;
    seen.date_text = "1970-01-02";
    seen.date_ms = base::kDayMs;
    EXPECT_TRUE(good(seen));
    seen.date_ms = 0;
    EXPECT_FALSE(good(seen));
    Aggregate total;
    total.events.name = "X";
    total.property = "p";
    EXPECT_TRUE(good(total));
    total.high = 1;
    EXPECT_FALSE(good(total));
    total.op = Operator::kContains;
    EXPECT_FALSE(good(total));
}

}  // namespace
}  // namespace condition
