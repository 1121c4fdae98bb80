#include "flow/ingest/decode.h"

#include <charconv>

#include "base/json.h"
#include "base/limits.h"
#include "flow/ingest/device.h"
#include "flow/ingest/draft.h"
#include "flow/ingest/place.h"
#include "flow/ingest/signature.h"
#include "model/json_scan.h"

namespace ingest {

using model::EventType;
using model::JsonScan;
using model::JsonSlice;
using model::Trust;

namespace {

// Levels that a body puts around an event's own: {"batch":[ event ]}.
constexpr int kLevelsAround = 2;

std::string_view Cut(std::string_view text, size_t size) {
    if (text.size() <= size) return text;
    while (size > 0 && (static_cast<uint8_t>(text[size]) & 0xc0) == 0x80) --size;
    return text.substr(0, size);
}

}  // namespace

struct Decoder::Impl {
    UserAgents* agents = nullptr;
    Places* places = nullptr;
    JsonScan scan;
    SourceReader sources;
    Decoded decoded;
    std::vector<Draft> drafts;
    std::vector<size_t> indexes;                   // Of each draft in the batch.
    std::vector<std::pair<size_t, size_t>> spans;  // Of each draft in the text.
    Draft batch_context;
    std::string inner_body;  // Of a pixel or form: the JSON taken out of it.
    size_t count = 0;        // Events met, good or bad.
    const RequestFacts* facts = nullptr;

    // The agent and address looked up last: a batch mostly has one of each.
    std::string_view last_agent;
    std::string last_ip;
    model::Device last_device;
    model::Place last_place;
    bool last_is_bot = false;
    bool agent_known = false;
    bool place_known = false;

    void Reset(const RequestFacts& request) {
        facts = &request;
        decoded.events.clear();
        decoded.refused.clear();
        decoded.not_tracked = decoded.self_aliases = 0;
        decoded.sent_at_ms = 0;
        decoded.single = false;
        drafts.clear();
        indexes.clear();
        spans.clear();
        batch_context = Draft{};
        count = 0;
        agent_known = place_known = false;
    }

    base::Status Malformed() const { return base::Invalid("The body is not valid JSON in UTF-8."); }

    base::Status ReadBody(const Route& route, std::string_view text);
    base::Status ReadBatchBody(const Route& route);
    base::Status ReadEvents(const Route& route);
    base::Status ReadOne(const Route& route);
    bool BodyHasField(std::string_view name);
    void Refuse(size_t index, std::string reason, std::string_view raw);

