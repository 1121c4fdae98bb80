// The bytes of the log's files, in the words of docs/formats/log.md: meta, segment header, frame,
// opening and seal, index. Encoding and checking only; no files, no state.
//
// Little-endian throughout; the layouts are those of x86-64, which format.cc asserts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "model/record.h"

namespace event_log::format {

inline constexpr uint8_t kVersion = 1;

// --- frames ----------------------------------------------------------------------------------

struct FrameHeader {
    uint32_t length;        // Header and payload, without the padding to 8 bytes.
    uint8_t version;
    uint8_t kind;           // model::RecordKind, or InnerKind in stream kInnerStream.
    uint16_t stream;
    uint32_t workspace;
    uint32_t flags;         // 0.
    uint64_t offset;
    int64_t time_ms;
    uint64_t person_hi;
    uint64_t person_lo;
    uint64_t fingerprint;
    uint64_t name_hash;
    uint32_t commit_begin;  // Position where the commit began that wrote this frame: everything
                            // before it was durable by then.
    uint32_t serial;        // Records in this segment before this frame.
    uint32_t payload_crc;   // Of payload and padding.
    uint32_t header_crc;    // Of the 76 bytes before.
};
inline constexpr size_t kFrameHeaderBytes = 80;
static_assert(sizeof(FrameHeader) == kFrameHeaderBytes);

// Frames of the log itself, in no stream of the contract.
inline constexpr uint16_t kInnerStream = 0xffff;
enum InnerKind : uint8_t {
    kOpening = 1,  // First frame of a segment: where each stream stood.
    kSeal = 2,     // Nothing; its commit_begin says that everything before it is durable.
};

inline constexpr size_t Padded(size_t bytes) { return (bytes + 7) & ~size_t{7}; }
inline constexpr size_t FrameBytes(size_t payload_bytes) {
    return Padded(kFrameHeaderBytes + payload_bytes);
}

// Both checksums of a frame begin with this, so that bytes of another generation or another place
// never pass.
inline uint32_t Seed(uint64_t generation, uint64_t position) {
    return static_cast<uint32_t>(base::Mix64(generation + position));
}

// Writes the frame at `out` (FrameBytes long), filling in length, version, flags and checksums.
void WriteFrame(char* out, FrameHeader header, std::string_view payload, uint64_t generation,
                uint64_t position);

enum class FrameState {
    kGood,
    kNoHeader,    // No header of this generation at this place; its fields mean nothing.
    kBadPayload,  // The header is sound, the payload is not (or does not fit into `available`).
};

inline FrameHeader ReadHeader(const char* at) {
    FrameHeader header;
    std::memcpy(&header, at, sizeof(header));
    return header;
}

// True when the 80 bytes at `at` are a header of this generation and position, which ends within
// `left` bytes from its beginning.
bool HeaderIsSound(const char* at, uint64_t left, uint64_t generation, uint64_t position);
FrameState CheckFrame(const char* at, uint64_t available, uint64_t generation, uint64_t position);

inline std::string_view PayloadOf(const char* at, const FrameHeader& header) {
    return {at + kFrameHeaderBytes, header.length - kFrameHeaderBytes};
}

// --- where the streams stand -----------------------------------------------------------------

struct StreamBase {
    uint64_t next_offset = 1;  // Of the next record.
    int64_t last_time_ms = 0;  // Of the last record; 0: none yet.
};
using Bases = std::vector<StreamBase>;  // One for each stream.

std::string EncodeBases(const Bases& bases);  // The opening's payload.
bool DecodeBases(std::string_view payload, size_t streams, Bases& out);

// --- segment header --------------------------------------------------------------------------

inline constexpr size_t kSegmentHeaderBytes = 4096;  // Frames begin here.
inline constexpr size_t kBlockBytes = 64;            // Of meta and of each copy of the header.
inline constexpr size_t kHeaderCopyAt = 2048;        // The second copy.

struct SegmentHeader {
    uint32_t streams = 0;
    uint64_t sequence = 0;
    uint64_t generation = 0;
    uint64_t bytes = 0;          // Of the file.
    int64_t prepared_ms = 0;
};
std::string EncodeSegmentHeader(const SegmentHeader& header);  // kSegmentHeaderBytes long.
// Errors: kCorrupt  neither copy is sound    kConflict  another version
base::Result<SegmentHeader> DecodeSegmentHeader(std::string_view bytes);

// Where the first record of a segment can lie: behind header and opening.
inline constexpr uint64_t FirstRecordAt(size_t streams) {
    return kSegmentHeaderBytes + FrameBytes(streams * 16);
}

// --- meta ------------------------------------------------------------------------------------

struct Meta {
    uint32_t partitions = 0;
    int64_t created_ms = 0;
    uint64_t log_id = 0;  // Random.
};
std::string EncodeMeta(const Meta& meta);  // kBlockBytes long.
// Errors: as DecodeSegmentHeader.
base::Result<Meta> DecodeMeta(std::string_view bytes);

// --- index of a closed segment ---------------------------------------------------------------

// Where each record of a segment lies. Record `offset` of stream s is at
// positions[first[s] + (offset - bases[s].next_offset)]; a damaged record whose place is unknown
// has the place where the damage begins, or 0.
struct SegmentIndex {
    Bases bases;                      // At the segment's beginning.
    std::vector<uint32_t> first;      // streams + 1 entries into positions.
    std::vector<uint32_t> positions;
};

struct IndexSummary {
    uint64_t sequence = 0;
    uint64_t generation = 0;
    uint32_t end = 0;                 // Position behind the last frame.
    uint32_t records = 0;
    Bases bases;
    std::vector<uint32_t> counts;     // Records of each stream.
};

std::string EncodeIndex(uint64_t sequence, uint64_t generation, uint32_t end,
                        const SegmentIndex& index);
// Bytes of the summary at the beginning of an index file.
inline constexpr size_t SummaryBytes(size_t streams) { return kBlockBytes + streams * 24 + 8; }
// Errors: kCorrupt, kConflict (another version). `bytes` may be the whole file or its beginning.
base::Result<IndexSummary> DecodeSummary(std::string_view bytes, size_t streams);
// Errors: kCorrupt, kConflict.
base::Result<SegmentIndex> DecodeIndex(std::string_view bytes, size_t streams);

}  // namespace event_log::format
