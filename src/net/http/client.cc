#include "net/http/client.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "net/http/chunk_reader.h"
#include "net/http/head_parser.h"
#include "net/http/syntax.h"

namespace http {
namespace {

using base::ErrorCode;

constexpr size_t kReadBytes = 64 * 1024;

base::TimeMs NowMs() { return base::SteadyNanos() / 1'000'000; }

bool IsSafe(Method method) {
    return method == Method::kGet || method == Method::kHead || method == Method::kOptions;
}

class Socket {
  public:
    Socket() = default;
    explicit Socket(int fd) : fd_(fd) {}
    ~Socket() { Close(); }
    Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Socket& operator=(Socket&& other) noexcept {
        Close();
        fd_ = std::exchange(other.fd_, -1);
        return *this;
    }
    void Close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }
    int fd() const { return fd_; }
    bool open() const { return fd_ >= 0; }

  private:
    int fd_ = -1;
};

// True when one of `events` (or an error) came in time.
bool WaitFor(int fd, short events, base::DurationMs limit_ms) {
    const base::TimeMs end = NowMs() + limit_ms;
    while (true) {
        pollfd state{fd, events, 0};
        const base::DurationMs left = std::max<base::DurationMs>(0, end - NowMs());
        const int found = ::poll(&state, 1, static_cast<int>(std::min<int64_t>(left, 1'000'000)));
        if (found > 0) return true;
        if (found == 0 && NowMs() >= end) return false;
        if (found < 0 && errno != EINTR) return true;  // The next call on it names the error.
    }
}

// Where the body of an answer goes.
struct Sink {
    std::string* collect = nullptr;
    const std::function<base::Status(std::string_view)>* stream = nullptr;
    size_t bytes_max = 0;

    base::Status Put(std::string_view bytes) {
        if (bytes.empty()) return {};
        if (stream != nullptr) return (*stream)(bytes);
        if (bytes.size() > bytes_max - std::min(bytes_max, collect->size())) {
            return base::Fail(ErrorCode::kTooLarge, "the answer is larger than allowed");
        }
        collect->append(bytes);
        return {};
    }
};

}  // namespace

std::string Endpoint::Name() const {
    return unix_path.empty() ? host + ":" + std::to_string(port) : "unix:" + unix_path;
}

class Client::Impl {
  public:
    explicit Impl(ClientOptions options) : options_(std::move(options)) {}

    base::Result<Answer> Send(const Call& call);
    void Close() {
        socket_.Close();
        buffered_.clear();
    }
    bool connected() const { return socket_.open(); }

  private:
    base::Status Connect();
    base::Status ConnectUnix();
    base::Status ConnectTcp();
    base::Result<Socket> Begin(int family, const sockaddr* address, socklen_t size);
    bool KeptIsAlive() const;
    std::string HeadOf(const Call& call) const;
    base::Result<Answer> Exchange(const Call& call);
    base::Status Write(std::string_view head, std::string_view body);
    base::Result<Answer> ReadHead(ResponseHead& head);
    base::Status ReadBody(const Call& call, const ResponseHead& head, Answer& answer);
    base::Status ReadChunks(Sink& sink);
    base::Status ReadLength(uint64_t length, Sink& sink);
    base::Status ReadUntilClose(Sink& sink);
    // Appends to buffered_. False at the end of the stream.
    base::Result<bool> Receive();
    tl::unexpected<base::Error> Broken(std::string what) const;
    tl::unexpected<base::Error> Late() const;

    ClientOptions options_;
    Socket socket_;
    std::string buffered_;   // Received and not yet used.
    base::TimeMs deadline_ = 0;
    bool safe_ = false;      // The present call may be repeated without harm.
    bool answer_begun_ = false;
    bool sent_ = false;
    bool keep_ = false;
};

tl::unexpected<base::Error> Client::Impl::Broken(std::string what) const {
    const ErrorCode code = sent_ ? ErrorCode::kOutcomeUnknown : ErrorCode::kUnavailable;
    return base::Fail(code, options_.endpoint.Name() + ": " + std::move(what));
}

tl::unexpected<base::Error> Client::Impl::Late() const {
    const ErrorCode code = sent_ && !safe_ ? ErrorCode::kOutcomeUnknown : ErrorCode::kTimeout;
    return base::Fail(code, options_.endpoint.Name() + ": no answer in time");
}

base::Result<Socket> Client::Impl::Begin(int family, const sockaddr* address, socklen_t size) {
    const auto fail = [&](int error) {
        return base::Fail(ErrorCode::kUnavailable,
                          options_.endpoint.Name() + ": " + std::strerror(error));
    };
    Socket socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket.open()) return fail(errno);
    if (::connect(socket.fd(), address, size) != 0) {
        if (errno != EINPROGRESS) return fail(errno);
        if (!WaitFor(socket.fd(), POLLOUT, options_.connect_time_ms)) {
            return base::Fail(ErrorCode::kTimeout,
                              options_.endpoint.Name() + ": no connection in time");
        }
        int error = 0;
        socklen_t error_size = sizeof(error);
        if (::getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &error_size) != 0) {
            return fail(errno);
        }
        if (error != 0) return fail(error);
    }
    return socket;
}

