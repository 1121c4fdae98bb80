// Passwords are hashed here, a few at a time: each takes 46 MiB and a core for 50 ms, and whoever
// can reach the sign-in page can ask for one (reliability.md, limits).
//
// Threads: Post from any. The threads start with the first Post.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace api {

class HashQueue {
  public:
    HashQueue() = default;
    ~HashQueue();  // Runs what waits, then ends.
    HashQueue(const HashQueue&) = delete;
    HashQueue& operator=(const HashQueue&) = delete;

    // False when limits::kHashesWaitingMax wait behind the limits::kHashThreads that run: 503.
    bool Post(std::function<void()> work);

  private:
    void Run();
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> waiting_;
    size_t busy_ = 0;
    bool ending_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace api
