#include "bench/live_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <simdjson.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "bench/figure.h"

namespace bench {
namespace {

constexpr double kReadyMax = 120;   // Seconds; then the server is taken for broken.
constexpr double kIdleMax = 180;

std::string Binary() {
    const char* named = std::getenv("RIPEN_BINARY");
    return named != nullptr ? named : ProgramDirectory() + "/../ripen";
}

void Pause(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

// A descriptor that listens on 127.0.0.1:port, or -1.
int Listen(uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return socket;
    close(socket);
    return -1;
}

// The server takes three ports side by side.
uint16_t FreePorts() {
    for (int port = 20'000 + getpid() % 20'000; port < 60'000; port += 3) {
        bool free = true;
        for (int plus = 0; plus < 3; ++plus) {
            const int socket = Listen(static_cast<uint16_t>(port + plus));
            free = free && socket >= 0;
            if (socket >= 0) close(socket);
        }
        if (free) return static_cast<uint16_t>(port);
    }
    Die("no three free ports");
}

bool CanConnect(uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool can = connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    close(socket);
    return can;
}

// Starts the program; its words go to `out`, its complaints to `log`.
int Spawn(const std::vector<std::string>& arguments, const std::string& out,
          const std::string& log) {
    std::vector<char*> argv;
    std::string binary = Binary();
    argv.push_back(binary.data());
    for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    const int pid = fork();
    if (pid != 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(open(out.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600), 1);
    dup2(open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600), 2);
    execv(binary.c_str(), argv.data());
    _exit(127);
}

std::string ReadFile(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::string FieldOf(const std::string& json, const std::string& field) {
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    std::string_view text;
    if (parser.parse(json).get(document) != simdjson::SUCCESS ||
        document[field].get(text) != simdjson::SUCCESS) {
        Die("no \"" + field + "\" in " + json);
    }
    return std::string(text);
}

Keys MakeDataDirectory(const std::string& directory) {
    const std::string out = directory + ".keys";
    const int pid = Spawn({"init", "--data", directory, "--json"}, out, directory + ".log");
    int status = 0;
    if (waitpid(pid, &status, 0) != pid || status != 0) {
        Die("ripen init failed: " + ReadFile(directory + ".log"));
    }
    const std::string json = ReadFile(out);
    return {FieldOf(json, "write_key"), FieldOf(json, "secret_key")};
}

LiveServer::LiveServer(const std::string& data, const std::string& secret_key,
                       const std::string& config)
    : port_(FreePorts()), authorization_("Bearer " + secret_key) {
    std::ofstream(data + ".toml") << config;
    const double begun = WallSeconds();
    pid_ = Spawn({"serve", "--data", data, "--listen", "127.0.0.1:" + std::to_string(port_),
                  "--config", data + ".toml"},
                 "/dev/null", data + ".log");
    const auto give_up = [&] {
        return WallSeconds() - begun > kReadyMax || waitpid(pid_, nullptr, WNOHANG) == pid_;
    };
    while (true) {
        if (give_up()) Die("the server did not get ready: " + ReadFile(data + ".log"));
        if (CanConnect(port_) && Caller(port_).Call("GET", "/readyz", "none", "").status == 200) {
            break;
        }
        Pause(5);
    }
    seconds_to_ready_ = WallSeconds() - begun;
    caller_ = std::make_unique<Caller>(port_);
}

LiveServer::~LiveServer() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
}

std::optional<int> LiveServer::ChildPid() const {
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        const std::string stat = ReadFile(entry.path() / "stat");
        // "pid (name) state parent": the name may hold anything.
        const size_t close = stat.rfind(") ");
        if (close == std::string::npos || stat.size() < close + 4) continue;
        if (std::atoi(stat.c_str() + close + 4) == pid_) return std::stoi(name);
    }
    return std::nullopt;
}

Answered LiveServer::Ask(const std::string& method, const std::string& target,
                         const std::string& body) {
    return caller_->Call(method, target, authorization_, body);
}

std::string LiveServer::Api(const std::string& method, const std::string& target,
                            const std::string& body) {
    auto answer = Ask(method, target, body);
    if (answer.status / 100 != 2) {
        Die(method + " " + target + ": " + std::to_string(answer.status) + " " + answer.body);
    }
    return std::move(answer.body);
}

double LiveServer::Metric(const std::string& name) {
    const std::string text = Api("GET", "/metrics");
    const std::string line = "\nripen_" + name + " ";
    const size_t at = text.find(line);
    if (at == std::string::npos) Die("no metric " + name);
    return std::atof(text.c_str() + at + line.size());
}

void LiveServer::WaitIdle() {
    const double begun = WallSeconds();
    double folded = -1;
    for (int same = 0; same < 5;) {
        if (WallSeconds() - begun > kIdleMax) Die("the server does not come to rest");
        Pause(200);
        const double now = Metric("fold_records_total");
        const bool quiet = now == folded && Metric("spool_rows") == 0;
        same = quiet ? same + 1 : 0;
        folded = now;
    }
}

}  // namespace bench
