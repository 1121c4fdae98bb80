// The files of a log's directory: their names, preparing and recycling segments, index files.
//
//   meta                   number of partitions, format version
//   lock                   held while a server has the log open
//   000000000012.segment   frames
//   000000000012.index     where the records of a closed segment lie; can be rebuilt
//   *.tmp                  unfinished; removed at Open
//
// Threads: any; the caller sees to it that no two calls work on the same segment.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "event_log/embedded/format.h"
#include "event_log/file_system.h"

namespace event_log {

// A segment with records. Immutable but for what is said.
struct Segment {
    uint64_t sequence = 0;
    uint64_t generation = 0;
    uint32_t bytes = 0;                  // Of the file.
    std::shared_ptr<File> file;          // Null: the file is missing or unreadable.
    std::string path;
    format::Bases bases;                 // At its beginning.
    // Of a closed segment until its index file is written. Guarded by the log's state mutex.
    std::shared_ptr<const format::SegmentIndex> index;
};

// Zeroed, with a header of a new generation, durable.
struct Spare {
    uint64_t sequence = 0;
    uint64_t generation = 0;
    uint32_t bytes = 0;
    std::shared_ptr<File> file;
};

class SegmentFiles {
  public:
    // `files` and `clock` are not owned. `streams` and `segment_bytes` of segments to prepare.
    SegmentFiles(FileSystem* files, base::Clock* clock, std::string directory, size_t streams,
                 size_t segment_bytes)
        : files_(files), clock_(clock), directory_(std::move(directory)), streams_(streams),
          segment_bytes_(segment_bytes) {}

    std::string Path(const std::string& name) const { return directory_ + '/' + name; }
    std::string SegmentPath(uint64_t sequence) const;
    std::string IndexPath(uint64_t sequence) const;
    // The sequence in a name with this ending (".segment", ".index").
    static std::optional<uint64_t> SequenceOf(const std::string& name, std::string_view ending);

    // Makes segment `sequence`, out of the freed segment `recycled` when there is one. On an error
    // the freed segment is gone, too.
    // Errors: kDiskFull (nothing was left behind), kIo
    base::Result<Spare> Prepare(uint64_t sequence, const Segment* recycled);
    // Removes a segment and its index.
    base::Status Remove(uint64_t sequence);

    // Replaces the index file. Not synced into the directory: it can be rebuilt.
    base::Status WriteIndex(const Segment& segment, uint32_t end,
                            const format::SegmentIndex& index);
    // The index of a closed segment, from its file or, when that is missing or damaged, from the
    // segment itself. `next`: the bases of the segment that follows.
    base::Result<format::SegmentIndex> LoadIndex(const Segment& segment,
                                                 const format::Bases& next) const;

    FileSystem& files() const { return *files_; }
    const std::string& directory() const { return directory_; }
    size_t streams() const { return streams_; }
    size_t segment_bytes() const { return segment_bytes_; }

  private:
    base::Result<Spare> PrepareAt(const std::string& path, uint64_t sequence, bool reuse);

    FileSystem* files_;
    base::Clock* clock_;
    std::string directory_;
    size_t streams_;
    size_t segment_bytes_;
};

enum class ReadExtent {
    kWhole,
    // Up to so many zeros as no unfinished commit can leave between its sectors: all of a segment
    // that is the last or unused, without reading zeros that are far behind the end.
    kToZeros,
};

// Reads a segment file into memory; what is missing of a file that is cut short reads as zeros.
base::Result<std::string> ReadSegment(const Segment& segment, ReadExtent extent);

}  // namespace event_log
