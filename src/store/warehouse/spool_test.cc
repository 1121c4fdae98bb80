#include "store/warehouse/spool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "store/warehouse/test_rows.h"
#include "store/warehouse/timeline.h"
#include "store/warehouse/writer.h"

namespace warehouse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SpoolTest : public testing::Test {
  protected:
    SpoolTest() {
        char name[] = "/tmp/ripen-spool-XXXXXX";
        path_ = mkdtemp(name);
    }
    ~SpoolTest() override { std::filesystem::remove_all(path_); }

    std::unique_ptr<Spool> Open(SpoolOptions options = {}) {
        options.directory = path_;
        options.segment_bytes = std::min<size_t>(options.segment_bytes, 64 * 1024);
        auto spool = Spool::Open(options);
        EXPECT_TRUE(spool) << spool.error().internal;
        return spool ? std::move(*spool) : nullptr;
    }

    static std::string Entries(uint16_t partition, uint64_t first, uint64_t last) {
        std::string entries;
        for (uint64_t i = first; i <= last; ++i)
            entries += EntryBytes(MakeRow(partition, i, i % 5));
        return entries;
    }

    // Offsets of everything that can be taken, in order; acknowledges nothing.
    static std::vector<uint64_t> TakeAll(Spool& spool, uint64_t* last_block = nullptr) {
        std::vector<uint64_t> offsets;
        while (true) {
            const auto blocks = spool.Take(1'000'000, 1U << 30);
            EXPECT_TRUE(blocks) << blocks.error().internal;
            if (!blocks || blocks->empty()) return offsets;
            for (const auto& block : *blocks) {
                std::string_view entries = block->entries;
                EntryHeader header;
                std::string_view row;
                while (NextEntry(entries, header, row)) offsets.push_back(header.offset);
                if (last_block != nullptr) *last_block = block->number;
            }
        }
    }

    static std::vector<uint64_t> Range(uint64_t first, uint64_t last) {
        std::vector<uint64_t> range;
        for (uint64_t i = first; i <= last; ++i) range.push_back(i);
        return range;
    }

    std::vector<std::string> Files(const std::string& prefix) const {
        std::vector<std::string> files;
        for (const auto& entry : std::filesystem::directory_iterator(path_)) {
            if (entry.path().filename().string().starts_with(prefix)) files.push_back(entry.path());
        }
        std::sort(files.begin(), files.end());
        return files;
    }

