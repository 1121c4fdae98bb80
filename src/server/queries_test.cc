// Answers of a real engine over a log in memory.
#include "server/queries.h"

#include <gtest/gtest.h>
#include <simdjson.h>
#include <unistd.h>

#include <filesystem>
#include <future>

#include "base/hash.h"
#include "event_log/memory/memory_log.h"
#include "language/condition/parse.h"
#include "model/event.h"
#include "server/asking.h"
#include "server/link_fold.h"
#include "server/person_fold.h"

namespace server {
namespace {

using base::ErrorCode;
using base::TimeMs;
using model::PersonId;
using model::RecordKind;

constexpr TimeMs kNow = 1'750'000'000'000;
constexpr int kPartitions = 3;

// A document that keeps its text.
struct Json {
    explicit Json(const std::string& text) : text_(text) {
        EXPECT_EQ(parser_.parse(text_).get(root), simdjson::SUCCESS) << text;
    }
    std::string Text(std::string_view pointer) {
        std::string_view v;
        return root.at_pointer(pointer).get(v) == simdjson::SUCCESS ? std::string(v) : "";
    }
    int64_t Int(std::string_view pointer) {
        int64_t v = 0;
        return root.at_pointer(pointer).get(v) == simdjson::SUCCESS ? v : -1;
    }
    // Texts of one field over an array.
    std::vector<std::string> Column(std::string_view array, std::string_view pointer) {
        std::vector<std::string> out;
        simdjson::dom::array items;
        if (root.at_pointer(array).get(items) != simdjson::SUCCESS) return out;
        for (const simdjson::dom::element item : items) {
            std::string_view v;
            out.emplace_back(item.at_pointer(pointer).get(v) == simdjson::SUCCESS ? v : "");
        }
        return out;
    }
    simdjson::dom::element root;

  private:
    simdjson::dom::parser parser_;
    simdjson::padded_string text_;
};

class QueriesTest : public testing::Test {
  protected:
    QueriesTest() : clock_(kNow), log_(kPartitions, &clock_) {
        catalog_ = std::move(catalog::Catalog::Open(log_, clock_).value());
        EXPECT_TRUE(catalog_->CreateWorkspace("test"));
        directory_ = std::filesystem::temp_directory_path() /
                     ("ripen-queries-" + std::to_string(getpid()));
        spool_ = std::move(warehouse::Spool::Open({.directory = directory_.string()}).value());
        engine_ = std::move(
            engine::Engine::Create(log_, spool_.get(), clock_, {}, [&](model::StreamId stream) {
                return stream < kPartitions
                           ? std::unique_ptr<engine::Fold>(
                                 new PersonFold(stream, kPartitions, *catalog_))
                           : std::unique_ptr<engine::Fold>(
                                 new LinkFold(stream, kPartitions, links_));
            }).value());
        EXPECT_TRUE(engine_->Start([](auto) {}));
        queries_ = MakeQueries(*engine_, log_, *catalog_, links_, clock_, nullptr, spool_.get());
    }
    ~QueriesTest() override {
        queries_.reset();
        EXPECT_TRUE(engine_->Stop(false));
        engine_.reset();
        spool_.reset();
        std::filesystem::remove_all(directory_);
    }

    PersonId IdOf(const std::string& user) {
        return model::PersonOf(catalog_->FindWorkspace(1)->secret, model::IdKind::kUser, user);
    }

    void Put(model::NewRecord record) {
        std::vector<model::NewRecord> records;
        records.push_back(std::move(record));
        ASSERT_TRUE(log_.AppendAndWait(std::move(records)));
    }

    void Does(const std::string& user, const std::string& name, const std::string& traits = {},
              const std::string& properties = {}) {
        model::Event event;
        event.name = name;
        event.user_id = user;
        event.traits = traits;
        event.properties = properties;
        event.time_ms = event.received_ms = clock_.Now();
        event.trust = model::Trust::kSecret;
        event.person = IdOf(user);
        event.source.kind = "email";
        event.source.source = "letters";
        model::NewRecord record;
        record.stream = model::PartitionOf(event.person, kPartitions);
        record.workspace = 1;
        record.person = event.person;
        record.name_hash = model::NameHash(name);
        model::AppendEventJson(record.payload, event);
        Put(std::move(record));
        clock_.MoveTo(clock_.Now() + 1000);
    }

    // What is appended so far is folded.
    void Settle() {
        std::promise<void> ran;
        engine_->WhenTimersRan(clock_.Now(), [&] { ran.set_value(); });
        ran.get_future().get();
    }

