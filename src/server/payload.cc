#include "server/payload.h"

#include <simdjson.h>

#include "base/bytes.h"
#include "base/hash.h"

namespace server {
namespace {

using simdjson::dom::element;

// The parser keeps the document alive until the next call on this thread.
bool Parse(std::string_view payload, element& root) {
    static thread_local simdjson::dom::parser parser;
    static thread_local simdjson::padded_string text;
    text = simdjson::padded_string(payload);
    return parser.parse(text).get(root) == simdjson::SUCCESS;
}

bool KeyOf(element root, std::string_view field, model::FactKey& key) {
    uint64_t stream = 0, offset = 0, ordinal = 0;
    element e;
    if (root[field].get(e) != simdjson::SUCCESS ||
        e.at(0).get(stream) != simdjson::SUCCESS || e.at(1).get(offset) != simdjson::SUCCESS ||
        e.at(2).get(ordinal) != simdjson::SUCCESS) {
        return false;
    }
    key.stream = static_cast<model::StreamId>(stream);
    key.offset = offset;
    key.ordinal = static_cast<uint32_t>(ordinal);
    return true;
}

bool Unpack(MovedIn& moved) {
    base::ByteReader in(moved.packed);
    moved.names.clear();
    for (uint64_t n = in.Count(); n > 0 && in.ok(); --n) {
        const auto number = static_cast<uint32_t>(in.Varint());
        moved.names.emplace_back(number, in.Text());
    }
    moved.state = in.Raw(in.left());
    return in.ok();
}

bool IdOf(element root, std::string_view field, model::PersonId& id) {
    std::string_view text;
    return root[field].get(text) == simdjson::SUCCESS && model::FromText(text, id);
}

}  // namespace

bool ReadEnvelope(std::string_view payload, Envelope& envelope) {
    element root;
    uint64_t kind = 0;
    if (!Parse(payload, root) || !KeyOf(root, "from", envelope.from) ||
        root["kind"].get(kind) != simdjson::SUCCESS) {
        return false;
    }
    envelope.kind = static_cast<model::RecordKind>(kind);
    // The payload is the last field: everything from behind its name to the closing brace.
    constexpr std::string_view kName = ",\"payload\":";
    const size_t at = payload.find(kName);
    if (at == std::string_view::npos) return false;
    envelope.payload = payload.substr(at + kName.size(), payload.size() - at - kName.size() - 1);
    if (envelope.payload == "null") envelope.payload = {};
    return true;
}

bool ReadMovedOut(std::string_view payload, MovedOut& moved) {
    element root;
    return Parse(payload, root) && KeyOf(root, "from", moved.from) && IdOf(root, "to", moved.to);
}

bool ReadMovedIn(std::string_view payload, MovedIn& moved) {
    element root;
    std::string_view state;
    return Parse(payload, root) && KeyOf(root, "from", moved.from) &&
           IdOf(root, "who", moved.who) && root["state"].get(state) == simdjson::SUCCESS &&
           base::Base64Decode(state, moved.packed) && Unpack(moved);
}

std::string PackMover(const model::Person& person, const model::Names& names) {
    std::string out;
    base::ByteWriter w(out);
    w.Varint(person.attributes.count());
    person.attributes.ForEachStored([&](uint32_t name, const model::AttributeValue&) {
        w.Varint(name);
        w.Text(names.Text(name));
    });
    model::EncodePerson(out, person);
    return out;
}

bool ReadKeyField(std::string_view payload, std::string_view field, model::FactKey& key) {
    element root;
    return Parse(payload, root) && KeyOf(root, field, key);
}

int64_t ReadIntField(std::string_view payload, std::string_view field) {
    element root;
    int64_t value = 0;
    if (!Parse(payload, root) || root[field].get(value) != simdjson::SUCCESS) return 0;
    return value;
}

std::string ReadTextField(std::string_view payload, std::string_view field) {
    element root;
    std::string_view value;
    if (!Parse(payload, root) || root[field].get(value) != simdjson::SUCCESS) return {};
    return std::string(value);
}

bool ReadBoolField(std::string_view payload, std::string_view field) {
    element root;
    bool value = false;
    return Parse(payload, root) && root[field].get(value) == simdjson::SUCCESS && value;
}

std::string PersonKeyOf(const model::PersonId& id) {
    std::string key = "p";
    for (const uint64_t half : {id.hi, id.lo}) {
        for (int shift = 56; shift >= 0; shift -= 8) {
            key.push_back(static_cast<char>(half >> shift & 255));
        }
    }
    return key;
}

}  // namespace server
