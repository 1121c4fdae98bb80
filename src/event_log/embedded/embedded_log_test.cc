// Crashes, damage, full and failing disks: the log in files on a disk that does all of it.
#include "event_log/embedded/embedded_log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <map>
#include <set>
#include <thread>

#include "event_log/embedded/format.h"
#include "event_log/embedded/segment_index.h"
#include "event_log/embedded/segment_scan.h"
#include "event_log/memory_file_system.h"

namespace event_log {
namespace {

constexpr base::TimeMs kStart = 1'767'600'000'000;
constexpr size_t kSmall = 64 * 1024;
constexpr int kPartitions = 2;

base::SimulatedClock& TestClock() {
    static base::SimulatedClock clock(kStart);
    return clock;
}

EmbeddedLog::Options Small(FileSystem& files) {
    EmbeddedLog::Options options;
    options.directory = "/log";
    options.partitions = kPartitions;
    options.clock = &TestClock();
    options.files = &files;
    options.segment_bytes = kSmall;
    options.reserve_bytes = kSmall;
    options.tail_bytes_max = 1;
    options.disk_full_retry_ms = 1;
    return options;
}

std::unique_ptr<EmbeddedLog> OpenOrFail(FileSystem& files) {
    auto log = EmbeddedLog::Open(Small(files));
    EXPECT_TRUE(log) << log.error().internal;
    return log ? std::move(*log) : nullptr;
}

NewRecord Event(StreamId stream, std::string payload) {
    NewRecord record;
    record.stream = stream;
    record.payload = std::move(payload);
    return record;
}

std::string PayloadNo(Offset n) {
    return std::to_string(n) + ':' + std::string(n * 37 % 900, static_cast<char>('a' + n % 26));
}

// Appends until it is taken: segments may have to be prepared first.
base::Result<std::vector<Position>> Put(Log& log, std::vector<NewRecord> records) {
    for (;;) {
        auto positions = log.AppendAndWait(records);
        const bool busy =
            !positions && positions.error().code == base::ErrorCode::kOverloaded;
        if (!busy) return positions;
        std::this_thread::yield();
    }
}

void Fill(Log& log, StreamId stream, int count) {
    for (int i = 0; i < count; ++i) {
        const auto put = Put(log, {Event(stream, PayloadNo(log.End(stream) + 1))});
        ASSERT_TRUE(put) << put.error().internal;
    }
}

// Reads a stream from its beginning; offsets that are damaged go to `rotten`.
void CheckStream(Log& log, StreamId stream, std::set<Offset>* rotten = nullptr) {
    Offset next = log.Begin(stream);
    base::TimeMs time = 0;
    while (next <= log.End(stream)) {
        const auto batch = log.Read(stream, next, 10'000);
        if (!batch) {
            ASSERT_EQ(batch.error().code, base::ErrorCode::kCorrupt) << batch.error().internal;
            ASSERT_NE(rotten, nullptr) << batch.error().internal;
            const auto sound = log.SkipRot(stream, next);
            ASSERT_TRUE(sound);
            ASSERT_GT(*sound, next);
            while (next < *sound) rotten->insert(next++);
            continue;
        }
        ASSERT_FALSE(batch->records.empty());
        for (const Record& record : batch->records) {
            ASSERT_EQ(record.offset, next);
            ASSERT_EQ(record.payload, PayloadNo(next));
            ASSERT_GE(record.time_ms, time);
            time = record.time_ms;
            ++next;
        }
    }
}

std::string SegmentName(int sequence) {
    std::string digits = std::to_string(sequence);
    return "/log/" + std::string(12 - digits.size(), '0') + digits + ".segment";
}

std::string IndexName(int sequence) {
    std::string name = SegmentName(sequence);
    return name.replace(name.size() - 7, 7, "index");
}

SegmentScan ScanFile(const MemoryFileSystem& files, int sequence) {
    const std::string image = files.Contents(SegmentName(sequence));
    const auto header = format::DecodeSegmentHeader(image);
    EXPECT_TRUE(header);
    return ScanSegment(image, header->generation, kPartitions + 2);
}

std::vector<FoundFrame> RecordsOf(const SegmentScan& scan) {
    std::vector<FoundFrame> records;
    for (const FoundFrame& frame : scan.frames) {
        if (frame.stream != format::kInnerStream) records.push_back(frame);
    }
    return records;
}

TEST(EmbeddedLog, ClosingAndOpeningKeepsEverything) {
    MemoryFileSystem files;
    {
        const auto log = OpenOrFail(files);
        EXPECT_TRUE(log->recovery().created);
        Fill(*log, 0, 500);
        Fill(*log, 1, 3);
        EXPECT_GT(log->counters().segments, 2U);
    }
    const auto log = OpenOrFail(files);
    EXPECT_FALSE(log->recovery().created);
    EXPECT_TRUE(log->recovery().lines.empty()) << log->recovery().lines[0];
    EXPECT_EQ(log->End(0), 500U);
    EXPECT_EQ(log->End(1), 3U);
    EXPECT_EQ(log->LastCommitTime(), kStart);
    CheckStream(*log, 0);
    CheckStream(*log, 1);
    Fill(*log, 0, 10);
    EXPECT_EQ(log->End(0), 510U);
}

TEST(EmbeddedLog, WorksOnTheOperatingSystemsFiles) {
    const std::filesystem::path directory =
        std::filesystem::temp_directory_path() / ("ripen_log_" + std::to_string(::getpid()));
    EmbeddedLog::Options options = Small(*PosixFileSystem());
    options.directory = directory / "deep";
    {
        auto log = EmbeddedLog::Open(options);
        ASSERT_TRUE(log) << log.error().internal;
        Fill(**log, 0, 300);
        const auto second = EmbeddedLog::Open(options);
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, base::ErrorCode::kConflict);
    }
    auto log = EmbeddedLog::Open(options);
    ASSERT_TRUE(log) << log.error().internal;
    CheckStream(**log, 0);
    EXPECT_EQ((*log)->End(0), 300U);
    log->reset();
    std::filesystem::remove_all(directory);
}

TEST(EmbeddedLog, OneDirectoryHasOneServer) {
    MemoryFileSystem files;
    const auto log = OpenOrFail(files);
    const auto second = EmbeddedLog::Open(Small(files));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, base::ErrorCode::kConflict);
    EXPECT_NE(second.error().internal.find("another server"), std::string::npos);
}

TEST(EmbeddedLog, PartitionsAreFixedWhenTheLogIsMade) {
    MemoryFileSystem files;
    OpenOrFail(files);
    EmbeddedLog::Options options = Small(files);
    options.partitions = 3;
    const auto other = EmbeddedLog::Open(options);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, base::ErrorCode::kInvalidArgument);
    options.partitions = 0;
    const auto any = EmbeddedLog::Open(options);
    ASSERT_TRUE(any);
    EXPECT_EQ((*any)->partitions(), kPartitions);
}

