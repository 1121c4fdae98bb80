#include "language/liquid/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace liquid {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr base::TimeMs kNow = 1772530200000;  // 2026-03-03T09:30:00Z

base::Result<std::string> Try(std::string_view text, std::string_view json = "{}",
                              Options options = {}, const PartialTexts& partials = {}) {
    Arena arena;
    auto scope = ParseJson(json, arena);
    if (!scope) return tl::make_unexpected(scope.error());
    auto parsed = Template::Parse(text, partials);
    if (!parsed) return tl::make_unexpected(parsed.error());
    if (options.now_ms == 0) options.now_ms = kNow;
    return parsed->Render(*scope, options);
}

std::string Print(std::string_view text, std::string_view json = "{}", Options options = {},
                  const PartialTexts& partials = {}) {
    const auto printed = Try(text, json, options, partials);
    return printed ? *printed
                   : "error at " + printed.error().at + ": " + printed.error().public_text;
}

// --- errors ------------------------------------------------------------------------------------

TEST(TemplateErrors, UnknownFilterIsAnErrorOfParse) {
    const auto parsed = Template::Parse("Hello\n  {{ name | env }}");
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().at, "2:13");
    EXPECT_EQ(parsed.error().public_text, "there is no filter \"env\"");
}

TEST(TemplateErrors, UnknownTagIsAnErrorOfParse) {
    const auto parsed = Template::Parse("{% exec 'ls' %}");
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().at, "1:1");
    EXPECT_EQ(parsed.error().public_text, "there is no tag \"exec\"");
}

TEST(TemplateErrors, ColumnsCountCharacters) {
    const auto parsed = Template::Parse("日本語 {{ a | nope }}");
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().at, "1:12");
}

TEST(TemplateErrors, EachUnclosedThingIsNamed) {
    const auto text = [](std::string_view source) {
        const auto parsed = Template::Parse(source);
        return parsed ? std::string() : parsed.error().public_text;
    };
    EXPECT_EQ(text("{{ a"), "\"{{\" is not closed by \"}}\"");
    EXPECT_EQ(text("{% if a"), "\"{%\" is not closed by \"%}\"");
    EXPECT_EQ(text("{% if a %}x"), "{% if %} is not closed by {% endif %}");
    EXPECT_EQ(text("{% for a in b %}{% endif %}"), "\"endif\" closes nothing here");
    EXPECT_EQ(text("{{ 'a }}"), "a quoted text is not closed");
    EXPECT_EQ(text("{% raw %}x"), "{% raw %} is not closed by {% endraw %}");
    EXPECT_EQ(text("{% comment %}x"), "{% comment %} is not closed by {% endcomment %}");
    EXPECT_EQ(text("{{ a | append }}"), "the filter append takes at least 1 argument");
    EXPECT_EQ(text("{{ a b }}"), "expected the end of the tag, found \"b\"");
    EXPECT_EQ(text("{% render 'footer' %}"), "there is no partial \"footer\"");
}

TEST(TemplateErrors, RenderNamesThePlace) {
    const auto printed = Try("a\n{{ 1 | divided_by: zero }}");
    ASSERT_FALSE(printed);
    EXPECT_EQ(printed.error().code, base::ErrorCode::kInvalidArgument);
    EXPECT_EQ(printed.error().at, "2:8");
    EXPECT_EQ(printed.error().public_text, "divided by zero");
}

TEST(TemplateErrors, PartialIsNamedInThePlace) {
    EXPECT_EQ(Print("{% render 'foot' %}", "{}", {}, {{"foot", "\n{{ 1 | modulo: 0 }}"}}),
              "error at foot:2:8: divided by zero");
    const auto parsed = Template::Parse("", {{"foot", "{{ x | nope }}"}});
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().at, "foot:1:8");
}

TEST(TemplateErrors, SourceOfKTemplateBytesMaxIsTheLargest) {
    EXPECT_TRUE(Template::Parse(std::string(limits::kTemplateBytesMax, 'x')));
    const auto parsed = Template::Parse(std::string(limits::kTemplateBytesMax + 1, 'x'));
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, base::ErrorCode::kTooLarge);
}

TEST(StrictVariables, NamesWhatIsNotThere) {
    Options strict;
    strict.strict_variables = true;
    const std::string json = R"({"person":{"name":"Aya"}})";
    EXPECT_EQ(Print("{{ person.name }}", json, strict), "Aya");
    EXPECT_EQ(Print("{{ person.nmae }}", json, strict),
              "error at 1:4: there is no \"person.nmae\"");
    EXPECT_EQ(Print("{{ person.nmae }}", json), "");
}

