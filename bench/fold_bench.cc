// The fold of one partition alone, in memory: CPU an event, and the memory of a million persons.

#include <malloc.h>

#include <memory>

#include "bench/figure.h"
#include "bench/fold_limit.h"
#include "bench/traffic.h"
#include "bench/world.h"
#include "server/person_fold.h"

namespace {

using bench::Figure;
using bench::Settings;
using model::RecordKind;

constexpr size_t kAheadRecords = 16;     // As engine/engine.cc.
constexpr size_t kRecordsAtOnce = 512;   // The same.
constexpr int kSegments = 100;
constexpr int kConditions = 250;

// Records as the log hands them to the engine: payloads side by side in one block.
class Records {
  public:
    void Clear() {
        text_.clear();
        places_.clear();
        records_.clear();
    }
    void Add(const model::NewRecord& from, model::Offset offset, base::TimeMs now) {
        model::Record record;
        record.stream = 0;
        record.kind = from.kind;
        record.workspace = from.workspace;
        record.offset = offset;
        record.time_ms = now;
        record.person = from.person;
        record.fingerprint = from.fingerprint;
        record.name_hash = from.name_hash;
        records_.push_back(record);
        places_.push_back({text_.size(), from.payload.size()});
        text_ += from.payload;
        text_.append(64, '\0');   // The head of the next frame.
    }
    // Only after all were added.
    const std::vector<model::Record>& Finish() {
        for (size_t i = 0; i < records_.size(); ++i) {
            records_[i].payload = std::string_view(text_).substr(places_[i].first,
                                                                 places_[i].second);
        }
        return records_;
    }

