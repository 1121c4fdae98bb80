#include "flow/segments/watch.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

namespace segments {
namespace {

using base::TimeMs;
using evaluate::Context;
using evaluate::Leaf;

void SetMembership(model::Person& person, uint32_t segment, bool member, TimeMs now) {
    auto it = std::lower_bound(
        person.segments.begin(), person.segments.end(), segment,
        [](const model::Membership& m, uint32_t s) { return m.segment < s; });
    const bool is = it != person.segments.end() && it->segment == segment;
    if (is == member) return;
    if (member) {
        person.segments.insert(it, {segment, now});
    } else {
        person.segments.erase(it);
    }
}

}  // namespace

std::vector<uint32_t> TopologicalOrder(
    const std::vector<std::pair<uint32_t, std::vector<uint32_t>>>& names_of) {
    std::map<uint32_t, const std::vector<uint32_t>*> graph;
    for (const auto& [number, names] : names_of) graph[number] = &names;
    std::vector<uint32_t> order;
    std::set<uint32_t> done;
    std::function<void(uint32_t)> visit = [&](uint32_t number) {
        const auto it = graph.find(number);
        if (it == graph.end() || !done.insert(number).second) return;
        for (const uint32_t named : *it->second) visit(named);
        order.push_back(number);
    };
    for (const auto& [number, names] : graph) visit(number);
    return order;
}

void Watch::Build(const std::vector<evaluate::LeafPtr>& leaves,
                  const std::vector<std::pair<uint32_t, Shown>>& shown, model::Names& names) {
    leaves_.clear();
    segments_.clear();
    by_event_.clear();
    by_attribute_.clear();
    touch_segments_.clear();
    dated_leaves_.clear();
    std::vector<std::pair<uint32_t, std::vector<uint32_t>>> names_of;
    std::map<uint32_t, const Shown*> by_number;
    for (const auto& [number, versions] : shown) {
        std::vector<uint32_t> named;
        for (const auto& segment : {versions.now, versions.before}) {
            if (!segment) continue;
            const auto& list = segment->program.segments();
            named.insert(named.end(), list.begin(), list.end());
        }
        names_of.emplace_back(number, std::move(named));
        by_number[number] = &versions;
    }
    std::map<uint32_t, uint32_t> index_of;
    for (const uint32_t number : TopologicalOrder(names_of)) {
        index_of[number] = static_cast<uint32_t>(segments_.size());
        segments_.push_back({number, *by_number[number], {}});
    }
    for (const auto& [number, named] : names_of) {
        for (const uint32_t other : named) {
            const auto it = index_of.find(other);
            if (it != index_of.end()) segments_[it->second].dependents.push_back(index_of[number]);
        }
    }
    std::map<uint32_t, Asked> asked;
    for (const auto& leaf : leaves) asked[leaf->id()].leaf = leaf;
    for (uint32_t i = 0; i < segments_.size(); ++i) {
        for (const auto& segment : {segments_[i].shown.now, segments_[i].shown.before}) {
            if (!segment) continue;
            for (const auto& leaf : segment->program.leaves()) {
                auto& entry = asked[leaf->id()];
                entry.leaf = leaf;
                if (entry.segments.empty() || entry.segments.back() != i) {
                    entry.segments.push_back(i);
                }
            }
        }
    }
    for (auto& [id, entry] : asked) {
        const auto index = static_cast<uint32_t>(leaves_.size());
        const Leaf& leaf = *entry.leaf;
        if (leaf.kind() != Leaf::Kind::kComparison) {
            by_event_[leaf.event_hash()].push_back(index);
        } else if (leaf.subject() == condition::Subject::kAttribute) {
            const auto outer = leaf.name().substr(0, leaf.name().find('.'));
            for (const auto& name : {leaf.name(), outer}) {
                auto& list = by_attribute_[names.Number(name)];
                list.insert(list.end(), entry.segments.begin(), entry.segments.end());
                if (outer == leaf.name()) break;
            }
        } else {
            touch_segments_.insert(touch_segments_.end(), entry.segments.begin(),
                                   entry.segments.end());
        }
        if (leaf.kind() == Leaf::Kind::kComparison && leaf.depends_on_time()) {
            dated_leaves_.push_back(index);
        }
        entry.id = id;
        leaves_.push_back(std::move(entry));
    }
    marks_.assign((segments_.size() + 63) / 64, 0);
    any_marked_ = false;
    FindNobodySegments(names);
}

// What somebody who did nothing and has no attribute is in does not depend on the time: there is
// nothing that could grow old.
void Watch::FindNobodySegments(const model::Names& names) {
    nobody_segments_.clear();
    model::Person under_now, under_before;
    for (uint32_t i = 0; i < segments_.size(); ++i) {
        const Item& item = segments_[i];
        const auto holds = [&](const catalog::SegmentPtr& segment, model::Person& nobody) {
            if (!segment || !segment->program.Holds(Context{nobody, names, 0})) return false;
            SetMembership(nobody, item.number, true, 0);
            return true;
        };
        const bool now = holds(item.shown.now, under_now);
        const bool before = holds(item.shown.before ? item.shown.before : item.shown.now,
                                  under_before);
        if (now || before) nobody_segments_.push_back(i);
    }
}

TimeMs Watch::Add(model::Person& person, const model::EventView& event, uint64_t event_hash,
                  TimeMs now) {
    TimeMs next = base::kNeverMs;
    const auto found = by_event_.find(event_hash);
    if (found == by_event_.end()) return next;
    // First where each memory lies, so that what they hold is on its way while the others are
    // looked for. Leaves come by rising id: a new memory moves none of those found before.
    found_.clear();
    size_t place = 0;
    for (const uint32_t index : found->second) {
        const Leaf& leaf = *leaves_[index].leaf;
        if (!leaf.Concerns(event)) continue;
        place = model::AccumulatorPlace(person.accumulators, leaf.id(), place);
        person.accumulators[place].more.Prefetch();
        found_.emplace_back(index, place);
    }
    for (const auto& [index, at] : found_) {
        const Asked& asked = leaves_[index];
        const Leaf& leaf = *asked.leaf;
        model::Accumulator& memory = person.accumulators[at];
        const bool before = leaf.Holds(&memory, now);
        leaf.Add(memory, event, now);
        if (leaf.Holds(&memory, now) != before) {
            for (const uint32_t segment : asked.segments) MarkSegment(segment);
        }
        if (leaf.depends_on_time()) next = std::min(next, leaf.NextFlip(&memory, now));
    }
    return next;
}

void Watch::MarkAttribute(uint32_t name) {
    const auto found = by_attribute_.find(name);
    if (found == by_attribute_.end()) return;
    for (const uint32_t segment : found->second) MarkSegment(segment);
}

void Watch::MarkTouches() {
    for (const uint32_t segment : touch_segments_) MarkSegment(segment);
}

void Watch::MarkAll() {
    for (uint32_t i = 0; i < segments_.size(); ++i) MarkSegment(i);
}

void Watch::MarkFlips(const model::Person& person, const model::Names& names, TimeMs now) {
    const auto mark = [&](const Asked& asked) {
        for (const uint32_t segment : asked.segments) MarkSegment(segment);
    };
    for (const auto& memory : person.accumulators) {
        const auto it = std::lower_bound(
            leaves_.begin(), leaves_.end(), memory.leaf,
            [](const Asked& a, uint32_t id) { return a.id < id; });
        if (it == leaves_.end() || it->id != memory.leaf) continue;
        if (it->leaf->depends_on_time() && it->leaf->NextFlip(&memory, now - 1) == now) mark(*it);
    }
    for (const uint32_t index : dated_leaves_) {
        if (leaves_[index].leaf->NextFlip(Context{person, names, now - 1}) == now) {
            mark(leaves_[index]);
        }
    }
}

void Watch::Judge(model::Person& person, const model::Names& names, TimeMs now,
                  const CursorView& cursor, std::vector<Move>& moves) {
    if (!any_marked_) return;
    any_marked_ = false;
    // Dependents come later in topological order, so their marks are still ahead when they are set.
    for (size_t word = 0; word < marks_.size();) {
        if (marks_[word] == 0) {
            ++word;
            continue;
        }
        const auto bit = static_cast<size_t>(__builtin_ctzll(marks_[word]));
        marks_[word] &= marks_[word] - 1;
        const Item& item = segments_[word * 64 + bit];
        const bool waiting = cursor.segment == item.number && cursor.last < person.id;
        const auto& segment = waiting ? item.shown.before : item.shown.now;
        if (!segment) continue;
        const bool member = segment->program.Holds(Context{person, names, now});
        if (member == person.InSegment(item.number)) continue;
        SetMembership(person, item.number, member, now);
        moves.push_back({item.number, member});
        for (const uint32_t dependent : item.dependents) MarkSegment(dependent);
    }
    any_marked_ = false;
}

TimeMs Watch::NextFlip(const model::Person& person, const model::Names& names,
                       TimeMs now) const {
    TimeMs next = base::kNeverMs;
    for (const auto& memory : person.accumulators) {
        const Leaf* leaf = FindLeaf(memory.leaf);
        if (leaf != nullptr && leaf->depends_on_time()) {
            next = std::min(next, leaf->NextFlip(&memory, now));
        }
    }
    return std::min(next, NextDatedFlip(person, names, now));
}

TimeMs Watch::NextDatedFlip(const model::Person& person, const model::Names& names,
                            TimeMs now) const {
    TimeMs next = base::kNeverMs;
    for (const uint32_t index : dated_leaves_) {
        next = std::min(next, leaves_[index].leaf->NextFlip(Context{person, names, now}));
    }
    return next;
}

const Leaf* Watch::FindLeaf(uint32_t id) const {
    const auto it = std::lower_bound(
        leaves_.begin(), leaves_.end(), id,
        [](const Asked& a, uint32_t wanted) { return a.id < wanted; });
    return it != leaves_.end() && it->id == id ? it->leaf.get() : nullptr;
}

bool Watch::Purge(model::Person& person) const {
    return std::erase_if(person.accumulators, [&](const model::Accumulator& a) {
               return FindLeaf(a.leaf) == nullptr;
           }) > 0;
}

void Watch::Unite(model::Accumulators& into, const model::Accumulators& from) const {
    for (const auto& theirs : from) {
        const Leaf* leaf = FindLeaf(theirs.leaf);
        if (leaf != nullptr) {
            leaf->Unite(model::GetAccumulator(into, theirs.leaf), theirs);
        } else if (model::FindAccumulator(into, theirs.leaf) == nullptr) {
            // Its marker is still on the way to this partition; what she brings must not be lost.
            model::GetAccumulator(into, theirs.leaf) = theirs;
        }
    }
}

}  // namespace segments
