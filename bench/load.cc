#include "bench/load.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/clock.h"
#include "bench/figure.h"
#include "bench/traffic.h"

namespace bench {
namespace {

int Connect(uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        Die(std::string("cannot connect: ") + std::strerror(errno));
    }
    const int one = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return socket;
}

void WriteAll(int fd, const char* bytes, size_t size) {
    while (size > 0) {
        const ssize_t n = write(fd, bytes, size);
        if (n <= 0) Die("the other side has gone");
        bytes += n;
        size -= static_cast<size_t>(n);
    }
}

// Size of the whole answer at the beginning of `text`; 0: not all of it is there.
size_t AnswerSize(std::string_view text) {
    const size_t end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    size_t length = 0;
    for (const std::string_view name : {"\r\nContent-Length: ", "\r\ncontent-length: "}) {
        const size_t at = text.substr(0, end).find(name);
        if (at == std::string_view::npos) continue;
        std::from_chars(text.data() + at + name.size(), text.data() + end, length);
    }
    const size_t whole = end + 4 + length;
    return text.size() < whole ? 0 : whole;
}

std::string Head(std::string_view method, std::string_view target, std::string_view authorization,
                 size_t length) {
    std::string head(method);
    head += ' ';
    head += target;
    head += " HTTP/1.1\r\nHost: shop.example\r\nAuthorization: ";
    head += authorization;
    head += "\r\nContent-Type: application/json\r\nUser-Agent: analytics-node/2.1.3\r\n"
            "Content-Length: " + std::to_string(length) + "\r\n\r\n";
    return head;
}

// A request whose persons and message ids are written in place for every sending.
class Request {
  public:
    Request(int batch, Random& random, const std::string& authorization) {
        std::string body = batch > 1 ? "{\"batch\":[" : "";
        for (int i = 0; i < batch; ++i) {
            if (i > 0) body += ',';
            places_.push_back(body.size());
            // One name comes more often: what begins a journey leads to facts.
            const uint64_t name = random.Below(9) == 0 ? 1 : random.Below(kEventNames);
            calls_.emplace_back(static_cast<int>(name), random.Next(), base::SystemClock().Now());
            body += calls_.back().text();
        }
        if (batch > 1) body += "]}";
        text_ = Head("POST", batch > 1 ? "/v1/batch" : "/v1/track", authorization, body.size());
        for (auto& place : places_) place += text_.size();
        text_ += body;
    }

    const std::string& Fill(Random& random, uint64_t persons, uint64_t& message) {
        for (size_t i = 0; i < calls_.size(); ++i) {
            calls_[i].Write(text_.data(), places_[i], ZipfPerson(random, persons), message++);
        }
        return text_;
    }

  private:
    std::vector<TrackCall> calls_;
    std::vector<size_t> places_;
    std::string text_;
};

struct Connection {
    int socket = -1;
    bool busy = false;
    int64_t sent_at = 0;
    std::string answer;
};

class Generator {
  public:
    Generator(const LoadPlan& plan, uint16_t port, const std::string& write_key)
        : plan_(plan), random_(plan.first_message), message_(plan.first_message) {
        if (plan_.persons == 0) plan_.persons = kPersons;
        // Enough different bodies not to be the server's cache's favourites.
        const int kinds = std::max(1, 3200 / plan_.batch);
        for (int i = 0; i < kinds; ++i) {
            requests_.emplace_back(plan_.batch, random_, BasicAuthorization(write_key));
        }
        epoll_ = epoll_create1(EPOLL_CLOEXEC);
        connections_.resize(static_cast<size_t>(plan_.connections));
        port_ = port;
    }

    // Anew before each sending: the server closes connections on which nothing comes for a while.
    void ConnectAll() {
        for (size_t i = 0; i < connections_.size(); ++i) {
            if (connections_[i].socket >= 0) close(connections_[i].socket);
            connections_[i].socket = Connect(port_);
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.u64 = i;
            epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_[i].socket, &event);
        }
    }

    LoadResult Send(uint64_t events, double events_per_second) {
        ConnectAll();
        const auto batch = static_cast<uint64_t>(plan_.batch);
        const uint64_t requests = (events + batch - 1) / batch;
        const int64_t begun = base::SteadyNanos();
        LoadResult result;
        std::vector<double> times;
        uint64_t sent = 0, answered = 0;
        while (answered < requests) {
            int64_t next = 0;
            for (auto& connection : connections_) {
                if (connection.busy || sent == requests) continue;
                if (events_per_second > 0) {
                    next = begun + static_cast<int64_t>(static_cast<double>(sent * batch) /
                                                        events_per_second * 1e9);
                    if (base::SteadyNanos() < next) break;
                }
                Start(connection);
                ++sent;
            }
            int wait_ms = -1;
            if (events_per_second > 0 && sent < requests) {
                wait_ms = static_cast<int>(
                    std::max<int64_t>(0, (next - base::SteadyNanos()) / 1'000'000));
            }
            epoll_event ready[64];
            const int n = epoll_wait(epoll_, ready, 64, wait_ms);
            for (int i = 0; i < n; ++i) {
                Connection& connection = connections_[ready[i].data.u64];
                const int status = Receive(connection);
                if (status == 0) continue;
                ++answered;
                if (status == 200) {
                    result.events += batch;
                } else {
                    ++result.refused;
                }
                times.push_back(static_cast<double>(base::SteadyNanos() - connection.sent_at) /
                                1e6);
            }
        }
        result.seconds = static_cast<double>(base::SteadyNanos() - begun) / 1e9;
        result.p50_ms = Quantile(times, 0.5);
        result.p99_ms = Quantile(times, 0.99);
        return result;
    }

