#include "store/warehouse/child_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "base/limits.h"

namespace warehouse {
namespace {

constexpr int kHeadTimeMs = 1000;
constexpr int kBodyTimeMs = 30'000;

class Socket {
  public:
    explicit Socket(int fd) : fd_(fd) {}
    Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Socket& operator=(Socket&&) = delete;
    ~Socket() {
        if (fd_ >= 0) close(fd_);
    }

    // Bytes read, 0 at the end, -1 on error or when nothing comes in time.
    ssize_t Read(char* to, size_t size, int timeout_ms) const {
        while (true) {
            pollfd p{fd_, POLLIN, 0};
            const int ready = poll(&p, 1, timeout_ms);
            if (ready < 0 && errno == EINTR) continue;
            if (ready <= 0) return -1;
            const ssize_t n = recv(fd_, to, size, 0);
            if (n < 0 && errno == EINTR) continue;
            return n;
        }
    }
    bool Write(std::string_view bytes) const {
        while (!bytes.empty()) {
            const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return false;
            bytes.remove_prefix(static_cast<size_t>(n));
        }
        return true;
    }

  private:
    int fd_;
};

struct Request {
    Socket socket;
    bool get = false;
    std::string path;
    std::string insert;         // The query parameter, decoded.
    bool readonly = false;
    std::optional<size_t> body_bytes;
    std::string body_begin;     // What came behind the head.
};

void Answer(const Socket& socket, int status, std::string_view text) {
    std::string out = "HTTP/1.1 " + std::to_string(status) + (status == 200 ? " OK" : " Refused") +
                      "\r\nContent-Type: text/plain; charset=UTF-8\r\nConnection: close\r\n"
                      "Content-Length: " + std::to_string(text.size()) + "\r\n\r\n";
    out += text;
    socket.Write(out);  // A peer that is gone needs no answer.
}

// ClickHouse's own texts pass unchanged; the client reads the number behind "Code: ".
void AnswerError(const Socket& socket, const std::string& text) {
    Answer(socket, text.find("Code: 60.") != std::string::npos ? 404 : 500, text);
}

int HexDigit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool PercentDecode(std::string_view text, std::string& out) {
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            out.push_back(' ');
        } else if (text[i] == '%') {
            if (i + 2 >= text.size()) return false;
            const int high = HexDigit(text[i + 1]);
            const int low = HexDigit(text[i + 2]);
            if (high < 0 || low < 0) return false;
            out.push_back(static_cast<char>(high * 16 + low));
            i += 2;
        } else {
            out.push_back(text[i]);
        }
    }
    return true;
}

bool ParseTarget(std::string_view target, Request& request) {
    const size_t mark = target.find('?');
    request.path = target.substr(0, mark);
    std::string_view rest = mark == std::string_view::npos ? "" : target.substr(mark + 1);
    while (!rest.empty()) {
        const size_t end = std::min(rest.find('&'), rest.size());
        const std::string_view pair = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const size_t equals = std::min(pair.find('='), pair.size());
        const std::string_view name = pair.substr(0, equals);
        std::string value;
        if (!PercentDecode(pair.substr(std::min(equals + 1, pair.size())), value)) return false;
        if (name == "query") {
            request.insert = std::move(value);
        } else if (name == "readonly") {
            request.readonly = value == "1";
        }  // Other settings are for servers; here each pool has its own.
    }
    return true;
}

bool ParseHeaders(std::string_view head, Request& request) {
    while (!head.empty()) {
        const size_t end = head.find("\r\n");
        if (end == std::string_view::npos) return false;
        std::string line(head.substr(0, end));
        head.remove_prefix(end + 2);
        const size_t colon = line.find(':');
        if (colon == std::string::npos) return false;
        std::transform(line.begin(), line.begin() + static_cast<ptrdiff_t>(colon), line.begin(),
                       [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
        if (line.starts_with("transfer-encoding:")) return false;
        if (line.starts_with("content-length:")) {
            const size_t begin = line.find_first_not_of(' ', colon + 1);
            size_t value = 0;
            const char* last = line.data() + line.size();
            if (begin == std::string::npos || request.body_bytes) return false;
            const auto read = std::from_chars(line.data() + begin, last, value);
            if (read.ec != std::errc() || read.ptr != last) return false;
            request.body_bytes = value;
        }
    }
    return true;
}

// Reads until the blank line; nullopt when what comes is no request.
std::optional<Request> ReadHead(Socket socket) {
    std::string bytes;
    size_t end = std::string::npos;
    while (end == std::string::npos) {
        if (bytes.size() > limits::kHeaderBytesMax) return std::nullopt;
        char piece[16384];
        const ssize_t n = socket.Read(piece, sizeof(piece), kHeadTimeMs);
        if (n <= 0) return std::nullopt;
        bytes.append(piece, static_cast<size_t>(n));
        end = bytes.find("\r\n\r\n");
    }
    Request request{.socket = std::move(socket), .path = {}, .insert = {}, .body_bytes = {},
                    .body_begin = bytes.substr(end + 4)};
    const std::string_view head = std::string_view(bytes).substr(0, end + 2);
    const size_t line_end = head.find("\r\n");
    const std::string_view line = head.substr(0, line_end);
    const size_t first = line.find(' ');
    const size_t second = line.rfind(' ');
    if (first == std::string_view::npos || first == second) return std::nullopt;
    request.get = line.substr(0, first) == "GET";
    if (!request.get && line.substr(0, first) != "POST") return std::nullopt;
    if (line.substr(second + 1) != "HTTP/1.1") return std::nullopt;
    if (!ParseTarget(line.substr(first + 1, second - first - 1), request)) return std::nullopt;
    if (!ParseHeaders(head.substr(line_end + 2), request)) return std::nullopt;
    return request;
}

// Requests on their way to a pool. Any thread.
class Queue {
  public:
    // Moves from `request` only when there is room.
    bool Push(Request& request) {
        {
            const std::lock_guard lock(mutex_);
            if (requests_.size() >= limits::kWarehouseQueueMax) return false;
            requests_.push_back(std::make_unique<Request>(std::move(request)));
        }
        wake_.notify_one();
        return true;
    }
    std::unique_ptr<Request> Pop() {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return !requests_.empty(); });
        std::unique_ptr<Request> request = std::move(requests_.front());
        requests_.pop_front();
        return request;
    }

  private:
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::unique_ptr<Request>> requests_;
};

