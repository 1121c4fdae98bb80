// The tracking API: every address of wire/segment, from the request to durable records. An answer
// of 200 means that the events are on stable storage.
//
// One event becomes a kEvent record in the partition of the person it resolves to, and, when its
// ids ask for a link that would change something, a kLink record in the links stream. All records
// of a request go to the log in one append. docs/formats/records.md has the payloads.
//
// Threads: any; nothing blocks. A thread keeps its own decoder.
#pragma once

#include "api/services.h"
#include "net/http/server.h"

namespace api {

// True when the path belongs to the tracking API, whatever the method.
bool IsTrackingPath(const http::Request& request);

// Answers are those of flow/ingest/answer.h. Overload, a full disk or spool and a server that is
// still catching up are 503 with an integer Retry-After, never 4xx (clients drop events at 4xx).
void Tracking(Services& services, http::Request&& request, http::Respond respond);

}  // namespace api
