#include "net/http/url.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <cstdlib>
#include <filesystem>

namespace http {
namespace {

TEST(PercentDecode, DecodesOnceAndStrictly) {
    EXPECT_EQ(PercentDecode("a%20b%2Fc+%25%32"), "a b/c+%2");
    EXPECT_EQ(PercentDecode("%e6%97%A5"), "\xe6\x97\xa5");
    for (const char* bad : {"%", "%2", "%2g", "%g2", "a%"}) EXPECT_FALSE(PercentDecode(bad)) << bad;
}

TEST(PercentEncode, RoundsTripAnyByte) {
    std::string all;
    for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
    EXPECT_EQ(PercentDecode(PercentEncode(all)), all);
    EXPECT_EQ(PercentEncode("aZ09-._~ /"), "aZ09-._~%20%2F");
}

TEST(Query, KeepsOrderRepetitionAndEmptyValues) {
    const Query query = Query::Parse("a=1&b&=x&a=2&&c=%3D=&d+e=f+g&h=%zz");
    EXPECT_EQ(query.size(), 7U);
    EXPECT_EQ(query.Get("a"), "1");
    EXPECT_EQ(query.FindAll("a"), (std::vector<std::string_view>{"1", "2"}));
    EXPECT_EQ(query.Find("b"), "");
    EXPECT_EQ(query.Find(""), "x");
    EXPECT_EQ(query.Get("c"), "==");
    EXPECT_EQ(query.Get("d e"), "f g");
    EXPECT_EQ(query.Get("h"), "%zz");
    EXPECT_EQ(query.Find("A"), std::nullopt);
}

TEST(ParseUrl, SplitsIntoParts) {
    const auto url = ParseUrl("HTTPS://u:p@Shop.Example:8443/a%20b/?q=1&r#top");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->scheme, "https");
    EXPECT_EQ(url->user_info, "u:p");
    EXPECT_EQ(url->host, "shop.example");
    EXPECT_EQ(url->port, 8443);
    EXPECT_EQ(url->path, "/a%20b/");
    EXPECT_EQ(url->query, "q=1&r");
    EXPECT_EQ(url->fragment, "top");
    EXPECT_EQ(ParseUrl("http://[::1]/")->host, "[::1]");
    EXPECT_EQ(ParseUrl("http://a")->PortOrDefault(), 80);
    EXPECT_EQ(ParseUrl("https://a")->PortOrDefault(), 443);
}

TEST(ParseUrl, RefusesWhatIsNotAbsolute) {
    for (const char* bad : {"", "/a", "a.example/b", "mailto:a@b", "http://", "http:///a",
                            "http://a b/", "http://a:70000/", "http://a/%zz", "http://[::1/"}) {
        EXPECT_FALSE(ParseUrl(bad)) << bad;
    }
}

// The URL standard's own cases, where both standards agree: addresses that are in their normal
// form already must come apart into the same pieces.
TEST(ParseUrl, AgreesWithTheUrlStandardOnNormalAddresses) {
    const char* shared = std::getenv("RIPEN_SHARED_DATA");
    const std::filesystem::path path =
        std::filesystem::path(shared != nullptr ? shared : "../shared/data") /
        "url/urltestdata.json";
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "no shared data at " << path;
    simdjson::dom::parser parser;
    simdjson::dom::array cases;
    ASSERT_FALSE(parser.load(path.string()).get(cases));
    size_t tried = 0;
    for (const auto one : cases) {
        std::string_view input;
        std::string_view href;
        if (!one.is_object() || one["input"].get(input) || one["href"].get(href)) continue;
        if (input != href || !(input.starts_with("http://") || input.starts_with("https://"))) {
            continue;
        }
        if (input.find('#') != input.rfind('#')) continue;  // Not in RFC 3986.
        // Characters that RFC 3986 does not allow bare, and the other does.
        if (input.find(":0/") != std::string_view::npos) continue;  // Nothing can be reached there.
        if (input.find_first_of("|^`{}\"<>[]'\\") != std::string_view::npos) continue;
        const size_t percent = input.find('%');
        if (percent != std::string_view::npos && !PercentDecode(input)) continue;
        const auto url = ParseUrl(input);
        ASSERT_TRUE(url) << input;
        ++tried;
        const auto text = [&](const char* key) { return std::string(std::string_view(one[key])); };
        EXPECT_EQ(url->host, text("hostname")) << input;
        EXPECT_EQ(url->port == 0 ? "" : std::to_string(url->port), text("port")) << input;
        EXPECT_EQ(url->path, text("pathname")) << input;
        EXPECT_EQ(url->query.empty() ? "" : "?" + url->query, text("search")) << input;
        EXPECT_EQ(url->fragment.empty() ? "" : "#" + url->fragment, text("hash")) << input;
    }
    EXPECT_GT(tried, 20U);
}

}  // namespace
}  // namespace http