TEST(StrictVariables, DefaultAndConditionsMayAskForAnything) {
    Options strict;
    strict.strict_variables = true;
    EXPECT_EQ(Print("{{ a.b | default: 'x' }}", "{}", strict), "x");
    EXPECT_EQ(Print("{% if a.b == 'c' %}1{% else %}2{% endif %}", "{}", strict), "2");
    EXPECT_EQ(Print("{% case a %}{% when 1 %}1{% else %}2{% endcase %}", "{}", strict), "2");
}

// --- the closed tables -------------------------------------------------------------------------

TEST(ClosedTables, FiltersAreThese) {
    EXPECT_THAT(
        FilterNames(),
        ElementsAre("abs", "append", "at_least", "at_most", "base64_decode", "base64_encode",
                    "base64_url_safe_decode", "base64_url_safe_encode", "capitalize", "ceil",
                    "compact", "concat", "date", "default", "divided_by", "downcase", "escape",
                    "escape_once", "find", "find_index", "first", "floor", "h", "has", "join",
                    "last", "lstrip", "map", "minus", "modulo", "newline_to_br", "plus", "prepend",
                    "raw", "reject", "remove", "remove_first", "remove_last", "replace",
                    "replace_first", "replace_last", "reverse", "round", "rstrip", "safe", "size",
                    "slice", "sort", "sort_natural", "split", "strip", "strip_html",
                    "strip_newlines", "sum", "times", "truncate", "truncatewords", "uniq",
                    "upcase", "url_decode", "url_encode", "where"));
}

TEST(ClosedTables, TagsAreThese) {
    EXPECT_THAT(TagNames(),
                ElementsAre("#", "assign", "break", "capture", "case", "comment", "continue",
                            "cycle", "decrement", "doc", "echo", "for", "if", "ifchanged",
                            "include", "increment", "liquid", "raw", "render", "tablerow",
                            "unless"));
}

TEST(ClosedTables, NothingReachesOutOfTheScope) {
    for (const std::string_view name :
         {"env.HOME", "self", "__proto__", "constructor.name", "this.class", "_context",
          "''.class", "person.__class__.__mro__", "site", "settings"}) {
        EXPECT_EQ(Print("[{{ " + std::string(name) + " }}]", R"({"person":{}})").substr(0, 2),
                  name == "''.class" ? "er" : "[]")
            << name;
    }
    for (const std::string_view payload :
         {"{{ 'id' | system }}", "{{ 'HOME' | env }}", "{{ '/etc/passwd' | file }}",
          "{{ 'http://localhost' | fetch }}", "{% include_relative '/etc/passwd' %}",
          "{{ a | eval }}", "{% javascript %}{% endjavascript %}", "{{ [].class }}",
          "{{ range(1,9) }}", "{{ a.b() }}", "{% ruby %}", "{{ a | map: 'x' | call }}"}) {
        EXPECT_FALSE(Template::Parse(payload)) << payload;
    }
}

// --- escaping ----------------------------------------------------------------------------------

class EscapeHtml : public testing::Test {
  protected:
    std::string Html(std::string_view text) const {
        Options options;
        options.escape_html = true;
        return Print(text, R"({"x":"<b>\"&'</b>","list":["<",">"],"bio":"<i>\nhi"})", options);
    }
};

TEST_F(EscapeHtml, EveryOutputIsEscaped) {
    EXPECT_EQ(Html("{{ x }}"), "&lt;b&gt;&quot;&amp;&#39;&lt;/b&gt;");
    EXPECT_EQ(Html("{% echo x | upcase %}"), "&lt;B&gt;&quot;&amp;&#39;&lt;/B&gt;");
    EXPECT_EQ(Html("{{ list }}"), "&lt;&gt;");
    EXPECT_EQ(Html("{{ list | join: '&' }}"), "&lt;&amp;&gt;");
    EXPECT_EQ(Html("{% cycle x, 'b' %}"), "&lt;b&gt;&quot;&amp;&#39;&lt;/b&gt;");
    EXPECT_EQ(Html("{% for c in list %}{{ c }}{% endfor %}"), "&lt;&gt;");
    EXPECT_EQ(Html("{% assign y = x %}{{ y }}"), "&lt;b&gt;&quot;&amp;&#39;&lt;/b&gt;");
}

TEST_F(EscapeHtml, RawAndSafeAreLeftAlone) {
    EXPECT_EQ(Html("{{ '<hr>' | raw }}{{ '<hr>' | safe }}"), "<hr><hr>");
    EXPECT_EQ(Html("{{ '<hr>' | raw | append: '<' }}"), "&lt;hr&gt;&lt;");
}

