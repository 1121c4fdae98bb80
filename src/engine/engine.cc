#include "engine/engine.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "base/bytes.h"
#include "base/check.h"
#include "engine/checkpointer.h"

namespace engine {
namespace {

using base::TimeMs;
using model::Offset;
using model::StreamId;

constexpr size_t kReadBytes = 256 * 1024;
constexpr size_t kAheadRecords = 16;    // Looked up before their turn (limits.md 3).
constexpr size_t kRecordsAtOnce = 512;  // Then outputs leave and jobs get their turn.
constexpr size_t kEntriesAtOnce = 256;  // Of a frozen state, between records.
constexpr size_t kPieceBytes = 1 << 20;
constexpr base::DurationMs kIdleWaitMs = 200;
constexpr int64_t kJobPauseUs = 200;
constexpr base::DurationMs kStopTimeMs = 60 * base::kSecondMs;

class PieceSink final : public StateSink {
  public:
    explicit PieceSink(std::string& out) : out_(out) {}
    void Put(std::string_view key, std::string_view value) override {
        base::ByteWriter w(out_);
        w.U8(Checkpointer::kPut);
        w.Text(key);
        w.Text(value);
    }
    void Remove(std::string_view key) override {
        base::ByteWriter w(out_);
        w.U8(Checkpointer::kRemove);
        w.Text(key);
    }

  private:
    std::string& out_;
};

struct Stream {
    StreamId id = 0;
    std::unique_ptr<Fold> fold;
    std::unique_ptr<state::Store> store;
    // Relays.
    std::pair<Offset, uint32_t> relayed{0, 0};  // Handed to the log up to here.
    std::atomic<bool> relay_failed{false};
    // Ticks.
    std::atomic<bool> tick_waits{false};  // One is on its way through the log.
    Offset tick_asked_at = 0;             // Applied offset when it was asked for.
    // Checkpoints.
    enum class Phase { kIdle, kWriting, kCommitting };
    std::atomic<Phase> phase{Phase::kIdle};
    std::atomic<bool> checkpoint_wanted{false};
    Offset frozen_offset = 0;
    Offset last_checkpoint = 0;
    base::DurationMs last_checkpoint_at = 0;
    std::string piece;
    bool written = false;
    // Jobs.
    std::mutex jobs_mutex;
    std::deque<Engine::Job> jobs;
    std::atomic<bool> has_jobs{false};
};

struct Worker {
    std::vector<Stream*> streams;
    std::thread thread;
    std::mutex mutex;
    std::condition_variable changed;
    bool woken = false;
};

class LiveEngine final : public Engine {
  public:
    LiveEngine(event_log::Log& log, warehouse::Spool* spool, base::Clock& clock, Options options)
        : log_(log), spool_(spool), clock_(clock), options_(std::move(options)) {}
    ~LiveEngine() override { Halt(); }

    base::Status Init(const MakeFold& make_fold) {
        options_.threads = std::clamp(options_.threads, 1, log_.partitions() + 1);
        for (int t = 0; t < options_.threads; ++t) workers_.push_back(std::make_unique<Worker>());
        for (StreamId id = 0; id <= log_.links(); ++id) {
            auto stream = std::make_unique<Stream>();
            stream->id = id;
            stream->fold = make_fold(id);
            WorkerOf(id).streams.push_back(stream.get());
            streams_.push_back(std::move(stream));
        }
        for (auto& worker : workers_) {
            Worker* w = worker.get();
            // A stream's commits wake its own thread only when it is the stream's owner; the log
            // tells ranges, so each stream is subscribed to alone.
            for (Stream* stream : w->streams) {
                log_.Subscribe(stream->id, stream->id, [this, w] { WakeWorker(*w); });
            }
        }
        return {};
    }

