// Request bodies as they come from the wire -> plain text.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace ingest {

// Undoes gzip or deflate. `encoding` is the Content-Encoding header: empty, identity, gzip,
// x-gzip or deflate; without it a body that begins with the bytes 1f 8b is gzip all the same
// (posthog-js and RudderStack's Node client send it unlabelled). Plain bodies come back as they
// are. Errors: kInvalidArgument (other or several encodings, broken stream, bytes behind its end),
// kTooLarge (more than limits::kBatchBytesMax, or past limits::kInflateFreeBytes more than
// limits::kInflateRatioMax times the input).
base::Result<std::string> Inflate(std::string body, std::string_view encoding);

}  // namespace ingest
