#include "net/smtp/reply.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace smtp {
namespace {

ReplyState FeedAll(ReplyParser& parser, std::string_view in) { return parser.Feed(in); }

TEST(ReplyParser, OneLineGivesCodeEnhancedCodeAndText) {
    ReplyParser parser;
    ASSERT_EQ(ReplyState::kComplete, FeedAll(parser, "550 5.1.1 No such user\r\n"));
    EXPECT_EQ(550, parser.reply().code);
    EXPECT_EQ("5.1.1", parser.reply().enhanced);
    EXPECT_EQ("No such user", parser.reply().Text());
}

TEST(ReplyParser, BytesMayComeOneByOne) {
    ReplyParser parser;
    const std::string_view all = "250-one\r\n250 two\r\n";
    for (size_t i = 0; i + 1 < all.size(); ++i) {
        ASSERT_EQ(ReplyState::kNeedMore, FeedAll(parser, all.substr(i, 1)));
    }
    ASSERT_EQ(ReplyState::kComplete, FeedAll(parser, "\n"));
    EXPECT_EQ("one two", parser.reply().Text());
}

TEST(ReplyParser, WhatFollowsBelongsToTheNextReply) {
    ReplyParser parser;
    std::string_view in = "250 ok\r\n354 go on\r\n2";
    ASSERT_EQ(ReplyState::kComplete, parser.Feed(in));
    EXPECT_EQ(250, parser.reply().code);
    EXPECT_TRUE(parser.empty());
    ASSERT_EQ(ReplyState::kComplete, parser.Feed(in));
    EXPECT_EQ(354, parser.reply().code);
    ASSERT_EQ(ReplyState::kNeedMore, parser.Feed(in));
    EXPECT_FALSE(parser.empty());
}

TEST(ReplyParser, EnhancedCodeOfAnotherClassIsText) {
    ReplyParser parser;
    ASSERT_EQ(ReplyState::kComplete, FeedAll(parser, "250 5.1.1 odd\r\n"));
    EXPECT_EQ("", parser.reply().enhanced);
    EXPECT_EQ("5.1.1 odd", parser.reply().Text());
}

TEST(ReplyParser, MalformedLinesAreRefusedForEver) {
    for (const std::string_view bad :
         {"hello\r\n", "25\r\n", "\r\n", "199 x\r\n", "600 x\r\n", "250_x\r\n", "2a0 x\r\n",
          "250-one\r\n251 two\r\n"}) {
        SCOPED_TRACE(bad);
        ReplyParser parser;
        EXPECT_EQ(ReplyState::kMalformed, FeedAll(parser, bad));
        EXPECT_EQ(ReplyState::kMalformed, FeedAll(parser, "250 ok\r\n"));
    }
}

TEST(ReplyParser, LineOfExactlyTheLimitPassesAndOneByteMoreDoesNot) {
    const std::string head = "250 ";
    const std::string fill(limits::kSmtpReplyLineBytesMax - head.size() - 2, 'x');
    ReplyParser fits;
    EXPECT_EQ(ReplyState::kComplete, FeedAll(fits, head + fill + "\r\n"));
    ReplyParser over;
    EXPECT_EQ(ReplyState::kMalformed, FeedAll(over, head + fill + "x\r\n"));
}

TEST(ReplyParser, ReplyOfEndlessLinesIsRefused) {
    ReplyParser parser;
    const std::string line = "250-" + std::string(250, 'x') + "\r\n";
    ReplyState state = ReplyState::kNeedMore;
    size_t bytes = 0;
    while (state == ReplyState::kNeedMore && bytes <= 2 * limits::kSmtpReplyBytesMax) {
        state = FeedAll(parser, line);
        bytes += line.size();
    }
    EXPECT_EQ(ReplyState::kMalformed, state);
    EXPECT_LE(bytes, limits::kSmtpReplyBytesMax + line.size());
}

TEST(Reply, TextHasNoControlsIsUtf8AndCut) {
    ReplyParser parser;
    ASSERT_EQ(ReplyState::kComplete,
              FeedAll(parser, "550 a\x01" "b\xff" "c \xe3\x81\x82\r\n"));
    EXPECT_EQ("a?b?c \xe3\x81\x82", parser.reply().Text());
    ReplyParser longer;
    ASSERT_EQ(ReplyState::kComplete, FeedAll(longer, "550 " + std::string(1000, 'x') + "\r\n"));
    EXPECT_EQ(limits::kSmtpReplyTextBytesMax, longer.reply().Text().size());
}

TEST(Offer, KeywordsCountWithoutCaseAndOnlyAfterTheFirstLine) {
    ReplyParser parser;
    ASSERT_EQ(ReplyState::kComplete,
              FeedAll(parser, "250-STARTTLS\r\n250-Pipelining\r\n250-size 1000\r\n"
                              "250-AUTH LOGIN PLAINER\r\n250 SMTPUTF8\r\n"));
    const Offer offer = ReadOffer(parser.reply());
    EXPECT_FALSE(offer.starttls);
    EXPECT_TRUE(offer.pipelining);
    EXPECT_TRUE(offer.size);
    EXPECT_EQ(1000u, offer.size_max);
    EXPECT_TRUE(offer.auth_login);
    EXPECT_FALSE(offer.auth_plain);
    EXPECT_TRUE(offer.smtp_utf8);
    EXPECT_FALSE(offer.eight_bit);
}

}  // namespace
}  // namespace smtp
