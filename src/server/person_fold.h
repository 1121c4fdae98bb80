// The fold of a person partition: where the flow's stages meet. ARCHITECTURE.md has the diagram;
// docs/formats/records.md the payloads of every record kind, docs/formats/person.md the state.
//
// One record: timers due by its time, in order; then the record; then a slice of the open cursor.
// Within an event: attributes, conditions and segments in topological order, then journeys. Every
// fact gets the next ordinal of the record that led to it.
//
// Threads: owned by the engine's thread for the partition.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <deque>
#include <map>
#include <memory>
#include <queue>
#include <roaring/roaring.hh>
#include <set>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "engine/fold.h"
#include "flow/journeys/runner.h"
#include "flow/profile/profile.h"
#include "flow/segments/watch.h"
#include "model/event.h"
#include "model/names.h"
#include "model/person.h"
#include "server/live_notes.h"
#include "server/tally.h"
#include "store/warehouse/row.h"

namespace server {

enum class DefinitionState : uint8_t { kMarked = 1, kReady = 2 };

// A definition version that this partition has taken up.
struct TakenUp {
    catalog::Change::Kind kind = catalog::Change::Kind::kSegment;
    model::WorkspaceId workspace = 0;
    uint32_t number = 0;
    uint32_t version = 0;
    DefinitionState state = DefinitionState::kMarked;
    model::Offset marker = 0;      // Offset of the marker record.
    uint32_t loaded = 0;           // Parts of its history that were taken in.
};

struct FoldCounters {
    uint64_t events = 0;
    uint64_t duplicates = 0;       // Dropped by message id.
    uint64_t forwarded = 0;
    uint64_t unreadable = 0;       // Payloads that are no canonical event.
    uint64_t timers = 0;
    uint64_t facts = 0;
    uint64_t refused_claims = 0;
};

class PersonFold final : public engine::Fold {
  public:
    PersonFold(model::StreamId stream, int partitions, const catalog::Catalog& catalog);
    ~PersonFold() override;

    // engine::Fold
    void Prefetch(const model::Record& record) override;
    void Apply(const model::Record& record) override;
    base::TimeMs NextDue() const override;
    bool WantsTick() const override { return !cursors_.empty(); }
    model::Offset applied() const override { return offset_; }
    base::TimeMs now() const override { return now_; }
    const std::deque<engine::Relay>& relays() const override { return relays_; }
    void TakeRows(std::string& rows) override;
    void TakeOutbox(std::vector<model::OutboxEvent>& events) override;
    void ListOutbox(std::vector<model::OutboxEvent>& events) override;
    bool Dirty() const override { return offset_ != frozen_offset_; }
    void Freeze() override;
    bool WriteFrozen(engine::StateSink& sink, size_t entries_max) override;
    bool Load(std::string_view key, std::string_view value) override;
    base::Status Loaded() override;
    void Dump(std::string& out) override;

    // --- reading (the engine's thread only) ---
    const model::Person* Find(const model::PersonId& id) const;
    const model::Names& names() const { return names_; }
    size_t persons() const { return known_; }     // Not counting those who moved away.
    // Persons of a segment, as slots; nullptr: the segment is not shown here.
    const Roaring* Members(uint32_t segment) const;
    const model::Person& AtSlot(uint32_t slot) const { return *slots_[slot]; }
    uint32_t slots() const { return static_cast<uint32_t>(slots_.size()); }
    const std::vector<TakenUp>& definitions() const { return definitions_; }
    // True when the version is shown and its cursor has visited everybody.
    bool Shows(catalog::Change::Kind kind, uint32_t number, uint32_t version) const;
    const FoldCounters& counters() const { return counters_; }
    // Numbers of Home and of the live stream, and whom the stream watches.
    const Tally& tally() const { return tally_; }
    LiveNotes& live() { return live_; }
    const LiveNotes& live() const { return live_; }
    // Deleted workspaces; their persons go by and by, while Erasing.
    const std::set<model::WorkspaceId>& erased() const { return erased_; }
    bool Erasing() const;
    base::TimeMs claims_refused_until() const { return claims_refused_until_; }

  private:
    struct Cursor {
        enum class Kind : uint8_t { kReady = 1, kRetired = 2, kErased = 3 };
        Kind kind = Kind::kReady;
        TakenUp definition;
        uint32_t before_version = 0;
        bool start_journeys = false;
        bool begun = false;
        model::PersonId last;
    };
    struct Workspace {
        segments::Watch watch;
        journeys::Runner runner;
        base::SipKey secret{};
        bool known = false;
    };
    struct Due {
        base::TimeMs due_ms = 0;
        model::PersonId id;
        model::Person* person = nullptr;
        bool operator>(const Due& o) const {
            return std::tie(due_ms, id) > std::tie(o.due_ms, o.id);
        }
    };

    // record kinds
    void ApplyEvent(model::WorkspaceId workspace, const model::PersonId& id, uint64_t fingerprint,
                    uint64_t name_hash, std::string_view payload, model::RecordKind kind);
    void ApplyForwarded(const model::Record& record);
    void ApplyMovedOut(const model::Record& record);
    void ApplyMovedIn(const model::Record& record);
    void ApplyJoinClaim(const model::Record& record);
    void ApplyRelayed(const model::Record& record);
    void ApplyClaim(const model::Record& record, std::string_view payload);
    void ApplyOutcome(const model::Record& record, std::string_view payload);
    void ApplyReceipt(const model::Record& record, std::string_view payload);
    void ApplyMarker(const model::Record& record);
    void ApplyLoaded(const model::Record& record);
    // `came_after`: forwarded, because the person moved.
    void ApplyLoadedPersons(model::WorkspaceId workspace, std::string_view payload,
                            bool came_after);
    void ApplyLoadedPerson(model::WorkspaceId workspace, const model::PersonId& id,
                           std::string_view state, bool came_after);
    void ApplyReady(const model::Record& record);
    void ApplyRetired(const model::Record& record);
    void ApplyStarted(const model::Record& record);

