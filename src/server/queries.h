// The answers to the API's questions, from the folds, the log, the spool and the warehouse.
//
// A person and lists come from the folds; conditions over the past from the log (history_scan.h);
// timelines from the spool and the warehouse. What takes long (scans, timelines) runs on two
// threads of its own, so that neither the fold nor a listener waits for it.
#pragma once

#include <memory>

#include "api/queries.h"
#include "base/clock.h"
#include "catalog/catalog.h"
#include "engine/engine.h"
#include "event_log/event_log.h"
#include "flow/identity/link_map.h"
#include "store/warehouse/client.h"
#include "store/warehouse/spool.h"

namespace server {

// All must outlive the engine's threads and the answer. `warehouse` nullptr: timelines show the
// spool only; `spool` nullptr: the warehouse only. Questions that are open when the result is
// destroyed or the engine stops are answered kUnavailable.
std::unique_ptr<api::Queries> MakeQueries(engine::Engine& engine, event_log::Log& log,
                                          const catalog::Catalog& catalog,
                                          const identity::LinkMap& links, base::Clock& clock,
                                          warehouse::Warehouse* warehouse,
                                          warehouse::Spool* spool);

}  // namespace server
