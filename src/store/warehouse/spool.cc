#include "store/warehouse/spool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>

#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"
#include "store/warehouse/spool_files.h"

namespace warehouse {
namespace {

uint64_t PersonHash(uint32_t workspace, uint64_t person) {
    return base::Mix64(person ^ (static_cast<uint64_t>(workspace) << 32));
}

// Which persons may be in a block: a Bloom filter of about 10 bits a row and 4 probes, so that a
// timeline reads about one block in fifty for nothing.
class PersonFilter {
  public:
    explicit PersonFilter(const std::vector<uint64_t>& hashes) {
        size_t words = 1;
        while (words * 64 < hashes.size() * 10) words *= 2;
        bits_.resize(words);
        for (const uint64_t hash : hashes) {
            for (uint64_t i = 0; i < kProbes; ++i) bits_[Word(hash, i)] |= Bit(hash, i);
        }
    }
    bool MayHold(uint64_t hash) const {
        for (uint64_t i = 0; i < kProbes; ++i) {
            if ((bits_[Word(hash, i)] & Bit(hash, i)) == 0) return false;
        }
        return true;
    }

  private:
    static constexpr uint64_t kProbes = 4;
    static uint64_t Probe(uint64_t hash, uint64_t i) { return hash + i * (hash >> 32 | 1); }
    size_t Word(uint64_t hash, uint64_t i) const {
        return (Probe(hash, i) >> 6) & (bits_.size() - 1);
    }
    static uint64_t Bit(uint64_t hash, uint64_t i) { return 1ULL << (Probe(hash, i) & 63); }
    std::vector<uint64_t> bits_;
};

// A block that waits for its acknowledgement.
struct Held {
    uint64_t number = 0;
    uint32_t rows = 0;
    size_t bytes = 0;
    std::shared_ptr<const SpoolBlock> block;  // Null: only in the file.
    FramePlace place;                         // Null segment: only in memory.
    std::shared_ptr<const PersonFilter> persons;
};

std::vector<uint64_t> HashesOf(std::string_view entries) {
    std::vector<uint64_t> hashes;
    EntryHeader header;
    std::string_view row;
    while (NextEntry(entries, header, row)) {
        hashes.push_back(PersonHash(header.workspace, header.person));
    }
    return hashes;
}

void VisitBlock(std::string_view entries, uint32_t workspace, const std::vector<uint64_t>& persons,
                const Spool::Visitor& visit) {
    EntryHeader header;
    std::string_view row;
    while (NextEntry(entries, header, row)) {
        if (header.workspace == workspace &&
            std::find(persons.begin(), persons.end(), header.person) != persons.end()) {
            visit(header, row);
        }
    }
}

class FileSpool final : public Spool {
  public:
    explicit FileSpool(SpoolOptions options) : options_(std::move(options)) {}

    base::Status Recover() {
        SpoolFiles::Recovered recovered;
        TRY_ASSIGN(files_, SpoolFiles::Open(options_.directory, options_.segment_bytes, recovered,
                                            [this](RowsFrame frame, FramePlace place) {
                                                Adopt(std::move(frame), std::move(place));
                                            }));
        counters_.blocks_rotten = recovered.blocks_rotten;
        counters_.tails_cut = recovered.tails_cut;
        acked_ = std::max(acked_.load(), recovered.acked);
        next_number_ = std::max(next_number_, recovered.acked + 1);
        taken_ = recovered.acked;
        std::vector<std::shared_ptr<SpoolSegment>> free;
        Forget(recovered.acked, free);
        free.clear();
        for (const auto& segment : files_->segments()) {
            if (unacked_in_.find(segment.get()) == unacked_in_.end()) free.push_back(segment);
        }
        for (const auto& segment : free) TRY(files_->Retire(segment));
        return {};
    }

    void Append(std::string_view entries) override {
        bool evict = false;
        bool wake = false;
        {
            const std::lock_guard lock(mutex_);
            wake = AppendLocked(entries);
            if (open_->entries.size() >= options_.block_bytes) SealLocked();
            evict = bytes_in_memory_ > options_.memory_bytes_max && !held_.empty() &&
                    held_.back().block;
        }
        if (wake) rows_came_.notify_all();
        if (evict) Evict();
    }

    base::Status Sync() override {
        const std::lock_guard file_lock(file_mutex_);
        {
            const std::lock_guard lock(mutex_);
            SealLocked();
        }
        TRY(WriteHeld());
        return Note(files_->Sync(acked_));
    }

