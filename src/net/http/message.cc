#include "net/http/message.h"

#include <algorithm>

#include "base/check.h"
#include "base/json.h"
#include "net/http/syntax.h"

namespace http {
namespace {

constexpr std::string_view kMethodNames[] = {"GET",   "HEAD",   "POST",    "PUT",
                                             "PATCH", "DELETE", "OPTIONS", "OTHER"};

char LowerOf(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool PathIsPlain(std::string_view path) {
    for (size_t at = 0; at <= path.size();) {
        const size_t end = std::min(path.find('/', at), path.size());
        const std::string_view segment = path.substr(at, end - at);
        if (segment == "." || segment == "..") return false;
        at = end + 1;
    }
    return path.find('\\') == std::string_view::npos && path.find('\0') == std::string_view::npos;
}

// "http://host/path" becomes "/path" (RFC 9112 3.2.2); nullopt when it is not of that form.
std::optional<std::string_view> WithoutAuthority(std::string_view target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (target.size() > scheme.size() && EqualNoCase(target.substr(0, scheme.size()), scheme)) {
            target.remove_prefix(scheme.size());
            const size_t end = std::min(target.find_first_of("/?"), target.size());
            if (end == 0) return std::nullopt;
            return target.substr(end);
        }
    }
    return std::nullopt;
}

}  // namespace

std::string_view MethodName(Method method) { return kMethodNames[static_cast<size_t>(method)]; }

Method MethodFromName(std::string_view name) {
    for (size_t i = 0; i < static_cast<size_t>(Method::kOther); ++i) {
        if (kMethodNames[i] == name) return static_cast<Method>(i);
    }
    return Method::kOther;
}

bool EqualNoCase(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
               return LowerOf(x) == LowerOf(y);
           });
}

