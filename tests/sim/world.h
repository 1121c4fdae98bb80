// The whole server without sockets and threads: a log, the catalog, the folds, ticks, relays,
// checkpoints, publications and a sender of letters, driven step by step under one clock.
// tests/flow runs scenarios on it in a fixed order; tests/sim lets a seed choose every step.
//
// What a process keeps in memory dies in Crash; the log, the checkpoints and the sender's DOT_SENT
// file (after kill -9) stay.
//
// Threads: one.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "engine/fold.h"
#include "event_log/event_log.h"
#include "event_log/memory_file_system.h"
#include "flow/identity/link_map.h"
#include "model/event.h"
#include "model/outbox.h"
#include "server/link_fold.h"
#include "server/person_fold.h"
#include "store/warehouse/row.h"

namespace sim {

using base::TimeMs;
using model::FactKey;
using model::PersonId;
using model::StreamId;

// What a client sends.
struct Call {
    model::EventType type = model::EventType::kTrack;
    std::string name;
    std::string message_id;
    std::string user, email, anonymous, previous;
    bool previous_is_user = false;
    std::string properties;              // JSON object, or empty.
    std::string traits;
    model::Trust trust = model::Trust::kPublicKey;
    bool robot = false;
    bool import = false;
    TimeMs time_ms = 0;                  // 0: now.
    std::string source_kind, source, medium, campaign;
    std::string country, city;
};

// How the mail server answers one letter.
enum class Answer { kTaken, kTemporary, kRefused, kLostBeforeDot, kLostAfterDot };

struct Delivery {                        // A letter the mail server has taken.
    FactKey message;
    PersonId person;                     // As the grant named her.
    uint32_t journey = 0;
    std::string step;
    std::string address;
    std::string values;
    TimeMs at_ms = 0;
};

struct Options {
    uint64_t seed = 1;
    int partitions = 3;
    TimeMs begin_ms = 1767600000000;     // 2026-01-05T08:00Z
    bool files = false;                  // The embedded log on a disk in memory.
};

class World {
  public:
    explicit World(Options options);
    ~World();

    // --- time ---
    TimeMs now() const { return clock_.Now(); }
    void MoveClock(TimeMs to) { clock_.MoveTo(to); }
    // Goes to each timer on the way and settles there.
    void LiveUntil(TimeMs to);

    // --- definitions: saved, then brought to every partition ---
    base::Result<catalog::SegmentPtr> SaveSegment(const std::string& name,
                                                  const std::string& condition);
    base::Status SaveJourney(const std::string& body);
    base::Status StopJourney(const std::string& name);
    base::Status DeleteSegment(const std::string& name);
    // Brings what is missing. `steps_max`: appends after which it is interrupted.
    void Publish(bool start_journeys = false, int steps_max = 1 << 30);
    catalog::SegmentPtr SegmentNamed(const std::string& name) const;
    catalog::JourneyPtr JourneyNamed(const std::string& name) const;

    // --- clients ---
    // Appends the event and the link it asks for; `acknowledged` when both are durable.
    void Send(const Call& call, std::function<void()> acknowledged = nullptr);
    void Receipt(const FactKey& message, const PersonId& person, model::ReceiptKind kind,
                 int link = 0, bool machine = false);
    PersonId IdOf(model::IdKind kind, const std::string& text) const;
    // Person of an id as the link map knows her now.
    PersonId RootOf(const PersonId& id) const { return map_->Root(id); }
    const model::Person* Find(const PersonId& id) const;   // Follows moves.
    const server::PersonFold& PartitionOf(const PersonId& id) const;

    // --- steps; each tells whether something happened ---
    bool FoldSome(StreamId stream, size_t records);
    bool CommitSome(size_t appends);
    bool SendRelays(StreamId stream);
    bool AskForTick(StreamId stream);
    bool ClaimOne(size_t which);
    bool DeliverOne(size_t which, Answer answer);
    bool CheckpointSome(StreamId stream, size_t entries);
    // All of it until nothing is left to do at this instant. `held`: the sender claims nothing.
    void Settle();
    void HoldMail(bool held) { mail_held_ = held; }
    void SetAnswer(std::function<Answer()> answer) { answer_ = std::move(answer); }
    size_t waiting() const { return waiting_.size(); }
    size_t granted() const { return granted_.size(); }
    size_t uncommitted() const { return pending_.size(); }

