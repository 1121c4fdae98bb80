// ripen: init | demo | serve | password | rebuild | warehouse | replay-retail | version.

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstring>
#include <string>

#include "base/json.h"
#include "base/limits.h"
#include "base/time.h"
#include "server/config.h"
#include "server/demo.h"
#include "server/pipeline.h"
#include "server/replay_retail.h"
#include "store/warehouse/child_main.h"

namespace {

int Complain(const base::Error& error) {
    std::string text = error.public_text.empty() ? error.internal : error.public_text;
    if (!error.at.empty()) text += " (" + error.at + ")";
    std::fprintf(stderr, "ripen: %s\n", text.c_str());
    if (!error.public_text.empty() && error.internal != error.public_text) {
        std::fprintf(stderr, "ripen: cause: %s\n", error.internal.c_str());
    }
    return 1;
}

int Init(const std::string& directory, int partitions, const std::string& owner, bool json) {
    const auto made = server::Initialise(directory, partitions, owner);
    if (!made) return Complain(made.error());
    if (json) {
        std::string out;
        base::JsonWriter w(out);
        w.Begin('{').Key("write_key").String(made->write_key);
        w.Key("secret_key").String(made->secret_key);
        if (!owner.empty()) {
            w.Key("owner").Begin('{').Key("email").String(owner);
            w.Key("password").String(made->owner_password).End('}');
        }
        w.End('}');
        std::printf("%s\n", out.c_str());
        return 0;
    }
    std::printf("Made %s.\nwrite key:  %s\nsecret key: %s  (shown only here)\n", directory.c_str(),
                made->write_key.c_str(), made->secret_key.c_str());
    if (!owner.empty()) {
        std::printf("owner:      %s\npassword:   %s  (shown only here)\n", owner.c_str(),
                    made->owner_password.c_str());
    }
    return 0;
}

int Password(const std::string& directory, const std::string& email) {
    const auto password = server::SetNewPassword(directory, email);
    if (!password) return Complain(password.error());
    std::printf("password:   %s  (shown only here)\n", password->c_str());
    return 0;
}

int Serve(server::Config config) {
    // Signals are read where we wait for the end; blocked before any thread starts.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    signal(SIGPIPE, SIG_IGN);
    const int stop_fd = signalfd(-1, &signals, SFD_CLOEXEC);
    if (stop_fd < 0) {
        std::fprintf(stderr, "ripen: signalfd: %s\n", std::strerror(errno));
        return 1;
    }
    auto pipeline = server::Pipeline::Start(std::move(config));
    if (!pipeline) return Complain(pipeline.error());
    std::fprintf(stderr, "ripen: ready at %s\n", (*pipeline)->address().c_str());
    const auto error = (*pipeline)->WaitForEnd(stop_fd);
    if (error) {
        // The state in memory can be trusted no more: leave at once and recover from the log.
        Complain(*error);
        std::fflush(stderr);
        _exit(70);
    }
    const auto stopped = (*pipeline)->Stop();
    close(stop_fd);
    return stopped ? 0 : Complain(stopped.error());
}

int Demo(const server::DemoOptions& options, bool json) {
    const auto year = server::PlayDemo(options);
    if (!year) return Complain(year.error());
    if (json) {
        std::string out;
        base::JsonWriter w(out);
        w.Begin('{').Key("write_key").String(year->write_key);
        const auto count = [&](std::string_view key, uint64_t value) {
            w.Key(key).Int(static_cast<int64_t>(value));
        };
        count("planned", year->planned);
        count("acts", year->acts);
        count("letters", year->letters);
        count("opened", year->opened);
        count("clicked", year->clicked);
        w.Key("seconds").Double(year->seconds).End('}');
        std::printf("%s\n", out.c_str());
        return 0;
    }
    std::printf("Played a year of the demo shop: %llu acts, %llu letters, %.1f s.\n",
                static_cast<unsigned long long>(year->acts),
                static_cast<unsigned long long>(year->letters), year->seconds);
    return 0;
}

int Rebuild(const std::string& directory, int threads, bool compare) {
    const auto fresh = server::Rebuild(directory, threads, false);
    if (!fresh) return Complain(fresh.error());
    std::printf("%s%llu records, %.2f s, %.0f records/s, %.2f CPU s\ndigest %s\n",
                fresh->text.c_str(), static_cast<unsigned long long>(fresh->records),
                fresh->seconds, static_cast<double>(fresh->records) / fresh->seconds,
                fresh->cpu_seconds, fresh->digest.c_str());
    if (!compare) return 0;
    const auto kept = server::Rebuild(directory, threads, true);
    if (!kept) return Complain(kept.error());
    std::printf("digest of the checkpoint and its tail %s\n", kept->digest.c_str());
    if (kept->digest == fresh->digest) return 0;
    std::fprintf(stderr, "ripen: the checkpoint is not what the log says\n%s", kept->text.c_str());
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1 && std::strcmp(argv[1], "warehouse") == 0) {
        return warehouse::RunWarehouseChild(argc - 1, argv + 1);
    }
    CLI::App app{"Ripen: action-driven marketing automation"};
    app.require_subcommand(1);
    std::string directory, owner, listen = "127.0.0.1:8080", config_path, clock = "real";
    int partitions = limits::kPartitionsDefault, threads = 2;
    bool json = false, compare = false;

