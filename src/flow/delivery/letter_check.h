// Reads a built letter again and compares it with what was meant (semantics 28). Run on every
// letter, after building and before signing: five mature mail libraries have had header
// injections, so ours is not believed either. Shares no code with the builder.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "flow/delivery/mime.h"

namespace delivery {

struct ReadPart {
    std::string content_type;  // Lower-cased "text/plain".
    std::string body;          // Transfer encoding undone, line ends as in the letter (CRLF).
};

struct ReadLetter {
    std::vector<std::pair<std::string, std::string>> headers;  // Unfolded, in order, not decoded.
    std::vector<ReadPart> parts;
};

// Bytes fit for the wire: every CR is followed by LF and every LF preceded by CR, no NUL, no line
// over kLetterLineBytesMax, a final CRLF. Errors: kCorrupt.
base::Status CheckLines(std::string_view letter);

// What dot-stuffing must have made of `letter`: undoing it gives the letter back and no line of
// `wire` is a lone dot. Errors: kCorrupt.
base::Status CheckDots(std::string_view letter, std::string_view wire);

// Splits a letter of our own kind (one part, or multipart/alternative of two). Strict: anything
// BuildLetter would not write is kCorrupt.
base::Result<ReadLetter> ParseLetter(std::string_view letter, bool decode_bodies = true);

// CheckLines, and: exactly the expected headers in the expected order and no other; From, To,
// Reply-To and Subject decode to what `parts` says; Message-ID and both List-Unsubscribe headers
// are as meant; the parts have the expected types. Errors: kCorrupt, naming the header.
base::Status CheckLetter(std::string_view letter, const LetterParts& parts);

// RFC 2047 words to UTF-8; text between encoded words is kept.
std::string DecodeHeaderText(std::string_view value);

}  // namespace delivery