    base::Status Start(OnOutbox on_outbox) override {
        on_outbox_ = std::move(on_outbox);
        std::vector<Offset> ends;
        for (const auto& stream : streams_) ends.push_back(log_.End(stream->id));
        std::vector<base::Status> results(workers_.size());
        std::vector<std::thread> threads;
        for (size_t i = 0; i < workers_.size(); ++i) {
            threads.emplace_back([&, i] { results[i] = Recover(*workers_[i], ends); });
        }
        for (auto& thread : threads) thread.join();
        for (auto& result : results) {
            if (!result) return result;
        }
        if (!options_.live) return {};
        checkpointer_ = std::make_unique<Checkpointer>(spool_);
        for (auto& stream : streams_) {
            std::vector<model::OutboxEvent> events;
            stream->fold->ListOutbox(events);
            if (!events.empty() && on_outbox_) on_outbox_(std::move(events));
            stream->last_checkpoint_at = clock_.Monotonic();
        }
        running_ = true;
        for (auto& worker : workers_) {
            Worker* w = worker.get();
            w->thread = std::thread([this, w] { Run(*w); });
        }
        return {};
    }

    base::Status Stop(bool checkpoint) override {
        base::Status status;
        if (checkpoint && running_ && !fatal()) status = Checkpoint();
        Halt();
        return status;
    }

    int partitions() const override { return log_.partitions(); }
    Fold& fold(StreamId id) override { return *streams_[id]->fold; }
    bool other_behaviour() const override { return other_behaviour_; }
    void HoldTicks(bool hold) override { hold_ticks_ = hold; }

    void Post(StreamId id, Job job) override {
        Stream& stream = *streams_[id];
        {
            std::lock_guard lock(stream.jobs_mutex);
            stream.jobs.push_back(std::move(job));
            stream.has_jobs = true;
        }
        WakeWorker(WorkerOf(id));
    }

    void WhenTimersRan(TimeMs now, std::function<void()> done) override {
        auto pass = std::make_shared<Pass>();
        pass->now = now;
        pass->done = std::move(done);
        BeginPass(pass);
    }

    void Wake() override {
        for (auto& worker : workers_) WakeWorker(*worker);
    }

    std::optional<base::Error> fatal() const override {
        std::lock_guard lock(fatal_mutex_);
        return fatal_;
    }

    Counters counters() const override {
        Counters c;
        c.records = records_;
        c.ticks = ticks_;
        c.relays = relays_;
        c.checkpoints = checkpoints_;
        c.checkpoint_ms_last = checkpoint_ms_;
        c.replayed = replayed_;
        return c;
    }

    base::Status Checkpoint() override {
        if (options_.directory.empty()) return {};
        for (auto& stream : streams_) stream->checkpoint_wanted = true;
        Wake();
        std::unique_lock lock(checkpoint_mutex_);
        const bool all =
            checkpoint_done_.wait_for(lock, std::chrono::milliseconds(kStopTimeMs), [&] {
                return fatal() || std::none_of(streams_.begin(), streams_.end(), [](auto& s) {
                           return s->checkpoint_wanted.load() ||
                                  s->phase.load() != Stream::Phase::kIdle;
                       });
            });
        if (!all) return base::Fail(base::ErrorCode::kTimeout, "a checkpoint took over a minute");
        if (auto error = fatal()) return tl::make_unexpected(*error);
        return {};
    }

  private:
    // A look at every stream, one after the other, for WhenTimersRan. The streams are settled when
    // all were quiet and no record was appended between the begin and the end of the look.
    struct Pass {
        TimeMs now = 0;
        std::function<void()> done;
        StreamId at = 0;
        uint64_t ends = 0;
        bool quiet = true;
    };

    Worker& WorkerOf(StreamId id) { return *workers_[id % workers_.size()]; }

    uint64_t SumOfEnds() const {
        uint64_t sum = 0;
        for (const auto& stream : streams_) sum += log_.End(stream->id);
        return sum;
    }

    void BeginPass(const std::shared_ptr<Pass>& pass) {
        pass->at = 0;
        pass->quiet = true;
        pass->ends = SumOfEnds();
        LookAt(pass);
    }

    void LookAt(const std::shared_ptr<Pass>& pass) {
        Post(pass->at, [this, pass](Fold& fold) {
            Stream& stream = *streams_[pass->at];
            if (log_.End(stream.id) != fold.applied() || fold.NextDue() <= pass->now ||
                fold.WantsTick() || !fold.relays().empty()) {
                // Stay here until this stream is quiet, then look at all again.
                pass->quiet = false;
                return false;
            }
            if (++pass->at < streams_.size()) {
                LookAt(pass);
            } else if (pass->quiet && SumOfEnds() == pass->ends) {
                pass->done();
            } else {
                BeginPass(pass);
            }
            return true;
        });
    }