    // deleted workspaces: person_fold_erase.cc
    void ApplyErased(const model::Record& record);
    bool IsErased(model::WorkspaceId workspace) const {
        return !erased_.empty() && erased_.contains(workspace);
    }
    void Erase(model::Person& person);
    void EndErasing(model::WorkspaceId workspace);

    // persons
    model::Person& Get(model::WorkspaceId workspace, const model::PersonId& id, bool& made);
    void Touch(model::Person& person);
    Workspace& In(model::WorkspaceId workspace);
    void Schedule(model::Person& person, base::TimeMs due);
    base::TimeMs NextDueOf(const model::Person& person);
    void RunTimers(base::TimeMs until);
    void RunPersonTimers(model::Person& person);
    void JudgeReceipts(model::Person& person);

    // what follows a change
    void AfterChange(model::Person& person, Workspace& in, bool start_journeys,
                     std::string_view cause);
    void FactRows(model::Person& person, std::string_view cause);
    void RowOf(const model::Person& person, std::string_view kind, std::string_view name,
               model::FactKey key, base::TimeMs time_ms,
               const std::vector<std::pair<std::string_view, std::string_view>>& properties);
    void EventRow(const model::Person& person, const model::EventView& event,
                  std::string_view payload);
    void Announce(const model::Person& person, const model::Message& message,
                  model::OutboxEvent::Kind kind);
    void Grant(model::Person& person, model::Message& message);
    std::string RefusalOf(model::Person& person, Workspace& in, const model::Message& message);
    void Skip(model::Person& person, model::Message& message, std::string reason);
    void MessageRow(const model::Person& person, const model::Message& message,
                    std::string_view name);
    // The spool takes rows by rising key only; facts are numbered before they are written down.
    void AppendRow(const warehouse::RowView& row);
    void SortRows();
    // An event of the server itself ("Email Sent"), by way of the log.
    void EmitEvent(const model::Person& person, std::string_view name, const model::Message& about,
                   std::string_view more_properties, bool machine);
    void Relay(model::StreamId target, model::RecordKind kind, model::WorkspaceId workspace,
               const model::PersonId& person, uint64_t fingerprint, uint64_t name_hash,
               const std::function<void(std::string& json)>& fields);
    void Forward(const model::Person& stub, model::RecordKind kind, uint64_t fingerprint,
                 uint64_t name_hash, std::string_view payload);
    bool Accept(const model::FactKey& from);

    // definitions
    void Rebuild();
    void StepCursor();
    void VisitOne(model::Person& person, const Cursor& cursor);
    segments::CursorView CursorNow() const;
    std::string EncodeMeta() const;
    bool DecodeMeta(std::string_view bytes);

    const model::StreamId stream_;
    const int partitions_;
    const catalog::Catalog& catalog_;

    // state
    model::Offset offset_ = 0;
    base::TimeMs now_ = 0;
    base::TimeMs claims_refused_until_ = 0;
    model::Names names_;
    std::vector<TakenUp> definitions_;
    std::deque<Cursor> cursors_;
    std::set<model::WorkspaceId> erased_;
    std::deque<engine::Relay> relays_;
    std::map<model::StreamId, std::pair<model::Offset, uint32_t>> heard_;  // Of each other stream.
    boost::unordered_flat_map<model::PersonId, model::Person*, model::PersonIdHash> persons_;
    FoldCounters counters_;
    Tally tally_;

    // derived, not stored
    std::deque<model::Person> store_;
    std::vector<model::Person*> slots_;
    size_t known_ = 0;
    std::map<model::WorkspaceId, Workspace> workspaces_;
    std::map<uint32_t, Roaring> members_;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> timers_;
    std::vector<model::PersonId> cursor_order_;
    size_t cursor_at_ = 0;
    bool cursor_listed_ = false;      // cursor_order_ is of the open cursor.
    std::set<model::PersonId> cursor_made_;   // Made while the cursor is open.

    // of the record at hand
    model::FactNumbers numbers_;
    base::TimeMs log_time_ = 0;
    std::vector<segments::Move> moves_;
    std::vector<journeys::Fact> facts_;
    profile::Changed changed_;
    model::EventReader reader_;
    std::array<const model::Person*, 12> ahead_{};   // Looked up for records to come.
    size_t ahead_at_ = 0;

    // outputs
    std::string rows_;
    size_t rows_from_ = 0;           // Where the rows of the record at hand begin.
    uint32_t last_ordinal_ = 0;
    bool rows_unsorted_ = false;
    std::vector<model::OutboxEvent> outbox_;
    LiveNotes live_;

    // checkpoint
    std::vector<model::Person*> dirty_;
    std::vector<model::Person*> frozen_;
    std::vector<std::string> gone_;          // Keys of the erased since the last Freeze.
    std::vector<std::string> frozen_gone_;
    size_t frozen_at_ = 0;
    std::vector<std::pair<std::string, std::string>> frozen_copies_;
    std::string frozen_meta_;
    std::string frozen_tally_;
    model::Offset frozen_offset_ = 0;
};

}  // namespace server
