// The commit thread: one write and one sync for all that waits.
#include <algorithm>

#include "base/check.h"
#include "event_log/embedded/core.h"

namespace event_log {

namespace {
constexpr uint32_t kPageBytes = 4096;
}

void EmbeddedLog::Core::CommitLoop() {
    while (TakeQueued(/*wait=*/inbox_.empty())) {
        const auto committed = CommitOnce();
        if (!committed) SetFatal(committed.error());
        if (fatal()) {
            FailAll();
            continue;
        }
        if (!inbox_.empty()) continue;
        const auto sealed = Seal();
        if (!sealed) SetFatal(sealed.error());
    }
    if (fatal()) return;
    // A clean end is durable, so that damage to the last commit can be told from a torn one.
    const auto synced = active_->file->SyncData();
    if (!synced) SetFatal(synced.error());
}

// Moves what waits into the inbox. False: there is nothing left and the log closes.
bool EmbeddedLog::Core::TakeQueued(bool wait) {
    std::unique_lock lock(queue_mutex_);
    if (wait) queue_changed_.wait(lock, [&] { return !queue_.empty() || stopping_; });
    if (inbox_.empty()) {
        inbox_.swap(queue_);
    } else {
        for (Request& request : queue_) inbox_.push_back(std::move(request));
        queue_.clear();
    }
    return !inbox_.empty();
}

// How many records the next commit takes: up to limits::kCommitBytesMax (one at least) and not
// beyond the segment's end.
size_t EmbeddedLog::Core::PlanCommit(size_t& bytes) const {
    size_t records = 0;
    const size_t room = active_->bytes - position_;
    bytes = 0;
    for (const Request& request : inbox_) {
        for (size_t i = request.next; i < request.records.size(); ++i) {
            const size_t frame = format::FrameBytes(request.records[i].payload.size());
            if (bytes + frame > room) return records;
            if (records > 0 && bytes + frame > limits::kCommitBytesMax) return records;
            bytes += frame;
            ++records;
        }
    }
    return records;
}

// Goes on in the next spare segment. Its opening is the first frame of this commit.
base::Status EmbeddedLog::Core::Roll() {
    Spare spare;
    {
        const std::lock_guard lock(queue_mutex_);
        CHECK(!spares_.empty());  // Admission keeps count.
        CHECK(cursor_.segments > 0);
        spare = std::move(spares_.front());
        spares_.pop_front();
        --cursor_.segments;
    }
    {
        const std::lock_guard lock(work_mutex_);
        ++to_prepare_;
    }
    work_changed_.notify_one();
    auto segment = std::make_shared<Segment>();
    segment->sequence = spare.sequence;
    segment->generation = spare.generation;
    segment->bytes = spare.bytes;
    segment->file = std::move(spare.file);
    segment->path = store_->SegmentPath(spare.sequence);
    segment->bases = next_;
    active_ = segment;
    rolled_ = std::move(segment);
    position_ = format::kSegmentHeaderBytes;
    serial_ = 0;
    return {};
}

void EmbeddedLog::Core::Encode(size_t records, Block& block, uint32_t& position) {
    const uint32_t begin = position_;
    const base::TimeMs now = options_.clock->Now();
    format::FrameHeader header{};
    header.commit_begin = begin;
    if (rolled_) {
        const std::string payload = format::EncodeBases(active_->bases);
        header.kind = format::kOpening;
        header.stream = format::kInnerStream;
        header.offset = active_->sequence;
        header.time_ms = now;
        format::WriteFrame(block.At(position), header, payload, active_->generation, position);
        position += static_cast<uint32_t>(format::FrameBytes(payload.size()));
    }
    for (Request& request : inbox_) {
        if (request.positions.empty()) request.positions.reserve(request.records.size());
        for (; request.next < request.records.size(); ++request.next) {
            if (records-- == 0) return;
            const NewRecord& record = request.records[request.next];
            format::StreamBase& at = next_[record.stream];
            at.last_time_ms = std::max(at.last_time_ms, now);
            header.kind = static_cast<uint8_t>(record.kind);
            header.stream = record.stream;
            header.workspace = record.workspace;
            header.offset = at.next_offset++;
            header.time_ms = at.last_time_ms;
            header.person_hi = record.person.hi;
            header.person_lo = record.person.lo;
            header.fingerprint = record.fingerprint;
            header.name_hash = record.name_hash;
            header.serial = serial_++;
            format::WriteFrame(block.At(position), header, record.payload, active_->generation,
                               position);
            placed_.push_back({record.stream, position});
            request.positions.push_back({record.stream, header.offset, header.time_ms});
            position += static_cast<uint32_t>(format::FrameBytes(record.payload.size()));
        }
    }
}

// Writes whole pages, the last one filled up with zeros: a page that is written in part has to be
// read first when it is not in memory.
base::Status EmbeddedLog::Core::WriteOut(const Block& block, uint32_t begin, uint32_t end) {
    const uint32_t page_end =
        std::min(active_->bytes, (end + kPageBytes - 1) / kPageBytes * kPageBytes);
    std::memset(block.At(end), 0, page_end - end);
    TRY(active_->file->WriteAt(begin, {block.At(begin), page_end - begin}));
    return active_->file->SyncData();
}

base::Status EmbeddedLog::Core::CommitOnce() {
    if (fatal()) return {};
    size_t bytes = 0;
    size_t records = PlanCommit(bytes);
    if (records == 0) {
        TRY(Roll());
        position_ = static_cast<uint32_t>(format::FirstRecordAt(streams_));
        records = PlanCommit(bytes);
        position_ = format::kSegmentHeaderBytes;
        CHECK(records > 0);  // A frame that fits into no segment is not admitted.
    }
    const uint32_t begin = position_;
    const size_t all = bytes + (rolled_ ? format::FirstRecordAt(streams_) - begin : 0);
    Block& block = *tail_.Room(active_->sequence, begin, all);
    uint32_t end = begin;
    Encode(records, block, end);
    CHECK(end == begin + all);
    TRY(WriteOut(block, begin, end));
    block.used = end;
    position_ = end;
    sealed_ = false;
    Publish();
    FinishRequests(bytes);
    commits_.fetch_add(1, std::memory_order_relaxed);
    records_.fetch_add(records, std::memory_order_relaxed);
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
    return {};
}

void EmbeddedLog::Core::Publish() {
    std::optional<ToIndex> closed;
    {
        const std::lock_guard lock(state_mutex_);
        if (rolled_) {
            const std::shared_ptr<Segment>& old = segments_.back();
            auto index = std::make_shared<const format::SegmentIndex>(
                Flatten(old->bases, active_positions_));
            old->index = index;
            closed = ToIndex{old, std::move(index), active_end_};
            for (std::vector<uint32_t>& positions : active_positions_) positions.clear();
            segments_.push_back(std::move(rolled_));
            rolled_ = nullptr;
        }
        for (const Placed& placed : placed_) {
            active_positions_[placed.stream].push_back(placed.position);
            readable_[placed.stream] = next_[placed.stream];
            last_commit_time_ = std::max(last_commit_time_, next_[placed.stream].last_time_ms);
        }
        active_end_ = position_;
        tail_.Publish();
    }
    if (!closed) return;
    {
        const std::lock_guard lock(work_mutex_);
        to_index_.push_back(std::move(*closed));
    }
    work_changed_.notify_one();
}

void EmbeddedLog::Core::FinishRequests(size_t bytes) {
    {
        const std::lock_guard lock(queue_mutex_);
        queued_bytes_ -= bytes;
    }
    {
        const std::lock_guard lock(answer_mutex_);
        while (!inbox_.empty() && inbox_.front().next == inbox_.front().records.size()) {
            answers_.push_back({std::move(inbox_.front()), std::nullopt});
            inbox_.pop_front();
        }
        for (const Placed& placed : placed_) touched_[placed.stream] = true;
        any_touched_ = true;
    }
    answer_changed_.notify_one();
    placed_.clear();
}

// While nothing waits, an empty frame behind the last commit says that the commit was durable. It
// is not synced itself: it only has to be there when the power stays.
base::Status EmbeddedLog::Core::Seal() {
    if (sealed_) return {};
    {
        const std::lock_guard lock(queue_mutex_);
        if (!queue_.empty() || cursor_.segments > 0) return {};
        CHECK(cursor_.position == position_);
        if (position_ + format::kFrameHeaderBytes > active_->bytes) return {};
        cursor_.position += format::kFrameHeaderBytes;
    }
    char frame[format::kFrameHeaderBytes];
    format::FrameHeader header{};
    header.kind = format::kSeal;
    header.stream = format::kInnerStream;
    header.time_ms = options_.clock->Now();
    header.commit_begin = position_;
    header.serial = serial_;
    format::WriteFrame(frame, header, {}, active_->generation, position_);
    TRY(active_->file->WriteAt(position_, {frame, sizeof(frame)}));
    Block& block = *tail_.Room(active_->sequence, position_, sizeof(frame));
    std::memcpy(block.At(position_), frame, sizeof(frame));
    position_ += format::kFrameHeaderBytes;
    block.used = position_;
    sealed_ = true;
    return {};
}

void EmbeddedLog::Core::SetFatal(const base::Error& error) {
    {
        const std::lock_guard lock(queue_mutex_);
        if (fatal_) return;
        // Whatever the cause: to those who append it is a log that takes nothing more.
        fatal_ = base::Error{base::ErrorCode::kIo, error.internal, {}, {}};
    }
    {
        const std::lock_guard lock(answer_mutex_);
        fatal_to_tell_ = true;
    }
    answer_changed_.notify_one();
}

void EmbeddedLog::Core::FailAll() {
    const auto error = fatal();
    {
        const std::lock_guard lock(queue_mutex_);
        for (Request& request : queue_) inbox_.push_back(std::move(request));
        queue_.clear();
        queued_bytes_ = 0;
    }
    {
        const std::lock_guard lock(answer_mutex_);
        for (Request& request : inbox_) answers_.push_back({std::move(request), error});
    }
    inbox_.clear();
    placed_.clear();
    answer_changed_.notify_one();
}

}  // namespace event_log
