// Folds every stream of the log: reads records, applies them, appends ticks and relays, writes
// checkpoints, hands rows to the spool and news to senders.
//
// Streams are shared out over threads (stream % threads); each thread alone touches the folds of
// its streams. A start loads the newest checkpoints and replays to the log's end; nothing leaves
// before that (semantics 1).
//
// Threads: every function from any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/limits.h"
#include "base/result.h"
#include "engine/fold.h"
#include "event_log/event_log.h"
#include "store/state/state_store.h"
#include "store/warehouse/spool.h"

namespace engine {

struct Options {
    int threads = 2;
    std::string directory;            // Of the checkpoints; empty: none are kept (tests).
    uint64_t checkpoint_records = limits::kCheckpointRecords;
    base::DurationMs checkpoint_ms = limits::kCheckpointTimeMs;
    bool live = true;                 // False: rebuild only; no tick, relay or checkpoint.
};

struct Counters {
    uint64_t records = 0;
    uint64_t ticks = 0;
    uint64_t relays = 0;
    uint64_t checkpoints = 0;
    uint64_t checkpoint_ms_last = 0;
    uint64_t replayed = 0;            // Records at the start.
};

class Engine {
  public:
    using MakeFold = std::function<std::unique_ptr<Fold>(model::StreamId)>;
    using OnOutbox = std::function<void(std::vector<model::OutboxEvent>)>;
    // Runs on the thread of the stream; false: call me again after some records (a slice is done).
    using Job = std::function<bool(Fold&)>;

    // `log`, `spool` (nullptr: rows are dropped) and `clock` outlive the engine. Streams 0..links.
    static base::Result<std::unique_ptr<Engine>> Create(event_log::Log& log,
                                                        warehouse::Spool* spool,
                                                        base::Clock& clock, Options options,
                                                        const MakeFold& make_fold);
    virtual ~Engine() = default;

    // Loads, replays to the end that the log has now, then runs. Returns when the replay is done.
    // Errors: kCorrupt (checkpoint or log), kIo.
    virtual base::Status Start(OnOutbox on_outbox) = 0;
    // Stops the threads; `checkpoint` writes one of everything first (a clean stop has no tail).
    virtual base::Status Stop(bool checkpoint) = 0;

    virtual int partitions() const = 0;
    // The fold of a stream. Only before Start, after Stop, or of an engine that is not live.
    virtual Fold& fold(model::StreamId stream) = 0;
    // True when Start replayed records that another behaviour had written: letters wait until a
    // person releases them (semantics 5).
    virtual bool other_behaviour() const = 0;
    // While true no tick is asked for (the clock ran ahead, semantics 4).
    virtual void HoldTicks(bool hold) = 0;
    // Queues a job for the thread of the stream. After Stop it is dropped without being run.
    virtual void Post(model::StreamId stream, Job job) = 0;
    // Calls `done` when every timer due by `now` has run in every partition and what it led to
    // (relays, ticks) is folded. The clock must show `now` or later.
    virtual void WhenTimersRan(base::TimeMs now, std::function<void()> done) = 0;
    // Wakes the threads: the clock was moved.
    virtual void Wake() = 0;
    // An error after which the engine stands still; the server has to exit.
    virtual std::optional<base::Error> fatal() const = 0;
    virtual Counters counters() const = 0;
    // Asks for a checkpoint of everything; returns when it is on disk.
    virtual base::Status Checkpoint() = 0;
};

}  // namespace engine
