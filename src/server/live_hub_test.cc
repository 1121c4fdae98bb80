// The hub and the numbers over a real engine and a log in memory.
#include "server/live_hub.h"

#include <gmock/gmock.h>
#include <simdjson.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>

#include "event_log/memory/memory_log.h"
#include "server/link_fold.h"
#include "server/numbers.h"
#include "server/person_fold.h"
#include "server/queries.h"

namespace server {
namespace {

using api::LiveTopic;
using model::PersonId;
using testing::HasSubstr;
using testing::Not;

constexpr base::TimeMs kNow = 1'750'000'000'000;
constexpr int kPartitions = 3;

// A screen that keeps what it was shown.
class Screen final : public api::LiveScreen {
  public:
    void Show(const std::shared_ptr<const std::string>& frame) override {
        const std::lock_guard lock(mutex_);
        largest_ = std::max(largest_, frame->size());
        // Frames of the server: two, four or ten bytes before the text.
        const auto length = static_cast<uint8_t>((*frame)[1]);
        frames_.push_back(frame->substr(length == 127 ? 10 : length == 126 ? 4 : 2));
        came_.notify_all();
    }
    // The next frame with this text in it; those before it are passed over.
    std::string Next(std::string_view text) {
        std::unique_lock lock(mutex_);
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (true) {
            while (!frames_.empty()) {
                const std::string frame = std::move(frames_.front());
                frames_.pop_front();
                if (frame.find(text) != std::string::npos) return frame;
            }
            if (came_.wait_until(lock, end) == std::cv_status::timeout) {
                ADD_FAILURE() << "no frame with " << text;
                return {};
            }
        }
    }
    size_t waiting() {
        const std::lock_guard lock(mutex_);
        return frames_.size();
    }
    size_t largest() {
        const std::lock_guard lock(mutex_);
        return largest_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable came_;
    std::deque<std::string> frames_;
    size_t largest_ = 0;
};

class LiveTest : public testing::Test {
  protected:
    LiveTest() : clock_(kNow), log_(kPartitions, &clock_) {
        catalog_ = std::move(catalog::Catalog::Open(log_, clock_).value());
        EXPECT_TRUE(catalog_->CreateWorkspace("one"));
        EXPECT_TRUE(catalog_->CreateWorkspace("two"));
        engine_ = std::move(
            engine::Engine::Create(log_, nullptr, clock_, {}, [&](model::StreamId stream) {
                return stream < kPartitions
                           ? std::unique_ptr<engine::Fold>(
                                 new PersonFold(stream, kPartitions, *catalog_))
                           : std::unique_ptr<engine::Fold>(
                                 new LinkFold(stream, kPartitions, links_));
            }).value());
        EXPECT_TRUE(engine_->Start([](auto) {}));
        hub_ = LiveHub::Start(*engine_, log_, *catalog_, links_, clock_);
        queries_ = MakeQueries(*engine_, log_, *catalog_, links_, clock_, nullptr, nullptr);
    }
    ~LiveTest() override {
        queries_.reset();
        hub_->Stop();
        EXPECT_TRUE(engine_->Stop(false));
        engine_.reset();
    }