    bool Full() const override {
        return bytes_unacked_.load(std::memory_order_relaxed) > options_.bytes_max ||
               disk_full_.load(std::memory_order_relaxed);
    }

    base::Result<std::vector<std::shared_ptr<const SpoolBlock>>> Take(size_t rows_max,
                                                                      size_t bytes_max) override {
        std::vector<Held> chosen;
        {
            const std::lock_guard lock(mutex_);
            SealLocked();
            size_t rows = 0;
            size_t bytes = 0;
            for (auto at = FirstAfterLocked(taken_); at != held_.end(); ++at) {
                rows += at->rows;
                bytes += at->bytes;
                if (!chosen.empty() && (rows > rows_max || bytes > bytes_max)) break;
                chosen.push_back(*at);
            }
        }
        std::vector<std::shared_ptr<const SpoolBlock>> blocks;
        for (Held& held : chosen) {
            auto block = Load(held);
            if (!block) {
                // A rotten block is skipped, but what was read before it goes first.
                if (!blocks.empty()) break;
                if (block.error().code == base::ErrorCode::kCorrupt) SkipRotten(held);
                return tl::make_unexpected(std::move(block.error()));
            }
            blocks.push_back(std::move(*block));
        }
        const std::lock_guard lock(mutex_);
        for (const auto& block : blocks) {
            taken_ = block->number;
            rows_untaken_ -= block->rows;
        }
        if (rows_untaken_ > 0) untaken_since_ = base::SystemClock().Monotonic();
        return blocks;
    }

    base::Status Ack(uint64_t block_number) override {
        std::vector<std::shared_ptr<SpoolSegment>> free;
        {
            const std::lock_guard lock(mutex_);
            Forget(block_number, free);
            acked_ = std::max(acked_.load(), block_number);
        }
        const std::lock_guard file_lock(file_mutex_);
        for (const auto& segment : free) {
            {
                const std::lock_guard lock(mutex_);
                // The current segment may have got blocks again since.
                if (unacked_in_.find(segment.get()) != unacked_in_.end()) continue;
            }
            const auto& known = files_->segments();
            if (std::find(known.begin(), known.end(), segment) == known.end()) continue;
            TRY(Note(files_->Retire(segment)));
        }
        if (!free.empty()) disk_full_ = false;
        return {};
    }

    void WaitForRows(size_t rows, base::DurationMs age_ms, base::DurationMs wait_ms) override {
        const base::SystemClock clock;
        const base::DurationMs deadline = clock.Monotonic() + wait_ms;
        std::unique_lock lock(mutex_);
        wanted_rows_ = rows;
        while (!woken_ && rows_untaken_ < rows) {
            const base::DurationMs now = clock.Monotonic();
            const base::DurationMs until =
                rows_untaken_ > 0 ? std::min(deadline, untaken_since_ + age_ms) : deadline;
            if (now >= until) break;
            rows_came_.wait_for(lock, std::chrono::milliseconds(until - now));
        }
        woken_ = false;
    }

    void Wake() override {
        {
            const std::lock_guard lock(mutex_);
            woken_ = true;
        }
        rows_came_.notify_all();
    }

    base::Status ForPersons(uint32_t workspace, const std::vector<uint64_t>& persons,
                            const Visitor& visit) override {
        std::vector<uint64_t> hashes;
        for (const uint64_t person : persons) hashes.push_back(PersonHash(workspace, person));
        std::vector<Held> snapshot;
        std::string open_rows;
        {
            const std::lock_guard lock(mutex_);
            for (const Held& held : held_) {
                if (std::any_of(hashes.begin(), hashes.end(),
                                [&held](uint64_t hash) { return held.persons->MayHold(hash); })) {
                    snapshot.push_back(held);
                }
            }
            VisitBlock(open_->entries, workspace, persons,
                       [&open_rows](const EntryHeader& header, std::string_view row) {
                           open_rows.append(reinterpret_cast<const char*>(&header),
                                            sizeof(header));
                           open_rows.append(row);
                       });
        }
        for (const Held& held : snapshot) {
            const auto block = Load(held);
            if (block) {
                VisitBlock((*block)->entries, workspace, persons, visit);
            } else if (held.number > acked_) {
                // Acknowledged meanwhile, its segment may be another's already: then it is in
                // the warehouse.
                return tl::make_unexpected(block.error());
            }
        }
        VisitBlock(open_rows, workspace, persons, visit);
        return {};
    }

