#include "api/call.h"

#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "language/condition/json_form.h"
#include "language/condition/parse.h"
#include "net/http/encoding.h"

namespace api {

using base::ErrorCode;
using http::Response;

Response ErrorResponse(const base::Error& error) {
    std::string body;
    base::JsonWriter w(body);
    w.Begin('{').Key("error").Begin('{');
    w.Key("code").String(base::CodeName(error.code));
    w.Key("message").String(base::ClientText(error));
    if (!error.at.empty()) w.Key("at").String(error.at);
    w.End('}').End('}');
    Response response = Response::Json(base::HttpStatus(error.code), std::move(body));
    if (response.status == 503) {
        response.headers.Add("Retry-After", std::to_string(limits::kRetryAfterSeconds));
    }
    return response;
}

std::optional<http::Response> RefuseType(const http::Request& request) {
    const std::string_view type = request.headers.Get("Content-Type");
    if (request.body.empty() && type.empty()) return std::nullopt;
    std::string_view name = type.substr(0, type.find(';'));
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (http::EqualNoCase(name, "application/json")) return std::nullopt;
    return Response::Error(415, "unsupported_media_type", "Send JSON: application/json.");
}

void ReplyNothing(const http::Respond& respond, const base::Status& status) {
    if (!status) return Reply(respond, tl::make_unexpected(status.error()));
    Response response = Response::Empty(204);
    response.headers.Add("Cache-Control", "no-store");
    respond(std::move(response));
}

void Reply(const http::Respond& respond, base::Result<std::string> body, int status) {
    Response response =
        body ? Response::Json(status, std::move(*body)) : ErrorResponse(body.error());
    response.headers.Add("Cache-Control", "no-store");
    response.headers.Add("X-Content-Type-Options", "nosniff");
    respond(std::move(response));
}

Answer ReplyTo(http::Respond respond, int status) {
    return [respond = std::move(respond), status](base::Result<std::string> body) {
        Reply(respond, std::move(body), status);
    };
}

void Run(Call& call, base::Status (*resource)(Call&)) {
    if (auto status = resource(call); !status) {
        Reply(call.respond, tl::make_unexpected(std::move(status.error())));
    }
}

base::Error NotFound(std::string_view what) {
    return {ErrorCode::kNotFound, "no such " + std::string(what),
            "There is no " + std::string(what) + " of this id.", {}};
}

void Change(Call& call, int status, std::function<base::Result<std::string>()> change) {
    const bool posted = call.services.writes.Post(
        [respond = call.respond, status, change = std::move(change)] {
            Reply(respond, change(), status);
        });
    if (!posted) {
        Reply(call.respond,
              base::Fail(ErrorCode::kOverloaded, "too many changes of definitions wait"));
    }
}

void ChangeNothing(Call& call, std::function<base::Status()> change) {
    const bool posted =
        call.services.writes.Post([respond = call.respond, change = std::move(change)] {
            ReplyNothing(respond, change());
        });
    if (!posted) {
        Reply(call.respond, base::Fail(ErrorCode::kOverloaded, "too many changes wait"));
    }
}

void ChangeDefinition(Call& call, int status,
                      std::function<base::Result<std::string>()> change) {
    Change(call, status, [&services = call.services, change = std::move(change)] {
        auto result = change();
        if (result && services.definitions_changed) services.definitions_changed();
        return result;
    });
}

// --- parameters ------------------------------------------------------------------------------

base::Status CheckParameters(const http::Request& request,
                             std::initializer_list<std::string_view> names) {
    if (request.query.size() > limits::kApiParametersMax) {
        return base::Invalid("There are too many parameters.");
    }
    for (const auto& [name, value] : request.query.all()) {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            return base::Invalid("This parameter is not known here.", name);
        }
        if (request.query.FindAll(name).size() > 1) {
            return base::Invalid("This parameter is given twice.", name);
        }
    }
    return {};
}

