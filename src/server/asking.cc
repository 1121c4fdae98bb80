#include "server/asking.h"

#include "base/limits.h"

namespace server {

Reply::~Reply() {
    if (answer_) Fail({base::ErrorCode::kUnavailable, "the server is stopping", {}, {}});
}

void Reply::Give(base::Result<std::string> result) {
    const api::Answer answer = std::exchange(answer_, nullptr);
    if (answer) answer(std::move(result));
}

Crew::Crew(int threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

bool Crew::Offer(std::function<void()> work) {
    {
        std::lock_guard lock(mutex_);
        if (stopped_ || waiting_.size() >= limits::kLongQueriesWaitingMax) return false;
        waiting_.push_back(std::move(work));
    }
    changed_.notify_one();
    return true;
}

void Crew::Stop() {
    std::deque<std::function<void()>> dropped;
    {
        std::lock_guard lock(mutex_);
        stopped_ = true;
        dropped.swap(waiting_);
    }
    changed_.notify_all();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
}

size_t Crew::waiting() const {
    std::lock_guard lock(mutex_);
    return waiting_.size();
}

void Crew::Run() {
    std::unique_lock lock(mutex_);
    while (!stopped_) {
        if (waiting_.empty()) {
            changed_.wait(lock);
            continue;
        }
        std::function<void()> work = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        work();
        work = nullptr;
        lock.lock();
    }
}

void RunLong(const SourcesPtr& sources, const ReplyPtr& reply, std::function<void()> work) {
    if (sources->crew.Offer(std::move(work))) return;
    reply->Fail({base::ErrorCode::kOverloaded, "too many long questions wait", {}, {}});
}

}  // namespace server
