// What the fold tells the senders: messages that wait, and messages that were granted to them.
// Derived state (semantics 1): after a start the fold lists again what neither ended nor expired.
#pragma once

#include <string>

#include "base/time.h"
#include "model/ids.h"

namespace model {

// Gives out the keys of the facts that one record leads to, in order.
struct FactNumbers {
    StreamId stream = 0;
    Offset offset = 0;
    uint32_t ordinal = 0;
    FactKey Next() { return {stream, offset, ++ordinal}; }
};

struct OutboxEvent {
    enum class Kind : uint8_t {
        kWaiting,  // May be claimed from now on.
        kGranted,  // To be sent now; values and address are filled.
        kClosed,   // Needs no sender any more.
    };
    Kind kind = Kind::kWaiting;
    FactKey message;
    StreamId stream = 0;      // Partition where the person lives now: claims go there.
    WorkspaceId workspace = 0;
    PersonId person;
    uint32_t journey = 0;
    uint32_t version = 0;
    uint32_t step = 0;        // Index into the journey's program.
    uint32_t attempt = 0;     // 1: the first.
    bool claimed_before = false;  // Listed after a start while claimed: its fate must be looked up.
    base::TimeMs created_ms = 0;
    std::string address;
    std::string values;       // {"person": {...}, "event": {...}, "journey": {...}}
};

// What a visitor, or a mail server, did about a message. Numbers are stored.
enum class ReceiptKind : uint8_t {
    kOpened = 1, kClicked = 2, kUnsubscribed = 3, kBounced = 4, kComplained = 5, kDelivered = 6,
};

}  // namespace model
