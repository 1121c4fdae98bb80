// What a partition notes for the live stream while it folds: whom somebody watches, and which
// events were copies. While nobody watches anybody it is one branch a change.
//
// Threads: the engine's thread for the partition; a bell is heard by the hub's.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "model/ids.h"

namespace server {

// Rung when a watched person changes. Bounded by itself: until it is heard it stays rung.
struct PersonBell {
    model::WorkspaceId workspace = 0;
    std::function<void()> wake;      // Called when it begins to ring; must not block.
    std::atomic<bool> rung{false};

    void Ring() {
        if (!rung.exchange(true, std::memory_order_acq_rel)) wake();
    }
};
using PersonBellPtr = std::shared_ptr<PersonBell>;

class LiveNotes {
  public:
    // A change of her begins. Who asks now is answered after the record.
    void Touched(model::WorkspaceId workspace, const model::PersonId& id) {
        if (watched_.empty()) [[likely]] return;
        const auto [from, to] = watched_.equal_range(id);
        for (auto it = from; it != to; ++it) {
            if (it->second->workspace == workspace) it->second->Ring();
        }
    }
    // The event of this record was a copy of one taken before.
    void Dropped(model::Offset offset) { dropped_[dropped_at_++ % dropped_.size()] = offset; }

    // Rings at once: what happened before is news to who watches from now on.
    void Watch(const model::PersonId& id, const PersonBellPtr& bell) {
        watched_.emplace(id, bell);
        bell->Ring();
    }
    void Unwatch(const model::PersonId& id, const PersonBellPtr& bell) {
        const auto [from, to] = watched_.equal_range(id);
        for (auto it = from; it != to; ++it) {
            if (it->second != bell) continue;
            watched_.erase(it);
            return;
        }
    }
    // Copies at `from` or later, as far as they are remembered: the last 1,024.
    std::vector<model::Offset> DroppedFrom(model::Offset from) const {
        std::vector<model::Offset> found;
        for (const model::Offset offset : dropped_) {
            if (offset >= from && offset != 0) found.push_back(offset);
        }
        return found;
    }

  private:
    std::multimap<model::PersonId, PersonBellPtr> watched_;
    std::array<model::Offset, 1024> dropped_{};
    size_t dropped_at_ = 0;
};

}  // namespace server
