// The log: everything that happens, in an ordered, durable, partitioned sequence of records.
//
// A log has N person partitions (streams 0..N-1), the links stream (N) and the control stream
// (N+1). N is fixed when the log is made. Offsets begin at 1 in each stream and have no gaps.
// Records get their time when they are appended: max(time of the record before in the stream,
// clock now), so time never goes back inside a stream.
//
// Implementations: embedded/ (segment files, one physical commit stream), memory/ (tests and
// simulation). contract_test.cc runs on all of them.
//
// Threads: every function may be called from any thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "model/record.h"

namespace event_log {

using model::NewRecord;
using model::Offset;
using model::Record;
using model::StreamId;

struct Position {
    StreamId stream = 0;
    Offset offset = 0;
    base::TimeMs time_ms = 0;
};

// Records in order of their offsets; `records[i].payload` lives as long as `hold`.
struct Batch {
    std::vector<Record> records;
    std::vector<std::shared_ptr<const void>> hold;
};

class Log {
  public:
    // One position for each record, in the order given.
    using AppendDone = std::function<void(base::Result<std::vector<Position>>)>;

    virtual ~Log() = default;

    virtual int partitions() const = 0;  // N
    StreamId links() const { return static_cast<StreamId>(partitions()); }
    StreamId control() const { return static_cast<StreamId>(partitions() + 1); }
    int streams() const { return partitions() + 2; }

    // Takes the records in this order, after all that were taken before. `done` is called once,
    // on a thread of the log, when all of them are on stable storage; it must not block. Records
    // become readable before `done` is called. Records of one call that go to one stream keep
    // their order there; after a crash a prefix of the call may have survived.
    // Errors (nothing was taken; `done` hears of it on a thread of the log, too):
    //                             kOverloaded  more than limits::kAppendQueueBytesMax wait, or
    //                                          the disk does not keep up
    //                             kDiskFull    no room; the control stream has a reserve
    //                             kTooLarge    a payload beyond limits::kRecordBytesMax
    //                             kInvalidArgument  no such stream, or no records
    //        kIo                  fsync or write failed. The log takes nothing more; the process
    //                             has to exit and recover. Never retried.
    virtual void Append(std::vector<NewRecord> records, AppendDone done) = 0;

    // Append and wait. Not for hot paths.
    base::Result<std::vector<Position>> AppendAndWait(std::vector<NewRecord> records);

    // Durable records of `stream` with offset >= from, at least one if there is any, and no more
    // than about `bytes_max` of payload. Empty at the end.
    // Errors: kCorrupt  bit rot: the text names file and position; records after it stay readable
    //                   from `SkipRot`.   kNotFound  trimmed away.
    virtual base::Result<Batch> Read(StreamId stream, Offset from, size_t bytes_max) = 0;

    // The first offset >= from that is readable, or End + 1 when none is: where a reader goes on
    // after kCorrupt. Gives `from` itself when that record is sound, Begin when it was trimmed.
    // Errors: kInvalidArgument  no such stream.
    virtual base::Result<Offset> SkipRot(StreamId stream, Offset from) = 0;

    // Offset of the last durable record; 0 when there is none.
    virtual Offset End(StreamId stream) const = 0;
    // Offset of the first record that Read can give (1, or later after Trim).
    virtual Offset Begin(StreamId stream) const = 0;
    // Time of the last durable record of any stream; 0 when there is none.
    virtual base::TimeMs LastCommitTime() const = 0;

    // Calls `wake` on a thread of the log after each commit that brought records to any of the
    // streams in [first, last]. Register before the first Append. `wake` must not block.
    virtual void Subscribe(StreamId first, StreamId last, std::function<void()> wake) = 0;

    // Records before `before` are no longer needed; whole segments are freed when nothing in them
    // is needed by any stream.
    virtual base::Status Trim(StreamId stream, Offset before) = 0;

  protected:
    // Called by AppendAndWait before it waits: a log without threads commits here.
    virtual void CommitBeforeWait() {}
};

}  // namespace event_log
