// The services of the API for tests: the log in memory, a real catalog and link map, and questions
// and an engine that answer what they were asked. Nothing is committed before Commit(), so that a
// test sees what is answered before and after records are durable.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/router.h"
#include "api/services.h"
#include "event_log/memory/memory_log.h"
#include "language/condition/print.h"

namespace api {

inline constexpr base::TimeMs kTestNow = 1767607200000;  // 2026-01-05T10:00:00Z

// Answers each question with a line that tells how it was asked.
class EchoQueries final : public Queries {
  public:
    void Person(model::WorkspaceId, const model::PersonId& id, Answer answer) override {
        answer("{\"person\":\"" + model::ToText(id) + "\"}");
    }
    void Lookup(model::WorkspaceId, model::IdKind kind, const std::string& text,
                Answer answer) override {
        answer("{\"" + std::string(model::IdKindName(kind)) + "\":\"" + text + "\"}");
    }
    void Persons(model::WorkspaceId, condition::ExpressionPtr condition, PersonSort sort,
                 bool descending, Page page, Answer answer) override {
        asked = condition ? condition::ToText(*condition) : "everybody";
        answer("{\"sort\":" + std::to_string(static_cast<int>(sort)) +
               ",\"descending\":" + (descending ? "true" : "false") +
               ",\"limit\":" + std::to_string(page.limit) + ",\"cursor\":\"" + page.cursor +
               "\"}");
    }
    void Timeline(model::WorkspaceId, const model::PersonId&, Page page, Answer answer) override {
        answer("{\"timeline\":" + std::to_string(page.limit) + "}");
    }
    void Segment(model::WorkspaceId, uint32_t number, Answer answer) override {
        if (fail) return answer(base::Fail(*fail, "asked to fail"));
        answer("{\"id\":\"" + catalog::SegmentId(number) + "\",\"state\":\"ready\"}");
    }
    void SegmentPersons(model::WorkspaceId, uint32_t number, Page, Answer answer) override {
        answer("{\"in\":" + std::to_string(number) + "}");
    }
    void Preview(model::WorkspaceId, condition::ExpressionPtr condition, base::TimeMs as_of,
                 Answer answer) override {
        asked = condition::ToText(*condition);
        answer("{\"as_of\":" + std::to_string(as_of) + "}");
    }
    void Messages(model::WorkspaceId, std::optional<model::PersonId> person, uint32_t journey,
                  Page, Answer answer) override {
        answer("{\"person\":" + std::string(person ? "true" : "false") +
               ",\"journey\":" + std::to_string(journey) + "}");
    }

    void Names(model::WorkspaceId workspace, Answer answer) override {
        answer("{\"names\":" + std::to_string(workspace) + "}");
    }
    void Home(model::WorkspaceId workspace, Answer answer) override {
        answer("{\"home\":" + std::to_string(workspace) + "}");
    }
    void RecentEvents(model::WorkspaceId, int limit, Answer answer) override {
        answer("{\"events\":" + std::to_string(limit) + "}");
    }
    void NumbersOfJourneys(model::WorkspaceId, JourneyAnswer answer) override {
        if (fail) return answer(base::Fail(*fail, "asked to fail"));
        answer(journeys);
    }

    std::string asked;
    std::map<uint32_t, JourneyNumbers> journeys;
    std::optional<base::ErrorCode> fail;
};

class StandingEngine final : public engine::Engine {
  public:
    base::Status Start(OnOutbox) override { return {}; }
    base::Status Stop(bool) override { return {}; }
    int partitions() const override { return 4; }
    engine::Fold& fold(model::StreamId) override { std::abort(); }
    bool other_behaviour() const override { return false; }
    void HoldTicks(bool) override {}
    void Post(model::StreamId, Job) override {}
    void WhenTimersRan(base::TimeMs now, std::function<void()> done) override {
        asked_ms = now;
        waiting = std::move(done);
    }
    void Wake() override { ++wakes; }
    std::optional<base::Error> fatal() const override { return std::nullopt; }
    engine::Counters counters() const override { return {}; }
    base::Status Checkpoint() override { return {}; }

    base::TimeMs asked_ms = 0;
    int wakes = 0;
    std::function<void()> waiting;
};

class TestServices {
  public:
    explicit TestServices(
        event_log::MemoryLog::Commit commit = event_log::MemoryLog::Commit::kManual)
        : clock(kTestNow), log(4, &clock, commit) {
        catalog = std::move(*catalog::Catalog::Open(log, clock));
        keys = *catalog->CreateWorkspace("Shop");
        other_keys = *catalog->CreateWorkspace("Other");
        sessions = std::move(*catalog::Sessions::Open(""));
        services = std::make_unique<Services>(log, *catalog, links, queries, engine, clock);
        services->sessions = sessions.get();
        services->real_clock = &clock;
    }

    // Records of a stream that are durable.
    std::vector<std::pair<model::Record, std::string>> Records(model::StreamId stream) {
        std::vector<std::pair<model::Record, std::string>> all;
        const auto batch = log.Read(stream, 1, 1 << 24);
        EXPECT_TRUE(batch.has_value());
        if (!batch) return all;
        for (const auto& record : batch->records) {
            all.emplace_back(record, std::string(record.payload));
        }
        return all;
    }
    std::vector<std::pair<model::Record, std::string>> PersonRecords() {
        std::vector<std::pair<model::Record, std::string>> all;
        for (int stream = 0; stream < log.partitions(); ++stream) {
            for (auto& record : Records(static_cast<model::StreamId>(stream))) {
                all.push_back(std::move(record));
            }
        }
        return all;
    }

    using Listener = void (*)(Services&, http::Request&&, http::Respond);
    // The answer when it has come already.
    std::shared_ptr<std::promise<http::Response>> Begin(Listener listener,
                                                        http::Request request) {
        auto promise = std::make_shared<std::promise<http::Response>>();
        listener(*services, std::move(request),
                 http::Respond([promise](http::Response r) { promise->set_value(std::move(r)); }));
        return promise;
    }
    // Commits what the request appended, and waits for what the writing thread does.
    http::Response Ask(Listener listener, http::Request request) {
        const auto promise = Begin(listener, std::move(request));
        auto answer = promise->get_future();
        log.CommitPending();
        if (answer.wait_for(std::chrono::seconds(60)) != std::future_status::ready) {
            ADD_FAILURE() << "no answer";
            return http::Response::Empty(0);
        }
        return answer.get();
    }
    http::Response Api(http::Method method, std::string_view target, std::string_view body = {}) {
        return Api(method, target, body, "Bearer " + keys.secret_key);
    }
    http::Response Api(http::Method method, std::string_view target, std::string_view body,
                       const std::string& authorization) {
        http::Request request = http::Request::Make(method, target, body);
        if (!authorization.empty()) request.headers.Add("Authorization", authorization);
        return Ask(Serve, std::move(request));
    }
    http::Request Post(std::string_view target, std::string_view body, const std::string& key) {
        http::Request request = http::Request::Make(http::Method::kPost, target, body);
        if (!key.empty()) {
            request.headers.Add("Authorization", "Basic " + base::Base64Encode(key + ":"));
        }
        return request;
    }

    base::SimulatedClock clock;
    event_log::MemoryLog log;
    std::unique_ptr<catalog::Catalog> catalog;
    catalog::NewKeys keys, other_keys;
    std::unique_ptr<catalog::Sessions> sessions;
    identity::LinkMap links;
    EchoQueries queries;
    StandingEngine engine;
    std::unique_ptr<Services> services;
};

inline std::string Text(const http::Response& response) { return std::string(response.Body()); }

}  // namespace api
