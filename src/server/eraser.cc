#include "server/eraser.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "server/person_fold.h"

namespace server {
namespace {

constexpr auto kRetryWait = std::chrono::seconds(5);
constexpr auto kStopLook = std::chrono::milliseconds(100);
constexpr base::DurationMs kFlushMs = base::kSecondMs;
constexpr int kFlushTries = 60;

}  // namespace

// What the partitions answer; jobs that outlive a wait which was given up still have it.
struct Eraser::Answers {
    std::mutex mutex;
    std::condition_variable answered;
    size_t waiting = 0;
    std::vector<std::set<model::WorkspaceId>> erased;
};

Eraser::Eraser(EraserParts parts) : parts_(parts), thread_([this] { Run(); }) {}

Eraser::~Eraser() {
    {
        std::lock_guard lock(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Eraser::Changed() {
    {
        std::lock_guard lock(mutex_);
        wanted_ = true;
    }
    changed_.notify_all();
}

size_t Eraser::waiting() const {
    const size_t deleted = parts_.catalog.DeletedWorkspaces().size();
    std::lock_guard lock(mutex_);
    return deleted - std::min(done_.size(), deleted);
}

std::optional<base::Error> Eraser::error() const {
    std::lock_guard lock(mutex_);
    return error_;
}

bool Eraser::Stopped() const {
    std::lock_guard lock(mutex_);
    return stop_;
}

void Eraser::Run() {
    std::unique_lock lock(mutex_);
    while (!stop_) {
        if (!wanted_) {
            changed_.wait(lock, [&] { return stop_ || wanted_; });
            continue;
        }
        wanted_ = false;
        std::set<model::WorkspaceId> deleted;
        for (const auto workspace : parts_.catalog.DeletedWorkspaces()) {
            if (!done_.contains(workspace)) deleted.insert(workspace);
        }
        lock.unlock();
        const auto status = deleted.empty() ? base::Status() : Round(deleted);
        lock.lock();
        if (status) {
            done_.merge(deleted);
            error_.reset();
            continue;
        }
        error_ = status.error();
        wanted_ = true;
        changed_.wait_for(lock, kRetryWait, [&] { return stop_; });
    }
}

base::Status Eraser::Await(Answers& answers) {
    std::unique_lock lock(answers.mutex);
    while (!answers.answered.wait_for(lock, kStopLook, [&] { return answers.waiting == 0; })) {
        if (Stopped()) return base::Fail(base::ErrorCode::kUnavailable, "the server stops");
    }
    return {};
}

base::Status Eraser::EraseInPartitions(const std::set<model::WorkspaceId>& deleted, bool& went) {
    const auto n = static_cast<size_t>(parts_.engine.partitions());
    auto answers = std::make_shared<Answers>();
    answers->waiting = n;
    answers->erased.resize(n);
    for (size_t p = 0; p < n; ++p) {
        const auto stream = static_cast<model::StreamId>(p);
        // Asked behind everything that the log holds now: records of an earlier try among it.
        const model::Offset end = parts_.log.End(stream);
        parts_.engine.Post(stream, [answers, p, end](engine::Fold& fold) {
            if (fold.applied() < end) return false;
            std::lock_guard lock(answers->mutex);
            answers->erased[p] = static_cast<PersonFold&>(fold).erased();
            if (--answers->waiting == 0) answers->answered.notify_all();
            return true;
        });
    }
    TRY(Await(*answers));
    std::vector<model::NewRecord> records;
    for (size_t p = 0; p < n; ++p) {
        for (const auto workspace : deleted) {
            if (answers->erased[p].contains(workspace)) continue;
            model::NewRecord& record = records.emplace_back();
            record.stream = static_cast<model::StreamId>(p);
            record.kind = model::RecordKind::kErased;
            record.workspace = workspace;
        }
    }
    went = !records.empty();
    if (went) TRY(parts_.log.AppendAndWait(std::move(records)));

    auto through = std::make_shared<Answers>();
    through->waiting = n;
    for (size_t p = 0; p < n; ++p) {
        const auto stream = static_cast<model::StreamId>(p);
        const model::Offset end = parts_.log.End(stream);
        parts_.engine.Post(stream, [through, end](engine::Fold& fold) {
            if (fold.applied() < end || static_cast<PersonFold&>(fold).Erasing()) return false;
            std::lock_guard lock(through->mutex);
            if (--through->waiting == 0) through->answered.notify_all();
            return true;
        });
    }
    return Await(*through);
}

base::Status Eraser::Round(const std::set<model::WorkspaceId>& deleted) {
    bool went = false;
    TRY(EraseInPartitions(deleted, went));
    for (const auto workspace : deleted) {
        if (parts_.mailbox != nullptr) TRY(parts_.mailbox->Erase(workspace));
    }
    if (went) TRY(parts_.engine.Checkpoint());
    if (parts_.writer == nullptr || parts_.warehouse == nullptr) return {};
    // What was on its way when the workspace went has arrived, or was dropped.
    base::Status flushed = parts_.writer->Flush(kFlushMs);
    for (int n = 1; !flushed && n < kFlushTries && !Stopped(); ++n) {
        flushed = parts_.writer->Flush(kFlushMs);
    }
    TRY(flushed);
    for (const auto workspace : deleted) TRY(parts_.warehouse->EraseWorkspace(workspace));
    return {};
}

}  // namespace server
