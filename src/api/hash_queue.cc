#include "api/hash_queue.h"

#include "base/limits.h"

namespace api {

HashQueue::~HashQueue() {
    {
        std::lock_guard lock(mutex_);
        ending_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
}

bool HashQueue::Post(std::function<void()> work) {
    {
        std::lock_guard lock(mutex_);
        const size_t idle = static_cast<size_t>(limits::kHashThreads) - busy_;
        if (waiting_.size() >= limits::kHashesWaitingMax + idle) return false;
        waiting_.push_back(std::move(work));
        if (threads_.empty()) {
            for (int n = 0; n < limits::kHashThreads; ++n) {
                threads_.emplace_back([this] { Run(); });
            }
        }
    }
    wake_.notify_one();
    return true;
}

void HashQueue::Run() {
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        auto work = std::move(waiting_.front());
        waiting_.pop_front();
        ++busy_;
        lock.unlock();
        work();
        work = nullptr;
        lock.lock();
        --busy_;
    }
}

}  // namespace api
