// The third thread: segments ahead, index files behind, freed segments away.
#include <algorithm>
#include <chrono>

#include "event_log/embedded/core.h"

namespace event_log {

base::Status EmbeddedLog::Core::AddSpare(const Segment* recycled) {
    TRY_ASSIGN(Spare spare, store_->Prepare(next_sequence_, recycled));
    ++next_sequence_;
    const std::lock_guard lock(queue_mutex_);
    spares_.push_back(std::move(spare));
    disk_full_ = false;
    return {};
}

void EmbeddedLog::Core::PrepareLoop() {
    const std::chrono::milliseconds retry(options_.disk_full_retry_ms);
    std::unique_lock lock(work_mutex_);
    for (;;) {
        const bool can_prepare = to_prepare_ > 0 && (seek_room_ || !freed_.empty());
        if (can_prepare && !work_end_) {
            PrepareOne(lock);
        } else if (!freed_.empty()) {
            FreeOne(lock);  // At the end, too: what was trimmed does not come back.
        } else if (!to_index_.empty()) {
            IndexOne(lock);
        } else if (work_end_) {
            return;
        } else if (to_prepare_ > 0) {
            work_changed_.wait_for(lock, retry);
            seek_room_ = true;
        } else {
            work_changed_.wait(lock);
        }
        if (fatal()) return;
    }
}

void EmbeddedLog::Core::PrepareOne(std::unique_lock<std::mutex>& lock) {
    std::shared_ptr<Segment> recycled;
    if (!freed_.empty()) {
        recycled = std::move(freed_.front());
        freed_.pop_front();
    }
    lock.unlock();
    const auto added = AddSpare(recycled.get());
    if (!added && added.error().code != base::ErrorCode::kDiskFull) SetFatal(added.error());
    if (!added && added.error().code == base::ErrorCode::kDiskFull) {
        const std::lock_guard queue_lock(queue_mutex_);
        disk_full_ = true;
    }
    lock.lock();
    if (added) {
        --to_prepare_;
    } else {
        seek_room_ = false;
    }
}

void EmbeddedLog::Core::FreeOne(std::unique_lock<std::mutex>& lock) {
    const std::shared_ptr<Segment> segment = std::move(freed_.front());
    freed_.pop_front();
    lock.unlock();
    const auto removed = store_->Remove(segment->sequence);
    if (!removed) SetFatal(removed.error());
    lock.lock();
    seek_room_ = true;
}

void EmbeddedLog::Core::IndexOne(std::unique_lock<std::mutex>& lock) {
    const ToIndex work = std::move(to_index_.front());
    to_index_.pop_front();
    lock.unlock();
    const auto written = store_->WriteIndex(*work.segment, work.end, *work.index);
    // On a full disk the index is left out; whoever reads the segment builds it again.
    if (!written && written.error().code != base::ErrorCode::kDiskFull) {
        SetFatal(written.error());
    } else {
        const std::lock_guard state_lock(state_mutex_);
        work.segment->index = nullptr;
    }
    lock.lock();
}

base::Status EmbeddedLog::Core::Trim(StreamId stream, Offset before) {
    if (stream >= streams_) return base::Invalid("no stream " + std::to_string(stream));
    std::vector<std::shared_ptr<Segment>> freed;
    {
        const std::lock_guard lock(state_mutex_);
        if (before > readable_[stream].next_offset) {
            return base::Invalid("stream " + std::to_string(stream) + " has no offset " +
                                 std::to_string(before) + " yet");
        }
        trimmed_[stream] = std::max(trimmed_[stream], before);
        while (segments_.size() > 1) {
            const format::Bases& from = segments_[0]->bases;
            const format::Bases& to = segments_[1]->bases;
            bool needed = false;
            for (size_t s = 0; s < streams_ && !needed; ++s) {
                needed = from[s].next_offset < to[s].next_offset &&
                         trimmed_[s] < to[s].next_offset;
            }
            if (needed) break;
            freed.push_back(std::move(segments_.front()));
            segments_.pop_front();
            ++segments_freed_;
        }
    }
    if (freed.empty()) return {};
    {
        const std::lock_guard lock(work_mutex_);
        for (const auto& segment : freed) {
            std::erase_if(to_index_, [&](const ToIndex& work) { return work.segment == segment; });
            freed_.push_back(segment);
        }
    }
    work_changed_.notify_one();
    return {};
}

}  // namespace event_log
