#include "event_log/memory/memory_log.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "base/check.h"
#include "base/limits.h"

namespace event_log {

namespace {

struct Request {
    std::vector<NewRecord> records;
    std::vector<Position> positions;
    size_t bytes = 0;
    Log::AppendDone done;
    std::optional<base::Error> error;  // Refused: only to be told.
};

struct Stored {
    std::shared_ptr<const std::vector<NewRecord>> owner;
    size_t index = 0;
    base::TimeMs time_ms = 0;
};

struct Stream {
    std::deque<Stored> records;
    Offset begin = 1;
    base::TimeMs last_time_ms = 0;
};

struct Subscription {
    StreamId first;
    StreamId last;
    std::function<void()> wake;
};

size_t BytesOf(const std::vector<NewRecord>& records) {
    size_t bytes = 0;
    for (const NewRecord& record : records) bytes += sizeof(NewRecord) + record.payload.size();
    return bytes;
}

}  // namespace

class MemoryLog::Core {
  public:
    Core(int partitions, base::Clock* clock, Commit commit)
        : clock_(clock), streams_(static_cast<size_t>(partitions) + 2),
          manual_(commit == Commit::kManual), stored_(streams_) {
        CHECK(partitions >= 1 && partitions <= limits::kPartitionsMax);
        CHECK(clock != nullptr);
        if (!manual_) thread_ = std::thread([this] { Run(); });
    }

