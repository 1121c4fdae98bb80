#include "store/warehouse/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "store/warehouse/http_exchange.h"

namespace warehouse {
namespace {

constexpr base::DurationMs kBackoffMs[] = {200, 1000, 5000};
constexpr base::DurationMs kSteadyMs = base::kMinuteMs;  // Ran so long: the back-off begins anew.
constexpr base::DurationMs kReapMs = 10 * base::kSecondMs;
constexpr auto kPollTime = std::chrono::milliseconds(10);

base::DurationMs Now() { return base::SystemClock().Monotonic(); }

bool Pings(const std::string& socket_path) {
    const Peer peer{.socket_path = socket_path, .host = {}, .user = {}, .password = {}};
    const Exchange exchange{.post = false,
                            .target = "/ping",
                            .body = {},
                            .connect_ms = base::kSecondMs,
                            .total_ms = base::kSecondMs};
    const auto result = RunExchange(peer, exchange, [](std::string_view) { return true; });
    return result && result->status == 200;
}

class Supervisor final : public ChildProcess {
  public:
    Supervisor(ChildProcessOptions options, int read_fd, int write_fd)
        : options_(std::move(options)), read_fd_(read_fd), write_fd_(write_fd) {
        options_.child.watch_fd = kChildWatchFd;
        arguments_.push_back(options_.executable);
        arguments_.insert(arguments_.end(), options_.first_arguments.begin(),
                          options_.first_arguments.end());
        const std::vector<std::string> more = ToArguments(options_.child);
        arguments_.insert(arguments_.end(), more.begin(), more.end());
        for (std::string& argument : arguments_) argv_.push_back(argument.data());
        argv_.push_back(nullptr);
        thread_ = std::thread([this] { Supervise(); });
    }

    ~Supervisor() override {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
            KillLocked();
        }
        changed_.notify_all();
        thread_.join();
        close(read_fd_);
        close(write_fd_);
    }

    base::Status WaitReady(base::DurationMs timeout_ms) override {
        std::unique_lock lock(mutex_);
        const bool ready = changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                                             [this] { return ready_; });
        if (ready) return {};
        return base::Fail(base::ErrorCode::kUnavailable, "the warehouse did not start in time");
    }

    bool ready() const override {
        const std::lock_guard lock(mutex_);
        return ready_;
    }

    base::Status Restart() override {
        std::unique_lock lock(mutex_);
        const uint64_t reaps = reaps_;
        if (pid_ == 0) return {};
        at_once_ = true;
        KillLocked();
        if (changed_.wait_for(lock, std::chrono::milliseconds(kReapMs),
                              [&] { return reaps_ > reaps; })) {
            return {};
        }
        return base::Fail(base::ErrorCode::kUnavailable, "the warehouse child does not end");
    }

    int pid() const override {
        const std::lock_guard lock(mutex_);
        return pid_;
    }
    uint64_t starts() const override {
        const std::lock_guard lock(mutex_);
        return starts_;
    }
    const std::string& socket_path() const override { return options_.child.socket_path; }

  private:
    static constexpr int kChildWatchFd = 3;

    // pid_ is set from fork until it is reaped, both under the lock, so the number is always our
    // own child's.
    void KillLocked() const {
        if (pid_ > 0) kill(pid_, SIGKILL);
    }

    pid_t Fork() {
        const pid_t pid = fork();
        if (pid != 0) return pid;
        // Only calls that are safe between fork and exec.
        if (read_fd_ == kChildWatchFd) {
            fcntl(read_fd_, F_SETFD, 0);
        } else if (dup2(read_fd_, kChildWatchFd) < 0) {
            _exit(127);
        }
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, nullptr);
        execv(argv_[0], argv_.data());
        _exit(127);
    }

    void Supervise() {
        size_t failures = 0;
        while (true) {
            const base::DurationMs started = Now();
            pid_t pid = 0;
            {
                const std::lock_guard lock(mutex_);
                if (stop_) return;
                at_once_ = false;
                pid = Fork();
                pid_ = std::max<pid_t>(pid, 0);
                ++starts_;
            }
            if (pid > 0) WaitForEnd(pid, started);
            std::unique_lock lock(mutex_);
            if (Now() - started > kSteadyMs) failures = 0;
            const base::DurationMs wait = at_once_ ? 0 : kBackoffMs[std::min<size_t>(failures, 2)];
            ++failures;
            changed_.wait_for(lock, std::chrono::milliseconds(wait), [this] { return stop_; });
        }
    }

    // Until the child is reaped. Becomes ready on the way, or is killed when it takes too long.
    void WaitForEnd(pid_t pid, base::DurationMs started) {
        bool ready = false;
        while (true) {
            siginfo_t info{};
            // WNOWAIT: the pid stays taken until it is reaped under the lock.
            const int flags = WEXITED | WNOWAIT | (ready ? 0 : WNOHANG);
            const int waited = waitid(P_PID, static_cast<id_t>(pid), &info, flags);
            if (waited != 0 && errno == EINTR) continue;
            if (waited != 0 || info.si_pid == pid) break;
            if (Pings(options_.child.socket_path)) {
                ready = true;
                const std::lock_guard lock(mutex_);
                ready_ = true;
                changed_.notify_all();
                continue;
            }
            std::unique_lock lock(mutex_);
            if (Now() - started > options_.start_ms) KillLocked();
            changed_.wait_for(lock, kPollTime, [this] { return stop_; });
        }
        const std::lock_guard lock(mutex_);
        waitpid(pid, nullptr, 0);
        pid_ = 0;
        ready_ = false;
        ++reaps_;
        changed_.notify_all();
    }

    ChildProcessOptions options_;
    const int read_fd_;
    const int write_fd_;
    std::vector<std::string> arguments_;
    std::vector<char*> argv_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool stop_ = false;
    bool ready_ = false;
    bool at_once_ = false;
    pid_t pid_ = 0;
    uint64_t starts_ = 0;
    uint64_t reaps_ = 0;
    std::thread thread_;
};

}  // namespace

base::Result<std::unique_ptr<ChildProcess>> ChildProcess::Start(ChildProcessOptions options) {
    const std::filesystem::path socket(options.child.socket_path);
    std::error_code failed;
    std::filesystem::create_directories(socket.parent_path(), failed);
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        return base::Fail(base::ErrorCode::kIo, std::string("pipe: ") + std::strerror(errno));
    }
    return std::make_unique<Supervisor>(std::move(options), pipe_fds[0], pipe_fds[1]);
}

}  // namespace warehouse
