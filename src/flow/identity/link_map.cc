#include "flow/identity/link_map.h"

#include <simdjson.h>

#include <mutex>

#include "base/bytes.h"
#include "base/json.h"

namespace identity {

std::string EncodeCall(const LinkCall& call) {
    std::string out;
    base::JsonWriter w(out);
    w.Begin('{').Key("ids").Begin('[');
    for (const auto& id : call.ids) {
        w.Begin('[').Int(static_cast<int64_t>(id.kind)).String(model::ToText(id.hash)).End(']');
    }
    w.End(']').Key("trusted").Bool(call.trusted).Key("merge").Bool(call.merge).End('}');
    return out;
}

bool DecodeCall(std::string_view payload, LinkCall& call) {
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    if (parser.parse(simdjson::padded_string(payload)).get(root) != simdjson::SUCCESS) return false;
    simdjson::dom::array ids;
    if (root["ids"].get(ids) != simdjson::SUCCESS ||
        root["trusted"].get(call.trusted) != simdjson::SUCCESS ||
        root["merge"].get(call.merge) != simdjson::SUCCESS) {
        return false;
    }
    call.ids.clear();
    for (const simdjson::dom::element e : ids) {
        int64_t kind = 0;
        std::string_view hash;
        LinkId id;
        if (e.at(0).get(kind) != simdjson::SUCCESS || e.at(1).get(hash) != simdjson::SUCCESS ||
            kind < 1 || kind > 3 || !model::FromText(hash, id.hash)) {
            return false;
        }
        id.kind = static_cast<model::IdKind>(kind);
        call.ids.push_back(id);
    }
    return !call.ids.empty();
}

model::PersonId LinkMap::RootLocked(const model::PersonId& id) const {
    model::PersonId at = id;
    while (true) {
        const auto it = nodes_.find(at);
        if (it == nodes_.end() || it->second.parent == at) return at;
        at = it->second.parent;
    }
}

model::PersonId LinkMap::HomeLocked(const model::PersonId& id) const {
    model::PersonId at = id;
    while (true) {
        const auto it = nodes_.find(at);
        if (it == nodes_.end() || it->second.parent == at || !it->second.arrived) return at;
        at = it->second.parent;
    }
}

void LinkMap::Arrived(const model::PersonId& moved) {
    std::unique_lock lock(mutex_);
    const auto it = nodes_.find(moved);
    if (it != nodes_.end()) it->second.arrived = true;
}

model::PersonId LinkMap::Root(const model::PersonId& id) const {
    std::shared_lock lock(mutex_);
    return RootLocked(id);
}

LinkMap::Set LinkMap::SetOf(const LinkId& id) const {
    const model::PersonId root = RootLocked(id.hash);
    const auto it = nodes_.find(root);
    if (it == nodes_.end()) return {root, false, id.kind == model::IdKind::kUser, id.kind};
    return {root, it->second.trusted, it->second.has_user, it->second.kind};
}

LinkMap::Verdict LinkMap::Judge(const Set& a, const Set& b, const LinkCall& call) {
    if (a.root == b.root) return Verdict::kSame;
    if (a.has_user && b.has_user && !(call.merge && call.trusted)) return Verdict::kRefuse;
    if (call.trusted) return Verdict::kJoin;
    return a.trusted || b.trusted ? Verdict::kPending : Verdict::kJoin;
}

Resolved LinkMap::Resolve(const LinkCall& call) const {
    Resolved result;
    if (call.ids.empty()) return result;
    std::shared_lock lock(mutex_);
    const Set first = SetOf(call.ids.front());
    result.person = HomeLocked(call.ids.front().hash);
    // Only ids that somebody can own are worth a mark of trust.
    if (call.trusted && !first.trusted && call.ids.front().kind != model::IdKind::kAnonymous) {
        result.needs_link = true;
    }
    for (size_t i = 1; i < call.ids.size(); ++i) {
        const Set other = SetOf(call.ids[i]);
        const Verdict verdict = Judge(first, other, call);
        if (verdict == Verdict::kJoin || verdict == Verdict::kPending) result.needs_link = true;
        // An untrusted call that names somebody's id does not write on that person's card as long
        // as it has an own browser to be known by.
        if (verdict == Verdict::kPending && first.trusted) {
            result.person = HomeLocked(call.ids[i].hash);
        }
        if (call.trusted && !other.trusted && call.ids[i].kind != model::IdKind::kAnonymous) {
            result.needs_link = true;
        }
    }
    return result;
}

LinkMap::Node& LinkMap::Get(const LinkId& id) {
    auto [it, added] = nodes_.try_emplace(id.hash);
    if (added) {
        it->second.parent = id.hash;
        it->second.kind = id.kind;
        it->second.has_user = id.kind == model::IdKind::kUser;
    }
    return it->second;
}

void LinkMap::Fold(const LinkCall& call, std::vector<Joined>& joined) {
    if (call.ids.empty()) return;
    std::unique_lock lock(mutex_);
    for (const auto& id : call.ids) Get(id);
    for (size_t i = 1; i < call.ids.size(); ++i) {
        const Set a = SetOf(call.ids.front());
        const Set b = SetOf(call.ids[i]);
        const Verdict verdict = Judge(a, b, call);
        if (verdict == Verdict::kPending) {
            const bool first_owned = a.trusted;
            joined.push_back({first_owned ? b.root : a.root, first_owned ? a.root : b.root, true});
        }
        if (verdict != Verdict::kJoin) continue;
        // The root is the id of the higher kind; of equal kinds the founder of this call.
        const bool keep_a = a.kind >= b.kind;
        const Set& winner = keep_a ? a : b;
        const Set& loser = keep_a ? b : a;
        Node& root = nodes_[winner.root];
        Node& moved = nodes_[loser.root];
        moved.parent = winner.root;
        root.trusted = root.trusted || moved.trusted;
        root.has_user = root.has_user || moved.has_user;
        joined.push_back({loser.root, winner.root, false});
    }
    if (!call.trusted) return;
    for (const auto& id : call.ids) {
        if (id.kind != model::IdKind::kAnonymous) nodes_[RootLocked(id.hash)].trusted = true;
    }
}

std::string LinkMap::Encode(const Node& node) {
    std::string out;
    base::ByteWriter w(out);
    w.U64(node.parent.hi);
    w.U64(node.parent.lo);
    w.U8(static_cast<uint8_t>((node.trusted ? 1 : 0) | (node.has_user ? 2 : 0) |
                              (node.arrived ? 4 : 0)));
    w.U8(static_cast<uint8_t>(node.kind));
    return out;
}

bool LinkMap::Load(const model::PersonId& id, std::string_view bytes) {
    base::ByteReader in(bytes);
    Node node;
    node.parent.hi = in.U64();
    node.parent.lo = in.U64();
    const uint8_t flags = in.U8();
    node.trusted = (flags & 1) != 0;
    node.has_user = (flags & 2) != 0;
    node.arrived = (flags & 4) != 0;
    node.kind = static_cast<model::IdKind>(in.U8());
    if (!in.ok()) return false;
    std::unique_lock lock(mutex_);
    nodes_[id] = node;
    return true;
}

size_t LinkMap::size() const {
    std::shared_lock lock(mutex_);
    return nodes_.size();
}

}  // namespace identity
