#include "event_log/embedded/core.h"

#include <algorithm>

#include "base/check.h"

namespace event_log {

namespace {

constexpr size_t kReserveSegmentsMin = 1;

// Lays a frame behind the cursor, as the commit thread will.
void Advance(uint64_t& position, uint64_t& segment_bytes, uint64_t& segments, size_t frame_bytes,
             size_t new_segment_bytes, size_t streams) {
    if (position + frame_bytes > segment_bytes) {
        ++segments;
        segment_bytes = new_segment_bytes;
        position = format::FirstRecordAt(streams);
    }
    position += frame_bytes;
}

}  // namespace

EmbeddedLog::Core::Core(Options options, std::unique_ptr<FileLock> lock,
                        std::unique_ptr<SegmentFiles> store, RecoveredLog recovered)
    : options_(std::move(options)), lock_(std::move(lock)), store_(std::move(store)),
      streams_(store_->streams()),
      reserve_segments_(
          std::max(kReserveSegmentsMin, options_.reserve_bytes / options_.segment_bytes)),
      report_(std::move(recovered.report)), tail_(options_.tail_bytes_max), chunks_(tail_.pool()) {
    active_ = recovered.segments.back();
    segments_ = std::move(recovered.segments);
    active_positions_ = std::move(recovered.active_positions);
    active_end_ = recovered.active_end;
    position_ = recovered.active_end;
    serial_ = recovered.active_serial;
    next_ = std::move(recovered.next);
    readable_ = next_;
    trimmed_.resize(streams_, 0);
    touched_.resize(streams_, false);
    spares_ = std::move(recovered.spares);
    next_sequence_ = active_->sequence + spares_.size() + 1;
    cursor_ = {position_, active_->bytes, 0};
    for (const format::StreamBase& base : next_) {
        last_commit_time_ = std::max(last_commit_time_, base.last_time_ms);
    }
}

base::Status EmbeddedLog::Core::Start() {
    while (spares_.size() < reserve_segments_ && !disk_full_) {
        const auto added = AddSpare(nullptr);
        if (added) continue;
        if (added.error().code != base::ErrorCode::kDiskFull) return added;
        disk_full_ = true;
    }
    TRY(Seal());
    TRY(active_->file->SyncData());
    const size_t wanted = reserve_segments_ + limits::kLogSparesAhead;
    to_prepare_ = wanted > spares_.size() ? wanted - spares_.size() : 0;
    answering_ = std::thread([this] { AnswerLoop(); });
    preparing_ = std::thread([this] { PrepareLoop(); });
    committing_ = std::thread([this] { CommitLoop(); });
    return {};
}

EmbeddedLog::Core::~Core() {
    if (!committing_.joinable()) return;  // Start failed.
    {
        const std::lock_guard lock(queue_mutex_);
        stopping_ = true;
    }
    queue_changed_.notify_one();
    committing_.join();
    {
        const std::lock_guard lock(work_mutex_);
        work_end_ = true;
    }
    work_changed_.notify_one();
    preparing_.join();
    {
        const std::lock_guard lock(answer_mutex_);
        answers_end_ = true;
    }
    answer_changed_.notify_one();
    answering_.join();
}

std::optional<base::Error> EmbeddedLog::Core::CheckRecords(
    const std::vector<NewRecord>& records) const {
    const auto error = [](base::ErrorCode code, std::string text) {
        return base::Error{code, std::move(text), {}, {}};
    };
    if (records.empty()) return error(base::ErrorCode::kInvalidArgument, "no records");
    const size_t room = options_.segment_bytes - format::FirstRecordAt(streams_);
    for (const NewRecord& record : records) {
        if (record.stream >= streams_) {
            return error(base::ErrorCode::kInvalidArgument,
                         "no stream " + std::to_string(record.stream));
        }
        if (record.payload.size() > limits::kRecordBytesMax ||
            format::FrameBytes(record.payload.size()) > room) {
            return error(base::ErrorCode::kTooLarge,
                         "a payload of " + std::to_string(record.payload.size()) + " bytes");
        }
    }
    return std::nullopt;
}

std::optional<base::Error> EmbeddedLog::Core::Admit(const std::vector<NewRecord>& records,
                                                    size_t& bytes) {
    if (fatal_) return fatal_;
    Cursor cursor = cursor_;
    bool control_only = true;
    for (const NewRecord& record : records) {
        const size_t frame = format::FrameBytes(record.payload.size());
        bytes += frame;
        control_only = control_only && record.stream == streams_ - 1;
        Advance(cursor.position, cursor.segment_bytes, cursor.segments, frame,
                options_.segment_bytes, streams_);
    }
    if (queued_bytes_ > 0 && queued_bytes_ + bytes > limits::kAppendQueueBytesMax) {
        return base::Error{base::ErrorCode::kOverloaded,
                           std::to_string(queued_bytes_) + " bytes wait for the disk", {}, {}};
    }
    const uint64_t kept = control_only ? 0 : reserve_segments_;
    if (cursor.segments + kept > spares_.size()) {
        if (disk_full_) {
            return base::Error{base::ErrorCode::kDiskFull,
                               options_.directory + ": no room for another log segment", {}, {}};
        }
        return base::Error{base::ErrorCode::kOverloaded,
                           "segments are used up faster than they are prepared", {}, {}};
    }
    cursor_ = cursor;
    return std::nullopt;
}

void EmbeddedLog::Core::Append(std::vector<NewRecord> records, AppendDone done) {
    Request request;
    request.records = std::move(records);
    request.done = std::move(done);
    std::optional<base::Error> error = CheckRecords(request.records);
    if (!error) {
        const std::lock_guard lock(queue_mutex_);
        error = Admit(request.records, request.bytes);
        if (!error) {
            queued_bytes_ += request.bytes;
            queue_.push_back(std::move(request));
        }
    }
    if (error) return Refuse(std::move(request), std::move(*error));
    queue_changed_.notify_one();
}

void EmbeddedLog::Core::Refuse(Request request, base::Error error) {
    {
        const std::lock_guard lock(answer_mutex_);
        answers_.push_back({std::move(request), std::move(error)});
    }
    answer_changed_.notify_one();
}

void EmbeddedLog::Core::Subscribe(StreamId first, StreamId last, std::function<void()> wake) {
    const std::lock_guard lock(answer_mutex_);
    subscriptions_.push_back(
        std::make_shared<const Subscription>(Subscription{first, last, std::move(wake)}));
}

void EmbeddedLog::Core::AnswerLoop() {
    std::vector<Answer> answers;
    std::vector<bool> touched(streams_, false);
    std::vector<std::shared_ptr<const Subscription>> subscriptions;
    for (;;) {
        bool tell_fatal = false;
        bool wake = false;
        {
            std::unique_lock lock(answer_mutex_);
            answer_changed_.wait(lock, [&] {
                return !answers_.empty() || any_touched_ || fatal_to_tell_ || answers_end_;
            });
            if (answers_.empty() && !any_touched_ && !fatal_to_tell_) return;
            answers.swap(answers_);
            wake = std::exchange(any_touched_, false);
            if (wake) {
                touched.swap(touched_);
                subscriptions = subscriptions_;
            }
            tell_fatal = std::exchange(fatal_to_tell_, false);
        }
        if (tell_fatal && options_.on_fatal) options_.on_fatal(*fatal());
        for (Answer& answer : answers) {
            if (answer.error) {
                answer.request.done(tl::make_unexpected(std::move(*answer.error)));
            } else {
                answer.request.done(std::move(answer.request.positions));
            }
        }
        answers.clear();
        if (!wake) continue;
        for (const auto& subscription : subscriptions) {
            bool hit = false;
            for (size_t s = subscription->first; s <= subscription->last && s < streams_; ++s) {
                hit = hit || touched[s];
            }
            if (hit) subscription->wake();
        }
        touched.assign(streams_, false);
    }
}

std::optional<base::Error> EmbeddedLog::Core::fatal() const {
    const std::lock_guard lock(queue_mutex_);
    return fatal_;
}

EmbeddedLog::Counters EmbeddedLog::Core::counters() const {
    Counters counters;
    counters.commits = commits_.load();
    counters.records = records_.load();
    counters.bytes = bytes_.load();
    {
        const std::lock_guard lock(queue_mutex_);
        counters.queue_bytes = queued_bytes_;
        counters.spares = spares_.size();
        counters.disk_full = disk_full_;
    }
    const std::lock_guard lock(state_mutex_);
    counters.segments = segments_.size();
    counters.segments_freed = segments_freed_;
    return counters;
}

}  // namespace event_log
