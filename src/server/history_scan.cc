#include "server/history_scan.h"

#include <algorithm>
#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <thread>

#include "flow/profile/profile.h"
#include "model/event.h"
#include "model/names.h"
#include "server/payload.h"

namespace server {
namespace {

using base::TimeMs;
using evaluate::Leaf;
using evaluate::LeafPtr;
using model::PersonId;
using model::Record;
using model::RecordKind;

// Partitions lie side by side in the log and are read together: what was read for one is still in
// memory for the others as long as they keep together.
constexpr size_t kReadBytes = 256 * 1024;
// Looked up before their turn, so that person and payload are in the cache when it comes.
constexpr size_t kAheadRecords = 8;

// What is asked of every record.
struct Ask {
    model::WorkspaceId workspace = 0;
    base::SipKey secret{};
    boost::unordered_flat_map<uint64_t, std::vector<const Leaf*>> leaves;  // By event name.
    bool profile = false;    // Attributes and touches, too.
    bool everybody = false;  // Also persons of whom nothing is remembered.

    void Add(const Leaf& leaf) {
        if (leaf.kind() == Leaf::Kind::kComparison) {
            profile = true;
        } else if (leaf.needs_history()) {
            leaves[leaf.event_hash()].push_back(&leaf);
        }
    }
};

// A person as the records of one partition tell.
struct Known {
    PersonId id;
    PersonId moved_to;
    model::Accumulators accumulators;
    std::unique_ptr<model::TakenIds> taken;
    std::unique_ptr<model::Person> shadow;  // Only when attributes or touches are asked.

    bool moved() const { return !model::IsNobody(moved_to); }
};

model::Person& ShadowOf(Known& known, model::WorkspaceId workspace) {
    if (!known.shadow) {
        known.shadow = std::make_unique<model::Person>();
        known.shadow->id = known.id;
        known.shadow->workspace = workspace;
    }
    return *known.shadow;
}

// The fold of one partition in little: the same records are taken, dropped as copies, passed on.
class PartitionScan {
  public:
    // Will read records of `stream` up to offset `upto` and log time `until`.
    PartitionScan(const Ask& ask, model::StreamId stream, model::Offset upto, TimeMs until)
        : ask_(ask), stream_(stream), upto_(upto), until_(until), done_(upto == 0) {}

    bool done() const { return done_; }
    TimeMs now() const { return now_; }

    // Reads some more.
    base::Status Step(event_log::Log& log) {
        auto batch = log.Read(stream_, next_, kReadBytes);
        if (!batch) {
            if (batch.error().code != base::ErrorCode::kNotFound) {
                return tl::make_unexpected(std::move(batch.error()));
            }
            return base::Fail(
                base::ErrorCode::kUnavailable,
                "history is read from the log, which was trimmed: " + batch.error().internal);
        }
        const auto& records = batch->records;
        for (size_t i = 0; i < records.size(); ++i) {
            if (i + kAheadRecords < records.size()) Prefetch(records[i + kAheadRecords]);
            const Record& record = records[i];
            if (record.offset > upto_ || record.time_ms > until_) {
                done_ = true;
                return {};
            }
            ++events_;
            Apply(record);
        }
        if (!records.empty()) next_ = records.back().offset + 1;
        done_ = records.empty() || next_ > upto_;
        return {};
    }

    Known& Get(const PersonId& id) {
        const auto [it, added] = places_.try_emplace(id, nullptr);
        if (added) {
            it->second = &known_.emplace_back();
            it->second->id = id;
        }
        return *it->second;
    }

    std::deque<Known>& known() { return known_; }
    model::Names& names() { return names_; }
    uint64_t events() const { return events_; }
    // The attributes and touches of this mover were united with those of a person here.
    bool Arrived(const PersonId& who) const { return arrived_.contains(who); }

  private:
    bool Wanted(uint64_t name_hash) const {
        return ask_.profile || ask_.leaves.contains(name_hash);
    }

    void Prefetch(const Record& record) const {
        if (record.kind != RecordKind::kEvent || !Wanted(record.name_hash)) return;
        for (size_t at = 0; at < record.payload.size() && at < 512; at += 64) {
            __builtin_prefetch(record.payload.data() + at);
        }
        const auto it = places_.find(record.person);
        if (it == places_.end()) return;
        __builtin_prefetch(it->second);
        __builtin_prefetch(reinterpret_cast<const char*>(it->second) + 64);
    }

