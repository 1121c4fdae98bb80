#include "event_log/embedded/recovery.h"

#include <algorithm>
#include <map>
#include <optional>

namespace event_log {

namespace {

constexpr size_t kReportLinesMax = 1000;  // Of damage; the counts go on.
constexpr uint64_t kZeroPieceBytes = 1024 * 1024;

void Say(RecoveryReport& report, std::string line) {
    if (report.lines.size() < kReportLinesMax) report.lines.push_back(std::move(line));
}

bool IsCode(const base::Error& error, base::ErrorCode code) { return error.code == code; }

// A segment file as found, before it is known what it is.
struct Candidate {
    std::shared_ptr<Segment> segment;
    bool header_sound = false;
    std::optional<format::IndexSummary> summary;  // Of a sound index file.
    std::optional<format::Bases> bases;           // From index or opening.
    SegmentScan scan;                             // Without a summary, and of the active one.
    bool scanned = false;
};

class Recovery {
  public:
    Recovery(SegmentFiles& store, RecoveryReport report) : store_(store) {
        out_.report = std::move(report);
    }

    base::Result<RecoveredLog> Run() {
        TRY(Find());
        TRY(SortOutEnd());
        TRY(ListSegments());
        TRY(FinishActive());
        out_.report.segments = out_.segments.size();
        return std::move(out_);
    }

  private:
    base::Status Find();
    base::Status Examine(uint64_t sequence, bool has_index);
    base::Status Scan(Candidate& candidate, ReadExtent extent);
    base::Status SortOutEnd();
    base::Status TakeSpares();
    base::Status DropTorn(Candidate& candidate);
    base::Status ListSegments();
    base::Result<format::Bases> EndOf(Candidate& candidate, const format::Bases* next);
    format::Bases GuessBases(uint64_t sequence);
    void AddMissing(uint64_t from, uint64_t to, const format::Bases& bases);
    base::Status FinishActive();
    void SayDamage(const Segment& segment, const IndexedScan& indexed);
    const format::Bases* BasesAfter(uint64_t sequence) const;

