// What is read back from the log: a rebuild, and a new segment's history.

#include <fcntl.h>
#include <simdjson.h>
#include <unistd.h>

#include <atomic>
#include <mutex>

#include "base/hash.h"
#include "bench/figure.h"
#include "bench/world.h"
#include "server/link_fold.h"
#include "server/person_fold.h"
#include "server/pipeline.h"
#include "server/publisher.h"

namespace {

using bench::Figure;
using bench::Settings;

void Walk(simdjson::ondemand::value value, uint64_t& sum) {
    switch (value.type().value()) {
        case simdjson::ondemand::json_type::object:
            for (auto field : value.get_object()) {
                sum += std::string_view(field.unescaped_key().value()).size();
                Walk(field.value(), sum);
            }
            break;
        case simdjson::ondemand::json_type::string:
            sum += std::string_view(value.get_string().value()).size();
            break;
        default: sum += std::string_view(value.raw_json_token()).size();
    }
}

// The machine's own limit: records read from a file, their CRC-32C, every field of every one.
double PlainRecordsPerCpuSecond(bench::World& world, const std::string& directory) {
    constexpr uint64_t kRecords = 300'000;
    bench::Random random(3);
    std::string text;
    for (uint64_t i = 0; i < kRecords; ++i) {
        const auto record = world.maker().Track(
            bench::ZipfPerson(random, bench::kPersons),
            static_cast<int>(random.Below(bench::kEventNames)), random.Next(), i,
            world.clock().Now());
        const auto size = static_cast<uint32_t>(record.payload.size());
        text.append(reinterpret_cast<const char*>(&size), sizeof size);
        text += record.payload;
    }
    const int file = open((directory + "/plain").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        bench::Die("cannot write");
    }
    std::string buffer;
    buffer.reserve((1 << 20) + 64 * 1024);
    simdjson::ondemand::parser parser;
    uint64_t sum = 0, records = 0;
    uint32_t crc = 0;
    const double begun = bench::ThreadCpuSeconds();
    off_t at = 0;
    while (true) {
        const size_t left = buffer.size();
        buffer.resize(1 << 20);
        const ssize_t n = pread(file, buffer.data() + left, buffer.size() - left, at);
        buffer.resize(left + static_cast<size_t>(std::max<ssize_t>(n, 0)));
        if (n <= 0) break;
        at += n;
        size_t taken = 0;
        uint32_t size = 0;
        while (buffer.size() - taken > sizeof size) {
            std::memcpy(&size, buffer.data() + taken, sizeof size);
            if (buffer.size() - taken - sizeof size < size) break;
            const char* payload = buffer.data() + taken + sizeof size;
            crc ^= base::Crc32c(0, payload, size);
            auto document = parser.iterate(payload, size, size + simdjson::SIMDJSON_PADDING);
            for (auto field : document.get_object()) {
                sum += std::string_view(field.unescaped_key().value()).size();
                Walk(field.value(), sum);
            }
            taken += sizeof size + size;
            ++records;
        }
        buffer.erase(0, taken);
    }
    const double cpu = bench::ThreadCpuSeconds() - begun;
    close(file);
    if (records != kRecords || sum == 0 || crc == 0) bench::Die("the plain file reads wrongly");
    return static_cast<double>(records) / cpu;
}

std::vector<Figure> MeasureRebuild(const Settings& settings) {
    const uint64_t events = settings.events > 0 ? settings.events : 1'000'000;
    const int runs = settings.runs > 0 ? settings.runs : 3;
    Figure figure{"rebuild_rate", "records/s/core", {}, {}};
    const bench::TemporaryDirectory directory;
    const std::string data = directory.path() + "/data";
    {
        bench::World world(data);
        figure.limit = PlainRecordsPerCpuSecond(world, directory.path());
        world.TakeUp(world.Save(bench::SegmentConditions(20, 50)));
        world.AppendTracks(events, bench::kPersons, 1);
    }
    for (int i = 0; i < runs; ++i) {
        const auto rebuilt = bench::Must(server::Rebuild(data, 2, false));
        figure.runs.push_back(static_cast<double>(rebuilt.records) / rebuilt.cpu_seconds);
        bench::Note("%llu records, %.2f s with 2 threads, %.2f CPU s",
                    static_cast<unsigned long long>(rebuilt.records), rebuilt.seconds,
                    rebuilt.cpu_seconds);
    }
    return {figure};
}

// Until every partition shows the segment.
void WaitShown(engine::Engine& engine, const catalog::Segment& segment) {
    std::mutex mutex;
    std::condition_variable changed;
    int waiting = engine.partitions();
    for (int p = 0; p < engine.partitions(); ++p) {
        engine.Post(static_cast<model::StreamId>(p), [&](engine::Fold& fold) {
            if (!static_cast<server::PersonFold&>(fold).Shows(catalog::Change::Kind::kSegment,
                                                              segment.number, segment.version)) {
                return false;
            }
            std::lock_guard lock(mutex);
            if (--waiting == 0) changed.notify_one();
            return true;
        });
    }
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return waiting == 0; });
}

std::vector<Figure> MeasureSegment(const Settings& settings) {
    const uint64_t persons = settings.events > 0 ? settings.events : 50'000;
    constexpr int kEventsEach = 20;
    Figure figure{"segment_50k_s", "s", {}, {}};
    const bench::TemporaryDirectory directory;
    bench::World world(directory.path() + "/data");
    // Everybody's first event, then everybody's second: nobody's events lie side by side.
    bench::Random random(5);
    std::vector<model::NewRecord> records;
    for (uint64_t i = 0; i < persons * kEventsEach; ++i) {
        records.push_back(world.maker().Track(i % persons,
                                              static_cast<int>(random.Below(bench::kEventNames)),
                                              random.Next(), i, world.clock().Now()));
        if (records.size() == 1500 || i + 1 == persons * kEventsEach) {
            world.Append(std::exchange(records, {}));
        }
    }
    identity::LinkMap links;
    const auto engine = bench::Must(engine::Engine::Create(
        world.log(), nullptr, world.clock(), {},
        [&](model::StreamId id) -> std::unique_ptr<engine::Fold> {
            const int partitions = world.log().partitions();
            if (id == partitions) {
                return std::make_unique<server::LinkFold>(id, partitions, links);
            }
            return std::make_unique<server::PersonFold>(id, partitions, world.catalog());
        }));
    bench::Must(engine->Start([](auto) {}));
    {
        server::Publisher publisher(*engine, world.log(), world.catalog());
        for (int name = 0; name < 3; ++name) {
            const std::string condition = "did \"" + bench::EventName(name) +
                                          "\" where price >= 50, 1+ times within 30d";
            const double cpu = bench::CpuSeconds(), begun = bench::WallSeconds();
            const auto segment = bench::Must(
                world.catalog().CreateSegment(1, "New " + std::to_string(name), condition));
            publisher.Changed();
            WaitShown(*engine, *segment);
            figure.runs.push_back(bench::WallSeconds() - begun);
            bench::Note("%.3f s, %.3f CPU s", figure.runs.back(), bench::CpuSeconds() - cpu);
        }
    }
    bench::Must(engine->Stop(false));
    return {figure};
}

}  // namespace

int main(int argc, char** argv) {
    return bench::Run(argc, argv, {{"rebuild_rate", MeasureRebuild},
                                   {"segment_50k_s", MeasureSegment}});
}
