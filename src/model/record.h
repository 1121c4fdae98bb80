// A record of the event log: what the engine folds. docs/formats/log.md has the bytes.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "model/ids.h"

namespace model {

// The numbers are stored; never reuse one.
enum class RecordKind : uint8_t {
    // Person partitions
    kEvent = 1,      // Something a person did; payload: canonical event (model/event.h).
    kTick = 2,       // Empty; moves time and open cursors.
    kStarted = 3,    // {down}: the server started after so many ms without a commit.
    kClaim = 4,      // A sender asks for a message; the fold grants or refuses.
    kOutcome = 5,    // What became of a granted message.
    kMovedOut = 6,   // A link took this person away to another partition.
    kMovedIn = 7,    // The person's state arrives where it now belongs.
    kForwarded = 8,  // A record that met a moved person, sent after her.
    kRelayed = 9,    // Relays of this stream up to here are durable at their targets.
    kMarker = 10,    // A definition version begins to accumulate here.
    kLoaded = 11,    // A piece of history state for a definition.
    kReady = 12,     // The definition version is shown from here on.
    kRetired = 13,   // The definition (or old version) ends here.
    kReceipt = 14,   // Opened, clicked, bounced, unsubscribed: about a message.
    kJoinClaim =
        15,  // An untrusted call claims to be this person; a teammate or a click settles it.
    kErased = 16,  // The workspace was deleted: everything of it goes, later records are ignored.
    // Links stream
    kLink = 32,  // A joining call asks for a link.
    kLinkDone = 33,
    // Control stream
    kControl = 64,  // A catalog change: workspace, key, definition, setting.
};

// What a writer hands to the log.
struct NewRecord {
    StreamId stream = 0;
    RecordKind kind = RecordKind::kEvent;
    WorkspaceId workspace = 0;
    PersonId person;           // Whom it is about; nobody for records of a whole partition.
    uint64_t fingerprint = 0;  // Keyed hash of (source key, messageId); 0: not deduplicated.
    uint64_t name_hash = 0;    // Keyed-less hash of the event name; lets history skip a payload.
    std::string payload;       // JSON text, or empty.
};

// What a reader gets. `payload` points into memory that the batch it came with keeps alive.
struct Record {
    StreamId stream = 0;
    RecordKind kind = RecordKind::kEvent;
    WorkspaceId workspace = 0;
    Offset offset = 0;
    base::TimeMs time_ms = 0;  // Given by the log when appended; never going back in a stream.
    PersonId person;
    uint64_t fingerprint = 0;
    uint64_t name_hash = 0;
    std::string_view payload;
};

// Event names are compared byte for byte; this hash is the same on every machine.
inline uint64_t NameHash(std::string_view name) {
    uint64_t h = 0xcbf29ce484222325ULL;  // FNV-1a 64.
    for (const char c : name) h = (h ^ static_cast<uint8_t>(c)) * 0x100000001b3ULL;
    return base::Mix64(h);
}

}  // namespace model
