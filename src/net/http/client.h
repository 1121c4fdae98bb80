// A blocking HTTP/1.1 client over TCP or a Unix socket, with keep-alive: for the warehouse and for
// tests. No TLS, no redirects, no proxies.
//
// One Client is one connection and belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "net/http/message.h"

namespace http {

struct Endpoint {
    std::string host;       // A name or an address; unused when unix_path is set.
    uint16_t port = 0;
    std::string unix_path;

    std::string Name() const;  // "host:port" or "unix:/path", for messages.
};

struct ClientOptions {
    Endpoint endpoint;
    base::DurationMs connect_time_ms = 5 * base::kSecondMs;
    // From the first byte sent to the last byte received.
    base::DurationMs total_time_ms = 60 * base::kSecondMs;
    // Longest silence of the other end while we wait for it.
    base::DurationMs idle_time_ms = 30 * base::kSecondMs;
    size_t answer_bytes_max = 64 * 1024 * 1024;  // Of a collected body; streamed ones have none.
};

struct Call {
    Method method = Method::kGet;
    std::string target = "/";
    std::vector<std::pair<std::string, std::string>> headers;  // Host, lengths: set by the client.
    std::string_view body;                                     // Sent with a Content-Length.
    // When set, the body of a 2xx answer is given here piece by piece as it comes and
    // Answer::body stays empty. An error ends the call with that error and closes.
    std::function<base::Status(std::string_view)> on_body;
};

struct Answer {
    int status = 0;
    Headers headers;
    std::string body;  // Padded (kBodyPadding).
};

class Client {
  public:
    explicit Client(ClientOptions options);
    ~Client();
    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;

    // Sends and waits for the whole answer, whatever its status. Connects when there is no usable
    // connection. GET, HEAD and OPTIONS are sent a second time when a kept connection turns out
    // to be dead before the first byte of the answer; nothing else is ever repeated.
    // Errors: kUnavailable     no connection; nothing was sent
    //         kTimeout         a time limit passed before anything was sent, or with GET, HEAD,
    //                          OPTIONS
    //         kOutcomeUnknown  the answer did not come whole: closed early (also in the middle of
    //                          chunks), malformed, or timed out, after something was sent
    //         kTooLarge        the body passed answer_bytes_max
    base::Result<Answer> Send(const Call& call);

    // Ends the connection; the next Send connects anew.
    void Close();
    bool connected() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace http
