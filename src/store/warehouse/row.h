// A row of the warehouse's table `w.events`, in ClickHouse's RowBinary format, and the header that
// travels before it in the spool. docs/formats/warehouse.md has every byte.
//
// A row is lossless (semantics 10): kind, log time, own time, ids and the exact payload stand
// beside the arrays that reports read. Its key is (partition, offset, ordinal).
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace warehouse {

// What the fold hands over. Everything points into the caller's memory.
struct RowView {
    uint32_t workspace = 0;
    uint64_t person = 0;           // PersonId::lo
    base::TimeMs time_ms = 0;      // Own time of the event, or of the fact.
    base::TimeMs log_time_ms = 0;  // Time of the record it came with.
    std::string_view kind = {};    // "event", "segment_entered", ...
    std::string_view name = {};
    std::span<const std::string_view> ids =
        {};  // "user:u1", "anonymous:a1", as the record carried them.
    uint64_t visit = 0;
    // Parallel arrays: '' and 0 where a value has no such face. When lengths differ the shortest
    // counts.
    std::span<const std::string_view> prop_key = {};
    std::span<const std::string_view> prop_text = {};
    std::span<const double> prop_num = {};
    std::string_view source = {};
    std::string_view medium = {};
    std::string_view campaign = {};
    std::string_view payload = {};  // Exact JSON text of the record; empty for derived facts.
    uint16_t partition = 0;
    uint64_t offset = 0;
    uint32_t ordinal = 0;
};

// (partition, offset, ordinal): names a row for ever.
struct RowKey {
    uint16_t partition = 0;
    uint64_t offset = 0;
    uint32_t ordinal = 0;
    auto operator<=>(const RowKey&) const = default;
};

// The same row, owning its texts; for timelines and re-folds.
struct Row {
    uint32_t workspace = 0;
    uint64_t person = 0;
    base::TimeMs time_ms = 0;
    base::TimeMs log_time_ms = 0;
    std::string kind = {};
    std::string name = {};
    std::vector<std::string> ids = {};
    uint64_t visit = 0;
    std::vector<std::string> prop_key = {};
    std::vector<std::string> prop_text = {};
    std::vector<double> prop_num = {};
    std::string source = {};
    std::string medium = {};
    std::string campaign = {};
    std::string payload = {};
    uint16_t partition = 0;
    uint64_t offset = 0;
    uint32_t ordinal = 0;

    RowKey key() const { return {partition, offset, ordinal}; }
    bool operator==(const Row&) const = default;
};

// Appends the row in RowBinary, columns in the order of `kColumns`. About 0.1 us for 600 bytes.
void AppendRow(std::string& out, const RowView& row);

// Reads one row from the front of `in` and moves `in` behind it. False when the bytes are short
// or no row; `in` and `row` are then unspecified.
bool ReadRow(std::string_view& in, Row& row);

// The columns in the order in which AppendRow writes and ReadRow reads them.
inline constexpr std::string_view kColumns =
    "workspace,person,time,day,name,ids,visit,prop_key,prop_text,prop_num,source,medium,campaign,"
    "log_partition,log_offset,kind,log_time,payload,log_ordinal";

// --- entries: what the spool holds -----------------------------------------------------------

// 40 bytes before each row, so that grouping by month and looking for a person need no decoding.
struct EntryHeader {
    uint32_t row_bytes = 0;  // Of the RowBinary that follows.
    uint32_t workspace = 0;
    uint64_t person = 0;
    uint64_t offset = 0;
    uint32_t month = 0;  // YYYYMM of the row's day in UTC: the table's partition.
    uint32_t ordinal = 0;
    uint16_t partition = 0;
    uint16_t reserved[3] = {};  // 0.

    RowKey key() const { return {partition, offset, ordinal}; }
};
static_assert(sizeof(EntryHeader) == 40);

// Appends header and row: what fold threads collect and give to Spool::Append.
void AppendEntry(std::string& out, const RowView& row);

// Takes one entry from the front of `entries`: its header, and `row` = its RowBinary. False at the
// end, and when what is left is no entry (entries is then not empty).
bool NextEntry(std::string_view& entries, EntryHeader& header, std::string_view& row);

// Days since 1970 as ClickHouse's Date holds them (0..65535); times outside are clamped.
uint16_t DateOf(base::TimeMs time);

}  // namespace warehouse
