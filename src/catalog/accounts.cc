// Workspaces, keys and teammates of the catalog.

#include <simdjson.h>

#include <algorithm>

#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "catalog/catalog.h"
#include "catalog/names.h"
#include "catalog/passwords.h"
#include "model/event.h"

namespace catalog {
namespace {

constexpr std::pair<Scope, std::string_view> kScopes[] = {
    {Scope::kIngest, "ingest"}, {Scope::kRead, "read"}, {Scope::kWrite, "write"}};

std::string RandomText(size_t bytes) {
    std::string raw(bytes, '\0');
    base::RandomBytes(raw.data(), raw.size());
    return raw;
}

std::string NewKeyText(bool secret) {
    return (secret ? "sk_" : "pk_") + base::ToHex(RandomText(20));
}

std::string KeyHash(std::string_view text) { return base::ToHex(base::Sha256(text)); }

base::Status CheckLanguage(const std::string& language) {
    if (language.empty() || language == "en" || language == "ja") return {};
    return base::Invalid("The languages are en and ja.", "language");
}

base::Status CheckEmail(const std::string& email) {
    if (model::LooksLikeEmail(email)) return {};
    return base::Invalid("This is not an email address.", "email");
}

// The fields of one record; what is missing is empty.
class Fields {
  public:
    explicit Fields(const std::string& payload) {
        root_ = parser_.parse(simdjson::padded_string(payload)).value_unsafe();
    }
    std::string Text(const char* key) const {
        std::string_view v;
        return root_[key].get(v) == simdjson::SUCCESS ? std::string(v) : std::string();
    }
    int64_t Number(const char* key) const {
        int64_t v = 0;
        return root_[key].get(v) == simdjson::SUCCESS ? v : 0;
    }
    uint32_t Count(const char* key) const { return static_cast<uint32_t>(Number(key)); }
    bool Has(const char* key) const { return root_[key].error() == simdjson::SUCCESS; }
    bool True(const char* key) const {
        bool v = false;
        return root_[key].get(v) == simdjson::SUCCESS && v;
    }
    template <typename Visit>
    void Each(const char* key, Visit&& visit) const {
        simdjson::dom::array list;
        if (root_[key].get(list) != simdjson::SUCCESS) return;
        for (const simdjson::dom::element e : list) visit(e);
    }