    void WakeWorker(Worker& worker) {
        {
            std::lock_guard lock(worker.mutex);
            worker.woken = true;
        }
        worker.changed.notify_one();
    }

    void SetFatal(const base::Error& error) {
        {
            std::lock_guard lock(fatal_mutex_);
            if (!fatal_) fatal_ = error;
        }
        checkpoint_done_.notify_all();
    }

    void Halt() {
        stop_ = true;
        Wake();
        for (auto& worker : workers_) {
            if (worker->thread.joinable()) worker->thread.join();
        }
        checkpointer_.reset();
        running_ = false;
    }

    // --- start -----------------------------------------------------------------------------------

    base::Status Recover(Worker& worker, const std::vector<Offset>& ends) {
        for (Stream* stream : worker.streams) {
            TRY(Load(*stream));
            if (stream->store && stream->store->offset() != 0 &&
                stream->store->behaviour() != state::kBehaviour &&
                stream->fold->applied() < ends[stream->id]) {
                other_behaviour_ = true;
            }
            if (stream->fold->applied() > ends[stream->id]) {
                return base::Fail(base::ErrorCode::kCorrupt, "the checkpoint of stream " +
                                                                 std::to_string(stream->id) +
                                                                 " is ahead of the log");
            }
        }
        while (Stream* stream = FurthestBehind(worker, ends)) {
            TRY_ASSIGN(const size_t folded, FoldSome(*stream, SIZE_MAX));
            replayed_ += folded;
            if (folded == 0) return base::Fail(base::ErrorCode::kCorrupt, "the log ends early");
            // News of the past: what still matters is listed when the replay has ended.
            std::vector<model::OutboxEvent> past;
            stream->fold->TakeOutbox(past);
            FlushRows(*stream);
        }
        return {};
    }

    // The stream to replay next; nullptr: all are at their ends. Streams lie side by side in the
    // log: when they go on together, what was read for one is still in memory for the others.
    static Stream* FurthestBehind(Worker& worker, const std::vector<Offset>& ends) {
        Stream* behind = nullptr;
        for (Stream* stream : worker.streams) {
            if (stream->fold->applied() >= ends[stream->id]) continue;
            if (behind == nullptr || stream->fold->now() < behind->fold->now()) behind = stream;
        }
        return behind;
    }

    base::Status Load(Stream& stream) {
        if (!options_.directory.empty()) {
            TRY_ASSIGN(stream.store, state::Store::Open(options_.directory + "/stream-" +
                                                        std::to_string(stream.id)));
            TRY(stream.store->ForEach([&](std::string_view key, std::string_view value) {
                return stream.fold->Load(key, value);
            }));
        }
        TRY(stream.fold->Loaded());
        stream.last_checkpoint = stream.fold->applied();
        return {};
    }

    // --- the loop --------------------------------------------------------------------------------

    void Run(Worker& worker) {
        while (!stop_) {
            bool progress = false;
            for (Stream* stream : worker.streams) {
                if (fatal()) return;
                progress = Step(*stream) || progress;
            }
            if (!progress) WaitForWork(worker);
        }
    }

    void WaitForWork(Worker& worker) {
        TimeMs next = base::kNeverMs;
        bool writing = false, jobs = false;
        for (Stream* stream : worker.streams) {
            jobs = jobs || stream->has_jobs;
            if (!stream->tick_waits) next = std::min(next, stream->fold->NextDue());
            writing = writing || stream->phase.load() == Stream::Phase::kWriting;
        }
        base::DurationMs wait = writing ? 1 : kIdleWaitMs;
        if (next != base::kNeverMs) {
            wait = std::clamp<base::DurationMs>(next - clock_.Now(), 0, wait);
        }
        // A job that asked to be called again gets its turn soon, without spinning.
        const auto pause = jobs ? std::chrono::microseconds(kJobPauseUs)
                                : std::chrono::microseconds(std::max<int64_t>(wait, 1) * 1000);
        std::unique_lock lock(worker.mutex);
        worker.changed.wait_for(lock, pause, [&] { return worker.woken || stop_.load(); });
        worker.woken = false;
    }

