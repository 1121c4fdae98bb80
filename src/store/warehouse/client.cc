#include "store/warehouse/client.h"

#include <atomic>
#include <charconv>
#include <cstdio>

#include "base/bytes.h"
#include "base/limits.h"
#include "store/warehouse/escape.h"
#include "store/warehouse/http_exchange.h"

namespace warehouse {
namespace {

constexpr size_t kAnswerBytesMax = 256 * 1024 * 1024;

// The number behind "Code: " in ClickHouse's error texts; 0 when there is none.
int CodeOf(std::string_view text) {
    const size_t at = text.find("Code: ");
    if (at == std::string_view::npos) return 0;
    const std::string_view digits = text.substr(at + 6);
    int code = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), code);
    return code;
}

base::ErrorCode MeaningOf(int status, int code) {
    switch (code) {
        case 159:  // TIMEOUT_EXCEEDED
        case 160:  // TOO_SLOW
            return base::ErrorCode::kTimeout;
        case 202:  // TOO_MANY_SIMULTANEOUS_QUERIES
        case 241:  // MEMORY_LIMIT_EXCEEDED
        case 252:  // TOO_MANY_PARTS
        case 394:  // QUERY_WAS_CANCELLED
            return base::ErrorCode::kOverloaded;
        case 243:  // NOT_ENOUGH_SPACE
            return base::ErrorCode::kDiskFull;
        case 164:  // READONLY
            return base::ErrorCode::kForbidden;
        case 60:   // UNKNOWN_TABLE
        case 81:   // UNKNOWN_DATABASE
            return base::ErrorCode::kNotFound;
        default:
            break;
    }
    if (status == 503) return base::ErrorCode::kOverloaded;
    if (status == 413) return base::ErrorCode::kTooLarge;
    return base::ErrorCode::kInternal;
}

base::Status StatusOf(const ExchangeResult& result) {
    if (result.status == 200) return {};
    return base::Fail(MeaningOf(result.status, CodeOf(result.error_text)),
                      "warehouse answered " + std::to_string(result.status) + ": " +
                          result.error_text);
}

void AppendNumbers(std::string& sql, const std::vector<uint64_t>& numbers) {
    for (size_t i = 0; i < numbers.size(); ++i) {
        if (i > 0) sql.push_back(',');
        AppendLiteral(sql, numbers[i]);
    }
}

// "2026-01-01" of a month YYYYMM, or of the one after.
std::string FirstDay(int32_t month, int plus) {
    int year = month / 100;
    int number = month % 100 + plus;
    if (number > 12) {
        number -= 12;
        ++year;
    }
    char text[32];
    std::snprintf(text, sizeof(text), "'%04d-%02d-01'", year, number);
    return text;
}

std::string TimelineSql(const TimelineQuery& query) {
    std::string sql = "SELECT ";
    sql.append(kColumns).append(" FROM w.events WHERE workspace=");
    AppendLiteral(sql, static_cast<uint64_t>(query.workspace));
    sql += " AND person IN (";
    AppendNumbers(sql, query.persons);
    sql += ")";
    if (!query.kinds.empty()) {
        sql += " AND kind IN (";
        for (size_t i = 0; i < query.kinds.size(); ++i) {
            if (i > 0) sql.push_back(',');
            AppendLiteral(sql, query.kinds[i]);
        }
        sql += ")";
    }
    if (query.before) {
        const TimelineCursor& c = *query.before;
        // The first half lets the primary key skip.
        sql += " AND time<=";
        AppendLiteral(sql, c.time_ms);
        sql += " AND (time<";
        AppendLiteral(sql, c.time_ms);
        sql += " OR log_partition<";
        AppendLiteral(sql, static_cast<uint64_t>(c.key.partition));
        sql += " OR (log_partition=";
        AppendLiteral(sql, static_cast<uint64_t>(c.key.partition));
        sql += " AND (log_offset<";
        AppendLiteral(sql, c.key.offset);
        sql += " OR (log_offset=";
        AppendLiteral(sql, c.key.offset);
        sql += " AND log_ordinal<";
        AppendLiteral(sql, static_cast<uint64_t>(c.key.ordinal));
        sql += "))))";
    }
    sql += " ORDER BY time DESC, log_partition DESC, log_offset DESC, log_ordinal DESC LIMIT ";
    AppendLiteral(sql, static_cast<uint64_t>(query.limit));
    sql += " FORMAT RowBinary";
    return sql;
}

