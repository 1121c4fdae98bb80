#include "api/write_queue.h"

#include "base/limits.h"

namespace api {

WriteQueue::WriteQueue() : thread_([this] { Run(); }) {}

WriteQueue::~WriteQueue() {
    {
        std::lock_guard lock(mutex_);
        ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

bool WriteQueue::Post(std::function<void()> change) {
    {
        std::lock_guard lock(mutex_);
        if (waiting_.size() >= limits::kApiWritesWaitingMax) return false;
        waiting_.push_back(std::move(change));
    }
    wake_.notify_one();
    return true;
}

void WriteQueue::Run() {
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        {
            const std::function<void()> change = std::move(waiting_.front());
            waiting_.pop_front();
            lock.unlock();
            change();
        }
        lock.lock();
    }
}

}  // namespace api
