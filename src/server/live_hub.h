// What the open screens see of what happens: numbers, events, who is here, whose card changed.
//
// One thread. It reads the log behind the folds (their tail is in memory) and asks the partitions
// for their numbers; of the folds it costs nothing but a branch a change (live_notes.h). While
// nobody has subscribed it sleeps. At any speed of events it looks at a bounded part of them and
// counts the rest as skipped.
//
// Threads: see api/live.h.
#pragma once

#include <memory>

#include "api/live.h"
#include "base/clock.h"
#include "catalog/catalog.h"
#include "engine/engine.h"
#include "event_log/event_log.h"
#include "flow/identity/link_map.h"

namespace server {

class LiveHub : public api::LiveFeed {
  public:
    // All outlive the hub. Ask for it after Engine::Start.
    static std::unique_ptr<LiveHub> Start(engine::Engine& engine, event_log::Log& log,
                                          const catalog::Catalog& catalog,
                                          const identity::LinkMap& links, base::Clock& clock);
    // Frames end; further calls do nothing. Once, before the engine stops.
    virtual void Stop() = 0;
};

}  // namespace server
