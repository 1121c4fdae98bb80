// A server as a program outside of it uses it: over HTTP, with a secret key. For what feeds a
// server from files (replay-retail) and for the demo.
//
// One Remote is one connection and belongs to one thread.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "net/http/client.h"

namespace server {

class Remote {
  public:
    // `server`: "http://HOST:PORT". Errors: kInvalidArgument.
    static base::Result<Remote> To(const std::string& server, const std::string& secret_key);

    // The parsed body of a 2xx answer (null when it has none); it lives until the next call. What
    // was turned away or lost on the way is sent again for a minute, so a call must be one that may
    // be repeated: events that carry their messageId, the clock, which does not go back, questions.
    // Errors: kUnavailable; the text has the answer.
    base::Result<simdjson::dom::element> Send(http::Method method, const std::string& target,
                                              std::string_view body = {});
    // The status of one GET; the body is not looked at. Errors: kUnavailable.
    base::Result<int> Fetch(const std::string& target,
                            const std::vector<std::pair<std::string, std::string>>& headers);
    // Answered when all that is due by then has happened. A simulated clock only.
    base::Status MoveClock(base::TimeMs now);
    uint64_t requests() const { return requests_; }

  private:
    Remote(http::ClientOptions options, const std::string& key);
    base::Result<simdjson::dom::element> Parse(const http::Answer& answer,
                                               const std::string& target);

    http::Client client_;
    simdjson::dom::parser parser_;
    std::string authorization_;
    uint64_t requests_ = 0;
};

// The text of a field. Errors: kUnavailable when there is none.
base::Result<std::string> TextAt(const simdjson::dom::element& root, std::string_view field);

}  // namespace server
