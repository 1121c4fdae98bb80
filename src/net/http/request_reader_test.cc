#include "net/http/request_reader.h"

#include <gtest/gtest.h>

#include <optional>

#include "base/limits.h"

namespace http {
namespace {

using State = RequestReader::State;

const HeadLimits kLimits{limits::kHeaderBytesMax, limits::kHeadersMax, limits::kTargetBytesMax};

struct Outcome {
    State state = State::kHead;
    int status = 0;
    size_t used = 0;
    std::optional<Request> request;
    bool keep_alive = false;
};

Outcome Read(std::string_view bytes, size_t step = SIZE_MAX, size_t body_max = 1024 * 1024) {
    const RequestReader::BodyLimit body_limit = [&](const Request&) { return body_max; };
    RequestReader reader(kLimits, &body_limit);
    Outcome outcome;
    while (outcome.used < bytes.size()) {
        outcome.used += reader.Take(bytes.substr(outcome.used, step));
        if (reader.state() == State::kDone || reader.state() == State::kRefused) break;
    }
    outcome.state = reader.state();
    outcome.status = reader.refusal_status();
    outcome.keep_alive = reader.keep_alive();
    if (reader.state() == State::kDone) outcome.request = reader.Release();
    return outcome;
}

// Refused with that status, whole and byte by byte.
void ExpectRefused(int status, std::string_view bytes) {
    for (const size_t step : {SIZE_MAX, size_t{1}}) {
        const Outcome outcome = Read(bytes, step);
        EXPECT_EQ(outcome.state, State::kRefused) << bytes.substr(0, 200);
        EXPECT_EQ(outcome.status, status) << bytes.substr(0, 200);
    }
}

Request Good(std::string_view bytes) {
    for (const size_t step : {size_t{1}, size_t{7}}) {
        EXPECT_EQ(Read(bytes, step).state, State::kDone) << bytes.substr(0, 200);
    }
    Outcome outcome = Read(bytes);
    EXPECT_EQ(outcome.state, State::kDone) << bytes.substr(0, 200) << outcome.status;
    return outcome.request ? std::move(*outcome.request) : Request();
}

std::string Get(std::string_view fields) {
    return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

std::string Post(std::string_view fields, std::string_view body) {
    return "POST /v1/batch HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" +
           std::string(body);
}

TEST(RequestReader, ReadsLineFieldsAndBody) {
    const Request request = Good(
        "POST /v1/t?writeKey=k%201&b HTTP/1.1\r\nhOsT: a.example:80\r\nX-A:  two words \t\r\n"
        "Content-Length: 5\r\n\r\nhello");
    EXPECT_EQ(request.method, Method::kPost);
    EXPECT_EQ(request.path, "/v1/t");
    EXPECT_EQ(request.query.Get("writeKey"), "k 1");
    EXPECT_EQ(request.query.Find("b"), "");
    EXPECT_EQ(request.headers.Get("x-a"), "two words");
    EXPECT_EQ(request.headers.Get("Host"), "a.example:80");
    EXPECT_EQ(request.body, "hello");
    EXPECT_GE(request.PaddedBody().capacity, request.body.size() + kBodyPadding);
}

TEST(RequestReader, EmptyFieldValueIsAField) {
    EXPECT_EQ(Good(Get("X-Empty:\r\n")).headers.Find("x-empty"), "");
}

TEST(RequestReader, TakesOneRequestAndLeavesTheNext) {
    const std::string first = Post("Content-Length: 2\r\n", "ab");
    const Outcome outcome = Read(first + Get(""));
    EXPECT_EQ(outcome.used, first.size());
    EXPECT_EQ(outcome.request->body, "ab");
}

TEST(RequestReader, BodyOfGetIsReadAndDropped) {
    const std::string bytes =
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 14\r\n\r\nGET /x HTTP/1.";
    const Outcome outcome = Read(bytes + "1");
    EXPECT_EQ(outcome.used, bytes.size());
    EXPECT_EQ(outcome.request->body, "");
}

TEST(RequestReader, ReadsChunksAndDropsExtensionsAndTrailers) {
    const Request request =
        Good(Post("Transfer-Encoding: Chunked\r\n",
                  "5;a=b\r\nhello\r\n00A\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n"));
    EXPECT_EQ(request.body, "hello0123456789");
    EXPECT_GE(request.PaddedBody().capacity, request.body.size() + kBodyPadding);
    EXPECT_EQ(request.headers.Find("X-Sum"), std::nullopt);
}

TEST(RequestReader, AmbiguousFramingIsRefused) {
    ExpectRefused(400, Post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"));
    ExpectRefused(400, Post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"));
    ExpectRefused(400, Post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"));
    ExpectRefused(400, Post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"));
    ExpectRefused(400, Post("Content-Length: 5, 5\r\n", "hello"));
    for (const char* length : {"+5", "-1", "0x5", "5 5", "5a", "1e3", "", "99999999999999999999"}) {
        ExpectRefused(400, Post("Content-Length: " + std::string(length) + "\r\n", "hello"));
    }
    for (const char* coding : {"chunked, chunked", "gzip, chunked", "chunked, gzip", "\"chunked\"",
                               "chunked;q=1", ", chunked",
                               "\x0b"
                               "chunked"}) {
        ExpectRefused(400, Post("Transfer-Encoding: " + std::string(coding) + "\r\n", "0\r\n\r\n"));
    }
    ExpectRefused(400, Post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", ""));
    ExpectRefused(501, Post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"));
    ExpectRefused(501, Post("Transfer-Encoding: identity\r\n", "0\r\n\r\n"));
    ExpectRefused(400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    ExpectRefused(400, Post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"));
    ExpectRefused(400, Post("Content-Length : 5\r\n", "hello"));
}

TEST(RequestReader, UpgradeWithBodyIsRefused) {
    ExpectRefused(400, Get("Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n"));
    ExpectRefused(400, Get("Connection: upgrade\r\nUpgrade: websocket\r\n"
                           "Transfer-Encoding: chunked\r\n"));
    Good(Get("Connection: upgrade\r\nUpgrade: websocket\r\n"));
    // Java's client offers h2c with every request and goes on in HTTP/1.1.
    Good(Post("Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n", "a"));
}

TEST(RequestReader, BadChunksAreRefused) {
    for (const char* body :
         {"5\nhello\r\n0\r\n\r\n", "g\r\n", "\r\nhello\r\n", "-1\r\n", "5 \r\nhello\r\n",
          "0x5\r\nhello\r\n", "5\r\nhelloX0\r\n\r\n", "5\r\nhello\n0\r\n\r\n",
          "5\r\nhello\r\r0\r\n\r\n", "000000005\r\nhello\r\n", "5;a\nb\r\nhello\r\n",
          "5;a\x01\r\nhello\r\n", "0\r\nX\r\n\r\n", "0\r\n X: 1\r\n\r\n", "0\r\nX: 1\n\r\n",
          "0\r\n\r\r", "5;\rX\r\nhello\r\n"}) {
        ExpectRefused(400, Post("Transfer-Encoding: chunked\r\n", body));
    }
}

TEST(RequestReader, ExtensionsOfChunksHaveALimit) {
    const auto with = [](size_t size) {
        return Post("Transfer-Encoding: chunked\r\n",
                    "1;" + std::string(size, 'x') + "\r\na\r\n0\r\n\r\n");
    };
    // The CR that ends the extension counts with it.
    EXPECT_EQ(Read(with(limits::kChunkOverheadBytesMax - 1)).state, State::kDone);
    EXPECT_EQ(Read(with(limits::kChunkOverheadBytesMax)).status, 400);
}

TEST(RequestReader, LineEndsAreCrLfAlone) {
    ExpectRefused(400, "GET / HTTP/1.1\nHost: a\n\n");
    ExpectRefused(400, "GET / HTTP/1.1\r\nHost: a\n\r\n");
    ExpectRefused(400, "GET / HTTP/1.1\r\nHost: a\r\n\n");
    ExpectRefused(400, "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n");
    ExpectRefused(400, "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n");
    ExpectRefused(400, "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ExpectRefused(400, "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    Good("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST(RequestReader, MalformedHeadsAreRefused) {
    ExpectRefused(400, "\x16\x03\x01\x02");
    ExpectRefused(400, " GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ExpectRefused(400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n");
    ExpectRefused(400, "GET / \r\nHost: a\r\n\r\n");
    ExpectRefused(400, "GET /\r\nHost: a\r\n\r\n");
    ExpectRefused(400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n");
    ExpectRefused(400, "GET / http/1.1\r\nHost: a\r\n\r\n");
    ExpectRefused(400, "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n");
    ExpectRefused(400, "GET / HTTP/1.1\r\n X: a\r\nHost: a\r\n\r\n");
    ExpectRefused(400, Get("No colon\r\n"));
    ExpectRefused(400, Get(": no name\r\n"));
    ExpectRefused(400, Get("X Y: a\r\n"));
    ExpectRefused(400, Get(std::string("X: a\0b\r\n", 8)));
    ExpectRefused(400, Get("X: a\x01\r\n"));
    ExpectRefused(400, Get("X\x80: a\r\n"));
    ExpectRefused(400, "G@T / HTTP/1.1\r\nHost: a\r\n\r\n");
    ExpectRefused(505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n");
    ExpectRefused(505, "GET / HTTP/1.2\r\nHost: a\r\n\r\n");
    ExpectRefused(501, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n");
    ExpectRefused(501, "get / HTTP/1.1\r\nHost: a\r\n\r\n");
    ExpectRefused(501, "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n");
    ExpectRefused(501, "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n");
    ExpectRefused(417, Get("Expect: 200-ok\r\n"));
}

TEST(RequestReader, ExactlyOneHost) {
    ExpectRefused(400, "GET / HTTP/1.1\r\n\r\n");
    ExpectRefused(400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n");
    ExpectRefused(400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n");
    ExpectRefused(400, "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n");
    ExpectRefused(400, "GET / HTTP/1.1\r\nHost: user@a\r\n\r\n");
    Good("GET / HTTP/1.1\r\nHost:\r\n\r\n");
    Good("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n");
    Good("GET / HTTP/1.0\r\n\r\n");
}

TEST(RequestReader, TargetsAreRootedPlainAndDecodedOnce) {
    const auto line = [](std::string_view target) {
        return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
    };
    for (const char* bad : {"/..", "/a/../b", "/a/./b", "/%2e%2e/b", "/a/.%2E", "/a%2f..%2fb",
                            "/a%5c..", "/a\\b", "/%00", "/%", "/%4", "/%zz", "a", "*", "ftp://a/",
                            "http:///", "/#f", "/\x80", "//../x"}) {
        ExpectRefused(400, line(bad));
    }
    EXPECT_EQ(Good(line("/%252e%252e/x")).path, "/%2e%2e/x");
    EXPECT_EQ(Good(line("/a%20b")).path, "/a b");
    EXPECT_EQ(Good(line("/a+b")).path, "/a+b");
    EXPECT_EQ(Good(line("/...")).path, "/...");
    EXPECT_EQ(Good(line("/a?x=..&y=%2e")).path, "/a");
    EXPECT_EQ(Good(line("http://other/a?b=c")).target, "/a?b=c");
    EXPECT_EQ(Good(line("HTTP://other?b=c")).target, "/?b=c");
    EXPECT_EQ(Good(line("http://other")).target, "/");
    EXPECT_EQ(Good("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").path, "*");
    const auto segments = Good(line("/v1/persons/a%2Fb?x")).Segments();
    EXPECT_EQ(segments, (std::vector<std::string>{"v1", "persons", "a/b"}));
}

TEST(RequestReader, TargetLimitHasBothSides) {
    const auto with = [](size_t size) {
        return "GET /" + std::string(size - 1, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
    };
    Good(with(limits::kTargetBytesMax));
    ExpectRefused(414, with(limits::kTargetBytesMax + 1));
    ExpectRefused(414, "GET /" + std::string(1'000'000, 'a'));
}

TEST(RequestReader, HeaderLimitsHaveBothSides) {
    // The field lines with their ends, up to the line end of the last one.
    const auto of_bytes = [](size_t size) {
        const std::string start = "Host: a\r\nX: ";
        return "GET / HTTP/1.1\r\n" + start + std::string(size - start.size() - 1, 'x') +
               "\r\n\r\n";
    };
    EXPECT_EQ(Read(of_bytes(limits::kHeaderBytesMax - 2)).state, State::kDone);
    ExpectRefused(431, of_bytes(limits::kHeaderBytesMax + 1));
    ExpectRefused(431, Get("X: " + std::string(1'000'000, 'x')));
    const auto of_fields = [](size_t count) {
        std::string fields;
        for (size_t i = 1; i < count; ++i) fields += "X: y\r\n";
        return Get(fields);
    };
    EXPECT_EQ(Good(of_fields(limits::kHeadersMax)).headers.size(), limits::kHeadersMax);
    ExpectRefused(431, of_fields(limits::kHeadersMax + 1));
}

TEST(RequestReader, BodyLimitHasBothSides) {
    const std::string body(1000, 'x');
    const std::string whole = Post("Content-Length: 1000\r\n", body);
    EXPECT_EQ(Read(whole, SIZE_MAX, 1000).state, State::kDone);
    EXPECT_EQ(Read(whole, SIZE_MAX, 999).status, 413);
    const std::string chunks =
        Post("Transfer-Encoding: chunked\r\n",
             "1f4\r\n" + body.substr(500) + "\r\n1f4\r\n" + body.substr(500) + "\r\n0\r\n\r\n");
    for (const size_t step : {SIZE_MAX, size_t{1}}) {
        EXPECT_EQ(Read(chunks, step, 1000).state, State::kDone);
        EXPECT_EQ(Read(chunks, step, 999).status, 413);
    }
    EXPECT_EQ(Read(Post("Transfer-Encoding: chunked\r\n", "ffffffff\r\n")).status, 413);
}

TEST(RequestReader, BodyIsReceivedInPlace) {
    RequestReader reader(kLimits, nullptr);
    const std::string body(200'000, 'b');
    reader.Take(Post("Content-Length: 200000\r\n", body.substr(0, 10)));
    size_t got = 10;
    while (reader.state() == State::kBody) {
        const auto room = reader.BodyRoom();
        ASSERT_GT(room.size, 0U);
        const size_t size = std::min<size_t>(room.size, 50'000);
        body.copy(room.data, size, got);
        got += size;
        reader.Filled(size);
    }
    EXPECT_EQ(got, body.size());
    EXPECT_EQ(reader.Release().body, body);
}

TEST(RequestReader, MemoryFollowsWhatHasCome) {
    RequestReader reader(kLimits, nullptr);
    reader.Take(Post("Content-Length: 4000000\r\n", "a"));
    EXPECT_LE(reader.body_bytes(), 1U);
    reader.BodyRoom();
    EXPECT_LE(reader.body_bytes(), 64U * 1024 + 1);
}

TEST(RequestReader, KeepAliveFollowsVersionAndConnection) {
    EXPECT_TRUE(Read(Get("")).keep_alive);
    EXPECT_FALSE(Read(Get("Connection: Close\r\n")).keep_alive);
    EXPECT_FALSE(Read(Get("Connection: x, close\r\n")).keep_alive);
    EXPECT_FALSE(Read("GET / HTTP/1.0\r\n\r\n").keep_alive);
    EXPECT_TRUE(Read("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
}

}  // namespace
}  // namespace http
