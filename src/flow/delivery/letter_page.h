// The pages behind a letter's unsubscribe link. GET shows a button and changes nothing (scanners
// follow every link); the button POSTs. No scripts, no outside resources: they stand under
//   Content-Security-Policy: default-src 'none'; style-src 'sha256-...'; form-action 'self'
// which LetterPagePolicy gives. Texts in English and Japanese live in one table.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace delivery {

enum class LetterPage : uint8_t {
    kAsk,      // "Stop letters to a***@example.com?" and a button.
    kDone,     // Unsubscribed; the same after a second press.
    kInvalid,  // The token is not ours.
    kConfirmAsk,   // Double opt-in: a button.
    kConfirmDone,
};

struct LetterPageFacts {
    std::string_view language{};   // "ja", "ja-JP,en;q=0.8": the first known one, else English.
    std::string_view sender{};     // Who writes; escaped here.
    std::string_view address{};    // Shown masked; empty: not shown.
    std::string_view action{};     // Where the button posts to; kAsk and kConfirmAsk.
    std::string_view preferences_url{};  // Empty: no link.
};

std::string WriteLetterPage(LetterPage page, const LetterPageFacts& facts);
// The value of the Content-Security-Policy header for these pages.
std::string LetterPagePolicy();
// "a***@example.com".
std::string MaskAddress(std::string_view address);

}  // namespace delivery
