#include "store/warehouse/row.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/limits.h"
#include "store/warehouse/escape.h"
#include "store/warehouse/test_rows.h"

namespace warehouse {
namespace {

TEST(Row, ReadsBackWhatWasAppended) {
    Row first = MakeRow(3, 10, 77);
    Row second;
    second.payload = std::string("\n\n\0;\xff", 5);
    second.name = std::string(300, 'n');  // A length of two bytes.
    second.offset = UINT64_MAX;
    second.ordinal = UINT16_MAX;
    second.time_ms = -1;
    const std::string bytes = RowBytes(first) + RowBytes(second);
    std::string_view in = bytes;
    Row row;
    ASSERT_TRUE(ReadRow(in, row));
    EXPECT_EQ(row, first);
    ASSERT_TRUE(ReadRow(in, row));
    EXPECT_EQ(row, second);
    EXPECT_TRUE(in.empty());
    EXPECT_FALSE(ReadRow(in, row));
}

TEST(Row, EveryShortenedRowIsRefused) {
    const std::string bytes = RowBytes(MakeRow(3, 10, 77));
    for (size_t size = 0; size < bytes.size(); ++size) {
        std::string_view in = std::string_view(bytes).substr(0, size);
        Row row;
        EXPECT_FALSE(ReadRow(in, row)) << size;
    }
}

TEST(Row, ALyingArrayLengthAllocatesNothing) {
    std::string bytes = RowBytes(Row{});
    // workspace 4, person 8, time 8, day 2, name 1, ids 1, visit 8, keys 1, texts 1: numbers.
    const size_t numbers = 4 + 8 + 8 + 2 + 1 + 1 + 8 + 1 + 1;
    ASSERT_EQ(bytes[numbers], 0);
    bytes.replace(numbers, 1, "\xff\xff\xff\xff\x0f");
    std::string_view in = bytes;
    Row row;
    EXPECT_FALSE(ReadRow(in, row));
}

TEST(Row, UnequalPropertyArraysAreCutToTheShortest) {
    Row row = MakeRow(0, 1, 5);
    row.prop_num.pop_back();
    const std::string bytes = RowBytes(row);
    std::string_view in = bytes;
    Row back;
    ASSERT_TRUE(ReadRow(in, back));
    EXPECT_EQ(back.prop_key, std::vector<std::string>{"url"});
    EXPECT_EQ(back.prop_text.size(), 1U);
    EXPECT_EQ(back.prop_num.size(), 1U);
}

TEST(Row, DatesAreDaysInUtcAndClamped) {
    EXPECT_EQ(DateOf(0), 0);
    EXPECT_EQ(DateOf(base::kDayMs - 1), 0);
    EXPECT_EQ(DateOf(base::kDayMs), 1);
    EXPECT_EQ(DateOf(-1), 0);
    EXPECT_EQ(DateOf(65535 * base::kDayMs), 65535);
    EXPECT_EQ(DateOf(65536 * base::kDayMs), 65535);
}

TEST(Entry, HeaderTellsMonthPersonAndKeyWithoutDecoding) {
    Row row = MakeRow(3, 10, 77, kFebruary);
    row.ordinal = 2;
    const std::string bytes = EntryBytes(MakeRow(0, 1, 5)) + EntryBytes(row);
    std::string_view in = bytes;
    EntryHeader header;
    std::string_view view;
    ASSERT_TRUE(NextEntry(in, header, view));
    EXPECT_EQ(header.month, 202601U);
    ASSERT_TRUE(NextEntry(in, header, view));
    EXPECT_EQ(header.month, 202602U);
    EXPECT_EQ(header.person, 77U);
    EXPECT_EQ(header.workspace, 1U);
    EXPECT_EQ(header.key(), (RowKey{3, 10, 2}));
    EXPECT_EQ(view, RowBytes(row));
    EXPECT_FALSE(NextEntry(in, header, view));
    EXPECT_TRUE(in.empty());
}

TEST(Entry, AShortEntryIsLeftInPlace) {
    const std::string bytes = EntryBytes(MakeRow(0, 1, 5));
    std::string_view in = std::string_view(bytes).substr(0, bytes.size() - 1);
    EntryHeader header;
    std::string_view view;
    EXPECT_FALSE(NextEntry(in, header, view));
    EXPECT_FALSE(in.empty());
}

TEST(Literal, NoByteEndsTheQuotesOrALine) {
    std::string all;
    for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
    const std::string sql = Literal(all + "'" + all + "\\");
    ASSERT_EQ(sql.front(), '\'');
    ASSERT_EQ(sql.back(), '\'');
    for (size_t i = 1; i + 1 < sql.size(); ++i) {
        EXPECT_GE(static_cast<uint8_t>(sql[i]), 0x20U);
        EXPECT_NE(sql[i], '\'') << "unescaped at " << i;
        if (sql[i] == '\\') ++i;
        ASSERT_LT(i, sql.size() - 1) << "the closing quote is escaped";
    }
    EXPECT_EQ(Literal("a'b\\c\n"), "'a\\'b\\\\c\\x0a'");
}

TEST(Literal, NumbersCannotBecomeComments) {
    std::string sql = "1-";
    AppendLiteral(sql, int64_t{-2});
    EXPECT_EQ(sql, "1-(-2)");
    sql.clear();
    AppendLiteral(sql, -0.0);
    EXPECT_EQ(sql, "(-0)");
    sql.clear();
    AppendLiteral(sql, UINT64_MAX);
    EXPECT_EQ(sql, "18446744073709551615");
}

TEST(Literal, PatternsMatchTheirOwnTextOnly) {
    std::string sql;
    AppendContains(sql, "50%_a\\'");
    EXPECT_EQ(sql, "'%50\\\\%\\\\_a\\\\\\\\\\'%'");
}

}  // namespace
}  // namespace warehouse
