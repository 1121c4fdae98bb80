// The warehouse as it runs: the real child with libchdb, its client, the writer. The test program
// itself is the child when its first argument is "warehouse". Skipped where libchdb is absent.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "base/bytes.h"
#include "base/limits.h"
#include "store/warehouse/child_main.h"
#include "store/warehouse/child_process.h"
#include "store/warehouse/client.h"
#include "store/warehouse/escape.h"
#include "store/warehouse/http_exchange.h"
#include "store/warehouse/test_rows.h"
#include "store/warehouse/timeline.h"
#include "store/warehouse/writer.h"

namespace warehouse {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

constexpr base::DurationMs kLong = 180 * base::kSecondMs;

class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        char name[] = "/tmp/ripen-warehouse-XXXXXX";
        path_ = mkdtemp(name);
    }
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

class WithChild : public testing::Test {
  protected:
    void SetUp() override {
        const auto library = FindLibChdb();
        if (!library) GTEST_SKIP() << "needs libchdb: " << library.error().internal;
        ChildProcessOptions options;
        // libchdb cannot be loaded into a program with sanitizers: a plain one plays the child.
        const char* plain = std::getenv("RIPEN_CHILD_BINARY");
        if (plain != nullptr) options.executable = plain;
        if (kSanitized && plain == nullptr) {
            GTEST_SKIP() << "needs RIPEN_CHILD_BINARY, a warehouse_test built without sanitizers";
        }
        options.child.library = *library;
        options.child.directory = directory_.path() + "/data";
        options.child.socket_path = directory_.path() + "/socket";
        options.child.memory_bytes_max = 2ULL * 1024 * 1024 * 1024;
        auto started = ChildProcess::Start(options);
        ASSERT_TRUE(started) << started.error().internal;
        child_ = std::move(*started);
        warehouse_ =
            ConnectWarehouse({.socket_path = options.child.socket_path, .child = child_.get()});
        const auto ready = child_->WaitReady(kLong);
        ASSERT_TRUE(ready) << ready.error().internal;
        const auto made = warehouse_->EnsureSchema();
        ASSERT_TRUE(made) << made.error().internal;
    }

    base::Result<std::string> PostSql(const std::string& sql, const std::string& target = "/") {
        const Peer peer{
            .socket_path = child_->socket_path(), .host = {}, .user = {}, .password = {}};
        const Exchange exchange{
            .target = target, .body = sql, .connect_ms = 2000, .total_ms = kLong};
        std::string answer;
        const auto result = RunExchange(peer, exchange, [&answer](std::string_view piece) {
            answer.append(piece);
            return true;
        });
        if (!result) return tl::make_unexpected(result.error());
        if (result->status != 200) {
            return base::Fail(base::ErrorCode::kInternal, result->error_text);
        }
        return answer;
    }

    uint64_t CountRows() {
        const auto answer =
            warehouse_->QueryAll("SELECT count() FROM w.events FORMAT RowBinary", 1024);
        EXPECT_TRUE(answer) << answer.error().internal;
        return answer ? base::ByteReader(*answer).U64() : UINT64_MAX;
    }
    uint64_t CountKeys() {
        const auto answer = warehouse_->QueryAll(
            "SELECT uniqExact(log_partition,log_offset,log_ordinal) FROM w.events FORMAT RowBinary",
            1024);
        EXPECT_TRUE(answer) << answer.error().internal;
        return answer ? base::ByteReader(*answer).U64() : UINT64_MAX;
    }

    TemporaryDirectory directory_;
    std::unique_ptr<ChildProcess> child_;
    std::unique_ptr<Warehouse> warehouse_;
};

TEST_F(WithChild, ARowComesBackAsItWentIn) {
    Row row = MakeRow(3, 10, 77);
    row.payload = std::string("a\n\n'b\\\0c\x80\xff", 11);
    row.prop_num = {-0.5, 1e300};
    row.ordinal = 7;
    ASSERT_TRUE(warehouse_->Insert(RowBytes(row)));
    const auto rows = warehouse_->Timeline({.workspace = 1, .persons = {77}});
    ASSERT_TRUE(rows) << rows.error().internal;
    EXPECT_THAT(*rows, testing::ElementsAre(row));
}

