#include "net/smtp/client.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "net/smtp/test_sink.h"

namespace smtp {
namespace {

constexpr base::DurationMs kSoonMs = 150;  // What a stalled server costs a test.

std::unique_ptr<TestSink> StartSink(SinkOptions options = {}) {
    auto sink = TestSink::Start(std::move(options));
    EXPECT_TRUE(sink.has_value());
    return std::move(*sink);
}

Options OptionsFor(const TestSink& sink) {
    Options options;
    options.url = sink.Url();
    options.connections_max = 4;
    options.times.backoff_min_ms = 5;
    options.times.backoff_max_ms = 20;
    options.tls_verify = false;
    return options;
}

// Sends letters and keeps what became of each.
class Mailing {
  public:
    explicit Mailing(const Options& options) {
        auto pool = Pool::Create(options);
        EXPECT_TRUE(pool.has_value());
        pool_ = std::move(*pool);
    }

    base::Status Send(const std::string& to, std::string bytes, bool may_go = true,
                      const std::string& from = "us@example.com") {
        Letter letter{from, to, std::move(bytes), next_tag_};
        const auto sent = pool_->Send(
            std::move(letter),
            [this, may_go](uint64_t tag) {
                const std::lock_guard lock(mutex_);
                dots_.insert(tag);
                return may_go;
            },
            [this](uint64_t tag, const SendResult& result) {
                const std::lock_guard lock(mutex_);
                ++answers_[tag];
                results_[tag] = result;
                changed_.notify_all();
            });
        if (sent) ++next_tag_;
        return sent;
    }

    void WaitForAll() {
        std::unique_lock lock(mutex_);
        ASSERT_TRUE(changed_.wait_for(lock, std::chrono::seconds(60),
                                      [&] { return results_.size() == next_tag_; }));
    }