    PersonId IdOf(model::IdKind kind, const std::string& id, model::WorkspaceId workspace = 1) {
        return model::PersonOf(catalog_->FindWorkspace(workspace)->secret, kind, id);
    }
    struct Act {
        std::string anonymous{};
        std::string user{};
        std::string name = "Page";
        std::string path = "/";
        std::string properties{};
        std::string message{};
        model::WorkspaceId workspace = 1;
    };
    void Does(const Act& act) {
        std::vector<model::NewRecord> records{RecordOf(act)};
        ASSERT_TRUE(log_.AppendAndWait(std::move(records)));
    }
    model::NewRecord RecordOf(const Act& act) {
        model::Event event;
        event.type = act.name == "Page" ? model::EventType::kPage : model::EventType::kTrack;
        event.name = act.name;
        event.user_id = act.user;
        event.anonymous_id = act.anonymous;
        event.message_id = act.message;
        event.properties = act.properties;
        const std::string page = "{\"path\":\"" + act.path + "\"}";
        event.page = page;
        event.time_ms = event.received_ms = clock_.Now();
        event.person = act.user.empty()
                           ? IdOf(model::IdKind::kAnonymous, act.anonymous, act.workspace)
                           : IdOf(model::IdKind::kUser, act.user, act.workspace);
        event.place.city = "Tokyo";
        event.source.kind = "search";
        event.source.source = "google";
        model::NewRecord record;
        record.person = links_.Root(event.person);
        record.stream = model::PartitionOf(record.person, kPartitions);
        record.workspace = act.workspace;
        record.name_hash = model::NameHash(event.name);
        if (!act.message.empty()) {
            record.fingerprint = model::EventFingerprint(
                catalog_->FindWorkspace(act.workspace)->secret, "k", act.message);
        }
        model::AppendEventJson(record.payload, event);
        return record;
    }
    void Join(const std::string& user, const std::string& anonymous) {
        identity::LinkCall call;
        call.ids = {{model::IdKind::kUser, IdOf(model::IdKind::kUser, user)},
                    {model::IdKind::kAnonymous, IdOf(model::IdKind::kAnonymous, anonymous)}};
        call.trusted = true;
        model::NewRecord record;
        record.stream = log_.links();
        record.kind = model::RecordKind::kLink;
        record.workspace = 1;
        record.person = call.ids[0].hash;
        record.payload = identity::EncodeCall(call);
        std::vector<model::NewRecord> records{std::move(record)};
        ASSERT_TRUE(log_.AppendAndWait(std::move(records)));
    }
    void Settle() {
        std::promise<void> ran;
        engine_->WhenTimersRan(clock_.Now(), [&] { ran.set_value(); });
        ran.get_future().get();
    }
    template <typename Question>
    std::string Ask(Question question) {
        Settle();
        auto answer = std::make_shared<std::promise<base::Result<std::string>>>();
        question([answer](base::Result<std::string> r) { answer->set_value(std::move(r)); });
        auto result = answer->get_future().get();
        EXPECT_TRUE(result.has_value());
        return result ? *result : std::string();
    }
    std::string Home(model::WorkspaceId workspace = 1) {
        return Ask([&](api::Answer a) { queries_->Home(workspace, std::move(a)); });
    }
    std::string Recent(int limit) {
        return Ask([&](api::Answer a) { queries_->RecentEvents(1, limit, std::move(a)); });
    }
    std::shared_ptr<Screen> See(LiveTopic topic, const PersonId& person = {},
                                model::WorkspaceId workspace = 1) {
        auto screen = std::make_shared<Screen>();
        hub_->Subscribe(screen, workspace, topic, person);
        return screen;
    }

    base::SimulatedClock clock_;
    event_log::MemoryLog log_;
    identity::LinkMap links_;
    std::unique_ptr<catalog::Catalog> catalog_;
    std::unique_ptr<engine::Engine> engine_;
    std::unique_ptr<LiveHub> hub_;
    std::unique_ptr<api::Queries> queries_;
};

TEST_F(LiveTest, CountsComeAtOnceAndWhenTheyChange) {
    const auto screen = See(LiveTopic::kCounts);
    EXPECT_EQ(R"({"topic":"counts","data":{"persons":0,"on_site":0,"events_total":0,)"
              R"("segments":{},"journeys":{}}})",
              screen->Next("counts"));
    Does({.anonymous = "a1"});
    Does({.anonymous = "a1"});
    Does({.anonymous = "b1", .workspace = 2});
    EXPECT_THAT(screen->Next("\"events_total\":2"),
                HasSubstr(R"("persons":1,"on_site":1,"events_total":2)"));
    // Who comes later sees them at once, and those who were there nothing new.
    const auto later = See(LiveTopic::kCounts);
    EXPECT_THAT(later->Next("counts"), HasSubstr("\"events_total\":2"));
    EXPECT_EQ(0u, screen->waiting());
    const auto other = See(LiveTopic::kCounts, {}, 2);
    EXPECT_THAT(other->Next("counts"), HasSubstr("\"events_total\":1"));
}

TEST_F(LiveTest, ACardRingsForHerChangesAndNobodyElses) {
    const PersonId ada = IdOf(model::IdKind::kAnonymous, "a1");
    const auto screen = See(LiveTopic::kPerson, ada);
    const std::string frame = R"({"topic":"person","id":")" + model::ToText(ada) +
                              R"(","data":{"changed":true}})";
    // What she did before she was watched.
    EXPECT_EQ(frame, screen->Next("person"));
    Does({.anonymous = "b1"});
    Settle();
    Does({.anonymous = "a1"});
    EXPECT_EQ(frame, screen->Next("person"));
}

