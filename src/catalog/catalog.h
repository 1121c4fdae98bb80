// The catalog: workspaces, keys, teammates and every version of every definition, folded from the
// control stream. docs/formats/control.md has the records.
//
// A change is validated, appended to the control stream and applied by reading it back, so that a
// restarted server, and every node of a cluster, comes to the same catalog, the same numbers and
// the same leaves. Numbers are given out in the order of the control stream and never reused.
//
// Threads: every function from any thread.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "catalog/journey.h"
#include "event_log/event_log.h"
#include "language/evaluate/program.h"
#include "model/event.h"

namespace catalog {

using model::WorkspaceId;

struct Workspace {
    WorkspaceId number = 0;
    std::string name;
    bool demo = false;
    base::SipKey secret{};          // Keys the hashes of ids and fingerprints.
    std::string identity_secret;    // For context.ripen.signature; 32 bytes.
    std::string token_secret;       // For links in letters; 32 bytes.
};

// What a key may do. A public key has kIngest alone.
enum class Scope : uint8_t { kIngest = 1, kRead = 2, kWrite = 4 };
inline constexpr uint8_t kAllScopes = 7;
std::string_view ScopeName(Scope scope);          // "ingest", "read", "write".
uint8_t ScopeBit(std::string_view name);          // 0: there is no such scope.

struct Key {
    uint32_t number = 0;
    WorkspaceId workspace = 0;
    bool secret = false;
    uint8_t scopes = kAllScopes;    // Bits of Scope.
    std::string name;
    std::string text;               // Of a public key made since its text is kept; else empty.
    base::TimeMs created_ms = 0;    // 0: not known (keys of early directories).

    bool Allows(Scope scope) const { return (scopes & static_cast<uint8_t>(scope)) != 0; }
};
using KeyPtr = std::shared_ptr<const Key>;

struct Teammate {
    uint32_t number = 0;
    std::string email;              // Normal form (model::NormalEmail).
    std::string name;
    std::string language;           // "en", "ja"; empty: what the browser says.
    std::string password_hash;      // Argon2id, encoded.
    uint32_t password_version = 1;  // Counts up with every change: sessions of an older one end.
    base::TimeMs created_ms = 0;
};
using TeammatePtr = std::shared_ptr<const Teammate>;

struct Segment {
    WorkspaceId workspace = 0;
    uint32_t number = 0;
    uint32_t version = 0;
    std::string name;
    std::string condition;          // Canonical text.
    condition::ExpressionPtr tree;
    evaluate::Program program;
    base::TimeMs created_ms = 0;
};
using SegmentPtr = std::shared_ptr<const Segment>;

struct JourneyHead {                // What the API lists.
    uint32_t number = 0;
    uint32_t version = 0;           // Newest saved.
    uint32_t published = 0;         // Version that runs; 0: none.
    std::string name;
    std::string body;               // Newest saved, as JSON.
    base::TimeMs changed_ms = 0;
};

struct Sender {                     // Setting "email" of a workspace.
    std::string from_name;
    std::string from_address;
    std::string postal_address;
};

// A definition version that partitions have to take up or drop.
struct Change {
    enum class Kind : uint8_t { kSegment, kJourney };
    Kind kind = Kind::kSegment;
    uint32_t number = 0;
    uint32_t version = 0;
    bool retired = false;
    WorkspaceId workspace = 0;
};

struct NewKeys {
    std::string write_key;
    std::string secret_key;
    WorkspaceId workspace = 0;
};

struct NewKey {
    KeyPtr key;
    std::string text;               // Shown here only, when the key is secret.
};

class Catalog {
  public:
    // Reads the whole control stream.
    static base::Result<std::unique_ptr<Catalog>> Open(event_log::Log& log, base::Clock& clock);

    // --- workspaces, keys and teammates: accounts.cc ---

