#include "language/condition/compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

#include "language/condition/json_list.h"
#include "language/condition/parse.h"
#include "language/condition/random_tree.h"

namespace condition {
namespace {

using base::kDayMs;

const base::TimeMs kNow = *base::ParseIso("2026-03-31T12:00:00Z");

Comparer Make(std::string_view text, bool declared_number = false) {
    const auto tree = Parse(text);
    if (!tree) {
        ADD_FAILURE() << text << ": " << tree.error().public_text;
        std::abort();
    }
    auto made = Comparer::Create(std::get<Comparison>((*tree)->node), declared_number);
    if (!made) {
        ADD_FAILURE() << text << ": " << made.error().internal;
        std::abort();
    }
    return *std::move(made);
}

bool Holds(std::string_view text, const Value& value, bool declared_number = false) {
    return Make(text, declared_number).Matches(value, kNow);
}

// One operator against one value of each type.
struct Row {
    std::string_view text;
    // none, true, false, 5, "Pro", "5", ["Pro",5], {"a":1}
    std::string_view answers;
};

constexpr Row kTable[] = {
    {"x is \"pro\"", "0000 1000"},
    {"x is not \"pro\"", "1111 0111"},
    {"x is 5", "0001 0000"},
    {"x is not 5", "1110 1111"},
    {"x is true", "0100 0000"},
    {"x is false", "0010 0000"},
    {"x is not true", "1011 1111"},
    {"x is \"5\"", "0000 0100"},
    {"x contains \"R\"", "0000 1000"},
    {"x contains \"5\"", "0000 0100"},
    {"x does not contain \"R\"", "1111 0111"},
    {"x starts with \"pR\"", "0000 1000"},
    {"x ends with \"RO\"", "0000 1000"},
    {"x in (\"pro\", 5, true)", "0101 1000"},
    {"x not in (\"pro\", 5, true)", "1010 0111"},
    {"x is known", "0111 1111"},
    {"x is unknown", "1000 0000"},
    {"x > 4", "0001 0000"},
    {"x >= 5", "0001 0000"},
    {"x < 6", "0001 0000"},
    {"x <= 5", "0001 0000"},
    {"x > 5", "0000 0000"},
    {"x < 5", "0000 0000"},
    {"x between 5 and 6", "0001 0000"},
    {"x matches \"^P\"", "0000 1000"},
    {"x matches \"^p\"", "0000 0000"},
    {"x has \"pro\"", "0000 1010"},
    {"x has 5", "0001 0010"},
    {"x has true", "0100 0000"},
    {"x before \"2026-01-01\"", "0001 0000"},  // 5 is 1970-01-01T00:00:05Z.
    {"x after \"2026-01-01\"", "0000 0000"},
    {"x more than 1d ago", "0001 0000"},
    {"x within last 1d", "0000 0000"},
    {"x more than 1d ahead", "0000 0000"},
    {"x within next 1d", "0000 0000"},
};

TEST(Comparer, EveryOperatorAnswersEveryTypeOfValue) {
    const Value values[] = {Value::None(),      Value::Bool(true),
                            Value::Bool(false), Value::Number(5),
                            Value::Text("Pro"), Value::Text("5"),
                            Value::List(R"(["Pro",5])"), Value::Object(R"({"a":1})")};
    for (const Row& row : kTable) {
        const Comparer comparer = Make(row.text);
        std::string answers;
        for (size_t i = 0; i < std::size(values); ++i) {
            if (i == 4) answers += ' ';
            answers += comparer.Matches(values[i], kNow) ? '1' : '0';
        }
        EXPECT_EQ(answers, row.answers) << row.text;
    }
}

TEST(Comparer, TheTableHasEveryOperator) {
    std::map<Operator, int> seen;
    for (const Row& row : kTable) ++seen[std::get<Comparison>((*Parse(row.text))->node).op];
    EXPECT_EQ(seen.size(), static_cast<size_t>(Operator::kWithinNext) + 1);
}

TEST(Comparer, NumbersInTextsCountOnlyWhenTheAttributeIsDeclaredANumber) {
    EXPECT_FALSE(Holds("x > 4", Value::Text("5")));
    EXPECT_TRUE(Holds("x > 4", Value::Text("5"), true));
    EXPECT_TRUE(Holds("x is 5", Value::Text(" 5.0 "), true));
    EXPECT_TRUE(Holds("x is \"5\"", Value::Number(5), true));
    EXPECT_TRUE(Holds("x in (1, \"5\")", Value::Text("+5e0"), true));
    EXPECT_FALSE(Holds("x is not 5", Value::Text("5"), true));
    EXPECT_TRUE(Holds("x between 4 and 6", Value::Text("5"), true));
    EXPECT_FALSE(Holds("x > 4", Value::Text("5 pcs"), true));
    EXPECT_FALSE(Holds("x > 4", Value::Text(""), true));
    EXPECT_FALSE(Holds("x < 4", Value::Text("nan"), true));
    EXPECT_FALSE(Holds("x > 4", Value::Text("inf"), true));
    EXPECT_TRUE(Holds("x is \"n/a\"", Value::Text("N/A"), true));
    EXPECT_TRUE(Holds("x has 5", Value::List(R"(["5"])"), true));
    EXPECT_FALSE(Holds("x has 5", Value::List(R"(["5"])")));
}

TEST(Comparer, ManyTextsAndFewTextsAnswerAlike) {
    const Comparer many = Make(R"(x in ("a", "Straße", "c", "D", "e", "ÉTÉ", "東京"))");
    for (const char* text : {"A", "STRAßE", "d", "été", "東京"}) {
        EXPECT_TRUE(many.Matches(Value::Text(text), kNow)) << text;
    }
    EXPECT_FALSE(many.Matches(Value::Text("b"), kNow));
    EXPECT_FALSE(many.Matches(Value::Text(""), kNow));
    EXPECT_TRUE(Holds(R"(x in ("a", "Straße"))", Value::Text("STRAßE")));
}

TEST(Comparer, LongAndForeignTextsAreSearchedWhole) {
    const std::string hay = std::string(1000, 'x') + "Über" + std::string(1000, 'y');
    EXPECT_TRUE(Holds("x contains \"üBER\"", Value::Text(hay)));
    EXPECT_TRUE(Holds("x ends with \"Y\"", Value::Text(hay)));
    EXPECT_FALSE(Holds("x ends with \"yx\"", Value::Text(hay)));
    EXPECT_TRUE(Holds("x starts with \"XX\"", Value::Text(hay)));
    EXPECT_FALSE(Holds("x starts with \"xxx\"", Value::Text("xx")));
    EXPECT_TRUE(Holds("x contains \"\"", Value::Text("")));
}

TEST(Comparer, NumbersAtTheEdgesAreIncludedWhereTheWordSaysSo) {
    EXPECT_TRUE(Holds("x between 5 and 6", Value::Number(6)));
    EXPECT_FALSE(Holds("x between 5 and 6", Value::Number(std::nextafter(6, 7))));
    EXPECT_FALSE(Holds("x between 5 and 6", Value::Number(std::nextafter(5, 4))));
    EXPECT_FALSE(Holds("x is 5", Value::Number(NAN)));
    EXPECT_TRUE(Holds("x is 0", Value::Number(-0.0)));
}

TEST(Comparer, DatesAreReadFromTextsSecondsAndMilliseconds) {
    const auto day = Value::Text("2026-01-05");
    const auto seconds = Value::Number(1767571200);
    const auto ms = Value::Number(1767571200000);
    for (const Value& value : {day, seconds, ms}) {
        EXPECT_EQ(DateOf(value), base::ParseIso("2026-01-05"));
        EXPECT_TRUE(Holds("x after \"2026-01-04T23:59:59.999Z\"", value));
        EXPECT_FALSE(Holds("x after \"2026-01-05\"", value));
        EXPECT_FALSE(Holds("x before \"2026-01-05\"", value));
        EXPECT_TRUE(Holds("x before \"2026-01-05T00:00:00.001Z\"", value));
        EXPECT_TRUE(Holds("x between \"2026-01-05\" and \"2026-01-05\"", value));
    }
    EXPECT_TRUE(Holds("x after \"2026-01-04\"", Value::Text("1767571200"), true));
    EXPECT_FALSE(Holds("x after \"2026-01-04\"", Value::Text("1767571200")));
    EXPECT_EQ(DateOf(Value::Number(1e300)), std::nullopt);
    EXPECT_EQ(DateOf(Value::Number(-1e300)), std::nullopt);
    EXPECT_EQ(DateOf(Value::Number(NAN)), std::nullopt);
    EXPECT_EQ(DateOf(Value::Number(99'999'999'999)), 99'999'999'999'000);
    EXPECT_EQ(DateOf(Value::Number(100'000'000'000)), 100'000'000'000);
    EXPECT_EQ(DateOf(Value::Bool(true)), std::nullopt);
    EXPECT_FALSE(Holds("x before \"2026-01-05\"", Value::Text("soon")));
}

struct Turn {
    std::string_view text;
    base::TimeMs value;
    base::TimeMs at;      // The instant of a change
    bool before;          // and the answer one millisecond earlier.
};

TEST(Comparer, RelativeDatesTurnAtTheExactMillisecond) {
    const Turn turns[] = {
        {"x more than 7d ago", kNow, kNow + 7 * kDayMs, false},
        {"x within last 7d", kNow, kNow, false},
        {"x within last 7d", kNow, kNow + 7 * kDayMs, true},
        {"x more than 7d ahead", kNow, kNow - 7 * kDayMs, true},
        {"x within next 7d", kNow, kNow - 7 * kDayMs, false},
        {"x within next 7d", kNow, kNow, true},
        // 31 January + 1 month: the last day of February.
        {"x more than 1mo ago", *base::ParseIso("2026-01-31T10:00Z"),
         *base::ParseIso("2026-02-28T10:00Z"), false},
        {"x more than 1mo ago", *base::ParseIso("2024-01-31T10:00Z"),
         *base::ParseIso("2024-02-29T10:00Z"), false},
        {"x within last 1y", *base::ParseIso("2024-02-29"), *base::ParseIso("2025-02-28"), true},
        {"x within next 1mo", *base::ParseIso("2026-03-31"), *base::ParseIso("2026-02-28"), false},
        {"x more than 1mo ahead", *base::ParseIso("2026-03-31"), *base::ParseIso("2026-02-28"),
         true},
    };
    for (const Turn& turn : turns) {
        const Comparer comparer = Make(turn.text);
        const Value value = Value::Number(static_cast<double>(turn.value));
        EXPECT_EQ(comparer.Matches(value, turn.at - 1), turn.before) << turn.text;
        EXPECT_EQ(comparer.Matches(value, turn.at), !turn.before) << turn.text;
        EXPECT_EQ(comparer.NextFlip(value, turn.at - 1), turn.at) << turn.text;
        EXPECT_GT(comparer.NextFlip(value, turn.at), turn.at) << turn.text;
        EXPECT_TRUE(comparer.depends_on_time());
    }
}

TEST(Comparer, TheFourRelativeComparisonsFollowTheirFormulas) {
    std::mt19937_64 random(1);
    const base::DurationMs span = 7 * kDayMs;
    const Comparer ago = Make("x more than 7d ago");
    const Comparer last = Make("x within last 7d");
    const Comparer ahead = Make("x more than 7d ahead");
    const Comparer next = Make("x within next 7d");
    for (int i = 0; i < 10'000; ++i) {
        base::TimeMs v = kNow + static_cast<base::TimeMs>(random() % (4 * span)) - 2 * span;
        if (i % 4 == 0) v = kNow + (static_cast<int>(random() % 3) - 1) * span;
        const Value value = Value::Number(static_cast<double>(v));
        ASSERT_EQ(ago.Matches(value, kNow), v <= kNow - span);
        ASSERT_EQ(last.Matches(value, kNow), kNow - span < v && v <= kNow);
        ASSERT_EQ(ahead.Matches(value, kNow), v > kNow + span);
        ASSERT_EQ(next.Matches(value, kNow), kNow < v && v <= kNow + span);
    }
}

TEST(Comparer, NothingChangesBeforeNextFlipAndEverythingAtIt) {
    std::mt19937_64 random(2);
    for (uint64_t seed = 0; seed < 20'000; ++seed) {
        RandomTree trees(seed);
        const auto tree = trees.Make(1);
        const auto* comparison = std::get_if<Comparison>(&tree->node);
        if (comparison == nullptr) continue;
        const auto comparer = Comparer::Create(*comparison);
        ASSERT_TRUE(comparer);
        const auto shift = static_cast<base::TimeMs>(random() % (4000 * kDayMs)) - 2000 * kDayMs;
        const Value value = Value::Number(static_cast<double>(kNow + shift));
        const bool here = comparer->Matches(value, kNow);
        const base::TimeMs flip = comparer->NextFlip(value, kNow);
        ASSERT_GT(flip, kNow);
        const base::TimeMs until = flip == base::kNeverMs ? kNow + 40'000 * kDayMs : flip;
        ASSERT_EQ(comparer->Matches(value, until - 1), here);
        ASSERT_EQ(comparer->Matches(value, kNow + (until - kNow) / 2), flip - kNow == 1 || here);
        if (flip != base::kNeverMs) {
            ASSERT_NE(comparer->Matches(value, flip), here);
        }
    }
}

TEST(Comparer, TimeAloneNeverChangesAValueThatIsNoDateOrAFixedComparison) {
    EXPECT_EQ(Make("x more than 7d ago").NextFlip(Value::None(), kNow), base::kNeverMs);
    EXPECT_EQ(Make("x more than 7d ago").NextFlip(Value::Text("soon"), kNow), base::kNeverMs);
    const Value now = Value::Number(static_cast<double>(kNow));
    EXPECT_EQ(Make("x before \"2027-01-01\"").NextFlip(now, kNow), base::kNeverMs);
    EXPECT_FALSE(Make("x before \"2027-01-01\"").depends_on_time());
    EXPECT_FALSE(Make("x is 5").depends_on_time());
}

TEST(Comparer, RefusesWhatIsNotValid) {
    EXPECT_FALSE(Comparer::Create({Subject::kAttribute, "x", Operator::kIs, {}, 0, 0}));
    EXPECT_FALSE(Comparer::Create({Subject::kAttribute, "x", Operator::kMatches, {"("}, 0, 0}));
    EXPECT_FALSE(
        Comparer::Create({Subject::kAttribute, "x", Operator::kBetween, {"a", "b"}, 0, 0}));
}

TEST(Comparer, ListsAreReadWithEscapesNumbersAndNesting) {
    const Value list = Value::List(
        R"( [ "a\"b" , "\u00dcber", "\ud83c\udf4e", ["deep"], {"k":"]"}, -1.5e2, true,
              null, "z" ] )");
    EXPECT_TRUE(Holds(R"(x has "a\"b")", list));
    EXPECT_TRUE(Holds(R"(x has "über")", list));
    EXPECT_TRUE(Holds(R"(x has "🍎")", list));
    EXPECT_TRUE(Holds("x has -150", list));
    EXPECT_TRUE(Holds("x has true", list));
    EXPECT_TRUE(Holds(R"(x has "Z")", list));
    EXPECT_FALSE(Holds(R"(x has "deep")", list));
    EXPECT_FALSE(Holds(R"(x has "k")", list));
    EXPECT_FALSE(Holds("x has false", list));
    EXPECT_FALSE(Holds("x has \"a\"", Value::List("[]")));
    for (const char* broken :
         {"", "x", "[", "[\"", "[\"a\\", "[\"\\u12", "[[", "[{\"", "[1e", "[tru"}) {
        EXPECT_FALSE(Holds("x has \"b\"", Value::List(broken))) << broken;
    }
}

TEST(Filter, AnswersLikeItsTree) {
    const auto tree = Parse(
        R"(did "X" where category is "ovens" and (price >= 100 or not brand is known))");
    ASSERT_TRUE(tree);
    const auto filter = Filter::Create(*std::get<Count>((*tree)->node).events.where);
    ASSERT_TRUE(filter);
    EXPECT_EQ(filter->names(), (std::vector<std::string>{"brand", "category", "price"}));
    const auto holds = [&](std::map<std::string, Value, std::less<>> properties) {
        return filter->Matches(
            [&](std::string_view name) {
                const auto found = properties.find(name);
                return found == properties.end() ? Value::None() : found->second;
            },
            kNow);
    };
    EXPECT_TRUE(holds({{"category", Value::Text("Ovens")}, {"price", Value::Number(100)}}));
    EXPECT_TRUE(holds({{"category", Value::Text("Ovens")}}));
    EXPECT_FALSE(holds({{"category", Value::Text("Ovens")}, {"brand", Value::Text("b")}}));
    EXPECT_FALSE(holds({{"price", Value::Number(100)}}));
}

// The same tree judged by plain recursion.
bool Judge(const Expression& tree, const std::map<std::string, Value>& values) {
    if (const auto* all = std::get_if<And>(&tree.node)) {
        bool result = true;
        for (const auto& child : all->children) result = Judge(*child, values) && result;
        return result;
    }
    if (const auto* any = std::get_if<Or>(&tree.node)) {
        bool result = false;
        for (const auto& child : any->children) result = Judge(*child, values) || result;
        return result;
    }
    if (const auto* negated = std::get_if<Not>(&tree.node)) return !Judge(*negated->child, values);
    const auto& comparison = std::get<Comparison>(tree.node);
    const auto found = values.find(comparison.name);
    return Comparer::Create(comparison)
        ->Matches(found == values.end() ? Value::None() : found->second, kNow);
}

TEST(Filter, AnswersLikePlainRecursionOnRandomTrees) {
    int yes = 0;
    for (uint64_t seed = 0; seed < 2000; ++seed) {
        RandomTree random(seed);
        const auto tree = random.Make(5, true);
        const auto filter = Filter::Create(*tree);
        ASSERT_TRUE(filter);
        std::map<std::string, Value> values;
        for (const auto& name : filter->names()) {
            switch (random.Below(4)) {
                case 0:
                    values[name] = Value::Number(static_cast<double>(random.Below(1000)));
                    break;
                case 1: values[name] = Value::Text(name); break;
                case 2: values[name] = Value::Bool(true); break;
                default: break;
            }
        }
        const bool answer = filter->Matches(
            [&](std::string_view name) {
                const auto found = values.find(std::string(name));
                return found == values.end() ? Value::None() : found->second;
            },
            kNow);
        ASSERT_EQ(answer, Judge(*tree, values)) << seed;
        yes += answer;
    }
    EXPECT_GT(yes, 200);
    EXPECT_LT(yes, 1800);
}

TEST(Filter, RefusesWhatSpeaksOfThePerson) {
    EXPECT_FALSE(Filter::Create(**Parse("plan is \"pro\"")));
    EXPECT_FALSE(Filter::Create(**Parse("did \"X\"")));
    EXPECT_FALSE(Filter::Create(**Parse("everyone")));
}

}  // namespace
}  // namespace condition
