// The fold of one stream, as the engine sees it: (state, record) -> (state', outputs). Pure: no
// clock, no random, no I/O inside; its time is the record's time (architecture, idea 2).
// server/pipeline.cc fills it with the flow.
//
// Threads: all calls from the one thread that owns the stream.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/outbox.h"
#include "model/record.h"

namespace engine {

// A record for another stream, derived from `origin`. It leaves after the replay has reached the
// log's end and is forgotten when a kRelayed record of this stream says it is durable. Targets
// ignore copies: relays of one stream arrive in their order.
struct Relay {
    model::FactKey origin;
    model::NewRecord record;
};

// What a checkpoint is made of: keys and values of one stream's state.
class StateSink {
  public:
    virtual ~StateSink() = default;
    virtual void Put(std::string_view key, std::string_view value) = 0;
    // What an earlier checkpoint had under this key is gone.
    virtual void Remove(std::string_view key) = 0;
};

class Fold {
  public:
    virtual ~Fold() = default;

    // Looks up what `record` will need, so that it is in the cache when Apply comes.
    virtual void Prefetch(const model::Record& record) = 0;
    virtual void Apply(const model::Record& record) = 0;

    // When the next timer is due; kNeverMs: none. A tick at or after it runs the timer.
    virtual base::TimeMs NextDue() const = 0;
    // A cursor is open: ticks are due at once.
    virtual bool WantsTick() const = 0;
    virtual model::Offset applied() const = 0;
    virtual base::TimeMs now() const = 0;

    // Relays that are not yet known to be durable, oldest first. Part of the state.
    virtual const std::deque<Relay>& relays() const = 0;
    // Rows for the warehouse since the last call, as spool entries.
    virtual void TakeRows(std::string& rows) = 0;
    // News for senders since the last call.
    virtual void TakeOutbox(std::vector<model::OutboxEvent>& events) = 0;
    // Everything that is waiting or claimed now: asked once when the replay has ended.
    virtual void ListOutbox(std::vector<model::OutboxEvent>& events) = 0;

    // --- checkpoints ---
    // True when something changed since the last Freeze.
    virtual bool Dirty() const = 0;
    // The state at this moment is what WriteFrozen will write, however many records come between.
    virtual void Freeze() = 0;
    // Writes at most `entries_max` entries of the frozen state; true when all are written.
    virtual bool WriteFrozen(StateSink& sink, size_t entries_max) = 0;
    // Takes one entry of a checkpoint. False: bytes of no version we read.
    virtual bool Load(std::string_view key, std::string_view value) = 0;
    // All entries were loaded.
    virtual base::Status Loaded() = 0;
    // Appends the whole state in a canonical order: for comparing two folds byte by byte.
    virtual void Dump(std::string& out) = 0;
};

}  // namespace engine
