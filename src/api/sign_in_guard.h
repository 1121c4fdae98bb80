// Slows guessing down: who fails too often waits, twice as long each time (reliability.md V6).
//
// Counted by account and by address, apart: an account has kSignInFreeTries, an address
// kSignInFreeTriesAddress (an office behind one address has many teammates). After them every
// failure locks for kSignInLockMs, doubled up to kSignInLockMaxMs. A right password clears its
// account. An address that the account is signed in from has a count of its own, so that a
// stranger's guesses do not lock the owner out. IPv6 addresses count by their /64.
//
// An account is named by what was typed, whether or not it exists: the answers are the same.
// In memory: a restart forgets. Beyond kSignInCountsMax the longest unused goes.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/time.h"

namespace api {

class SignInGuard {
  public:
    // A try begins: it counts as failed until Succeeded. The time to wait instead; 0: go on.
    base::DurationMs Begin(const std::string& account, const std::string& address,
                           base::TimeMs now);
    void Succeeded(const std::string& account, const std::string& address);
    // The try was not made (the queue was full): as if it had not begun.
    void Undone(const std::string& account, const std::string& address);

  private:
    struct Count {
        uint32_t failures = 0;
        base::TimeMs last_ms = 0;
        base::TimeMs locked_until_ms = 0;
    };
    Count& At(const std::string& name, base::TimeMs now);
    void Take(const std::string& name, uint32_t free_tries, base::TimeMs now);

    std::mutex mutex_;
    std::map<std::string, Count> counts_;
};

// "192.0.2.7", or of an IPv6 address its /64.
std::string AddressGroup(std::string_view address);

}  // namespace api
