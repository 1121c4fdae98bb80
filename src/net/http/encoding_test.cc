#include "net/http/encoding.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include "base/limits.h"
#include "net/http/message.h"

namespace http {
namespace {

constexpr size_t kMax = limits::kBatchBytesMax;

std::string Deflate(std::string_view text, int window_bits) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(deflateBound(&stream, text.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

std::string Zstd(std::string_view text) {
    std::string out(ZSTD_compressBound(text.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
    return out;
}

// Text that does not compress by more than about two.
std::string Noise(size_t size) {
    std::string text(size, ' ');
    uint64_t state = 7;
    for (char& c : text) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        c = static_cast<char>('a' + (state >> 60));
    }
    return text;
}

base::ErrorCode CodeOf(const base::Result<std::string>& result) {
    return result ? base::ErrorCode::kInternal : result.error().code;
}

TEST(Inflate, EachCodingGivesTheText) {
    const std::string text = Noise(100'000);
    EXPECT_EQ(*Inflate(Gzip(text), "gzip", kMax), text);
    EXPECT_EQ(*Inflate(Gzip(text), "X-GZIP", kMax), text);
    EXPECT_EQ(*Inflate(Deflate(text, MAX_WBITS), "deflate", kMax), text);
    EXPECT_EQ(*Inflate(Deflate(text, -MAX_WBITS), "deflate", kMax), text);
    EXPECT_EQ(*Inflate(Zstd(text), "zstd", kMax), text);
    // brotli of "hello", quality 11, as the reference tool writes it.
    EXPECT_EQ(*Inflate(std::string("\x0b\x02\x80hello\x03", 9), "br", kMax), "hello");
    EXPECT_EQ(*Inflate(text, "", kMax), text);
    EXPECT_EQ(*Inflate(text, "identity", kMax), text);
}

TEST(Inflate, MagicBytesCountWithoutALabel) {
    EXPECT_EQ(*Inflate(Gzip("{}"), "", kMax), "{}");
    EXPECT_TRUE(IsEncoded(Gzip("{}"), ""));
    EXPECT_FALSE(IsEncoded("{}", ""));
}

TEST(Inflate, ResultIsPadded) {
    for (const std::string& body : {Gzip("{\"a\":1}"), std::string("{\"a\":1}")}) {
        const auto text = Inflate(body, "", kMax);
        EXPECT_GE(text->capacity(), text->size() + kBodyPadding);
    }
}

TEST(Inflate, OnlyOneCodingIsUndone) {
    EXPECT_EQ(CodeOf(Inflate(Gzip(Gzip("a")), "gzip, gzip", kMax)),
              base::ErrorCode::kInvalidArgument);
    EXPECT_EQ(CodeOf(Inflate("a", "compress", kMax)), base::ErrorCode::kInvalidArgument);
    EXPECT_EQ(*Inflate(Gzip(Gzip("a")), "gzip", kMax), Gzip("a"));
}

TEST(Inflate, MembersOfGzipFollowEachOther) {
    EXPECT_EQ(*Inflate(Gzip("a") + Gzip("") + Gzip("bc"), "gzip", kMax), "abc");
    EXPECT_EQ(CodeOf(Inflate(Gzip("a") + "x", "gzip", kMax)), base::ErrorCode::kInvalidArgument);
}

TEST(Inflate, EveryTruncationIsAnError) {
    const std::string text = Noise(300);
    for (const auto& [coding, whole] :
         {std::pair<std::string, std::string>{"gzip", Gzip(text)},
          {"deflate", Deflate(text, MAX_WBITS)},
          {"deflate", Deflate(text, -MAX_WBITS)},
          {"zstd", Zstd(text)}}) {
        for (size_t size = 0; size < whole.size(); ++size) {
            EXPECT_EQ(CodeOf(Inflate(whole.substr(0, size), coding, kMax)),
                      base::ErrorCode::kInvalidArgument)
                << coding << " " << size;
        }
    }
}

TEST(Inflate, DamageIsAnError) {
    std::string body = Gzip(Noise(1000));
    body[body.size() - 6] = static_cast<char>(body[body.size() - 6] ^ 1);  // In the CRC.
    EXPECT_EQ(CodeOf(Inflate(body, "gzip", kMax)), base::ErrorCode::kInvalidArgument);
    EXPECT_EQ(CodeOf(Inflate("{}", "gzip", kMax)), base::ErrorCode::kInvalidArgument);
}

TEST(Inflate, DecodedSizeLimitHasBothSides) {
    const std::string text = Noise(100'000);
    for (const auto& [coding, body] :
         {std::pair<std::string, std::string>{"gzip", Gzip(text)}, {"zstd", Zstd(text)},
          {"", text}}) {
        EXPECT_EQ(*Inflate(body, coding, 100'000), text) << coding;
        EXPECT_EQ(CodeOf(Inflate(body, coding, 99'999)), base::ErrorCode::kTooLarge) << coding;
    }
}

TEST(Inflate, BombsStopAtTheRatio) {
    const std::string zeros(3 * 1024 * 1024, '0');
    for (const auto& [coding, body] :
         {std::pair<std::string, std::string>{"gzip", Gzip(zeros)}, {"zstd", Zstd(zeros)},
          {"deflate", Deflate(zeros, MAX_WBITS)}}) {
        ASSERT_LT(body.size() * limits::kInflateRatioMax, zeros.size());
        EXPECT_EQ(CodeOf(Inflate(body, coding, kMax)), base::ErrorCode::kTooLarge) << coding;
    }
}

TEST(Inflate, RatioCountsOnlyBeyondTheFreeBytes) {
    const std::string within(limits::kInflateFreeBytes, '0');
    ASSERT_LT(Gzip(within + "0").size() * limits::kInflateRatioMax, within.size());
    EXPECT_EQ(*Inflate(Gzip(within), "gzip", kMax), within);
    EXPECT_EQ(CodeOf(Inflate(Gzip(within + "0"), "gzip", kMax)), base::ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace http