TEST_F(EscapeHtml, NothingIsEscapedTwice) {
    EXPECT_EQ(Html("{{ '<' | escape }}{{ '&lt;' | escape_once }}"), "&lt;&lt;");
    EXPECT_EQ(Html("{{ bio | newline_to_br }}"), "&lt;i&gt;<br />\nhi");
    EXPECT_EQ(Html("{{ bio | escape | newline_to_br }}"), "&lt;i&gt;<br />\nhi");
    EXPECT_EQ(Html("{% capture c %}<p>{{ x }}</p>{% endcapture %}{{ c }}"),
              "<p>&lt;b&gt;&quot;&amp;&#39;&lt;/b&gt;</p>");
}

TEST_F(EscapeHtml, OffIsLiquidsOwnWay) {
    EXPECT_EQ(Print("{{ '<b>' }}"), "<b>");
    EXPECT_EQ(Print("{{ x | newline_to_br }}", R"({"x":"<\n"})"), "<<br />\n");
}

// --- values ------------------------------------------------------------------------------------

class Person final : public Drop {
  public:
    Value Find(std::string_view name, Arena& arena) const override {
        if (name == "email") return Value::Text(arena.Copy("a@example.org"));
        if (name == "tags") {
            Value* const tags = arena.Make<Value>(2);
            tags[0] = Value::Text("new");
            tags[1] = Value::Int(7);
            return Value::Array({tags, 2});
        }
        return {};
    }
};

TEST(Drops, AreAskedForWhatTheTemplateNames) {
    const Person person;
    Arena arena;
    const Value scope = Value::Object(arena, {{"person", Value::Of(&person)}});
    const auto parsed = Template::Parse(
        "{{ person.email }} {{ person['tags'][0] }} {{ person.none | default: '-' }}"
        "{% if person contains 'email' %} has{% endif %}");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed->Render(scope), "a@example.org new - has");
}

TEST(Drops, MayBeTheWholeScope) {
    const Person person;
    const auto parsed = Template::Parse("{{ email }} {{ tags | join: '/' }}");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed->Render(Value::Of(&person)), "a@example.org new/7");
}

TEST(Values, JsonKeepsOrderKindsAndNesting) {
    EXPECT_EQ(Print("{{ o }}", R"({"o":{"b":1,"a":[null,true,1.5,"x\"y"],"c":{}}})"),
              R"({"b"=>1, "a"=>[nil, true, 1.5, "x\"y"], "c"=>{}})");
    EXPECT_EQ(Print("{{ n }} {{ m }}", R"({"n":-9223372036854775808,"m":18446744073709551615})"),
              "-9223372036854775808 1.8446744073709552e+19");
    EXPECT_EQ(Print("x", "{not json").substr(0, 9), "error at ");
}

TEST(Numbers, DecimalsKeepTheirDigits) {
    EXPECT_EQ(Print("{{ 0.1 | plus: 0.2 }} {{ 1.1 | times: 3 }} {{ 10.1 | modulo: 3 }}"),
              "0.3 3.3 1.1");
    EXPECT_EQ(Print("{{ 19.99 | times: 3 | round: 2 }} {{ 2.5 | round }} {{ -2.5 | round }}"),
              "59.97 3 -3");
    EXPECT_EQ(Print("{{ 1e3 }}").substr(0, 9), "error at ");
}

TEST(Numbers, PastSixtyFourBitsBecomeDecimals) {
    EXPECT_EQ(Print("{{ 9223372036854775807 | plus: 1 }}"), "9.223372036854776e+18");
    EXPECT_EQ(Print("{{ n | abs }}", R"({"n":-9223372036854775808})"), "9.223372036854776e+18");
    EXPECT_EQ(Print("{{ n | divided_by: -1 }} {{ n | modulo: -1 }}",
                    R"({"n":-9223372036854775808})"),
              "9.223372036854776e+18 0");
    EXPECT_EQ(Print("{{ 1e308x }}").substr(0, 9), "error at ");
    EXPECT_EQ(Print("{{ n | times: n | floor | ceil | round }}", R"({"n":1e200})"), "Infinity");
}

TEST(Numbers, WholeDivisionRoundsDown) {
    EXPECT_EQ(Print("{{ -7 | divided_by: 2 }} {{ 7 | divided_by: -2 }} {{ -7 | modulo: 3 }}"),
              "-4 -4 2");
}

TEST(Texts, CaseKnowsLatinGreekAndCyrillic) {
    EXPECT_EQ(Print("{{ 'žluťoučký straße œuvre Ÿ' | upcase }}"), "ŽLUŤOUČKÝ STRAßE ŒUVRE Ÿ");
    EXPECT_EQ(Print("{{ 'Ἀ ΆΛΦΑ ЁЖ 日本' | downcase }}"), "Ἀ άλφα ёж 日本");
    EXPECT_EQ(Print("{{ 'émile ZOLA' | capitalize }}"), "Émile zola");
}

