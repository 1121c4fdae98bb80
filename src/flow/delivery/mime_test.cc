#include "flow/delivery/mime.h"

#include <gmime/gmime.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/limits.h"
#include "flow/delivery/letter_check.h"
#include "net/smtp/client.h"

namespace delivery {
namespace {

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";

LetterParts Parts() {
    LetterParts parts;
    parts.from = {"Ripen", "news@example.com"};
    parts.to = {"Anna", "anna@example.org"};
    parts.subject = "Hello";
    parts.date_ms = 1767607200000;  // 2026-01-05T10:00Z
    parts.idempotency_key = "1/3-10-2";
    parts.text = "Hello\n";
    return parts;
}

std::string Bytes(const LetterParts& parts) {
    auto built = BuildLetter(parts, kSecret);
    EXPECT_TRUE(built.has_value()) << (built ? "" : built.error().internal);
    if (!built) return {};
    const auto checked = CheckLetter(built->bytes, parts);
    EXPECT_TRUE(checked.has_value()) << (checked ? "" : checked.error().internal);
    return built->bytes;
}

std::string Crlf(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
        if (text[i] == '\r' || text[i] == '\n') {
            out.append("\r\n");
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

// The same letter as another library reads it.
struct Foreign {
    std::string subject, from_name, from_address, to_name, to_address, message_id;
    std::vector<std::pair<std::string, std::string>> bodies;  // Type, decoded text.
};

void ReadForeignPart(GMimeObject* object, Foreign& out) {
    if (GMIME_IS_MULTIPART(object)) {
        auto* multipart = GMIME_MULTIPART(object);
        for (int i = 0; i < g_mime_multipart_get_count(multipart); ++i) {
            ReadForeignPart(g_mime_multipart_get_part(multipart, i), out);
        }
        return;
    }
    GMimeDataWrapper* content = g_mime_part_get_content(GMIME_PART(object));
    GMimeStream* stream = g_mime_stream_mem_new();
    g_mime_data_wrapper_write_to_stream(content, stream);
    GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
    char* type = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(object));
    out.bodies.emplace_back(type, std::string(reinterpret_cast<char*>(bytes->data), bytes->len));
    g_free(type);
    g_object_unref(stream);
}

void ReadForeignMailbox(InternetAddressList* list, std::string& name, std::string& address) {
    ASSERT_EQ(1, internet_address_list_length(list));
    InternetAddress* one = internet_address_list_get_address(list, 0);
    ASSERT_TRUE(INTERNET_ADDRESS_IS_MAILBOX(one));
    const char* text = internet_address_get_name(one);
    name = text == nullptr ? "" : text;
    address = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(one));
}

Foreign ReadForeign(const std::string& bytes) {
    static const bool started = (g_mime_init(), true);
    EXPECT_TRUE(started);
    Foreign out;
    GMimeStream* stream = g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size());
    GMimeParser* parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage* message = g_mime_parser_construct_message(parser, nullptr);
    EXPECT_NE(nullptr, message);
    if (message != nullptr) {
        out.subject = g_mime_message_get_subject(message);
        out.message_id = g_mime_message_get_message_id(message);
        ReadForeignMailbox(g_mime_message_get_from(message), out.from_name, out.from_address);
        ReadForeignMailbox(g_mime_message_get_to(message), out.to_name, out.to_address);
        ReadForeignPart(g_mime_message_get_mime_part(message), out);
        g_object_unref(message);
    }
    g_object_unref(parser);
    g_object_unref(stream);
    return out;
}

std::string Trimmed(std::string text) {
    while (text.starts_with(' ')) text.erase(0, 1);
    while (text.ends_with(' ')) text.pop_back();
    return text;
}

const char* const kTexts[] = {
    "", "x", "Hello", "two  spaces", " leading", "trailing ", "a\"b\\c, (d) <e>; f: [g] @h.",
    "=?UTF-8?B?eA==?=", "\xe3\x81\x93\xe3\x82\x93\xe3\x81\xab\xe3\x81\xa1\xe3\x81\xaf",
    "Gr\xc3\xbc\xc3\x9f" "e an alle", "mixed \xe6\x97\xa5\xe6\x9c\xac and ascii",
    "a subject that is long enough to be folded at least once because it has so many words in it",
    "averyveryveryveryveryveryveryveryveryveryveryveryveryveryveryveryverylongword",
    "\xf0\x9f\x8d\x8e\xf0\x9f\x8d\x8f\xf0\x9f\x8d\x90\xf0\x9f\x8d\x91\xf0\x9f\x8d\x8e\xf0\x9f\x8d"
    "\x8f\xf0\x9f\x8d\x90\xf0\x9f\x8d\x91\xf0\x9f\x8d\x8e\xf0\x9f\x8d\x8f\xf0\x9f\x8d\x90\xf0\x9f"
    "\x8d\x91 end"};

TEST(BuildLetter, HeadersReadBackAsMeantInOurReaderAndInGmime) {
    for (const char* subject : kTexts) {
        for (const char* name : kTexts) {
            SCOPED_TRACE(std::string(subject) + " | " + name);
            LetterParts parts = Parts();
            parts.subject = subject;
            parts.from.name = name;
            parts.to.name = name;
            const Foreign read = ReadForeign(Bytes(parts));
            EXPECT_EQ(subject, read.subject);
            // GMime trims names; our own reader (in Bytes) has compared them whole.
            EXPECT_EQ(Trimmed(name), read.from_name);
            EXPECT_EQ(Trimmed(name), read.to_name);
            EXPECT_EQ("news@example.com", read.from_address);
            EXPECT_EQ("anna@example.org", read.to_address);
        }
    }
}

TEST(BuildLetter, BodiesReadBackAsMeantInOurReaderAndInGmime) {
    const std::string long_line(5000, 'x');
    const std::string bodies[] = {
        "Hello", "Hello\n", "a\r\nb\rc\nd", ".\n..\n.dot\n", "From me\nFrom you\n", "a =3D= b\n",
        "tab\t\nspace \nboth \t \n", "\n\n\n", "--=_x\n--\n", long_line, long_line + " \n",
        "\xe3\x81\x93\xe3\x82\x93\xe3\x81\xab\xe3\x81\xa1\xe3\x81\xaf\n",
        std::string(74, 'x') + " \n", std::string(75, 'x') + " \n", std::string(76, 'x') + "\n"};
    for (const std::string& body : bodies) {
        SCOPED_TRACE(body.substr(0, 40));
        for (int shape = 0; shape < 3; ++shape) {
            LetterParts parts = Parts();
            parts.text = shape == 1 ? "" : body;
            parts.html = shape == 0 ? "" : "<p>" + body;
            const std::string bytes = Bytes(parts);
            const auto read = ParseLetter(bytes);
            ASSERT_TRUE(read.has_value()) << read.error().internal;
            const Foreign foreign = ReadForeign(bytes);
            ASSERT_EQ(read->parts.size(), foreign.bodies.size());
            size_t at = 0;
            for (const std::string* meant : {&parts.text, &parts.html}) {
                if (meant->empty()) continue;
                EXPECT_EQ(Crlf(*meant), read->parts[at].body);
                EXPECT_EQ(read->parts[at].content_type, foreign.bodies[at].first);
                std::string theirs = foreign.bodies[at].second;
                if (theirs.ends_with("\r\n") && shape != 2) theirs.resize(theirs.size() - 2);
                EXPECT_EQ(Crlf(*meant), theirs);
                ++at;
            }
        }
    }
}

TEST(BuildLetter, LinesAreFoldedAndOnlyAscii) {
    LetterParts parts = Parts();
    parts.subject = std::string(900, 'a');
    for (size_t i = 5; i < 900; i += 6) parts.subject[i] = ' ';
    parts.subject.back() = 'z';
    parts.from.name = std::string(limits::kDisplayNameBytesMax, 'n');
    parts.html = "<p>" + std::string(3000, '.') + "\xe3\x81\x82";
    const std::string bytes = Bytes(parts);
    size_t at = 0;
    while (at < bytes.size()) {
        const size_t end = bytes.find("\r\n", at);
        EXPECT_LE(end - at, 78u) << bytes.substr(at, end - at);
        at = end + 2;
    }
    for (const char c : bytes) EXPECT_LT(static_cast<uint8_t>(c), 0x80);
    std::string wire;
    EXPECT_FALSE(smtp::Canonicalise(bytes, wire));  // Nothing left to mend on the wire.
}

TEST(BuildLetter, SamePartsGiveTheSameBytesAndKeysGiveTheirOwnIds) {
    LetterParts parts = Parts();
    parts.html = "<p>x";
    const auto first = BuildLetter(parts, kSecret);
    EXPECT_EQ(first->bytes, BuildLetter(parts, kSecret)->bytes);
    parts.idempotency_key = "1/3-10-3";
    EXPECT_NE(first->message_id, BuildLetter(parts, kSecret)->message_id);
    EXPECT_EQ(first->message_id, MessageIdOf(kSecret, "1/3-10-2", "example.com"));
}

TEST(BuildLetter, ControlCharactersAreRefusedInEveryHeader) {
    const std::string bads[] = {"a\r\nBcc: x@y.z", "a\nb", "a\rb", std::string("a\0b", 3), "a\x1b",
                                "a\x7f", "a\xc2\x85" "b", "a\tb"};
    const std::function<void(LetterParts&, const std::string&)> places[] = {
        [](LetterParts& p, const std::string& bad) { p.from.name = bad; },
        [](LetterParts& p, const std::string& bad) { p.to.name = bad; },
        [](LetterParts& p, const std::string& bad) { p.from.address = bad + "@example.com"; },
        [](LetterParts& p, const std::string& bad) { p.to.address = "a@" + bad; },
        [](LetterParts& p, const std::string& bad) { p.reply_to.address = bad + "@example.com"; },
        [](LetterParts& p, const std::string& bad) { p.subject = bad; },
        [](LetterParts& p, const std::string& bad) { p.list_unsubscribe_url = "https://x/" + bad; },
        [](LetterParts& p, const std::string& bad) {
            p.list_unsubscribe_url = "https://x/";
            p.list_unsubscribe_mailto = bad + "@example.com";
        },
        [](LetterParts& p, const std::string& bad) { p.feedback_id = bad; },
        [](LetterParts& p, const std::string& bad) { p.language = bad; },
        [](LetterParts& p, const std::string& bad) { p.message_id_domain = bad; },
        [](LetterParts& p, const std::string& bad) { p.extra_headers = {{"X-A", bad}}; },
        [](LetterParts& p, const std::string& bad) { p.extra_headers = {{"X-" + bad, "v"}}; }};
    for (const std::string& bad : bads) {
        for (size_t i = 0; i < std::size(places); ++i) {
            SCOPED_TRACE(std::to_string(i) + ": " + bad);
            LetterParts parts = Parts();
            places[i](parts, bad);
            const auto built = BuildLetter(parts, kSecret);
            ASSERT_FALSE(built.has_value());
            EXPECT_EQ(base::ErrorCode::kInvalidArgument, built.error().code);
        }
    }
}

TEST(BuildLetter, OwnHeadersCannotBeTakenOver) {
    for (const char* name : {"Bcc", "From", "X-Idempotency-Key", "x-idempotency-KEY", "X A", "X-",
                             "DKIM-Signature", "X-A:"}) {
        LetterParts parts = Parts();
        parts.extra_headers = {{name, "v"}};
        EXPECT_FALSE(BuildLetter(parts, kSecret).has_value()) << name;
    }
    LetterParts parts = Parts();
    parts.extra_headers = {{"X-Campaign", "spring"}, {"X-Sender-Id", "\xe3\x81\x82"}};
    EXPECT_NE(std::string::npos, Bytes(parts).find("\r\nX-Campaign: spring\r\n"));
    parts.extra_headers.emplace_back("X-Campaign", "again");
    EXPECT_FALSE(BuildLetter(parts, kSecret).has_value());
}

TEST(BuildLetter, UnsubscribeHeadersGoTogetherAndNeedAWebAddress) {
    LetterParts parts = Parts();
    parts.list_unsubscribe_url = "https://go.example.com/u/abc";
    parts.list_unsubscribe_mailto = "stop@example.com";
    const std::string bytes = Bytes(parts);
    EXPECT_NE(std::string::npos,
              bytes.find("List-Unsubscribe: <mailto:stop@example.com?subject=unsubscribe>,\r\n "
                         "<https://go.example.com/u/abc>\r\n"
                         "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
    for (const char* bad : {"ftp://go.example.com/u", "https://x/a b", "https://x/>", "x"}) {
        parts.list_unsubscribe_url = bad;
        EXPECT_FALSE(BuildLetter(parts, kSecret).has_value()) << bad;
    }
    EXPECT_EQ(std::string::npos, Bytes(Parts()).find("List-Unsubscribe"));
}

TEST(BuildLetter, SubjectAndNameOfExactlyTheLimitPassAndOneByteMoreDoesNot) {
    LetterParts parts = Parts();
    parts.subject = std::string(limits::kSubjectBytesMax, 's');
    parts.to.name = std::string(limits::kDisplayNameBytesMax, 'n');
    Bytes(parts);
    parts.subject.push_back('s');
    EXPECT_FALSE(BuildLetter(parts, kSecret).has_value());
    parts.subject = "s";
    parts.to.name.push_back('n');
    EXPECT_FALSE(BuildLetter(parts, kSecret).has_value());
}

TEST(BuildLetter, WhatIsNoLetterIsRefused) {
    LetterParts parts = Parts();
    parts.text.clear();
    EXPECT_FALSE(BuildLetter(parts, kSecret).has_value());
    parts.text = "bad \xff utf-8";
    EXPECT_FALSE(BuildLetter(parts, kSecret).has_value());
    parts.text = std::string("a\0b", 3);
    EXPECT_FALSE(BuildLetter(parts, kSecret).has_value());
    parts.text = std::string(limits::kLetterBytesMax + 1, 'x');
    EXPECT_EQ(base::ErrorCode::kTooLarge, BuildLetter(parts, kSecret).error().code);
    parts = Parts();
    parts.subject = "\xff";
    EXPECT_FALSE(BuildLetter(parts, kSecret).has_value());
}

TEST(WireAddress, DomainsBecomeLabelsAndOddLocalPartsAreQuoted) {
    EXPECT_EQ("a@xn--wgv71a.jp", WireAddress("a@\xe6\x97\xa5\xe6\x9c\xac.jp").value());
    EXPECT_EQ("A.b@example.com", WireAddress("A.b@EXAMPLE.com").value());
    EXPECT_EQ("\"a..b.\"@docomo.example", WireAddress("a..b.@docomo.example").value());
    EXPECT_EQ("\xe3\x81\x82@example.com", WireAddress("\xe3\x81\x82@example.com").value());
    for (const char* bad : {"", "a", "@", "a@", "@b", "a b@c.d", "a@b@c", "a@-\xe6\x97\xa5.jp",
                            "a@\xff.jp", "\"a b\"@c.d", "a<b@c.d", "a@b c"}) {
        EXPECT_FALSE(WireAddress(bad).has_value()) << bad;
    }
}

TEST(BuildLetter, Utf8LocalPartAsksForSmtpUtf8) {
    LetterParts parts = Parts();
    EXPECT_FALSE(BuildLetter(parts, kSecret)->needs_smtp_utf8);
    parts.to.address = "\xe3\x81\x82@\xe6\x97\xa5\xe6\x9c\xac.jp";
    const auto built = BuildLetter(parts, kSecret);
    EXPECT_TRUE(built->needs_smtp_utf8);
    EXPECT_EQ("\xe3\x81\x82@xn--wgv71a.jp", built->to);
    EXPECT_TRUE(CheckLetter(built->bytes, parts).has_value());
}

TEST(FormatDate, IsRfc5322InUtc) {
    EXPECT_EQ("Mon, 05 Jan 2026 10:00:00 +0000", FormatDate(1767607200000));
    EXPECT_EQ("Thu, 01 Jan 1970 00:00:00 +0000", FormatDate(0));
}

TEST(CheckLetter, FindsWhatABuilderMustNeverWrite) {
    const LetterParts parts = Parts();
    const std::string good = Bytes(parts);
    const auto replaced = [&](std::string_view from, std::string_view to) {
        std::string out = good;
        const size_t at = out.find(from);
        EXPECT_NE(std::string::npos, at) << from;
        return out.replace(at, from.size(), to);
    };
    for (const std::string& bad :
         {replaced("Subject: Hello\r\n", "Subject: Hello\r\nBcc: a@b.c\r\n"),
          replaced("Subject: Hello\r\n", "Subject: Hello\n"),
          replaced("Subject: Hello", "Subject: Hullo"), replaced("Subject: Hello\r\n", ""),
          replaced("anna@", "emma@"), replaced("To: Anna", "To: Emma"),
          replaced("Hello\r\n\r\n", "Hello\r\n\n"),
          replaced("To: Anna", "To: Anna <x@y.z>,\r\n Anna"),
          replaced("Date:", "From: b@c.d\r\nDate:"),
          replaced("quoted-printable", "base64"), good.substr(0, good.size() - 1),
          good + std::string(limits::kLetterLineBytesMax + 1, 'x') + "\r\n",
          good + std::string("\0\r\n", 3)}) {
        const auto checked = CheckLetter(bad, parts);
        ASSERT_FALSE(checked.has_value()) << bad;
        EXPECT_EQ(base::ErrorCode::kCorrupt, checked.error().code);
    }
}

TEST(CheckLines, LineOfExactlyTheLimitPassesAndOneByteMoreDoesNot) {
    const std::string line(limits::kLetterLineBytesMax, 'x');
    EXPECT_TRUE(CheckLines(line + "\r\n").has_value());
    EXPECT_FALSE(CheckLines(line + "x\r\n").has_value());
}

TEST(CheckDots, WireUndoneIsTheLetter) {
    const std::string letter = "A: b\r\n\r\n.\r\n..x\r\nend\r\n";
    std::string wire;
    ASSERT_TRUE(smtp::Canonicalise(letter, wire));
    EXPECT_TRUE(CheckDots(letter, wire).has_value());
    EXPECT_FALSE(CheckDots(letter, letter).has_value());
    EXPECT_FALSE(CheckDots(letter, wire + "more\r\n").has_value());
    EXPECT_FALSE(CheckDots(letter + "more\r\n", wire).has_value());
}

}  // namespace
}  // namespace delivery
