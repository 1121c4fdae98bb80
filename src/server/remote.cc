#include "server/remote.h"

#include <chrono>
#include <thread>

#include "base/json.h"

namespace server {
namespace {

using base::ErrorCode;

constexpr int kTries = 60;  // Of one call, a second apart.

base::Result<http::ClientOptions> EndpointOf(const std::string& server) {
    TRY_ASSIGN(const http::Url url, http::ParseUrl(server));
    if (url.scheme != "http" || url.host.empty()) {
        return base::Invalid("The server is given as http://HOST:PORT.", "--server");
    }
    http::ClientOptions options;
    options.endpoint.host = url.host;
    if (url.host.front() == '[') options.endpoint.host = url.host.substr(1, url.host.size() - 2);
    options.endpoint.port = url.PortOrDefault();
    options.total_time_ms =
        5 * base::kMinuteMs;  // A clock move answers when its letters have gone.
    options.idle_time_ms = options.total_time_ms;
    return options;
}

base::Error Failure(const base::Result<http::Answer>& answer, const std::string& target) {
    if (!answer) {
        return {ErrorCode::kUnavailable,
                target + ": " + answer.error().internal,
                "The server does not answer.",
                {}};
    }
    const std::string text =
        target + " answered " + std::to_string(answer->status) + ": " + answer->body;
    return {ErrorCode::kUnavailable, text, "The server refused: " + text, {}};
}

}  // namespace

base::Result<Remote> Remote::To(const std::string& server, const std::string& secret_key) {
    TRY_ASSIGN(http::ClientOptions endpoint, EndpointOf(server));
    return Remote(std::move(endpoint), secret_key);
}

Remote::Remote(http::ClientOptions options, const std::string& key)
    : client_(std::move(options)), authorization_("Bearer " + key) {}

base::Result<simdjson::dom::element> Remote::Send(http::Method method, const std::string& target,
                                                  std::string_view body) {
    http::Call call;
    call.method = method;
    call.target = target;
    call.headers = {{"Authorization", authorization_}};
    if (!body.empty()) call.headers.emplace_back("Content-Type", "application/json");
    call.body = body;
    for (int left = kTries;; --left) {
        ++requests_;
        const auto answer = client_.Send(call);
        if (answer && answer->status / 100 == 2) return Parse(*answer, target);
        const bool again = answer ? answer->status == 503 || answer->status == 429
                                  : base::RetryHelps(answer.error().code) ||
                                        answer.error().code == ErrorCode::kOutcomeUnknown;
        if (!again || left == 0) return tl::make_unexpected(Failure(answer, target));
        std::this_thread::sleep_for(std::chrono::seconds(1));
    }
}

base::Result<int> Remote::Fetch(const std::string& target,
                                const std::vector<std::pair<std::string, std::string>>& headers) {
    http::Call call;
    call.target = target;
    call.headers = headers;
    ++requests_;
    const auto answer = client_.Send(call);
    if (!answer) return tl::make_unexpected(Failure(answer, target));
    return answer->status;
}

base::Status Remote::MoveClock(base::TimeMs now) {
    std::string body;
    base::JsonWriter(body).Begin('{').Key("now").Time(now).End('}');
    TRY(Send(http::Method::kPost, "/api/v1/clock", body));
    return {};
}

base::Result<simdjson::dom::element> Remote::Parse(const http::Answer& answer,
                                                   const std::string& target) {
    simdjson::dom::element root;
    const std::string_view body = answer.body.empty() ? "null" : std::string_view(answer.body);
    if (parser_.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS) {
        return base::Fail(ErrorCode::kUnavailable, target + ": not JSON: " + answer.body);
    }
    return root;
}

base::Result<std::string> TextAt(const simdjson::dom::element& root, std::string_view field) {
    std::string_view text;
    if (root[field].get(text) != simdjson::SUCCESS) {
        return base::Fail(ErrorCode::kUnavailable, "no text " + std::string(field));
    }
    return std::string(text);
}

}  // namespace server
