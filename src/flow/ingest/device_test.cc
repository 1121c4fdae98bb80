#include "flow/ingest/device.h"

#include <gtest/gtest.h>
#include <simdjson.h>
#include <yaml-cpp/yaml.h>

#include <filesystem>

#include "base/limits.h"

namespace ingest {
namespace {

std::filesystem::path Data() {
    const char* path = std::getenv("RIPEN_SHARED_DATA");
    return (path != nullptr ? std::filesystem::path(path) : "../shared/data") / "ua";
}

// Compiled once for all tests of this file.
const AgentPatterns* Patterns() {
    static const auto patterns = [] {
        auto loaded = AgentPatterns::Load(
            {Data() / "uap_regexes.yaml", Data() / "crawler-user-agents.json"});
        return loaded ? *loaded : nullptr;
    }();
    return patterns.get();
}

constexpr std::string_view kChrome =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.0.0 Safari/537.36";
constexpr std::string_view kIphone =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/17.2 Mobile/15E148 Safari/604.1";
constexpr std::string_view kGooglebot =
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

std::string Of(const YAML::Node& row, const char* key) {
    return row[key] && row[key].IsScalar() ? row[key].as<std::string>() : "";
}

struct Score {
    int cases = 0;
    int families = 0;
    int versions = 0;
};

template <typename F>
Score Compare(const std::string& file, F&& find) {
    Score score;
    for (const YAML::Node& row : YAML::LoadFile(file)["test_cases"]) {
        ++score.cases;
        const AgentPart part = find(Of(row, "user_agent_string"));
        if (part.family != Of(row, "family")) continue;
        ++score.families;
        if (part.major == Of(row, "major") && part.minor == Of(row, "minor") &&
            part.patch == Of(row, "patch") &&
            (!row["patch_minor"] || part.patch_minor == Of(row, "patch_minor"))) {
            ++score.versions;
        }
    }
    return score;
}

TEST(UserAgents, BrowsersAreToldAsInUapCoresCases) {
    if (Patterns() == nullptr) GTEST_SKIP() << "no " << Data();
    const Score score = Compare(Data() / "uap_test_ua.yaml", [](const std::string& agent) {
        return Patterns()->Browser(agent);
    });
    RecordProperty("versions", score.versions);
    EXPECT_GT(score.cases, 1600);
    EXPECT_EQ(score.families, score.cases);
    EXPECT_EQ(score.versions, score.cases);
}

TEST(UserAgents, SystemsAreToldAsInUapCoresCases) {
    if (Patterns() == nullptr) GTEST_SKIP() << "no " << Data();
    const Score score = Compare(Data() / "uap_test_os.yaml", [](const std::string& agent) {
        return Patterns()->System(agent);
    });
    EXPECT_GT(score.cases, 480);
    EXPECT_EQ(score.families, score.cases);
    EXPECT_EQ(score.versions, score.cases);
}

TEST(UserAgents, EveryPatternRuns) {
    if (Patterns() == nullptr) GTEST_SKIP() << "no " << Data();
    EXPECT_EQ(Patterns()->left_out(), 0u);
    EXPECT_GT(Patterns()->size(), 2000u);
}

TEST(UserAgents, EveryKnownRobotIsToldAndBrowsersAreNot) {
    if (Patterns() == nullptr) GTEST_SKIP() << "no " << Data();
    simdjson::dom::parser parser;
    simdjson::dom::array rows =
        parser.load((Data() / "crawler-user-agents.json").string()).get_array();
    int robots = 0;
    for (const auto row : rows) {
        for (const auto instance : row["instances"].get_array()) {
            const std::string_view agent = instance.get_string();
            EXPECT_TRUE(Patterns()->IsRobot(agent)) << agent;
            ++robots;
        }
    }
    EXPECT_GT(robots, 1000);
    EXPECT_FALSE(Patterns()->IsRobot(kChrome));
    EXPECT_FALSE(Patterns()->IsRobot(kIphone));
}

TEST(UserAgents, KindSystemAndBrowserAreTold) {
    if (Patterns() == nullptr) GTEST_SKIP() << "no " << Data();
    LazyAgentPatterns lazy({Data() / "uap_regexes.yaml", Data() / "crawler-user-agents.json"},
                           [](std::string text) { ADD_FAILURE() << text; });
    UserAgents agents(&lazy);
    EXPECT_EQ(agents.Find(kChrome).type, "desktop");
    EXPECT_EQ(agents.Find(kChrome).os, "Windows");
    EXPECT_EQ(agents.Find(kChrome).browser, "Chrome");
    EXPECT_EQ(agents.Find(kIphone).type, "mobile");
    EXPECT_EQ(agents.Find(kIphone).os, "iOS");
    EXPECT_EQ(agents.Find(kIphone).browser, "Mobile Safari");
    EXPECT_EQ(agents.Find(kGooglebot).type, "bot");
    EXPECT_TRUE(agents.Find(kGooglebot).is_bot);
    EXPECT_EQ(agents.misses(), 3u);
}

TEST(UserAgents, MissingFilesWarnOnceAndRobotsAreStillTold) {
    int warnings = 0;
    LazyAgentPatterns lazy({"/nonexistent/regexes.yaml", "/nonexistent/robots.json"},
                           [&](std::string) { ++warnings; });
    UserAgents agents(&lazy);
    EXPECT_TRUE(agents.Find(kGooglebot).is_bot);
    EXPECT_FALSE(agents.Find(kChrome).is_bot);
    EXPECT_EQ(agents.Find(kChrome).browser, "");
    EXPECT_EQ(agents.Find(kIphone).type, "mobile");
    EXPECT_EQ(warnings, 1);
}

TEST(UserAgents, KindsOfDevices) {
    UserAgents agents(nullptr);
    const std::pair<const char*, const char*> cases[] = {
        {"Mozilla/5.0 (iPad; CPU OS 17_2 like Mac OS X)", "tablet"},
        {"Mozilla/5.0 (Linux; Android 14; Pixel 8) Mobile Safari/537.36", "mobile"},
        {"Mozilla/5.0 (Linux; Android 13; SM-X700) Safari/537.36", "tablet"},
        {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", "desktop"},
        {"Mozilla/5.0 (Web0S; Linux/SmartTV)", "tv"},
        {"Mozilla/5.0 (PlayStation; PlayStation 5/2.26)", "console"},
        {"Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Tablet PC 2.0)", "desktop"},
        {"Mozilla/5.0 (Linux; Android 8.0; CUBOT NOTE) Mobile", "mobile"},
        {"Foo-Bot/1.0", "bot"},
        {"something", ""},
        {"", ""},
    };
    for (const auto& [agent, type] : cases) EXPECT_EQ(agents.Find(agent).type, type) << agent;
}

TEST(UserAgents, TheLongestUnusedLeavesTheCache) {
    UserAgents agents(nullptr);
    const auto name = [](size_t i) { return "agent " + std::to_string(i); };
    for (size_t i = 0; i < limits::kAgentCacheEntries; ++i) agents.Find(name(i));
    agents.Find(name(0));
    EXPECT_EQ(agents.misses(), limits::kAgentCacheEntries);
    agents.Find("one more");
    agents.Find(name(0));
    EXPECT_EQ(agents.misses(), limits::kAgentCacheEntries + 1);
    agents.Find(name(1));
    EXPECT_EQ(agents.misses(), limits::kAgentCacheEntries + 2);
}

TEST(UserAgents, LongHeadersAreCut) {
    UserAgents agents(nullptr);
    const std::string base(limits::kAgentBytesMax, 'a');
    agents.Find(base + "x");
    agents.Find(base + "y");
    EXPECT_EQ(agents.misses(), 1u);
    agents.Find(base.substr(1));
    EXPECT_EQ(agents.misses(), 2u);
}

}  // namespace
}  // namespace ingest
