#include "language/evaluate/leaf.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "language/condition/parse.h"

namespace evaluate {
namespace {

using base::kDayMs;
using base::kHourMs;
using model::Accumulator;

constexpr base::TimeMs kNow = 1767600000000;

Leaf LeafOf(const std::string& condition) {
    const auto tree = condition::Parse(condition);
    EXPECT_TRUE(tree.has_value()) << condition;
    auto leaf = Leaf::Create(1, **tree);
    EXPECT_TRUE(leaf.has_value()) << condition;
    return std::move(*leaf);
}

// An event with one numeric property.
class Told {
  public:
    Told(base::TimeMs time_ms, double value) {
        property_.key = "v";
        property_.kind = model::Property::Kind::kNumber;
        property_.number = value;
        view.time_ms = time_ms;
        view.name = "X";
        view.properties = {&property_, 1};
    }
    model::EventView view;

  private:
    model::Property property_;
};

void Add(const Leaf& leaf, Accumulator& into, base::TimeMs at, double value = 1,
         base::TimeMs now = kNow) {
    const Told told(at, value);
    if (leaf.Concerns(told.view)) leaf.Add(into, told.view, now);
}

TEST(CountLeaf, HoldsFromItsNumberOn) {
    const Leaf leaf = LeafOf("did \"X\" 3+ times");
    Accumulator a(1);
    EXPECT_FALSE(leaf.Holds(nullptr, kNow));
    Add(leaf, a, kNow);
    Add(leaf, a, kNow);
    EXPECT_FALSE(leaf.Holds(&a, kNow));
    Add(leaf, a, kNow);
    EXPECT_TRUE(leaf.Holds(&a, kNow));
    EXPECT_EQ(leaf.NextFlip(&a, kNow), base::kNeverMs);
}

TEST(CountLeaf, AtMostHoldsForWhoNeverDidIt) {
    const Leaf leaf = LeafOf("did \"X\" at most 1 times");
    Accumulator a(1);
    EXPECT_TRUE(leaf.Holds(nullptr, kNow));
    Add(leaf, a, kNow);
    EXPECT_TRUE(leaf.Holds(&a, kNow));
    Add(leaf, a, kNow);
    EXPECT_FALSE(leaf.Holds(&a, kNow));
}

TEST(CountLeaf, AnEventExactlyAsOldAsTheWindowIsOutside) {
    const Leaf leaf = LeafOf("did \"X\" within 7d");
    Accumulator a(1);
    Add(leaf, a, kNow);
    EXPECT_TRUE(leaf.Holds(&a, kNow + 7 * kDayMs - 1));
    EXPECT_FALSE(leaf.Holds(&a, kNow + 7 * kDayMs));
    EXPECT_EQ(leaf.NextFlip(&a, kNow), kNow + 7 * kDayMs);
    EXPECT_EQ(leaf.NextFlip(&a, kNow + 7 * kDayMs), base::kNeverMs);
}

TEST(CountLeaf, FlipsAtEachEdgeOfAnExactCount) {
    const Leaf leaf = LeafOf("did \"X\" exactly 1 times within 1d");
    Accumulator a(1);
    Add(leaf, a, kNow - 3 * kHourMs);
    Add(leaf, a, kNow);
    EXPECT_FALSE(leaf.Holds(&a, kNow));
    const auto enters = leaf.NextFlip(&a, kNow);
    EXPECT_EQ(enters, kNow + 21 * kHourMs);
    EXPECT_TRUE(leaf.Holds(&a, enters));
    const auto leaves = leaf.NextFlip(&a, enters);
    EXPECT_EQ(leaves, kNow + kDayMs);
    EXPECT_FALSE(leaf.Holds(&a, leaves));
}

TEST(CountLeaf, AnEventFromTheFutureCountsFromItsArrival) {
    const Leaf leaf = LeafOf("did \"X\" within 1d");
    Accumulator a(1);
    Add(leaf, a, kNow + kHourMs);
    EXPECT_TRUE(leaf.Holds(&a, kNow));
    EXPECT_EQ(leaf.NextFlip(&a, kNow), kNow + kDayMs);
}

TEST(CountLeaf, WindowedCountsBeyondTheLimitAreRefused) {
    const auto fits = condition::Parse("did \"X\" 10000+ times within 1d");
    ASSERT_TRUE(fits.has_value());
    EXPECT_TRUE(Leaf::Create(1, **fits).has_value());
    const auto beyond = condition::Parse("did \"X\" 10001+ times within 1d");
    EXPECT_TRUE(!beyond || !Leaf::Create(1, **beyond));
}

TEST(OccurrenceLeaf, LastAndFirstKeepTheirEnds) {
    const Leaf last = LeafOf("last \"X\" more than 30d ago");
    const Leaf first = LeafOf("first \"X\" within 30d");
    Accumulator a(1), b(1);
    for (const auto at : {kNow - 5 * kDayMs, kNow - 29 * kDayMs, kNow - 10 * kDayMs}) {
        Add(last, a, at);
        Add(first, b, at);
    }
    EXPECT_FALSE(last.Holds(nullptr, kNow));
    EXPECT_FALSE(last.Holds(&a, kNow));
    EXPECT_EQ(last.NextFlip(&a, kNow), kNow + 25 * kDayMs);
    EXPECT_TRUE(last.Holds(&a, kNow + 25 * kDayMs));
    EXPECT_TRUE(first.Holds(&b, kNow));
    EXPECT_EQ(first.NextFlip(&b, kNow), kNow + kDayMs);
    EXPECT_FALSE(first.Holds(&b, kNow + kDayMs));
}

TEST(AggregateLeaf, SumsOfNothingAreZeroAndOthersOfNothingAreFalse) {
    EXPECT_TRUE(LeafOf("sum(v) of \"X\" <= 0").Holds(nullptr, kNow));
    EXPECT_FALSE(LeafOf("max(v) of \"X\" <= 0").Holds(nullptr, kNow));
    EXPECT_FALSE(LeafOf("avg(v) of \"X\" >= 0").Holds(nullptr, kNow));
    EXPECT_TRUE(LeafOf("min(v) of \"X\" != 0").Holds(nullptr, kNow));
}

TEST(AggregateLeaf, CentsAddUpExactly) {
    const Leaf leaf = LeafOf("sum(v) of \"X\" >= 1000");
    Accumulator a(1);
    for (int i = 0; i < 9999; ++i) Add(leaf, a, kNow, 0.1);
    EXPECT_FALSE(leaf.Holds(&a, kNow));
    Add(leaf, a, kNow, 0.1);
    EXPECT_TRUE(leaf.Holds(&a, kNow));
}

TEST(AggregateLeaf, WindowedSumFlipsWhenTheValueLeaves) {
    const Leaf leaf = LeafOf("sum(v) of \"X\" within 12h >= 60");
    Accumulator a(1);
    Add(leaf, a, kNow - 2 * kHourMs, 40);
    Add(leaf, a, kNow - kHourMs, 20);
    EXPECT_TRUE(leaf.Holds(&a, kNow));
    EXPECT_EQ(leaf.NextFlip(&a, kNow), kNow + 10 * kHourMs);
    EXPECT_FALSE(leaf.Holds(&a, kNow + 10 * kHourMs));
}

TEST(AggregateLeaf, WindowsKeepAtMostTheirLimitOfValues) {
    const Leaf leaf = LeafOf("sum(v) of \"X\" within 1d >= 0");
    Accumulator a(1);
    for (size_t i = 0; i <= limits::kWindowValuesMax; ++i) {
        Add(leaf, a, kNow - static_cast<base::TimeMs>(i), 1);
    }
    ASSERT_EQ(a.more.size(), 2 * limits::kWindowValuesMax);
    int64_t sum = 0;
    for (size_t i = 1; i < a.more.size(); i += 2) sum += a.more[i];
    EXPECT_EQ(sum, static_cast<int64_t>(limits::kWindowValuesMax + 1) * 1'000'000);
}

// Two persons' memories unite into what one person would have, in whatever order events come.
TEST(Leaf, UnitingGivesWhatOnePersonWouldHave) {
    const char* conditions[] = {"did \"X\" 3+ times",
                                "did \"X\" 3+ times within 1d",
                                "did \"X\" within 1d",
                                "first \"X\" within 1d",
                                "last \"X\" within 1d",
                                "sum(v) of \"X\" >= 5",
                                "sum(v) of \"X\" within 1d >= 5",
                                "max(v) of \"X\" >= 5",
                                "min(v) of \"X\" within 1d >= 5"};
    for (const char* text : conditions) {
        const Leaf leaf = LeafOf(text);
        Accumulator one(1), left(1), right(1), other_left(1), other_right(1);
        for (int i = 0; i < 8; ++i) {
            const auto at = kNow - i * 2 * kHourMs;
            Add(leaf, one, at, i);
            Add(leaf, i % 3 == 0 ? left : right, at, i);
        }
        for (int i = 7; i >= 0; --i) {
            Add(leaf, i % 3 == 0 ? other_left : other_right, kNow - i * 2 * kHourMs, i);
        }
        leaf.Unite(left, right);
        leaf.Unite(other_right, other_left);
        for (const Accumulator* united : {&left, &other_right}) {
            EXPECT_EQ(united->count, one.count) << text;
            EXPECT_EQ(united->value, one.value) << text;
            EXPECT_TRUE(united->more == one.more) << text;
        }
    }
}

TEST(Leaf, UnitingWithNothingChangesNothing) {
    const Leaf leaf = LeafOf("first \"X\" within 1d");
    Accumulator a(1), empty(1);
    Add(leaf, a, kNow);
    leaf.Unite(a, empty);
    EXPECT_EQ(a.value, kNow);
    leaf.Unite(empty, a);
    EXPECT_EQ(empty.value, kNow);
    EXPECT_EQ(empty.count, 1u);
}

// NextFlip is the first change: nothing changes before it, and something does at it.
TEST(Leaf, NothingChangesBeforeItsNextFlip) {
    const char* conditions[] = {"did \"X\" within 1d", "did \"X\" 2 to 3 times within 1d",
                                "sum(v) of \"X\" within 1d between 3 and 6",
                                "last \"X\" more than 1d ago"};
    for (const char* text : conditions) {
        const Leaf leaf = LeafOf(text);
        Accumulator a(1);
        for (int i = 0; i < 5; ++i) Add(leaf, a, kNow - i * 3 * kHourMs, i + 1);
        base::TimeMs now = kNow;
        for (int flips = 0; flips < 20; ++flips) {
            const bool holds = leaf.Holds(&a, now);
            const auto flip = leaf.NextFlip(&a, now);
            const auto end = flip == base::kNeverMs ? now + 3 * kDayMs : flip;
            for (auto t = now; t < end; t += 10 * base::kMinuteMs) {
                ASSERT_EQ(leaf.Holds(&a, t), holds) << text;
            }
            if (flip == base::kNeverMs) break;
            ASSERT_NE(leaf.Holds(&a, flip), holds) << text;
            now = flip;
        }
    }
}

}  // namespace
}  // namespace evaluate