namespace {

// nullopt: not a whole number in decimal digits.
std::optional<uint32_t> WholeNumber(std::string_view text) {
    uint32_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace

base::Result<Page> ReadPage(const http::Request& request) {
    Page page;
    page.cursor = request.query.Get("cursor");
    const std::string_view limit = request.query.Get("limit");
    if (limit.empty()) return page;
    const auto number = WholeNumber(limit);
    if (!number || *number < 1 || *number > static_cast<uint32_t>(limits::kPageLimitMax)) {
        return base::Invalid("limit is a whole number from 1 to " +
                                 std::to_string(limits::kPageLimitMax) + ".",
                             "limit");
    }
    page.limit = static_cast<int>(*number);
    return page;
}

base::Result<uint32_t> ReadVersion(const http::Request& request) {
    const std::string_view text = request.query.Get("version");
    if (text.empty()) return 0;
    const auto number = WholeNumber(text);
    if (!number || *number == 0) {
        return base::Invalid("version is a whole number from 1 on.", "version");
    }
    return *number;
}

base::Result<base::TimeMs> ReadTime(std::string_view text, std::string_view field) {
    const auto time = base::ParseIso(text);
    if (!time) {
        return base::Invalid("Not a time in ISO 8601, such as 2026-01-05T10:00:00Z.",
                             std::string(field));
    }
    return *time;
}

// --- bodies ----------------------------------------------------------------------------------

base::Status Inflate(http::Request& request) {
    TRY_ASSIGN(request.body,
               http::Inflate(std::move(request.body), request.headers.Get("Content-Encoding"),
                             limits::kApiBodyBytesMax));
    return {};
}

base::Result<Body> Body::Parse(http::Request& request,
                               std::initializer_list<std::string_view> allowed) {
    static thread_local simdjson::dom::parser parser(limits::kApiBodyBytesMax);
    TRY(api::Inflate(request));
    const http::PaddedView text = request.PaddedBody();
    simdjson::dom::element root;
    if (parser.parse(text.data, text.size, false).get(root) != simdjson::SUCCESS) {
        return base::Invalid("The body is not valid JSON in UTF-8.");
    }
    simdjson::dom::object object;
    if (root.get(object) != simdjson::SUCCESS) {
        return base::Invalid("The body must be a JSON object.");
    }
    std::vector<std::string_view> seen;
    for (const auto field : object) {
        if (std::find(allowed.begin(), allowed.end(), field.key) == allowed.end()) {
            return base::Invalid("This field is not known here.", std::string(field.key));
        }
        if (std::find(seen.begin(), seen.end(), field.key) != seen.end()) {
            return base::Invalid("This field is given twice.", std::string(field.key));
        }
        seen.push_back(field.key);
    }
    return Body(object);
}

std::optional<simdjson::dom::element> Body::Find(std::string_view field) const {
    simdjson::dom::element found;
    if (object_[field].get(found) != simdjson::SUCCESS) return std::nullopt;
    return found;
}

base::Result<std::string> Body::TextOrEmpty(std::string_view field) const {
    const auto found = Find(field);
    if (!found) return std::string();
    std::string_view text;
    if (found->get(text) != simdjson::SUCCESS) {
        return base::Invalid("This field must be a text.", std::string(field));
    }
    return std::string(text);
}

base::Result<std::string> Body::Text(std::string_view field) const {
    if (!Find(field)) return base::Invalid("This field is missing.", std::string(field));
    return TextOrEmpty(field);
}

// --- conditions ------------------------------------------------------------------------------

base::Result<condition::ExpressionPtr> ParseCondition(std::string_view text,
                                                      std::string_view field) {
    auto tree = condition::Parse(text);
    if (!tree) {
        base::Error error = std::move(tree.error());
        error.at = error.at.empty() ? std::string(field) : std::string(field) + ':' + error.at;
        return tl::make_unexpected(std::move(error));
    }
    return tree;
}

base::Result<condition::ExpressionPtr> ReadCondition(const Body& body, std::string_view field) {
    const auto found = body.Find(field);
    if (!found) return base::Invalid("This field is missing.", std::string(field));
    std::string_view text;
    if (found->get(text) == simdjson::SUCCESS) return ParseCondition(text, field);
    if (!found->is_object()) {
        return base::Invalid("A condition is a text or a JSON tree.", std::string(field));
    }
    auto tree = condition::FromJson(*found);
    if (!tree) {
        base::Error error = std::move(tree.error());
        error.at = error.at.empty() ? std::string(field) : std::string(field) + '.' + error.at;
        return tl::make_unexpected(std::move(error));
    }
    return tree;
}

}  // namespace api
