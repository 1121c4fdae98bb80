#include "store/warehouse/child_main.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include "store/warehouse/chdb.h"
#include "store/warehouse/child_server.h"
#include "store/warehouse/shut_in.h"

namespace warehouse {
namespace {

enum ExitStatus { kParentGone = 0, kBadOptions = 2, kNoLibrary = 3, kNoSocket = 4 };

void Say(const std::string& text) {
    const std::string line = "warehouse: " + text + "\n";
    std::fwrite(line.data(), 1, line.size(), stderr);
}

template <typename T>
bool ParseNumber(std::string_view text, T& out) {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
    return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

// Keeps 0, 1, 2 and the pipe; what the server had open is none of the child's business.
void CloseInherited(int watch_fd) {
    if (watch_fd > 2) {
        if (watch_fd > 3) close_range(3, static_cast<unsigned>(watch_fd - 1), 0);
        close_range(static_cast<unsigned>(watch_fd + 1), UINT_MAX, 0);
    } else {
        close_range(3, UINT_MAX, 0);
    }
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, 0);
        close(null);
    }
}

void SetLimits() {
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = std::min<rlim_t>(files.rlim_max, 65536);
        setrlimit(RLIMIT_NOFILE, &files);
    }
    umask(077);
}

void WatchParent(int fd) {
    std::thread([fd] {
        pollfd p{fd, POLLIN, 0};
        // The server never writes; an end or an error is its end.
        while (poll(&p, 1, -1) <= 0) {
        }
        _exit(kParentGone);
    }).detach();
}

std::string PathOfBinary() {
    char path[PATH_MAX];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof(path));
    return n <= 0 ? "" : std::string(path, static_cast<size_t>(n));
}

// What libchdb looks at besides its own directory. The binary: each exception of ClickHouse notes a
// stack trace, and where the program's file cannot be opened then, it aborts.
std::vector<std::string> Readable(const std::string& library) {
    return {library,           PathOfBinary(),  "/lib",          "/lib64",
            "/usr/lib",        "/usr/lib64",    "/etc/ld.so.cache", "/proc/self",
            "/proc/meminfo",   "/proc/cpuinfo", "/proc/stat",    "/proc/sys",
            "/sys/fs/cgroup",  "/sys/devices/system", "/dev/urandom",
            "/etc/localtime",  "/usr/share/zoneinfo"};
}

std::vector<std::string> ConnectArguments(const ChildOptions& options, uint64_t memory) {
    // Caches are small: the operating system keeps the files warm, and the server beside needs the
    // memory. The defaults (5 GB of marks, 5 GB of primary indexes, ...) would only ever grow.
    return {"clickhouse",
            "--path=" + options.directory,
            "--max_server_memory_usage=" + std::to_string(memory),
            "--mark_cache_size=16777216",
            "--index_mark_cache_size=4194304",
            "--primary_index_cache_size=16777216",
            "--uncompressed_cache_size=0",
            "--query_condition_cache_size=4194304",
            "--compiled_expression_cache_size=4194304",
            "--max_thread_pool_free_size=4",
            "--max_thread_pool_size=200"};
}

uint64_t HalfOfMachine() {
    return static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) *
           static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) / 2;
}


}  // namespace

std::vector<std::string> ToArguments(const ChildOptions& options) {
    return {"--library=" + options.library,
            "--directory=" + options.directory,
            "--socket=" + options.socket_path,
            "--watch-fd=" + std::to_string(options.watch_fd),
            "--readers=" + std::to_string(options.readers),
            "--memory-bytes=" + std::to_string(options.memory_bytes_max),
            std::string("--shut-in=") + (options.shut_in ? "1" : "0")};
}

