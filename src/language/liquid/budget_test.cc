// Hostile templates and data: every render ends within its budgets and its time.
#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <iostream>

#include "language/liquid/template.h"

namespace liquid {
namespace {

// CPU time of this thread, so that a busy machine does not fail the test.
double CpuMs() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr double kMostMs = 1500;
#else
constexpr double kMostMs = 60;
#endif

double slowest_ms = 0;

struct Attack {
    base::ErrorCode code = base::ErrorCode::kInternal;
    bool failed = false;
    std::string text;
    double ms = 0;
};

Attack Assault(const std::string& text, const std::string& json = "{}",
           const PartialTexts& partials = {}) {
    Arena arena;
    Attack attack;
    const auto scope = ParseJson(json, arena);
    EXPECT_TRUE(scope);
    const double before = CpuMs();
    const auto parsed = Template::Parse(text, partials);
    base::Result<std::string> printed = std::string();
    if (parsed) {
        printed = parsed->Render(*scope);
    } else {
        printed = tl::make_unexpected(parsed.error());
    }
    attack.ms = CpuMs() - before;
    slowest_ms = std::max(slowest_ms, attack.ms);
    attack.failed = !printed;
    if (!printed) attack.code = printed.error().code;
    attack.text = printed ? *printed : printed.error().public_text;
    EXPECT_LT(attack.ms, kMostMs) << text.substr(0, 200);
    return attack;
}

void ExpectStopped(const std::string& text, const std::string& json = "{}",
                   const PartialTexts& partials = {}) {
    const Attack attack = Assault(text, json, partials);
    EXPECT_TRUE(attack.failed) << text.substr(0, 200);
    if (attack.failed) {
        EXPECT_EQ(attack.code, base::ErrorCode::kTooLarge)
            << text.substr(0, 200) << ": " << attack.text;
    }
}

std::string Repeated(std::string_view text, size_t times) {
    std::string out;
    for (size_t i = 0; i < times; ++i) out += text;
    return out;
}

TEST(Budget, LoopItemsOnBothSidesOfTheLimit) {
    const Attack most = Assault("{% for i in (1..1000) %}x{% endfor %}");
    EXPECT_FALSE(most.failed) << most.text;
    EXPECT_EQ(most.text.size(), 1000U);
    ExpectStopped("{% for i in (1..1001) %}x{% endfor %}");
    ExpectStopped("{% tablerow i in (1..1001) %}x{% endtablerow %}");
    EXPECT_FALSE(Assault("{% for i in (1..99999999999) limit: 3 %}x{% endfor %}").failed);
    ExpectStopped("{% for i in (-9223372036854775808..9223372036854775807) %}x{% endfor %}");
}

TEST(Budget, StepsOnBothSidesOfTheLimit) {
    Options options;
    const auto parsed = Template::Parse("{{ a }}{{ a }}");
    ASSERT_TRUE(parsed);
    Arena arena;
    const Value scope = Value::Object(arena, {{"a", Value::Int(1)}});
    options.steps_max = 2;
    EXPECT_TRUE(parsed->Render(scope, options));
    options.steps_max = 1;
    EXPECT_FALSE(parsed->Render(scope, options));
}

TEST(Budget, OutputOnBothSidesOfTheLimit) {
    Options options;
    options.output_bytes_max = 10;
    const auto ten = Template::Parse("0123456789");
    const auto eleven = Template::Parse("0123456789{{ 1 }}");
    ASSERT_TRUE(ten && eleven);
    EXPECT_TRUE(ten->Render({}, options));
    const auto printed = eleven->Render({}, options);
    ASSERT_FALSE(printed);
    EXPECT_EQ(printed.error().code, base::ErrorCode::kTooLarge);
}

TEST(Budget, NestingOnBothSidesOfTheLimit) {
    const auto nested = [](size_t depth) {
        return Repeated("{% if true %}", depth) + "x" + Repeated("{% endif %}", depth);
    };
    EXPECT_EQ(Assault(nested(limits::kTemplateDepthMax - 1)).text, "x");
    EXPECT_TRUE(Assault(nested(limits::kTemplateDepthMax)).failed);
    EXPECT_TRUE(Assault(nested(50'000)).failed);
    EXPECT_TRUE(Assault("{{ " + Repeated("[", 300'000) + " }}").failed);
    EXPECT_TRUE(Assault("{{ " + Repeated("(1..", 200'000) + " }}").failed);
    EXPECT_TRUE(Assault("{{ a" + Repeated("[a", 300'000) + " }}").failed);
    EXPECT_TRUE(Assault("{%" + Repeated(" liquid", 100'000) + " %}").failed);
}

TEST(Budget, BillionLaughsLoops) {
    std::string text;
    for (int i = 0; i < 9; ++i) text += "{% for a" + std::to_string(i) + " in (1..1000) %}";
    text += "ha";
    for (int i = 0; i < 9; ++i) text += "{% endfor %}";
    ExpectStopped(text);
    // Blank bodies cost steps all the same.
    std::string blank;
    for (int i = 0; i < 9; ++i) blank += "{% for a" + std::to_string(i) + " in (1..1000) %}";
    for (int i = 0; i < 9; ++i) blank += "{% endfor %}";
    ExpectStopped(blank);
}

TEST(Budget, TextsThatDouble) {
    for (const std::string_view step :
         {"{% assign a = a | append: a %}", "{% capture a %}{{ a }}{{ a }}{% endcapture %}",
          "{% assign a = a | replace: 'x', 'xxxx' %}", "{% assign a = a | replace: '', a %}",
          "{% assign a = a | split: '' | join: a %}", "{% assign a = a | base64_encode %}",
          "{% assign a = a | url_encode | append: a %}", "{% assign a = a | escape | append: a %}",
          "{% assign a = a | newline_to_br | append: a %}"}) {
        ExpectStopped("{% assign a = 'x&x&x\n' %}" + Repeated(step, 60));
    }
}

TEST(Budget, ArraysThatDouble) {
    const std::string start = "{% assign a = 'a b c d' | split: ' ' %}";
    ExpectStopped(start + Repeated("{% assign a = a | concat: a %}", 60));
    ExpectStopped(start + Repeated("{% assign a = a | concat: a %}", 13) +
                  Repeated("{{ a }}", 1000));
    ExpectStopped(start + Repeated("{% assign a = a | concat: a %}", 13) +
                  Repeated("{% assign b = a | reverse | sort | uniq | compact %}", 1000));
    ExpectStopped("{{ (1..999999999) | join: '' }}");
    ExpectStopped("{{ (-9223372036854775808..9223372036854775807) | reverse }}");
    ExpectStopped("{{ x | split: '' | sort_natural | uniq | join: x }}",
                  "{\"x\":\"" + std::string(100'000, 'y') + "\"}");
}

TEST(Budget, ManyReferencesToOneBigText) {
    const std::string json = R"({"o":[{"x":")" + std::string(500'000, 'y') + "\"}]}";
    ExpectStopped(
        "{% assign a = o | map: 'x' %}" + Repeated("{% assign a = a | concat: a %}", 10) +
            "{{ a }}",
        json);
    ExpectStopped("{% assign a = o %}" + Repeated("{% assign a = a | concat: a %}", 10) + "{{ a }}",
                  json);
    ExpectStopped("{% for i in (1..1000) %}{% for j in (1..1000) %}"
                  "{% if o[0].x contains 'z' %}{% endif %}{% endfor %}{% endfor %}",
                  json);
    ExpectStopped("{% for i in (1..1000) %}{% assign q = o[0].x | size %}{% endfor %}", json);
}

TEST(Budget, SearchesAreLinear) {
    const std::string json = R"({"t":")" + std::string(500'000, 'a') + R"(","n":")" +
                             std::string(200'000, 'a') + "b\"}";
    for (const std::string_view filter :
         {"replace: n, 'x'", "replace_first: n, 'x'", "replace_last: n, 'x'", "remove: n",
          "split: n | size", "remove_last: n"}) {
        Assault("{% assign q = t | " + std::string(filter) + " %}", json);
    }
    Assault("{% if t contains n %}{% endif %}", json);
    for (const std::string_view piece :
         {"<script", "<!--", "<style", "<", "&", "&a", "<scr<script", "</script>"}) {
        std::string html = Repeated(piece, 1'000'000 / piece.size());
        Assault("{{ t | strip_html | size }}", "{\"t\":\"" + html + "\"}");
        Assault("{{ t | escape_once | size }}", "{\"t\":\"" + html.substr(0, 100'000) + "\"}");
    }
}

TEST(Budget, ManyNames) {
    std::string text;
    for (int i = 0; i < 10'000; ++i) text += "{%assign a" + std::to_string(i) + "=1%}";
    ExpectStopped(text);
    std::string counters;
    for (int i = 0; i < 10'000; ++i) counters += "{%increment a" + std::to_string(i) + "%}";
    ExpectStopped(counters);
    std::string loops;
    for (int i = 0; i < 10'000; ++i) {
        loops += "{%for a" + std::to_string(i) + " in b%}{%endfor%}";
    }
    ExpectStopped(loops);
    std::string cycles;
    for (int i = 0; i < 10'000; ++i) cycles += "{%cycle " + std::to_string(i) + "%}";
    ExpectStopped(cycles);
}

TEST(Budget, PartialsThatCallThemselves) {
    ExpectStopped("{% include 'a' %}", "{}", {{"a", "{% include 'a' %}"}});
    ExpectStopped("{% render 'a' %}", "{}", {{"a", "{% render 'b' %}"}, {"b", "{% render 'a' %}"}});
    ExpectStopped("{% render 'a' for l %}", R"({"l":[1,2,3,4,5,6,7,8,9,0]})",
                  {{"a", "{% render 'a' for l %}{% render 'a' for l %}"}});
    const std::string deep =
        Repeated("{% if true %}", 30) + "{% include 'a' %}" + Repeated("{% endif %}", 30);
    ExpectStopped("{% include 'a' %}", "{}", {{"a", deep}});
}

TEST(Budget, ReferencesOfPartialsThatCallEachOther) {
    PartialTexts partials;
    for (char c = 'a'; c < 'z'; ++c) {
        const std::string next(1, static_cast<char>(c + 1));
        partials[std::string(1, c)] =
            Repeated("{% include '" + next + "' %}", 3) + "{{ x" + c + " }}";
    }
    partials["z"] = "{{ last }}";
    const auto parsed = Template::Parse("{% include 'a' %}{% include any %}", partials);
    ASSERT_TRUE(parsed);
    const double before = CpuMs();
    EXPECT_EQ(parsed->References().size(), 27U);
    EXPECT_LT(CpuMs() - before, kMostMs);
}

TEST(Budget, OddBytesAreCarriedThrough) {
    const std::string odd = "\xff\xfe{{ '\xc3' | upcase | size }}\xe3\x81";
    EXPECT_EQ(Assault(odd).text, "\xff\xfe" "1\xe3\x81");
    EXPECT_FALSE(Assault(std::string("a\0b{{ 'c\0' }}", 14)).failed);
}

TEST(Budget, WordsOfATagOnBothSidesOfTheLimit) {
    const auto cycle = [](int words) {
        return "{% cycle" + Repeated(" 1,", static_cast<size_t>(words - 1) / 2) + " 1 %}";
    };
    EXPECT_EQ(Assault(cycle(limits::kTemplateTagWordsMax - 1)).text, "1");
    EXPECT_TRUE(Assault(cycle(limits::kTemplateTagWordsMax + 1)).failed);
}

TEST(Budget, SlowestOfAllAttacks) {
    std::cout << "slowest hostile render: " << slowest_ms << " ms\n";
    EXPECT_LT(slowest_ms, kMostMs);
}

TEST(Speed, LetterOf26KilobytesWithTwentyNames) {
    std::string letter = "<!doctype html><html><body>";
    const std::string filler = Repeated("<td style=\"padding:0 8px\">Spring is here</td>\n", 28);
    for (int i = 0; i < 20; ++i) {
        letter += filler.substr(0, 1270);
        letter += "{{ person.a" + std::to_string(i) + " | default: 'you' }}";
    }
    letter += "</body></html>";
    std::string json = "{\"person\":{";
    for (int i = 0; i < 40; ++i) {
        json += (i > 0 ? ",\"a" : "\"a") + std::to_string(i) + "\":\"value <" + std::to_string(i) +
                "\"";
    }
    json += "}}";
    Arena arena;
    const Value scope = *ParseJson(json, arena);
    const auto parsed = Template::Parse(letter);
    ASSERT_TRUE(parsed);
    Options options;
    options.escape_html = true;
    constexpr int kRounds = 5000;
    size_t bytes = 0;
    const double before = CpuMs();
    for (int i = 0; i < kRounds; ++i) bytes += parsed->Render(scope, options)->size();
    const double us = (CpuMs() - before) * 1e3 / kRounds;
    std::cout << "letter of " << letter.size() << " bytes: " << us << " us a render\n";
    EXPECT_GT(bytes, letter.size() * kRounds / 2);
    EXPECT_LT(us, kMostMs * 10);
}

}  // namespace
}  // namespace liquid
