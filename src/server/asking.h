// How questions travel: to the threads that own the persons and to the threads for long work, and
// how their parts come together.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "api/queries.h"
#include "base/clock.h"
#include "catalog/catalog.h"
#include "engine/engine.h"
#include "event_log/event_log.h"
#include "flow/identity/link_map.h"
#include "server/person_fold.h"
#include "store/warehouse/client.h"
#include "store/warehouse/spool.h"

namespace server {

// An answer that is given once: whatever drops the question answers it kUnavailable.
class Reply {
  public:
    explicit Reply(api::Answer answer) : answer_(std::move(answer)) {}
    ~Reply();
    Reply(const Reply&) = delete;
    Reply& operator=(const Reply&) = delete;

    void Give(base::Result<std::string> result);
    void Fail(base::Error error) { Give(tl::make_unexpected(std::move(error))); }

  private:
    api::Answer answer_;
};
using ReplyPtr = std::shared_ptr<Reply>;

// Threads for long work.
// Threads: Offer from any; Stop once.
class Crew {
  public:
    explicit Crew(int threads);
    ~Crew() { Stop(); }

    // False when limits::kLongQueriesWaitingMax wait already, or the crew has stopped.
    bool Offer(std::function<void()> work);
    // Finishes what runs, drops what waits. Not from a thread of the crew.
    void Stop();
    size_t waiting() const;

  private:
    void Run();

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> waiting_;
    bool stopped_ = false;
    std::vector<std::thread> threads_;
};

// What questions are answered from. Shared by the questions under way.
struct Sources {
    engine::Engine& engine;
    event_log::Log& log;
    const catalog::Catalog& catalog;
    const identity::LinkMap& links;
    base::Clock& clock;
    warehouse::Warehouse* warehouse;
    warehouse::Spool* spool;
    Crew crew;
};
using SourcesPtr = std::shared_ptr<Sources>;

// Runs the work on the crew; answers kOverloaded when too much waits.
void RunLong(const SourcesPtr& sources, const ReplyPtr& reply, std::function<void()> work);

// Asks every partition. `step(fold, partition, part)` runs on the partition's thread, again and
// again until it returns true; then `finish(parts)` on the thread of the last.
template <typename Part, typename Step, typename Finish>
void AskAll(const SourcesPtr& sources, const ReplyPtr& reply, Step step, Finish finish) {
    struct Asked {
        Step step;
        Finish finish;
        ReplyPtr reply;
        std::vector<Part> parts;
        std::atomic<size_t> waiting;
    };
    const auto n = static_cast<size_t>(sources->engine.partitions());
    std::shared_ptr<Asked> asked(
        new Asked{std::move(step), std::move(finish), reply, std::vector<Part>(n), {n}});
    for (size_t p = 0; p < n; ++p) {
        sources->engine.Post(static_cast<model::StreamId>(p), [asked, p](engine::Fold& fold) {
            if (!asked->step(static_cast<const PersonFold&>(fold), p, asked->parts[p])) {
                return false;
            }
            if (--asked->waiting == 0) asked->finish(std::move(asked->parts));
            return true;
        });
    }
}

// Asks the owner of one person: `look(fold)` on her partition's thread.
template <typename Look>
void AskOwner(const SourcesPtr& sources, const model::PersonId& id, Look look) {
    sources->engine.Post(model::PartitionOf(id, sources->engine.partitions()),
                         [look = std::move(look)](engine::Fold& fold) {
                             look(static_cast<const PersonFold&>(fold));
                             return true;
                         });
}

}  // namespace server
