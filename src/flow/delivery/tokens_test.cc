#include "flow/delivery/tokens.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "net/smtp/client.h"

namespace delivery {
namespace {

TokenScheme Scheme(std::vector<TokenKey> keys = {{1, std::string(32, 'k')}}) {
    return TokenScheme::Create(std::move(keys)).value();
}

Token SomeToken() {
    return {Purpose::kClick, 7, {3, 1'000'000, 2}, 5, {0x1234, 0x5678}, "https://x.example/a?b=c"};
}

TEST(TokenScheme, WhatWasWrittenReadsBack) {
    const TokenScheme scheme = Scheme();
    Token token = SomeToken();
    EXPECT_EQ(token, scheme.Read(scheme.Write(token), Purpose::kClick).value());
    token.url = std::string(limits::kTrackedUrlBytesMax, 'u');
    token.message = {UINT16_MAX, UINT64_MAX, UINT16_MAX};
    token.workspace = UINT32_MAX;
    token.link = UINT16_MAX;
    const std::string text = scheme.Write(token);
    EXPECT_LE(text.size(), limits::kTokenBytesMax);
    EXPECT_EQ(token, scheme.Read(text, Purpose::kClick).value());
    EXPECT_EQ(std::string::npos,
              text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-_"));
}

TEST(TokenScheme, EveryChangedBitAndEveryCutIsRefused) {
    const TokenScheme scheme = Scheme();
    const std::string text = scheme.Write(SomeToken());
    for (size_t i = 0; i < text.size(); ++i) {
        for (int bit = 0; bit < 8; ++bit) {
            std::string changed = text;
            changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
            EXPECT_FALSE(scheme.Read(changed, Purpose::kClick).has_value());
        }
        EXPECT_FALSE(scheme.Read(text.substr(0, i), Purpose::kClick).has_value());
    }
    EXPECT_FALSE(scheme.Read(text + "A", Purpose::kClick).has_value());
    EXPECT_FALSE(scheme.Read(text + "=", Purpose::kClick).has_value());
    EXPECT_FALSE(scheme.Read(std::string(limits::kTokenBytesMax + 1, 'A'), Purpose::kClick));
}

TEST(TokenScheme, ATokenServesItsPurposeOnly) {
    const TokenScheme scheme = Scheme();
    const std::string text = scheme.Write(SomeToken());
    for (const Purpose other : {Purpose::kOpen, Purpose::kUnsubscribe, Purpose::kPreferences,
                                Purpose::kConfirm, Purpose::kTrap, Purpose::kBrowser}) {
        EXPECT_FALSE(scheme.Read(text, other).has_value());
    }
}

TEST(TokenScheme, OldLettersKeepWorkingAfterANewKey) {
    const TokenKey old_key{1, std::string(32, 'k')};
    const TokenKey new_key{2, std::string(32, 'n')};
    const std::string text = Scheme({old_key}).Write(SomeToken());
    EXPECT_TRUE(Scheme({new_key, old_key}).Read(text, Purpose::kClick).has_value());
    EXPECT_FALSE(Scheme({new_key}).Read(text, Purpose::kClick).has_value());
    const TokenKey same_number{1, std::string(32, 'n')};
    EXPECT_FALSE(Scheme({same_number}).Read(text, Purpose::kClick).has_value());
}

TEST(TokenScheme, BadKeysAreRefused) {
    EXPECT_FALSE(TokenScheme::Create({}).has_value());
    EXPECT_FALSE(TokenScheme::Create({{1, std::string(31, 'k')}}).has_value());
    EXPECT_TRUE(TokenScheme::Create({{1, std::string(32, 'k')}}).has_value());
    EXPECT_FALSE(TokenScheme::Create({{1, std::string(32, 'k')}, {1, std::string(32, 'n')}}));
}

TEST(ReturnPath, SurvivesCaseFoldingAndFitsALocalPart) {
    const TokenScheme scheme = Scheme();
    const model::FactKey message{UINT16_MAX, UINT64_MAX, UINT16_MAX};
    const std::string path = scheme.WriteReturnPath(UINT32_MAX, message);
    EXPECT_LE(path.size(), limits::kLocalPartBytesMax);
    EXPECT_TRUE(smtp::CheckAddress(path + "@example.com", "x").has_value());
    std::string upper = path;
    for (char& c : upper) c = static_cast<char>(toupper(c));
    for (const std::string& text : {path, upper}) {
        const auto read = scheme.ReadReturnPath(text);
        ASSERT_TRUE(read.has_value());
        EXPECT_EQ(UINT32_MAX, read->workspace);
        EXPECT_EQ(message, read->message);
    }
}

TEST(ReturnPath, ForgedOnesAreRefused) {
    const TokenScheme scheme = Scheme();
    const std::string path = scheme.WriteReturnPath(1, {3, 10, 2});
    for (size_t i = 0; i + 1 < path.size(); ++i) {
        std::string changed = path;
        changed[i] = changed[i] == 'a' ? 'b' : 'a';
        EXPECT_FALSE(scheme.ReadReturnPath(changed).has_value()) << changed;
    }
    EXPECT_FALSE(scheme.ReadReturnPath("").has_value());
    EXPECT_FALSE(scheme.ReadReturnPath("b-").has_value());
    EXPECT_FALSE(scheme.ReadReturnPath("postmaster").has_value());
}

}  // namespace
}  // namespace delivery
