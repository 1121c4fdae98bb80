#include "net/smtp/connection.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/write.hpp>

#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"

namespace smtp {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

SendResult ResultOf(const Reply& reply) {
    const ResultKind kind = reply.code >= 500   ? ResultKind::kPermanent
                            : reply.code >= 400 ? ResultKind::kTemporary
                                                : ResultKind::kAccepted;
    return {kind, reply.code, reply.enhanced, reply.Text()};
}

std::string Described(std::string_view what, const Reply& reply) {
    return std::string(what) + ": " + std::to_string(reply.code) + ' ' + reply.Text();
}

}  // namespace

base::DurationMs SteadyMs() { return base::SteadyNanos() / 1'000'000; }

Connection::Connection(asio::io_context& io, asio::ssl::context& tls,
                       const ConnectionSettings& settings, ConnectionOwner& owner)
    : settings_(settings),
      times_(settings.options.times),
      owner_(owner),
      resolver_(io),
      socket_(io),
      tls_context_(tls) {}

void Connection::Connect() {
    SetDeadline(times_.connect_ms);
    const auto self = shared_from_this();
    error_code error;
    const auto address = asio::ip::make_address(settings_.target.host, error);
    if (!error) {
        socket_.async_connect(tcp::endpoint(address, settings_.target.port),
                              [self](const error_code& failed) { self->OnConnected(failed); });
        return;
    }
    resolver_.async_resolve(
        settings_.target.host, std::to_string(settings_.target.port),
        [self](const error_code& failed, const tcp::resolver::results_type& found) {
            if (self->state_ != State::kConnecting) return;
            if (failed) return self->Fail("resolve: " + failed.message());
            asio::async_connect(self->socket_, found,
                                [self](const error_code& refused, const tcp::endpoint&) {
                                    self->OnConnected(refused);
                                });
        });
}

void Connection::OnConnected(const error_code& error) {
    if (state_ != State::kConnecting) return;
    if (error) return Fail("connect: " + error.message());
    error_code ignored;  // Without TCP_NODELAY it is slower, not wrong.
    socket_.set_option(tcp::no_delay(true), ignored);
    if (settings_.target.tls == Tls::kImplicit) return StartHandshake();
    state_ = State::kBanner;
    SetDeadline(times_.banner_ms);
    Read();
}

void Connection::StartHandshake() {
    state_ = State::kHandshake;
    SetDeadline(times_.connect_ms);
    tls_.emplace(socket_, tls_context_);
    const std::string& host = settings_.target.host;
    error_code literal;
    asio::ip::make_address(host, literal);
    if (literal) SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str());
    if (settings_.options.tls_verify) {
        error_code failed;
        tls_->set_verify_mode(asio::ssl::verify_peer, failed);
        if (!failed) {
            tls_->set_verify_callback(asio::ssl::host_name_verification(host), failed);
        }
        if (failed) return Fail("tls: " + failed.message());
    }
    const auto self = shared_from_this();
    tls_->async_handshake(asio::ssl::stream_base::client, [self](const error_code& failed) {
        if (self->state_ != State::kHandshake) return;
        if (failed) return self->Fail("tls: " + failed.message());
        if (self->settings_.target.tls == Tls::kImplicit) {
            self->state_ = State::kBanner;
            self->SetDeadline(self->times_.banner_ms);
        } else {
            self->SendEhlo();  // RFC 3207 section 4.2: what was learnt before is forgotten.
        }
        self->Read();
    });
}

void Connection::Read() {
    if (reading_ || state_ == State::kClosed || state_ == State::kHandshake) return;
    reading_ = true;
    const auto self = shared_from_this();
    const auto taken = [self](const error_code& error, size_t size) {
        self->reading_ = false;
        self->OnRead(error, size);
    };
    if (tls_) {
        tls_->async_read_some(asio::buffer(in_), taken);
    } else {
        socket_.async_read_some(asio::buffer(in_), taken);
    }
}

void Connection::OnRead(const error_code& error, size_t size) {
    if (state_ == State::kClosed) return;
    in_left_ = std::string_view(in_.data(), size);
    TakeReplies();
    if (error && state_ != State::kClosed) {
        Fail(error == asio::error::eof ? "closed by the server" : error.message());
    }
}

void Connection::TakeReplies() {
    while (!in_left_.empty() && !writing_) {
        const ReplyState read = parser_.Feed(in_left_);
        if (read == ReplyState::kNeedMore) break;
        if (read == ReplyState::kMalformed) return Fail("malformed reply");
        if (state_ == State::kStartTls && parser_.reply().positive() && !in_left_.empty()) {
            // Injected by somebody on the path, to be taken for the server's words inside TLS.
            return Fail("plain text after STARTTLS");
        }
        const Reply reply = parser_.reply();
        OnReply(reply);
        if (state_ == State::kClosed || state_ == State::kHandshake) return;
    }
    if (in_left_.empty()) Read();
}

