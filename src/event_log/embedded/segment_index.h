// From what a scan found to where each record lies: fills in the offsets that damage swallowed,
// so that they read as damaged and what is behind them stays readable.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "event_log/embedded/format.h"
#include "event_log/embedded/segment_scan.h"

namespace event_log {

// Positions of the records of each stream, from its base on, without holes.
using StreamPositions = std::vector<std::vector<uint32_t>>;

struct IndexedScan {
    StreamPositions positions;
    format::Bases end;             // Where the streams stand behind the segment.
    uint32_t end_position = 0;     // Behind the last frame.
    uint32_t serial = 0;           // Records that were written, the lost ones among them.
    struct Damage {
        uint32_t position;
        uint16_t stream;
        uint64_t offset;
    };
    std::vector<Damage> damage;    // Records that cannot be read.
};

// `next`: where the streams stood when the next segment began; null for the active segment. There,
// losses that belong to no known stream (the serial tells their number) make every stream jump by
// that many damaged offsets: an offset is never given twice.
// Errors: kCorrupt  the offsets contradict each other or `bases`: not damage, but a foreign file.
base::Result<IndexedScan> IndexScan(const SegmentScan& scan, const format::Bases& bases,
                                    const format::Bases* next, uint64_t segment_bytes);

// The rule that tells the torn tail from rot (docs/formats/log.md): where the log ends in its last
// segment. Everything from there on is of the last commit, which was never acknowledged as a
// whole; damage before it was durable once and is rot. nullopt: nothing is torn.
std::optional<uint32_t> TornFrom(const SegmentScan& scan);

format::SegmentIndex Flatten(const format::Bases& bases, const StreamPositions& positions);

}  // namespace event_log
