// A load generator in a process of its own, so that what it costs is not counted with the server:
// plain sockets, blocking for nothing but events, one request after the other on a connection.
//
// Fork it before the measuring process makes threads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

namespace bench {

struct LoadPlan {
    int connections = 16;
    int batch = 100;               // Events a request; 1: /v1/track.
    uint64_t warm_up = 0;          // Events sent before the measured ones.
    uint64_t events = 0;
    double events_per_second = 0;  // 0: as fast as answers come.
    uint64_t first_message = 1;    // Message ids count up from here.
    uint64_t persons = 0;          // 0: kPersons.
};

struct LoadResult {
    uint64_t events = 0;           // Acknowledged among the measured.
    uint64_t refused = 0;          // Requests that were not answered 200, of all.
    double seconds = 0;            // From the first measured request to the last answer.
    double p50_ms = 0;             // Of requests.
    double p99_ms = 0;
};

class Load {
  public:
    explicit Load(const LoadPlan& plan);
    ~Load();
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    // Connects, sends the warm-up and stands still; returns when that is done.
    void WarmUp(uint16_t port, const std::string& write_key);
    void Begin();           // Sends the measured events; returns at once.
    LoadResult Finish();    // Waits for the last answer.

  private:
    int to_child_ = -1;
    int from_child_ = -1;
    int child_ = 0;
};

// One request on a connection of its own; the answer's status and body. Dies without an answer.
struct Answered {
    int status = 0;
    std::string body;
};
class Caller {
  public:
    explicit Caller(uint16_t port);
    ~Caller();
    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;

    Answered Call(const std::string& method, const std::string& target,
                  const std::string& authorization, const std::string& body);

  private:
    int socket_ = -1;
    std::string read_;
};
std::string BasicAuthorization(const std::string& write_key);

}  // namespace bench