TEST(Texts, LengthsAreInCharacters) {
    EXPECT_EQ(Print("{{ 'こんにちは' | size }} {{ 'こんにちは' | truncate: 4, '…' }} "
                    "{{ 'こんにちは' | slice: -2, 2 }} {{ 'こに' | split: '' | join: '-' }}"),
              "5 こんに… ちは こ-に");
}

TEST(Names, MayBeInAnyScript) {
    EXPECT_EQ(Print("{{ person.名前 }}", R"({"person":{"名前":"彩"}})"), "彩");
}

TEST(Partials, SeeTheGlobalScopeAndTheirArguments) {
    const PartialTexts partials = {{"sign", "{{ who }} of {{ company }}{{ secret }}"}};
    EXPECT_EQ(Print("{% assign secret = 1 %}{% render 'sign', who: 'Aya' %}",
                    R"({"company":"Acme"})", {}, partials),
              "Aya of Acme");
}

// --- references --------------------------------------------------------------------------------

std::vector<std::string> Paths(std::string_view text, const PartialTexts& partials = {}) {
    const auto parsed = Template::Parse(text, partials);
    if (!parsed) return {"error " + parsed.error().public_text};
    std::vector<std::string> paths;
    for (const Reference& reference : parsed->References()) {
        paths.push_back(reference.path + (reference.maybe_local ? "?" : ""));
    }
    return paths;
}

TEST(References, AreThePathsTheTemplateAsksFor) {
    EXPECT_THAT(Paths("{{ person.first_name | default: company.name }}"
                      "{% if event['order id'] == \"1\" %}{% endif %}"
                      "{% for i in event.items limit: n %}{{ i.title }}{{ forloop.index }}"
                      "{% endfor %}{% case a %}{% when b, 'c' %}{% endcase %}{% cycle d: e, 1 %}"),
                ElementsAre("a", "b", "company.name", "d", "e", "event.items", "event.order id",
                            "n", "person.first_name"));
}

TEST(References, StopWhereANameIsComputed) {
    EXPECT_THAT(Paths("{{ person[key].x }}{{ list[0].y }}"), ElementsAre("key", "list", "person"));
}

TEST(References, LeaveOutWhatTheTemplateSets) {
    EXPECT_THAT(Paths("{{ a }}{% assign a = person.x %}{{ a.y }}{% capture c %}{{ d }}"
                      "{% endcapture %}{{ c }}{% increment n %}{{ n }}"),
                ElementsAre("a", "d", "person.x"));
}

TEST(References, AfterAnIfANameIsOnlyMaybeSet) {
    EXPECT_THAT(Paths("{% if x %}{% assign a = 1 %}{{ a }}{% endif %}{{ a }}"),
                ElementsAre("a?", "x"));
    EXPECT_THAT(Paths("{% for i in l %}{% assign z = i %}{% endfor %}{{ i }}{{ z }}"),
                ElementsAre("i", "l", "z?"));
}

TEST(References, TakePartialsAlong) {
    const PartialTexts partials = {{"foot", "{{ company.name }}{{ year }}{{ item.x }}"},
                                   {"other", "{{ unused }}"},
                                   {"loop", "{% include 'loop' %}{{ deep }}"}};
    EXPECT_THAT(Paths("{% render 'foot', year: y, item: event %}", partials),
                ElementsAre("company.name", "event", "y"));
    EXPECT_THAT(Paths("{% include 'loop' %}", partials), ElementsAre("deep"));
}

TEST(References, SayWhereTheyStand) {
    const auto parsed = Template::Parse("Hi\n {{ person.name }}");
    ASSERT_TRUE(parsed);
    ASSERT_EQ(parsed->References().size(), 1U);
    EXPECT_EQ(parsed->References()[0].at, "2:5");
}

// --- threads -----------------------------------------------------------------------------------

TEST(Threads, ShareOneTemplate) {
    const auto parsed = Template::Parse(
        "{% for i in (1..50) %}{% assign x = i | times: n %}{{ x }},{% cycle 'a','b' %}{% endfor %}"
        "{{ 0 | date: '%Y' }}");
    ASSERT_TRUE(parsed);
    std::vector<std::string> printed(4);
    std::vector<std::thread> threads;
    for (size_t t = 0; t < printed.size(); ++t) {
        threads.emplace_back([&, t] {
            for (int round = 0; round < 50; ++round) {
                Arena arena;
                const Value scope = Value::Object(arena, {{"n", Value::Int(3)}});
                printed[t] = parsed->Render(scope).value_or("failed");
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_THAT(printed[0], HasSubstr("150,b1970"));
    for (const std::string& text : printed) EXPECT_EQ(text, printed[0]);
}

}  // namespace
}  // namespace liquid
