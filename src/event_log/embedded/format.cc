#include "event_log/embedded/format.h"

#include <bit>

#include "base/bytes.h"
#include "base/limits.h"

namespace event_log::format {

static_assert(std::endian::native == std::endian::little);

namespace {

constexpr std::string_view kMetaMagic = "RIPENLOG";
constexpr std::string_view kSegmentMagic = "RIPENSEG";
constexpr std::string_view kIndexMagic = "RIPENIDX";
constexpr size_t kCrcAt = kBlockBytes - 4;

// A block of 64 bytes: magic, version, 3 zero bytes, fields, checksum in the last 4. These places
// hold in every version, so that another version can be told from damage.
std::string BeginBlock(std::string_view magic) {
    std::string block(magic);
    block.push_back(static_cast<char>(kVersion));
    block.append(3, '\0');
    return block;
}

void EndBlock(std::string& block) {
    block.resize(kCrcAt, '\0');
    const uint32_t crc = base::Crc32c(0, block.data(), kCrcAt);
    base::ByteWriter(block).U32(crc);
}

bool BlockIsSound(std::string_view bytes, std::string_view magic) {
    if (bytes.size() < kBlockBytes || bytes.substr(0, magic.size()) != magic) return false;
    uint32_t crc = 0;
    std::memcpy(&crc, bytes.data() + kCrcAt, 4);
    return crc == base::Crc32c(0, bytes.data(), kCrcAt);
}

base::Status CheckVersion(std::string_view block, std::string_view what) {
    const auto version = static_cast<uint8_t>(block[8]);
    if (version == kVersion) return {};
    std::string text = "the log's ";
    text += what;
    text += " has format version " + std::to_string(version) + ", this program reads version " +
            std::to_string(kVersion);
    return base::Fail(base::ErrorCode::kConflict, text);
}

base::ByteReader FieldsOf(std::string_view block) {
    return base::ByteReader(block.substr(12, kCrcAt - 12));
}

}  // namespace

void WriteFrame(char* out, FrameHeader header, std::string_view payload, uint64_t generation,
                uint64_t position) {
    const size_t length = kFrameHeaderBytes + payload.size();
    const size_t padded = Padded(length);
    header.length = static_cast<uint32_t>(length);
    header.version = kVersion;
    header.flags = 0;
    char* body = out + kFrameHeaderBytes;
    if (padded != length) std::memset(out + padded - 8, 0, 8);
    if (!payload.empty()) std::memcpy(body, payload.data(), payload.size());
    const uint32_t seed = Seed(generation, position);
    header.payload_crc = base::Crc32c(seed, body, padded - kFrameHeaderBytes);
    header.header_crc = base::Crc32c(seed, &header, kFrameHeaderBytes - 4);
    std::memcpy(out, &header, kFrameHeaderBytes);
}

bool HeaderIsSound(const char* at, uint64_t left, uint64_t generation, uint64_t position) {
    if (left < kFrameHeaderBytes) return false;
    const FrameHeader header = ReadHeader(at);
    if (header.version != kVersion || header.flags != 0) return false;
    if (header.length < kFrameHeaderBytes || Padded(header.length) > left) return false;
    return header.header_crc ==
           base::Crc32c(Seed(generation, position), at, kFrameHeaderBytes - 4);
}

FrameState CheckFrame(const char* at, uint64_t available, uint64_t generation, uint64_t position) {
    if (!HeaderIsSound(at, available, generation, position)) return FrameState::kNoHeader;
    const FrameHeader header = ReadHeader(at);
    const uint32_t crc = base::Crc32c(Seed(generation, position), at + kFrameHeaderBytes,
                                      Padded(header.length) - kFrameHeaderBytes);
    return crc == header.payload_crc ? FrameState::kGood : FrameState::kBadPayload;
}

std::string EncodeBases(const Bases& bases) {
    std::string out;
    out.reserve(bases.size() * 16);
    base::ByteWriter writer(out);
    for (const StreamBase& base : bases) {
        writer.U64(base.next_offset);
        writer.I64(base.last_time_ms);
    }
    return out;
}

bool DecodeBases(std::string_view payload, size_t streams, Bases& out) {
    if (payload.size() != streams * 16) return false;
    base::ByteReader reader(payload);
    out.resize(streams);
    for (StreamBase& base : out) {
        base.next_offset = reader.U64();
        base.last_time_ms = reader.I64();
        if (base.next_offset == 0) return false;
    }
    return reader.ok();
}

std::string EncodeSegmentHeader(const SegmentHeader& header) {
    std::string block = BeginBlock(kSegmentMagic);
    base::ByteWriter writer(block);
    writer.U32(header.streams);
    writer.U64(header.sequence);
    writer.U64(header.generation);
    writer.U64(header.bytes);
    writer.I64(header.prepared_ms);
    EndBlock(block);
    std::string out = block;
    out.resize(kHeaderCopyAt, '\0');
    out += block;
    out.resize(kSegmentHeaderBytes, '\0');
    return out;
}

base::Result<SegmentHeader> DecodeSegmentHeader(std::string_view bytes) {
    for (const size_t at : {size_t{0}, kHeaderCopyAt}) {
        if (bytes.size() < at + kBlockBytes) continue;
        const std::string_view block = bytes.substr(at, kBlockBytes);
        if (!BlockIsSound(block, kSegmentMagic)) continue;
        TRY(CheckVersion(block, "segment"));
        base::ByteReader reader = FieldsOf(block);
        SegmentHeader header;
        header.streams = reader.U32();
        header.sequence = reader.U64();
        header.generation = reader.U64();
        header.bytes = reader.U64();
        header.prepared_ms = reader.I64();
        if (header.streams < 3 || header.streams > limits::kPartitionsMax + 2) continue;
        if (header.bytes > UINT32_MAX) continue;
        return header;
    }
    return base::Fail(base::ErrorCode::kCorrupt, "neither copy of the segment header is sound");
}

std::string EncodeMeta(const Meta& meta) {
    std::string block = BeginBlock(kMetaMagic);
    base::ByteWriter writer(block);
    writer.U32(meta.partitions);
    writer.I64(meta.created_ms);
    writer.U64(meta.log_id);
    EndBlock(block);
    return block;
}

base::Result<Meta> DecodeMeta(std::string_view bytes) {
    if (bytes.size() != kBlockBytes || !BlockIsSound(bytes, kMetaMagic)) {
        return base::Fail(base::ErrorCode::kCorrupt, "the log's meta file is damaged");
    }
    TRY(CheckVersion(bytes, "meta file"));
    base::ByteReader reader = FieldsOf(bytes);
    Meta meta;
    meta.partitions = reader.U32();
    meta.created_ms = reader.I64();
    meta.log_id = reader.U64();
    if (meta.partitions < 1 || meta.partitions > limits::kPartitionsMax) {
        return base::Fail(base::ErrorCode::kCorrupt, "the log's meta file names " +
                                                         std::to_string(meta.partitions) +
                                                         " partitions");
    }
    return meta;
}

std::string EncodeIndex(uint64_t sequence, uint64_t generation, uint32_t end,
                        const SegmentIndex& index) {
    std::string out = BeginBlock(kIndexMagic);
    base::ByteWriter writer(out);
    writer.U32(static_cast<uint32_t>(index.bases.size()));
    writer.U64(sequence);
    writer.U64(generation);
    writer.U32(end);
    writer.U32(static_cast<uint32_t>(index.positions.size()));
    EndBlock(out);
    for (size_t s = 0; s < index.bases.size(); ++s) {
        writer.U64(index.bases[s].next_offset);
        writer.I64(index.bases[s].last_time_ms);
        writer.U64(index.first[s + 1] - index.first[s]);
    }
    const size_t table = out.size() - kBlockBytes;
    writer.U32(base::Crc32c(0, out.data() + kBlockBytes, table));
    writer.U32(base::Crc32c(0, index.positions.data(), index.positions.size() * 4));
    writer.Raw(index.positions.data(), index.positions.size() * 4);
    return out;
}

base::Result<IndexSummary> DecodeSummary(std::string_view bytes, size_t streams) {
    const auto damaged = [] {
        return base::Fail(base::ErrorCode::kCorrupt, "the index file is damaged");
    };
    if (bytes.size() < SummaryBytes(streams)) return damaged();
    if (!BlockIsSound(bytes.substr(0, kBlockBytes), kIndexMagic)) return damaged();
    TRY(CheckVersion(bytes, "index file"));
    base::ByteReader fields = FieldsOf(bytes.substr(0, kBlockBytes));
    IndexSummary summary;
    if (fields.U32() != streams) return damaged();
    summary.sequence = fields.U64();
    summary.generation = fields.U64();
    summary.end = fields.U32();
    summary.records = fields.U32();
    base::ByteReader table(bytes.substr(kBlockBytes, streams * 24 + 4));
    summary.bases.resize(streams);
    summary.counts.resize(streams);
    uint64_t total = 0;
    for (size_t s = 0; s < streams; ++s) {
        summary.bases[s].next_offset = table.U64();
        summary.bases[s].last_time_ms = table.I64();
        const uint64_t count = table.U64();
        if (count > summary.records || summary.bases[s].next_offset == 0) return damaged();
        summary.counts[s] = static_cast<uint32_t>(count);
        total += count;
    }
    const uint32_t crc = base::Crc32c(0, bytes.data() + kBlockBytes, streams * 24);
    if (total != summary.records || table.U32() != crc) return damaged();
    return summary;
}

base::Result<SegmentIndex> DecodeIndex(std::string_view bytes, size_t streams) {
    TRY_ASSIGN(IndexSummary summary, DecodeSummary(bytes, streams));
    const size_t begin = SummaryBytes(streams);
    const size_t size = size_t{summary.records} * 4;
    if (bytes.size() != begin + size) {
        return base::Fail(base::ErrorCode::kCorrupt, "the index file is cut short");
    }
    uint32_t crc = 0;
    std::memcpy(&crc, bytes.data() + begin - 4, 4);
    if (crc != base::Crc32c(0, bytes.data() + begin, size)) {
        return base::Fail(base::ErrorCode::kCorrupt, "the positions in the index file are damaged");
    }
    SegmentIndex index;
    index.bases = std::move(summary.bases);
    index.first.push_back(0);
    for (const uint32_t count : summary.counts) index.first.push_back(index.first.back() + count);
    index.positions.resize(summary.records);
    if (size != 0) std::memcpy(index.positions.data(), bytes.data() + begin, size);
    return index;
}

}  // namespace event_log::format
