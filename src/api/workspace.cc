#include "api/resources.h"
#include "base/json.h"

namespace api {
namespace {

base::Status Get(Call& call) {
    TRY(CheckParameters(call.request, {}));
    const auto workspace = call.services.catalog.FindWorkspace(call.workspace);
    if (!workspace) return tl::make_unexpected(NotFound("workspace"));
    std::string out;
    base::JsonWriter w(out);
    w.Begin('{').Key("id").Int(workspace->number).Key("name").String(workspace->name);
    w.Key("key").Begin('{').Key("id").String("k" + std::to_string(call.key->number));
    w.Key("kind").String("secret").End('}');
    w.Key("now").Time(call.services.clock.Now());
    w.Key("clock").String(call.services.simulated != nullptr ? "simulated" : "system");
    w.Key("letters").String(call.services.mailbox != nullptr ? "mailbox" : "smtp");
    w.End('}');
    Reply(call.respond, std::move(out));
    return {};
}

}  // namespace

void GetWorkspace(Call&& call) { Run(call, Get); }

}  // namespace api
