// The Golden Liquid suite: the behaviour of the reference implementation, case by case.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <set>

#include "language/liquid/template.h"

namespace liquid {
namespace {

// Cases that contradict others or this engine's rules on purpose.
//   "unexpected when token": lets nonsense after a `when` value pass; "..., strict2" is the same
//   template and must fail, which is what an author wants to hear.
const std::set<std::string_view> kKnown = {
    "tags, case, unexpected when token",
};

std::string GoldenPath() {
    const char* const shared = std::getenv("RIPEN_SHARED_DATA");
    return std::string(shared != nullptr ? shared : "../shared/data") +
           "/liquid/golden_liquid.json";
}

struct Outcome {
    bool pass = false;
    std::string shown;
};

Outcome RunCase(const simdjson::dom::element& test) {
    PartialTexts partials;
    simdjson::dom::object templates;
    if (test["templates"].get(templates) == simdjson::SUCCESS) {
        for (const auto field : templates) {
            partials.emplace(field.key, std::string_view(field.value.get_string().value()));
        }
    }
    Arena arena;
    Value scope = Value::Object(arena, {});
    simdjson::dom::element data;
    if (test["data"].get(data) == simdjson::SUCCESS) scope = FromJson(data, arena);
    bool invalid = false;
    if (test["invalid"].get(invalid) != simdjson::SUCCESS) invalid = false;

    base::Result<std::string> printed = std::string();
    auto parsed = Template::Parse(test["template"].get_string().value(), partials);
    if (parsed) {
        printed = parsed->Render(scope);
    } else {
        printed = tl::make_unexpected(parsed.error());
    }
    if (!printed) return {invalid, "error " + printed.error().at + " " + printed.error().internal};
    if (invalid) return {false, "\"" + *printed + "\" instead of an error"};
    std::string_view result;
    if (test["result"].get(result) == simdjson::SUCCESS) return {*printed == result, *printed};
    for (const auto allowed : test["results"].get_array()) {
        if (allowed.get_string().value() == *printed) return {true, *printed};
    }
    return {false, *printed};
}

TEST(Golden, RendersAsTheReferenceDoes) {
    if (!std::filesystem::exists(GoldenPath())) {
        GTEST_SKIP() << "no Golden Liquid suite at " << GoldenPath();
    }
    simdjson::dom::parser parser;
    const simdjson::dom::element suite = parser.load(GoldenPath());
    int total = 0;
    int passed = 0;
    std::vector<std::string> wrong;
    for (const auto test : suite["tests"].get_array()) {
        ++total;
        const Outcome outcome = RunCase(test);
        passed += outcome.pass ? 1 : 0;
        const std::string_view name = test["name"].get_string().value();
        const bool known = kKnown.count(name) > 0;
        if (outcome.pass == known) wrong.push_back(std::string(name) + ": " + outcome.shown);
    }
    std::cout << passed << " of " << total << " pass\n";
    for (const std::string& line : wrong) std::cout << "  " << line << "\n";
    EXPECT_EQ(total, 1054);
    EXPECT_GE(passed, 1053);
    EXPECT_TRUE(wrong.empty());
}

}  // namespace
}  // namespace liquid