TEST_F(LiveTest, ACardFollowsWhomSheBecomes) {
    Does({.anonymous = "a1"});
    Does({.user = "ada", .name = "Signed Up"});
    const PersonId anonymous = IdOf(model::IdKind::kAnonymous, "a1");
    const auto screen = See(LiveTopic::kPerson, anonymous);
    screen->Next("person");
    Join("ada", "a1");
    Settle();
    screen->Next("person");
    while (screen->waiting() > 0) screen->Next("person");
    Does({.user = "ada", .name = "Bought"});
    EXPECT_THAT(screen->Next("person"), HasSubstr(model::ToText(anonymous)));
}

TEST_F(LiveTest, EventsOfTheWorkspaceAreShownWithoutCopies) {
    const auto screen = See(LiveTopic::kEvents);
    const auto counts = See(LiveTopic::kCounts);
    counts->Next("counts");   // The hub reads on from here.
    Does({.anonymous = "a1", .path = "/one", .message = "m1"});
    Does({.anonymous = "a1", .path = "/one", .message = "m1"});
    Does({.anonymous = "b1", .name = "Hidden", .workspace = 2});
    Does({.anonymous = "a1", .name = "Last", .properties = R"({"n":1})"});
    std::string all = screen->Next("events");
    while (all.find("Last") == std::string::npos) all += screen->Next("events");
    EXPECT_THAT(all, HasSubstr(R"("name":"Last","type":"track")"));
    EXPECT_THAT(all, HasSubstr(R"("anonymous_id":"a1")"));
    EXPECT_THAT(all, HasSubstr(R"("properties":{"n":1})"));
    EXPECT_THAT(all, Not(HasSubstr("Hidden")));
    const size_t first = all.find("\"name\":\"Page\"");
    EXPECT_NE(std::string::npos, first);
    EXPECT_EQ(std::string::npos, all.find("\"name\":\"Page\"", first + 1));
}

TEST_F(LiveTest, AFloodIsCutToFramesThatFitAndTheRestIsCounted) {
    const auto screen = See(LiveTopic::kEvents);
    const auto counts = See(LiveTopic::kCounts);
    counts->Next("counts");
    constexpr int kFlood = 3000;
    std::vector<model::NewRecord> records;
    for (int i = 0; i < kFlood; ++i) {
        records.push_back(RecordOf({.anonymous = "a" + std::to_string(i % 50),
                                    .properties = "{\"x\":\"" + std::string(500, 'x') + "\"}"}));
    }
    ASSERT_TRUE(log_.AppendAndWait(std::move(records)));
    int seen = 0;
    while (seen < kFlood) {
        const std::string frame = screen->Next("events");
        ASSERT_FALSE(frame.empty());
        simdjson::dom::parser parser;
        simdjson::dom::element root;
        ASSERT_EQ(simdjson::SUCCESS, parser.parse(simdjson::padded_string(frame)).get(root));
        const size_t shown = simdjson::dom::array(root["data"]).size();
        EXPECT_LE(shown, limits::kLiveEventsPerFrameMax);
        seen += static_cast<int>(shown) + static_cast<int>(int64_t(root["skipped"]));
    }
    EXPECT_EQ(kFlood, seen);
    EXPECT_LE(screen->largest(), limits::kSocketMessageBytesMax);
}

