// Joining calls whose link record is in the log already: a browser repeats its ids with every
// event, and a claim that stays pending, or a link that is not folded yet, is not worth a record
// each time. Forgetting one costs a record that changes nothing.
//
// Threads: every function from any thread.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <mutex>

#include "base/limits.h"
#include "base/time.h"
#include "model/ids.h"

namespace api {

class RecentCalls {
  public:
    bool Has(const base::Hash128& call, base::DurationMs monotonic_ms) {
        std::lock_guard lock(mutex_);
        Turn(monotonic_ms);
        return newer_.contains(call) || older_.contains(call);
    }
    // When the record of the call is durable.
    void Add(const base::Hash128& call, base::DurationMs monotonic_ms) {
        std::lock_guard lock(mutex_);
        Turn(monotonic_ms);
        newer_.insert(call);
    }

  private:
    // Two generations: a call is remembered for at least one and at most two of their spans.
    void Turn(base::DurationMs monotonic_ms) {
        const base::DurationMs age = monotonic_ms - begun_ms_;
        if (newer_.size() < limits::kRecentCalls && age < limits::kRecentCallsMs) return;
        if (age >= 2 * limits::kRecentCallsMs) newer_.clear();
        older_ = std::move(newer_);
        newer_.clear();
        begun_ms_ = monotonic_ms;
    }

    std::mutex mutex_;
    base::DurationMs begun_ms_ = 0;
    boost::unordered_flat_set<base::Hash128, model::PersonIdHash> newer_;
    boost::unordered_flat_set<base::Hash128, model::PersonIdHash> older_;
};

}  // namespace api
