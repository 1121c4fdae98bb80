#include "net/http/connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/check.h"

namespace http {
namespace {

using std::chrono::milliseconds;
using WaitType = boost::asio::posix::stream_descriptor::wait_type;

constexpr int kStepsPerTurn = 64;  // Then other connections get theirs.

SteadyTime Now() { return std::chrono::steady_clock::now(); }

// The right to answer one request.
class LoopExchange final : public Respond::Exchange {
  public:
    LoopExchange(std::shared_ptr<Loop> loop, std::weak_ptr<Connection> connection,
                 uint64_t sequence)
        : loop_(std::move(loop)), connection_(std::move(connection)), sequence_(sequence) {}
    ~LoopExchange() override {
        if (!answered_.load(std::memory_order_relaxed)) {
            Send(Response::Error(500, "internal", "Something went wrong in the server."));
        }
    }
    void Send(Response response) override {
        if (answered_.exchange(true)) return;
        loop_->Deliver({connection_, sequence_, std::move(response)});
    }
    bool client_gone() const override { return connection_.expired(); }

  private:
    std::shared_ptr<Loop> loop_;
    std::weak_ptr<Connection> connection_;
    uint64_t sequence_;
    std::atomic<bool> answered_{false};
};

// The right to give one piece of a streamed answer.
class PieceSlot {
  public:
    PieceSlot(std::shared_ptr<Loop> loop, std::weak_ptr<Connection> connection, uint64_t sequence)
        : loop_(std::move(loop)), connection_(std::move(connection)), sequence_(sequence) {}
    ~PieceSlot() {
        if (!given_.load(std::memory_order_relaxed)) Give({Piece::Kind::kAbort, {}});
    }
    PieceSlot(const PieceSlot&) = delete;
    PieceSlot& operator=(const PieceSlot&) = delete;
    void Give(Piece piece) {
        if (given_.exchange(true)) return;
        loop_->Deliver({connection_, sequence_, std::move(piece)});
    }

  private:
    std::shared_ptr<Loop> loop_;
    std::weak_ptr<Connection> connection_;
    uint64_t sequence_;
    std::atomic<bool> given_{false};
};

void AppendNumber(std::string& out, uint64_t number, int base) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof(digits), number, base);
    out.append(digits, end.ptr);
}

// A value from outside can never begin a new line.
void AppendValue(std::string& out, std::string_view value) {
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        out.push_back((byte < ' ' && byte != '\t') || byte == 0x7f ? ' ' : c);
    }
}

bool HasNoBody(int status) { return status == 204 || status == 304 || status / 100 == 1; }

}  // namespace

Connection::Connection(Loop& loop, int fd, std::string peer_address, size_t listener)
    : loop_(loop),
      socket_(loop.context()),
      fd_(fd),
      peer_address_(std::move(peer_address)),
      reader_(loop.shared().head_limits, &loop.shared().body_limit),
      listener_(static_cast<uint16_t>(listener)) {}

Connection::~Connection() = default;

void Connection::Start() {
    boost::system::error_code error;
    socket_.assign(fd_, error);
    if (error) return Close();  // The system watches no more descriptors.
    BeginRead();
    Pump();
}

void Connection::Close() {
    if (phase_ == Phase::kClosed) return;
    phase_ = Phase::kClosed;
    ReleaseBody();
    if (socket_.is_open()) {
        boost::system::error_code ignored;  // The descriptor is closed whatever it says.
        socket_.close(ignored);
    } else {
        ::close(fd_);
    }
    if (!in_source_) answer_ = Response();
    EndUpgrade();
    loop_.Remove(*this);
}

void Connection::Wait(WaitType type) {
    bool& waiting = type == WaitType::wait_read ? waiting_read_ : waiting_write_;
    if (waiting) return;
    waiting = true;
    socket_.async_wait(type, [self = shared_from_this(), type](boost::system::error_code error) {
        const bool read = type == WaitType::wait_read;
        (read ? self->waiting_read_ : self->waiting_write_) = false;
        if (error || self->phase_ == Phase::kClosed) return;
        if (read) self->readable_ = true;
        self->Pump();
    });
}

void Connection::Pump() {
    if (pumping_) return;
    pumping_ = true;
    const auto self = shared_from_this();
    for (int step = 0; phase_ != Phase::kClosed; ++step) {
        if (step == kStepsPerTurn) {
            loop_.Post([self] { self->Pump(); });
            break;
        }
        if (StepOnce() == Step::kWait) break;
    }
    pumping_ = false;
}

