// A real SMTP server on loopback for tests, benchmarks and crash runs: it takes letters, waits as
// told, fails as told ("badsmtp") and remembers exactly what it accepted, so that it can serve as
// the oracle. Test-only: target ripen_smtp_sink, never linked into the server.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace smtp {

// Where a fault can strike.
enum class Stage : uint8_t {
    kBanner,
    kEhlo,
    kStartTls,
    kAuth,
    kMail,
    kRcpt,
    kData,
    kBody,          // After the first bytes of the letter.
    kDotStored,     // The letter is stored, then the fault instead of the 250.
    kDotNotStored,  // The letter is dropped, then the fault instead of the 250.
    kAfterReply,    // Stored, 250 sent, then the fault.
};
inline constexpr int kStages = 11;
std::string_view StageName(Stage stage);  // "banner", ..., "dot_stored", ...

enum class Fault : uint8_t {
    kNone,
    kClose,      // FIN.
    kReset,      // RST.
    kStall,      // Says nothing more; the connection stays until the client leaves.
    kTemporary,  // 451 (421 and close at the banner); at kBody it comes after the dot.
    kPermanent,  // 550 (554 at the banner).
    kGarbage,    // Bytes that are no reply; at kBody FIN follows.
};
inline constexpr int kFaults = 7;
std::string_view FaultName(Fault fault);

struct Moment {
    Stage stage = Stage::kBanner;
    uint64_t connection = 0;     // 1, 2, ...
    uint64_t transaction = 0;    // On this connection: 1, 2, ...; 0 before the first MAIL.
    std::string_view from;       // Known from kMail on.
    std::string_view to;         // Known from kRcpt on.
};

struct SinkLetter {
    std::string from;
    std::string to;
    std::string bytes;     // As received, dots unstuffed, without the final dot line.
    bool replied = false;  // Its 250 was said, or was about to be.
};

enum class SinkTls : uint8_t { kNone, kStartTls, kImplicit };

struct SinkOptions {
    uint16_t port = 0;                  // 0: any free one, on 127.0.0.1.
    base::DurationMs latency_ms = 0;    // Every answer comes this much later. Does not spin.
    SinkTls tls = SinkTls::kNone;       // Self-signed for "localhost" and 127.0.0.1, made at start.
    bool inject_after_starttls = false; // Plain text behind the 220: a client must refuse it.
    std::string user{}, password{};     // Non-empty: AUTH is demanded before MAIL.
    bool auth_login_only = false;       // Offers AUTH LOGIN but not PLAIN.
    bool pipelining = true;
    bool smtp_utf8 = true;
    bool eight_bit = true;
    uint64_t size_max = 0;              // Announced and enforced; 0: none.
    bool keep_letters = true;           // In memory, for Letters().
    bool accept_data_without_recipient = false;  // 354 although every RCPT was refused.
    std::string append_path{};          // Non-empty: a JSON line per stored letter.
    bool append_bodies = true;          // "raw" in that line.
    bool append_sync = false;           // fdatasync before the answer.
    // Asked at every stage, on the sink's thread. Empty: no faults.
    std::function<Fault(const Moment&)> faults{};
};

struct SinkCounts {
    uint64_t connections = 0;
    uint64_t open_connections = 0;
    uint64_t open_connections_max = 0;
    uint64_t stored = 0;
    uint64_t bytes = 0;
    uint64_t faults = 0;
    uint64_t quits = 0;
    uint64_t violations = 0;  // Bare CR or LF, commands out of order, bytes ahead of a 354.
    std::string last_violation;
};

class TestSink {
  public:
    // Listens when it returns; one thread of its own.
    static base::Result<std::unique_ptr<TestSink>> Start(SinkOptions options);
    ~TestSink();

    uint16_t port() const;
    std::string CertificatePem() const;  // Empty without TLS.
    std::string Url() const;             // smtp://..., smtps://... or smtp+starttls://...
    SinkCounts Counts() const;
    std::vector<SinkLetter> Letters() const;  // In the order in which they were stored.
    // Closes the listener and every connection (RST); port() stays. For "the server is gone".
    void Stop();

  private:
    class Impl;
    explicit TestSink(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// Faults by chance, the same for the same seed: at each moment of `stage`, `fault` strikes with
// `share` (0..1). Text form for the command line: "rcpt:reset:0.01,dot_stored:close:0.005".
struct ChanceFault {
    Stage stage;
    Fault fault;
    double share;
};
base::Result<std::vector<ChanceFault>> ReadFaults(std::string_view text);
std::function<Fault(const Moment&)> FaultsByChance(std::vector<ChanceFault> faults, uint64_t seed);

}  // namespace smtp
