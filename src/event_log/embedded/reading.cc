// Readers: which segment, which positions, which frames.
#include <algorithm>

#include "event_log/embedded/core.h"

namespace event_log {

namespace {
constexpr size_t kRecordsOfOneRead = 8192;
constexpr size_t kHoldsOfOneRead = 8;   // Chunks a batch may keep from being used again.
constexpr size_t kPrefetchAhead = 4;
}  // namespace

struct EmbeddedLog::Core::ReadPlan {
    std::shared_ptr<Segment> segment;
    uint32_t valid_end = 0;
    bool active = false;
    std::vector<uint32_t> copied;     // Of the active segment, from `from` on.
    std::vector<BlockView> blocks;
    format::Bases next;               // Closed: where the next segment begins.
    std::shared_ptr<const format::SegmentIndex> index;  // Closed, when at hand.
    bool empty = false;
};

size_t EmbeddedLog::Core::SegmentAt(StreamId stream, Offset from) const {
    const auto behind = std::partition_point(
        segments_.begin(), segments_.end(), [&](const std::shared_ptr<Segment>& segment) {
            return segment->bases[stream].next_offset <= from;
        });
    return static_cast<size_t>(behind - segments_.begin()) - 1;
}

base::Result<EmbeddedLog::Core::ReadPlan> EmbeddedLog::Core::Plan(StreamId stream, Offset from) {
    if (stream >= streams_) return base::Invalid("no stream " + std::to_string(stream));
    ReadPlan plan;
    const std::lock_guard lock(state_mutex_);
    const Offset begin = segments_.front()->bases[stream].next_offset;
    if (from < begin) {
        return base::Fail(base::ErrorCode::kNotFound,
                          "stream " + std::to_string(stream) + " begins at offset " +
                              std::to_string(begin) + ", " + std::to_string(from) +
                              " was trimmed away");
    }
    if (from >= readable_[stream].next_offset) {
        plan.empty = true;
        return plan;
    }
    const size_t at = SegmentAt(stream, from);
    plan.segment = segments_[at];
    plan.active = at + 1 == segments_.size();
    if (plan.active) {
        const std::vector<uint32_t>& positions = active_positions_[stream];
        const size_t skip = from - plan.segment->bases[stream].next_offset;
        const size_t count = std::min(kRecordsOfOneRead, positions.size() - skip);
        plan.copied.assign(positions.begin() + static_cast<std::ptrdiff_t>(skip),
                           positions.begin() + static_cast<std::ptrdiff_t>(skip + count));
        plan.valid_end = active_end_;
        plan.blocks = tail_.Blocks(plan.segment->sequence, plan.copied.front());
    } else {
        plan.next = segments_[at + 1]->bases;
        plan.index = plan.segment->index;
        plan.valid_end = plan.segment->bytes;
        plan.blocks = tail_.Blocks(plan.segment->sequence, 0);
    }
    return plan;
}

base::Result<std::shared_ptr<const format::SegmentIndex>> EmbeddedLog::Core::IndexOf(
    const std::shared_ptr<Segment>& segment, const format::Bases& next) {
    {
        const std::lock_guard lock(index_mutex_);
        for (const auto& [sequence, index] : indexes_) {
            if (sequence == segment->sequence) return index;
        }
    }
    TRY_ASSIGN(format::SegmentIndex loaded, store_->LoadIndex(*segment, next));
    auto index = std::make_shared<const format::SegmentIndex>(std::move(loaded));
    const std::lock_guard lock(index_mutex_);
    if (indexes_.size() >= limits::kLogIndexesLoadedMax) indexes_.pop_front();
    indexes_.emplace_back(segment->sequence, index);
    return index;
}

base::Result<Batch> EmbeddedLog::Core::Read(StreamId stream, Offset from, size_t bytes_max) {
    from = std::max<Offset>(from, 1);
    TRY_ASSIGN(ReadPlan plan, Plan(stream, from));
    Batch batch;
    if (plan.empty) return batch;
    // Damage that is seen because the segment was freed meanwhile is none.
    const auto damaged = [&](base::Error error) -> base::Result<Batch> {
        if (from < Begin(stream)) {
            return base::Fail(base::ErrorCode::kNotFound,
                              "stream " + std::to_string(stream) + " offset " +
                                  std::to_string(from) + " was trimmed away");
        }
        error.internal += " (stream " + std::to_string(stream) + " offset " +
                          std::to_string(from) + ')';
        return tl::make_unexpected(std::move(error));
    };
    const uint32_t* at = plan.copied.data();
    size_t count = plan.copied.size();
    if (!plan.active) {
        if (!plan.index) {
            auto index = IndexOf(plan.segment, plan.next);
            if (!index) return damaged(std::move(index.error()));
            plan.index = std::move(*index);
        }
        const size_t skip = from - plan.segment->bases[stream].next_offset;
        const size_t first = plan.index->first[stream] + skip;
        const size_t last = plan.index->first[stream + 1];
        if (first >= last) {
            return damaged({base::ErrorCode::kCorrupt,
                            plan.segment->path + ": the record is not in the index", {}, {}});
        }
        at = plan.index->positions.data() + first;
        count = std::min(kRecordsOfOneRead, last - first);
    }
    FrameSource source(plan.segment, std::move(plan.blocks), plan.valid_end, chunks_);
    batch.records.reserve(std::min<size_t>(count, 1 + bytes_max / 256));
    size_t bytes = 0;
    for (size_t i = 0; i < count; ++i) {
        if (i + kPrefetchAhead < count) source.Prefetch(at[i + kPrefetchAhead]);
        auto record = source.Get(at[i], stream, from + i, batch.hold);
        if (!record) {
            if (i == 0) return damaged(std::move(record.error()));
            break;
        }
        bytes += record->payload.size();
        batch.records.push_back(*record);
        if (bytes >= bytes_max || batch.hold.size() > kHoldsOfOneRead) break;
    }
    return batch;
}

base::Result<Offset> EmbeddedLog::Core::SkipRot(StreamId stream, Offset from) {
    if (stream >= streams_) return base::Invalid("no stream " + std::to_string(stream));
    for (Offset at = std::max(from, Begin(stream));;) {
        const auto batch = Read(stream, at, 1);
        if (batch) return batch->records.empty() ? End(stream) + 1 : at;
        if (batch.error().code == base::ErrorCode::kNotFound) {
            at = std::max(at, Begin(stream));
            continue;
        }
        if (batch.error().code != base::ErrorCode::kCorrupt) {
            return tl::make_unexpected(batch.error());
        }
        ++at;
        const std::lock_guard lock(state_mutex_);
        const Offset begin = segments_.front()->bases[stream].next_offset;
        const size_t index = SegmentAt(stream, std::max(at, begin));
        // A segment without a file is left at once.
        if (segments_[index]->file == nullptr && index + 1 < segments_.size()) {
            at = std::max(at, segments_[index + 1]->bases[stream].next_offset);
        }
    }
}

Offset EmbeddedLog::Core::End(StreamId stream) const {
    const std::lock_guard lock(state_mutex_);
    return stream < streams_ ? readable_[stream].next_offset - 1 : 0;
}

Offset EmbeddedLog::Core::Begin(StreamId stream) const {
    const std::lock_guard lock(state_mutex_);
    return stream < streams_ ? segments_.front()->bases[stream].next_offset : 1;
}

base::TimeMs EmbeddedLog::Core::LastCommitTime() const {
    const std::lock_guard lock(state_mutex_);
    return last_commit_time_;
}

}  // namespace event_log