Connection::Step Connection::StepOnce() {
    switch (phase_) {
        case Phase::kRead: return ReadStep();
        case Phase::kHandle: return Step::kWait;
        case Phase::kWrite: return WriteStep();
        case Phase::kSource: return SourceStep();
        case Phase::kUpgraded: return UpgradedStep();
        case Phase::kLinger: return LingerStep();
        case Phase::kClosed: return Step::kWait;
    }
    return Step::kWait;
}

void Connection::BeginRead() {
    phase_ = Phase::kRead;
    head_begun_ = false;
    continue_sent_ = false;
    since_ = progress_ = Now();
    reader_.Shrink();
}

Connection::Step Connection::ReadStep() {
    if (!pending_.empty()) {
        const std::string bytes = std::move(pending_);
        pending_ = std::string();
        Received(bytes);
        return Step::kAgain;
    }
    if (!readable_) {
        Wait(WaitType::wait_read);
        return Step::kWait;
    }
    const RequestReader::Room room = reader_.BodyRoom();
    char* to = room.size > 0 ? room.data : loop_.read_buffer();
    const size_t size = room.size > 0 ? room.size : Loop::kReadBufferBytes;
    const ssize_t got = ::recv(fd_, to, size, MSG_DONTWAIT);
    if (got <= 0) {
        readable_ = false;
        if (got < 0 && errno == EINTR) {
            readable_ = true;
        } else if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
            Close();
        }
        return Step::kAgain;
    }
    // A short read has emptied the socket; asking again would only cost a call.
    readable_ = static_cast<size_t>(got) == size;
    progress_ = Now();
    if (room.size > 0) {
        reader_.Filled(static_cast<size_t>(got));
        AfterBytes();
    } else {
        Received({to, static_cast<size_t>(got)});
    }
    return Step::kAgain;
}

void Connection::Received(std::string_view bytes) {
    if (!head_begun_ && !bytes.empty()) {
        head_begun_ = true;
        since_ = progress_;
    }
    const auto before = reader_.state();
    const size_t used = reader_.Take(bytes);
    if (before == RequestReader::State::kHead && reader_.state() == RequestReader::State::kBody) {
        since_ = progress_;
    }
    if (used < bytes.size() && reader_.state() == RequestReader::State::kDone) {
        pending_.assign(bytes.substr(used));
    }
    AfterBytes();
}

void Connection::AfterBytes() {
    if (reader_.state() == RequestReader::State::kRefused) {
        return Refuse(reader_.refusal_status(), reader_.refusal_text());
    }
    if (!Account()) return Refuse(503, "too many bodies at once");
    if (reader_.state() == RequestReader::State::kDone) return Dispatch();
    if (reader_.state() == RequestReader::State::kBody && reader_.expects_continue() &&
        !continue_sent_) {
        continue_sent_ = true;
        // 25 bytes into an empty send buffer; a client that cannot take them waits no longer
        // than its own time limit, and is reaped by ours.
        constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        if (reader_.wire_body_bytes() == 0 &&
            ::send(fd_, kContinue.data(), kContinue.size(), MSG_NOSIGNAL | MSG_DONTWAIT) !=
                static_cast<ssize_t>(kContinue.size())) {
            Close();
        }
    }
}

// Books what the present body holds; false when that passes the server's limit.
bool Connection::Account() {
    const size_t held = reader_.body_bytes();
    auto& total = loop_.shared().body_bytes_in_flight;
    if (held > accounted_) {
        const size_t more = held - accounted_;
        const uint64_t before = total.fetch_add(more, std::memory_order_relaxed);
        accounted_ = held;
        return before + more <= loop_.shared().options.bodies_in_flight_bytes_max;
    }
    return true;
}

void Connection::ReleaseBody() {
    if (accounted_ == 0) return;
    loop_.shared().body_bytes_in_flight.fetch_sub(accounted_, std::memory_order_relaxed);
    accounted_ = 0;
}

void Connection::Dispatch() {
    Shared& shared = loop_.shared();
    shared.requests.fetch_add(1, std::memory_order_relaxed);
    keep_alive_ = reader_.keep_alive();
    linger_ = false;
    Request request = reader_.Release();
    head_only_ = request.method == Method::kHead;
    http_1_0_ = request.http_1_0;
    request.peer_address = peer_address_;
    request.listener = listener_;
    phase_ = Phase::kHandle;
    served_one_ = true;
    since_ = progress_;
    auto exchange =
        std::make_shared<LoopExchange>(loop_.shared_from_this(), weak_from_this(), ++sequence_);
    shared.options.listeners[listener_].handler(std::move(request), Respond(std::move(exchange)));
}

