// Payloads of the records that the server writes for itself; docs/formats/records.md has them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/ids.h"
#include "model/names.h"
#include "model/person.h"
#include "model/record.h"

namespace server {

// A record that came after a moved person, or from the server itself.
struct Envelope {
    model::FactKey from;
    model::RecordKind kind = model::RecordKind::kEvent;
    std::string_view payload;   // View into the text that was read.
};
bool ReadEnvelope(std::string_view payload, Envelope& envelope);

struct MovedOut {
    model::FactKey from;
    model::PersonId to;
};
bool ReadMovedOut(std::string_view payload, MovedOut& moved);

struct MovedIn {
    model::FactKey from;
    model::PersonId who;
    std::string packed;         // names and state, as the record carries them.
    std::vector<std::pair<uint32_t, std::string>> names;   // Of attributes, by the mover's numbers.
    std::string state;          // model::EncodePerson.
};
// Numbers of names mean something in one partition only, so their texts go along.
std::string PackMover(const model::Person& person, const model::Names& names);
bool ReadMovedIn(std::string_view payload, MovedIn& moved);

// One key [stream, offset, ordinal] of the object.
bool ReadKeyField(std::string_view payload, std::string_view field, model::FactKey& key);
// 0 when it is not there.
int64_t ReadIntField(std::string_view payload, std::string_view field);
std::string ReadTextField(std::string_view payload, std::string_view field);
bool ReadBoolField(std::string_view payload, std::string_view field);

// Keys of a checkpoint's entries.
std::string PersonKeyOf(const model::PersonId& id);   // 'p' and 16 bytes, big-endian: id order.
inline constexpr std::string_view kMetaKey = "m";

}  // namespace server
