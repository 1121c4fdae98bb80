#include "flow/delivery/links.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace delivery {
namespace {

const TokenScheme& Scheme() {
    static const TokenScheme scheme = TokenScheme::Create({{1, std::string(32, 'k')}}).value();
    return scheme;
}

Token SomeMessage() { return {Purpose::kClick, 7, {3, 10, 2}, 0, {1, 2}, {}}; }

LinkOptions ClicksOnly() {
    LinkOptions options;
    options.click_base = "https://go.example/c/";
    options.open_base = "https://go.example/o/";
    options.pixel = false;
    return options;
}

// The rewritten HTML with each click link put back to what it leads to, in brackets.
std::string Resolved(const RewrittenHtml& rewritten) {
    const std::string base = "https://go.example/c/";
    std::string out, rest = rewritten.html;
    while (true) {
        const size_t at = rest.find(base);
        out += rest.substr(0, at);
        if (at == std::string::npos) return out;
        const size_t begin = at + base.size();
        const size_t end = rest.find('"', begin);
        const auto token = Scheme().Read(rest.substr(begin, end - begin), Purpose::kClick);
        EXPECT_TRUE(token.has_value());
        if (token) {
            EXPECT_EQ(rewritten.links.at(token->link), token->url);
            out += "[" + token->url + "]";
        }
        rest = rest.substr(end);
    }
}

std::string Rewritten(std::string_view html) {
    return Resolved(RewriteLinks(html, SomeMessage(), Scheme(), ClicksOnly()));
}

TEST(RewriteLinks, WebLinksBecomeSignedAndNothingElseMoves) {
    EXPECT_EQ("<p><a class=x href=\"[https://a.example/?x=1&y=2]\" id='y'>t</a></p>",
              Rewritten("<p><a class=x href='https://a.example/?x=1&amp;y=2' id='y'>t</a></p>"));
    EXPECT_EQ("<A HREF=\"[http://a.example]\">", Rewritten("<A HREF=http://a.example>"));
    EXPECT_EQ("<area href=\"[https://a.example/]\"/>",
              Rewritten("<area href=\"https://a.example/\"/>"));
    EXPECT_EQ("<a\nhref\n=\n\"[https://a.example/]\" b>",
              Rewritten("<a\nhref\n=\n' https://a.example/\n'b>"));
    EXPECT_EQ("<a href=\"[https://a.example/%E3%81%82%20b]\">",
              Rewritten("<a href='https://a.example/\xe3\x81\x82 b'>"));
    EXPECT_EQ("<a href=\"[https://a.example/&x]\">",
              Rewritten("<a href='https&#58;//a.example/&#x26;x'>"));
}

TEST(RewriteLinks, OtherLinksStayByteForByte) {
    for (const std::string html :
         {"<a href='mailto:a@b.c'>", "<a href='#top'>", "<a href='/path'>", "<a href=''>",
          "<a href='javascript:alert(1)'>", "<a href='java\nscript:x'>", "<a href='//x.example'>",
          "<a href='https://user@x.example/'>", "<a href='https://x.example\\@y.example/'>",
          "<a href='https://'>", "<a href='ftp://x.example'>", "<link href='https://x.example'>",
          "<img src='https://x.example'>", "<a data-untracked href='https://x.example'>",
          "<!-- <a href='https://x.example'> -->",
          "<style>a{x:'<a href=https://x.example>'}</style>",
          "<script>'<a href=https://x.example>'</script>",
          "<textarea><a href='https://x.example'></textarea>",
          "<!--[if mso]><v:rect href='https://x.example'><![endif]-->",
          "<a title=\"<a href='https://x.example'>\">", "<a href='https://x.example",
          "<a href=\"https://x.example>", "<a", "<", "< a href='https://x.example'>",
          "<a xhref='https://x.example'>", "<a href='https://x.example:99x/'>"}) {
        EXPECT_EQ(html, Rewritten(html));
    }
}

TEST(RewriteLinks, TheFirstOfTwoHrefsCountsAsInBrowsers) {
    EXPECT_EQ("<a href='#x' href='https://x.example'>",
              Rewritten("<a href='#x' href='https://x.example'>"));
}

TEST(RewriteLinks, KeptPrefixesStay) {
    LinkOptions options = ClicksOnly();
    options.keep_prefixes = {"https://go.example/u/"};
    const std::string html =
        "<a href='https://go.example/u/abc'><a href='https://a.example/'>";
    const RewrittenHtml out = RewriteLinks(html, SomeMessage(), Scheme(), options);
    EXPECT_EQ(std::vector<std::string>{"https://a.example/"}, out.links);
    EXPECT_EQ(out.links, ExtractLinks(html, options.keep_prefixes));
    EXPECT_NE(std::string::npos, out.html.find("'https://go.example/u/abc'"));
}

TEST(RewriteLinks, PixelAndTrapStandBeforeTheEndOfTheBody) {
    LinkOptions options = ClicksOnly();
    options.pixel = options.trap = true;
    const std::string out =
        RewriteLinks("<body>x</BODY></html>", SomeMessage(), Scheme(), options).html;
    const size_t pixel = out.find("<img src=\"https://go.example/o/");
    ASSERT_NE(std::string::npos, pixel);
    EXPECT_LT(out.find("display:none"), pixel);
    EXPECT_TRUE(out.ends_with("></BODY></html>"));
    const size_t begin = out.find("/o/") + 3;
    const size_t end = out.find(".gif", begin);
    EXPECT_TRUE(Scheme().Read(out.substr(begin, end - begin), Purpose::kOpen).has_value());
    EXPECT_TRUE(RewriteLinks("x", SomeMessage(), Scheme(), options).html.starts_with("x<a"));
}

TEST(RewriteLinks, ATagThatIsCutOffDoesNotSwallowThePixel) {
    LinkOptions options = ClicksOnly();
    options.pixel = true;
    const std::string out =
        RewriteLinks("x<a href='https://a.example' b", SomeMessage(), Scheme(), options).html;
    EXPECT_TRUE(out.starts_with("x<img src="));
    EXPECT_TRUE(out.ends_with("><a href='https://a.example' b"));
}

TEST(RewriteLinks, LinkOfExactlyTheLimitIsTrackedAndOneByteMoreIsNot) {
    std::string url = "https://a.example/";
    url.resize(limits::kTrackedUrlBytesMax, 'x');
    const auto fits =
        RewriteLinks("<a href='" + url + "'>", SomeMessage(), Scheme(), ClicksOnly());
    EXPECT_EQ(1u, fits.links.size());
    EXPECT_EQ(0, fits.untracked);
    const auto over =
        RewriteLinks("<a href='" + url + "x'>", SomeMessage(), Scheme(), ClicksOnly());
    EXPECT_EQ(0u, over.links.size());
    EXPECT_EQ(1, over.untracked);
}

TEST(RewriteLinks, LinksPastTheLimitStayUntrackedAndAreCounted) {
    std::string html;
    for (size_t i = 0; i < limits::kTrackedLinksMax + 2; ++i) html += "<a href=https://x.example>";
    const auto out = RewriteLinks(html, SomeMessage(), Scheme(), ClicksOnly());
    EXPECT_EQ(limits::kTrackedLinksMax, out.links.size());
    EXPECT_EQ(2, out.untracked);
}

TEST(CheckLinkTags, AValueMayNotDecideWhereALinkLeads) {
    const std::vector<std::string> whole = {"unsubscribe_url"};
    for (const char* fine :
         {"<a href='https://x.example/{{ person.id }}'>", "<a href='https://x.example?x={{ y }}'>",
          "<a href='{{ unsubscribe_url }}'>", "<a href=\"{{- unsubscribe_url -}}\">",
          "<a href='mailto:{{ x }}'>", "<a href='#{{ x }}'>", "<a href='https://x.example/'>",
          "<p>{{ anything }}</p>"}) {
        EXPECT_TRUE(CheckLinkTags(fine, whole).has_value()) << fine;
    }
    for (const char* bad :
         {"<a href='{{ person.site }}'>", "<a href='https://{{ x }}/'>",
          "<a href='https://x{{ y }}'>",
          "<a href='https://x.example{{ y }}'>", "<a href='http{{ s }}://x.example/'>",
          "<a href='{% if a %}https://x.example/{% endif %}'>", "<a href='/{{ x }}'>",
          "<a href='{{ unsubscribe_url }}{{ x }}'>", "<a href='javascript:{{ x }}'>",
          "<a href='https://x.example:{{ port }}/'>", "<a href='https://u@x.example/{{ y }}'>",
          "<a href='https://&#123;{ x }}/'>"}) {
        EXPECT_FALSE(CheckLinkTags(bad, whole).has_value()) << bad;
    }
}

}  // namespace
}  // namespace delivery
