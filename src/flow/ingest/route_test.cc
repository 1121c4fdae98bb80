#include "flow/ingest/route.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace ingest {
namespace {

TEST(FindRoute, KnowsEveryClientsAddresses) {
    struct Case {
        const char* path;
        Dialect dialect;
        Call call;
    };
    const Case cases[] = {
        {"/v1/batch", Dialect::kSegment, Call::kBatch},
        {"/v1/b", Dialect::kSegment, Call::kBatch},
        {"/v1/import", Dialect::kSegment, Call::kImport},
        {"/v1/identify", Dialect::kSegment, Call::kIdentify},
        {"/v1/i", Dialect::kSegment, Call::kIdentify},
        {"/beacon/v1/batch", Dialect::kRudder, Call::kBatch},
        {"/api/s/track", Dialect::kJitsu, Call::kTrack},
        {"/api/s/s2s/identify", Dialect::kJitsu, Call::kIdentify},
        {"/batch/", Dialect::kPosthog, Call::kBatch},
        {"/e/", Dialect::kPosthog, Call::kBatch},
        {"/e", Dialect::kPosthog, Call::kBatch},
        {"/flags/", Dialect::kPosthog, Call::kFlags},
        {"/api/public/apps/batch", Dialect::kDittofeed, Call::kBatch},
        {"/pixel/v1/track", Dialect::kPixel, Call::kTrack},
        {"/pixel/v1/page", Dialect::kPixel, Call::kPage},
        {"/sourceConfig/", Dialect::kRudder, Call::kSourceConfig},
    };
    for (const Case& c : cases) {
        const auto route = FindRoute(c.path);
        ASSERT_TRUE(route.has_value()) << c.path;
        EXPECT_EQ(route->dialect, c.dialect) << c.path;
        EXPECT_EQ(route->call, c.call) << c.path;
    }
    EXPECT_EQ(FindRoute("/v1/projects/KEY1/settings")->key, "KEY1");
    EXPECT_EQ(FindRoute("/array/phc_1/config")->key, "phc_1");
    EXPECT_EQ(FindRoute("/array/phc_1/config.js")->key, "phc_1");
}

TEST(FindRoute, OtherAddressesAreNotIts) {
    for (const char* path : {"", "/", "/v1", "/v1/", "/v1/x", "/v1/track/x", "/api/s/b",
                             "/v1/projects//settings", "/v1/projects/K", "/pixel/v1/batch",
                             "/api/people", "/array/x/y"}) {
        EXPECT_FALSE(FindRoute(path).has_value()) << path;
    }
}

TEST(FindKey, ReadsEveryPlaceInOrder) {
    const std::string basic = "Basic " + base::Base64Encode("KEY:");
    EXPECT_EQ(FindKey({basic, "x:y", "writeKey=q", R"({"writeKey":"b"})"}), "KEY");
    EXPECT_EQ(FindKey({"Bearer KEY2", {}, {}, {}}), "KEY2");
    EXPECT_EQ(FindKey({"KEY3", {}, {}, {}}), "KEY3");
    EXPECT_EQ(FindKey({"basic " + base::Base64Encode(":KEY4"), {}, {}, {}}), "KEY4");
    EXPECT_EQ(FindKey({{}, "id:secret", "writeKey=q", {}}), "id:secret");
    EXPECT_EQ(FindKey({{}, {}, "a=1&writeKey=q%2B", R"({"writeKey":"b"})"}), "q+");
    EXPECT_EQ(FindKey({{}, {}, {}, R"({"batch":[{"a":1}],"writeKey":"b"})"}), "b");
    EXPECT_EQ(FindKey({{}, {}, {}, R"({"api_key":"phc","batch":[]})"}), "phc");
    EXPECT_EQ(FindKey({{}, {}, {}, R"({"token":"phc","distinct_id":"d"})"}), "phc");
    EXPECT_EQ(FindKey({{}, {}, {}, R"([{"event":"x","properties":{"token":"phc"}}])"}), "phc");
    EXPECT_EQ(FindKey({{}, {}, {}, R"({"batch":[{"properties":{"token":"phc"}}]})"}), "phc");
    EXPECT_EQ(FindKey({{}, {}, {}, "data=" + base::Base64Encode(R"({"api_key":"p"})")}), "p");
}

TEST(FindKey, NoKeyIsEmpty) {
    for (const char* body : {"", "{}", "[]", "nonsense", "{\"writeKey\":7}", "{\"writeKey\":"}) {
        EXPECT_EQ(FindKey({{}, {}, {}, body}), "") << body;
    }
}

TEST(QueryValue, DecodesAndTellsEmptyFromAbsent) {
    EXPECT_EQ(*QueryValue("a=1&b=x%20y+z&c", "b"), "x y z");
    EXPECT_EQ(*QueryValue("a=1&b=x&c", "c"), "");
    EXPECT_FALSE(QueryValue("a=1", "b").has_value());
    EXPECT_EQ(*QueryValue("b=%zz%4", "b"), "%zz%4");
}

}  // namespace
}  // namespace ingest
