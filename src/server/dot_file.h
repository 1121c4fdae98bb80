// Remembers which letters may be with the mail server although their outcome is in no log
// (semantics 2): <data>/sending/dots, slots of 64 bytes, written and never synced. A process that
// dies leaves them in the page cache; when the whole machine went down they are worth nothing,
// which the boot id in the header tells. docs/formats/dots.md has the bytes.
//
// A slot is marked just before the final dot, becomes settled when the outcome is durable, and is
// used again when the fold has closed the message or all others are in use. Settled marks outlive
// their outcome because a message may be listed as claimed while the outcome still travels to the
// partition where its person lives now.
//
// Threads: every function from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/ids.h"

namespace server {

enum class Fate : uint8_t {
    kNotSent,    // No mark: the dot was never written.
    kUnknown,    // Marked, or marks of that time are lost: ambiguous.
    kSettled,    // The outcome is in the log.
};

class DotFile {
  public:
    // `boot_id`: of the machine as it runs now. A file of another boot, a damaged one, or none where
    // `directory` had one: everything claimed before is in doubt until ClearDoubt.
    // Errors: kIo, kDiskFull, kCorrupt (of a newer version).
    static base::Result<std::unique_ptr<DotFile>> Open(const std::string& directory,
                                                       const std::string& boot_id);
    ~DotFile();

    // What is known of a message that was claimed, for its `attempt`, by whoever is gone.
    Fate Find(const model::FactKey& message, uint32_t attempt) const;
    bool doubt() const;
    // Every claim of before has its outcome in the log, or was never sent.
    base::Status ClearDoubt();

    // False: the mark could not be written, so the dot must not be.
    bool Mark(const model::FactKey& message, uint32_t attempt);
    // Also for a message without a mark: its outcome is durable all the same.
    void Settle(const model::FactKey& message, uint32_t attempt);
    // The fold has closed the message or will announce it anew.
    void Forget(const model::FactKey& message);

  private:
    enum class State : uint8_t { kFree = 0, kMarked = 1, kSettled = 2 };
    struct Slot {
        State state = State::kFree;
        uint32_t attempt = 0;
        model::FactKey message;
        uint64_t used = 0;  // Order of settling, for reuse.
    };
    explicit DotFile(int fd) : fd_(fd) {}
    base::Status Read(const std::string& boot_id, bool existed);
    base::Status WriteHeader();
    bool WriteSlot(size_t slot);
    bool Put(const model::FactKey& message, uint32_t attempt, State state);
    size_t FreeSlot();

    const int fd_;
    mutable std::mutex mutex_;
    std::string boot_id_;
    bool doubt_ = false;
    std::vector<Slot> slots_;
    std::map<model::FactKey, size_t> by_message_;
    std::vector<size_t> free_;
    std::map<uint64_t, size_t> settled_;  // By order of settling.
    uint64_t next_use_ = 1;
};

// /proc/sys/kernel/random/boot_id. Errors: kIo.
base::Result<std::string> MachineBootId();

}  // namespace server
