#include "server/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "event_log/memory/memory_log.h"
#include "net/smtp/test_sink.h"
#include "server/dot_file.h"
#include "server/outcome.h"
#include "server/payload.h"

namespace server {
namespace {

namespace fs = std::filesystem;
using event_log::MemoryLog;
using model::FactKey;
using model::OutboxEvent;
using model::RecordKind;
using smtp::Fault;
using smtp::Moment;
using smtp::Stage;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr base::TimeMs kStart = 1767607200000;  // 2026-01-05T10:00Z.
constexpr const char* kJourney = R"({"name":"Trial","entry":{"event":"Signup"},"steps":[
  {"id":"a","type":"letter","subject":"Hello {{ person.name }}","text":"Bye: {{ unsubscribe_url }}",
   "html":"<p>{{ person.name }} <a href=\"https://example.com/x\">x</a></p>"},
  {"id":"b","type":"letter","subject":"Broken","text":"{{ 1 | divided_by: person.zero }}"}]})";

// The part of the fold that senders meet: which message is in what state, moved by the records of
// the log alone, so that it can be asked again after a "crash" as the real one is after a replay.
class MessageFold {
  public:
    struct Known {
        std::string state = "waiting";
        uint32_t attempts = 0;
        OutboxEvent event;
        std::string text;
        base::TimeMs retry_ms = 0;
        bool bounce = false;
    };

    OutboxEvent Add(uint64_t offset, const std::string& address, uint32_t step = 0) {
        OutboxEvent event;
        event.message = {0, offset, 1};
        event.workspace = workspace;
        event.person = {offset, offset};
        event.journey = journey;
        event.version = version;
        event.step = step;
        event.created_ms = kStart;
        messages[event.message].event = event;
        messages[event.message].event.address = address;
        return event;
    }

    // Reads what is new; gives the news.
    std::vector<OutboxEvent> Fold(event_log::Log& log) {
        std::vector<OutboxEvent> news;
        while (log.End(0) > applied) {
            const auto batch = log.Read(0, applied + 1, 1 << 20);
            EXPECT_TRUE(batch);
            for (const auto& record : batch->records) {
                applied = record.offset;
                Apply(record, news);
            }
        }
        return news;
    }

    std::vector<OutboxEvent> List() const {
        std::vector<OutboxEvent> news;
        for (const auto& [key, m] : messages) {
            if (m.state != "waiting" && m.state != "claimed") continue;
            news.push_back(News(m, OutboxEvent::Kind::kWaiting));
            news.back().claimed_before = m.state == "claimed";
        }
        return news;
    }

    std::map<FactKey, Known> messages;
    std::vector<std::string> order;  // "claim 1", "sent 1", ...
    model::Offset applied = 0;
    model::WorkspaceId workspace = 1;
    uint32_t journey = 0, version = 1;
    bool refuse = false;             // Claims lead to kClosed.
    bool silent = false;             // Claims lead to nothing.

  private:
    static OutboxEvent News(const Known& m, OutboxEvent::Kind kind) {
        OutboxEvent event = m.event;
        event.kind = kind;
        event.attempt = m.attempts;
        event.address.clear();
        if (kind == OutboxEvent::Kind::kGranted) {
            event.address = m.event.address;
            event.values = R"({"person":{"name":"Zoë <b>","zero":0},"event":{},"journey":{}})";
        }
        return event;
    }

    void Apply(const model::Record& record, std::vector<OutboxEvent>& news) {
        FactKey key;
        if (!ReadKeyField(record.payload, "message", key)) return;
        Known& m = messages.at(key);
        const std::string number = std::to_string(key.offset);
        if (record.kind == RecordKind::kClaim) {
            const bool again = ReadBoolField(record.payload, "again");
            order.push_back((again ? "claim again " : "claim ") + number);
            if (silent || !(m.state == "waiting" || (again && m.state == "claimed"))) return;
            m.state = refuse ? "skipped" : "claimed";
            if (!refuse) ++m.attempts;
            news.push_back(News(m, refuse ? OutboxEvent::Kind::kClosed
                                          : OutboxEvent::Kind::kGranted));
        } else if (record.kind == RecordKind::kOutcome) {
            const auto state = ReadTextField(record.payload, "state");
            order.push_back(state + " " + number);
            if (m.state != "claimed") return;
            m.state = state == "temporary" ? "deferred" : state;
            m.text = ReadTextField(record.payload, "text");
            m.retry_ms = ReadIntField(record.payload, "retry_ms");
            m.bounce = ReadBoolField(record.payload, "bounce");
            if (state != "temporary") news.push_back(News(m, OutboxEvent::Kind::kClosed));
        }
    }
};

