// Undoing Content-Encoding on request bodies, with limits that hold while decoding.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace http {

// Returns the decoded body, padded (kBodyPadding). The coding is taken from `content_encoding`
// (gzip, x-gzip, deflate, br, zstd; identity or empty: none); without one, a body that begins
// with the bytes 1f 8b is taken for gzip (posthog-js sends it unlabelled, wire/segment). A gzip
// body may have several members (RFC 1952 2.2). deflate is zlib (RFC 9110 8.4.1.2); raw deflate is
// understood too, since clients send it. A body that is not encoded is returned as it is.
// Errors: kTooLarge         more than `bytes_max` decoded, or more than limits::kInflateRatioMax
//                           times the input (counted from limits::kInflateFreeBytes on)
//         kInvalidArgument  truncated, corrupt, trailing bytes, an unknown coding, or more than
//                           one coding
// Any thread.
base::Result<std::string> Inflate(std::string body, std::string_view content_encoding,
                                  size_t bytes_max);

// True for a body that Inflate would decode.
bool IsEncoded(std::string_view body, std::string_view content_encoding);

// gzip, for answers and tests. `level` 1..9.
std::string Gzip(std::string_view text, int level = 6);

}  // namespace http