TEST(EmbeddedLog, AnotherVersionIsNamedAndLeftAlone) {
    for (const std::string& name : {std::string("/log/meta"), SegmentName(1)}) {
        MemoryFileSystem files;
        OpenOrFail(files);
        std::string bytes = files.Contents(name);
        for (const size_t at : {size_t{0}, format::kHeaderCopyAt}) {
            if (bytes.size() < at + 64) continue;
            bytes[at + 8] = 2;
            const uint32_t crc = base::Crc32c(0, bytes.data() + at, 60);
            std::memcpy(bytes.data() + at + 60, &crc, 4);
        }
        files.Put(name, bytes);
        const auto log = EmbeddedLog::Open(Small(files));
        ASSERT_FALSE(log);
        EXPECT_EQ(log.error().code, base::ErrorCode::kConflict);
        EXPECT_NE(log.error().internal.find("version 2"), std::string::npos);
        EXPECT_NE(log.error().internal.find("version 1"), std::string::npos);
        EXPECT_EQ(files.Contents(name), bytes);
    }
}

TEST(EmbeddedLog, DamagedMetaIsMadeAgainFromASegment) {
    MemoryFileSystem files;
    Fill(*OpenOrFail(files), 0, 20);
    ASSERT_TRUE(files.FlipBit("/log/meta", 13, 3));
    {
        const auto log = OpenOrFail(files);
        EXPECT_FALSE(log->recovery().lines.empty());
        CheckStream(*log, 0);
    }
    EXPECT_TRUE(OpenOrFail(files)->recovery().lines.empty());
}