    void Apply(const Record& record) {
        now_ = std::max(now_, record.time_ms);
        if (record.workspace != ask_.workspace || model::IsNobody(record.person)) return;
        switch (record.kind) {
            case RecordKind::kEvent:
                if (ask_.everybody) Get(record.person);
                if (Wanted(record.name_hash)) {
                    ApplyEvent(record, record.payload);
                } else {
                    TakeId(record);
                }
                break;
            case RecordKind::kForwarded:
                if (ask_.everybody) Get(record.person);
                if (Wanted(record.name_hash)) {
                    ApplyForwarded(record);
                } else {
                    TakeId(record);
                }
                break;
            case RecordKind::kMovedOut:
                ApplyMovedOut(record);
                break;
            case RecordKind::kMovedIn:
                ApplyMovedIn(record);
                break;
            default:
                break;
        }
    }

    // An event that nothing asks for still uses up its message id: a later one of the same id and
    // another name is a copy to the fold, and so it must be here. The payload is not read.
    void TakeId(const Record& record) {
        if (record.fingerprint == 0) return;
        Known& known = Get(record.person);
        if (known.moved()) return;
        if (!known.taken) known.taken = std::make_unique<model::TakenIds>();
        known.taken->Take(record.fingerprint, now_);
    }

    void ApplyEvent(const Record& record, std::string_view payload) {
        Known& known = Get(record.person);
        // She lives elsewhere; the record was sent after her and is read there.
        if (known.moved()) return;
        if (record.fingerprint != 0) {
            if (!known.taken) known.taken = std::make_unique<model::TakenIds>();
            if (!known.taken->Take(record.fingerprint, now_)) return;
        }
        model::EventView event;
        if (!reader_.ReadCopy(payload, event)) return;
        if (ask_.profile) {
            changed_.Clear();
            profile::Apply(ShadowOf(known, ask_.workspace), names_, ask_.secret, event, now_,
                           changed_);
        }
        if (event.is_bot) return;
        const auto asked = ask_.leaves.find(record.name_hash);
        if (asked == ask_.leaves.end()) return;
        for (const Leaf* leaf : asked->second) {
            if (!leaf->Concerns(event)) continue;
            leaf->Add(model::GetAccumulator(known.accumulators, leaf->id()), event, now_);
        }
    }

    void ApplyForwarded(const Record& record) {
        Envelope envelope;
        if (!ReadEnvelope(record.payload, envelope) || !Accept(envelope.from)) return;
        if (envelope.kind == RecordKind::kEvent) ApplyEvent(record, envelope.payload);
    }

    void ApplyMovedOut(const Record& record) {
        MovedOut moved;
        if (!ReadMovedOut(record.payload, moved) || !Accept(moved.from)) return;
        Known& known = Get(record.person);
        if (!known.moved()) known.moved_to = moved.to;
    }

    // What she brings decides which later records are copies, and what later events change in her
    // attributes. What leaves remember of her is read in the partition she came from.
    void ApplyMovedIn(const Record& record) {
        MovedIn moved;
        if (!ReadMovedIn(record.payload, moved) || !Accept(moved.from)) return;
        Known& known = Get(record.person);
        model::Person theirs;
        if (known.moved() || !model::DecodePerson(moved.state, theirs)) return;
        if (theirs.taken) {
            if (!known.taken) known.taken = std::make_unique<model::TakenIds>();
            known.taken->Unite(*theirs.taken);
        }
        if (!ask_.profile) return;
        std::map<uint32_t, uint32_t> numbers;
        for (const auto& [number, text] : moved.names) numbers[number] = names_.Number(text);
        theirs.attributes.Renumber([&](uint32_t name) {
            const auto it = numbers.find(name);
            return it == numbers.end() ? model::Names::kUnknown : it->second;
        });
        profile::Unite(ShadowOf(known, ask_.workspace), theirs);
        arrived_.insert(moved.who);
    }

    // As the fold: relays of one stream come in their order, so an earlier place is a copy. Those
    // that are not looked at leave no trace, and neither do their copies.
    bool Accept(const model::FactKey& from) {
        auto& heard = heard_[from.stream];
        const std::pair place(from.offset, from.ordinal);
        if (place <= heard) return false;
        heard = place;
        return true;
    }