bool ListHas(std::string_view list, std::string_view token) {
    while (!list.empty()) {
        const size_t end = std::min(list.find(','), list.size());
        if (EqualNoCase(TrimBlanks(list.substr(0, end)), token)) return true;
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return false;
}

void Headers::Add(std::string_view name, std::string_view value) {
    const size_t at = block_.size();
    block_.append(name);
    block_.append(value);
    AddInside(at, name.size(), at + name.size(), value.size());
}

void Headers::Set(std::string_view name, std::string_view value) {
    Remove(name);
    Add(name, value);
}

void Headers::Remove(std::string_view name) {
    std::erase_if(fields_, [&](const Place& place) {
        return EqualNoCase(std::string_view(block_).substr(place.name_at, place.name_size), name);
    });
}

std::optional<std::string_view> Headers::Find(std::string_view name) const {
    const std::string_view block = block_;
    for (const Place& place : fields_) {
        if (place.name_size == name.size() &&
            EqualNoCase(block.substr(place.name_at, place.name_size), name)) {
            return block.substr(place.value_at, place.value_size);
        }
    }
    return std::nullopt;
}

std::string_view Headers::Get(std::string_view name) const { return Find(name).value_or(""); }

Headers::Field Headers::operator[](size_t index) const {
    const std::string_view block = block_;
    const Place& place = fields_[index];
    return {block.substr(place.name_at, place.name_size),
            block.substr(place.value_at, place.value_size)};
}

std::vector<Headers::Field> Headers::All() const {
    std::vector<Field> all;
    all.reserve(size());
    for (size_t i = 0; i < size(); ++i) all.push_back((*this)[i]);
    return all;
}

void Headers::AdoptBlock(std::string block) {
    block_ = std::move(block);
    fields_.clear();
    fields_.reserve(12);
}

void Headers::AddInside(size_t name_at, size_t name_size, size_t value_at, size_t value_size) {
    CHECK(name_at + name_size <= block_.size() && value_at + value_size <= block_.size());
    fields_.push_back({static_cast<uint32_t>(name_at), static_cast<uint32_t>(name_size),
                       static_cast<uint32_t>(value_at), static_cast<uint32_t>(value_size)});
}

PaddedView Request::PaddedBody() const {
    CHECK(body.capacity() >= body.size() + kBodyPadding);
    return {body.data(), body.size(), body.capacity()};
}

std::string_view Request::RawPath() const {
    const std::string_view all = target;
    return all.substr(0, std::min(all.find('?'), all.size()));
}

std::vector<std::string> Request::Segments() const {
    std::vector<std::string> segments;
    std::string_view raw = RawPath();
    if (!raw.empty() && raw.front() == '/') raw.remove_prefix(1);
    while (!raw.empty()) {
        const size_t end = std::min(raw.find('/'), raw.size());
        segments.push_back(PercentDecode(raw.substr(0, end)).value_or(std::string()));
        raw.remove_prefix(std::min(end + 1, raw.size()));
    }
    return segments;
}

Request Request::Make(Method method, std::string_view target, std::string_view body) {
    Request request;
    request.method = method;
    CHECK(SetTarget(request, target));
    request.body.assign(body);
    Pad(request.body);
    return request;
}

void Pad(std::string& body) {
    if (body.capacity() < body.size() + kBodyPadding) body.reserve(body.size() + kBodyPadding);
}

bool SetTarget(Request& request, std::string_view target) {
    for (const char c : target) {
        if (c <= ' ' || c >= 0x7f || c == '#') return false;  // char is signed: also >= 0x80.
    }
    if (target == "*") {
        request.target = request.path = "*";
        return request.method == Method::kOptions;
    }
    if (target.empty()) return false;
    std::string rooted;
    if (target.front() != '/') {
        const auto rest = WithoutAuthority(target);
        if (!rest) return false;
        rooted = rest->empty() || rest->front() != '/' ? "/" : "";
        rooted.append(*rest);
        target = rooted;
    }
    const size_t mark = std::min(target.find('?'), target.size());
    const std::string_view raw = target.substr(0, mark);
    if (raw.find('%') == std::string_view::npos) {
        request.path.assign(raw);
    } else {
        auto path = PercentDecode(raw);
        if (!path) return false;
        request.path = std::move(*path);
    }
    if (!PathIsPlain(request.path)) return false;
    if (mark < target.size()) request.query = Query::Parse(target.substr(mark + 1));
    request.target.assign(target);
    return true;
}

Response Response::Text(int status, std::string text) {
    Response response;
    response.status = status;
    response.content_type = "text/plain; charset=utf-8";
    response.body = std::move(text);
    return response;
}

Response Response::Json(int status, std::string json) {
    Response response;
    response.status = status;
    response.content_type = "application/json";
    response.body = std::move(json);
    return response;
}

Response Response::Error(int status, std::string_view code, std::string_view message) {
    std::string json;
    base::JsonWriter writer(json);
    writer.Begin('{').Key("error").Begin('{');
    writer.Key("code").String(code).Key("message").String(message);
    writer.End('}').End('}');
    return Json(status, std::move(json));
}

Response Response::Empty(int status) {
    Response response;
    response.status = status;
    return response;
}

std::string_view ReasonPhrase(int status) {
    switch (status) {
        case 100: return "Continue";
        case 101: return "Switching Protocols";
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 206: return "Partial Content";
        case 301: return "Moved Permanently";
        case 302: return "Found";
        case 303: return "See Other";
        case 304: return "Not Modified";
        case 307: return "Temporary Redirect";
        case 308: return "Permanent Redirect";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 412: return "Precondition Failed";
        case 413: return "Content Too Large";
        case 414: return "URI Too Long";
        case 415: return "Unsupported Media Type";
        case 417: return "Expectation Failed";
        case 422: return "Unprocessable Content";
        case 426: return "Upgrade Required";
        case 428: return "Precondition Required";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        case 505: return "HTTP Version Not Supported";
        case 507: return "Insufficient Storage";
        default: return "Status";
    }
}

}  // namespace http
