// Templates and data from strangers. The input is a template, a zero byte and JSON. Oracles: a
// render ends within its output budget, twice the same, errors name a place, and under
// escape_html without raw or safe no visitor's markup comes through.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "language/liquid/template.h"

namespace {

constexpr base::TimeMs kNow = 1772530200000;

void CheckRender(const liquid::Template& parsed, const liquid::Value& scope,
                 const liquid::Options& options) {
    const auto first = parsed.Render(scope, options);
    const auto second = parsed.Render(scope, options);
    CHECK(first.has_value() == second.has_value());
    if (!first) {
        CHECK(!first.error().public_text.empty());
        CHECK(first.error().public_text == second.error().public_text);
        return;
    }
    CHECK(*first == *second);
    CHECK(first->size() <= options.output_bytes_max);
}

// What a visitor writes reaches HTML only escaped.
void CheckEscaped(std::string_view data) {
    static const auto parsed = liquid::Template::Parse(
        "{{ x }}{{ x | upcase }}{{ x | newline_to_br | strip_newlines }}{{ x | escape_once }}"
        "{% for c in l %}{{ c }}{% endfor %}{% capture k %}{{ x }}{% endcapture %}{{ k }}"
        "{{ x | strip_html }}{{ x | url_decode }}{{ l | join: x }}{{ x | truncate: 9, x }}");
    CHECK(parsed.has_value());
    liquid::Arena arena;
    const liquid::Value list[] = {liquid::Value::Text(data), liquid::Value::Text("b")};
    const liquid::Value scope = liquid::Value::Object(
        arena, {{"x", liquid::Value::Text(data)}, {"l", liquid::Value::Array(list)}});
    liquid::Options options;
    options.escape_html = true;
    options.now_ms = kNow;
    const auto printed = parsed->Render(scope, options);
    if (!printed) return;
    CHECK(printed->find_first_of("<>\"'") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(bytes), size);
    const size_t zero = std::min(input.find('\0'), input.size());
    const std::string_view text = input.substr(0, zero);
    const std::string_view json = zero < input.size() ? input.substr(zero + 1) : "{}";
    CheckEscaped(text);
    const liquid::PartialTexts partials = {{"a", std::string(text.substr(0, text.size() / 2))},
                                           {"b", "{{ x }}{% include 'a' %}"}};
    for (const bool with_partials : {false, true}) {
        const auto parsed = liquid::Template::Parse(
            text, with_partials ? partials : liquid::PartialTexts());
        if (!parsed) {
            CHECK(!parsed.error().public_text.empty());
            CHECK(!parsed.error().at.empty() ||
                  parsed.error().code == base::ErrorCode::kTooLarge);
            continue;
        }
        for (const liquid::Reference& reference : parsed->References()) {
            CHECK(!reference.at.empty());
        }
        liquid::Arena arena;
        const auto scope = liquid::ParseJson(json, arena);
        const liquid::Value value = scope ? *scope : liquid::Value();
        liquid::Options options;
        options.now_ms = kNow;
        options.steps_max = 20'000;
        CheckRender(*parsed, value, options);
        options.escape_html = true;
        options.strict_variables = true;
        options.zone = "Asia/Tokyo";
        CheckRender(*parsed, value, options);
    }
    return 0;
}
