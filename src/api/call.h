// One request to /api/v1 on its way to a resource, and what resources share: answers, parameters,
// JSON bodies, conditions.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <vector>

#include "api/services.h"
#include "api/session.h"
#include "net/http/server.h"

namespace api {

struct Call {
    Services& services;
    http::Request request;
    http::Respond respond;
    model::WorkspaceId workspace = 0;        // Of the key, or the one a session named.
    std::shared_ptr<const catalog::Key> key; // nullptr: the route needs none, or it is a session.
    std::string id;                          // What stands for "{id}" in the path, decoded.
    std::optional<Signed> who;               // Set: asked with a session.
};

http::Response ErrorResponse(const base::Error& error);
// 415 when there is a body and its Content-Type is not application/json: a page elsewhere can send
// the other types without asking.
std::optional<http::Response> RefuseType(const http::Request& request);
// 204 or the error's own answer.
void ReplyNothing(const http::Respond& respond, const base::Status& status);
// `body`: JSON. Errors become their own answer.
void Reply(const http::Respond& respond, base::Result<std::string> body, int status = 200);
Answer ReplyTo(http::Respond respond, int status = 200);

// Runs the first, synchronous half of a resource and answers its error.
void Run(Call& call, base::Status (*resource)(Call&));

base::Error NotFound(std::string_view what);  // "There is no segment of this id."

// Makes a change on the writing thread and answers with its result; 503 when too many wait.
void Change(Call& call, int status, std::function<base::Result<std::string>()> change);
// The same, answered with 204.
void ChangeNothing(Call& call, std::function<base::Status()> change);
// The same for changes of definitions: tells the server of them when they are made.
void ChangeDefinition(Call& call, int status,
                      std::function<base::Result<std::string>()> change);

// Every parameter of the query must be one of `names`, at most once.
// Errors: kInvalidArgument, `at` = the parameter's name.
base::Status CheckParameters(const http::Request& request,
                             std::initializer_list<std::string_view> names);
// limit and cursor. Errors: kInvalidArgument, `at` "limit" unless 1..kPageLimitMax.
base::Result<Page> ReadPage(const http::Request& request);
// A whole number from 1 on; 0 when the parameter is not there. Errors: kInvalidArgument.
base::Result<uint32_t> ReadVersion(const http::Request& request);

// The fields of a JSON object. It belongs to the call that parsed it: the next Parse on the same
// thread ends the texts it gives.
class Body {
  public:
    // Errors: kInvalidArgument (not a JSON object; a field that is not in `allowed` or is given
    // twice, with its name in `at`), kTooLarge.
    static base::Result<Body> Parse(http::Request& request,
                                    std::initializer_list<std::string_view> allowed);

    // Errors: kInvalidArgument, `at` = the field: missing or not a text.
    base::Result<std::string> Text(std::string_view field) const;
    // Empty when missing.
    base::Result<std::string> TextOrEmpty(std::string_view field) const;
    std::optional<simdjson::dom::element> Find(std::string_view field) const;

  private:
    explicit Body(simdjson::dom::object object) : object_(object) {}
    simdjson::dom::object object_;
};

// Undoes the Content-Encoding. Errors: kInvalidArgument, kTooLarge.
base::Status Inflate(http::Request& request);

// A condition as text or as JSON tree. Errors: kInvalidArgument with `at` "condition:1:5" or
// "condition.and[1].op".
base::Result<condition::ExpressionPtr> ReadCondition(const Body& body, std::string_view field);
base::Result<condition::ExpressionPtr> ParseCondition(std::string_view text,
                                                      std::string_view field);
// An instant in ISO 8601. Errors: kInvalidArgument, `at` = the field.
base::Result<base::TimeMs> ReadTime(std::string_view text, std::string_view field);

}  // namespace api
