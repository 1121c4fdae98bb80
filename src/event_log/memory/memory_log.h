// The log in memory: the same contract, nothing on a disk. For tests and simulation.
//
// Two ways to commit:
//   kThread  a thread of the log commits what waits at once.
//   kManual  nothing happens before CommitPending(), which commits, calls every `done` and then
//            every `wake` on the caller's thread: one thread, one order, repeatable.
//            AppendAndWait commits by itself; a refused append hears of it in CommitPending too.
//
// A process that dies in a simulation: DropPending() forgets what was not committed; the log
// itself outlives it as a disk would. ResetSubscriptions() forgets the dead readers.
//
// Threads: every function may be called from any thread (kManual: CommitPending by one at a
// time; callbacks may call Append and Read).
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "event_log/event_log.h"

namespace event_log {

class MemoryLog final : public Log {
  public:
    enum class Commit { kThread, kManual };

    // `clock` is not owned. 1 <= partitions <= limits::kPartitionsMax.
    MemoryLog(int partitions, base::Clock* clock, Commit commit = Commit::kThread);
    ~MemoryLog() override;  // kThread: commits what was taken first.

    int partitions() const override;
    void Append(std::vector<NewRecord> records, AppendDone done) override;
    base::Result<Batch> Read(StreamId stream, Offset from, size_t bytes_max) override;
    base::Result<Offset> SkipRot(StreamId stream, Offset from) override;
    Offset End(StreamId stream) const override;
    Offset Begin(StreamId stream) const override;
    base::TimeMs LastCommitTime() const override;
    void Subscribe(StreamId first, StreamId last, std::function<void()> wake) override;
    // Begin moves to `before` at once.
    base::Status Trim(StreamId stream, Offset before) override;

    // Commits what waits. Returns how many appends were answered; appends made by callbacks wait
    // for the next call.
    size_t CommitPending();
    // Commits the first `records` waiting records (in order of Append) and forgets the others
    // with their callbacks, also those of appends cut in two: what a crash leaves behind.
    void DropPending(size_t records = 0);
    size_t PendingRecords() const;
    void ResetSubscriptions();
    // As a full disk: appends other than to the control stream alone get kDiskFull.
    void SetFull(bool full);
    // As a failed sync: waiting and later appends get kIo.
    void Fail();

  protected:
    void CommitBeforeWait() override;

  private:
    class Core;
    std::unique_ptr<Core> core_;
};

}  // namespace event_log