void Connection::OnReply(const Reply& reply) {
    switch (state_) {
        case State::kBanner: return OnBanner(reply);
        case State::kEhlo: return OnEhlo(reply);
        case State::kStartTls: return OnStartTls(reply);
        case State::kAuthPlain:
        case State::kAuthLogin:
        case State::kAuthUser:
        case State::kAuthPassword: return OnAuth(reply);
        case State::kEnvelope: return OnEnvelope(reply);
        case State::kEmptyDot: {
            const SendResult refused = *refused_;
            return Finish(refused);
        }
        case State::kBody:
        case State::kDot: return OnBodyReply(reply);
        case State::kIdle: return Fail(Described("unasked", reply));
        case State::kQuit: return Close({});
        case State::kConnecting:
        case State::kHandshake:
        case State::kClosed: return;
    }
}

void Connection::OnBanner(const Reply& reply) {
    if (reply.code != 220) return Fail(Described("banner", reply));
    SendEhlo();
}

void Connection::SendEhlo() {
    state_ = State::kEhlo;
    SetDeadline(times_.banner_ms);
    Write("EHLO " + settings_.options.ehlo_name + "\r\n");
}

void Connection::OnEhlo(const Reply& reply) {
    if (!reply.positive()) return Fail(Described("EHLO", reply));
    offer_ = ReadOffer(reply);
    if (!settings_.options.pipelining) offer_.pipelining = false;
    if (!tls_ && offer_.starttls) {
        state_ = State::kStartTls;
        SetDeadline(times_.banner_ms);
        return Write("STARTTLS\r\n");
    }
    if (!tls_ && settings_.target.tls == Tls::kStartTls) {
        return Fail("the server offers no STARTTLS");
    }
    SendAuth();
}

void Connection::OnStartTls(const Reply& reply) {
    if (reply.code != 220) return Fail(Described("STARTTLS", reply));
    StartHandshake();
}

void Connection::SendAuth() {
    const Target& target = settings_.target;
    if (target.user.empty()) return BecomeIdle();
    if (!tls_) {
        error_code error;
        const auto peer = socket_.remote_endpoint(error);
        if (error || !peer.address().is_loopback()) {
            return Fail("password not sent: the connection is not encrypted");
        }
    }
    SetDeadline(times_.banner_ms);
    if (offer_.auth_plain) {
        state_ = State::kAuthPlain;
        std::string secret;
        secret.push_back('\0');
        secret.append(target.user);
        secret.push_back('\0');
        secret.append(target.password);
        return Write("AUTH PLAIN " + base::Base64Encode(secret) + "\r\n");
    }
    if (offer_.auth_login) {
        state_ = State::kAuthLogin;
        return Write("AUTH LOGIN\r\n");
    }
    Fail("the server offers neither AUTH PLAIN nor AUTH LOGIN");
}

void Connection::OnAuth(const Reply& reply) {
    if (state_ == State::kAuthLogin && reply.code == 334) {
        state_ = State::kAuthUser;
        return Write(base::Base64Encode(settings_.target.user) + "\r\n");
    }
    if (state_ == State::kAuthUser && reply.code == 334) {
        state_ = State::kAuthPassword;
        return Write(base::Base64Encode(settings_.target.password) + "\r\n");
    }
    const bool last = state_ == State::kAuthPlain || state_ == State::kAuthPassword;
    if (!last || !reply.positive()) return Fail(Described("AUTH", reply));
    BecomeIdle();
}

void Connection::BecomeIdle() {
    state_ = State::kIdle;
    was_ready_ = true;
    SetDeadline(times_.idle_ms);
    owner_.OnIdle(*this);
}

std::optional<SendResult> Connection::RefusedLocally() const {
    const Transaction& t = *transaction_;
    const auto refusal = [](uint16_t code, const char* enhanced, const char* text) {
        return SendResult{ResultKind::kPermanent, code, enhanced, text};
    };
    if (t.needs_utf8 && !offer_.smtp_utf8) {
        return refusal(553, "5.6.7", "the mail server does not take SMTPUTF8 addresses");
    }
    if (t.eight_bit && !offer_.eight_bit) {
        return refusal(554, "5.6.3", "the mail server does not take 8-bit letters");
    }
    if (offer_.size && offer_.size_max != 0 && body_.size() > offer_.size_max) {
        return refusal(552, "5.3.4", "the letter is larger than the mail server takes");
    }
    return std::nullopt;
}

