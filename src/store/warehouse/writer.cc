#include "store/warehouse/writer.h"

#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>

namespace warehouse {
namespace {

constexpr base::DurationMs kIdleMs = 10 * base::kSecondMs;

// Rows of one month for one insert, as they lie in `bytes`.
struct Insertion {
    struct Item {
        RowKey key;
        uint32_t bytes = 0;
    };
    uint32_t month = 0;
    std::string bytes;
    std::vector<Item> items;
};

uint64_t ThreadCpuNanos() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<uint64_t>(now.tv_nsec);
}

class WriterThread final : public Writer {
  public:
    WriterThread(Spool& spool, Warehouse& warehouse, WriterOptions options)
        : spool_(spool),
          warehouse_(warehouse),
          options_(std::move(options)),
          thread_([this] { Run(); }) {}

    ~WriterThread() override {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        changed_.notify_all();
        spool_.Wake();
        thread_.join();
    }

    base::Status Flush(base::DurationMs timeout_ms) override {
        const uint64_t target = spool_.LastBlock();
        std::unique_lock lock(mutex_);
        flush_to_ = std::max(flush_to_, target);
        spool_.Wake();
        const bool done = changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                                            [&] { return spool_.Acked() >= target; });
        if (done) return {};
        return base::Fail(base::ErrorCode::kTimeout, "rows still wait for the warehouse");
    }

    WriterCounters Counters() const override {
        const std::lock_guard lock(mutex_);
        return counters_;
    }

  private:
    void Run() {
        while (!Stopped() && !Prepare()) Pause();
        while (!Stopped()) {
            if (!FlushWanted()) spool_.WaitForRows(options_.block_rows, options_.block_ms, kIdleMs);
            if (Stopped()) return;
            auto blocks = spool_.Take(options_.backlog_rows, options_.block_bytes);
            if (!blocks) {
                NoteUnreadable(blocks.error());
                continue;
            }
            if (blocks->empty()) {
                const std::lock_guard lock(mutex_);
                flush_to_ = 0;  // Nothing is left to hurry for; a later Flush wakes the wait.
                continue;
            }
            if (!Carry(*blocks)) return;  // Stopped; the rows stay in the spool.
            while (!Stopped() && !spool_.Ack(blocks->back()->number)) Pause();
            failures_in_row_ = 0;
            Note([](WriterCounters& c) { c.healthy = true; });
        }
    }

    // Table, and the places up to which rows may be in already.
    bool Prepare() {
        const auto failed = [this](const base::Status& status) {
            if (!status) Note([](WriterCounters& c) { ++c.failures; c.healthy = false; });
            return !status;
        };
        if (failed(warehouse_.EnsureSchema()) || failed(warehouse_.Settle())) return false;
        const auto highest = warehouse_.HighOffsets();
        if (!highest) {
            failed(tl::make_unexpected(highest.error()));
            return false;
        }
        for (const Warehouse::HighOffset& high : *highest) in_doubt_[high.partition] = high.offset;
        failures_in_row_ = 0;
        Note([](WriterCounters& c) { c.healthy = true; });
        return true;
    }

    // False when stopped before all was in.
    bool Carry(const std::vector<std::shared_ptr<const SpoolBlock>>& blocks) {
        std::map<uint32_t, Insertion> months;
        for (const auto& block : blocks) {
            std::string_view entries = block->entries;
            EntryHeader header;
            std::string_view row;
            while (NextEntry(entries, header, row)) {
                if (options_.dropped && options_.dropped(header.workspace)) {
                    Note([](WriterCounters& c) { ++c.rows_dropped; });
                    continue;
                }
                Insertion& insertion = months[header.month];
                const bool full = insertion.items.size() >= options_.backlog_rows ||
                                  insertion.bytes.size() + row.size() > options_.block_bytes;
                if (full && !insertion.items.empty()) {
                    if (!InsertOnce(insertion)) return false;
                    insertion.items.clear();
                    insertion.bytes.clear();
                }
                insertion.month = header.month;
                insertion.bytes.append(row);
                insertion.items.push_back({header.key(), header.row_bytes});
            }
        }
        return std::all_of(months.begin(), months.end(),
                           [this](const auto& entry) { return InsertOnce(entry.second); });
    }

