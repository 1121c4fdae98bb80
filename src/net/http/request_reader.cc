#include "net/http/request_reader.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/limits.h"
#include "net/http/syntax.h"

namespace http {
namespace {

constexpr size_t kRequestLineExtraBytes = 32;      // Method, version, blanks and line end.
constexpr size_t kFirstBodyRoomBytes = 64 * 1024;  // Then doubling: memory follows what comes.
constexpr size_t kKeptHeadCapacityBytes = 512;

bool AllDigits(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// uri-host [":" port] (RFC 9110 7.2), by its characters only.
bool HostIsPlain(std::string_view host) {
    return std::all_of(host.begin(), host.end(), [](char c) {
        return c > ' ' && c < 0x7f &&
               std::string_view("/\\?#@,\"<>^`{|}").find(c) == std::string_view::npos;
    });
}

// True when the first line ends with HTTP/DIGIT.DIGIT (RFC 9112 2.3).
bool NamesAVersion(std::string_view head) {
    const std::string_view line = head.substr(0, head.find('\r'));
    if (line.size() < 9) return false;
    const std::string_view version = line.substr(line.size() - 9);
    return version.substr(0, 6) == " HTTP/" && AllDigits(version.substr(6, 1)) &&
           version[7] == '.' && AllDigits(version.substr(8));
}

}  // namespace

RequestReader::RequestReader(const HeadLimits& limits, const BodyLimit* body_limit)
    : limits_(limits), body_limit_(body_limit) {}

void RequestReader::Refuse(int status, std::string_view text) {
    state_ = State::kRefused;
    refusal_status_ = status;
    refusal_text_ = text;
    keep_alive_ = false;
}

size_t RequestReader::Take(std::string_view bytes) {
    size_t consumed = 0;
    while (consumed < bytes.size() && (state_ == State::kHead || state_ == State::kBody)) {
        const std::string_view rest = bytes.substr(consumed);
        consumed += state_ == State::kHead ? TakeHead(rest) : TakeBody(rest);
    }
    return consumed;
}

// A head that comes in one piece is parsed where it lies; only a torn one is gathered in head_.
size_t RequestReader::TakeHead(std::string_view bytes) {
    if (head_.empty()) {
        const size_t end = ScanHead(bytes);
        if (state_ == State::kRefused) return bytes.size();
        if (end > 0) {
            ParseHead(bytes.substr(0, end));
            return end;
        }
        head_.assign(bytes);
        return bytes.size();
    }
    const size_t before = head_.size();
    head_.append(bytes);
    const size_t end = ScanHead(head_);
    if (state_ == State::kRefused) return bytes.size();
    if (end == 0) return bytes.size();
    const std::string head = head_.substr(0, end);
    head_.clear();
    ParseHead(head);
    return end - before;
}

// The size of the head, or 0 while it is not whole. Refuses what passes a limit as early as it
// can be seen, and every line end that is not CR LF.
size_t RequestReader::ScanHead(std::string_view head) {
    if (scanned_ == 0 && !head.empty() && head[0] != '\r' && !IsTokenChar(head[0])) {
        Refuse(400, "not an HTTP request");
        return 0;
    }
    const size_t target_line_max = limits_.target_bytes_max + kRequestLineExtraBytes;
    while (scanned_ < head.size()) {
        const void* found = std::memchr(head.data() + scanned_, '\n', head.size() - scanned_);
        const size_t line_end =
            found == nullptr ? head.size()
                             : static_cast<size_t>(static_cast<const char*>(found) - head.data());
        if (lines_ == 0 && line_end > target_line_max + 2) {
            Refuse(414, "the request target is too long");
            return 0;
        }
        if (lines_ > 0 && line_end - request_line_bytes_ > limits_.header_bytes_max) {
            Refuse(431, "the header fields are too large");
            return 0;
        }
        scanned_ = line_end;
        if (found == nullptr) return 0;
        scanned_ = line_end + 1;
        const bool empty = line_end == line_at_ + 1 && head[line_at_] == '\r';
        if (!empty && !CheckLine(head, line_end)) return 0;
        if (empty && lines_ > 0) return scanned_;
        if (empty) {
            // One empty line before the request line is forgiven (RFC 9112 2.2).
            if (skipped_empty_line_ || line_at_ != 0) {
                Refuse(400, "empty lines before the request");
                return 0;
            }
            skipped_empty_line_ = true;
            line_at_ = scanned_;
            continue;
        }
        line_at_ = scanned_;
        if (++lines_ == 1) request_line_bytes_ = scanned_;
        if (lines_ > limits_.headers_max + 1) {
            Refuse(431, "too many header fields");
            return 0;
        }
    }
    return 0;
}

bool RequestReader::CheckLine(std::string_view head, size_t end) {
    if (end == line_at_ || head[end - 1] != '\r') {
        Refuse(400, "a line does not end with CR LF");
        return false;
    }
    if (head[line_at_] == ' ' || head[line_at_] == '\t') {
        Refuse(400, "a folded line");
        return false;
    }
    return true;
}

bool RequestReader::CheckTargetSize(std::string_view head) {
    const size_t begin = head.find(' ');
    const size_t end = begin == std::string_view::npos ? begin : head.find(' ', begin + 1);
    if (end == std::string_view::npos || end - begin - 1 <= limits_.target_bytes_max) return true;
    Refuse(414, "the request target is too long");
    return false;
}

void RequestReader::ParseHead(std::string_view head) {
    if (skipped_empty_line_) head.remove_prefix(2);
    skipped_empty_line_ = false;
    scanned_ = line_at_ = lines_ = request_line_bytes_ = 0;
    request_ = Request();
    request_.body.clear();
    expects_continue_ = chunked_ = false;
    content_length_ = body_wire_bytes_ = body_received_ = 0;

    if (!CheckTargetSize(head)) return;
    RequestHead parsed;
    switch (ParseRequestHead(head, parsed, request_.headers)) {
        case HeadSyntax::kGood:
            break;
        case HeadSyntax::kBadVersion:
            if (!NamesAVersion(head)) return Refuse(400, "the request line is malformed");
            return Refuse(505, "only HTTP/1.0 and HTTP/1.1 are spoken");
        case HeadSyntax::kBad:
            return Refuse(400, "the request head is malformed");
    }
    request_.http_1_0 = parsed.http_1_0;
    request_.method = MethodFromName(parsed.method);
    if (!CheckFields(parsed) || !CheckFraming(parsed.http_1_0)) return;
    if (request_.method == Method::kOther) return Refuse(501, "the method is not known");
    if (!SetTarget(request_, parsed.target)) return Refuse(400, "the target is not acceptable");

    if (!chunked_ && content_length_ == 0) {
        state_ = State::kDone;
        Pad(request_.body);
        return;
    }
    body_limit_bytes_ =
        body_limit_ != nullptr && *body_limit_ ? (*body_limit_)(request_) : limits::kBatchBytesMax;
    if (content_length_ > body_limit_bytes_) return Refuse(413, "the body is too large");
    state_ = State::kBody;
    if (chunked_) {
        chunks_.Reset();
    } else {
        request_.body.reserve(static_cast<size_t>(content_length_) + kBodyPadding);
    }
}

bool RequestReader::CheckFields(const RequestHead& head) {
    const Headers& headers = request_.headers;
    size_t hosts = 0;
    std::string_view host;
    bool close = head.http_1_0;
    for (size_t i = 0; i < headers.size(); ++i) {
        const auto [name, value] = headers[i];
        if (EqualNoCase(name, "host")) {
            ++hosts;
            host = value;
        } else if (EqualNoCase(name, "connection")) {
            if (ListHas(value, "close")) close = true;
            if (head.http_1_0 && ListHas(value, "keep-alive")) close = false;
        }
    }
    if (hosts > 1 || (hosts == 0 && !head.http_1_0) || !HostIsPlain(host)) {
        Refuse(400, "exactly one plain Host field is needed");
        return false;
    }
    keep_alive_ = !close;
    return true;
}

// RFC 9112 6.3: whatever two readers could understand differently is refused.
bool RequestReader::CheckFraming(bool http_1_0) {
    const Headers& headers = request_.headers;
    size_t lengths = 0;
    size_t codings = 0;
    std::string_view length;
    std::string_view coding;
    std::string_view upgrade;
    std::string_view expect;
    for (size_t i = 0; i < headers.size(); ++i) {
        const auto [name, value] = headers[i];
        if (EqualNoCase(name, "content-length")) {
            ++lengths;
            length = value;
        } else if (EqualNoCase(name, "transfer-encoding")) {
            ++codings;
            coding = value;
        } else if (EqualNoCase(name, "upgrade")) {
            upgrade = value;
        } else if (EqualNoCase(name, "expect")) {
            expect = value;
        }
    }
    const auto refuse = [&](int status, std::string_view text) {
        Refuse(status, text);
        return false;
    };
    if (lengths + codings > 1) return refuse(400, "the length of the body is ambiguous");
    if (lengths == 1) {
        if (!AllDigits(length) || length.size() > 18) {
            return refuse(400, "the Content-Length is not a number");
        }
        for (const char c : length) content_length_ = content_length_ * 10 + (c - '0');
    }
    if (codings == 1) {
        if (http_1_0) return refuse(400, "HTTP/1.0 has no Transfer-Encoding");
        if (!EqualNoCase(coding, "chunked")) {
            return IsToken(coding) ? refuse(501, "the transfer coding is not known")
                                   : refuse(400, "the Transfer-Encoding is malformed");
        }
        chunked_ = true;
    }
    // h2c is never accepted and its clients go on in HTTP/1.1; others may switch after the head.
    if (!upgrade.empty() && !EqualNoCase(upgrade, "h2c") && lengths + codings > 0) {
        return refuse(400, "an upgrade may not carry a body");
    }
    if (!expect.empty()) {
        if (!EqualNoCase(expect, "100-continue"))
            return refuse(417, "the expectation is not known");
        expects_continue_ = !http_1_0 && (chunked_ || content_length_ > 0);
    }
    return true;
}

size_t RequestReader::TakeBody(std::string_view bytes) {
    if (chunked_) {
        const size_t size = chunks_.Take(bytes, request_.body, body_limit_bytes_);
        body_wire_bytes_ += size;
        body_received_ = request_.body.size();
        switch (chunks_.state()) {
            case ChunkReader::State::kMore:
                break;
            case ChunkReader::State::kDone:
                FinishBody();
                break;
            case ChunkReader::State::kBad:
                Refuse(400, "the chunks are malformed");
                break;
            case ChunkReader::State::kTooLarge:
                Refuse(413, "the body is too large");
                break;
        }
        return size;
    }
    const size_t left = static_cast<size_t>(content_length_) - body_received_;
    const size_t size = std::min(left, bytes.size());
    request_.body.resize(body_received_);
    request_.body.append(bytes.substr(0, size));
    body_received_ += size;
    body_wire_bytes_ += size;
    if (size == left) FinishBody();
    return size;
}

RequestReader::Room RequestReader::BodyRoom() {
    if (state_ != State::kBody || chunked_) return {};
    std::string& body = request_.body;
    if (body.size() == body_received_) {
        const size_t wanted = std::max(kFirstBodyRoomBytes, 2 * body.size());
        body.resize(std::min(static_cast<size_t>(content_length_), wanted));
    }
    return {body.data() + body_received_, body.size() - body_received_};
}

void RequestReader::Filled(size_t size) {
    CHECK(state_ == State::kBody && !chunked_ && body_received_ + size <= request_.body.size());
    body_received_ += size;
    body_wire_bytes_ += size;
    if (body_received_ == content_length_) FinishBody();
}

void RequestReader::FinishBody() {
    if (request_.method == Method::kGet || request_.method == Method::kHead) {
        request_.body = std::string();
    }
    Pad(request_.body);
    state_ = State::kDone;
}

Request RequestReader::Release() {
    CHECK(state_ == State::kDone);
    state_ = State::kHead;
    body_received_ = 0;
    return std::move(request_);
}

void RequestReader::Abandon() {
    state_ = State::kRefused;
    request_ = Request();
    head_ = std::string();
}

void RequestReader::Shrink() {
    if (head_.empty() && head_.capacity() > kKeptHeadCapacityBytes) head_ = std::string();
}

}  // namespace http
