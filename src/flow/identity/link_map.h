// Which ids are one person: the fold of the links stream (semantics 14-19).
//
// An id is known here by its keyed hash only. Ids form sets; each set has a root, whose hash is the
// person. Every node of a cluster folds the same stream in the same order and has the same map.
//
// Policy for a joining call (semantics 15):
//   trusted (secret key, or signed): joins; two sets that both hold a user id join only when the
//       call says so itself (alias, merge).
//   untrusted: joins only sets that no trusted call has named. Joining a set that one has is a
//       pending claim.
//
// A joined person's records go on being written under her old id until her state has arrived where
// she now belongs (Arrived): a copy of an event that was counted before the join can then never
// overtake what the mover brings, and is known for a copy (semantics 16).
//
// Threads: Fold and Arrived by one thread; the rest from any.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <shared_mutex>
#include <string>
#include <vector>

#include "model/ids.h"
#include "model/record.h"

namespace identity {

struct LinkId {
    model::IdKind kind = model::IdKind::kAnonymous;
    model::PersonId hash;
};

// A joining call: its ids, the founder first.
struct LinkCall {
    std::vector<LinkId> ids;
    bool trusted = false;
    bool merge = false;   // alias and merge calls may join two user ids.
};

std::string EncodeCall(const LinkCall& call);        // JSON payload of a kLink record.
bool DecodeCall(std::string_view payload, LinkCall& call);

// What became of one pair of a call.
struct Joined {
    model::PersonId from;   // Lost its own partition: moves to `to`.
    model::PersonId to;
    bool pending = false;   // Only a claim: nothing moved; `from` is the id claimed for `to`.
};

struct Resolved {
    model::PersonId person;   // Whose record this is now.
    bool needs_link = false;  // A kLink record would change something.
};

class LinkMap {
  public:
    // The person under whom an event with these ids (founder first) is written, before any link it
    // asks for.
    Resolved Resolve(const LinkCall& call) const;
    model::PersonId Root(const model::PersonId& id) const;

    // Applies a call at its place in the stream.
    void Fold(const LinkCall& call, std::vector<Joined>& joined);
    // The state of `moved` has been united with another person's.
    void Arrived(const model::PersonId& moved);

    // Stored form: one entry a node.
    template <typename Visit>  // visit(const PersonId&, std::string_view bytes)
    void ForEach(Visit&& visit) const {
        std::shared_lock lock(mutex_);
        for (const auto& [id, node] : nodes_) visit(id, Encode(node));
    }
    bool Load(const model::PersonId& id, std::string_view bytes);
    size_t size() const;

  private:
    struct Node {
        model::PersonId parent;       // Itself: a root.
        bool arrived = false;         // Her state has reached a parent.
        bool trusted = false;         // Of the whole set, kept at the root.
        bool has_user = false;        // The same.
        model::IdKind kind = model::IdKind::kAnonymous;
    };
    struct Set {
        model::PersonId root;
        bool trusted = false;
        bool has_user = false;
        model::IdKind kind = model::IdKind::kAnonymous;
    };
    Set SetOf(const LinkId& id) const;
    model::PersonId RootLocked(const model::PersonId& id) const;
    model::PersonId HomeLocked(const model::PersonId& id) const;   // As far as all have arrived.
    Node& Get(const LinkId& id);
    static std::string Encode(const Node& node);
    enum class Verdict { kSame, kJoin, kPending, kRefuse };
    static Verdict Judge(const Set& a, const Set& b, const LinkCall& call);

    mutable std::shared_mutex mutex_;
    boost::unordered_flat_map<model::PersonId, Node, model::PersonIdHash> nodes_;
};

}  // namespace identity
