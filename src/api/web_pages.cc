#include "api/web_pages.h"

namespace api {
namespace {

// The name in the Host field, in brackets where it is an IPv6 address; what could be no name of a
// host is not repeated.
std::string HostName(const http::Request& request) {
    std::string_view host = request.headers.Get("Host");
    const size_t colon = host.rfind(':');
    if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) {
        host = host.substr(0, colon);
    }
    const bool plain = host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "0123456789.-_:[]") == std::string_view::npos;
    return host.empty() || !plain ? "127.0.0.1" : std::string(host);
}

// An origin has no path.
std::string Bare(std::string url) {
    const size_t scheme = url.find("://");
    const size_t slash = url.find('/', scheme == std::string::npos ? 0 : scheme + 3);
    return url.substr(0, slash);
}

std::string OriginAt(const std::string& set, const std::string& host, uint16_t port) {
    if (!set.empty() || port == 0) return Bare(set);
    return "http://" + host + ':' + std::to_string(port);
}

// The demo workspace's key that may be shown to everybody; empty: there is no demo.
std::string DemoKey(const Services& services) {
    for (const auto& workspace : services.catalog.Workspaces()) {
        if (!workspace->demo) continue;
        for (const auto& key : services.catalog.Keys(workspace->number)) {
            if (!key->secret && !key->text.empty()) return key->text;
        }
    }
    return {};
}

const site::Assets& AssetsOf(const Services& services) {
    return services.assets != nullptr ? *services.assets : site::Assets::BuiltIn();
}

}  // namespace

site::Origins OriginsOf(const Services& services, const http::Request& request) {
    const std::string host = HostName(request);
    return {OriginAt(services.admin_url, host, services.admin_port),
            OriginAt(services.public_url, host, services.public_port),
            OriginAt(services.sandbox_url, host, services.sandbox_port)};
}

std::optional<http::Response> ScreenPage(const Services& services, const http::Request& request) {
    return site::AdminPage(AssetsOf(services), request, OriginsOf(services, request));
}

std::optional<http::Response> ShopPage(const Services& services, const http::Request& request) {
    const bool shop = request.path.starts_with("/demo");
    return site::PublicPage(AssetsOf(services), request, OriginsOf(services, request),
                            shop ? DemoKey(services) : std::string());
}

}  // namespace api
