#include "net/websocket/frame.h"

#include <gtest/gtest.h>

#include "net/websocket/test_client.h"

namespace websocket {
namespace {

using State = FrameReader::State;

constexpr FrameLimits kLimits{1000, 3};

// What came out, as "text:..." and so on, and at the end the code of a refusal.
std::vector<std::string> Read(std::string_view bytes, size_t step = SIZE_MAX) {
    FrameReader reader(kLimits);
    std::vector<std::string> seen;
    while (!bytes.empty()) {
        std::string_view piece = bytes.substr(0, step);
        bytes.remove_prefix(piece.size());
        while (true) {
            const State state = reader.Take(piece);
            if (state == State::kMore) break;
            if (state == State::kRefused) {
                seen.push_back("refused:" + std::to_string(reader.close_code()));
                return seen;
            }
            const char* kind = "?";
            switch (reader.incoming().opcode) {
                case Opcode::kText: kind = "text:"; break;
                case Opcode::kBinary: kind = "binary:"; break;
                case Opcode::kPing: kind = "ping:"; break;
                case Opcode::kPong: kind = "pong:"; break;
                case Opcode::kClose: kind = "close:"; break;
                case Opcode::kContinuation: break;
            }
            seen.push_back(kind + std::string(reader.incoming().payload));
        }
    }
    return seen;
}

using Seen = std::vector<std::string>;

TEST(Frames, PiecesOfAnySizeGiveTheSame) {
    const std::string bytes = Masked(Opcode::kText, "one") +
                              Masked(Opcode::kText, std::string(300, 'x'), false) +
                              Masked(Opcode::kPing, "between") +
                              Masked(Opcode::kContinuation, "end") + Masked(Opcode::kBinary, "");
    const Seen whole = Read(bytes);
    EXPECT_EQ((Seen{"text:one", "ping:between", "text:" + std::string(300, 'x') + "end",
                    "binary:"}),
              whole);
    for (const size_t step : {1u, 2u, 7u, 100u}) EXPECT_EQ(whole, Read(bytes, step)) << step;
}

TEST(Frames, AMessageHasItsLimitAlsoInFragments) {
    EXPECT_EQ(Seen{"text:" + std::string(1000, 'x')},
              Read(Masked(Opcode::kText, std::string(1000, 'x'))));
    EXPECT_EQ(Seen{"refused:1009"}, Read(Masked(Opcode::kText, std::string(1001, 'x'))));
    EXPECT_EQ(Seen{"refused:1009"},
              Read(Masked(Opcode::kText, std::string(600, 'x'), false) +
                   Masked(Opcode::kContinuation, std::string(401, 'x'))));
}

TEST(Frames, FragmentsAreCounted) {
    const std::string first = Masked(Opcode::kText, "a", false);
    const std::string more = Masked(Opcode::kContinuation, "a", false);
    const std::string last = Masked(Opcode::kContinuation, "a");
    EXPECT_EQ((Seen{"text:aaa", "text:aaa"}),
              Read(first + more + last + first + more + last));
    EXPECT_EQ(Seen{"refused:1009"}, Read(first + more + more + last));
}

TEST(Frames, ALengthOfSixtyFourBitsAllocatesNothing) {
    for (const uint64_t length : {uint64_t{1001}, uint64_t{1} << 32, uint64_t{1} << 63,
                                  UINT64_MAX}) {
        std::string head("\x82\xff", 2);
        for (int shift = 56; shift >= 0; shift -= 8) {
            head.push_back(static_cast<char>(length >> shift));
        }
        EXPECT_EQ(Seen{"refused:1009"}, Read(head + "mask")) << length;
    }
}

TEST(Frames, WhatTheProtocolForbidsIsRefused) {
    using std::string;
    const Seen wrong{"refused:1002"};
    EXPECT_EQ(wrong, Read(Frame(Opcode::kText, "not masked")));
    EXPECT_EQ(wrong, Read(string("\xc1\x80mask")));                          // An extension's bit.
    EXPECT_EQ(wrong, Read(string("\x83\x80mask")));                          // No such opcode.
    EXPECT_EQ(wrong, Read(Masked(Opcode::kPing, "x", false)));               // In pieces.
    EXPECT_EQ(wrong, Read(Masked(Opcode::kPing, string(126, 'x'))));         // Long.
    EXPECT_EQ(wrong, Read(Masked(Opcode::kContinuation, "x")));              // Of nothing.
    EXPECT_EQ(wrong, Read(Masked(Opcode::kText, "x", false) + Masked(Opcode::kText, "y")));
    EXPECT_EQ(Seen{"ping:" + string(125, 'x')}, Read(Masked(Opcode::kPing, string(125, 'x'))));
}

TEST(Frames, ATextIsUtf8) {
    EXPECT_EQ(Seen{"text:\xe6\xa3\xae"}, Read(Masked(Opcode::kText, "\xe6\xa3\xae")));
    EXPECT_EQ(Seen{"refused:1007"}, Read(Masked(Opcode::kText, "\xe6\xa3")));
    // A character may be cut by fragments.
    EXPECT_EQ(Seen{"text:\xe6\xa3\xae"}, Read(Masked(Opcode::kText, "\xe6", false) +
                                              Masked(Opcode::kContinuation, "\xa3\xae")));
}

TEST(Frames, OursHaveTheThreeLengths) {
    EXPECT_EQ(std::string("\x81\x7d") + std::string(125, 'x'),
              Frame(Opcode::kText, std::string(125, 'x')));
    EXPECT_EQ(std::string("\x81\x7e\x00\x7e", 4), Frame(Opcode::kText, std::string(126, 'x'))
                                                      .substr(0, 4));
    EXPECT_EQ(std::string("\x81\x7f\0\0\0\0\0\1\0\0", 10),
              Frame(Opcode::kText, std::string(65536, 'x')).substr(0, 10));
}

TEST(CloseFrames, KeepTheirCodeAndAWholeReason) {
    uint16_t code = 0;
    std::string_view reason;
    const std::string frame = CloseFrame(kTryLater, std::string(122, 'x') + "\xe6\xa3\xae");
    EXPECT_EQ(2u + 2u + 122u, frame.size());
    ASSERT_TRUE(ReadClose(std::string_view(frame).substr(2), code, reason));
    EXPECT_EQ(kTryLater, code);
    EXPECT_EQ(std::string(122, 'x'), reason);
    EXPECT_TRUE(ReadClose("", code, reason));
    EXPECT_EQ(kNoCode, code);
    for (const int wrong : {0, 999, 1004, 1005, 1006, 1015, 2999, 5000}) {
        std::string payload{static_cast<char>(wrong >> 8), static_cast<char>(wrong & 0xff)};
        EXPECT_FALSE(ReadClose(payload, code, reason)) << wrong;
    }
    EXPECT_FALSE(ReadClose("\x03", code, reason));
}

TEST(Handshake, TheAnswerIsTheOneOfTheStandard) {
    // RFC 6455 section 1.3.
    EXPECT_EQ("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", AcceptKey("dGhlIHNhbXBsZSBub25jZQ=="));
}

}  // namespace
}  // namespace websocket
