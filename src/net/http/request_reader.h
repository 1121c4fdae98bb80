// From bytes to requests, without a socket: the server's connections and the fuzz target use the
// same code. Strict where two readers could disagree (RFC 9112 section 11.2, request smuggling).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "net/http/chunk_reader.h"
#include "net/http/head_parser.h"
#include "net/http/message.h"

namespace http {

struct HeadLimits {
    size_t header_bytes_max = 0;
    size_t headers_max = 0;
    size_t target_bytes_max = 0;
};

// Reads one request after the other. After kRefused the reader takes nothing more: the connection
// has to be closed, since nobody knows where the next request would begin.
class RequestReader {
  public:
    enum class State : uint8_t { kHead, kBody, kDone, kRefused };

    // `body_limit` is asked once for each request, when its head has come.
    using BodyLimit = std::function<size_t(const Request&)>;

    RequestReader(const HeadLimits& limits, const BodyLimit* body_limit);

    // Consumes bytes up to the end of one request, not beyond; returns how many. Stops early only
    // in the states kDone and kRefused.
    size_t Take(std::string_view bytes);

    // Room to receive the rest of a body with Content-Length into directly, never empty in state
    // kBody then; empty for chunked bodies, which go through Take. Filled tells how much came.
    struct Room {
        char* data = nullptr;
        size_t size = 0;
    };
    Room BodyRoom();
    void Filled(size_t size);

    State state() const { return state_; }
    // True when some bytes of a request have come, but not all.
    bool started() const { return state_ == State::kBody || !head_.empty(); }
    // The request, in state kDone; the reader then begins with the next one.
    Request Release();
    // In state kBody and kDone: what the head said.
    const Request& request() const { return request_; }
    bool keep_alive() const { return keep_alive_; }
    bool expects_continue() const { return expects_continue_; }
    // Memory that the current body holds; wire bytes: received so far.
    size_t body_bytes() const { return request_.body.size(); }
    uint64_t wire_body_bytes() const { return body_wire_bytes_; }

    int refusal_status() const { return refusal_status_; }
    std::string_view refusal_text() const { return refusal_text_; }

    // Drops what has come; nothing more is taken, as after a refusal.
    void Abandon();
    // Gives back memory that an idle connection does not need.
    void Shrink();

  private:
    size_t TakeHead(std::string_view bytes);
    size_t ScanHead(std::string_view head);
    bool CheckLine(std::string_view head, size_t end);
    size_t TakeBody(std::string_view bytes);
    void ParseHead(std::string_view head);
    bool CheckTargetSize(std::string_view head);
    bool CheckFields(const RequestHead& head);
    bool CheckFraming(bool http_1_0);
    void FinishBody();
    void Refuse(int status, std::string_view text);

    HeadLimits limits_;
    const BodyLimit* body_limit_;
    State state_ = State::kHead;
    bool keep_alive_ = false;
    bool expects_continue_ = false;
    bool chunked_ = false;
    bool skipped_empty_line_ = false;
    int refusal_status_ = 0;
    std::string_view refusal_text_;  // Literals only.
    std::string head_;               // Of a head that comes in pieces.
    size_t scanned_ = 0;             // Of the head: up to here there is no unseen line end.
    size_t line_at_ = 0;             // Where the line that is being scanned begins.
    size_t lines_ = 0;               // Whole ones, the request line among them.
    size_t request_line_bytes_ = 0;
    uint64_t content_length_ = 0;
    size_t body_limit_bytes_ = 0;
    size_t body_received_ = 0;
    uint64_t body_wire_bytes_ = 0;
    ChunkReader chunks_;
    Request request_;
};

}  // namespace http