    // Makes a workspace with its two keys. The secret key is shown here only. Its members: the
    // teammate `creator`; 0: everybody there is.
    base::Result<NewKeys> CreateWorkspace(const std::string& name, bool demo = false,
                                          uint32_t creator = 0);
    // Errors: kNotFound, kInvalidArgument.
    base::Status RenameWorkspace(WorkspaceId workspace, const std::string& name);
    // From here on nobody sees it: its keys and memberships end, its definitions are found by the
    // folds only. What it left behind elsewhere is server/eraser.h's work.
    // Errors: kNotFound; kConflict: it is the last one.
    base::Status DeleteWorkspace(WorkspaceId workspace);
    std::vector<std::shared_ptr<const Workspace>> Workspaces() const;   // Living ones.
    // nullptr when there is none, or it was deleted.
    std::shared_ptr<const Workspace> FindWorkspace(WorkspaceId number) const;
    // The same with deleted ones: for folds, whose rebuild meets records from before.
    std::shared_ptr<const Workspace> FindWorkspaceEver(WorkspaceId number) const;
    // Rising. Counts are cheap to ask: one atomic read.
    std::vector<WorkspaceId> DeletedWorkspaces() const;
    bool IsDeleted(WorkspaceId number) const;

    // nullptr for an unknown key. Takes the same time for near misses of secret keys.
    KeyPtr FindKey(std::string_view text) const;
    std::vector<KeyPtr> Keys(WorkspaceId workspace) const;   // By number.
    // Errors: kInvalidArgument (name, scopes), kTooLarge (limits::kKeysPerWorkspaceMax), kNotFound.
    base::Result<NewKey> CreateKey(WorkspaceId workspace, const std::string& name, bool secret,
                                   uint8_t scopes);
    // Errors: kNotFound.
    base::Status RevokeKey(WorkspaceId workspace, uint32_t number);

    // Adds a teammate with all rights and a random password, which is shown here only; the stream
    // keeps its Argon2id hash.
    base::Result<std::string> CreateOwner(WorkspaceId workspace, const std::string& email);
    // The first teammate: an owner, member of all workspaces. `password_hash`: passwords.h.
    // Errors: kConflict: there is a teammate already; kInvalidArgument.
    base::Result<TeammatePtr> CreateFirstTeammate(const Teammate& teammate);
    bool HasTeammates() const;
    TeammatePtr FindTeammate(uint32_t number) const;
    TeammatePtr FindTeammateByEmail(std::string_view email) const;
    // Errors: kNotFound, kInvalidArgument.
    base::Result<TeammatePtr> SetTeammateName(uint32_t number, const std::string& name,
                                              const std::string& language);
    base::Result<TeammatePtr> SetPassword(uint32_t number, const std::string& password_hash);
    // Living ones, rising.
    std::vector<std::shared_ptr<const Workspace>> WorkspacesOf(uint32_t teammate) const;
    bool IsMember(uint32_t teammate, WorkspaceId workspace) const;

    // --- definitions ---

    // Saves a new segment, or a new version of one. `expected_version` 0: do not check.
    // Errors: kInvalidArgument (condition, name), kConflict (name taken, other version),
    //         kNotFound.
    base::Result<SegmentPtr> CreateSegment(WorkspaceId workspace, const std::string& name,
                                           const std::string& condition);
    base::Result<SegmentPtr> UpdateSegment(WorkspaceId workspace, uint32_t number,
                                           const std::string& name, const std::string& condition,
                                           uint32_t expected_version);
    // Errors: kConflict when a segment or journey uses it; the text names them.
    base::Status DeleteSegment(WorkspaceId workspace, uint32_t number);
    SegmentPtr FindSegment(uint32_t number, uint32_t version) const;
    SegmentPtr CurrentSegment(WorkspaceId workspace, uint32_t number) const;
    std::vector<SegmentPtr> Segments(WorkspaceId workspace) const;

    base::Result<JourneyHead> SaveJourney(WorkspaceId workspace, uint32_t number,
                                          std::string_view body, uint32_t expected_version);
    base::Result<JourneyHead> PublishJourney(WorkspaceId workspace, uint32_t number);
    base::Status StopJourney(WorkspaceId workspace, uint32_t number);
    base::Result<JourneyHead> GetJourney(WorkspaceId workspace, uint32_t number) const;
    std::vector<JourneyHead> Journeys(WorkspaceId workspace) const;
    JourneyPtr FindJourney(uint32_t number, uint32_t version) const;

    base::Status SetSender(WorkspaceId workspace, const Sender& sender);
    Sender GetSender(WorkspaceId workspace) const;

