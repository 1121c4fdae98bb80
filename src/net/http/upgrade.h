// What a connection becomes after an answer of 101 (RFC 9110 7.8): bytes in, bytes out, on the
// loop that served the request. net/websocket is what stands on it.
//
// An answer whose `upgrade` is set and whose status is 101 hands the connection over as soon as its
// head has been written: Begin, then Received for all that comes, then Ended once. The server's
// times for requests no longer count; Sweep comes at least twice a second instead.
//
// Threads: Upgrade belongs to the loop; Wire is for any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace http {

// The way out. Whole pieces are queued and written in their order.
class Wire {
  public:
    using Piece = std::shared_ptr<const std::string>;

    virtual ~Wire() = default;
    // False, and nothing is queued, when `bytes_max` bytes would then be waiting here (what the
    // system has taken does not count), or the connection has ended.
    virtual bool Send(Piece piece, size_t bytes_max) = 0;
    // Drops the pieces of which nothing was written yet, writes this one and closes; `linger_ms`
    // later it closes in any case. What comes meanwhile is read and dropped.
    virtual void Finish(Piece last, int linger_ms) = 0;
    virtual size_t waiting_bytes() const = 0;
};

class Upgrade {
  public:
    virtual ~Upgrade() = default;
    virtual void Begin(std::shared_ptr<Wire> wire) = 0;
    virtual void Received(std::string_view bytes) = 0;
    virtual void Sweep(std::chrono::steady_clock::time_point now) = 0;
    // The server is stopping: say goodbye.
    virtual void Stopping() = 0;
    // The connection is closed, by whomever.
    virtual void Ended() = 0;
};

}  // namespace http
