#include "api/public_pages.h"

#include <gmock/gmock.h>

#include "api/letter_tokens.h"
#include "api/sandbox.h"
#include "api/test_services.h"

namespace api {
namespace {

using delivery::Purpose;
using http::Method;
using http::Request;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kBrowser =
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

class PublicPages : public testing::Test {
  protected:
    std::string TokenText(Purpose purpose, model::WorkspaceId workspace = 1) {
        delivery::Token token;
        token.purpose = purpose;
        token.workspace = workspace;
        token.message = {2, 17, 3};
        token.person = {0x1234, 0x5678};
        if (purpose == Purpose::kClick) {
            token.link = 4;
            token.url = "https://shop.example/a?b=1";
        }
        return TokensOf(*t.catalog->FindWorkspace(workspace))->Write(token);
    }
    http::Response Ask(Method method, const std::string& target, const char* agent = kBrowser) {
        Request request = Request::Make(method, target);
        if (agent != nullptr) request.headers.Add("User-Agent", agent);
        return t.Ask(ServePublic, std::move(request));
    }
    TestServices t;
};

TEST_F(PublicPages, AClickLeadsOnAndLeavesAReceiptWithThePerson) {
    const http::Response answer = Ask(Method::kGet, "/c/" + TokenText(Purpose::kClick));
    EXPECT_EQ(302, answer.status);
    EXPECT_EQ("https://shop.example/a?b=1", answer.headers.Get("Location"));
    EXPECT_EQ("no-store", answer.headers.Get("Cache-Control"));
    EXPECT_EQ("no-referrer", answer.headers.Get("Referrer-Policy"));
    const auto all = t.PersonRecords();
    ASSERT_EQ(1u, all.size());
    EXPECT_EQ(model::RecordKind::kReceipt, all[0].first.kind);
    EXPECT_EQ(model::PartitionOf({0x1234, 0x5678}, 4), all[0].first.stream);
    EXPECT_EQ(R"({"message":[2,17,3],"kind":2,"link":4,"url":"https://shop.example/a?b=1",)"
              R"("machine":false})", all[0].second);
}

TEST_F(PublicPages, AReceiptGoesToThePersonSheBecame) {
    std::vector<identity::Joined> joined;
    const model::PersonId root{0x9999, 0x1};
    t.links.Fold({{{model::IdKind::kUser, root}, {model::IdKind::kAnonymous, {0x1234, 0x5678}}},
                  true, false}, joined);
    t.links.Arrived({0x1234, 0x5678});
    Ask(Method::kGet, "/o/" + TokenText(Purpose::kOpen) + ".gif");
    const auto all = t.PersonRecords();
    ASSERT_EQ(1u, all.size());
    EXPECT_EQ(root, all[0].first.person);
    EXPECT_EQ(model::PartitionOf(root, 4), all[0].first.stream);
}

TEST_F(PublicPages, AnOpenIsAPixelAndAReceipt) {
    const http::Response answer = Ask(Method::kGet, "/o/" + TokenText(Purpose::kOpen) + ".gif");
    EXPECT_EQ(200, answer.status);
    EXPECT_EQ("image/gif", answer.content_type);
    const auto all = t.PersonRecords();
    ASSERT_EQ(1u, all.size());
    EXPECT_EQ(R"({"message":[2,17,3],"kind":1,"machine":false})", all[0].second);
}

TEST_F(PublicPages, HeadPrefetchAndNamelessProgramsAreMachines) {
    Ask(Method::kHead, "/c/" + TokenText(Purpose::kClick));
    Ask(Method::kGet, "/c/" + TokenText(Purpose::kClick), nullptr);
    Request prefetch = Request::Make(Method::kGet, "/c/" + TokenText(Purpose::kClick));
    prefetch.headers.Add("User-Agent", kBrowser);
    prefetch.headers.Add("Purpose", "prefetch");
    t.Ask(ServePublic, std::move(prefetch));
    const auto all = t.PersonRecords();
    ASSERT_EQ(3u, all.size());
    for (const auto& [record, payload] : all) EXPECT_THAT(payload, HasSubstr("\"machine\":true"));
}

TEST_F(PublicPages, GetAndHeadOfUnsubscribeChangeNothing) {
    t.Api(Method::kPut, "/api/v1/settings/sender",
          R"({"from_name":"Shop & Co","from_address":"a@shop.example"})");
    const std::string path = "/u/" + TokenText(Purpose::kUnsubscribe);
    const http::Response page = Ask(Method::kGet, path);
    EXPECT_EQ(200, page.status);
    EXPECT_THAT(Text(page), HasSubstr("<form method=\"post\" action=\"" + path + "\">"));
    EXPECT_THAT(Text(page), HasSubstr("Shop &amp; Co"));
    EXPECT_THAT(std::string(page.headers.Get("Content-Security-Policy")),
                HasSubstr("default-src 'none'"));
    EXPECT_EQ(200, Ask(Method::kHead, path).status);
    EXPECT_TRUE(t.PersonRecords().empty());
    EXPECT_EQ(0u, t.log.PendingRecords());
}

TEST_F(PublicPages, PostUnsubscribesAndAnswersWhenItIsDurable) {
    const std::string path = "/u/" + TokenText(Purpose::kUnsubscribe);
    for (const char* body : {"List-Unsubscribe=One-Click", ""}) {
        const auto promise = t.Begin(ServePublic, Request::Make(Method::kPost, path, body));
        auto answer = promise->get_future();
        EXPECT_NE(std::future_status::ready, answer.wait_for(std::chrono::seconds(0)));
        t.log.CommitPending();
        EXPECT_EQ(200, answer.get().status);
    }
    const auto all = t.PersonRecords();
    ASSERT_EQ(2u, all.size());
    EXPECT_EQ(R"({"message":[2,17,3],"kind":3,"machine":false})", all[0].second);
}

TEST_F(PublicPages, AFullDiskStopsNoVisitorButNoUnsubscribeIsPretended) {
    t.log.SetFull(true);
    EXPECT_EQ(302, Ask(Method::kGet, "/c/" + TokenText(Purpose::kClick)).status);
    const http::Response answer = Ask(Method::kPost, "/u/" + TokenText(Purpose::kUnsubscribe));
    EXPECT_EQ(503, answer.status);
    EXPECT_EQ("5", answer.headers.Get("Retry-After"));
    EXPECT_EQ(2u, t.services->counts.receipts_lost.load());
}

TEST_F(PublicPages, ForgedChangedAndForeignTokensAreNotFound) {
    const std::string good = TokenText(Purpose::kClick);
    EXPECT_EQ(404, Ask(Method::kGet, "/c/").status);
    EXPECT_EQ(404, Ask(Method::kGet, "/c/abc").status);
    EXPECT_EQ(404, Ask(Method::kGet, "/c/" + std::string(3000, 'A')).status);
    for (size_t i = 0; i < good.size(); ++i) {
        std::string changed = good;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_EQ(404, Ask(Method::kGet, "/c/" + changed).status) << i;
    }
    // Bound to its purpose.
    EXPECT_EQ(404, Ask(Method::kPost, "/u/" + good).status);
    EXPECT_EQ(404, Ask(Method::kGet, "/o/" + good + ".gif").status);
    EXPECT_EQ(404, Ask(Method::kGet, "/c/" + TokenText(Purpose::kUnsubscribe)).status);
    // Signed by one workspace in another's name.
    delivery::Token token;
    token.purpose = Purpose::kOpen;
    token.workspace = 2;
    const std::string forged = TokensOf(*t.catalog->FindWorkspace(1))->Write(token);
    EXPECT_EQ(404, Ask(Method::kGet, "/o/" + forged + ".gif").status);
    EXPECT_EQ(404, Ask(Method::kGet, "/v1/batch").status);
    EXPECT_TRUE(t.PersonRecords().empty());
}

TEST_F(PublicPages, OtherMethodsAreNotTaken) {
    EXPECT_EQ("GET, HEAD",
              Ask(Method::kPost, "/c/" + TokenText(Purpose::kClick)).headers.Get("Allow"));
    EXPECT_EQ(405, Ask(Method::kPost, "/o/" + TokenText(Purpose::kOpen) + ".gif").status);
    EXPECT_EQ(405, Ask(Method::kDelete, "/u/" + TokenText(Purpose::kUnsubscribe)).status);
    EXPECT_TRUE(t.PersonRecords().empty());
}

class OneLetter final : public Mailbox {
  public:
    OneLetter() {
        letter.id = std::string(32, 'c');
        letter.workspace = 1;
        letter.to = "a@b.example";
        letter.subject = "Hello";
        letter.time_ms = kTestNow;
        letter.html = "<p>Hi</p><script>alert(1)</script>";
        letter.text = "Hi";
    }
    base::Result<MailboxPage> List(model::WorkspaceId workspace, int, const std::string&) override {
        MailboxPage page;
        if (workspace == 1) page.letters.push_back(std::make_shared<MailboxLetter>(letter));
        return page;
    }
    base::Result<MailboxLetterPtr> Get(const std::string& id) override {
        if (id != letter.id) return base::Fail(base::ErrorCode::kNotFound, "no letter");
        return std::make_shared<const MailboxLetter>(letter);
    }
    MailboxLetter letter;
};

TEST_F(PublicPages, TheSandboxShowsALetterThatCanDoNothing) {
    OneLetter mailbox;
    const std::string path = "/mail/" + mailbox.letter.id;
    EXPECT_EQ(404, t.Ask(ServeSandbox, Request::Make(Method::kGet, path)).status);
    t.services->mailbox = &mailbox;
    const http::Response page = t.Ask(ServeSandbox, Request::Make(Method::kGet, path));
    EXPECT_EQ(200, page.status);
    EXPECT_EQ(mailbox.letter.html, Text(page));
    const std::string policy(page.headers.Get("Content-Security-Policy"));
    EXPECT_THAT(policy, HasSubstr("sandbox;"));
    EXPECT_THAT(policy, Not(HasSubstr("allow-scripts")));
    EXPECT_EQ(404, t.Ask(ServeSandbox, Request::Make(Method::kGet, "/mail/x")).status);
    EXPECT_EQ(404, t.Ask(ServeSandbox, Request::Make(Method::kGet, "/")).status);
    EXPECT_EQ(405, t.Ask(ServeSandbox, Request::Make(Method::kPost, path)).status);
}

TEST_F(PublicPages, TheMailboxIsListedForItsOwnWorkspace) {
    EXPECT_EQ(404, t.Api(Method::kGet, "/api/v1/mailbox").status);
    OneLetter mailbox;
    t.services->mailbox = &mailbox;
    const std::string list = Text(t.Api(Method::kGet, "/api/v1/mailbox"));
    EXPECT_THAT(list, HasSubstr("\"subject\":\"Hello\""));
    EXPECT_THAT(list, Not(HasSubstr("\"raw\"")));
    const std::string path = "/api/v1/mailbox/" + mailbox.letter.id;
    EXPECT_THAT(Text(t.Api(Method::kGet, path)), HasSubstr("\"text\":\"Hi\""));
    const std::string other = "Bearer " + t.other_keys.secret_key;
    EXPECT_EQ(404, t.Api(Method::kGet, path, {}, other).status);
    EXPECT_THAT(Text(t.Api(Method::kGet, "/api/v1/mailbox", {}, other)), Not(HasSubstr("Hello")));
}

}  // namespace
}  // namespace api
