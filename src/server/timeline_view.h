// A person's history as JSON: rows of the spool and the warehouse, newest first.
//
// Threads: any; blocks on the warehouse.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "server/asking.h"
#include "store/warehouse/timeline.h"

namespace server {

std::string TimelineCursorText(const warehouse::TimelineCursor& cursor);
// Errors: kInvalidArgument.
base::Result<warehouse::TimelineCursor> ReadTimelineCursor(std::string_view text);

// {events: [...], next_cursor}.
// Errors: kUnavailable and others of the warehouse; kIo, kCorrupt of the spool.
base::Result<std::string> TimelineBody(const Sources& sources, warehouse::TimelineQuery query);

}  // namespace server
