#include "net/websocket/session.h"

#include <gmock/gmock.h>

#include <condition_variable>
#include <mutex>

#include "net/http/server.h"
#include "net/websocket/test_client.h"

namespace websocket {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Gives every text back, and tells what it saw.
class Echo final : public Listener {
  public:
    void Opened(std::shared_ptr<Peer> peer) override {
        const std::lock_guard lock(mutex_);
        peer_ = std::move(peer);
        changed_.notify_all();
    }
    void Message(std::string_view text) override { peer_->SendText(text); }
    void Closed() override {
        const std::lock_guard lock(mutex_);
        ++closed_;
        changed_.notify_all();
    }
    std::shared_ptr<Peer> peer() {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(10),
                                      [&] { return peer_ != nullptr; }));
        return peer_;
    }
    bool WaitClosed() {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return closed_ == 1; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::shared_ptr<Peer> peer_;
    int closed_ = 0;
};

struct Served {
    explicit Served(Options options = {}) {
        http::ServerOptions server_options;
        server_options.idle_time_ms = 200;   // Sweeps come often; upgraded ones may idle longer.
        http::Listener listener;
        listener.handler = [this, options](http::Request&& request, const http::Respond& respond) {
            respond(Accept(request, echo, options));
        };
        server_options.listeners.push_back(std::move(listener));
        server = std::move(*http::Server::Create(std::move(server_options)));
    }
    std::shared_ptr<Echo> echo = std::make_shared<Echo>();
    std::unique_ptr<http::Server> server;
    uint16_t port() const { return server->port(); }
};

