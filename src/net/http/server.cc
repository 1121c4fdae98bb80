#include "net/http/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <latch>

#include "base/check.h"
#include "net/http/connection.h"

namespace http {
namespace {

using std::chrono::milliseconds;
using WaitType = boost::asio::posix::stream_descriptor::wait_type;

constexpr int kBacklog = 4096;
constexpr int kAcceptsPerTurn = 64;

// Often enough that a limit is overrun by a quarter at most; rare enough to cost nothing.
milliseconds SweepEvery(const ServerOptions& options) {
    const base::DurationMs shortest =
        std::min({options.header_time_ms, options.idle_time_ms, options.linger_time_ms,
                  options.body_grace_ms});
    return milliseconds(std::clamp<base::DurationMs>(shortest / 4, 5, 500));
}

class FunctionExchange final : public Respond::Exchange {
  public:
    explicit FunctionExchange(std::function<void(Response)> receive)
        : receive_(std::move(receive)) {}
    ~FunctionExchange() override {
        if (!answered_.load()) {
            receive_(Response::Error(500, "internal", "Something went wrong in the server."));
        }
    }
    void Send(Response response) override {
        if (!answered_.exchange(true)) receive_(std::move(response));
    }
    bool client_gone() const override { return false; }

  private:
    std::function<void(Response)> receive_;
    std::atomic<bool> answered_{false};
};

}  // namespace

Respond::Respond(std::function<void(Response)> receive)
    : exchange_(std::make_shared<FunctionExchange>(std::move(receive))) {}

bool Shared::TakeAddress(const std::string& address) {
    if (address.empty()) return true;
    const std::lock_guard lock(mutex_);
    size_t& count = per_address_[address];
    if (count >= options.connections_per_address_max) return false;
    ++count;
    return true;
}

void Shared::GiveBackAddress(const std::string& address) {
    if (address.empty()) return;
    const std::lock_guard lock(mutex_);
    const auto found = per_address_.find(address);
    CHECK(found != per_address_.end());
    if (--found->second == 0) per_address_.erase(found);
}

Loop::Loop(std::shared_ptr<Shared> shared)
    : shared_(std::move(shared)),
      work_(boost::asio::make_work_guard(context_)),
      sweep_timer_(context_),
      abort_timer_(context_),
      sweep_every_(SweepEvery(shared_->options)),
      read_buffer_(std::make_unique<char[]>(kReadBufferBytes)) {}

Loop::~Loop() = default;

void Loop::Start() {
    ArmSweep();
    thread_ = std::thread([this] { context_.run(); });
}

void Loop::Join() {
    if (thread_.joinable()) thread_.join();
}

void Loop::Post(std::function<void()> work) { boost::asio::post(context_, std::move(work)); }

void Loop::Deliver(Delivery delivery) {
    if (OnThread()) {
        const auto connection = delivery.connection.lock();
        if (!connection) return;
        if (connection->pumping()) return connection->OnDelivery(std::move(delivery));
    }
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        if (ended_) return;
        first = inbox_.empty();
        inbox_.push_back(std::move(delivery));
    }
    if (first) boost::asio::post(context_, [this] { Drain(); });
}

void Loop::Drain() {
    std::vector<Delivery> batch;
    {
        const std::lock_guard lock(mutex_);
        batch.swap(inbox_);
    }
    for (Delivery& delivery : batch) {
        if (const auto connection = delivery.connection.lock()) {
            connection->OnDelivery(std::move(delivery));
        }
    }
}

void Loop::Adopt(int fd, std::string peer_address, size_t listener) {
    auto connection = std::make_shared<Connection>(*this, fd, std::move(peer_address), listener);
    connection->index = connections_.size();
    connections_.push_back(connection);
    if (stopping_) return connection->Close();
    connection->Start();
}

void Loop::Remove(Connection& connection) {
    CHECK(connection.index < connections_.size() &&
          connections_[connection.index].get() == &connection);
    const std::shared_ptr<Connection> hold = connections_[connection.index];
    connections_[connection.index] = std::move(connections_.back());
    connections_[connection.index]->index = connection.index;
    connections_.pop_back();
    shared_->GiveBackAddress(connection.peer_address());
    shared_->connections_open.fetch_sub(1, std::memory_order_relaxed);
    if (shared_->accepting_paused.load()) shared_->resume_accepting();
    if (stopping_) EndWhenEmpty();
}

