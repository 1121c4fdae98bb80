#include "flow/profile/profile.h"

#include <gtest/gtest.h>

#include "model/touch.h"

namespace profile {
namespace {

using model::Trust;

constexpr base::TimeMs kNow = 1767600000000;
constexpr base::SipKey kSecret{1};

// An event with at most one trait.
class Told {
  public:
    explicit Told(base::TimeMs time_ms = kNow) {
        view.time_ms = time_ms;
        view.name = "Page";
        view.type = model::EventType::kPage;
        view.anonymous_id = "a1";
    }
    Told& Trait(std::string_view key, std::string_view text) {
        trait_.key = key;
        trait_.kind = model::Property::Kind::kText;
        trait_.text = text;
        view.traits = {&trait_, 1};
        return *this;
    }
    Told& From(std::string_view kind, std::string_view medium) {
        view.source.kind = kind;
        view.source.medium = medium;
        return *this;
    }
    model::EventView view;

  private:
    model::Property trait_;
};

class Profile : public testing::Test {
  protected:
    void Apply(const Told& told, base::TimeMs now = kNow) {
        changed_.Clear();
        profile::Apply(person_, names_, kSecret, told.view, now, changed_);
    }
    std::string Value(std::string_view name) {
        const auto number = names_.Find(name);
        return number == model::Names::kUnknown
                   ? ""
                   : std::string(person_.attributes.Find(number).text);
    }
    model::Person person_;
    model::Names names_;
    Changed changed_;
};

TEST_F(Profile, AVisitEndsAfterThirtyIdleMinutesOfLogTime) {
    Apply(Told(), kNow);
    EXPECT_TRUE(changed_.visit_started);
    Apply(Told(), kNow + kVisitIdleMs);
    EXPECT_FALSE(changed_.visit_started);
    Apply(Told(), kNow + 2 * kVisitIdleMs + 1);
    EXPECT_TRUE(changed_.visit_started);
    EXPECT_EQ(person_.visits, 2u);
}

TEST_F(Profile, RobotsVisitNothingAndTouchNothing) {
    Told robot;
    robot.From("campaign", "cpc").view.is_bot = true;
    Apply(robot);
    EXPECT_EQ(person_.events, 1u);
    EXPECT_EQ(person_.visits, 0u);
    EXPECT_TRUE(person_.first_touch.empty());
}

TEST_F(Profile, APublicKeyChangesNoEmailOfAPersonATrustedCallNamed) {
    Told trusted;
    trusted.Trait("email", "Ada@Example.test").view.trust = Trust::kSecret;
    trusted.view.user_id = "u1";
    Apply(trusted);
    EXPECT_TRUE(person_.trusted);
    EXPECT_EQ(Value("email"), "ada@example.test");
    Apply(Told(kNow + 5000).Trait("email", "thief@example.test"));
    EXPECT_EQ(Value("email"), "ada@example.test");
    Apply(Told(kNow + 5000).Trait("plan", "pro"));
    EXPECT_EQ(Value("plan"), "pro");
    Told again(kNow + 6000);
    again.Trait("email", "new@example.test").view.trust = Trust::kSigned;
    Apply(again);
    EXPECT_EQ(EmailOf(person_, names_), "new@example.test");
}

TEST_F(Profile, WhatTheSurroundingsTellNeverOverwritesWhatThePersonTold) {
    Apply(Told().Trait("city", "Kyoto"));
    Told elsewhere;
    elsewhere.view.place.city = "Tokyo";
    Apply(elsewhere, kNow + 2 * kVisitIdleMs);
    EXPECT_EQ(Value("city"), "Kyoto");
}

TEST_F(Profile, TouchesGoByOwnTimeAndDirectIsALastTouchOnlyAlone) {
    Apply(Told().From("direct", "none"));
    EXPECT_EQ(model::UnpackTouch(person_.last_touch).kind, "direct");
    Apply(Told(kNow - 10).From("campaign", "cpc"));
    EXPECT_EQ(model::UnpackTouch(person_.first_touch).medium, "cpc");
    EXPECT_EQ(model::UnpackTouch(person_.last_touch).medium, "cpc");
    Apply(Told(kNow + 10).From("internal", ""));
    EXPECT_FALSE(changed_.touches);
}

TEST_F(Profile, AnEmailIsAnAddressOnlyWhenItLooksLikeOne) {
    EXPECT_EQ(EmailOf(person_, names_), "");
    Apply(Told().Trait("email", "not an address"));
    EXPECT_EQ(EmailOf(person_, names_), "");
}

TEST_F(Profile, IdsAreShownOnceTheirLinkHasCome) {
    person_.id = model::PersonOf(kSecret, model::IdKind::kUser, "u1");
    Told both;
    both.view.user_id = "u1";
    Apply(both);
    Apply(both);
    ASSERT_EQ(person_.ids.size(), 2u);
    EXPECT_EQ(person_.ids[0].kind, model::IdKind::kAnonymous);
    EXPECT_FALSE(person_.ids[0].confirmed);
    EXPECT_TRUE(person_.ids[1].confirmed);
}

TEST_F(Profile, UnitingTakesTheEarliestTheLatestAndTheSum) {
    Apply(Told(kNow).From("campaign", "email"));
    model::Person other;
    Changed changed;
    Told earlier(kNow - 1000);
    earlier.From("campaign", "cpc").view.anonymous_id = "a2";
    profile::Apply(other, names_, kSecret, earlier.view, kNow - 500, changed);
    Unite(person_, other);
    EXPECT_EQ(person_.events, 2u);
    EXPECT_EQ(person_.visits, 2u);
    EXPECT_EQ(person_.created_ms, kNow - 1000);
    EXPECT_EQ(person_.seen_ms, kNow);
    EXPECT_EQ(model::UnpackTouch(person_.first_touch).medium, "cpc");
    EXPECT_EQ(model::UnpackTouch(person_.last_touch).medium, "email");
    EXPECT_EQ(person_.ids.size(), 2u);
}

}  // namespace
}  // namespace profile
