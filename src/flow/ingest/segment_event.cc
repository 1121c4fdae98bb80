// Events of the Segment family: Segment, RudderStack, Jitsu, Dittofeed, the pixel.
#include "base/limits.h"
#include "flow/ingest/draft.h"

namespace ingest {

using model::JsonKind;
using model::JsonScan;
using model::JsonSlice;

namespace {

bool ReadPage(JsonScan& scan, Draft& draft) {
    if (scan.Peek() != '{') return !scan.Take().none();
    const size_t begin = scan.Position();
    const bool read = scan.EachField([&](std::string_view key) {
        const JsonSlice value = scan.Take();
        if (value.kind != JsonKind::kString) return !value.none();
        if (key == "url") draft.page_url = scan.Text(value);
        if (key == "referrer") draft.page_referrer = scan.Text(value);
        return true;
    });
    if (read) draft.event.page = scan.ContainerSince(begin);
    return read;
}

bool ReadCampaign(JsonScan& scan, Draft& draft) {
    if (scan.Peek() != '{') return !scan.Take().none();
    const size_t begin = scan.Position();
    CampaignTags& tags = draft.tags;
    const bool read = scan.EachField([&](std::string_view key) {
        const JsonSlice value = scan.Take();
        if (value.kind != JsonKind::kString) return !value.none();
        if (key == "source") tags.source = scan.Text(value);
        if (key == "medium") tags.medium = scan.Text(value);
        if (key == "name" || key == "campaign") tags.name = scan.Text(value);
        if (key == "term") tags.term = scan.Text(value);
        if (key == "content") tags.content = scan.Text(value);
        return true;
    });
    if (read && scan.ContainerSince(begin).size() > 2) {
        draft.event.campaign = scan.ContainerSince(begin);
    }
    return read;
}

bool ReadSignature(JsonScan& scan, Draft& draft) {
    FieldReader reader(scan);
    if (scan.Peek() != '{') return reader.Text(draft.signature_user);
    return scan.EachField([&](std::string_view key) {
        std::string_view text;
        if (!reader.Text(text)) return false;
        if (key == "user" || key == "user_id") draft.signature_user = text;
        if (key == "email") draft.signature_email = text;
        return true;
    });
}

bool ReadRipen(JsonScan& scan, Draft& draft) {
    if (scan.Peek() != '{') return !scan.Take().none();
    return scan.EachField([&](std::string_view key) {
        return key == "signature" ? ReadSignature(scan, draft) : !scan.Take().none();
    });
}

// Which fields of the event were seen: duplicates at the top level are refused.
enum Seen : uint32_t {
    kUnknown = 0,
    kType = 1, kName = 2, kEvent = 4, kMessageId = 8, kTimestamp = 16, kOriginal = 32,
    kSentAt = 64, kUserId = 128, kAnonymousId = 256, kGroupId = 512, kPreviousId = 1024,
    kProperties = 2048, kTraits = 4096, kContext = 8192, kCategory = 16384, kDropped = 32768,
    kWriteKey = 65536, kMetadata = 131072,
};

Seen FieldOf(std::string_view key) {
    switch (key.size()) {
        case 4:
            if (key == "type") return kType;
            return key == "name" ? kName : kUnknown;
        case 5: return key == "event" ? kEvent : kUnknown;
        case 6:
            if (key == "userId") return kUserId;
            if (key == "traits") return kTraits;
            return key == "sentAt" ? kSentAt : kUnknown;
        case 7:
            if (key == "context") return kContext;
            return key == "groupId" ? kGroupId : kUnknown;
        case 8:
            if (key == "category") return kCategory;
            return key == "writeKey" ? kWriteKey : kUnknown;
        case 9:
            if (key == "messageId") return kMessageId;
            if (key == "timestamp") return kTimestamp;
            return key == "_metadata" ? kMetadata : kUnknown;
        case 10:
            if (key == "properties") return kProperties;
            return key == "previousId" ? kPreviousId : kUnknown;
        case 11: return key == "anonymousId" ? kAnonymousId : kUnknown;
        case 12: return key == "integrations" ? kDropped : kUnknown;
        case 17: return key == "originalTimestamp" ? kOriginal : kUnknown;
        default: return kUnknown;
    }
}

class SegmentReader {
  public:
    SegmentReader(JsonScan& scan, Call call, Draft& draft)
        : scan_(scan), reader_(scan), rest_(scan), call_(call), draft_(draft) {}

    bool Read() {
        rest_.Begin();
        const bool read = scan_.EachField([this](std::string_view key) { return Field(key); });
        if (!read) return false;
        draft_.event.extra = rest_.End();
        return Close();
    }

  private:
    bool Refuse(std::string reason) {
        draft_.reason = std::move(reason);
        return false;
    }

    bool Field(std::string_view key) {
        if (++fields_ > limits::kEventFieldsMax) {
            return Refuse("more than " + std::to_string(limits::kEventFieldsMax) + " fields");
        }
        const Seen field = FieldOf(key);
        if (field == kUnknown) return Unknown(key);
        if ((seen_ & field) != 0) return Refuse(std::string(key) + ": given twice");
        seen_ |= field;
        model::Event& e = draft_.event;
        switch (field) {
            case kType: return Type();
            case kName: return reader_.Text(draft_.page_name);
            case kCategory: return reader_.Text(draft_.page_category);
            case kEvent: return Name();
            case kMessageId: return reader_.Id("messageId", e.message_id, draft_.reason);
            case kTimestamp: return reader_.Time(draft_.time);
            case kOriginal: return reader_.Time(original_);
            case kSentAt: return SentAt();
            case kUserId: return reader_.Id("userId", e.user_id, draft_.reason);
            case kAnonymousId: return reader_.Id("anonymousId", e.anonymous_id, draft_.reason);
            case kGroupId: return reader_.Id("groupId", e.group_id, draft_.reason);
            case kPreviousId: return reader_.Id("previousId", e.previous_id, draft_.reason);
            case kProperties: return reader_.Properties(draft_);
            case kTraits:
                return reader_.Object("traits", e.traits, draft_.reason, &traits_email_);
            case kContext: return ReadContext(scan_, draft_);
            default: return !scan_.Take().none();  // integrations, _metadata, writeKey.
        }
    }

