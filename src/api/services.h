// What the API needs of the server. server/pipeline.cc fills it once; it outlives the listeners.
//
// Threads: shared by all; each part says its own rule.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "api/mailbox.h"
#include "api/queries.h"
#include "api/recent_calls.h"
#include "api/refused_events.h"
#include "api/write_queue.h"
#include "base/clock.h"
#include "catalog/catalog.h"
#include "engine/engine.h"
#include "event_log/event_log.h"
#include "flow/identity/link_map.h"
#include "flow/ingest/decode.h"
#include "flow/ingest/device.h"
#include "flow/ingest/place.h"
#include "store/warehouse/spool.h"

namespace api {

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
    Mailbox* mailbox = nullptr;                    // nullptr: letters leave by SMTP.
    ingest::LazyAgentPatterns* agents = nullptr;   // nullptr: devices stay unknown.
    std::shared_ptr<const ingest::PlaceFile> places;  // nullptr: places stay unknown.
    ingest::TrackingPolicy tracking_policy = ingest::TrackingPolicy::kHonourSignals;

    // After a segment or journey was saved, published, stopped or deleted; on the thread of
    // `writes`. Unset: nothing.
    std::function<void()> definitions_changed;
    // Calls back when all timers due by then have run and the letters they led to were handed over:
    // what POST /api/v1/clock waits for. Unset: the engine's WhenTimersRan alone.
    std::function<void(base::TimeMs, std::function<void()>)> settle;
    // False until the folds have caught up with the log. Unset: always ready.
    std::function<bool()> ready;
    // Prometheus text for /metrics. Unset: only what the API itself counts.
    std::function<std::string()> metrics;

    RefusedEvents refused;
    RecentCalls recent_calls;
    TrackingCounts counts;
    WriteQueue writes;   // The last member: its thread ends before the others go.
};

}  // namespace api
