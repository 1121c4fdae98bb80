#include "language/condition/fold.h"

#include <gtest/gtest.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <random>

namespace condition {
namespace {

TEST(Fold, EqualTextsOfEveryScriptFoldTogether) {
    const std::pair<const char*, const char*> same[] = {
        {"PRO", "pro"},       {"ÄÖÜ", "äöü"},       {"ẞ", "ß"},          {"ΣΊΣΥΦΟΣ", "σίσυφος"},
        {"МОСКВА", "москва"}, {"ＡＢＣ", "ａｂｃ"}, {"ÉTÉ", "été"},      {"\u212a", "k"},
        {"東京タワー", "東京タワー"}, {"I", "i"},   {"Ǆ", "ǆ"},          {"ĲSSEL", "ĳssel"},
    };
    for (const auto& [upper, lower] : same) {
        EXPECT_EQ(Fold(upper), Fold(lower)) << upper;
        EXPECT_TRUE(FoldedEqual(upper, Fold(lower))) << upper;
    }
}

TEST(Fold, WhatSimpleFoldingKeepsApartStaysApart) {
    const std::pair<const char*, const char*> differ[] = {
        {"STRASSE", "straße"},  // Full folding only.
        {"İ", "i"},             // Turkish: dotted capital
        {"I", "ı"},             // and dotless small i are letters of their own.
        {"カ", "か"},           // Katakana and hiragana
        {"ガ", "ｶﾞ"},           // and half width are not a matter of case.
        {"Ａ", "a"},
        {"e\u0301", "é"},       // No normalisation.
        {"", "a"},
    };
    for (const auto& [a, b] : differ) {
        EXPECT_NE(Fold(a), Fold(b)) << a;
        EXPECT_FALSE(FoldedEqual(a, Fold(b))) << a;
    }
}

TEST(Fold, LettersThatChangeTheirLengthCompareWhole) {
    EXPECT_TRUE(FoldedEqual("\u212a\u212a", "kk"));      // Kelvin signs: 6 bytes to 2.
    EXPECT_TRUE(FoldedStarts("\u212aelvin", "kel"));
    EXPECT_FALSE(FoldedEqual("\u212a", "kk"));
    EXPECT_EQ(Fold("Ⱥ"), "ⱥ");                           // 2 bytes to 3.
}

TEST(Fold, EveryCodePointFoldsAsUnicodeSays) {
    for (UChar32 point = 1; point <= 0x10ffff; ++point) {
        if (point >= 0xd800 && point <= 0xdfff) continue;
        const auto encode = [](UChar32 c) {
            char bytes[4];
            uint32_t length = 0;
            U8_APPEND_UNSAFE(reinterpret_cast<uint8_t*>(bytes), length, c);
            return std::string(bytes, length);
        };
        ASSERT_EQ(Fold(encode(point)), encode(u_foldCase(point, U_FOLD_CASE_DEFAULT))) << point;
    }
}

TEST(Fold, AsciiInOneGoAgreesWithFoldingLetterByLetter) {
    for (size_t length = 0; length < 40; ++length) {
        for (int first = 0; first < 128; ++first) {
            std::string text;
            for (size_t i = 0; i < length; ++i) {
                text.push_back(static_cast<char>((first + static_cast<int>(i) * 7) % 128));
            }
            std::string out(length, '?');
            ASSERT_TRUE(FoldAscii(text, out.data()));
            ASSERT_EQ(out, Fold(text));
            if (length == 0) continue;
            text[static_cast<size_t>(first) % length] = '\xc3';
            ASSERT_FALSE(FoldAscii(text, out.data()));
        }
    }
}

TEST(Fold, BytesThatAreNotUtf8StandForThemselves) {
    EXPECT_EQ(Fold("A\xff\xc3"), "a\xff\xc3");
    EXPECT_TRUE(FoldedEqual("A\xe2\x84", "a\xe2\x84"));
    EXPECT_EQ(Fold("\xed\xa0\x80X"), "\xed\xa0\x80x");   // A surrogate.
}

TEST(Fold, ComparingInPlaceAgreesWithComparingFoldedCopies) {
    static const char* kPieces[] = {"a", "A", "ß", "ẞ", "İ", "\u212a", "東", "\xff", "Σ", "ς", ""};
    std::mt19937 random(7);
    for (int i = 0; i < 20'000; ++i) {
        std::string a, b;
        for (auto n = random() % 5; n > 0; --n) a += kPieces[random() % std::size(kPieces)];
        for (auto n = random() % 5; n > 0; --n) b += kPieces[random() % std::size(kPieces)];
        const std::string folded = Fold(b);
        ASSERT_EQ(FoldedEqual(a, folded), Fold(a) == folded) << a << " " << b;
        ASSERT_EQ(FoldedStarts(a, folded), Fold(a).starts_with(folded)) << a << " " << b;
        ASSERT_EQ(Fold(folded), folded);
    }
}

}  // namespace
}  // namespace condition
