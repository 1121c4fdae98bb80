#include "net/smtp/client.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "net/smtp/connection.h"

namespace smtp {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

base::Status CheckOptions(const Options& options) {
    TRY(CheckEhloName(options.ehlo_name));
    if (options.connections_max < 1 || options.connections_max > limits::kSmtpConnectionsMax) {
        return base::Invalid("connections must be 1 to " +
                                 std::to_string(limits::kSmtpConnectionsMax),
                             "connections_max");
    }
    const TimeLimits& t = options.times;
    for (const base::DurationMs time :
         {t.connect_ms, t.banner_ms, t.command_ms, t.body_ms, t.dot_ms, t.idle_ms, t.wait_ms,
          t.backoff_min_ms, t.backoff_max_ms}) {
        if (time <= 0) return base::Invalid("time limits must be positive", "times");
    }
    if (t.backoff_max_ms < t.backoff_min_ms) {
        return base::Invalid("backoff_max_ms is less than backoff_min_ms", "times");
    }
    return {};
}

base::DurationMs TickOf(const TimeLimits& t) {
    const base::DurationMs shortest =
        std::min({t.connect_ms, t.banner_ms, t.command_ms, t.body_ms, t.dot_ms, t.idle_ms,
                  t.wait_ms, t.backoff_min_ms});
    return std::clamp<base::DurationMs>(shortest / 4, 5, 250);
}

}  // namespace

class Pool::Impl final : public ConnectionOwner {
  public:
    Impl(Target target, const Options& options)
        : settings_{std::move(target), options},
          tls_(asio::ssl::context::tls_client),
          work_(asio::make_work_guard(io_)),
          timer_(io_),
          tick_ms_(TickOf(options.times)) {}

