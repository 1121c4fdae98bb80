#include "event_log/embedded/embedded_log.h"

#include "event_log/embedded/core.h"

namespace event_log {

namespace {

base::Status CheckOptions(const EmbeddedLog::Options& options) {
    if (options.clock == nullptr) return base::Invalid("the log needs a clock");
    if (options.directory.empty()) return base::Invalid("the log needs a directory");
    if (options.partitions < 0 || options.partitions > limits::kPartitionsMax) {
        return base::Invalid("a log has 1 to " + std::to_string(limits::kPartitionsMax) +
                             " partitions, not " + std::to_string(options.partitions));
    }
    if (options.segment_bytes % 4096 != 0 || options.segment_bytes > UINT32_MAX) {
        return base::Invalid("segments are whole pages below 4 GB");
    }
    return {};
}

}  // namespace

base::Result<std::unique_ptr<EmbeddedLog>> EmbeddedLog::Open(Options options) {
    TRY(CheckOptions(options));
    FileSystem* files = options.files != nullptr ? options.files : PosixFileSystem();
    TRY(files->CreateDirectory(options.directory));
    auto lock = files->Lock(options.directory + "/lock");
    if (!lock) {
        if (lock.error().code != base::ErrorCode::kConflict) {
            return tl::make_unexpected(lock.error());
        }
        return base::Fail(base::ErrorCode::kConflict,
                          options.directory + " is open in another server (" +
                              lock.error().internal + ")");
    }
    RecoveryReport report;
    TRY_ASSIGN(int partitions, FindPartitions(*files, options.directory, report));
    report.created = partitions == 0;
    if (report.created) partitions = options.partitions;
    if (partitions == 0) return base::Invalid("a new log needs a number of partitions");
    if (options.partitions != 0 && options.partitions != partitions) {
        return base::Invalid(options.directory + " was made with " + std::to_string(partitions) +
                             " partitions, not " + std::to_string(options.partitions) +
                             "; the number cannot be changed");
    }
    const auto streams = static_cast<size_t>(partitions) + 2;
    if (options.segment_bytes < 2 * format::FirstRecordAt(streams)) {
        return base::Invalid("segments of " + std::to_string(options.segment_bytes) +
                             " bytes are too small for " + std::to_string(streams) + " streams");
    }
    auto store = std::make_unique<SegmentFiles>(files, options.clock, options.directory, streams,
                                                options.segment_bytes);
    if (report.created) TRY(CreateLog(*store, partitions, options.clock->Now()));
    const bool meta_lost = !report.created && !report.lines.empty();
    TRY_ASSIGN(RecoveredLog recovered, RecoverLog(*store, std::move(report)));
    if (meta_lost) TRY(WriteMeta(*store, partitions, options.clock->Now()));
    auto core = std::make_unique<Core>(std::move(options), std::move(*lock), std::move(store),
                                       std::move(recovered));
    TRY(core->Start());
    return std::unique_ptr<EmbeddedLog>(new EmbeddedLog(std::move(core)));
}

EmbeddedLog::EmbeddedLog(std::unique_ptr<Core> core) : core_(std::move(core)) {}
EmbeddedLog::~EmbeddedLog() = default;

int EmbeddedLog::partitions() const { return core_->partitions(); }

void EmbeddedLog::Append(std::vector<NewRecord> records, AppendDone done) {
    core_->Append(std::move(records), std::move(done));
}

base::Result<Batch> EmbeddedLog::Read(StreamId stream, Offset from, size_t bytes_max) {
    return core_->Read(stream, from, bytes_max);
}

base::Result<Offset> EmbeddedLog::SkipRot(StreamId stream, Offset from) {
    return core_->SkipRot(stream, from);
}

Offset EmbeddedLog::End(StreamId stream) const { return core_->End(stream); }
Offset EmbeddedLog::Begin(StreamId stream) const { return core_->Begin(stream); }
base::TimeMs EmbeddedLog::LastCommitTime() const { return core_->LastCommitTime(); }

void EmbeddedLog::Subscribe(StreamId first, StreamId last, std::function<void()> wake) {
    core_->Subscribe(first, last, std::move(wake));
}

base::Status EmbeddedLog::Trim(StreamId stream, Offset before) {
    return core_->Trim(stream, before);
}

const RecoveryReport& EmbeddedLog::recovery() const { return core_->report(); }
std::optional<base::Error> EmbeddedLog::fatal() const { return core_->fatal(); }
EmbeddedLog::Counters EmbeddedLog::counters() const { return core_->counters(); }

}  // namespace event_log
