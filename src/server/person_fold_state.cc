// Definitions coming and going in a partition (semantics 7, 9), and the state's bytes.

#include <simdjson.h>

#include <algorithm>

#include "base/check.h"
#include "base/hash.h"
#include "base/limits.h"
#include "server/payload.h"
#include "server/person_fold_erase.h"
#include "server/person_fold.h"

namespace server {

using catalog::Change;
using model::Person;
using model::PersonId;

namespace {

constexpr uint8_t kMetaVersion = 2;
constexpr uint8_t kMetaVersionBefore = 1;   // Without the list of deleted workspaces.

Change::Kind KindOf(const model::Record& record) {
    return ReadTextField(record.payload, "kind") == "journey" ? Change::Kind::kJourney
                                                              : Change::Kind::kSegment;
}

}  // namespace

// --- definitions -------------------------------------------------------------------------------

void PersonFold::ApplyMarker(const model::Record& record) {
    TakenUp t;
    t.kind = KindOf(record);
    t.workspace = record.workspace;
    t.number = static_cast<uint32_t>(ReadIntField(record.payload, "number"));
    t.version = static_cast<uint32_t>(ReadIntField(record.payload, "version"));
    t.marker = record.offset;
    for (const auto& known : definitions_) {
        // Markers are repeated at a start; a copy changes nothing.
        if (known.kind == t.kind && known.number == t.number && known.version >= t.version) return;
    }
    definitions_.push_back(t);
    Rebuild();
}

void PersonFold::ApplyReady(const model::Record& record) {
    const auto kind = KindOf(record);
    const auto number = static_cast<uint32_t>(ReadIntField(record.payload, "number"));
    const auto version = static_cast<uint32_t>(ReadIntField(record.payload, "version"));
    for (auto& known : definitions_) {
        if (known.kind != kind || known.number != number || known.version != version ||
            known.state != DefinitionState::kMarked) {
            continue;
        }
        known.state = DefinitionState::kReady;
        Cursor cursor;
        cursor.kind = Cursor::Kind::kReady;
        cursor.definition = known;
        cursor.start_journeys = ReadBoolField(record.payload, "start_journeys");
        for (const auto& other : definitions_) {
            if (other.kind == kind && other.number == number && other.version < version &&
                other.state == DefinitionState::kReady) {
                cursor.before_version = std::max(cursor.before_version, other.version);
            }
        }
        cursors_.push_back(cursor);
        Rebuild();
        return;
    }
}

void PersonFold::ApplyRetired(const model::Record& record) {
    const auto kind = KindOf(record);
    const auto number = static_cast<uint32_t>(ReadIntField(record.payload, "number"));
    TakenUp last;
    bool any = false;
    std::erase_if(definitions_, [&](const TakenUp& t) {
        if (t.kind != kind || t.number != number) return false;
        last = t;
        any = true;
        return true;
    });
    if (!any) return;
    Cursor cursor;
    cursor.kind = Cursor::Kind::kRetired;
    cursor.definition = last;
    cursors_.push_back(cursor);
    Rebuild();
}

void PersonFold::Rebuild() {
    std::map<model::WorkspaceId, std::map<uint32_t, segments::Shown>> shown;
    std::map<model::WorkspaceId, std::vector<evaluate::LeafPtr>> leaves;
    std::map<model::WorkspaceId, std::map<uint32_t, catalog::JourneyPtr>> running;
    const Cursor* open = cursors_.empty() ? nullptr : &cursors_.front();
    for (const auto& t : definitions_) {
        In(t.workspace);
        if (t.kind == Change::Kind::kSegment) {
            const auto segment = catalog_.FindSegment(t.number, t.version);
            CHECK(segment != nullptr);
            for (const auto& leaf : segment->program.leaves()) leaves[t.workspace].push_back(leaf);
            if (t.state != DefinitionState::kReady) continue;
            // A ready version whose cursor has not begun yet is not shown to anybody.
            bool waits = false;
            for (const auto& cursor : cursors_) {
                waits = waits || (&cursor != open && cursor.kind == Cursor::Kind::kReady &&
                                  cursor.definition.kind == t.kind &&
                                  cursor.definition.number == t.number &&
                                  cursor.definition.version == t.version);
            }
            if (waits) continue;
            auto& versions = shown[t.workspace][t.number];
            versions.before = versions.now;
            versions.now = segment;
        } else {
            const auto journey = catalog_.FindJourney(t.number, t.version);
            CHECK(journey != nullptr);
            for (const auto& leaf : journey->leaves) {
                if (!leaf->since_entry()) leaves[t.workspace].push_back(leaf);
            }
            if (t.state == DefinitionState::kReady) running[t.workspace][t.number] = journey;
        }
    }
    for (auto& [number, in] : workspaces_) {
        std::vector<std::pair<uint32_t, segments::Shown>> list;
        for (auto& [segment, versions] : shown[number]) {
            const bool visiting = open != nullptr && open->definition.number == segment &&
                                  open->definition.kind == Change::Kind::kSegment &&
                                  open->kind == Cursor::Kind::kReady;
            if (!visiting) versions.before = nullptr;
            list.emplace_back(segment, versions);
        }
        in.watch.Build(leaves[number], list, names_);
        std::vector<catalog::JourneyPtr> journeys;
        for (const auto& [id, journey] : running[number]) journeys.push_back(journey);
        in.runner.Build(journeys,
                        [this](uint32_t n, uint32_t v) { return catalog_.FindJourney(n, v); });
    }
}

segments::CursorView PersonFold::CursorNow() const {
    if (cursors_.empty()) return {};
    const Cursor& open = cursors_.front();
    if (open.kind != Cursor::Kind::kReady || open.definition.kind != Change::Kind::kSegment) {
        return {};
    }
    return {open.definition.number, open.last};
}

void PersonFold::StepCursor() {
    if (cursors_.empty()) return;
    Cursor& cursor = cursors_.front();
    if (!cursor_listed_) {
        cursor_listed_ = true;
        cursor_made_.clear();
        cursor_order_.clear();
        // In id order; those made while the cursor is open are kept beside and met in their place.
        cursor_order_.reserve(persons_.size());
        for (const auto& [id, person] : persons_) {
            if (!cursor.begun || cursor.last < id) cursor_order_.push_back(id);
        }
        std::sort(cursor_order_.begin(), cursor_order_.end());
        cursor_at_ = 0;
    }
    if (!cursor.begun) {
        cursor.begun = true;
        Rebuild();
    }
    const TakenUp definition = cursor.definition;
    for (int n = 0; n < limits::kCursorPersonsPerRecord; ++n) {
        cursor_made_.erase(cursor_made_.begin(), cursor_made_.upper_bound(cursor.last));
        const bool made = !cursor_made_.empty();
        const bool listed = cursor_at_ < cursor_order_.size();
        if (!made && !listed) {
            // Versions that this one replaces end with the last visit.
            if (cursor.kind == Cursor::Kind::kReady &&
                definition.kind == Change::Kind::kSegment) {
                std::erase_if(definitions_, [&](const TakenUp& t) {
                    return t.kind == definition.kind && t.number == definition.number &&
                           t.version < definition.version;
                });
            }
            const bool erased = cursor.kind == Cursor::Kind::kErased;
            cursors_.pop_front();
            if (erased) EndErasing(definition.workspace);
            cursor_listed_ = false;
            Rebuild();
            return;
        }
        PersonId next;
        if (made && (!listed || *cursor_made_.begin() < cursor_order_[cursor_at_])) {
            next = *cursor_made_.begin();
        } else {
            next = cursor_order_[cursor_at_];
        }
        if (listed && cursor_order_[cursor_at_] == next) ++cursor_at_;
        cursor.last = next;
        VisitOne(*persons_.at(next), cursor);
    }
}

void PersonFold::VisitOne(Person& person, const Cursor& cursor) {
    if (person.workspace != cursor.definition.workspace) return;
    if (cursor.kind == Cursor::Kind::kErased) return Erase(person);
    if (person.moved()) return;
    Workspace& in = In(person.workspace);
    const bool segment = cursor.definition.kind == Change::Kind::kSegment;
    if (cursor.kind == Cursor::Kind::kReady) {
        if (!segment) {
            Schedule(person, NextDueOf(person));
            return;
        }
        in.watch.MarkAll();
        moves_.clear();
        facts_.clear();
        Touch(person);
        in.watch.Judge(person, names_, now_, CursorNow(), moves_);
        if (cursor.start_journeys) {
            for (const auto& move : moves_) {
                in.runner.OnMove(person, names_, move.segment, move.entered, now_, numbers_,
                                 facts_);
            }
        }
        if (!moves_.empty()) in.runner.Judge(person, names_, now_, numbers_, facts_);
        FactRows(person, "initial");
        Schedule(person, NextDueOf(person));
        return;
    }
    moves_.clear();
    facts_.clear();
    Touch(person);
    if (segment && person.InSegment(cursor.definition.number)) {
        std::erase_if(person.segments, [&](const model::Membership& m) {
            return m.segment == cursor.definition.number;
        });
        moves_.push_back({cursor.definition.number, false});
    }
    if (!segment) in.runner.Retire(person, cursor.definition.number, now_, numbers_, facts_);
    if (!moves_.empty()) in.runner.Judge(person, names_, now_, numbers_, facts_);
    FactRows(person, "retired");
    in.watch.Purge(person);
    Schedule(person, NextDueOf(person));
}

void PersonFold::ApplyLoaded(const model::Record& record) {
    const auto kind = KindOf(record);
    const auto number = static_cast<uint32_t>(ReadIntField(record.payload, "number"));
    const auto version = static_cast<uint32_t>(ReadIntField(record.payload, "version"));
    const auto part = static_cast<uint32_t>(ReadIntField(record.payload, "part"));
    for (auto& t : definitions_) {
        if (t.kind != kind || t.number != number || t.version != version) continue;
        // A publication that was cut off is done again: parts that arrived the first time are
        // equal and are passed over.
        if (t.state != DefinitionState::kMarked || part != t.loaded) return;
        ++t.loaded;
        ApplyLoadedPersons(record.workspace, record.payload, false);
        return;
    }
}

void PersonFold::ApplyLoadedPersons(model::WorkspaceId workspace, std::string_view payload,
                                    bool came_after) {
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    simdjson::dom::array list;
    if (parser.parse(simdjson::padded_string(payload)).get(root) != simdjson::SUCCESS ||
        root["persons"].get(list) != simdjson::SUCCESS) {
        ++counters_.unreadable;
        return;
    }
    for (const simdjson::dom::element e : list) {
        std::string_view id_text, state_text;
        PersonId id;
        std::string state;
        if (e.at(0).get(id_text) != simdjson::SUCCESS ||
            e.at(1).get(state_text) != simdjson::SUCCESS || !model::FromText(id_text, id) ||
            !base::Base64Decode(state_text, state)) {
            ++counters_.unreadable;
            continue;
        }
        ApplyLoadedPerson(workspace, id, state, came_after);
    }
}

void PersonFold::ApplyLoadedPerson(model::WorkspaceId workspace, const PersonId& id,
                                   std::string_view state, bool came_after) {
    bool made = false;
    Person& person = Get(workspace, id, made);
    if (person.moved()) {
        const std::string one = "{\"persons\":[[\"" + model::ToText(person.moved_to) + "\",\"" +
                                base::Base64Encode(state) + "\"]]}";
        Forward(person, model::RecordKind::kLoaded, 0, 0, one);
        return;
    }
    base::ByteReader in(state);
    model::Accumulators loaded;
    if (!model::DecodeAccumulators(in, loaded)) {
        ++counters_.unreadable;
        return;
    }
    Touch(person);
    Workspace& here = In(workspace);
    here.watch.Unite(person.accumulators, loaded);
    if (!came_after) return;
    // She moved here, and the definition may be shown already.
    here.watch.MarkAll();
    AfterChange(person, here, false, "initial");
}

bool PersonFold::Shows(Change::Kind kind, uint32_t number, uint32_t version) const {
    for (const auto& cursor : cursors_) {
        if (cursor.definition.kind == kind && cursor.definition.number == number) return false;
    }
    for (const auto& t : definitions_) {
        if (t.kind == kind && t.number == number && t.version == version) {
            return t.state == DefinitionState::kReady;
        }
    }
    return false;
}

const Roaring* PersonFold::Members(uint32_t segment) const {
    const auto it = members_.find(segment);
    return it == members_.end() ? nullptr : &it->second;
}

// --- bytes ---------------------------------------------------------------------------------------

std::string PersonFold::EncodeMeta() const {
    std::string out;
    base::ByteWriter w(out);
    w.U8(kMetaVersion);
    w.Varint(offset_);
    w.Signed(now_);
    w.Signed(claims_refused_until_);
    names_.Encode(w);
    w.Varint(definitions_.size());
    const auto put = [&](const TakenUp& t) {
        w.U8(static_cast<uint8_t>(t.kind));
        w.Varint(t.workspace);
        w.Varint(t.number);
        w.Varint(t.version);
        w.U8(static_cast<uint8_t>(t.state));
        w.Varint(t.marker);
        w.Varint(t.loaded);
    };
    for (const auto& t : definitions_) put(t);
    w.Varint(cursors_.size());
    for (const auto& c : cursors_) {
        w.U8(static_cast<uint8_t>(c.kind));
        put(c.definition);
        w.Varint(c.before_version);
        w.U8(static_cast<uint8_t>((c.start_journeys ? 1 : 0) | (c.begun ? 2 : 0)));
        w.U64(c.last.hi);
        w.U64(c.last.lo);
    }
    w.Varint(relays_.size());
    for (const auto& relay : relays_) {
        w.Varint(relay.origin.offset);
        w.Varint(relay.origin.ordinal);
        w.Varint(relay.record.stream);
        w.U8(static_cast<uint8_t>(relay.record.kind));
        w.Varint(relay.record.workspace);
        w.U64(relay.record.person.hi);
        w.U64(relay.record.person.lo);
        w.U64(relay.record.fingerprint);
        w.U64(relay.record.name_hash);
        w.Text(relay.record.payload);
    }
    w.Varint(heard_.size());
    for (const auto& [stream, place] : heard_) {
        w.Varint(stream);
        w.Varint(place.first);
        w.Varint(place.second);
    }
    w.Varint(counters_.events);
    w.Varint(counters_.duplicates);
    w.Varint(counters_.forwarded);
    w.Varint(counters_.unreadable);
    w.Varint(erased_.size());
    for (const model::WorkspaceId workspace : erased_) w.Varint(workspace);
    return out;
}

bool PersonFold::DecodeMeta(std::string_view bytes) {
    base::ByteReader in(bytes);
    const uint8_t version = in.U8();
    if (version != kMetaVersion && version != kMetaVersionBefore) return false;
    offset_ = in.Varint();
    now_ = in.Signed();
    claims_refused_until_ = in.Signed();
    if (!names_.Decode(in)) return false;
    const auto get = [&](TakenUp& t) {
        t.kind = static_cast<Change::Kind>(in.U8());
        t.workspace = static_cast<model::WorkspaceId>(in.Varint());
        t.number = static_cast<uint32_t>(in.Varint());
        t.version = static_cast<uint32_t>(in.Varint());
        t.state = static_cast<DefinitionState>(in.U8());
        t.marker = in.Varint();
        t.loaded = static_cast<uint32_t>(in.Varint());
    };
    definitions_.resize(in.Count());
    for (auto& t : definitions_) get(t);
    cursors_.resize(in.Count());
    for (auto& c : cursors_) {
        c.kind = static_cast<Cursor::Kind>(in.U8());
        get(c.definition);
        c.before_version = static_cast<uint32_t>(in.Varint());
        const uint8_t flags = in.U8();
        c.start_journeys = (flags & 1) != 0;
        c.begun = (flags & 2) != 0;
        c.last.hi = in.U64();
        c.last.lo = in.U64();
    }
    const uint64_t relays = in.Count();
    for (uint64_t i = 0; i < relays && in.ok(); ++i) {
        engine::Relay relay;
        relay.origin.stream = stream_;
        relay.origin.offset = in.Varint();
        relay.origin.ordinal = static_cast<uint32_t>(in.Varint());
        relay.record.stream = static_cast<model::StreamId>(in.Varint());
        relay.record.kind = static_cast<model::RecordKind>(in.U8());
        relay.record.workspace = static_cast<model::WorkspaceId>(in.Varint());
        relay.record.person.hi = in.U64();
        relay.record.person.lo = in.U64();
        relay.record.fingerprint = in.U64();
        relay.record.name_hash = in.U64();
        relay.record.payload = in.Text();
        relays_.push_back(std::move(relay));
    }
    const uint64_t heard = in.Count();
    for (uint64_t i = 0; i < heard && in.ok(); ++i) {
        auto& place = heard_[static_cast<model::StreamId>(in.Varint())];
        place.first = in.Varint();
        place.second = static_cast<uint32_t>(in.Varint());
    }
    counters_.events = in.Varint();
    counters_.duplicates = in.Varint();
    counters_.forwarded = in.Varint();
    counters_.unreadable = in.Varint();
    const uint64_t erased = version == kMetaVersionBefore ? 0 : in.Count();
    for (uint64_t i = 0; i < erased && in.ok(); ++i) {
        erased_.insert(static_cast<model::WorkspaceId>(in.Varint()));
    }
    return in.ok() && in.done();
}

void PersonFold::Freeze() {
    CHECK(frozen_at_ == frozen_.size() && frozen_copies_.empty());
    frozen_ = std::move(dirty_);
    dirty_.clear();
    frozen_at_ = 0;
    for (Person* person : frozen_) {
        person->dirty = false;
        person->frozen = !IsGone(*person);
    }
    frozen_gone_ = std::move(gone_);
    gone_.clear();
    frozen_meta_ = EncodeMeta();
    frozen_tally_.clear();
    base::ByteWriter tally(frozen_tally_);
    tally_.Encode(tally);
    frozen_offset_ = offset_;
}

bool PersonFold::WriteFrozen(engine::StateSink& sink, size_t entries_max) {
    std::string bytes;
    for (size_t n = 0; n < entries_max; ++n) {
        if (frozen_at_ < frozen_.size()) {
            Person* person = frozen_[frozen_at_++];
            if (!person->frozen) continue;
            person->frozen = false;
            bytes.clear();
            model::EncodePerson(bytes, *person);
            sink.Put(PersonKeyOf(person->id), bytes);
            continue;
        }
        for (const auto& [key, value] : frozen_copies_) sink.Put(key, value);
        for (const auto& key : frozen_gone_) sink.Remove(key);
        frozen_gone_.clear();
        frozen_copies_.clear();
        frozen_.clear();
        frozen_at_ = 0;
        sink.Put(kTallyKey, frozen_tally_);
        sink.Put(kMetaKey, frozen_meta_);
        frozen_meta_.clear();
        return true;
    }
    return false;
}

bool PersonFold::Load(std::string_view key, std::string_view value) {
    if (key == kMetaKey) return DecodeMeta(value);
    if (key == kTallyKey) {
        base::ByteReader in(value);
        return tally_.Decode(in);
    }
    if (key.size() != 17 || key.front() != 'p') return false;
    Person& person = store_.emplace_back();
    if (!model::DecodePerson(value, person)) return false;
    person.slot = static_cast<uint32_t>(slots_.size());
    slots_.push_back(&person);
    persons_[person.id] = &person;
    if (!person.moved()) ++known_;
    return true;
}

base::Status PersonFold::Loaded() {
    for (const auto& t : definitions_) {
        const bool there = t.kind == Change::Kind::kSegment
                               ? catalog_.FindSegment(t.number, t.version) != nullptr
                               : catalog_.FindJourney(t.number, t.version) != nullptr;
        if (!there) {
            return base::Fail(base::ErrorCode::kCorrupt,
                              "a checkpoint names a definition that the control stream lacks");
        }
    }
    Rebuild();
    tally_.BeginRecount();
    for (Person* person : slots_) {
        tally_.Enter(*person);
        for (const auto& m : person->segments) members_[m.segment].add(person->slot);
        if (!person->moved()) Schedule(*person, NextDueOf(*person));
    }
    frozen_offset_ = offset_;
    return {};
}

void PersonFold::Dump(std::string& out) {
    std::vector<const Person*> all(slots_.begin(), slots_.end());
    std::erase_if(all, [](const Person* person) { return IsGone(*person); });
    std::sort(all.begin(), all.end(),
              [](const Person* a, const Person* b) { return a->id < b->id; });
    base::ByteWriter w(out);
    w.Text(EncodeMeta());
    std::string bytes;
    base::ByteWriter tally(bytes);
    tally_.Encode(tally);
    w.Text(bytes);
    for (const Person* person : all) {
        bytes.clear();
        model::EncodePerson(bytes, *person);
        w.Text(bytes);
    }
}

}  // namespace server
