// The machine's own limit for ingest: the least a server can do that takes the same requests and
// makes them durable. Plain sockets, every field of every event parsed, frames with a CRC-32C, one
// write and one fdatasync for all requests that have come, then the answers. No HTTP checks, no
// ids, no times, no canonical form.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

namespace bench {

class RawIngest {
  public:
    // Writes over a file in `directory` that was filled beforehand, as the log's segments are.
    explicit RawIngest(const std::string& directory);
    ~RawIngest();
    RawIngest(const RawIngest&) = delete;
    RawIngest& operator=(const RawIngest&) = delete;

    uint16_t port() const { return port_; }

  private:
    void Serve();
    int listener_ = -1;
    int file_ = -1;
    uint16_t port_ = 0;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

}  // namespace bench
