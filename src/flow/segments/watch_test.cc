#include "flow/segments/watch.h"

#include <gtest/gtest.h>

#include "language/condition/parse.h"

namespace segments {
namespace {

constexpr base::TimeMs kNow = 1767600000000;

// Segments 1, 2, ... of the conditions given; leaves are shared by nobody.
class Watching : public testing::Test {
  protected:
    catalog::SegmentPtr Segment(uint32_t number, const std::string& condition) {
        const auto tree = condition::Parse(condition);
        EXPECT_TRUE(tree.has_value()) << condition;
        auto program = evaluate::Program::Compile(
            **tree,
            [&](const condition::Expression& part) -> base::Result<evaluate::LeafPtr> {
                auto leaf = evaluate::Leaf::Create(++leaf_, part);
                if (!leaf) return tl::make_unexpected(leaf.error());
                return std::make_shared<const evaluate::Leaf>(std::move(*leaf));
            },
            [](const std::string& name) -> base::Result<uint32_t> {
                return static_cast<uint32_t>(std::stoul(name));
            });
        EXPECT_TRUE(program.has_value());
        auto segment = std::make_shared<catalog::Segment>();
        segment->number = number;
        segment->program = std::move(*program);
        return segment;
    }
    void Show(const std::vector<std::string>& conditions) {
        uint32_t number = 0;
        for (const auto& condition : conditions) {
            ++number;
            shown_.push_back({number, {Segment(number, condition), nullptr}});
        }
        watch_.Build({}, shown_, names_);
    }
    std::vector<Move> Did(const std::string& name, base::TimeMs at, base::TimeMs now = kNow) {
        model::EventView event;
        event.name = name;
        event.time_ms = at;
        due_ = watch_.Add(person_, event, model::NameHash(name), now);
        return Judge(now);
    }
    std::vector<Move> Judge(base::TimeMs now = kNow, CursorView cursor = {}) {
        std::vector<Move> moves;
        watch_.Judge(person_, names_, now, cursor, moves);
        return moves;
    }
    uint32_t leaf_ = 0;
    model::Names names_;
    model::Person person_;
    Watch watch_;
    base::TimeMs due_ = 0;
    std::vector<std::pair<uint32_t, Shown>> shown_;
};

TEST_F(Watching, EachSegmentComesAfterThoseItNames) {
    Show({"in segment \"3\"", "not in segment \"1\"", "did \"X\""});
    watch_.MarkAll();
    Judge();
    EXPECT_TRUE(person_.InSegment(2));
    const auto moves = Did("X", kNow);
    ASSERT_EQ(moves.size(), 3u);
    EXPECT_EQ(moves[0].segment, 3u);
    EXPECT_EQ(moves[1].segment, 1u);
    EXPECT_EQ(moves[2].segment, 2u);
    EXPECT_FALSE(moves[2].entered);
}

TEST_F(Watching, AnEventThatChangesNoAnswerMovesNobody) {
    Show({"did \"X\" 2+ times"});
    EXPECT_TRUE(Did("X", kNow).empty());
    EXPECT_EQ(Did("X", kNow).size(), 1u);
    EXPECT_TRUE(Did("X", kNow).empty());
    EXPECT_TRUE(Did("Y", kNow).empty());
    EXPECT_EQ(person_.accumulators.size(), 1u);
}

TEST_F(Watching, ANewbornIsInWhatEverythingMarkedWouldPutHerIn) {
    std::vector<std::string> conditions = {
        "not did \"X\"",          "did \"X\"",      "plan is \"pro\"", "not plan is \"pro\"",
        "not did \"Y\" within 1d", "not in segment \"2\""};
    // More than one word of marks.
    for (int i = 0; i < 70; ++i) conditions.push_back("did \"Z\"");
    conditions.push_back("in segment \"4\"");
    Show(conditions);
    watch_.MarkNewborn();
    const auto newborn = Did("X", kNow);
    const model::Person other = std::exchange(person_, {});
    watch_.MarkAll();
    const auto all = Did("X", kNow);
    ASSERT_EQ(newborn.size(), all.size());
    EXPECT_EQ(newborn.size(), 4u);
    for (size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(newborn[i].segment, all[i].segment);
        EXPECT_TRUE(newborn[i].entered);
    }
    EXPECT_TRUE(other.InSegment(2));
    EXPECT_TRUE(other.InSegment(77));
}

TEST_F(Watching, TimeAloneTakesOneOut) {
    Show({"did \"X\" within 1d"});
    EXPECT_EQ(Did("X", kNow).size(), 1u);
    EXPECT_EQ(due_, kNow + base::kDayMs);
    EXPECT_EQ(watch_.NextFlip(person_, names_, kNow), due_);
    watch_.MarkFlips(person_, names_, due_ - 1);
    EXPECT_TRUE(Judge(due_ - 1).empty());
    watch_.MarkFlips(person_, names_, due_);
    const auto moves = Judge(due_);
    ASSERT_EQ(moves.size(), 1u);
    EXPECT_FALSE(moves[0].entered);
}

TEST_F(Watching, WhomTheCursorHasNotVisitedIsJudgedUnderTheVersionBefore) {
    const auto before = Segment(1, "did \"X\"");
    const auto now = Segment(1, "did \"Y\"");
    watch_.Build({}, {{1, {now, before}}}, names_);
    person_.id = {0, 10};
    model::EventView event;
    event.name = "X";
    event.time_ms = kNow;
    watch_.Add(person_, event, model::NameHash("X"), kNow);
    EXPECT_EQ(Judge(kNow, {1, {0, 9}}).size(), 1u);
    watch_.MarkAll();
    const auto moves = Judge(kNow, {1, {0, 10}});
    ASSERT_EQ(moves.size(), 1u);
    EXPECT_FALSE(moves[0].entered);
}

TEST_F(Watching, WhatAMoverBringsForALeafNotYetHereIsKept) {
    Show({"did \"X\" 2+ times"});
    model::Accumulators theirs;
    model::GetAccumulator(theirs, 1).count = 2;
    model::GetAccumulator(theirs, 77).count = 5;
    watch_.Unite(person_.accumulators, theirs);
    EXPECT_EQ(model::FindAccumulator(person_.accumulators, 1)->count, 2u);
    EXPECT_EQ(model::FindAccumulator(person_.accumulators, 77)->count, 5u);
    EXPECT_TRUE(watch_.Purge(person_));
    EXPECT_EQ(model::FindAccumulator(person_.accumulators, 77), nullptr);
    EXPECT_FALSE(watch_.Purge(person_));
}

TEST(TopologicalOrder, NamedSegmentsComeFirst) {
    const auto order = TopologicalOrder({{1, {2, 3}}, {2, {4}}, {3, {4}}, {4, {}}, {5, {9}}});
    const auto at = [&](uint32_t n) { return std::find(order.begin(), order.end(), n); };
    ASSERT_EQ(order.size(), 5u);
    EXPECT_LT(at(4), at(2));
    EXPECT_LT(at(4), at(3));
    EXPECT_LT(at(2), at(1));
    EXPECT_LT(at(3), at(1));
}

}  // namespace
}  // namespace segments