void Connection::Refuse(int status, std::string_view text) {
    loop_.shared().refused.fetch_add(1, std::memory_order_relaxed);
    keep_alive_ = false;
    linger_ = true;
    head_only_ = http_1_0_ = false;
    ++sequence_;
    pending_ = std::string();
    reader_.Abandon();
    const bool too_large = status == 413 || status == 414 || status == 431;
    const std::string_view code = status == 503   ? "overloaded"
                                  : status == 408 ? "timeout"
                                  : too_large     ? "too_large"
                                                  : "invalid_argument";
    BeginAnswer(Response::Error(status, code, text));
}

void Connection::OnDelivery(Delivery delivery) {
    if (delivery.sequence != sequence_) return;
    if (auto* response = std::get_if<Response>(&delivery.content)) {
        if (phase_ != Phase::kHandle) return;
        BeginAnswer(std::move(*response));
    } else if (phase_ == Phase::kSource) {
        piece_ = std::move(std::get<Piece>(delivery.content));
    }
    Pump();
}

void Connection::BeginAnswer(Response response) {
    ReleaseBody();
    const bool stopping = loop_.shared().stopping.load(std::memory_order_relaxed);
    if (response.upgrade && (stopping || http_1_0_)) {
        response = Response::Error(503, "unavailable", "The server is stopping.");
    }
    answer_ = std::move(response);
    if (answer_.close || stopping) keep_alive_ = false;
    chunked_ = answer_.source && !http_1_0_;
    if (answer_.source && http_1_0_) keep_alive_ = false;
    last_piece_ = !answer_.source || head_only_;
    source_asked_ = false;
    piece_.reset();
    out_.clear();
    out_at_ = written_ = 0;
    WriteHead(out_);
    since_ = progress_ = Now();
    phase_ = Phase::kWrite;
}

void Connection::WriteHead(std::string& out) {
    const int status = answer_.status;
    out.append("HTTP/1.1 ");
    AppendNumber(out, static_cast<uint64_t>(status), 10);
    out.append(" ").append(ReasonPhrase(status)).append("\r\n");
    out.append(loop_.DateField());
    if (!answer_.content_type.empty()) {
        out.append("Content-Type: ");
        AppendValue(out, answer_.content_type);
        out.append("\r\n");
    }
    if (chunked_ && !HasNoBody(status)) {
        out.append("Transfer-Encoding: chunked\r\n");
    } else if (!answer_.source && !HasNoBody(status)) {
        out.append("Content-Length: ");
        AppendNumber(out, answer_.Body().size(), 10);
        out.append("\r\n");
    }
    for (size_t i = 0; i < answer_.headers.size(); ++i) {
        const auto [name, value] = answer_.headers[i];
        out.append(name).append(": ");
        AppendValue(out, value);
        out.append("\r\n");
    }
    if ((status == 429 || status == 503) && !answer_.headers.Find("Retry-After")) {
        out.append("Retry-After: ");
        AppendNumber(out, limits::kRetryAfterSeconds, 10);
        out.append("\r\n");
    }
    if (answer_.upgrade) {
        out.append("Connection: Upgrade\r\n");
    } else if (!keep_alive_) {
        out.append("Connection: close\r\n");
    } else if (http_1_0_) {
        out.append("Connection: keep-alive\r\n");
    }
    out.append("\r\n");
    if (HasNoBody(status)) last_piece_ = true;
}

Connection::Step Connection::WriteStep() {
    const bool with_body = !answer_.source && !head_only_ && !HasNoBody(answer_.status);
    const std::string_view body = with_body ? answer_.Body() : std::string_view();
    const size_t total = out_.size() + body.size();
    while (out_at_ < total) {
        iovec parts[2];
        size_t count = 0;
        if (out_at_ < out_.size()) {
            parts[count++] = {out_.data() + out_at_, out_.size() - out_at_};
        }
        const size_t body_at = out_at_ > out_.size() ? out_at_ - out_.size() : 0;
        if (body_at < body.size()) {
            parts[count++] = {const_cast<char*>(body.data()) + body_at, body.size() - body_at};
        }
        msghdr message{};
        message.msg_iov = parts;
        message.msg_iovlen = count;
        const ssize_t sent = ::sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            Wait(WaitType::wait_write);
            return Step::kWait;
        }
        if (sent < 0) {
            Close();
            return Step::kWait;
        }
        out_at_ += static_cast<size_t>(sent);
        written_ += static_cast<size_t>(sent);
        progress_ = Now();
    }
    if (last_piece_) {
        EndAnswer();
    } else {
        phase_ = Phase::kSource;
        since_ = progress_ = Now();
        out_.clear();
    }
    return Step::kAgain;
}

void Connection::AskSource() {
    auto slot =
        std::make_shared<PieceSlot>(loop_.shared_from_this(), weak_from_this(), ++sequence_);
    source_asked_ = true;
    in_source_ = true;
    answer_.source([slot = std::move(slot)](Piece piece) { slot->Give(std::move(piece)); });
    in_source_ = false;
    if (phase_ == Phase::kClosed) answer_ = Response();
}

