#include "flow/ingest/answer.h"

#include <gtest/gtest.h>
#include <simdjson.h>

namespace ingest {
namespace {

Route At(const char* path) { return *FindRoute(path); }

TEST(Answers, OverloadIsNeverADropAndTellsWhenToComeBack) {
    for (const auto code : {base::ErrorCode::kOverloaded, base::ErrorCode::kDiskFull,
                            base::ErrorCode::kUnavailable}) {
        const Answer answer = AnswerFor(At("/v1/batch"), base::Error{code, "x", {}, {}});
        EXPECT_EQ(answer.status, 503);
        EXPECT_GT(answer.retry_after_s, 0);
        EXPECT_LE(answer.retry_after_s, 300);
    }
}

TEST(Answers, TheInternalTextStaysInside) {
    const Answer answer =
        AnswerFor(At("/v1/batch"), base::Error{base::ErrorCode::kIo, "/secret/path", {}, {}});
    EXPECT_EQ(answer.body.find("secret"), std::string::npos);
}

TEST(Answers, EachClientGetsItsOwnForm) {
    Decoded decoded;
    decoded.events.emplace_back();
    EXPECT_EQ(AnswerFor(At("/v1/batch"), decoded).body, R"({"success":true})");
    EXPECT_EQ(AnswerFor(At("/e/"), decoded).body, R"({"status":1})");
    EXPECT_EQ(AnswerFor(At("/api/s/track"), decoded).body, R"({"ok":true})");
    EXPECT_EQ(AnswerFor(At("/pixel/v1/track"), decoded).content_type, "image/gif");
}

TEST(Answers, ThePixelIsAGifOfOnePixel) {
    const std::string_view gif = PixelGif();
    EXPECT_EQ(gif.size(), 43u);
    EXPECT_TRUE(gif.starts_with("GIF89a"));
    EXPECT_EQ(gif.back(), '\x3b');
}

TEST(Answers, SettingsHaveWhatAnalyticsNextReads) {
    simdjson::dom::parser parser;
    const Answer answer = SegmentSettings("KEY", "ripen.example/v1", "https");
    const auto root = parser.parse(answer.body);
    const auto segment = root["integrations"]["Segment.io"];
    EXPECT_EQ(std::string_view(segment["apiKey"]), "KEY");
    EXPECT_EQ(std::string_view(segment["apiHost"]), "ripen.example/v1");
    EXPECT_EQ(std::string_view(segment["protocol"]), "https");
    EXPECT_EQ(segment["unbundledIntegrations"].get_array().size(), 0u);
    EXPECT_EQ(segment["maybeBundledConfigIds"].get_object().size(), 0u);
    EXPECT_TRUE(bool(root["plan"]["track"]["__default"]["enabled"]));
    EXPECT_TRUE(bool(root["plan"]["identify"]["__default"]["enabled"]));
    EXPECT_EQ(root["enabledMiddleware"].get_object().size(), 0u);
    EXPECT_EQ(root["remotePlugins"].get_array().size(), 0u);
    EXPECT_EQ(int64_t(root["metrics"]["sampleRate"]), 0);
}

TEST(Answers, ConfigurationsAreJson) {
    simdjson::dom::parser parser;
    const Answer rudder = RudderSourceConfig("KEY", "https://ripen.example", 0);
    EXPECT_EQ(std::string_view(parser.parse(rudder.body)["source"]["writeKey"]), "KEY");
    EXPECT_TRUE(bool(parser.parse(rudder.body)["source"]["enabled"]));
    const Answer config = PosthogConfig("phc");
    EXPECT_EQ(std::string_view(parser.parse(config.body)["supportedCompression"].at(0)), "gzip");
    const Answer flags = PosthogFlags("r1");
    EXPECT_FALSE(bool(parser.parse(flags.body)["errorsWhileComputingFlags"]));
    EXPECT_EQ(parser.parse(flags.body)["flags"].get_object().size(), 0u);
}

}  // namespace
}  // namespace ingest
