// The public listener (PORT + 1): what letters lead back to.
//   GET  /c/{token}      302 to the link's address; a click receipt
//   GET  /o/{token}.gif  one transparent pixel; an open receipt
//   GET  /u/{token}      a page that asks; changes nothing
//   POST /u/{token}      unsubscribes: the page's button and RFC 8058's List-Unsubscribe=One-Click
// A token that is not ours is 404. HEAD of a click or open is kept as a machine's receipt.
// No cookies, no scripts, nothing stored by the browser.
//
// Receipts are kReceipt records in the partition of the person (docs/formats/records.md). A
// visitor is sent on even when the log does not take the receipt; an unsubscribe that is not
// durable is answered 503.
//
// Threads: any; nothing blocks.
#pragma once

#include "api/services.h"
#include "net/http/server.h"

namespace api {

void ServePublic(Services& services, http::Request&& request, http::Respond respond);

}  // namespace api
