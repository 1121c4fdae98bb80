#include "event_log/embedded/frame_source.h"

#include <algorithm>

namespace event_log {

namespace {
constexpr size_t kChunksMax = limits::kLogReadCacheBytesMax / limits::kLogReadChunkBytes;
static_assert(limits::kLogReadChunkBytes <= BufferPool::kBufferBytes);
}  // namespace

base::Result<std::shared_ptr<const ChunkCache::Chunk>> ChunkCache::Get(const Segment& segment,
                                                                       uint32_t position,
                                                                       uint32_t valid_end) {
    const uint64_t number = position / limits::kLogReadChunkBytes;
    const auto begin = static_cast<uint32_t>(number * limits::kLogReadChunkBytes);
    const auto end = static_cast<uint32_t>(
        std::min<uint64_t>(valid_end, begin + limits::kLogReadChunkBytes));
    const uint64_t key = (segment.sequence << 13) | number;
    {
        const std::lock_guard lock(mutex_);
        const auto found = chunks_.find(key);
        if (found != chunks_.end() && found->second.chunk->end >= end) {
            uses_.splice(uses_.end(), uses_, found->second.use);
            return found->second.chunk;
        }
    }
    auto chunk = std::make_shared<Chunk>();
    chunk->begin = begin;
    chunk->end = end;
    chunk->bytes = pool_->Take(limits::kLogReadChunkBytes);
    TRY_ASSIGN(const size_t n, segment.file->ReadAt(begin, chunk->bytes.get(), end - begin));
    std::fill(chunk->bytes.get() + n, chunk->bytes.get() + (end - begin), '\0');
    const std::lock_guard lock(mutex_);
    const auto found = chunks_.find(key);
    if (found != chunks_.end()) {
        uses_.splice(uses_.end(), uses_, found->second.use);
        found->second.chunk = chunk;
        return chunk;
    }
    if (chunks_.size() >= kChunksMax) {
        chunks_.erase(uses_.front());
        uses_.pop_front();
    }
    chunks_.emplace(key, Entry{chunk, uses_.insert(uses_.end(), key)});
    return chunk;
}

tl::unexpected<base::Error> FrameSource::Damaged(uint32_t position, std::string_view what) const {
    std::string text = segment_->path + ": damaged at position " + std::to_string(position) + ": ";
    return base::Fail(base::ErrorCode::kCorrupt, text.append(what));
}

bool FrameSource::InBlocks(uint32_t position, std::vector<std::shared_ptr<const void>>& hold) {
    // Positions are mostly asked for in order.
    if (block_ < blocks_.size() && position < blocks_[block_].block->begin) block_ = 0;
    while (block_ < blocks_.size() && position >= blocks_[block_].end) ++block_;
    if (block_ == blocks_.size() || position < blocks_[block_].block->begin) return false;
    if (held_block_ != block_) {
        hold.push_back(blocks_[block_].block);
        held_block_ = block_;
        near_ = blocks_[block_].block->bytes.get();
        near_begin_ = blocks_[block_].block->begin;
        near_end_ = blocks_[block_].end;
        in_memory_ = true;
        chunk_ = nullptr;
    }
    return true;
}

base::Result<FrameSource::Bytes> FrameSource::ReadAlone(uint32_t position,
                                                 std::vector<std::shared_ptr<const void>>& hold) {
    char head[format::kFrameHeaderBytes];
    const auto n = segment_->file->ReadAt(position, head, sizeof(head));
    if (!n) return Damaged(position, n.error().internal);
    if (*n < sizeof(head) || !format::HeaderIsSound(head, valid_end_ - position,
                                                    segment_->generation, position)) {
        return Damaged(position, "no sound header");
    }
    const size_t bytes = format::Padded(format::ReadHeader(head).length);
    std::shared_ptr<char[]> buffer(new char[bytes]);
    const auto all = segment_->file->ReadAt(position, buffer.get(), bytes);
    if (!all) return Damaged(position, all.error().internal);
    if (*all < bytes) return Damaged(position, "the file ends within the frame");
    hold.push_back(buffer);
    return Bytes{buffer.get(), bytes};
}

base::Result<FrameSource::Bytes> FrameSource::FromFile(uint32_t position,
                                                std::vector<std::shared_ptr<const void>>& hold) {
    if (segment_->file == nullptr) return Damaged(position, "the file is missing");
    if (position < format::kSegmentHeaderBytes ||
        position + format::kFrameHeaderBytes > valid_end_) {
        return Damaged(position, "no frame can be here");
    }
    if (!chunk_ || position < chunk_->begin || position >= chunk_->end) {
        auto chunk = cache_.Get(*segment_, position, valid_end_);
        if (!chunk) return ReadAlone(position, hold);
        chunk_ = std::move(*chunk);
        hold.push_back(chunk_);
        near_ = chunk_->bytes.get();
        near_begin_ = chunk_->begin;
        near_end_ = chunk_->end;
        in_memory_ = false;
        held_block_ = SIZE_MAX;
    }
    const uint32_t left = chunk_->end - position;
    const char* at = chunk_->bytes.get() + (position - chunk_->begin);
    if (left < format::kFrameHeaderBytes) return ReadAlone(position, hold);
    if (format::Padded(format::ReadHeader(at).length) > left) return ReadAlone(position, hold);
    return Bytes{at, left};
}

base::Result<Record> FrameSource::Get(uint32_t position, StreamId stream, Offset offset,
                                      std::vector<std::shared_ptr<const void>>& hold) {
    const char* at = nullptr;
    if (InBlocks(position, hold)) {
        at = near_ + (position - near_begin_);
    } else {
        TRY_ASSIGN(const Bytes bytes, FromFile(position, hold));
        at = bytes.at;
        switch (format::CheckFrame(at, bytes.size, segment_->generation, position)) {
            case format::FrameState::kGood: break;
            case format::FrameState::kNoHeader: return Damaged(position, "no sound header");
            case format::FrameState::kBadPayload:
                return Damaged(position, "the payload's checksum differs");
        }
    }
    const format::FrameHeader header = format::ReadHeader(at);
    if (header.stream != stream || header.offset != offset) {
        return Damaged(position, "the record is lost");
    }
    Record record;
    record.stream = header.stream;
    record.kind = static_cast<model::RecordKind>(header.kind);
    record.workspace = header.workspace;
    record.offset = header.offset;
    record.time_ms = header.time_ms;
    record.person = {header.person_hi, header.person_lo};
    record.fingerprint = header.fingerprint;
    record.name_hash = header.name_hash;
    record.payload = format::PayloadOf(at, header);
    return record;
}

}  // namespace event_log
