// Takes away from the calling process what it does not need. Called by the child before libchdb is
// loaded, while there is one thread.
#pragma once

#include <string>
#include <vector>

namespace warehouse {

struct ShutInReport {
    bool no_network_namespace = false;  // Network interfaces are gone.
    bool no_exec_no_sockets = false;    // seccomp: exec, ptrace, mount, network sockets refused.
    bool own_directory_only = false;    // Landlock: everything else can at most be read.
    std::string missing;                // What the system did not allow, for the log.
};

// `writable`: directories that may be changed. `readable`: files and directories that may be read;
// every other file cannot be opened any more. Each of the three is tried; what the system refuses
// is told, and the process goes on without.
ShutInReport ShutIn(const std::vector<std::string>& writable,
                    const std::vector<std::string>& readable);

}  // namespace warehouse
