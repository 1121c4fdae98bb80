#include "store/warehouse/schema.h"

namespace warehouse {
namespace {

// Order of the columns as in kColumns (row.h); INSERT names them, so only readers of the table
// care.
constexpr std::string_view kEventsChdb26 =
    "CREATE TABLE IF NOT EXISTS w.events ("
    "workspace UInt32 CODEC(ZSTD(1)), person UInt64 CODEC(ZSTD(1)),"
    "time Int64 CODEC(Delta,ZSTD(1)), day Date CODEC(Delta,ZSTD(1)),"
    "name LowCardinality(String) CODEC(ZSTD(1)), ids Array(String) CODEC(ZSTD(1)),"
    "visit UInt64 CODEC(ZSTD(1)), prop_key Array(LowCardinality(String)) CODEC(ZSTD(1)),"
    "prop_text Array(String) CODEC(ZSTD(1)), prop_num Array(Float64) CODEC(ZSTD(1)),"
    "source LowCardinality(String) CODEC(ZSTD(1)), medium LowCardinality(String) CODEC(ZSTD(1)),"
    "campaign LowCardinality(String) CODEC(ZSTD(1)), log_partition UInt16 CODEC(ZSTD(1)),"
    "log_offset UInt64 CODEC(Delta,ZSTD(1)), kind LowCardinality(String) CODEC(ZSTD(1)),"
    "log_time Int64 CODEC(Delta,ZSTD(1)), payload String CODEC(ZSTD(1)),"
    "log_ordinal UInt32 CODEC(ZSTD(1)),"
    // Lets the question which rows are there, and the highest offset, skip old parts.
    "INDEX place log_offset TYPE minmax GRANULARITY 4)"
    " ENGINE = MergeTree PARTITION BY toYYYYMM(day)"
    " ORDER BY (workspace, person, time, log_partition, log_offset, log_ordinal)"
    // An acknowledged part is on the disk, so the spool may forget it (rule 10). Erased rows leave
    // the disk within seconds. No deduplication window: it would also drop, and acknowledge, a
    // block that is missing for good reason (a part found broken), and the writer asks before it
    // repeats.
    " SETTINGS fsync_after_insert=1, fsync_part_directory=1,"
    " min_rows_to_fsync_after_merge=1, min_compressed_bytes_to_fsync_after_merge=1,"
    " old_parts_lifetime=2, cleanup_delay_period=1, max_cleanup_delay_period=2,"
    " cleanup_delay_period_random_add=0";

constexpr std::string_view kEventsServer18 =
    "CREATE TABLE IF NOT EXISTS w.events ("
    "workspace UInt32, person UInt64, time Int64, day Date, name String, ids Array(String),"
    "visit UInt64, prop_key Array(String), prop_text Array(String), prop_num Array(Float64),"
    "source String, medium String, campaign String, log_partition UInt16, log_offset UInt64,"
    "kind String, log_time Int64, payload String, log_ordinal UInt32)"
    " ENGINE = MergeTree PARTITION BY toYYYYMM(day)"
    " ORDER BY (workspace, person, time, log_partition, log_offset, log_ordinal)"
    " SETTINGS old_parts_lifetime=5";

}  // namespace

std::vector<std::string> SchemaStatements(Dialect dialect) {
    std::vector<std::string> statements;
    statements.emplace_back("CREATE DATABASE IF NOT EXISTS w");
    statements.emplace_back(dialect == Dialect::kChdb26 ? kEventsChdb26 : kEventsServer18);
    return statements;
}

}  // namespace warehouse