void Connection::Begin(Transaction transaction) {
    CHECK(state_ == State::kIdle && !transaction_ && !writing_body_);
    transaction_.emplace(std::move(transaction));
    body_ = std::move(transaction_->letter.bytes);
    refused_.reset();
    early_reply_.reset();
    dot_begun_ = dot_handed_over_ = answered_ = false;
    expected_.clear();
    expected_at_ = sent_commands_ = 0;
    state_ = State::kEnvelope;
    // More words than questions: the next would be taken for answers to this letter.
    if (!in_left_.empty() || !parser_.empty()) return Fail("unasked reply");
    if (const auto refusal = RefusedLocally()) return Finish(*refusal);
    if (needs_reset_) expected_.push_back(Command::kReset);
    expected_.insert(expected_.end(), {Command::kMail, Command::kRcpt, Command::kData});
    SetDeadline(times_.command_ms);
    SendNextCommand();
}

// All commands at once with PIPELINING, else the next one.
void Connection::SendNextCommand() {
    const Letter& letter = transaction_->letter;
    std::string text;
    do {
        switch (expected_[sent_commands_++]) {
            case Command::kReset: text.append("RSET\r\n"); break;
            case Command::kMail:
                text.append("MAIL FROM:<").append(letter.envelope_from).append(">");
                if (offer_.size) text.append(" SIZE=").append(std::to_string(body_.size()));
                if (transaction_->eight_bit) text.append(" BODY=8BITMIME");
                if (transaction_->needs_utf8) text.append(" SMTPUTF8");
                text.append("\r\n");
                break;
            case Command::kRcpt: text.append("RCPT TO:<").append(letter.to).append(">\r\n"); break;
            case Command::kData: text.append("DATA\r\n"); break;
        }
    } while (offer_.pipelining && sent_commands_ < expected_.size());
    Write(std::move(text));
}

void Connection::OnEnvelope(const Reply& reply) {
    if (expected_at_ >= sent_commands_) return Fail(Described("unasked", reply));
    const Command command = expected_[expected_at_++];
    if (reply.code == 421) {
        // On a connection that has served before this is a farewell, not a word on the letter.
        if (command != Command::kRcpt && command != Command::kData && transactions_ > 0) {
            return Fail(Described("farewell", reply));
        }
        needs_reset_ = true;
        const SendResult result = refused_ ? *refused_ : ResultOf(reply);
        Transaction ended = std::move(*transaction_);
        transaction_.reset();
        owner_.OnResult(std::move(ended), result);
        return Fail(Described("farewell", reply));
    }
    if (command == Command::kReset) {
        if (!reply.positive()) return Fail(Described("RSET", reply));
        needs_reset_ = false;
        if (!offer_.pipelining) SendNextCommand();
        return;
    }
    answered_ = true;
    SetDeadline(times_.command_ms);
    if (command == Command::kData) return OnData(reply);
    if (reply.code >= 300 && reply.code < 400) return Fail(Described("out of order", reply));
    if (!reply.positive() && !refused_) refused_ = ResultOf(reply);
    if (offer_.pipelining) return;
    if (!refused_) return SendNextCommand();
    needs_reset_ = true;
    const SendResult refused = *refused_;
    Finish(refused);
}

void Connection::OnData(const Reply& reply) {
    if (reply.positive()) return Fail(Described("out of order", reply));
    if (reply.code == 354) {
        if (!in_left_.empty()) return Fail("a reply before the letter");
        if (!refused_) return WriteBody();
        // RFC 2920 section 3.1: nobody will get it; a lone dot ends what must not begin.
        state_ = State::kEmptyDot;
        return Write(".\r\n");
    }
    if (reply.code < 400) return Fail(Described("out of order", reply));
    if (!refused_) refused_ = ResultOf(reply);
    needs_reset_ = true;
    const SendResult refused = *refused_;
    Finish(refused);
}

// A large letter goes in two writes, so that the mark before the dot is not made long before it.
void Connection::WriteBody() {
    state_ = State::kBody;
    SetDeadline(times_.body_ms);
    if (body_.size() <= limits::kSmtpLastWriteBytesMax) return WriteLastPiece();
    writing_body_ = true;
    const auto self = shared_from_this();
    const auto progress = [self](const error_code& error, size_t) -> size_t {
        self->SetDeadline(self->times_.body_ms);
        return error ? 0 : limits::kSmtpLastWriteBytesMax;
    };
    const auto written = [self](const error_code& error, size_t) {
        self->writing_body_ = false;
        if (self->state_ == State::kClosed) return self->Settle();
        if (error) return self->Fail("write: " + error.message());
        self->WriteLastPiece();
    };
    const auto piece = asio::buffer(body_.data(), body_.size() - limits::kSmtpLastWriteBytesMax);
    if (tls_) {
        asio::async_write(*tls_, piece, progress, written);
    } else {
        asio::async_write(socket_, piece, progress, written);
    }
}

