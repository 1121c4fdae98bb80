// The warehouse as the rest of the server sees it: ClickHouse's SQL over ClickHouse's HTTP.
// Embedded it is our child process on a Unix socket (child_process.h), on a cluster a ClickHouse
// server.
//
// SQL text: identifiers come from compiled enums and constants only; values go through escape.h and
// nothing else. One missed escape is everything, because libchdb runs several statements and reads
// files.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/warehouse/child_process.h"
#include "store/warehouse/row.h"
#include "store/warehouse/schema.h"

namespace warehouse {

// A place in a timeline: rows are ordered by (time, partition, offset, ordinal).
struct TimelineCursor {
    base::TimeMs time_ms = 0;
    RowKey key = {};
    auto operator<=>(const TimelineCursor&) const = default;
};

struct TimelineQuery {
    uint32_t workspace = 0;
    std::vector<uint64_t> persons = {};         // All ids that were merged into one; PersonId::lo.
    std::optional<TimelineCursor> before = {};  // Only rows before this one.
    std::vector<std::string> kinds = {};        // Only these; empty: all.
    size_t limit = 50;
};

// Rows of one partition between two offsets, both counted in.
struct KeyRange {
    uint16_t partition = 0;
    uint64_t first_offset = 0;
    uint64_t last_offset = 0;
};

class Warehouse {
  public:
    // Pieces of the answer as they come; a piece may end inside a row. False: stop, the rest is not
    // wanted.
    using OnBytes = std::function<bool(std::string_view)>;

    virtual ~Warehouse() = default;

    // Puts RowBinary rows (AppendRow) of ONE month into w.events: all or nothing.
    // Errors: kUnavailable     nothing was sent.
    //         kDiskFull, kOverloaded, kTimeout, kInternal   it was refused.
    //         kOutcomeUnknown  it may be in, or may yet get in: Settle, then ask Present.
    virtual base::Status Insert(std::string_view rows) = 0;

    // Returns when no earlier Insert of this server can land any more.
    // Errors: kUnavailable: not sure yet, ask again.
    virtual base::Status Settle() = 0;

    // Makes the database and the table, where they are missing.
    virtual base::Status EnsureSchema() = 0;

    // Which rows of these ranges are in, in no order.
    virtual base::Result<std::vector<RowKey>> Present(int32_t month,
                                                      const std::vector<KeyRange>& ranges) = 0;
    // The highest offset of each partition that is in.
    struct HighOffset {
        uint16_t partition = 0;
        uint64_t offset = 0;
    };
    virtual base::Result<std::vector<HighOffset>> HighOffsets() = 0;

    // Newest first, at most `limit`. Only what the warehouse has: timeline.h joins the spool.
    virtual base::Result<std::vector<Row>> Timeline(const TimelineQuery& query) = 0;

    // Runs a SELECT of the reports (read only, limited in time and memory). The text ends with its
    // FORMAT (RowBinary or Native).
    // Errors: kUnavailable: no answer, or it broke off; pieces may have come before.
    //         kOverloaded (memory limit, queue full), kTimeout, kInternal (refused SQL).
    virtual base::Status Query(std::string_view sql, const OnBytes& on_bytes) = 0;
    // The same, collected. kTooLarge beyond bytes_max.
    base::Result<std::string> QueryAll(std::string_view sql, size_t bytes_max);

    // Removes every row of these persons, old parts included a few seconds later.
    virtual base::Status Erase(uint32_t workspace, const std::vector<uint64_t>& persons) = 0;
    // Removes every row of a workspace that was deleted; nothing when there is none.
    virtual base::Status EraseWorkspace(uint32_t workspace) = 0;
    // Removes a month of all workspaces: retention.
    virtual base::Status DropMonth(int32_t month) = 0;

    // True when it answers now.
    virtual bool Healthy() = 0;
};

struct HttpWarehouseOptions {
    std::string socket_path = {};  // Of the child; or, when empty:
    std::string host = {};         // An address (127.0.0.1) or name and
    uint16_t port = 8123;
    std::string user = {};  // Of a ClickHouse server; empty: none.
    std::string password = {};
    Dialect dialect = Dialect::kChdb26;
    base::DurationMs connect_ms = 2 * base::kSecondMs;
    base::DurationMs insert_ms = 5 * base::kMinuteMs;  // Longer: kOutcomeUnknown.
    base::DurationMs query_ms = 2 * base::kMinuteMs;
    // Whose socket it is; must outlive the client. Settle then restarts a child in which an insert
    // of unknown outcome may still run. Null: Settle asks the server's process list.
    ChildProcess* child = nullptr;
};

// One connection a request; any thread.
std::unique_ptr<Warehouse> ConnectWarehouse(HttpWarehouseOptions options);

// Rows in memory, no SQL: Query answers kUnavailable. For tests and simulation; passes the same
// contract test for everything else.
std::unique_ptr<Warehouse> MemoryWarehouse();

}  // namespace warehouse