TEST(Upgrade, AnswersOneHundredAndOneAndEchoes) {
    Served served;
    TestClient client(served.port());
    const std::string head = client.Open();
    EXPECT_THAT(head, StartsWith("HTTP/1.1 101 Switching Protocols\r\n"));
    EXPECT_THAT(head, HasSubstr("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    EXPECT_THAT(head, HasSubstr("Connection: Upgrade\r\n"));
    EXPECT_THAT(head, testing::Not(HasSubstr("Extensions")));
    client.SendText("hello");
    EXPECT_EQ("hello", client.Next()->payload);
    client.Send(Masked(Opcode::kPing, "are you there"));
    const auto pong = client.Next();
    EXPECT_EQ(Opcode::kPong, pong->opcode);
    EXPECT_EQ("are you there", pong->payload);
}

TEST(Upgrade, FramesThatCameWithTheRequestAreRead) {
    Served served;
    TestClient client(served.port());
    client.Send(TestClient::Upgrade("/") + Masked(Opcode::kText, "early"));
    EXPECT_THAT(client.ReadHead(), StartsWith("HTTP/1.1 101"));
    EXPECT_EQ("early", client.Next()->payload);
}

TEST(Upgrade, WhatIsNoHandshakeIsRefused) {
    Served served;
    const auto asked = [&](const std::string& request) {
        TestClient client(served.port());
        client.Send(request);
        return client.ReadHead();
    };
    const std::string right = TestClient::Upgrade("/");
    const auto without = [&](const std::string& line, const std::string& instead) {
        std::string request = right;
        request.replace(request.find(line), line.size(), instead);
        return request;
    };
    EXPECT_THAT(asked("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 426"));
    EXPECT_THAT(asked(without("Version: 13", "Version: 8")),
                HasSubstr("Sec-WebSocket-Version: 13"));
    EXPECT_THAT(asked(without("Connection: keep-alive, Upgrade", "Connection: keep-alive")),
                StartsWith("HTTP/1.1 426"));
    EXPECT_THAT(asked(without("dGhlIHNhbXBsZSBub25jZQ==", "short")), StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(asked(without("GET", "POST")), StartsWith("HTTP/1.1 405"));
    EXPECT_THAT(asked(without("HTTP/1.1", "HTTP/1.0")), StartsWith("HTTP/1.1 426"));
}

TEST(Session, AMessageOfSixtyFourKilobytesIsTakenAndOneByteMoreClosed) {
    Served served;
    TestClient client(served.port());
    client.Open();
    const std::string largest(limits::kSocketMessageBytesMax, 'x');
    client.SendText(largest);
    EXPECT_EQ(largest, client.Next()->payload);
    client.SendText(largest + "x");
    EXPECT_EQ(kTooBig, client.CloseCode());
    EXPECT_TRUE(served.echo->WaitClosed());
}

TEST(Session, ThirtyTwoFragmentsAreTakenAndOneMoreClosed) {
    Served served;
    TestClient client(served.port());
    client.Open();
    const auto send = [&](size_t fragments) {
        for (size_t i = 0; i < fragments; ++i) {
            client.Send(Masked(i == 0 ? Opcode::kText : Opcode::kContinuation, "x",
                               i + 1 == fragments));
        }
    };
    send(limits::kSocketFragmentsMax);
    EXPECT_EQ(std::string(limits::kSocketFragmentsMax, 'x'), client.Next()->payload);
    send(limits::kSocketFragmentsMax + 1);
    EXPECT_EQ(kTooBig, client.CloseCode());
}

TEST(Session, TwentyMessagesAtOnceAreTakenAndManyMoreClosed) {
    Served served;
    TestClient client(served.port());
    client.Open();
    for (size_t i = 0; i < limits::kSocketMessagesPerSecondMax; ++i) client.SendText("x");
    for (size_t i = 0; i < limits::kSocketMessagesPerSecondMax; ++i) {
        EXPECT_EQ("x", client.Next()->payload);
    }
    std::string flood;
    for (int i = 0; i < 1000; ++i) flood += Masked(Opcode::kPing, "x");
    client.Send(flood);
    EXPECT_EQ(kPolicy, client.CloseCode());
}

TEST(Session, ASlowReaderIsClosedWhileOthersGoOn) {
    Served served;
    TestClient slow(served.port(), 4096);
    slow.Open();
    const auto peer = served.echo->peer();
    const auto frame = std::make_shared<const std::string>(
        Frame(Opcode::kText, std::string(60'000, 'x')));
    int queued = 0;
    while (peer->Send(frame) && queued < 10'000) ++queued;
    // What the system and we hold for her together is bounded.
    EXPECT_LT(queued, 60);
    EXPECT_FALSE(peer->Send(frame));
    EXPECT_EQ(kTryLater, slow.CloseCode());
    EXPECT_TRUE(served.echo->WaitClosed());
}

TEST(Session, WhoNeverReadsAgainIsClosedAllTheSame) {
    Options options;
    options.linger_ms = 50;
    Served served(options);
    TestClient slow(served.port(), 4096);
    slow.Open();
    const auto peer = served.echo->peer();
    const auto frame = std::make_shared<const std::string>(
        Frame(Opcode::kText, std::string(60'000, 'x')));
    while (peer->Send(frame)) {
    }
    EXPECT_TRUE(served.echo->WaitClosed());
}

TEST(Session, CloseIsAnsweredWithItsCode) {
    Served served;
    TestClient client(served.port());
    client.Open();
    client.Send(Masked(Opcode::kClose, std::string("\x0f\xa1gone", 6)));
    EXPECT_EQ(4001, client.CloseCode());
    EXPECT_TRUE(client.Gone());
    EXPECT_TRUE(served.echo->WaitClosed());
}

TEST(Session, BrokenFramesBinaryAndWrongTextsHaveTheirCodes) {
    for (const auto& [bytes, code] :
         {std::pair(Frame(Opcode::kText, "unmasked"), kProtocolError),
          std::pair(Masked(Opcode::kBinary, "x"), kUnsupported),
          std::pair(Masked(Opcode::kText, "\xff"), kBadText),
          std::pair(Masked(Opcode::kClose, "\x03"), kProtocolError)}) {
        Served served;
        TestClient client(served.port());
        client.Open();
        client.Send(bytes);
        EXPECT_EQ(code, client.CloseCode());
    }
}

TEST(Session, SilenceIsAskedAndThenClosed) {
    Options options;
    options.ping_ms = 60;
    Served served(options);
    TestClient client(served.port());
    client.Open();
    const auto ping = client.Next();
    ASSERT_TRUE(ping.has_value());
    EXPECT_EQ(Opcode::kPing, ping->opcode);
    EXPECT_EQ(kGoingAway, client.CloseCode());
}

TEST(Session, WhenTheServerStopsThePeersHearOfIt) {
    Served served;
    TestClient client(served.port());
    client.Open();
    served.echo->peer();
    served.server->Stop(2000);
    EXPECT_EQ(kGoingAway, client.CloseCode());
    EXPECT_TRUE(served.echo->WaitClosed());
}

}  // namespace
}  // namespace websocket
