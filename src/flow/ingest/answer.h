// What tracking clients are answered. A client reads 2xx as delivered and 400 as dropped for ever,
// so an answer says exactly what was done with each event.
#pragma once

#include <string>
#include <string_view>

#include "flow/ingest/decode.h"
#include "flow/ingest/route.h"

namespace ingest {

struct Answer {
    int status = 200;
    std::string content_type = "application/json";
    std::string body;
    int retry_after_s = 0;  // > 0: send Retry-After with it.
};

// After the events of `decoded` are durable. 200 with the refused ones listed; 400 when every
// event was refused (the client would only send the same again). The pixel always gets its image.
Answer AnswerFor(const Route& route, const Decoded& decoded);

// When the request failed as a whole. 400 and 413 for wrong bodies, 401 for keys, 503 with an
// integer Retry-After for everything that may succeed later.
Answer AnswerFor(const Route& route, const base::Error& error);

// GET /v1/projects/KEY/settings: enough for analytics-next to load and send to
// `api_host` ("example.com/v1", without scheme) over `protocol` ("https").
Answer SegmentSettings(std::string_view key, std::string_view api_host, std::string_view protocol);
// GET /sourceConfig/: enough for RudderStack's browser client.
Answer RudderSourceConfig(std::string_view key, std::string_view data_plane_url,
                          base::TimeMs now_ms);
// GET /array/KEY/config and POST /flags/?v=2.
Answer PosthogConfig(std::string_view key);
Answer PosthogFlags(std::string_view request_id);

// 43 bytes: a transparent GIF of one pixel.
std::string_view PixelGif();

}  // namespace ingest
