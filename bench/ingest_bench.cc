// Ingest alone: HTTP, the tracking API and the durable log, with no fold behind them.

#include <memory>

#include "api/tracking.h"
#include "bench/figure.h"
#include "bench/load.h"
#include "bench/raw_ingest.h"
#include "bench/world.h"
#include "engine/engine.h"
#include "server/person_fold.h"
#include "server/queries.h"

namespace {

using bench::Figure;
using bench::Settings;

constexpr uint64_t kEvents = 600'000;

bench::LoadPlan PlanOf(uint64_t events, uint64_t first_message) {
    bench::LoadPlan plan;
    plan.warm_up = events / 5;
    plan.events = events;
    plan.first_message = first_message;
    return plan;
}

// CPU microseconds of this process for each event that `load` sends to `port`.
double CpuUs(bench::Load& load, uint16_t port, const std::string& write_key) {
    load.WarmUp(port, write_key);
    const double before = bench::CpuSeconds();
    load.Begin();
    const bench::LoadResult result = load.Finish();
    const double cpu = (bench::CpuSeconds() - before) * 1e6 / static_cast<double>(result.events);
    bench::Note("%.3f us CPU an event, %.0f events/s, requests %.2f ms (p50), %.2f ms (p99)", cpu,
                static_cast<double>(result.events) / result.seconds, result.p50_ms, result.p99_ms);
    return cpu;
}

double MeasureRaw(uint64_t events) {
    // Its own child, forked before the server's thread.
    bench::Load load(PlanOf(events, 1));
    const bench::TemporaryDirectory directory;
    bench::RawIngest raw(directory.path());
    return CpuUs(load, raw.port(), "raw");
}

std::vector<Figure> Measure(const Settings& settings) {
    const uint64_t events = settings.events > 0 ? settings.events : kEvents;
    const int runs = settings.runs > 0 ? settings.runs : 3;
    Figure figure{"ingest_cpu_us", "us", {}, {}};
    // Forked while this process has no threads.
    std::vector<std::unique_ptr<bench::Load>> loads;
    for (int i = 0; i < runs; ++i) {
        loads.push_back(std::make_unique<bench::Load>(
            PlanOf(events, 1 + 2 * events * static_cast<uint64_t>(i))));
    }
    bench::Note("the bare machine:");
    figure.limit = MeasureRaw(events);

    const bench::TemporaryDirectory directory;
    bench::World world(directory.path() + "/data");
    identity::LinkMap links;
    engine::Options options;
    options.live = false;
    // Never started: nothing is folded.
    const auto engine = bench::Must(engine::Engine::Create(
        world.log(), nullptr, world.clock(), options, [&](model::StreamId id) {
            return std::make_unique<server::PersonFold>(id, world.log().partitions(),
                                                        world.catalog());
        }));
    const auto queries = server::MakeQueries(*engine, world.log(), world.catalog(), links,
                                             world.clock(), nullptr, nullptr);
    api::Services services(world.log(), world.catalog(), links, *queries, *engine, world.clock());
    ingest::AgentPatterns::Files patterns;
    patterns.uap_regexes_yaml = "node_modules/uap-core/regexes.yaml";
    patterns.crawlers_json = "node_modules/crawler-user-agents/crawler-user-agents.json";
    ingest::LazyAgentPatterns agents(patterns, [](std::string text) {
        bench::Note("devices stay unknown: %s", text.c_str());
    });
    services.agents = &agents;
    http::ServerOptions http;
    http.listeners.push_back({"127.0.0.1", 0, {}, [&](http::Request&& request,
                                                      http::Respond respond) {
                                  api::Tracking(services, std::move(request), std::move(respond));
                              }});
    const auto server = bench::Must(http::Server::Create(std::move(http)));
    bench::Note("the product:");
    for (auto& load : loads) {
        figure.runs.push_back(CpuUs(*load, server->port(), world.write_key()));
        load.reset();
    }
    const auto counters = world.log().counters();
    bench::Note("%.0f records and %.0f KB a commit, %.0f bytes a record",
                static_cast<double>(counters.records) / static_cast<double>(counters.commits),
                static_cast<double>(counters.bytes) / 1e3 / static_cast<double>(counters.commits),
                static_cast<double>(counters.bytes) / static_cast<double>(counters.records));
    server->Stop(1000);
    return {figure};
}

}  // namespace

int main(int argc, char** argv) {
    return bench::Run(argc, argv, {{"ingest_cpu_us", Measure}});
}
