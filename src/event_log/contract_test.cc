// What event_log.h promises, on every implementation.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "base/limits.h"
#include "event_log/embedded/embedded_log.h"
#include "event_log/memory/memory_log.h"
#include "event_log/memory_file_system.h"

namespace event_log {
namespace {

constexpr int kPartitions = 3;
constexpr base::TimeMs kStart = 1'767'600'000'000;

struct Opened {
    std::unique_ptr<base::SimulatedClock> clock = std::make_unique<base::SimulatedClock>(kStart);
    std::unique_ptr<MemoryFileSystem> files = std::make_unique<MemoryFileSystem>();
    std::unique_ptr<Log> log;
};

using Make = void (*)(Opened&);

void MakeMemory(Opened& opened) {
    opened.log = std::make_unique<MemoryLog>(kPartitions, opened.clock.get());
}

void MakeManual(Opened& opened) {
    opened.log = std::make_unique<MemoryLog>(kPartitions, opened.clock.get(),
                                             MemoryLog::Commit::kManual);
}

void MakeEmbeddedSized(Opened& opened, size_t segment_bytes, size_t tail_bytes_max) {
    EmbeddedLog::Options options;
    options.directory = "/log";
    options.partitions = kPartitions;
    options.clock = opened.clock.get();
    options.files = opened.files.get();
    options.segment_bytes = segment_bytes;
    options.reserve_bytes = segment_bytes;
    options.tail_bytes_max = tail_bytes_max;
    auto log = EmbeddedLog::Open(std::move(options));
    ASSERT_TRUE(log) << log.error().internal;
    opened.log = std::move(*log);
}

void MakeEmbedded(Opened& opened) {
    MakeEmbeddedSized(opened, 16 * 1024 * 1024, limits::kLogTailBytesMax);
}

// Small segments and next to no tail: most reads come from files of closed segments.
void MakeEmbeddedCold(Opened& opened) { MakeEmbeddedSized(opened, 64 * 1024, 1); }

struct Kind {
    const char* name;
    Make make;
};

class LogContract : public ::testing::TestWithParam<Kind> {
  protected:
    void SetUp() override {
        GetParam().make(opened_);
        ASSERT_NE(opened_.log, nullptr);
    }

    Log& log() { return *opened_.log; }
    base::SimulatedClock& clock() { return *opened_.clock; }

    // A manual log has no thread that would answer.
    void Settle() {
        if (auto* memory = dynamic_cast<MemoryLog*>(opened_.log.get())) memory->CommitPending();
    }

    // Small segments may be used up faster than they are prepared; nothing was taken then.
    std::vector<Position> Write(std::vector<NewRecord> records) {
        auto positions = log().AppendAndWait(records);
        while (!positions && positions.error().code == base::ErrorCode::kOverloaded) {
            std::this_thread::yield();
            positions = log().AppendAndWait(records);
        }
        EXPECT_TRUE(positions) << positions.error().internal;
        return positions ? *positions : std::vector<Position>{};
    }

    base::ErrorCode Refused(std::vector<NewRecord> records) {
        auto positions = log().AppendAndWait(std::move(records));
        EXPECT_FALSE(positions);
        return positions ? base::ErrorCode::kInternal : positions.error().code;
    }

    std::vector<std::string> ReadAll(StreamId stream, size_t bytes_max) {
        std::vector<std::string> payloads;
        Offset next = log().Begin(stream);
        for (;;) {
            auto batch = log().Read(stream, next, bytes_max);
            EXPECT_TRUE(batch) << batch.error().internal;
            if (!batch || batch->records.empty()) return payloads;
            for (const Record& record : batch->records) {
                EXPECT_EQ(record.offset, next++);
                payloads.emplace_back(record.payload);
            }
        }
    }

