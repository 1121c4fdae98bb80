#include "language/condition/parse.h"

#include <gtest/gtest.h>

#include "language/condition/print.h"

namespace condition {
namespace {

struct Line {
    std::string_view text;
    std::string_view canonical;  // Empty: the text itself.
};

// Every form of the grammar in docs/conditions.md.
constexpr Line kLines[] = {
    // The examples.
    {R"(plan is "pro")", ""},
    {R"(did "Application Started" 2+ times and not did "Application Submitted")", ""},
    {R"(did "Product Viewed" where category is "ovens" and price >= 100, 3+ times within 7d)", ""},
    {R"(last "Order Completed" more than 30d ago)", ""},
    {R"(first_touch.medium is "cpc" and (city is "Moscow" or country in ("DE", "AT")))", ""},
    {R"(sum(revenue) of "Order Completed" >= 1000)", ""},
    {R"(did "Application Submitted" since entry)", ""},
    // Comparisons.
    {R"(plan = "pro")", R"(plan is "pro")"},
    {R"(PLAN IS NOT "Pro")", R"(PLAN is not "Pro")"},
    {R"(plan != 'pro')", R"(plan is not "pro")"},
    {R"(title contains "chef")", ""},
    {R"(title does not contain "chef")", ""},
    {R"(title starts with "a")", ""},
    {R"(title ends with "z")", ""},
    {R"(country in ("DE", 5, true))", ""},
    {R"(country is in ("DE"))", R"(country in ("DE"))"},
    {R"(country not in ("DE"))", ""},
    {R"(country is not in ("DE"))", R"(country not in ("DE"))"},
    {"phone is known", ""},
    {"phone is unknown", ""},
    {"phone is not known", "phone is unknown"},
    {"age > 1", ""},
    {"age >= 1.5", ""},
    {"age < -2", ""},
    {"age <= 1e3", "age <= 1000"},
    {"age = .5", "age is 0.5"},
    {"age = -0", "age is 0"},
    {"age between -5 and 10 and paid is true", ""},
    {R"(born between "1980-01-01" and "1989-12-31")", ""},
    {R"(email matches "@example\\.(com|de)$")", ""},
    {R"(tags has "vip")", ""},
    {"tags has 5", ""},
    {R"(trial_end before "2026-01-05")", ""},
    {R"(trial_end after "2026-01-05T10:00:00+09:00")", ""},
    {"seen more than 3d ago", ""},
    {"seen within last 7d", ""},
    {"seen less than 7d ago", "seen within last 7d"},
    {"renews more than 3d ahead", ""},
    {"renews within next 2w", "renews within next 14d"},
    {"renews less than 12mo ahead", "renews within next 1y"},
    {"seen more than 90 minutes ago", "seen more than 90m ago"},
    {"seen more than 18 Months ago", "seen more than 18mo ago"},
    {R"(last_touch.source is "x")", ""},
    {R"(First_Touch.medium is "x")", R"(first_touch.medium is "x")"},
    // Names and quoting.
    {R"(`odd name` is "x")", ""},
    {R"(`plan` is "x")", R"(plan is "x")"},
    {R"(`first_touch.medium` is "x")", ""},
    {R"(address.city is "x")", ""},
    {R"(items.0.price > 5)", ""},
    {R"(last is "x")", R"(`last` is "x")"},
    {R"(sum > 5)", "`sum` > 5"},
    {R"(`a\`b\\c` is "x")", ""},
    {R"(都市 is "東京")", ""},
    {"plan　is　\"pro\"", R"(plan is "pro")"},
    {R"(plan is "a \"b\" \\ \n \t \u0001")", ""},
    {R"(plan is 'a "b"')", R"(plan is "a \"b\"")"},
    {R"(plan is "\u00e9")", R"(plan is "é")"},
    {"# who\nplan is \"pro\" # paying\n  and age > 5#", R"(plan is "pro" and age > 5)"},
    {"\xef\xbb\xbfplan is \"#no comment\"", R"(plan is "#no comment")"},
    // Counts.
    {R"(did "X")", ""},
    {R"(did "X" 1+ times)", R"(did "X")"},
    {R"(did "X" at least 2 times)", R"(did "X" 2+ times)"},
    {R"(did "X" exactly 3 times)", ""},
    {R"(did "X" 3 times)", R"(did "X" exactly 3 times)"},
    {R"(did "X" 1 time)", R"(did "X" once)"},
    {R"(did "X" once)", ""},
    {R"(did "X" twice)", R"(did "X" exactly 2 times)"},
    {R"(did "X" at most 2 times)", ""},
    {R"(did "X" exactly 0 times)", ""},
    {R"(did "X" 2 to 4 times)", ""},
    {R"(did "X" 0 to 4 times)", R"(did "X" at most 4 times)"},
    {R"(did "X" within 30s)", ""},
    {R"(did "X" within last 15m)", R"(did "X" within 15m)"},
    {R"(did "X" within 12h since entry)", ""},
    {R"(did "X" 2+ times since entry within 3mo)", R"(did "X" 2+ times within 3mo since entry)"},
    {R"(did "X" within 1y 2+ times)", R"(did "X" 2+ times within 1y)"},
    {R"(did "X" within 2 weeks)", R"(did "X" within 2w)"},
    {R"(did not do "X" within 7d)", R"(not did "X" within 7d)"},
    {R"(did not "X" or plan is known)", R"(not did "X" or plan is known)"},
    // Filters.
    {R"(did "X" where a is 1)", ""},
    {R"(did "X" where a is 1,)", R"(did "X" where a is 1)"},
    {R"(did "X" where a is 1 3+ times)", R"(did "X" where a is 1, 3+ times)"},
    {R"(did "X" where a is 1 within 7d)", R"(did "X" where a is 1, within 7d)"},
    {R"(did "X" where not (a is 1 or b is known) and c is 2, since entry)", ""},
    {R"(did "X" where a in (1, 2), once)", ""},
    {R"(did "X" where a is 1 and did "Y")", R"(did "X" where a is 1, and did "Y")"},
    {R"(did "X" where a is 1 or not (did "Y"))", R"(did "X" where a is 1, or not did "Y")"},
    {R"(did "X" where a is 1 and first_touch.medium is "cpc")",
     R"(did "X" where a is 1, and first_touch.medium is "cpc")"},
    {R"(did "X" where a is 1 and in segment "S")", R"(did "X" where a is 1, and in segment "S")"},
    {R"(did "X" where a is 1 and b is 2)", ""},
    {R"(did "X" where a is 1, and b is 2)", ""},
    {R"((did "X" where a is 1) and b is 2)", R"(did "X" where a is 1, and b is 2)"},
    {R"(did "X" where a is 1 or b is 2 and last "Y" within 7d)",
     R"(did "X" where a is 1 or b is 2, and last "Y" within 7d)"},
    {R"(not did "X" where a is 1, and b is 2)", ""},
    {R"((did "X" where a is 1 or everyone) and b is 2)",
     R"((did "X" where a is 1, or everyone) and b is 2)"},
    // First, last, aggregates.
    {R"(first "X" within 7d)", ""},
    {R"(first "X" within last 7d)", R"(first "X" within 7d)"},
    {R"(last "X" less than 7d ago)", R"(last "X" within 7d)"},
    {R"(last "X" before "2026-01-05")", ""},
    {R"(first "X" where a is 1, after "2026-01-05T10:00Z")", ""},
    {R"(last "X" where a is 1 more than 1y ago)", R"(last "X" where a is 1, more than 1y ago)"},
    {R"(avg(price) of "X" where a is 1, within 30d since entry < 5)", ""},
    {R"(max(price) of "X" since entry within 30d != 5)",
     R"(max(price) of "X" within 30d since entry != 5)"},
    {R"(min(`odd name`) of "X" is 5)", R"(min(`odd name`) of "X" = 5)"},
    {R"(SUM(price) of "X" is not 5)", R"(sum(price) of "X" != 5)"},
    {R"(sum(price) of "X" between 1 and 2 and plan is known)", ""},
    {R"(sum(price) of "X" where a is 1 >= 5)", R"(sum(price) of "X" where a is 1, >= 5)"},
    // The rest.
    {"everyone", ""},
    {R"(in segment "Hot")", ""},
    {R"(not in segment "Hot")", ""},
    {R"(not not plan is known)", ""},
    {R"(((plan is known)))", "plan is known"},
    {"a is 1 or b is 2 and c is 3", ""},
    {"(a is 1 or b is 2) and c is 3", ""},
    {"(a is 1 and b is 2) and c is 3", ""},
    {"(a is 1 or b is 2) or c is 3", ""},
    {"not (a is 1 and b is 2)", ""},
    {"a is 1 Or b is 2 AND NOT c is 3", "a is 1 or b is 2 and not c is 3"},
};

TEST(Parse, EveryLineOfTheGrammarIsReadAndPrintedCanonically) {
    for (const Line& line : kLines) {
        const auto tree = Parse(line.text);
        ASSERT_TRUE(tree) << line.text << "\n"
                          << tree.error().at << " " << tree.error().public_text;
        EXPECT_EQ(ToText(**tree), line.canonical.empty() ? line.text : line.canonical);
    }
}

TEST(Parse, AndBindsTighterThanOr) {
    const auto tree = Parse("a is 1 or b is 2 and c is 3");
    ASSERT_TRUE(tree);
    const auto* any = std::get_if<Or>(&(*tree)->node);
    ASSERT_NE(any, nullptr);
    ASSERT_EQ(any->children.size(), 2U);
    EXPECT_TRUE(std::holds_alternative<And>(any->children[1]->node));
}

TEST(Parse, NotTakesOnlyWhatFollowsDirectly) {
    const auto tree = Parse("not a is 1 and b is 2");
    ASSERT_TRUE(tree);
    const auto* all = std::get_if<And>(&(*tree)->node);
    ASSERT_NE(all, nullptr);
    EXPECT_TRUE(std::holds_alternative<Not>(all->children[0]->node));
}

TEST(Parse, MonthsAreThirtyDaysInWindowsAndCalendarMonthsInDateComparisons) {
    const auto window = Parse(R"(did "X" within 3mo)");
    ASSERT_TRUE(window);
    EXPECT_EQ(std::get<Count>((*window)->node).events.within.ms, 90 * base::kDayMs);
    const auto year = Parse(R"(last "X" within 1y)");
    ASSERT_TRUE(year);
    EXPECT_EQ(std::get<Occurrence>((*year)->node).span.ms, 365 * base::kDayMs);
    const auto date = Parse("seen more than 3mo ago");
    ASSERT_TRUE(date);
    EXPECT_EQ(std::get<Comparison>((*date)->node).span_months, 3);
    EXPECT_EQ(std::get<Comparison>((*date)->node).span_ms, 0);
}

TEST(Parse, AFilterLooksAtPropertiesAndWhatFollowsAtAttributes) {
    const auto tree = Parse(R"(did "X" where a is 1, and b is 2)");
    ASSERT_TRUE(tree);
    const auto& all = std::get<And>((*tree)->node);
    const auto& count = std::get<Count>(all.children[0]->node);
    EXPECT_EQ(std::get<Comparison>(count.events.where->node).subject, Subject::kProperty);
    EXPECT_EQ(std::get<Comparison>(all.children[1]->node).subject, Subject::kAttribute);
}

struct Fault {
    std::string_view text;
    std::string_view at;
    std::string_view says;  // A part of the message.
};

constexpr Fault kFaults[] = {
    {"", "1:1", "the condition is empty"},
    {"  # only a comment", "1:19", "the condition is empty"},
    {"did Signed", "1:5", "expected a quoted event name after did"},
    {"did", "1:4", "expected a quoted event name after did"},
    {"did not Signed", "1:9", "expected a quoted event name after did not"},
    {"plan", "1:5", "expected a comparison such as is, contains, in or > after plan"},
    {"plan is", "1:8", "expected a value after is: a quoted text, a number, true or false"},
    {"plan is pro", "1:9", "expected a value after is"},
    {"plan is \"a\"\n  or \"b\"", "2:6", "for several values write in"},
    {"\"plan\" is 5", "1:1", "names of attributes stand without quotes"},
    {"都市 は \"東京\"", "1:4", "expected a comparison"},
    {"age > \"5\"", "1:7", "expected a number after >"},
    {"age > 7d", "1:7", "expected a number after >"},
    {"age between 5 and 3", "1:13", "between takes the smaller value first"},
    {"age between 5 or 3", "1:15", "expected and after the first value of between"},
    {"d between \"2026-02-01\" and \"2026-01-01\"", "1:11", "the earlier date first"},
    {"d between 5 and \"2026-01-01\"", "1:11", "two numbers or two dates"},
    {"d before \"tomorrow\"", "1:10", "expected a date such as"},
    {"d before 5", "1:10", "expected a date such as"},
    {"d after \"2026-02-29\"", "1:9", "expected a date such as"},
    {"country in \"DE\"", "1:12", "expected a list such as"},
    {"country in ()", "1:13", "expected a value after ("},
    {"country in (\"DE\" \"AT\")", "1:18", "expected a comma or the closing ) of the list"},
    {"email matches \"(\"", "1:15", "the pattern cannot be read: missing )"},
    {"email matches \"\\d\"", "1:16", "for a backslash inside quotes write \\\\"},
    {"title contains 5", "1:16", "expected a quoted text after contains"},
    {"title does contain \"x\"", "1:12", "expected not after does"},
    {"seen more than 7 ago", "1:16", "7ago is no length of time"},
    {"seen more than 7x ago", "1:16", "7x is no length of time"},
    {"seen more than 0d ago", "1:16", "0d is no length of time"},
    {"seen more than 1.5h ago", "1:16", "1.5h is no length of time"},
    {"seen more than 101y ago", "1:16", "from 1s to 100y"},
    {"seen more than 7d", "1:18", "expected ago or ahead"},
    {"seen within 7d", "1:13", "expected last or next after within"},
    {"first_touch.colour is \"x\"", "1:1", "a touch has source, medium"},
    {"did \"X\" 3+ tmes", "1:12", "expected times after the number"},
    {"did \"X\" 0+ times", "1:1", "0+ times is true for everyone"},
    {"did \"X\" 4 to 2 times", "1:1", "write the smaller number of times first"},
    {"did \"X\" 1.5 times", "1:9", "expected a whole number"},
    {"did \"X\" -1 times", "1:9", "expected a whole number"},
    {"did \"X\" 10001 times", "1:9", "a count is at most 10000"},
    {"did \"X\" once twice", "1:14", "the number of times stands here twice"},
    {"did \"X\" within 7d within 8d", "1:19", "within stands here twice"},
    {"did \"X\" since entry since entry", "1:21", "since entry stands here twice"},
    {"did \"X\" since yesterday", "1:15", "expected entry after since"},
    {"did \"X\" where did \"Y\"", "1:15", "did speaks of the person"},
    {"did \"X\" where (a is 1 and did \"Y\")", "1:27", "end the filter with a comma first"},
    {"did \"X\" where first_touch.medium is 1", "1:15", "speaks of the person"},
    {"did \"X\" where, 3+ times", "1:14", "expected a condition such as"},
    {"did \"X\", 3+ times", "1:8", "a comma stands only after where"},
    {"did \"\"", "1:1", "the event name is empty"},
    {"last \"X\"", "1:9", "expected within, more than ... ago, before or after"},
    {"last \"X\" where a is 1, since entry", "1:24", "expected within, more than"},
    {"last \"X\" before 5", "1:17", "expected a date"},
    {"last \"X\" more than 5d ahead", "1:23", "expected ago after the length of time"},
    {"sum(5) of \"X\" > 1", "1:5", "expected the name of a property after sum("},
    {"sum(a \"X\" > 1", "1:7", "expected ) after the property"},
    {"sum(a) \"X\" > 1", "1:8", "expected of after )"},
    {"sum(a) of \"X\"", "1:14", "expected =, !=, >, >=, <, <= or between and a number"},
    {"sum(a) of \"X\" is \"5\"", "1:18", "expected a number to compare with"},
    {"sum(a) of \"X\" is known", "1:15", "expected =, !=, >"},
    {"sum(a) of \"X\" between 2 and 1", "1:23", "the smaller value first"},
    {"in \"Hot\"", "1:4", "expected segment after in"},
    {"in segment Hot", "1:12", "expected a quoted segment name after in segment"},
    {"(a is 1", "1:1", "this ( is not closed"},
    {"a is 1)", "1:7", "this ) closes nothing"},
    {"(a is 1 b is 2)", "1:9", "expected and, or, or the closing )"},
    {"a is 1 b is 2", "1:8", "expected and, or, or the end of the condition"},
    {"a is 1 and", "1:11", "expected a condition such as"},
    {"and a is 1", "1:1", "expected a condition such as"},
    {"not", "1:4", "expected a condition such as"},
    {"true is 5", "1:1", "expected a condition such as"},
    {"plan is \"open", "1:9", "this quoted text is not closed"},
    {"plan is \"a\nb\"", "1:9", "this quoted text is not closed"},
    {"`plan is 5", "1:1", "this name in backquotes is not closed"},
    {"`` is 5", "1:1", "the name is empty"},
    {"plan is “pro”", "1:9", "use straight quotes"},
    {"plan is \"\\u12\"", "1:10", "four hexadecimal digits"},
    {"plan is \"\\ud800\"", "1:10", "four hexadecimal digits"},
    {"plan is 1e999", "1:9", "out of range"},
    {"a..b is 5", "1:1", "a dot too many"},
    {"plan & x", "1:6", "did not expect & here"},
    {"plan is 5;", "1:10", "did not expect ; here"},
    {"plan \x01 x", "1:6", "a control character"},
    {"plan is \"\xff\"", "1:1", "not valid UTF-8"},
};

TEST(Parse, FaultsSayWhatWasExpectedAndWhere) {
    for (const Fault& fault : kFaults) {
        const auto tree = Parse(fault.text);
        ASSERT_FALSE(tree) << fault.text << " gave " << ToText(**tree);
        EXPECT_EQ(tree.error().code, base::ErrorCode::kInvalidArgument) << fault.text;
        EXPECT_EQ(tree.error().at, fault.at) << fault.text << "\n" << tree.error().public_text;
        EXPECT_NE(tree.error().public_text.find(fault.says), std::string::npos)
            << fault.text << "\n" << tree.error().public_text;
    }
}

TEST(Parse, EveryBeginningOfEveryLineIsReadOrRefused) {
    for (const Line& line : kLines) {
        for (size_t length = 0; length < line.text.size(); ++length) {
            const auto tree = Parse(line.text.substr(0, length));
            if (!tree) {
                EXPECT_FALSE(tree.error().public_text.empty()) << line.text.substr(0, length);
                EXPECT_FALSE(tree.error().at.empty()) << line.text.substr(0, length);
            }
        }
    }
}

}  // namespace
}  // namespace condition
