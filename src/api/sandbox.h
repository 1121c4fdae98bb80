// The sandbox listener (PORT + 2): untrusted HTML of letters, shown where no key or cookie of ours
// has a meaning.
//   GET /mail/{id}  the HTML part (else the plain one) of a letter in the built-in mailbox
//
// Threads: any.
#pragma once

#include "api/services.h"
#include "net/http/server.h"

namespace api {

void ServeSandbox(Services& services, http::Request&& request, http::Respond respond);

}  // namespace api
