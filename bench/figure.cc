#include "bench/figure.h"

#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/json.h"

extern char** environ;

namespace bench {
namespace {

namespace fs = std::filesystem;

double Seconds(clockid_t clock) {
    timespec t{};
    if (clock_gettime(clock, &t) != 0) Die("clock_gettime failed");
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

void AppendFigure(std::string& out, const Figure& figure) {
    base::JsonWriter w(out);
    w.Begin('{').Key("value").Double(Quantile(figure.runs, 0.5));
    w.Key("unit").String(figure.unit).Key("limit");
    if (figure.limit) {
        w.Double(*figure.limit);
    } else {
        w.Null();
    }
    w.Key("runs").Begin('[');
    for (const double run : figure.runs) w.Double(run);
    w.End(']').End('}');
}

// Measures one key here; prints its figures and returns them as fields of a JSON object.
std::string MeasureHere(const Bench& bench, const Settings& settings) {
    std::string fields;
    for (const Figure& figure : bench.measure(settings)) {
        std::string limit;
        if (figure.limit) limit = "  (limit " + std::to_string(*figure.limit) + ")";
        std::printf("%-24s %.4g %s%s\n", figure.key.c_str(), Quantile(figure.runs, 0.5),
                    figure.unit.c_str(), limit.c_str());
        if (!fields.empty()) fields += ',';
        base::AppendJsonString(fields, figure.key);
        fields += ':';
        AppendFigure(fields, figure);
    }
    return fields;
}

void WriteFile(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::trunc);
    file << text;
    if (!file.flush()) Die("cannot write " + path);
}

// Runs this program again for one key: a process for each figure.
void MeasureApart(std::string_view key, std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--only", std::string(key)});
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_t pid = 0;
    if (posix_spawn(&pid, "/proc/self/exe", nullptr, nullptr, argv.data(), environ) != 0) {
        Die("cannot start myself");
    }
    int status = 0;
    if (waitpid(pid, &status, 0) != pid || status != 0) Die("failed: " + std::string(key));
}

}  // namespace

int Run(int argc, char** argv, std::initializer_list<Bench> benches) {
    std::string only, json;
    Settings settings;
    std::vector<std::string> passed_on{argv[0]};
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--list") {
            for (const auto& bench : benches) std::printf("%s\n", std::string(bench.key).c_str());
            return 0;
        }
        if (i + 1 >= argc) Die("a value is missing behind " + std::string(name));
        const char* value = argv[++i];
        if (name == "--only") {
            only = value;
        } else if (name == "--json") {
            json = value;
        } else if (name == "--events") {
            settings.events = std::strtoull(value, nullptr, 10);
            passed_on.insert(passed_on.end(), {argv[i - 1], argv[i]});
        } else if (name == "--runs") {
            settings.runs = std::atoi(value);
            passed_on.insert(passed_on.end(), {argv[i - 1], argv[i]});
        } else {
            Die("no such option: " + std::string(name));
        }
    }
    if (only.empty() && !json.empty()) Die("--json goes with --only");
    for (const auto& bench : benches) {
        if (only.empty()) {
            MeasureApart(bench.key, passed_on);
        } else if (only == bench.key) {
            const std::string fields = MeasureHere(bench, settings);
            if (!json.empty()) WriteFile(json, "{\"figures\":{" + fields + "}}\n");
            return 0;
        }
    }
    if (!only.empty()) Die("no such figure: " + only);
    return 0;
}

void Note(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    std::printf("    ");
    std::vprintf(format, arguments);
    std::printf("\n");
    std::fflush(stdout);
    va_end(arguments);
}

void Die(const std::string& text) {
    std::fflush(stdout);
    std::fprintf(stderr, "bench: %s\n", text.c_str());
    std::exit(1);
}

double WallSeconds() { return Seconds(CLOCK_MONOTONIC); }
double CpuSeconds() { return Seconds(CLOCK_PROCESS_CPUTIME_ID); }
double ThreadCpuSeconds() { return Seconds(CLOCK_THREAD_CPUTIME_ID); }

double CpuSecondsOf(int pid) {
    clockid_t clock = 0;
    if (clock_getcpuclockid(pid, &clock) != 0) Die("the measured process has ended");
    return Seconds(clock);
}

double ResidentMb(int pid) {
    const std::string of = pid == 0 ? "self" : std::to_string(pid);
    std::ifstream file("/proc/" + of + "/statm");
    double total = 0, resident = 0;
    if (!(file >> total >> resident)) Die("no memory of process " + of);
    return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

double Quantile(std::vector<double> values, double q) {
    if (values.empty()) return std::nan("");
    std::sort(values.begin(), values.end());
    const double at = q * static_cast<double>(values.size() - 1);
    const auto low = static_cast<size_t>(at);
    const size_t high = std::min(low + 1, values.size() - 1);
    return values[low] + (values[high] - values[low]) * (at - static_cast<double>(low));
}

std::string ProgramDirectory() {
    return fs::read_symlink("/proc/self/exe").parent_path().string();
}

TemporaryDirectory::TemporaryDirectory() {
    path_ = ProgramDirectory() + "/scratch-XXXXXX";
    if (mkdtemp(path_.data()) == nullptr) Die("cannot make " + path_);
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;   // What is left of a scratch directory harms nobody.
    fs::remove_all(path_, ignored);
}

}  // namespace bench
