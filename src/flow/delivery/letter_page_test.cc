#include "flow/delivery/letter_page.h"

#include <gtest/gtest.h>

#include <string>

namespace delivery {
namespace {

TEST(LetterPage, AskingShowsAButtonThatPostsAndNothingElseActs) {
    const std::string page = WriteLetterPage(
        LetterPage::kAsk, {.sender = "Shop", .address = "anna@example.com", .action = "/u/abc"});
    EXPECT_NE(std::string::npos, page.find("<form method=\"post\" action=\"/u/abc\">"));
    EXPECT_NE(std::string::npos, page.find("a***@example.com"));
    EXPECT_EQ(std::string::npos, page.find("anna@"));
    for (const char* active :
         {"<script", "onload", "<img", "<iframe", "http-equiv", "javascript"}) {
        EXPECT_EQ(std::string::npos, page.find(active)) << active;
    }
    for (const LetterPage other : {LetterPage::kDone, LetterPage::kInvalid}) {
        EXPECT_EQ(std::string::npos, WriteLetterPage(other, {.action = "/u/abc"}).find("<form"));
    }
}

TEST(LetterPage, LanguageIsTheFirstKnownOneElseEnglish) {
    const auto language = [](std::string_view accepted) {
        const std::string page = WriteLetterPage(LetterPage::kAsk, {.language = accepted});
        const size_t at = page.find("lang=\"") + 6;
        return page.substr(at, 2);
    };
    EXPECT_EQ("ja", language("ja"));
    EXPECT_EQ("ja", language("fr-FR, JA-JP;q=0.8, en"));
    EXPECT_EQ("en", language("en-US,ja"));
    EXPECT_EQ("en", language("jam"));
    EXPECT_EQ("en", language(""));
}

TEST(LetterPage, StrangersTextIsEscaped) {
    const std::string page = WriteLetterPage(
        LetterPage::kAsk, {.sender = "<script>\"'&", .address = "<b>@\"x\"", .action = "\"><i>",
                           .preferences_url = "\"><u>"});
    for (const char* raw : {"<script>", "<b>", "<i>", "<u>"}) {
        EXPECT_EQ(std::string::npos, page.find(raw)) << raw;
    }
}

TEST(LetterPage, PolicyAllowsItsOwnStyleOnly) {
    const std::string policy = LetterPagePolicy();
    EXPECT_NE(std::string::npos, policy.find("default-src 'none'"));
    EXPECT_NE(std::string::npos, policy.find("style-src 'sha256-"));
    EXPECT_EQ(std::string::npos, policy.find("unsafe"));
}

TEST(MaskAddress, KeepsTheFirstCharacterAndTheDomain) {
    EXPECT_EQ("a***@b.c", MaskAddress("anna@b.c"));
    EXPECT_EQ("\xe3\x81\x82***@b.c", MaskAddress("\xe3\x81\x82\xe3\x81\x84@b.c"));
    EXPECT_EQ("***", MaskAddress("nobody"));
    EXPECT_EQ("***", MaskAddress("@b.c"));
}

}  // namespace
}  // namespace delivery
