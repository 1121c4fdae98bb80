// One HTTP/1.1 request and its answer over a Unix socket or TCP, blocking: the client's side of the
// warehouse's protocol. Knows no SQL.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace warehouse {

struct Peer {
    std::string socket_path = {};  // Or, when empty:
    std::string host = {};
    uint16_t port = 0;
    std::string user = {};         // Sent as X-ClickHouse-User and -Key when not empty.
    std::string password = {};
};

struct Exchange {
    bool post = true;
    std::string target = "/";
    std::string_view body = {};
    base::DurationMs connect_ms = 0;
    base::DurationMs total_ms = 0;
};

struct ExchangeResult {
    int status = 0;
    std::string error_text = {};  // The body, when status is not 200 (at most 16 KiB).
};

// Sends and reads. Pieces of a 200 body go to `on_bytes`; when it returns false the connection is
// closed at once and the result is as if the body had ended.
// Errors: kUnavailable     nothing was sent: no connection.
//         kOutcomeUnknown  it was sent, at least in part, and no whole answer came.
//         kTimeout         the same, because total_ms passed.
base::Result<ExchangeResult> RunExchange(const Peer& peer, const Exchange& exchange,
                                         const std::function<bool(std::string_view)>& on_bytes);

// For a query parameter: every byte but letters, digits and -_.~ as %XX.
void AppendPercentEncoded(std::string& out, std::string_view text);

}  // namespace warehouse
