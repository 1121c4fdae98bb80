// Keeps the warehouse child running: starts it (fork and exec of our own binary), reaps it by its
// pid, starts it again after 0.2, 1, 5, 5, ... s.
//
// A thread of its own forks, waits and lives as long as this object, because the child's
// parent-death signal fires when the thread ends that forked it. No other process is ever
// signalled.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "store/warehouse/child_main.h"

namespace warehouse {

struct ChildProcessOptions {
    std::string executable = "/proc/self/exe";
    std::vector<std::string> first_arguments = {"warehouse"};  // Before those of ChildOptions.
    ChildOptions child = {};                                   // watch_fd is set by Start.
    base::DurationMs start_ms = 60 * base::kSecondMs;  // Not ready by then: killed, tried again.
};

class ChildProcess {
  public:
    static base::Result<std::unique_ptr<ChildProcess>> Start(ChildProcessOptions options);
    // Ends the child and reaps it.
    virtual ~ChildProcess() = default;

    // Waits until it answers /ping. Errors: kUnavailable.
    virtual base::Status WaitReady(base::DurationMs timeout_ms) = 0;
    virtual bool ready() const = 0;

    // Kills the child, waits until it is reaped (nothing it was doing can land any more) and lets
    // it start again at once. Returns before the new one is ready. Errors: kUnavailable: it could
    // not be reaped in 10 s.
    virtual base::Status Restart() = 0;

    virtual int pid() const = 0;  // 0 while none runs.
    virtual uint64_t starts() const = 0;
    virtual const std::string& socket_path() const = 0;
};

}  // namespace warehouse
