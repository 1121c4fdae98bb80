#include "api/public_pages.h"

#include "api/letter_tokens.h"
#include "api/web_pages.h"
#include "base/json.h"
#include "flow/delivery/letter_page.h"
#include "flow/delivery/links.h"
#include "flow/delivery/machine_opens.h"
#include "flow/ingest/answer.h"
#include "model/outbox.h"

namespace api {
namespace {

using delivery::Purpose;
using delivery::Token;
using http::Method;
using http::Request;
using http::Response;

void Secure(Response& response) {
    response.headers.Add("Cache-Control", "no-store");
    response.headers.Add("Referrer-Policy", "no-referrer");
    response.headers.Add("X-Content-Type-Options", "nosniff");
    response.headers.Add("X-Robots-Tag", "noindex");
}

Response PageResponse(int status, delivery::LetterPage page,
                      const delivery::LetterPageFacts& facts) {
    Response response = Response::Text(status, delivery::WriteLetterPage(page, facts));
    response.content_type = "text/html; charset=utf-8";
    response.headers.Add("Content-Security-Policy", delivery::LetterPagePolicy());
    Secure(response);
    return response;
}

Response InvalidPage(const Request& request) {
    delivery::LetterPageFacts facts;
    facts.language = request.headers.Get("Accept-Language");
    return PageResponse(404, delivery::LetterPage::kInvalid, facts);
}

Response NotAllowed(std::string_view allow) {
    Response response =
        Response::Error(405, "method_not_allowed", "This address does not take that method.");
    response.headers.Add("Allow", allow);
    return response;
}

// What the request itself shows; the fold judges again by what comes next (semantics 23).
bool IsMachine(const Services& services, const Request& request, bool click) {
    delivery::ReceiptFacts facts;
    facts.click = click;
    facts.method = http::MethodName(request.method);
    facts.user_agent = request.headers.Get("User-Agent");
    for (const std::string_view name : {"Sec-Purpose", "Purpose", "X-Moz"}) {
        if (facts.sec_purpose.empty()) facts.sec_purpose = request.headers.Get(name);
    }
    facts.at_ms = services.clock.Now();
    return delivery::JudgeReceipt(facts, facts.at_ms).machine;
}

// `done` hears whether the receipt is durable.
void AppendReceipt(Services& services, const Token& token, model::ReceiptKind kind, bool machine,
                   std::function<void(bool)> done) {
    model::NewRecord record;
    // Where her state is now: a receipt that came before a joined person's state would find no
    // message to be about.
    record.person =
        services.links.Resolve({{{model::IdKind::kAnonymous, token.person}}, false, false}).person;
    record.stream = model::PartitionOf(record.person, services.log.partitions());
    record.kind = model::RecordKind::kReceipt;
    record.workspace = token.workspace;
    base::JsonWriter w(record.payload);
    w.Begin('{').Key("message").Begin('[').Int(token.message.stream);
    w.Int(static_cast<int64_t>(token.message.offset)).Int(token.message.ordinal).End(']');
    w.Key("kind").Int(static_cast<int64_t>(kind));
    if (kind == model::ReceiptKind::kClicked) {
        w.Key("link").Int(token.link).Key("url").String(token.url);
    }
    w.Key("machine").Bool(machine).End('}');
    std::vector<model::NewRecord> records;
    records.push_back(std::move(record));
    services.log.Append(std::move(records),
                        [&services, done = std::move(done)](const auto& taken) {
                            ++(taken ? services.counts.receipts : services.counts.receipts_lost);
                            done(taken.has_value());
                        });
}

void Click(Services& services, const Request& request, std::string_view text,
           const http::Respond& respond) {
    if (request.method != Method::kGet && request.method != Method::kHead) {
        return respond(NotAllowed("GET, HEAD"));
    }
    const auto token = FindToken(services.catalog, text, Purpose::kClick);
    if (!token || !delivery::IsWebUrl(token->url)) return respond(InvalidPage(request));
    Response response = Response::Empty(302);
    response.headers.Add("Location", token->url);
    response.headers.Add("Content-Security-Policy", "default-src 'none'");
    Secure(response);
    // Whoever clicked goes on, also when the receipt is lost.
    AppendReceipt(services, *token, model::ReceiptKind::kClicked,
                  IsMachine(services, request, true),
                  [respond, response = std::move(response)](bool) { respond(response); });
}

void Open(Services& services, const Request& request, std::string_view text,
          const http::Respond& respond) {
    if (request.method != Method::kGet && request.method != Method::kHead) {
        return respond(NotAllowed("GET, HEAD"));
    }
    const auto token = FindToken(services.catalog, text, Purpose::kOpen);
    if (!token) return respond(InvalidPage(request));
    Response response = Response::Text(200, std::string(ingest::PixelGif()));
    response.content_type = "image/gif";
    response.headers.Add("Content-Security-Policy", "default-src 'none'");
    Secure(response);
    AppendReceipt(services, *token, model::ReceiptKind::kOpened,
                  IsMachine(services, request, false),
                  [respond, response = std::move(response)](bool) { respond(response); });
}

void Unsubscribe(Services& services, const Request& request, std::string_view text,
                 const http::Respond& respond) {
    const bool asks = request.method == Method::kGet || request.method == Method::kHead;
    if (!asks && request.method != Method::kPost) return respond(NotAllowed("GET, HEAD, POST"));
    const auto token = FindToken(services.catalog, text, Purpose::kUnsubscribe);
    if (!token) return respond(InvalidPage(request));
    const catalog::Sender sender = services.catalog.GetSender(token->workspace);
    delivery::LetterPageFacts facts;
    facts.language = request.headers.Get("Accept-Language");
    facts.sender = sender.from_name.empty() ? sender.from_address : sender.from_name;
    const std::string action(request.RawPath());
    facts.action = action;
    if (asks) return respond(PageResponse(200, delivery::LetterPage::kAsk, facts));
    AppendReceipt(services, *token, model::ReceiptKind::kUnsubscribed, false,
                  [respond, response = PageResponse(200, delivery::LetterPage::kDone, facts)](
                      bool durable) {
                      if (durable) return respond(response);
                      Response later = Response::Error(503, "unavailable",
                                                       "This did not work. Please try again.");
                      later.headers.Add("Retry-After",
                                        std::to_string(limits::kRetryAfterSeconds));
                      Secure(later);
                      respond(std::move(later));
                  });
}

}  // namespace

void ServePublic(Services& services, Request&& request, http::Respond respond) {
    std::string_view path = request.path;
    if (path.starts_with("/c/")) return Click(services, request, path.substr(3), respond);
    if (path.starts_with("/u/")) return Unsubscribe(services, request, path.substr(3), respond);
    constexpr std::string_view kEnd = ".gif";
    if (path.starts_with("/o/") && path.ends_with(kEnd)) {
        path.remove_prefix(3);
        path.remove_suffix(kEnd.size());
        return Open(services, request, path, respond);
    }
    if (auto page = ShopPage(services, request)) return respond(std::move(*page));
    Response response = Response::Error(404, "not_found", "There is no such address.");
    Secure(response);
    respond(std::move(response));
}

}  // namespace api
