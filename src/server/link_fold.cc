#include "server/link_fold.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "server/payload.h"

namespace server {
namespace {

constexpr uint8_t kLinkMetaVersion = 1;

}  // namespace

void LinkFold::Apply(const model::Record& record) {
    CHECK(record.offset == offset_ + 1);
    offset_ = record.offset;
    now_ = std::max(now_, record.time_ms);
    if (record.kind == model::RecordKind::kRelayed) {
        model::FactKey upto;
        if (!ReadKeyField(record.payload, "upto", upto)) return;
        while (!relays_.empty() && std::pair(relays_.front().origin.offset,
                                             relays_.front().origin.ordinal) <=
                                       std::pair(upto.offset, upto.ordinal)) {
            relays_.pop_front();
        }
        return;
    }
    if (record.kind == model::RecordKind::kLinkDone) {
        map_.Arrived(record.person);
        return;
    }
    identity::LinkCall call;
    if (record.kind != model::RecordKind::kLink || !identity::DecodeCall(record.payload, call)) {
        return;
    }
    std::vector<identity::Joined> joined;
    map_.Fold(call, joined);
    model::FactNumbers numbers{stream_, record.offset, 0};
    for (const auto& join : joined) {
        engine::Relay relay;
        relay.origin = numbers.Next();
        // A move goes to the partition of who moves; a claim to the card of who is claimed.
        const model::PersonId& about = join.pending ? join.to : join.from;
        const model::PersonId& other = join.pending ? join.from : join.to;
        relay.record.stream = model::PartitionOf(about, partitions_);
        relay.record.kind =
            join.pending ? model::RecordKind::kJoinClaim : model::RecordKind::kMovedOut;
        relay.record.workspace = record.workspace;
        relay.record.person = about;
        relay.record.payload = "{\"from\":[" + std::to_string(stream_) + ',' +
                               std::to_string(record.offset) + ',' +
                               std::to_string(relay.origin.ordinal) + "],\"to\":\"" +
                               model::ToText(other) + "\"}";
        relays_.push_back(std::move(relay));
    }
}

std::string LinkFold::EncodeMeta() const {
    std::string out;
    base::ByteWriter w(out);
    w.U8(kLinkMetaVersion);
    w.Varint(offset_);
    w.Signed(now_);
    w.Varint(relays_.size());
    for (const auto& relay : relays_) {
        w.Varint(relay.origin.offset);
        w.Varint(relay.origin.ordinal);
        w.Varint(relay.record.stream);
        w.U8(static_cast<uint8_t>(relay.record.kind));
        w.Varint(relay.record.workspace);
        w.U64(relay.record.person.hi);
        w.U64(relay.record.person.lo);
        w.Text(relay.record.payload);
    }
    return out;
}

void LinkFold::Freeze() {
    frozen_.clear();
    frozen_at_ = 0;
    map_.ForEach([&](const model::PersonId& id, std::string bytes) {
        std::string key = PersonKeyOf(id);
        key.front() = 'l';
        frozen_.emplace_back(std::move(key), std::move(bytes));
    });
    std::sort(frozen_.begin(), frozen_.end());
    frozen_.emplace_back(kMetaKey, EncodeMeta());
    frozen_offset_ = offset_;
}

bool LinkFold::WriteFrozen(engine::StateSink& sink, size_t entries_max) {
    for (size_t n = 0; n < entries_max && frozen_at_ < frozen_.size(); ++n, ++frozen_at_) {
        sink.Put(frozen_[frozen_at_].first, frozen_[frozen_at_].second);
    }
    if (frozen_at_ < frozen_.size()) return false;
    frozen_.clear();
    frozen_at_ = 0;
    return true;
}

bool LinkFold::Load(std::string_view key, std::string_view value) {
    if (key != kMetaKey) {
        if (key.size() != 17 || key.front() != 'l') return false;
        model::PersonId id;
        for (size_t i = 0; i < 16; ++i) {
            uint64_t& half = i < 8 ? id.hi : id.lo;
            half = half << 8 | static_cast<uint8_t>(key[1 + i]);
        }
        return map_.Load(id, value);
    }
    base::ByteReader in(value);
    if (in.U8() != kLinkMetaVersion) return false;
    offset_ = in.Varint();
    now_ = in.Signed();
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
        relay.record.payload = in.Text();
        relays_.push_back(std::move(relay));
    }
    return in.ok() && in.done();
}

base::Status LinkFold::Loaded() {
    frozen_offset_ = offset_;
    return {};
}

void LinkFold::Dump(std::string& out) {
    std::vector<std::pair<std::string, std::string>> all;
    map_.ForEach([&](const model::PersonId& id, std::string bytes) {
        all.emplace_back(PersonKeyOf(id), std::move(bytes));
    });
    std::sort(all.begin(), all.end());
    base::ByteWriter w(out);
    w.Text(EncodeMeta());
    for (const auto& [key, value] : all) {
        w.Text(key);
        w.Text(value);
    }
}

}  // namespace server
