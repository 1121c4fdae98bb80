// The log's files as an attacker or a dying disk may leave them: headers, frames, indexes. The
// first byte chooses; frames are also tried with their checksums made right, so that the code
// behind the checksums is reached.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "event_log/embedded/format.h"
#include "event_log/embedded/segment_index.h"
#include "event_log/embedded/segment_scan.h"

namespace {

constexpr size_t kStreams = 4;
constexpr uint64_t kGeneration = 0x5eed;

using event_log::format::FrameHeader;
using event_log::format::kFrameHeaderBytes;
using event_log::format::Padded;

// Walks the frames by their lengths and makes each checksum right.
void MakeSound(std::string& segment) {
    size_t at = event_log::format::kSegmentHeaderBytes;
    while (at + kFrameHeaderBytes <= segment.size()) {
        FrameHeader header = event_log::format::ReadHeader(segment.data() + at);
        header.version = event_log::format::kVersion;
        header.flags = 0;
        header.length = kFrameHeaderBytes + header.length % 64;
        const size_t bytes = Padded(header.length);
        if (bytes > segment.size() - at) return;
        const uint32_t seed = event_log::format::Seed(kGeneration, at);
        header.payload_crc = base::Crc32c(seed, segment.data() + at + kFrameHeaderBytes,
                                          bytes - kFrameHeaderBytes);
        header.header_crc = base::Crc32c(seed, &header, kFrameHeaderBytes - 4);
        std::memcpy(segment.data() + at, &header, kFrameHeaderBytes);
        at += bytes;
    }
}

void Scan(const std::string& segment) {
    event_log::SegmentScan scan = event_log::ScanSegment(segment, kGeneration, kStreams);
    uint32_t behind = event_log::format::kSegmentHeaderBytes;
    for (const event_log::FoundFrame& frame : scan.frames) {
        CHECK(frame.position >= behind);
        behind = frame.position + frame.bytes;
        CHECK(behind <= segment.size());
    }
    const auto torn = event_log::TornFrom(scan);
    if (torn) CHECK(*torn < segment.size());
    const event_log::format::Bases bases(kStreams);
    const auto indexed = event_log::IndexScan(scan, bases, nullptr, segment.size());
    if (!indexed) return;
    for (size_t s = 0; s < kStreams; ++s) {
        CHECK(indexed->positions[s].size() + 1 == indexed->end[s].next_offset);
    }
    const auto flat = event_log::Flatten(bases, indexed->positions);
    const std::string file = event_log::format::EncodeIndex(1, kGeneration, 0, flat);
    const auto read = event_log::format::DecodeIndex(file, kStreams);
    CHECK(read && read->positions == flat.positions && read->first == flat.first);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0] % 4) {
        case 0:
            static_cast<void>(event_log::format::DecodeSegmentHeader(input));
            static_cast<void>(event_log::format::DecodeMeta(input));
            break;
        case 1: {
            const auto index = event_log::format::DecodeIndex(input, kStreams);
            if (index) CHECK(index->first.back() == index->positions.size());
            break;
        }
        default: {
            std::string segment(event_log::format::kSegmentHeaderBytes, '\0');
            segment.append(input.substr(0, 64 * 1024));
            segment.resize(segment.size() / 8 * 8);
            if (data[0] % 4 == 2) MakeSound(segment);
            Scan(segment);
        }
    }
    return 0;
}
