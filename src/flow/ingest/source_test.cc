#include "flow/ingest/source.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "flow/ingest/source_tables.h"

namespace ingest {
namespace {

struct Told {
    std::string kind, source, medium, campaign, term, click_id, referrer_host;
};

Told Read(std::string_view url, std::string_view referrer, const CampaignTags& tags = {}) {
    SourceReader reader;
    const model::Source s = reader.Read(tags, url, referrer);
    return {std::string(s.kind),     std::string(s.source),   std::string(s.medium),
            std::string(s.campaign), std::string(s.term),     std::string(s.click_id),
            std::string(s.referrer_host)};
}

constexpr std::string_view kPage = "https://www.shop.example/p";

TEST(VisitSource, WithoutReferrerAndTagsItIsDirect) {
    const Told t = Read(kPage, "");
    EXPECT_EQ(t.kind, "direct");
    EXPECT_EQ(t.medium, "none");
}

TEST(VisitSource, TagsComeFirst) {
    const Told t = Read(
        "https://shop.example/?utm_source=News%20Letter&utm_medium=cpc&utm_campaign=a+b&utm_term=x",
        "https://www.google.com/");
    EXPECT_EQ(t.kind, "ad");
    EXPECT_EQ(t.source, "News Letter");
    EXPECT_EQ(t.medium, "cpc");
    EXPECT_EQ(t.campaign, "a b");
    EXPECT_EQ(t.term, "x");
    EXPECT_EQ(t.referrer_host, "google.com");
}

TEST(VisitSource, TheLibrarysTagsBeatTheAddress) {
    CampaignTags tags;
    tags.source = "own";
    tags.medium = "email";
    EXPECT_EQ(Read("https://shop.example/?utm_source=other", "", tags).source, "own");
    EXPECT_EQ(Read("https://shop.example/?utm_source=other", "", tags).kind, "email");
}

TEST(VisitSource, ClickIdsTellTheNetwork) {
    const struct {
        const char *query, *source, *medium, *kind;
    } cases[] = {
        {"gclid=A-b", "google", "cpc", "ad"},       {"yclid=1", "yandex", "cpc", "ad"},
        {"msclkid=1", "bing", "cpc", "ad"},         {"fbclid=1", "facebook", "social", "social"},
        {"ttclid=1", "tiktok", "cpc", "ad"},        {"li_fat_id=1", "linkedin", "cpc", "ad"},
        {"ysclid=1", "yandex", "organic", "search"}, {"fbclid=1&gclid=2", "google", "cpc", "ad"},
    };
    for (const auto& c : cases) {
        const Told t = Read(std::string("https://shop.example/?a=1&") + c.query, "");
        EXPECT_EQ(t.source, c.source) << c.query;
        EXPECT_EQ(t.medium, c.medium) << c.query;
        EXPECT_EQ(t.kind, c.kind) << c.query;
    }
    EXPECT_EQ(Read("https://shop.example/?gclid=A-b#x", "").click_id, "gclid:A-b");
    EXPECT_EQ(Read("https://shop.example/?yclid=1", "https://search.yahoo.co.jp/").source, "yahoo");
}

TEST(VisitSource, ReferrersAreTold) {
    const struct {
        const char *referrer, *kind, *source, *medium;
    } cases[] = {
        {"https://www.google.co.jp/", "search", "google", "organic"},
        {"https://www.google.com/search?q=tent+two", "search", "google", "organic"},
        {"https://www.bing.com/search?q=x", "search", "bing", "organic"},
        {"https://search.yahoo.co.jp/search?p=x", "search", "yahoo! japan", "organic"},
        {"https://duckduckgo.com/", "search", "duckduckgo", "organic"},
        {"https://yandex.ru/search/?text=x", "search", "yandex", "organic"},
        {"https://l.facebook.com/l.php", "social", "facebook", "social"},
        {"https://lm.facebook.com/", "social", "facebook", "social"},
        {"https://t.co/x", "social", "twitter", "social"},
        {"https://chatgpt.com/", "ai", "chatgpt", "ai"},
        {"https://www.perplexity.ai/search", "ai", "perplexity", "ai"},
        {"https://x.com/i/grok", "ai", "grok", "ai"},
        {"https://mail.google.com/mail/u/0", "email", "gmail", "email"},
        {"https://docs.google.com/x", "referral", "docs.google.com", "referral"},
        {"https://Blog.Partner.example:8443/x", "referral", "blog.partner.example", "referral"},
    };
    for (const auto& c : cases) {
        const Told t = Read(kPage, c.referrer);
        EXPECT_EQ(t.kind, c.kind) << c.referrer;
        EXPECT_EQ(t.source, c.source) << c.referrer;
        EXPECT_EQ(t.medium, c.medium) << c.referrer;
    }
    EXPECT_EQ(Read(kPage, "https://www.google.com/search?q=tent+two").term, "tent two");
}

TEST(VisitSource, TheOwnSiteIsInternal) {
    EXPECT_EQ(Read(kPage, "https://www.shop.example/other").kind, "internal");
    EXPECT_EQ(Read(kPage, "https://blog.shop.example/").kind, "internal");
    EXPECT_EQ(Read("https://a.firm.co.jp/", "https://b.firm.co.jp/").kind, "internal");
    EXPECT_EQ(Read("https://a.firm.co.jp/", "https://b.other.co.jp/").kind, "referral");
    EXPECT_EQ(Read("https://shop.example/?utm_source=n", "https://shop.example/").kind, "campaign");
}

TEST(VisitSource, WithoutAPageNothingIsKnown) {
    EXPECT_EQ(Read("", "https://www.google.com/").kind, "");
    CampaignTags tags;
    tags.source = "own";
    EXPECT_EQ(Read("", "", tags).source, "own");
}

TEST(VisitSource, HostilePiecesDoNotOverrunTheMemory) {
    SourceReader reader;
    std::string url = "https://shop.example/?";
    for (int i = 0; i < 200; ++i) url += "gclid=%41%42&utm_source=%43%44&fbclid=x&";
    const model::Source s = reader.Read({}, url, url);
    EXPECT_EQ(s.source, "CD");
    EXPECT_TRUE(s.click_id.starts_with("gclid:"));
}

TEST(HostOf, LeavesSchemeUserPortAndWwwAway) {
    EXPECT_EQ(HostOf("https://user:pw@WWW.Shop.Example:8080/x?y#z"), "shop.example");
    EXPECT_EQ(HostOf("android-app://com.google.android.gm/"), "com.google.android.gm");
    EXPECT_EQ(HostOf("//cdn.example/x"), "cdn.example");
    EXPECT_EQ(HostOf("http://[::1]:80/"), "[::1]");
    EXPECT_EQ(HostOf("nonsense"), "");
    EXPECT_EQ(HostOf(""), "");
    EXPECT_EQ(HostOf("https://" + std::string(254, 'a') + "/"), "");
}

TEST(SiteTables, AreSorted) {
    EXPECT_TRUE(std::is_sorted(kSiteRows, kSiteRows + kSiteRowCount,
                               [](const SiteRow& a, const SiteRow& b) { return a.host < b.host; }));
}

}  // namespace
}  // namespace ingest