    bool MayBeIn(const Insertion& insertion) const {
        if (in_doubt_.empty()) return false;
        return std::any_of(insertion.items.begin(), insertion.items.end(),
                           [this](const Insertion::Item& item) {
                               const auto high = in_doubt_.find(item.key.partition);
                               return high != in_doubt_.end() && item.key.offset <= high->second;
                           });
    }

    // Tries until the rows are in, each once. False when stopped before.
    bool InsertOnce(const Insertion& insertion) {
        bool ask = MayBeIn(insertion);
        while (true) {
            const base::Status done = Try(insertion, ask);
            if (done) return true;
            Note([](WriterCounters& c) { ++c.failures; c.healthy = false; });
            // An error says that it was refused; that nothing of it is in is only sure by asking.
            ask = true;
            if (Stopped()) return false;
            Pause();
            if (Stopped()) return false;
        }
    }

    base::Status Try(const Insertion& insertion, bool ask) {
        if (!ask) return Send(insertion.bytes, insertion.items.size());
        TRY(warehouse_.Settle());
        std::map<uint16_t, KeyRange> ranges;
        for (const Insertion::Item& item : insertion.items) {
            const auto [at, fresh] = ranges.try_emplace(
                item.key.partition,
                KeyRange{item.key.partition, item.key.offset, item.key.offset});
            at->second.first_offset = std::min(at->second.first_offset, item.key.offset);
            at->second.last_offset = std::max(at->second.last_offset, item.key.offset);
        }
        std::vector<KeyRange> list;
        for (const auto& [partition, range] : ranges) list.push_back(range);
        TRY_ASSIGN(std::vector<RowKey> present,
                   warehouse_.Present(static_cast<int32_t>(insertion.month), list));
        std::sort(present.begin(), present.end());
        std::string missing;
        size_t rows = 0;
        size_t at = 0;
        for (const Insertion::Item& item : insertion.items) {
            if (!std::binary_search(present.begin(), present.end(), item.key)) {
                missing.append(insertion.bytes, at, item.bytes);
                ++rows;
            }
            at += item.bytes;
        }
        const size_t found = insertion.items.size() - rows;
        Note([](WriterCounters& c) { ++c.checks; });
        if (rows > 0) TRY(Send(missing, rows));
        Note([found](WriterCounters& c) { c.rows_present += found; });
        return {};
    }

    base::Status Send(std::string_view bytes, size_t rows) {
        TRY(warehouse_.Insert(bytes));
        Note([&](WriterCounters& c) {
            ++c.inserts;
            c.rows += rows;
            c.bytes += bytes.size();
        });
        return {};
    }

    void NoteUnreadable(const base::Error& error) {
        Note([&error](WriterCounters& c) {
            ++c.failures;
            c.healthy = false;
            if (error.code == base::ErrorCode::kCorrupt) ++c.blocks_unreadable;
        });
        if (error.code != base::ErrorCode::kCorrupt) Pause();
    }

    template <typename Change>
    void Note(Change change) {
        {
            const std::lock_guard lock(mutex_);
            change(counters_);
            counters_.thread_cpu_ns = ThreadCpuNanos();
        }
        changed_.notify_all();
    }

    void Pause() {
        const base::DurationMs wait = options_.backoff_ms[std::min<size_t>(failures_in_row_, 2)];
        ++failures_in_row_;
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::chrono::milliseconds(wait), [this] { return stop_; });
    }

    bool Stopped() const {
        const std::lock_guard lock(mutex_);
        return stop_;
    }
    bool FlushWanted() const {
        const std::lock_guard lock(mutex_);
        return flush_to_ > spool_.Acked();
    }

    Spool& spool_;
    Warehouse& warehouse_;
    const WriterOptions options_;
    std::unordered_map<uint16_t, uint64_t> in_doubt_;
    size_t failures_in_row_ = 0;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool stop_ = false;
    uint64_t flush_to_ = 0;
    WriterCounters counters_;
    std::thread thread_;  // The last member: it uses the others.
};

}  // namespace

std::unique_ptr<Writer> Writer::Start(Spool& spool, Warehouse& warehouse, WriterOptions options) {
    return std::make_unique<WriterThread>(spool, warehouse, std::move(options));
}

}  // namespace warehouse