    Opened opened_;
};

NewRecord Event(StreamId stream, std::string payload) {
    NewRecord record;
    record.stream = stream;
    record.payload = std::move(payload);
    return record;
}

TEST_P(LogContract, OffsetsBeginAtOneInEachStreamAndHaveNoGaps) {
    EXPECT_EQ(log().streams(), kPartitions + 2);
    EXPECT_EQ(log().End(0), 0U);
    EXPECT_EQ(log().Begin(0), 1U);
    for (Offset i = 1; i <= 50; ++i) {
        const auto positions = Write({Event(0, "a"), Event(2, "b"), Event(log().control(), "c")});
        ASSERT_EQ(positions.size(), 3U);
        for (const Position& position : positions) EXPECT_EQ(position.offset, i);
        EXPECT_EQ(positions[1].stream, 2);
    }
    EXPECT_EQ(log().End(0), 50U);
    EXPECT_EQ(log().End(1), 0U);
    EXPECT_EQ(log().End(log().links()), 0U);
    EXPECT_EQ(log().End(log().control()), 50U);
}

TEST_P(LogContract, ReadGivesEveryFieldBack) {
    NewRecord record = Event(1, R"({"type":"track"})");
    record.kind = model::RecordKind::kOutcome;
    record.workspace = 7;
    record.person = {0x0123456789abcdef, 0xfedcba9876543210};
    record.fingerprint = 42;
    record.name_hash = model::NameHash("Page");
    Write({record});
    const auto batch = log().Read(1, 1, 1 << 20);
    ASSERT_TRUE(batch);
    ASSERT_EQ(batch->records.size(), 1U);
    const Record& read = batch->records[0];
    EXPECT_EQ(read.stream, 1);
    EXPECT_EQ(read.offset, 1U);
    EXPECT_EQ(read.time_ms, kStart);
    EXPECT_EQ(read.kind, record.kind);
    EXPECT_EQ(read.workspace, record.workspace);
    EXPECT_EQ(read.person, record.person);
    EXPECT_EQ(read.fingerprint, record.fingerprint);
    EXPECT_EQ(read.name_hash, record.name_hash);
    EXPECT_EQ(read.payload, record.payload);
}

TEST_P(LogContract, PayloadsOfAllSizesComeBackInOrder) {
    std::vector<std::string> expected;
    for (size_t i = 0; i < 400; ++i) {
        expected.push_back(std::string(i * 7 % 1500, static_cast<char>('a' + i % 26)));
        Write({Event(0, expected.back()), Event(1, "other")});
    }
    EXPECT_EQ(ReadAll(0, 1), expected);
    EXPECT_EQ(ReadAll(0, 10'000), expected);
    EXPECT_EQ(ReadAll(0, 1 << 30), expected);
    EXPECT_EQ(ReadAll(1, 1 << 30).size(), 400U);
}

TEST_P(LogContract, ReadStopsAtTheBytesAskedForButGivesOneAtLeast) {
    for (int i = 0; i < 10; ++i) Write({Event(0, std::string(100, 'x'))});
    EXPECT_EQ(log().Read(0, 1, 0)->records.size(), 1U);
    EXPECT_EQ(log().Read(0, 1, 100)->records.size(), 1U);
    EXPECT_EQ(log().Read(0, 1, 101)->records.size(), 2U);
    EXPECT_EQ(log().Read(0, 0, 1)->records[0].offset, 1U);
    EXPECT_TRUE(log().Read(0, 11, 1 << 20)->records.empty());
    EXPECT_TRUE(log().Read(0, 1'000'000, 1 << 20)->records.empty());
}

TEST_P(LogContract, BatchOutlivesWhatIsWrittenAfterIt) {
    Write({Event(0, "first")});
    const auto batch = log().Read(0, 1, 1);
    for (int i = 0; i < 200; ++i) Write({Event(0, std::string(2000, 'y'))});
    ASSERT_TRUE(batch);
    EXPECT_EQ(batch->records[0].payload, "first");
}

TEST_P(LogContract, TimeIsTheClocksAndNeverGoesBack) {
    Write({Event(0, "a")});
    clock().MoveTo(kStart + 500);
    const auto later = Write({Event(0, "b"), Event(1, "c")});
    EXPECT_EQ(later[0].time_ms, kStart + 500);
    EXPECT_EQ(log().LastCommitTime(), kStart + 500);
    EXPECT_EQ(log().Read(0, 1, 1)->records[0].time_ms, kStart);
}

TEST_P(LogContract, OneCallKeepsItsOrderAndCallsKeepTheirs) {
    std::vector<NewRecord> records;
    for (int i = 0; i < 1000; ++i) {
        records.push_back(Event(static_cast<StreamId>(i % 3), std::to_string(i)));
    }
    Write(records);
    const auto payloads = ReadAll(1, 1 << 20);
    ASSERT_EQ(payloads.size(), 333U);
    for (size_t i = 0; i < payloads.size(); ++i) {
        EXPECT_EQ(payloads[i], std::to_string(i * 3 + 1));
    }
}

TEST_P(LogContract, RecordsAreReadableWhenDoneIsCalled) {
    std::promise<size_t> seen;
    log().Append({Event(0, "a")}, [&](base::Result<std::vector<Position>> positions) {
        ASSERT_TRUE(positions);
        seen.set_value(log().Read(0, positions->at(0).offset, 1)->records.size());
    });
    Settle();
    EXPECT_EQ(seen.get_future().get(), 1U);
}

TEST_P(LogContract, SubscribersWakeForTheirStreamsAlone) {
    std::mutex mutex;
    std::condition_variable changed;
    int mine = 0;
    int other = 0;
    log().Subscribe(1, 2, [&] {
        const std::lock_guard lock(mutex);
        ++mine;
        changed.notify_all();
    });
    log().Subscribe(0, 0, [&] {
        const std::lock_guard lock(mutex);
        ++other;
    });
    Write({Event(2, "a")});
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return mine > 0; });
    EXPECT_EQ(mine, 1);
    EXPECT_EQ(other, 0);
}

TEST_P(LogContract, RefusesWhatItCannotTakeAndSaysWhy) {
    EXPECT_EQ(Refused({}), base::ErrorCode::kInvalidArgument);
    EXPECT_EQ(Refused({Event(kPartitions + 2, "a")}), base::ErrorCode::kInvalidArgument);
    EXPECT_EQ(Refused({Event(0, std::string(limits::kRecordBytesMax + 1, 'x'))}),
              base::ErrorCode::kTooLarge);
    EXPECT_EQ(Refused({Event(0, "a"), Event(kPartitions + 2, "b")}),
              base::ErrorCode::kInvalidArgument);
    EXPECT_EQ(log().End(0), 0U);  // Nothing was taken of it.
    EXPECT_FALSE(log().Read(kPartitions + 2, 1, 1));
}

TEST_P(LogContract, SkipRotGivesSoundOffsetsBack) {
    Write({Event(0, "a"), Event(0, "b")});
    EXPECT_EQ(*log().SkipRot(0, 1), 1U);
    EXPECT_EQ(*log().SkipRot(0, 2), 2U);
    EXPECT_EQ(*log().SkipRot(0, 3), 3U);
    EXPECT_EQ(*log().SkipRot(0, 99), 3U);
    EXPECT_FALSE(log().SkipRot(kPartitions + 2, 1));
}

TEST_P(LogContract, TrimNeverTakesWhatIsNeeded) {
    for (int i = 0; i < 300; ++i) Write({Event(0, std::string(1000, 'x')), Event(1, "y")});
    EXPECT_FALSE(log().Trim(0, 302));
    EXPECT_FALSE(log().Trim(kPartitions + 2, 1));
    ASSERT_TRUE(log().Trim(0, 250));
    ASSERT_TRUE(log().Trim(1, 250));
    EXPECT_LE(log().Begin(0), 250U);
    EXPECT_LE(log().Begin(1), 250U);
    for (const StreamId stream : {StreamId{0}, StreamId{1}}) {
        EXPECT_EQ(log().Read(stream, 250, 1)->records[0].offset, 250U);
        const Offset begin = log().Begin(stream);
        if (begin > 1) {
            EXPECT_EQ(log().Read(stream, begin - 1, 1).error().code, base::ErrorCode::kNotFound);
            EXPECT_EQ(*log().SkipRot(stream, 1), begin);
        }
    }
    EXPECT_EQ(log().End(0), 300U);
    EXPECT_EQ(Write({Event(0, "next")})[0].offset, 301U);
}

TEST_P(LogContract, ManyWritersAndReadersSeeOneOrder) {
    constexpr int kWriters = 3;
    constexpr int kCalls = 150;
    std::atomic<int> running{kWriters};
    std::vector<std::thread> threads;
    for (int w = 0; w < kWriters; ++w) {
        threads.emplace_back([&, w] {
            for (int i = 0; i < kCalls; ++i) {
                const std::string text = std::to_string(w) + ':' + std::to_string(i);
                Write({Event(0, text), Event(1, text + std::string(300, ' '))});
            }
            --running;
        });
    }
    std::vector<int> next(kWriters, 0);
    Offset at = 1;
    while (running > 0 || at <= log().End(0)) {
        const auto batch = log().Read(0, at, 4096);
        ASSERT_TRUE(batch) << batch.error().internal;
        for (const Record& record : batch->records) {
            EXPECT_EQ(record.offset, at++);
            const auto writer = static_cast<size_t>(record.payload[0] - '0');
            EXPECT_EQ(record.payload.substr(2), std::to_string(next.at(writer)++));
        }
        if (batch->records.empty()) std::this_thread::yield();
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(at, Offset{kWriters * kCalls + 1});
}

INSTANTIATE_TEST_SUITE_P(All, LogContract,
                         ::testing::Values(Kind{"Memory", MakeMemory},
                                           Kind{"MemoryManual", MakeManual},
                                           Kind{"Embedded", MakeEmbedded},
                                           Kind{"EmbeddedCold", MakeEmbeddedCold}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(MemoryLog, ManualCommitsNothingBeforeItIsTold) {
    base::SimulatedClock clock(kStart);
    MemoryLog log(1, &clock, MemoryLog::Commit::kManual);
    int answered = 0;
    log.Append({Event(0, "a")}, [&](const auto& r) { answered += r ? 1 : 100; });
    log.Append({Event(9, "b")}, [&](const auto& r) { answered += r ? 100 : 10; });
    EXPECT_EQ(log.End(0), 0U);
    EXPECT_EQ(log.PendingRecords(), 1U);
    clock.MoveTo(kStart + 5);
    EXPECT_EQ(log.CommitPending(), 2U);
    EXPECT_EQ(answered, 11);
    EXPECT_EQ(log.LastCommitTime(), kStart + 5);
    EXPECT_EQ(log.CommitPending(), 0U);
}

TEST(MemoryLog, DroppedAppendsAreForgottenButForTheirPrefix) {
    base::SimulatedClock clock(kStart);
    MemoryLog log(1, &clock, MemoryLog::Commit::kManual);
    int answered = 0;
    log.Append({Event(0, "a"), Event(0, "b")}, [&](const auto&) { ++answered; });
    log.Append({Event(0, "c"), Event(0, "d")}, [&](const auto&) { ++answered; });
    log.DropPending(3);
    EXPECT_EQ(log.End(0), 3U);
    EXPECT_EQ(log.CommitPending(), 0U);
    EXPECT_EQ(answered, 0);
}

TEST(MemoryLog, FullTakesControlRecordsAloneAndFailedTakesNothing) {
    base::SimulatedClock clock(kStart);
    MemoryLog log(1, &clock, MemoryLog::Commit::kManual);
    log.SetFull(true);
    EXPECT_EQ(log.AppendAndWait({Event(0, "a")}).error().code, base::ErrorCode::kDiskFull);
    EXPECT_TRUE(log.AppendAndWait({Event(log.control(), "a")}));
    log.SetFull(false);
    EXPECT_TRUE(log.AppendAndWait({Event(0, "a")}));
    log.Fail();
    EXPECT_EQ(log.AppendAndWait({Event(0, "a")}).error().code, base::ErrorCode::kIo);
}

}  // namespace
}  // namespace event_log
