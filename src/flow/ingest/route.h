// The addresses that tracking clients call, and the key they carry (wire formats of Segment,
// RudderStack, Jitsu, PostHog and Dittofeed clients).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/event.h"

namespace ingest {

enum class Dialect : uint8_t { kSegment, kRudder, kJitsu, kPosthog, kDittofeed, kPixel };

enum class Call : uint8_t {
    kBatch,         // {"batch":[...]}, an array of events, or one event that names its type.
    kTrack,
    kPage,
    kScreen,
    kIdentify,
    kGroup,
    kAlias,
    kImport,        // A batch whose event times are trusted (with a secret key).
    kSettings,      // GET /v1/projects/KEY/settings (analytics-next).
    kSourceConfig,  // GET /sourceConfig/ (RudderStack).
    kArrayConfig,   // GET /array/KEY/config (PostHog), /array/KEY/config.js.
    kFlags,         // POST /flags/?v=2, /decide/ (PostHog).
};

struct Route {
    Dialect dialect = Dialect::kSegment;
    Call call = Call::kBatch;
    std::string_view key;      // The key named in the path of settings and config; else empty.
    bool takes_events() const { return call <= Call::kImport; }
};

// The route of a path (without query). nullopt: not an address of the tracking API.
//   /v1/{batch,b,import} /v1/{identify,i,track,t,page,p,screen,s,group,g,alias,a}
//   /beacon/v1/batch /rudder/v1/... /api/s/{...} /api/s/s2s/{...} /batch/ /e/ /i/v0/e/ /capture/
//   /track/ /engage/ /api/public/apps/{batch,identify,track,page,screen,group,alias}
//   /pixel/v1/{...} /v1/projects/KEY/settings /sourceConfig/ /array/KEY/config /flags/ /decide/
// RudderStack's /v1/... is Segment's; both are read by one decoder.
std::optional<Route> FindRoute(std::string_view path);

// One value of a query or form body, percent-decoded; nullopt when absent.
std::optional<std::string> QueryValue(std::string_view query, std::string_view name);

struct KeyPlaces {
    std::string_view authorization;  // "Basic ..." or "Bearer ..." or a bare key.
    std::string_view x_write_key;    // Jitsu: "id:secret" or a key.
    std::string_view query;          // Of the target, without '?'.
    std::string_view body;           // Decoded body; read last, only its top level.
};

// The key of a request, or empty. Order: Authorization (Basic: the user name, and when that is
// empty the password), X-Write-Key, query (writeKey, write_key, api_key, token, key), body
// (writeKey, api_key, token, properties.token of the first event). The value is what the client
// sent ("id:secret" stays whole); what it allows is the caller's matter.
std::string FindKey(const KeyPlaces& places);

}  // namespace ingest
