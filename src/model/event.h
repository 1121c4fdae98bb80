// The canonical event: what every client's call becomes before it reaches the log, and what the
// fold, the history reader and the warehouse read. The bytes are in docs/formats/event.md.
//
// Two faces of one thing: Event is what a writer fills (views; the writer keeps the text alive
// until AppendEventJson returns); EventView is what a reader gets back from a log record.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/time.h"
#include "model/ids.h"

namespace model {

enum class EventType : uint8_t { kTrack, kPage, kScreen, kIdentify, kGroup, kAlias };
std::string_view EventTypeName(EventType type);  // "track", "page", ...
bool EventTypeOf(std::string_view name, EventType& type);
// The name under which conditions know it: "Page", "Screen", "Identify", "Group", "Alias";
// empty for track, whose name the client gives.
std::string_view StandingName(EventType type);

// Who vouches for the ids of an event (semantics 15).
enum class Trust : uint8_t {
    kPublicKey,  // A browser or app; anybody can copy its key.
    kSigned,     // Public key, and every joining id carries a right signature.
    kSecret,     // A secret key, or the server itself.
};
std::string_view TrustName(Trust trust);  // "public", "signed", "secret".

struct Place {
    std::string_view country;  // ISO 3166-1 alpha-2: "JP".
    std::string_view region;   // Name, English: "Tokyo".
    std::string_view city;
};

struct Device {
    std::string_view type;     // "desktop", "mobile", "tablet", "tv", "bot"; empty: unknown.
    std::string_view os;       // "Windows", "iOS".
    std::string_view browser;  // "Chrome", "Mobile Safari".
};

struct Source {
    std::string_view kind;     // campaign, ad, search, social, ai, referral, email, direct,
                               // internal; empty: the event says nothing about it.
    std::string_view source;   // "google"; utm_source.
    std::string_view medium;   // cpc, organic, social, ai, referral, email, none; utm_medium.
    std::string_view campaign;
    std::string_view term;
    std::string_view content;
    std::string_view click_id;       // "gclid:Cj0K..."; the kind and the value.
    std::string_view referrer_host;  // Without "www.".
};

struct Event {
    EventType type = EventType::kTrack;
    std::string_view name;        // Track: the client's; else StandingName(type).
    std::string_view message_id;
    std::string_view user_id;
    std::string_view anonymous_id;
    std::string_view email;       // Normalised (NormalEmail); only if it looks like an address.
    std::string_view previous_id; // Alias.
    std::string_view group_id;    // Group.
    base::TimeMs time_ms = 0;     // Own time: skew corrected and clamped (semantics 13).
    base::TimeMs received_ms = 0;
    Trust trust = Trust::kPublicKey;
    bool time_clamped = false;
    bool import = false;
    bool is_bot = false;
    std::string_view source_key;  // Short id of the key it came with.
    PersonId person;              // Founder: user id beats email beats anonymous id.

    // Raw JSON objects, or empty. Checked JSON: it goes into the log as it is.
    std::string_view properties;
    std::string_view traits;       // Attributes to set.
    std::string_view traits_once;  // Attributes to set where there is none (PostHog's $set_once).
    std::string_view page;         // {path, url, referrer, title, search} of the context.
    std::string_view campaign;     // {source, medium, name, term, content} of the context.
    std::string_view library;      // {name, version} of the context.
    std::string_view more;         // Fields of the context we do not know, as an object.
    std::string_view extra;        // Fields of the event we do not know, as an object.

    // Texts.
    std::string_view locale;
    std::string_view timezone;
    std::string_view user_agent;

    Place place;
    Device device;
    Source source;
};

// Appends the canonical JSON of one event.
void AppendEventJson(std::string& out, const Event& event);

// The dedupe fingerprint of (source key, message id); never 0.
uint64_t EventFingerprint(const base::SipKey& secret, std::string_view source_key,
                          std::string_view message_id);

// True for what may be an address: one @ with text before it, a dot in the domain, no spaces or
// control characters, at most 254 bytes. Deliverability is not judged.
bool LooksLikeEmail(std::string_view text);

// One field of an object: key and typed value.
struct Property {
    enum class Kind : uint8_t { kText, kNumber, kBool, kNull, kJson };
    std::string_view key;
    Kind kind = Kind::kNull;
    bool truth = false;      // kBool.
    double number = 0;       // kNumber; kBool: 1 or 0.
    std::string_view text;   // kText: the characters. kNumber, kBool, kNull: as written
                             // ("12.50", "true", "null"). kJson: the object or array.
};

struct EventView {
    EventType type = EventType::kTrack;
    Trust trust = Trust::kPublicKey;
    bool time_clamped = false;
    bool import = false;
    bool is_bot = false;
    std::string_view name;
    std::string_view message_id;
    std::string_view user_id;
    std::string_view anonymous_id;
    std::string_view email;
    std::string_view previous_id;
    std::string_view group_id;
    std::string_view source_key;
    base::TimeMs time_ms = 0;
    base::TimeMs received_ms = 0;
    PersonId person;

    // In the order of the text; of equal keys the later counts.
    std::span<const Property> properties;
    std::span<const Property> traits;
    std::span<const Property> traits_once;
    std::string_view properties_json;  // The objects as they stand, or empty.
    std::string_view traits_json;
    std::string_view campaign_json;
    std::string_view library_json;
    std::string_view more_json;
    std::string_view extra_json;

    struct Page {
        std::string_view path;
        std::string_view url;
        std::string_view referrer;
        std::string_view title;
        std::string_view search;
    } page;
    std::string_view locale;
    std::string_view timezone;
    std::string_view user_agent;

    Place place;
    Device device;
    Source source;

    // The last property of this name, or nullptr.
    const Property* FindProperty(std::string_view key) const;
    const Property* FindTrait(std::string_view key) const;
};

// Reads canonical events. One thread; reuse it: its buffers grow to the largest event.
class EventReader {
  public:
    EventReader();
    ~EventReader();
    EventReader(EventReader&&) noexcept;
    EventReader& operator=(EventReader&&) noexcept;

    // `payload` must be followed by kJsonPadding readable bytes (model/json_scan.h). The view
    // points into the payload and into this reader: valid until the next Read, while the payload
    // lives. False: not a canonical event (rot, or another format's record). Unknown keys are
    // passed over, so older binaries read newer records.
    bool Read(std::string_view payload, EventView& view);
    // As Read, for text that has no padding behind it: copies it first.
    bool ReadCopy(std::string_view payload, EventView& view);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace model