    const Ask& ask_;
    const model::StreamId stream_;
    const model::Offset upto_;
    const TimeMs until_;
    model::Offset next_ = 1;
    bool done_ = false;
    TimeMs now_ = 0;
    uint64_t events_ = 0;
    std::deque<Known> known_;
    boost::unordered_flat_map<PersonId, Known*, model::PersonIdHash> places_;
    std::map<model::StreamId, std::pair<model::Offset, uint32_t>> heard_;
    boost::unordered_flat_set<PersonId, model::PersonIdHash> arrived_;
    model::Names names_;
    profile::Changed changed_;
    model::EventReader reader_;
};

// Calls work(0..count-1) on `threads` threads, the caller's among them.
void InParallel(int threads, size_t count, const std::function<void(size_t)>& work) {
    std::atomic<size_t> next{0};
    const auto run = [&] {
        for (size_t i = next++; i < count; i = next++) work(i);
    };
    std::vector<std::thread> others;
    const size_t wanted = std::min(count, static_cast<size_t>(std::max(threads, 1)));
    for (size_t i = 1; i < wanted; ++i) others.emplace_back(run);
    run();
    for (auto& other : others) other.join();
}

// Reads all that the scans ask for. The one that is furthest behind in time goes on.
base::Status RunTogether(event_log::Log& log, std::deque<PartitionScan>& scans, int threads) {
    const size_t groups = std::min(scans.size(), static_cast<size_t>(std::max(threads, 1)));
    std::vector<base::Status> results(groups);
    InParallel(threads, groups, [&](size_t group) {
        while (results[group]) {
            PartitionScan* behind = nullptr;
            for (size_t i = group; i < scans.size(); i += groups) {
                if (scans[i].done()) continue;
                if (behind == nullptr || scans[i].now() < behind->now()) behind = &scans[i];
            }
            if (behind == nullptr) return;
            results[group] = behind->Step(log);
        }
    });
    for (auto& result : results) TRY(std::move(result));
    return {};
}

// A program and the segments it names, judged over the whole log.
class ProgramScan {
  public:
    ProgramScan(event_log::Log& log, const evaluate::Program& program, TimeMs as_of)
        : log_(log), program_(program), as_of_(as_of) {}

    base::Status Prepare(const catalog::Catalog& catalog, model::WorkspaceId workspace) {
        const auto known = catalog.FindWorkspace(workspace);
        if (!known) return base::Fail(base::ErrorCode::kNotFound, "no such workspace");
        ask_.workspace = workspace;
        ask_.secret = known->secret;
        TRY(Collect(program_, catalog, workspace));
        for (const auto& [id, leaf] : leaves_) ask_.Add(*leaf);
        // Whoever did nothing counts when the condition holds for somebody who did nothing.
        model::Person nobody;
        ask_.everybody = Holds(nobody, model::Names());
        return {};
    }

    base::Status Read(int threads) {
        const auto n = static_cast<size_t>(log_.partitions());
        for (size_t p = 0; p < n; ++p) {
            const auto stream = static_cast<model::StreamId>(p);
            scans_.emplace_back(ask_, stream, log_.End(stream), as_of_);
        }
        return RunTogether(log_, scans_, threads);
    }

    // Brings what is remembered of moved persons to those they became.
    void Join() {
        for (auto& scan : scans_) {
            // Roots that nothing else is known of are appended meanwhile; they have not moved.
            for (size_t i = 0; i < scan.known().size(); ++i) {
                Known& known = scan.known()[i];
                if (known.moved()) UniteInto(known, scan.names());
            }
        }
    }

    std::vector<PersonId> Judge(int threads) {
        std::vector<std::vector<PersonId>> found(scans_.size());
        InParallel(threads, scans_.size(), [&](size_t p) {
            model::Person scratch;
            for (Known& known : scans_[p].known()) {
                if (known.moved()) continue;
                model::Person& person = known.shadow ? *known.shadow : scratch;
                person.id = known.id;
                person.accumulators.swap(known.accumulators);
                if (Holds(person, scans_[p].names())) found[p].push_back(known.id);
                person.accumulators.swap(known.accumulators);
            }
        });
        std::vector<PersonId> all;
        for (const auto& part : found) all.insert(all.end(), part.begin(), part.end());
        std::sort(all.begin(), all.end());
        return all;
    }

    uint64_t events() const {
        uint64_t sum = 0;
        for (const auto& scan : scans_) sum += scan.events();
        return sum;
    }

  private:
    // Leaves of the program and of all that it names; segments after those they depend on.
    base::Status Collect(const evaluate::Program& program, const catalog::Catalog& catalog,
                         model::WorkspaceId workspace) {
        for (const auto& leaf : program.leaves()) leaves_[leaf->id()] = leaf;
        for (const uint32_t number : program.segments()) {
            if (std::any_of(segments_.begin(), segments_.end(),
                            [&](const auto& s) { return s->number == number; })) {
                continue;
            }
            const auto segment = catalog.CurrentSegment(workspace, number);
            if (!segment) {
                return base::Fail(
                    base::ErrorCode::kNotFound,
                    "the condition names segment " + std::to_string(number) + ", which is gone");
            }
            // The catalog refuses cycles; two saves at once cannot make one.
            TRY(Collect(segment->program, catalog, workspace));
            segments_.push_back(segment);
        }
        return {};
    }

