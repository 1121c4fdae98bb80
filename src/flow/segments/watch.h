// Which conditions of a partition an event touches, and what each touch changes. One Watch serves
// one workspace in one partition; it is rebuilt when a definition begins, is shown or ends there.
//
// Three kinds of change lead to the same judgement: an event (its leaves), an attribute or touch
// (the segments that look at it), and time (leaves whose window flips).
//
// Threads: owned by the thread that folds the partition.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "catalog/catalog.h"
#include "language/evaluate/program.h"
#include "model/event.h"
#include "model/names.h"
#include "model/person.h"

namespace segments {

// A version of a segment as the partition has it.
struct Shown {
    catalog::SegmentPtr now;       // Judges; nullptr while only `before` does.
    catalog::SegmentPtr before;    // Judges those whom the open cursor has not visited.
};

// Whom the open cursor has visited; everybody else is judged under the version before.
struct CursorView {
    uint32_t segment = 0;          // 0: none open.
    model::PersonId last;
};

// One change of membership.
struct Move {
    uint32_t segment = 0;
    bool entered = false;
};

class Watch {
  public:
    // `leaves`: every leaf that accumulates here. `shown`: by segment number.
    void Build(const std::vector<evaluate::LeafPtr>& leaves,
               const std::vector<std::pair<uint32_t, Shown>>& shown, model::Names& names);

    bool empty() const { return leaves_.empty() && segments_.empty(); }
    // Whether leaves ask for events of this name.
    bool Asks(uint64_t event_hash) const { return by_event_.contains(event_hash); }

    // Adds the event to the leaves it concerns and marks what may have changed. Returns the
    // earliest instant at which one of them flips by time alone.
    base::TimeMs Add(model::Person& person, const model::EventView& event, uint64_t event_hash,
                     base::TimeMs now);
    void MarkAttribute(uint32_t name);
    void MarkTouches();
    void MarkAll();
    // As MarkAll for a person who was made just now and of whom nothing is known but what has been
    // marked: only segments that hold for somebody who did nothing can have her besides.
    void MarkNewborn() {
        for (const uint32_t index : nobody_segments_) MarkSegment(index);
    }
    // Marks what flips exactly at `now` by time alone.
    void MarkFlips(const model::Person& person, const model::Names& names, base::TimeMs now);
    bool marked() const { return any_marked_; }

    // Judges what is marked, in the order of dependence, updates the memberships and appends the
    // moves. Clears the marks.
    void Judge(model::Person& person, const model::Names& names, base::TimeMs now,
               const CursorView& cursor, std::vector<Move>& moves);

    // Earliest flip after `now` of all that the person has; kNeverMs: none.
    base::TimeMs NextFlip(const model::Person& person, const model::Names& names,
                          base::TimeMs now) const;
    // The same of her attributes alone.
    base::TimeMs NextDatedFlip(const model::Person& person, const model::Names& names,
                               base::TimeMs now) const;

    // Drops accumulators of leaves that are no longer here. True when there were some.
    bool Purge(model::Person& person) const;
    // Units two persons' accumulators.
    void Unite(model::Accumulators& into, const model::Accumulators& from) const;
    const evaluate::Leaf* FindLeaf(uint32_t id) const;

  private:
    struct Item {
        uint32_t number = 0;
        Shown shown;
        std::vector<uint32_t> dependents;  // Indexes of segments that name this one.
    };
    struct Asked {
        uint32_t id = 0;
        evaluate::LeafPtr leaf;
        std::vector<uint32_t> segments;    // Indexes whose condition has the leaf.
    };
    void MarkSegment(uint32_t index) {
        marks_[index / 64] |= 1ULL << (index % 64);
        any_marked_ = true;
    }
    void FindNobodySegments(const model::Names& names);

    std::vector<Asked> leaves_;            // Sorted by leaf id.
    std::vector<Item> segments_;           // In topological order.
    boost::unordered_flat_map<uint64_t, std::vector<uint32_t>> by_event_;      // -> leaves_
    boost::unordered_flat_map<uint32_t, std::vector<uint32_t>> by_attribute_;  // -> segments_
    std::vector<uint32_t> touch_segments_;
    std::vector<uint32_t> nobody_segments_;  // Hold for somebody who did nothing.
    std::vector<uint64_t> marks_;          // A bit for each of segments_.
    std::vector<std::pair<uint32_t, size_t>> found_;  // Of the event at hand: leaf, memory.
    std::vector<uint32_t> dated_leaves_;   // Comparisons whose answer time alone changes.
    bool any_marked_ = false;
};

// Order in which segments must be judged so that each comes after those it names. `programs` by
// number; the graph has no cycle (the catalog refuses them).
std::vector<uint32_t> TopologicalOrder(
    const std::vector<std::pair<uint32_t, std::vector<uint32_t>>>& names_of);

}  // namespace segments