  private:
    std::string text_;
    std::vector<std::pair<size_t, size_t>> places_;
    std::vector<model::Record> records_;
};

// Folds as the engine does, outputs taken as often.
void FoldAll(server::PersonFold& fold, const std::vector<model::Record>& records,
             std::string& rows, uint64_t& row_bytes) {
    std::vector<model::OutboxEvent> outbox;
    for (size_t begin = 0; begin < records.size(); begin += kRecordsAtOnce) {
        const size_t end = std::min(begin + kRecordsAtOnce, records.size());
        for (size_t i = begin; i < std::min(begin + kAheadRecords, end); ++i) {
            fold.Prefetch(records[i]);
        }
        for (size_t i = begin; i < end; ++i) {
            if (i + kAheadRecords < end) fold.Prefetch(records[i + kAheadRecords]);
            fold.Apply(records[i]);
        }
        rows.clear();
        fold.TakeRows(rows);
        row_bytes += rows.size();
        fold.TakeOutbox(outbox);
        outbox.clear();
    }
}

double ParseCpuUs(const std::vector<model::Record>& records) {
    model::EventReader reader;
    model::EventView view;
    const double begun = bench::ThreadCpuSeconds();
    for (const auto& record : records) {
        if (!reader.ReadCopy(record.payload, view)) bench::Die("a payload does not read");
    }
    return (bench::ThreadCpuSeconds() - begun) * 1e6 / static_cast<double>(records.size());
}

std::vector<Figure> MeasureFold(const Settings& settings) {
    const uint64_t events = settings.events > 0 ? settings.events : 1'500'000;
    constexpr uint64_t kChunk = 100'000;
    Figure figure{"fold_cpu_us", "us", {}, bench::PlainFoldCpuUs(events)};

    const bench::TemporaryDirectory directory;
    bench::World world(directory.path() + "/data", 1);
    server::PersonFold fold(0, 1, world.catalog());
    Records records;
    std::string rows;
    uint64_t row_bytes = 0;
    model::Offset offset = 0;
    const auto segments = world.Save(bench::SegmentConditions(kSegments, kConditions));
    for (const auto kind : {RecordKind::kMarker, RecordKind::kReady}) {
        for (const auto& segment : segments) {
            records.Add(bench::DefinitionRecord(*segment, 0, kind), ++offset, world.clock().Now());
        }
    }
    while (offset < 4 * kSegments) {
        model::NewRecord tick;
        tick.kind = RecordKind::kTick;
        records.Add(tick, ++offset, world.clock().Now());
    }
    FoldAll(fold, records.Finish(), rows, row_bytes);

    // The first half makes the persons; the second is measured, in three runs.
    bench::Random random(1);
    double cpu = 0, parse = 0;
    uint64_t folded = 0, facts = 0;
    const uint64_t run = std::max<uint64_t>(events / 3 / kChunk, 1) * kChunk;
    for (uint64_t done = 0; figure.runs.size() < 3; done += kChunk) {
        records.Clear();
        for (uint64_t i = 0; i < kChunk; ++i) {
            const uint64_t person = bench::ZipfPerson(random, bench::kPersons);
            const auto name = static_cast<int>(random.Below(bench::kEventNames));
            const auto now = world.clock().Now();
            ++offset;
            records.Add(world.maker().Track(person, name, random.Next(), offset, now), offset, now);
        }
        const auto& list = records.Finish();
        const uint64_t facts_before = fold.counters().facts;
        const double begun = bench::ThreadCpuSeconds();
        FoldAll(fold, list, rows, row_bytes);
        if (done < events) continue;
        cpu += bench::ThreadCpuSeconds() - begun;
        parse += ParseCpuUs(list) * static_cast<double>(kChunk) / 1e6;
        facts += fold.counters().facts - facts_before;
        folded += kChunk;
        if (folded % run == 0) {
            figure.runs.push_back(cpu * 1e6 / static_cast<double>(run));
            bench::Note("fold %.3f us an event, of which parsing is %.3f; %.3f facts an event",
                        figure.runs.back(), parse * 1e6 / static_cast<double>(run),
                        static_cast<double>(facts) / static_cast<double>(run));
            cpu = parse = 0;
            facts = 0;
        }
    }
    bench::Note("%zu persons, %.0f bytes of rows an event", fold.persons(),
                static_cast<double>(row_bytes) / static_cast<double>(fold.counters().events));
    if (fold.counters().unreadable != 0) bench::Die("payloads that do not read");
    return {figure};
}

std::vector<Figure> MeasureMemory(const Settings& settings) {
    const uint64_t persons = settings.events > 0 ? settings.events : bench::kPersons;
    constexpr int kPartitions = 16;
    const bench::TemporaryDirectory directory;
    bench::World world(directory.path() + "/data", kPartitions);
    std::vector<std::unique_ptr<server::PersonFold>> folds;
    std::vector<Records> records(kPartitions);
    std::vector<model::Offset> offsets(kPartitions, 0);
    for (int p = 0; p < kPartitions; ++p) {
        folds.push_back(std::make_unique<server::PersonFold>(static_cast<model::StreamId>(p),
                                                             kPartitions, world.catalog()));
    }
    std::string rows;
    uint64_t row_bytes = 0;
    const auto fold_made = [&] {
        for (size_t p = 0; p < folds.size(); ++p) {
            FoldAll(*folds[p], records[p].Finish(), rows, row_bytes);
            records[p].Clear();
        }
    };
    double before = 0;
    // A first round lets every buffer of the bench grow to its size.
    const uint64_t warm_up = std::min<uint64_t>(persons / 20, 20'000);
    for (uint64_t i = 0; i < persons + warm_up; ++i) {
        const auto now = world.clock().Now();
        const auto record = world.maker().Identify(i, i + 1, now);
        records[record.stream].Add(record, ++offsets[record.stream], now);
        if (i + 1 == warm_up) {
            fold_made();
            before = bench::ResidentMb();
        } else if (i % 10'000 == 9'999) {
            fold_made();
        }
    }
    fold_made();
    const double added = bench::ResidentMb() - before;
    bench::Note("%llu persons: %.0f bytes each", static_cast<unsigned long long>(persons),
                added * 1e6 / static_cast<double>(persons));
    return {{"memory_1m_persons_mb", "MB",
             {added * static_cast<double>(bench::kPersons) / static_cast<double>(persons)}, {}}};
}

}  // namespace

int main(int argc, char** argv) {
    return bench::Run(argc, argv, {{"fold_cpu_us", MeasureFold},
                                   {"memory_1m_persons_mb", MeasureMemory}});
}