class DispatcherTest : public ::testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/ripen-dispatch-XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        root_ = name;
        auto catalog = catalog::Catalog::Open(log_, clock_);
        ASSERT_TRUE(catalog);
        catalog_ = std::move(*catalog);
        ASSERT_TRUE(catalog_->CreateWorkspace("Shop"));
        const auto journey = catalog_->SaveJourney(1, 0, kJourney, 0);
        ASSERT_TRUE(journey) << journey.error().internal << " at " << journey.error().at;
        const auto published = catalog_->PublishJourney(1, journey->number);
        ASSERT_TRUE(published) << published.error().internal;
        fold_.journey = published->number;
        fold_.version = published->published;
    }
    void TearDown() override {
        dispatcher_.reset();
        log_.DropPending();
        fs::remove_all(root_);
    }

    void StartSink(std::function<Fault(const Moment&)> faults = {}) {
        smtp::SinkOptions options;
        options.faults = std::move(faults);
        auto sink = smtp::TestSink::Start(std::move(options));
        ASSERT_TRUE(sink);
        sink_ = std::move(*sink);
    }
    DispatcherOptions Options() const {
        DispatcherOptions options;
        options.directory = root_;
        options.smtp_url = sink_ ? sink_->Url() : "";
        options.connections = 4;
        options.public_url = "https://go.example.com";
        options.from_address = "shop@example.com";
        options.from_name = "Shop";
        options.boot_id = "boot-1";
        options.stop_grace_ms = 0;
        return options;
    }
    // As a server's start: replays, lists, starts.
    void Start(DispatcherOptions options, bool hold = false) {
        auto mailbox = FileMailbox::Open(root_ + "/mailbox");
        ASSERT_TRUE(mailbox);
        dispatcher_.reset();
        mailbox_ = std::move(*mailbox);
        auto dispatcher = Dispatcher::Create(log_, *catalog_, clock_, mailbox_.get(), options);
        ASSERT_TRUE(dispatcher) << dispatcher.error().internal;
        dispatcher_ = std::move(*dispatcher);
        (void)fold_.Fold(log_);
        dispatcher_->OnOutbox(fold_.List());
        dispatcher_->Start(hold);
    }
    void Start() { Start(Options()); }
    // A process that dies: what it did not get into the log is gone; the dot marks are not.
    void Crash() {
        dispatcher_->Stop();
        dispatcher_.reset();
        log_.DropPending();
        (void)fold_.Fold(log_);
    }
    bool Step() {
        const bool progress = log_.CommitPending() > 0;
        auto news = fold_.Fold(log_);
        if (news.empty()) return progress;
        dispatcher_->OnOutbox(std::move(news));
        return true;
    }
    template <typename Until>
    void RunUntil(const Until& until) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (!until()) {
            if (!Step()) std::this_thread::yield();
            ASSERT_LT(std::chrono::steady_clock::now(), end) << "never came";
        }
    }
    void Run() {
        RunUntil([&] { return dispatcher_->Idle() && log_.PendingRecords() == 0; });
    }
    const MessageFold::Known& Of(uint64_t offset) { return fold_.messages.at({0, offset, 1}); }

    std::string root_;
    base::SimulatedClock clock_{kStart};
    MemoryLog log_{1, &clock_, MemoryLog::Commit::kManual};
    std::unique_ptr<catalog::Catalog> catalog_;
    std::unique_ptr<smtp::TestSink> sink_;
    std::unique_ptr<FileMailbox> mailbox_;
    MessageFold fold_;
    std::unique_ptr<Dispatcher> dispatcher_;
};