base::Status Client::Impl::ConnectUnix() {
    const std::string& path = options_.endpoint.unix_path;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) return base::Invalid("the path is too long");
    std::memcpy(address.sun_path, path.data(), path.size());
    TRY_ASSIGN(socket_,
               Begin(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof(address)));
    return {};
}

base::Status Client::Impl::ConnectTcp() {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(options_.endpoint.port);
    const int result = ::getaddrinfo(options_.endpoint.host.c_str(), port.c_str(), &hints, &found);
    if (result != 0) {
        return base::Fail(ErrorCode::kUnavailable,
                          options_.endpoint.Name() + ": " + ::gai_strerror(result));
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> hold(found, &::freeaddrinfo);
    base::Error last{ErrorCode::kUnavailable, options_.endpoint.Name() + ": no address", {}, {}};
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
        auto socket = Begin(at->ai_family, at->ai_addr, at->ai_addrlen);
        if (!socket) {
            last = std::move(socket.error());
            continue;
        }
        socket_ = std::move(*socket);
        const int on = 1;
        ::setsockopt(socket_.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        return {};
    }
    return tl::make_unexpected(std::move(last));
}

base::Status Client::Impl::Connect() {
    Close();
    return options_.endpoint.unix_path.empty() ? ConnectTcp() : ConnectUnix();
}

// Bytes or an end that nobody asked for: the other side has given the connection up.
bool Client::Impl::KeptIsAlive() const {
    if (!socket_.open() || !buffered_.empty()) return false;
    char byte = 0;
    const ssize_t got = ::recv(socket_.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

base::Result<Answer> Client::Impl::Send(const Call& call) {
    safe_ = IsSafe(call.method);
    sent_ = answer_begun_ = false;
    const bool kept = KeptIsAlive();
    if (!kept) TRY(Connect());
    deadline_ = NowMs() + options_.total_time_ms;
    auto answer = Exchange(call);
    const bool dead = !answer && kept && safe_ && !answer_begun_ && NowMs() < deadline_ &&
                      (answer.error().code == ErrorCode::kOutcomeUnknown ||
                       answer.error().code == ErrorCode::kUnavailable);
    if (dead) {
        sent_ = false;
        TRY(Connect());
        answer = Exchange(call);
    }
    if (!answer || !keep_) Close();
    return answer;
}

std::string Client::Impl::HeadOf(const Call& call) const {
    std::string head;
    head.append(MethodName(call.method)).append(" ").append(call.target).append(" HTTP/1.1\r\n");
    const Endpoint& end = options_.endpoint;
    const bool bare_v6 = end.host.find(':') != std::string::npos && end.host.front() != '[';
    if (!end.unix_path.empty()) {
        head.append("Host: localhost\r\n");
    } else {
        head.append("Host: ").append(bare_v6 ? "[" : "").append(end.host);
        head.append(bare_v6 ? "]:" : ":").append(std::to_string(end.port)).append("\r\n");
    }
    for (const auto& [name, value] : call.headers) {
        head.append(name).append(": ").append(value).append("\r\n");
    }
    if (!call.body.empty() || !IsSafe(call.method)) {
        head.append("Content-Length: ").append(std::to_string(call.body.size())).append("\r\n");
    }
    return head.append("\r\n");
}

base::Result<Answer> Client::Impl::Exchange(const Call& call) {
    const auto plain = [](std::string_view text) {
        return std::all_of(text.begin(), text.end(), [](char c) { return IsFieldText(c); });
    };
    for (const auto& [name, value] : call.headers) {
        if (!IsToken(name) || !plain(value)) return base::Invalid("a header field is malformed");
    }
    if (!plain(call.target) || call.target.find(' ') != std::string::npos) {
        return base::Invalid("the target is malformed");
    }
    keep_ = false;
    const auto written = Write(HeadOf(call), call.body);
    // A server may answer and close before it has read everything (413): read what it says.
    if (!written && (written.error().code != ErrorCode::kOutcomeUnknown || !sent_)) {
        return tl::make_unexpected(written.error());
    }
    ResponseHead head;
    auto answer = ReadHead(head);
    if (!answer) return tl::make_unexpected(written ? answer.error() : written.error());
    TRY(ReadBody(call, head, *answer));
    if (!written) keep_ = false;
    return answer;
}

base::Status Client::Impl::Write(std::string_view head, std::string_view body) {
    size_t at = 0;
    while (at < head.size() + body.size()) {
        iovec parts[2];
        size_t count = 0;
        if (at < head.size()) {
            parts[count++] = {const_cast<char*>(head.data()) + at, head.size() - at};
        }
        const size_t body_at = at > head.size() ? at - head.size() : 0;
        if (body_at < body.size()) {
            parts[count++] = {const_cast<char*>(body.data()) + body_at, body.size() - body_at};
        }
        msghdr message{};
        message.msg_iov = parts;
        message.msg_iovlen = count;
        const ssize_t sent = ::sendmsg(socket_.fd(), &message, MSG_NOSIGNAL);
        if (sent >= 0) {
            sent_ = true;
            at += static_cast<size_t>(sent);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            const base::DurationMs left = std::min(options_.idle_time_ms, deadline_ - NowMs());
            if (left <= 0 || !WaitFor(socket_.fd(), POLLOUT, left)) return Late();
        } else if (errno != EINTR) {
            return Broken(std::string("sending: ") + std::strerror(errno));
        }
    }
    return {};
}

base::Result<bool> Client::Impl::Receive() {
    const size_t before = buffered_.size();
    while (true) {
        const base::DurationMs left = std::min(options_.idle_time_ms, deadline_ - NowMs());
        if (left <= 0 || !WaitFor(socket_.fd(), POLLIN, left)) return Late();
        buffered_.resize(before + kReadBytes);
        const ssize_t got = ::recv(socket_.fd(), buffered_.data() + before, kReadBytes, 0);
        const int error = errno;
        buffered_.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
        if (got > 0) {
            answer_begun_ = true;
            return true;
        }
        if (got == 0) return false;
        if (error != EAGAIN && error != EWOULDBLOCK && error != EINTR) {
            return Broken(std::string("receiving: ") + std::strerror(error));
        }
    }
}

base::Result<Answer> Client::Impl::ReadHead(ResponseHead& head) {
    while (true) {
        const size_t end = buffered_.find("\r\n\r\n");
        if (end == std::string::npos) {
            if (buffered_.size() > 2 * limits::kHeaderBytesMax) return Broken("endless head");
            TRY_ASSIGN(const bool more, Receive());
            if (!more) return Broken("closed before the answer");
            continue;
        }
        Answer answer;
        const auto syntax = ParseResponseHead(std::string_view(buffered_).substr(0, end + 4), head,
                                              answer.headers);
        if (syntax != HeadSyntax::kGood) return Broken("malformed answer");
        buffered_.erase(0, end + 4);
        if (head.status == 101) return Broken("switched protocols unasked");
        if (head.status / 100 == 1) continue;  // Interim (RFC 9110 15.2).
        answer.status = head.status;
        return answer;
    }
}

// RFC 9112 6.3.
base::Status Client::Impl::ReadBody(const Call& call, const ResponseHead& head, Answer& answer) {
    Sink sink{&answer.body, nullptr, options_.answer_bytes_max};
    if (call.on_body && answer.status / 100 == 2) sink.stream = &call.on_body;
    bool close = head.http_1_0;
    const std::string_view connection = answer.headers.Get("Connection");
    if (ListHas(connection, "close")) close = true;
    if (head.http_1_0 && ListHas(connection, "keep-alive")) close = false;
    const auto coding = answer.headers.Find("Transfer-Encoding");
    const auto length = answer.headers.Find("Content-Length");
    const bool none = call.method == Method::kHead || answer.status == 204 || answer.status == 304;
    if (none) {
        close = close || !buffered_.empty();
    } else if (coding) {
        if (length || !EqualNoCase(*coding, "chunked")) return Broken("ambiguous length");
        TRY(ReadChunks(sink));
    } else if (length) {
        uint64_t bytes = 0;
        if (length->empty() || length->size() > 18) return Broken("malformed Content-Length");
        for (const char c : *length) {
            if (c < '0' || c > '9') return Broken("malformed Content-Length");
            bytes = bytes * 10 + static_cast<uint64_t>(c - '0');
        }
        TRY(ReadLength(bytes, sink));
    } else {
        close = true;
        TRY(ReadUntilClose(sink));
    }
    Pad(answer.body);
    keep_ = !close && buffered_.empty();
    return {};
}

base::Status Client::Impl::ReadChunks(Sink& sink) {
    ChunkReader chunks;
    std::string piece;
    while (true) {
        piece.clear();
        const size_t used = chunks.Take(buffered_, piece, SIZE_MAX);
        buffered_.erase(0, used);
        TRY(sink.Put(piece));
        if (chunks.state() == ChunkReader::State::kDone) return {};
        if (chunks.state() != ChunkReader::State::kMore) return Broken("malformed chunks");
        TRY_ASSIGN(const bool more, Receive());
        if (!more) return Broken("closed in the middle of the answer");
    }
}

base::Status Client::Impl::ReadLength(uint64_t length, Sink& sink) {
    while (true) {
        const size_t size = static_cast<size_t>(std::min<uint64_t>(length, buffered_.size()));
        TRY(sink.Put(std::string_view(buffered_).substr(0, size)));
        buffered_.erase(0, size);
        length -= size;
        if (length == 0) return {};
        TRY_ASSIGN(const bool more, Receive());
        if (!more) return Broken("closed in the middle of the answer");
    }
}

base::Status Client::Impl::ReadUntilClose(Sink& sink) {
    while (true) {
        TRY(sink.Put(buffered_));
        buffered_.clear();
        TRY_ASSIGN(const bool more, Receive());
        if (!more) return {};
    }
}

Client::Client(ClientOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

base::Result<Answer> Client::Send(const Call& call) { return impl_->Send(call); }
void Client::Close() { impl_->Close(); }
bool Client::connected() const { return impl_->connected(); }

}  // namespace http
