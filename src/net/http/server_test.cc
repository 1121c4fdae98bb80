#include "net/http/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "net/http/client.h"

namespace http {
namespace {

// A plain TCP connection, to send what no client would.
class Wire {
  public:
    explicit Wire(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ =
            ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
        EXPECT_TRUE(connected_);
    }
    ~Wire() { ::close(fd_); }
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    void Send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return;  // The server may have closed already: the answer tells.
            bytes.remove_prefix(static_cast<size_t>(sent));
        }
    }
    // All that comes until the server closes; fails the test after 10 s of silence.
    std::string ReadAll() {
        while (ReadSome()) {
        }
        return received_;
    }
    std::string ReadUntil(std::string_view mark) {
        while (received_.find(mark) == std::string::npos && ReadSome()) {
        }
        return received_;
    }
    bool ReadSome() {
        pollfd state{fd_, POLLIN, 0};
        if (::poll(&state, 1, 10'000) != 1) {
            ADD_FAILURE() << "silence after: " << received_;
            return false;
        }
        char bytes[16384];
        const ssize_t got = ::recv(fd_, bytes, sizeof(bytes), 0);
        if (got > 0) received_.append(bytes, static_cast<size_t>(got));
        return got > 0;
    }
    void FinishSending() { ::shutdown(fd_, SHUT_WR); }
    void Reset() {
        const linger hard{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
        ::close(fd_);
        fd_ = -1;
    }
    int fd() const { return fd_; }

  private:
    int fd_;
    bool connected_ = false;
    std::string received_;
};

void Echo(Request&& request, const Respond& respond) {
    Response response = Response::Text(
        200, std::string(MethodName(request.method)) + " " + request.target + " " + request.body);
    respond(std::move(response));
}

std::unique_ptr<Server> Serve(ServerOptions options, Handler handler = Echo) {
    options.listeners.resize(1);
    options.listeners[0].handler = std::move(handler);
    auto server = Server::Create(std::move(options));
    EXPECT_TRUE(server);
    return std::move(*server);
}

std::string Post(std::string_view body, std::string_view fields = "") {
    return "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

ClientOptions To(const Server& server) {
    ClientOptions options;
    options.endpoint.host = "127.0.0.1";
    options.endpoint.port = server.port();
    return options;
}

template <typename Condition>
bool Eventually(Condition condition) {
    for (int i = 0; i < 2000; ++i) {
        if (condition()) return true;
        ::poll(nullptr, 0, 5);
    }
    return false;
}

TEST(Server, AnswersAndKeepsTheConnection) {
    const auto server = Serve({});
    Client client(To(*server));
    for (int i = 0; i < 3; ++i) {
        Call call;
        call.method = Method::kPost;
        call.target = "/v1/batch?x=1";
        call.body = "hello";
        const auto answer = client.Send(call);
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->status, 200);
        EXPECT_EQ(answer->body, "POST /v1/batch?x=1 hello");
        EXPECT_EQ(answer->headers.Find("Server"), std::nullopt);
        EXPECT_TRUE(answer->headers.Find("Date"));
    }
    EXPECT_EQ(server->counts().connections_total, 1U);
    EXPECT_EQ(server->counts().requests, 3U);
    EXPECT_EQ(server->counts().body_bytes_in_flight, 0U);
}

TEST(Server, PipelinedRequestsAreAnsweredInOrder) {
    std::vector<std::thread> threads;
    std::mutex mutex;
    // Later requests would be done sooner, if they were begun.
    const auto server = Serve({}, [&](Request&& request, Respond respond) {
        const std::lock_guard lock(mutex);
        threads.emplace_back([target = request.target, respond = std::move(respond)] {
            respond(Response::Text(200, "<" + target + ">"));
        });
    });
    Wire wire(server->port());
    std::string all;
    for (int i = 0; i < 50; ++i) {
        all += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
    }
    all += "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    wire.Send(all);
    const std::string answers = wire.ReadAll();
    size_t at = 0;
    for (int i = 0; i < 50; ++i) {
        const size_t found = answers.find("</" + std::to_string(i) + ">", at);
        ASSERT_NE(found, std::string::npos) << i;
        at = found;
    }
    EXPECT_NE(answers.find("</last>", at), std::string::npos);
    for (std::thread& thread : threads) thread.join();
}

TEST(Server, ThousandsOfPipelinedRequestsWithSyncAnswers) {
    const auto server = Serve({});
    Wire wire(server->port());
    std::thread sender([&] {
        std::string all;
        for (int i = 0; i < 3000; ++i) all += Post("b");
        wire.Send(all + Post("end", "Connection: close\r\n"));
    });
    const std::string answers = wire.ReadAll();
    sender.join();
    size_t count = 0;
    for (size_t at = 0; (at = answers.find("HTTP/1.1 200", at)) != std::string::npos; ++at) ++count;
    EXPECT_EQ(count, 3001U);
}

TEST(Server, UnreadBodyNeverBecomesARequest) {
    const auto server = Serve({});
    Wire wire(server->port());
    const std::string hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
    wire.Send("GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(hidden.size()) +
              "\r\n\r\n" + hidden + "GET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const std::string answers = wire.ReadAll();
    EXPECT_EQ(answers.find("hidden"), std::string::npos);
    EXPECT_NE(answers.find("GET /b"), std::string::npos);
    EXPECT_EQ(server->counts().requests, 2U);
}

TEST(Server, MalformedIsAnsweredWith400AndClosed) {
    const auto server = Serve({});
    for (const char* bytes :
         {"nonsense\r\n\r\n", "\x16\x03\x01", "GET / HTTP/1.1\r\nHost: a\n\r\n",
          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
          "0\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n"}) {
        Wire wire(server->port());
        wire.Send(bytes);
        wire.FinishSending();
        const std::string answer = wire.ReadAll();
        EXPECT_EQ(answer.rfind("HTTP/1.1 400 Bad Request\r\n", 0), 0U) << answer;
        EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
        EXPECT_EQ(answer.find("HTTP/1.1", 8), std::string::npos) << answer;
    }
    EXPECT_EQ(server->counts().requests, 0U);
    EXPECT_EQ(server->counts().refused, 4U);
}

TEST(Server, TooLargeHeadsGet431And414) {
    const auto server = Serve({});
    Wire fields(server->port());
    fields.Send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(1'000'000, 'x'));
    EXPECT_EQ(fields.ReadAll().rfind("HTTP/1.1 431", 0), 0U);
    Wire target(server->port());
    target.Send("GET /" + std::string(1'000'000, 'x'));
    EXPECT_EQ(target.ReadAll().rfind("HTTP/1.1 414", 0), 0U);
}

TEST(Server, BodyLimitFollowsTheRoute) {
    ServerOptions options;
    options.body_limit = [](const Request& head) { return head.path == "/big" ? 20U : 10U; };
    const auto server = Serve(std::move(options));
    Client client(To(*server));
    const auto status = [&](const char* target, size_t size) {
        const std::string body(size, 'x');
        Call call;
        call.method = Method::kPost;
        call.target = target;
        call.body = body;
        const auto answer = client.Send(call);
        return answer ? answer->status : -1;
    };
    EXPECT_EQ(status("/small", 10), 200);
    EXPECT_EQ(status("/small", 11), 413);
    EXPECT_EQ(status("/big", 20), 200);
    EXPECT_EQ(status("/big", 21), 413);
}

TEST(Server, RefusalOfALargeBodyReachesTheClient) {
    const auto server = Serve({});
    const std::string body(8 * 1024 * 1024, 'x');
    Client client(To(*server));
    Call call;
    call.method = Method::kPost;
    call.body = body;
    const auto answer = client.Send(call);
    ASSERT_TRUE(answer) << answer.error().internal;
    EXPECT_EQ(answer->status, 413);
}

TEST(Server, EndlessChunksStopAtTheLimit) {
    const auto server = Serve({});
    Wire wire(server->port());
    wire.Send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "10000\r\n" + std::string(65536, 'x') + "\r\n";
    for (size_t i = 0; i <= limits::kBatchBytesMax / 65536; ++i) wire.Send(chunk);
    EXPECT_EQ(wire.ReadAll().rfind("HTTP/1.1 413", 0), 0U);
    EXPECT_TRUE(Eventually([&] { return server->counts().body_bytes_in_flight == 0; }));
}

TEST(Server, BodiesInFlightHaveALimit) {
    ServerOptions options;
    options.bodies_in_flight_bytes_max = 1000;
    std::mutex mutex;
    std::vector<Respond> held;
    const auto server = Serve(std::move(options), [&](Request&& request, Respond respond) {
        if (request.path != "/hold") return respond(Response::Text(200, "now"));
        const std::lock_guard lock(mutex);
        held.push_back(std::move(respond));
    });
    Wire first(server->port());
    first.Send("POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 600\r\n\r\n" +
               std::string(600, 'x'));
    ASSERT_TRUE(Eventually([&] { return server->counts().requests == 1; }));
    Wire fits(server->port());
    fits.Send(Post(std::string(400, 'x'), "Connection: close\r\n"));
    EXPECT_EQ(fits.ReadAll().rfind("HTTP/1.1 200", 0), 0U);
    Wire beyond(server->port());
    beyond.Send(Post(std::string(401, 'x')));
    const std::string answer = beyond.ReadAll();
    EXPECT_EQ(answer.rfind("HTTP/1.1 503", 0), 0U);
    EXPECT_NE(answer.find("\r\nRetry-After: 5\r\n"), std::string::npos);
    {
        const std::lock_guard lock(mutex);
        held.clear();  // Dropped unanswered.
    }
    EXPECT_EQ(first.ReadUntil("\r\n\r\n").rfind("HTTP/1.1 500", 0), 0U);
    EXPECT_EQ(server->counts().body_bytes_in_flight, 0U);
}

TEST(Server, RetryAfterComesWithEvery429And503) {
    const auto server = Serve({}, [](Request&& request, Respond respond) {
        Response response = Response::Empty(request.path == "/429" ? 429 : 503);
        if (request.query.Find("own")) response.headers.Add("Retry-After", "77");
        respond(std::move(response));
    });
    Client client(To(*server));
    const auto retry_after = [&](const char* target) {
        Call call;
        call.target = target;
        return std::string(client.Send(call)->headers.Get("Retry-After"));
    };
    EXPECT_EQ(retry_after("/429"), "5");
    EXPECT_EQ(retry_after("/503"), "5");
    EXPECT_EQ(retry_after("/429?own"), "77");
}

TEST(Server, SlowHeadSlowBodyAndIdleAreClosed) {
    ServerOptions options;
    options.header_time_ms = 60;
    options.idle_time_ms = 60;
    options.body_grace_ms = 60;
    const auto server = Serve(std::move(options));
    Wire silent(server->port());
    EXPECT_EQ(silent.ReadAll(), "");
    Wire head(server->port());
    head.Send("GET / HTTP/1.1\r\nHo");
    EXPECT_EQ(head.ReadAll().rfind("HTTP/1.1 408", 0), 0U);
    Wire body(server->port());
    body.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nab");
    EXPECT_EQ(body.ReadAll().rfind("HTTP/1.1 408", 0), 0U);
    Wire idle(server->port());
    idle.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(idle.ReadAll().rfind("HTTP/1.1 200", 0), 0U);
    EXPECT_EQ(server->counts().timed_out, 3U);
    EXPECT_TRUE(Eventually([&] { return server->counts().connections_open == 0; }));
}

TEST(Server, TricklingBodyBelowTheRateIsClosed) {
    ServerOptions options;
    options.body_grace_ms = 50;
    options.body_bytes_per_second_min = 1'000'000;
    const auto server = Serve(std::move(options));
    Wire wire(server->port());
    wire.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
    std::atomic<bool> done = false;
    std::thread trickle([&] {
        while (!done) {
            wire.Send("x");
            ::poll(nullptr, 0, 5);
        }
    });
    EXPECT_EQ(wire.ReadUntil("\r\n").rfind("HTTP/1.1 408", 0), 0U);
    done = true;
    trickle.join();
}

TEST(Server, ReaderWhoDoesNotReadIsClosed) {
    ServerOptions options;
    options.idle_time_ms = 60;
    const auto server = Serve(std::move(options), [](Request&&, Respond respond) {
        respond(Response::Text(200, std::string(32 * 1024 * 1024, 'x')));
    });
    Wire wire(server->port());
    wire.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(Eventually([&] { return server->counts().timed_out == 1; }));
    EXPECT_EQ(server->counts().connections_open, 0U);
}

TEST(Server, ExpectedContinueIsGivenOnce) {
    const auto server = Serve({});
    Wire wire(server->port());
    wire.Send(
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n"
        "Connection: close\r\n\r\n");
    EXPECT_EQ(wire.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    wire.Send("ab");
    wire.Send("cd");
    const std::string all = wire.ReadAll();
    EXPECT_EQ(all.find("100 Continue", 12), std::string::npos);
    EXPECT_NE(all.find("POST / abcd"), std::string::npos);
}

TEST(Server, ExpectationOfATooLargeBodyIsRefusedAtOnce) {
    const auto server = Serve({});
    Wire wire(server->port());
    wire.Send(
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
    EXPECT_EQ(wire.ReadUntil("\r\n").rfind("HTTP/1.1 413", 0), 0U);
}

TEST(Server, HeadHasLengthAndNoBody) {
    const auto server = Serve({});
    Wire wire(server->port());
    wire.Send("HEAD /h HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const std::string answer = wire.ReadAll();
    EXPECT_NE(answer.find("Content-Length: 8\r\n"), std::string::npos);
    EXPECT_EQ(answer.substr(answer.find("\r\n\r\n")), "\r\n\r\n");
}

TEST(Server, EmptyAnswersHaveNoLength) {
    const auto server = Serve({}, [](Request&&, Respond respond) {
        Response response = Response::Text(204, "never sent");
        respond(std::move(response));
    });
    Wire wire(server->port());
    wire.Send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const std::string answer = wire.ReadAll();
    EXPECT_EQ(answer.find("Content-Length"), std::string::npos);
    EXPECT_EQ(answer.find("never sent"), std::string::npos);
}

TEST(Server, Http10ClosesUnlessAsked) {
    const auto server = Serve({});
    Wire wire(server->port());
    wire.Send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_NE(wire.ReadUntil("GET /a ").find("Connection: keep-alive\r\n"), std::string::npos);
    wire.Send("GET /b HTTP/1.0\r\n\r\n");
    EXPECT_NE(wire.ReadAll().find("GET /b"), std::string::npos);
}

TEST(Server, FieldValuesCannotBeginANewLine) {
    const auto server = Serve({}, [](Request&&, Respond respond) {
        Response response = Response::Empty(200);
        response.headers.Add("X-Name", "a\r\nSet-Cookie: b=c");
        respond(std::move(response));
    });
    Client client(To(*server));
    const auto answer = client.Send(Call{});
    EXPECT_EQ(answer->headers.Find("Set-Cookie"), std::nullopt);
    EXPECT_EQ(answer->headers.Get("X-Name"), "a  Set-Cookie: b=c");
}

TEST(Server, EachListenerHasItsHandler) {
    ServerOptions options;
    options.listeners.resize(3);
    for (size_t i = 0; i < 3; ++i) {
        options.listeners[i].handler = [i](Request&& request, Respond respond) {
            EXPECT_EQ(request.listener, i);
            EXPECT_EQ(request.peer_address, i == 2 ? "::1" : "127.0.0.1");
            respond(Response::Text(200, std::to_string(i)));
        };
    }
    options.listeners[2].address = "::1";
    auto server = Server::Create(std::move(options));
    if (!server) GTEST_SKIP() << "no IPv6 loopback: " << server.error().internal;
    for (size_t i = 0; i < 3; ++i) {
        ClientOptions to;
        to.endpoint.host = i == 2 ? "::1" : "127.0.0.1";
        to.endpoint.port = (*server)->port(i);
        EXPECT_EQ(Client(to).Send(Call{})->body, std::to_string(i));
    }
}

TEST(Server, PortInUseNamesTheAddress) {
    const auto first = Serve({});
    ServerOptions options;
    options.listeners.resize(1);
    options.listeners[0].port = first->port();
    options.listeners[0].handler = Echo;
    const auto second = Server::Create(std::move(options));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, base::ErrorCode::kConflict);
    EXPECT_EQ(second.error().internal,
              "127.0.0.1:" + std::to_string(first->port()) + " is in use by another program");
}

TEST(Server, UnixSocketIsPrivateAndReplacesAStaleOne) {
    const std::string path = std::filesystem::temp_directory_path() /
                             ("http_test_" + std::to_string(::getpid()) + ".sock");
    const auto open = [&] {
        ServerOptions options;
        options.listeners.resize(1);
        options.listeners[0].unix_path = path;
        options.listeners[0].handler = Echo;
        return Server::Create(std::move(options));
    };
    const int stale = ::socket(AF_UNIX, SOCK_STREAM, 0);
    {
        auto server = open();
        ASSERT_TRUE(server) << server.error().internal;
        struct stat state {};
        ASSERT_EQ(::stat(path.c_str(), &state), 0);
        EXPECT_EQ(state.st_mode & 0777, 0600U);
        ClientOptions to;
        to.endpoint.unix_path = path;
        EXPECT_EQ(Client(to).Send(Call{})->body, "GET / ");
        const auto second = open();
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, base::ErrorCode::kConflict);
        std::filesystem::rename(path, path + ".kept");
    }
    std::filesystem::rename(path + ".kept", path);  // Nobody listens there any more.
    auto server = open();
    EXPECT_TRUE(server) << server.error().internal;
    server = tl::make_unexpected(base::Error{});
    EXPECT_FALSE(std::filesystem::exists(path));
    ::close(stale);
}

TEST(Server, ConnectionsPerAddressHaveALimit) {
    ServerOptions options;
    options.connections_per_address_max = 2;
    const auto server = Serve(std::move(options));
    Wire first(server->port());
    auto second = std::make_unique<Wire>(server->port());
    ASSERT_TRUE(Eventually([&] { return server->counts().connections_open == 2; }));
    Wire third(server->port());
    EXPECT_EQ(third.ReadAll(), "");
    EXPECT_EQ(server->counts().address_limit_closed, 1U);
    second.reset();
    ASSERT_TRUE(Eventually([&] { return server->counts().connections_open == 1; }));
    Wire fourth(server->port());
    fourth.Send("GET / HTTP/1.0\r\n\r\n");
    EXPECT_NE(fourth.ReadAll().find("200 OK"), std::string::npos);
}

TEST(Server, AcceptingPausesAtTheLimitAndGoesOn) {
    ServerOptions options;
    options.connections_max = 1;
    options.threads = 2;
    const auto server = Serve(std::move(options));
    auto first = std::make_unique<Wire>(server->port());
    ASSERT_TRUE(Eventually([&] { return server->counts().connections_open == 1; }));
    Wire second(server->port());  // Waits in the backlog.
    second.Send("GET / HTTP/1.0\r\n\r\n");
    pollfd state{second.fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&state, 1, 100), 0);
    first.reset();
    EXPECT_NE(second.ReadAll().find("200 OK"), std::string::npos);
}

TEST(Server, SecondAnswerIsIgnored) {
    const auto server = Serve({}, [](Request&&, Respond respond) {
        respond(Response::Text(200, "first"));
        respond(Response::Text(200, "second"));
    });
    Client client(To(*server));
    EXPECT_EQ(client.Send(Call{})->body, "first");
    EXPECT_EQ(client.Send(Call{})->body, "first");
}

TEST(Server, StopLetsRequestsFinish) {
    std::mutex mutex;
    std::optional<Respond> held;
    std::atomic<bool> arrived = false;
    auto server = Serve({}, [&](Request&&, Respond respond) {
        const std::lock_guard lock(mutex);
        held = std::move(respond);
        arrived = true;
    });
    Wire idle(server->port());
    Wire busy(server->port());
    busy.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_TRUE(Eventually([&] { return arrived.load(); }));
    std::thread stopper([&] { server->Stop(10'000); });
    EXPECT_EQ(idle.ReadAll(), "");  // Closed at once.
    {
        const std::lock_guard lock(mutex);
        (*held)(Response::Text(200, "finished"));
    }
    const std::string answer = busy.ReadAll();
    stopper.join();
    EXPECT_NE(answer.find("finished"), std::string::npos);
    EXPECT_NE(answer.find("Connection: close"), std::string::npos);
}

TEST(Server, StopClosesWhatIsLeftAndLateAnswersAreHarmless) {
    std::mutex mutex;
    std::optional<Respond> held;
    std::atomic<bool> arrived = false;
    auto server = Serve({}, [&](Request&&, Respond respond) {
        const std::lock_guard lock(mutex);
        held = std::move(respond);
        arrived = true;
    });
    Wire busy(server->port());
    busy.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_TRUE(Eventually([&] { return arrived.load(); }));
    server->Stop(20);
    EXPECT_EQ(busy.ReadAll(), "");
    server.reset();
    const std::lock_guard lock(mutex);
    EXPECT_TRUE(held->client_gone());
    (*held)(Response::Text(200, "late"));
    held.reset();
}

TEST(Server, StreamedAnswerIsPulledByTheReader) {
    std::atomic<int> asked = 0;
    const auto server = Serve({}, [&](Request&&, Respond respond) {
        Response response;
        response.source = [&asked](const PieceDone& done) {
            const int number = ++asked;
            if (number == 1000) return done({Piece::Kind::kEnd, {}});
            done({Piece::Kind::kData, std::string(65536, static_cast<char>('a' + number % 26))});
        };
        respond(std::move(response));
    });
    Wire wire(server->port());
    wire.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    wire.ReadUntil("\r\n\r\n");
    int before = -1;
    // Nobody reads: the socket fills and the source is left alone.
    EXPECT_TRUE(Eventually([&] {
        const int now = asked;
        return std::exchange(before, now) == now;
    }));
    EXPECT_LT(before, 500);

    asked = 0;
    Client client(To(*server));
    size_t bytes = 0;
    Call call;
    call.on_body = [&](std::string_view piece) {
        bytes += piece.size();
        return base::Status();
    };
    const auto answer = client.Send(call);
    ASSERT_TRUE(answer) << answer.error().internal;
    EXPECT_EQ(answer->headers.Get("Transfer-Encoding"), "chunked");
    EXPECT_EQ(answer->body, "");
    EXPECT_EQ(bytes, 999U * 65536U);
    EXPECT_TRUE(client.connected());
}

TEST(Server, AbortedStreamIsSeenAsNotWhole) {
    const auto server = Serve({}, [](Request&&, Respond respond) {
        Response response;
        response.source = [count = 0](const PieceDone& done) mutable {
            if (++count == 1) return done({Piece::Kind::kData, "part"});
            done({Piece::Kind::kAbort, {}});
        };
        respond(std::move(response));
    });
    Client client(To(*server));
    const auto answer = client.Send(Call{});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, base::ErrorCode::kOutcomeUnknown);
}

TEST(Server, DroppedPieceAbortsAndPiecesComeFromOtherThreads) {
    std::vector<std::thread> threads;
    const auto server = Serve({}, [&](Request&& request, Respond respond) {
        Response response;
        const bool drop = request.path == "/drop";
        response.source = [&threads, drop, count = 0](PieceDone done) mutable {
            if (drop) return;
            threads.emplace_back([done = std::move(done), number = ++count] {
                if (number > 5) return done({Piece::Kind::kEnd, {}});
                done({Piece::Kind::kData, std::to_string(number)});
            });
        };
        respond(std::move(response));
    });
    Client client(To(*server));
    EXPECT_EQ(client.Send(Call{})->body, "12345");
    Call drop;
    drop.target = "/drop";
    EXPECT_FALSE(client.Send(drop));
    for (std::thread& thread : threads) thread.join();
}

TEST(Server, SourceIsDestroyedWhenTheReaderGoes) {
    std::weak_ptr<int> alive;
    std::mutex mutex;
    std::vector<PieceDone> waiting;
    ServerOptions options;
    options.header_time_ms = 40;  // Sweeps often.
    const auto server = Serve(std::move(options), [&](Request&&, Respond respond) {
        const auto token = std::make_shared<int>(1);
        alive = token;
        Response response;
        response.source = [&, token](PieceDone done) {
            const std::lock_guard lock(mutex);
            waiting.push_back(std::move(done));
        };
        respond(std::move(response));
    });
    Wire wire(server->port());
    wire.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    wire.ReadUntil("\r\n\r\n");
    wire.Reset();
    EXPECT_TRUE(Eventually([&] { return server->counts().connections_open == 0; }));
    EXPECT_TRUE(Eventually([&] { return alive.expired(); }));
    const std::lock_guard lock(mutex);
    for (const PieceDone& done : waiting) done({Piece::Kind::kData, "late"});
    waiting.clear();
}

TEST(Server, ManyConnectionsAtOnceOnSeveralThreads) {
    ServerOptions options;
    options.threads = 3;
    const auto server = Serve(std::move(options));
    std::vector<std::thread> threads;
    std::atomic<int> good = 0;
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back([&, t] {
            Client client(To(*server));
            for (int i = 0; i < 200; ++i) {
                const std::string body(static_cast<size_t>(i * 97 % 70'000 + t), 'q');
                Call call;
                call.method = Method::kPost;
                call.body = body;
                const auto answer = client.Send(call);
                if (answer && answer->body == "POST / " + body) ++good;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(good, 8 * 200);
    EXPECT_EQ(server->counts().body_bytes_in_flight, 0U);
}

}  // namespace
}  // namespace http
