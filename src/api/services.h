// What the API needs of the server. server/pipeline.cc fills it once; it outlives the listeners.
//
// Threads: shared by all; each part says its own rule.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "api/hash_queue.h"
#include "api/mailbox.h"
#include "api/queries.h"
#include "api/recent_calls.h"
#include "api/refused_events.h"
#include "api/sign_in_guard.h"
#include "api/write_queue.h"
#include "base/clock.h"
#include "catalog/catalog.h"
#include "catalog/sessions.h"
#include "engine/engine.h"
#include "event_log/event_log.h"
#include "flow/identity/link_map.h"
#include "flow/ingest/decode.h"
#include "flow/ingest/device.h"
#include "flow/ingest/place.h"
#include "site/assets.h"
#include "store/warehouse/spool.h"

namespace api {

class LiveFeed;

// For /metrics; each only grows.
struct TrackingCounts {
    std::atomic<uint64_t> requests{0};
    std::atomic<uint64_t> events{0};           // Durable and answered.
    std::atomic<uint64_t> links{0};            // Link records appended.
    std::atomic<uint64_t> not_tracked{0};      // Because of DNT or GPC.
    std::atomic<uint64_t> turned_away{0};      // Answered 503.
    std::atomic<uint64_t> receipts{0};         // Opens, clicks, unsubscribes appended.
    std::atomic<uint64_t> receipts_lost{0};    // The log did not take them.
};

struct Services {
    Services(event_log::Log& log_, catalog::Catalog& catalog_, identity::LinkMap& links_,
             Queries& queries_, engine::Engine& engine_, base::Clock& clock_)
        : log(log_), catalog(catalog_), links(links_), queries(queries_), engine(engine_),
          clock(clock_) {}
    Services(const Services&) = delete;
    Services& operator=(const Services&) = delete;

    event_log::Log& log;
    catalog::Catalog& catalog;
    identity::LinkMap& links;
    Queries& queries;
    engine::Engine& engine;
    base::Clock& clock;
    warehouse::Spool* spool = nullptr;             // Full(): events get 503. nullptr: never full.
    base::SimulatedClock* simulated = nullptr;     // Set: POST /api/v1/clock exists.
    Mailbox* mailbox = nullptr;                    // nullptr: there is none.
    bool letters_by_smtp = false;                  // Those of a demo stay in the mailbox.
    ingest::LazyAgentPatterns* agents = nullptr;   // nullptr: devices stay unknown.
    std::shared_ptr<const ingest::PlaceFile> places;  // nullptr: places stay unknown.
    ingest::TrackingPolicy tracking_policy = ingest::TrackingPolicy::kHonourSignals;

    // Accounts (api/session.h). Sessions live in real time, whatever the server's clock shows.
    catalog::Sessions* sessions = nullptr;         // nullptr: nobody can sign in.
    const base::Clock* real_clock = nullptr;       // nullptr: the system's.
    std::string admin_url;                         // [admin] url, "https://ripen.example.com".
    bool admin_insecure = false;                   // [admin] insecure.
    std::string public_url;                        // Set by the administrator; empty: derived
    std::string sandbox_url;                       // from the request's host and these ports.
    uint16_t admin_port = 0;
    uint16_t public_port = 0;
    uint16_t sandbox_port = 0;
    std::string version;
    base::TimeMs RealNow() const {
        return real_clock != nullptr ? real_clock->Now() : base::SystemClock().Now();
    }

    const site::Assets* assets = nullptr;          // nullptr: those of the program.
    LiveFeed* live = nullptr;                      // nullptr: there is no live stream.
    std::atomic<size_t> live_screens{0};           // Open streams.

    // After a workspace was deleted; on the thread of `writes`. Unset: nothing.
    std::function<void(model::WorkspaceId)> workspace_deleted;
    // After a segment or journey was saved, published, stopped or deleted; on the thread of
    // `writes`. Unset: nothing.
    std::function<void()> definitions_changed;
    // Calls back when all timers due by then have run and the letters they led to were handed over:
    // what POST /api/v1/clock waits for. Unset: the engine's WhenTimersRan alone.
    std::function<void(base::TimeMs, std::function<void()>)> settle;
    // Why letters wait for somebody; nullptr: they do not. Unset: nullptr.
    std::function<const char*()> letters_wait;
    // Lets go the letters that wait since the program was changed.
    std::function<void()> release_letters;
    // False until the folds have caught up with the log. Unset: always ready.
    std::function<bool()> ready;
    // Prometheus text for /metrics. Unset: only what the API itself counts.
    std::function<std::string()> metrics;

    RefusedEvents refused;
    RecentCalls recent_calls;
    TrackingCounts counts;
    SignInGuard guard;
    WriteQueue writes;   // The last members: their threads end before the others go.
    HashQueue hashes;
};

}  // namespace api
