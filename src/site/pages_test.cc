#include "site/pages.h"

#include <gmock/gmock.h>

#include "site/test_pack.h"

namespace site {
namespace {

using http::Method;
using http::Request;
using http::Response;
using testing::HasSubstr;
using testing::Not;

const Origins kOrigins{"http://127.0.0.1:8080", "http://127.0.0.1:8081", "http://127.0.0.1:8082"};

std::optional<Response> Admin(std::string_view target, Method method = Method::kGet,
                              std::string_view field = {}, std::string_view value = {}) {
    static const Assets assets = TestAssets();
    Request request = Request::Make(method, target);
    if (!field.empty()) request.headers.Add(field, value);
    return AdminPage(assets, request, kOrigins);
}

std::optional<Response> Public(std::string_view target, std::string_view key = "wk_demo",
                               std::string_view field = {}, std::string_view value = {}) {
    static const Assets assets = TestAssets();
    Request request = Request::Make(Method::kGet, target);
    if (!field.empty()) request.headers.Add(field, value);
    return PublicPage(assets, request, kOrigins, key);
}

std::string NonceOf(const Response& page) {
    const std::string policy(page.headers.Get("Content-Security-Policy"));
    const size_t at = policy.find("'nonce-") + 7;
    return policy.substr(at, policy.find('\'', at) - at);
}

TEST(AdminPages, EveryScreenIsThePageItself) {
    for (const char* target : {"/", "/start", "/sign-in", "/w", "/w/1/home", "/w/1/people/x?y=1",
                               "/index.html"}) {
        const auto page = Admin(target);
        ASSERT_TRUE(page.has_value()) << target;
        EXPECT_EQ(200, page->status) << target;
        EXPECT_EQ("text/html; charset=utf-8", page->content_type);
        EXPECT_EQ("no-cache", page->headers.Get("Cache-Control"));
    }
    for (const char* target : {"/api/v1/session", "/v1/track", "/healthz", "/startle", "/x/y"}) {
        EXPECT_FALSE(Admin(target).has_value()) << target;
    }
}

TEST(AdminPages, ThePolicyIsTheOneOfTheScreensWithAFreshNonce) {
    const auto first = Admin("/"), second = Admin("/");
    const std::string nonce = NonceOf(*first);
    EXPECT_EQ(24u, nonce.size());
    EXPECT_NE(nonce, NonceOf(*second));
    EXPECT_EQ("<style nonce=\"" + nonce + "\"></style>" + nonce, first->Body());
    EXPECT_EQ("default-src 'none'; script-src 'self'; style-src 'self' 'nonce-" + nonce +
                  "'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; "
                  "font-src 'self'; connect-src 'self'; "
                  "frame-src http://127.0.0.1:8082 http://127.0.0.1:8081; worker-src 'self'; "
                  "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
              first->headers.Get("Content-Security-Policy"));
    EXPECT_EQ("nosniff", first->headers.Get("X-Content-Type-Options"));
    EXPECT_EQ("same-origin", first->headers.Get("Referrer-Policy"));
    EXPECT_EQ("same-origin", first->headers.Get("Cross-Origin-Opener-Policy"));
    EXPECT_EQ("DENY", first->headers.Get("X-Frame-Options"));
    EXPECT_THAT(AdminPolicy("n", {}), HasSubstr("frame-src 'none';"));
}

TEST(AdminPages, AssetsAreKeptForEverAndOthersAskedForAgain) {
    const auto asset = Admin("/assets/app-1.js");
    EXPECT_EQ("public, max-age=31536000, immutable", asset->headers.Get("Cache-Control"));
    EXPECT_EQ("console.log('raw')", asset->Body());
    EXPECT_EQ("nosniff", asset->headers.Get("X-Content-Type-Options"));
    EXPECT_EQ("no-cache", Admin("/favicon.svg")->headers.Get("Cache-Control"));
    EXPECT_EQ(404, Admin("/assets/gone.js")->status);
}

TEST(AdminPages, OnlyGetAndHeadAreTaken) {
    EXPECT_EQ(200, Admin("/", Method::kHead)->status);
    const auto refused = Admin("/", Method::kPost);
    EXPECT_EQ(405, refused->status);
    EXPECT_EQ("GET, HEAD", refused->headers.Get("Allow"));
}

TEST(AdminPages, WithoutScreensOneSentenceSaysSo) {
    const Assets none = *Assets::Read("ripen-web 1 2\n[]");
    const auto page = AdminPage(none, Request::Make(Method::kGet, "/w/1/home"), kOrigins);
    EXPECT_EQ(200, page->status);
    EXPECT_THAT(std::string(page->Body()), HasSubstr("built without its screens"));
    EXPECT_THAT(std::string(page->headers.Get("Content-Security-Policy")),
                HasSubstr("default-src 'none'"));
}

TEST(Codings, TheBestThatIsAllowedIsTaken) {
    const Assets assets = TestAssets();
    const File& file = *assets.Find("admin/assets/app-1.js");
    EXPECT_EQ(Coding::kBrotli, ChooseCoding(file, "gzip, deflate, br, zstd"));
    EXPECT_EQ(Coding::kGzip, ChooseCoding(file, "gzip"));
    EXPECT_EQ(Coding::kGzip, ChooseCoding(file, "br;q=0, gzip"));
    EXPECT_EQ(Coding::kGzip, ChooseCoding(file, "br;q=0.1, GZIP;q=0.8"));
    EXPECT_EQ(Coding::kBrotli, ChooseCoding(file, "*"));
    EXPECT_EQ(Coding::kIdentity, ChooseCoding(file, "*;q=0"));
    EXPECT_EQ(Coding::kIdentity, ChooseCoding(file, ""));
    EXPECT_EQ(Coding::kIdentity, ChooseCoding(file, "br;q=x, gzip;q="));
    EXPECT_EQ(Coding::kIdentity, ChooseCoding(*assets.Find("admin/favicon.svg"), "br, gzip"));
}

TEST(Codings, EachHasItsOwnTagAndAnEqualTagIsNotSentAgain) {
    const auto brotli = Admin("/assets/app-1.js", Method::kGet, "Accept-Encoding", "br");
    EXPECT_EQ("(brotli)", brotli->Body());
    EXPECT_EQ("br", brotli->headers.Get("Content-Encoding"));
    EXPECT_EQ("Accept-Encoding", brotli->headers.Get("Vary"));
    EXPECT_EQ("\"tag18-br\"", brotli->headers.Get("ETag"));
    for (const char* tags : {"\"tag18\"", "W/\"tag18\"", "\"a\", \"tag18\" ", "*"}) {
        const auto again = Admin("/assets/app-1.js", Method::kGet, "If-None-Match", tags);
        EXPECT_EQ(304, again->status) << tags;
        EXPECT_EQ("", again->Body());
        EXPECT_EQ("\"tag18\"", again->headers.Get("ETag"));
    }
    for (const char* tags : {"\"tag18-br\"", "tag18", "\"tag1\""}) {
        EXPECT_EQ(200, Admin("/assets/app-1.js", Method::kGet, "If-None-Match", tags)->status);
    }
}

TEST(PublicPages, TheTrackerIsForEverySite) {
    const auto tracker = Public("/ripen.js", "", "Accept-Encoding", "br");
    EXPECT_EQ("(tb)", tracker->Body());
    EXPECT_EQ("*", tracker->headers.Get("Access-Control-Allow-Origin"));
    EXPECT_EQ("public, max-age=3600", tracker->headers.Get("Cache-Control"));
    EXPECT_EQ(304, Public("/ripen.js", "", "If-None-Match", "\"tag7\"")->status);
}

TEST(PublicPages, TheDemoKnowsItsKeyAndWhereToSend) {
    const auto page = Public("/demo/");
    EXPECT_EQ("<script src=\"/ripen.js\" data-key=\"wk_demo\" "
              "data-api=\"http://127.0.0.1:8080\"></script>__RIPEN_OTHER__",
              page->Body());
    EXPECT_THAT(std::string(page->headers.Get("Content-Security-Policy")),
                HasSubstr("connect-src 'self' http://127.0.0.1:8080;"));
    EXPECT_EQ("<p>cart</p>", Public("/demo/cart")->Body());
    EXPECT_EQ("<p>cart</p>", Public("/demo/cart.html")->Body());
    // Bytes that are no text stay as they are.
    EXPECT_EQ("__RIPEN_API__", Public("/demo/photo.webp")->Body());
    EXPECT_EQ("/demo/", Public("/demo")->headers.Get("Location"));
    EXPECT_EQ("/demo/ja/", Public("/demo/ja")->headers.Get("Location"));
    EXPECT_EQ("<p>ja</p>", Public("/demo/ja/")->Body());
    EXPECT_EQ(404, Public("/demo/none")->status);
    EXPECT_FALSE(Public("/demonstration").has_value());
    EXPECT_FALSE(Public("/u/token").has_value());
}

TEST(PublicPages, WithoutADemoWorkspaceTheShopIsClosed) {
    const auto closed = Public("/demo/", "");
    EXPECT_EQ(404, closed->status);
    EXPECT_THAT(std::string(closed->Body()), HasSubstr("shop is closed"));
    EXPECT_EQ(404, Public("/demo/cart", "")->status);
}

}  // namespace
}  // namespace site
