#include <charconv>

#include "api/resources.h"
#include "base/json.h"

namespace api {
namespace {

void WriteKey(base::JsonWriter& w, const Services& services, const catalog::Key& key,
              std::string_view text) {
    w.Begin('{').Key("id").String("k" + std::to_string(key.number));
    w.Key("kind").String(key.secret ? "secret" : "write").Key("name").String(key.name);
    w.Key("scopes").Begin('[');
    for (const auto scope :
         {catalog::Scope::kIngest, catalog::Scope::kRead, catalog::Scope::kWrite}) {
        if (key.Allows(scope)) w.String(catalog::ScopeName(scope));
    }
    w.End(']').Key("created");
    if (key.created_ms != 0) {
        w.Time(key.created_ms);
    } else {
        w.Null();
    }
    w.Key("last_used");
    const auto used = services.sessions != nullptr ? services.sessions->KeyLastUsed(key.number)
                                                   : std::nullopt;
    if (used) {
        w.Time(*used);
    } else {
        w.Null();
    }
    w.Key("text");
    if (text.empty()) {
        w.Null();
    } else {
        w.String(text);
    }
    w.End('}');
}

base::Status List(Call& call) {
    TRY(CheckParameters(call.request, {}));
    std::string out;
    base::JsonWriter w(out);
    w.Begin('{').Key("keys").Begin('[');
    for (const auto& key : call.services.catalog.Keys(call.workspace)) {
        WriteKey(w, call.services, *key, key->text);
    }
    w.End(']').End('}');
    Reply(call.respond, std::move(out));
    return {};
}

base::Result<uint8_t> ReadScopes(const Body& body, bool secret) {
    const auto field = body.Find("scopes");
    if (!field) {
        return secret ? catalog::kAllScopes : static_cast<uint8_t>(catalog::Scope::kIngest);
    }
    simdjson::dom::array list;
    if (field->get(list) != simdjson::SUCCESS) {
        return base::Invalid("Scopes are a list of texts.", "scopes");
    }
    uint8_t scopes = 0;
    for (const simdjson::dom::element e : list) {
        std::string_view name;
        const uint8_t bit = e.get(name) == simdjson::SUCCESS ? catalog::ScopeBit(name) : uint8_t{0};
        if (bit == 0) return base::Invalid("The scopes are ingest, read and write.", "scopes");
        scopes |= bit;
    }
    return scopes;
}

base::Status Create(Call& call) {
    TRY(CheckParameters(call.request, {}));
    TRY_ASSIGN(const Body body, Body::Parse(call.request, {"name", "kind", "scopes"}));
    TRY_ASSIGN(const std::string name, body.Text("name"));
    TRY_ASSIGN(const std::string kind, body.Text("kind"));
    if (kind != "write" && kind != "secret") {
        return base::Invalid("The kinds are write and secret.", "kind");
    }
    const bool secret = kind == "secret";
    TRY_ASSIGN(const uint8_t scopes, ReadScopes(body, secret));
    Change(call, 201,
           [&services = call.services, workspace = call.workspace, name, secret,
            scopes]() -> base::Result<std::string> {
               TRY_ASSIGN(const auto made,
                          services.catalog.CreateKey(workspace, name, secret, scopes));
               std::string out;
               base::JsonWriter w(out);
               WriteKey(w, services, *made.key, made.text);
               return out;
           });
    return {};
}

base::Status Revoke(Call& call) {
    TRY(CheckParameters(call.request, {}));
    const std::string_view id = call.id;
    uint32_t number = 0;
    const auto read = std::from_chars(id.data() + 1, id.data() + id.size(), number);
    if (!id.starts_with('k') || read.ec != std::errc() || read.ptr != id.data() + id.size()) {
        return tl::make_unexpected(NotFound("key"));
    }
    ChangeNothing(call, [&catalog = call.services.catalog, workspace = call.workspace,
                         number]() -> base::Status {
        auto revoked = catalog.RevokeKey(workspace, number);
        if (!revoked && revoked.error().code == base::ErrorCode::kNotFound) {
            return tl::make_unexpected(NotFound("key"));
        }
        return revoked;
    });
    return {};
}

}  // namespace

void ListKeys(Call&& call) { Run(call, List); }
void CreateKey(Call&& call) { Run(call, Create); }
void RevokeKey(Call&& call) { Run(call, Revoke); }

}  // namespace api
