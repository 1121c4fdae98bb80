// A person's history as it is now: the spool's rows that the warehouse has not acknowledged yet,
// joined with the warehouse's.
#pragma once

#include <vector>

#include "store/warehouse/client.h"
#include "store/warehouse/spool.h"

namespace warehouse {

// Newest first by (time, partition, offset, ordinal), at most query.limit rows. Reads the spool
// first: a row that is acknowledged in between is then seen in both and dropped once.
// Errors: kUnavailable and others of Warehouse::Timeline; kIo, kCorrupt of the spool.
base::Result<std::vector<Row>> ReadTimeline(Spool& spool, Warehouse& warehouse,
                                            const TimelineQuery& query);

}  // namespace warehouse
