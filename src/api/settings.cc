#include "api/resources.h"
#include "base/json.h"

namespace api {
namespace {

std::string SenderJson(const catalog::Sender& sender) {
    std::string out;
    base::JsonWriter w(out);
    w.Begin('{').Key("from_name").String(sender.from_name);
    w.Key("from_address").String(sender.from_address);
    w.Key("postal_address").String(sender.postal_address).End('}');
    return out;
}

base::Status Get(Call& call) {
    TRY(CheckParameters(call.request, {}));
    Reply(call.respond, SenderJson(call.services.catalog.GetSender(call.workspace)));
    return {};
}

base::Status Put(Call& call) {
    TRY(CheckParameters(call.request, {}));
    TRY_ASSIGN(const Body body,
               Body::Parse(call.request, {"from_name", "from_address", "postal_address"}));
    catalog::Sender sender;
    TRY_ASSIGN(sender.from_address, body.Text("from_address"));
    TRY_ASSIGN(sender.from_name, body.TextOrEmpty("from_name"));
    TRY_ASSIGN(sender.postal_address, body.TextOrEmpty("postal_address"));
    if (sender.from_name.size() > limits::kDisplayNameBytesMax) {
        return base::Invalid("The name is too long.", "from_name");
    }
    if (sender.postal_address.size() > limits::kDisplayNameBytesMax) {
        return base::Invalid("The address is too long.", "postal_address");
    }
    Change(call, 200,
           [&catalog = call.services.catalog, workspace = call.workspace,
            sender]() -> base::Result<std::string> {
               TRY(catalog.SetSender(workspace, sender));
               return SenderJson(catalog.GetSender(workspace));
           });
    return {};
}

}  // namespace

void GetSender(Call&& call) { Run(call, Get); }
void PutSender(Call&& call) { Run(call, Put); }

}  // namespace api
