#include "flow/ingest/place.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "flow/ingest/decode.h"

namespace ingest {
namespace {

std::filesystem::path Data() {
    const char* path = std::getenv("RIPEN_SHARED_DATA");
    return (path != nullptr ? std::filesystem::path(path) : "../shared/data") / "geo";
}

TEST(Place, CityFilesTellCountryRegionAndCity) {
    const auto file = PlaceFile::Open(Data() / "GeoIP2-City-Test.mmdb");
    if (!file) GTEST_SKIP() << file.error().internal;
    const PlaceFacts london = (*file)->Find("81.2.69.142");
    EXPECT_EQ(london.country, "GB");
    EXPECT_EQ(london.region, "England");
    EXPECT_EQ(london.city, "London");
    EXPECT_EQ((*file)->Find("::ffff:81.2.69.142").city, "London");
    EXPECT_EQ((*file)->Find("2001:218::1").country, "JP");
}

TEST(Place, CountryFilesTellTheCountryAlone) {
    const auto file = PlaceFile::Open(Data() / "GeoLite2-Country-Test.mmdb");
    if (!file) GTEST_SKIP() << file.error().internal;
    const PlaceFacts found = (*file)->Find("81.2.69.142");
    EXPECT_EQ(found.country, "GB");
    EXPECT_TRUE(found.region.empty() && found.city.empty());
}

TEST(Place, PrivateAndBrokenAddressesHaveNone) {
    for (const char* ip : {"127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
                           "169.254.0.1", "100.64.0.1", "224.0.0.1", "0.0.0.0", "::1", "::",
                           "fc00::1", "fd12::1", "fe80::1", "ff02::1", "::ffff:10.0.0.1", "",
                           "nonsense", "1.2.3", "1.2.3.4.5", "300.1.1.1"}) {
        EXPECT_TRUE(IsPrivateAddress(ip)) << ip;
    }
    for (const char* ip : {"8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1",
                           "2001:db8::1", "223.255.255.255"}) {
        EXPECT_FALSE(IsPrivateAddress(ip)) << ip;
    }
}

TEST(Place, AMissingOrForeignFileIsAnError) {
    const auto missing = PlaceFile::Open("/nonexistent.mmdb");
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().code, base::ErrorCode::kNotFound);
    const auto foreign = PlaceFile::Open("/proc/self/exe");
    ASSERT_FALSE(foreign.has_value());
    EXPECT_EQ(foreign.error().code, base::ErrorCode::kCorrupt);
}

TEST(Place, ServersSpeakForTheVisitorAndBrowsersForThemselves) {
    auto file = PlaceFile::Open(Data() / "GeoIP2-City-Test.mmdb");
    if (!file) GTEST_SKIP() << file.error().internal;
    Places places(*file);
    Decoder decoder(nullptr, &places);
    const Route route = *FindRoute("/v1/t");
    const std::string text =
        R"({"event":"x","userId":"u","context":{"ip":"2001:218::1"}})";
    RequestFacts facts;
    facts.received_ms = 1767607261000;
    facts.peer_ip = "81.2.69.142";
    std::string body = text;
    EXPECT_EQ((*decoder.Decode(route, body, facts))->events[0].place.country, "GB");
    facts.key_trust = model::Trust::kSecret;
    EXPECT_EQ((*decoder.Decode(route, body, facts))->events[0].place.country, "JP");
}

TEST(Place, WithoutAFileEveryPlaceIsEmpty) {
    Places places(nullptr);
    EXPECT_TRUE(places.Find("8.8.8.8").country.empty());
}

}  // namespace
}  // namespace ingest
