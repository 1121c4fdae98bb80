// Where a visit came from: tags in the address, click ids of ad networks, the referring site.
// Search engines, social sites and AI assistants are known by lists built in (source_tables.cc,
// made from Matomo's searchengine-and-social-list, CC0 1.0).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/event.h"

namespace ingest {

// utm_* as the client's library read them (context.campaign); empty where absent.
struct CampaignTags {
    std::string_view source;
    std::string_view medium;
    std::string_view name;
    std::string_view term;
    std::string_view content;
};

enum class SiteKind : uint8_t { kUnknown, kSearch, kSocial, kAi, kMail };
struct KnownSite {
    SiteKind kind = SiteKind::kUnknown;
    std::string_view name;        // "google", "facebook"; lower case.
    std::string_view term_param;  // Search engines: the query parameter of the words; or empty.
};
// The site of a referrer's host ("www.google.co.jp") and path ("/i/grok").
KnownSite FindSite(std::string_view host, std::string_view path);

// The host of an address in lower case without port, user and "www."; empty if it has none.
std::string HostOf(std::string_view url);

// Reads the source of one event. Order: tags (utm_* of campaign, else of the page's query),
// click ids (gclid, gbraid, wbraid, yclid, ysclid, msclkid, fbclid, ttclid, twclid, li_fat_id,
// dclid, epik, ScCid, rdt_cid), referrer (own site: internal), else direct.
// What tags leave open is filled from click id and referrer. Without a page address and without
// tags nothing is known and `kind` stays empty. Results are views into the arguments, into
// static tables or into `memory`, which is overwritten.
class SourceReader {
  public:
    model::Source Read(const CampaignTags& tags, std::string_view page_url,
                       std::string_view referrer);

    // True for a view into the reader's own memory, which the next Read overwrites.
    bool Owns(std::string_view text) const {
        return text.data() >= memory_.data() && text.data() < memory_.data() + memory_.size();
    }

  private:
    struct Query;
    std::string_view Host(std::string_view url);
    std::string_view Decoded(std::string_view raw);
    Query ReadQuery(std::string_view url);
    std::string memory_;  // Percent-decoded values and lower-cased hosts.
};

}  // namespace ingest
