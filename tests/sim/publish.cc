// Bringing definitions to the partitions as server/publisher.h tells, one append after the other,
// so that a crash can fall between any two.

#include <algorithm>

#include "base/check.h"
#include "base/hash.h"
#include "server/history_scan.h"
#include "tests/sim/world.h"

namespace sim {
namespace {

using catalog::Change;

std::string NameOf(const Change& change) {
    return std::string("{\"kind\":\"") +
           (change.kind == Change::Kind::kJourney ? "journey" : "segment") +
           "\",\"number\":" + std::to_string(change.number) +
           ",\"version\":" + std::to_string(change.version);
}

model::NewRecord RecordOf(const Change& change, StreamId stream, model::RecordKind kind,
                          const std::string& more = {}) {
    model::NewRecord record;
    record.stream = stream;
    record.kind = kind;
    record.workspace = change.workspace;
    record.payload = NameOf(change) + more + "}";
    return record;
}

std::vector<evaluate::LeafPtr> LeavesOf(const catalog::Catalog& catalog, Change::Kind kind,
                                        uint32_t number, uint32_t version) {
    std::vector<evaluate::LeafPtr> leaves;
    if (kind == Change::Kind::kSegment) {
        const auto segment = catalog.FindSegment(number, version);
        if (segment) leaves = segment->program.leaves();
    } else {
        const auto journey = catalog.FindJourney(number, version);
        if (journey) leaves = journey->leaves;
    }
    std::erase_if(leaves, [](const auto& leaf) { return !leaf->needs_history(); });
    return leaves;
}

struct Taken {
    bool marked = false, ready = false, present = false;
    model::Offset marker = 0;
    std::vector<uint32_t> leaves;
};

Taken Ask(const server::PersonFold& fold, const catalog::Catalog& catalog, const Change& change) {
    Taken taken;
    for (const auto& t : fold.definitions()) {
        const bool same = t.kind == change.kind && t.number == change.number;
        taken.present = taken.present || same;
        if (same && t.version == change.version) {
            taken.marked = true;
            taken.ready = t.state == server::DefinitionState::kReady;
            taken.marker = t.marker;
        } else if (!same || t.state == server::DefinitionState::kReady) {
            for (const auto& leaf : LeavesOf(catalog, t.kind, t.number, t.version)) {
                taken.leaves.push_back(leaf->id());
            }
        }
    }
    return taken;
}

}  // namespace

void World::Publish(bool start_journeys, int steps_max) {
    const auto changes = catalog_->Changes();
    const auto fold_all = [&] {
        for (StreamId s = 0; s < streams_.size(); ++s) {
            while (FoldSome(s, SIZE_MAX)) {}
        }
    };
    CommitSome(SIZE_MAX);
    fold_all();
    for (size_t i = 0; i < changes.size(); ++i) {
        const Change& change = changes[i];
        const bool superseded = std::any_of(
            changes.begin() + static_cast<ptrdiff_t>(i) + 1, changes.end(), [&](const Change& c) {
                return c.kind == change.kind && c.number == change.number &&
                       (c.retired || change.kind == Change::Kind::kSegment);
            });
        if (superseded && !change.retired) continue;
        std::vector<Taken> taken;
        for (int p = 0; p < partitions(); ++p) taken.push_back(Ask(people(p), *catalog_, change));
        std::vector<model::NewRecord> first;
        for (size_t p = 0; p < taken.size(); ++p) {
            const auto stream = static_cast<StreamId>(p);
            if (change.retired && taken[p].present) {
                first.push_back(RecordOf(change, stream, model::RecordKind::kRetired));
            } else if (!change.retired && !taken[p].marked) {
                first.push_back(RecordOf(change, stream, model::RecordKind::kMarker));
            }
        }
        if (!first.empty()) {
            if (steps_max-- <= 0) return;
            for (const auto& at : AppendNow(std::move(first))) {
                taken[at.stream].marker = at.offset;
            }
            fold_all();
        }
        if (change.retired) continue;
        const auto leaves = LeavesOf(*catalog_, change.kind, change.number, change.version);
        for (size_t p = 0; p < taken.size(); ++p) {
            if (taken[p].ready) continue;
            const auto stream = static_cast<StreamId>(p);
            std::vector<evaluate::LeafPtr> fresh;
            for (const auto& leaf : leaves) {
                const auto& known = taken[p].leaves;
                if (std::find(known.begin(), known.end(), leaf->id()) == known.end()) {
                    fresh.push_back(leaf);
                }
            }
            if (!fresh.empty()) {
                const auto past = server::ScanLeaves(*log_, change.workspace, stream,
                                                     taken[p].marker, fresh);
                CHECK(past.has_value());
                // Pieces of two persons, so that a crash can fall between them.
                uint64_t part = 0;
                for (size_t at = 0; at < past->size(); at += 2, ++part) {
                    std::string persons;
                    for (size_t k = at; k < std::min(at + 2, past->size()); ++k) {
                        std::string state;
                        base::ByteWriter w(state);
                        model::EncodeAccumulators(w, (*past)[k].accumulators);
                        persons += std::string(persons.empty() ? "" : ",") + "[\"" +
                                   model::ToText((*past)[k].person) + "\",\"" +
                                   base::Base64Encode(state) + "\"]";
                    }
                    if (steps_max-- <= 0) return;
                    AppendNow({RecordOf(change, stream, model::RecordKind::kLoaded,
                                        ",\"part\":" + std::to_string(part) +
                                            ",\"persons\":[" + persons + "]")});
                }
            }
            if (steps_max-- <= 0) return;
            AppendNow({RecordOf(change, stream, model::RecordKind::kReady,
                                std::string(",\"start_journeys\":") +
                                    (start_journeys ? "true" : "false"))});
        }
        fold_all();
    }
}

}  // namespace sim