TEST(TornTail, IsCutAtEveryByteOfTheLastFrame) {
    MemoryFileSystem whole;
    {
        const auto log = OpenOrFail(whole);
        Fill(*log, 0, 5);
        ASSERT_TRUE(Put(*log, {Event(1, PayloadNo(1)), Event(1, PayloadNo(2))}));
    }
    const SegmentScan scan = ScanFile(whole, 1);
    const FoundFrame last = RecordsOf(scan).back();
    const std::string image = whole.Contents(SegmentName(1));
    for (uint32_t cut = last.position; cut < last.position + last.bytes; ++cut) {
        const auto files = whole.Copy();
        std::string torn = image;
        std::fill(torn.begin() + cut, torn.end(), '\0');
        const bool same = torn.compare(0, last.position + last.bytes, image, 0,
                                       last.position + last.bytes) == 0;
        files->Put(SegmentName(1), torn);
        const auto log = OpenOrFail(*files);
        ASSERT_NE(log, nullptr);
        ASSERT_EQ(log->End(0), 5U);
        ASSERT_EQ(log->End(1), same ? 2U : 1U) << cut;
        ASSERT_EQ(log->recovery().rotten_records, 0U);
        if (cut > last.position && !same) {
            ASSERT_GT(log->recovery().torn_bytes, 0U);
        }
        Fill(*log, 1, 2);
        CheckStream(*log, 0);
        CheckStream(*log, 1);
    }
}

TEST(TornTail, LeftoversOfACutCommitNeverComeBack) {
    // Every payload has the same size, so that old frames fit exactly behind new ones.
    MemoryFileSystem files;
    {
        const auto log = OpenOrFail(files);
        ASSERT_TRUE(Put(*log, std::vector<NewRecord>(10, Event(0, std::string(40, 'o')))));
    }
    const std::vector<FoundFrame> records = RecordsOf(ScanFile(files, 1));
    std::string image = files.Contents(SegmentName(1));
    // As a torn commit leaves it: the second record missing, the others and no seal there.
    const uint32_t end = records.back().position + records.back().bytes;
    std::fill(image.begin() + end, image.end(), '\0');
    image[records[1].position + 90] = '!';
    files.Put(SegmentName(1), image);
    {
        const auto log = OpenOrFail(files);
        EXPECT_EQ(log->End(0), 1U);
        EXPECT_GT(log->recovery().torn_bytes, 0U);
        ASSERT_TRUE(Put(*log, {Event(0, std::string(40, 'n'))}));
    }
    const auto log = OpenOrFail(files);
    EXPECT_EQ(log->End(0), 2U);
    EXPECT_EQ(log->Read(0, 2, 1)->records[0].payload, std::string(40, 'n'));
}

// One bit at a time, all over the frames of a segment: exactly the record it is in is lost.
void FlipAllOver(int sequence, bool drop_index) {
    MemoryFileSystem whole;
    {
        const auto log = OpenOrFail(whole);
        while (log->counters().segments < 3) Fill(*log, 0, 10);
        Fill(*log, 0, 5);
    }
    const SegmentScan scan = ScanFile(whole, sequence);
    uint64_t at = base::Mix64(static_cast<uint64_t>(sequence));
    for (int round = 0; round < 150; ++round) {
        at = base::Mix64(at);
        const FoundFrame& frame = scan.frames[at % scan.frames.size()];
        const auto files = whole.Copy();
        if (drop_index) {
            ASSERT_TRUE(files->Remove(IndexName(sequence)));
        }
        const uint64_t byte = frame.position + (at >> 20) % frame.bytes;
        ASSERT_TRUE(files->FlipBit(SegmentName(sequence), byte, static_cast<int>(at >> 60) & 7));
        const auto log = OpenOrFail(*files);
        ASSERT_NE(log, nullptr);
        std::set<Offset> rotten;
        CheckStream(*log, 0, &rotten);
        if (frame.stream == format::kInnerStream) {
            EXPECT_TRUE(rotten.empty());
        } else {
            EXPECT_EQ(rotten, std::set<Offset>{frame.offset}) << byte - frame.position;
        }
        const auto offset = log->End(0) + 1;
        Fill(*log, 0, 1);
        EXPECT_EQ(log->End(0), offset);
    }
}

TEST(BitRot, CostsOneRecordOfAClosedSegment) { FlipAllOver(1, false); }
TEST(BitRot, CostsOneRecordOfAClosedSegmentWithoutIndex) { FlipAllOver(2, true); }