TEST_F(DispatcherTest, AWaitingMessageIsClaimedSentOnceAndReported) {
    StartSink();
    Start();
    dispatcher_->OnOutbox({fold_.Add(1, "zoe@example.org")});
    Run();
    EXPECT_THAT(fold_.order, ElementsAre("claim 1", "sent 1"));
    const auto letters = sink_->Letters();
    ASSERT_EQ(letters.size(), 1u);
    EXPECT_EQ(letters[0].to, "zoe@example.org");
    EXPECT_EQ(letters[0].from, "shop@example.com");
    EXPECT_THAT(letters[0].bytes, HasSubstr("From: Shop <shop@example.com>"));
    EXPECT_THAT(letters[0].bytes, HasSubstr("List-Unsubscribe: <https://go.example.com/u/"));
    EXPECT_THAT(letters[0].bytes, HasSubstr("List-Unsubscribe-Post: List-Unsubscribe=One-Click"));
    EXPECT_THAT(letters[0].bytes, HasSubstr("https://go.example.com/c/"));
    EXPECT_THAT(letters[0].bytes, HasSubstr("https://go.example.com/o/"));
    EXPECT_THAT(letters[0].bytes, HasSubstr("Zo=C3=AB &lt;b&gt;"));  // Escaped in the HTML part.
    const auto counts = dispatcher_->Counters();
    EXPECT_EQ(counts.sent, 1u);
    EXPECT_EQ(counts.claims, 1u);
    EXPECT_EQ(counts.in_flight, 0u);
}

TEST_F(DispatcherTest, NothingLeavesBeforeStart) {
    StartSink();
    Start();
    dispatcher_.reset();
    auto dispatcher = Dispatcher::Create(log_, *catalog_, clock_, mailbox_.get(), Options());
    ASSERT_TRUE(dispatcher);
    dispatcher_ = std::move(*dispatcher);
    dispatcher_->OnOutbox({fold_.Add(1, "zoe@example.org")});
    EXPECT_EQ(log_.PendingRecords(), 0u);
    EXPECT_TRUE(dispatcher_->Idle());
    dispatcher_->Start(false);
    EXPECT_EQ(log_.PendingRecords(), 1u);
    EXPECT_FALSE(dispatcher_->Idle());
}

TEST_F(DispatcherTest, NoMoreClaimsAreOpenThanConnections) {
    StartSink();
    Start();
    std::vector<OutboxEvent> news;
    for (uint64_t n = 1; n <= 50; ++n) news.push_back(fold_.Add(n, "a@example.org"));
    dispatcher_->OnOutbox(news);
    EXPECT_EQ(log_.PendingRecords(), 4u);
    size_t most = 0;
    RunUntil([&] {
        size_t claimed = 0;
        for (const auto& [key, m] : fold_.messages) claimed += m.state == "claimed" ? 1 : 0;
        most = std::max(most, claimed);
        return dispatcher_->Idle() && log_.PendingRecords() == 0;
    });
    EXPECT_EQ(most, 4u);
    EXPECT_EQ(sink_->Letters().size(), 50u);
    EXPECT_EQ(dispatcher_->Counters().sent, 50u);
}

TEST_F(DispatcherTest, ARefusedClaimGivesItsPlaceBack) {
    StartSink();
    auto options = Options();
    options.connections = 1;
    Start(options);
    fold_.refuse = true;
    dispatcher_->OnOutbox({fold_.Add(1, "a@example.org"), fold_.Add(2, "b@example.org")});
    Run();
    EXPECT_THAT(fold_.order, ElementsAre("claim 1", "claim 2"));
    EXPECT_TRUE(sink_->Letters().empty());
}

TEST_F(DispatcherTest, AClaimThatLeadsToNothingGivesItsPlaceBackOnceItIsFolded) {
    StartSink();
    std::vector<std::function<void()>> folded;
    auto options = Options();
    options.connections = 1;
    options.when_folded = [&](model::StreamId stream, model::Offset offset, auto done) {
        EXPECT_EQ(stream, 0);
        EXPECT_GT(offset, 0u);
        folded.push_back(std::move(done));
    };
    Start(options);
    fold_.silent = true;
    dispatcher_->OnOutbox({fold_.Add(1, "a@example.org"), fold_.Add(2, "b@example.org")});
    while (Step()) {
    }
    EXPECT_FALSE(dispatcher_->Idle());
    EXPECT_THAT(fold_.order, ElementsAre("claim 1"));
    fold_.silent = false;
    ASSERT_EQ(folded.size(), 1u);
    folded[0]();
    Run();
    EXPECT_THAT(fold_.order, ElementsAre("claim 1", "claim 2", "sent 2"));
    // Put off by the fold, it is announced once more.
    dispatcher_->OnOutbox({Of(1).event});
    Run();
    EXPECT_EQ(Of(1).state, "sent");
}