  private:
    simdjson::dom::parser parser_;
    simdjson::dom::element root_;
};

}  // namespace

std::string_view ScopeName(Scope scope) {
    for (const auto& [bit, name] : kScopes) {
        if (bit == scope) return name;
    }
    return {};
}

uint8_t ScopeBit(std::string_view name) {
    for (const auto& [bit, text] : kScopes) {
        if (text == name) return static_cast<uint8_t>(bit);
    }
    return 0;
}

// --- applying ----------------------------------------------------------------------------------

base::Status Catalog::ApplyAccount(const model::Record& record, std::string_view type,
                                   const std::string& payload, bool& known) {
    known = true;
    const Fields fields(payload);
    if (type == "workspace") {
        auto w = std::make_shared<Workspace>();
        w->number = fields.Count("number");
        w->name = fields.Text("name");
        w->demo = fields.True("demo");
        std::string secret;
        if (!base::FromHex(fields.Text("secret"), secret) || secret.size() != w->secret.size()) {
            return base::Fail(base::ErrorCode::kCorrupt, "workspace without a secret");
        }
        std::copy(secret.begin(), secret.end(), w->secret.begin());
        base::FromHex(fields.Text("identity_secret"), w->identity_secret);
        base::FromHex(fields.Text("token_secret"), w->token_secret);
        fields.Each("members", [&](const simdjson::dom::element& e) {
            int64_t teammate = 0;
            if (e.get(teammate) != simdjson::SUCCESS) return;
            members_.emplace(static_cast<uint32_t>(teammate), w->number);
        });
        workspaces_[w->number] = std::move(w);
    } else if (type == "workspace_renamed") {
        const auto it = workspaces_.find(record.workspace);
        if (it == workspaces_.end()) return {};
        auto w = std::make_shared<Workspace>(*it->second);
        w->name = fields.Text("name");
        it->second = std::move(w);
    } else if (type == "workspace_deleted") {
        const auto it = workspaces_.find(record.workspace);
        if (it == workspaces_.end()) return {};
        deleted_[it->first] = it->second;
        workspaces_.erase(it);
        std::erase_if(keys_, [&](const auto& k) {
            return k.second->workspace == record.workspace;
        });
        std::erase_if(members_, [&](const auto& m) { return m.second == record.workspace; });
        senders_.erase(record.workspace);
        deleted_count_.store(deleted_.size(), std::memory_order_release);
    } else if (type == "key") {
        auto key = std::make_shared<Key>();
        key->number = fields.Count("number");
        key->workspace = record.workspace;
        key->secret = fields.Text("kind") == "secret";
        key->name = fields.Text("name");
        key->text = fields.Text("text");
        key->created_ms = fields.Number("created_ms");
        key->scopes = key->secret ? kAllScopes : static_cast<uint8_t>(Scope::kIngest);
        if (key->secret && fields.Has("scopes")) {
            key->scopes = 0;
            fields.Each("scopes", [&](const simdjson::dom::element& e) {
                std::string_view name;
                if (e.get(name) == simdjson::SUCCESS) key->scopes |= ScopeBit(name);
            });
        }
        next_number_ = std::max(next_number_, key->number + 1);
        if (workspaces_.contains(record.workspace)) keys_[fields.Text("hash")] = std::move(key);
    } else if (type == "key_revoked") {
        const uint32_t number = fields.Count("number");
        std::erase_if(keys_, [&](const auto& k) { return k.second->number == number; });
    } else if (type == "teammate") {
        auto t = std::make_shared<Teammate>();
        // Early records have no number: they stand in the order of the stream.
        t->number = fields.Has("number") ? fields.Count("number")
                    : teammates_.empty() ? 1
                                         : teammates_.rbegin()->first + 1;
        t->email = fields.Text("email");
        t->name = fields.Text("name");
        t->language = fields.Text("language");
        t->password_hash = fields.Text("password_hash");
        t->created_ms = fields.Number("created_ms");
        if (!fields.Has("workspaces")) members_.emplace(t->number, record.workspace);
        fields.Each("workspaces", [&](const simdjson::dom::element& e) {
            int64_t workspace = 0;
            if (e.get(workspace) != simdjson::SUCCESS) return;
            members_.emplace(t->number, static_cast<WorkspaceId>(workspace));
        });
        teammates_[t->number] = std::move(t);
    } else if (type == "teammate_changed") {
        const auto it = teammates_.find(fields.Count("number"));
        if (it == teammates_.end()) return {};
        auto t = std::make_shared<Teammate>(*it->second);
        if (fields.Has("name")) t->name = fields.Text("name");
        if (fields.Has("language")) t->language = fields.Text("language");
        if (fields.Has("password_hash")) {
            t->password_hash = fields.Text("password_hash");
            ++t->password_version;
        }
        it->second = std::move(t);
    } else {
        known = false;
    }
    return {};
}

// --- workspaces --------------------------------------------------------------------------------

std::string Catalog::NewKeyRecord(const Key& key, std::string_view text) const {
    std::string record;
    base::JsonWriter w(record);
    w.Begin('{').Key("type").String("key").Key("number").Int(key.number);
    w.Key("kind").String(key.secret ? "secret" : "public").Key("name").String(key.name);
    w.Key("scopes").Begin('[');
    for (const auto& [bit, name] : kScopes) {
        if (key.Allows(bit)) w.String(name);
    }
    w.End(']').Key("hash").String(KeyHash(text));
    // A public key stands in the source of every page: it may be shown again.
    if (!key.secret) w.Key("text").String(text);
    w.Key("created_ms").Int(key.created_ms).End('}');
    return record;
}

base::Result<NewKeys> Catalog::CreateWorkspace(const std::string& name, bool demo,
                                               uint32_t creator) {
    TRY(CheckName(name));
    std::lock_guard write(write_);
    NewKeys keys{NewKeyText(false), NewKeyText(true), 0};
    std::vector<std::string> payloads;
    {
        std::shared_lock lock(mutex_);
        if (workspaces_.size() >= limits::kWorkspacesMax) {
            return base::Fail(base::ErrorCode::kTooLarge, "too many workspaces",
                              "There are too many workspaces.");
        }
        WorkspaceId last = workspaces_.empty() ? 0 : workspaces_.rbegin()->first;
        if (!deleted_.empty()) last = std::max(last, deleted_.rbegin()->first);
        keys.workspace = last + 1;
        base::JsonWriter w(payloads.emplace_back());
        w.Begin('{').Key("type").String("workspace").Key("number").Int(keys.workspace);
        w.Key("name").String(name).Key("secret").String(base::ToHex(RandomText(16)));
        w.Key("identity_secret").String(base::ToHex(RandomText(32)));
        w.Key("token_secret").String(base::ToHex(RandomText(32)));
        if (demo) w.Key("demo").Bool(true);
        w.Key("members").Begin('[');
        for (const auto& [number, teammate] : teammates_) {
            if (creator == 0 || creator == number) w.Int(number);
        }
        w.End(']').Key("created_ms").Int(clock_.Now()).End('}');
        Key key;
        key.created_ms = clock_.Now();
        key.number = next_number_;
        key.name = "Website";
        key.scopes = static_cast<uint8_t>(Scope::kIngest);
        payloads.push_back(NewKeyRecord(key, keys.write_key));
        ++key.number;
        key.secret = true;
        key.name = "Server";
        key.scopes = kAllScopes;
        payloads.push_back(NewKeyRecord(key, keys.secret_key));
    }
    TRY(CommitAll(keys.workspace, std::move(payloads)));
    return keys;
}

base::Status Catalog::RenameWorkspace(WorkspaceId workspace, const std::string& name) {
    TRY(CheckName(name));
    std::lock_guard write(write_);
    std::string payload;
    base::JsonWriter w(payload);
    w.Begin('{').Key("type").String("workspace_renamed").Key("name").String(name).End('}');
    return Commit(workspace, std::move(payload));
}

base::Status Catalog::DeleteWorkspace(WorkspaceId workspace) {
    std::lock_guard write(write_);
    {
        std::shared_lock lock(mutex_);
        if (workspaces_.contains(workspace) && workspaces_.size() == 1) {
            return base::Fail(base::ErrorCode::kConflict, "the last workspace",
                              "The last workspace stays. Make another one first.");
        }
    }
    std::string payload;
    base::JsonWriter w(payload);
    w.Begin('{').Key("type").String("workspace_deleted");
    w.Key("created_ms").Int(clock_.Now()).End('}');
    return Commit(workspace, std::move(payload));
}

std::vector<std::shared_ptr<const Workspace>> Catalog::Workspaces() const {
    std::shared_lock lock(mutex_);
    std::vector<std::shared_ptr<const Workspace>> all;
    for (const auto& [number, workspace] : workspaces_) all.push_back(workspace);
    return all;
}

std::shared_ptr<const Workspace> Catalog::FindWorkspace(WorkspaceId number) const {
    std::shared_lock lock(mutex_);
    const auto it = workspaces_.find(number);
    return it == workspaces_.end() ? nullptr : it->second;
}

std::shared_ptr<const Workspace> Catalog::FindWorkspaceEver(WorkspaceId number) const {
    std::shared_lock lock(mutex_);
    if (const auto it = workspaces_.find(number); it != workspaces_.end()) return it->second;
    const auto it = deleted_.find(number);
    return it == deleted_.end() ? nullptr : it->second;
}

std::vector<WorkspaceId> Catalog::DeletedWorkspaces() const {
    std::shared_lock lock(mutex_);
    std::vector<WorkspaceId> all;
    for (const auto& [number, workspace] : deleted_) all.push_back(number);
    return all;
}

bool Catalog::IsDeleted(WorkspaceId number) const {
    if (deleted_count_.load(std::memory_order_acquire) == 0) return false;
    std::shared_lock lock(mutex_);
    return deleted_.contains(number);
}

// --- keys --------------------------------------------------------------------------------------

KeyPtr Catalog::FindKey(std::string_view text) const {
    // Looked up by hash: the time tells nothing of how near a guess came.
    const std::string hash = KeyHash(text);
    std::shared_lock lock(mutex_);
    const auto it = keys_.find(hash);
    return it == keys_.end() ? nullptr : it->second;
}

std::vector<KeyPtr> Catalog::Keys(WorkspaceId workspace) const {
    std::vector<KeyPtr> all;
    {
        std::shared_lock lock(mutex_);
        for (const auto& [hash, key] : keys_) {
            if (key->workspace == workspace) all.push_back(key);
        }
    }
    std::sort(all.begin(), all.end(),
              [](const KeyPtr& a, const KeyPtr& b) { return a->number < b->number; });
    return all;
}

base::Result<NewKey> Catalog::CreateKey(WorkspaceId workspace, const std::string& name,
                                        bool secret, uint8_t scopes) {
    TRY(CheckName(name));
    const auto ingest = static_cast<uint8_t>(Scope::kIngest);
    if (scopes == 0 || (scopes & ~kAllScopes) != 0 || (!secret && scopes != ingest)) {
        return base::Invalid(secret ? "A key needs at least one scope."
                                    : "A write key has the scope ingest alone.",
                             "scopes");
    }
    std::lock_guard write(write_);
    if (Keys(workspace).size() >= limits::kKeysPerWorkspaceMax) {
        return base::Fail(base::ErrorCode::kTooLarge, "too many keys",
                          "There are too many keys. Revoke one first.");
    }
    Key key;
    key.secret = secret;
    key.scopes = scopes;
    key.name = name;
    key.created_ms = clock_.Now();
    key.number = next_number_;
    const std::string text = NewKeyText(secret);
    TRY(Commit(workspace, NewKeyRecord(key, text)));
    NewKey made{FindKey(text), text};
    if (!made.key) return base::Fail(base::ErrorCode::kNotFound, "no such workspace");
    return made;
}

base::Status Catalog::RevokeKey(WorkspaceId workspace, uint32_t number) {
    std::lock_guard write(write_);
    const auto keys = Keys(workspace);
    if (std::none_of(keys.begin(), keys.end(),
                     [&](const KeyPtr& key) { return key->number == number; })) {
        return base::Fail(base::ErrorCode::kNotFound, "no such key");
    }
    std::string payload;
    base::JsonWriter w(payload);
    w.Begin('{').Key("type").String("key_revoked").Key("number").Int(number).End('}');
    return Commit(workspace, std::move(payload));
}

// --- teammates ---------------------------------------------------------------------------------

namespace {

std::string TeammateRecord(const Teammate& t, const std::vector<WorkspaceId>& workspaces) {
    std::string payload;
    base::JsonWriter w(payload);
    w.Begin('{').Key("type").String("teammate").Key("number").Int(t.number);
    w.Key("email").String(t.email).Key("name").String(t.name);
    w.Key("language").String(t.language).Key("role").String("owner");
    w.Key("password_hash").String(t.password_hash).Key("workspaces").Begin('[');
    for (const WorkspaceId workspace : workspaces) w.Int(workspace);
    w.End(']').Key("created_ms").Int(t.created_ms).End('}');
    return payload;
}

}  // namespace

base::Result<std::string> Catalog::CreateOwner(WorkspaceId workspace, const std::string& email) {
    TRY(CheckEmail(email));
    const std::string password = NewPassword();
    Teammate t;
    TRY_ASSIGN(t.password_hash, HashPassword(password));
    std::lock_guard write(write_);
    if (FindTeammateByEmail(email)) {
        return base::Fail(base::ErrorCode::kConflict, "teammate exists",
                          "There is a teammate of this address already.");
    }
    {
        std::shared_lock lock(mutex_);
        t.number = teammates_.empty() ? 1 : teammates_.rbegin()->first + 1;
    }
    t.email = model::NormalEmail(email);
    t.created_ms = clock_.Now();
    TRY(Commit(workspace, TeammateRecord(t, {workspace})));
    return password;
}

base::Result<TeammatePtr> Catalog::CreateFirstTeammate(const Teammate& teammate) {
    TRY(CheckEmail(teammate.email));
    TRY(CheckName(teammate.name));
    TRY(CheckLanguage(teammate.language));
    std::lock_guard write(write_);
    Teammate t = teammate;
    std::vector<WorkspaceId> workspaces;
    {
        std::shared_lock lock(mutex_);
        if (!teammates_.empty()) {
            return base::Fail(base::ErrorCode::kConflict, "there is a teammate",
                              "This server has its first teammate already. Sign in.");
        }
        for (const auto& [number, workspace] : workspaces_) workspaces.push_back(number);
    }
    t.number = 1;
    t.email = model::NormalEmail(t.email);
    t.created_ms = clock_.Now();
    TRY(CommitAll(0, {TeammateRecord(t, workspaces)}));
    return FindTeammate(t.number);
}

bool Catalog::HasTeammates() const {
    std::shared_lock lock(mutex_);
    return !teammates_.empty();
}

TeammatePtr Catalog::FindTeammate(uint32_t number) const {
    std::shared_lock lock(mutex_);
    const auto it = teammates_.find(number);
    return it == teammates_.end() ? nullptr : it->second;
}

TeammatePtr Catalog::FindTeammateByEmail(std::string_view email) const {
    const std::string normal = model::NormalEmail(email);
    std::shared_lock lock(mutex_);
    for (const auto& [number, teammate] : teammates_) {
        if (teammate->email == normal) return teammate;
    }
    return nullptr;
}

base::Result<TeammatePtr> Catalog::ChangeTeammate(uint32_t number, std::string payload) {
    std::lock_guard write(write_);
    if (!FindTeammate(number)) {
        return base::Fail(base::ErrorCode::kNotFound, "no such teammate");
    }
    std::vector<std::string> payloads;
    payloads.push_back(std::move(payload));
    TRY(CommitAll(0, std::move(payloads)));
    return FindTeammate(number);
}

base::Result<TeammatePtr> Catalog::SetTeammateName(uint32_t number, const std::string& name,
                                                   const std::string& language) {
    TRY(CheckName(name));
    TRY(CheckLanguage(language));
    std::string payload;
    base::JsonWriter w(payload);
    w.Begin('{').Key("type").String("teammate_changed").Key("number").Int(number);
    w.Key("name").String(name).Key("language").String(language).End('}');
    return ChangeTeammate(number, std::move(payload));
}

base::Result<TeammatePtr> Catalog::SetPassword(uint32_t number, const std::string& password_hash) {
    std::string payload;
    base::JsonWriter w(payload);
    w.Begin('{').Key("type").String("teammate_changed").Key("number").Int(number);
    w.Key("password_hash").String(password_hash).End('}');
    return ChangeTeammate(number, std::move(payload));
}

std::vector<std::shared_ptr<const Workspace>> Catalog::WorkspacesOf(uint32_t teammate) const {
    std::shared_lock lock(mutex_);
    std::vector<std::shared_ptr<const Workspace>> all;
    for (const auto& [number, workspace] : workspaces_) {
        if (members_.contains({teammate, number})) all.push_back(workspace);
    }
    return all;
}

bool Catalog::IsMember(uint32_t teammate, WorkspaceId workspace) const {
    std::shared_lock lock(mutex_);
    return workspaces_.contains(workspace) && members_.contains({teammate, workspace});
}

}  // namespace catalog