TEST_F(LiveTest, VisitorsAreThereFromBeforeAndLeaveAfterFiveMinutes) {
    Does({.anonymous = "a1", .path = "/pricing"});
    clock_.MoveTo(kNow + 60'000);
    Does({.anonymous = "a1", .path = "/cart"});
    Does({.user = "u1", .name = "Synced"});
    Settle();
    const auto screen = See(LiveTopic::kVisitors);
    const std::string first = screen->Next("visitors");
    EXPECT_THAT(first, HasSubstr(R"("page":"/cart")"));
    EXPECT_THAT(first, HasSubstr("\"since\":\"" + base::FormatIso(kNow) + "\""));
    EXPECT_THAT(first, HasSubstr("\"seen\":\"" + base::FormatIso(kNow + 60'000) + "\""));
    EXPECT_THAT(first, HasSubstr(R"("city":"Tokyo","source":"google")"));
    EXPECT_THAT(first, HasSubstr(R"("name":null)"));
    Does({.anonymous = "b1", .path = "/b"});
    EXPECT_THAT(screen->Next("\"/b\""), HasSubstr("/cart"));
    clock_.MoveTo(kNow + 60'000 + limits::kOnSiteMs);
    EXPECT_EQ(R"({"topic":"visitors","data":[]})", screen->Next("[]"));
}

TEST_F(LiveTest, WhoLeftHearsNothingMore) {
    const auto screen = See(LiveTopic::kCounts);
    screen->Next("counts");
    const auto stays = See(LiveTopic::kCounts);
    stays->Next("counts");
    hub_->Leave(screen);
    Does({.anonymous = "a1"});
    stays->Next("\"events_total\":1");
    EXPECT_EQ(0u, screen->waiting());
}

TEST_F(LiveTest, RecentEventsAreTheLastOfAllPartitionsNewestFirst) {
    for (int i = 0; i < 300; ++i) {
        Does({.anonymous = "a" + std::to_string(i % 7),
              .name = "Event " + std::to_string(i),
              .message = "m" + std::to_string(i)});
        clock_.MoveTo(clock_.Now() + 10);
    }
    Does({.anonymous = "a1", .name = "Event 1", .message = "m1"});    // A copy.
    Does({.anonymous = "a1", .name = "Elsewhere", .workspace = 2});
    const std::string text = Recent(100);
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    ASSERT_EQ(simdjson::SUCCESS, parser.parse(simdjson::padded_string(text)).get(root));
    int expected = 299;
    for (const simdjson::dom::element event : simdjson::dom::array(root["events"])) {
        EXPECT_EQ("Event " + std::to_string(expected), std::string(event["name"])) << expected;
        --expected;
    }
    EXPECT_EQ(199, expected);
    EXPECT_THAT(Recent(1), Not(HasSubstr("Event 298")));
}

// Every number once more from the persons themselves and from what was sent.
TEST_F(LiveTest, HomeEqualsARecountAlsoAfterMerges) {
    int events = 0;
    uint64_t random = 7;
    const auto draw = [&](uint64_t below) {
        random = base::Mix64(random);
        return random % below;
    };
    for (int i = 0; i < 600; ++i) {
        const std::string number = std::to_string(draw(40));
        if (draw(3) == 0) {
            Does({.user = "u" + number, .name = "Bought"});
        } else {
            Does({.anonymous = "a" + number});
        }
        ++events;
        if (draw(20) == 0) {
            Settle();
            Join("u" + number, "a" + number);
            Settle();
        }
        clock_.MoveTo(clock_.Now() + static_cast<int64_t>(draw(4000)));
    }
    const std::string home = Home();
    int64_t persons = 0, known = 0, here = 0;
    const base::TimeMs now = clock_.Now();
    for (int p = 0; p < kPartitions; ++p) {
        std::promise<void> asked;
        engine_->Post(static_cast<model::StreamId>(p), [&](engine::Fold& any) {
            const auto& fold = static_cast<PersonFold&>(any);
            for (uint32_t slot = 0; slot < fold.slots(); ++slot) {
                const model::Person& person = fold.AtSlot(slot);
                if (person.moved()) continue;
                ++persons;
                bool is_known = false;
                for (const auto& id : person.ids) {
                    is_known = is_known || id.kind != model::IdKind::kAnonymous;
                }
                known += is_known ? 1 : 0;
                // Steps of ten seconds begin with the step of five minutes ago.
                const base::TimeMs first =
                    (now - limits::kOnSiteMs) / 10'000 * 10'000 + 10'000;
                here += person.visit_ms >= first ? 1 : 0;
            }
            asked.set_value();
            return true;
        });
        asked.get_future().get();
    }
    EXPECT_GT(known, 0);
    EXPECT_LT(known, persons);
    EXPECT_GT(here, 0);
    const auto number = [](int64_t n) { return std::to_string(n); };
    EXPECT_THAT(home, HasSubstr("{\"persons\":" + number(persons) + ",\"known\":" + number(known) +
                                ",\"on_site\":" + number(here) +
                                ",\"events_24h\":" + number(events)));
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    ASSERT_EQ(simdjson::SUCCESS, parser.parse(simdjson::padded_string(home)).get(root));
    int64_t events_of_days = 0;
    size_t days = 0;
    std::string_view last;
    for (const simdjson::dom::element day : simdjson::dom::array(root["days"])) {
        events_of_days += int64_t(day["events"]);
        last = std::string_view(day["day"]);
        ++days;
    }
    EXPECT_EQ(30u, days);
    EXPECT_EQ(events, events_of_days);
    EXPECT_EQ(base::FormatIso(now).substr(0, 10), std::string(last));
    EXPECT_THAT(home, HasSubstr(R"("checklist":{"first_event":true,"identified":true,)"
                                R"("segment":false,"journey":false})"));
    EXPECT_THAT(Home(2), HasSubstr(R"({"persons":0,"known":0)"));
}

}  // namespace
}  // namespace server
