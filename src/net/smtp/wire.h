// What is checked and rewritten before anything reaches a connection. Private to this module.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/smtp/client.h"

namespace smtp {

struct Target {
    Tls tls = Tls::kWhenOffered;
    std::string host;  // Name or address, without brackets.
    uint16_t port = 0;
    std::string user;
    std::string password;
};

// Errors: kInvalidArgument; the text never repeats the URL, which has a password.
base::Result<Target> ReadTarget(std::string_view url);

// Letters, digits, dots, hyphens, or an address literal in brackets.
base::Status CheckEhloName(std::string_view name);

bool IsAscii(std::string_view text);

}  // namespace smtp
