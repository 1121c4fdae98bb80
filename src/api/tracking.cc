#include "api/tracking.h"

#include <boost/unordered/unordered_flat_set.hpp>

#include "flow/ingest/answer.h"
#include "flow/ingest/route.h"
#include "net/http/cors.h"
#include "net/http/encoding.h"

namespace api {
namespace {

using base::ErrorCode;
using http::Method;
using http::Request;
using http::Response;
using ingest::Call;
using ingest::Dialect;
using ingest::Route;

// What a loop's thread keeps from one request to the next.
struct ThreadState {
    ThreadState(ingest::LazyAgentPatterns* patterns,
                const std::shared_ptr<const ingest::PlaceFile>& place_file)
        : agents(patterns), places(place_file), user_agents(patterns),
          place_cache(place_file),
          decoder(patterns != nullptr ? &user_agents : nullptr,
                  place_file ? &place_cache : nullptr) {}

    ingest::LazyAgentPatterns* agents;
    std::shared_ptr<const ingest::PlaceFile> places;
    ingest::UserAgents user_agents;
    ingest::Places place_cache;
    ingest::Decoder decoder;
    identity::LinkCall call;
    std::string text;
    boost::unordered_flat_set<base::Hash128, model::PersonIdHash> calls;  // Of this request.
};

ThreadState& StateFor(const Services& services) {
    static thread_local std::unique_ptr<ThreadState> state;
    if (!state || state->agents != services.agents || state->places != services.places) {
        state = std::make_unique<ThreadState>(services.agents, services.places);
    }
    return *state;
}

std::string_view RawQuery(const Request& request) {
    const size_t mark = request.target.find('?');
    if (mark == std::string::npos) return {};
    return std::string_view(request.target).substr(mark + 1);
}

Response ToResponse(ingest::Answer answer, const http::Headers& cors) {
    Response response;
    response.status = answer.status;
    response.content_type = std::move(answer.content_type);
    response.body = std::move(answer.body);
    response.headers = cors;
    if (answer.retry_after_s > 0) {
        response.headers.Add("Retry-After", std::to_string(answer.retry_after_s));
    }
    return response;
}

Response ToResponse(const Route& route, const base::Error& error, const http::Headers& cors) {
    return ToResponse(ingest::AnswerFor(route, error), cors);
}

std::shared_ptr<const catalog::Key> LookUp(const Services& services, std::string_view text) {
    if (text.empty()) return nullptr;
    if (auto key = services.catalog.FindKey(text)) return key;
    // Jitsu's clients join an id and a secret by a colon; either half may be a key of ours.
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos) return nullptr;
    if (auto key = services.catalog.FindKey(text.substr(colon + 1))) return key;
    return services.catalog.FindKey(text.substr(0, colon));
}

// One request on its way.
struct Visit {
    Services& services;
    Request request;
    http::Respond respond;
    Route route;
    http::Headers cors;

