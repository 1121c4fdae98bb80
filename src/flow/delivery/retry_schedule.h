// Decides when a mail is tried again after the receiving server said "not now",
// and when we stop trying.
//
// Pure: reads no clock and keeps no state. The caller appends the answer to the
// event log, so a restarted server goes on with the same schedule.
//
// Sources: RFC 5321 section 4.5.4.1 (wait at least 30 min, give up after 4-5 days,
// both configurable); RFC 1123 section 5.3.1.1 (soon at first, then every 2-3 h).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/result.h"

namespace delivery {

struct RetryPolicy {
    // Wait after the first failure; each later wait is twice the one before.
    std::chrono::seconds wait_min = std::chrono::minutes{30};
    // No wait is longer than this.
    std::chrono::seconds wait_max = std::chrono::hours{3};
    // Age of the message, from its first attempt, past which no attempt is planned.
    std::chrono::seconds age_max = std::chrono::days{5};
};

// What the SMTP session knows when an attempt has failed. Times are UTC.
struct FailedAttempt {
    std::chrono::sys_seconds first_attempt_at;
    std::chrono::sys_seconds failed_at;  // Not before first_attempt_at.
    uint32_t attempt_count;              // Attempts so far, this one included; 1 or more.
    uint16_t reply_code;                 // 400..599; 451 if the line dropped before DATA.
};

class RetrySchedule {
  public:
    // Errors:
    //   kInvalidArgument  a duration is zero or negative, or
    //                     wait_min <= wait_max <= age_max does not hold.
    static base::Result<RetrySchedule> Create(const RetryPolicy& policy);

    // The time of the next attempt, or nullopt: give up and record a bounce.
    //
    // Gives up at once on a permanent reply (5yz), and on a temporary one (4yz)
    // when the next attempt would come later than age_max. Never earlier than
    // failed_at + wait_min. Crashes (CHECK) on a FailedAttempt that breaks the
    // ranges above: those come from our own code, not from the network.
    std::optional<std::chrono::sys_seconds> NextAttemptAt(const FailedAttempt& failed) const;

  private:
    explicit RetrySchedule(const RetryPolicy& policy) : policy_(policy) {}

    RetryPolicy policy_;
};

}  // namespace delivery
