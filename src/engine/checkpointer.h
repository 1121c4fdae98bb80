// Writes checkpoints of all streams on one thread, beside the folds (semantics 3).
//
// A fold's thread hands over pieces of its frozen state; when the queue is full it comes again
// later. Before a checkpoint becomes valid the rows it covers are synced in the spool.
//
// Threads: Offer, Finish from the folds' threads; the rest from any.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/result.h"
#include "store/state/state_store.h"
#include "store/warehouse/spool.h"

namespace engine {

class Checkpointer {
  public:
    using Done = std::function<void(base::Status)>;

    explicit Checkpointer(warehouse::Spool* spool);
    ~Checkpointer();

    // How an entry begins; its key follows, and of kPut the value, as varint-prefixed texts.
    static constexpr uint8_t kPut = 1, kRemove = 2;
    // Entries one behind the other. False: the queue is full, offer it again.
    bool Offer(state::Store& store, std::string& entries);
    // All entries of the checkpoint at `offset` were offered.
    void Finish(state::Store& store, model::Offset offset, Done done);

  private:
    struct Item {
        state::Store* store = nullptr;
        std::string entries;
        model::Offset offset = 0;
        Done done;
    };
    void Run();
    base::Status Write(const Item& item);

    static constexpr size_t kQueueMax = 32;  // Pieces of about 1 MB.
    warehouse::Spool* spool_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Item> queue_;
    bool stop_ = false;
    base::Status failed_;   // The first error: later checkpoints of the run fail with it.
    std::thread thread_;
};

}  // namespace engine
