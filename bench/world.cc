#include "bench/world.h"

#include <filesystem>

#include "bench/figure.h"

namespace bench {
namespace {

constexpr size_t kRecordsAtOnce = 1500;   // About a commit.

}  // namespace

World::World(const std::string& directory, int partitions) {
    std::filesystem::create_directories(directory);
    event_log::EmbeddedLog::Options options;
    options.directory = directory + "/log";
    options.partitions = partitions;
    options.clock = &clock_;
    log_ = Must(event_log::EmbeddedLog::Open(options));
    catalog_ = Must(catalog::Catalog::Open(*log_, clock_));
    const auto keys = Must(catalog_->CreateWorkspace("Default"));
    write_key_ = keys.write_key;
    secret_key_ = keys.secret_key;
    const auto workspace = catalog_->Workspaces().front();
    maker_ = std::make_unique<RecordMaker>(workspace->number, workspace->secret, partitions);
}

std::vector<catalog::SegmentPtr> World::Save(const std::vector<std::string>& conditions) {
    std::vector<catalog::SegmentPtr> saved;
    for (const auto& condition : conditions) {
        saved.push_back(Must(catalog_->CreateSegment(
            1, "Segment " + std::to_string(saved.size() + 1), condition)));
    }
    return saved;
}

model::NewRecord DefinitionRecord(const catalog::Segment& segment, model::StreamId stream,
                                  model::RecordKind kind) {
    model::NewRecord record;
    record.stream = stream;
    record.kind = kind;
    record.workspace = segment.workspace;
    record.payload = "{\"kind\":\"segment\",\"number\":" + std::to_string(segment.number) +
                     ",\"version\":" + std::to_string(segment.version) +
                     ",\"start_journeys\":false}";
    return record;
}

void World::TakeUp(const std::vector<catalog::SegmentPtr>& segments) {
    std::vector<model::NewRecord> records;
    for (const auto kind : {model::RecordKind::kMarker, model::RecordKind::kReady}) {
        for (const auto& segment : segments) {
            for (int p = 0; p < log_->partitions(); ++p) {
                records.push_back(
                    DefinitionRecord(*segment, static_cast<model::StreamId>(p), kind));
            }
        }
    }
    // Every ready version has a cursor of its own, which a record moves on.
    for (size_t i = 0; i <= segments.size(); ++i) {
        for (int p = 0; p < log_->partitions(); ++p) {
            model::NewRecord tick;
            tick.stream = static_cast<model::StreamId>(p);
            tick.kind = model::RecordKind::kTick;
            records.push_back(tick);
        }
    }
    Append(std::move(records));
}

void World::Append(std::vector<model::NewRecord> records) {
    Must(log_->AppendAndWait(std::move(records)));
}

void World::AppendTracks(uint64_t events, uint64_t persons, uint64_t first_message) {
    Random random(first_message + 1);
    std::vector<model::NewRecord> records;
    for (uint64_t i = 0; i < events; ++i) {
        const uint64_t person = ZipfPerson(random, persons);
        const auto name = static_cast<int>(random.Below(kEventNames));
        records.push_back(
            maker_->Track(person, name, random.Next(), first_message + i, clock_.Now()));
        if (records.size() == kRecordsAtOnce || i + 1 == events) Append(std::exchange(records, {}));
    }
}

void World::AppendIdentifies(uint64_t persons) {
    std::vector<model::NewRecord> records;
    for (uint64_t i = 0; i < persons; ++i) {
        records.push_back(maker_->Identify(i, (1ULL << 60) + i, clock_.Now()));
        if (records.size() == kRecordsAtOnce || i + 1 == persons) {
            Append(std::exchange(records, {}));
        }
    }
}

}  // namespace bench
