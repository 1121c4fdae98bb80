// The live stream: one WebSocket for all screens, GET /api/v1/live on the admin listener.
//
// At the upgrade: a cookie session with the listener's own Origin, or a secret key with the scope
// "read" as Authorization: Bearer (scripts; no Origin, or our own). Then, within 5 s, the first
// frame {"csrf": token, "workspace": 1} (with a key {} will do); the answer is
// {"hello": {"now": iso}}. From then on:
//   client  {"subscribe": "counts"} {"subscribe": "person", "id": "..."} {"subscribe": "events"}
//           {"subscribe": "visitors"}, and the same with "unsubscribe"
//   server  {"topic": "counts", "data": {persons, on_site, events_total, segments, journeys}}
//           {"topic": "person", "id": "...", "data": {"changed": true}}
//           {"topic": "events", "data": [event...], "skipped": n}
//           {"topic": "visitors", "data": [visitor...]}
//           {"error": {"code", "message"}} for a frame that is understood but cannot be granted
// Closed with 4400: not such a frame; 4401: no session (any more); 4403: not of this workspace;
// 1013: too slow to read.
//
// The state is never only in the stream: after a lost connection a screen subscribes and asks
// anew (semantics 21).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "api/services.h"
#include "model/ids.h"
#include "net/http/server.h"

namespace api {

enum class LiveTopic : uint8_t { kCounts, kEvents, kVisitors, kPerson };

// One connected screen as the hub sees it. Threads: Show from any.
class LiveScreen {
  public:
    virtual ~LiveScreen() = default;
    // A text frame, encoded once for all screens. Screens that are too slow close themselves.
    virtual void Show(const std::shared_ptr<const std::string>& frame) = 0;
};
using LiveScreenPtr = std::shared_ptr<LiveScreen>;

// What feeds the screens; server/live_hub.h implements it. Threads: every function from any;
// nothing blocks. Frames come from the hub's own thread.
class LiveFeed {
  public:
    virtual ~LiveFeed() = default;
    // Subscribing twice is subscribing once. `person`: of kPerson only; changes of whom she becomes
    // by a merge are shown under the id that was asked for.
    virtual void Subscribe(const LiveScreenPtr& screen, model::WorkspaceId workspace,
                           LiveTopic topic, const model::PersonId& person) = 0;
    virtual void Unsubscribe(const LiveScreenPtr& screen, LiveTopic topic,
                             const model::PersonId& person) = 0;
    virtual void Leave(const LiveScreenPtr& screen) = 0;
};

bool IsLivePath(const http::Request& request);
void ServeLive(Services& services, http::Request&& request, http::Respond respond);

}  // namespace api
