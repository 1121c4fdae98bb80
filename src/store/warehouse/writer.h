// The writer: one thread that carries rows from the spool to the warehouse, each exactly once.
//
// It waits for limits::kWarehouseBlockRows rows or one second, takes what is there (more when rows
// have piled up: large blocks are three times cheaper), groups it by month (one insert = one month
// = one part = all or nothing) and acknowledges them to the spool when all months are in. Which
// rows may be in already: at a start all at or below the highest offset the warehouse has of their
// partition; after a failed insert all of that insert. Those are asked for by (partition, offset,
// ordinal), after the earlier attempt is surely over, and only what is missing is inserted. In
// normal running nothing is asked.
//
// Failures are tried again after 0.2, 1, 5, 5, ... s; meanwhile rows wait in the spool.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/result.h"
#include "base/time.h"
#include "store/warehouse/client.h"
#include "store/warehouse/spool.h"

namespace warehouse {

struct WriterOptions {
    size_t block_rows = limits::kWarehouseBlockRows;
    size_t backlog_rows = limits::kWarehouseBacklogRows;
    base::DurationMs block_ms = limits::kWarehouseBlockTimeMs;
    size_t block_bytes = limits::kWarehouseBlockBytes;
    // Waits before the second, third and every later try.
    base::DurationMs backoff_ms[3] = {200, 1000, 5000};
    // Rows of a workspace for which it is true are acknowledged and go nowhere: it was deleted.
    // Unset: none.
    std::function<bool(uint32_t workspace)> dropped = {};
};

struct WriterCounters {
    uint64_t rows = 0;               // Inserted and acknowledged.
    uint64_t rows_present = 0;       // Found there already, not inserted again.
    uint64_t rows_dropped = 0;       // Of deleted workspaces.
    uint64_t blocks_unreadable = 0;  // Of the spool, could not be read back: each is a report.
    uint64_t inserts = 0;
    uint64_t bytes = 0;
    uint64_t checks = 0;  // Questions which rows are there.
    uint64_t failures = 0;
    bool healthy = false;        // The last attempt worked.
    uint64_t thread_cpu_ns = 0;  // Of the writer's thread so far.
};

class Writer {
  public:
    // Both must live longer than the writer. The thread starts at once.
    static std::unique_ptr<Writer> Start(Spool& spool, Warehouse& warehouse,
                                         WriterOptions options = {});
    // Stops after the insert that is under way. What is not acknowledged stays in the spool.
    virtual ~Writer() = default;

    // Waits until everything appended before the call is acknowledged, without waiting for a block
    // to fill. Errors: kTimeout.
    virtual base::Status Flush(base::DurationMs timeout_ms) = 0;

    virtual WriterCounters Counters() const = 0;
};

}  // namespace warehouse
