// How long the program takes to be ready again after kill -9, with a million persons in its
// checkpoints and a million records behind them.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "bench/figure.h"
#include "bench/live_server.h"
#include "bench/world.h"
#include "engine/engine.h"
#include "server/link_fold.h"
#include "server/person_fold.h"

namespace {

using bench::Figure;
using bench::Settings;

// Fills the directory in a process that ends by kill -9, as a server would.
void Prepare(const std::string& data, uint64_t persons) {
    bench::World world(data);
    world.TakeUp(world.Save(bench::SegmentConditions(20, 50)));
    world.AppendIdentifies(persons);
    identity::LinkMap links;
    engine::Options options;
    options.directory = data + "/state";
    std::filesystem::create_directories(options.directory);
    const auto engine = bench::Must(engine::Engine::Create(
        world.log(), nullptr, world.clock(), options,
        [&](model::StreamId id) -> std::unique_ptr<engine::Fold> {
            const int partitions = world.log().partitions();
            if (id == partitions) {
                return std::make_unique<server::LinkFold>(id, partitions, links);
            }
            return std::make_unique<server::PersonFold>(id, partitions, world.catalog());
        }));
    bench::Must(engine->Start([](auto) {}));
    bench::Must(engine->Stop(true));
    world.AppendTracks(persons, persons, 1);
    std::ofstream(data + ".secret") << world.secret_key() << std::flush;
    raise(SIGKILL);
}

std::vector<Figure> Measure(const Settings& settings) {
    const uint64_t persons = settings.events > 0 ? settings.events : bench::kPersons;
    const int runs = settings.runs > 0 ? settings.runs : 1;
    Figure figure{"restart_s", "s", {}, {}};
    for (int i = 0; i < runs; ++i) {
        const bench::TemporaryDirectory directory;
        const std::string data = directory.path() + "/data";
        const int child = fork();
        if (child == 0) Prepare(data, persons);
        int status = 0;
        waitpid(child, &status, 0);
        std::string secret;
        if (!(std::ifstream(data + ".secret") >> secret)) bench::Die("nothing was prepared");
        bench::LiveServer server(data, secret, "");
        figure.runs.push_back(server.seconds_to_ready());
        bench::Note("%.2f s, %.2f CPU s, %.0f records replayed, %.0f MB", figure.runs.back(),
                    bench::CpuSecondsOf(server.pid()), server.Metric("replayed_records"),
                    bench::ResidentMb(server.pid()));
    }
    return {figure};
}

}  // namespace

int main(int argc, char** argv) {
    return bench::Run(argc, argv, {{"restart_s", Measure}});
}