class HttpWarehouse final : public Warehouse {
  public:
    explicit HttpWarehouse(HttpWarehouseOptions options)
        : options_(std::move(options)),
          peer_{options_.socket_path, options_.host, options_.port, options_.user,
                options_.password} {
        insert_target_ = "/?query=";
        std::string sql = "INSERT INTO w.events (";
        sql.append(kColumns).append(") FORMAT RowBinary");
        AppendPercentEncoded(insert_target_, sql);
    }

    base::Status Insert(std::string_view rows) override {
        const Exchange exchange{.target = insert_target_,
                                .body = rows,
                                .connect_ms = options_.connect_ms,
                                .total_ms = options_.insert_ms};
        const uint64_t incarnation = options_.child == nullptr ? 0 : options_.child->starts();
        const auto result = RunExchange(peer_, exchange, [](std::string_view) { return true; });
        if (result) return StatusOf(*result);
        base::Error error = result.error();
        if (error.code == base::ErrorCode::kTimeout) error.code = base::ErrorCode::kOutcomeUnknown;
        if (error.code == base::ErrorCode::kOutcomeUnknown) unsure_of_ = incarnation;
        return tl::make_unexpected(std::move(error));
    }

    base::Status Settle() override {
        if (options_.child != nullptr) {
            const uint64_t incarnation = unsure_of_;
            // A child is reaped before the next one is started.
            if (incarnation != 0 && options_.child->starts() == incarnation) {
                TRY(options_.child->Restart());
            }
            unsure_of_ = 0;
            return {};
        }
        // Ours are the only inserts into the table (one writer a server and partition).
        TRY_ASSIGN(const std::string answer,
                   Ask("SELECT count() FROM system.processes WHERE query LIKE "
                       "'INSERT INTO w.events%' FORMAT RowBinary", false));
        base::ByteReader in(answer);
        const uint64_t running = in.U64();
        if (!in.ok()) return base::Fail(base::ErrorCode::kUnavailable, "short answer");
        if (running == 0) return {};
        return base::Fail(base::ErrorCode::kUnavailable, "an earlier insert is still running");
    }

    base::Status EnsureSchema() override {
        for (const std::string& statement : SchemaStatements(options_.dialect)) {
            TRY(Command(statement));
        }
        return {};
    }

    base::Result<std::vector<RowKey>> Present(int32_t month,
                                              const std::vector<KeyRange>& ranges) override {
        std::vector<RowKey> keys;
        if (ranges.empty()) return keys;
        std::string sql =
            "SELECT log_partition,log_offset,log_ordinal FROM w.events WHERE day>=toDate(" +
            FirstDay(month, 0) + ") AND day<toDate(" + FirstDay(month, 1) + ") AND (";
        for (size_t i = 0; i < ranges.size(); ++i) {
            sql += i == 0 ? "(log_partition=" : " OR (log_partition=";
            AppendLiteral(sql, static_cast<uint64_t>(ranges[i].partition));
            sql += " AND log_offset BETWEEN ";
            AppendLiteral(sql, ranges[i].first_offset);
            sql += " AND ";
            AppendLiteral(sql, ranges[i].last_offset);
            sql += ")";
        }
        sql += ") FORMAT RowBinary";
        TRY_ASSIGN(const std::string answer, Ask(sql, false));
        base::ByteReader in(answer);
        while (!in.done()) {
            RowKey key;
            key.partition = in.U16();
            key.offset = in.U64();
            key.ordinal = in.U32();
            if (!in.ok()) return base::Fail(base::ErrorCode::kUnavailable, "short answer");
            keys.push_back(key);
        }
        return keys;
    }

    base::Result<std::vector<HighOffset>> HighOffsets() override {
        TRY_ASSIGN(const std::string answer,
                   Ask("SELECT log_partition,max(log_offset) FROM w.events GROUP BY log_partition "
                       "FORMAT RowBinary", false));
        std::vector<HighOffset> result;
        base::ByteReader in(answer);
        while (!in.done()) {
            HighOffset high;
            high.partition = in.U16();
            high.offset = in.U64();
            if (!in.ok()) return base::Fail(base::ErrorCode::kUnavailable, "short answer");
            result.push_back(high);
        }
        return result;
    }