// "INSERT INTO w.events (a,b) FORMAT RowBinary" -> "INSERT INTO w.events (a,b)"; empty when it is
// anything else. Only letters that a table and its columns need, so nothing can follow.
std::string_view InsertTarget(std::string_view sql) {
    constexpr std::string_view kBegin = "INSERT INTO ";
    constexpr std::string_view kEnd = " FORMAT RowBinary";
    if (!sql.starts_with(kBegin) || !sql.ends_with(kEnd)) return {};
    sql.remove_suffix(kEnd.size());
    for (const char c : sql) {
        const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || std::strchr("_.,() ", c) != nullptr;
        if (!good || c == '\0') return {};
    }
    return sql;
}

bool WriteAll(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
}

// Moves the body into `fd`. False when it does not come as announced.
bool ReceiveInto(const Request& request, int fd) {
    size_t left = *request.body_bytes;
    if (request.body_begin.size() > left || !WriteAll(fd, request.body_begin)) return false;
    left -= request.body_begin.size();
    std::vector<char> piece(256 * 1024);
    while (left > 0) {
        const ssize_t n =
            request.socket.Read(piece.data(), std::min(left, piece.size()), kBodyTimeMs);
        if (n <= 0 || !WriteAll(fd, {piece.data(), static_cast<size_t>(n)})) return false;
        left -= static_cast<size_t>(n);
    }
    return true;
}

// Rule 1: rows go through a memfd, never behind the statement.
void ServeInsert(const Request& request, Chdb::Connection& connection) {
    const std::string_view target = InsertTarget(request.insert);
    if (target.empty()) return Answer(request.socket, 400, "Code: 62. no insert of this protocol");
    if (!request.body_bytes) return Answer(request.socket, 411, "Content-Length is missing");
    if (*request.body_bytes > limits::kWarehouseBodyBytesMax) {
        return Answer(request.socket, 413, "Code: 307. body too large");
    }
    const int fd = memfd_create("rows", MFD_CLOEXEC);
    if (fd < 0) return Answer(request.socket, 500, "Code: 76. memfd_create failed");
    if (ReceiveInto(request, fd)) {
        std::string sql(target);
        sql += " FROM INFILE '/proc/self/fd/" + std::to_string(fd) +
               "' COMPRESSION 'none' FORMAT RowBinary";
        const base::Status done = connection.Run(sql);
        if (done) {
            Answer(request.socket, 200, "");
        } else {
            AnswerError(request.socket, done.error().internal);
        }
    }
    close(fd);
}

bool IsSelect(std::string_view sql) {
    return sql.starts_with("SELECT ") || sql.starts_with("WITH ");
}

void ServeSelect(const Socket& socket, std::string_view sql, Chdb::Connection& connection) {
    auto stream = connection.Start(sql);
    if (!stream) return AnswerError(socket, stream.error().internal);
    bool begun = false;
    while (true) {
        const base::Result<std::string_view> piece = (*stream)->Next();
        if (!piece) {
            // Behind the first byte the missing last chunk tells that it broke off.
            if (!begun) AnswerError(socket, piece.error().internal);
            return;
        }
        std::string head;
        if (!begun) {
            head = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                   "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
            begun = true;
        }
        char size[24];
        const auto end = std::to_chars(size, size + sizeof(size), piece->size(), 16);
        head.append(size, end.ptr).append("\r\n");
        if (!socket.Write(head) || !socket.Write(*piece) || !socket.Write("\r\n")) return;
        if (piece->empty()) return;
    }
}