    // Asks and waits.
    template <typename Question>
    base::Result<std::string> Ask(Question question) {
        Settle();
        auto answer = std::make_shared<std::promise<base::Result<std::string>>>();
        auto future = answer->get_future();
        question([answer](base::Result<std::string> r) { answer->set_value(std::move(r)); });
        return future.get();
    }
    base::Result<std::string> AskPersons(const std::string& condition, api::PersonSort sort,
                                         bool descending, api::Page page) {
        condition::ExpressionPtr tree;
        if (!condition.empty()) tree = condition::Parse(condition).value();
        return Ask([&](api::Answer answer) {
            queries_->Persons(1, tree, sort, descending, page, std::move(answer));
        });
    }

    uint32_t Publish(const std::string& name, const std::string& condition) {
        const auto segment = catalog_->CreateSegment(1, name, condition).value();
        for (int p = 0; p < kPartitions; ++p) {
            for (const auto kind : {RecordKind::kMarker, RecordKind::kReady}) {
                model::NewRecord record;
                record.stream = static_cast<model::StreamId>(p);
                record.kind = kind;
                record.workspace = 1;
                record.payload = "{\"kind\":\"segment\",\"number\":" +
                                 std::to_string(segment->number) + ",\"version\":1}";
                Put(std::move(record));
            }
        }
        return segment->number;
    }

