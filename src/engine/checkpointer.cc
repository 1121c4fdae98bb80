#include "engine/checkpointer.h"

#include "base/bytes.h"

namespace engine {

Checkpointer::Checkpointer(warehouse::Spool* spool) : spool_(spool), thread_([this] { Run(); }) {}

Checkpointer::~Checkpointer() {
    {
        std::lock_guard lock(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

bool Checkpointer::Offer(state::Store& store, std::string& entries) {
    {
        std::lock_guard lock(mutex_);
        if (queue_.size() >= kQueueMax) return false;
        queue_.push_back({&store, std::move(entries), 0, nullptr});
    }
    entries.clear();
    changed_.notify_one();
    return true;
}

void Checkpointer::Finish(state::Store& store, model::Offset offset, Done done) {
    {
        std::lock_guard lock(mutex_);
        queue_.push_back({&store, {}, offset, std::move(done)});
    }
    changed_.notify_one();
}

base::Status Checkpointer::Write(const Item& item) {
    base::ByteReader in(item.entries);
    while (!in.done()) {
        const bool put = in.U8() == kPut;
        const std::string_view key = in.Text();
        if (put) {
            TRY(item.store->Put(key, in.Text()));
        } else {
            TRY(item.store->Remove(key));
        }
    }
    if (!item.done) return {};
    if (spool_ != nullptr) TRY(spool_->Sync());
    return item.store->Commit(item.offset);
}

void Checkpointer::Run() {
    while (true) {
        Item item;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] { return stop_ || !queue_.empty(); });
            if (queue_.empty()) return;
            item = std::move(queue_.front());
            queue_.pop_front();
        }
        if (failed_) {
            auto status = Write(item);
            if (!status) failed_ = status;
        }
        if (item.done) {
            item.done(failed_);
            // A full disk passes: the next checkpoint begins anew.
            if (!failed_ && base::RetryHelps(failed_.error().code)) failed_ = {};
        }
    }
}

}  // namespace engine
