#include "model/person.h"

#include <algorithm>

#include "base/limits.h"

namespace model {
namespace {

constexpr size_t kIndexFrom = 96;      // Below it a linear search is quicker than a hash set.
constexpr size_t kTakenMax = 200'000;  // Of one person; then the oldest hour goes.
constexpr uint8_t kPersonVersion = 1;

}  // namespace

const Accumulator* FindAccumulator(const Accumulators& all, uint32_t leaf) {
    const auto it = std::lower_bound(all.begin(), all.end(), leaf,
                                     [](const Accumulator& a, uint32_t l) { return a.leaf < l; });
    return it != all.end() && it->leaf == leaf ? &*it : nullptr;
}

Accumulator& GetAccumulator(Accumulators& all, uint32_t leaf) {
    return all[AccumulatorPlace(all, leaf, 0)];
}

size_t AccumulatorPlace(Accumulators& all, uint32_t leaf, size_t from) {
    auto it = std::lower_bound(all.begin() + static_cast<ptrdiff_t>(from), all.end(), leaf,
                               [](const Accumulator& a, uint32_t l) { return a.leaf < l; });
    if (it == all.end() || it->leaf != leaf) it = all.insert(it, Accumulator(leaf));
    return static_cast<size_t>(it - all.begin());
}

void EncodeAccumulators(base::ByteWriter& out, const Accumulators& all) {
    out.Varint(all.size());
    for (const auto& a : all) {
        out.Varint(a.leaf);
        out.Varint(a.count);
        out.Signed(a.value);
        out.Varint(a.more.size());
        int64_t before = 0;
        for (const int64_t v : a.more) {
            out.Signed(v - before);
            before = v;
        }
    }
}

bool DecodeAccumulators(base::ByteReader& in, Accumulators& all) {
    const uint64_t n = in.Count();
    all.clear();
    all.reserve(n);
    for (uint64_t i = 0; i < n && in.ok(); ++i) {
        Accumulator a(static_cast<uint32_t>(in.Varint()));
        a.count = static_cast<uint32_t>(in.Varint());
        a.value = in.Signed();
        const uint64_t more = in.Count();
        if (more > 0) {
            a.more.Reserve(more);
            int64_t before = 0;
            for (uint64_t k = 0; k < more; ++k) a.more.PushBack(before += in.Signed());
        }
        all.push_back(std::move(a));
    }
    return in.ok();
}

bool TakenIds::Has(uint64_t fingerprint) const {
    if (index_) return index_->contains(fingerprint);
    return std::find(ids_.begin(), ids_.end(), fingerprint) != ids_.end();
}

void TakenIds::Index() {
    if (ids_.size() < kIndexFrom) {
        index_.reset();
        return;
    }
    if (!index_) index_ = std::make_unique<boost::unordered_flat_set<uint64_t>>();
    index_->clear();
    index_->insert(ids_.begin(), ids_.end());
}

void TakenIds::Expire(base::TimeMs now) {
    size_t runs = 0, ids = 0;
    while (runs < runs_.size() &&
           (static_cast<int64_t>(runs_[runs].hour) + 1) * base::kHourMs <=
               now - limits::kDedupeWindowMs) {
        ids += runs_[runs++].count;
    }
    while (runs < runs_.size() && ids_.size() - ids > kTakenMax) ids += runs_[runs++].count;
    if (runs == 0) return;
    runs_.erase(runs_.begin(), runs_.begin() + static_cast<ptrdiff_t>(runs));
    ids_.erase(ids_.begin(), ids_.begin() + static_cast<ptrdiff_t>(ids));
    Index();
}

bool TakenIds::Take(uint64_t fingerprint, base::TimeMs now) {
    Expire(now);
    if (Has(fingerprint)) return false;
    const auto hour = static_cast<uint32_t>(std::max<int64_t>(now, 0) / base::kHourMs);
    if (runs_.empty() || runs_.back().hour < hour) runs_.push_back({hour, 0});
    ++runs_.back().count;
    ids_.push_back(fingerprint);
    if (index_) {
        index_->insert(fingerprint);
    } else if (ids_.size() >= kIndexFrom) {
        Index();
    }
    return true;
}

void TakenIds::Unite(const TakenIds& other) {
    std::vector<std::pair<uint32_t, uint64_t>> all;
    for (const TakenIds* side : {static_cast<const TakenIds*>(this), &other}) {
        size_t at = 0;
        for (const Run& run : side->runs_) {
            for (uint32_t i = 0; i < run.count; ++i) all.emplace_back(run.hour, side->ids_[at++]);
        }
    }
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    ids_.clear();
    runs_.clear();
    for (const auto& [hour, id] : all) {
        if (runs_.empty() || runs_.back().hour != hour) runs_.push_back({hour, 0});
        ++runs_.back().count;
        ids_.push_back(id);
    }
    Index();
}

void TakenIds::Encode(base::ByteWriter& out) const {
    out.Varint(runs_.size());
    size_t at = 0;
    for (const Run& run : runs_) {
        out.Varint(run.hour);
        out.Varint(run.count);
        for (uint32_t i = 0; i < run.count; ++i) out.U64(ids_[at++]);
    }
}

bool TakenIds::Decode(base::ByteReader& in) {
    ids_.clear();
    runs_.clear();
    const uint64_t n = in.Count();
    for (uint64_t i = 0; i < n && in.ok(); ++i) {
        Run run;
        run.hour = static_cast<uint32_t>(in.Varint());
        run.count = static_cast<uint32_t>(in.Varint());
        if (run.count > in.left() / 8) return false;
        for (uint32_t k = 0; k < run.count; ++k) ids_.push_back(in.U64());
        runs_.push_back(run);
    }
    Index();
    return in.ok();
}

std::string_view MessageStateName(MessageState state) {
    switch (state) {
        case MessageState::kWaiting: return "waiting";
        case MessageState::kClaimed: return "claimed";
        case MessageState::kSent: return "sent";
        case MessageState::kAmbiguous: return "ambiguous";
        case MessageState::kFailed: return "failed";
        case MessageState::kSkipped: return "skipped";
    }
    return "unknown";
}

AttributeValue Attributes::Next(base::ByteReader& in, uint32_t& name) {
    AttributeValue v;
    name = static_cast<uint32_t>(in.Varint());
    v.type = static_cast<AttributeType>(in.U8());
    v.set_s = in.U32();
    if (v.type == AttributeType::kNumber) v.number = in.F64();
    if (v.type == AttributeType::kText || v.type == AttributeType::kJson) v.text = in.Text();
    return v;
}

namespace {

void Put(std::string& out, uint32_t name, const AttributeValue& v) {
    base::ByteWriter w(out);
    w.Varint(name);
    w.U8(static_cast<uint8_t>(v.type));
    w.U32(v.set_s);
    if (v.type == AttributeType::kNumber) w.F64(v.number);
    if (v.type == AttributeType::kText || v.type == AttributeType::kJson) w.Text(v.text);
}

// -1, 0, 1: which value is the later one; equal times are settled by the bytes.
int Later(const AttributeValue& a, const AttributeValue& b) {
    if (a.set_s != b.set_s) return a.set_s > b.set_s ? 1 : -1;
    std::string x, y;
    Put(x, 0, a);
    Put(y, 0, b);
    return x == y ? 0 : x > y ? 1 : -1;
}

}  // namespace

AttributeValue Attributes::Find(uint32_t name) const {
    base::ByteReader in(bytes_);
    while (!in.done()) {
        uint32_t at = 0;
        AttributeValue v = Next(in, at);
        if (at == name) return v;
        if (at > name) break;
    }
    return {};
}

bool Attributes::Set(uint32_t name, const AttributeValue& value) {
    base::ByteReader in(bytes_);
    size_t begin = bytes_.size(), end = bytes_.size();
    bool present = false;
    AttributeValue old;
    while (!in.done()) {
        const size_t at = bytes_.size() - in.left();
        uint32_t found = 0;
        AttributeValue v = Next(in, found);
        if (found < name) continue;
        begin = at;
        end = found == name ? bytes_.size() - in.left() : at;
        present = found == name;
        old = v;
        break;
    }
    if (present && old.set_s > value.set_s) return false;
    if (!present && (value.type == AttributeType::kNone || count_ >= limits::kAttributesMax)) {
        return false;
    }
    const bool same = present && old.type == value.type && old.number == value.number &&
                      old.text == value.text;
    // A removal is kept with its time, so that an older value that arrives later does not return.
    std::string entry;
    Put(entry, name, value);
    bytes_.replace(begin, end - begin, entry);
    if (!present) ++count_;
    return !same;
}

void Attributes::Unite(const Attributes& other) {
    base::ByteReader theirs(other.bytes_);
    while (!theirs.done()) {
        uint32_t name = 0;
        const AttributeValue v = Next(theirs, name);
        std::string out;
        bool placed = false;
        uint32_t count = 0;
        base::ByteReader ours(bytes_);
        while (!ours.done()) {
            uint32_t at = 0;
            const AttributeValue mine = Next(ours, at);
            if (!placed && at >= name) {
                placed = true;
                if (at == name) {
                    Put(out, name, Later(mine, v) >= 0 ? mine : v);
                    ++count;
                    continue;
                }
                Put(out, name, v);
                ++count;
            }
            Put(out, at, mine);
            ++count;
        }
        if (!placed) {
            Put(out, name, v);
            ++count;
        }
        bytes_ = std::move(out);
        count_ = count;
    }
}

void Attributes::Assign(std::vector<std::pair<uint32_t, AttributeValue>>& all) {
    std::erase_if(all, [](const auto& entry) { return entry.first == UINT32_MAX; });
    std::sort(all.begin(), all.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    bytes_.clear();
    for (const auto& [name, value] : all) Put(bytes_, name, value);
    count_ = static_cast<uint32_t>(all.size());
}

bool Attributes::Load(std::string_view bytes) {
    bytes_.assign(bytes);
    count_ = 0;
    base::ByteReader in(bytes_);
    while (!in.done()) {
        uint32_t name = 0;
        Next(in, name);
        ++count_;
    }
    return in.ok();
}

bool Person::InSegment(uint32_t segment) const {
    const auto it =
        std::lower_bound(segments.begin(), segments.end(), segment,
                         [](const Membership& m, uint32_t s) { return m.segment < s; });
    return it != segments.end() && it->segment == segment;
}

namespace {

void PutId(base::ByteWriter& w, const PersonId& id) {
    w.U64(id.hi);
    w.U64(id.lo);
}
PersonId GetId(base::ByteReader& in) {
    PersonId id;
    id.hi = in.U64();
    id.lo = in.U64();
    return id;
}
void PutKey(base::ByteWriter& w, const FactKey& key) {
    w.Varint(key.stream);
    w.Varint(key.offset);
    w.Varint(key.ordinal);
}
FactKey GetKey(base::ByteReader& in) {
    FactKey key;
    key.stream = static_cast<StreamId>(in.Varint());
    key.offset = in.Varint();
    key.ordinal = static_cast<uint32_t>(in.Varint());
    return key;
}

void EncodeEntry(base::ByteWriter& w, const JourneyEntry& e) {
    w.Varint(e.journey);
    w.Varint(e.version);
    PutKey(w, e.id);
    w.Signed(e.entered_ms);
    w.U64(e.seed);
    w.Text(e.key);
    w.Varint(e.step);
    w.Signed(e.due_ms);
    w.Signed(e.ended_ms);
    w.U8(static_cast<uint8_t>(e.end));
    EncodeAccumulators(w, e.since_entry);
    w.Text(e.trigger);
    w.Text(e.properties);
}

bool DecodeEntry(base::ByteReader& in, JourneyEntry& e) {
    e.journey = static_cast<uint32_t>(in.Varint());
    e.version = static_cast<uint32_t>(in.Varint());
    e.id = GetKey(in);
    e.entered_ms = in.Signed();
    e.seed = in.U64();
    e.key = in.Text();
    e.step = static_cast<uint32_t>(in.Varint());
    e.due_ms = in.Signed();
    e.ended_ms = in.Signed();
    e.end = static_cast<EntryEnd>(in.U8());
    if (!DecodeAccumulators(in, e.since_entry)) return false;
    e.trigger = in.Text();
    e.properties = in.Text();
    return in.ok();
}

void EncodeMessage(base::ByteWriter& w, const Message& m) {
    PutKey(w, m.id);
    w.Varint(m.journey);
    w.Varint(m.version);
    PutKey(w, m.entry);
    w.Varint(m.step);
    w.U8(static_cast<uint8_t>(m.state));
    w.Varint(m.attempts);
    w.Signed(m.created_ms);
    w.Signed(m.changed_ms);
    w.Signed(m.retry_ms);
    w.Signed(m.first_attempt_ms);
    w.Signed(m.opened_ms);
    w.Signed(m.clicked_ms);
    w.Text(m.reason);
}

void DecodeMessage(base::ByteReader& in, Message& m) {
    m.id = GetKey(in);
    m.journey = static_cast<uint32_t>(in.Varint());
    m.version = static_cast<uint32_t>(in.Varint());
    m.entry = GetKey(in);
    m.step = static_cast<uint32_t>(in.Varint());
    m.state = static_cast<MessageState>(in.U8());
    m.attempts = static_cast<uint32_t>(in.Varint());
    m.created_ms = in.Signed();
    m.changed_ms = in.Signed();
    m.retry_ms = in.Signed();
    m.first_attempt_ms = in.Signed();
    m.opened_ms = in.Signed();
    m.clicked_ms = in.Signed();
    m.reason = in.Text();
}

void EncodeFacts(base::ByteWriter& w, const PersonFacts& f) {
    w.Varint(f.entries.size());
    for (const auto& e : f.entries) EncodeEntry(w, e);
    w.Varint(f.messages.size());
    for (const auto& m : f.messages) EncodeMessage(w, m);
    w.Varint(f.merged.size());
    for (const auto& id : f.merged) PutId(w, id);
    w.Varint(f.receipts.size());
    for (const auto& r : f.receipts) {
        w.Signed(r.due_ms);
        PutKey(w, r.message);
        w.U8(r.kind);
        w.Varint(r.link);
        w.Signed(r.at_ms);
        w.U8(r.machine ? 1 : 0);
        w.Text(r.url);
    }
    w.Signed(f.unsubscribed_ms);
    w.Signed(f.bounced_ms);
    w.Text(f.claims);
}

bool DecodeFacts(base::ByteReader& in, PersonFacts& f) {
    f.entries.resize(in.Count());
    for (auto& e : f.entries) {
        if (!DecodeEntry(in, e)) return false;
    }
    f.messages.resize(in.Count());
    for (auto& m : f.messages) DecodeMessage(in, m);
    f.merged.resize(in.Count());
    for (auto& id : f.merged) id = GetId(in);
    f.receipts.resize(in.Count());
    for (auto& r : f.receipts) {
        r.due_ms = in.Signed();
        r.message = GetKey(in);
        r.kind = in.U8();
        r.link = static_cast<uint16_t>(in.Varint());
        r.at_ms = in.Signed();
        r.machine = in.U8() != 0;
        r.url = in.Text();
    }
    f.unsubscribed_ms = in.Signed();
    f.bounced_ms = in.Signed();
    f.claims = in.Text();
    return in.ok();
}

}  // namespace

void EncodePerson(std::string& out, const Person& p) {
    base::ByteWriter w(out);
    w.U8(kPersonVersion);
    PutId(w, p.id);
    w.U8(static_cast<uint8_t>((p.trusted ? 1 : 0) | (p.moved() ? 2 : 0) | (p.taken ? 4 : 0) |
                              (p.facts ? 8 : 0)));
    if (p.moved()) PutId(w, p.moved_to);
    w.Varint(p.workspace);
    w.Varint(p.visits);
    w.Varint(p.events);
    w.Signed(p.created_ms);
    w.Signed(p.seen_ms);
    w.Signed(p.visit_ms);
    w.Varint(p.ids.size());
    for (const auto& key : p.ids) {
        w.U8(static_cast<uint8_t>(static_cast<uint8_t>(key.kind) << 1 | (key.confirmed ? 1 : 0)));
        PutId(w, key.hash);
        w.Text(key.text);
    }
    w.Text(p.attributes.bytes());
    w.Text(p.first_touch);
    w.Text(p.last_touch);
    EncodeAccumulators(w, p.accumulators);
    w.Varint(p.segments.size());
    for (const auto& m : p.segments) {
        w.Varint(m.segment);
        w.Signed(m.since_ms);
    }
    if (p.taken) p.taken->Encode(w);
    if (p.facts) EncodeFacts(w, *p.facts);
}

bool DecodePerson(std::string_view bytes, Person& p) {
    base::ByteReader in(bytes);
    if (in.U8() != kPersonVersion) return false;
    p.id = GetId(in);
    const uint8_t flags = in.U8();
    p.trusted = (flags & 1) != 0;
    if ((flags & 2) != 0) p.moved_to = GetId(in);
    p.workspace = static_cast<WorkspaceId>(in.Varint());
    p.visits = static_cast<uint32_t>(in.Varint());
    p.events = static_cast<uint32_t>(in.Varint());
    p.created_ms = in.Signed();
    p.seen_ms = in.Signed();
    p.visit_ms = in.Signed();
    p.ids.resize(in.Count());
    for (auto& key : p.ids) {
        const uint8_t kind = in.U8();
        key.kind = static_cast<IdKind>(kind >> 1);
        key.confirmed = (kind & 1) != 0;
        key.hash = GetId(in);
        key.text = in.Text();
    }
    if (!p.attributes.Load(in.Text())) return false;
    p.first_touch = in.Text();
    p.last_touch = in.Text();
    if (!DecodeAccumulators(in, p.accumulators)) return false;
    p.segments.resize(in.Count());
    for (auto& m : p.segments) {
        m.segment = static_cast<uint32_t>(in.Varint());
        m.since_ms = in.Signed();
    }
    if ((flags & 4) != 0) {
        p.taken = std::make_unique<TakenIds>();
        if (!p.taken->Decode(in)) return false;
    }
    if ((flags & 8) != 0) {
        p.facts = std::make_unique<PersonFacts>();
        if (!DecodeFacts(in, *p.facts)) return false;
    }
    return in.ok() && in.done();
}

}  // namespace model
