// The whole server, as the program that is installed: CPU of an event's whole way, its speed, and
// its memory when nothing happens.

#include <chrono>
#include <memory>
#include <thread>

#include "bench/figure.h"
#include "bench/live_server.h"
#include "bench/load.h"
#include "bench/traffic.h"

namespace {

using bench::Figure;
using bench::LiveServer;
using bench::Settings;

std::string Quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"') out += '\\';
        out += c;
    }
    return out + '"';
}

std::string MakeSegment(LiveServer& server, const std::string& name, const std::string& condition) {
    const std::string id = bench::FieldOf(
        server.Api("POST", "/api/v1/segments",
                   "{\"name\":" + Quoted(name) + ",\"condition\":" + Quoted(condition) + "}"),
        "id");
    while (bench::FieldOf(server.Api("GET", "/api/v1/segments/" + id), "state") != "ready") {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return id;
}

std::string MakeJourney(LiveServer& server, const std::string& body) {
    const std::string id = bench::FieldOf(server.Api("POST", "/api/v1/journeys", body), "id");
    server.Api("POST", "/api/v1/journeys/" + id + "/publish");
    return id;
}

// 20 segments over 50 conditions, and two journeys: the flagship, which waits an hour, and one
// that comes to its end at once. Together with the segments they lead to some 3 facts in 10 events.
void Define(LiveServer& server) {
    int number = 0;
    for (const auto& condition : bench::SegmentConditions(20, 50)) {
        MakeSegment(server, "Segment " + std::to_string(++number), condition);
    }
    MakeJourney(server, "{\"name\":\"Unfinished\",\"entry\":{\"event\":" +
                            Quoted(bench::EventName(0)) + ",\"again\":\"every_time\"},\"goal\":" +
                            Quoted("did \"" + bench::EventName(4) + "\" since entry") +
                            ",\"steps\":[{\"id\":\"w\",\"type\":\"wait\",\"for\":\"1h\"},"
                            "{\"id\":\"l\",\"type\":\"letter\",\"subject\":\"Shall we finish?\","
                            "\"text\":\"It is kept for you.\"}]}");
    MakeJourney(
        server,
        "{\"name\":\"Large baskets\",\"entry\":{\"event\":" + Quoted(bench::EventName(1)) +
            ",\"again\":\"every_time\"},\"steps\":[{\"id\":\"b\",\"type\":\"branch\",\"if\":" +
            Quoted("sum(revenue) of \"" + bench::EventName(1) + "\" >= 5000") +
            ",\"then\":[{\"id\":\"x\",\"type\":\"exit\"}],\"else\":[]}]}");
}

std::vector<Figure> MeasurePath(const Settings& settings) {
    bench::LoadPlan plan;
    plan.events = settings.events > 0 ? settings.events : 1'000'000;
    plan.warm_up = plan.events / 3;
    plan.events_per_second = 50'000;
    bench::Load load(plan);
    const bench::TemporaryDirectory directory;
    const auto keys = bench::MakeDataDirectory(directory.path() + "/data");
    LiveServer server(directory.path() + "/data", keys.secret_key, "");
    Define(server);
    load.WarmUp(server.port(), keys.write_key);
    server.WaitIdle();
    const double rows = server.Metric("rows_total"), points = server.Metric("checkpoints_total");
    const double before = bench::CpuSecondsOf(server.pid());
    load.Begin();
    const auto result = load.Finish();
    server.WaitIdle();
    const double cpu = bench::CpuSecondsOf(server.pid()) - before;
    const auto events = static_cast<double>(result.events);
    bench::Note("%.0f events/s; %.2f derived facts an event; %.0f checkpoints of partitions",
                events / result.seconds, (server.Metric("rows_total") - rows) / events - 1,
                server.Metric("checkpoints_total") - points);
    return {{"path_cpu_us", "us", {cpu * 1e6 / events}, {}}};
}

std::vector<Figure> MeasureSingle(const Settings& settings) {
    bench::LoadPlan plan;
    plan.connections = 128;
    plan.batch = 1;
    plan.events = settings.events > 0 ? settings.events : 300'000;
    plan.warm_up = plan.events / 10;
    bench::Load load(plan);
    const bench::TemporaryDirectory directory;
    const auto keys = bench::MakeDataDirectory(directory.path() + "/data");
    LiveServer server(directory.path() + "/data", keys.secret_key, "");
    load.WarmUp(server.port(), keys.write_key);
    const double before = bench::CpuSecondsOf(server.pid());
    load.Begin();
    const auto result = load.Finish();
    const auto events = static_cast<double>(result.events);
    bench::Note("%.1f us CPU an event; requests %.2f ms (p50), %.2f ms (p99)",
                (bench::CpuSecondsOf(server.pid()) - before) * 1e6 / events, result.p50_ms,
                result.p99_ms);
    return {{"single_event_rate", "1/s", {events / result.seconds}, {}}};
}

// Sends one event and measures from its answer until `seen` says yes.
template <typename Seen>
double React(bench::Caller& sender, const std::string& authorization, const std::string& user,
             const std::string& event, Seen seen) {
    const std::string body = "{\"userId\":" + Quoted(user) + ",\"event\":" + Quoted(event) + "}";
    if (sender.Call("POST", "/v1/track", authorization, body).status != 200) {
        bench::Die("an event was refused");
    }
    const double acknowledged = bench::WallSeconds();
    while (!seen()) {
        if (bench::WallSeconds() - acknowledged > 30) bench::Die("no reaction to " + event);
    }
    return (bench::WallSeconds() - acknowledged) * 1e3;
}

std::vector<Figure> MeasureReaction(const Settings& settings) {
    constexpr double kRate = 5'000;
    bench::LoadPlan plan;
    plan.connections = 8;
    plan.batch = 10;
    plan.events = settings.events > 0 ? settings.events : 100'000;
    plan.warm_up = 2 * plan.events;
    plan.events_per_second = kRate;
    bench::Load load(plan);
    const bench::TemporaryDirectory directory;
    const auto keys = bench::MakeDataDirectory(directory.path() + "/data");
    LiveServer server(directory.path() + "/data", keys.secret_key, "[checkpoint]\nms = 4000\n");
    Define(server);
    const std::string segment = MakeSegment(server, "Probed", "did \"Probe Seen\"");
    const std::string journey =
        MakeJourney(server,
                    "{\"name\":\"Probed\",\"entry\":{\"event\":\"Probe Asked\"},\"steps\":[{\"id\":"
                    "\"l\",\"type\":\"letter\",\"subject\":\"Here\",\"text\":\"Here.\"}]}");
    load.WarmUp(server.port(), keys.write_key);
    server.WaitIdle();
    bench::Caller sender(server.port());
    const std::string authorization = bench::BasicAuthorization(keys.write_key);
    const double points = server.Metric("checkpoints_total");
    load.Begin();
    const double until = bench::WallSeconds() + static_cast<double>(plan.events) / kRate;
    std::vector<double> members, letters;
    while (bench::WallSeconds() < until) {
        const std::string user = "probe-" + std::to_string(members.size());
        const std::string lookup = "/api/v1/persons/lookup?user_id=" + user;
        std::string card;
        members.push_back(React(sender, authorization, user, "Probe Seen", [&] {
            const auto answer = server.Ask("GET", lookup, "");
            card = answer.body;
            return answer.status == 200 && card.find('"' + segment + '"') != std::string::npos;
        }));
        const std::string messages =
            "/api/v1/messages?person_id=" + bench::FieldOf(card, "id") + "&journey_id=" + journey;
        letters.push_back(React(sender, authorization, user, "Probe Asked", [&] {
            return server.Api("GET", messages).find("\"step\"") != std::string::npos;
        }));
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    const auto result = load.Finish();
    const double made = server.Metric("checkpoints_total") - points;
    bench::Note("%zu probes; membership %.2f / %.2f ms, letter %.2f / %.2f ms (p50 / p99)",
                members.size(), bench::Quantile(members, 0.5), bench::Quantile(members, 0.99),
                bench::Quantile(letters, 0.5), bench::Quantile(letters, 0.99));
    bench::Note("%.0f events/s beside; %.0f checkpoints of 17 streams; one took %.0f ms at last",
                static_cast<double>(result.events) / result.seconds, made,
                server.Metric("checkpoint_last_ms"));
    if (made < 3 * 17) bench::Note("fewer than three checkpoints: the figure says too little");
    members.insert(members.end(), letters.begin(), letters.end());
    return {{"react_p99_ms", "ms", {bench::Quantile(members, 0.99)}, {}},
            {"react_p50_ms", "ms", {bench::Quantile(members, 0.5)}, {}}};
}

std::pair<Figure, Figure> MeasureIdle() {
    const bench::TemporaryDirectory directory;
    const auto keys = bench::MakeDataDirectory(directory.path() + "/data");
    LiveServer server(directory.path() + "/data", keys.secret_key, "");
    std::this_thread::sleep_for(std::chrono::seconds(5));
    const auto child = server.ChildPid();
    if (!child) bench::Die("the server has no warehouse child: is libchdb installed?");
    return {{"memory_server_mb", "MB", {bench::ResidentMb(server.pid())}, {}},
            {"memory_child_mb", "MB", {bench::ResidentMb(*child)}, {}}};
}

std::vector<Figure> MeasureServerMemory(const Settings&) {
    auto [server, child] = MeasureIdle();
    return {server, child};
}

std::vector<Figure> MeasureChildMemory(const Settings&) {
    auto [server, child] = MeasureIdle();
    return {child, server};
}

}  // namespace

int main(int argc, char** argv) {
    return bench::Run(argc, argv,
                      {{"path_cpu_us", MeasurePath},
                       {"single_event_rate", MeasureSingle},
                       {"react_p99_ms", MeasureReaction},
                       {"memory_server_mb", MeasureServerMemory},
                       {"memory_child_mb", MeasureChildMemory}});
}