void Loop::ArmSweep() {
    sweep_timer_.expires_after(sweep_every_);
    sweep_timer_.async_wait([this](boost::system::error_code error) {
        if (error) return;
        Sweep();
        ArmSweep();
    });
}

void Loop::Sweep() {
    const SteadyTime now = std::chrono::steady_clock::now();
    // Backwards: a connection that goes is replaced by one that has been seen.
    for (size_t i = connections_.size(); i-- > 0;) {
        if (i >= connections_.size()) continue;
        const std::shared_ptr<Connection> connection = connections_[i];
        connection->OnSweep(now);
    }
}

void Loop::BeginStop() {
    stopping_ = true;
    for (size_t i = connections_.size(); i-- > 0;) {
        if (i >= connections_.size()) continue;
        const std::shared_ptr<Connection> connection = connections_[i];
        connection->OnServerStop();
    }
    EndWhenEmpty();
}

void Loop::AbortAfter(base::DurationMs limit_ms) {
    Post([this, limit_ms] {
        if (connections_.empty()) return;
        abort_timer_.expires_after(milliseconds(limit_ms));
        abort_timer_.async_wait([this](boost::system::error_code error) {
            if (!error) Abort();
        });
    });
}

void Loop::Abort() {
    while (!connections_.empty()) {
        const std::shared_ptr<Connection> connection = connections_.back();
        connection->Close();
    }
    EndWhenEmpty();
}

void Loop::EndWhenEmpty() {
    if (!connections_.empty()) return;
    sweep_timer_.cancel();
    abort_timer_.cancel();
    work_.reset();
    const std::lock_guard lock(mutex_);
    ended_ = true;
}

std::string_view Loop::DateField() {
    const std::time_t second = std::time(nullptr);
    if (second != date_second_) {
        date_second_ = second;
        std::tm parts{};
        ::gmtime_r(&second, &parts);
        char text[64];
        // IMF-fixdate (RFC 9110 5.6.7); the C locale is never changed by this process.
        const size_t size =
            std::strftime(text, sizeof(text), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
        date_field_.assign(text, size);
    }
    return date_field_;
}

// A listening socket. Belongs to the thread of its loop.
class Acceptor : public std::enable_shared_from_this<Acceptor> {
  public:
    Acceptor(std::shared_ptr<Shared> shared, std::vector<std::shared_ptr<Loop>> loops, size_t index,
             int fd)
        : shared_(std::move(shared)),
          loops_(std::move(loops)),
          index_(index),
          own_(*loops_[index % loops_.size()]),
          fd_(fd),
          socket_(own_.context(), fd),
          retry_timer_(own_.context()) {}

    Loop& loop() { return own_; }
    void Wait();
    void Accept();
    void Close() {
        boost::system::error_code ignored;  // The descriptor is closed whatever it says.
        socket_.close(ignored);
        retry_timer_.cancel();
    }

  private:
    bool AcceptOne();
    void RetryLater();

    std::shared_ptr<Shared> shared_;
    std::vector<std::shared_ptr<Loop>> loops_;
    size_t index_;
    size_t next_loop_ = 0;
    Loop& own_;
    int fd_;
    boost::asio::posix::stream_descriptor socket_;
    boost::asio::steady_timer retry_timer_;
    bool waiting_ = false;
};

void Acceptor::Wait() {
    if (waiting_ || !socket_.is_open()) return;
    waiting_ = true;
    socket_.async_wait(WaitType::wait_read,
                       [self = shared_from_this()](boost::system::error_code error) {
                           self->waiting_ = false;
                           if (!error) self->Accept();
                       });
}

void Acceptor::Accept() {
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
        if (!socket_.is_open()) return;
        if (shared_->connections_open.load() >= shared_->options.connections_max) {
            shared_->accepting_paused.store(true);
            // One may have gone between the look and the mark; then nobody would wake us.
            if (shared_->connections_open.load() >= shared_->options.connections_max) return;
        }
        if (!AcceptOne()) return;
    }
    Wait();
}

std::string PeerText(const sockaddr_storage& peer) {
    char text[INET6_ADDRSTRLEN] = {};
    if (peer.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(peer);
        ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    } else if (peer.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(peer);
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
            ::inet_ntop(AF_INET, v6.sin6_addr.s6_addr + 12, text, sizeof(text));
        } else {
            ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
        }
    }
    return text;
}