    base::Status PrepareTls() {
        error_code error;
        tls_.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                             asio::ssl::context::no_tlsv1_1,
                         error);
        if (error) return base::Fail(base::ErrorCode::kInternal, "tls: " + error.message());
        const std::string& ca_file = settings_.options.tls_ca_file;
        if (!ca_file.empty()) {
            tls_.load_verify_file(ca_file, error);
            if (error) return base::Invalid("cannot read the CA file: " + error.message(),
                                            "tls_ca_file");
        } else {
            tls_.set_default_verify_paths(error);
            if (error) return base::Fail(base::ErrorCode::kInternal, "tls: " + error.message());
        }
        return {};
    }

    void Start() {
        thread_ = std::thread([this] { io_.run(); });
    }

    base::Status Send(Letter letter, BeforeDot before_dot, Done done) {
        Transaction t;
        TRY(Prepare(letter, t));
        t.letter = std::move(letter);
        t.before_dot = std::move(before_dot);
        t.done = std::move(done);
        t.queued_ms = SteadyMs();
        const size_t size = t.letter.bytes.size();
        const std::lock_guard lock(mutex_);
        if (closed_) return base::Fail(base::ErrorCode::kUnavailable, "mail pool is closed");
        if (waiting_bytes_ + size > limits::kSmtpQueueBytesMax) {
            return base::Fail(base::ErrorCode::kOverloaded, "too many letters wait to be sent");
        }
        waiting_bytes_ += size;
        ++waiting_;
        arrived_.push_back(std::move(t));
        if (!woken_) {
            woken_ = true;
            asio::post(io_, [this] { TakeArrived(); });
        }
        return {};
    }

    PoolCounts Counts() const {
        const std::lock_guard lock(mutex_);
        PoolCounts counts = counts_;
        counts.waiting = waiting_;
        return counts;
    }

    void Close(base::DurationMs grace_ms) {
        const std::lock_guard closing(close_mutex_);
        if (!thread_.joinable()) return;
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
        }
        asio::post(io_, [this, grace_ms] { BeginClose(grace_ms); });
        thread_.join();
    }

    void OnIdle(Connection& connection) override {
        if (!known_ready_[&connection]) {
            known_ready_[&connection] = true;
            --connecting_;
            backoff_ms_ = 0;
            const std::lock_guard lock(mutex_);
            ++counts_.connects;
        }
        if (closing_) return connection.Quit();
        idle_.push_back(&connection);
        Pump();
    }

    void OnResult(Transaction transaction, const SendResult& result) override {
        CountTransactions(-1);
        transaction.done(transaction.letter.tag, result);
    }

    void OnReturned(Transaction transaction) override {
        CountTransactions(-1);
        if (closing_) {
            return transaction.done(transaction.letter.tag,
                                    {ResultKind::kNotSent, 0, {}, "closing"});
        }
        {
            const std::lock_guard lock(mutex_);
            waiting_bytes_ += transaction.letter.bytes.size();
            ++waiting_;
        }
        queue_.push_front(std::move(transaction));
    }

    void OnClosed(Connection& connection, bool was_ready, const std::string& why) override {
        idle_.erase(std::remove(idle_.begin(), idle_.end(), &connection), idle_.end());
        known_ready_.erase(&connection);
        connections_.erase(
            std::remove_if(connections_.begin(), connections_.end(),
                           [&](const auto& one) { return one.get() == &connection; }),
            connections_.end());
        {
            const std::lock_guard lock(mutex_);
            counts_.connections = static_cast<int>(connections_.size());
            if (!was_ready) {
                ++counts_.failures;
                counts_.last_failure = why;
            }
        }
        if (!was_ready) {
            --connecting_;
            last_failure_ = why;
            const TimeLimits& times = settings_.options.times;
            backoff_ms_ = std::clamp(backoff_ms_ * 2, times.backoff_min_ms, times.backoff_max_ms);
            backoff_until_ms_ = SteadyMs() + backoff_ms_;
        }
        if (closing_) return EndWhenEmpty();
        Pump();
    }

  private:
    static base::Status Prepare(Letter& letter, Transaction& t) {
        TRY(CheckAddress(letter.to, "to"));
        if (!letter.envelope_from.empty()) {
            TRY(CheckAddress(letter.envelope_from, "envelope_from"));
        }
        if (letter.bytes.size() > limits::kLetterBytesMax) {
            return base::Fail(base::ErrorCode::kTooLarge, "letter is too large",
                              "The letter is too large.");
        }
        std::string canonical;
        if (Canonicalise(letter.bytes, canonical)) letter.bytes = std::move(canonical);
        const bool ascii_addresses = IsAscii(letter.to) && IsAscii(letter.envelope_from);
        t.eight_bit = !IsAscii(letter.bytes);
        // 8-bit bytes among the headers are UTF-8 headers (RFC 6532).
        const size_t headers = letter.bytes.find("\r\n\r\n");
        t.needs_utf8 = !ascii_addresses ||
                       (t.eight_bit && !IsAscii(std::string_view(letter.bytes).substr(0, headers)));
        return {};
    }

    void CountTransactions(int change) {
        const std::lock_guard lock(mutex_);
        counts_.transactions += change;
    }

    void TakeArrived() {
        {
            const std::lock_guard lock(mutex_);
            woken_ = false;
            for (Transaction& t : arrived_) queue_.push_back(std::move(t));
            arrived_.clear();
        }
        if (closing_) return EndWaiting("closing");
        Pump();
    }

    // Gives letters to idle connections; opens more while letters are left.
    void Pump() {
        if (pumping_ || closing_) return;
        pumping_ = true;
        while (!queue_.empty() && !idle_.empty()) {
            Connection* connection = idle_.back();
            idle_.pop_back();
            if (!connection->idle()) continue;  // Quitting.
            Transaction next = TakeFirst();
            CountTransactions(1);
            connection->Begin(std::move(next));
        }
        pumping_ = false;
        OpenMore();
        StartTick();
    }

    Transaction TakeFirst() {
        Transaction first = std::move(queue_.front());
        queue_.pop_front();
        const std::lock_guard lock(mutex_);
        waiting_bytes_ -= first.letter.bytes.size();
        --waiting_;
        return first;
    }

    // As many as letters wait, at most doubling what is there at a time.
    void OpenMore() {
        if (queue_.empty() || SteadyMs() < backoff_until_ms_) return;
        const auto open = static_cast<int>(connections_.size());
        const int ready = open - connecting_;
        const int step = std::max(4, ready) - connecting_;
        const int wanted = static_cast<int>(std::min<size_t>(queue_.size(), 1 << 20)) - connecting_;
        const int room = settings_.options.connections_max - open;
        for (int i = std::min({step, wanted, room}); i > 0; --i) {
            auto connection = std::make_shared<Connection>(io_, tls_, settings_, *this);
            connections_.push_back(connection);
            known_ready_[connection.get()] = false;
            ++connecting_;
            connection->Connect();
        }
        const std::lock_guard lock(mutex_);
        counts_.connections = static_cast<int>(connections_.size());
    }

    void StartTick() {
        if (ticking_ || (connections_.empty() && queue_.empty())) return;
        ticking_ = true;
        timer_.expires_after(std::chrono::milliseconds(tick_ms_));
        timer_.async_wait([this](const error_code& error) {
            ticking_ = false;
            if (!error) Tick();
        });
    }

    void Tick() {
        const base::DurationMs now = SteadyMs();
        const auto connections = connections_;  // Closing changes the list.
        for (const auto& connection : connections) {
            if (closing_ && now >= close_at_ms_) connection->Fail("closing");
            connection->CheckTime(now);
        }
        ExpireWaiting(now);
        if (closing_) EndWhenEmpty();
        Pump();
        StartTick();
    }

    // Only while nobody could take them: behind a slow server letters wait for their turn.
    void ExpireWaiting(base::DurationMs now) {
        const bool ready = static_cast<int>(connections_.size()) > connecting_;
        const base::DurationMs wait_ms = settings_.options.times.wait_ms;
        while (!ready && !queue_.empty() &&
               now - std::max(queue_.front().queued_ms, last_ready_ms_) >= wait_ms) {
            const Transaction late = TakeFirst();
            late.done(late.letter.tag,
                      {ResultKind::kNotSent, 0, {}, "no connection: " + last_failure_});
        }
        if (ready) last_ready_ms_ = now;
    }

    void EndWaiting(const char* why) {
        while (!queue_.empty()) {
            const Transaction waiting = TakeFirst();
            waiting.done(waiting.letter.tag, {ResultKind::kNotSent, 0, {}, why});
        }
    }

    void BeginClose(base::DurationMs grace_ms) {
        TakeArrived();
        closing_ = true;
        close_at_ms_ = SteadyMs() + grace_ms;
        EndWaiting("closing");
        const auto connections = connections_;
        for (const auto& connection : connections) {
            if (connection->idle() || grace_ms == 0) connection->Quit();
        }
        StartTick();
        EndWhenEmpty();
    }

    void EndWhenEmpty() {
        if (!connections_.empty()) return;
        timer_.cancel();
        work_.reset();
    }

    // Shared; mutex_.
    mutable std::mutex mutex_;
    std::vector<Transaction> arrived_;
    bool woken_ = false;
    bool closed_ = false;
    size_t waiting_bytes_ = 0;
    uint64_t waiting_ = 0;
    PoolCounts counts_;
    std::mutex close_mutex_;

    // The delivery thread's.
    ConnectionSettings settings_;
    asio::io_context io_{1};
    asio::ssl::context tls_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    asio::steady_timer timer_;
    base::DurationMs tick_ms_;
    std::deque<Transaction> queue_;
    std::vector<std::shared_ptr<Connection>> connections_;
    std::vector<Connection*> idle_;  // The one used last is taken first; the others may quit.
    std::unordered_map<const Connection*, bool> known_ready_;
    int connecting_ = 0;
    base::DurationMs backoff_ms_ = 0;
    base::DurationMs backoff_until_ms_ = 0;
    base::DurationMs last_ready_ms_ = 0;
    base::DurationMs close_at_ms_ = 0;
    std::string last_failure_;
    bool pumping_ = false;
    bool ticking_ = false;
    bool closing_ = false;
    std::thread thread_;
};

base::Result<std::unique_ptr<Pool>> Pool::Create(const Options& options) {
    TRY(CheckOptions(options));
    TRY_ASSIGN(Target target, ReadTarget(options.url));
    auto impl = std::make_unique<Impl>(std::move(target), options);
    TRY(impl->PrepareTls());
    impl->Start();
    return std::unique_ptr<Pool>(new Pool(std::move(impl)));
}

Pool::Pool(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Pool::~Pool() { Close(0); }

base::Status Pool::Send(Letter letter, BeforeDot before_dot, Done done) {
    return impl_->Send(std::move(letter), std::move(before_dot), std::move(done));
}
PoolCounts Pool::Counts() const { return impl_->Counts(); }
void Pool::Close(base::DurationMs grace_ms) { impl_->Close(grace_ms); }

}  // namespace smtp
