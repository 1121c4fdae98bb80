#include "net/http/cors.h"

#include <gtest/gtest.h>

namespace http {
namespace {

Request Preflight(std::string_view origin, std::string_view headers) {
    Request request = Request::Make(Method::kOptions, "/v1/t");
    request.headers.Add("Origin", origin);
    request.headers.Add("Access-Control-Request-Method", "POST");
    if (!headers.empty()) request.headers.Add("Access-Control-Request-Headers", headers);
    return request;
}

TEST(Cors, PreflightEchoesOriginAndAllowsWhatClientsNeed) {
    const auto answer = AnswerPreflight(Preflight("https://shop.example", "Authorization, X-Key"));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 204);
    EXPECT_EQ(answer->headers.Get("Access-Control-Allow-Origin"), "https://shop.example");
    EXPECT_EQ(answer->headers.Get("Access-Control-Allow-Methods"), "GET, POST, OPTIONS");
    EXPECT_EQ(answer->headers.Get("Access-Control-Allow-Headers"),
              "authorization, content-type, X-Key");
    EXPECT_EQ(answer->headers.Get("Access-Control-Max-Age"), "86400");
    EXPECT_EQ(answer->headers.Get("Vary"), "Origin");
    EXPECT_EQ(answer->headers.Find("Access-Control-Allow-Credentials"), std::nullopt);
}

TEST(Cors, OtherRequestsAreNoPreflight) {
    Request request = Request::Make(Method::kOptions, "/");
    EXPECT_FALSE(AnswerPreflight(request));
    request.headers.Add("Origin", "https://a");
    EXPECT_FALSE(AnswerPreflight(request));
    Request post = Preflight("https://a", "");
    post.method = Method::kPost;
    EXPECT_FALSE(AnswerPreflight(post));
}

TEST(Cors, MalformedOriginIsNotEchoed) {
    for (const char* bad : {"", "a", "https://", "https://a/b", "https://a b", "https://a,https://b",
                            "https://a\r\nX: y", "://a"}) {
        Request request = Request::Make(Method::kGet, "/");
        request.headers.Add("Origin", bad);
        Response response;
        AddCors(request, response);
        EXPECT_EQ(response.headers.size(), 0U) << bad;
    }
}

TEST(Cors, RequestedHeadersThatAreNoNamesAreDropped) {
    const auto answer = AnswerPreflight(Preflight("null", "x\r\ny, , a b, content-type, x-ok"));
    EXPECT_EQ(answer->headers.Get("Access-Control-Allow-Headers"),
              "authorization, content-type, x-ok");
    EXPECT_EQ(answer->headers.Get("Access-Control-Allow-Origin"), "null");
}

TEST(Cors, PagesMayReadWhenToTryAgain) {
    Request request = Request::Make(Method::kPost, "/v1/batch");
    request.headers.Add("Origin", "https://a");
    Response response;
    AddCors(request, response);
    EXPECT_EQ(response.headers.Get("Access-Control-Expose-Headers"), "Retry-After");
    Response silent;
    AddCors(request, silent, {.exposed = ""});
    EXPECT_EQ(silent.headers.Find("Access-Control-Expose-Headers"), std::nullopt);
}

TEST(Cors, CredentialsOnlyWhenAsked) {
    Request request = Request::Make(Method::kGet, "/");
    request.headers.Add("Origin", "https://a");
    Response response;
    CorsRules rules;
    rules.credentials = true;
    AddCors(request, response, rules);
    EXPECT_EQ(response.headers.Get("Access-Control-Allow-Credentials"), "true");
}

}  // namespace
}  // namespace http
