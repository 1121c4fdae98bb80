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

// CPU and latency measurements only: the real steady clock in nanoseconds.
int64_t SteadyNanos();

}  // namespace base
