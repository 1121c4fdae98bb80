#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/iterator.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include "base/limits.h"
#include "store/state/directories.h"
#include "store/state/state_store.h"

namespace state {

namespace {

constexpr std::string_view kWorking = "working";
constexpr std::string_view kMaking = "making-";
constexpr std::string_view kDamaged = "damaged-";
constexpr size_t kBlockBytes = 16 * 1024;
constexpr size_t kReadAheadBytes = 2 * 1024 * 1024;

// RocksDB's own log would repeat hundreds of lines for each of our opens; what goes wrong comes
// back as a status.
class SilentLog final : public rocksdb::Logger {
  public:
    using rocksdb::Logger::Logv;
    void Logv(const char*, va_list) override {}
};

// What all stores of the process share; RocksDB keeps references as long as a store is open.
struct Shared {
    std::shared_ptr<rocksdb::Cache> cache =
        rocksdb::NewLRUCache(limits::kStateCacheBytes, /*num_shard_bits=*/1);
    std::shared_ptr<rocksdb::WriteBufferManager> buffers =
        std::make_shared<rocksdb::WriteBufferManager>(limits::kStateWriteBuffersBytesMax);
    std::shared_ptr<rocksdb::Logger> log = std::make_shared<SilentLog>();
};

const Shared& SharedParts() {
    static const Shared* const shared = new Shared;
    return *shared;
}

rocksdb::Options MakeOptions(bool create) {
    const Shared& shared = SharedParts();
    rocksdb::Options options;
    options.create_if_missing = create;
    options.env = rocksdb::Env::Default();
    options.info_log = shared.log;
    options.max_background_jobs = 2;
    options.max_open_files = limits::kStateOpenFilesMax;
    options.max_file_opening_threads = 1;
    options.write_buffer_size = limits::kStateWriteBufferBytes;
    options.max_write_buffer_number = 2;
    options.arena_block_size = 64 * 1024;
    options.write_buffer_manager = shared.buffers;
    // Sorted runs that merge when they are alike in size: a checkpoint writes few keys over all of
    // the key space, and levels would rewrite the whole of it each time.
    options.compaction_style = rocksdb::kCompactionStyleUniversal;
    options.compaction_options_universal.size_ratio = 50;
    options.compaction_options_universal.max_size_amplification_percent = 100;
    options.level0_file_num_compaction_trigger = 8;
    options.compression = rocksdb::kNoCompression;  // Of young runs; they are rewritten soon.
    options.bottommost_compression = rocksdb::kLZ4Compression;
    options.stats_dump_period_sec = 0;
    options.stats_persist_period_sec = 0;
    options.manual_wal_flush = true;
    options.avoid_flush_during_shutdown = true;  // The working directory is thrown away.
    options.paranoid_checks = true;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = shared.cache;
    table.block_size = kBlockBytes;
    table.cache_index_and_filter_blocks = true;
    table.format_version = 5;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return options;
}

// Damage is told apart from an operating system that refuses now and may not later.
base::Error ToError(const rocksdb::Status& status, const std::string& where) {
    const std::string text = "state: " + where + ": " + status.ToString();
    base::ErrorCode code = base::ErrorCode::kIo;
    if (status.IsNoSpace()) {
        code = base::ErrorCode::kDiskFull;
    } else if (status.IsCorruption() || status.IsNotFound() || status.IsPathNotFound() ||
               status.IsInvalidArgument() || status.IsNotSupported()) {
        code = base::ErrorCode::kCorrupt;
    }
    return base::Error{code, text, {}, {}};
}

base::Result<std::unique_ptr<rocksdb::DB>> OpenWorking(const std::string& path, bool create) {
    rocksdb::DB* db = nullptr;
    const auto status = rocksdb::DB::Open(MakeOptions(create), path, &db);
    if (!status.ok()) return tl::make_unexpected(ToError(status, "open " + path));
    return std::unique_ptr<rocksdb::DB>(db);
}

class RocksStore final : public Store {
  public:
    RocksStore(std::string directory, CheckpointName opened, bool older_there, std::string warning,
               std::unique_ptr<rocksdb::DB> db)
        : directory_(std::move(directory)), opened_(opened), older_there_(older_there),
          warning_(std::move(warning)), db_(std::move(db)) {}

    model::Offset offset() const override { return opened_.offset; }
    uint32_t behaviour() const override { return opened_.behaviour; }
    std::string warning() const override { return warning_; }

    base::Status ForEach(
        const std::function<bool(std::string_view, std::string_view)>& visit) override;
    base::Status Put(std::string_view key, std::string_view value) override;
    base::Status Remove(std::string_view key) override;
    base::Status Commit(model::Offset offset) override;

  private:
    base::Status WriteSlice();
    base::Status MakeCheckpoint(const CheckpointName& name);
    base::Status RemoveOld();
    base::Status Broken(base::Error error);

    const std::string directory_;
    const CheckpointName opened_;
    const bool older_there_;
    const std::string warning_;
    std::unique_ptr<rocksdb::DB> db_;
    rocksdb::WriteBatch slice_;
    bool removed_ = false;  // Since the last checkpoint.
    base::Status broken_;  // The first error of Put or Commit, for ever.
};

base::Status RocksStore::ForEach(
    const std::function<bool(std::string_view, std::string_view)>& visit) {
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    options.verify_checksums = true;
    options.readahead_size = kReadAheadBytes;
    options.total_order_seek = true;
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options));
    const std::string name = ToText(opened_);
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
        const auto key = it->key();
        const auto value = it->value();
        if (!visit({key.data(), key.size()}, {value.data(), value.size()})) {
            return base::Fail(base::ErrorCode::kCorrupt,
                              "state: an entry of " + directory_ + "/" + name + " does not read");
        }
    }
    if (it->status().ok()) return {};
    auto error = ToError(it->status(), "read " + directory_ + "/" + name);
    if (error.code == base::ErrorCode::kCorrupt && older_there_) {
        TRY(Rename(directory_, name, std::string(kDamaged) + name));
        error.internal += "; set aside, the next start opens an older checkpoint";
    }
    return tl::make_unexpected(std::move(error));
}

