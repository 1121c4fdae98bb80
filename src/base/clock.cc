#include "base/clock.h"

#include <chrono>

namespace base {

TimeMs SystemClock::Now() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

DurationMs SystemClock::Monotonic() const { return SteadyNanos() / 1'000'000; }

TimeMs SimulatedClock::MoveTo(TimeMs now) {
    TimeMs held = now_.load(std::memory_order_acquire);
    while (held < now && !now_.compare_exchange_weak(held, now, std::memory_order_acq_rel)) {
    }
    return held < now ? now : held;
}

int64_t SteadyNanos() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

}  // namespace base