    SendResult Result(uint64_t tag) {
        const std::lock_guard lock(mutex_);
        return results_.at(tag);
    }
    bool SawDot(uint64_t tag) {
        const std::lock_guard lock(mutex_);
        return dots_.contains(tag);
    }
    bool EachAnsweredOnce() {
        const std::lock_guard lock(mutex_);
        for (const auto& [tag, count] : answers_) {
            if (count != 1) return false;
        }
        return answers_.size() == next_tag_;
    }
    // The result of a single letter.
    SendResult One(const std::string& to, std::string bytes = "Subject: x\r\n\r\nhello\r\n") {
        const uint64_t tag = next_tag_;
        EXPECT_TRUE(Send(to, std::move(bytes)).has_value());
        WaitForAll();
        return Result(tag);
    }
    Pool& pool() { return *pool_; }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<uint64_t, SendResult> results_;
    std::map<uint64_t, int> answers_;
    std::set<uint64_t> dots_;
    uint64_t next_tag_ = 0;
    std::unique_ptr<Pool> pool_;
};

// Loopback answers within microseconds; the deadline is for broken builds only.
template <typename Condition>
bool Eventually(Condition condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::yield();
    }
    return true;
}

std::string WriteFile(const std::string& name, const std::string& text) {
    const std::string path = testing::TempDir() + name;
    std::ofstream(path) << text;
    return path;
}

TEST(SmtpClient, LetterArrivesByteForByte) {
    const auto sink = StartSink();
    Mailing mailing(OptionsFor(*sink));
    const std::string bytes = "Subject: x\r\n\r\n.dot\r\n..two\r\n.\r\nend\r\n";
    EXPECT_EQ(ResultKind::kAccepted, mailing.One("a@example.com", bytes).kind);
    const auto letters = sink->Letters();
    ASSERT_EQ(1u, letters.size());
    EXPECT_EQ(bytes, letters[0].bytes);
    EXPECT_EQ("us@example.com", letters[0].from);
    EXPECT_EQ("a@example.com", letters[0].to);
    EXPECT_EQ(0u, sink->Counts().violations) << sink->Counts().last_violation;
}

TEST(SmtpClient, BareLineEndsLeaveAsCrlfAndNeverSmuggle) {
    const auto sink = StartSink();
    Mailing mailing(OptionsFor(*sink));
    const struct { std::string in, out; } kCases[] = {
        {"a\n.\nb", "a\r\n.\r\nb\r\n"},       {"a\r.\rb\r\n", "a\r\n.\r\nb\r\n"},
        {"a\r\n.\nMAIL", "a\r\n.\r\nMAIL\r\n"}, {"a\n.\r\nMAIL\r\n", "a\r\n.\r\nMAIL\r\n"},
        {"a\r\r\n.\r\n", "a\r\n\r\n.\r\n"},   {".", ".\r\n"},
        {"", ""},
    };
    for (const auto& c : kCases) {
        EXPECT_EQ(ResultKind::kAccepted, mailing.One("a@example.com", c.in).kind);
    }
    const auto letters = sink->Letters();
    ASSERT_EQ(std::size(kCases), letters.size());
    for (size_t i = 0; i < letters.size(); ++i) EXPECT_EQ(kCases[i].out, letters[i].bytes);
    EXPECT_EQ(0u, sink->Counts().violations) << sink->Counts().last_violation;
}

TEST(SmtpClient, ForbiddenCharactersAreRefusedNotStripped) {
    const auto sink = StartSink();
    Mailing mailing(OptionsFor(*sink));
    const std::string nul("a\0@example.com", 14);
    for (const std::string& bad :
         {std::string("a\r\n@example.com"), std::string("a@example.com\r\nRCPT TO:<b@c.d>"),
          std::string("a@example.com> SIZE=1"), std::string("a b@example.com"), nul,
          std::string("a@exam\nple.com"), std::string("a@"), std::string("@example.com"),
          std::string(""), std::string("a"), std::string("\"a b\"@example.com"),
          std::string("a\xff@example.com"), std::string("a\x7f@example.com"),
          std::string("a..b@example.com"), std::string("a@example..com")}) {
        SCOPED_TRACE(bad);
        EXPECT_FALSE(mailing.Send(bad, "x\r\n").has_value());
        if (!bad.empty()) {
            EXPECT_FALSE(mailing.Send("a@example.com", "x\r\n", true, bad).has_value());
        }
    }
    EXPECT_TRUE(CheckAddress("\"a..b\"@example.com", "to").has_value());
    EXPECT_TRUE(CheckAddress("a.b+c=d@sub.example.com", "to").has_value());
    Options options = OptionsFor(*sink);
    for (const std::string bad : {"a\r\nb", "a b", "", "a<b", "[1.2.3.4", "a\tb"}) {
        options.ehlo_name = bad;
        EXPECT_FALSE(Pool::Create(options).has_value()) << bad;
    }
    options = OptionsFor(*sink);
    options.url = "smtp://us%0d%0aer:x@127.0.0.1";
    EXPECT_FALSE(Pool::Create(options).has_value());
    EXPECT_EQ(0u, sink->Counts().connections);
}

TEST(SmtpClient, AddressOfExactlyTheLimitPassesAndOneByteMoreDoesNot) {
    const std::string domain(limits::kAddressBytesMax - 2, 'd');
    EXPECT_TRUE(CheckAddress("a@" + domain, "to").has_value());
    EXPECT_FALSE(CheckAddress("a@" + domain + "d", "to").has_value());
    const std::string local(limits::kLocalPartBytesMax, 'l');
    EXPECT_TRUE(CheckAddress(local + "@example.com", "to").has_value());
    EXPECT_FALSE(CheckAddress(local + "l@example.com", "to").has_value());
}

TEST(SmtpClient, NullReturnPathIsAllowed) {
    const auto sink = StartSink();
    Mailing mailing(OptionsFor(*sink));
    ASSERT_TRUE(mailing.Send("a@example.com", "x\r\n", true, "").has_value());
    mailing.WaitForAll();
    EXPECT_EQ(ResultKind::kAccepted, mailing.Result(0).kind);
    EXPECT_EQ("", sink->Letters().at(0).from);
}

TEST(SmtpClient, ManyLettersGoOverAtMostTheAllowedConnections) {
    const auto sink = StartSink({.latency_ms = 2});
    Mailing mailing(OptionsFor(*sink));
    for (int i = 0; i < 200; ++i) {
        ASSERT_TRUE(mailing.Send("p" + std::to_string(i) + "@example.com", "x\r\n").has_value());
    }
    mailing.WaitForAll();
    std::set<std::string> seen;
    for (const auto& letter : sink->Letters()) seen.insert(letter.to);
    EXPECT_EQ(200u, seen.size());
    EXPECT_EQ(200u, sink->Counts().stored);
    EXPECT_LE(sink->Counts().open_connections_max, 4u);
    EXPECT_EQ(0u, sink->Counts().violations) << sink->Counts().last_violation;
}

TEST(SmtpClient, WithoutPipeliningOneCommandAtATime) {
    const auto sink = StartSink({.pipelining = false, .faults = [](const Moment& m) {
                                     return m.stage == Stage::kRcpt && m.to.starts_with("bad")
                                                ? Fault::kPermanent
                                                : Fault::kNone;
                                 }});
    Mailing mailing(OptionsFor(*sink));
    EXPECT_EQ(ResultKind::kAccepted, mailing.One("a@example.com").kind);
    EXPECT_EQ(ResultKind::kPermanent, mailing.One("bad@example.com").kind);
    EXPECT_EQ(ResultKind::kAccepted, mailing.One("b@example.com").kind);
    EXPECT_EQ(1u, sink->Counts().connections);
    EXPECT_EQ(0u, sink->Counts().violations) << sink->Counts().last_violation;
}

TEST(SmtpClient, RefusalCarriesCodesAndTextAndTheConnectionGoesOn) {
    const auto sink = StartSink({.faults = [](const Moment& m) {
        if (m.stage != Stage::kRcpt) return Fault::kNone;
        if (m.to.starts_with("gone")) return Fault::kPermanent;
        return m.to.starts_with("grey") ? Fault::kTemporary : Fault::kNone;
    }});
    Mailing mailing(OptionsFor(*sink));
    const SendResult gone = mailing.One("gone@example.com");
    EXPECT_EQ(ResultKind::kPermanent, gone.kind);
    EXPECT_EQ(550, gone.code);
    EXPECT_EQ("5.1.1", gone.enhanced);
    EXPECT_EQ("never", gone.text);
    const SendResult grey = mailing.One("grey@example.com");
    EXPECT_EQ(ResultKind::kTemporary, grey.kind);
    EXPECT_EQ(451, grey.code);
    EXPECT_EQ(ResultKind::kAccepted, mailing.One("a@example.com").kind);
    EXPECT_EQ(1u, sink->Counts().connections);
    EXPECT_EQ(1u, sink->Counts().stored);
}

TEST(SmtpClient, RefusedRecipientIsNeverSentTheLetterEvenAfter354) {
    const auto sink = StartSink({.accept_data_without_recipient = true,
                                 .faults = [](const Moment& m) {
                                     return m.stage == Stage::kRcpt && m.to.starts_with("bad")
                                                ? Fault::kPermanent
                                                : Fault::kNone;
                                 }});
    Mailing mailing(OptionsFor(*sink));
    EXPECT_EQ(ResultKind::kPermanent, mailing.One("bad@example.com").kind);
    EXPECT_FALSE(mailing.SawDot(0));
    EXPECT_EQ(ResultKind::kAccepted, mailing.One("a@example.com").kind);
    EXPECT_EQ(1u, sink->Counts().connections);
    EXPECT_EQ(1u, sink->Counts().stored);
}

TEST(SmtpClient, WhatTheServerDoesNotOfferIsRefusedBeforeSending) {
    const auto sink = StartSink({.smtp_utf8 = false, .eight_bit = false, .size_max = 100});
    Mailing mailing(OptionsFor(*sink));
    EXPECT_EQ("5.6.7", mailing.One("\xe3\x81\x82@example.com").enhanced);
    EXPECT_EQ("5.6.3", mailing.One("a@example.com", "A: b\r\n\r\n\xe3\x81\x82\r\n").enhanced);
    EXPECT_EQ(ResultKind::kAccepted, mailing.One("a@example.com", std::string(98, 'x')).kind);
    EXPECT_EQ("5.3.4", mailing.One("a@example.com", std::string(99, 'x')).enhanced);
    EXPECT_EQ(1u, sink->Counts().stored);
}

TEST(SmtpClient, Utf8AddressGoesWhereItIsTaken) {
    const auto sink = StartSink();
    Mailing mailing(OptionsFor(*sink));
    EXPECT_EQ(ResultKind::kAccepted, mailing.One("\xe3\x81\x82@example.com").kind);
    EXPECT_EQ("\xe3\x81\x82@example.com", sink->Letters().at(0).to);
}

TEST(SmtpClient, LetterOfExactlyTheLimitPassesAndOneByteMoreDoesNot) {
    const auto sink = StartSink();
    Mailing mailing(OptionsFor(*sink));
    std::string bytes(limits::kLetterBytesMax, 'x');
    for (size_t i = 70; i + 2 < bytes.size(); i += 72) bytes.replace(i, 2, "\r\n");
    bytes.replace(bytes.size() - 2, 2, "\r\n");
    EXPECT_EQ(ResultKind::kAccepted, mailing.One("a@example.com", bytes).kind);
    EXPECT_EQ(bytes, sink->Letters().at(0).bytes);
    const auto refused = mailing.Send("a@example.com", bytes + "x");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(base::ErrorCode::kTooLarge, refused.error().code);
}

TEST(SmtpClient, HeldBackBeforeTheDotIsNotSent) {
    const auto sink = StartSink();
    Mailing mailing(OptionsFor(*sink));
    ASSERT_TRUE(mailing.Send("a@example.com", "x\r\n", false).has_value());
    mailing.WaitForAll();
    EXPECT_EQ(ResultKind::kNotSent, mailing.Result(0).kind);
    EXPECT_EQ(ResultKind::kAccepted, mailing.One("b@example.com").kind);
    EXPECT_EQ(1u, sink->Counts().stored);
}

TEST(SmtpClient, StartTlsAndImplicitTlsCheckTheCertificate) {
    for (const SinkTls tls : {SinkTls::kStartTls, SinkTls::kImplicit}) {
        const auto sink = StartSink({.tls = tls, .user = "u", .password = "p"});
        Options options = OptionsFor(*sink);
        options.tls_verify = true;
        options.times.wait_ms = 50;
        {
            Mailing distrusting(options);
            EXPECT_EQ(ResultKind::kNotSent, distrusting.One("a@example.com").kind);
        }
        options.tls_ca_file = WriteFile("smtp_ca.pem", sink->CertificatePem());
        options.times.wait_ms = 60'000;
        Mailing trusting(options);
        EXPECT_EQ(ResultKind::kAccepted, trusting.One("a@example.com").kind);
        EXPECT_EQ(1u, sink->Counts().stored);
    }
}

TEST(SmtpClient, PlainTextBehindStartTlsIsRefused) {
    const auto sink = StartSink({.tls = SinkTls::kStartTls, .inject_after_starttls = true});
    Options options = OptionsFor(*sink);
    options.times.wait_ms = 50;
    Mailing mailing(options);
    const SendResult result = mailing.One("a@example.com");
    EXPECT_EQ(ResultKind::kNotSent, result.kind);
    EXPECT_NE(std::string::npos, result.text.find("plain text after STARTTLS")) << result.text;
    EXPECT_EQ(0u, sink->Counts().stored);
}

TEST(SmtpClient, DemandedStartTlsThatIsNotOfferedSendsNothing) {
    const auto sink = StartSink();
    Options options = OptionsFor(*sink);
    options.url = "smtp+starttls://127.0.0.1:" + std::to_string(sink->port());
    options.times.wait_ms = 50;
    Mailing mailing(options);
    EXPECT_EQ(ResultKind::kNotSent, mailing.One("a@example.com").kind);
    EXPECT_EQ(0u, sink->Counts().stored);
}

TEST(SmtpClient, AuthPlainAndLoginAndAWrongPassword) {
    for (const bool login_only : {false, true}) {
        const auto sink =
            StartSink({.user = "user", .password = "secret", .auth_login_only = login_only});
        Options options = OptionsFor(*sink);
        Mailing right(options);
        EXPECT_EQ(ResultKind::kAccepted, right.One("a@example.com").kind);
        options.url = "smtp://user:wrong@127.0.0.1:" + std::to_string(sink->port());
        options.times.wait_ms = 50;
        Mailing wrong(options);
        const SendResult result = wrong.One("a@example.com");
        EXPECT_EQ(ResultKind::kNotSent, result.kind);
        EXPECT_NE(std::string::npos, result.text.find("535")) << result.text;
        EXPECT_EQ(1u, sink->Counts().stored);
    }
}

TEST(SmtpClient, IdleConnectionQuits) {
    const auto sink = StartSink();
    Options options = OptionsFor(*sink);
    options.times.idle_ms = 30;
    Mailing mailing(options);
    EXPECT_EQ(ResultKind::kAccepted, mailing.One("a@example.com").kind);
    EXPECT_TRUE(Eventually([&] { return sink->Counts().quits == 1; }));
    EXPECT_TRUE(Eventually([&] { return mailing.pool().Counts().connections == 0; }));
    EXPECT_EQ(ResultKind::kAccepted, mailing.One("b@example.com").kind);
    EXPECT_EQ(2u, sink->Counts().connections);
}

TEST(SmtpClient, ServerThatLeavesAnIdleConnectionCostsNoLetter) {
    const auto sink = StartSink({.faults = [](const Moment& m) {
        return m.stage == Stage::kMail && m.transaction == 2 ? Fault::kClose : Fault::kNone;
    }});
    Options options = OptionsFor(*sink);
    options.connections_max = 1;
    Mailing mailing(options);
    for (int i = 0; i < 6; ++i) {
        EXPECT_EQ(ResultKind::kAccepted,
                  mailing.One("p" + std::to_string(i) + "@example.com").kind);
    }
    EXPECT_EQ(6u, sink->Counts().stored);
}

TEST(SmtpClient, WithoutAServerALetterIsNotSentAfterTheWait) {
    const auto sink = StartSink();
    Options options = OptionsFor(*sink);
    options.times.wait_ms = 40;
    sink->Stop();
    Mailing mailing(options);
    const SendResult result = mailing.One("a@example.com");
    EXPECT_EQ(ResultKind::kNotSent, result.kind);
    EXPECT_NE(std::string::npos, result.text.find("no connection")) << result.text;
    EXPECT_FALSE(mailing.SawDot(0));
    EXPECT_GE(mailing.pool().Counts().failures, 1u);
}

TEST(SmtpClient, CloseEndsWaitingLettersAsNotSentAndOpenDotsAsAmbiguous) {
    const auto sink = StartSink({.faults = [](const Moment& m) {
        return m.stage == Stage::kDotStored ? Fault::kStall : Fault::kNone;
    }});
    Options options = OptionsFor(*sink);
    options.connections_max = 1;
    Mailing mailing(options);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(mailing.Send("a@example.com", "x\r\n").has_value());
    ASSERT_TRUE(Eventually([&] { return sink->Counts().stored == 1; }));
    mailing.pool().Close(0);
    mailing.WaitForAll();
    EXPECT_EQ(ResultKind::kAmbiguous, mailing.Result(0).kind);
    EXPECT_EQ(ResultKind::kNotSent, mailing.Result(1).kind);
    EXPECT_EQ(ResultKind::kNotSent, mailing.Result(2).kind);
    EXPECT_FALSE(mailing.Send("a@example.com", "x\r\n").has_value());
    EXPECT_TRUE(mailing.EachAnsweredOnce());
}

TEST(SmtpClient, CloseWithGraceLetsOpenTransactionsEnd) {
    const auto sink = StartSink({.latency_ms = 30});
    Mailing mailing(OptionsFor(*sink));
    ASSERT_TRUE(mailing.Send("a@example.com", "x\r\n").has_value());
    ASSERT_TRUE(Eventually([&] { return mailing.SawDot(0); }));
    mailing.pool().Close(20'000);
    mailing.WaitForAll();
    EXPECT_EQ(ResultKind::kAccepted, mailing.Result(0).kind);
}

// T-12 in small: every stage meets every fault; nothing is lost, nothing is doubled, and unknown
// is exactly what was cut off after its dot.
class BadServer : public testing::TestWithParam<std::tuple<int, int>> {};

bool OfConnection(Stage stage) { return stage <= Stage::kAuth; }
bool Struck(std::string_view to) { return to.starts_with("bad"); }

SinkOptions BadSink(Stage stage, Fault fault) {
    SinkOptions options;
    options.tls = stage == Stage::kStartTls ? SinkTls::kStartTls : SinkTls::kNone;
    if (stage == Stage::kAuth) options.user = options.password = "u";
    options.faults = [stage, fault](const Moment& m) {
        if (m.stage != stage) return Fault::kNone;
        if (OfConnection(stage)) return m.connection % 2 == 1 ? fault : Fault::kNone;
        // MAIL knows no recipient yet: the sender's address tells.
        const bool struck = Struck(m.to) || (stage == Stage::kMail && Struck(m.from));
        return struck ? fault : Fault::kNone;
    };
    return options;
}

ResultKind Expected(Stage stage, Fault fault, bool struck, bool saw_dot) {
    if (!struck || OfConnection(stage) || stage == Stage::kAfterReply) return ResultKind::kAccepted;
    if (fault == Fault::kTemporary) return ResultKind::kTemporary;
    if (fault == Fault::kPermanent) return ResultKind::kPermanent;
    return saw_dot ? ResultKind::kAmbiguous : ResultKind::kNotSent;
}

TEST_P(BadServer, LosesNothingDoublesNothingAndUnknownIsExactlyTheAfterDotSet) {
    const auto stage = static_cast<Stage>(std::get<0>(GetParam()));
    const auto fault = static_cast<Fault>(std::get<1>(GetParam()));
    const auto sink = StartSink(BadSink(stage, fault));
    Options options = OptionsFor(*sink);
    options.times.connect_ms = options.times.banner_ms = options.times.command_ms = kSoonMs;
    options.times.body_ms = options.times.dot_ms = kSoonMs;
    Mailing mailing(options);
    constexpr int kLetters = 60;
    for (int i = 0; i < kLetters; ++i) {
        const std::string who = (i % 10 == 3 ? "bad" : "good") + std::to_string(i);
        const auto sent = mailing.Send(who + "@example.com",
                                       "Subject: " + who + "\r\n\r\n" + std::string(9000, 'x'),
                                       true, who + "@us.example.com");
        ASSERT_TRUE(sent.has_value());
    }
    mailing.WaitForAll();
    EXPECT_TRUE(mailing.EachAnsweredOnce());
    std::map<std::string, int> stored;
    for (const auto& letter : sink->Letters()) ++stored[letter.to];
    for (int i = 0; i < kLetters; ++i) {
        const bool struck = i % 10 == 3;
        const std::string to = (struck ? "bad" : "good") + std::to_string(i) + "@example.com";
        SCOPED_TRACE(to);
        const auto tag = static_cast<uint64_t>(i);
        const ResultKind kind = mailing.Result(tag).kind;
        const bool saw_dot = mailing.SawDot(tag);
        EXPECT_EQ(ResultKindName(Expected(stage, fault, struck, saw_dot)), ResultKindName(kind))
            << mailing.Result(tag).text;
        EXPECT_LE(stored[to], 1);
        if (kind == ResultKind::kAccepted) {
            EXPECT_EQ(1, stored[to]);
        }
        if (stored[to] == 1 && stage != Stage::kDotStored) {
            EXPECT_EQ(ResultKind::kAccepted, kind);
        }
        if (struck && stage >= Stage::kMail && stage <= Stage::kData) {
            EXPECT_FALSE(saw_dot);
        }
    }
}

std::string NameOfBadServer(const testing::TestParamInfo<std::tuple<int, int>>& param) {
    std::string name(StageName(static_cast<Stage>(std::get<0>(param.param))));
    name += "_";
    return name.append(FaultName(static_cast<Fault>(std::get<1>(param.param))));
}

INSTANTIATE_TEST_SUITE_P(AllStagesAllFaults, BadServer,
                         testing::Combine(testing::Range(0, kStages), testing::Range(1, kFaults)),
                         NameOfBadServer);

}  // namespace
}  // namespace smtp
