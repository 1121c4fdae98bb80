// One kind of opaque token for everything that a letter carries back to us: click links, the open
// pixel, unsubscribe, preferences, opt-in and bounces. docs/decisions/0010-signed-links.md
//
// Text: base64url of  version u8 | key number u8 | purpose u8 | workspace varint | stream varint |
// offset varint | ordinal varint | link varint | person 16 bytes | url text | tag 16 bytes, where
// tag = first 16 bytes of HMAC-SHA-256(key, everything before it). It is bound to its purpose: a
// click token does not unsubscribe. It never expires (a letter is opened years later); keys are
// numbered so that a new one can be added while old letters keep working.
//
// Reading a token tells what it names and nothing else. No GET may change consent, subscription
// or identity (semantics 23): that is the endpoints' part.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/ids.h"

namespace delivery {

// The numbers are stored in letters that are out; never reuse one.
enum class Purpose : uint8_t {
    kClick = 1,
    kOpen = 2,
    kUnsubscribe = 3,
    kPreferences = 4,
    kConfirm = 5,   // Double opt-in.
    kTrap = 6,      // A link that no human sees.
    kBrowser = 7,   // The letter as a page.
};

struct Token {
    Purpose purpose = Purpose::kClick;
    model::WorkspaceId workspace = 0;
    model::FactKey message;
    uint16_t link = 0;      // Which link of the letter, from 0; only kClick.
    model::PersonId person;
    std::string url;        // Only kClick; http or https, at most kTrackedUrlBytesMax.

    bool operator==(const Token&) const = default;
};

struct TokenKey {
    uint8_t number = 0;
    std::string secret;  // 32 bytes or more.
};

// Immutable; any thread.
class TokenScheme {
  public:
    // The first key signs, all verify.
    // Errors: kInvalidArgument (no key, a short one, a number twice).
    static base::Result<TokenScheme> Create(std::vector<TokenKey> keys);

    std::string Write(const Token& token) const;

    // nullopt: not ours, changed, for another purpose, or longer than kTokenBytesMax. The tag is
    // compared in constant time, before anything else in the token is believed.
    std::optional<Token> Read(std::string_view text, Purpose expected) const;

    // Return path of a message (VERP): "b-" + base32 (survives case folding), at most 64 bytes.
    std::string WriteReturnPath(model::WorkspaceId workspace, const model::FactKey& message) const;
    struct Returned {
        model::WorkspaceId workspace = 0;
        model::FactKey message;
    };
    std::optional<Returned> ReadReturnPath(std::string_view local_part) const;

  private:
    explicit TokenScheme(std::vector<TokenKey> keys) : keys_(std::move(keys)) {}
    const TokenKey* Find(uint8_t number) const;
    std::vector<TokenKey> keys_;
};

}  // namespace delivery
