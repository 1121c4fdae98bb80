// Answers that are files: which bytes of a file a browser gets, how long it may keep them, and
// under which policy a page runs (screens: section 7 of the screens' rules; reliability V1).
//
// Sources: RFC 9110 8.8.3 and 13.1.2 (ETag, If-None-Match), 12.5.3 (Accept-Encoding), RFC 8246
// (immutable), CSP Level 3.
//
// Threads: any; nothing blocks.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http/message.h"
#include "site/assets.h"

namespace site {

// Where the three listeners are reached by this browser: "http://127.0.0.1:8081", no slash behind.
struct Origins {
    std::string admin;
    std::string open;      // Public pages.
    std::string sandbox;
};

enum class Coding : uint8_t { kIdentity, kGzip, kBrotli };
// The smallest coding of the file that the field allows.
Coding ChooseCoding(const File& file, std::string_view accept_encoding);

// 200 with the bytes, or 304 when If-None-Match names them. `cache`: the Cache-Control field.
http::Response Answer(const http::Request& request, const File& file, std::string_view cache);

// The screens on the admin listener: "/", "/start", "/sign-in", "/w/..." are the page itself;
// "/assets/..." and the files beside index.html are files. nullopt: the path is none of them.
// Without screens in the program every page says so in one sentence.
std::optional<http::Response> AdminPage(const Assets& assets, const http::Request& request,
                                        const Origins& origins);
// Content-Security-Policy of the screens.
std::string AdminPolicy(std::string_view nonce, const Origins& origins);

// On the public listener: "/ripen.js", "/demo", "/demo/...". `write_key`: of the demo workspace;
// empty: there is none, and the demo's addresses are 404 with a sentence. nullopt: the path is
// none of them.
std::optional<http::Response> PublicPage(const Assets& assets, const http::Request& request,
                                         const Origins& origins, std::string_view write_key);

// `text` with every place-holder replaced by its value.
std::string Fill(std::string_view text,
                 const std::vector<std::pair<std::string_view, std::string>>& values);

}  // namespace site
