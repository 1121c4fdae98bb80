// The inside of the dispatcher (server/dispatcher.h): one table of messages and what moves them
// from stage to stage. Nothing is called with the lock held: log, pool, mailbox and callers.
//
//   kQueued    may be claimed
//   kClaiming  its claim is on the way to the log or to the fold     } open: these take the
//   kGranted   waits for a worker                                    } places of
//   kSending   with a worker or the mail server                      } open_max
//   kSettling  its outcome is on the way to the log                  }
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "server/dispatcher.h"
#include "server/dot_file.h"
#include "server/letter_maker.h"
#include "server/outcome.h"

namespace server {

class Dispatcher::Core : public std::enable_shared_from_this<Dispatcher::Core> {
  public:
    Core(event_log::Log& log, const base::Clock& clock, FileMailbox* mailbox,
         DispatcherOptions options, delivery::RetrySchedule schedule)
        : log_(log),
          clock_(clock),
          mailbox_(mailbox),
          options_(std::move(options)),
          schedule_(schedule) {}

    base::Status Open(const catalog::Catalog& catalog);

    void OnOutbox(std::vector<model::OutboxEvent> events);
    void Start(bool hold);
    void SetHold(bool Core::*reason, bool on);
    void WhenIdle(std::function<void()> done);
    bool Idle() const;
    void Stop();
    DispatcherCounts Counters() const;

    bool awaits_release_ = false;  // The two reasons to hold.
    bool clock_ahead_ = false;

  private:
    using Key = model::FactKey;
    using Lock = std::unique_lock<std::mutex>;
    enum class Stage : uint8_t { kQueued, kClaiming, kGranted, kSending, kSettling };
    struct Entry {
        Stage stage = Stage::kQueued;
        bool again = false;     // Claimed by a process that is gone.
        bool doubtful = false;  // Nothing new is claimed before its outcome is durable.
        uint64_t claim = 0;     // Which of our claims; tells a late answer from its own.
        model::OutboxEvent event;
        Outcome outcome;                         // kSettling.
        std::optional<model::OutboxEvent> next;  // News that came while kSettling.
    };
    using Entries = std::map<Key, Entry>;
    struct Claim {
        Key message;
        uint64_t claim = 0;
        int64_t at_nanos = 0;
        model::StreamId stream = 0;
    };

    bool held() const { return awaits_release_ || clock_ahead_ || !started_; }
    bool IsIdle() const;
    void Take(model::OutboxEvent event, std::vector<Key>& outcomes);
    void TakeWaiting(model::OutboxEvent event, std::vector<Key>& outcomes);
    void TakeGranted(model::OutboxEvent event);
    void Resolve(model::OutboxEvent event, std::vector<Key>& outcomes);
    Entry& Add(const Key& message);
    void Move(Entry& entry, Stage stage);
    void Erase(Entries::iterator entry);
    void EndLeases();

    void Pump(Lock& lock);
    void Claimed(const std::vector<Claim>& claims,
                 base::Result<std::vector<event_log::Position>> result);
    void Unanswered(const Key& message, uint64_t claim);

    void Work();
    void Tend(Lock& lock);
    void Send(Lock& lock, const Key& message);
    bool StaysHere(model::WorkspaceId workspace) const;
    void Hand(const model::OutboxEvent& event, MadeLetter made);
    void Finish(const Key& message, Outcome outcome);
    void AppendOutcomes(const std::vector<Key>& messages);
    void Settled(const std::vector<Key>& messages, const base::Status& status);
    void Count(Outcome::State state);
    void TellIdle(Lock& lock);

    event_log::Log& log_;
    const base::Clock& clock_;
    FileMailbox* const mailbox_;
    const catalog::Catalog* catalog_ = nullptr;
    const DispatcherOptions options_;
    const delivery::RetrySchedule schedule_;
    std::unique_ptr<LetterMaker> maker_;
    std::unique_ptr<DotFile> dots_;
    std::unique_ptr<smtp::Pool> pool_;
    std::vector<std::thread> workers_;

    // Held while options_.when_folded is called, which must not happen after Stop.
    std::mutex asking_mutex_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    Entries entries_;
    std::deque<Key> queue_;      // Of kQueued; an entry that left it meanwhile is passed over.
    std::deque<Key> granted_;    // Of kGranted.
    std::deque<Claim> claims_;   // In the order made, for the lease.
    std::vector<Key> unlogged_;  // kSettling, and the log did not take it.
    bool append_again_ = false;  // The log did not take something; not before the next look.
    size_t open_max_ = 1;
    size_t queued_ = 0, granted_count_ = 0, open_ = 0;
    size_t doubtful_ = 0;  // Entries that are.
    uint64_t next_claim_ = 1;
    bool started_ = false, stopping_ = false;
    std::vector<std::function<void()>> idle_;
    DispatcherCounts counts_;
};

}  // namespace server