// False when this turn is over.
bool Acceptor::AcceptOne() {
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    const int fd = ::accept4(fd_, reinterpret_cast<sockaddr*>(&peer), &size,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EINTR || errno == ECONNABORTED) return true;
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            Wait();
        } else {
            RetryLater();  // Out of descriptors or memory: the backlog waits.
        }
        return false;
    }
    std::string address = PeerText(peer);
    if (!shared_->TakeAddress(address)) {
        shared_->address_limit_closed.fetch_add(1, std::memory_order_relaxed);
        ::close(fd);
        return true;
    }
    if (peer.ss_family != AF_UNIX) {
        const int on = 1;  // Answers are written whole; waiting for more would only delay them.
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    shared_->connections_open.fetch_add(1);
    shared_->connections_total.fetch_add(1, std::memory_order_relaxed);
    Loop& loop = *loops_[next_loop_++ % loops_.size()];
    if (&loop == &own_) {
        loop.Adopt(fd, std::move(address), index_);
    } else {
        loop.Post([&loop, fd, address = std::move(address), listener = index_]() mutable {
            loop.Adopt(fd, std::move(address), listener);
        });
    }
    return true;
}

void Acceptor::RetryLater() {
    retry_timer_.expires_after(milliseconds(100));
    retry_timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
        if (!error) self->Accept();
    });
}

