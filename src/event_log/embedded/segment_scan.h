// Reads the bytes of one segment from its first frame to its end, over damage: finds every sound
// header of the segment's generation, and the gaps between them. What the findings mean (torn
// tail or rot) is decided by recovery, by the rule in docs/formats/log.md.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "event_log/embedded/format.h"

namespace event_log {

struct FoundFrame {
    uint32_t position;
    uint32_t bytes;         // With padding.
    uint32_t commit_begin;
    uint32_t serial;
    uint64_t offset;
    int64_t time_ms;
    uint16_t stream;        // format::kInnerStream for the log's own.
    uint8_t kind;
    bool payload_sound;
};

struct Gap {
    uint32_t begin;
    uint32_t end;           // Where the next sound header is, or the segment's end.
};

struct SegmentScan {
    std::vector<FoundFrame> frames;
    std::vector<Gap> gaps;       // Not sound; in order. Zeros up to the end are not a gap.
    uint32_t nonzero_end = 0;    // Behind the last byte that is not zero.
};

// `segment` is the whole file. A frame of a stream beyond `streams` is not sound.
SegmentScan ScanSegment(std::string_view segment, uint64_t generation, size_t streams);

// The position of the first sound header at or behind `from`, or the segment's size.
uint64_t NextHeader(std::string_view segment, uint64_t generation, size_t streams, uint64_t from);

}  // namespace event_log
