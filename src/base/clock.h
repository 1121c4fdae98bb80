// Where the server gets its time. The fold never asks a clock: its time is the record's.
#pragma once

#include <atomic>

#include "base/time.h"

namespace base {

class Clock {
  public:
    virtual ~Clock() = default;
    virtual TimeMs Now() const = 0;             // Wall clock, UTC.
    virtual DurationMs Monotonic() const = 0;   // Never goes back; origin unspecified.
};

class SystemClock final : public Clock {
  public:
    TimeMs Now() const override;
    DurationMs Monotonic() const override;
};

// Stands still until told. Monotonic time follows it, so that a move is not a clock jump
// (semantics 4). Any thread.
class SimulatedClock final : public Clock {
  public:
    explicit SimulatedClock(TimeMs now) : now_(now) {}
    TimeMs Now() const override { return now_.load(std::memory_order_acquire); }
    DurationMs Monotonic() const override { return Now(); }
    // Moves forward; an earlier time is ignored. Returns the time that now holds.
    TimeMs MoveTo(TimeMs now);

  private:
    std::atomic<TimeMs> now_;
};

// A wall clock that cannot run away: time may be ahead of what monotonic time says since the start
// by at most `ahead_max` (semantics 4). Beyond it Now() is the cap and `ahead()` is true: ticks and
// claims stop and the administrator is asked. Any thread.
class GuardedClock final : public Clock {
  public:
    GuardedClock(Clock& wall, DurationMs ahead_max)
        : wall_(wall), ahead_max_(ahead_max), start_(wall.Now()), begun_(wall.Monotonic()) {}
    TimeMs Now() const override {
        const TimeMs wall = wall_.Now(), cap = Cap();
        return wall < cap ? wall : cap;
    }
    DurationMs Monotonic() const override { return wall_.Monotonic(); }
    bool ahead() const { return wall_.Now() > Cap(); }

  private:
    TimeMs Cap() const { return start_ + (wall_.Monotonic() - begun_) + ahead_max_; }
    Clock& wall_;
    const DurationMs ahead_max_;
    const TimeMs start_;
    const DurationMs begun_;
};

// CPU and latency measurements only: the real steady clock in nanoseconds.
int64_t SteadyNanos();

}  // namespace base
