#include "language/condition/json_form.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include "language/condition/parse.h"
#include "language/condition/print.h"

namespace condition {
namespace {

struct Pair {
    std::string_view text;
    std::string_view json;
};

// Every shape of json_form.h.
constexpr Pair kPairs[] = {
    {"everyone", R"({"everyone":true})"},
    {"a is 1 and b is true",
     R"({"and":[{"attribute":"a","op":"is","value":1},)"
     R"({"attribute":"b","op":"is","value":true}]})"},
    {"everyone or everyone", R"({"or":[{"everyone":true},{"everyone":true}]})"},
    {"not everyone", R"({"not":{"everyone":true}})"},
    {R"(in segment "Hot")", R"({"segment":"Hot"})"},
    {R"(plan is not "pro")", R"({"attribute":"plan","op":"is_not","value":"pro"})"},
    {"a >= 1.5", R"({"attribute":"a","op":"greater_equal","value":1.5})"},
    {"a between 1 and 2", R"({"attribute":"a","op":"between","values":[1,2]})"},
    {R"(a in ("x", 1))", R"({"attribute":"a","op":"in","values":["x",1]})"},
    {"a is known", R"({"attribute":"a","op":"known"})"},
    {R"(a before "2026-01-05")", R"({"attribute":"a","op":"before","value":"2026-01-05"})"},
    {"a more than 7d ago", R"({"attribute":"a","op":"more_than_ago","span":"7d"})"},
    {"a within next 3mo", R"({"attribute":"a","op":"within_next","span":"3mo"})"},
    {R"(first_touch.medium is "cpc")", R"({"first_touch":"medium","op":"is","value":"cpc"})"},
    {R"(last_touch.source is "x")", R"({"last_touch":"source","op":"is","value":"x"})"},
    {R"(did "X")", R"({"did":"X"})"},
    {R"(did "X" where p is 1, 2 to 4 times within 2w since entry)",
     R"({"did":"X","where":{"property":"p","op":"is","value":1},"at_least":2,"at_most":4,)"
     R"("within":"2w","since_entry":true})"},
    {R"(did "X" at most 3 times)", R"({"did":"X","at_least":0,"at_most":3})"},
    {R"(last "X" more than 30d ago)", R"({"last":"X","op":"more_than_ago","span":"30d"})"},
    {R"(first "X" where p is 1, before "2026-01-05")",
     R"({"first":"X","where":{"property":"p","op":"is","value":1},)"
     R"("op":"before","date":"2026-01-05"})"},
    {R"(sum(revenue) of "X" within 30d >= 1000)",
     R"({"sum":"revenue","of":"X","within":"30d","op":"greater_equal","value":1000})"},
    {R"(avg(p) of "X" between 1 and 2)", R"({"avg":"p","of":"X","op":"between","values":[1,2]})"},
    {R"(max(p) of "X" since entry = 1)",
     R"({"max":"p","of":"X","since_entry":true,"op":"is","value":1})"},
    {R"(min(p) of "X" != 1e+20)", R"({"min":"p","of":"X","op":"is_not","value":1e+20})"},
};

TEST(JsonForm, EveryShapeIsWrittenAndReadAsDocumented) {
    for (const Pair& pair : kPairs) {
        const auto tree = Parse(pair.text);
        ASSERT_TRUE(tree) << pair.text;
        EXPECT_EQ(ToJson(**tree), pair.json);
        const auto back = FromJson(pair.json);
        ASSERT_TRUE(back) << pair.json << " " << back.error().at << " " << back.error().internal;
        EXPECT_EQ(ToText(**back), pair.text);
    }
}

TEST(JsonForm, FieldsStandInAnyOrderAndDefaultsMayBeWritten) {
    const auto tree = FromJson(R"( {"since_entry":false, "within":"7 d"} )");
    EXPECT_FALSE(tree);
    const auto count = FromJson(R"({"since_entry":false,"at_least":1,"within":"7days","did":"X"})");
    ASSERT_TRUE(count) << count.error().internal;
    EXPECT_EQ(ToText(**count), R"(did "X" within 7d)");
}

TEST(JsonForm, AGroupOfOneReadsAsItsOnlyCondition) {
    const auto tree = FromJson(R"({"and":[{"or":[{"did":"X"}]}]})");
    ASSERT_TRUE(tree);
    EXPECT_EQ(ToText(**tree), R"(did "X")");
}

TEST(JsonForm, AnElementOfALargerDocumentIsReadInPlace) {
    simdjson::dom::parser parser;
    const auto json = simdjson::padded_string(std::string_view(R"({"when":{"did":"X"}})"));
    const auto tree = FromJson(parser.parse(json)["when"].value());
    ASSERT_TRUE(tree);
    EXPECT_EQ(ToText(**tree), R"(did "X")");
}

struct Fault {
    std::string_view json;
    std::string_view at;
    std::string_view says;
};

constexpr Fault kFaults[] = {
    {"", "", "this is not JSON"},
    {"{", "", "this is not JSON"},
    {"5", "", "expected an object"},
    {"{}", "", "this is no condition"},
    {R"({"everyone":false})", "everyone", "expected true"},
    {R"({"everyone":true,"x":1})", "x", "not known here"},
    {R"({"did":"X","did":"Y"})", "did", "stands twice"},
    {R"({"did":5})", "did", "expected a text"},
    {R"({"did":""})", "", "the event name is empty"},
    {R"({"did":"X","at_least":-1})", "at_least", "whole number"},
    {R"({"did":"X","at_least":1.5})", "at_least", "whole number"},
    {R"({"did":"X","at_least":5,"at_most":4})", "", "smaller number"},
    {R"({"did":"X","within":7})", "within", "expected a text"},
    {R"({"did":"X","within":"7"})", "within", "length of time"},
    {R"({"did":"X","since_entry":1})", "since_entry", "true or false"},
    {R"({"and":[]})", "and", "expected a list of conditions"},
    {R"({"and":{}})", "and", "expected a list of conditions"},
    {R"({"and":[{"everyone":true},{"did":"X","where":{"property":"p","op":"is","valu":1}}]})",
     "and[1].where.value", "missing"},
    {R"({"and":[{"everyone":true},)"
     R"({"did":"X","where":{"property":"p","op":"is","value":1,"x":2}}]})",
     "and[1].where.x", "not known here"},
    {R"({"not":{"or":[{"did":"X","where":{"did":"Y"}}]}})", "not.or[0].where",
     "only properties of the event"},
    {R"({"did":"X","where":{"attribute":"p","op":"known"}})", "where", "only properties"},
    {R"({"property":"p","op":"known"})", "", "only inside where"},
    {R"({"attribute":"a"})", "op", "missing"},
    {R"({"attribute":"a","op":"like","value":"x"})", "op", "not known"},
    {R"({"attribute":"a","op":"known","value":1})", "value", "not known here"},
    {R"({"attribute":"a","op":"is","values":[1]})", "value", "missing"},
    {R"({"attribute":"a","op":"is","value":null})", "value", "expected a text, a number"},
    {R"({"attribute":"a","op":"is","value":[1]})", "value", "expected a text, a number"},
    {R"({"attribute":"a","op":"in","values":[1,{}]})", "values[1]", "expected a text, a number"},
    {R"({"attribute":"a","op":"in","values":[]})", "", "the list of values is empty"},
    {R"({"attribute":"a","op":"between","values":[1]})", "", "between takes two values"},
    {R"({"attribute":"a","op":"greater","value":"1"})", "", "expected a number"},
    {R"({"attribute":"a","op":"matches","value":"("})", "", "cannot be read"},
    {R"({"attribute":"a","op":"within_last","span":"0d"})", "span", "length of time"},
    {R"({"attribute":"a","op":"within_last","value":"7d"})", "span", "missing"},
    {R"({"first_touch":"colour","op":"known"})", "", "a touch has source"},
    {R"({"last":"X","op":"is","span":"7d"})", "op", "first and last take"},
    {R"({"last":"X","op":"before","date":"soon"})", "date", "expected a date"},
    {R"({"last":"X","op":"before","date":"2026-01-05","within":"7d"})", "within", "not known here"},
    {R"({"sum":"p","op":"is","value":1})", "of", "missing"},
    {R"({"sum":"p","of":"X","op":"contains","value":"1"})", "op", "takes no numbers"},
    {R"({"sum":"p","of":"X","op":"is","value":"1"})", "value", "expected a number"},
    {R"({"sum":"p","of":"X","op":"between","values":[1]})", "values", "expected two numbers"},
    {R"({"sum":"p","of":"X","op":"between","values":[2,1]})", "", "smaller value first"},
    {R"({"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1})", "i", "not known here"},
    {R"({"script":"1"})", "", "this is no condition"},
};

TEST(JsonForm, FaultsNameTheirPath) {
    for (const Fault& fault : kFaults) {
        const auto tree = FromJson(fault.json);
        ASSERT_FALSE(tree) << fault.json;
        EXPECT_EQ(tree.error().code, base::ErrorCode::kInvalidArgument) << fault.json;
        EXPECT_EQ(tree.error().at, fault.at) << fault.json << " " << tree.error().public_text;
        EXPECT_NE(tree.error().public_text.find(fault.says), std::string::npos)
            << fault.json << " " << tree.error().public_text;
    }
}

}  // namespace
}  // namespace condition