    auto* init = app.add_subcommand("init", "Make a data directory with one workspace");
    init->add_option("--data", directory, "The directory")->required();
    init->add_option("--partitions", partitions, "Fixed for the life of the directory");
    init->add_option("--owner", owner, "Email address of a first teammate");
    init->add_flag("--json", json, "Print the keys as JSON");

    auto* serve = app.add_subcommand("serve", "Run the server");
    serve->add_option("--data", directory, "The data directory")->required();
    serve->add_option("--listen", listen, "HOST:PORT");
    serve->add_option("--config", config_path, "ripen.toml");
    serve->add_option("--clock", clock, "real, simulated or simulated:TIME");

    auto* rebuild = app.add_subcommand("rebuild", "Fold the whole log anew and print its digest");
    rebuild->add_option("--data", directory, "The data directory")->required();
    rebuild->add_option("--threads", threads, "Fold threads");
    rebuild->add_flag("--compare", compare, "Compare with the newest checkpoint and its tail");

    server::DemoOptions demo_options;
    std::string demo_end;
    auto* demo = app.add_subcommand("demo", "Play a year of people into a new data directory");
    demo->add_option("--data", demo_options.directory, "The directory, before its first serve")
        ->required();
    demo->add_option("--public-url", demo_options.public_url, "Where links in its letters lead")
        ->default_val("http://127.0.0.1:8081");
    demo->add_option("--persons", demo_options.persons, "How many people come")
        ->check(CLI::Range(1, 100'000));
    demo->add_option("--days", demo_options.days, "How long")->check(CLI::Range(1, 3650));
    demo->add_option("--seed", demo_options.seed, "Another seed, another year");
    demo->add_option("--end", demo_end, "When it ends (ISO 8601); now");
    demo->add_flag("--json", json, "Print the summary as JSON");

    server::ReplayOptions replay_options;
    auto* replay = app.add_subcommand("replay-retail", "Replay the lines of a shop");
    replay->add_option("file", replay_options.file, "CSV of the UCI Online Retail columns")
        ->required();
    replay->add_option("--server", replay_options.server, "http://HOST:PORT of a running server")
        ->required();
    replay->add_option("--secret-key", replay_options.secret_key, "Secret key")->required();
    replay->add_flag("--twice", replay_options.twice, "Send each batch twice in a row");
    replay->add_flag("--shuffled", replay_options.shuffled,
                     "All batches shuffled, the clock standing at the last line");
    replay->add_flag("--json", replay_options.json, "Print the summary as JSON");

    auto* password = app.add_subcommand("password", "Give a teammate a new password");
    std::string email;
    password->add_option("--data", directory, "The data directory of a server that is stopped")
        ->required();
    password->add_option("--email", email, "Of the teammate")->required();

    auto* version = app.add_subcommand("version", "Print the version");
    CLI11_PARSE(app, argc, argv);

    if (*init) return Init(directory, partitions, owner, json);
    if (*password) return Password(directory, email);
    if (*demo) {
        const auto end = demo_end.empty() ? std::optional<base::TimeMs>(0)
                                          : base::ParseIso(demo_end);
        if (!end) return Complain(base::Invalid("not a time", "--end").value());
        demo_options.end_ms = *end;
        return Demo(demo_options, json);
    }
    if (*rebuild) return Rebuild(directory, threads, compare);
    if (*replay) {
        const auto status = server::ReplayRetail(replay_options);
        return status ? 0 : Complain(status.error());
    }
    if (*version) {
        std::printf("ripen %s\n", RIPEN_VERSION);
        return 0;
    }
    server::Config config;
    if (!config_path.empty()) {
        if (const auto read = server::ReadConfigFile(config_path, config); !read) {
            return Complain(read.error());
        }
    }
    server::ReadEnvironment(config);
    config.directory = directory;
    if (const auto read = server::ReadListen(listen, config); !read) return Complain(read.error());
    if (const auto read = server::ReadClock(clock, config); !read) return Complain(read.error());
    return Serve(std::move(config));
}
