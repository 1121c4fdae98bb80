#include "api/sign_in_guard.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "api/hash_queue.h"
#include "base/limits.h"

namespace api {
namespace {

constexpr base::TimeMs kNow = 1'767'600'000'000;

TEST(SignInGuard, TheWaitDoublesUpToItsLimit) {
    SignInGuard guard;
    base::TimeMs now = kNow;
    for (uint32_t n = 0; n < limits::kSignInFreeTries; ++n) {
        EXPECT_EQ(0, guard.Begin("ada", "192.0.2.1", now));
    }
    base::DurationMs expected = limits::kSignInLockMs;
    for (int n = 0; n < 8; ++n) {
        const base::DurationMs wait = guard.Begin("ada", "192.0.2.2", now);
        EXPECT_EQ(expected, wait);
        EXPECT_EQ(1, guard.Begin("ada", "192.0.2.2", now + wait - 1));
        now += wait;
        EXPECT_EQ(0, guard.Begin("ada", "192.0.2.2", now));
        expected = std::min(expected * 2, limits::kSignInLockMaxMs);
    }
    for (int n = 0; n < 10; ++n) {
        now += limits::kSignInLockMaxMs;
        EXPECT_EQ(0, guard.Begin("ada", "192.0.2." + std::to_string(n + 3), now));
    }
    EXPECT_EQ(limits::kSignInLockMaxMs, guard.Begin("ada", "192.0.2.99", now));
    EXPECT_EQ(0, guard.Begin("ada", "192.0.2.99", now + limits::kSignInForgetMs));
}

TEST(SignInGuard, ARightPasswordClearsTheAccount) {
    SignInGuard guard;
    for (int round = 0; round < 50; ++round) {
        for (uint32_t n = 0; n + 1 < limits::kSignInFreeTries; ++n) {
            EXPECT_EQ(0, guard.Begin("ada", "a" + std::to_string(round), kNow));
        }
        EXPECT_EQ(0, guard.Begin("ada", "b", kNow));
        guard.Succeeded("ada", "b");
    }
}

TEST(SignInGuard, AnAddressThatTriesManyAccountsIsLockedAlone) {
    SignInGuard guard;
    for (uint32_t n = 0; n < limits::kSignInFreeTriesAddress; ++n) {
        EXPECT_EQ(0, guard.Begin("account" + std::to_string(n), "2001:db8:1:2::1", kNow));
    }
    EXPECT_EQ(limits::kSignInLockMs, guard.Begin("fresh", "2001:db8:1:2:ffff::9", kNow));
    EXPECT_EQ(0, guard.Begin("fresh", "2001:db8:1:3::1", kNow));
}

TEST(SignInGuard, TriesThatWereNotMadeDoNotCount) {
    SignInGuard guard;
    for (int n = 0; n < 100; ++n) {
        EXPECT_EQ(0, guard.Begin("ada", "192.0.2.1", kNow));
        guard.Undone("ada", "192.0.2.1");
    }
}

TEST(SignInGuard, TheTableIsBoundedAndForgetsTheOldest) {
    SignInGuard guard;
    for (uint32_t n = 0; n < limits::kSignInFreeTries; ++n) guard.Begin("ada", "x", kNow);
    EXPECT_GT(guard.Begin("ada", "y", kNow), 0);
    for (size_t n = 0; n < limits::kSignInCountsMax / 2; ++n) {
        guard.Begin("a" + std::to_string(n), "b" + std::to_string(n), kNow + 1);
    }
    EXPECT_EQ(0, guard.Begin("ada", "z", kNow + 1));
}

TEST(SignInGuard, AddressesOfOneNetworkAreOne) {
    EXPECT_EQ("192.0.2.7", AddressGroup("192.0.2.7"));
    EXPECT_EQ(AddressGroup("2001:db8:1:2::1"), AddressGroup("2001:db8:1:2:3:4:5:6"));
    EXPECT_EQ(AddressGroup("2001:db8::1"), AddressGroup("2001:db8:0:0:9::1"));
    EXPECT_NE(AddressGroup("2001:db8:1:2::1"), AddressGroup("2001:db8:1:3::1"));
}

TEST(HashQueue, TakesWhatItHasRoomForAndRunsAllOfIt) {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = false;
    int ran = 0;
    size_t taken = 0;
    {
        HashQueue queue;
        const auto work = [&] {
            std::unique_lock lock(mutex);
            changed.wait(lock, [&] { return open; });
            ++ran;
        };
        while (queue.Post(work)) ++taken;
        EXPECT_EQ(taken, limits::kHashesWaitingMax + static_cast<size_t>(limits::kHashThreads));
        std::lock_guard lock(mutex);
        open = true;
        changed.notify_all();
    }
    EXPECT_EQ(taken, static_cast<size_t>(ran));
}

}  // namespace
}  // namespace api
