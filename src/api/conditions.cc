// A condition in its two forms: what the visual editor and the text beside it need of each other.

#include "api/resources.h"
#include "base/json.h"
#include "language/condition/json_form.h"
#include "language/condition/print.h"

namespace api {
namespace {

base::Status Read(Call& call) {
    TRY(CheckParameters(call.request, {}));
    TRY_ASSIGN(const Body body, Body::Parse(call.request, {"text", "tree"}));
    const bool text = body.Find("text").has_value(), tree = body.Find("tree").has_value();
    if (text == tree) return base::Invalid("Send text or tree, one of them.", "text");
    if (text) TRY(body.Text("text"));
    if (tree && !body.Find("tree")->is_object()) {
        return base::Invalid("A tree is a JSON object.", "tree");
    }
    TRY_ASSIGN(const auto condition, ReadCondition(body, text ? "text" : "tree"));
    std::string out;
    base::JsonWriter w(out);
    w.Begin('{').Key("text").String(condition::ToText(*condition));
    w.Key("tree").Raw(condition::ToJson(*condition)).End('}');
    Reply(call.respond, std::move(out));
    return {};
}

}  // namespace

void ReadConditions(Call&& call) { Run(call, Read); }

}  // namespace api
