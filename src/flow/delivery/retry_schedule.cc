#include "flow/delivery/retry_schedule.h"

#include <algorithm>

#include "base/check.h"

namespace delivery {

base::Result<RetrySchedule> RetrySchedule::Create(const RetryPolicy& policy) {
    if (policy.wait_min <= std::chrono::seconds{0} || policy.wait_max < policy.wait_min ||
        policy.age_max < policy.wait_max) {
        return base::Invalid("retry policy needs 0 < wait_min <= wait_max <= age_max");
    }
    return RetrySchedule(policy);
}

std::optional<std::chrono::sys_seconds> RetrySchedule::NextAttemptAt(
    const FailedAttempt& failed) const {
    CHECK(failed.attempt_count >= 1);
    CHECK(failed.failed_at >= failed.first_attempt_at);
    CHECK(failed.reply_code >= 400 && failed.reply_code <= 599);

    if (failed.reply_code >= 500) return std::nullopt;

    std::chrono::seconds wait = policy_.wait_min;
    // Stops at wait_max, so a large attempt_count cannot overflow the doubling.
    for (uint32_t i = 1; i < failed.attempt_count && wait < policy_.wait_max; ++i) wait *= 2;
    wait = std::min(wait, policy_.wait_max);

    const auto next_attempt_at = failed.failed_at + wait;
    if (next_attempt_at - failed.first_attempt_at > policy_.age_max) return std::nullopt;
    return next_attempt_at;
}

}  // namespace delivery