void Connection::WriteLastPiece() {
    if (!transaction_->before_dot(transaction_->letter.tag)) return Fail("held back by the caller");
    dot_begun_ = true;
    writing_body_ = true;
    const size_t piece = std::min(body_.size(), limits::kSmtpLastWriteBytesMax);
    const std::array<asio::const_buffer, 2> buffers = {
        asio::buffer(body_.data() + body_.size() - piece, piece), asio::buffer(".\r\n", 3)};
    const auto self = shared_from_this();
    const auto progress = [self](const error_code& error, size_t) -> size_t {
        self->SetDeadline(self->times_.body_ms);
        return error ? 0 : limits::kSmtpLastWriteBytesMax + 3;
    };
    const auto written = [self, piece](const error_code& error, size_t size) {
        self->writing_body_ = false;
        self->dot_handed_over_ = size > piece;
        self->OnBodyWritten(error);
    };
    if (tls_) {
        asio::async_write(*tls_, buffers, progress, written);
    } else {
        asio::async_write(socket_, buffers, progress, written);
    }
}

void Connection::OnBodyWritten(const error_code& error) {
    if (state_ == State::kClosed) return Settle();
    if (error) return Fail("write: " + error.message());
    state_ = State::kDot;
    SetDeadline(times_.dot_ms);
    if (!early_reply_) return;
    const Reply reply = std::move(*early_reply_);
    OnBodyReply(reply);
}

void Connection::OnBodyReply(const Reply& reply) {
    if (reply.code >= 300 && reply.code < 400) return Fail(Described("out of order", reply));
    if (state_ == State::kDot && reply.code != 421) return Finish(ResultOf(reply));
    // Still writing, or a farewell. A refusal counts at once; consent to bytes that the server
    // cannot have read yet does not.
    if (reply.code >= 400) {
        Transaction ended = std::move(*transaction_);
        transaction_.reset();
        owner_.OnResult(std::move(ended), ResultOf(reply));
        return Fail(Described("refused", reply));
    }
    if (!dot_begun_ || early_reply_) return Fail(Described("out of order", reply));
    early_reply_ = reply;
}

void Connection::Write(std::string text) {
    out_ = std::move(text);
    writing_ = true;
    const auto self = shared_from_this();
    const auto written = [self](const error_code& error, size_t) {
        self->writing_ = false;
        if (self->state_ == State::kClosed) return;
        if (error) return self->Fail("write: " + error.message());
        if (!self->in_left_.empty()) self->TakeReplies();
    };
    if (tls_) {
        asio::async_write(*tls_, asio::buffer(out_), written);
    } else {
        asio::async_write(socket_, asio::buffer(out_), written);
    }
}

void Connection::Finish(const SendResult& result) {
    Transaction ended = std::move(*transaction_);
    transaction_.reset();
    ++transactions_;
    owner_.OnResult(std::move(ended), result);
    BecomeIdle();
}

void Connection::Quit() {
    if (state_ != State::kIdle || writing_) return Close("closing");
    state_ = State::kQuit;
    SetDeadline(std::min(times_.command_ms, 5 * base::kSecondMs));
    Write("QUIT\r\n");
}

void Connection::CheckTime(base::DurationMs now_ms) {
    if (state_ == State::kClosed || now_ms < deadline_ms_) return;
    if (state_ == State::kIdle) return Quit();
    if (state_ == State::kQuit) return Close({});
    Fail(state_ == State::kDot ? "timed out after the dot" : "timed out");
}

void Connection::Fail(std::string why) { Close(std::move(why)); }

void Connection::Close(std::string why) {
    if (state_ == State::kClosed) return;
    why_ = std::move(why);
    error_code ignored;  // The socket is given up either way.
    // RST in mid-letter: nobody may take an end of file for the end of the letter.
    if (state_ == State::kBody) socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    state_ = State::kClosed;
    resolver_.cancel();
    socket_.close(ignored);
    if (!writing_body_) Settle();  // Else its handler knows how far the letter went.
}

// Says what became of the letter and of the connection; once.
void Connection::Settle() {
    const auto self = shared_from_this();  // The owner lets go of us below.
    if (transaction_) {
        Transaction ended = std::move(*transaction_);
        transaction_.reset();
        if (dot_handed_over_) {
            owner_.OnResult(std::move(ended), {ResultKind::kAmbiguous, 0, {}, why_});
        } else if (!answered_ && transactions_ > 0 && ended.tries == 0) {
            // The server gave up an idle connection just when we used it.
            ended.letter.bytes = std::move(body_);
            ++ended.tries;
            owner_.OnReturned(std::move(ended));
        } else {
            owner_.OnResult(std::move(ended), {ResultKind::kNotSent, 0, {}, why_});
        }
    }
    owner_.OnClosed(*this, was_ready_, why_);
}

}  // namespace smtp