base::Result<ChildOptions> FromArguments(const std::vector<std::string>& arguments) {
    ChildOptions options;
    for (const std::string& argument : arguments) {
        const size_t equals = argument.find('=');
        const std::string name = argument.substr(0, equals);
        const std::string value = equals == std::string::npos ? "" : argument.substr(equals + 1);
        bool good = equals != std::string::npos;
        if (name == "--library") {
            options.library = value;
        } else if (name == "--directory") {
            options.directory = value;
        } else if (name == "--socket") {
            options.socket_path = value;
        } else if (name == "--watch-fd") {
            good = good && ParseNumber(value, options.watch_fd);
        } else if (name == "--readers") {
            good = good && ParseNumber(value, options.readers) && options.readers >= 0;
        } else if (name == "--memory-bytes") {
            good = good && ParseNumber(value, options.memory_bytes_max);
        } else if (name == "--shut-in") {
            good = good && (value == "0" || value == "1");
            options.shut_in = value != "0";
        } else {
            good = false;
        }
        if (!good) return base::Invalid("not an option of the warehouse: " + argument);
    }
    if (options.library.empty() || options.directory.empty() || options.socket_path.empty()) {
        return base::Invalid("--library, --directory and --socket are needed");
    }
    return options;
}

int RunWarehouseChild(const ChildOptions& given) {
    ChildOptions options = given;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    CloseInherited(options.watch_fd);
    SetLimits();
    std::error_code failed;
    std::filesystem::create_directories(options.directory, failed);
    chmod(options.directory.c_str(), 0700);
    const std::filesystem::path socket = std::filesystem::absolute(options.socket_path, failed);
    options.library = std::filesystem::absolute(options.library, failed);
    options.directory = std::filesystem::absolute(options.directory, failed);
    options.socket_path = socket;
    // Fewer arenas and a short decay: an idle warehouse gives its memory back. (background_thread
    // given here makes libchdb 26.5 abort while it loads; it turns it on by itself later.)
    setenv("JE_MALLOC_CONF", "narenas:4,dirty_decay_ms:1000,muzzy_decay_ms:0", 1);
    if (options.shut_in) {
        const ShutInReport report =
            ShutIn({options.directory, socket.parent_path()}, Readable(options.library));
        if (!report.missing.empty()) Say("not shut in by: " + report.missing);
    }
    if (chdir(options.directory.c_str()) != 0) {
        Say("cannot enter " + options.directory + ": " + std::strerror(errno));
        return kBadOptions;
    }
    if (options.watch_fd >= 0) WatchParent(options.watch_fd);

    auto chdb = Chdb::Load(options.library);
    if (!chdb) {
        Say(chdb.error().internal);
        return kNoLibrary;
    }
    const uint64_t memory =
        options.memory_bytes_max != 0 ? options.memory_bytes_max : HalfOfMachine();
    const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    ServeOptions serve;
    serve.socket_path = options.socket_path;
    serve.connect_arguments = ConnectArguments(options, memory);
    serve.readers = options.readers > 0 ? options.readers : std::max(2, 2 * cores - serve.writers);
    serve.memory_bytes_max = memory;
    const base::Status served = Serve(**chdb, serve);
    if (!served) Say(served.error().internal);
    // Not through exit(): the library's threads are running.
    _exit(served || served.error().code == base::ErrorCode::kUnavailable ? kNoLibrary : kNoSocket);
}

int RunWarehouseChild(int argc, char** argv) {
    const auto options = FromArguments({argv + 1, argv + argc});
    if (!options) {
        Say(options.error().internal);
        return kBadOptions;
    }
    return RunWarehouseChild(*options);
}

base::Result<std::string> FindLibChdb(const std::string& option) {
    if (!option.empty()) {
        if (access(option.c_str(), R_OK) == 0) return option;
        return base::Fail(base::ErrorCode::kNotFound, "libchdb is not at " + option);
    }
    std::vector<std::string> places;
    const char* named = std::getenv("RIPEN_CHDB_LIB");
    if (named != nullptr && *named != '\0') {
        places.emplace_back(named);
    } else {
        const std::filesystem::path directory =
            std::filesystem::path(PathOfBinary()).parent_path();
        places = {directory.string() + "/../lib/libchdb.so", ".ripen/lib/libchdb.so",
                  "node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"};
    }
    std::string tried;
    for (const std::string& place : places) {
        if (access(place.c_str(), R_OK) == 0) return place;
        tried += (tried.empty() ? "" : ", ") + place;
    }
    return base::Fail(base::ErrorCode::kNotFound, "libchdb.so is at none of: " + tried);
}

}  // namespace warehouse
