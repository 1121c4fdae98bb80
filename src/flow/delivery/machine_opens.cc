#include "flow/delivery/machine_opens.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

namespace delivery {
namespace {

// Nobody gets, opens and clicks a letter sooner than this after our relay took it.
constexpr base::DurationMs kClickTooSoonMs = 2 * base::kSecondMs;
constexpr base::DurationMs kOpenTooSoonMs = base::kSecondMs;
// A person seldom opens three links of one letter within the pending time; a scanner opens most.
constexpr int kManyLinks = 3;

// Lower case. Scanners and link previews that name themselves, and programs.
constexpr std::array<std::string_view, 36> kAgents = {
    "bot",           "crawl",        "spider",        "scanner",     "preview",
    "barracuda",     "mimecast",     "proofpoint",    "safelinks",   "trendmicro",
    "symantec",      "fireeye",      "forcepoint",    "cloudmark",   "ironport",
    "zscaler",       "sophos",       "vade",          "urldefense",  "bingpreview",
    "facebookexternalhit", "slack-imgproxy", "whatsapp", "telegram", "skypeuripreview",
    "python-requests", "python-urllib", "curl/",      "wget/",       "go-http-client",
    "java/",         "okhttp",       "libwww",        "headlesschrome", "phantomjs",
    "aiohttp"};

std::string Lower(std::string_view text) {
    std::string out(text.substr(0, 512));
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
}

bool IsKnownAgent(std::string_view agent) {
    const std::string lower = Lower(agent);
    return std::any_of(kAgents.begin(), kAgents.end(), [&](std::string_view known) {
        return lower.find(known) != std::string::npos;
    });
}

// Apple's mail privacy proxy fetches every image with this bare agent, read or not.
bool IsPrivacyProxy(const ReceiptFacts& facts) {
    return !facts.click && facts.user_agent == "Mozilla/5.0";
}

bool IsPrefetch(std::string_view purpose) {
    const std::string lower = Lower(purpose);
    return lower.find("prefetch") != std::string::npos ||
           lower.find("prerender") != std::string::npos ||
           lower.find("preview") != std::string::npos;
}

bool IsTooSoon(const ReceiptFacts& facts) {
    if (facts.accepted_ms == 0) return false;
    const base::DurationMs after = facts.at_ms - facts.accepted_ms;
    return after < (facts.click ? kClickTooSoonMs : kOpenTooSoonMs);
}

bool IsManyLinks(const ReceiptFacts& facts) {
    return facts.click && facts.links_clicked_nearby >= kManyLinks &&
           2 * facts.links_clicked_nearby > facts.links_in_letter;
}

// Signs that need nothing but the request itself.
MachineSign SignOfRequest(const ReceiptFacts& facts) {
    if (facts.method != "GET" && facts.method != "POST") return MachineSign::kHead;
    if (IsPrefetch(facts.sec_purpose)) return MachineSign::kPrefetch;
    if (facts.user_agent.empty()) return MachineSign::kNoAgent;
    if (IsKnownAgent(facts.user_agent) || IsPrivacyProxy(facts)) return MachineSign::kAgent;
    return MachineSign::kNone;
}

MachineSign SignOfSurroundings(const ReceiptFacts& facts) {
    if (facts.trap_clicked) return MachineSign::kTrap;
    if (IsTooSoon(facts)) return MachineSign::kTooSoon;
    if (IsManyLinks(facts)) return MachineSign::kManyLinks;
    return MachineSign::kNone;
}

}  // namespace

std::string_view MachineSignName(MachineSign sign) {
    switch (sign) {
        case MachineSign::kNone: return "none";
        case MachineSign::kHead: return "head";
        case MachineSign::kPrefetch: return "prefetch";
        case MachineSign::kTrap: return "trap";
        case MachineSign::kAgent: return "agent";
        case MachineSign::kNoAgent: return "no_agent";
        case MachineSign::kTooSoon: return "too_soon";
        case MachineSign::kManyLinks: return "many_links";
    }
    return "none";
}

Verdict JudgeReceipt(const ReceiptFacts& facts, base::TimeMs now) {
    const MachineSign request = SignOfRequest(facts);
    if (request != MachineSign::kNone) return {true, true, request};
    if (facts.landing_confirmed) return {false, true, MachineSign::kNone};
    const MachineSign around = SignOfSurroundings(facts);
    if (around != MachineSign::kNone) {
        // An act on the landing page may still clear it.
        return {true, now - facts.at_ms >= kReceiptPendingMs, around};
    }
    return {false, now - facts.at_ms >= kReceiptPendingMs, MachineSign::kNone};
}

}  // namespace delivery
