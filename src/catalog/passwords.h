// Passwords of teammates: Argon2id (RFC 9106) with m = 46 MiB, t = 1, p = 1, above OWASP's floor.
// One call takes about 50 ms of a core and 46 MiB: api/hash_queue.h bounds how many run at once.
//
// Threads: any.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace catalog {

// The encoded form with its random salt: "$argon2id$v=19$m=47104,t=1,p=1$...".
// Errors: kInternal (no memory).
base::Result<std::string> HashPassword(std::string_view password);

// Compares in constant time. An empty or unreadable `encoded` takes as long as a real one and is
// never right: an address that nobody has answers like a wrong password.
bool IsPassword(std::string_view encoded, std::string_view password);

// 24 characters, 144 bits.
std::string NewPassword();

// Errors: kInvalidArgument, `at` = `field`: fewer than limits::kPasswordCharactersMin characters
// or more than kPasswordBytesMax bytes.
base::Status CheckPassword(std::string_view password, std::string_view field);

}  // namespace catalog