    bool Holds(model::Person& person, const model::Names& names) const {
        person.segments.clear();
        const evaluate::Context context{person, names, as_of_};
        for (const auto& segment : segments_) {
            if (!segment->program.Holds(context)) continue;
            const model::Membership member{segment->number, as_of_};
            person.segments.insert(
                std::lower_bound(
                    person.segments.begin(), person.segments.end(), member,
                    [](const auto& a, const auto& b) { return a.segment < b.segment; }),
                member);
        }
        return program_.Holds(context);
    }

    PartitionScan& ScanOf(const PersonId& id) {
        return scans_[model::PartitionOf(id, log_.partitions())];
    }

    void UniteInto(Known& known, const model::Names& names) {
        Known* root = &ScanOf(known.moved_to).Get(known.moved_to);
        // A set's root never becomes one of its members' again, so the chain ends.
        while (root->moved()) root = &ScanOf(root->moved_to).Get(root->moved_to);
        for (const auto& theirs : known.accumulators) {
            leaves_.at(theirs.leaf)
                ->Unite(model::GetAccumulator(root->accumulators, theirs.leaf), theirs);
        }
        known.accumulators.clear();
        if (!known.shadow) return;
        const auto shadow = std::move(known.shadow);
        // Otherwise she was still on her way at the moment asked for.
        for (const auto& scan : scans_) {
            if (scan.Arrived(known.id)) return;
        }
        model::Names& ours = ScanOf(root->id).names();
        shadow->attributes.Renumber([&](uint32_t name) { return ours.Number(names.Text(name)); });
        profile::Unite(ShadowOf(*root, ask_.workspace), *shadow);
    }

    event_log::Log& log_;
    const evaluate::Program& program_;
    const TimeMs as_of_;
    Ask ask_;
    std::map<uint32_t, LeafPtr> leaves_;
    std::vector<catalog::SegmentPtr> segments_;
    std::deque<PartitionScan> scans_;
};

}  // namespace

base::Status ScanLeaves(event_log::Log& log, model::WorkspaceId workspace,
                        std::vector<LeafScan>& wanted, int threads) {
    std::deque<Ask> asks;
    std::deque<PartitionScan> scans;
    for (const LeafScan& scan : wanted) {
        Ask& ask = asks.emplace_back();
        ask.workspace = workspace;
        for (const auto& leaf : scan.leaves) {
            if (leaf->needs_history()) ask.Add(*leaf);
        }
        scans.emplace_back(ask, scan.partition, ask.leaves.empty() ? 0 : scan.upto,
                           base::kNeverMs);
    }
    TRY(RunTogether(log, scans, threads));
    for (size_t i = 0; i < wanted.size(); ++i) {
        auto& all = wanted[i].remembered;
        for (Known& known : scans[i].known()) {
            std::erase_if(known.accumulators, [](const auto& a) { return a.count == 0; });
            if (known.accumulators.empty()) continue;
            all.push_back({known.id, std::move(known.accumulators)});
        }
        std::sort(all.begin(), all.end(),
                  [](const Remembered& a, const Remembered& b) { return a.person < b.person; });
    }
    return {};
}

base::Result<std::vector<Remembered>> ScanLeaves(event_log::Log& log, model::WorkspaceId workspace,
                                                 model::StreamId partition, model::Offset upto,
                                                 const std::vector<LeafPtr>& leaves) {
    std::vector<LeafScan> one(1);
    one[0].partition = partition;
    one[0].upto = upto;
    one[0].leaves = leaves;
    TRY(ScanLeaves(log, workspace, one, 1));
    return std::move(one[0].remembered);
}

base::Result<PreviewResult> ScanProgram(event_log::Log& log, const catalog::Catalog& catalog,
                                        model::WorkspaceId workspace,
                                        const evaluate::Program& program, TimeMs as_of,
                                        int threads) {
    ProgramScan scan(log, program, as_of);
    TRY(scan.Prepare(catalog, workspace));
    TRY(scan.Read(threads));
    scan.Join();
    PreviewResult result;
    result.events = scan.events();
    result.persons = scan.Judge(threads);
    return result;
}

}  // namespace server