    SegmentFiles& store_;
    RecoveredLog out_;
    std::map<uint64_t, Candidate> found_;
    uint64_t active_ = 0;  // Sequence.
};

base::Status Recovery::Find() {
    TRY_ASSIGN(const std::vector<std::string> names, store_.files().List(store_.directory()));
    std::map<uint64_t, std::pair<bool, bool>> parts;  // Segment file, index file.
    for (const std::string& name : names) {
        if (name.ends_with(".tmp")) TRY(store_.files().Remove(store_.Path(name)));
        if (const auto s = SegmentFiles::SequenceOf(name, ".segment")) parts[*s].first = true;
        if (const auto s = SegmentFiles::SequenceOf(name, ".index")) parts[*s].second = true;
    }
    for (const auto& [sequence, has] : parts) {
        if (has.first) {
            TRY(Examine(sequence, has.second));
        } else {
            TRY(store_.files().Remove(store_.IndexPath(sequence)));
        }
    }
    return {};
}

base::Status Recovery::Examine(uint64_t sequence, bool has_index) {
    Candidate candidate;
    candidate.segment = std::make_shared<Segment>();
    Segment& segment = *candidate.segment;
    segment.sequence = sequence;
    segment.path = store_.SegmentPath(sequence);
    TRY_ASSIGN(segment.file, store_.files().Open(segment.path, OpenMode::kReadWrite));
    TRY_ASSIGN(const uint64_t size, segment.file->Size());
    segment.bytes = static_cast<uint32_t>(std::min<uint64_t>(size, UINT32_MAX - 7) & ~uint64_t{7});
    std::string head(format::kSegmentHeaderBytes, '\0');
    TRY_ASSIGN(const size_t n, segment.file->ReadAt(0, head.data(), head.size()));
    head.resize(n);
    const auto header = format::DecodeSegmentHeader(head);
    if (!header && IsCode(header.error(), base::ErrorCode::kConflict)) {
        return tl::make_unexpected(header.error());
    }
    candidate.header_sound = header && header->sequence == sequence &&
                             header->streams == store_.streams();
    if (candidate.header_sound) {
        segment.generation = header->generation;
        // A file that was cut short keeps its size; what is missing reads as zeros.
        if (header->bytes % 8 == 0) segment.bytes = static_cast<uint32_t>(header->bytes);
    }
    if (has_index) {
        TRY_ASSIGN(const std::string bytes,
                   ReadWholeFile(store_.files(), store_.IndexPath(sequence), UINT32_MAX));
        auto summary = format::DecodeSummary(bytes, store_.streams());
        if (!summary && IsCode(summary.error(), base::ErrorCode::kConflict)) {
            return tl::make_unexpected(summary.error());
        }
        const bool fits = summary && summary->sequence == sequence;
        if (fits && !candidate.header_sound) {
            segment.generation = summary->generation;
            Say(out_.report, segment.path + ": the header is damaged; the index has a copy");
        }
        if (fits && segment.generation == summary->generation) {
            candidate.bases = summary->bases;
            candidate.summary = std::move(*summary);
        } else {
            Say(out_.report, store_.IndexPath(sequence) + ": damaged, built again");
        }
    }
    if (!candidate.summary) TRY(Scan(candidate, ReadExtent::kToZeros));
    found_[sequence] = std::move(candidate);
    return {};
}

base::Status Recovery::Scan(Candidate& candidate, ReadExtent extent) {
    TRY_ASSIGN(const std::string image, ReadSegment(*candidate.segment, extent));
    candidate.scan = ScanSegment(image, candidate.segment->generation, store_.streams());
    candidate.scanned = true;
    const std::vector<FoundFrame>& frames = candidate.scan.frames;
    out_.report.records += frames.size();
    if (frames.empty() || frames.front().position != format::kSegmentHeaderBytes ||
        !frames.front().payload_sound || frames.front().kind != format::kOpening ||
        frames.front().stream != format::kInnerStream) {
        return {};
    }
    const char* at = image.data() + frames.front().position;
    format::Bases bases;
    if (format::DecodeBases(format::PayloadOf(at, format::ReadHeader(at)), store_.streams(),
                            bases)) {
        candidate.bases = std::move(bases);
    }
    return {};
}

// Cuts what the torn rule says; a segment of which nothing is left was never begun.
base::Status Recovery::DropTorn(Candidate& candidate) {
    SegmentScan& scan = candidate.scan;
    const auto torn = TornFrom(scan);
    if (!torn) return {};
    const uint32_t bytes = scan.nonzero_end > *torn ? scan.nonzero_end - *torn : 0;
    size_t whole = 0;
    for (const FoundFrame& frame : scan.frames) {
        if (frame.position >= *torn && frame.payload_sound) ++whole;
    }
    out_.report.torn_bytes += bytes;
    Say(out_.report, candidate.segment->path + ": torn tail of " + std::to_string(bytes) +
                         " bytes cut at position " + std::to_string(*torn) + " (" +
                         std::to_string(whole) +
                         " whole frames in it, of a commit that was not acknowledged)");
    std::erase_if(scan.frames, [&](const FoundFrame& f) { return f.position >= *torn; });
    std::erase_if(scan.gaps, [&](const Gap& gap) { return gap.begin >= *torn; });
    return {};
}

// Finds the active segment from behind: the last that was begun.
base::Status Recovery::SortOutEnd() {
    for (auto at = found_.rbegin(); at != found_.rend(); ++at) {
        Candidate& candidate = at->second;
        if (!candidate.scanned) TRY(Scan(candidate, ReadExtent::kToZeros));
        TRY(DropTorn(candidate));
        if (!candidate.scan.frames.empty()) {
            active_ = at->first;
            break;
        }
        if (!candidate.header_sound && candidate.scan.nonzero_end > format::kSegmentHeaderBytes) {
            return base::Fail(base::ErrorCode::kCorrupt,
                              candidate.segment->path +
                                  ": the header is damaged and the last records may be in this "
                                  "file; move it away to go on without them");
        }
    }
    if (active_ == 0) {
        return base::Fail(base::ErrorCode::kCorrupt,
                          store_.directory() + ": there is a meta file and no readable segment");
    }
    return TakeSpares();
}

base::Status Recovery::TakeSpares() {
    uint64_t expected = active_ + 1;
    bool removed = false;
    for (auto at = found_.upper_bound(active_); at != found_.end(); at = found_.erase(at)) {
        const Candidate& candidate = at->second;
        const Segment& segment = *candidate.segment;
        TRY_ASSIGN(const uint64_t size, segment.file->Size());
        const bool clean = candidate.header_sound && at->first == expected &&
                           segment.bytes == store_.segment_bytes() && segment.bytes == size &&
                           candidate.scan.nonzero_end <= format::kSegmentHeaderBytes;
        if (clean) {
            out_.spares.push_back(
                {at->first, segment.generation, segment.bytes, segment.file});
            ++expected;
        } else {
            TRY(store_.Remove(at->first));
            removed = true;
        }
    }
    if (removed) TRY(store_.files().SyncDirectory(store_.directory()));
    return {};
}

const format::Bases* Recovery::BasesAfter(uint64_t sequence) const {
    for (auto at = found_.upper_bound(sequence); at != found_.end(); ++at) {
        if (at->second.bases) return &*at->second.bases;
    }
    return nullptr;
}

// For the oldest segment when opening and index are damaged: a stream stood at the first offset
// that is seen of it.
format::Bases Recovery::GuessBases(uint64_t sequence) {
    const Candidate& candidate = found_.at(sequence);
    const format::Bases* next = BasesAfter(sequence);
    format::Bases bases(store_.streams());
    if (next != nullptr) bases = *next;
    std::vector<bool> seen(store_.streams());
    for (const FoundFrame& frame : candidate.scan.frames) {
        if (frame.stream == format::kInnerStream || seen[frame.stream]) continue;
        seen[frame.stream] = true;
        bases[frame.stream] = {frame.offset, frame.time_ms};
    }
    Say(out_.report, candidate.segment->path +
                         ": the opening is damaged; streams begin where their first record is");
    return bases;
}

void Recovery::AddMissing(uint64_t from, uint64_t to, const format::Bases& bases) {
    for (uint64_t sequence = from; sequence < to; ++sequence) {
        auto segment = std::make_shared<Segment>();
        segment->sequence = sequence;
        segment->path = store_.SegmentPath(sequence);
        segment->bases = bases;
        Say(out_.report, segment->path + ": missing; its records cannot be read");
        out_.segments.push_back(std::move(segment));
    }
}

void Recovery::SayDamage(const Segment& segment, const IndexedScan& indexed) {
    out_.report.rotten_records += indexed.damage.size();
    for (const IndexedScan::Damage& d : indexed.damage) {
        Say(out_.report, segment.path + ": damaged at position " + std::to_string(d.position) +
                             ": stream " + std::to_string(d.stream) + " offset " +
                             std::to_string(d.offset));
    }
}

// Where the streams stand behind a closed segment, by what it holds itself. Builds its index when
// it has none.
base::Result<format::Bases> Recovery::EndOf(Candidate& candidate, const format::Bases* next) {
    Segment& segment = *candidate.segment;
    if (candidate.summary) {
        format::Bases end = segment.bases;
        for (size_t s = 0; s < end.size(); ++s) {
            end[s].next_offset += candidate.summary->counts[s];
        }
        return end;
    }
    // It is closed: damage may have put zeros anywhere.
    TRY(Scan(candidate, ReadExtent::kWhole));
    TRY_ASSIGN(const IndexedScan indexed,
               IndexScan(candidate.scan, segment.bases, next, segment.bytes));
    SayDamage(segment, indexed);
    const auto written = store_.WriteIndex(segment, indexed.end_position,
                                           Flatten(segment.bases, indexed.positions));
    // Without room for it the index is built again by whoever reads the segment.
    if (!written && !IsCode(written.error(), base::ErrorCode::kDiskFull)) {
        return tl::make_unexpected(written.error());
    }
    ++out_.report.indexes_rebuilt;
    candidate.scan = {};
    return indexed.end;
}

base::Status Recovery::ListSegments() {
    std::optional<format::Bases> end;  // Of the segment before.
    uint64_t expected = found_.begin()->first;
    for (auto& [sequence, candidate] : found_) {
        Segment& segment = *candidate.segment;
        if (sequence != expected) AddMissing(expected, sequence, *end);
        if (!candidate.header_sound && !candidate.summary) {
            Say(out_.report, segment.path + ": the header is damaged; no record can be read");
            segment.file = nullptr;
        }
        if (candidate.bases) {
            segment.bases = *candidate.bases;
        } else {
            segment.bases = end ? *end : GuessBases(sequence);
        }
        out_.segments.push_back(candidate.segment);
        if (sequence == active_) break;
        const format::Bases* next =
            found_.contains(sequence + 1) && found_.at(sequence + 1).bases
                ? &*found_.at(sequence + 1).bases
                : nullptr;
        if (segment.file == nullptr) {
            end = segment.bases;
        } else {
            TRY_ASSIGN(end, EndOf(candidate, next));
        }
        expected = sequence + 1;
    }
    return {};
}

base::Status Recovery::FinishActive() {
    Candidate& candidate = found_.at(active_);
    Segment& segment = *candidate.segment;
    TRY_ASSIGN(IndexedScan indexed,
               IndexScan(candidate.scan, segment.bases, nullptr, segment.bytes));
    SayDamage(segment, indexed);
    out_.active_positions = std::move(indexed.positions);
    out_.next = std::move(indexed.end);
    out_.active_end = indexed.end_position;
    out_.active_serial = indexed.serial;
    // The torn bytes have to go before anything is written: frames of theirs behind the new end
    // could fit exactly.
    std::string zeros;
    for (uint64_t at = out_.active_end; at < candidate.scan.nonzero_end; at += kZeroPieceBytes) {
        zeros.assign(std::min<uint64_t>(kZeroPieceBytes, candidate.scan.nonzero_end - at), '\0');
        TRY(segment.file->WriteAt(at, zeros));
    }
    // What a killed process had written may still be in memory only; from here on it counts.
    TRY(segment.file->SyncData());
    if (candidate.summary) {
        auto removed = store_.files().Remove(store_.IndexPath(active_));
        if (!removed && !IsCode(removed.error(), base::ErrorCode::kNotFound)) return removed;
    }
    return {};
}

}  // namespace

base::Result<int> FindPartitions(FileSystem& files, const std::string& directory,
                                 RecoveryReport& report) {
    const std::string meta_path = directory + "/meta";
    const auto bytes = ReadWholeFile(files, meta_path, 4096);
    base::Error why;
    if (bytes) {
        const auto meta = format::DecodeMeta(*bytes);
        if (meta) return static_cast<int>(meta->partitions);
        why = meta.error();
        if (!IsCode(why, base::ErrorCode::kCorrupt)) return tl::make_unexpected(why);
    } else {
        why = bytes.error();
        if (!IsCode(why, base::ErrorCode::kNotFound)) return tl::make_unexpected(why);
    }
    // Without a meta file there is a log only where a segment has records: the meta file is the
    // last that is made.
    TRY_ASSIGN(const std::vector<std::string> names, files.List(directory));
    for (const std::string& name : names) {
        if (!SegmentFiles::SequenceOf(name, ".segment")) continue;
        TRY_ASSIGN(const std::string image,
                   ReadWholeFile(files, directory + '/' + name, UINT32_MAX));
        const auto header = format::DecodeSegmentHeader(image);
        if (!header) {
            if (IsCode(header.error(), base::ErrorCode::kConflict)) {
                return tl::make_unexpected(header.error());
            }
            continue;
        }
        const SegmentScan scan = ScanSegment(image, header->generation, header->streams);
        const bool records =
            std::any_of(scan.frames.begin(), scan.frames.end(),
                        [](const FoundFrame& f) { return f.stream != format::kInnerStream; });
        if (!records && !bytes) continue;
        Say(report, meta_path + ": " + why.internal + "; made again from " + name);
        return static_cast<int>(header->streams - 2);
    }
    if (bytes) return tl::make_unexpected(why);
    return 0;
}

base::Status CreateLog(SegmentFiles& store, int partitions, base::TimeMs now) {
    FileSystem& files = store.files();
    TRY_ASSIGN(const std::vector<std::string> names, files.List(store.directory()));
    for (const std::string& name : names) {
        // Left by a creation that was cut short: there was never a record in them.
        const bool leftover = SegmentFiles::SequenceOf(name, ".segment").has_value() ||
                              name.ends_with(".tmp");
        if (leftover) TRY(files.Remove(store.Path(name)));
    }
    TRY_ASSIGN(const Spare first, store.Prepare(1, nullptr));
    const std::string payload = format::EncodeBases(format::Bases(store.streams()));
    std::string frame(format::FrameBytes(payload.size()), '\0');
    format::FrameHeader header{};
    header.kind = format::kOpening;
    header.stream = format::kInnerStream;
    header.offset = first.sequence;
    header.time_ms = now;
    header.commit_begin = format::kSegmentHeaderBytes;
    format::WriteFrame(frame.data(), header, payload, first.generation,
                       format::kSegmentHeaderBytes);
    TRY(first.file->WriteAt(format::kSegmentHeaderBytes, frame));
    TRY(first.file->SyncData());
    return WriteMeta(store, partitions, now);
}

base::Status WriteMeta(SegmentFiles& store, int partitions, base::TimeMs now) {
    format::Meta meta;
    meta.partitions = static_cast<uint32_t>(partitions);
    meta.created_ms = now;
    base::RandomBytes(&meta.log_id, sizeof(meta.log_id));
    const std::string path = store.Path("meta.tmp");
    TRY_ASSIGN(std::unique_ptr<File> file, store.files().Open(path, OpenMode::kCreate));
    TRY(file->WriteAt(0, format::EncodeMeta(meta)));
    TRY(file->SyncData());
    TRY(store.files().Rename(path, store.Path("meta")));
    return store.files().SyncDirectory(store.directory());
}

base::Result<RecoveredLog> RecoverLog(SegmentFiles& store, RecoveryReport report) {
    return Recovery(store, std::move(report)).Run();
}

}  // namespace event_log
