#include "flow/delivery/machine_opens.h"

#include <gtest/gtest.h>

namespace delivery {
namespace {

constexpr base::TimeMs kAccepted = 1'000'000;
constexpr base::TimeMs kClicked = kAccepted + 60'000;
constexpr std::string_view kBrowser = "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0";

ReceiptFacts Click() {
    return {.click = true, .user_agent = kBrowser, .at_ms = kClicked, .accepted_ms = kAccepted,
            .links_in_letter = 6, .links_clicked_nearby = 1};
}

MachineSign SignOf(const ReceiptFacts& facts) {
    const Verdict verdict = JudgeReceipt(facts, facts.at_ms + kReceiptPendingMs);
    EXPECT_EQ(verdict.machine, verdict.sign != MachineSign::kNone);
    EXPECT_TRUE(verdict.settled);
    return verdict.sign;
}

TEST(JudgeReceipt, AnOrdinaryClickIsHumanOnceThePendingTimeIsOver) {
    EXPECT_FALSE(JudgeReceipt(Click(), kClicked + kReceiptPendingMs - 1).settled);
    const Verdict verdict = JudgeReceipt(Click(), kClicked + kReceiptPendingMs);
    EXPECT_TRUE(verdict.settled);
    EXPECT_FALSE(verdict.machine);
}

TEST(JudgeReceipt, AnActOnTheLandingPageMakesItHumanAtOnce) {
    ReceiptFacts facts = Click();
    facts.landing_confirmed = true;
    facts.links_clicked_nearby = 6;
    const Verdict verdict = JudgeReceipt(facts, kClicked);
    EXPECT_TRUE(verdict.settled);
    EXPECT_FALSE(verdict.machine);
}

TEST(JudgeReceipt, RequestsThatNameThemselvesAreMachinesAtOnce) {
    ReceiptFacts head = Click();
    head.method = "HEAD";
    EXPECT_EQ(MachineSign::kHead, SignOf(head));
    for (const char* purpose : {"prefetch", "prefetch;prerender", "Prerender", "preview"}) {
        ReceiptFacts prefetch = Click();
        prefetch.sec_purpose = purpose;
        EXPECT_EQ(MachineSign::kPrefetch, SignOf(prefetch)) << purpose;
    }
    ReceiptFacts silent = Click();
    silent.user_agent = "";
    EXPECT_EQ(MachineSign::kNoAgent, SignOf(silent));
    for (const char* agent : {"Barracuda Sentinel (EE)", "python-requests/2.31", "curl/8.0",
                              "Mozilla/5.0 (compatible; Googlebot/2.1)", "Go-http-client/1.1"}) {
        ReceiptFacts known = Click();
        known.user_agent = agent;
        EXPECT_EQ(MachineSign::kAgent, SignOf(known)) << agent;
        EXPECT_TRUE(JudgeReceipt(known, kClicked).settled);
    }
}

TEST(JudgeReceipt, PrivacyProxyOpensAreMachinesButItsClicksAreNot) {
    ReceiptFacts facts = Click();
    facts.user_agent = "Mozilla/5.0";
    EXPECT_EQ(MachineSign::kNone, SignOf(facts));
    facts.click = false;
    EXPECT_EQ(MachineSign::kAgent, SignOf(facts));
}

TEST(JudgeReceipt, SoonerThanMailIsReadIsAMachine) {
    ReceiptFacts facts = Click();
    facts.at_ms = kAccepted + 1999;
    EXPECT_EQ(MachineSign::kTooSoon, SignOf(facts));
    facts.at_ms = kAccepted + 2000;
    EXPECT_EQ(MachineSign::kNone, SignOf(facts));
    facts.click = false;
    facts.at_ms = kAccepted + 999;
    EXPECT_EQ(MachineSign::kTooSoon, SignOf(facts));
    facts.at_ms = kAccepted + 1000;
    EXPECT_EQ(MachineSign::kNone, SignOf(facts));
    facts.accepted_ms = 0;
    facts.at_ms = 1;
    EXPECT_EQ(MachineSign::kNone, SignOf(facts));
}

TEST(JudgeReceipt, MostLinksOfALetterAtOnceIsAMachine) {
    ReceiptFacts facts = Click();
    facts.links_clicked_nearby = 3;
    EXPECT_EQ(MachineSign::kNone, SignOf(facts));  // Half of six is not most.
    facts.links_clicked_nearby = 4;
    EXPECT_EQ(MachineSign::kManyLinks, SignOf(facts));
    facts.links_in_letter = 2;
    facts.links_clicked_nearby = 2;
    EXPECT_EQ(MachineSign::kNone, SignOf(facts));  // Two links are soon both clicked.
    facts.trap_clicked = true;
    EXPECT_EQ(MachineSign::kTrap, SignOf(facts));
}

}  // namespace
}  // namespace delivery