    // --- falling and rising ---
    // The process dies. Of what was not committed the first `survives` records are in the log
    // without an answer. Power: the sender's file is gone, too; with files the disk forgets.
    void Crash(size_t survives, bool power, uint64_t seed);
    // Opens the log, the newest checkpoints (0), those before (1) or none (2), and replays.
    void Start(int checkpoints_back);

    // --- what is checked ---
    event_log::Log& log() { return *log_; }
    const catalog::Catalog& catalog() const { return *catalog_; }
    int streams() const { return options_.partitions + 1; }
    int partitions() const { return options_.partitions; }
    const engine::Fold& fold(StreamId stream) const { return *streams_[stream].fold; }
    const server::PersonFold& people(int partition) const;
    std::string Dump(StreamId stream);
    // Dumps of fresh folds over the same log: stream after stream (0), or chosen by a seed.
    std::vector<std::string> Refold(uint64_t interleaving);
    const std::vector<Delivery>& deliveries() const { return deliveries_; }
    const std::map<warehouse::RowKey, std::string>& rows() const { return rows_; }
    // What went wrong that no caller could see: rows out of order or changed by a replay.
    const std::vector<std::string>& faults() const { return faults_; }
    uint64_t crashes() const { return crashes_; }

  private:
    struct Pending {
        std::vector<model::NewRecord> records;
        std::function<void()> done;
    };
    struct Checkpoint {
        std::map<std::string, std::string> entries;
        model::Offset offset = 0;
    };
    struct Stream {
        std::unique_ptr<engine::Fold> fold;
        std::pair<model::Offset, uint32_t> relayed{0, 0};
        bool tick_waits = false;
        bool writing = false;
        std::set<std::string> gone;   // Keys that the checkpoint being written takes away.
        Checkpoint next;
        model::Offset frozen = 0;
        // Survive a crash: newest last.
        std::vector<Checkpoint> kept;
        warehouse::RowKey highest_row{};
        bool any_row = false;
    };

    void OpenLog();
    void MakeFolds();
    std::unique_ptr<engine::Fold> MakeFold(StreamId stream, identity::LinkMap& map) const;
    void Append(std::vector<model::NewRecord> records, std::function<void()> done = nullptr);
    void AppendOne(StreamId stream, model::RecordKind kind, const PersonId& person,
                   std::string payload);
    std::vector<event_log::Position> AppendNow(std::vector<model::NewRecord> records);
    void TakeOutputs(StreamId stream);
    void Hear(const model::OutboxEvent& event);
    void Outcome(const model::OutboxEvent& grant, const std::string& fields);
    bool SettleOnce();
    server::PersonFold& People(int partition);

    Options options_;
    base::SimulatedClock clock_;
    event_log::MemoryFileSystem disk_;
    std::unique_ptr<event_log::Log> log_;
    std::unique_ptr<catalog::Catalog> catalog_;
    std::unique_ptr<identity::LinkMap> map_;
    base::SipKey secret_{};
    std::vector<Stream> streams_;
    std::deque<Pending> pending_;
    TimeMs last_alive_ms_ = 0;
    bool power_was_lost_ = false;
    uint64_t crashes_ = 0;

    // The sender.
    std::map<FactKey, model::OutboxEvent> waiting_;
    std::map<FactKey, model::OutboxEvent> granted_;
    std::set<FactKey> claiming_;         // A claim is on its way.
    std::set<FactKey> answered_;         // An outcome is on its way.
    std::set<FactKey> dots_;             // The DOT_SENT file.
    std::vector<Delivery> deliveries_;   // At the mail server: survives everything.
    std::function<Answer()> answer_;
    bool mail_held_ = false;

    std::map<warehouse::RowKey, std::string> rows_;
    std::vector<std::string> faults_;
};

}  // namespace sim