    base::SimulatedClock clock_;
    event_log::MemoryLog log_;
    std::unique_ptr<catalog::Catalog> catalog_;
    std::filesystem::path directory_;
    std::unique_ptr<warehouse::Spool> spool_;
    identity::LinkMap links_;
    std::unique_ptr<engine::Engine> engine_;
    std::unique_ptr<api::Queries> queries_;
};

TEST_F(QueriesTest, APersonIsFoundByHerIdAndByTheIdsInClear) {
    Does("u1", "Buy", R"({"plan":"pro"})");
    const auto by_id = Ask([&](api::Answer a) { queries_->Person(1, IdOf("u1"), std::move(a)); });
    ASSERT_TRUE(by_id);
    Json card(*by_id);
    EXPECT_EQ(card.Text("/id"), model::ToText(IdOf("u1")));
    EXPECT_EQ(card.Text("/attributes/plan"), "pro");
    const auto by_user = Ask([&](api::Answer a) {
        queries_->Lookup(1, model::IdKind::kUser, "u1", std::move(a));
    });
    ASSERT_TRUE(by_user);
    EXPECT_EQ(*by_user, *by_id);
}

TEST_F(QueriesTest, NobodyIsFoundByUnknownIdsOrFromAnotherWorkspace) {
    Does("u1", "Buy");
    ASSERT_TRUE(catalog_->CreateWorkspace("other"));
    for (const auto& [workspace, user] : {std::pair(1u, "u2"), std::pair(2u, "u1")}) {
        const auto answer = Ask([&](api::Answer a) {
            queries_->Person(workspace, IdOf(user), std::move(a));
        });
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, ErrorCode::kNotFound);
    }
}

TEST_F(QueriesTest, AMergedPersonAnswersWithWhomSheBecame) {
    Does("u1", "Buy");
    Does("u2", "Look");
    identity::LinkCall call;
    call.trusted = call.merge = true;
    call.ids = {{model::IdKind::kUser, IdOf("u1")}, {model::IdKind::kUser, IdOf("u2")}};
    model::NewRecord link;
    link.stream = log_.links();
    link.kind = RecordKind::kLink;
    link.workspace = 1;
    link.payload = identity::EncodeCall(call);
    Put(std::move(link));
    Settle();
    const std::string root = model::ToText(links_.Root(IdOf("u1")));
    for (const char* user : {"u1", "u2"}) {
        const auto answer = Ask([&](api::Answer a) {
            queries_->Person(1, IdOf(user), std::move(a));
        });
        ASSERT_TRUE(answer);
        EXPECT_EQ(Json(*answer).Text("/id"), root);
        EXPECT_EQ(Json(*answer).Int("/events"), 2);
    }
    const auto timeline = Ask([&](api::Answer a) {
        queries_->Timeline(1, IdOf("u2"), {}, std::move(a));
    });
    ASSERT_TRUE(timeline);
    const auto names = Json(*timeline).Column("/events", "/name");
    EXPECT_EQ(std::count(names.begin(), names.end(), "Buy"), 1);
    EXPECT_EQ(std::count(names.begin(), names.end(), "Look"), 1);
}

TEST_F(QueriesTest, PagesOfAListGoThroughEverybodyOnceInEitherDirection) {
    for (int i = 0; i < 23; ++i) Does("u" + std::to_string(i), "Look");
    for (const bool descending : {true, false}) {
        std::vector<std::string> seen;
        api::Page page;
        page.limit = 5;
        for (int n = 0; n < 10; ++n) {
            const auto answer = AskPersons("", api::PersonSort::kLastSeen, descending, page);
            ASSERT_TRUE(answer);
            Json body(*answer);
            EXPECT_EQ(body.Int("/total"), 23);
            for (auto& id : body.Column("/persons", "/user_ids/0")) seen.push_back(id);
            page.cursor = body.Text("/next_cursor");
            if (page.cursor.empty()) break;
        }
        ASSERT_EQ(seen.size(), 23u);
        for (int i = 0; i < 23; ++i) {
            EXPECT_EQ(seen[static_cast<size_t>(i)],
                      "u" + std::to_string(descending ? 22 - i : i));
        }
    }
}

TEST_F(QueriesTest, AFullPageThatEndsTheListHasNoNext) {
    for (int i = 0; i < 5; ++i) Does("u" + std::to_string(i), "Look");
    for (const auto& [limit, more] : {std::pair(4, true), std::pair(5, false)}) {
        const auto answer = AskPersons("", api::PersonSort::kEmail, false, {limit, {}});
        ASSERT_TRUE(answer);
        EXPECT_EQ(!Json(*answer).Text("/next_cursor").empty(), more);
    }
}

TEST_F(QueriesTest, NamesAreSortedWithoutCaseAndTheNamelessComeLast) {
    Does("u1", "Look", R"({"name":"bea"})");
    Does("u2", "Look", R"({"first_name":"Ada","last_name":"L"})");
    Does("u3", "Look");
    Does("u4", "Look", R"({"name":"Cy"})");
    const auto order = [&](bool descending) {
        const auto answer = AskPersons("", api::PersonSort::kName, descending, {});
        return answer ? Json(*answer).Column("/persons", "/user_ids/0")
                      : std::vector<std::string>();
    };
    EXPECT_EQ(order(false), (std::vector<std::string>{"u2", "u1", "u4", "u3"}));
    EXPECT_EQ(order(true), (std::vector<std::string>{"u4", "u1", "u2", "u3"}));
}

TEST_F(QueriesTest, ACursorOfAnotherListIsRefused) {
    for (int i = 0; i < 3; ++i) Does("u" + std::to_string(i), "Look");
    const auto first = AskPersons("", api::PersonSort::kLastSeen, true, {1, {}});
    ASSERT_TRUE(first);
    const std::string cursor = Json(*first).Text("/next_cursor");
    for (const std::string& text : {std::string("%%"), std::string("AAAA"), cursor + "AAAA",
                                    cursor.substr(0, cursor.size() - 4)}) {
        const auto answer = AskPersons("", api::PersonSort::kLastSeen, true, {1, text});
        ASSERT_FALSE(answer) << text;
        EXPECT_EQ(answer.error().code, ErrorCode::kInvalidArgument);
    }
    EXPECT_FALSE(AskPersons("", api::PersonSort::kLastSeen, false, {1, cursor}));
    EXPECT_FALSE(AskPersons("", api::PersonSort::kName, true, {1, cursor}));
    EXPECT_TRUE(AskPersons("", api::PersonSort::kLastSeen, true, {1, cursor}));
}

TEST_F(QueriesTest, AConditionChoosesWhoIsListed) {
    for (int i = 0; i < 6; ++i) {
        Does("u" + std::to_string(i), i % 2 == 0 ? "Buy" : "Look");
    }
    const auto answer = AskPersons("did \"Buy\"", api::PersonSort::kFirstSeen, false, {2, {}});
    ASSERT_TRUE(answer);
    Json body(*answer);
    EXPECT_EQ(body.Int("/total"), 3);
    EXPECT_EQ(body.Column("/persons", "/user_ids/0"), (std::vector<std::string>{"u0", "u2"}));
    const auto next = AskPersons("did \"Buy\"", api::PersonSort::kFirstSeen, false,
                                 {2, body.Text("/next_cursor")});
    ASSERT_TRUE(next);
    EXPECT_EQ(Json(*next).Column("/persons", "/user_ids/0"), (std::vector<std::string>{"u4"}));
}

TEST_F(QueriesTest, APreviewCountsAllAndShowsTen) {
    for (int i = 0; i < 14; ++i) Does("u" + std::to_string(i), "Buy");
    Does("u99", "Look");
    const auto ask = [&](const std::string& condition, TimeMs as_of) {
        return Ask([&](api::Answer a) {
            queries_->Preview(1, condition::Parse(condition).value(), as_of, std::move(a));
        });
    };
    const auto now = ask("did \"Buy\"", 0);
    ASSERT_TRUE(now);
    EXPECT_EQ(Json(*now).Int("/count"), 14);
    EXPECT_EQ(Json(*now).Column("/sample", "/id").size(), limits::kPreviewSampleMax);
    EXPECT_GE(Json(*now).Int("/took_ms"), 0);
    const auto then = ask("did \"Buy\"", kNow + 3000);
    ASSERT_TRUE(then);
    EXPECT_EQ(Json(*then).Int("/count"), 4);
    const auto wrong = ask("did \"Buy\" since entry", 0);
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(QueriesTest, TimelinesShowTypedPropertiesAndThePresentNameOfSegments) {
    const uint32_t number = Publish("buyers", "did \"Buy\"");
    Settle();
    Does("u1", "Buy", {}, R"({"price":2.5,"tags":["a"],"gift":true})");
    ASSERT_TRUE(catalog_->UpdateSegment(1, number, "customers", "did \"Buy\"", 0));
    const auto all = Ask([&](api::Answer a) {
        queries_->Timeline(1, IdOf("u1"), {}, std::move(a));
    });
    ASSERT_TRUE(all);
    Json body(*all);
    EXPECT_EQ(body.Column("/events", "/kind"),
              (std::vector<std::string>{"segment_entered", "event"})) << *all;
    EXPECT_EQ(body.Text("/events/0/properties/segment_name"), "customers");
    EXPECT_NE(all->find(R"("properties":{"price":2.5,"tags":["a"],"gift":true})"),
              std::string::npos) << *all;
    EXPECT_EQ(body.Text("/events/1/source/kind"), "email");
    EXPECT_EQ(body.Text("/events/1/ids/0"), "user:u1");
    api::Page page;
    page.limit = 1;
    std::vector<std::string> kinds;
    for (int n = 0; n < 3; ++n) {
        const auto answer = Ask([&](api::Answer a) {
            queries_->Timeline(1, IdOf("u1"), page, std::move(a));
        });
        ASSERT_TRUE(answer);
        kinds.push_back(Json(*answer).Text("/events/0/kind"));
        page.cursor = Json(*answer).Text("/next_cursor");
        if (page.cursor.empty()) break;
    }
    EXPECT_EQ(kinds, (std::vector<std::string>{"segment_entered", "event"}));
    const auto wrong = Ask([&](api::Answer a) {
        queries_->Timeline(1, IdOf("u1"), {1, "AAAA"}, std::move(a));
    });
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(QueriesTest, ASegmentIsCountingUntilEveryPartitionShowsIt) {
    const uint32_t number = Publish("buyers", "did \"Buy\"");
    for (int i = 0; i < 7; ++i) Does("u" + std::to_string(i), i < 5 ? "Buy" : "Look");
    const auto ask = [&](uint32_t segment) {
        return Ask([&](api::Answer a) { queries_->Segment(1, segment, std::move(a)); });
    };
    const auto ready = ask(number);
    ASSERT_TRUE(ready);
    EXPECT_EQ(Json(*ready).Text("/state"), "ready") << *ready;
    EXPECT_EQ(Json(*ready).Int("/count"), 5);
    EXPECT_EQ(Json(*ready).Text("/id"), catalog::SegmentId(number));
    const auto fresh = catalog_->CreateSegment(1, "lookers", "did \"Look\"").value();
    const auto counting = ask(fresh->number);
    ASSERT_TRUE(counting);
    EXPECT_EQ(Json(*counting).Text("/state"), "counting");
    EXPECT_FALSE(ask(999));
}

TEST_F(QueriesTest, PersonsOfASegmentComeInOrderOfTheirIds) {
    const uint32_t number = Publish("buyers", "did \"Buy\"");
    for (int i = 0; i < 11; ++i) Does("u" + std::to_string(i), i < 9 ? "Buy" : "Look");
    std::vector<std::string> ids;
    api::Page page;
    page.limit = 4;
    for (int n = 0; n < 5; ++n) {
        const auto answer = Ask([&](api::Answer a) {
            queries_->SegmentPersons(1, number, page, std::move(a));
        });
        ASSERT_TRUE(answer);
        Json body(*answer);
        EXPECT_EQ(body.Int("/total"), 9);
        for (auto& id : body.Column("/persons", "/id")) ids.push_back(id);
        page.cursor = body.Text("/next_cursor");
        if (page.cursor.empty()) break;
    }
    EXPECT_EQ(ids.size(), 9u);
    EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
}

TEST_F(QueriesTest, MessagesComeNewestFirstWithTheStepThatSentThem) {
    const auto journey = catalog_->SaveJourney(1, 0, R"({"name":"hello","entry":{"event":"Buy"},
        "steps":[{"id":"greet","type":"letter","subject":"Hi","text":"Hello"}]})", 0);
    ASSERT_TRUE(journey) << journey.error().internal;
    ASSERT_TRUE(catalog_->PublishJourney(1, journey->number));
    for (int p = 0; p < kPartitions; ++p) {
        for (const auto kind : {RecordKind::kMarker, RecordKind::kReady}) {
            model::NewRecord record;
            record.stream = static_cast<model::StreamId>(p);
            record.kind = kind;
            record.workspace = 1;
            record.payload = "{\"kind\":\"journey\",\"number\":" +
                             std::to_string(journey->number) + ",\"version\":1}";
            Put(std::move(record));
        }
    }
    for (int i = 0; i < 5; ++i) Does("u" + std::to_string(i), "Buy", R"({"email":"a@b.example"})");
    const auto ask = [&](std::optional<PersonId> person, uint32_t number, api::Page page) {
        return Ask([&](api::Answer a) {
            queries_->Messages(1, person, number, page, std::move(a));
        });
    };
    const auto first = ask(std::nullopt, 0, {3, {}});
    ASSERT_TRUE(first);
    Json body(*first);
    EXPECT_EQ(body.Column("/messages", "/step"), (std::vector<std::string>(3, "greet"))) << *first;
    EXPECT_EQ(body.Text("/messages/0/person_id"), model::ToText(IdOf("u4")));
    const auto second = ask(std::nullopt, 0, {3, body.Text("/next_cursor")});
    ASSERT_TRUE(second);
    EXPECT_EQ(Json(*second).Column("/messages", "/person_id"),
              (std::vector<std::string>{model::ToText(IdOf("u1")), model::ToText(IdOf("u0"))}));
    const auto hers = ask(IdOf("u2"), journey->number, {});
    ASSERT_TRUE(hers);
    EXPECT_EQ(Json(*hers).Column("/messages", "/person_id"),
              (std::vector<std::string>{model::ToText(IdOf("u2"))}));
    const auto other = ask(std::nullopt, journey->number + 1, {});
    ASSERT_TRUE(other);
    EXPECT_TRUE(Json(*other).Column("/messages", "/id").empty());
    EXPECT_FALSE(ask(std::nullopt, 0, {3, "AAAA"}));
}

TEST(Crew, RefusesWorkBeyondItsQueueAndDropsItWhenItStops) {
    std::promise<void> gate;
    std::promise<void> begun;
    auto open = gate.get_future().share();
    int ran = 0;
    {
        Crew crew(1);
        EXPECT_TRUE(crew.Offer([&, open] {
            begun.set_value();
            open.wait();
            ++ran;
        }));
        begun.get_future().wait();
        for (size_t i = 0; i < limits::kLongQueriesWaitingMax; ++i) {
            EXPECT_TRUE(crew.Offer([&] { ++ran; }));
        }
        EXPECT_FALSE(crew.Offer([] {}));
        std::thread stop([&] { crew.Stop(); });
        // Once it refuses with an empty queue it has stopped, and what waited is dropped.
        while (crew.waiting() > 0) std::this_thread::yield();
        gate.set_value();
        stop.join();
        EXPECT_FALSE(crew.Offer([] {}));
    }
    EXPECT_EQ(ran, 1);
}

TEST(Reply, AQuestionThatIsDroppedIsAnsweredUnavailable) {
    std::vector<base::Result<std::string>> answers;
    const auto take = [&](base::Result<std::string> r) { answers.push_back(std::move(r)); };
    { Reply dropped(take); }
    {
        Reply given(take);
        given.Give(std::string("{}"));
    }
    ASSERT_EQ(answers.size(), 2u);
    ASSERT_FALSE(answers[0]);
    EXPECT_EQ(answers[0].error().code, ErrorCode::kUnavailable);
    EXPECT_TRUE(answers[1]);
}

}  // namespace
}  // namespace server