  private:
    void Start(Connection& connection) {
        connection.busy = true;
        connection.sent_at = base::SteadyNanos();
        const std::string& text =
            requests_[turn_++ % requests_.size()].Fill(random_, plan_.persons, message_);
        WriteAll(connection.socket, text.data(), text.size());
    }

    // The status when the answer is whole, else 0.
    int Receive(Connection& connection) {
        char buffer[16 * 1024];
        const ssize_t n = recv(connection.socket, buffer, sizeof buffer, 0);
        if (n <= 0) Die("the server closed a connection");
        connection.answer.append(buffer, static_cast<size_t>(n));
        if (AnswerSize(connection.answer) == 0) return 0;
        const int status = std::atoi(connection.answer.c_str() + 9);
        connection.answer.clear();
        connection.busy = false;
        return status;
    }

    LoadPlan plan_;
    Random random_;
    uint64_t message_;
    uint64_t turn_ = 0;
    std::vector<Request> requests_;
    std::vector<Connection> connections_;
    int epoll_ = -1;
    uint16_t port_ = 0;
};

struct Order {
    uint16_t port = 0;
    char write_key[200] = {};
};

template <typename T>
void ReadOne(int fd, T& value) {
    size_t got = 0;
    while (got < sizeof value) {
        const ssize_t n = read(fd, reinterpret_cast<char*>(&value) + got, sizeof value - got);
        if (n <= 0) Die("the load generator ended");
        got += static_cast<size_t>(n);
    }
}

template <typename T>
void WriteOne(int fd, const T& value) {
    WriteAll(fd, reinterpret_cast<const char*>(&value), sizeof value);
}

[[noreturn]] void Generate(const LoadPlan& plan, int orders, int answers) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    Order order;
    ReadOne(orders, order);
    Generator generator(plan, order.port, order.write_key);
    LoadResult warm_up = generator.Send(plan.warm_up, 0);
    WriteOne(answers, warm_up);
    char go = 0;
    ReadOne(orders, go);
    LoadResult result = generator.Send(plan.events, plan.events_per_second);
    result.refused += warm_up.refused;
    WriteOne(answers, result);
    _exit(0);
}

}  // namespace

Load::Load(const LoadPlan& plan) {
    int down[2], up[2];
    if (pipe(down) != 0 || pipe(up) != 0) Die("no pipe");
    child_ = fork();
    if (child_ < 0) Die("no fork");
    if (child_ == 0) {
        close(down[1]);
        close(up[0]);
        Generate(plan, down[0], up[1]);
    }
    close(down[0]);
    close(up[1]);
    to_child_ = down[1];
    from_child_ = up[0];
}

Load::~Load() {
    close(to_child_);
    close(from_child_);
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
}

void Load::WarmUp(uint16_t port, const std::string& write_key) {
    Order order;
    order.port = port;
    if (write_key.size() >= sizeof order.write_key) Die("a long key");
    std::memcpy(order.write_key, write_key.data(), write_key.size());
    WriteOne(to_child_, order);
    LoadResult result;
    ReadOne(from_child_, result);
    if (result.refused > 0) Die("the server refused requests of the warm-up");
}

void Load::Begin() { WriteOne(to_child_, 'g'); }

LoadResult Load::Finish() {
    LoadResult result;
    ReadOne(from_child_, result);
    if (result.refused > 0) Die(std::to_string(result.refused) + " requests were refused");
    return result;
}

std::string BasicAuthorization(const std::string& write_key) {
    return "Basic " + base::Base64Encode(write_key + ":");
}

Caller::Caller(uint16_t port) : socket_(Connect(port)) {}
Caller::~Caller() { close(socket_); }

Answered Caller::Call(const std::string& method, const std::string& target,
                      const std::string& authorization, const std::string& body) {
    const std::string text = Head(method, target, authorization, body.size()) + body;
    WriteAll(socket_, text.data(), text.size());
    read_.clear();
    while (AnswerSize(read_) == 0) {
        char buffer[16 * 1024];
        const ssize_t n = recv(socket_, buffer, sizeof buffer, 0);
        if (n <= 0) Die("no answer to " + method + " " + target);
        read_.append(buffer, static_cast<size_t>(n));
    }
    return {std::atoi(read_.c_str() + 9), read_.substr(read_.find("\r\n\r\n") + 4)};
}

}  // namespace bench
