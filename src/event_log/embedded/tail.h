// Memory that commits are written from and read from: buffers that are used again, and the tail,
// the newest bytes of the log as they are on the disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/limits.h"

namespace event_log {

// Buffers of one size go back to where they came from: fresh memory costs a page fault for every
// 4 KB. Threads: any; buffers may outlive the pool's owner.
class BufferPool : public std::enable_shared_from_this<BufferPool> {
  public:
    // A commit with its opening and the padding to a page.
    static constexpr size_t kBufferBytes = limits::kCommitBytesMax + 64 * 1024;
    static constexpr size_t kIdleMax = 8;  // More are given back to the system.

    // At least `bytes` long, contents unspecified.
    std::shared_ptr<char[]> Take(size_t bytes);

  private:
    void GiveBack(std::unique_ptr<char[]> buffer);

    std::mutex mutex_;
    std::vector<std::unique_ptr<char[]>> idle_;
};

// Bytes [begin, used) of a segment. Bytes below a published position never change; the commit
// thread writes behind it.
struct Block {
    uint64_t sequence = 0;
    uint32_t begin = 0;
    uint32_t used = 0;        // Commit thread only.
    uint32_t published = 0;   // Guarded by the log's state mutex.
    size_t capacity = 0;
    std::shared_ptr<char[]> bytes;

    char* At(uint32_t position) const { return bytes.get() + (position - begin); }
};

// A block as a reader may see it.
struct BlockView {
    std::shared_ptr<const Block> block;
    uint32_t end = 0;
};

class Tail {
  public:
    explicit Tail(size_t bytes_max)
        : bytes_max_(bytes_max), pool_(std::make_shared<BufferPool>()) {}

    // Where to write `bytes` at `position` of a segment, with a page to spare behind them.
    // Commit thread only; the block may not be in the tail yet.
    const std::shared_ptr<Block>& Room(uint64_t sequence, uint32_t position, size_t bytes);

    // With the state mutex held: makes all that was written readable, drops what is too old.
    void Publish();
    // With the state mutex held: the blocks of a segment that hold bytes at or behind `from`.
    std::vector<BlockView> Blocks(uint64_t sequence, uint32_t from) const;

    const std::shared_ptr<BufferPool>& pool() const { return pool_; }

  private:
    size_t bytes_max_;
    size_t bytes_ = 0;
    std::shared_ptr<BufferPool> pool_;
    std::shared_ptr<Block> current_;             // Commit thread only.
    std::deque<std::shared_ptr<Block>> blocks_;  // Guarded by the log's state mutex.
};

}  // namespace event_log