    uint64_t LastBlock() override {
        const std::lock_guard lock(mutex_);
        return open_->rows > 0 ? next_number_ : next_number_ - 1;
    }
    uint64_t Acked() const override { return acked_; }

    SpoolCounters Counters() const override {
        const std::lock_guard file_lock(file_mutex_);
        const std::lock_guard lock(mutex_);
        SpoolCounters counters = counters_;
        counters.bytes_unacked = bytes_unacked_;
        counters.rows_unacked = rows_unacked_;
        counters.bytes_in_memory = bytes_in_memory_;
        counters.bytes_written = files_->bytes_written();
        counters.segments = files_->segments().size();
        return counters;
    }

  private:
    struct Highest {
        uint64_t offset = 0;
        int64_t ordinal = -1;
    };

    // False for a row at or below the highest of its partition.
    bool Advance(const EntryHeader& header) {
        if (header.partition >= highest_.size()) highest_.resize(header.partition + 1U);
        Highest& highest = highest_[header.partition];
        if (header.offset < highest.offset ||
            (header.offset == highest.offset && header.ordinal <= highest.ordinal)) {
            return false;
        }
        highest = {header.offset, header.ordinal};
        return true;
    }

    // True when somebody who waits has to look.
    bool AppendLocked(std::string_view entries) {
        const size_t rows_before = rows_untaken_;
        const char* run = entries.data();
        const char* at = run;
        const auto flush = [&](const char* end) {
            open_->entries.append(run, static_cast<size_t>(end - run));
        };
        const size_t bytes_before = open_->entries.size();
        if (bytes_before == 0) {
            open_->entries.reserve(
                std::max(options_.block_bytes + options_.block_bytes / 8, entries.size()));
        }
        EntryHeader header;
        std::string_view row;
        uint32_t rows = 0;
        while (NextEntry(entries, header, row)) {
            if (Advance(header)) {
                open_hashes_.push_back(PersonHash(header.workspace, header.person));
                ++rows;
            } else {
                flush(at);
                run = entries.data();
                ++counters_.doubles;
            }
            at = entries.data();
        }
        CHECK(entries.empty());
        flush(at);
        const size_t bytes = open_->entries.size() - bytes_before;
        open_->rows += rows;
        counters_.rows += rows;
        rows_unacked_ += rows;
        rows_untaken_ += rows;
        bytes_in_memory_ += bytes;
        bytes_unacked_ += bytes;
        if (rows_before == 0 && rows > 0) untaken_since_ = base::SystemClock().Monotonic();
        return rows > 0 &&
               (rows_before == 0 || (rows_before < wanted_rows_ && rows_untaken_ >= wanted_rows_));
    }

    void SealLocked() {
        if (open_->rows == 0) return;
        open_->number = next_number_++;
        Held held;
        held.number = open_->number;
        held.rows = open_->rows;
        held.bytes = open_->entries.size();
        held.persons = std::make_shared<PersonFilter>(open_hashes_);
        held.block = std::move(open_);
        held_.push_back(std::move(held));
        open_ = std::make_shared<SpoolBlock>();
        open_hashes_.clear();
    }

    // A block found in the files at the start.
    void Adopt(RowsFrame frame, FramePlace place) {
        EntryHeader header;
        std::string_view row;
        std::string_view entries = frame.entries;
        while (NextEntry(entries, header, row)) Advance(header);
        Held held;
        held.number = frame.number;
        held.rows = frame.rows;
        held.bytes = frame.entries.size();
        held.persons = std::make_shared<PersonFilter>(HashesOf(frame.entries));
        ++unacked_in_[place.segment.get()];
        held.place = std::move(place);
        rows_unacked_ += held.rows;
        rows_untaken_ += held.rows;
        bytes_unacked_ += held.bytes;
        next_number_ = std::max(next_number_, frame.number + 1);
        held_.push_back(std::move(held));
    }

    std::deque<Held>::iterator FirstAfterLocked(uint64_t number) {
        return std::upper_bound(
            held_.begin(), held_.end(), number,
            [](uint64_t n, const Held& held) { return n < held.number; });
    }

    static base::Result<std::shared_ptr<const SpoolBlock>> Load(const Held& held) {
        if (held.block) return held.block;
        TRY_ASSIGN(RowsFrame frame, ReadFrame(held.place));
        if (frame.number != held.number) {
            return base::Fail(base::ErrorCode::kCorrupt, "spool: another block stands there");
        }
        auto block = std::make_shared<SpoolBlock>();
        block->number = frame.number;
        block->rows = frame.rows;
        block->entries = std::move(frame.entries);
        return block;
    }

