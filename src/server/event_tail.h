// The end of the log as people see it: the events that were received last. The log itself is the
// ring in which they are kept; nothing else remembers them.
//
// Threads: functions from any; a reader belongs to one.
#pragma once

#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "base/json.h"
#include "event_log/event_log.h"
#include "flow/identity/link_map.h"
#include "model/event.h"

namespace server {

// A record that is shown, with the batch that keeps its bytes.
struct TailRecord {
    model::Record record;
    std::string_view event;      // The canonical event inside of the payload.
};

// Order of receiving; within one instant any, but always the same.
inline bool IsLater(const model::Record& a, const model::Record& b) {
    return std::tie(a.time_ms, a.stream, a.offset) > std::tie(b.time_ms, b.stream, b.offset);
}

// Received from outside, or an act of the server itself ("Email Opened"); false for copies of
// events that followed a moved person, and everything else.
bool IsShownEvent(const model::Record& record, std::string_view& event);

// Calls `visit` for each durable record of the stream in [from, to], in order, until it says false.
// Stops early after `bytes_max` of payload. Returns the offset of the last record read, `from` - 1
// when there was none. Rot is passed over. `hold` keeps what was read alive.
model::Offset ReadTail(event_log::Log& log, model::StreamId stream, model::Offset from,
                       model::Offset to, size_t bytes_max,
                       std::vector<std::shared_ptr<const void>>& hold,
                       const std::function<bool(const model::Record&)>& visit);

// {id, time, received, name, type, person_id, user_id, anonymous_id, source, properties}.
// False, and nothing is written, when the bytes are no canonical event.
bool WriteTailEvent(base::JsonWriter& w, const TailRecord& tail, model::EventReader& reader,
                    const identity::LinkMap& links);

// How far a partition has come.
struct FoldedEnd {
    model::Offset applied = 0;
    std::vector<model::Offset> dropped;   // Copies among its last records.
};
// {"events": [...]} of the workspace, the one received last first, `limit` at most, from the last
// limits::kRecentRecordsMax records of each partition.
std::string RecentEventsBody(event_log::Log& log, const identity::LinkMap& links,
                             model::WorkspaceId workspace, const std::vector<FoldedEnd>& ends,
                             size_t limit);

// An act by which somebody is on a site (flow/profile).
bool IsVisit(const model::EventView& event);

}  // namespace server