TEST_F(DispatcherTest, AfterACrashBeforeTheDotTheLetterIsSentOnce) {
    StartSink();
    Start();
    dispatcher_->OnOutbox({fold_.Add(1, "a@example.org")});
    log_.CommitPending();  // The claim is durable; the process dies before it hears of the grant.
    Crash();
    EXPECT_EQ(Of(1).state, "claimed");
    Start();
    Run();
    EXPECT_THAT(fold_.order, ElementsAre("claim 1", "claim again 1", "sent 1"));
    EXPECT_EQ(sink_->Letters().size(), 1u);
}

TEST_F(DispatcherTest, AfterACrashBehindTheDotTheLetterIsAmbiguousAndNeverSentAgain) {
    StartSink();
    Start();
    dispatcher_->OnOutbox({fold_.Add(1, "a@example.org")});
    log_.CommitPending();
    dispatcher_->OnOutbox(fold_.Fold(log_));
    // The letter arrives, its outcome waits in the log and is lost with the process.
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (log_.PendingRecords() == 0) {
        std::this_thread::yield();
        ASSERT_LT(std::chrono::steady_clock::now(), end);
    }
    ASSERT_EQ(sink_->Letters().size(), 1u);
    Crash();
    ASSERT_EQ(Of(1).state, "claimed");
    Start();
    Run();
    EXPECT_THAT(fold_.order, ElementsAre("claim 1", "ambiguous 1"));
    EXPECT_EQ(sink_->Letters().size(), 1u);
    EXPECT_EQ(dispatcher_->Counters().ambiguous, 1u);
}

TEST_F(DispatcherTest, AfterARebootEveryClaimIsAmbiguousAndOnlyThoseOfBefore) {
    StartSink();
    Start();
    dispatcher_->OnOutbox({fold_.Add(1, "a@example.org")});
    log_.CommitPending();
    Crash();
    auto options = Options();
    options.boot_id = "boot-2";
    Start(options);
    dispatcher_->OnOutbox({fold_.Add(2, "b@example.org")});
    // Nothing new is claimed before the doubt is in the log: a crash here must find it again.
    EXPECT_EQ(log_.PendingRecords(), 1u);
    Crash();
    Start(options);
    Run();
    EXPECT_EQ(Of(1).state, "ambiguous");
    EXPECT_EQ(Of(2).state, "sent");
    // The doubt is over: a claim of this boot without a mark is sent again.
    dispatcher_->OnOutbox({fold_.Add(3, "c@example.org")});
    log_.CommitPending();
    Crash();
    Start(options);
    Run();
    EXPECT_EQ(Of(3).state, "sent");
    EXPECT_EQ(sink_->Letters().size(), 2u);
}

TEST_F(DispatcherTest, AMessageListedAsClaimedWhileItsOutcomeTravelsIsLeftAlone) {
    StartSink();
    Start();
    dispatcher_->OnOutbox({fold_.Add(1, "a@example.org")});
    Run();
    auto event = Of(1).event;
    event.claimed_before = true;
    event.attempt = 1;
    dispatcher_->OnOutbox({event});
    Run();
    EXPECT_THAT(fold_.order, ElementsAre("claim 1", "sent 1"));
    EXPECT_EQ(sink_->Letters().size(), 1u);
}

TEST_F(DispatcherTest, ALostAnswerToTheDotIsAmbiguous) {
    StartSink([](const Moment& m) {
        return m.stage == Stage::kDotStored ? Fault::kClose : Fault::kNone;
    });
    Start();
    dispatcher_->OnOutbox({fold_.Add(1, "a@example.org")});
    Run();
    EXPECT_EQ(Of(1).state, "ambiguous");
    EXPECT_EQ(sink_->Letters().size(), 1u);
}

