// The warehouse in memory: the same contract without SQL.

#include <algorithm>
#include <map>
#include <mutex>

#include "store/warehouse/client.h"

namespace warehouse {
namespace {

class InMemory final : public Warehouse {
  public:
    base::Status Insert(std::string_view rows) override {
        std::vector<Row> read;
        while (!rows.empty()) {
            Row& row = read.emplace_back();
            if (!ReadRow(rows, row)) {
                return base::Fail(base::ErrorCode::kInternal, "Code: 33. cannot read all rows");
            }
            if (MonthOf(row) != MonthOf(read.front())) {
                return base::Fail(base::ErrorCode::kInternal, "rows of more than one month");
            }
        }
        const std::lock_guard lock(mutex_);
        for (Row& row : read) {
            const TimelineCursor place{row.time_ms, row.key()};
            rows_.emplace(place, std::move(row));
        }
        return {};
    }

    base::Status Settle() override { return {}; }
    base::Status EnsureSchema() override { return {}; }

    base::Result<std::vector<RowKey>> Present(int32_t month,
                                              const std::vector<KeyRange>& ranges) override {
        std::vector<RowKey> keys;
        const std::lock_guard lock(mutex_);
        for (const auto& [place, row] : rows_) {
            const bool asked =
                std::any_of(ranges.begin(), ranges.end(), [&row](const KeyRange& range) {
                    return row.partition == range.partition && row.offset >= range.first_offset &&
                           row.offset <= range.last_offset;
                });
            if (asked && MonthOf(row) == month) keys.push_back(row.key());
        }
        return keys;
    }

    base::Result<std::vector<HighOffset>> HighOffsets() override {
        std::map<uint16_t, uint64_t> highest;
        const std::lock_guard lock(mutex_);
        for (const auto& [place, row] : rows_) {
            uint64_t& high = highest[row.partition];
            high = std::max(high, row.offset);
        }
        std::vector<HighOffset> result;
        for (const auto& [partition, offset] : highest) result.push_back({partition, offset});
        return result;
    }

    base::Result<std::vector<Row>> Timeline(const TimelineQuery& query) override {
        std::vector<Row> found;
        const std::lock_guard lock(mutex_);
        auto at = query.before ? rows_.lower_bound(*query.before) : rows_.end();
        while (at != rows_.begin() && found.size() < query.limit) {
            --at;
            const Row& row = at->second;
            if (row.workspace == query.workspace && Among(query.persons, row.person) &&
                (query.kinds.empty() || Among(query.kinds, row.kind))) {
                found.push_back(row);
            }
        }
        return found;
    }

    base::Status Query(std::string_view, const OnBytes&) override {
        return base::Fail(base::ErrorCode::kUnavailable, "the warehouse in memory knows no SQL");
    }

    base::Status Erase(uint32_t workspace, const std::vector<uint64_t>& persons) override {
        const std::lock_guard lock(mutex_);
        std::erase_if(rows_, [&](const auto& entry) {
            return entry.second.workspace == workspace && Among(persons, entry.second.person);
        });
        return {};
    }

    base::Status EraseWorkspace(uint32_t workspace) override {
        const std::lock_guard lock(mutex_);
        std::erase_if(rows_,
                      [&](const auto& entry) { return entry.second.workspace == workspace; });
        return {};
    }

    base::Status DropMonth(int32_t month) override {
        const std::lock_guard lock(mutex_);
        std::erase_if(rows_, [&](const auto& entry) { return MonthOf(entry.second) == month; });
        return {};
    }

    bool Healthy() override { return true; }

  private:
    template <typename T>
    static bool Among(const std::vector<T>& values, const T& value) {
        return std::find(values.begin(), values.end(), value) != values.end();
    }
    static int32_t MonthOf(const Row& row) {
        return base::MonthOf(DateOf(row.time_ms) * base::kDayMs);
    }

    std::mutex mutex_;
    // A multimap: a row inserted twice is there twice, as in ClickHouse.
    std::multimap<TimelineCursor, Row> rows_;
};

}  // namespace

std::unique_ptr<Warehouse> MemoryWarehouse() { return std::make_unique<InMemory>(); }

}  // namespace warehouse
