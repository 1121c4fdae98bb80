// Which names the events of a workspace use, so that a builder can offer them: of events, of their
// properties, and of attributes. Counted by the warehouse over the last limits::kNamesSeenMs; what
// is still in the spool is not among them for a moment.
#pragma once

#include <string>

#include "base/result.h"
#include "model/ids.h"
#include "server/asking.h"

namespace server {

// The body of GET /api/v1/names: {events: [{name, count}], attributes: [{name, type}],
// properties: [{event, name, type}]}, the frequent first. Without a warehouse only the attributes
// that Ripen itself sets. Blocks: for the crew.
std::string NamesBody(const Sources& sources, model::WorkspaceId workspace);

}  // namespace server
