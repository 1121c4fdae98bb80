#include "api/live.h"

#include <algorithm>
#include <chrono>
#include <simdjson.h>

#include "api/call.h"
#include "api/session.h"
#include "base/json.h"
#include "net/websocket/session.h"

namespace api {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

constexpr std::string_view kPath = "/api/v1/live";
constexpr uint16_t kNotUnderstood = 4400;
constexpr uint16_t kNoSession = 4401;
constexpr uint16_t kNotAllowed = 4403;

// Who opened the stream.
struct Authority {
    std::optional<Signed> who;      // Else a key:
    std::string key;
    model::WorkspaceId workspace = 0;   // Of the key; of a session: named by the first frame.
};

// One connected screen. Everything but Show belongs to the connection's loop.
class Stream final : public websocket::Listener,
                     public LiveScreen,
                     public std::enable_shared_from_this<Stream> {
  public:
    Stream(Services& services, std::optional<Authority> authority)
        : services_(services), authority_(std::move(authority)) {}

    void Opened(std::shared_ptr<websocket::Peer> peer) override {
        peer_ = std::move(peer);
        begun_ = asked_ = std::chrono::steady_clock::now();
        ++services_.live_screens;
        // A browser is told the code of a close, not the status of a refused upgrade.
        if (!authority_) return peer_->Close(kNoSession, "sign in first");
        if (services_.ready && !services_.ready()) {
            return peer_->Close(websocket::kTryLater, "the server is starting");
        }
    }

    void Message(std::string_view text) override {
        static thread_local simdjson::dom::parser parser(limits::kSocketMessageBytesMax);
        simdjson::dom::object object;
        if (parser.parse(simdjson::padded_string(text)).get(object) != simdjson::SUCCESS) {
            return peer_->Close(kNotUnderstood, "not a JSON object");
        }
        if (!greeted_) return Greet(object);
        std::string_view topic;
        if (object["subscribe"].get(topic) == simdjson::SUCCESS) {
            return Ask(topic, object, true);
        }
        if (object["unsubscribe"].get(topic) == simdjson::SUCCESS) {
            return Ask(topic, object, false);
        }
        peer_->Close(kNotUnderstood, "not a frame of this stream");
    }

    void Sweep() override {
        const SteadyTime now = std::chrono::steady_clock::now();
        if (!greeted_ && now - begun_ > milliseconds(limits::kLiveFirstFrameMs)) {
            return peer_->Close(kNoSession, "the first frame did not come");
        }
        if (now - asked_ < milliseconds(limits::kLiveAuthorityMs)) return;
        asked_ = now;
        if (greeted_ && !StillHas()) peer_->Close(kNoSession, "the session has ended");
    }

    void Closed() override {
        --services_.live_screens;
        if (services_.live != nullptr && subscribed_) services_.live->Leave(shared_from_this());
    }

    void Show(const std::shared_ptr<const std::string>& frame) override { peer_->Send(frame); }

  private:
    bool StillHas() const {
        if (authority_->who) {
            return StillSigned(services_, *authority_->who, authority_->workspace);
        }
        const auto key = services_.catalog.FindKey(authority_->key);
        return key && key->workspace == authority_->workspace;
    }

    void Greet(const simdjson::dom::object& frame) {
        int64_t workspace = 0;
        std::string_view csrf;
        const bool named = frame["workspace"].get(workspace) == simdjson::SUCCESS;
        const auto number = static_cast<model::WorkspaceId>(workspace);
        if (authority_->who) {
            if (frame["csrf"].get(csrf) != simdjson::SUCCESS || !named) {
                return peer_->Close(kNotUnderstood, "the first frame is {csrf, workspace}");
            }
            if (!IsCsrf(*authority_->who, csrf)) return peer_->Close(kNotAllowed, "wrong csrf");
            if (workspace != number || !authority_->who->MayEnter(number)) {
                return peer_->Close(kNotAllowed, "no member of this workspace");
            }
            authority_->workspace = number;
        } else if (named && workspace != authority_->workspace) {
            return peer_->Close(kNotAllowed, "the key is of another workspace");
        }
        greeted_ = true;
        std::string hello;
        base::JsonWriter w(hello);
        w.Begin('{').Key("hello").Begin('{').Key("now").Time(services_.clock.Now());
        w.End('}').End('}');
        peer_->SendText(hello);
    }

    void Refuse(std::string_view code, std::string_view message) {
        std::string out;
        base::JsonWriter w(out);
        w.Begin('{').Key("error").Begin('{').Key("code").String(code);
        w.Key("message").String(message).End('}').End('}');
        peer_->SendText(out);
    }

    void Ask(std::string_view name, const simdjson::dom::object& frame, bool subscribe) {
        const std::pair<std::string_view, LiveTopic> topics[] = {
            {"counts", LiveTopic::kCounts},
            {"events", LiveTopic::kEvents},
            {"visitors", LiveTopic::kVisitors},
            {"person", LiveTopic::kPerson}};
        const auto known = std::find_if(std::begin(topics), std::end(topics),
                                        [&](const auto& topic) { return topic.first == name; });
        if (known == std::end(topics)) {
            return Refuse("not_found", "There is no such topic.");
        }
        const LiveTopic topic = known->second;
        model::PersonId person;
        if (topic == LiveTopic::kPerson && !ReadPerson(frame, subscribe, person)) return;
        LiveFeed* const live = services_.live;
        if (live == nullptr) return peer_->Close(websocket::kTryLater, "no live stream here");
        subscribed_ = true;
        if (subscribe) {
            live->Subscribe(shared_from_this(), authority_->workspace, topic, person);
        } else {
            live->Unsubscribe(shared_from_this(), topic, person);
        }
    }

    // False: was answered.
    bool ReadPerson(const simdjson::dom::object& frame, bool subscribe, model::PersonId& person) {
        std::string_view id;
        if (frame["id"].get(id) != simdjson::SUCCESS || !model::FromText(id, person)) {
            Refuse("invalid_argument", "id is the id of a person.");
            return false;
        }
        const auto at = std::find(persons_.begin(), persons_.end(), person);
        if (!subscribe) {
            if (at != persons_.end()) persons_.erase(at);
            return true;
        }
        if (at != persons_.end()) return true;
        if (persons_.size() >= limits::kLivePersonsMax) {
            Refuse("too_large", "A stream watches at most 50 persons.");
            return false;
        }
        persons_.push_back(person);
        return true;
    }

    Services& services_;
    std::optional<Authority> authority_;
    std::shared_ptr<websocket::Peer> peer_;   // Set before the feed knows of us.
    SteadyTime begun_{};
    SteadyTime asked_{};
    bool greeted_ = false;
    bool subscribed_ = false;
    std::vector<model::PersonId> persons_;
};

http::Response Refusal(int status, std::string_view code, std::string_view text) {
    http::Response response = http::Response::Error(status, code, text);
    response.headers.Add("Cache-Control", "no-store");
    response.headers.Add("X-Content-Type-Options", "nosniff");
    return response;
}

}  // namespace

