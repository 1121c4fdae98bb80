// Turns the links of a letter's HTML into signed click links and adds the open pixel.
//
// Only href of <a> and <area> is touched, only http and https, byte for byte nothing else. Left
// alone: mailto:, tel:, anchors, relative and other schemes, links that begin with one of
// `keep_prefixes` (unsubscribe, preferences), links with the attribute data-untracked, links
// longer than kTrackedUrlBytesMax and whatever comes after kTrackedLinksMax. Comments (with
// Outlook's conditional ones), <style>, <script>, <title> and <textarea> are passed over.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "flow/delivery/tokens.h"

namespace delivery {

struct LinkOptions {
    std::string click_base;  // "https://go.example.com/c/"; the token follows.
    std::string open_base;   // "https://go.example.com/o/"; ".gif" follows the token.
    bool clicks = true;
    bool pixel = true;       // The caller asks the consent `email.open` first.
    bool trap = false;       // Adds a link that no human sees, to unmask scanners.
    std::vector<std::string> keep_prefixes;
};

struct RewrittenHtml {
    std::string html;
    std::vector<std::string> links;  // The tracked URLs by link index, entities decoded.
    int untracked = 0;               // http(s) links left alone for a limit.
};

// `token`: workspace, message and person are taken from it. Any input is taken: broken HTML comes
// out as broken as it was. Any thread; time linear in the input.
RewrittenHtml RewriteLinks(std::string_view html, const Token& token, const TokenScheme& scheme,
                           const LinkOptions& options);

// The http and https links of a letter in order, entities decoded, as RewriteLinks numbers them.
std::vector<std::string> ExtractLinks(std::string_view html,
                                      const std::vector<std::string>& keep_prefixes);

// True for an absolute http or https URL with a host, without userinfo, control characters,
// spaces or backslashes: what may be redirected to.
bool IsWebUrl(std::string_view url);

// Refuses a template in which a person's values could decide where a link leads: a Liquid tag in
// the scheme or host of an href ("https://{{ x }}.example", "{{ person.site }}"). A link that is
// exactly one of `whole_tags` ("unsubscribe_url" for {{ unsubscribe_url }}) is allowed.
// Errors: kInvalidArgument, `at` = the link.
base::Status CheckLinkTags(std::string_view html_template,
                           const std::vector<std::string>& whole_tags);

}  // namespace delivery
