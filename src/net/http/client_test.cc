#include "net/http/client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace http {
namespace {

// Accepts one connection after the other; to each it gives the next answer once a whole head has
// come, again for every further head on it, then closes.
class Script {
  public:
    explicit Script(std::vector<std::vector<std::string>> connections)
        : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address);
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(::bind(fd_, generic, size), 0);
        EXPECT_EQ(::listen(fd_, 8), 0);
        EXPECT_EQ(::getsockname(fd_, generic, &size), 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this, connections = std::move(connections)] {
            for (const auto& answers : connections) Serve(answers);
        });
    }
    ~Script() {
        ::shutdown(fd_, SHUT_RDWR);
        thread_.join();
        ::close(fd_);
    }
    Script(const Script&) = delete;
    Script& operator=(const Script&) = delete;

    ClientOptions options() const {
        ClientOptions options;
        options.endpoint.host = "127.0.0.1";
        options.endpoint.port = port_;
        return options;
    }

  private:
    void Serve(const std::vector<std::string>& answers) const {
        const int peer = ::accept(fd_, nullptr, nullptr);
        if (peer < 0) return;
        for (const std::string& answer : answers) {
            std::string head;
            char byte = 0;
            while (!head.ends_with("\r\n\r\n") && ::recv(peer, &byte, 1, 0) == 1) {
                head.push_back(byte);
            }
            if (answer == "silence") {
                while (::recv(peer, &byte, 1, 0) == 1) {
                }
                break;
            }
            EXPECT_EQ(::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL),
                      static_cast<ssize_t>(answer.size()));
        }
        ::shutdown(peer, SHUT_WR);
        char rest[256];
        while (::recv(peer, rest, sizeof(rest), 0) > 0) {
        }
        ::close(peer);
    }

    int fd_;
    uint16_t port_ = 0;
    std::thread thread_;
};

base::Result<Answer> Ask(const std::string& answer, Method method = Method::kGet) {
    const Script script({{answer}});
    Client client(script.options());
    Call call;
    call.method = method;
    return client.Send(call);
}

base::ErrorCode CodeOf(const base::Result<Answer>& answer) {
    return answer ? base::ErrorCode::kInternal : answer.error().code;
}

TEST(HttpClient, ReadsEveryKindOfBody) {
    EXPECT_EQ(Ask("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")->body, "abc");
    EXPECT_EQ(Ask("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")->body, "abc");
    EXPECT_EQ(Ask("HTTP/1.1 200 OK\r\n\r\nabc")->body, "abc");
    EXPECT_EQ(Ask("HTTP/1.1 204 No Content\r\n\r\n")->status, 204);
    EXPECT_EQ(Ask("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
                  ->status, 201);
    EXPECT_EQ(Ask("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", Method::kHead)->body, "");
}

TEST(HttpClient, AnAnswerThatIsNotWholeIsAnError) {
    for (const char* answer :
         {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "nonsense\r\n\r\n"}) {
        EXPECT_EQ(CodeOf(Ask(answer, Method::kPost)), base::ErrorCode::kOutcomeUnknown) << answer;
    }
}

TEST(HttpClient, SafeCallsAreRepeatedOnADeadKeptConnection) {
    const std::string good = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n";
    const Script script({{good + "a"}, {good + "b"}});
    Client client(script.options());
    EXPECT_EQ(client.Send(Call{})->body, "a");
    EXPECT_TRUE(client.connected());
    const auto second = client.Send(Call{});
    ASSERT_TRUE(second) << second.error().internal;
    EXPECT_EQ(second->body, "b");
}

TEST(HttpClient, NothingListeningIsUnavailable) {
    ClientOptions options;
    {
        const Script script({});
        options = script.options();
    }
    Client client(options);
    EXPECT_EQ(CodeOf(client.Send(Call{})), base::ErrorCode::kUnavailable);
    options.endpoint.unix_path = "/nonexistent/socket";
    Client local(options);
    EXPECT_EQ(CodeOf(local.Send(Call{})), base::ErrorCode::kUnavailable);
}

TEST(HttpClient, SilenceIsATimeoutForReadersAndUnknownForWriters) {
    const Script script({{"silence"}, {"silence"}});
    ClientOptions options = script.options();
    options.idle_time_ms = 30;
    Client client(options);
    EXPECT_EQ(CodeOf(client.Send(Call{})), base::ErrorCode::kTimeout);
    Call post;
    post.method = Method::kPost;
    EXPECT_EQ(CodeOf(client.Send(post)), base::ErrorCode::kOutcomeUnknown);
    EXPECT_FALSE(client.connected());
}

TEST(HttpClient, CollectedBodyHasALimit) {
    for (const char* answer :
         {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n"}) {
        const Script script({{answer}, {answer}});
        ClientOptions options = script.options();
        options.answer_bytes_max = 4;
        EXPECT_EQ(Client(options).Send(Call{})->body, "abcd");
        options.answer_bytes_max = 3;
        EXPECT_EQ(CodeOf(Client(options).Send(Call{})), base::ErrorCode::kTooLarge);
    }
}

TEST(HttpClient, OnBodyGetsGoodAnswersAndCanStop) {
    const Script script({{"HTTP/1.1 500 No\r\nContent-Length: 3\r\n\r\nbad"},
                         {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"}});
    Client client(script.options());
    std::string seen;
    Call call;
    call.on_body = [&](std::string_view piece) -> base::Status {
        seen.append(piece);
        return base::Fail(base::ErrorCode::kInternal, "enough");
    };
    EXPECT_EQ(client.Send(call)->body, "bad");
    EXPECT_EQ(seen, "");
    client.Close();
    EXPECT_EQ(client.Send(call).error().internal, "enough");
    EXPECT_EQ(seen.substr(0, 1), "g");
}

TEST(HttpClient, FieldsAndTargetCannotBreakOut) {
    const Script script({});
    Client client(script.options());
    Call call;
    call.headers = {{"X", "a\r\nY: b"}};
    EXPECT_EQ(CodeOf(client.Send(call)), base::ErrorCode::kInvalidArgument);
    call.headers.clear();
    call.target = "/a HTTP/1.1\r\nX: y";
    EXPECT_EQ(CodeOf(client.Send(call)), base::ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace http
