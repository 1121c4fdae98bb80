#include "event_log/embedded/segment_scan.h"

#include <algorithm>

namespace event_log {

namespace {

bool IsSound(std::string_view segment, uint64_t generation, size_t streams, uint64_t at) {
    if (!format::HeaderIsSound(segment.data() + at, segment.size() - at, generation, at)) {
        return false;
    }
    const format::FrameHeader header = format::ReadHeader(segment.data() + at);
    return header.stream < streams || header.stream == format::kInnerStream;
}

uint64_t NonzeroEnd(std::string_view segment) {
    uint64_t end = segment.size();
    uint64_t word = 0;
    while (end >= 8) {
        std::memcpy(&word, segment.data() + end - 8, 8);
        if (word != 0) break;
        end -= 8;
    }
    while (end > 0 && segment[end - 1] == '\0') --end;
    return end;
}

}  // namespace

uint64_t NextHeader(std::string_view segment, uint64_t generation, size_t streams, uint64_t from) {
    for (uint64_t at = from; at + format::kFrameHeaderBytes <= segment.size(); at += 8) {
        uint64_t word = 0;
        std::memcpy(&word, segment.data() + at, 8);
        if (word != 0 && IsSound(segment, generation, streams, at)) return at;
    }
    return segment.size();
}

SegmentScan ScanSegment(std::string_view segment, uint64_t generation, size_t streams) {
    SegmentScan scan;
    const uint64_t nonzero_end = NonzeroEnd(segment);
    scan.nonzero_end = static_cast<uint32_t>(nonzero_end);
    uint64_t at = format::kSegmentHeaderBytes;
    while (at < nonzero_end) {
        const uint64_t next = NextHeader(segment, generation, streams, at);
        if (next != at) {
            scan.gaps.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(next)});
            at = next;
            continue;
        }
        const char* frame = segment.data() + at;
        const format::FrameHeader header = format::ReadHeader(frame);
        const auto bytes = static_cast<uint32_t>(format::Padded(header.length));
        const bool sound = format::CheckFrame(frame, segment.size() - at, generation, at) ==
                           format::FrameState::kGood;
        scan.frames.push_back({static_cast<uint32_t>(at), bytes, header.commit_begin,
                               header.serial, header.offset, header.time_ms, header.stream,
                               header.kind, sound});
        at += bytes;
    }
    return scan;
}

}  // namespace event_log
