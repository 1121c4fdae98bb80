#include "tests/sim/world.h"

#include <algorithm>

#include "base/check.h"
#include "base/hash.h"
#include "base/json.h"
#include "event_log/embedded/embedded_log.h"
#include "event_log/memory/memory_log.h"
#include "model/record.h"
#include "server/payload.h"

namespace sim {
namespace {

using model::NewRecord;
using model::RecordKind;

constexpr model::WorkspaceId kWorkspace = 1;
constexpr size_t kReadBytes = 64 * 1024;
constexpr int kSettleRoundsMax = 100'000;

class MapSink final : public engine::StateSink {
  public:
    MapSink(std::map<std::string, std::string>& into, std::set<std::string>& gone)
        : into_(into), gone_(gone) {}
    void Put(std::string_view key, std::string_view value) override {
        into_[std::string(key)] = value;
        gone_.erase(std::string(key));
    }
    void Remove(std::string_view key) override {
        into_.erase(std::string(key));
        gone_.emplace(key);
    }

  private:
    std::map<std::string, std::string>& into_;
    std::set<std::string>& gone_;
};

std::string KeyJson(const FactKey& key) {
    return '[' + std::to_string(key.stream) + ',' + std::to_string(key.offset) + ',' +
           std::to_string(key.ordinal) + ']';
}

std::string Hex(uint64_t seed, int bytes) {
    std::string raw;
    for (int i = 0; i < bytes; ++i) {
        raw.push_back(static_cast<char>(base::Mix64(seed * 131 + static_cast<uint64_t>(i)) & 255));
    }
    return base::ToHex(raw);
}

}  // namespace

World::World(Options options) : options_(options), clock_(options.begin_ms) {
    OpenLog();
    // A workspace whose secrets follow from the seed: ids fall into the same partitions each time.
    NewRecord workspace;
    workspace.stream = log_->control();
    workspace.kind = RecordKind::kControl;
    workspace.workspace = kWorkspace;
    workspace.payload = "{\"type\":\"workspace\",\"number\":1,\"name\":\"w\",\"secret\":\"" +
                        Hex(options_.seed, 16) + "\",\"identity_secret\":\"" +
                        Hex(options_.seed + 1, 32) + "\",\"token_secret\":\"" +
                        Hex(options_.seed + 2, 32) + "\"}";
    AppendNow({std::move(workspace)});
    MakeFolds();
    secret_ = catalog_->FindWorkspace(kWorkspace)->secret;
    last_alive_ms_ = now();
}

World::~World() = default;

void World::OpenLog() {
    if (!options_.files) {
        if (!log_) {
            log_ = std::make_unique<event_log::MemoryLog>(options_.partitions, &clock_,
                                                          event_log::MemoryLog::Commit::kManual);
        }
        return;
    }
    log_.reset();
    event_log::EmbeddedLog::Options files;
    files.directory = "/log";
    files.partitions = options_.partitions;
    files.clock = &clock_;
    files.files = &disk_;
    files.segment_bytes = 256 * 1024;
    files.reserve_bytes = 256 * 1024;
    files.tail_bytes_max = 64 * 1024;
    auto log = event_log::EmbeddedLog::Open(files);
    CHECK(log.has_value());
    log_ = std::move(*log);
}

std::unique_ptr<engine::Fold> World::MakeFold(StreamId stream, identity::LinkMap& map) const {
    if (stream == log_->links()) {
        return std::make_unique<server::LinkFold>(stream, options_.partitions, map);
    }
    return std::make_unique<server::PersonFold>(stream, options_.partitions, *catalog_);
}

void World::MakeFolds() {
    auto catalog = catalog::Catalog::Open(*log_, clock_);
    CHECK(catalog.has_value());
    for (auto& stream : streams_) stream.fold.reset();
    catalog_ = std::move(*catalog);
    map_ = std::make_unique<identity::LinkMap>();
    streams_.resize(static_cast<size_t>(streams()));
    for (StreamId s = 0; s < streams_.size(); ++s) {
        Stream& stream = streams_[s];
        stream.fold = MakeFold(s, *map_);
        stream.relayed = {0, 0};
        stream.tick_waits = stream.writing = stream.any_row = false;
        stream.highest_row = {};
        stream.next = {};
    }
}

server::PersonFold& World::People(int partition) {
    return static_cast<server::PersonFold&>(*streams_[static_cast<size_t>(partition)].fold);
}

const server::PersonFold& World::people(int partition) const {
    return static_cast<const server::PersonFold&>(*streams_[static_cast<size_t>(partition)].fold);
}

// --- the log -----------------------------------------------------------------------------------

void World::Append(std::vector<NewRecord> records, std::function<void()> done) {
    pending_.push_back({std::move(records), std::move(done)});
}

void World::AppendOne(StreamId stream, RecordKind kind, const PersonId& person,
                      std::string payload) {
    NewRecord record;
    record.stream = stream;
    record.kind = kind;
    record.workspace = kWorkspace;
    record.person = person;
    record.payload = std::move(payload);
    std::vector<NewRecord> records;
    records.push_back(std::move(record));
    Append(std::move(records));
}

std::vector<event_log::Position> World::AppendNow(std::vector<NewRecord> records) {
    auto positions = log_->AppendAndWait(std::move(records));
    CHECK(positions.has_value());
    last_alive_ms_ = now();
    return std::move(*positions);
}

bool World::CommitSome(size_t appends) {
    bool any = false;
    while (appends-- > 0 && !pending_.empty()) {
        Pending next = std::move(pending_.front());
        pending_.pop_front();
        AppendNow(std::move(next.records));
        if (next.done) next.done();
        any = true;
    }
    return any;
}

// --- definitions -------------------------------------------------------------------------------

catalog::SegmentPtr World::SegmentNamed(const std::string& name) const {
    for (const auto& segment : catalog_->Segments(kWorkspace)) {
        if (segment->name == name) return segment;
    }
    return nullptr;
}

catalog::JourneyPtr World::JourneyNamed(const std::string& name) const {
    for (const auto& head : catalog_->Journeys(kWorkspace)) {
        if (head.name == name) return catalog_->FindJourney(head.number, head.version);
    }
    return nullptr;
}

base::Result<catalog::SegmentPtr> World::SaveSegment(const std::string& name,
                                                     const std::string& condition) {
    const auto current = SegmentNamed(name);
    if (current) return catalog_->UpdateSegment(kWorkspace, current->number, name, condition, 0);
    return catalog_->CreateSegment(kWorkspace, name, condition);
}

base::Status World::SaveJourney(const std::string& body) {
    uint32_t number = 0;
    const std::string name = server::ReadTextField(body, "name");
    for (const auto& head : catalog_->Journeys(kWorkspace)) {
        if (head.name == name) number = head.number;
    }
    TRY_ASSIGN(const auto head, catalog_->SaveJourney(kWorkspace, number, body, 0));
    TRY(catalog_->PublishJourney(kWorkspace, head.number));
    return {};
}

base::Status World::StopJourney(const std::string& name) {
    for (const auto& head : catalog_->Journeys(kWorkspace)) {
        if (head.name == name) return catalog_->StopJourney(kWorkspace, head.number);
    }
    return base::Fail(base::ErrorCode::kNotFound, "no journey " + name);
}

base::Status World::DeleteSegment(const std::string& name) {
    const auto segment = SegmentNamed(name);
    if (!segment) return base::Fail(base::ErrorCode::kNotFound, "no segment " + name);
    return catalog_->DeleteSegment(kWorkspace, segment->number);
}

// --- clients -----------------------------------------------------------------------------------

PersonId World::IdOf(model::IdKind kind, const std::string& text) const {
    return model::PersonOf(secret_, kind, text);
}

void World::Send(const Call& call, std::function<void()> acknowledged) {
    identity::LinkCall link;
    const auto add = [&](model::IdKind kind, const std::string& text) {
        if (!text.empty()) link.ids.push_back({kind, IdOf(kind, text)});
    };
    add(model::IdKind::kUser, call.user);
    add(model::IdKind::kEmail, call.email);
    add(model::IdKind::kAnonymous, call.anonymous);
    add(call.previous_is_user ? model::IdKind::kUser : model::IdKind::kAnonymous, call.previous);
    CHECK(!link.ids.empty());
    link.trusted = call.trust != model::Trust::kPublicKey;
    link.merge = call.type == model::EventType::kAlias;
    const auto resolved = map_->Resolve(link);
    model::Event event;
    event.type = call.type;
    const std::string name =
        call.name.empty() ? std::string(model::StandingName(call.type)) : call.name;
    event.name = name;
    event.message_id = call.message_id;
    event.user_id = call.user;
    event.anonymous_id = call.anonymous;
    event.email = call.email;
    event.previous_id = call.previous;
    event.time_ms = call.time_ms != 0 ? call.time_ms : now();
    event.received_ms = now();
    event.trust = call.trust;
    event.import = call.import;
    event.is_bot = call.robot;
    event.source_key = "k1";
    event.person = link.ids.front().hash;
    event.properties = call.properties;
    event.traits = call.traits;
    event.source = {call.source_kind, call.source, call.medium, call.campaign, {}, {}, {}, {}};
    event.place = {call.country, {}, call.city};
    std::vector<NewRecord> records(1);
    NewRecord& record = records.front();
    record.workspace = kWorkspace;
    record.person = resolved.person;
    record.stream = model::PartitionOf(resolved.person, options_.partitions);
    if (!call.message_id.empty()) {
        record.fingerprint = model::EventFingerprint(secret_, "k1", call.message_id);
    }
    record.name_hash = model::NameHash(name);
    model::AppendEventJson(record.payload, event);
    if (resolved.needs_link) {
        NewRecord asks;
        asks.stream = log_->links();
        asks.kind = RecordKind::kLink;
        asks.workspace = kWorkspace;
        asks.payload = identity::EncodeCall(link);
        records.push_back(std::move(asks));
    }
    Append(std::move(records), std::move(acknowledged));
}

void World::Receipt(const FactKey& message, const PersonId& person, model::ReceiptKind kind,
                    int link, bool machine) {
    const PersonId root = map_->Root(person);
    AppendOne(model::PartitionOf(root, options_.partitions), RecordKind::kReceipt, root,
              "{\"message\":" + KeyJson(message) + ",\"kind\":" +
                  std::to_string(static_cast<int>(kind)) + ",\"link\":" + std::to_string(link) +
                  ",\"machine\":" + (machine ? "true" : "false") +
                  ",\"url\":\"https://example.test/\"}");
}

const server::PersonFold& World::PartitionOf(const PersonId& id) const {
    return people(model::PartitionOf(id, options_.partitions));
}

const model::Person* World::Find(const PersonId& id) const {
    const model::Person* person = PartitionOf(id).Find(id);
    while (person != nullptr && person->moved()) {
        person = PartitionOf(person->moved_to).Find(person->moved_to);
    }
    return person;
}

// --- the folds ---------------------------------------------------------------------------------

bool World::FoldSome(StreamId s, size_t records_max) {
    Stream& stream = streams_[s];
    if (log_->End(s) <= stream.fold->applied()) return false;
    auto batch = log_->Read(s, stream.fold->applied() + 1, kReadBytes);
    CHECK(batch.has_value());
    for (size_t i = 0; i < std::min(records_max, batch->records.size()); ++i) {
        stream.fold->Apply(batch->records[i]);
        if (batch->records[i].kind == RecordKind::kTick) stream.tick_waits = false;
    }
    TakeOutputs(s);
    return true;
}

void World::TakeOutputs(StreamId s) {
    Stream& stream = streams_[s];
    std::string rows;
    stream.fold->TakeRows(rows);
    std::string_view left = rows;
    warehouse::EntryHeader header;
    std::string_view row;
    while (warehouse::NextEntry(left, header, row)) {
        // The spool drops what is not above the highest it knows of the partition.
        if (stream.any_row && header.key() <= stream.highest_row) {
            faults_.push_back("row " + std::to_string(s) + ":" + std::to_string(header.offset) +
                              "/" + std::to_string(header.ordinal) + " comes after " +
                              std::to_string(stream.highest_row.offset) + "/" +
                              std::to_string(stream.highest_row.ordinal));
        }
        stream.any_row = true;
        stream.highest_row = std::max(stream.highest_row, header.key());
        const auto [it, fresh] = rows_.try_emplace(header.key(), row);
        if (!fresh && it->second != row) {
            faults_.push_back("a replay changed row " + std::to_string(s) + ":" +
                              std::to_string(header.offset) + "/" +
                              std::to_string(header.ordinal));
        }
    }
    CHECK(left.empty());
    std::vector<model::OutboxEvent> events;
    stream.fold->TakeOutbox(events);
    for (const auto& event : events) Hear(event);
}

bool World::SendRelays(StreamId s) {
    Stream& stream = streams_[s];
    const auto& relays = stream.fold->relays();
    if (relays.empty()) return false;
    const auto place = [](const engine::Relay& r) {
        return std::pair(r.origin.offset, r.origin.ordinal);
    };
    if (place(relays.back()) <= stream.relayed) return false;
    std::vector<NewRecord> records;
    for (const auto& relay : relays) {
        if (place(relay) > stream.relayed) records.push_back(relay.record);
    }
    stream.relayed = place(relays.back());
    NewRecord done;
    done.stream = s;
    done.kind = RecordKind::kRelayed;
    done.payload = "{\"upto\":" +
                   KeyJson({s, stream.relayed.first, stream.relayed.second}) + "}";
    records.push_back(std::move(done));
    Append(std::move(records));
    return true;
}

bool World::AskForTick(StreamId s) {
    Stream& stream = streams_[s];
    if (stream.tick_waits || log_->End(s) != stream.fold->applied()) return false;
    if (!stream.fold->WantsTick() && stream.fold->NextDue() > now()) return false;
    stream.tick_waits = true;
    AppendOne(s, RecordKind::kTick, {}, {});
    return true;
}

bool World::CheckpointSome(StreamId s, size_t entries) {
    Stream& stream = streams_[s];
    if (!stream.writing) {
        if (!stream.fold->Dirty()) return false;
        stream.fold->Freeze();
        stream.frozen = stream.fold->applied();
        stream.next = {};
        stream.gone.clear();
        stream.writing = true;
        return true;
    }
    MapSink sink(stream.next.entries, stream.gone);
    if (!stream.fold->WriteFrozen(sink, entries)) return true;
    stream.writing = false;
    Checkpoint whole = stream.kept.empty() ? Checkpoint() : stream.kept.back();
    for (const auto& key : stream.gone) whole.entries.erase(key);
    for (auto& [key, value] : stream.next.entries) whole.entries[key] = std::move(value);
    whole.offset = stream.frozen;
    stream.kept.push_back(std::move(whole));
    if (stream.kept.size() > 2) stream.kept.erase(stream.kept.begin());
    return true;
}

// --- the sender --------------------------------------------------------------------------------

void World::Hear(const model::OutboxEvent& event) {
    switch (event.kind) {
        case model::OutboxEvent::Kind::kWaiting:
            // Being sent at this moment, or its outcome is on its way after a person who moved.
            if (granted_.contains(event.message)) return;
            if (event.claimed_before &&
                (claiming_.contains(event.message) || answered_.contains(event.message))) {
                return;
            }
            if (!event.claimed_before) {
                claiming_.erase(event.message);
                waiting_[event.message] = event;
            } else if (power_was_lost_ || dots_.contains(event.message)) {
                Outcome(event, "\"state\":\"ambiguous\",\"text\":\"lost in a crash\"");
            } else {
                claiming_.insert(event.message);
                AppendOne(event.stream, RecordKind::kClaim, event.person,
                          "{\"message\":" + KeyJson(event.message) + ",\"again\":true}");
            }
            return;
        case model::OutboxEvent::Kind::kGranted:
            claiming_.erase(event.message);
            answered_.erase(event.message);
            waiting_.erase(event.message);
            granted_[event.message] = event;
            return;
        case model::OutboxEvent::Kind::kClosed: waiting_.erase(event.message); return;
    }
}

bool World::ClaimOne(size_t which) {
    if (waiting_.empty()) return false;
    const auto it = std::next(waiting_.begin(), static_cast<ptrdiff_t>(which % waiting_.size()));
    claiming_.insert(it->first);
    AppendOne(it->second.stream, RecordKind::kClaim, it->second.person,
              "{\"message\":" + KeyJson(it->first) + "}");
    waiting_.erase(it);
    return true;
}

void World::Outcome(const model::OutboxEvent& grant, const std::string& fields) {
    answered_.insert(grant.message);
    AppendOne(grant.stream, RecordKind::kOutcome, grant.person,
              "{\"message\":" + KeyJson(grant.message) + "," + fields + "}");
}

bool World::DeliverOne(size_t which, Answer answer) {
    if (granted_.empty()) return false;
    const auto it = std::next(granted_.begin(), static_cast<ptrdiff_t>(which % granted_.size()));
    const model::OutboxEvent grant = it->second;
    granted_.erase(it);
    const auto journey = catalog_->FindJourney(grant.journey, grant.version);
    CHECK(journey != nullptr && grant.step < journey->program.size());
    const auto deliver = [&] {
        dots_.insert(grant.message);
        deliveries_.push_back({grant.message, grant.person, grant.journey,
                               journey->program[grant.step].step, grant.address, grant.values,
                               now()});
    };
    switch (answer) {
        case Answer::kTaken:
            deliver();
            Outcome(grant, "\"state\":\"sent\",\"text\":\"250 taken\"");
            break;
        case Answer::kTemporary:
            Outcome(grant, "\"state\":\"temporary\",\"text\":\"451 later\",\"retry_ms\":" +
                               std::to_string(now() + 5 * base::kMinuteMs));
            break;
        case Answer::kRefused:
            Outcome(grant,
                    "\"state\":\"failed\",\"text\":\"550 nobody\",\"bounce\":true");
            break;
        case Answer::kLostBeforeDot:
            Outcome(grant, "\"state\":\"temporary\",\"text\":\"connection lost\",\"retry_ms\":" +
                               std::to_string(now() + base::kMinuteMs));
            break;
        case Answer::kLostAfterDot:
            deliver();
            Outcome(grant, "\"state\":\"ambiguous\",\"text\":\"no answer to the dot\"");
            break;
    }
    return true;
}

// --- running -----------------------------------------------------------------------------------

bool World::SettleOnce() {
    bool any = CommitSome(SIZE_MAX);
    for (StreamId s = 0; s < streams_.size(); ++s) {
        while (FoldSome(s, SIZE_MAX)) any = true;
        any = SendRelays(s) || any;
        any = AskForTick(s) || any;
    }
    if (!mail_held_) {
        while (ClaimOne(0)) any = true;
        while (DeliverOne(0, answer_ ? answer_() : Answer::kTaken)) any = true;
    }
    return any;
}

void World::Settle() {
    int rounds = 0;
    while (SettleOnce()) CHECK(++rounds < kSettleRoundsMax);
}

void World::LiveUntil(TimeMs to) {
    Settle();
    while (true) {
        TimeMs next = base::kNeverMs;
        for (const auto& stream : streams_) next = std::min(next, stream.fold->NextDue());
        if (next > to) break;
        MoveClock(next);
        Settle();
    }
    MoveClock(to);
    Settle();
}

// --- falling and rising ------------------------------------------------------------------------

void World::Crash(size_t survives, bool power, uint64_t seed) {
    ++crashes_;
    last_alive_ms_ = now();   // The heartbeat file.
    // A prefix of what was on its way may have reached the disk.
    while (survives > 0 && !pending_.empty()) {
        auto records = std::move(pending_.front().records);
        pending_.pop_front();
        if (records.size() > survives) records.resize(survives);
        survives -= records.size();
        AppendNow(std::move(records));
    }
    if (power && options_.files) {
        // The rest is being written when the power goes: each commit lands whole or torn or not.
        for (auto& append : pending_) log_->Append(std::move(append.records), [](auto) {});
        disk_.Crash(seed);
    }
    pending_.clear();
    waiting_.clear();
    granted_.clear();
    claiming_.clear();
    answered_.clear();
    if (power) dots_.clear();
    power_was_lost_ = power;
    for (auto& stream : streams_) stream.fold.reset();
    catalog_.reset();
    map_.reset();
}

void World::Start(int checkpoints_back) {
    const TimeMs before = last_alive_ms_;
    OpenLog();
    MakeFolds();
    std::vector<model::OutboxEvent> found;
    for (StreamId s = 0; s < streams_.size(); ++s) {
        Stream& stream = streams_[s];
        auto& kept = stream.kept;
        // Rows of the tail come again and are compared with what is known.
        if (checkpoints_back > 0 && !kept.empty()) kept.pop_back();
        if (checkpoints_back > 1) kept.clear();
        if (!kept.empty()) {
            for (const auto& [key, value] : kept.back().entries) {
                CHECK(stream.fold->Load(key, value));
            }
        }
        CHECK(stream.fold->Loaded().has_value());
        CHECK(stream.fold->applied() <= log_->End(s));
        std::vector<model::OutboxEvent> past;
        while (stream.fold->applied() < log_->End(s)) {
            auto batch = log_->Read(s, stream.fold->applied() + 1, kReadBytes);
            CHECK(batch.has_value());
            for (const auto& record : batch->records) stream.fold->Apply(record);
            stream.fold->TakeOutbox(past);
        }
        past.clear();
        TakeOutputs(s);
        stream.fold->ListOutbox(found);
    }
    for (const auto& event : found) Hear(event);
    power_was_lost_ = false;
    for (int p = 0; p < partitions(); ++p) {
        AppendOne(static_cast<StreamId>(p), RecordKind::kStarted, {},
                  "{\"down_ms\":" + std::to_string(now() - before) + "}");
    }
}

std::string World::Dump(StreamId s) {
    std::string out;
    streams_[s].fold->Dump(out);
    return out;
}

std::vector<std::string> World::Refold(uint64_t interleaving) {
    identity::LinkMap map;
    std::vector<std::unique_ptr<engine::Fold>> folds;
    for (StreamId s = 0; s < streams_.size(); ++s) {
        folds.push_back(MakeFold(s, map));
        CHECK(folds.back()->Loaded().has_value());
    }
    uint64_t random = interleaving;
    size_t done = 0;
    std::vector<bool> finished(folds.size(), false);
    for (size_t turn = 0; done < folds.size(); ++turn) {
        random = base::Mix64(random + turn);
        const size_t s = interleaving == 0 ? done : random % folds.size();
        if (finished[s]) continue;
        const auto id = static_cast<StreamId>(s);
        if (folds[s]->applied() == log_->End(id)) {
            finished[s] = true;
            ++done;
            continue;
        }
        auto batch = log_->Read(id, folds[s]->applied() + 1, kReadBytes);
        CHECK(batch.has_value());
        const size_t some = interleaving == 0 ? SIZE_MAX : 1 + random / 64 % 16;
        for (size_t i = 0; i < std::min(some, batch->records.size()); ++i) {
            folds[s]->Apply(batch->records[i]);
        }
    }
    std::vector<std::string> dumps(folds.size());
    for (size_t s = 0; s < folds.size(); ++s) folds[s]->Dump(dumps[s]);
    return dumps;
}

}  // namespace sim