TEST(BitRot, InTheOpenSegmentIsReportedNeverCut) {
    MemoryFileSystem whole;
    {
        const auto log = OpenOrFail(whole);
        for (int i = 0; i < 20; ++i) {
            Fill(*log, 0, 1);
            Fill(*log, 1, 1);
        }
    }
    const std::vector<FoundFrame> records = RecordsOf(ScanFile(whole, 1));
    for (const FoundFrame& frame : records) {
        for (const uint32_t byte : {0U, 4U, 6U, 17U, 65U, 69U, 73U, 79U, 80U, frame.bytes - 1}) {
            const auto files = whole.Copy();
            ASSERT_TRUE(files->FlipBit(SegmentName(1), frame.position + byte, 2));
            const auto log = OpenOrFail(*files);
            ASSERT_NE(log, nullptr);
            EXPECT_EQ(log->recovery().torn_bytes, 0U);
            EXPECT_GE(log->recovery().rotten_records, 1U);
            EXPECT_FALSE(log->recovery().lines.empty());
            for (const StreamId stream : {StreamId{0}, StreamId{1}}) {
                std::set<Offset> rotten;
                CheckStream(*log, stream, &rotten);
                if (stream == frame.stream) {
                    EXPECT_TRUE(rotten.contains(frame.offset));
                }
                // Never given twice, also when the last record of the stream is the lost one.
                EXPECT_GE(log->End(stream), 20U);
                EXPECT_LE(rotten.size(), 1U);
            }
        }
    }
}

TEST(BitRot, DamagedIndexIsBuiltAgain) {
    MemoryFileSystem whole;
    {
        const auto log = OpenOrFail(whole);
        Fill(*log, 0, 300);
    }
    const size_t size = whole.Contents(IndexName(1)).size();
    ASSERT_GT(size, 100U);
    for (size_t byte = 0; byte < size; byte += 5) {
        const auto files = whole.Copy();
        ASSERT_TRUE(files->FlipBit(IndexName(1), byte, static_cast<int>(byte % 8)));
        const auto log = OpenOrFail(*files);
        ASSERT_NE(log, nullptr);
        CheckStream(*log, 0);
        EXPECT_EQ(log->End(0), 300U);
    }
}

TEST(BitRot, LostSegmentCostsItsRecordsAlone) {
    MemoryFileSystem files;
    Offset end = 0;
    {
        const auto log = OpenOrFail(files);
        while (log->counters().segments < 4) Fill(*log, 0, 10);
        end = log->End(0);
    }
    const size_t lost = RecordsOf(ScanFile(files, 2)).size();
    ASSERT_TRUE(files.Remove(SegmentName(2)));
    const auto log = OpenOrFail(files);
    ASSERT_NE(log, nullptr);
    EXPECT_FALSE(log->recovery().lines.empty());
    std::set<Offset> rotten;
    CheckStream(*log, 0, &rotten);
    EXPECT_EQ(rotten.size(), lost);
    EXPECT_EQ(log->End(0), end);
}

TEST(PowerLoss, EverythingAcknowledgedIsThereAndNothingElseIsBetween) {
    for (uint64_t seed = 1; seed <= 150; ++seed) {
        MemoryFileSystem files;
        std::map<StreamId, Offset> acknowledged;
        for (uint64_t life = 0; life < 4; ++life) {
            auto opened = EmbeddedLog::Open(Small(files));
            ASSERT_TRUE(opened) << "seed " << seed << ": " << opened.error().internal;
            const auto log = std::move(*opened);
            ASSERT_EQ(log->recovery().rotten_records, 0U)
                << "seed " << seed << " life " << life << ": " << log->recovery().lines[0];
            for (const auto& [stream, offset] : acknowledged) {
                ASSERT_GE(log->End(stream), offset) << "seed " << seed;
            }
            CheckStream(*log, 0);
            CheckStream(*log, 1);
            std::atomic<Offset> durable[2] = {log->End(0), log->End(1)};
            std::atomic<int> answers{0};
            Offset next[2] = {log->End(0), log->End(1)};
            int asked = 0;
            const uint64_t calls = base::Mix64(seed * 4 + life) % 60;
            for (uint64_t i = 0; i < calls; ++i) {
                std::vector<NewRecord> records;
                for (uint64_t k = 0; k <= base::Mix64(seed + i) % 8; ++k) {
                    const auto s = static_cast<StreamId>(base::Mix64(i + k) % 2);
                    records.push_back(Event(s, PayloadNo(++next[s])));
                }
                ++asked;
                log->Append(std::move(records), [&](base::Result<std::vector<Position>> r) {
                    if (r) {
                        for (const Position& p : *r) durable[p.stream] = p.offset;
                    }
                    ++answers;
                });
                // Refused ones would leave holes in the numbers.
                while (log->counters().queue_bytes > 0 && i % 3 == 0) std::this_thread::yield();
                while (log->counters().spares < 2) std::this_thread::yield();
            }
            const Offset sure[2] = {durable[0], durable[1]};
            files.Crash(seed * 7 + life);
            while (answers < asked) {
                log->Append({Event(0, "never")}, [](const auto&) {});
                std::this_thread::yield();
            }
            // Between the reading of `sure` and the crash more may have become durable.
            acknowledged[0] = sure[0];
            acknowledged[1] = sure[1];
        }
    }
}

