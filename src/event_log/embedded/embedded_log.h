// The log in segment files of one directory: one physical commit stream for all streams
// (semantics 6). docs/formats/log.md has every byte and the rules of recovery.
//
// How it works. Append queues; the commit thread takes all that waits (at most
// limits::kCommitBytesMax), writes it with one pwrite and one fdatasync, publishes it to readers
// and goes on with the next at once. A second thread calls `done` and `wake`, a third prepares
// segments ahead (zeroed, with a new generation), writes the index files of closed segments and
// frees trimmed ones. Recent commits stay in memory and are read without a copy; older ones are
// read in chunks that all readers share.
//
// Room. An append is taken only when prepared segments have room for it, so what was taken never
// meets a full disk. One segment (limits::kLogReserveBytes) is kept for records of the control
// stream: person and link records get kDiskFull before it is touched. Room is sought again every
// limits::kDiskFullRetryMs and after each Trim.
//
// Failure. After a failed write or sync the log is fatal for good: the appends that wait and all
// later ones get kIo, nothing is tried again, `on_fatal` is called once; the process has to exit.
// What was durable stays readable meanwhile.
//
// Threads: every function may be called from any thread. The destructor commits what was taken,
// calls every `done` that is due and may not run on a thread of the log.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/limits.h"
#include "event_log/event_log.h"
#include "event_log/file_system.h"

namespace event_log {

// What Open found and did. `lines` says the same in words, one finding each, naming files.
struct RecoveryReport {
    bool created = false;          // There was no log; this one is new.
    uint64_t segments = 0;         // With records.
    uint64_t records = 0;          // In the segments that had to be read in full.
    uint64_t torn_bytes = 0;       // Cut from the end: a commit that was never acknowledged.
    uint64_t rotten_records = 0;   // Found damaged; never cut. Damage in closed segments with a
                                   // good index is found when it is read.
    uint64_t indexes_rebuilt = 0;  // Index files that were missing or damaged.
    std::vector<std::string> lines;
};

class EmbeddedLog final : public Log {
  public:
    struct Options {
        std::string directory;
        // N for a new log. For an existing one 0 or the N it was made with.
        int partitions = limits::kPartitionsDefault;
        base::Clock* clock = nullptr;       // Not owned; required.
        FileSystem* files = nullptr;        // Not owned; null: the operating system's.
        // Sizes of new segments; tests take smaller ones. A payload larger than a segment's
        // room is kTooLarge.
        size_t segment_bytes = limits::kSegmentBytes;
        size_t reserve_bytes = limits::kLogReserveBytes;
        size_t tail_bytes_max = limits::kLogTailBytesMax;
        base::DurationMs disk_full_retry_ms = limits::kDiskFullRetryMs;
        // Called once, on a thread of the log, when it has become fatal; must not block.
        std::function<void(const base::Error&)> on_fatal;
    };

    // Makes the log or recovers it: the torn tail is cut, damage is reported, spare segments are
    // made ready. It takes appends when this returns.
    // Errors: kInvalidArgument  another number of partitions, or sizes that make no sense
    //         kConflict         another process has the directory open, or the format has another
    //                           version (the text names both versions)
    //         kCorrupt          a file that cannot be done without is unreadable
    //         kDiskFull, kIo
    static base::Result<std::unique_ptr<EmbeddedLog>> Open(Options options);
    ~EmbeddedLog() override;

    int partitions() const override;
    void Append(std::vector<NewRecord> records, AppendDone done) override;
    base::Result<Batch> Read(StreamId stream, Offset from, size_t bytes_max) override;
    base::Result<Offset> SkipRot(StreamId stream, Offset from) override;
    Offset End(StreamId stream) const override;
    Offset Begin(StreamId stream) const override;
    base::TimeMs LastCommitTime() const override;
    void Subscribe(StreamId first, StreamId last, std::function<void()> wake) override;
    base::Status Trim(StreamId stream, Offset before) override;

    const RecoveryReport& recovery() const;
    // The error that ended it, or nothing.
    std::optional<base::Error> fatal() const;

    struct Counters {
        uint64_t commits = 0;
        uint64_t records = 0;
        uint64_t bytes = 0;             // Of frames.
        uint64_t queue_bytes = 0;       // Waiting now.
        uint64_t segments = 0;          // With records, now.
        uint64_t segments_freed = 0;
        uint64_t spares = 0;            // Ready now, the reserve among them.
        bool disk_full = false;         // No room for further segments was found.
    };
    Counters counters() const;

  private:
    class Core;
    explicit EmbeddedLog(std::unique_ptr<Core> core);
    std::unique_ptr<Core> core_;
};

}  // namespace event_log
