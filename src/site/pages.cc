#include "site/pages.h"

#include <algorithm>
#include <charconv>

#include "base/hash.h"

namespace site {
namespace {

using http::Method;
using http::Request;
using http::Response;

constexpr std::string_view kForever = "public, max-age=31536000, immutable";
constexpr std::string_view kAskAgain = "no-cache";
constexpr std::string_view kOneHour = "public, max-age=3600";

std::string_view Trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

// Takes the next element of a comma-separated field; false at its end.
bool NextElement(std::string_view& left, std::string_view& element) {
    while (!left.empty()) {
        const size_t comma = std::min(left.find(','), left.size());
        element = Trim(left.substr(0, comma));
        left.remove_prefix(std::min(comma + 1, left.size()));
        if (!element.empty()) return true;
    }
    return false;
}

// The weight of one element of Accept-Encoding; 1 without one, 0 for what cannot be read.
double WeightOf(std::string_view parameters) {
    const size_t q = parameters.find("q=");
    if (q == std::string_view::npos) return 1;
    double weight = 0;
    const std::string_view text = Trim(parameters.substr(q + 2));
    const auto read = std::from_chars(text.data(), text.data() + text.size(), weight);
    return read.ec == std::errc() ? weight : 0;
}

std::string QuotedTag(const File& file, Coding coding) {
    const std::string_view behind = coding == Coding::kBrotli ? "-br"
                                    : coding == Coding::kGzip ? "-gz"
                                                              : "";
    return '"' + file.etag + std::string(behind) + '"';
}

bool Names(std::string_view if_none_match, std::string_view tag) {
    std::string_view element;
    while (NextElement(if_none_match, element)) {
        if (element == "*") return true;
        if (element.starts_with("W/")) element.remove_prefix(2);
        if (element == tag) return true;
    }
    return false;
}

void Secure(Response& response) {
    response.headers.Add("X-Content-Type-Options", "nosniff");
    response.headers.Add("Referrer-Policy", "same-origin");
}

void SecureAdmin(Response& response) {
    Secure(response);
    response.headers.Add("Cross-Origin-Opener-Policy", "same-origin");
    response.headers.Add("Cross-Origin-Resource-Policy", "same-origin");
    response.headers.Add("X-Frame-Options", "DENY");
}

std::optional<Response> WrongMethod(const Request& request) {
    if (request.method == Method::kGet || request.method == Method::kHead) return std::nullopt;
    Response response =
        Response::Error(405, "method_not_allowed", "This address does not take that method.");
    response.headers.Add("Allow", "GET, HEAD");
    return response;
}

Response Page(int status, std::string html) {
    Response response = Response::Text(status, std::move(html));
    response.content_type = "text/html; charset=utf-8";
    response.headers.Add("Cache-Control", kAskAgain);
    return response;
}

// One sentence where a page would be.
Response Sentence(int status, std::string_view title, std::string_view sentence) {
    std::string html = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>";
    html.append(title).append("</title><p>").append(sentence).append("</p></html>\n");
    Response response = Page(status, std::move(html));
    response.headers.Add("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    return response;
}

bool IsScreen(std::string_view path) {
    return path == "/" || path == "/index.html" || path == "/start" || path == "/sign-in" ||
           path == "/w" || path.starts_with("/w/");
}

Response Screens(const Assets& assets, const Origins& origins) {
    const File* const index = assets.Find("admin/index.html");
    if (index == nullptr) {
        Response response = Sentence(
            200, "Ripen",
            "Ripen runs, but this program was built without its screens: build them with "
            "<code>./dev build</code>; the API is described at "
            "<a href=\"/api/v1/openapi.yaml\">/api/v1/openapi.yaml</a>.");
        SecureAdmin(response);
        return response;
    }
    std::string random(18, '\0');
    base::RandomBytes(random.data(), random.size());
    const std::string nonce = base::Base64UrlEncode(random);
    Response response = Page(200, Fill(*index->raw, {{"__RIPEN_NONCE__", nonce}}));
    response.headers.Add("Content-Security-Policy", AdminPolicy(nonce, origins));
    SecureAdmin(response);
    return response;
}

// "/demo/cart" is demo/cart or demo/cart.html, "/demo/ja/" is demo/ja/index.html.
const File* FindDemo(const Assets& assets, std::string_view path) {
    std::string name(path.substr(1));
    if (name.ends_with('/')) name += "index.html";
    const File* const file = assets.Find(name);
    return file != nullptr ? file : assets.Find(name + ".html");
}

void SecureDemo(Response& response, const Origins& origins) {
    Secure(response);
    response.headers.Add("X-Robots-Tag", "noindex");
    const std::string ours = origins.admin.empty() ? "" : ' ' + origins.admin;
    response.headers.Add(
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self'; connect-src 'self'" + ours +
            "; base-uri 'none'; form-action 'self'; frame-ancestors 'self'" + ours);
}

Response Demo(const Assets& assets, const Request& request, const Origins& origins,
              std::string_view write_key) {
    if (!assets.Has("demo/")) {
        return Sentence(404, "Demo shop",
                        "This program was built without the demo shop: build it with "
                        "<code>./dev build</code>.");
    }
    if (write_key.empty()) {
        return Sentence(404, "Demo shop",
                        "There is no demo workspace any more, so its shop is closed.");
    }
    const File* const file = FindDemo(assets, request.path);
    if (file == nullptr && assets.Find(request.path.substr(1) + "/index.html") != nullptr) {
        // Links of a page are relative to its directory.
        Response response = Response::Empty(302);
        response.headers.Add("Location", request.path + '/');
        return response;
    }
    if (file == nullptr) {
        return Sentence(404, "Demo shop", "The shop has no such page: "
                                          "<a href=\"/demo/\">back to its front.</a>");
    }
    const bool filled = file->raw->find("__RIPEN_") != std::string::npos &&
                        file->type.starts_with("text/");
    if (!filled) return Answer(request, *file, kAskAgain);
    Response response =
        Response::Text(200, Fill(*file->raw, {{"__RIPEN_WRITE_KEY__", std::string(write_key)},
                                              {"__RIPEN_API__", origins.admin}}));
    response.content_type = file->type;
    response.headers.Add("Cache-Control", kAskAgain);
    return response;
}

Response Tracker(const Assets& assets, const Request& request) {
    const File* const file = assets.Find("tracker/ripen.js");
    Response response =
        file != nullptr
            ? Answer(request, *file, kOneHour)
            : Response::Error(404, "not_found",
                              "This program was built without the tracker: run ./dev build.");
    response.headers.Add("Access-Control-Allow-Origin", "*");
    response.headers.Add("Cross-Origin-Resource-Policy", "cross-origin");
    Secure(response);
    return response;
}

}  // namespace

std::string Fill(std::string_view text,
                 const std::vector<std::pair<std::string_view, std::string>>& values) {
    std::string out;
    out.reserve(text.size() + 64);
    while (!text.empty()) {
        const size_t mark = std::min(text.find("__RIPEN_"), text.size());
        out.append(text.substr(0, mark));
        text.remove_prefix(mark);
        const auto known =
            std::find_if(values.begin(), values.end(),
                         [&](const auto& value) { return text.starts_with(value.first); });
        if (known != values.end()) {
            out.append(known->second);
            text.remove_prefix(known->first.size());
        } else if (!text.empty()) {
            out.push_back(text.front());
            text.remove_prefix(1);
        }
    }
    return out;
}

Coding ChooseCoding(const File& file, std::string_view accept_encoding) {
    double brotli = -1, gzip = -1, any = -1;
    std::string_view element;
    while (NextElement(accept_encoding, element)) {
        const size_t semicolon = std::min(element.find(';'), element.size());
        const std::string_view name = Trim(element.substr(0, semicolon));
        const double weight = WeightOf(element.substr(semicolon));
        if (http::EqualNoCase(name, "br")) brotli = weight;
        if (http::EqualNoCase(name, "gzip") || http::EqualNoCase(name, "x-gzip")) gzip = weight;
        if (name == "*") any = weight;
    }
    if (brotli < 0) brotli = any;
    if (gzip < 0) gzip = any;
    const bool may_brotli = file.brotli && brotli > 0;
    const bool may_gzip = file.gzip && gzip > 0;
    if (may_brotli && (!may_gzip || brotli >= gzip)) return Coding::kBrotli;
    return may_gzip ? Coding::kGzip : Coding::kIdentity;
}

Response Answer(const Request& request, const File& file, std::string_view cache) {
    const Coding coding = ChooseCoding(file, request.headers.Get("Accept-Encoding"));
    const std::string tag = QuotedTag(file, coding);
    const bool known = Names(request.headers.Get("If-None-Match"), tag);
    Response response = Response::Empty(known ? 304 : 200);
    response.headers.Add("ETag", tag);
    response.headers.Add("Cache-Control", cache);
    if (file.gzip || file.brotli) response.headers.Add("Vary", "Accept-Encoding");
    if (known) return response;
    response.content_type = file.type;
    switch (coding) {
        case Coding::kIdentity: response.shared_body = file.raw; break;
        case Coding::kGzip:
            response.shared_body = file.gzip;
            response.headers.Add("Content-Encoding", "gzip");
            break;
        case Coding::kBrotli:
            response.shared_body = file.brotli;
            response.headers.Add("Content-Encoding", "br");
            break;
    }
    return response;
}

std::string AdminPolicy(std::string_view nonce, const Origins& origins) {
    std::string frames;
    for (const std::string& origin : {origins.sandbox, origins.open}) {
        if (!origin.empty()) frames += ' ' + origin;
    }
    if (frames.empty()) frames = " 'none'";
    return "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-" + std::string(nonce) +
           "'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; "
           "connect-src 'self'; frame-src" +
           frames +
           "; worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
           "frame-ancestors 'none'";
}

std::optional<Response> AdminPage(const Assets& assets, const Request& request,
                                  const Origins& origins) {
    const bool screen = IsScreen(request.path);
    const File* file = nullptr;
    if (!screen) {
        // Files lie in assets/ and beside index.html; nothing of ours has a deeper path.
        const bool asset = request.path.starts_with("/assets/");
        if (!asset && request.path.find('/', 1) != std::string::npos) return std::nullopt;
        file = assets.Find("admin" + request.path);
        if (file == nullptr && !asset) return std::nullopt;
    }
    if (auto refusal = WrongMethod(request)) return refusal;
    if (screen) return Screens(assets, origins);
    if (file == nullptr) {
        Response response = Response::Error(404, "not_found", "There is no such file.");
        SecureAdmin(response);
        return response;
    }
    Response response =
        Answer(request, *file, request.path.starts_with("/assets/") ? kForever : kAskAgain);
    SecureAdmin(response);
    return response;
}

std::optional<Response> PublicPage(const Assets& assets, const Request& request,
                                   const Origins& origins, std::string_view write_key) {
    const bool demo = request.path == "/demo" || request.path.starts_with("/demo/");
    if (!demo && request.path != "/ripen.js") return std::nullopt;
    if (auto refusal = WrongMethod(request)) return refusal;
    if (!demo) return Tracker(assets, request);
    Response response = Demo(assets, request, origins, write_key);
    if (!response.headers.Find("Content-Security-Policy")) {
        SecureDemo(response, origins);
    } else {
        Secure(response);
    }
    return response;
}

}  // namespace site