    // Compiles a condition for a preview: leaves that exist are shared, others are its own.
    base::Result<evaluate::Program> CompileForPreview(WorkspaceId workspace,
                                                      const condition::Expression& tree) const;

    // Every version that has ever been made live, in the order of the control stream, with
    // retirements in their places. The publisher compares it with what partitions have taken up.
    std::vector<Change> Changes() const;

  private:
    Catalog(event_log::Log& log, base::Clock& clock) : log_(log), clock_(clock) {}
    struct SegmentHistory {
        WorkspaceId workspace = 0;
        std::map<uint32_t, SegmentPtr> versions;
        bool deleted = false;
    };
    struct JourneyHistory {
        WorkspaceId workspace = 0;
        JourneyHead head;
        std::map<uint32_t, JourneyPtr> compiled;  // Published versions.
        std::map<uint32_t, std::string> bodies;
        std::vector<uint32_t> live;               // Published since the last stop.
        bool deleted = false;
    };
    struct LeafUse {
        evaluate::LeafPtr leaf;
        uint32_t uses = 0;
    };

    base::Status CatchUp();
    // Errors: also kNotFound when the workspace is not there (any more).
    base::Status Commit(WorkspaceId workspace, std::string payload);
    base::Status CommitAll(WorkspaceId workspace, std::vector<std::string> payloads);
    base::Status Apply(const model::Record& record);
    base::Status ApplyAccount(const model::Record& record, std::string_view type,
                              const std::string& payload, bool& known);
    base::Result<TeammatePtr> ChangeTeammate(uint32_t number, std::string payload);
    std::string NewKeyRecord(const Key& key, std::string_view text) const;
    base::Status ApplySegment(WorkspaceId workspace, const std::string& payload);
    base::Status ApplyJourney(WorkspaceId workspace, const std::string& payload);
    base::Result<evaluate::LeafPtr> ShareLeaf(WorkspaceId workspace,
                                              const condition::Expression& part);
    void UseLeaves(const std::vector<evaluate::LeafPtr>& leaves);
    void DropLeaves(WorkspaceId workspace, const std::vector<evaluate::LeafPtr>& leaves);
    base::Result<uint32_t> SegmentByName(WorkspaceId workspace, const std::string& name) const;
    base::Status CheckSegment(WorkspaceId workspace, uint32_t number, const std::string& name,
                              const condition::Expression& tree) const;
    base::Status CheckCycles(WorkspaceId workspace, uint32_t number,
                             const condition::Expression& tree) const;
    evaluate::LeafSource TrialLeaves(WorkspaceId workspace) const;
    base::Result<SegmentPtr> PutSegment(WorkspaceId workspace, uint32_t number, uint32_t version,
                                        const std::string& name, const std::string& condition);

    event_log::Log& log_;
    base::Clock& clock_;
    std::mutex write_;              // One change at a time.
    mutable std::shared_mutex mutex_;
    model::Offset applied_ = 0;
    std::map<WorkspaceId, std::shared_ptr<const Workspace>> workspaces_;
    std::map<WorkspaceId, std::shared_ptr<const Workspace>> deleted_;
    std::atomic<size_t> deleted_count_{0};
    std::map<std::string, KeyPtr, std::less<>> keys_;  // By SHA-256 hex.
    std::map<uint32_t, TeammatePtr> teammates_;
    std::set<std::pair<uint32_t, WorkspaceId>> members_;
    std::map<uint32_t, SegmentHistory> segments_;
    std::map<uint32_t, JourneyHistory> journeys_;
    std::map<std::pair<WorkspaceId, std::string>, LeafUse> leaves_;
    std::map<WorkspaceId, Sender> senders_;
    std::vector<Change> changes_;
    uint32_t next_number_ = 1;
    uint32_t next_leaf_ = 1;
};

// "seg_12" <-> 12, "jrn_7" <-> 7. FromPublicId gives 0 when the text is none.
std::string SegmentId(uint32_t number);
std::string JourneyId(uint32_t number);
uint32_t SegmentNumber(std::string_view id);
uint32_t JourneyNumber(std::string_view id);

}  // namespace catalog