TEST(FailingDisk, NothingIsAcknowledgedAfterTheFirstErrorAndARestartIsConsistent) {
    bool done = false;
    for (uint64_t n = 1; !done; ++n) {
        ASSERT_LT(n, 3000U);
        MemoryFileSystem files;
        files.FailCall(n);
        Offset acknowledged = 0;
        std::atomic<int> fatal{0};
        {
            EmbeddedLog::Options options = Small(files);
            options.on_fatal = [&](const base::Error&) { ++fatal; };
            auto opened = EmbeddedLog::Open(std::move(options));
            if (!opened) {
                EXPECT_EQ(opened.error().code, base::ErrorCode::kIo);
            } else {
                const auto log = std::move(*opened);
                bool failed = false;
                for (int i = 0; i < 150; ++i) {
                    const auto put = Put(*log, {Event(0, PayloadNo(log->End(0) + 1))});
                    if (put) {
                        ASSERT_FALSE(failed);
                        acknowledged = put->at(0).offset;
                    } else {
                        ASSERT_EQ(put.error().code, base::ErrorCode::kIo);
                        ASSERT_TRUE(log->fatal());
                        failed = true;
                    }
                }
                // What is durable stays readable.
                if (failed) {
                    CheckStream(*log, 0);
                }
            }
            done = files.Calls() < n;
        }
        EXPECT_LE(fatal, 1);
        files.Crash(n);
        const auto log = OpenOrFail(files);
        ASSERT_NE(log, nullptr);
        ASSERT_EQ(log->recovery().rotten_records, 0U);
        ASSERT_GE(log->End(0), acknowledged);
        CheckStream(*log, 0);
    }
}

