// Changes of definitions wait for the disk, and the loops that serve connections must not: they
// are made here, one after the other, on a thread of their own.
//
// Threads: Post from any.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace api {

class WriteQueue {
  public:
    WriteQueue();
    ~WriteQueue();  // Runs what waits, then ends.
    WriteQueue(const WriteQueue&) = delete;
    WriteQueue& operator=(const WriteQueue&) = delete;

    // False when limits::kApiWritesWaitingMax changes wait: the client tries again later.
    bool Post(std::function<void()> change);

  private:
    void Run();
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> waiting_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace api