base::Status RocksStore::Broken(base::Error error) {
    broken_ = tl::make_unexpected(std::move(error));
    return broken_;
}

base::Status RocksStore::Put(std::string_view key, std::string_view value) {
    if (!broken_) return broken_;
    const auto status = slice_.Put(rocksdb::Slice(key.data(), key.size()),
                                   rocksdb::Slice(value.data(), value.size()));
    if (!status.ok()) return Broken(ToError(status, "put"));
    if (slice_.GetDataSize() < limits::kStateSliceBytes) return {};
    return WriteSlice();
}

base::Status RocksStore::Remove(std::string_view key) {
    if (!broken_) return broken_;
    const auto status = slice_.Delete(rocksdb::Slice(key.data(), key.size()));
    if (!status.ok()) return Broken(ToError(status, "remove"));
    removed_ = true;
    if (slice_.GetDataSize() < limits::kStateSliceBytes) return {};
    return WriteSlice();
}

base::Status RocksStore::WriteSlice() {
    if (slice_.Count() == 0) return {};
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    const auto status = db_->Write(options, &slice_);
    slice_.Clear();
    if (!status.ok()) return Broken(ToError(status, "write " + directory_));
    return {};
}

base::Status RocksStore::Commit(model::Offset offset) {
    if (!broken_) return broken_;
    TRY(WriteSlice());
    auto status = MakeCheckpoint({offset, kBehaviour});
    if (status) status = RemoveOld();
    if (!status) return Broken(std::move(status.error()));
    return {};
}

base::Status RocksStore::MakeCheckpoint(const CheckpointName& name) {
    const std::string made = std::string(kMaking) + std::to_string(name.offset);
    TRY(RemoveBeginning(directory_, std::string(kMaking)));
    const auto flushed = db_->Flush(rocksdb::FlushOptions());
    if (!flushed.ok()) return tl::make_unexpected(ToError(flushed, "flush " + directory_));
    if (removed_) {
        // A removal only hides the entry; its bytes go when the runs that hold it are rewritten.
        rocksdb::CompactRangeOptions whole;
        whole.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
        const auto rewritten = db_->CompactRange(whole, nullptr, nullptr);
        if (!rewritten.ok()) {
            return tl::make_unexpected(ToError(rewritten, "rewrite " + directory_));
        }
        removed_ = false;
    }
    rocksdb::Checkpoint* raw = nullptr;
    auto status = rocksdb::Checkpoint::Create(db_.get(), &raw);
    const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
    if (status.ok()) status = checkpoint->CreateCheckpoint(directory_ + "/" + made);
    if (!status.ok()) return tl::make_unexpected(ToError(status, "checkpoint " + directory_));
    return Complete(directory_, made, ToText(name));
}

base::Status RocksStore::RemoveOld() {
    TRY(RemoveBeginning(directory_, std::string(kMaking)));
    TRY(RemoveBeginning(directory_, std::string(kDamaged)));
    TRY_ASSIGN(const auto names, ListCheckpoints(directory_));
    for (size_t n = limits::kCheckpointsKept; n < names.size(); ++n) {
        // Under another name first: a half-removed checkpoint must not look complete.
        const std::string going = std::string(kMaking) + "old";
        TRY(Rename(directory_, ToText(names[n]), going));
        TRY(RemoveBeginning(directory_, going));
    }
    return {};
}

}  // namespace

base::Result<std::unique_ptr<Store>> Store::Open(const std::string& directory) {
    TRY(MakeDirectory(directory));
    const std::string working = directory + "/" + std::string(kWorking);
    TRY(RemoveBeginning(directory, std::string(kWorking)));
    TRY(RemoveBeginning(directory, std::string(kMaking)));
    TRY_ASSIGN(const auto names, ListCheckpoints(directory));
    if (names.empty()) {
        TRY_ASSIGN(auto db, OpenWorking(working, /*create=*/true));
        return std::make_unique<RocksStore>(directory, CheckpointName{}, false, "", std::move(db));
    }
    std::string damage;
    std::vector<CheckpointName> damaged;
    for (const auto& name : names) {
        TRY(RemoveBeginning(directory, std::string(kWorking)));
        TRY(LinkFiles(directory + "/" + ToText(name), working));
        auto db = OpenWorking(working, /*create=*/false);
        if (!db) {
            if (db.error().code != base::ErrorCode::kCorrupt) {
                return tl::make_unexpected(std::move(db.error()));
            }
            damage += (damage.empty() ? "" : "; ") + directory + "/" + ToText(name) +
                      " does not open (" + db.error().internal + ")";
            damaged.push_back(name);
            continue;
        }
        for (const auto& bad : damaged) {
            TRY(Rename(directory, ToText(bad), std::string(kDamaged) + ToText(bad)));
        }
        if (!damage.empty()) damage += "; opened " + ToText(name) + " instead";
        const bool older_there = name != names.back();
        return std::make_unique<RocksStore>(directory, name, older_there, std::move(damage),
                                            std::move(*db));
    }
    return base::Fail(base::ErrorCode::kCorrupt, "state: no checkpoint opens: " + damage);
}

}  // namespace state
