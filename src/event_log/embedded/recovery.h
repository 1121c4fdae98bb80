// Opens a log's directory: finds its segments, tells the torn tail from rot, cuts the one and
// reports the other, and says where writing goes on.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "event_log/embedded/embedded_log.h"
#include "event_log/embedded/segment_files.h"
#include "event_log/embedded/segment_index.h"

namespace event_log {

struct RecoveredLog {
    std::deque<std::shared_ptr<Segment>> segments;  // In order, without holes; the last is active.
    StreamPositions active_positions;
    format::Bases next;              // Where the streams stand.
    uint32_t active_end = 0;         // Where the next frame goes.
    uint32_t active_serial = 0;
    std::deque<Spare> spares;        // Their sequences follow the active segment's.
    RecoveryReport report;
};

// Reads the meta file, or makes it out of a segment's header when it is damaged. 0: there is no
// log. Errors: as EmbeddedLog::Open.
base::Result<int> FindPartitions(FileSystem& files, const std::string& directory,
                                 RecoveryReport& report);

// Makes an empty log: one segment with its opening, then the meta file.
base::Status CreateLog(SegmentFiles& store, int partitions, base::TimeMs now);

// Makes the meta file anew.
base::Status WriteMeta(SegmentFiles& store, int partitions, base::TimeMs now);

// The directory is locked and holds a log with `store.streams()` streams.
base::Result<RecoveredLog> RecoverLog(SegmentFiles& store, RecoveryReport report);

}  // namespace event_log