TEST(FullDisk, KeepsTheReserveForControlAndResumesByItself) {
    MemoryFileSystem files(6 * kSmall + 20'000);
    const auto log = OpenOrFail(files);
    const std::string payload(1000, 'x');
    const auto code = [](const auto& result) {
        return result ? base::ErrorCode::kInternal : result.error().code;
    };
    int taken = 0;
    while (code(Put(*log, {Event(0, PayloadNo(log->End(0) + 1))})) != base::ErrorCode::kDiskFull) {
        ASSERT_LT(++taken, 10'000);
    }
    EXPECT_GT(taken, 100);
    EXPECT_TRUE(log->counters().disk_full);
    EXPECT_EQ(code(Put(*log, {Event(log->links(), payload)})), base::ErrorCode::kDiskFull);
    EXPECT_EQ(code(Put(*log, {Event(log->control(), "a"), Event(0, payload)})),
              base::ErrorCode::kDiskFull);
    // All of the reserve is control's, and then it is full for it, too.
    // A record alone in its commit may have a seal behind it.
    const size_t one = format::FrameBytes(payload.size()) + format::kFrameHeaderBytes;
    size_t control_bytes = 0;
    for (;;) {
        const auto put = Put(*log, {Event(log->control(), payload)});
        if (!put) {
            EXPECT_EQ(put.error().code, base::ErrorCode::kDiskFull);
            break;
        }
        control_bytes += one;
        ASSERT_LT(control_bytes, 10 * kSmall);
    }
    EXPECT_GE(control_bytes + one, kSmall - format::FirstRecordAt(kPartitions + 2));
    EXPECT_FALSE(log->fatal());
    CheckStream(*log, 0);
    const Offset end = log->End(0);
    files.SetCapacity(UINT64_MAX);
    while (!log->AppendAndWait({Event(0, PayloadNo(end + 1))})) std::this_thread::yield();
    CheckStream(*log, 0);
}

TEST(FullDisk, TrimMakesRoom) {
    MemoryFileSystem files(7 * kSmall + 30'000);
    const auto log = OpenOrFail(files);
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 60; ++i) {
            // Until the freed segments are ready again.
            while (!log->AppendAndWait({Event(0, PayloadNo(log->End(0) + 1))})) {
                std::this_thread::yield();
            }
        }
        ASSERT_TRUE(log->Trim(0, log->End(0)));
    }
    EXPECT_GT(log->counters().segments_freed, 5U);
    EXPECT_GT(log->Begin(0), 1U);
    CheckStream(*log, 0);
}

TEST(Recycling, LeftoversNeverPassAndFreedBytesAreZeroed) {
    MemoryFileSystem files;
    {
        const auto log = OpenOrFail(files);
        for (int round = 0; round < 10; ++round) {
            Fill(*log, 0, 60);
            ASSERT_TRUE(log->Trim(0, log->End(0) + 1));
        }
        EXPECT_EQ(log->End(0), 600U);
    }
    {
        const auto log = OpenOrFail(files);
        EXPECT_TRUE(log->recovery().lines.empty()) << log->recovery().lines[0];
        EXPECT_EQ(log->End(0), 600U);
        EXPECT_GT(log->Begin(0), 500U);
        CheckStream(*log, 0);
    }
    // No byte of a trimmed record is in any file.
    const auto names = files.List("/log");
    ASSERT_TRUE(names);
    for (const std::string& name : *names) {
        const std::string contents = files.Contents("/log/" + name);
        EXPECT_EQ(contents.find(PayloadNo(300)), std::string::npos) << name;
    }
}

TEST(Recycling, AFrameOfAnotherGenerationOrPlaceIsNoFrame) {
    std::string frame(format::FrameBytes(100), '\0');
    format::WriteFrame(frame.data(), {}, std::string(100, 'x'), 77, 4096);
    using format::FrameState;
    EXPECT_EQ(format::CheckFrame(frame.data(), frame.size(), 77, 4096), FrameState::kGood);
    EXPECT_EQ(format::CheckFrame(frame.data(), frame.size(), 78, 4096), FrameState::kNoHeader);
    EXPECT_EQ(format::CheckFrame(frame.data(), frame.size(), 77, 4104), FrameState::kNoHeader);
    EXPECT_EQ(format::CheckFrame(frame.data(), frame.size() - 8, 77, 4096),
              FrameState::kNoHeader);
    for (size_t bit = 0; bit < frame.size() * 8; ++bit) {
        std::string flipped = frame;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
        EXPECT_NE(format::CheckFrame(flipped.data(), flipped.size(), 77, 4096),
                  FrameState::kGood) << bit;
    }
}

TEST(EmbeddedLog, TimeDoesNotGoBackOverARestart) {
    MemoryFileSystem files;
    base::SimulatedClock late(kStart + 10'000);
    EmbeddedLog::Options options = Small(files);
    options.clock = &late;
    ASSERT_TRUE((*EmbeddedLog::Open(options))->AppendAndWait({Event(0, "a")}));
    base::SimulatedClock early(kStart);
    options.clock = &early;
    const auto log = std::move(*EmbeddedLog::Open(options));
    EXPECT_EQ(log->LastCommitTime(), kStart + 10'000);
    EXPECT_EQ(log->AppendAndWait({Event(0, "b")})->at(0).time_ms, kStart + 10'000);
    EXPECT_EQ(log->AppendAndWait({Event(1, "b")})->at(0).time_ms, kStart);
}

TEST(EmbeddedLog, QueueBeyondItsLimitIsRefusedWithoutLoss) {
    MemoryFileSystem files;
    EmbeddedLog::Options options = Small(files);
    options.segment_bytes = 1024 * 1024;
    const auto log = std::move(*EmbeddedLog::Open(options));
    EXPECT_EQ(log->AppendAndWait({Event(0, std::string(1024 * 1024, 'x'))}).error().code,
              base::ErrorCode::kTooLarge);
    // More than all prepared segments hold, in one call.
    const std::vector<NewRecord> flood(30, Event(0, std::string(500'000, 'x')));
    EXPECT_EQ(log->AppendAndWait(flood).error().code, base::ErrorCode::kOverloaded);
    EXPECT_EQ(log->End(0), 0U);
    EXPECT_TRUE(log->AppendAndWait({Event(0, "a")}));
}

}  // namespace
}  // namespace event_log