// Rule 1: a blank line inside rows ended them, and what followed ran as SQL.
TEST_F(WithChild, ABlankLineInsideRowsIsOnlyBytes) {
    ASSERT_TRUE(PostSql("CREATE TABLE w.victim (x UInt8) ENGINE = MergeTree ORDER BY x"));
    Row row = MakeRow(0, 1, 5);
    row.payload = "1\tx\n\ndrop table w.victim\n\n;drop table w.victim;";
    row.name = "\n\ndrop table w.victim";
    ASSERT_TRUE(warehouse_->Insert(RowBytes(row)));
    EXPECT_TRUE(PostSql("SELECT count() FROM w.victim FORMAT RowBinary"));
    const auto rows = warehouse_->Timeline({.workspace = 1, .persons = {5}});
    ASSERT_TRUE(rows);
    EXPECT_THAT(*rows, testing::ElementsAre(row));

    // The same as a body of raw text: refused whole, and nothing of it runs.
    EXPECT_FALSE(warehouse_->Insert("1\tx\n\ndrop table w.victim"));
    EXPECT_TRUE(PostSql("SELECT count() FROM w.victim FORMAT RowBinary"));
    EXPECT_EQ(CountRows(), 1U);
}

TEST_F(WithChild, TheInsertParameterTakesNoOtherStatement) {
    ASSERT_TRUE(PostSql("CREATE TABLE w.victim (x UInt8) ENGINE = MergeTree ORDER BY x"));
    for (const std::string_view sql :
         {"DROP TABLE w.victim",
          "INSERT INTO w.victim SELECT 1; DROP TABLE w.victim FORMAT RowBinary",
          "INSERT INTO w.victim FORMAT TabSeparated",
          "INSERT INTO w.victim\n\nDROP TABLE w.victim FORMAT RowBinary"}) {
        std::string target = "/?query=";
        AppendPercentEncoded(target, sql);
        EXPECT_FALSE(PostSql("x", target)) << sql;
    }
    EXPECT_TRUE(PostSql("SELECT count() FROM w.victim FORMAT RowBinary"));
}

TEST_F(WithChild, HostileLiteralsComeBackUnchanged) {
    std::string all;
    for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
    for (const std::string& text :
         {all, std::string("'; DROP TABLE w.events; --"), std::string("\\'; SELECT 1; --"),
          std::string("\\"), std::string("\\\\'"), std::string("'' OR 1=1"), std::string("\n\n"),
          std::string("/*"), std::string("{x:String}"), std::string("\xe2\x80\x99\xff\xfe"),
          std::string("\0'", 2), std::string("$$x$$"), std::string("%s%n\\x27")}) {
        const auto answer =
            warehouse_->QueryAll("SELECT " + Literal(text) + " FORMAT RowBinary", 4096);
        ASSERT_TRUE(answer) << answer.error().internal;
        EXPECT_EQ(base::ByteReader(*answer).Text(), text);
        std::string sql = "SELECT ";
        AppendLiteral(sql, std::string_view("x" + text + "y"));
        sql += " LIKE ";
        AppendContains(sql, text);
        sql += ", 'another' LIKE ";
        AppendContains(sql, text);
        const auto like = warehouse_->QueryAll(sql + " FORMAT RowBinary", 4096);
        ASSERT_TRUE(like) << like.error().internal;
        EXPECT_EQ(*like, std::string("\1\0", 2)) << sql;
    }
    EXPECT_EQ(CountRows(), 0U);
}

TEST_F(WithChild, NumbersComeBackUnchanged) {
    std::string sql = "SELECT toInt64(";
    AppendLiteral(sql, INT64_MIN);
    sql += "), toInt64(5-";
    AppendLiteral(sql, int64_t{-7});
    sql += "), toUInt64(";
    AppendLiteral(sql, UINT64_MAX);
    sql += "), toFloat64(";
    AppendLiteral(sql, -0.1);
    sql += ") FORMAT RowBinary";
    const auto answer = warehouse_->QueryAll(sql, 4096);
    ASSERT_TRUE(answer) << answer.error().internal;
    base::ByteReader in(*answer);
    EXPECT_EQ(in.I64(), INT64_MIN);
    EXPECT_EQ(in.I64(), 12);
    EXPECT_EQ(in.U64(), UINT64_MAX);
    EXPECT_EQ(in.F64(), -0.1);
}

