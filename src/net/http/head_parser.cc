#include "net/http/head_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>


namespace http {
namespace {

namespace beast_http = boost::beast::http;
using boost::beast::string_view;
using ErrorCode = boost::beast::error_code;

// Notes the places of what Beast finds; nothing is copied.
template <bool kIsRequest>
class Listener final : public beast_http::basic_parser<kIsRequest> {
  public:
    Listener(std::string_view head, Headers& headers) : head_(head), headers_(headers) {
        this->header_limit(UINT32_MAX);
        this->body_limit(boost::none);
        this->eager(false);
    }
    RequestHead request;
    ResponseHead response;
    bool outside = false;

  private:
    void on_request_impl(beast_http::verb, string_view method, string_view target, int version,
                         ErrorCode&) override {
        request.method = {method.data(), method.size()};
        request.target = {target.data(), target.size()};
        request.http_1_0 = version == 10;
    }
    void on_response_impl(int code, string_view, int version, ErrorCode&) override {
        response.status = code;
        response.http_1_0 = version == 10;
    }
    void on_field_impl(beast_http::field, string_view name, string_view value,
                       ErrorCode&) override {
        // Beast copies a folded value elsewhere; folded lines are refused before.
        const char* begin = head_.data();
        const char* end = begin + head_.size();
        if (value.empty()) value = string_view(name.data(), 0);
        if (name.data() < begin || name.data() >= end || value.data() < begin ||
            value.data() >= end) {
            outside = true;
            return;
        }
        headers_.AddInside(static_cast<size_t>(name.data() - begin), name.size(),
                           static_cast<size_t>(value.data() - begin), value.size());
    }
    void on_header_impl(ErrorCode&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
    std::size_t on_body_impl(string_view body, ErrorCode&) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t, string_view, ErrorCode&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view body, ErrorCode&) override {
        return body.size();
    }
    void on_finish_impl(ErrorCode&) override {}

    std::string_view head_;
    Headers& headers_;
};

template <bool kIsRequest>
HeadSyntax Listen(Listener<kIsRequest>& listener, std::string_view head) {
    ErrorCode error;
    listener.put(boost::asio::const_buffer(head.data(), head.size()), error);
    if (error == beast_http::error::bad_version) return HeadSyntax::kBadVersion;
    if (error || listener.outside || !listener.is_header_done()) return HeadSyntax::kBad;
    return HeadSyntax::kGood;
}

}  // namespace

HeadSyntax ParseRequestHead(std::string_view head, RequestHead& request, Headers& headers) {
    headers.AdoptBlock(std::string(head));
    Listener<true> listener(head, headers);
    const HeadSyntax syntax = Listen(listener, head);
    request = listener.request;
    return syntax;
}

HeadSyntax ParseResponseHead(std::string_view head, ResponseHead& response, Headers& headers) {
    headers.AdoptBlock(std::string(head));
    Listener<false> listener(head, headers);
    const HeadSyntax syntax = Listen(listener, head);
    response = listener.response;
    return syntax;
}

}  // namespace http
