#include "store/warehouse/http_exchange.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

#include "base/clock.h"
#include "base/limits.h"

namespace warehouse {
namespace {

constexpr size_t kErrorTextBytesMax = 16 * 1024;

base::DurationMs Now() { return base::SystemClock().Monotonic(); }

class Wire {
  public:
    Wire(int fd, base::DurationMs deadline) : fd_(fd), deadline_(deadline) {}
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;
    ~Wire() { close(fd_); }

    base::Status Write(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n > 0) {
                bytes.remove_prefix(static_cast<size_t>(n));
            } else if (n < 0 && errno == EAGAIN) {
                TRY(Wait(POLLOUT));
            } else if (n < 0 && errno != EINTR) {
                return Broken(errno);
            }
        }
        return {};
    }

    // Fills buffer() with more bytes. An end of the connection is kOutcomeUnknown.
    base::Status ReadMore() {
        if (at_ > 0) {
            buffer_.erase(0, at_);
            at_ = 0;
        }
        const size_t have = buffer_.size();
        buffer_.resize(have + 128 * 1024);
        while (true) {
            const ssize_t n = recv(fd_, buffer_.data() + have, buffer_.size() - have, 0);
            if (n > 0) {
                buffer_.resize(have + static_cast<size_t>(n));
                return {};
            }
            if (n < 0 && errno == EINTR) continue;
            if (n < 0 && errno == EAGAIN) {
                const base::Status waited = Wait(POLLIN);
                if (waited) continue;
                buffer_.resize(have);
                return waited;
            }
            const int reason = n == 0 ? 0 : errno;
            buffer_.resize(have);
            return Broken(reason);
        }
    }
    std::string_view buffer() const { return std::string_view(buffer_).substr(at_); }
    void Consume(size_t n) { at_ += n; }

    // A line without its CRLF.
    base::Result<std::string> Line() {
        while (true) {
            const size_t end = buffer().find("\r\n");
            if (end != std::string_view::npos) {
                std::string line(buffer().substr(0, end));
                Consume(end + 2);
                return line;
            }
            if (buffer().size() > limits::kHeaderBytesMax) return Broken(EPROTO);
            TRY(ReadMore());
        }
    }

    static tl::unexpected<base::Error> Broken(int reason) {
        return base::Fail(base::ErrorCode::kOutcomeUnknown,
                          std::string("warehouse connection broke off: ") +
                              (reason == 0 ? "end of stream" : std::strerror(reason)));
    }

  private:
    base::Status Wait(short events) const {
        while (true) {
            const base::DurationMs left = deadline_ - Now();
            if (left <= 0) {
                return base::Fail(base::ErrorCode::kTimeout, "warehouse did not answer in time");
            }
            pollfd p{fd_, events, 0};
            const int ready =
                poll(&p, 1, static_cast<int>(std::min<base::DurationMs>(left, 60'000)));
            if (ready > 0) return {};
            if (ready < 0 && errno != EINTR) return Broken(errno);
        }
    }

    int fd_;
    base::DurationMs deadline_;
    std::string buffer_;
    size_t at_ = 0;
};

tl::unexpected<base::Error> NoConnection(const std::string& text) {
    return base::Fail(base::ErrorCode::kUnavailable, "warehouse: " + text);
}

// Connects a non-blocking socket; closes it on failure.
base::Result<int> ConnectTo(int fd, const sockaddr* address, socklen_t size,
                            base::DurationMs connect_ms) {
    const base::DurationMs deadline = Now() + connect_ms;
    int result = connect(fd, address, size);
    // A Unix socket whose backlog is full says EAGAIN at once.
    while (result != 0 && errno == EAGAIN && Now() < deadline) {
        usleep(1000);
        result = connect(fd, address, size);
    }
    int reason = result == 0 ? 0 : errno;
    if (reason == EINPROGRESS) {
        pollfd p{fd, POLLOUT, 0};
        socklen_t length = sizeof(reason);
        if (poll(&p, 1, static_cast<int>(connect_ms)) <= 0) {
            reason = ETIMEDOUT;
        } else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &length) != 0) {
            reason = errno;
        }
    }
    if (reason == 0) return fd;
    close(fd);
    return NoConnection(std::string("connect: ") + std::strerror(reason));
}

base::Result<int> ConnectUnix(const std::string& path, base::DurationMs connect_ms) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) return NoConnection("socket path is too long");
    std::memcpy(address.sun_path, path.data(), path.size());
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return NoConnection(std::string("socket: ") + std::strerror(errno));
    return ConnectTo(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address), connect_ms);
}

base::Result<int> ConnectTcp(const Peer& peer, base::DurationMs connect_ms) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int failed =
        getaddrinfo(peer.host.c_str(), std::to_string(peer.port).c_str(), &hints, &found);
    if (failed != 0) return NoConnection(peer.host + ": " + gai_strerror(failed));
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> hold(found, &freeaddrinfo);
    base::Result<int> result = NoConnection(peer.host + " has no address");
    for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
        const int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0) continue;
        const int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        result = ConnectTo(fd, a->ai_addr, a->ai_addrlen, connect_ms);
        if (result) break;
    }
    return result;
}

