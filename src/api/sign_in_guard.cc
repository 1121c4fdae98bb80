#include "api/sign_in_guard.h"

#include <algorithm>

#include "base/limits.h"

namespace api {
namespace {

std::string AccountName(const std::string& account) { return "a " + account; }
std::string AddressName(const std::string& address) { return "i " + AddressGroup(address); }

}  // namespace

std::string AddressGroup(std::string_view address) {
    if (address.find(':') == std::string_view::npos) return std::string(address);
    // The first four groups; "::" stands for as many zeros as are missing.
    const size_t gap = address.find("::");
    const std::string_view before = address.substr(0, gap);
    std::string group;
    size_t groups = 0;
    for (size_t at = 0; at < before.size() && groups < 4; ++groups) {
        const size_t end = std::min(before.find(':', at), before.size());
        group.append(before.substr(at, end - at)).push_back(':');
        at = end + 1;
    }
    for (; groups < 4; ++groups) group += "0:";
    return group + ":/64";
}

SignInGuard::Count& SignInGuard::At(const std::string& name, base::TimeMs now) {
    if (counts_.size() >= limits::kSignInCountsMax && !counts_.contains(name)) {
        counts_.erase(std::min_element(counts_.begin(), counts_.end(),
                                       [](const auto& a, const auto& b) {
                                           return a.second.last_ms < b.second.last_ms;
                                       }));
    }
    Count& count = counts_[name];
    if (now - count.last_ms >= limits::kSignInForgetMs) count = {};
    return count;
}

void SignInGuard::Take(const std::string& name, uint32_t free_tries, base::TimeMs now) {
    Count& count = At(name, now);
    count.last_ms = now;
    if (++count.failures < free_tries) return;
    const uint32_t doublings = std::min(count.failures - free_tries, 30U);
    count.locked_until_ms =
        now + std::min(limits::kSignInLockMs << doublings, limits::kSignInLockMaxMs);
}

base::DurationMs SignInGuard::Begin(const std::string& account, const std::string& address,
                                    base::TimeMs now) {
    std::lock_guard lock(mutex_);
    base::DurationMs wait = 0;
    for (const auto& name : {AccountName(account), AddressName(address)}) {
        const auto it = counts_.find(name);
        if (it != counts_.end()) wait = std::max(wait, it->second.locked_until_ms - now);
    }
    if (wait > 0) return wait;
    Take(AccountName(account), limits::kSignInFreeTries, now);
    Take(AddressName(address), limits::kSignInFreeTriesAddress, now);
    return 0;
}

void SignInGuard::Succeeded(const std::string& account, const std::string& address) {
    Undone(account, address);
    std::lock_guard lock(mutex_);
    counts_.erase(AccountName(account));
}

void SignInGuard::Undone(const std::string& account, const std::string& address) {
    std::lock_guard lock(mutex_);
    for (const auto& name : {AccountName(account), AddressName(address)}) {
        const auto it = counts_.find(name);
        if (it == counts_.end() || it->second.failures == 0) continue;
        --it->second.failures;
        it->second.locked_until_ms = 0;
    }
}

}  // namespace api