namespace {

tl::unexpected<base::Error> ListenFailed(const std::string& name, const char* what, int error) {
    const bool in_use = error == EADDRINUSE;
    std::string text = in_use ? name + " is in use by another program"
                              : "cannot listen on " + name + ": " + what + ": " +
                                    std::strerror(error);
    return base::Fail(in_use ? base::ErrorCode::kConflict : base::ErrorCode::kIo, std::move(text));
}

base::Result<int> ListenUnix(const std::string& path) {
    const std::string name = "unix:" + path;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) {
        return ListenFailed(name, "the path is too long", ENAMETOOLONG);
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return ListenFailed(name, "socket", errno);
    const auto fail = [&](const char* what) {
        const int error = errno;
        ::close(fd);
        return ListenFailed(name, what, error);
    };
    struct stat there {};
    if (::lstat(path.c_str(), &there) == 0 && S_ISSOCK(there.st_mode)) {
        const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (probe < 0) return fail("socket");
        const bool refused =
            ::connect(probe, generic, sizeof(address)) != 0 && errno == ECONNREFUSED;
        ::close(probe);
        if (refused && ::unlink(path.c_str()) != 0) return fail("unlink");
    }
    // The mode is taken over by bind, so that the socket is never open to others.
    if (::fchmod(fd, 0600) != 0) return fail("fchmod");
    if (::bind(fd, generic, sizeof(address)) != 0) return fail("bind");
    if (::chmod(path.c_str(), 0600) != 0) return fail("chmod");
    if (::listen(fd, kBacklog) != 0) return fail("listen");
    return fd;
}

base::Result<int> ListenTcp(const std::string& host, uint16_t port, uint16_t& real_port) {
    const bool is_v6 = host.find(':') != std::string::npos;
    const std::string name = (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    void* into = is_v6 ? static_cast<void*>(&v6.sin6_addr) : static_cast<void*>(&v4.sin_addr);
    if (::inet_pton(is_v6 ? AF_INET6 : AF_INET, host.c_str(), into) != 1) {
        return ListenFailed(name, "not an IP address", EINVAL);
    }
    auto* generic = is_v6 ? reinterpret_cast<sockaddr*>(&v6) : reinterpret_cast<sockaddr*>(&v4);
    socklen_t size = is_v6 ? sizeof(v6) : sizeof(v4);
    const int fd = ::socket(generic->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return ListenFailed(name, "socket", errno);
    const auto fail = [&](const char* what) {
        const int error = errno;
        ::close(fd);
        return ListenFailed(name, what, error);
    };
    const int on = 1;
    const int off = 0;
    if (::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0) return fail("setsockopt");
    if (is_v6 && host == "::" &&
        ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) != 0) {
        return fail("setsockopt");
    }
    if (::bind(fd, generic, size) != 0) return fail("bind");
    if (::listen(fd, kBacklog) != 0) return fail("listen");
    if (::getsockname(fd, generic, &size) != 0) return fail("getsockname");
    real_port = ntohs(is_v6 ? v6.sin6_port : v4.sin_port);
    return fd;
}

}  // namespace

class Server::Impl {
  public:
    std::shared_ptr<Shared> shared;
    std::vector<std::shared_ptr<Loop>> loops;
    std::vector<std::shared_ptr<Acceptor>> acceptors;
    std::vector<uint16_t> ports;
    std::vector<std::string> unix_paths;
    bool stopped = false;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

base::Result<std::unique_ptr<Server>> Server::Create(ServerOptions options) {
    CHECK(!options.listeners.empty() && options.threads > 0);
    auto impl = std::make_unique<Impl>();
    std::vector<int> fds;
    for (const Listener& listener : options.listeners) {
        CHECK(listener.handler != nullptr);
        uint16_t port = 0;
        const auto fd = listener.unix_path.empty()
                            ? ListenTcp(listener.address, listener.port, port)
                            : ListenUnix(listener.unix_path);
        if (!fd) {
            for (const int open : fds) ::close(open);
            for (const std::string& path : impl->unix_paths) ::unlink(path.c_str());
            return tl::make_unexpected(fd.error());
        }
        fds.push_back(*fd);
        impl->ports.push_back(port);
        if (!listener.unix_path.empty()) impl->unix_paths.push_back(listener.unix_path);
    }
    impl->shared = std::make_shared<Shared>();
    Shared& shared = *impl->shared;
    shared.body_limit = options.body_limit;
    shared.head_limits = {options.header_bytes_max, options.headers_max, options.target_bytes_max};
    shared.options = std::move(options);
    try {
        for (size_t i = 0; i < shared.options.threads; ++i) {
            impl->loops.push_back(std::make_shared<Loop>(impl->shared));
        }
        for (size_t i = 0; i < fds.size(); ++i) {
            impl->acceptors.push_back(
                std::make_shared<Acceptor>(impl->shared, impl->loops, i, fds[i]));
        }
    } catch (const boost::system::system_error& error) {
        for (size_t i = impl->acceptors.size(); i < fds.size(); ++i) ::close(fds[i]);
        return base::Fail(base::ErrorCode::kIo,
                          std::string("cannot set up the event loops: ") + error.what());
    }
    Impl* raw = impl.get();
    shared.resume_accepting = [raw] {
        if (!raw->shared->accepting_paused.exchange(false)) return;
        for (const auto& acceptor : raw->acceptors) {
            acceptor->loop().Post([acceptor] { acceptor->Accept(); });
        }
    };
    for (const auto& acceptor : impl->acceptors) acceptor->Wait();
    for (const auto& loop : impl->loops) loop->Start();
    return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::~Server() { Stop(0); }

uint16_t Server::port(size_t index) const {
    CHECK(index < impl_->ports.size());
    return impl_->ports[index];
}

void Server::Stop(base::DurationMs limit_ms) {
    if (impl_->stopped) return;
    impl_->stopped = true;
    impl_->shared->stopping.store(true);
    // First all listeners: what they have accepted is then queued before the loops' own end.
    std::latch closed(static_cast<std::ptrdiff_t>(impl_->acceptors.size()));
    for (const auto& acceptor : impl_->acceptors) {
        acceptor->loop().Post([acceptor, &closed] {
            acceptor->Close();
            closed.count_down();
        });
    }
    closed.wait();
    for (const auto& loop : impl_->loops) {
        loop->Post([loop] { loop->BeginStop(); });
        loop->AbortAfter(limit_ms);
    }
    for (const auto& loop : impl_->loops) loop->Join();
    for (const std::string& path : impl_->unix_paths) ::unlink(path.c_str());
    impl_->acceptors.clear();
}

ServerCounts Server::counts() const {
    const Shared& shared = *impl_->shared;
    ServerCounts counts;
    counts.connections_open = shared.connections_open.load();
    counts.connections_total = shared.connections_total.load();
    counts.requests = shared.requests.load();
    counts.refused = shared.refused.load();
    counts.timed_out = shared.timed_out.load();
    counts.address_limit_closed = shared.address_limit_closed.load();
    counts.body_bytes_in_flight = shared.body_bytes_in_flight.load();
    return counts;
}

}  // namespace http
