// Hands letters to one mail server (a relay or smart host) over SMTP (RFC 5321), fast and without
// ever guessing what became of a letter.
//
// How a letter goes: MAIL, RCPT and DATA leave in one write (PIPELINING, RFC 2920), then the bytes
// and the final dot: two round trips. A connection has at most one open transaction, a letter
// exactly one recipient, so one lost answer concerns one person. Up to connections_max
// connections share one delivery thread; they are opened as letters wait and quit when idle.
//
// What is certain: `done` is called exactly once for every letter that Send took, with
//   kAccepted   the server said 2yz to the final dot;
//   kTemporary  it refused with 4yz; kPermanent: with 5yz (or lacks what the letter needs);
//   kNotSent    the letter did not leave: no connection, or lost before the dot was written;
//   kAmbiguous  the dot was written and no readable answer came. Never to be repeated blindly.
//
// Refused, never repaired: CR, LF, NUL and other control characters in an address, a user name
// or the EHLO name. Repaired: line ends of the letter become CRLF and lines that begin with a dot
// get one more, so that no LF.CRLF and no bare CR or LF ever leaves (VU#302671).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/limits.h"
#include "base/result.h"
#include "net/smtp/reply.h"

namespace smtp {

enum class Tls : uint8_t {
    kWhenOffered,  // smtp://: STARTTLS where the server offers it. Passwords need TLS or loopback.
    kStartTls,     // smtp+starttls://: STARTTLS or no letter.
    kImplicit,     // smtps://: TLS from the first byte.
};

// Longest waits for the other side, RFC 5321 section 4.5.3.2.
struct TimeLimits {
    base::DurationMs connect_ms = 30 * base::kSecondMs;  // TCP and TLS.
    base::DurationMs banner_ms = 5 * base::kMinuteMs;    // Also EHLO, STARTTLS and AUTH.
    base::DurationMs command_ms = 5 * base::kMinuteMs;   // MAIL, RCPT, DATA, RSET.
    base::DurationMs body_ms = 3 * base::kMinuteMs;      // Without progress in writing the letter.
    base::DurationMs dot_ms = limits::kSmtpDotTimeMs;    // Shorter ones manufacture duplicates.
    base::DurationMs idle_ms = 30 * base::kSecondMs;     // Then QUIT.
    base::DurationMs wait_ms = 60 * base::kSecondMs;     // A letter without a connection: not sent.
    base::DurationMs backoff_min_ms = base::kSecondMs;   // After a failed connection; doubles ...
    base::DurationMs backoff_max_ms = base::kMinuteMs;   // ... up to this.
};

struct Options {
    // smtp://user:pass@host:port, smtp+starttls://..., smtps://...; user and password are
    // percent-encoded; default ports 25, 587 and 465.
    std::string url;
    std::string ehlo_name = "localhost";
    int connections_max = limits::kSmtpConnectionsMax;
    bool pipelining = true;   // False: one command at a time even where the server offers it.
    bool tls_verify = true;   // Chain and host name.
    std::string tls_ca_file;  // PEM; empty: the system's.
    TimeLimits times;
};

struct Letter {
    std::string envelope_from;  // Empty: the null path <>.
    std::string to;             // Exactly one recipient; domain in ASCII (A-labels).
    std::string bytes;          // RFC 5322 message, not dot-stuffed.
    uint64_t tag = 0;           // The caller's name for it, handed back.
};

enum class ResultKind : uint8_t { kAccepted, kTemporary, kPermanent, kAmbiguous, kNotSent };
std::string_view ResultKindName(ResultKind kind);  // "accepted", "temporary", ...

struct SendResult {
    ResultKind kind = ResultKind::kNotSent;
    uint16_t code = 0;      // Of the deciding reply, 200..599; 0: no reply decided.
    std::string enhanced;   // "5.1.1" where the server gave one (RFC 3463).
    std::string text;       // The server's words, controls replaced, cut; or ours.
};

// Called on the delivery thread just before the write that contains the final dot. False: the
// mark could not be made or the lease is lost, so the letter must not go: the connection is
// closed and the result is kNotSent. Must be short and must not throw.
using BeforeDot = std::function<bool(uint64_t tag)>;
// Called on the delivery thread, once. Must be short and must not throw; may call Send.
using Done = std::function<void(uint64_t tag, const SendResult& result)>;

struct PoolCounts {
    int connections = 0;     // Ready, connecting or quitting.
    int transactions = 0;    // Letters between MAIL and their result.
    uint64_t waiting = 0;    // Letters without a connection yet.
    uint64_t connects = 0;   // Connections that became ready, ever.
    uint64_t failures = 0;   // Connections that failed before they became ready, ever.
    std::string last_failure;  // Why the last one did; for the log and the settings page.
};

class Pool {
  public:
    // Starts the delivery thread; opens no connection before there is a letter.
    // Errors: kInvalidArgument (URL, EHLO name, limits, CA file).
    static base::Result<std::unique_ptr<Pool>> Create(const Options& options);

    // Close(0).
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    // Any thread. Dot-stuffs on the caller's thread. On an error neither function is called.
    // Errors: kInvalidArgument (address with forbidden characters, too long or empty);
    //         kTooLarge (letter over kLetterBytesMax); kOverloaded (kSmtpQueueBytesMax wait);
    //         kUnavailable (closed).
    base::Status Send(Letter letter, BeforeDot before_dot, Done done);

    // Any thread; of the last moment when the delivery thread looked.
    PoolCounts Counts() const;

    // Begins no more letters: those waiting end as kNotSent. Open transactions may go on for
    // `grace_ms`; then they end as kNotSent or, after their dot, kAmbiguous. Returns when every
    // `done` was called. Not from a callback. Later calls do nothing.
    void Close(base::DurationMs grace_ms);

  private:
    class Impl;
    explicit Pool(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// The checks of Send, for callers that want to know early. `what` names the argument in the error.
// An envelope address: non-empty local part and domain, printable, no spaces or <>, a quoted
// local part is refused, at most kAddressBytesMax. UTF-8 in the local part needs SMTPUTF8.
base::Status CheckAddress(std::string_view address, std::string_view what);

// Line ends to CRLF, a final CRLF, dots doubled at line starts: what goes on the wire before
// ".\r\n". Returns false when `bytes` was right already and `out` was left alone.
bool Canonicalise(std::string_view bytes, std::string& out);

}  // namespace smtp