    static std::string Slurp(const std::string& path) {
        std::ifstream in(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    static void Overwrite(const std::string& path, size_t at, const std::string& bytes) {
        std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(static_cast<std::streamoff>(at));
        file << bytes;
    }

    std::string path_;
};

// A crash: what is only in memory is gone, files stay as they are. (Destroying the spool writes
// nothing, so it is the same as kill -9.)
TEST_F(SpoolTest, SyncedRowsSurviveACrashAndUnsyncedOnesComeByReplay) {
    auto spool = Open();
    spool->Append(Entries(0, 1, 100));
    ASSERT_TRUE(spool->Sync());
    spool->Append(Entries(0, 101, 150));
    spool.reset();
    spool = Open();
    // The fold replays from a checkpoint at 80.
    spool->Append(Entries(0, 81, 150));
    EXPECT_EQ(spool->Counters().doubles, 20U);
    EXPECT_EQ(TakeAll(*spool), Range(1, 150));
}

TEST_F(SpoolTest, ARowAtOrBelowTheHighestIsDroppedPerPartition) {
    auto spool = Open();
    Row row = MakeRow(0, 5, 1);
    row.ordinal = 1;
    spool->Append(EntryBytes(row));
    spool->Append(EntryBytes(row));
    row.ordinal = 0;
    spool->Append(EntryBytes(row));
    row.ordinal = 2;
    spool->Append(EntryBytes(row));
    spool->Append(EntryBytes(MakeRow(1, 5, 1)));
    EXPECT_EQ(spool->Counters().rows, 3U);
    EXPECT_EQ(spool->Counters().doubles, 2U);
}

TEST_F(SpoolTest, DoublesInsideABatchLeaveTheOthersInOrder) {
    auto spool = Open();
    spool->Append(Entries(0, 1, 4));
    spool->Append(Entries(0, 3, 4) + Entries(0, 5, 6) + Entries(0, 2, 2) + Entries(0, 7, 7));
    EXPECT_EQ(TakeAll(*spool), Range(1, 7));
}

TEST_F(SpoolTest, AcknowledgedRowsAreForgottenAlsoAcrossAStart) {
    auto spool = Open({.block_bytes = 1});
    spool->Append(Entries(0, 1, 10));
    const auto first = spool->Take(10, 1U << 20);
    ASSERT_TRUE(first);
    spool->Append(Entries(0, 11, 20));
    ASSERT_TRUE(spool->Sync());
    ASSERT_TRUE(spool->Ack(first->back()->number));
    spool->Append(Entries(0, 21, 21));
    ASSERT_TRUE(spool->Sync());  // Remembers the acknowledgement.
    EXPECT_EQ(spool->Counters().rows_unacked, 11U);
    spool.reset();
    spool = Open();
    EXPECT_EQ(TakeAll(*spool), Range(11, 21));
}

TEST_F(SpoolTest, WhatWasAcknowledgedBeforeASyncNeverReachesTheFile) {
    auto spool = Open();
    spool->Append(Entries(0, 1, 100));
    uint64_t last = 0;
    TakeAll(*spool, &last);
    ASSERT_TRUE(spool->Ack(last));
    ASSERT_TRUE(spool->Sync());
    EXPECT_EQ(spool->Counters().bytes_written, 0U);
    EXPECT_THAT(Files("spool-"), IsEmpty());
}

TEST_F(SpoolTest, FreedSegmentsAreZeroedBeforeTheyAreUsedAgain) {
    auto spool = Open();
    Row row = MakeRow(0, 1, 5);
    row.payload = "secret-of-an-erased-person";
    spool->Append(EntryBytes(row));
    ASSERT_TRUE(spool->Sync());
    ASSERT_EQ(Files("spool-").size(), 1U);
    EXPECT_NE(Slurp(Files("spool-")[0]).find("secret-of"), std::string::npos);
    uint64_t last = 0;
    TakeAll(*spool, &last);
    ASSERT_TRUE(spool->Ack(last));
    EXPECT_THAT(Files("spool-"), IsEmpty());
    ASSERT_EQ(Files("spare").size(), 1U);
    EXPECT_EQ(Slurp(Files("spare")[0]).find_first_not_of('\0'), std::string::npos);
    spool->Append(Entries(0, 2, 2));
    ASSERT_TRUE(spool->Sync());
    EXPECT_THAT(Files("spare"), IsEmpty());
    spool.reset();
    EXPECT_EQ(TakeAll(*Open()), Range(2, 2));
}

TEST_F(SpoolTest, ManySegmentsKeepTheirOrderAndAreFreedOneByOne) {
    auto spool = Open({.segment_bytes = 16 * 1024, .block_bytes = 2000});
    for (uint64_t i = 1; i <= 300; ++i) spool->Append(Entries(0, i, i));
    ASSERT_TRUE(spool->Sync());
    const size_t segments = Files("spool-").size();
    EXPECT_GT(segments, 4U);
    const auto some = spool->Take(150, 1U << 30);
    ASSERT_TRUE(some);
    ASSERT_TRUE(spool->Ack(some->back()->number));
    EXPECT_LT(Files("spool-").size(), segments);
    spool->Append(Entries(0, 301, 301));
    ASSERT_TRUE(spool->Sync());
    spool.reset();
    spool = Open();
    const std::vector<uint64_t> rest = TakeAll(*spool);
    ASSERT_FALSE(rest.empty());
    EXPECT_EQ(rest, Range(rest.front(), 301));
    EXPECT_GT(rest.front(), 100U);
    EXPECT_EQ(spool->Counters().blocks_rotten, 0U);
}

TEST_F(SpoolTest, RepeatedStartsLoseNothingAndReportNoRot) {
    for (uint64_t start = 0; start < 6; ++start) {
        auto spool = Open();
        spool->Append(Entries(0, start * 10 + 1, start * 10 + 10));
        ASSERT_TRUE(spool->Sync());
        EXPECT_EQ(spool->Counters().blocks_rotten, 0U);
    }
    EXPECT_EQ(TakeAll(*Open()), Range(1, 60));
}

TEST_F(SpoolTest, ATornTailIsCutWhereverItTore) {
    auto spool = Open({.block_bytes = 1});
    spool->Append(Entries(0, 1, 3));
    ASSERT_TRUE(spool->Sync());
    spool.reset();
    const std::string path = Files("spool-")[0];
    const std::string whole = Slurp(path);
    size_t end = whole.find_last_not_of('\0') + 1;
    for (size_t cut = 65; cut < end; cut += 13) {
        std::filesystem::remove_all(path_);
        std::filesystem::create_directories(path_);
        std::ofstream(path, std::ios::binary)
            << whole.substr(0, cut) << std::string(whole.size() - cut, '\0');
        auto again = Open();
        const std::vector<uint64_t> rows = TakeAll(*again);
        EXPECT_TRUE(rows.empty() || rows == Range(1, 3)) << cut;
        again->Append(Entries(0, 1, 5));
        ASSERT_TRUE(again->Sync());
        again.reset();
        EXPECT_EQ(TakeAll(*Open()), Range(1, 5)) << cut;
    }
}

TEST_F(SpoolTest, RotInTheSyncedPartIsCountedAndTheRestKept) {
    auto spool = Open({.block_bytes = 1});
    for (uint64_t i = 1; i <= 3; ++i) {
        spool->Append(Entries(0, i, i));
        ASSERT_TRUE(spool->Sync());
    }
    spool.reset();
    const std::string path = Files("spool-")[0];
    const size_t at = Slurp(path).find("/pricing");
    Overwrite(path, at, "X");
    spool = Open();
    EXPECT_EQ(spool->Counters().blocks_rotten, 1U);
    EXPECT_EQ(TakeAll(*spool), Range(2, 3));
}

TEST_F(SpoolTest, BeyondTheMemoryLimitRowsAreReadBackFromTheFile) {
    auto spool = Open({.memory_bytes_max = 20'000, .block_bytes = 4'000});
    for (uint64_t i = 1; i <= 500; ++i) spool->Append(Entries(0, i, i));
    EXPECT_LE(spool->Counters().bytes_in_memory, 24'500U);
    EXPECT_GT(spool->Counters().bytes_written, 50'000U);
    std::vector<uint64_t> found;
    ASSERT_TRUE(spool->ForPersons(1, {3}, [&](const EntryHeader& header, std::string_view) {
        found.push_back(header.offset);
    }));
    EXPECT_EQ(found.size(), 100U);
    EXPECT_EQ(TakeAll(*spool), Range(1, 500));
}

TEST_F(SpoolTest, FullIsSeenBeyondTheLimitAndEndsWithTheAcknowledgement) {
    const size_t one = EntryBytes(MakeRow(0, 1, 1)).size();
    auto spool = Open({.bytes_max = one * 2});
    spool->Append(Entries(0, 1, 2));
    EXPECT_FALSE(spool->Full());
    spool->Append(Entries(0, 3, 3));
    EXPECT_TRUE(spool->Full());
    uint64_t last = 0;
    EXPECT_EQ(TakeAll(*spool, &last), Range(1, 3));
    ASSERT_TRUE(spool->Ack(last));
    EXPECT_FALSE(spool->Full());
}

TEST_F(SpoolTest, ForPersonsSeesOnlyTheirsInTheirWorkspaceAndOnlyWhatWaits) {
    auto spool = Open();
    spool->Append(EntryBytes(MakeRow(0, 1, 7)));
    uint64_t last = 0;
    TakeAll(*spool, &last);
    ASSERT_TRUE(spool->Ack(last));
    spool->Append(EntryBytes(MakeRow(0, 2, 7)) + EntryBytes(MakeRow(0, 3, 8)));
    ASSERT_TRUE(spool->Sync());
    Row other = MakeRow(0, 4, 7);
    other.workspace = 2;
    spool->Append(EntryBytes(other) + EntryBytes(MakeRow(0, 5, 7)) + EntryBytes(MakeRow(0, 6, 9)));
    std::vector<uint64_t> found;
    ASSERT_TRUE(spool->ForPersons(1, {7, 9}, [&](const EntryHeader& header, std::string_view row) {
        found.push_back(header.offset);
        EXPECT_EQ(row.size(), header.row_bytes);
    }));
    EXPECT_THAT(found, ElementsAre(2, 5, 6));
}

TEST_F(SpoolTest, ASecondProcessIsRefused) {
    auto spool = Open();
    const auto second = Spool::Open({.directory = path_});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, base::ErrorCode::kConflict);
}

TEST_F(SpoolTest, ManyThreadsAppendAndEachPartitionKeepsItsOrder) {
    auto spool = Open({.memory_bytes_max = 100'000, .block_bytes = 8'000});
    std::vector<std::thread> threads;
    for (uint16_t p = 0; p < 4; ++p) {
        threads.emplace_back([&spool, p] {
            for (uint64_t i = 0; i < 200; ++i) spool->Append(Entries(p, i * 5 + 1, i * 5 + 5));
        });
    }
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(spool->Sync());
    for (std::thread& thread : threads) thread.join();
    std::vector<uint64_t> highest(4);
    size_t rows = 0;
    while (true) {
        const auto blocks = spool->Take(100, 1U << 20);
        ASSERT_TRUE(blocks);
        if (blocks->empty()) break;
        for (const auto& block : *blocks) {
            std::string_view entries = block->entries;
            EntryHeader header;
            std::string_view row;
            while (NextEntry(entries, header, row)) {
                EXPECT_EQ(header.offset, ++highest[header.partition]);
                ++rows;
            }
        }
        ASSERT_TRUE(spool->Ack(blocks->back()->number));
    }
    EXPECT_EQ(rows, 4000U);
}

// A warehouse in memory that fails as planned: before the rows are in, after, or in between months.
class Unreliable final : public Warehouse {
  public:
    explicit Unreliable(std::unique_ptr<Warehouse> inner) : inner_(std::move(inner)) {}

    enum class Fate { kWorks, kRefused, kLostAnswer, kLostRequest, kNobody };
    std::function<Fate(int insert)> fate = [](int) { return Fate::kWorks; };
    int inserts = 0;
    int settles = 0;

    base::Status Insert(std::string_view rows) override {
        switch (fate(inserts++)) {
            case Fate::kWorks:
                return inner_->Insert(rows);
            case Fate::kRefused:
                return base::Fail(base::ErrorCode::kDiskFull, "Code: 243");
            case Fate::kNobody:
                return base::Fail(base::ErrorCode::kUnavailable, "connect");
            case Fate::kLostAnswer:
                late_ = rows;  // Still under way; lands at the latest when it is settled.
                break;
            case Fate::kLostRequest:
                break;
        }
        return base::Fail(base::ErrorCode::kOutcomeUnknown, "broke off");
    }
    base::Status Settle() override {
        ++settles;
        const std::string rows = std::exchange(late_, {});
        return rows.empty() ? base::Status() : inner_->Insert(rows);
    }
    base::Status EnsureSchema() override { return inner_->EnsureSchema(); }
    base::Result<std::vector<RowKey>> Present(int32_t month,
                                              const std::vector<KeyRange>& ranges) override {
        return inner_->Present(month, ranges);
    }
    base::Result<std::vector<HighOffset>> HighOffsets() override { return inner_->HighOffsets(); }
    base::Result<std::vector<Row>> Timeline(const TimelineQuery& query) override {
        return inner_->Timeline(query);
    }
    base::Status Query(std::string_view sql, const OnBytes& on_bytes) override {
        return inner_->Query(sql, on_bytes);
    }
    base::Status Erase(uint32_t workspace, const std::vector<uint64_t>& persons) override {
        return inner_->Erase(workspace, persons);
    }
    base::Status EraseWorkspace(uint32_t workspace) override {
        return inner_->EraseWorkspace(workspace);
    }
    base::Status DropMonth(int32_t month) override { return inner_->DropMonth(month); }
    bool Healthy() override { return inner_->Healthy(); }

  private:
    std::unique_ptr<Warehouse> inner_;
    std::string late_;
};

class WriterTest : public SpoolTest {
  protected:
    static WriterOptions Quick() {
        WriterOptions options;
        options.block_ms = 1;
        options.backoff_ms[0] = options.backoff_ms[1] = options.backoff_ms[2] = 1;
        return options;
    }
    static std::vector<uint64_t> Stored(Warehouse& warehouse) {
        std::vector<uint64_t> offsets;
        const auto rows =
            warehouse.Timeline({.workspace = 1, .persons = {0, 1, 2, 3, 4}, .limit = 1'000'000});
        for (const Row& row : *rows) offsets.push_back(row.offset);
        std::sort(offsets.begin(), offsets.end());
        return offsets;
    }
};

TEST_F(WriterTest, EveryFateOfAnInsertEndsWithEachRowOnce) {
    using Fate = Unreliable::Fate;
    for (const Fate fate : {Fate::kRefused, Fate::kLostAnswer, Fate::kLostRequest, Fate::kNobody}) {
        std::filesystem::remove_all(path_);
        auto spool = Open();
        Unreliable warehouse(MemoryWarehouse());
        warehouse.fate = [fate](int insert) { return insert % 2 == 0 ? fate : Fate::kWorks; };
        auto writer = Writer::Start(*spool, warehouse, Quick());
        for (uint64_t i = 0; i < 20; ++i) {
            spool->Append(Entries(0, i * 10 + 1, i * 10 + 10));
            ASSERT_TRUE(writer->Flush(60'000));
        }
        writer.reset();
        EXPECT_EQ(Stored(warehouse), Range(1, 200)) << static_cast<int>(fate);
        EXPECT_GT(warehouse.settles, 1);
    }
}

TEST_F(WriterTest, OneInsertHoldsOneMonth) {
    auto spool = Open();
    Unreliable warehouse(MemoryWarehouse());
    auto writer = Writer::Start(*spool, warehouse, Quick());
    std::string entries;
    for (uint64_t i = 1; i <= 90; ++i) {
        entries += EntryBytes(
            MakeRow(0, i, i % 5, kJanuary + static_cast<int64_t>(i % 3) * 31 * base::kDayMs));
    }
    spool->Append(entries);
    ASSERT_TRUE(writer->Flush(60'000));
    writer.reset();
    EXPECT_EQ(Stored(warehouse), Range(1, 90));  // The memory refuses mixed months.
    EXPECT_GE(warehouse.inserts, 3);
}

TEST_F(WriterTest, InNormalRunningNothingIsAsked) {
    auto spool = Open();
    Unreliable warehouse(MemoryWarehouse());
    auto writer = Writer::Start(*spool, warehouse, Quick());
    for (uint64_t i = 1; i <= 20; ++i) {
        spool->Append(Entries(0, i, i));
        ASSERT_TRUE(writer->Flush(60'000));
    }
    EXPECT_EQ(writer->Counters().checks, 0U);
    EXPECT_EQ(writer->Counters().rows, 20U);
    EXPECT_TRUE(writer->Counters().healthy);
}

TEST_F(WriterTest, RowsOfADeletedWorkspaceAreAcknowledgedAndGoNowhere) {
    auto spool = Open();
    Unreliable warehouse(MemoryWarehouse());
    WriterOptions options = Quick();
    options.dropped = [](uint32_t workspace) { return workspace == 2; };
    std::string entries = Entries(0, 1, 3);
    Row theirs = MakeRow(0, 4, 1);
    theirs.workspace = 2;
    entries += EntryBytes(theirs);
    spool->Append(entries);
    auto writer = Writer::Start(*spool, warehouse, std::move(options));
    ASSERT_TRUE(writer->Flush(60'000));
    EXPECT_EQ(writer->Counters().rows_dropped, 1U);
    writer.reset();
    EXPECT_EQ(Stored(warehouse), Range(1, 3));
    EXPECT_TRUE(
        warehouse.Timeline({.workspace = 2, .persons = {0, 1, 2, 3, 4}, .limit = 10})->empty());
    EXPECT_EQ(spool->Counters().rows_unacked, 0U);
}

TEST_F(WriterTest, ALargePileGoesInPiecesWithinTheLimits) {
    auto spool = Open();
    Unreliable warehouse(MemoryWarehouse());
    WriterOptions options = Quick();
    options.backlog_rows = 50;
    spool->Append(Entries(0, 1, 501));
    auto writer = Writer::Start(*spool, warehouse, options);
    ASSERT_TRUE(writer->Flush(60'000));
    writer.reset();
    EXPECT_EQ(warehouse.inserts, 11);
    EXPECT_EQ(Stored(warehouse), Range(1, 501));
}

TEST_F(WriterTest, WhileTheWarehouseIsAwayRowsWaitAndStopDoesNotHang) {
    auto spool = Open();
    Unreliable warehouse(MemoryWarehouse());
    warehouse.fate = [](int) { return Unreliable::Fate::kNobody; };
    auto writer = Writer::Start(*spool, warehouse, Quick());
    spool->Append(Entries(0, 1, 10));
    const auto flushed = writer->Flush(50);
    ASSERT_FALSE(flushed);
    EXPECT_EQ(flushed.error().code, base::ErrorCode::kTimeout);
    EXPECT_FALSE(writer->Counters().healthy);
    writer.reset();
    EXPECT_EQ(spool->Counters().rows_unacked, 10U);
}

TEST_F(WriterTest, TheJoinedTimelineIsNewestFirstWithoutDoubles) {
    auto spool = Open();
    const auto warehouse = MemoryWarehouse();
    // Row 2 is in both: inserted, not yet acknowledged.
    ASSERT_TRUE(warehouse->Insert(RowBytes(MakeRow(0, 1, 7, kJanuary)) +
                                  RowBytes(MakeRow(0, 2, 7, kJanuary + 1))));
    spool->Append(EntryBytes(MakeRow(0, 2, 7, kJanuary + 1)) +
                  EntryBytes(MakeRow(0, 3, 7, kJanuary + 2)) +
                  EntryBytes(MakeRow(0, 4, 8, kJanuary + 3)));
    const auto rows = ReadTimeline(*spool, *warehouse, {.workspace = 1, .persons = {7}});
    ASSERT_TRUE(rows);
    std::vector<uint64_t> offsets;
    for (const Row& row : *rows) offsets.push_back(row.offset);
    EXPECT_THAT(offsets, ElementsAre(3, 2, 1));
    const auto page = ReadTimeline(*spool, *warehouse,
                                   {.workspace = 1,
                                    .persons = {7},
                                    .before = TimelineCursor{kJanuary + 2, {0, 3, 0}},
                                    .limit = 1});
    ASSERT_TRUE(page);
    ASSERT_EQ(page->size(), 1U);
    EXPECT_EQ(page->front().offset, 2U);
}

}  // namespace
}  // namespace warehouse