    void Fail(const base::Error& error) {
        if (base::HttpStatus(error.code) == 503) ++services.counts.turned_away;
        respond(ToResponse(route, error, cors));
    }
};

base::Error Unauthorized() {
    return {ErrorCode::kUnauthorized, "no known key", "The write key is missing or unknown.", {}};
}

// Why nothing can be taken now; nullopt: it can.
std::optional<base::Error> TurnedAway(const Services& services) {
    if (services.ready && !services.ready()) {
        return base::Error{ErrorCode::kUnavailable, "catching up", "The server is starting.", {}};
    }
    if (services.spool != nullptr && services.spool->Full()) {
        return base::Error{ErrorCode::kOverloaded, "the spool is full", {}, {}};
    }
    return std::nullopt;
}

// The key of a request, from the header and the query first: a body is inflated only for requests
// that name a known key there, or none at all.
base::Result<std::shared_ptr<const catalog::Key>> Authorize(Visit& visit) {
    Request& request = visit.request;
    ingest::KeyPlaces places;
    places.authorization = request.headers.Get("Authorization");
    places.x_write_key = request.headers.Get("X-Write-Key");
    places.query = RawQuery(request);
    const std::string early = ingest::FindKey(places);
    auto key = LookUp(visit.services, early);
    if (!early.empty() && !key) return tl::make_unexpected(Unauthorized());
    if (request.method == Method::kPost) {
        TRY_ASSIGN(request.body,
                   http::Inflate(std::move(request.body), request.headers.Get("Content-Encoding"),
                                 limits::kBatchBytesMax));
    }
    if (!key) {
        places.body = request.body;
        key = LookUp(visit.services, ingest::FindKey(places));
    }
    if (!key) return tl::make_unexpected(Unauthorized());
    return key;
}

void AnswerConfig(Visit& visit) {
    const Services& services = visit.services;
    const Request& request = visit.request;
    const std::string host(request.headers.Get("Host"));
    const std::string_view forwarded = request.headers.Get("X-Forwarded-Proto");
    const std::string protocol = forwarded == "https" ? "https" : "http";
    if (visit.route.call == Call::kFlags) {
        if (const auto key = Authorize(visit); !key) return visit.Fail(key.error());
        base::Hash128 id;
        base::RandomBytes(&id, sizeof id);
        return visit.respond(ToResponse(ingest::PosthogFlags(model::ToText(id)), visit.cors));
    }
    std::string key(visit.route.key);
    if (visit.route.call == Call::kSourceConfig) {
        ingest::KeyPlaces places;
        places.authorization = request.headers.Get("Authorization");
        places.query = RawQuery(request);
        key = ingest::FindKey(places);
    }
    if (!LookUp(services, key)) return visit.Fail(Unauthorized());
    // A script is not what we have; the client then asks for the JSON beside it.
    if (request.path.ends_with(".js")) {
        return visit.Fail({ErrorCode::kNotFound, "config.js", {}, {}});
    }
    ingest::Answer answer;
    switch (visit.route.call) {
        case Call::kSettings: answer = ingest::SegmentSettings(key, host + "/v1", protocol); break;
        case Call::kSourceConfig:
            answer = ingest::RudderSourceConfig(key, protocol + "://" + host,
                                                services.clock.Now());
            break;
        default: answer = ingest::PosthogConfig(key); break;
    }
    visit.respond(ToResponse(std::move(answer), visit.cors));
}

void FillCall(identity::LinkCall& call, const model::Event& event, const base::SipKey& secret) {
    using model::IdKind;
    call.ids.clear();
    call.trusted = event.trust != model::Trust::kPublicKey;
    call.merge = event.type == model::EventType::kAlias;
    const auto add = [&](IdKind kind, std::string_view id) {
        if (id.empty()) return;
        // The first id is the founder, whose hash the decoder has made.
        call.ids.push_back({kind, call.ids.empty() ? event.person
                                                   : model::PersonOf(secret, kind, id)});
    };
    add(IdKind::kUser, event.user_id);
    add(IdKind::kEmail, event.email);
    add(IdKind::kAnonymous, event.anonymous_id);
    if (!call.merge) return;
    // The id before may have been of either kind; only a trusted call may name a user by it.
    add(IdKind::kAnonymous, event.previous_id);
    if (call.trusted) add(IdKind::kUser, event.previous_id);
}

base::Hash128 CallHash(const identity::LinkCall& call, model::WorkspaceId workspace,
                       const base::SipKey& secret, std::string& text) {
    text.clear();
    base::ByteWriter w(text);
    w.U32(workspace);
    w.U8(static_cast<uint8_t>((call.trusted ? 1 : 0) | (call.merge ? 2 : 0)));
    for (const auto& id : call.ids) {
        w.U64(id.hash.hi);
        w.U64(id.hash.lo);
    }
    return base::SipHash128(secret, text);
}

struct Batch {
    std::vector<model::NewRecord> records;
    std::vector<base::Hash128> calls;  // Whose link records are among them.
    size_t events = 0;
};

// The records of one request: its events, then the links they ask for.
Batch MakeRecords(Services& services, ThreadState& state, const ingest::Decoded& decoded,
                  const catalog::Workspace& workspace) {
    Batch batch;
    batch.events = decoded.events.size();
    batch.records.reserve(batch.events + 1);
    std::vector<model::NewRecord> links;
    state.calls.clear();
    const int partitions = services.log.partitions();
    const base::DurationMs monotonic = services.clock.Monotonic();
    for (const model::Event& event : decoded.events) {
        FillCall(state.call, event, workspace.secret);
        const identity::Resolved resolved = services.links.Resolve(state.call);
        if (resolved.needs_link) {
            const base::Hash128 hash =
                CallHash(state.call, workspace.number, workspace.secret, state.text);
            if (state.calls.insert(hash).second && !services.recent_calls.Has(hash, monotonic)) {
                model::NewRecord& link = links.emplace_back();
                link.stream = services.log.links();
                link.kind = model::RecordKind::kLink;
                link.workspace = workspace.number;
                link.person = resolved.person;
                link.payload = identity::EncodeCall(state.call);
                batch.calls.push_back(hash);
            }
        }
        model::NewRecord& record = batch.records.emplace_back();
        record.stream = model::PartitionOf(resolved.person, partitions);
        record.kind = model::RecordKind::kEvent;
        record.workspace = workspace.number;
        record.person = resolved.person;
        record.fingerprint =
            model::EventFingerprint(workspace.secret, event.source_key, event.message_id);
        record.name_hash = model::NameHash(event.name);
        model::AppendEventJson(record.payload, event);
    }
    for (auto& link : links) batch.records.push_back(std::move(link));
    return batch;
}

void KeepRefused(Services& services, const Request& request, model::WorkspaceId workspace,
                 const std::string& key_id, int64_t index, std::string reason, std::string raw) {
    RefusedEvent refused;
    refused.workspace = workspace;
    refused.time_ms = services.clock.Now();
    refused.key_id = key_id;
    refused.path = request.path;
    refused.index = index;
    refused.reason = std::move(reason);
    refused.raw = std::move(raw);
    services.refused.Add(std::move(refused));
}

// What the client hears of an append that was not done: nothing that makes it drop its events.
base::Error NotTaken(const base::Error& error) {
    if (error.code == ErrorCode::kOverloaded || error.code == ErrorCode::kDiskFull) return error;
    return {ErrorCode::kUnavailable, error.internal, {}, {}};
}

void AppendBatch(Visit& visit, Batch batch, ingest::Answer answer) {
    Services& services = visit.services;
    auto done = [&services, route = visit.route, respond = visit.respond,
                 cors = visit.cors, ok = std::move(answer), events = batch.events,
                 calls = std::move(batch.calls)](
                    base::Result<std::vector<event_log::Position>> taken) mutable {
        if (!taken) {
            ++services.counts.turned_away;
            respond(ToResponse(route, NotTaken(taken.error()), cors));
            return;
        }
        services.counts.events += events;
        services.counts.links += calls.size();
        for (const auto& call : calls) {
            services.recent_calls.Add(call, services.clock.Monotonic());
        }
        respond(ToResponse(std::move(ok), cors));
    };
    services.log.Append(std::move(batch.records), std::move(done));
}

void TakeEvents(Visit& visit) {
    Services& services = visit.services;
    Request& request = visit.request;
    const auto key = Authorize(visit);
    if (!key) return visit.Fail(key.error());
    if (!(*key)->Allows(catalog::Scope::kIngest)) {
        return visit.Fail({ErrorCode::kForbidden, "key without scope",
                           "The key lacks the scope ingest.", {}});
    }
    const auto workspace = services.catalog.FindWorkspace((*key)->workspace);
    if (!workspace) return visit.Fail(Unauthorized());

    if (services.sessions != nullptr) {
        services.sessions->KeyUsed((*key)->number, services.clock.Now());
    }
    const std::string key_id = "k" + std::to_string((*key)->number);
    ingest::RequestFacts facts;
    facts.key_trust = (*key)->secret ? model::Trust::kSecret : model::Trust::kPublicKey;
    facts.key_id = key_id;
    facts.person_key = workspace->secret;
    facts.identity_secret = workspace->identity_secret;
    facts.received_ms = services.clock.Now();
    facts.peer_ip = request.peer_address;
    facts.user_agent = request.headers.Get("User-Agent");
    facts.query = RawQuery(request);
    base::RandomBytes(&facts.random, sizeof facts.random);
    facts.policy = services.tracking_policy;
    facts.do_not_track = request.headers.Get("DNT") == "1";
    facts.global_privacy_control = request.headers.Get("Sec-GPC") == "1";

    ThreadState& state = StateFor(services);
    const auto decoded = state.decoder.Decode(visit.route, request.body, facts);
    if (!decoded) {
        KeepRefused(services, request, workspace->number, key_id, -1,
                    base::ClientText(decoded.error()),
                    request.body.substr(0, limits::kRefusedRawBytesMax));
        return visit.Fail(decoded.error());
    }
    for (const ingest::Refused& refused : (*decoded)->refused) {
        KeepRefused(services, request, workspace->number, key_id,
                    static_cast<int64_t>(refused.index), refused.reason, refused.raw);
    }
    services.counts.not_tracked += (*decoded)->not_tracked;
    ingest::Answer answer = ingest::AnswerFor(visit.route, **decoded);
    if ((*decoded)->events.empty()) {
        return visit.respond(ToResponse(std::move(answer), visit.cors));
    }
    AppendBatch(visit, MakeRecords(services, state, **decoded, *workspace), std::move(answer));
}

Method MethodOf(const Route& route) {
    if (route.call == Call::kFlags) return Method::kPost;
    return route.takes_events() && route.dialect != Dialect::kPixel ? Method::kPost : Method::kGet;
}

}  // namespace