bool IsLivePath(const http::Request& request) { return request.path == kPath; }

void ServeLive(Services& services, http::Request&& request, http::Respond respond) {
    const bool foreign =
        request.headers.Find("Origin").has_value() && !HasOwnOrigin(services, request);
    const std::string_view header = request.headers.Get("Authorization");
    constexpr std::string_view kScheme = "Bearer ";
    std::optional<Authority> authority;
    if (header.size() > kScheme.size() &&
        http::EqualNoCase(header.substr(0, kScheme.size()), kScheme)) {
        const std::string_view text = header.substr(kScheme.size());
        const auto key = services.catalog.FindKey(text);
        if (!key) return respond(Refusal(401, "unauthorized", "The key is not known."));
        if (foreign || !key->secret || !key->Allows(catalog::Scope::kRead)) {
            return respond(Refusal(403, "forbidden", "This takes a secret key that may read."));
        }
        authority = Authority{std::nullopt, std::string(text), key->workspace};
    } else {
        // Cookies travel with whatever page asks: it has to be ours.
        if (foreign || !request.headers.Find("Origin")) {
            return respond(Refusal(403, "forbidden", "The stream opens for our own pages only."));
        }
        if (auto who = SessionOf(services, request)) {
            authority = Authority{std::move(who), {}, 0};
        }
    }
    if (services.live_screens >= limits::kLiveScreensMax) {
        return respond(Refusal(503, "overloaded", "Too many screens are connected."));
    }
    respond(websocket::Accept(request,
                              std::make_shared<Stream>(services, std::move(authority))));
}

}  // namespace api
