#include "catalog/catalog.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/json.h"
#include "base/limits.h"
#include "catalog/names.h"
#include "language/condition/equal.h"
#include "language/condition/parse.h"
#include "language/condition/print.h"
#include "language/condition/references.h"

namespace catalog {
namespace {

constexpr size_t kReadBytes = 1 << 20;

uint32_t NumberOf(std::string_view id, std::string_view prefix) {
    if (!id.starts_with(prefix)) return 0;
    id.remove_prefix(prefix.size());
    uint32_t number = 0;
    const auto r = std::from_chars(id.data(), id.data() + id.size(), number);
    return r.ec == std::errc() && r.ptr == id.data() + id.size() ? number : 0;
}

}  // namespace

base::Status CheckName(const std::string& name) {
    if (name.empty()) return base::Invalid("the name is empty", "name");
    if (name.size() > limits::kNameBytesMax) return base::Invalid("the name is too long", "name");
    for (const char c : name) {
        if (static_cast<uint8_t>(c) < 0x20) {
            return base::Invalid("the name holds a control character", "name");
        }
    }
    return {};
}

std::string SegmentId(uint32_t number) { return "seg_" + std::to_string(number); }
std::string JourneyId(uint32_t number) { return "jrn_" + std::to_string(number); }
uint32_t SegmentNumber(std::string_view id) { return NumberOf(id, "seg_"); }
uint32_t JourneyNumber(std::string_view id) { return NumberOf(id, "jrn_"); }

base::Result<std::unique_ptr<Catalog>> Catalog::Open(event_log::Log& log, base::Clock& clock) {
    std::unique_ptr<Catalog> catalog(new Catalog(log, clock));
    TRY(catalog->CatchUp());
    return catalog;
}

base::Status Catalog::CatchUp() {
    while (true) {
        TRY_ASSIGN(const auto batch, log_.Read(log_.control(), applied_ + 1, kReadBytes));
        if (batch.records.empty()) return {};
        std::unique_lock lock(mutex_);
        for (const auto& record : batch.records) {
            TRY(Apply(record));
            applied_ = record.offset;
        }
    }
}

base::Status Catalog::Commit(WorkspaceId workspace, std::string payload) {
    if (!FindWorkspace(workspace)) {
        return base::Fail(base::ErrorCode::kNotFound, "no such workspace");
    }
    std::vector<std::string> payloads;
    payloads.push_back(std::move(payload));
    return CommitAll(workspace, std::move(payloads));
}

base::Status Catalog::CommitAll(WorkspaceId workspace, std::vector<std::string> payloads) {
    std::vector<model::NewRecord> records;
    for (auto& payload : payloads) {
        model::NewRecord& record = records.emplace_back();
        record.stream = log_.control();
        record.kind = model::RecordKind::kControl;
        record.workspace = workspace;
        record.payload = std::move(payload);
    }
    TRY(log_.AppendAndWait(std::move(records)));
    return CatchUp();
}

base::Status Catalog::Apply(const model::Record& record) {
    if (record.kind != model::RecordKind::kControl) return {};
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    const std::string payload(record.payload);
    if (parser.parse(simdjson::padded_string(payload)).get(root) != simdjson::SUCCESS) {
        return base::Fail(base::ErrorCode::kCorrupt,
                          "control record " + std::to_string(record.offset) + " is not JSON");
    }
    const auto text = [&](const char* key) {
        std::string_view v;
        return root[key].get(v) == simdjson::SUCCESS ? std::string(v) : std::string();
    };
    const std::string type = text("type");
    bool known = false;
    TRY(ApplyAccount(record, type, payload, known));
    if (known) return {};
    if (type == "segment" || type == "segment_deleted") {
        return ApplySegment(record.workspace, payload);
    } else if (type.starts_with("journey")) {
        return ApplyJourney(record.workspace, payload);
    } else if (type == "sender") {
        senders_[record.workspace] = {text("from_name"), text("from_address"),
                                      text("postal_address")};
    } else {
        return base::Fail(base::ErrorCode::kCorrupt,
                          "control record of unknown type \"" + type + "\"");
    }
    return {};
}

// --- leaves ----------------------------------------------------------------------------------

base::Result<evaluate::LeafPtr> Catalog::ShareLeaf(WorkspaceId workspace,
                                                   const condition::Expression& part) {
    auto& use = leaves_[{workspace, condition::LeafKey(part)}];
    if (!use.leaf) {
        TRY_ASSIGN(auto leaf, evaluate::Leaf::Create(next_leaf_, part));
        ++next_leaf_;
        use.leaf = std::make_shared<const evaluate::Leaf>(std::move(leaf));
    }
    return use.leaf;
}

void Catalog::UseLeaves(const std::vector<evaluate::LeafPtr>& leaves) {
    for (const auto& leaf : leaves) {
        for (auto& [key, use] : leaves_) {
            if (use.leaf == leaf) ++use.uses;
        }
    }
}

void Catalog::DropLeaves(WorkspaceId workspace, const std::vector<evaluate::LeafPtr>& leaves) {
    for (const auto& leaf : leaves) {
        for (auto it = leaves_.begin(); it != leaves_.end(); ++it) {
            if (it->first.first != workspace || it->second.leaf != leaf) continue;
            // A leaf that is asked again later gets a new number: its memory was let go.
            if (--it->second.uses == 0) leaves_.erase(it);
            break;
        }
    }
}

evaluate::LeafSource Catalog::TrialLeaves(WorkspaceId workspace) const {
    auto made = std::make_shared<uint32_t>(UINT32_MAX);
    auto own = std::make_shared<std::map<std::string, evaluate::LeafPtr>>();
    return [this, workspace, made,
            own](const condition::Expression& part) -> base::Result<evaluate::LeafPtr> {
        const std::string key = condition::LeafKey(part);
        const auto it = leaves_.find({workspace, key});
        if (it != leaves_.end()) return it->second.leaf;
        auto& slot = (*own)[key];
        if (!slot) {
            TRY_ASSIGN(auto leaf, evaluate::Leaf::Create((*made)--, part));
            slot = std::make_shared<const evaluate::Leaf>(std::move(leaf));
        }
        return slot;
    };
}

base::Result<evaluate::Program> Catalog::CompileForPreview(
    WorkspaceId workspace, const condition::Expression& tree) const {
    std::shared_lock lock(mutex_);
    return evaluate::Program::Compile(
        tree, TrialLeaves(workspace),
        [&](const std::string& name) { return SegmentByName(workspace, name); });
}

// --- segments --------------------------------------------------------------------------------

base::Result<uint32_t> Catalog::SegmentByName(WorkspaceId workspace,
                                              const std::string& name) const {
    const uint32_t by_id = SegmentNumber(name);
    for (const auto& [number, history] : segments_) {
        if (history.workspace != workspace || history.deleted || history.versions.empty()) continue;
        if (number == by_id || history.versions.rbegin()->second->name == name) return number;
    }
    return base::Invalid("there is no segment \"" + name + "\"");
}

base::Status Catalog::CheckCycles(WorkspaceId workspace, uint32_t number,
                                  const condition::Expression& tree) const {
    // Depth first from what the new condition names; meeting itself is a cycle.
    std::vector<std::string> path;
    std::set<uint32_t> seen;
    std::function<base::Status(const condition::Expression&)> walk =
        [&](const condition::Expression& e) -> base::Status {
        for (const auto& name : condition::FindReferences(e).segments) {
            TRY_ASSIGN(const uint32_t other, SegmentByName(workspace, name));
            path.push_back(name);
            if (other == number) {
                std::string text;
                for (const auto& step : path) text += " -> \"" + step + "\"";
                return base::Invalid("the condition would depend on itself:" + text, "condition");
            }
            if (seen.insert(other).second) {
                TRY(walk(*segments_.at(other).versions.rbegin()->second->tree));
            }
            path.pop_back();
        }
        return {};
    };
    return walk(tree);
}

base::Status Catalog::CheckSegment(WorkspaceId workspace, uint32_t number, const std::string& name,
                                   const condition::Expression& tree) const {
    TRY(CheckName(name));
    if (condition::FindReferences(tree).since_entry) {
        return base::Invalid("\"since entry\" has a meaning inside a journey only", "condition");
    }
    for (const auto& [other, history] : segments_) {
        if (other != number && history.workspace == workspace && !history.deleted &&
            history.versions.rbegin()->second->name == name) {
            return tl::make_unexpected(base::Error{base::ErrorCode::kConflict,
                                                   "segment name taken: " + name,
                                                   "A segment of this name exists.", "name"});
        }
    }
    TRY(CheckCycles(workspace, number, tree));
    auto trial = evaluate::Program::Compile(tree, TrialLeaves(workspace), [&](const auto& n) {
        return SegmentByName(workspace, n);
    });
    if (!trial) return tl::make_unexpected(std::move(trial.error()));
    return {};
}

namespace {

base::Result<condition::ExpressionPtr> ParseCondition(const std::string& text) {
    auto tree = condition::Parse(text);
    if (!tree) {
        auto error = std::move(tree.error());
        error.at = error.at.empty() ? "condition" : "condition:" + error.at;
        return tl::make_unexpected(std::move(error));
    }
    return tree;
}

}  // namespace

base::Result<SegmentPtr> Catalog::PutSegment(WorkspaceId workspace, uint32_t number,
                                             uint32_t version, const std::string& name,
                                             const std::string& condition) {
    TRY_ASSIGN(const auto tree, ParseCondition(condition));
    {
        std::shared_lock lock(mutex_);
        TRY(CheckSegment(workspace, number, name, *tree));
    }
    std::string payload;
    base::JsonWriter w(payload);
    w.Begin('{').Key("type").String("segment").Key("number").Int(number);
    w.Key("version").Int(version).Key("name").String(name);
    w.Key("condition").String(condition::ToText(*tree));
    w.Key("created_ms").Int(clock_.Now()).End('}');
    TRY(Commit(workspace, std::move(payload)));
    return FindSegment(number, version);
}

base::Result<SegmentPtr> Catalog::CreateSegment(WorkspaceId workspace, const std::string& name,
                                                const std::string& condition) {
    std::lock_guard write(write_);
    return PutSegment(workspace, next_number_, 1, name, condition);
}

base::Result<SegmentPtr> Catalog::UpdateSegment(WorkspaceId workspace, uint32_t number,
                                                const std::string& name,
                                                const std::string& condition,
                                                uint32_t expected_version) {
    std::lock_guard write(write_);
    const SegmentPtr current = CurrentSegment(workspace, number);
    if (!current) return base::Fail(base::ErrorCode::kNotFound, "no such segment");
    if (expected_version != 0 && expected_version != current->version) {
        return base::Fail(base::ErrorCode::kConflict, "segment version differs",
                          "Somebody saved another version meanwhile: it is now version " +
                              std::to_string(current->version) + ".");
    }
    return PutSegment(workspace, number, current->version + 1, name, condition);
}

base::Status Catalog::DeleteSegment(WorkspaceId workspace, uint32_t number) {
    std::lock_guard write(write_);
    const SegmentPtr current = CurrentSegment(workspace, number);
    if (!current) return base::Fail(base::ErrorCode::kNotFound, "no such segment");
    std::string users;
    {
        std::shared_lock lock(mutex_);
        for (const auto& [other, history] : segments_) {
            if (history.workspace != workspace || history.deleted || other == number) continue;
            const auto& used = history.versions.rbegin()->second->program.segments();
            if (std::find(used.begin(), used.end(), number) != used.end()) {
                users += " segment \"" + history.versions.rbegin()->second->name + "\"";
            }
        }
        for (const auto& [other, history] : journeys_) {
            if (history.workspace != workspace || history.head.published == 0) continue;
            const auto& journey = history.compiled.at(history.head.published);
            bool uses = journey->entry_segment == number;
            for (const auto* program : {journey->goal ? &*journey->goal : nullptr,
                                        journey->exit ? &*journey->exit : nullptr}) {
                if (program == nullptr) continue;
                const auto& used = program->segments();
                uses = uses || std::find(used.begin(), used.end(), number) != used.end();
            }
            for (const auto& step : journey->program) {
                if (!step.condition) continue;
                const auto& used = step.condition->segments();
                uses = uses || std::find(used.begin(), used.end(), number) != used.end();
            }
            if (uses) users += " journey \"" + history.head.name + "\"";
        }
    }
    if (!users.empty()) {
        return base::Fail(base::ErrorCode::kConflict, "segment in use:" + users,
                          "It is used by" + users + ".");
    }
    std::string payload;
    base::JsonWriter w(payload);
    w.Begin('{').Key("type").String("segment_deleted").Key("number").Int(number).End('}');
    return Commit(workspace, std::move(payload));
}

base::Status Catalog::ApplySegment(WorkspaceId workspace, const std::string& payload) {
    simdjson::dom::parser parser;
    simdjson::dom::element root = parser.parse(simdjson::padded_string(payload)).value_unsafe();
    int64_t number = 0, version = 0, created = 0;
    std::string_view type, name, text;
    if (root["type"].get(type) != simdjson::SUCCESS ||
        root["number"].get(number) != simdjson::SUCCESS) {
        return base::Fail(base::ErrorCode::kCorrupt, "segment record without number");
    }
    const auto id = static_cast<uint32_t>(number);
    auto& history = segments_[id];
    if (type == "segment_deleted") {
        if (history.versions.empty()) return base::Fail(base::ErrorCode::kCorrupt, "no segment");
        history.deleted = true;
        DropLeaves(workspace, history.versions.rbegin()->second->program.leaves());
        changes_.push_back({Change::Kind::kSegment, id, history.versions.rbegin()->first, true,
                            workspace});
        return {};
    }
    if (root["version"].get(version) != simdjson::SUCCESS ||
        root["name"].get(name) != simdjson::SUCCESS ||
        root["condition"].get(text) != simdjson::SUCCESS ||
        root["created_ms"].get(created) != simdjson::SUCCESS) {
        return base::Fail(base::ErrorCode::kCorrupt, "segment record lacks a field");
    }
    history.workspace = workspace;
    auto segment = std::make_shared<Segment>();
    segment->workspace = workspace;
    segment->number = id;
    segment->version = static_cast<uint32_t>(version);
    segment->name = name;
    segment->condition = text;
    segment->created_ms = created;
    TRY_ASSIGN(segment->tree, condition::Parse(segment->condition));
    TRY_ASSIGN(segment->program,
               evaluate::Program::Compile(
                   *segment->tree,
                   [&](const condition::Expression& part) { return ShareLeaf(workspace, part); },
                   [&](const std::string& n) { return SegmentByName(workspace, n); }));
    next_number_ = std::max(next_number_, id + 1);
    UseLeaves(segment->program.leaves());
    if (!history.versions.empty()) {
        DropLeaves(workspace, history.versions.rbegin()->second->program.leaves());
    }
    history.versions[segment->version] = segment;
    changes_.push_back({Change::Kind::kSegment, id, segment->version, false, workspace});
    return {};
}

SegmentPtr Catalog::FindSegment(uint32_t number, uint32_t version) const {
    std::shared_lock lock(mutex_);
    const auto it = segments_.find(number);
    if (it == segments_.end()) return nullptr;
    const auto v = it->second.versions.find(version);
    return v == it->second.versions.end() ? nullptr : v->second;
}

SegmentPtr Catalog::CurrentSegment(WorkspaceId workspace, uint32_t number) const {
    std::shared_lock lock(mutex_);
    const auto it = segments_.find(number);
    if (it == segments_.end() || it->second.workspace != workspace || it->second.deleted ||
        it->second.versions.empty()) {
        return nullptr;
    }
    return it->second.versions.rbegin()->second;
}

std::vector<SegmentPtr> Catalog::Segments(WorkspaceId workspace) const {
    std::shared_lock lock(mutex_);
    std::vector<SegmentPtr> all;
    for (const auto& [number, history] : segments_) {
        if (history.workspace == workspace && !history.deleted && !history.versions.empty()) {
            all.push_back(history.versions.rbegin()->second);
        }
    }
    return all;
}

// --- journeys --------------------------------------------------------------------------------

base::Result<JourneyHead> Catalog::SaveJourney(WorkspaceId workspace, uint32_t number,
                                               std::string_view body, uint32_t expected_version) {
    std::lock_guard write(write_);
    uint32_t version = 1;
    std::string name;
    {
        std::shared_lock lock(mutex_);
        TRY_ASSIGN(const auto trial,
                   CompileJourney(body, TrialLeaves(workspace), [&](const std::string& n) {
                       return SegmentByName(workspace, n);
                   }));
        name = trial->name;
        TRY(CheckName(name));
        if (number != 0) {
            const auto it = journeys_.find(number);
            if (it == journeys_.end() || it->second.workspace != workspace) {
                return base::Fail(base::ErrorCode::kNotFound, "no such journey");
            }
            if (expected_version != 0 && expected_version != it->second.head.version) {
                return base::Fail(base::ErrorCode::kConflict, "journey version differs",
                                  "Somebody saved another version meanwhile.");
            }
            version = it->second.head.version + 1;
        }
        for (const auto& [other, history] : journeys_) {
            if (other != number && history.workspace == workspace && history.head.name == name) {
                return tl::make_unexpected(base::Error{base::ErrorCode::kConflict,
                                                       "journey name taken: " + name,
                                                       "A journey of this name exists.", "name"});
            }
        }
    }
    if (number == 0) number = next_number_;
    std::string payload;
    base::JsonWriter w(payload);
    w.Begin('{').Key("type").String("journey").Key("number").Int(number);
    w.Key("version").Int(version).Key("name").String(name);
    w.Key("created_ms").Int(clock_.Now()).Key("body").String(body).End('}');
    TRY(Commit(workspace, std::move(payload)));
    return GetJourney(workspace, number);
}

base::Result<JourneyHead> Catalog::PublishJourney(WorkspaceId workspace, uint32_t number) {
    std::lock_guard write(write_);
    TRY_ASSIGN(JourneyHead head, GetJourney(workspace, number));
    if (head.published == head.version) return head;
    if (FindJourney(number, head.version)) {
        // It ran before and was stopped: it comes back as a version of its own.
        ++head.version;
        std::string again;
        base::JsonWriter w(again);
        w.Begin('{').Key("type").String("journey").Key("number").Int(number);
        w.Key("version").Int(head.version).Key("name").String(head.name);
        w.Key("created_ms").Int(clock_.Now()).Key("body").String(head.body).End('}');
        TRY(Commit(workspace, std::move(again)));
    }
    {
        std::shared_lock lock(mutex_);
        TRY(CompileJourney(head.body, TrialLeaves(workspace), [&](const std::string& n) {
            return SegmentByName(workspace, n);
        }));
    }
    std::string payload;
    base::JsonWriter w(payload);
    w.Begin('{').Key("type").String("journey_published").Key("number").Int(number);
    w.Key("version").Int(head.version).Key("created_ms").Int(clock_.Now()).End('}');
    TRY(Commit(workspace, std::move(payload)));
    return GetJourney(workspace, number);
}

base::Status Catalog::StopJourney(WorkspaceId workspace, uint32_t number) {
    std::lock_guard write(write_);
    TRY_ASSIGN(const JourneyHead head, GetJourney(workspace, number));
    if (head.published == 0) return {};
    std::string payload;
    base::JsonWriter w(payload);
    w.Begin('{').Key("type").String("journey_stopped").Key("number").Int(number);
    w.Key("created_ms").Int(clock_.Now()).End('}');
    return Commit(workspace, std::move(payload));
}

base::Status Catalog::ApplyJourney(WorkspaceId workspace, const std::string& payload) {
    simdjson::dom::parser parser;
    simdjson::dom::element root = parser.parse(simdjson::padded_string(payload)).value_unsafe();
    int64_t number = 0, version = 0, created = 0;
    std::string_view type, name, body;
    if (root["type"].get(type) != simdjson::SUCCESS ||
        root["number"].get(number) != simdjson::SUCCESS) {
        return base::Fail(base::ErrorCode::kCorrupt, "journey record without number");
    }
    if (root["version"].get(version) != simdjson::SUCCESS) version = 0;
    if (root["created_ms"].get(created) != simdjson::SUCCESS) created = 0;
    const auto id = static_cast<uint32_t>(number);
    const auto v = static_cast<uint32_t>(version);
    auto& history = journeys_[id];
    history.workspace = workspace;
    if (type == "journey") {
        if (root["name"].get(name) != simdjson::SUCCESS ||
            root["body"].get(body) != simdjson::SUCCESS) {
            return base::Fail(base::ErrorCode::kCorrupt, "journey record lacks a field");
        }
        next_number_ = std::max(next_number_, id + 1);
        history.head.number = id;
        history.head.version = v;
        history.head.name = name;
        history.head.body = body;
        history.head.changed_ms = created;
        history.bodies[v] = body;
        return {};
    }
    if (type == "journey_stopped") {
        changes_.push_back({Change::Kind::kJourney, id, history.head.published, true, workspace});
        history.head.published = 0;
        for (const uint32_t live : history.live) {
            DropLeaves(workspace, history.compiled.at(live)->leaves);
        }
        history.live.clear();
        return {};
    }
    const auto text = history.bodies.find(v);
    if (text == history.bodies.end()) return base::Fail(base::ErrorCode::kCorrupt, "no journey");
    TRY_ASSIGN(auto compiled,
               CompileJourney(
                   text->second,
                   [&](const condition::Expression& part) { return ShareLeaf(workspace, part); },
                   [&](const std::string& n) { return SegmentByName(workspace, n); }));
    auto journey = std::make_shared<Journey>(*compiled);
    journey->workspace = workspace;
    journey->number = id;
    journey->version = v;
    UseLeaves(journey->leaves);
    history.compiled[v] = std::move(journey);
    history.live.push_back(v);
    history.head.published = v;
    changes_.push_back({Change::Kind::kJourney, id, v, false, workspace});
    return {};
}

base::Result<JourneyHead> Catalog::GetJourney(WorkspaceId workspace, uint32_t number) const {
    std::shared_lock lock(mutex_);
    const auto it = journeys_.find(number);
    if (it == journeys_.end() || it->second.workspace != workspace) {
        return base::Fail(base::ErrorCode::kNotFound, "no such journey");
    }
    return it->second.head;
}

std::vector<JourneyHead> Catalog::Journeys(WorkspaceId workspace) const {
    std::shared_lock lock(mutex_);
    std::vector<JourneyHead> all;
    for (const auto& [number, history] : journeys_) {
        if (history.workspace == workspace) all.push_back(history.head);
    }
    return all;
}

JourneyPtr Catalog::FindJourney(uint32_t number, uint32_t version) const {
    std::shared_lock lock(mutex_);
    const auto it = journeys_.find(number);
    if (it == journeys_.end()) return nullptr;
    const auto v = it->second.compiled.find(version);
    return v == it->second.compiled.end() ? nullptr : v->second;
}

base::Status Catalog::SetSender(WorkspaceId workspace, const Sender& sender) {
    std::lock_guard write(write_);
    if (!model::LooksLikeEmail(sender.from_address)) {
        return base::Invalid("not an email address", "from_address");
    }
    for (const auto& text : {sender.from_name, sender.postal_address}) {
        if (text.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
            return base::Invalid("line breaks are not allowed here");
        }
    }
    std::string payload;
    base::JsonWriter w(payload);
    w.Begin('{').Key("type").String("sender").Key("from_name").String(sender.from_name);
    w.Key("from_address").String(sender.from_address);
    w.Key("postal_address").String(sender.postal_address).End('}');
    return Commit(workspace, std::move(payload));
}

Sender Catalog::GetSender(WorkspaceId workspace) const {
    std::shared_lock lock(mutex_);
    const auto it = senders_.find(workspace);
    return it == senders_.end() ? Sender{} : it->second;
}

std::vector<Change> Catalog::Changes() const {
    std::shared_lock lock(mutex_);
    return changes_;
}

}  // namespace catalog
