// Gets frames of one segment by position: out of the tail without a copy, else out of chunks that
// all readers share.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "event_log/embedded/segment_files.h"
#include "event_log/embedded/tail.h"
#include "event_log/event_log.h"

namespace event_log {

// Pieces of segment files of limits::kLogReadChunkBytes, at most limits::kLogReadCacheBytesMax of
// them; the longest unused goes. Partitions that are replayed side by side read each piece once.
// Threads: any.
class ChunkCache {
  public:
    struct Chunk {
        uint32_t begin = 0;
        uint32_t end = 0;
        std::shared_ptr<char[]> bytes;
    };

    explicit ChunkCache(std::shared_ptr<BufferPool> pool) : pool_(std::move(pool)) {}

    // The chunk around `position`; it holds no byte at or behind `valid_end`, which may grow.
    base::Result<std::shared_ptr<const Chunk>> Get(const Segment& segment, uint32_t position,
                                                   uint32_t valid_end);

  private:
    struct Entry {
        std::shared_ptr<const Chunk> chunk;
        std::list<uint64_t>::iterator use;
    };

    std::mutex mutex_;
    std::shared_ptr<BufferPool> pool_;
    std::unordered_map<uint64_t, Entry> chunks_;  // By (sequence, number).
    std::list<uint64_t> uses_;                    // The longest unused first.
};

class FrameSource {
  public:
    // `valid_end`: nothing at or behind it is read from the file.
    FrameSource(std::shared_ptr<const Segment> segment, std::vector<BlockView> blocks,
                uint32_t valid_end, ChunkCache& cache)
        : segment_(std::move(segment)), blocks_(std::move(blocks)), valid_end_(valid_end),
          cache_(cache) {}

    // The record `offset` of `stream`, whose frame is said to be at `position`; what keeps its
    // payload alive is added to `hold`.
    // Errors: kCorrupt  there is no such sound frame
    base::Result<Record> Get(uint32_t position, StreamId stream, Offset offset,
                             std::vector<std::shared_ptr<const void>>& hold);

    // Brings a frame that will be asked for soon into the processor's cache.
    void Prefetch(uint32_t position) const {
        if (position >= near_begin_ && position < near_end_) {
            const char* at = near_ + (position - near_begin_);
            __builtin_prefetch(at);
            __builtin_prefetch(at + 64);
        }
    }

  private:
    struct Bytes {
        const char* at;
        uint64_t size;  // That may be looked at.
    };

    bool InBlocks(uint32_t position, std::vector<std::shared_ptr<const void>>& hold);
    // A frame that crosses chunks or that no chunk could be read for.
    base::Result<Bytes> ReadAlone(uint32_t position,
                                        std::vector<std::shared_ptr<const void>>& hold);
    base::Result<Bytes> FromFile(uint32_t position,
                                       std::vector<std::shared_ptr<const void>>& hold);
    tl::unexpected<base::Error> Damaged(uint32_t position, std::string_view what) const;

    std::shared_ptr<const Segment> segment_;
    std::vector<BlockView> blocks_;
    uint32_t valid_end_;
    ChunkCache& cache_;
    size_t block_ = 0;
    size_t held_block_ = SIZE_MAX;
    std::shared_ptr<const ChunkCache::Chunk> chunk_;
    const char* near_ = nullptr;  // Bytes of [near_begin_, near_end_): the block or chunk in use.
    uint32_t near_begin_ = 0;
    uint32_t near_end_ = 0;
    bool in_memory_ = false;
};

}  // namespace event_log
