#include "api/resources.h"
#include "base/json.h"

namespace api {
namespace {

base::Status Move(Call& call) {
    Services& services = call.services;
    if (services.simulated == nullptr) {
        return base::Fail(base::ErrorCode::kNotFound, "the clock is not simulated",
                          "This server runs on the system's clock.");
    }
    TRY(CheckParameters(call.request, {}));
    TRY_ASSIGN(const Body body, Body::Parse(call.request, {"now"}));
    TRY_ASSIGN(const std::string text, body.Text("now"));
    TRY_ASSIGN(const base::TimeMs asked, ReadTime(text, "now"));
    const base::TimeMs now = services.simulated->MoveTo(asked);
    services.engine.Wake();
    const auto done = [respond = call.respond, now] {
        std::string out;
        base::JsonWriter(out).Begin('{').Key("now").Time(now).End('}');
        Reply(respond, std::move(out));
    };
    if (services.settle) {
        services.settle(now, done);
    } else {
        services.engine.WhenTimersRan(now, done);
    }
    return {};
}

}  // namespace

void MoveClock(Call&& call) { Run(call, Move); }

}  // namespace api