TEST_F(DispatcherTest, ATemporaryRefusalIsTriedAgainByTheSchedule) {
    std::atomic<bool> full{true};
    StartSink([&full](const Moment& m) {
        return m.stage == Stage::kRcpt && full ? Fault::kTemporary : Fault::kNone;
    });
    Start();
    dispatcher_->OnOutbox({fold_.Add(1, "a@example.org")});
    Run();
    EXPECT_EQ(Of(1).state, "deferred");
    EXPECT_EQ(Of(1).retry_ms, kStart + 30 * base::kMinuteMs);
    EXPECT_EQ(dispatcher_->Counters().deferred, 1u);
    full = false;
    clock_.MoveTo(Of(1).retry_ms);
    fold_.messages.at({0, 1, 1}).state = "waiting";
    dispatcher_->OnOutbox({Of(1).event});
    Run();
    EXPECT_THAT(fold_.order, ElementsAre("claim 1", "temporary 1", "claim 1", "sent 1"));
    EXPECT_EQ(sink_->Letters().size(), 1u);
}

TEST_F(DispatcherTest, APermanentRefusalFailsOneLetterAlone) {
    StartSink([](const Moment& m) {
        return m.stage == Stage::kRcpt && m.to == "gone@example.org" ? Fault::kPermanent
                                                                     : Fault::kNone;
    });
    Start();
    dispatcher_->OnOutbox({fold_.Add(1, "gone@example.org"), fold_.Add(2, "here@example.org")});
    Run();
    EXPECT_EQ(Of(1).state, "failed");
    EXPECT_THAT(Of(1).text, HasSubstr("550"));
    EXPECT_EQ(Of(2).state, "sent");
}

TEST_F(DispatcherTest, ALetterThatCannotBeMadeFailsWithItsReason) {
    StartSink();
    Start();
    dispatcher_->OnOutbox({fold_.Add(1, "a@example.org", 1), fold_.Add(2, "not an address"),
                           fold_.Add(3, "a@example.org", 99)});
    Run();
    EXPECT_EQ(Of(1).state, "failed");
    EXPECT_THAT(Of(1).text, HasSubstr("text at 1:"));
    EXPECT_EQ(Of(2).state, "failed");
    EXPECT_EQ(Of(3).state, "failed");
    EXPECT_TRUE(sink_->Letters().empty());
}

TEST_F(DispatcherTest, AMailServerThatIsAwayDefersWithoutLoss) {
    StartSink();
    auto options = Options();
    options.times.wait_ms = 200;
    sink_->Stop();
    Start(options);
    dispatcher_->OnOutbox({fold_.Add(1, "a@example.org")});
    Run();
    EXPECT_EQ(Of(1).state, "deferred");
    EXPECT_EQ(Of(1).retry_ms, kStart + base::kMinuteMs);
}

TEST_F(DispatcherTest, EitherHoldKeepsLettersBackUntilBothAreGone) {
    StartSink();
    Start(Options(), /*hold=*/true);
    dispatcher_->OnOutbox({fold_.Add(1, "a@example.org")});
    dispatcher_->Hold(true);
    dispatcher_->Hold(false);
    EXPECT_TRUE(dispatcher_->Idle());
    EXPECT_TRUE(dispatcher_->Counters().awaits_release);
    EXPECT_EQ(log_.PendingRecords(), 0u);
    dispatcher_->Hold(true);
    dispatcher_->Release();
    EXPECT_EQ(log_.PendingRecords(), 0u);
    dispatcher_->Hold(false);
    Run();
    EXPECT_EQ(Of(1).state, "sent");
}

TEST_F(DispatcherTest, AGrantThatComesInAHoldWaitsForItsEnd) {
    StartSink();
    Start();
    dispatcher_->OnOutbox({fold_.Add(1, "a@example.org")});
    dispatcher_->Hold(true);
    while (Step()) {
    }
    EXPECT_EQ(Of(1).state, "claimed");
    EXPECT_TRUE(dispatcher_->Idle());
    bool idle = false;
    dispatcher_->WhenIdle([&] { idle = true; });
    EXPECT_TRUE(idle);
    dispatcher_->Hold(false);
    EXPECT_FALSE(dispatcher_->Idle());
    Run();
    EXPECT_EQ(Of(1).state, "sent");
}

