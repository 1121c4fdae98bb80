// Sends what the folds let go: claims waiting messages, makes letters of the granted ones, hands
// them to the mail server and reports what became of them (semantics 1, 2).
//
//   waiting -> kClaim record -> granted by the fold -> rendered -> dot mark -> mail server
//           -> kOutcome record -> settled
//
// At most kOpenClaimsPerConnection claims a connection are open, from the claim's append until its
// outcome is durable: that many letters at most can be ambiguous after a crash. A message that was
// claimed by a process that is gone is claimed again unless it has a dot mark, or the machine was
// restarted since (server/dot_file.h); then it is reported ambiguous and never sent again.
//
// Without a mail server letters go to the built-in mailbox, which takes them at once; those of a
// demo
// workspace always do. It knows a letter that comes twice, so there nothing is ever ambiguous.
//
// Threads: every function from any thread; OnOutbox, Hold and Release never block. Two kinds of
// threads of its own: workers that make letters (rendering and signing), and the pool's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/limits.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "event_log/event_log.h"
#include "model/outbox.h"
#include "net/smtp/client.h"
#include "server/mailbox.h"

namespace server {

struct DispatcherOptions {
    std::string directory;       // The data directory; the dot marks lie in its "sending".
    std::string smtp_url;        // Empty: the mailbox.
    int connections = 16;        // 1..kSmtpConnectionsMax.
    std::string public_url;      // "https://go.example.com"; where tokens lead.
    std::string from_address;    // For workspaces that have set no sender.
    std::string from_name;
    std::string dkim_domain;     // Empty: letters are not signed.
    std::string dkim_selector;
    std::string dkim_key;        // Path of a PEM file.
    int workers = 1;
    // Calls `done` once the fold of the stream has applied the record at `offset` and its news were
    // given to OnOutbox. Tells a claim that led to nothing from one that is on its way. Unset: such
    // a claim gives its place back after kClaimLeaseMs.
    std::function<void(model::StreamId stream, model::Offset offset, std::function<void()> done)>
        when_folded{};
    std::string boot_id{};       // Of the machine; empty: asked from the kernel.
    smtp::TimeLimits times{};
    std::string tls_ca_file{};   // Empty: the system's.
    base::DurationMs stop_grace_ms = 5 * base::kSecondMs;
};

struct DispatcherCounts {
    uint64_t claims = 0;        // Claim records that are durable.
    uint64_t sent = 0;          // These four: outcomes that are durable.
    uint64_t failed = 0;
    uint64_t ambiguous = 0;
    uint64_t deferred = 0;
    uint64_t append_failures = 0;  // Claims and outcomes the log did not take; tried again.
    uint64_t waiting = 0;       // Now: not claimed yet.
    uint64_t in_flight = 0;     // Now: claimed and not settled.
    bool awaits_release = false;  // Letters wait until Release.
    bool clock_ahead = false;     // Letters wait until the clock is right.
    smtp::PoolCounts pool;
};

class Dispatcher {
  public:
    // `log`, `catalog`, `clock` and `mailbox` outlive the dispatcher, and the log's callbacks may
    // come after it is gone. `mailbox`: nullptr only with an smtp_url; then a demo's letters leave
    // as others do.
    // Errors: kInvalidArgument (URL, connections, key), kIo, kNotFound (key file), kCorrupt.
    static base::Result<std::unique_ptr<Dispatcher>> Create(event_log::Log& log,
                                                            const catalog::Catalog& catalog,
                                                            const base::Clock& clock,
                                                            FileMailbox* mailbox,
                                                            DispatcherOptions options);
    ~Dispatcher();  // Stop().
    Dispatcher(const Dispatcher&) = delete;
    Dispatcher& operator=(const Dispatcher&) = delete;

    // News of the folds, in the order of each stream.
    void OnOutbox(std::vector<model::OutboxEvent> events);

    // The folds have listed what was waiting and claimed; from now on records are appended.
    // `hold`: letters wait until Release (the records were folded under another behaviour).
    void Start(bool hold);
    void Release();
    // The other reason to wait, apart from the first: the clock ran ahead.
    void Hold(bool hold);

    // Calls `done` once, maybe at once, when nothing waits and nothing is in flight; what a hold
    // keeps back does not count. The call comes without locks held. After Stop: at once.
    void WhenIdle(std::function<void()> done);
    bool Idle() const;

    // Claims nothing more, gives open transactions stop_grace_ms, ends the threads.
    void Stop();

    DispatcherCounts Counters() const;

  private:
    class Core;  // Owners: this and the callbacks that the log still holds.
    explicit Dispatcher(std::shared_ptr<Core> core);
    std::shared_ptr<Core> core_;
};

}  // namespace server
