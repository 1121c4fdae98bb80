// A WebSocket session on the server's own connections (net/http/upgrade.h): the handshake, whole
// messages in and out, and the rules that keep hostile or slow peers cheap.
//
//   message larger than 64 KB, or of more than 32 fragments    closed 1009
//   more than 20 messages a second (control frames count)      closed 1008
//   256 KB waiting to be sent                                  what waits is dropped, closed 1013
//   no sign of life for two pings (30 s each)                  closed
//   a frame that RFC 6455 does not allow                       closed 1002, bad UTF-8 1007
// No extension is accepted, so nothing is ever inflated.
//
// A codec of our own rather than Beast's: the server owns its sockets and has read the head, Beast
// would take both over; fragments and rates are counted in frames, which Beast does not show; one
// encoded frame goes to many peers; and the reader is a plain function that a fuzzer can reach.
//
// Threads: Peer from any; Listener's functions on the connection's loop, one after the other: they
// must not block.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "net/http/message.h"
#include "net/http/upgrade.h"
#include "net/websocket/frame.h"

namespace websocket {

struct Options {
    FrameLimits frames{limits::kSocketMessageBytesMax, limits::kSocketFragmentsMax};
    size_t messages_per_second_max = limits::kSocketMessagesPerSecondMax;
    size_t waiting_bytes_max = limits::kSocketWaitingBytesMax;
    base::DurationMs ping_ms = limits::kSocketPingMs;
    base::DurationMs linger_ms = limits::kSocketLingerMs;
};

// The other end.
class Peer {
  public:
    virtual ~Peer() = default;
    // A frame made by Frame(); one for many peers. False when it was not queued: the session has
    // ended, or ends now because the peer is too slow.
    virtual bool Send(http::Wire::Piece frame) = 0;
    bool SendText(std::string_view text) {
        return Send(std::make_shared<const std::string>(Frame(Opcode::kText, text)));
    }
    // What waits is dropped, then the code goes out. Only the first counts.
    virtual void Close(uint16_t code, std::string_view reason) = 0;
};

// Our end: what the session is for.
class Listener {
  public:
    virtual ~Listener() = default;
    virtual void Opened(std::shared_ptr<Peer> peer) = 0;
    virtual void Message(std::string_view text) = 0;   // Valid UTF-8; binary ones are refused.
    virtual void Sweep() {}                            // At least twice a second.
    virtual void Closed() = 0;                         // Once, last.
};

// The answer to an upgrade request: 101, or what is wrong with it: 400, 405, 426. Authority and
// Origin are the caller's to check before.
http::Response Accept(const http::Request& request, std::shared_ptr<Listener> listener,
                      const Options& options = {});

}  // namespace websocket
