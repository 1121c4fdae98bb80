// Brings definitions to the partitions: marker, history, ready (semantics 9).
//
// For each version the catalog has and a partition has not: markers are appended to all partitions
// in one append; then the history up to each partition's marker is read for the leaves that the
// partition did not have before, appended in kLoaded records, and closed by kReady. Markers and
// ready records are idempotent, so an interrupted publication is simply done again at a start.
// One version at a time, in the order of the control stream: a leaf that two definitions share has
// its history before the second is ready.
//
// Threads: one of its own; every function from any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "catalog/catalog.h"
#include "engine/engine.h"
#include "event_log/event_log.h"

namespace server {

class Publisher {
  public:
    Publisher(engine::Engine& engine, event_log::Log& log, const catalog::Catalog& catalog);
    ~Publisher();

    // Looks for changes that the partitions have not taken up. Returns at once.
    void Changed();
    // True when every partition has taken up everything.
    bool settled() const { return settled_; }
    // The last failure, tried again every 5 s; nothing when the last try worked.
    std::optional<base::Error> error() const;

  private:
    struct Taken {
        bool marked = false;
        bool ready = false;
        bool present = false;         // Any version of the definition is here.
        model::Offset marker = 0;
        std::vector<uint32_t> leaves; // Ids that accumulate here by other definitions, loaded.
    };
    void Run();
    base::Status Round();
    base::Status Take(const catalog::Change& change);
    base::Status Retire(const catalog::Change& change);
    std::vector<Taken> Ask(const catalog::Change& change);
    std::vector<evaluate::LeafPtr> LeavesOf(const catalog::Change& change) const;

    engine::Engine& engine_;
    event_log::Log& log_;
    const catalog::Catalog& catalog_;
    std::atomic<bool> settled_{false};
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool wanted_ = true;
    bool stop_ = false;
    size_t done_ = 0;                 // Changes that every partition has taken up.
    std::optional<base::Error> error_;
    std::thread thread_;
};

}  // namespace server
