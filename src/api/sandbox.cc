#include "api/sandbox.h"

namespace api {
namespace {

using http::Method;
using http::Response;

constexpr std::string_view kPolicy =
    "sandbox; default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline'; "
    "font-src http: https: data:";

void Secure(Response& response) {
    response.headers.Add("Content-Security-Policy", kPolicy);
    response.headers.Add("Cache-Control", "no-store");
    response.headers.Add("Referrer-Policy", "no-referrer");
    response.headers.Add("X-Content-Type-Options", "nosniff");
    response.headers.Add("X-Robots-Tag", "noindex");
}

Response Letter(const MailboxLetter& letter) {
    Response response = Response::Text(200, letter.html.empty() ? letter.text : letter.html);
    response.content_type =
        letter.html.empty() ? "text/plain; charset=utf-8" : "text/html; charset=utf-8";
    return response;
}

}  // namespace

void ServeSandbox(Services& services, http::Request&& request, http::Respond respond) {
    constexpr std::string_view kPrefix = "/mail/";
    Response response = Response::Error(404, "not_found", "There is no such address.");
    if (request.path.starts_with(kPrefix)) {
        if (request.method != Method::kGet && request.method != Method::kHead) {
            response = Response::Error(405, "method_not_allowed",
                                       "This address does not take that method.");
            response.headers.Add("Allow", "GET, HEAD");
        } else if (services.mailbox != nullptr) {
            const auto letter = services.mailbox->Get(request.path.substr(kPrefix.size()));
            if (letter) response = Letter(**letter);
        }
    }
    Secure(response);
    respond(std::move(response));
}

}  // namespace api
