// What the tracking API refused, kept for the event debugger: the newest limits::kRefusedEventsKept
// of the server, in memory. Not part of the log: a refused event did not happen.
//
// Threads: every function from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "model/ids.h"

namespace api {

struct RefusedEvent {
    uint64_t number = 0;        // Counts up from 1 since the server started.
    model::WorkspaceId workspace = 0;
    base::TimeMs time_ms = 0;
    std::string key_id;
    std::string path;           // Of the request.
    int64_t index = -1;         // Position in the batch; -1: the whole request.
    std::string reason;
    std::string raw;            // As it came, cut at limits::kRefusedRawBytesMax.
};

class RefusedEvents {
  public:
    // Gives the number itself.
    void Add(RefusedEvent event);
    // {"refused": [{id, time, key_id, path, index, reason, raw}...], "next_cursor"}, newest first.
    // Errors: kInvalidArgument, `at` "cursor".
    base::Result<std::string> List(model::WorkspaceId workspace, int limit,
                                   std::string_view cursor) const;
    // Of a workspace that was deleted.
    void Forget(model::WorkspaceId workspace);
    uint64_t total() const { return total_.load(std::memory_order_relaxed); }

  private:
    mutable std::mutex mutex_;
    std::deque<RefusedEvent> kept_;  // Oldest first.
    std::atomic<uint64_t> total_{0};
};

}  // namespace api