    bool Step(Stream& stream) {
        bool progress = RunJobs(stream);
        if (log_.End(stream.id) > stream.fold->applied()) {
            auto folded = FoldSome(stream, kRecordsAtOnce);
            if (!folded) {
                SetFatal(folded.error());
                return false;
            }
            progress = progress || *folded > 0;
        }
        FlushRows(stream);
        FlushOutbox(stream);
        progress = SendRelays(stream) || progress;
        AskForTick(stream);
        progress = StepCheckpoint(stream) || progress;
        return progress;
    }

    base::Result<size_t> FoldSome(Stream& stream, size_t records_max) {
        Fold& fold = *stream.fold;
        TRY_ASSIGN(const auto batch, log_.Read(stream.id, fold.applied() + 1, kReadBytes));
        const auto& records = batch.records;
        const size_t n = std::min(records.size(), records_max);
        for (size_t i = 0; i < n; ++i) {
            if (i == 0) {
                for (size_t k = 1; k < std::min(n, kAheadRecords); ++k) fold.Prefetch(records[k]);
            }
            if (i + kAheadRecords < n) fold.Prefetch(records[i + kAheadRecords]);
            fold.Apply(records[i]);
            if (records[i].kind == model::RecordKind::kTick) stream.tick_waits = false;
        }
        records_ += n;
        return n;
    }

    void FlushRows(Stream& stream) {
        rows_buffer().clear();
        stream.fold->TakeRows(rows_buffer());
        if (spool_ != nullptr && !rows_buffer().empty()) spool_->Append(rows_buffer());
    }

    static std::string& rows_buffer() {
        static thread_local std::string buffer;
        return buffer;
    }

    void FlushOutbox(Stream& stream) {
        std::vector<model::OutboxEvent> events;
        stream.fold->TakeOutbox(events);
        if (!events.empty() && on_outbox_) on_outbox_(std::move(events));
    }

    bool SendRelays(Stream& stream) {
        if (stream.relay_failed.exchange(false)) stream.relayed = {0, 0};
        const auto& relays = stream.fold->relays();
        if (relays.empty()) return false;
        const auto place = [](const Relay& r) {
            return std::pair(r.origin.offset, r.origin.ordinal);
        };
        if (place(relays.back()) <= stream.relayed) return false;
        std::vector<model::NewRecord> records;
        for (const auto& relay : relays) {
            if (place(relay) > stream.relayed) records.push_back(relay.record);
        }
        const auto last = place(relays.back());
        // The acknowledgement comes last: after a crash a prefix may have survived, and what was
        // not acknowledged is sent again and ignored where it arrived before.
        model::NewRecord done;
        done.stream = stream.id;
        done.kind = model::RecordKind::kRelayed;
        done.payload = "{\"upto\":[" + std::to_string(stream.id) + ',' +
                       std::to_string(last.first) + ',' + std::to_string(last.second) + "]}";
        records.push_back(std::move(done));
        relays_ += records.size() - 1;
        stream.relayed = last;
        log_.Append(std::move(records), [this, &stream](auto result) {
            if (result) return;
            if (!base::RetryHelps(result.error().code)) SetFatal(result.error());
            stream.relay_failed = true;
        });
        return true;
    }

    void AskForTick(Stream& stream) {
        if (hold_ticks_ || stream.tick_waits || log_.End(stream.id) != stream.fold->applied())
            return;
        if (!stream.fold->WantsTick() && stream.fold->NextDue() > clock_.Now()) return;
        stream.tick_waits = true;
        ++ticks_;
        model::NewRecord tick;
        tick.stream = stream.id;
        tick.kind = model::RecordKind::kTick;
        std::vector<model::NewRecord> records;
        records.push_back(std::move(tick));
        log_.Append(std::move(records), [this, &stream](auto result) {
            if (result) return;
            if (!base::RetryHelps(result.error().code)) SetFatal(result.error());
            stream.tick_waits = false;
        });
    }

