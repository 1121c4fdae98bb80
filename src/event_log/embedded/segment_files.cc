#include "event_log/embedded/segment_files.h"

#include <algorithm>

#include "base/limits.h"
#include "event_log/embedded/segment_index.h"
#include "event_log/embedded/segment_scan.h"

namespace event_log {

namespace {

constexpr size_t kSequenceDigits = 12;
constexpr size_t kPieceBytes = 1024 * 1024;  // Read at once.
// More than the largest commit: one record of the largest size, or many with an opening.
constexpr size_t kZerosEndBytes = limits::kCommitBytesMax + limits::kRecordBytesMax + 1024 * 1024;

std::string NameOf(uint64_t sequence, std::string_view ending) {
    std::string digits = std::to_string(sequence);
    if (digits.size() < kSequenceDigits) digits.insert(0, kSequenceDigits - digits.size(), '0');
    return digits.append(ending);
}

base::Status IgnoreMissing(base::Status status) {
    if (!status && status.error().code == base::ErrorCode::kNotFound) return {};
    return status;
}

}  // namespace

std::string SegmentFiles::SegmentPath(uint64_t sequence) const {
    return Path(NameOf(sequence, ".segment"));
}

std::string SegmentFiles::IndexPath(uint64_t sequence) const {
    return Path(NameOf(sequence, ".index"));
}

std::optional<uint64_t> SegmentFiles::SequenceOf(const std::string& name,
                                                 std::string_view ending) {
    if (name.size() <= ending.size() || !name.ends_with(ending)) return std::nullopt;
    const std::string_view digits = std::string_view(name).substr(0, name.size() - ending.size());
    if (digits.size() > 18) return std::nullopt;
    uint64_t sequence = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        sequence = sequence * 10 + static_cast<uint64_t>(c - '0');
    }
    if (sequence == 0 || NameOf(sequence, ending) != name) return std::nullopt;
    return sequence;
}

base::Result<Spare> SegmentFiles::PrepareAt(const std::string& path, uint64_t sequence,
                                            bool reuse) {
    TRY_ASSIGN(std::unique_ptr<File> file,
               files_->Open(path, reuse ? OpenMode::kReadWrite : OpenMode::kCreate));
    TRY(file->WriteZeros(segment_bytes_));
    format::SegmentHeader header;
    header.streams = static_cast<uint32_t>(streams_);
    header.sequence = sequence;
    base::RandomBytes(&header.generation, sizeof(header.generation));
    header.bytes = segment_bytes_;
    header.prepared_ms = clock_->Now();
    TRY(file->WriteAt(0, format::EncodeSegmentHeader(header)));
    TRY(file->SyncData());
    TRY(files_->Rename(path, SegmentPath(sequence)));
    TRY(files_->SyncDirectory(directory_));
    return Spare{sequence, header.generation, static_cast<uint32_t>(segment_bytes_),
                 std::move(file)};
}

base::Result<Spare> SegmentFiles::Prepare(uint64_t sequence, const Segment* recycled) {
    const std::string path = Path("prepare.tmp");
    bool reuse = false;
    if (recycled != nullptr) {
        TRY(IgnoreMissing(files_->Remove(IndexPath(recycled->sequence))));
        if (recycled->file != nullptr && recycled->bytes == segment_bytes_) {
            // Its old name has to be gone for good before its contents go.
            TRY(files_->Rename(SegmentPath(recycled->sequence), path));
            TRY(files_->SyncDirectory(directory_));
            reuse = true;
        } else {
            TRY(IgnoreMissing(files_->Remove(SegmentPath(recycled->sequence))));
        }
    }
    auto spare = PrepareAt(path, sequence, reuse);
    if (!spare && spare.error().code == base::ErrorCode::kDiskFull) {
        TRY(IgnoreMissing(files_->Remove(path)));
    }
    return spare;
}

base::Status SegmentFiles::Remove(uint64_t sequence) {
    TRY(IgnoreMissing(files_->Remove(IndexPath(sequence))));
    return IgnoreMissing(files_->Remove(SegmentPath(sequence)));
}

base::Status SegmentFiles::WriteIndex(const Segment& segment, uint32_t end,
                                      const format::SegmentIndex& index) {
    const std::string path = Path("index.tmp");
    base::Status status;
    {
        TRY_ASSIGN(std::unique_ptr<File> file, files_->Open(path, OpenMode::kCreate));
        status = file->WriteAt(
            0, format::EncodeIndex(segment.sequence, segment.generation, end, index));
        if (status) status = file->SyncData();
    }
    if (!status) {
        if (status.error().code == base::ErrorCode::kDiskFull) {
            TRY(IgnoreMissing(files_->Remove(path)));
        }
        return status;
    }
    return files_->Rename(path, IndexPath(segment.sequence));
}

base::Result<format::SegmentIndex> SegmentFiles::LoadIndex(const Segment& segment,
                                                           const format::Bases& next) const {
    const auto bytes = ReadWholeFile(*files_, IndexPath(segment.sequence), UINT32_MAX);
    if (bytes) {
        const auto summary = format::DecodeSummary(*bytes, streams_);
        if (summary && summary->sequence == segment.sequence &&
            summary->generation == segment.generation) {
            auto index = format::DecodeIndex(*bytes, streams_);
            if (index) return index;
        }
    }
    TRY_ASSIGN(const std::string image, ReadSegment(segment, ReadExtent::kWhole));
    const SegmentScan scan = ScanSegment(image, segment.generation, streams_);
    TRY_ASSIGN(IndexedScan indexed, IndexScan(scan, segment.bases, &next, segment.bytes));
    return Flatten(segment.bases, indexed.positions);
}

base::Result<std::string> ReadSegment(const Segment& segment, ReadExtent extent) {
    if (segment.file == nullptr) {
        return base::Fail(base::ErrorCode::kCorrupt, segment.path + " is missing");
    }
    std::string image;
    size_t zeros = 0;  // At the end of what was read.
    while (image.size() < segment.bytes) {
        const size_t at = image.size();
        const size_t size = std::min<size_t>(kPieceBytes, segment.bytes - at);
        image.resize(at + size);
        TRY_ASSIGN(const size_t n, segment.file->ReadAt(at, image.data() + at, size));
        std::fill(image.begin() + static_cast<std::ptrdiff_t>(at + n), image.end(), '\0');
        const bool zero = std::string_view(image).substr(at).find_first_not_of('\0') ==
                          std::string_view::npos;
        zeros = zero ? zeros + size : 0;
        if (extent == ReadExtent::kToZeros && zeros >= kZerosEndBytes) break;
    }
    return image;
}

}  // namespace event_log
