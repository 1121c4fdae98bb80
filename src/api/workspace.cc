#include <charconv>

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
    w.Key("demo").Bool(workspace->demo);
    if (call.key) {
        w.Key("key").Begin('{').Key("id").String("k" + std::to_string(call.key->number));
        w.Key("kind").String("secret").End('}');
    }
    w.Key("now").Time(call.services.clock.Now());
    w.Key("clock").String(call.services.simulated != nullptr ? "simulated" : "system");
    w.Key("letters").String(LettersLeave(call) ? "smtp" : "mailbox");
    const char* const wait =
        call.services.letters_wait ? call.services.letters_wait() : nullptr;
    w.Key("letters_wait");
    if (wait == nullptr) {
        w.Null();
    } else {
        w.String(wait);
    }
    w.End('}');
    Reply(call.respond, std::move(out));
    return {};
}

// Of a workspace that the teammate is no member of nothing is told, not even that it is there.
base::Result<model::WorkspaceId> ReadWorkspace(const Call& call) {
    model::WorkspaceId number = 0;
    const auto read =
        std::from_chars(call.id.data(), call.id.data() + call.id.size(), number);
    if (read.ec != std::errc() || read.ptr != call.id.data() + call.id.size() ||
        !call.who->MayEnter(number)) {
        return tl::make_unexpected(NotFound("workspace"));
    }
    return number;
}

std::string WorkspaceJson(const catalog::Workspace& workspace, const catalog::NewKeys* keys) {
    std::string out;
    base::JsonWriter w(out);
    w.Begin('{').Key("id").Int(workspace.number).Key("name").String(workspace.name);
    w.Key("demo").Bool(workspace.demo);
    if (keys != nullptr) {
        w.Key("write_key").String(keys->write_key).Key("secret_key").String(keys->secret_key);
    }
    w.End('}');
    return out;
}

base::Status Create(Call& call) {
    TRY(CheckParameters(call.request, {}));
    TRY_ASSIGN(const Body body, Body::Parse(call.request, {"name"}));
    TRY_ASSIGN(const std::string name, body.Text("name"));
    Change(call, 201,
           [&catalog = call.services.catalog, name,
            creator = call.who->teammate->number]() -> base::Result<std::string> {
               TRY_ASSIGN(const auto keys, catalog.CreateWorkspace(name, false, creator));
               const auto made = catalog.FindWorkspace(keys.workspace);
               if (!made) return tl::make_unexpected(NotFound("workspace"));
               return WorkspaceJson(*made, &keys);
           });
    return {};
}

base::Status Rename(Call& call) {
    TRY(CheckParameters(call.request, {}));
    TRY_ASSIGN(const auto number, ReadWorkspace(call));
    TRY_ASSIGN(const Body body, Body::Parse(call.request, {"name"}));
    TRY_ASSIGN(const std::string name, body.Text("name"));
    Change(call, 200,
           [&catalog = call.services.catalog, number, name]() -> base::Result<std::string> {
               TRY(catalog.RenameWorkspace(number, name));
               const auto renamed = catalog.FindWorkspace(number);
               if (!renamed) return tl::make_unexpected(NotFound("workspace"));
               return WorkspaceJson(*renamed, nullptr);
           });
    return {};
}

base::Status Delete(Call& call) {
    TRY(CheckParameters(call.request, {}));
    TRY_ASSIGN(const auto number, ReadWorkspace(call));
    ChangeNothing(call, [&services = call.services, number]() -> base::Status {
        TRY(services.catalog.DeleteWorkspace(number));
        services.refused.Forget(number);
        if (services.workspace_deleted) services.workspace_deleted(number);
        return {};
    });
    return {};
}

}  // namespace

void CreateWorkspace(Call&& call) { Run(call, Create); }
void RenameWorkspace(Call&& call) { Run(call, Rename); }
void DeleteWorkspace(Call&& call) { Run(call, Delete); }
void GetWorkspace(Call&& call) { Run(call, Get); }

}  // namespace api
