// The embedded log's threads and state. embedded_log.h tells what it does.
//
// Locks, never one inside the other but as said: queue_mutex_ (what waits, room), state_mutex_
// (what is readable), answer_mutex_ (what is to be called), work_mutex_ (what is to be prepared),
// index_mutex_ (loaded indexes).
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "event_log/embedded/embedded_log.h"
#include "event_log/embedded/frame_source.h"
#include "event_log/embedded/recovery.h"
#include "event_log/embedded/segment_files.h"
#include "event_log/embedded/tail.h"

namespace event_log {

class EmbeddedLog::Core {
  public:
    Core(Options options, std::unique_ptr<FileLock> lock, std::unique_ptr<SegmentFiles> store,
         RecoveredLog recovered);
    ~Core();
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    // Makes the reserve ready, seals what was recovered, starts the threads.
    base::Status Start();

    int partitions() const { return static_cast<int>(streams_) - 2; }
    const RecoveryReport& report() const { return report_; }

    void Append(std::vector<NewRecord> records, AppendDone done);
    base::Result<Batch> Read(StreamId stream, Offset from, size_t bytes_max);
    base::Result<Offset> SkipRot(StreamId stream, Offset from);
    Offset End(StreamId stream) const;
    Offset Begin(StreamId stream) const;
    base::TimeMs LastCommitTime() const;
    void Subscribe(StreamId first, StreamId last, std::function<void()> wake);
    base::Status Trim(StreamId stream, Offset before);
    std::optional<base::Error> fatal() const;
    Counters counters() const;

  private:
    struct Request {
        std::vector<NewRecord> records;
        std::vector<Position> positions;
        size_t next = 0;   // The first record that is not written yet.
        size_t bytes = 0;  // Of all its frames.
        AppendDone done;
    };
    struct Answer {
        Request request;
        std::optional<base::Error> error;
    };
    // Where admission has come to: the commit thread lays frames out in the same way, so what is
    // admitted fits.
    struct Cursor {
        uint64_t position = 0;
        uint64_t segment_bytes = 0;
        uint64_t segments = 0;  // Spares taken, counted from the active segment.
    };
    struct Placed {
        uint16_t stream;
        uint32_t position;
    };
    struct ReadPlan;

    // Admission (core.cc). With queue_mutex_.
    std::optional<base::Error> Admit(const std::vector<NewRecord>& records, size_t& bytes);
    std::optional<base::Error> CheckRecords(const std::vector<NewRecord>& records) const;
    void Refuse(Request request, base::Error error);

    // Commit thread (commit.cc).
    void CommitLoop();
    bool TakeQueued(bool wait);
    base::Status CommitOnce();
    base::Status Roll();
    size_t PlanCommit(size_t& bytes) const;
    void Encode(size_t records, Block& block, uint32_t& position);
    base::Status WriteOut(const Block& block, uint32_t begin, uint32_t end);
    void Publish();
    void FinishRequests(size_t bytes);
    base::Status Seal();
    void FailAll();
    void SetFatal(const base::Error& error);

    // Reading (reading.cc).
    base::Result<ReadPlan> Plan(StreamId stream, Offset from);
    base::Result<std::shared_ptr<const format::SegmentIndex>> IndexOf(
        const std::shared_ptr<Segment>& segment, const format::Bases& next);
    size_t SegmentAt(StreamId stream, Offset from) const;  // With state_mutex_.

    void AnswerLoop();
    // The third thread (preparing.cc).
    void PrepareLoop();
    void PrepareOne(std::unique_lock<std::mutex>& lock);
    void IndexOne(std::unique_lock<std::mutex>& lock);
    void FreeOne(std::unique_lock<std::mutex>& lock);
    base::Status AddSpare(const Segment* recycled);

    Options options_;
    std::unique_ptr<FileLock> lock_;
    std::unique_ptr<SegmentFiles> store_;
    const size_t streams_;
    const size_t reserve_segments_;
    RecoveryReport report_;
    Tail tail_;
    ChunkCache chunks_;

    mutable std::mutex queue_mutex_;
    std::condition_variable queue_changed_;
    std::deque<Request> queue_;
    size_t queued_bytes_ = 0;  // Until they are durable.
    Cursor cursor_;
    std::deque<Spare> spares_;
    bool disk_full_ = false;
    bool stopping_ = false;
    std::optional<base::Error> fatal_;

    mutable std::mutex state_mutex_;
    std::deque<std::shared_ptr<Segment>> segments_;
    StreamPositions active_positions_;
    uint32_t active_end_ = 0;
    format::Bases readable_;          // As next_, of what readers may see.
    std::vector<Offset> trimmed_;     // By Trim: records before are not needed.
    base::TimeMs last_commit_time_ = 0;
    uint64_t segments_freed_ = 0;

    // Commit thread only.
    std::deque<Request> inbox_;
    std::shared_ptr<Segment> active_;
    std::shared_ptr<Segment> rolled_;  // The new active segment until it is published.
    format::Bases next_;
    uint32_t position_ = 0;
    uint32_t serial_ = 0;
    std::vector<Placed> placed_;
    bool sealed_ = false;

    std::mutex answer_mutex_;
    std::condition_variable answer_changed_;
    struct Subscription {
        StreamId first;
        StreamId last;
        std::function<void()> wake;
    };
    std::vector<Answer> answers_;
    std::vector<bool> touched_;
    bool any_touched_ = false;
    bool fatal_to_tell_ = false;
    bool answers_end_ = false;
    std::vector<std::shared_ptr<const Subscription>> subscriptions_;

    std::mutex work_mutex_;
    std::condition_variable work_changed_;
    size_t to_prepare_ = 0;
    bool seek_room_ = true;  // False: the disk was full, and the time to look again has not come.
    bool work_end_ = false;
    uint64_t next_sequence_ = 0;
    std::deque<std::shared_ptr<Segment>> freed_;
    struct ToIndex {
        std::shared_ptr<Segment> segment;
        std::shared_ptr<const format::SegmentIndex> index;
        uint32_t end;
    };
    std::deque<ToIndex> to_index_;

    std::mutex index_mutex_;
    std::deque<std::pair<uint64_t, std::shared_ptr<const format::SegmentIndex>>> indexes_;

    std::atomic<uint64_t> commits_{0};
    std::atomic<uint64_t> records_{0};
    std::atomic<uint64_t> bytes_{0};

    std::thread committing_;
    std::thread answering_;
    std::thread preparing_;
};

}  // namespace event_log
