// Names of things that travel between modules.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/hash.h"

namespace model {

using WorkspaceId = uint32_t;  // 1, 2, ... within a data directory.
// 0..N-1: person partitions; N: links; N+1: control (event_log/event_log.h).
using StreamId = uint16_t;
using Offset = uint64_t;  // Position of a record in its stream; the first is 1; 0: before all.

// Keyed hash of (workspace secret, kind, id), semantics 14. In JSON 32 hex digits, in the
// warehouse the lower 64 bits.
using PersonId = base::Hash128;

inline bool IsNobody(const PersonId& id) { return id.hi == 0 && id.lo == 0; }
std::string ToText(const PersonId& id);
bool FromText(std::string_view text, PersonId& id);  // 32 hex digits.

struct PersonIdHash {
    size_t operator()(const PersonId& id) const noexcept { return id.lo; }
};

// The kinds an id can be of. A user "u1" is not the anonymous "u1". The numbers are stored.
enum class IdKind : uint8_t { kAnonymous = 1, kEmail = 2, kUser = 3 };
std::string_view IdKindName(IdKind kind);  // "anonymous", "email", "user".

// Email addresses are trimmed and ASCII-lower-cased before they are hashed or compared.
std::string NormalEmail(std::string_view address);

PersonId PersonOf(const base::SipKey& workspace_secret, IdKind kind, std::string_view id);

// The partition of a person: from the hash alone, so that every node agrees.
inline StreamId PartitionOf(const PersonId& id, int partitions) {
    return static_cast<StreamId>(id.hi % static_cast<uint64_t>(partitions));
}

// (stream, offset, ordinal): names an effect, a derived fact or a row for ever. Ordinal 0 is the
// record itself, 1.. what the fold derived from it, in order.
struct FactKey {
    StreamId stream = 0;
    Offset offset = 0;
    uint32_t ordinal = 0;
    auto operator<=>(const FactKey&) const = default;
};
// "3-10-2"; used in URLs and JSON as the id of events, messages and facts.
std::string ToText(const FactKey& key);
bool FromText(std::string_view text, FactKey& key);

}  // namespace model

template <>
struct std::hash<model::PersonId> {
    size_t operator()(const model::PersonId& id) const noexcept { return id.lo; }
};
