// One SMTP connection: a state machine on the delivery thread. Private to this module; the only
// header with Asio in it, included by client.cc and connection.cc.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/smtp/client.h"
#include "net/smtp/reply.h"
#include "net/smtp/wire.h"

namespace smtp {

// A letter on its way, with what was worked out when it was taken.
struct Transaction {
    Letter letter;
    BeforeDot before_dot;
    Done done;
    bool needs_utf8 = false;   // SMTPUTF8: an address or header is not ASCII.
    bool eight_bit = false;    // 8BITMIME: some byte is not ASCII.
    int tries = 0;             // Connections that lost it before they answered to MAIL.
    base::DurationMs queued_ms = 0;
};

class Connection;

// What a connection tells its pool; always on the delivery thread.
class ConnectionOwner {
  public:
    virtual ~ConnectionOwner() = default;
    // The connection is idle now: at first, and after each letter that left it usable.
    virtual void OnIdle(Connection& connection) = 0;
    virtual void OnResult(Transaction transaction, const SendResult& result) = 0;
    // Surely not sent and worth another connection at once.
    virtual void OnReturned(Transaction transaction) = 0;
    // Once, last. `was_ready`: it had reached idle before. No handler runs any more afterwards
    // that touches the owner.
    virtual void OnClosed(Connection& connection, bool was_ready, const std::string& why) = 0;
};

struct ConnectionSettings {
    Target target;
    Options options;
};

base::DurationMs SteadyMs();

class Connection final : public std::enable_shared_from_this<Connection> {
  public:
    Connection(boost::asio::io_context& io, boost::asio::ssl::context& tls,
               const ConnectionSettings& settings, ConnectionOwner& owner);

    void Connect();
    // Only when idle.
    void Begin(Transaction transaction);
    // QUIT when idle, else close at once; OnClosed follows.
    void Quit();
    void Fail(std::string why);
    // Called now and then: fails what is overdue, quits what is idle for too long.
    void CheckTime(base::DurationMs now_ms);

    bool idle() const { return state_ == State::kIdle; }

  private:
    enum class State : uint8_t {
        kConnecting, kHandshake, kBanner, kEhlo, kStartTls, kAuthPlain, kAuthLogin, kAuthUser,
        kAuthPassword, kIdle, kEnvelope, kEmptyDot, kBody, kDot, kQuit, kClosed,
    };
    enum class Command : uint8_t { kReset, kMail, kRcpt, kData };

    void OnConnected(const boost::system::error_code& error);
    void StartHandshake();
    void Read();
    void OnRead(const boost::system::error_code& error, size_t size);
    void TakeReplies();
    void OnReply(const Reply& reply);
    void OnBanner(const Reply& reply);
    void OnEhlo(const Reply& reply);
    void OnStartTls(const Reply& reply);
    void OnAuth(const Reply& reply);
    void OnEnvelope(const Reply& reply);
    void OnData(const Reply& reply);
    void OnBodyReply(const Reply& reply);
    void SendEhlo();
    void SendAuth();
    void BecomeIdle();
    std::optional<SendResult> RefusedLocally() const;
    void SendNextCommand();
    void WriteBody();
    void WriteLastPiece();
    void OnBodyWritten(const boost::system::error_code& error);
    void Write(std::string text);
    void Finish(const SendResult& result);
    void Settle();
    void Close(std::string why);
    void SetDeadline(base::DurationMs in_ms) { deadline_ms_ = SteadyMs() + in_ms; }

    const ConnectionSettings& settings_;
    const TimeLimits& times_;
    ConnectionOwner& owner_;
    boost::asio::ip::tcp::resolver resolver_;
    boost::asio::ip::tcp::socket socket_;
    boost::asio::ssl::context& tls_context_;
    std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;

    State state_ = State::kConnecting;
    base::DurationMs deadline_ms_ = 0;
    bool was_ready_ = false;
    bool needs_reset_ = false;
    bool reading_ = false;
    bool writing_ = false;         // Commands; replies are not looked at meanwhile.
    bool writing_body_ = false;
    bool dot_begun_ = false;       // The write that contains the dot was issued.
    bool dot_handed_over_ = false; // ... and the dot itself reached the kernel.
    bool answered_ = false;        // Some reply to this transaction came.
    uint64_t transactions_ = 0;
    std::string why_;
    ReplyParser parser_;
    Offer offer_;
    std::array<char, 4096> in_;
    std::string_view in_left_;     // Of in_, not yet looked at.
    std::string out_;
    std::string body_;             // The letter on its way; lives as long as its writes.
    std::vector<Command> expected_;  // Commands of the transaction whose reply is due, in order.
    size_t expected_at_ = 0;
    size_t sent_commands_ = 0;
    std::optional<Transaction> transaction_;
    std::optional<SendResult> refused_;   // The first refusal within the envelope.
    std::optional<Reply> early_reply_;    // To the dot, seen before its write had returned.
};

}  // namespace smtp
