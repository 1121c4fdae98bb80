// docs/templates.md promises what the engine does.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "language/liquid/template.h"
#include "language/liquid/text.h"

namespace liquid {
namespace {

std::string Page() {
    std::ifstream file("docs/templates.md");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

// The lower-case words between **heading** and the next empty line or full stop.
void AddListed(const std::string& page, const std::string& heading, std::set<std::string>& names) {
    const size_t start = page.find("**" + heading + "**");
    ASSERT_NE(start, std::string::npos) << heading;
    const size_t begin = start + heading.size() + 4;
    const size_t end = std::min(page.find("\n\n", begin), page.find('.', begin));
    const std::string listed = page.substr(begin, end - begin);
    for (const std::string_view word : Words(listed)) {
        names.insert(word == "`#`" ? "#" : std::string(word));
    }
}

TEST(TemplatesPage, ListsEveryFilterAndNoOther) {
    std::set<std::string> listed;
    for (const char* const heading : {"Text", "Numbers", "Lists", "Others"}) {
        AddListed(Page(), heading, listed);
    }
    std::set<std::string> known;
    for (const std::string_view name : FilterNames()) known.emplace(name);
    EXPECT_EQ(listed, known);
}

TEST(TemplatesPage, ListsEveryTagAndNoOther) {
    std::set<std::string> listed;
    AddListed(Page(), "Tags", listed);
    std::set<std::string> known;
    for (const std::string_view name : TagNames()) known.emplace(name);
    EXPECT_EQ(listed, known);
}

TEST(TemplatesPage, ExamplesPrintWhatItSays) {
    const std::string page = Page();
    std::string all;
    for (size_t at = page.find("```liquid\n"); at != std::string::npos;
         at = page.find("```liquid\n", at)) {
        at += 10;
        const size_t end = page.find("```", at);
        const auto parsed =
            Template::Parse(page.substr(at, end - at), {{"footer", "(c) {{ year }}"}});
        ASSERT_TRUE(parsed) << parsed.error().at << " " << parsed.error().public_text;
        Arena arena;
        const auto scope = ParseJson(
            R"({"person":{"first_name":"aya","plan":"free","trial_days_left":3,"language":"ja",
                "trial_ends_at":"2026-03-03T12:00:00Z","owner":{"name":"Kenji"}},
                "event":{"properties":{"starts_at":"2026-03-03 14:30","products":[
                {"name":"Shoe","quantity":2,"price":19.999},
                {"name":"Hat","quantity":1,"price":5}]}}})",
            arena);
        ASSERT_TRUE(scope);
        Options options;
        options.zone = "Asia/Tokyo";
        options.now_ms = 1772530200000;
        const auto printed = parsed->Render(*scope, options);
        ASSERT_TRUE(printed) << printed.error().public_text;
        all += *printed;
        at = end;
    }
    for (const char* const part :
         {"3 days of your trial are left.", "Your code: SPRING", "こんにちは", "1. Shoe: 2 x 20.0",
          "2. Hat: 1 x 5", "Together: 25.0", "ends on March 3, 2026.", "2026年3月3日",
          "Tue 03.03. 14:30", "© 2026", "Hello aya,", "(c) 2026"}) {
        EXPECT_NE(all.find(part), std::string::npos) << part << " in\n" << all;
    }
}

}  // namespace
}  // namespace liquid
