#include "api/web_pages.h"

#include <gmock/gmock.h>

#include "api/public_pages.h"
#include "api/test_services.h"
#include "site/test_pack.h"

namespace api {
namespace {

using http::Method;
using http::Request;
using http::Response;
using testing::HasSubstr;

struct Web : TestServices {
    Web() {
        services->assets = &assets;
        services->admin_port = 8080;
        services->public_port = 8081;
        services->sandbox_port = 8082;
    }
    Response Get(Listener listener, std::string_view target, std::string_view host) {
        Request request = Request::Make(Method::kGet, target);
        request.headers.Add("Host", host);
        return Ask(listener, std::move(request));
    }
    std::string Policy(std::string_view host) {
        return std::string(Get(Serve, "/", host).headers.Get("Content-Security-Policy"));
    }
    site::Assets assets = site::TestAssets();
};

TEST(WebPages, ScreensStandBesideTheApi) {
    Web t;
    for (const char* target : {"/", "/start", "/sign-in", "/w/1/home"}) {
        const Response page = t.Get(Serve, target, "127.0.0.1:8080");
        EXPECT_EQ(200, page.status) << target;
        EXPECT_THAT(Text(page), HasSubstr("<style nonce=")) << target;
    }
    EXPECT_EQ(200, t.Get(Serve, "/assets/app-1.js", "127.0.0.1:8080").status);
    EXPECT_EQ(401, t.Get(Serve, "/api/v1/persons", "127.0.0.1:8080").status);
    EXPECT_EQ(404, t.Get(Serve, "/nothing", "127.0.0.1:8080").status);
    EXPECT_EQ(404, t.Get(ServePublic, "/sign-in", "127.0.0.1:8081").status);
}

TEST(WebPages, OriginsFollowTheHostThatTheBrowserAskedFor) {
    Web t;
    EXPECT_THAT(t.Policy("192.168.1.5:8080"),
                HasSubstr("frame-src http://192.168.1.5:8082 http://192.168.1.5:8081;"));
    EXPECT_THAT(t.Policy("[::1]:8080"), HasSubstr("frame-src http://[::1]:8082 "));
    // What is no host never becomes part of the policy.
    EXPECT_THAT(t.Policy("x; script-src *"), HasSubstr("frame-src http://127.0.0.1:8082 "));
    t.services->public_url = "https://p.example.test/";
    t.services->sandbox_url = "https://s.example.test";
    EXPECT_THAT(t.Policy("127.0.0.1:8080"),
                HasSubstr("frame-src https://s.example.test https://p.example.test;"));
}

TEST(WebPages, TheShopIsOpenWhileItsWorkspaceIsThere) {
    Web t;
    EXPECT_EQ(404, t.Get(ServePublic, "/demo/", "127.0.0.1:8081").status);
    const auto demo = t.catalog->CreateWorkspace("Demo shop", true);
    ASSERT_TRUE(demo.has_value());
    const Response page = t.Get(ServePublic, "/demo/", "127.0.0.1:8081");
    EXPECT_EQ(200, page.status);
    EXPECT_THAT(Text(page), HasSubstr("data-key=\"" + demo->write_key + "\""));
    EXPECT_THAT(Text(page), HasSubstr("data-api=\"http://127.0.0.1:8080\""));
    ASSERT_TRUE(t.catalog->DeleteWorkspace(demo->workspace).has_value());
    EXPECT_EQ(404, t.Get(ServePublic, "/demo/", "127.0.0.1:8081").status);
    EXPECT_EQ(200, t.Get(ServePublic, "/ripen.js", "127.0.0.1:8081").status);
}

}  // namespace
}  // namespace api
