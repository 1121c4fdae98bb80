// Judges whether an open or a click came from a machine: a mail scanner, a prefetching proxy, a
// preview. Raw receipts are always kept; this only decides whether they count (semantics 23).
//
// Pure: every fact is an argument. An open or click is pending for kReceiptPendingMs; judge it
// once more when that time is over, because scanners show themselves by what they do next.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace delivery {

inline constexpr base::DurationMs kReceiptPendingMs = 10 * base::kSecondMs;

enum class MachineSign : uint8_t {
    kNone,          // Judged human.
    kHead,          // HEAD, or another method than GET and POST.
    kPrefetch,      // Sec-Purpose / Purpose / X-Moz: prefetch or prerender.
    kTrap,          // The link that no human sees was fetched from the same place.
    kAgent,         // A known scanner, proxy or program.
    kNoAgent,       // No User-Agent at all.
    kTooSoon,       // Sooner after acceptance than mail can be delivered and read.
    kManyLinks,     // Many links of one letter within a few seconds.
};
std::string_view MachineSignName(MachineSign sign);  // "head", "prefetch", ...

struct ReceiptFacts {
    bool click = false;                // False: an open.
    std::string_view method = "GET";
    std::string_view user_agent{};
    std::string_view sec_purpose{};    // Sec-Purpose, Purpose or X-Moz, whichever came.
    base::TimeMs at_ms = 0;
    base::TimeMs accepted_ms = 0;      // When the server took the letter; 0: unknown.
    int links_in_letter = 0;
    int links_clicked_nearby = 0;      // Distinct links of this letter clicked within
                                       // +-kReceiptPendingMs from anywhere, this one included.
    bool trap_clicked = false;         // The trap link was fetched within the same time.
    bool landing_confirmed = false;    // The tracker saw an act on the landing page: human at once.
};

struct Verdict {
    bool machine = false;
    bool settled = false;  // False: may still change until the receipt is kReceiptPendingMs old.
    MachineSign sign = MachineSign::kNone;
};

// `now`: when the judgement is made.
Verdict JudgeReceipt(const ReceiptFacts& facts, base::TimeMs now);

}  // namespace delivery