bool IsTrackingPath(const Request& request) { return ingest::FindRoute(request.path).has_value(); }

void Tracking(Services& services, Request&& request, http::Respond respond) {
    ++services.counts.requests;
    // The route's key is a view into the path: the request has to stand still first.
    Visit visit{services, std::move(request), std::move(respond), {}, {}};
    const auto route = ingest::FindRoute(visit.request.path);
    if (!route) return visit.respond(Response::Error(404, "not_found", "No such address."));
    visit.route = *route;
    if (auto preflight = http::AnswerPreflight(visit.request)) {
        return visit.respond(std::move(*preflight));
    }
    Response with_cors;
    http::AddCors(visit.request, with_cors);
    with_cors.headers.Add("X-Content-Type-Options", "nosniff");
    visit.cors = std::move(with_cors.headers);
    const Method method = MethodOf(visit.route);
    if (visit.request.method != method) {
        const bool options = visit.request.method == Method::kOptions;
        Response response = options ? Response::Empty(204)
                                    : Response::Error(405, "method_not_allowed",
                                                      "This address does not take that method.");
        response.headers = std::move(visit.cors);
        response.headers.Add("Allow", std::string(http::MethodName(method)) + ", OPTIONS");
        return visit.respond(std::move(response));
    }
    if (const auto reason = TurnedAway(services)) return visit.Fail(*reason);
    if (visit.route.takes_events()) {
        TakeEvents(visit);
    } else {
        AnswerConfig(visit);
    }
}

}  // namespace api
