// One HTTP request and one answer, as the server hands them to the product and gets them back.
// Plain values: no type of the network library appears here.
//
// Source: RFC 9110 (semantics), RFC 9112 (HTTP/1.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http/url.h"

namespace http {

class Upgrade;

enum class Method : uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };

std::string_view MethodName(Method method);     // "GET"; kOther: "OTHER".
Method MethodFromName(std::string_view name);   // Case-sensitive (RFC 9110 9.1).

// Zero bytes that may be read behind every body: simdjson parses in place with them.
inline constexpr size_t kBodyPadding = 64;

// Header fields in the order of their arrival. Names are compared without regard to case.
// One block of text holds them all, so that a request needs two allocations for its fields.
class Headers {
  public:
    struct Field {
        std::string_view name;
        std::string_view value;
    };

    void Add(std::string_view name, std::string_view value);
    // Replaces every field of that name by one.
    void Set(std::string_view name, std::string_view value);
    void Remove(std::string_view name);
    // The first field of that name; nullopt when there is none.
    std::optional<std::string_view> Find(std::string_view name) const;
    // As Find; empty when there is none.
    std::string_view Get(std::string_view name) const;
    size_t size() const { return fields_.size(); }
    Field operator[](size_t index) const;
    // Valid until the next change.
    std::vector<Field> All() const;

    // For parsers: takes over a block of text; AddInside then names fields that lie in it.
    void AdoptBlock(std::string block);
    void AddInside(size_t name_at, size_t name_size, size_t value_at, size_t value_size);
    std::string_view block() const { return block_; }

  private:
    struct Place {
        uint32_t name_at;
        uint32_t name_size;
        uint32_t value_at;
        uint32_t value_size;
    };
    std::string block_;
    std::vector<Place> fields_;
};

// Compares ASCII letters without regard to case.
bool EqualNoCase(std::string_view a, std::string_view b);

struct PaddedView {
    const char* data = nullptr;
    size_t size = 0;
    size_t capacity = 0;  // >= size + kBodyPadding.
};

struct Request {
    Method method = Method::kGet;
    // As it came, without scheme and authority: "/v1/batch?writeKey=a". "*" only with OPTIONS.
    std::string target;
    // The part before '?', percent-decoded exactly once. Requests whose decoded path has a "."
    // or ".." segment, a backslash or a NUL byte never get here: they are answered with 400.
    std::string path;
    // The part before '?', not decoded: split this when a segment may hold an encoded slash.
    std::string_view RawPath() const;
    // Decoded segments of RawPath: "/v1/persons/a%2Fb" -> {"v1", "persons", "a/b"}.
    std::vector<std::string> Segments() const;
    Query query;
    Headers headers;
    // Decoded from chunks where it came so, not from its Content-Encoding. The capacity is at
    // least size + kBodyPadding. Empty for GET and HEAD: what came with them was dropped.
    std::string body;
    // Textual address of the other end of the connection (a proxy's, if there is one); an IPv4
    // address in IPv6 form is given as IPv4. Empty on a Unix socket.
    std::string peer_address;
    size_t listener = 0;  // Index into ServerOptions::listeners.
    bool http_1_0 = false;

    // For parsing in place. Moving a request keeps the padding of its body; a copy, or a body set
    // by hand, has to be given it by Pad first.
    PaddedView PaddedBody() const;

    // A request without a network, for tests and for calls inside the process. `target` must
    // begin with '/'.
    static Request Make(Method method, std::string_view target, std::string_view body = {});
};

// Gives `body` at least kBodyPadding bytes behind its end.
void Pad(std::string& body);

// Fills target, path and query. False when the target is not acceptable (see Request::path).
bool SetTarget(Request& request, std::string_view target);

// A piece of a streamed answer. kAbort closes the connection without the last chunk, so that the
// reader knows that the answer is not whole.
struct Piece {
    enum class Kind : uint8_t { kData, kEnd, kAbort };
    Kind kind = Kind::kEnd;
    std::string data;
};
using PieceDone = std::function<void(Piece)>;
// Called for the next piece when the one before has been given to the socket: that is the back
// pressure. Must call its argument once, at once or later, from any thread; must not block the
// thread it is called on. Destroyed early when the reader has gone away.
using PieceSource = std::function<void(PieceDone)>;

struct Response {
    int status = 200;
    std::string content_type;  // Empty: no Content-Type field.
    Headers headers;
    std::string body;
    // Used instead of `body` when set: one text for many answers.
    std::shared_ptr<const std::string> shared_body;
    // Used instead of both when set: chunked (to HTTP/1.0: until the connection closes).
    PieceSource source;
    // With status 101: what the connection becomes (net/http/upgrade.h).
    std::shared_ptr<Upgrade> upgrade;
    bool close = false;  // Close the connection after this answer.

    std::string_view Body() const { return shared_body ? std::string_view(*shared_body) : body; }

    static Response Text(int status, std::string text);
    static Response Json(int status, std::string json);
    // {"error":{"code":"too_large","message":"..."}}; `code` as base::CodeName gives it.
    static Response Error(int status, std::string_view code, std::string_view message);
    static Response Empty(int status);
};

std::string_view ReasonPhrase(int status);

}  // namespace http