void ServeStatement(Request& request, Chdb::Connection& connection) {
    if (!request.body_bytes) return Answer(request.socket, 411, "Content-Length is missing");
    const size_t size = *request.body_bytes;
    if (size > limits::kWarehouseSqlBytesMax || request.body_begin.size() > size) {
        return Answer(request.socket, 413, "Code: 62. statement too long");
    }
    std::string sql = std::move(request.body_begin);
    const size_t have = sql.size();
    sql.resize(size);
    for (size_t at = have; at < size;) {
        const ssize_t n = request.socket.Read(sql.data() + at, size - at, kBodyTimeMs);
        if (n <= 0) return;
        at += static_cast<size_t>(n);
    }
    if (IsSelect(sql)) return ServeSelect(request.socket, sql, connection);
    if (request.readonly) return Answer(request.socket, 403, "Code: 164. only SELECT");
    const base::Status done = connection.Run(sql);
    if (done) {
        Answer(request.socket, 200, "");
    } else {
        AnswerError(request.socket, done.error().internal);
    }
}

void Work(Queue& queue, Chdb::Connection& connection, bool reader) {
    while (true) {
        const std::unique_ptr<Request> request = queue.Pop();
        if (!request->insert.empty()) {
            ServeInsert(*request, connection);
            continue;
        }
        // A statement that got out of its quotes may have lifted it on this connection.
        if (reader && !connection.Run("SET readonly=1")) {
            Answer(request->socket, 500, "Code: 164. connection is not read-only");
            continue;
        }
        ServeStatement(*request, connection);
    }
}

base::Result<int> Listen(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) {
        return base::Fail(base::ErrorCode::kIo, "socket path is too long: " + path);
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return base::Fail(base::ErrorCode::kIo, "socket: " + std::string(strerror(errno)));
    // The library holds the data directory by now, so a file left there is a dead child's.
    unlink(path.c_str());
    const mode_t mask = umask(0177);
    const int bound = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    umask(mask);
    if (bound != 0 || listen(fd, 128) != 0) {
        const std::string text = strerror(errno);
        close(fd);
        return base::Fail(base::ErrorCode::kIo, "bind " + path + ": " + text);
    }
    return fd;
}

using Settings = std::vector<std::string>;

Settings WriterSettings(uint64_t memory) {
    return {"SET max_memory_usage=" + std::to_string(memory),
            "SET mutations_sync=1",
            "SET max_insert_threads=1",
            "SET http_max_tries=1",
            "SET input_format_parallel_parsing=0"};
}

Settings ReaderSettings(uint64_t memory) {
    const std::string spill = std::to_string(memory / 2);
    return {"SET max_memory_usage=" + std::to_string(memory),
            "SET max_bytes_before_external_group_by=" + spill,
            "SET max_bytes_before_external_sort=" + spill,
            "SET max_execution_time=" +
                std::to_string(limits::kWarehouseQueryTimeMs / base::kSecondMs),
            "SET max_threads=" + std::to_string(std::max(1U, std::thread::hardware_concurrency())),
            "SET http_max_tries=1",
            "SET output_format_json_quote_64bit_integers=1"};
}

base::Result<std::unique_ptr<Chdb::Connection>> Open(Chdb& chdb, const ServeOptions& options,
                                                     const Settings& settings) {
    TRY_ASSIGN(auto connection, chdb.Connect(options.connect_arguments));
    for (const std::string& setting : settings) {
        const base::Status done = connection->Run(setting);
        if (!done) {
            return base::Fail(base::ErrorCode::kUnavailable,
                              setting + ": " + done.error().internal);
        }
    }
    return connection;
}

void Dispatch(Request request, Queue& writes, Queue& reads) {
    if (request.get) {
        const bool ping = request.path == "/ping";
        return Answer(request.socket, ping ? 200 : 404, ping ? "Ok.\n" : "no such path");
    }
    if (request.path != "/") return Answer(request.socket, 404, "no such path");
    Queue& queue = request.readonly ? reads : writes;
    if (!queue.Push(request)) Answer(request.socket, 503, "Code: 202. too many queries wait");
}

}  // namespace

base::Status Serve(Chdb& chdb, const ServeOptions& options) {
    Queue writes;
    Queue reads;
    std::vector<std::unique_ptr<Chdb::Connection>> connections;
    std::vector<std::jthread> threads;
    const uint64_t share = std::max<uint64_t>(options.memory_bytes_max / 2, 256 * 1024 * 1024);
    for (int i = 0; i < options.writers + options.readers; ++i) {
        const bool reader = i >= options.writers;
        TRY_ASSIGN(auto connection, Open(chdb, options, reader ? ReaderSettings(share)
                                                               : WriterSettings(share)));
        connections.push_back(std::move(connection));
    }
    TRY_ASSIGN(const int listener, Listen(options.socket_path));
    for (size_t i = 0; i < connections.size(); ++i) {
        const bool reader = i >= static_cast<size_t>(options.writers);
        threads.emplace_back([&queue = reader ? reads : writes, &connection = *connections[i],
                              reader] { Work(queue, connection, reader); });
    }
    while (true) {
        const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) {
            // Out of descriptors: those in use come back; nobody is hurt by waiting.
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) usleep(10'000);
            continue;
        }
        std::optional<Request> request = ReadHead(Socket(fd));
        if (request) Dispatch(std::move(*request), writes, reads);
    }
}

}  // namespace warehouse
