// Request bodies of tracking clients -> canonical events (docs/formats/event.md). No sockets, no
// log, no clock: the facts of the request come as arguments.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/time.h"
#include "flow/ingest/route.h"
#include "model/event.h"

namespace ingest {

class UserAgents;  // device.h
class Places;      // place.h

enum class TrackingPolicy : uint8_t {
    kIgnoreSignals,  // DNT and GPC change nothing.
    kHonourSignals,  // From a public key with DNT: 1 or Sec-GPC: 1 nothing is stored.
};

// What is known of a request besides its body. Views live as long as the call.
struct RequestFacts {
    model::Trust key_trust = model::Trust::kPublicKey;  // kPublicKey or kSecret.
    std::string_view key_id;              // Short id of the key; dedupe is scoped by it.
    base::SipKey person_key{};            // The workspace's secret behind person ids.
    std::string_view identity_secret;     // For context.ripen.signature; empty: none is valid.
    base::TimeMs received_ms = 0;
    std::string_view peer_ip;             // Text; used for the place, never stored.
    std::string_view user_agent;          // Header; used for public keys.
    std::string_view query;               // Pixel: ?data=; PostHog: ?_=, ?ip=.
    base::Hash128 random;                 // Fresh for each request: made message ids.
    TrackingPolicy policy = TrackingPolicy::kIgnoreSignals;
    bool do_not_track = false;            // DNT: 1
    bool global_privacy_control = false;  // Sec-GPC: 1
    bool import = false;                  // Times are trusted (secret key only).
};

struct Refused {
    size_t index = 0;    // Position in the batch.
    std::string reason;  // For the client and the event debugger: "userId: longer than 512 bytes".
    std::string raw;     // The event as it came, cut at limits::kRefusedRawBytesMax.
};

// Events hold views into the decoder and the body: valid until the next Decode, while the body
// lives unchanged.
struct Decoded {
    std::vector<model::Event> events;
    std::vector<Refused> refused;
    size_t not_tracked = 0;      // Events not kept because of DNT or GPC.
    size_t self_aliases = 0;     // Alias calls that join an id with itself: done by doing nothing.
    base::TimeMs sent_at_ms = 0; // 0: the client did not say.
    bool single = false;         // One event was sent, not a batch.
};

// One thread; reuse it: its buffers grow to the largest body and stay.
class Decoder {
  public:
    // Either may be nullptr: device and place stay empty. Both belong to the same thread.
    Decoder(UserAgents* user_agents, Places* places);
    ~Decoder();
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;

    // Decodes one body (already inflated, see inflate.h). The body's capacity may grow by
    // model::kJsonPadding bytes; its text does not change.
    // A bad event is refused alone and the others are taken; the whole request fails with:
    // Errors: kInvalidArgument (not JSON, not UTF-8, no batch), kTooLarge (more than
    // limits::kBatchBytesMax bytes or limits::kBatchEventsMax events).
    base::Result<const Decoded*> Decode(const Route& route, std::string& body,
                                        const RequestFacts& facts);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace ingest