TEST_F(WithChild, TheTimelineIsNewestFirstAndContinuesAtTheCursor) {
    std::string bytes;
    for (uint64_t i = 1; i <= 10; ++i) bytes += RowBytes(MakeRow(0, i, 5, kJanuary));
    for (uint64_t i = 11; i <= 15; ++i) {
        bytes += RowBytes(MakeRow(1, i, 6, kJanuary + static_cast<int64_t>(i)));
    }
    bytes += RowBytes(MakeRow(0, 16, 7));
    Row other = MakeRow(0, 17, 5);
    other.workspace = 2;
    bytes += RowBytes(other);
    Row fact = MakeRow(0, 18, 5);
    fact.kind = "segment_entered";
    bytes += RowBytes(fact);
    ASSERT_TRUE(warehouse_->Insert(bytes));

    std::vector<uint64_t> offsets;
    TimelineQuery query{
        .workspace = 1, .persons = {5, 6}, .before = {}, .kinds = {"event"}, .limit = 4};
    while (true) {
        const auto page = warehouse_->Timeline(query);
        ASSERT_TRUE(page) << page.error().internal;
        if (page->empty()) break;
        for (const Row& row : *page) offsets.push_back(row.offset);
        query.before = TimelineCursor{page->back().time_ms, page->back().key()};
    }
    EXPECT_THAT(offsets, testing::ElementsAre(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1));
}

TEST_F(WithChild, PresentTellsExactlyTheKeysOfTheMonth) {
    ASSERT_TRUE(warehouse_->Insert(RowBytes(MakeRow(0, 1, 5)) + RowBytes(MakeRow(0, 3, 5)) +
                                   RowBytes(MakeRow(1, 2, 5))));
    ASSERT_TRUE(warehouse_->Insert(RowBytes(MakeRow(0, 2, 5, kFebruary))));
    const auto keys = warehouse_->Present(202601, {{0, 1, 2}, {1, 2, 2}});
    ASSERT_TRUE(keys) << keys.error().internal;
    EXPECT_THAT(*keys, testing::UnorderedElementsAre(RowKey{0, 1, 0}, RowKey{1, 2, 0}));
    const auto high = warehouse_->HighOffsets();
    ASSERT_TRUE(high) << high.error().internal;
    EXPECT_EQ(high->size(), 2U);
}

TEST_F(WithChild, AnErasedPersonIsGoneAndOthersStay) {
    ASSERT_TRUE(warehouse_->Insert(RowBytes(MakeRow(0, 1, 5)) + RowBytes(MakeRow(0, 2, 6))));
    const auto erased = warehouse_->Erase(1, {5});
    ASSERT_TRUE(erased) << erased.error().internal;
    EXPECT_TRUE(warehouse_->Timeline({.workspace = 1, .persons = {5}})->empty());
    EXPECT_EQ(warehouse_->Timeline({.workspace = 1, .persons = {6}})->size(), 1U);
}

TEST_F(WithChild, AnErasedWorkspaceIsGoneAndOthersStay) {
    Row theirs = MakeRow(0, 3, 5);
    theirs.workspace = 2;
    ASSERT_TRUE(warehouse_->Insert(RowBytes(MakeRow(0, 1, 5)) + RowBytes(theirs)));
    for (int turn = 0; turn < 2; ++turn) {
        const auto erased = warehouse_->EraseWorkspace(2);
        ASSERT_TRUE(erased) << erased.error().internal;
        EXPECT_EQ(CountRows(), 1U);
    }
    EXPECT_EQ(warehouse_->Timeline({.workspace = 1, .persons = {5}})->size(), 1U);
}

TEST_F(WithChild, ADroppedMonthIsGoneAndOthersStay) {
    ASSERT_TRUE(warehouse_->Insert(RowBytes(MakeRow(0, 1, 5))));
    ASSERT_TRUE(warehouse_->Insert(RowBytes(MakeRow(0, 2, 5, kFebruary))));
    const auto dropped = warehouse_->DropMonth(202601);
    ASSERT_TRUE(dropped) << dropped.error().internal;
    EXPECT_EQ(CountRows(), 1U);
}

