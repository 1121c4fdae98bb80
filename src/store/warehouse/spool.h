// The spool: rows on their way from the fold to the warehouse (semantics 10).
//
// Fold threads append entries (row.h); the writer takes them in the same order and acknowledges
// them when the warehouse has them; acknowledged entries are forgotten. Entries live in memory;
// what is not acknowledged when Sync is called goes to segment files and is synced, and so does
// what does not fit into `memory_bytes_max`, which is then read back when its turn comes.
// docs/formats/ warehouse.md has the bytes.
//
// After a crash the fold replays from its checkpoint and appends rows again. Rows come in (offset,
// ordinal) order within a partition, so a row at or below the highest the spool knows is dropped.
// What the spool forgot (acknowledged, or appended after the last Sync) comes again and is checked
// against the warehouse by the writer.
//
// Contract with checkpoints: Sync() before the checkpoint that covers the rows becomes valid. Then
// every row at or below the checkpoint is acknowledged or in a synced file.
//
// A torn tail (after the last Sync) is cut silently, bit rot inside the synced part is counted
// and the good blocks behind it are kept.
//
// Threads: every function from any thread; Take, Ack by one thread (the writer).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "store/warehouse/row.h"

namespace warehouse {

struct SpoolOptions {
    std::string directory = {};                 // Made when missing (0700).
    size_t bytes_max = limits::kSpoolBytesMax;  // Not acknowledged, beyond: Full().
    size_t memory_bytes_max = limits::kSpoolMemoryBytesMax;
    size_t segment_bytes = limits::kSegmentBytes;
    size_t block_bytes = limits::kSpoolBlockBytes;  // Entries are written in blocks of this size.
};

// A run of entries in the order they were appended; `number` counts up by one from block to block.
struct SpoolBlock {
    uint64_t number = 0;
    uint32_t rows = 0;
    std::string entries = {};
};

struct SpoolCounters {
    uint64_t rows = 0;     // Appended since Open, doubles not counted.
    uint64_t doubles = 0;  // Appended again after a replay and dropped.
    uint64_t bytes_unacked = 0;
    uint64_t rows_unacked = 0;
    uint64_t bytes_in_memory = 0;
    uint64_t bytes_written = 0;  // To files since Open.
    uint64_t segments = 0;       // Files that hold something.
    uint64_t blocks_rotten = 0;  // Found at Open inside the synced part. Each is a report.
    uint64_t tails_cut = 0;      // Found at Open behind the last Sync: normal after a crash.
};

class Spool {
  public:
    // Opens the directory and reads what is left from before.
    // Errors: kIo; kCorrupt when a file is of another version; kConflict when another process has
    // it.
    static base::Result<std::unique_ptr<Spool>> Open(SpoolOptions options);
    virtual ~Spool() = default;

    // Takes entries (a concatenation made by AppendEntry). Never refuses: what the fold derived
    // cannot be given back, so ingest looks at Full(). Entries that are no entries end the process.
    virtual void Append(std::string_view entries) = 0;

    // When it returns, all entries appended before the call are acknowledged or on stable storage.
    // Errors: kDiskFull, try again later; kIo: a sync failed, the process has to exit (the spool
    // stays failed).
    virtual base::Status Sync() = 0;

    // True when more than bytes_max wait, or the disk was full at the last write: ingest answers
    // 503 and asks again later. Cheap.
    virtual bool Full() const = 0;

    // The next entries that were not taken yet, at most rows_max rows and about bytes_max bytes
    // (but at least one block when there is any): whole blocks in order. Empty when there are none.
    // Errors: kIo, kCorrupt: a block could not be read back. kCorrupt blocks are counted and
    // skipped by the next call.
    virtual base::Result<std::vector<std::shared_ptr<const SpoolBlock>>> Take(size_t rows_max,
                                                                              size_t bytes_max) = 0;

    // All entries up to and with this block are in the warehouse: they are forgotten.
    virtual base::Status Ack(uint64_t block_number) = 0;

    // Waits until `rows` wait untaken or the oldest of them waits `age_ms`, or Wake() is called,
    // or `wait_ms` have passed.
    virtual void WaitForRows(size_t rows, base::DurationMs age_ms, base::DurationMs wait_ms) = 0;
    virtual void Wake() = 0;

    // Visits every entry of these persons that waits, in the order of appending. A row that is not
    // visited was acknowledged before the return, or appended after the call. So: read the spool
    // first, then the warehouse, and drop doubles by key; no row is then missing and none is seen
    // twice (timeline.h).
    // Errors: kIo, kCorrupt: a block could not be read back.
    using Visitor = std::function<void(const EntryHeader&, std::string_view row)>;
    virtual base::Status ForPersons(uint32_t workspace, const std::vector<uint64_t>& persons,
                                    const Visitor& visit) = 0;

    // Number of the newest block, counting the one being filled: when Acked() has reached it, all
    // that was appended before the call is in the warehouse. 0: nothing was ever appended.
    virtual uint64_t LastBlock() = 0;
    virtual uint64_t Acked() const = 0;

    virtual SpoolCounters Counters() const = 0;
};

}  // namespace warehouse