Connection::Step Connection::SourceStep() {
    if (!source_asked_) AskSource();
    if (!piece_ || phase_ == Phase::kClosed) return Step::kWait;
    Piece piece = std::move(*piece_);
    piece_.reset();
    source_asked_ = false;
    PreparePiece(std::move(piece));
    return Step::kAgain;
}

void Connection::PreparePiece(Piece piece) {
    if (piece.kind == Piece::Kind::kAbort) {
        Close();
        return;
    }
    out_.clear();
    out_at_ = written_ = 0;
    if (piece.kind == Piece::Kind::kEnd) {
        last_piece_ = true;
        if (chunked_) out_ = "0\r\n\r\n";
    } else if (!chunked_) {
        out_ = std::move(piece.data);
    } else if (!piece.data.empty()) {  // An empty chunk would end the body.
        out_.reserve(piece.data.size() + 24);
        AppendNumber(out_, piece.data.size(), 16);
        out_.append("\r\n").append(piece.data).append("\r\n");
    }
    since_ = progress_ = Now();
    phase_ = Phase::kWrite;
}

void Connection::EndAnswer() {
    if (answer_.upgrade) return BeginUpgrade();
    answer_ = Response();
    out_ = out_.capacity() > 512 ? std::string() : std::move(out_);
    if (keep_alive_) return BeginRead();
    if (!linger_ && pending_.empty()) return Close();
    // Closing with unread bytes would reset the connection and could take the answer with it.
    ::shutdown(fd_, SHUT_WR);
    pending_ = std::string();
    phase_ = Phase::kLinger;
    since_ = Now();
    readable_ = true;
}

Connection::Step Connection::LingerStep() {
    const ssize_t got = ::recv(fd_, loop_.read_buffer(), Loop::kReadBufferBytes, MSG_DONTWAIT);
    if (got > 0) return Step::kAgain;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        Wait(WaitType::wait_read);
        return Step::kWait;
    }
    if (got < 0 && errno == EINTR) return Step::kAgain;
    Close();
    return Step::kWait;
}

bool Connection::BodyIsSlow(SteadyTime now) const {
    const ServerOptions& options = loop_.shared().options;
    const auto spent = std::chrono::duration_cast<milliseconds>(now - since_).count();
    if (now - progress_ > milliseconds(options.idle_time_ms)) return true;
    return spent > options.body_grace_ms &&
           reader_.wire_body_bytes() * 1000 <
               options.body_bytes_per_second_min * static_cast<uint64_t>(spent);
}

bool Connection::WriteIsSlow(SteadyTime now) const {
    const ServerOptions& options = loop_.shared().options;
    const auto spent = std::chrono::duration_cast<milliseconds>(now - since_).count();
    if (now - progress_ > milliseconds(options.idle_time_ms)) return true;
    return spent > options.body_grace_ms &&
           written_ * 1000 < options.body_bytes_per_second_min * static_cast<uint64_t>(spent);
}

void Connection::TimeOut(bool with_answer) {
    loop_.shared().timed_out.fetch_add(1, std::memory_order_relaxed);
    if (!with_answer) return Close();
    Refuse(408, "the request came too slowly");
    Pump();
}

void Connection::OnSweep(SteadyTime now) {
    const ServerOptions& options = loop_.shared().options;
    switch (phase_) {
        case Phase::kRead:
            if (reader_.state() == RequestReader::State::kBody) {
                if (BodyIsSlow(now)) TimeOut(true);
            } else if (head_begun_ || !served_one_) {
                if (now - since_ > milliseconds(options.header_time_ms)) TimeOut(head_begun_);
            } else if (now - since_ > milliseconds(options.idle_time_ms)) {
                Close();
            }
            return;
        case Phase::kWrite:
            if (WriteIsSlow(now)) TimeOut(false);
            return;
        case Phase::kHandle:
        case Phase::kSource: {
            // Both directions closed, or reset: nobody waits for this answer any more.
            pollfd state{fd_, 0, 0};
            if (::poll(&state, 1, 0) == 1 && (state.revents & (POLLHUP | POLLERR)) != 0) Close();
            return;
        }
        case Phase::kUpgraded: return SweepUpgraded(now);
        case Phase::kLinger:
            if (now - since_ > milliseconds(options.linger_time_ms)) Close();
            return;
        case Phase::kClosed: return;
    }
}

void Connection::OnServerStop() {
    if (phase_ == Phase::kUpgraded) return upgrade_->Stopping();
    const bool idle = phase_ == Phase::kRead && !head_begun_ && pending_.empty();
    if (idle || phase_ == Phase::kLinger) Close();
}

}  // namespace http
