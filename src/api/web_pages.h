// The files of the program on the listeners: the screens on the admin's, the tracker and the demo
// shop on the public one (site/pages.h).
//
// Threads: any; nothing blocks.
#pragma once

#include <optional>

#include "api/services.h"
#include "net/http/message.h"
#include "site/pages.h"

namespace api {

// As this browser reaches the listeners: what the administrator set, else by the host it asked for.
site::Origins OriginsOf(const Services& services, const http::Request& request);

// nullopt: the address is none of a screen or its files.
std::optional<http::Response> ScreenPage(const Services& services, const http::Request& request);
// nullopt: the address is none of the tracker or the demo.
std::optional<http::Response> ShopPage(const Services& services, const http::Request& request);

}  // namespace api
