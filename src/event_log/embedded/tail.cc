#include "event_log/embedded/tail.h"

#include <algorithm>

namespace event_log {

namespace {
constexpr size_t kPageBytes = 4096;
constexpr size_t kBlocksOfOneRead = 4;  // A reader that wants more reads again.
}  // namespace

std::shared_ptr<char[]> BufferPool::Take(size_t bytes) {
    if (bytes > kBufferBytes) return std::shared_ptr<char[]>(new char[bytes]);
    std::unique_ptr<char[]> buffer;
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            buffer = std::move(idle_.back());
            idle_.pop_back();
        }
    }
    if (!buffer) buffer = std::make_unique_for_overwrite<char[]>(kBufferBytes);
    return {buffer.release(), [pool = shared_from_this()](char* p) {
                pool->GiveBack(std::unique_ptr<char[]>(p));
            }};
}

void BufferPool::GiveBack(std::unique_ptr<char[]> buffer) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < kIdleMax) idle_.push_back(std::move(buffer));
}

const std::shared_ptr<Block>& Tail::Room(uint64_t sequence, uint32_t position, size_t bytes) {
    const bool fits = current_ && current_->sequence == sequence && current_->used == position &&
                      position - current_->begin + bytes + kPageBytes <= current_->capacity;
    if (!fits) {
        auto block = std::make_shared<Block>();
        block->sequence = sequence;
        block->begin = position;
        block->used = position;
        block->published = position;
        block->capacity = std::max(BufferPool::kBufferBytes, bytes + kPageBytes);
        block->bytes = pool_->Take(block->capacity);
        current_ = std::move(block);
    }
    return current_;
}

void Tail::Publish() {
    if (!current_) return;
    if (blocks_.empty() || blocks_.back() != current_) {
        blocks_.push_back(current_);
        bytes_ += current_->capacity;
    }
    current_->published = current_->used;
    while (bytes_ > bytes_max_ && blocks_.size() > 1) {
        bytes_ -= blocks_.front()->capacity;
        blocks_.pop_front();
    }
}

std::vector<BlockView> Tail::Blocks(uint64_t sequence, uint32_t from) const {
    std::vector<BlockView> views;
    auto at = std::partition_point(blocks_.begin(), blocks_.end(), [&](const auto& block) {
        if (block->sequence != sequence) return block->sequence < sequence;
        return block->published <= from;
    });
    for (; at != blocks_.end() && (*at)->sequence == sequence; ++at) {
        if (views.size() == kBlocksOfOneRead) break;
        views.push_back({*at, (*at)->published});
    }
    return views;
}

}  // namespace event_log