TEST_F(DispatcherTest, WhatTheLogDoesNotTakeIsOfferedAgain) {
    StartSink();
    Start();
    log_.SetFull(true);
    dispatcher_->OnOutbox({fold_.Add(1, "a@example.org")});
    RunUntil([&] { return dispatcher_->Counters().append_failures > 0; });
    log_.SetFull(false);
    Run();
    EXPECT_EQ(Of(1).state, "sent");
    // The same for an outcome.
    dispatcher_->OnOutbox({fold_.Add(2, "a@example.org")});
    log_.CommitPending();
    const auto failures = dispatcher_->Counters().append_failures;
    log_.SetFull(true);
    dispatcher_->OnOutbox(fold_.Fold(log_));
    RunUntil([&] { return dispatcher_->Counters().append_failures > failures; });
    log_.SetFull(false);
    Run();
    EXPECT_EQ(Of(2).state, "sent");
    EXPECT_EQ(sink_->Letters().size(), 2u);
}

TEST_F(DispatcherTest, WithoutAMailServerLettersGoToTheMailbox) {
    auto options = Options();
    options.from_address.clear();
    options.public_url = "http://127.0.0.1:8081";
    Start(options);
    bool idle = false;
    dispatcher_->OnOutbox({fold_.Add(1, "zoe@example.org")});
    dispatcher_->WhenIdle([&] { idle = true; });
    EXPECT_FALSE(idle);
    Run();
    EXPECT_TRUE(idle);
    EXPECT_EQ(Of(1).state, "sent");
    const auto page = mailbox_->List(1, 10, "");
    ASSERT_TRUE(page);
    ASSERT_EQ(page->letters.size(), 1u);
    const auto& letter = *page->letters[0];
    EXPECT_EQ(letter.to, "zoe@example.org");
    EXPECT_EQ(letter.subject, "Hello Zoë <b>");
    EXPECT_THAT(letter.text, HasSubstr("http://127.0.0.1:8081/u/"));
    EXPECT_THAT(letter.html, HasSubstr("http://127.0.0.1:8081/c/"));
    EXPECT_EQ(letter.time_ms, kStart);
    EXPECT_EQ(letter.id.size(), 32u);
}

TEST_F(DispatcherTest, LettersOfADemoStayInTheMailboxBesideAMailServer) {
    ASSERT_TRUE(catalog_->CreateWorkspace("Demo", true));
    const auto journey = catalog_->SaveJourney(2, 0, kJourney, 0);
    ASSERT_TRUE(journey) << journey.error().internal;
    const auto published = catalog_->PublishJourney(2, journey->number);
    ASSERT_TRUE(published) << published.error().internal;
    StartSink();
    Start();
    dispatcher_->OnOutbox({fold_.Add(1, "zoe@example.org")});
    fold_.journey = published->number;
    fold_.version = published->published;
    fold_.workspace = 2;
    dispatcher_->OnOutbox({fold_.Add(2, "ben@example.org")});
    Run();
    EXPECT_EQ(Of(1).state, "sent");
    EXPECT_EQ(Of(2).state, "sent");
    ASSERT_EQ(sink_->Letters().size(), 1u);
    EXPECT_EQ(sink_->Letters()[0].to, "zoe@example.org");
    const auto page = mailbox_->List(2, 10, "");
    ASSERT_TRUE(page);
    ASSERT_EQ(page->letters.size(), 1u);
    EXPECT_EQ(page->letters[0]->to, "ben@example.org");
}

TEST_F(DispatcherTest, TheMailboxKeepsALetterOnceHoweverOftenTheProcessDies) {
    Start();
    dispatcher_->OnOutbox({fold_.Add(1, "a@example.org")});
    log_.CommitPending();
    dispatcher_->OnOutbox(fold_.Fold(log_));
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (log_.PendingRecords() == 0) {
        std::this_thread::yield();
        ASSERT_LT(std::chrono::steady_clock::now(), end);
    }
    EXPECT_EQ(mailbox_->size(), 1u);
    Crash();
    Start();
    Run();
    EXPECT_THAT(fold_.order, ElementsAre("claim 1", "claim again 1", "sent 1"));
    EXPECT_EQ(mailbox_->size(), 1u);
}

