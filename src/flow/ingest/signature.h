// The proof that an id belongs to the visitor: the site's own server signs it with the
// workspace's identity secret and hands the signature to its page.
//
//   signature = lower-case hex of HMAC-SHA-256(secret, kind + ":" + id)
//   kind = "user" or "email"; an email address is normalised (trimmed, ASCII lower case) first.
//
// In a call: context.ripen.signature = {"user": hex, "email": hex}, or a plain string for the user
// id alone. docs/formats/event.md says the same for those who write clients.
#pragma once

#include <string>
#include <string_view>

#include "model/ids.h"

namespace ingest {

// The signature of an id; `kind` is kUser or kEmail.
std::string SignId(std::string_view secret, model::IdKind kind, std::string_view id);
// Compares in constant time; an empty secret verifies nothing.
bool SignatureHolds(std::string_view secret, model::IdKind kind, std::string_view id,
                    std::string_view signature);

}  // namespace ingest