TEST_F(WithChild, ReportsCannotWriteAndReadNoFilesAndNoNetwork) {
    EXPECT_FALSE(warehouse_->QueryAll("INSERT INTO w.events (name) VALUES ('x')", 1024));
    EXPECT_FALSE(warehouse_->QueryAll("SELECT 1; DROP TABLE w.events", 1024));
    EXPECT_EQ(CountRows(), 0U);
    // Also where read-only does not hold: the process is shut in.
    std::ofstream(directory_.path() + "/../ripen-warehouse-outside") << "1\n";
    for (const std::string sql :
         {"SELECT * FROM file('/etc/passwd','LineAsString') FORMAT RowBinary",
          "SELECT * FROM file('/proc/1/environ','LineAsString') FORMAT RowBinary",
          "SELECT * FROM file('/tmp/ripen-warehouse-outside','LineAsString') FORMAT RowBinary",
          "SELECT * FROM url('http://127.0.0.1:1/','LineAsString') FORMAT RowBinary",
          "SELECT * FROM executable('id','TSV','x String') FORMAT RowBinary"}) {
        const auto answer = PostSql(sql);
        EXPECT_FALSE(answer) << sql << " gave " << *answer;
    }
    std::filesystem::remove(directory_.path() + "/../ripen-warehouse-outside");
}

TEST_F(WithChild, ATooLongQueryEndsWithItsOwnCode) {
    const auto answer = warehouse_->QueryAll(
        "SELECT sum(sipHash64(number)) FROM system.numbers LIMIT 1 SETTINGS max_threads=1 FORMAT "
        "RowBinary",
        1024);
    EXPECT_FALSE(answer);  // Settings cannot be changed in the readers' pool.
    const auto slow = PostSql(
        "SELECT sum(sipHash64(number)) FROM system.numbers SETTINGS "
        "max_execution_time=1 FORMAT RowBinary");
    ASSERT_FALSE(slow);
    EXPECT_THAT(slow.error().internal, testing::HasSubstr("Code: 159"));
}

TEST_F(WithChild, ALongAnswerStreamsAndMayBeStopped) {
    uint64_t bytes = 0;
    ASSERT_TRUE(
        warehouse_->Query("SELECT number FROM system.numbers LIMIT 3000000 FORMAT RowBinary",
                          [&bytes](std::string_view piece) {
                              bytes += piece.size();
                              return true;
                          }));
    EXPECT_EQ(bytes, 24'000'000U);
    int pieces = 0;
    ASSERT_TRUE(warehouse_->Query("SELECT number FROM system.numbers FORMAT RowBinary",
                                  [&pieces](std::string_view) { return ++pieces < 3; }));
    EXPECT_EQ(pieces, 3);
    EXPECT_EQ(CountRows(), 0U);  // The thread is free again.
}