    base::Result<std::vector<Row>> Timeline(const TimelineQuery& query) override {
        std::vector<Row> rows;
        if (query.persons.empty() || query.limit == 0) return rows;
        TRY_ASSIGN(const std::string answer, Ask(TimelineSql(query), true));
        std::string_view left = answer;
        while (!left.empty()) {
            Row& row = rows.emplace_back();
            if (!ReadRow(left, row)) {
                return base::Fail(base::ErrorCode::kUnavailable, "timeline answer is short");
            }
        }
        return rows;
    }

    base::Status Query(std::string_view sql, const OnBytes& on_bytes) override {
        return Select(sql, true, on_bytes);
    }

    base::Status Erase(uint32_t workspace, const std::vector<uint64_t>& persons) override {
        if (persons.empty()) return {};
        std::string sql = "ALTER TABLE w.events DELETE WHERE workspace=";
        AppendLiteral(sql, static_cast<uint64_t>(workspace));
        sql += " AND person IN (";
        AppendNumbers(sql, persons);
        return Command(sql + ")");
    }

    base::Status EraseWorkspace(uint32_t workspace) override {
        // Asked first: a mutation rewrites every part, also when it removes nothing.
        std::string where = " WHERE workspace=";
        AppendLiteral(where, static_cast<uint64_t>(workspace));
        TRY_ASSIGN(const std::string count,
                   Ask("SELECT count() FROM w.events" + where + " FORMAT TabSeparated", true));
        if (count == "0\n") return {};
        return Command("ALTER TABLE w.events DELETE" + where);
    }

    base::Status DropMonth(int32_t month) override {
        std::string sql = "ALTER TABLE w.events DROP PARTITION ";
        AppendLiteral(sql, static_cast<uint64_t>(month));
        return Command(sql);
    }

    bool Healthy() override {
        const Exchange exchange{.post = false,
                                .target = "/ping",
                                .body = {},
                                .connect_ms = options_.connect_ms,
                                .total_ms = options_.connect_ms};
        const auto result = RunExchange(peer_, exchange, [](std::string_view) { return true; });
        return result && result->status == 200;
    }

  private:
    base::Status Command(const std::string& sql) {
        return Select(sql, false, [](std::string_view) { return true; });
    }

    base::Result<std::string> Ask(const std::string& sql, bool readonly) {
        std::string answer;
        bool too_large = false;
        TRY(Select(sql, readonly, [&](std::string_view piece) {
            too_large = answer.size() + piece.size() > kAnswerBytesMax;
            if (!too_large) answer.append(piece);
            return !too_large;
        }));
        if (too_large) return base::Fail(base::ErrorCode::kTooLarge, "answer of the warehouse");
        return answer;
    }

    base::Status Select(std::string_view sql, bool readonly, const OnBytes& on_bytes) {
        Exchange exchange{.target = readonly ? "/?readonly=1" : "/",
                          .body = sql,
                          .connect_ms = options_.connect_ms,
                          .total_ms = options_.query_ms};
        const auto result = RunExchange(peer_, exchange, on_bytes);
        if (result) return StatusOf(*result);
        base::Error error = result.error();
        // Nothing was changed by a question, so its broken answer is only a missing one.
        if (error.code == base::ErrorCode::kOutcomeUnknown) {
            error.code = base::ErrorCode::kUnavailable;
        }
        return tl::make_unexpected(std::move(error));
    }

    const HttpWarehouseOptions options_;
    const Peer peer_;
    std::string insert_target_;
    std::atomic<uint64_t> unsure_of_ = 0;  // ChildProcess::starts() at an insert without an answer.
};

}  // namespace

base::Result<std::string> Warehouse::QueryAll(std::string_view sql, size_t bytes_max) {
    std::string answer;
    bool too_large = false;
    TRY(Query(sql, [&](std::string_view piece) {
        too_large = answer.size() + piece.size() > bytes_max;
        if (!too_large) answer.append(piece);
        return !too_large;
    }));
    if (too_large) return base::Fail(base::ErrorCode::kTooLarge, "answer of the warehouse");
    return answer;
}

std::unique_ptr<Warehouse> ConnectWarehouse(HttpWarehouseOptions options) {
    return std::make_unique<HttpWarehouse>(std::move(options));
}

}  // namespace warehouse
