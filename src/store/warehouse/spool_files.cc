#include "store/warehouse/spool_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/bytes.h"
#include "base/hash.h"

namespace warehouse {

class SpoolSegment {
  public:
    SpoolSegment(int descriptor, uint64_t segment_number, uint64_t random)
        : fd(descriptor), number(segment_number), generation(random) {}
    SpoolSegment(const SpoolSegment&) = delete;
    SpoolSegment& operator=(const SpoolSegment&) = delete;
    ~SpoolSegment() { close(fd); }

    const int fd;
    const uint64_t number;
    const uint64_t generation;
    uint64_t end = 0;  // Behind the last frame.
};

namespace {

constexpr char kMagic[8] = {'R', 'I', 'P', 'N', 'S', 'P', 'L', '\n'};
constexpr uint32_t kVersion = 1;
constexpr uint64_t kUnit = 64;  // Header size and alignment of frames.
constexpr uint32_t kFrameMagic = 0x4c505352;  // "RSPL"
constexpr uint32_t kRows = 1;
constexpr uint32_t kMarks = 2;
constexpr uint32_t kClosed = 3;

struct FrameHeader {
    uint32_t magic = kFrameMagic;
    uint32_t kind = 0;
    uint64_t number = 0;
    uint32_t rows = 0;
    uint32_t payload_bytes = 0;
    uint32_t reserved = 0;
    uint32_t crc = 0;  // Of generation, offset, the 28 bytes before and the payload.
};
static_assert(sizeof(FrameHeader) == 32);

uint64_t RoundUp(uint64_t n) { return (n + kUnit - 1) / kUnit * kUnit; }
uint64_t FrameBytes(uint64_t payload) { return RoundUp(sizeof(FrameHeader) + payload); }

uint32_t FrameCrc(uint64_t generation, uint64_t offset, const FrameHeader& header,
                  std::string_view payload) {
    uint32_t crc = base::Crc32c(0, &generation, sizeof(generation));
    crc = base::Crc32c(crc, &offset, sizeof(offset));
    crc = base::Crc32c(crc, &header, sizeof(header) - sizeof(header.crc));
    return base::Crc32c(crc, payload.data(), payload.size());
}

tl::unexpected<base::Error> SystemError(const std::string& what) {
    const int reason = errno;
    return base::Fail(reason == ENOSPC || reason == EDQUOT ? base::ErrorCode::kDiskFull
                                                           : base::ErrorCode::kIo,
                      "spool: " + what + ": " + std::strerror(reason));
}

base::Status WriteAt(int fd, std::string_view bytes, uint64_t offset) {
    while (!bytes.empty()) {
        const ssize_t n = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return SystemError("write");
        bytes.remove_prefix(static_cast<size_t>(n));
        offset += static_cast<uint64_t>(n);
    }
    return {};
}

// Fewer bytes than asked for: the file ends there.
base::Result<std::string> ReadAt(int fd, uint64_t offset, size_t size) {
    std::string bytes(size, '\0');
    size_t have = 0;
    while (have < size) {
        const ssize_t n =
            pread(fd, bytes.data() + have, size - have, static_cast<off_t>(offset + have));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return SystemError("read");
        if (n == 0) break;
        have += static_cast<size_t>(n);
    }
    bytes.resize(have);
    return bytes;
}

std::string SegmentHeader(uint64_t number, uint64_t generation) {
    std::string header(kMagic, sizeof(kMagic));
    base::ByteWriter out(header);
    out.U32(kVersion);
    out.U32(0);
    out.U64(number);
    out.U64(generation);
    out.U32(base::Crc32c(0, header.data(), header.size()));
    header.resize(kUnit);
    return header;
}

// A good frame at `at`, or nullptr. `bytes` is the whole segment.
bool FrameAt(std::string_view bytes, uint64_t at, uint64_t generation, FrameHeader& header,
             std::string_view& payload) {
    if (at + sizeof(FrameHeader) > bytes.size()) return false;
    std::memcpy(&header, bytes.data() + at, sizeof(header));
    if (header.magic != kFrameMagic) return false;
    if (header.payload_bytes > bytes.size() - at - sizeof(FrameHeader)) return false;
    payload = bytes.substr(at + sizeof(FrameHeader), header.payload_bytes);
    return FrameCrc(generation, at, header, payload) == header.crc;
}

struct FoundFrame {
    uint64_t segment = 0;
    uint64_t offset = 0;
    uint64_t payload_bytes = 0;
    uint32_t kind = 0;
};
struct BadSpot {
    uint64_t segment = 0;
    uint64_t offset = 0;
    bool something = false;  // Not only zeros: a write was begun here.
};
struct Scan {
    std::vector<FoundFrame> frames;
    std::vector<BadSpot> bad;
    uint64_t synced_segment = 0;
    uint64_t synced_offset = 0;
    uint64_t acked = 0;
};

void NoteMarks(std::string_view payload, Scan& scan) {
    base::ByteReader in(payload);
    const uint64_t segment = in.U64();
    const uint64_t offset = in.U64();
    const uint64_t acked = in.U64();
    if (!in.ok()) return;
    if (std::pair(segment, offset) > std::pair(scan.synced_segment, scan.synced_offset)) {
        scan.synced_segment = segment;
        scan.synced_offset = offset;
    }
    scan.acked = std::max(scan.acked, acked);
}

// Walks the frames of one segment, finding good ones behind bad ones too.
void ScanSegment(const SpoolSegment& segment, std::string_view bytes, Scan& scan) {
    uint64_t at = kUnit;
    bool in_bad = false;
    while (at < bytes.size()) {
        FrameHeader header;
        std::string_view payload;
        if (FrameAt(bytes, at, segment.generation, header, payload)) {
            in_bad = false;
            scan.frames.push_back({segment.number, at, header.payload_bytes, header.kind});
            if (header.kind == kMarks) NoteMarks(payload, scan);
            if (header.kind == kClosed) return;
            at += FrameBytes(header.payload_bytes);
            continue;
        }
        const std::string_view unit = bytes.substr(at, kUnit);
        const bool zeros = unit.find_first_not_of('\0') == std::string_view::npos;
        if (!in_bad) scan.bad.push_back({segment.number, at, false});
        if (!zeros) scan.bad.back().something = true;
        in_bad = true;
        at += kUnit;
    }
    // Without a closing frame the segment ends in a bad spot, be it at the file's very end.
    if (!in_bad) scan.bad.push_back({segment.number, at, false});
}

}  // namespace

base::Result<RowsFrame> ReadFrame(const FramePlace& place) {
    const SpoolSegment& segment = *place.segment;
    TRY_ASSIGN(const std::string head, ReadAt(segment.fd, place.offset, sizeof(FrameHeader)));
    FrameHeader header;
    if (head.size() == sizeof(header)) std::memcpy(&header, head.data(), sizeof(header));
    if (head.size() != sizeof(header) || header.magic != kFrameMagic || header.kind != kRows) {
        return base::Fail(base::ErrorCode::kCorrupt, "spool: no frame where one was written");
    }
    RowsFrame frame{.number = header.number, .rows = header.rows, .entries = {}};
    TRY_ASSIGN(frame.entries,
               ReadAt(segment.fd, place.offset + sizeof(header), header.payload_bytes));
    if (frame.entries.size() != header.payload_bytes ||
        FrameCrc(segment.generation, place.offset, header, frame.entries) != header.crc) {
        return base::Fail(base::ErrorCode::kCorrupt, "spool: a frame does not match its checksum");
    }
    return frame;
}

SpoolFiles::SpoolFiles(std::string directory, size_t segment_bytes)
    : directory_(std::move(directory)), segment_bytes_(segment_bytes) {}

SpoolFiles::~SpoolFiles() {
    if (lock_fd_ >= 0) close(lock_fd_);
}

std::string SpoolFiles::PathOf(uint64_t number) const {
    char name[32];
    std::snprintf(name, sizeof(name), "/spool-%016" PRIx64, number);
    return directory_ + name;
}

base::Status SpoolFiles::SyncDirectory() const {
    const int fd = open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return SystemError("open " + directory_);
    const int synced = fsync(fd);
    const base::Status status = synced == 0 ? base::Status() : SystemError("fsync " + directory_);
    close(fd);
    return status;
}

base::Result<std::unique_ptr<SpoolFiles>> SpoolFiles::Open(const std::string& directory,
                                                           size_t segment_bytes,
                                                           Recovered& recovered,
                                                           const OnFrame& on_frame) {
    std::error_code failed;
    std::filesystem::create_directories(directory, failed);
    chmod(directory.c_str(), 0700);
    std::unique_ptr<SpoolFiles> files(new SpoolFiles(directory, segment_bytes));
    files->lock_fd_ = open((directory + "/LOCK").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (files->lock_fd_ < 0) return SystemError("open " + directory + "/LOCK");
    if (flock(files->lock_fd_, LOCK_EX | LOCK_NB) != 0) {
        return base::Fail(base::ErrorCode::kConflict, "spool: in use: " + directory);
    }
    TRY(files->Recover(recovered, on_frame));
    return files;
}

base::Status SpoolFiles::Recover(Recovered& recovered, const OnFrame& on_frame) {
    std::vector<uint64_t> numbers;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(directory_, failed)) {
        uint64_t number = 0;
        char rest = 0;
        const std::string name = entry.path().filename();
        if (std::sscanf(name.c_str(), "spool-%16" SCNx64 "%c", &number, &rest) == 1) {
            numbers.push_back(number);
        }
    }
    if (failed) return base::Fail(base::ErrorCode::kIo, "spool: " + failed.message());
    std::sort(numbers.begin(), numbers.end());

    Scan scan;
    for (const uint64_t number : numbers) {
        next_segment_ = number + 1;
        const int fd = open(PathOf(number).c_str(), O_RDWR | O_CLOEXEC);
        if (fd < 0) return SystemError("open " + PathOf(number));
        auto probe = std::make_shared<SpoolSegment>(fd, number, 0);
        const auto size = static_cast<size_t>(lseek(fd, 0, SEEK_END));
        TRY_ASSIGN(const std::string bytes, ReadAt(fd, 0, size));
        base::ByteReader in(bytes);
        const bool magic = in.Raw(sizeof(kMagic)) == std::string_view(kMagic, sizeof(kMagic));
        const uint32_t version = in.U32();
        in.U32();
        in.U64();
        const uint64_t generation = in.U64();
        if (magic && version > kVersion) {
            return base::Fail(base::ErrorCode::kCorrupt,
                              "spool: " + PathOf(number) + " is of version " +
                                  std::to_string(version));
        }
        if (bytes.size() < kUnit ||
            bytes.substr(0, kUnit) != SegmentHeader(number, generation)) {
            // Its header was never synced, or rotted: what it held cannot be told apart from rest.
            scan.bad.push_back({number, 0, !bytes.empty()});
            segments_.push_back(probe);
            continue;
        }
        auto segment = std::make_shared<SpoolSegment>(dup(fd), number, generation);
        segment->end = size;
        ScanSegment(*segment, bytes, scan);
        segments_.push_back(std::move(segment));
    }

    // Where a bad spot lies behind everything that is known to be synced, the tail is torn:
    // whatever follows was never promised and comes again by replay.
    const std::pair synced(scan.synced_segment, scan.synced_offset);
    std::pair<uint64_t, uint64_t> cut(UINT64_MAX, UINT64_MAX);
    for (const BadSpot& spot : scan.bad) {
        const std::pair place(spot.segment, spot.offset);
        if (place < synced) {
            ++recovered.blocks_rotten;
        } else if (place < cut) {
            cut = place;
            if (spot.something) ++recovered.tails_cut;
        }
    }
    recovered.acked = scan.acked;
    for (const FoundFrame& frame : scan.frames) {
        if (frame.kind != kRows || std::pair(frame.segment, frame.offset) >= cut) continue;
        const auto segment =
            std::find_if(segments_.begin(), segments_.end(),
                         [&frame](const auto& s) { return s->number == frame.segment; });
        FramePlace place{*segment, frame.offset};
        TRY_ASSIGN(RowsFrame rows, ReadFrame(place));
        on_frame(std::move(rows), std::move(place));
    }
    TRY(CutTail(cut.first, cut.second));
    synced_segment_ = next_segment_;
    synced_offset_ = 0;
    return SyncDirectory();
}

// Nothing behind the cut may ever be read again, and every segment that stays ends in a closing
// frame, so that its end is not taken for a bad spot at the next start.
base::Status SpoolFiles::CutTail(uint64_t segment_number, uint64_t offset) {
    std::vector<std::shared_ptr<SpoolSegment>> kept;
    for (const auto& segment : segments_) {
        const bool headless = segment->generation == 0;
        if (headless || segment->number > segment_number ||
            (segment->number == segment_number && offset <= kUnit)) {
            if (unlink(PathOf(segment->number).c_str()) != 0) return SystemError("unlink");
            continue;
        }
        if (segment->number == segment_number) {
            if (ftruncate(segment->fd, static_cast<off_t>(offset)) != 0) {
                return SystemError("truncate");
            }
            segment->end = offset;
            current_ = segment;
            TRY(CloseCurrent());
        }
        kept.push_back(segment);
    }
    segments_ = std::move(kept);
    dirty_ = false;
    return {};
}

base::Status SpoolFiles::BeginSegment(size_t need) {
    if (current_) TRY(CloseCurrent());
    const uint64_t number = next_segment_;
    const std::string path = PathOf(number);
    if (rename(SparePath().c_str(), path.c_str()) != 0 && errno != ENOENT) {
        return SystemError("rename " + path);
    }
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return SystemError("open " + path);
    uint64_t generation = 0;
    base::RandomBytes(&generation, sizeof(generation));
    generation |= 1;  // 0 stands for a segment without a good header.
    auto segment = std::make_shared<SpoolSegment>(fd, number, generation);
    // Room is taken now, so that a full disk shows before half a frame is written.
    const size_t size = std::max<size_t>(segment_bytes_, kUnit + need + kUnit);
    const int taken = posix_fallocate(fd, 0, static_cast<off_t>(size));
    if (taken != 0) {
        unlink(path.c_str());
        errno = taken;
        return SystemError("allocate " + path);
    }
    TRY(WriteAt(fd, SegmentHeader(number, generation), 0));
    TRY(SyncDirectory());
    segment->end = kUnit;
    next_segment_ = number + 1;
    segments_.push_back(segment);
    current_ = std::move(segment);
    return {};
}

base::Status SpoolFiles::CloseCurrent() {
    TRY(WriteFrame(kClosed, 0, 0, {}));
    if (fdatasync(current_->fd) != 0) {
        const auto error = SystemError("fdatasync");
        return base::Fail(base::ErrorCode::kIo, error.value().internal);
    }
    current_.reset();
    return {};
}

base::Result<uint64_t> SpoolFiles::WriteFrame(uint32_t kind, uint64_t number, uint32_t rows,
                                              std::string_view payload) {
    const uint64_t at = current_->end;
    FrameHeader header;
    header.kind = kind;
    header.number = number;
    header.rows = rows;
    header.payload_bytes = static_cast<uint32_t>(payload.size());
    header.crc = FrameCrc(current_->generation, at, header, payload);
    TRY(WriteAt(current_->fd, payload, at + sizeof(header)));
    TRY(WriteAt(current_->fd,
                {reinterpret_cast<const char*>(&header), sizeof(header)}, at));
    current_->end = at + FrameBytes(payload.size());
    bytes_written_ += FrameBytes(payload.size());
    dirty_ = true;
    return at;
}

base::Result<FramePlace> SpoolFiles::Write(uint64_t number, uint32_t rows,
                                           std::string_view entries) {
    // Behind it there must be room for marks and the closing frame.
    const uint64_t need = FrameBytes(entries.size()) + FrameBytes(24) + FrameBytes(0);
    if (!current_ || current_->end + need > segment_bytes_) TRY(BeginSegment(need));
    TRY_ASSIGN(const uint64_t offset, WriteFrame(kRows, number, rows, entries));
    return FramePlace{current_, offset};
}

base::Status SpoolFiles::Sync(uint64_t acked) {
    if (!dirty_) return {};
    if (!current_) {  // Written, closed and retired meanwhile: closing has synced it.
        dirty_ = false;
        return {};
    }
    if (current_->end + FrameBytes(24) + FrameBytes(0) > segment_bytes_) {
        TRY(BeginSegment(FrameBytes(24)));
    }
    std::string marks;
    base::ByteWriter out(marks);
    out.U64(synced_segment_);
    out.U64(synced_offset_);
    out.U64(acked);
    TRY(WriteFrame(kMarks, 0, 0, marks));
    if (fdatasync(current_->fd) != 0) {
        const auto error = SystemError("fdatasync");
        return base::Fail(base::ErrorCode::kIo, error.value().internal);
    }
    synced_segment_ = current_->number;
    synced_offset_ = current_->end;
    dirty_ = false;
    return {};
}

base::Status SpoolFiles::Retire(const std::shared_ptr<SpoolSegment>& segment) {
    if (segment == current_) current_.reset();
    std::erase(segments_, segment);
    const std::string path = PathOf(segment->number);
    if (access(SparePath().c_str(), F_OK) == 0) {
        if (unlink(path.c_str()) != 0) return SystemError("unlink " + path);
        return {};
    }
    // Zeros first: erased persons' rows must not wait in a spare file.
    const std::string zeros(1024 * 1024, '\0');
    for (uint64_t at = 0; at < segment->end; at += zeros.size()) {
        const uint64_t left = segment->end - at;
        TRY(WriteAt(segment->fd, std::string_view(zeros).substr(0, left), at));
    }
    if (rename(path.c_str(), SparePath().c_str()) != 0) return SystemError("rename " + path);
    return {};
}

}  // namespace warehouse