TEST_F(WithChild, OnlyTheOwnerCanOpenSocketAndDirectory) {
    struct stat st {};
    ASSERT_EQ(stat(child_->socket_path().c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0600U);
    ASSERT_EQ(stat((directory_.path() + "/data").c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0700U);
}

TEST_F(WithChild, ADeadChildIsUnavailableAndComesBack) {
    ASSERT_TRUE(warehouse_->Insert(RowBytes(MakeRow(0, 1, 5))));
    const uint64_t starts = child_->starts();
    const int pid = child_->pid();
    ASSERT_EQ(kill(pid, SIGSTOP), 0);  // Does not answer, is not dead.
    ASSERT_EQ(kill(pid, SIGKILL), 0);
    while (child_->pid() == pid) std::this_thread::yield();
    if (!child_->ready()) {
        const auto refused = warehouse_->Insert(RowBytes(MakeRow(0, 2, 5)));
        if (!refused) {
            EXPECT_EQ(refused.error().code, base::ErrorCode::kUnavailable);
        }
    }
    ASSERT_TRUE(child_->WaitReady(kLong));
    EXPECT_GT(child_->starts(), starts);
    EXPECT_GE(CountRows(), 1U);
}

TEST_F(WithChild, ASocketNobodyListensToIsUnavailable) {
    const auto nobody = ConnectWarehouse({.socket_path = directory_.path() + "/no-such-socket"});
    const auto status = nobody->Insert(RowBytes(MakeRow(0, 1, 5)));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, base::ErrorCode::kUnavailable);
    EXPECT_FALSE(nobody->Healthy());
    EXPECT_TRUE(warehouse_->Healthy());
}

TEST_F(WithChild, KilledDuringInsertsNoRowIsLostOrDoubled) {
    const char* wanted = std::getenv("RIPEN_KILLS");
    const int kills = wanted == nullptr ? 3 : std::atoi(wanted);
    auto spool = *Spool::Open({.directory = directory_.path() + "/spool"});
    WriterOptions options;
    options.block_rows = options.backlog_rows = 2000;
    options.block_ms = 5;
    options.backoff_ms[0] = options.backoff_ms[1] = options.backoff_ms[2] = 20;
    auto writer = Writer::Start(*spool, *warehouse_, options);
    uint64_t offset = 0;
    for (int round = 0; round < kills; ++round) {
        // Three months in turn, so that every block becomes three inserts.
        for (int batch = 0; batch < 20; ++batch) {
            std::string entries;
            for (int i = 0; i < 500; ++i) {
                ++offset;
                entries += EntryBytes(
                    MakeRow(static_cast<uint16_t>(batch % 4), offset, offset % 97,
                            kJanuary + static_cast<int64_t>(offset % 3) * 31 * base::kDayMs));
            }
            spool->Append(entries);
            if (batch == 5 + round % 10) {
                const int pid = child_->pid();
                if (pid > 0) kill(pid, SIGKILL);
            }
        }
        ASSERT_TRUE(child_->WaitReady(kLong));
    }
    ASSERT_TRUE(writer->Flush(kLong));
    EXPECT_EQ(CountRows(), offset);
    EXPECT_EQ(CountKeys(), offset);
    const WriterCounters counters = writer->Counters();
    EXPECT_GT(counters.failures, 0U);
    EXPECT_EQ(counters.rows + counters.rows_present, offset);
}

TEST_F(WithChild, AReplayAfterARestartDoublesNothing) {
    std::string entries;
    for (uint64_t i = 1; i <= 1000; ++i) entries += EntryBytes(MakeRow(2, i, i % 7));
    for (int run = 0; run < 2; ++run) {
        // The second run's spool knows nothing of the first: only the warehouse does.
        auto spool =
            *Spool::Open({.directory = directory_.path() + "/spool" + std::to_string(run)});
        auto writer = Writer::Start(*spool, *warehouse_);
        spool->Append(entries);
        std::string fresh;
        for (uint64_t i = 1; i <= 10; ++i) {
            fresh += EntryBytes(MakeRow(2, 1000 + static_cast<uint64_t>(run) * 10 + i, i));
        }
        spool->Append(fresh);
        ASSERT_TRUE(writer->Flush(kLong));
        EXPECT_EQ(writer->Counters().rows, run == 0 ? 1010U : 10U);
        EXPECT_EQ(writer->Counters().rows_present, run == 0 ? 0U : 1000U);
    }
    EXPECT_EQ(CountRows(), 1020U);
    EXPECT_EQ(CountKeys(), 1020U);
}

TEST_F(WithChild, TheJoinedTimelineMissesNothingWhileRowsMove) {
    auto spool = *Spool::Open({.directory = directory_.path() + "/spool"});
    WriterOptions options;
    options.block_ms = 1;
    auto writer = Writer::Start(*spool, *warehouse_, options);
    for (uint64_t i = 1; i <= 200; ++i) {
        spool->Append(EntryBytes(MakeRow(0, i, 5, kJanuary + static_cast<int64_t>(i))));
        if (i % 10 != 0) continue;
        const auto rows =
            ReadTimeline(*spool, *warehouse_, {.workspace = 1, .persons = {5}, .limit = 1000});
        ASSERT_TRUE(rows) << rows.error().internal;
        ASSERT_EQ(rows->size(), i);
        ASSERT_EQ(rows->front().offset, i);
    }
    ASSERT_TRUE(writer->Flush(kLong));
    EXPECT_EQ(CountRows(), 200U);
}

TEST(Child, RefusesOptionsItDoesNotKnow) {
    EXPECT_FALSE(FromArguments({"--library=x", "--directory=y", "--socket=z", "--what=1"}));
    EXPECT_FALSE(FromArguments({"--library=x", "--directory=y"}));
    const ChildOptions options{.library = "x",
                               .directory = "y",
                               .socket_path = "z",
                               .watch_fd = 7,
                               .readers = 3,
                               .memory_bytes_max = 9,
                               .shut_in = false};
    const auto back = FromArguments(ToArguments(options));
    ASSERT_TRUE(back);
    EXPECT_EQ(ToArguments(*back), ToArguments(options));
}

TEST(Child, TellsWhereItLookedForTheLibrary) {
    const auto missing = FindLibChdb("/no/such/libchdb.so");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, base::ErrorCode::kNotFound);
    EXPECT_THAT(missing.error().internal, testing::HasSubstr("/no/such/libchdb.so"));
}

}  // namespace
}  // namespace warehouse

int main(int argc, char** argv) {
    if (argc > 1 && std::string_view(argv[1]) == "warehouse") {
        return warehouse::RunWarehouseChild(argc - 1, argv + 1);
    }
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