std::string RequestHead(const Peer& peer, const Exchange& exchange) {
    std::string head = exchange.post ? "POST " : "GET ";
    head += exchange.target;
    head += " HTTP/1.1\r\nHost: ";
    head += peer.socket_path.empty() ? peer.host : "warehouse";
    head += "\r\nConnection: close\r\n";
    if (!peer.user.empty()) {
        head += "X-ClickHouse-User: " + peer.user + "\r\nX-ClickHouse-Key: " + peer.password +
                "\r\n";
    }
    if (exchange.post) head += "Content-Length: " + std::to_string(exchange.body.size()) + "\r\n";
    return head + "\r\n";
}

struct AnswerHead {
    int status = 0;
    bool chunked = false;
    bool has_length = false;
    size_t length = 0;
};

base::Result<AnswerHead> ReadAnswerHead(Wire& wire) {
    AnswerHead head;
    TRY_ASSIGN(const std::string first, wire.Line());
    if (first.size() < 12 || !first.starts_with("HTTP/1.")) return Wire::Broken(EPROTO);
    const auto status = std::from_chars(first.data() + 9, first.data() + 12, head.status);
    if (status.ec != std::errc()) return Wire::Broken(EPROTO);
    while (true) {
        TRY_ASSIGN(std::string line, wire.Line());
        if (line.empty()) return head;
        const size_t colon = line.find(':');
        if (colon == std::string::npos) return Wire::Broken(EPROTO);
        std::transform(line.begin(), line.end(), line.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        });
        const size_t begin = std::min(line.find_first_not_of(' ', colon + 1), line.size());
        const std::string_view value = std::string_view(line).substr(begin);
        if (line.starts_with("transfer-encoding:")) {
            head.chunked = value == "chunked";
        } else if (line.starts_with("content-length:")) {
            const auto read =
                std::from_chars(value.data(), value.data() + value.size(), head.length);
            if (read.ec != std::errc()) return Wire::Broken(EPROTO);
            head.has_length = true;
        }
    }
}

// Hands on `n` bytes. False: the reader wants no more.
base::Result<bool> Pass(Wire& wire, size_t n, const std::function<bool(std::string_view)>& to) {
    while (n > 0) {
        if (wire.buffer().empty()) TRY(wire.ReadMore());
        const std::string_view piece = wire.buffer().substr(0, n);
        n -= piece.size();
        const bool more = to(piece);
        wire.Consume(piece.size());
        if (!more) return false;
    }
    return true;
}

base::Status ReadBody(Wire& wire, const AnswerHead& head,
                      const std::function<bool(std::string_view)>& to) {
    if (!head.chunked) {
        if (!head.has_length) return Wire::Broken(EPROTO);
        TRY(Pass(wire, head.length, to));
        return {};
    }
    while (true) {
        TRY_ASSIGN(const std::string line, wire.Line());
        size_t size = 0;
        const auto read = std::from_chars(line.data(), line.data() + line.size(), size, 16);
        if (read.ec != std::errc() || read.ptr == line.data()) return Wire::Broken(EPROTO);
        if (size == 0) return {};
        TRY_ASSIGN(const bool more, Pass(wire, size, to));
        if (!more) return {};
        TRY_ASSIGN(const std::string end, wire.Line());
        if (!end.empty()) return Wire::Broken(EPROTO);
    }
}

}  // namespace

base::Result<ExchangeResult> RunExchange(const Peer& peer, const Exchange& exchange,
                                         const std::function<bool(std::string_view)>& on_bytes) {
    const base::DurationMs deadline = Now() + exchange.total_ms;
    TRY_ASSIGN(const int fd, peer.socket_path.empty()
                                 ? ConnectTcp(peer, exchange.connect_ms)
                                 : ConnectUnix(peer.socket_path, exchange.connect_ms));
    Wire wire(fd, deadline);
    const base::Status head_sent = wire.Write(RequestHead(peer, exchange));
    const base::Status sent = head_sent ? wire.Write(exchange.body) : head_sent;
    // A server that refuses early answers and closes while we still write: the answer counts.
    base::Result<AnswerHead> head = ReadAnswerHead(wire);
    if (!head) return tl::make_unexpected(sent ? head.error() : sent.error());
    ExchangeResult result;
    result.status = head->status;
    if (head->status == 200) {
        TRY(ReadBody(wire, *head, on_bytes));
    } else {
        TRY(ReadBody(wire, *head, [&result](std::string_view piece) {
            const size_t room = kErrorTextBytesMax - result.error_text.size();
            result.error_text.append(piece.substr(0, room));
            return result.error_text.size() < kErrorTextBytesMax;
        }));
    }
    return result;
}

void AppendPercentEncoded(std::string& out, std::string_view text) {
    constexpr char kHex[] = "0123456789ABCDEF";
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
        if (plain) {
            out.push_back(c);
        } else {
            const auto byte = static_cast<uint8_t>(c);
            out.push_back('%');
            out.push_back(kHex[byte >> 4]);
            out.push_back(kHex[byte & 15]);
        }
    }
}

}  // namespace warehouse
