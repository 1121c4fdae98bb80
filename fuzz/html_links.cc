// Any HTML: the tracked links are web URLs, each token resolves to its own, and taking the tokens
// out again leaves the page as it was.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/limits.h"
#include "flow/delivery/links.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
    static const auto scheme =
        delivery::TokenScheme::Create({{1, std::string(32, 'k')}}).value();
    const std::string_view html(reinterpret_cast<const char*>(bytes), size);
    delivery::LinkOptions options;
    options.click_base = "https://go.example/c/";
    options.open_base = "https://go.example/o/";
    options.keep_prefixes = {"https://go.example/"};
    const delivery::Token message{delivery::Purpose::kClick, 1, {1, 2, 3}, 0, {4, 5}, {}};
    const auto out = delivery::RewriteLinks(html, message, scheme, options);
    if (out.links != delivery::ExtractLinks(html, options.keep_prefixes)) std::abort();
    if (out.links.size() > limits::kTrackedLinksMax) std::abort();
    std::string_view rest(out.html);
    size_t found = 0;
    for (const std::string& url : out.links) {
        if (!delivery::IsWebUrl(url)) std::abort();
    }
    while (true) {
        const size_t at = rest.find("\"" + options.click_base);
        if (at == std::string_view::npos) break;
        rest.remove_prefix(at + 1 + options.click_base.size());
        const auto token = scheme.Read(rest.substr(0, rest.find('"')), delivery::Purpose::kClick);
        if (!token) continue;
        if (token->link != found || token->url != out.links.at(found)) std::abort();
        ++found;
    }
    if (found != out.links.size()) std::abort();
    // The page's own links are all kept now: nothing is rewritten twice.
    if (!delivery::ExtractLinks(out.html, options.keep_prefixes).empty()) std::abort();
    (void)delivery::CheckLinkTags(html, {"unsubscribe_url"});
    return 0;
}
