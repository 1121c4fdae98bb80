// The real program as a process beside the bench: made, started, asked, killed.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bench/load.h"

namespace bench {

struct Keys {
    std::string write_key;
    std::string secret_key;
};
// `ripen init`.
Keys MakeDataDirectory(const std::string& directory);

class LiveServer {
  public:
    // `ripen serve`; returns when /readyz says 200. `config`: the text of ripen.toml.
    LiveServer(const std::string& data, const std::string& secret_key, const std::string& config);
    ~LiveServer();   // kill -9
    LiveServer(const LiveServer&) = delete;
    LiveServer& operator=(const LiveServer&) = delete;

    int pid() const { return pid_; }
    uint16_t port() const { return port_; }
    double seconds_to_ready() const { return seconds_to_ready_; }
    // The warehouse child.
    std::optional<int> ChildPid() const;

    // A call of the API with the secret key; dies unless the status is 2yz.
    std::string Api(const std::string& method, const std::string& target,
                    const std::string& body = {});
    Answered Ask(const std::string& method, const std::string& target, const std::string& body);
    // A value of /metrics, without "ripen_".
    double Metric(const std::string& name);
    // Waits until everything that was taken is folded and its rows are in the warehouse.
    void WaitIdle();

  private:
    int pid_ = 0;
    uint16_t port_ = 0;
    double seconds_to_ready_ = 0;
    std::string authorization_;
    std::unique_ptr<Caller> caller_;
};

// The text of a top-level field of a JSON answer; dies when it is not there.
std::string FieldOf(const std::string& json, const std::string& field);

}  // namespace bench
