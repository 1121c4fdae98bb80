#include "server/publisher.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/hash.h"
#include "base/json.h"
#include "server/history_scan.h"
#include "server/person_fold.h"

namespace server {
namespace {

using catalog::Change;

constexpr size_t kLoadedBytesMax = 256 * 1024;   // Of one kLoaded record.
constexpr size_t kAppendBytes = 4 * 1024 * 1024;   // Of records for several partitions at once.
constexpr int kScanThreads = 2;
constexpr auto kRetryWait = std::chrono::seconds(5);

std::string NameOf(const Change& change, bool start_journeys) {
    std::string out;
    base::JsonWriter w(out);
    w.Begin('{').Key("kind");
    w.String(change.kind == Change::Kind::kJourney ? "journey" : "segment");
    w.Key("number").Int(change.number).Key("version").Int(change.version);
    w.Key("start_journeys").Bool(start_journeys).End('}');
    return out;
}

model::NewRecord RecordOf(const Change& change, model::StreamId stream, model::RecordKind kind) {
    model::NewRecord record;
    record.stream = stream;
    record.kind = kind;
    record.workspace = change.workspace;
    record.payload = NameOf(change, false);
    return record;
}

// What a scan found, in pieces.
std::vector<model::NewRecord> LoadedRecords(const Change& change, const LeafScan& scan) {
    std::vector<model::NewRecord> records;
    std::string json;
    const auto close = [&] {
        if (json.empty()) return;
        auto record = RecordOf(change, scan.partition, model::RecordKind::kLoaded);
        record.payload.back() = ',';
        record.payload += "\"part\":" + std::to_string(records.size()) + ",\"persons\":[" + json +
                          "]}";
        records.push_back(std::move(record));
        json.clear();
    };
    for (const auto& r : scan.remembered) {
        std::string state;
        base::ByteWriter w(state);
        model::EncodeAccumulators(w, r.accumulators);
        if (!json.empty()) json += ',';
        json += "[\"" + model::ToText(r.person) + "\",\"" + base::Base64Encode(state) + "\"]";
        if (json.size() >= kLoadedBytesMax) close();
    }
    close();
    return records;
}

}  // namespace

Publisher::Publisher(engine::Engine& engine, event_log::Log& log, const catalog::Catalog& catalog)
    : engine_(engine), log_(log), catalog_(catalog), thread_([this] { Run(); }) {}

Publisher::~Publisher() {
    {
        std::lock_guard lock(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Publisher::Changed() {
    {
        std::lock_guard lock(mutex_);
        wanted_ = true;
        settled_ = false;
    }
    changed_.notify_all();
}

std::optional<base::Error> Publisher::error() const {
    std::lock_guard lock(mutex_);
    return error_;
}

void Publisher::Run() {
    std::unique_lock lock(mutex_);
    while (!stop_) {
        if (!wanted_) {
            changed_.wait(lock, [&] { return stop_ || wanted_; });
            continue;
        }
        wanted_ = false;
        lock.unlock();
        const auto status = Round();
        lock.lock();
        if (status) {
            error_.reset();
            if (!wanted_) settled_ = true;
            continue;
        }
        error_ = status.error();
        wanted_ = true;
        changed_.wait_for(lock, kRetryWait, [&] { return stop_; });
    }
}

base::Status Publisher::Round() {
    const auto changes = catalog_.Changes();
    for (; done_ < changes.size(); ++done_) {
        {
            std::lock_guard lock(mutex_);
            if (stop_) return {};
        }
        const Change& change = changes[done_];
        // Partitions let all of it go at once (server/eraser.h).
        if (catalog_.IsDeleted(change.workspace)) continue;
        // What a later change replaces or retires needs no publishing of its own any more.
        const bool superseded = std::any_of(
            changes.begin() + static_cast<ptrdiff_t>(done_) + 1, changes.end(),
            [&](const Change& later) {
                return later.kind == change.kind && later.number == change.number &&
                       (later.retired || change.kind == Change::Kind::kSegment);
            });
        if (superseded && !change.retired) {
            const auto taken = Ask(change);
            const bool begun =
                std::any_of(taken.begin(), taken.end(), [](const Taken& t) { return t.marked; });
            if (!begun) continue;
        }
        if (change.retired) {
            TRY(Retire(change));
        } else {
            TRY(Take(change));
        }
    }
    return {};
}

std::vector<evaluate::LeafPtr> Publisher::LeavesOf(const Change& change) const {
    std::vector<evaluate::LeafPtr> leaves;
    if (change.kind == Change::Kind::kSegment) {
        const auto segment = catalog_.FindSegment(change.number, change.version);
        if (segment) leaves = segment->program.leaves();
    } else {
        const auto journey = catalog_.FindJourney(change.number, change.version);
        if (journey) leaves = journey->leaves;
    }
    std::erase_if(leaves, [](const auto& leaf) { return !leaf->needs_history(); });
    return leaves;
}

std::vector<Publisher::Taken> Publisher::Ask(const Change& change) {
    const int n = engine_.partitions();
    std::vector<Taken> answers(static_cast<size_t>(n));
    std::mutex mutex;
    std::condition_variable answered;
    int waiting = n;
    for (int p = 0; p < n; ++p) {
        // Asked behind everything that the log holds now: markers of an earlier try among it.
        const model::Offset end = log_.End(static_cast<model::StreamId>(p));
        engine_.Post(static_cast<model::StreamId>(p), [&, p, end](engine::Fold& fold) {
            if (fold.applied() < end) return false;
            Taken taken;
            for (const auto& t : static_cast<PersonFold&>(fold).definitions()) {
                if (t.kind != change.kind || t.number != change.number) {
                    for (const auto& leaf :
                         LeavesOf({t.kind, t.number, t.version, false, t.workspace})) {
                        taken.leaves.push_back(leaf->id());
                    }
                    continue;
                }
                taken.present = true;
                if (t.version != change.version) {
                    if (t.state == DefinitionState::kReady) {
                        for (const auto& leaf :
                             LeavesOf({t.kind, t.number, t.version, false, t.workspace})) {
                            taken.leaves.push_back(leaf->id());
                        }
                    }
                    continue;
                }
                taken.marked = true;
                taken.ready = t.state == DefinitionState::kReady;
                taken.marker = t.marker;
            }
            std::lock_guard lock(mutex);
            answers[static_cast<size_t>(p)] = std::move(taken);
            if (--waiting == 0) answered.notify_all();
            return true;
        });
    }
    std::unique_lock lock(mutex);
    answered.wait(lock, [&] { return waiting == 0; });
    return answers;
}

base::Status Publisher::Take(const Change& change) {
    auto taken = Ask(change);
    std::vector<model::NewRecord> markers;
    for (size_t p = 0; p < taken.size(); ++p) {
        if (!taken[p].marked) {
            markers.push_back(RecordOf(change, static_cast<model::StreamId>(p),
                                       model::RecordKind::kMarker));
        }
    }
    if (!markers.empty()) {
        // All markers stand before any record that a publication in one partition can lead to.
        TRY_ASSIGN(const auto positions, log_.AppendAndWait(std::move(markers)));
        for (const auto& position : positions) {
            taken[position.stream].marker = position.offset;
        }
    }
    const auto leaves = LeavesOf(change);
    std::vector<LeafScan> scans;
    for (size_t p = 0; p < taken.size(); ++p) {
        if (taken[p].ready) continue;
        LeafScan& scan = scans.emplace_back();
        scan.partition = static_cast<model::StreamId>(p);
        scan.upto = taken[p].marker;
        for (const auto& leaf : leaves) {
            const auto& known = taken[p].leaves;
            if (std::find(known.begin(), known.end(), leaf->id()) == known.end()) {
                scan.leaves.push_back(leaf);
            }
        }
    }
    TRY(ScanLeaves(log_, change.workspace, scans, kScanThreads));
    std::vector<model::NewRecord> records;
    size_t bytes = 0;
    for (const auto& scan : scans) {
        for (auto& record : LoadedRecords(change, scan)) {
            bytes += record.payload.size();
            records.push_back(std::move(record));
        }
        records.push_back(RecordOf(change, scan.partition, model::RecordKind::kReady));
        if (bytes < kAppendBytes && &scan != &scans.back()) continue;
        TRY(log_.AppendAndWait(std::exchange(records, {})));
        bytes = 0;
    }
    return {};
}

base::Status Publisher::Retire(const Change& change) {
    const auto taken = Ask(change);
    std::vector<model::NewRecord> records;
    for (size_t p = 0; p < taken.size(); ++p) {
        if (taken[p].present) {
            records.push_back(RecordOf(change, static_cast<model::StreamId>(p),
                                       model::RecordKind::kRetired));
        }
    }
    if (records.empty()) return {};
    TRY(log_.AppendAndWait(std::move(records)));
    return {};
}

}  // namespace server