    bool RunJobs(Stream& stream) {
        if (!stream.has_jobs) return false;
        std::deque<Job> jobs;
        {
            std::lock_guard lock(stream.jobs_mutex);
            jobs.swap(stream.jobs);
            stream.has_jobs = false;
        }
        bool progress = false;
        for (auto& job : jobs) {
            if (job(*stream.fold)) {
                progress = true;
                continue;
            }
            std::lock_guard lock(stream.jobs_mutex);
            stream.jobs.push_back(std::move(job));
            stream.has_jobs = true;
        }
        return progress;
    }

    // --- checkpoints -----------------------------------------------------------------------------

    bool StepCheckpoint(Stream& stream) {
        if (!stream.store) return false;
        if (stream.phase.load() == Stream::Phase::kIdle) return MaybeFreeze(stream);
        if (stream.phase.load() != Stream::Phase::kWriting) return false;
        if (stream.piece.size() >= kPieceBytes || stream.written) {
            if (!stream.piece.empty() && !checkpointer_->Offer(*stream.store, stream.piece)) {
                return false;
            }
            stream.piece.clear();
            if (stream.written) {
                stream.phase = Stream::Phase::kCommitting;
                Commit(stream);
                return true;
            }
        }
        PieceSink sink(stream.piece);
        stream.written = stream.fold->WriteFrozen(sink, kEntriesAtOnce);
        return true;
    }

    bool MaybeFreeze(Stream& stream) {
        const base::DurationMs now = clock_.Monotonic();
        const uint64_t share = std::max<uint64_t>(
            1, options_.checkpoint_records / static_cast<uint64_t>(log_.partitions()));
        const Offset since = stream.fold->applied() - stream.last_checkpoint;
        const bool due = since >= share ||
                         (since > 0 && now - stream.last_checkpoint_at >= options_.checkpoint_ms);
        if (!due && !stream.checkpoint_wanted) return false;
        if (!stream.fold->Dirty()) {
            stream.last_checkpoint_at = now;
            if (stream.checkpoint_wanted.exchange(false)) NotifyCheckpoint();
            return false;
        }
        stream.fold->Freeze();
        stream.frozen_offset = stream.fold->applied();
        stream.written = false;
        stream.piece.clear();
        stream.last_checkpoint = stream.frozen_offset;
        stream.last_checkpoint_at = now;
        stream.phase = Stream::Phase::kWriting;
        return true;
    }

    void Commit(Stream& stream) {
        const int64_t begun = base::SteadyNanos();
        checkpointer_->Finish(
            *stream.store, stream.frozen_offset, [this, &stream, begun](base::Status status) {
                if (!status && !base::RetryHelps(status.error().code)) {
                    SetFatal(status.error());
                }
                if (status) ++checkpoints_;
                checkpoint_ms_ = static_cast<uint64_t>((base::SteadyNanos() - begun) / 1'000'000);
                stream.checkpoint_wanted = false;
                stream.phase = Stream::Phase::kIdle;
                NotifyCheckpoint();
            });
    }

    void NotifyCheckpoint() {
        std::lock_guard lock(checkpoint_mutex_);
        checkpoint_done_.notify_all();
    }

    event_log::Log& log_;
    warehouse::Spool* spool_;
    base::Clock& clock_;
    Options options_;
    OnOutbox on_outbox_;
    std::vector<std::unique_ptr<Stream>> streams_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::unique_ptr<Checkpointer> checkpointer_;
    std::atomic<bool> stop_{false};
    std::atomic<bool> other_behaviour_{false};
    std::atomic<bool> hold_ticks_{false};
    bool running_ = false;
    mutable std::mutex fatal_mutex_;
    std::optional<base::Error> fatal_;
    std::mutex checkpoint_mutex_;
    std::condition_variable checkpoint_done_;
    std::atomic<uint64_t> records_{0}, ticks_{0}, relays_{0}, checkpoints_{0}, checkpoint_ms_{0},
        replayed_{0};
};

}  // namespace

base::Result<std::unique_ptr<Engine>> Engine::Create(event_log::Log& log, warehouse::Spool* spool,
                                                     base::Clock& clock, Options options,
                                                     const MakeFold& make_fold) {
    auto engine = std::make_unique<LiveEngine>(log, spool, clock, std::move(options));
    TRY(engine->Init(make_fold));
    return engine;
}

}  // namespace engine