    ~Core() {
        if (!thread_.joinable()) return;
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    int partitions() const { return static_cast<int>(streams_) - 2; }
    bool manual() const { return manual_; }

    void Append(std::vector<NewRecord> records, AppendDone done) {
        Request request;
        request.bytes = BytesOf(records);
        request.records = std::move(records);
        request.done = std::move(done);
        {
            const std::lock_guard lock(mutex_);
            request.error = Refusal(request);
            if (!request.error) queued_bytes_ += request.bytes;
            queue_.push_back(std::move(request));
        }
        changed_.notify_one();
    }

    size_t CommitPending() {
        std::deque<Request> taken;
        {
            const std::lock_guard lock(mutex_);
            taken.swap(queue_);
        }
        return Commit(std::move(taken));
    }

    void DropPending(size_t records) {
        const std::lock_guard lock(mutex_);
        for (Request& request : queue_) {
            if (request.error || records == 0) continue;
            request.records.resize(std::min(records, request.records.size()));
            records -= request.records.size();
            Store(request);
        }
        queue_.clear();
        queued_bytes_ = 0;
    }

    size_t PendingRecords() const {
        const std::lock_guard lock(mutex_);
        size_t count = 0;
        for (const Request& request : queue_) count += request.error ? 0 : request.records.size();
        return count;
    }

    base::Result<Batch> Read(StreamId stream, Offset from, size_t bytes_max) {
        if (stream >= streams_) return base::Invalid("no stream " + std::to_string(stream));
        from = std::max<Offset>(from, 1);
        const std::lock_guard lock(mutex_);
        const Stream& at = stored_[stream];
        if (from < at.begin) {
            return base::Fail(base::ErrorCode::kNotFound,
                              "stream " + std::to_string(stream) + " begins at offset " +
                                  std::to_string(at.begin));
        }
        Batch batch;
        size_t bytes = 0;
        for (size_t i = from - at.begin; i < at.records.size(); ++i) {
            const Stored& stored = at.records[i];
            const NewRecord& record = (*stored.owner)[stored.index];
            batch.records.push_back({stream, record.kind, record.workspace, at.begin + i,
                                     stored.time_ms, record.person, record.fingerprint,
                                     record.name_hash, record.payload});
            if (batch.hold.empty() || batch.hold.back() != stored.owner) {
                batch.hold.push_back(stored.owner);
            }
            bytes += record.payload.size();
            if (bytes >= bytes_max) break;
        }
        return batch;
    }

    base::Result<Offset> SkipRot(StreamId stream, Offset from) {
        if (stream >= streams_) return base::Invalid("no stream " + std::to_string(stream));
        const std::lock_guard lock(mutex_);
        const Stream& at = stored_[stream];
        return std::clamp<Offset>(from, at.begin, at.begin + at.records.size());
    }

    Offset End(StreamId stream) const {
        if (stream >= streams_) return 0;
        const std::lock_guard lock(mutex_);
        return stored_[stream].begin + stored_[stream].records.size() - 1;
    }

    Offset Begin(StreamId stream) const {
        if (stream >= streams_) return 1;
        const std::lock_guard lock(mutex_);
        return stored_[stream].begin;
    }

    base::TimeMs LastCommitTime() const {
        const std::lock_guard lock(mutex_);
        return last_commit_time_;
    }

    void Subscribe(StreamId first, StreamId last, std::function<void()> wake) {
        const std::lock_guard lock(mutex_);
        subscriptions_.push_back(
            std::make_shared<const Subscription>(Subscription{first, last, std::move(wake)}));
    }

    void ResetSubscriptions() {
        const std::lock_guard lock(mutex_);
        subscriptions_.clear();
    }

    base::Status Trim(StreamId stream, Offset before) {
        if (stream >= streams_) return base::Invalid("no stream " + std::to_string(stream));
        const std::lock_guard lock(mutex_);
        Stream& at = stored_[stream];
        if (before > at.begin + at.records.size()) {
            return base::Invalid("stream " + std::to_string(stream) + " has no offset " +
                                 std::to_string(before) + " yet");
        }
        while (at.begin < before) {
            at.records.pop_front();
            ++at.begin;
        }
        return {};
    }

    void SetFull(bool full) {
        const std::lock_guard lock(mutex_);
        full_ = full;
    }

    void Fail() {
        const std::lock_guard lock(mutex_);
        failed_ = true;
        for (Request& request : queue_) {
            if (!request.error) request.error = Failure();
        }
        queued_bytes_ = 0;
    }

  private:
    static base::Error Failure() { return {base::ErrorCode::kIo, "failed as told", {}, {}}; }

    std::optional<base::Error> Refusal(const Request& request) const {
        const auto error = [](base::ErrorCode code, std::string text) {
            return base::Error{code, std::move(text), {}, {}};
        };
        if (request.records.empty()) return error(base::ErrorCode::kInvalidArgument, "no records");
        bool control_only = true;
        for (const NewRecord& record : request.records) {
            if (record.stream >= streams_) {
                return error(base::ErrorCode::kInvalidArgument,
                             "no stream " + std::to_string(record.stream));
            }
            if (record.payload.size() > limits::kRecordBytesMax) {
                return error(base::ErrorCode::kTooLarge,
                             "a payload of " + std::to_string(record.payload.size()) + " bytes");
            }
            control_only = control_only && record.stream == streams_ - 1;
        }
        if (failed_) return Failure();
        if (full_ && !control_only) return error(base::ErrorCode::kDiskFull, "full as told");
        if (queued_bytes_ > 0 && queued_bytes_ + request.bytes > limits::kAppendQueueBytesMax) {
            return error(base::ErrorCode::kOverloaded, "too much waits");
        }
        return std::nullopt;
    }

    // With the mutex.
    void Store(Request& request) {
        const base::TimeMs now = clock_->Now();
        const auto owner =
            std::make_shared<const std::vector<NewRecord>>(std::move(request.records));
        for (size_t i = 0; i < owner->size(); ++i) {
            const StreamId stream = (*owner)[i].stream;
            Stream& at = stored_[stream];
            at.last_time_ms = std::max(at.last_time_ms, now);
            at.records.push_back({owner, i, at.last_time_ms});
            last_commit_time_ = std::max(last_commit_time_, at.last_time_ms);
            request.positions.push_back(
                {stream, at.begin + at.records.size() - 1, at.last_time_ms});
        }
    }

    size_t Commit(std::deque<Request> taken) {
        std::vector<bool> touched(streams_, false);
        std::vector<std::shared_ptr<const Subscription>> subscriptions;
        {
            const std::lock_guard lock(mutex_);
            for (Request& request : taken) {
                if (request.error) continue;
                queued_bytes_ -= std::min(queued_bytes_, request.bytes);
                if (failed_) {
                    request.error = Failure();
                    continue;
                }
                Store(request);
                for (const Position& position : request.positions) touched[position.stream] = true;
            }
            subscriptions = subscriptions_;
        }
        for (Request& request : taken) {
            if (request.error) {
                request.done(tl::make_unexpected(std::move(*request.error)));
            } else {
                request.done(std::move(request.positions));
            }
        }
        for (const auto& subscription : subscriptions) {
            bool hit = false;
            for (size_t s = subscription->first; s <= subscription->last && s < streams_; ++s) {
                hit = hit || touched[s];
            }
            if (hit) subscription->wake();
        }
        return taken.size();
    }

    void Run() {
        for (;;) {
            std::deque<Request> taken;
            {
                std::unique_lock lock(mutex_);
                changed_.wait(lock, [&] { return !queue_.empty() || stopping_; });
                if (queue_.empty()) return;
                taken.swap(queue_);
            }
            Commit(std::move(taken));
        }
    }

    base::Clock* clock_;
    const size_t streams_;
    const bool manual_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Request> queue_;
    size_t queued_bytes_ = 0;
    std::vector<Stream> stored_;
    base::TimeMs last_commit_time_ = 0;
    std::vector<std::shared_ptr<const Subscription>> subscriptions_;
    bool full_ = false;
    bool failed_ = false;
    bool stopping_ = false;
    std::thread thread_;
};

MemoryLog::MemoryLog(int partitions, base::Clock* clock, Commit commit)
    : core_(std::make_unique<Core>(partitions, clock, commit)) {}
MemoryLog::~MemoryLog() = default;

int MemoryLog::partitions() const { return core_->partitions(); }

void MemoryLog::Append(std::vector<NewRecord> records, AppendDone done) {
    core_->Append(std::move(records), std::move(done));
}

base::Result<Batch> MemoryLog::Read(StreamId stream, Offset from, size_t bytes_max) {
    return core_->Read(stream, from, bytes_max);
}

base::Result<Offset> MemoryLog::SkipRot(StreamId stream, Offset from) {
    return core_->SkipRot(stream, from);
}

Offset MemoryLog::End(StreamId stream) const { return core_->End(stream); }
Offset MemoryLog::Begin(StreamId stream) const { return core_->Begin(stream); }
base::TimeMs MemoryLog::LastCommitTime() const { return core_->LastCommitTime(); }

void MemoryLog::Subscribe(StreamId first, StreamId last, std::function<void()> wake) {
    core_->Subscribe(first, last, std::move(wake));
}

base::Status MemoryLog::Trim(StreamId stream, Offset before) {
    return core_->Trim(stream, before);
}

size_t MemoryLog::CommitPending() { return core_->CommitPending(); }
void MemoryLog::DropPending(size_t records) { core_->DropPending(records); }
size_t MemoryLog::PendingRecords() const { return core_->PendingRecords(); }
void MemoryLog::ResetSubscriptions() { core_->ResetSubscriptions(); }
void MemoryLog::SetFull(bool full) { core_->SetFull(full); }
void MemoryLog::Fail() { core_->Fail(); }

void MemoryLog::CommitBeforeWait() {
    if (core_->manual()) core_->CommitPending();
}

}  // namespace event_log