    void SkipRotten(const Held& held) {
        const std::lock_guard lock(mutex_);
        ++counters_.blocks_rotten;
        taken_ = held.number;
        rows_untaken_ -= held.rows;
    }

    // Writes every block that is in no file yet, in order. Under file_mutex_.
    base::Status WriteHeld() {
        if (failed_) return base::Fail(base::ErrorCode::kIo, "spool: an earlier write failed");
        std::vector<std::shared_ptr<const SpoolBlock>> blocks;
        {
            const std::lock_guard lock(mutex_);
            // What has a place lies before what has none.
            for (auto held = held_.rbegin(); held != held_.rend() && !held->place.segment; ++held) {
                blocks.push_back(held->block);
            }
        }
        for (auto block = blocks.rbegin(); block != blocks.rend(); ++block) {
            auto place = files_->Write((*block)->number, (*block)->rows, (*block)->entries);
            if (!place) return Note(tl::make_unexpected(std::move(place.error())));
            const std::lock_guard lock(mutex_);
            const auto held = FirstAfterLocked((*block)->number - 1);
            if (held == held_.end() || held->number != (*block)->number) continue;  // Acknowledged.
            ++unacked_in_[place->segment.get()];
            held->place = std::move(*place);
        }
        return Note({});
    }

    // Makes room in memory: the newest blocks are needed last.
    void Evict() {
        const std::lock_guard file_lock(file_mutex_);
        if (!WriteHeld()) return;  // They stay in memory; Full() says so.
        const std::lock_guard lock(mutex_);
        for (auto held = held_.rbegin(); held != held_.rend(); ++held) {
            if (bytes_in_memory_ <= options_.memory_bytes_max) return;
            if (!held->block || !held->place.segment) continue;
            held->block.reset();
            bytes_in_memory_ -= held->bytes;
        }
    }

    // Drops blocks up to `number`; tells which segments hold nothing any more. Under mutex_.
    void Forget(uint64_t number, std::vector<std::shared_ptr<SpoolSegment>>& free) {
        while (!held_.empty() && held_.front().number <= number) {
            const Held& held = held_.front();
            if (held.place.segment) {
                const auto count = unacked_in_.find(held.place.segment.get());
                CHECK(count != unacked_in_.end());
                if (--count->second == 0) {
                    unacked_in_.erase(count);
                    free.push_back(held.place.segment);
                }
            }
            if (held.block) bytes_in_memory_ -= held.bytes;
            if (held.number > taken_) {
                taken_ = held.number;
                rows_untaken_ -= held.rows;
            }
            bytes_unacked_ -= held.bytes;
            rows_unacked_ -= held.rows;
            held_.pop_front();
        }
    }

    // Remembers what a failed write means for Full() and for the next Sync. Under file_mutex_.
    base::Status Note(base::Status status) {
        disk_full_ = !status && status.error().code == base::ErrorCode::kDiskFull;
        if (!status && status.error().code == base::ErrorCode::kIo) failed_ = true;
        return status;
    }

    const SpoolOptions options_;

    // file_mutex_ is taken before mutex_. It guards the files and their order of writing.
    mutable std::mutex file_mutex_;
    std::unique_ptr<SpoolFiles> files_;
    bool failed_ = false;

    mutable std::mutex mutex_;
    std::condition_variable rows_came_;
    std::shared_ptr<SpoolBlock> open_ = std::make_shared<SpoolBlock>();
    std::vector<uint64_t> open_hashes_;
    std::deque<Held> held_;  // By number.
    std::map<const SpoolSegment*, uint64_t> unacked_in_;
    std::vector<Highest> highest_;
    uint64_t next_number_ = 1;
    uint64_t taken_ = 0;
    size_t rows_untaken_ = 0;
    base::DurationMs untaken_since_ = 0;
    size_t wanted_rows_ = 1;
    bool woken_ = false;
    uint64_t rows_unacked_ = 0;
    size_t bytes_in_memory_ = 0;
    SpoolCounters counters_;

    std::atomic<size_t> bytes_unacked_ = 0;
    std::atomic<uint64_t> acked_ = 0;
    std::atomic<bool> disk_full_ = false;
};

}  // namespace

base::Result<std::unique_ptr<Spool>> Spool::Open(SpoolOptions options) {
    auto spool = std::make_unique<FileSpool>(std::move(options));
    TRY(spool->Recover());
    return spool;
}

}  // namespace warehouse