TEST_F(DispatcherTest, SettingsThatCannotWorkAreRefused) {
    auto options = Options();
    options.smtp_url = "smtp://localhost:1";
    options.connections = limits::kSmtpConnectionsMax + 1;
    EXPECT_FALSE(Dispatcher::Create(log_, *catalog_, clock_, nullptr, options));
    options.connections = 0;
    EXPECT_FALSE(Dispatcher::Create(log_, *catalog_, clock_, nullptr, options));
    options.connections = limits::kSmtpConnectionsMax;
    EXPECT_TRUE(Dispatcher::Create(log_, *catalog_, clock_, nullptr, options));
    options.dkim_domain = "example.com";
    options.dkim_key = root_ + "/none.pem";
    const auto none = Dispatcher::Create(log_, *catalog_, clock_, nullptr, options);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, base::ErrorCode::kNotFound);
    options.dkim_domain.clear();
    options.public_url = "go.example.com";
    EXPECT_FALSE(Dispatcher::Create(log_, *catalog_, clock_, nullptr, options));
}

// --- outcomes ------------------------------------------------------------------------------------

Outcome Judge(smtp::SendResult result, uint32_t attempt, base::TimeMs now) {
    OutboxEvent event;
    event.attempt = attempt;
    event.created_ms = kStart;
    return OutcomeOf(result, event, *delivery::RetrySchedule::Create({}), now);
}

TEST(Outcomes, OnlyADeadAddressIsABounce) {
    for (const char* enhanced : {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"}) {
        EXPECT_TRUE(Judge({smtp::ResultKind::kPermanent, 550, enhanced, ""}, 1, kStart).bounce);
    }
    for (const char* enhanced : {"", "5.1.0", "5.1.7", "5.1.8", "5.1.100", "5.2.2", "5.7.26"}) {
        const auto outcome = Judge({smtp::ResultKind::kPermanent, 550, enhanced, ""}, 1, kStart);
        EXPECT_FALSE(outcome.bounce) << enhanced;
        EXPECT_EQ(outcome.state, Outcome::State::kFailed);
    }
}

TEST(Outcomes, ALetterThatDidNotLeaveIsTriedSoonAndThenLater) {
    const smtp::SendResult away{smtp::ResultKind::kNotSent, 0, "", "no connection"};
    EXPECT_EQ(Judge(away, 1, kStart).retry_ms, kStart + base::kMinuteMs);
    EXPECT_EQ(Judge(away, 2, kStart).retry_ms, kStart + 2 * base::kMinuteMs);
    EXPECT_EQ(Judge(away, 6, kStart).retry_ms, kStart + 32 * base::kMinuteMs);
    EXPECT_EQ(Judge(away, 60, kStart).retry_ms, kStart + 32 * base::kMinuteMs);
}

TEST(Outcomes, AMessageTooOldIsGivenUp) {
    const smtp::SendResult busy{smtp::ResultKind::kTemporary, 451, "4.7.0", "later"};
    EXPECT_EQ(Judge(busy, 5, kStart + base::kDayMs).state, Outcome::State::kTemporary);
    EXPECT_EQ(Judge(busy, 5, kStart + 5 * base::kDayMs).state, Outcome::State::kFailed);
    // Not when it only waited long to be claimed.
    EXPECT_EQ(Judge(busy, 1, kStart + 9 * base::kDayMs).state, Outcome::State::kTemporary);
}

TEST(Outcomes, ThePayloadIsWhatTheFoldReads) {
    Outcome outcome{Outcome::State::kTemporary, "451 \"later\"", 77, false};
    EXPECT_EQ(OutcomePayload({3, 10, 2}, outcome),
              R"({"message":[3,10,2],"state":"temporary","text":"451 \"later\"","retry_ms":77})");
    outcome = {Outcome::State::kFailed, "gone", 0, true};
    EXPECT_EQ(OutcomePayload({3, 10, 2}, outcome),
              R"({"message":[3,10,2],"state":"failed","text":"gone","bounce":true})");
}

}  // namespace
}  // namespace server
