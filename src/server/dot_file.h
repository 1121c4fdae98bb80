// Remembers which letters may be with the mail server although their outcome is in no log
// (semantics 2): <data>/sending/dots, slots of 64 bytes, written and never synced. A process that
// dies leaves them in the page cache; when the whole machine went down they are worth nothing,
// which the boot id in the header tells. docs/formats/dots.md has the bytes.
//
// A slot is marked just before the final dot, becomes settled when the outcome is durable, and the
// longest settled one is used again when no other is free. Settled marks outlive their outcome
// because a message may be listed as claimed while the outcome still travels to the partition where
// its person lives now.
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
    // `boot_id`: of the machine as it runs now. A file of another boot, a damaged one, or none:
    // everything claimed before is in doubt.
    // Errors: kIo, kDiskFull, kCorrupt (of a newer version).
    static base::Result<std::unique_ptr<DotFile>> Open(const std::string& directory,
                                                       const std::string& boot_id);
    ~DotFile();

    // What is known of a message that was claimed, for its `attempt`, by whoever is gone.
    Fate Find(const model::FactKey& message, uint32_t attempt) const;
    bool doubt() const { return doubt_; }
    // Every claim listed at the start has an outcome in the log: the next process of this boot
    // begins without doubt. This one goes on doubting claims that it did not make.
    base::Status ClearDoubt();

    // False: the mark could not be written, so the dot must not be.
    bool Mark(const model::FactKey& message, uint32_t attempt);
    // Also for a message without a mark: its outcome is durable all the same.
    void Settle(const model::FactKey& message, uint32_t attempt);

  private:
    enum class State : uint8_t { kFree = 0, kMarked = 1, kSettled = 2 };
    struct Slot {
        State state = State::kFree;
        uint32_t attempt = 0;
        model::FactKey message;
        uint64_t used = 0;  // Order of settling, for reuse.
    };
    DotFile(int fd, std::string boot_id, bool doubt)
        : fd_(fd), boot_id_(std::move(boot_id)), doubt_(doubt) {}
    void Load(const std::string& bytes);
    bool Put(const model::FactKey& message, uint32_t attempt, State state);

    const int fd_;
    const std::string boot_id_;
    bool doubt_ = false;  // Set before the object is shared.
    mutable std::mutex mutex_;
    std::vector<Slot> slots_;
    std::map<model::FactKey, size_t> by_message_;
    std::vector<size_t> free_;
    std::map<uint64_t, size_t> reusable_;  // By order of settling; also marks of before.
    uint64_t next_use_ = 1;
};

// /proc/sys/kernel/random/boot_id. Errors: kIo.
base::Result<std::string> MachineBootId();

}  // namespace server
