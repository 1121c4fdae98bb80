// The HTTP/1.1 server: several listeners, each with its handler, on a few event loops.
//
// A connection belongs to one loop and is served one request after the other; pipelined requests
// are answered in order. Heads are parsed from one read buffer a loop, bodies are received
// straight into the request's own string; an idle connection owns no buffer.
//
// What is refused, and how:
//   malformed head, ambiguous framing (RFC 9112 6.3), bare LF, folded lines   400, closed
//   unknown transfer coding or method 501, version 505, expectation 417        closed
//   head too large 431, target too long 414, body too large 413                closed
//   bodies in flight beyond the limit                                          503 + Retry-After
//   head or body too slow                                                      408, closed
// Every 429 and 503 carries an integer Retry-After. No Server field is sent.
//
// Source: RFC 9110, RFC 9112; limits: base/limits.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "net/http/message.h"

namespace http {

// Answers one request. Copies share one right to answer: the first call counts, further ones are
// ignored. Any thread, also after the server has gone. When the last copy dies uncalled, the
// client gets 500.
class Respond {
  public:
    class Exchange {
      public:
        virtual ~Exchange() = default;
        virtual void Send(Response response) = 0;
        virtual bool client_gone() const = 0;
    };

    Respond() = default;
    explicit Respond(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
    // Without a network, for tests and for calls inside the process.
    explicit Respond(std::function<void(Response)> receive);

    void operator()(Response response) const { exchange_->Send(std::move(response)); }
    // True once the other end is known to have closed both ways: long work may be given up.
    bool client_gone() const { return exchange_->client_gone(); }

  private:
    std::shared_ptr<Exchange> exchange_;
};

// Called on a loop's thread: must not block. Exceptions end the process.
using Handler = std::function<void(Request&&, Respond)>;

struct Listener {
    std::string address = "127.0.0.1";  // An IPv4 or IPv6 address; unused when unix_path is set.
    uint16_t port = 0;                  // 0: a free one; see Server::port.
    // Path of a Unix-domain socket, mode 0600. A stale one is replaced; a living one is an error.
    std::string unix_path;
    Handler handler;
};

struct ServerOptions {
    std::vector<Listener> listeners;
    size_t threads = 1;

    // The largest body (on the wire) of a request whose head has come; its body is still empty.
    // Unset: limits::kBatchBytesMax.
    std::function<size_t(const Request& head)> body_limit;

    size_t header_bytes_max = limits::kHeaderBytesMax;
    size_t headers_max = limits::kHeadersMax;
    size_t target_bytes_max = limits::kTargetBytesMax;
    size_t bodies_in_flight_bytes_max = limits::kBodiesInFlightBytesMax;
    size_t connections_max = limits::kConnectionsMax;
    size_t connections_per_address_max = limits::kConnectionsPerAddressMax;
    base::DurationMs header_time_ms = limits::kHeaderTimeMs;
    base::DurationMs idle_time_ms = limits::kIdleTimeMs;
    // A body may be slow for this long, then it must have kept up with the rate below. The same
    // pair bounds how slowly an answer may be read.
    base::DurationMs body_grace_ms = limits::kBodyGraceMs;
    size_t body_bytes_per_second_min = limits::kBodyBytesPerSecondMin;
    base::DurationMs linger_time_ms = limits::kLingerTimeMs;
};

struct ServerCounts {
    uint64_t connections_open = 0;
    uint64_t connections_total = 0;
    uint64_t requests = 0;             // Handed to a handler.
    uint64_t refused = 0;              // Answered by the server itself with 4xx or 5xx.
    uint64_t timed_out = 0;            // Closed for slowness.
    uint64_t address_limit_closed = 0;
    uint64_t body_bytes_in_flight = 0;
};

class Server {
  public:
    // Listens and serves from now on.
    // Errors: kConflict (address in use) and kIo; the text names the address.
    static base::Result<std::unique_ptr<Server>> Create(ServerOptions options);
    ~Server();  // Stop(0).
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // The port that listener `index` really has; 0 for a Unix socket.
    uint16_t port(size_t index = 0) const;

    // Closes the listeners and idle connections, lets requests in flight finish for up to
    // `limit_ms`, then closes what is left. Returns when all threads have ended. Once; any thread
    // but the loops' own.
    void Stop(base::DurationMs limit_ms);

    ServerCounts counts() const;

  private:
    class Impl;
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace http