    bool Unknown(std::string_view key) {
        for (const std::string_view before : unknown_) {
            if (before == key) return Refuse("a field is given twice");
        }
        unknown_.push_back(key);
        return rest_.Rest(key);
    }

    bool Type() {
        const JsonSlice value = scan_.Take();
        if (value.none()) return false;
        if (call_ != Call::kBatch && call_ != Call::kImport) return true;  // The address decides.
        if (value.kind != JsonKind::kString ||
            !model::EventTypeOf(scan_.Text(value), draft_.event.type)) {
            return Refuse("type: must be track, page, screen, identify, group or alias");
        }
        draft_.type_known = true;
        return true;
    }

    bool Name() {
        const JsonSlice value = scan_.Take();
        if (value.none()) return false;
        if (value.kind != JsonKind::kString) return true;
        draft_.event.name = scan_.Text(value);
        if (draft_.event.name.size() > limits::kNameBytesMax) {
            return Refuse("event: longer than " + std::to_string(limits::kNameBytesMax) +
                          " bytes");
        }
        if (value.escaped && draft_.event.name.find('\0') != std::string_view::npos) {
            return Refuse("event: holds a NUL character");
        }
        return true;
    }

    bool SentAt() {
        ClientTime sent;
        if (!reader_.Time(sent)) return false;
        if (sent.readable) draft_.sent_at_ms = sent.ms;
        return true;
    }

    bool Close() {
        if (!draft_.time.given) draft_.time = original_;
        model::Event& e = draft_.event;
        switch (call_) {
            case Call::kTrack: e.type = model::EventType::kTrack; break;
            case Call::kPage: e.type = model::EventType::kPage; break;
            case Call::kScreen: e.type = model::EventType::kScreen; break;
            case Call::kIdentify: e.type = model::EventType::kIdentify; break;
            case Call::kGroup: e.type = model::EventType::kGroup; break;
            case Call::kAlias: e.type = model::EventType::kAlias; break;
            default:
                if (!draft_.type_known) return Refuse("type: missing");
        }
        if (e.type == model::EventType::kIdentify) {
            // RudderStack's and Jitsu's browser clients put them into the context.
            if (e.traits.empty()) {
                e.traits = draft_.context_traits;
                traits_email_ = draft_.context_email;
            }
            if (!traits_email_.empty()) draft_.email = traits_email_;
        } else {
            draft_.email = {};
        }
        return true;
    }

    JsonScan& scan_;
    FieldReader reader_;
    FieldReader rest_;
    Call call_;
    Draft& draft_;
    uint32_t seen_ = 0;
    size_t fields_ = 0;
    ClientTime original_;
    std::string_view traits_email_;
    std::vector<std::string_view> unknown_;
};

}  // namespace

bool ReadContext(JsonScan& scan, Draft& draft) {
    if (scan.Peek() != '{') return !scan.Take().none();
    FieldReader reader(scan);
    FieldReader rest(scan);
    const bool read = scan.EachField([&](std::string_view key) {
        switch (key.size()) {
            case 2:
                if (key == "ip") return reader.Text(draft.ip);
                break;
            case 4:
                if (key == "page") return ReadPage(scan, draft);
                break;
            case 5:
                if (key == "ripen") return ReadRipen(scan, draft);
                break;
            case 6:
                if (key == "locale") return reader.Text(draft.event.locale);
                if (key == "traits") {
                    return reader.Object("context.traits", draft.context_traits, draft.reason,
                                         &draft.context_email);
                }
                break;
            case 7:
                if (key == "library") {
                    const JsonSlice value = scan.Take();
                    if (value.is_object()) draft.event.library = value.raw;
                    return !value.none();
                }
                break;
            case 8:
                if (key == "timezone") return reader.Text(draft.event.timezone);
                if (key == "campaign") return ReadCampaign(scan, draft);
                break;
            case 9:
                if (key == "userAgent") return reader.Text(draft.event.user_agent);
                break;
            default: break;
        }
        return rest.Rest(key);
    });
    if (read) draft.event.more = rest.End();
    return read;
}

void MergeContext(Draft& draft, const Draft& batch) {
    const auto fill = [](std::string_view& own, std::string_view other) {
        if (own.empty()) own = other;
    };
    model::Event& e = draft.event;
    const model::Event& b = batch.event;
    if (e.page.empty()) {
        e.page = b.page;
        draft.page_url = batch.page_url;
        draft.page_referrer = batch.page_referrer;
    }
    if (e.campaign.empty()) {
        e.campaign = b.campaign;
        draft.tags = batch.tags;
    }
    if (e.type == model::EventType::kIdentify && e.traits.empty() &&
        !batch.context_traits.empty()) {
        e.traits = batch.context_traits;
        draft.email = batch.context_email;
    }
    fill(e.locale, b.locale);
    fill(e.timezone, b.timezone);
    fill(e.user_agent, b.user_agent);
    fill(e.library, b.library);
    fill(e.more, b.more);
    fill(draft.ip, batch.ip);
    fill(draft.signature_user, batch.signature_user);
    fill(draft.signature_email, batch.signature_email);
}

bool ReadSegmentEvent(JsonScan& scan, Call call, Draft& draft) {
    return SegmentReader(scan, call, draft).Read();
}

}  // namespace ingest
