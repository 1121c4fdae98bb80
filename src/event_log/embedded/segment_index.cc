#include "event_log/embedded/segment_index.h"

#include <algorithm>

namespace event_log {

namespace {

class Indexer {
  public:
    Indexer(const SegmentScan& scan, const format::Bases& bases, uint64_t segment_bytes)
        : scan_(scan), missing_max_(segment_bytes / format::kFrameHeaderBytes) {
        out_.end = bases;
        out_.positions.resize(bases.size());
        out_.end_position = format::kSegmentHeaderBytes;
    }

    base::Result<IndexedScan> Run(const format::Bases* next) {
        size_t gap = 0;
        for (const FoundFrame& frame : scan_.frames) {
            while (gap < scan_.gaps.size() && scan_.gaps[gap].begin < frame.position) {
                last_gap_ = scan_.gaps[gap++].begin;
            }
            out_.end_position = frame.position + frame.bytes;
            out_.serial = std::max(out_.serial, frame.serial);
            if (frame.stream == format::kInnerStream) continue;
            out_.serial = std::max(out_.serial, frame.serial + 1);
            TRY(Add(frame));
        }
        if (!scan_.gaps.empty()) last_gap_ = scan_.gaps.back().begin;
        if (next != nullptr) {
            for (uint16_t s = 0; s < out_.end.size(); ++s) {
                TRY(FillTo(s, (*next)[s].next_offset));
                out_.end[s].last_time_ms =
                    std::max(out_.end[s].last_time_ms, (*next)[s].last_time_ms);
            }
        } else {
            TRY(FillUnknown());
        }
        return std::move(out_);
    }

  private:
    base::Status Add(const FoundFrame& frame) {
        format::StreamBase& at = out_.end[frame.stream];
        TRY(FillTo(frame.stream, frame.offset));
        if (!frame.payload_sound) {
            out_.damage.push_back({frame.position, frame.stream, frame.offset});
        }
        out_.positions[frame.stream].push_back(frame.position);
        at.next_offset = frame.offset + 1;
        at.last_time_ms = std::max(at.last_time_ms, frame.time_ms);
        ++records_;
        return {};
    }

    // The offsets before `offset` that no frame has were in the gap.
    base::Status FillTo(uint16_t stream, uint64_t offset) {
        uint64_t& expected = out_.end[stream].next_offset;
        if (offset < expected || offset - expected > missing_max_ - missing_) {
            return base::Fail(base::ErrorCode::kCorrupt,
                              "stream " + std::to_string(stream) + " goes from offset " +
                                  std::to_string(expected) + " to " + std::to_string(offset));
        }
        while (expected < offset) {
            out_.damage.push_back({last_gap_, stream, expected});
            out_.positions[stream].push_back(last_gap_);
            ++expected;
            ++missing_;
        }
        return {};
    }

    base::Status FillUnknown() {
        if (out_.serial <= records_ + missing_) return {};
        const uint64_t unknown = out_.serial - records_ - missing_;
        for (uint16_t s = 0; s < out_.end.size(); ++s) {
            // Each stream may have lost all of them.
            missing_ = 0;
            TRY(FillTo(s, out_.end[s].next_offset + unknown));
        }
        return {};
    }

    const SegmentScan& scan_;
    uint64_t missing_max_;
    uint64_t missing_ = 0;
    uint64_t records_ = 0;
    uint32_t last_gap_ = 0;
    IndexedScan out_;
};

}  // namespace

base::Result<IndexedScan> IndexScan(const SegmentScan& scan, const format::Bases& bases,
                                    const format::Bases* next, uint64_t segment_bytes) {
    return Indexer(scan, bases, segment_bytes).Run(next);
}

std::optional<uint32_t> TornFrom(const SegmentScan& scan) {
    uint32_t durable = format::kSegmentHeaderBytes;
    for (const FoundFrame& frame : scan.frames) durable = std::max(durable, frame.commit_begin);
    std::optional<uint32_t> torn;
    const auto consider = [&](uint32_t position) {
        if (position >= durable && (!torn || position < *torn)) torn = position;
    };
    for (const Gap& gap : scan.gaps) consider(gap.begin);
    for (const FoundFrame& frame : scan.frames) {
        if (!frame.payload_sound) consider(frame.position);
    }
    return torn;
}

format::SegmentIndex Flatten(const format::Bases& bases, const StreamPositions& positions) {
    format::SegmentIndex index;
    index.bases = bases;
    index.first.push_back(0);
    for (const std::vector<uint32_t>& of_stream : positions) {
        index.positions.insert(index.positions.end(), of_stream.begin(), of_stream.end());
        index.first.push_back(static_cast<uint32_t>(index.positions.size()));
    }
    return index;
}

}  // namespace event_log