    void Finish(size_t i);
    bool CheckIds(Draft& draft);
    void SetTime(const Draft& draft, model::Event& e) const;
    void SetTrust(const Draft& draft, model::Event& e) const;
    void SetPerson(model::Event& e) const;
    void SetDevice(model::Event& e);
    void SetPlace(const Draft& draft, model::Event& e);
    void SetSource(const Draft& draft, model::Event& e);
    void NamePage(Draft& draft);
    std::string_view MadeId(size_t index);
};

void Decoder::Impl::Refuse(size_t index, std::string reason, std::string_view raw) {
    decoded.refused.push_back(
        {index, std::move(reason), std::string(Cut(raw, limits::kRefusedRawBytesMax))});
}

// One event, standing on its first token.
base::Status Decoder::Impl::ReadOne(const Route& route) {
    const size_t index = count++;
    if (count > limits::kBatchEventsMax) {
        return base::Fail(
            base::ErrorCode::kTooLarge, "batch of too many events",
            "A batch holds at most " + std::to_string(limits::kBatchEventsMax) + " events.");
    }
    const size_t begin = scan.Position();
    if (scan.Peek() != '{') {
        const JsonSlice value = scan.Take();
        if (value.none()) return Malformed();
        Refuse(index, "must be an object", value.raw);
        return {};
    }
    Draft& draft = drafts.emplace_back();
    const auto mark = scan.Here();
    scan.LimitDepth(limits::kJsonDepthMax);
    const bool read = route.dialect == Dialect::kPosthog
                          ? ReadPosthogEvent(scan, draft)
                          : ReadSegmentEvent(scan, route.call, draft);
    const auto fault = scan.fault();
    if (fault == JsonScan::Fault::kMalformed) return Malformed();
    std::string reason = std::move(draft.reason);
    if (fault == JsonScan::Fault::kTooDeep) {
        reason = "deeper than " + std::to_string(limits::kJsonDepthMax) + " levels";
    } else if (fault == JsonScan::Fault::kSurrogate) {
        reason = "a text holds half a surrogate pair";
    }
    if (fault != JsonScan::Fault::kNone && !scan.SkipFrom(mark)) return Malformed();
    scan.LimitDepth(limits::kJsonDepthMax + kLevelsAround);
    const std::string_view raw = scan.ContainerSince(begin);
    if (raw.size() > limits::kEventBytesMax) {
        reason = "larger than " + std::to_string(limits::kEventBytesMax) + " bytes";
    }
    if (!read || !reason.empty()) {
        Refuse(index, std::move(reason), raw);
        drafts.pop_back();
        return {};
    }
    indexes.push_back(index);
    spans.emplace_back(begin, raw.size());
    return {};
}

base::Status Decoder::Impl::ReadEvents(const Route& route) {
    base::Status status;
    if (scan.Peek() != '[') return base::Invalid("batch: must be an array of events.", "batch");
    const bool read = scan.EachElement([&] {
        status = ReadOne(route);
        return status.has_value();
    });
    if (!status) return status;
    if (!read) return Malformed();
    return {};
}

// True when the object the scan stands on has this field; the scan stays where it is.
bool Decoder::Impl::BodyHasField(std::string_view name) {
    const auto mark = scan.Here();
    bool found = false;
    scan.EachField([&](std::string_view key) {
        found = found || key == name;
        return !found && scan.SkipFrom(scan.Here());
    });
    scan.GoTo(mark);
    return found;
}

base::Status Decoder::Impl::ReadBatchBody(const Route& route) {
    base::Status status;
    bool has_batch = false;
    std::vector<std::string_view> seen;
    const bool read = scan.EachField([&](std::string_view key) {
        for (const std::string_view before : seen) {
            if (before == key) {
                status = base::Invalid("A field of the body is given twice.", std::string(key));
                return false;
            }
        }
        if (seen.size() >= limits::kEventFieldsMax) {
            status = base::Invalid("The body has too many fields.");
            return false;
        }
        seen.push_back(key);
        if (key == "batch") {
            has_batch = true;
            status = ReadEvents(route);
            return status.has_value();
        }
        if (key == "context") return ReadContext(scan, batch_context);
        if (key == "sentAt" || key == "sent_at") {
            ClientTime sent;
            if (!FieldReader(scan).Time(sent)) return false;
            if (sent.readable) decoded.sent_at_ms = sent.ms;
            return true;
        }
        return !scan.Take().none();
    });
    if (!status) return status;
    if (!batch_context.reason.empty()) return base::Invalid(batch_context.reason);
    if (!read) return Malformed();
    if (!has_batch) return base::Invalid("batch: missing.", "batch");
    return {};
}

base::Status Decoder::Impl::ReadBody(const Route& route, std::string_view text) {
    if (!scan.Open(text, limits::kJsonDepthMax + kLevelsAround)) return Malformed();
    const bool batch = route.call == Call::kBatch || route.call == Call::kImport;
    const char c = scan.Peek();
    if (c == '[' && batch) {
        TRY(ReadEvents(route));
    } else if (c == '{' && batch && (route.dialect != Dialect::kPosthog || BodyHasField("batch"))) {
        TRY(ReadBatchBody(route));
    } else if (c == '{') {
        decoded.single = true;
        TRY(ReadOne(route));
    } else {
        return base::Invalid("The body must be a JSON object.");
    }
    if (!scan.AtEnd()) return Malformed();
    return {};
}

bool Decoder::Impl::CheckIds(Draft& draft) {
    const model::Event& e = draft.event;
    if (e.user_id.empty() && e.anonymous_id.empty()) {
        draft.reason = "userId or anonymousId: one is needed";
    } else if (e.type == EventType::kTrack && e.name.empty()) {
        draft.reason = "event: missing";
    } else if (e.type == EventType::kGroup && e.group_id.empty()) {
        draft.reason = "groupId: missing";
    } else if (e.type == EventType::kAlias && e.previous_id.empty()) {
        draft.reason = "previousId: missing";
    }
    return draft.reason.empty();
}

// Semantics 13.
void Decoder::Impl::SetTime(const Draft& draft, model::Event& e) const {
    const base::TimeMs received = facts->received_ms;
    e.received_ms = received;
    e.time_ms = received;
    const bool trusted = facts->key_trust == Trust::kSecret;
    e.import = facts->import && trusted;
    base::TimeMs own = received;
    if (draft.age_ms >= 0) {
        own = received - draft.age_ms;
    } else if (draft.time.given) {
        if (!draft.time.readable) {
            e.time_clamped = true;
            return;
        }
        own = draft.time.ms;
        const base::TimeMs sent = decoded.sent_at_ms != 0 ? decoded.sent_at_ms : draft.sent_at_ms;
        if (sent != 0 && !e.import) own += received - sent;
    }
    const base::TimeMs first =
        trusted ? limits::kTrustedPastMin : received - limits::kPublicPastMax;
    const base::TimeMs last =
        received + (trusted ? limits::kTrustedFutureMax : limits::kPublicFutureMax);
    if (own < first || own > last) {
        e.time_clamped = true;
        return;
    }
    e.time_ms = own;
}

// Semantics 15. A signature counts when every joining id of the event carries its own.
void Decoder::Impl::SetTrust(const Draft& draft, model::Event& e) const {
    e.trust = facts->key_trust;
    if (e.trust == Trust::kSecret) return;
    if (draft.signature_user.empty() && draft.signature_email.empty()) return;
    if (e.user_id.empty() && e.email.empty()) return;
    const bool user =
        e.user_id.empty() || SignatureHolds(facts->identity_secret, model::IdKind::kUser, e.user_id,
                                            draft.signature_user);
    const bool email =
        e.email.empty() || SignatureHolds(facts->identity_secret, model::IdKind::kEmail, e.email,
                                          draft.signature_email);
    if (user && email) e.trust = Trust::kSigned;
}

void Decoder::Impl::SetPerson(model::Event& e) const {
    if (!e.user_id.empty()) {
        e.person = model::PersonOf(facts->person_key, model::IdKind::kUser, e.user_id);
    } else if (!e.email.empty()) {
        e.person = model::PersonOf(facts->person_key, model::IdKind::kEmail, e.email);
    } else {
        e.person = model::PersonOf(facts->person_key, model::IdKind::kAnonymous, e.anonymous_id);
    }
}

void Decoder::Impl::SetDevice(model::Event& e) {
    // A server's own header says nothing about the person.
    // The request's own agent speaks of the visitor only when a browser sent it: a server or a
    // developer's curl is the messenger, not a robot that visits.
    if (e.user_agent.empty() && facts->key_trust == Trust::kPublicKey &&
        facts->user_agent.starts_with("Mozilla/")) {
        e.user_agent = Cut(facts->user_agent, limits::kAgentBytesMax);
    }
    if (agents == nullptr || e.user_agent.empty()) return;
    if (!agent_known || e.user_agent != last_agent) {
        const AgentFacts& found = agents->Find(e.user_agent);
        last_agent = e.user_agent;
        last_device = {scan.Keep(found.type), scan.Keep(found.os), scan.Keep(found.browser)};
        last_is_bot = found.is_bot;
        agent_known = true;
    }
    e.device = last_device;
    e.is_bot = last_is_bot;
}

void Decoder::Impl::SetPlace(const Draft& draft, model::Event& e) {
    if (places == nullptr) return;
    const std::string_view ip = facts->key_trust == Trust::kSecret ? draft.ip : facts->peer_ip;
    if (ip.empty()) return;
    if (!place_known || ip != last_ip) {
        const PlaceFacts& found = places->Find(ip);
        last_ip.assign(ip);
        last_place = {scan.Keep(found.country), scan.Keep(found.region), scan.Keep(found.city)};
        place_known = true;
    }
    e.place = last_place;
}

void Decoder::Impl::SetSource(const Draft& draft, model::Event& e) {
    if (draft.page_url.empty() && draft.tags.source.empty() && draft.tags.medium.empty() &&
        draft.tags.name.empty()) {
        return;
    }
    // The reader's memory is overwritten by the next event, the decoder's lives as long as the
    // events.
    e.source = sources.Read(draft.tags, draft.page_url, draft.page_referrer);
    const auto keep = [&](std::string_view& text) {
        if (sources.Owns(text)) text = scan.Keep(text);
    };
    keep(e.source.source);
    keep(e.source.medium);
    keep(e.source.campaign);
    keep(e.source.term);
    keep(e.source.content);
    keep(e.source.click_id);
    keep(e.source.referrer_host);
}

// Segment's page and screen calls name the page beside the properties; readers look for it there.
void Decoder::Impl::NamePage(Draft& draft) {
    model::Event& e = draft.event;
    const bool name = !draft.page_name.empty() && !draft.properties_name;
    const bool category = !draft.page_category.empty() && !draft.properties_category;
    if (!name && !category) return;
    std::string text;
    base::JsonWriter writer(text);
    writer.Begin('{');
    if (name) writer.Key("name").String(draft.page_name);
    if (category) writer.Key("category").String(draft.page_category);
    const std::string_view inner =
        e.properties.size() < 2 ? "" : e.properties.substr(1, e.properties.size() - 2);
    if (inner.find_first_not_of(" \t\r\n") != std::string_view::npos) {
        text.push_back(',');
        text.append(inner);
    }
    text.push_back('}');
    e.properties = scan.Keep(text);
}

std::string_view Decoder::Impl::MadeId(size_t index) {
    const std::string id = "made-" + model::ToText(base::Hash128{
                                         facts->random.hi, base::Mix64(facts->random.lo + index)});
    return scan.Keep(id);
}

void Decoder::Impl::Finish(size_t i) {
    Draft& draft = drafts[i];
    MergeContext(draft, batch_context);
    model::Event& e = draft.event;
    if (e.type != EventType::kTrack) e.name = model::StandingName(e.type);
    if (!CheckIds(draft)) {
        Refuse(indexes[i], std::move(draft.reason),
               scan.text().substr(spans[i].first, spans[i].second));
        return;
    }
    if (e.type == EventType::kAlias &&
        e.previous_id == (e.user_id.empty() ? e.anonymous_id : e.user_id)) {
        ++decoded.self_aliases;
        return;
    }
    if (e.type == EventType::kPage || e.type == EventType::kScreen) NamePage(draft);
    if (!draft.email.empty()) {
        const std::string email = model::NormalEmail(draft.email);
        if (model::LooksLikeEmail(email)) e.email = scan.Keep(email);
    }
    if (e.message_id.empty()) e.message_id = MadeId(indexes[i]);
    e.source_key = facts->key_id;
    SetTime(draft, e);
    SetTrust(draft, e);
    SetPerson(e);
    SetDevice(e);
    SetPlace(draft, e);
    SetSource(draft, e);
    decoded.events.push_back(e);
}

Decoder::Decoder(UserAgents* user_agents, Places* places) : impl_(std::make_unique<Impl>()) {
    impl_->agents = user_agents;
    impl_->places = places;
}
Decoder::~Decoder() = default;

namespace {

// The JSON inside "data=..." of a form body or a query: as it is, or base64.
std::optional<std::string> DataValue(std::string_view form) {
    auto value = QueryValue(form, "data");
    if (!value) return std::nullopt;
    const size_t first = value->find_first_not_of(" \t\r\n");
    if (first != std::string::npos && ((*value)[first] == '{' || (*value)[first] == '[')) {
        return value;
    }
    // A '+' of base64 was read as a space when the client did not escape it.
    for (char& c : *value) {
        if (c == ' ') c = '+';
    }
    std::string decoded;
    if (!base::Base64Decode(*value, decoded)) return std::nullopt;
    return decoded;
}

}  // namespace

base::Result<const Decoded*> Decoder::Decode(const Route& route, std::string& body,
                                             const RequestFacts& facts) {
    Impl& d = *impl_;
    d.Reset(facts);
    RequestFacts request = facts;
    request.import = facts.import || route.call == Call::kImport;
    d.facts = &request;
    std::string* text = &body;
    const bool form = body.starts_with("data=");
    if (route.dialect == Dialect::kPixel || form) {
        auto data = DataValue(form ? std::string_view(body) : facts.query);
        if (!data) return base::Invalid("data: missing or not base64.", "data");
        d.inner_body = std::move(*data);
        text = &d.inner_body;
    }
    if (text->size() > limits::kBatchBytesMax) {
        return base::Fail(
            base::ErrorCode::kTooLarge, "body of " + std::to_string(text->size()),
            "A body holds at most " + std::to_string(limits::kBatchBytesMax) + " bytes.");
    }
    if (text->capacity() < text->size() + model::kJsonPadding) {
        text->reserve(text->size() + model::kJsonPadding);
    }
    TRY(d.ReadBody(route, *text));
    if (route.dialect == Dialect::kPosthog && d.decoded.sent_at_ms == 0) {
        // posthog-js tells its clock in the query.
        const auto sent = QueryValue(facts.query, "_");
        int64_t ms = 0;
        if (sent &&
            std::from_chars(sent->data(), sent->data() + sent->size(), ms).ec == std::errc()) {
            d.decoded.sent_at_ms = ms;
        }
    }
    const bool untracked = facts.policy == TrackingPolicy::kHonourSignals &&
                           facts.key_trust == Trust::kPublicKey &&
                           (facts.do_not_track || facts.global_privacy_control);
    if (untracked) {
        d.decoded.not_tracked = d.drafts.size();
        d.facts = nullptr;
        return &d.decoded;
    }
    d.decoded.events.reserve(d.drafts.size());
    for (size_t i = 0; i < d.drafts.size(); ++i) d.Finish(i);
    d.facts = nullptr;
    return &d.decoded;
}

}  // namespace ingest
