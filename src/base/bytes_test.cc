#include "base/bytes.h"

#include <gtest/gtest.h>

#include <limits>

namespace base {
namespace {

TEST(Bytes, ReadBackWhatWasWritten) {
    const int64_t numbers[] = {0,
                               1,
                               -1,
                               63,
                               64,
                               -64,
                               -65,
                               std::numeric_limits<int64_t>::max(),
                               std::numeric_limits<int64_t>::min()};
    std::string out;
    ByteWriter w(out);
    for (const int64_t n : numbers) {
        w.Signed(n);
        w.Varint(static_cast<uint64_t>(n));
        w.I64(n);
    }
    w.U8(255);
    w.U16(65535);
    w.U32(4'000'000'000);
    w.F64(-0.1);
    w.Text("tea\0pot");
    ByteReader in(out);
    for (const int64_t n : numbers) {
        EXPECT_EQ(in.Signed(), n);
        EXPECT_EQ(in.Varint(), static_cast<uint64_t>(n));
        EXPECT_EQ(in.I64(), n);
    }
    EXPECT_EQ(in.U8(), 255);
    EXPECT_EQ(in.U16(), 65535);
    EXPECT_EQ(in.U32(), 4'000'000'000U);
    EXPECT_EQ(in.F64(), -0.1);
    EXPECT_EQ(in.Text(), "tea");
    EXPECT_TRUE(in.ok() && in.done());
}

TEST(Bytes, AShortReadGivesNothingFromThenOn) {
    std::string out;
    ByteWriter w(out);
    w.U32(7);
    w.Text("tea");
    ByteReader in(std::string_view(out).substr(0, out.size() - 1));
    EXPECT_EQ(in.U32(), 7U);
    EXPECT_EQ(in.Text(), "");
    EXPECT_FALSE(in.ok());
    EXPECT_EQ(in.U8(), 0);
    EXPECT_EQ(in.Varint(), 0U);
    EXPECT_EQ(in.left(), 0U);
}

TEST(Bytes, ACountBeyondTheBytesThatAreLeftIsALie) {
    std::string out;
    ByteWriter w(out);
    w.Varint(3);
    out += "abc";
    EXPECT_EQ(ByteReader(out).Count(), 3U);
    out.pop_back();
    ByteReader in(out);
    EXPECT_EQ(in.Count(), 0U);
    EXPECT_FALSE(in.ok());
}

TEST(Bytes, AVarintOfMoreThanTenBytesIsRefused) {
    ByteReader in(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12));
    EXPECT_EQ(in.Varint(), 0U);
    EXPECT_FALSE(in.ok());
}

}  // namespace
}  // namespace base
