#include "base/clock.h"

#include <gtest/gtest.h>

#include "base/time.h"

namespace base {
namespace {

// A wall clock that somebody sets while real time goes on.
class SetClock final : public Clock {
  public:
    TimeMs Now() const override { return wall; }
    DurationMs Monotonic() const override { return monotonic; }
    void Pass(DurationMs span) {
        wall += span;
        monotonic += span;
    }
    TimeMs wall = 1'767'607'200'000;
    DurationMs monotonic = 5;
};

constexpr DurationMs kAheadMax = 10 * kMinuteMs;

TEST(GuardedClock, RealTimeIsPassedOn) {
    SetClock set;
    GuardedClock guarded(set, kAheadMax);
    for (int i = 0; i < 400; ++i) {
        EXPECT_EQ(guarded.Now(), set.wall);
        EXPECT_FALSE(guarded.ahead());
        set.Pass(kDayMs);
    }
}

TEST(GuardedClock, AJumpAheadCountsUpToItsLimit) {
    SetClock set;
    GuardedClock guarded(set, kAheadMax);
    const TimeMs start = set.wall;
    set.wall += kAheadMax;
    EXPECT_EQ(guarded.Now(), start + kAheadMax);
    EXPECT_FALSE(guarded.ahead());
    set.wall += 1;
    EXPECT_EQ(guarded.Now(), start + kAheadMax);
    EXPECT_TRUE(guarded.ahead());
}

TEST(GuardedClock, AYearAheadStandsAtTheLimitAndGoesOnWithRealTime) {
    SetClock set;
    GuardedClock guarded(set, kAheadMax);
    const TimeMs start = set.wall;
    set.wall += 365 * kDayMs;
    set.Pass(kHourMs);
    EXPECT_EQ(guarded.Now(), start + kHourMs + kAheadMax);
    EXPECT_TRUE(guarded.ahead());
    set.wall -= 365 * kDayMs;
    EXPECT_EQ(guarded.Now(), start + kHourMs);
    EXPECT_FALSE(guarded.ahead());
}

TEST(GuardedClock, BackIsPassedOnForTheLogToHold) {
    SetClock set;
    GuardedClock guarded(set, kAheadMax);
    set.wall -= kHourMs;
    EXPECT_EQ(guarded.Now(), set.wall);
    EXPECT_FALSE(guarded.ahead());
}

TEST(SimulatedClock, OnlyMovesForward) {
    SimulatedClock clock(1000);
    EXPECT_EQ(clock.MoveTo(5000), 5000);
    EXPECT_EQ(clock.MoveTo(2000), 5000);
    EXPECT_EQ(clock.Now(), 5000);
    EXPECT_EQ(clock.Monotonic(), 5000);
}

}  // namespace
}  // namespace base
