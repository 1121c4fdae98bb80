// The whole server: reads like the diagram in ARCHITECTURE.md.
//
// Threads: Start and Stop by one thread; the rest from any.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "server/config.h"

namespace server {

class Pipeline {
  public:
    // Opens the data directory, listens, replays to the log's end, then takes requests.
    // Errors: kNotFound (no such data directory), kConflict (directory or port in use, another
    //         version), kCorrupt, kIo, kDiskFull.
    static base::Result<std::unique_ptr<Pipeline>> Start(Config config);
    virtual ~Pipeline() = default;

    virtual uint16_t port() const = 0;          // Of the admin listener.
    virtual uint16_t public_port() const = 0;   // Of the public pages.
    virtual std::string address() const = 0;    // "http://127.0.0.1:8080".
    // Blocks until `stop` becomes readable or the server can go on no longer; then the error.
    virtual std::optional<base::Error> WaitForEnd(int stop_fd) = 0;
    // Takes no more requests, finishes what is under way, writes a checkpoint.
    virtual base::Status Stop() = 0;
};

// Makes a data directory with one workspace; prints nothing.
struct Initialised {
    std::string write_key;
    std::string secret_key;
    std::string owner_password;   // Only with an owner.
};
// Errors: kConflict (it is one already), kInvalidArgument (email, partitions), kIo.
base::Result<Initialised> Initialise(const std::string& directory, int partitions,
                                     const std::string& owner_email);

// Gives a teammate a new random password, which ends her sessions. Only while no server runs.
// Errors: kNotFound (directory, teammate), kConflict (a server runs), kIo.
base::Result<std::string> SetNewPassword(const std::string& directory, const std::string& email);

// Folds the whole log anew. `report` gets a line per stream: name, records, SHA-256 of the state.
struct Rebuilt {
    uint64_t records = 0;
    double seconds = 0;
    double cpu_seconds = 0;
    std::string digest;           // Over all streams.
    std::string text;
};
// `from_checkpoint`: begin with the newest checkpoints instead of nothing (to compare).
base::Result<Rebuilt> Rebuild(const std::string& directory, int threads, bool from_checkpoint);

}  // namespace server
