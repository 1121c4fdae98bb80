// The spool's segment files: frames on disk. docs/formats/warehouse.md has every byte.
//
// A segment begins with a header that carries a random generation; a frame's CRC is seeded with
// generation and position, so leftovers of a recycled file never pass. Frames begin at multiples of
// 64 bytes, so that good ones can be found behind a bad one. A start never appends to an old
// segment.
//
// Threads: one at a time, but for ReadFrame.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace warehouse {

class SpoolSegment;

struct FramePlace {
    std::shared_ptr<SpoolSegment> segment;  // Null: not in a file.
    uint64_t offset = 0;
};

struct RowsFrame {
    uint64_t number = 0;
    uint32_t rows = 0;
    std::string entries;
};

// The frame's payload, checked. Any thread, also while the segment is being retired (it is then
// kCorrupt). Errors: kIo, kCorrupt.
base::Result<RowsFrame> ReadFrame(const FramePlace& place);

class SpoolFiles {
  public:
    struct Recovered {
        uint64_t blocks_rotten = 0;
        uint64_t tails_cut = 0;
        uint64_t acked = 0;  // Highest block number known to be acknowledged.
    };
    // Called for each good frame with rows, in order.
    using OnFrame = std::function<void(RowsFrame, FramePlace)>;

    static base::Result<std::unique_ptr<SpoolFiles>> Open(const std::string& directory,
                                                          size_t segment_bytes,
                                                          Recovered& recovered,
                                                          const OnFrame& on_frame);
    ~SpoolFiles();

    // Writes a frame behind the last one. It is not on stable storage before Sync.
    // Errors: kDiskFull (nothing changed), kIo.
    base::Result<FramePlace> Write(uint64_t number, uint32_t rows, std::string_view entries);

    // Everything written is on stable storage when it returns; remembers `acked` beside.
    // Errors: kDiskFull, kIo.
    base::Status Sync(uint64_t acked);

    // True when something was written since the last Sync.
    bool dirty() const { return dirty_; }

    // The segment holds nothing that is needed: its bytes become zero, the file is kept for the
    // next segment or removed. When it is the current one, the next Write begins another.
    base::Status Retire(const std::shared_ptr<SpoolSegment>& segment);

    const std::vector<std::shared_ptr<SpoolSegment>>& segments() const { return segments_; }
    std::shared_ptr<SpoolSegment> current() const { return current_; }
    uint64_t bytes_written() const { return bytes_written_; }

  private:
    SpoolFiles(std::string directory, size_t segment_bytes);
    base::Status Recover(Recovered& recovered, const OnFrame& on_frame);
    base::Status BeginSegment(size_t need);
    base::Status CloseCurrent();
    base::Status CutTail(uint64_t segment_number, uint64_t offset);
    base::Result<uint64_t> WriteFrame(uint32_t kind, uint64_t number, uint32_t rows,
                                      std::string_view payload);
    base::Status SyncDirectory() const;
    std::string PathOf(uint64_t number) const;
    std::string SparePath() const { return directory_ + "/spare"; }

    const std::string directory_;
    const size_t segment_bytes_;
    int lock_fd_ = -1;
    std::vector<std::shared_ptr<SpoolSegment>> segments_;
    std::shared_ptr<SpoolSegment> current_;
    uint64_t next_segment_ = 1;
    uint64_t synced_segment_ = 0;  // Everything before this place is on stable storage.
    uint64_t synced_offset_ = 0;
    bool dirty_ = false;
    uint64_t bytes_written_ = 0;
};

}  // namespace warehouse
