// Inside of the server: event loops and the connections they own. Only server.cc and
// connection.cc include this.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

#include "net/http/request_reader.h"
#include "net/http/server.h"
#include "net/http/upgrade.h"

namespace http {

using SteadyTime = std::chrono::steady_clock::time_point;

class Connection;

// What all loops of one server share. Owned by the server, its loops and open exchanges.
struct Shared {
    ServerOptions options;
    RequestReader::BodyLimit body_limit;
    HeadLimits head_limits;

    std::atomic<bool> stopping{false};
    std::atomic<uint64_t> connections_open{0};
    std::atomic<uint64_t> connections_total{0};
    std::atomic<uint64_t> requests{0};
    std::atomic<uint64_t> refused{0};
    std::atomic<uint64_t> timed_out{0};
    std::atomic<uint64_t> address_limit_closed{0};
    std::atomic<uint64_t> body_bytes_in_flight{0};

    // Called on any loop when a connection has gone while accepting pauses.
    std::atomic<bool> accepting_paused{false};
    std::function<void()> resume_accepting;

    // False when the address has all the connections it may have.
    bool TakeAddress(const std::string& address);
    void GiveBackAddress(const std::string& address);

  private:
    std::mutex mutex_;
    std::unordered_map<std::string, size_t> per_address_;  // Bounded by connections_max.
};

// What comes to a connection from other threads.
struct Delivery {
    std::weak_ptr<Connection> connection;
    uint64_t sequence = 0;  // Of the request it belongs to.
    std::variant<Response, Piece> content;
};

// One thread with its connections. Everything but Deliver and Post belongs to that thread.
class Loop : public std::enable_shared_from_this<Loop> {
  public:
    explicit Loop(std::shared_ptr<Shared> shared);
    ~Loop();

    void Start();
    void Join();
    bool OnThread() const { return std::this_thread::get_id() == thread_.get_id(); }

    // Any thread. Nothing happens when the loop has ended.
    void Deliver(Delivery delivery);
    void Post(std::function<void()> work);

    void Adopt(int fd, std::string peer_address, size_t listener);
    void Remove(Connection& connection);
    // Closes what is idle and lets the rest finish; ends the loop when nothing is left.
    void BeginStop();
    // Any thread: closes everything that is still there after that time.
    void AbortAfter(base::DurationMs limit_ms);

    boost::asio::io_context& context() { return context_; }
    Shared& shared() { return *shared_; }
    char* read_buffer() { return read_buffer_.get(); }
    std::string_view DateField();  // "Date: ...\r\n".

    static constexpr size_t kReadBufferBytes = 16 * 1024;

  private:
    void Drain();
    void ArmSweep();
    void Sweep();
    void Abort();
    void EndWhenEmpty();

    std::shared_ptr<Shared> shared_;
    boost::asio::io_context context_{1};
    std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
    boost::asio::steady_timer sweep_timer_;
    boost::asio::steady_timer abort_timer_;
    std::chrono::milliseconds sweep_every_;
    std::unique_ptr<char[]> read_buffer_;
    std::string date_field_;
    int64_t date_second_ = -1;
    std::vector<std::shared_ptr<Connection>> connections_;
    bool stopping_ = false;

    std::mutex mutex_;
    std::vector<Delivery> inbox_;  // Bounded by the requests in flight.
    bool ended_ = false;
    std::thread thread_;
};

// The way out of an upgraded connection; its queue is the one thing that other threads touch.
class LoopWire final : public Wire {
  public:
    LoopWire(std::shared_ptr<Loop> loop, std::weak_ptr<Connection> connection)
        : loop_(std::move(loop)), connection_(std::move(connection)) {}

    bool Send(Piece piece, size_t bytes_max) override;
    void Finish(Piece last, int linger_ms) override;
    size_t waiting_bytes() const override;

    // --- the loop's thread ---
    enum class Flushed : uint8_t { kAll, kFull, kFinished, kBroken };
    // Gives the socket what it takes. kFinished: all is written and nothing more will come.
    Flushed Flush(int fd);
    void End();
    bool finishing() const;
    int linger_ms() const;

  private:
    void Wake();

    const std::shared_ptr<Loop> loop_;
    const std::weak_ptr<Connection> connection_;
    mutable std::mutex mutex_;
    std::deque<Piece> queue_;    // Bounded by what Send is told.
    size_t front_at_ = 0;        // Written of the first.
    size_t waiting_ = 0;         // Bytes of all, without front_at_.
    bool woken_ = false;
    bool finishing_ = false;
    bool ended_ = false;
    int linger_ms_ = 0;
};

// One accepted socket. Belongs to its loop's thread.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(Loop& loop, int fd, std::string peer_address, size_t listener);
    ~Connection();

    void Start();
    void OnDelivery(Delivery delivery);
    void OnSweep(SteadyTime now);
    void OnServerStop();
    void Close();
    // An answer given now is taken up by the Pump that is running.
    bool pumping() const { return pumping_; }
    // Something waits in the wire of an upgraded connection.
    void OnWire() { Pump(); }
    const std::string& peer_address() const { return peer_address_; }

    size_t index = 0;  // In the loop's list.

  private:
    enum class Phase : uint8_t {
        kRead,     // Waiting for (more of) a request.
        kHandle,   // A handler has the request.
        kWrite,    // out_ and the body are on their way.
        kSource,   // A streamed answer waits for its next piece.
        kUpgraded, // Belongs to upgrade_.
        kLinger,   // Answered and half closed; reading until the other end closes.
        kClosed
    };
    enum class Step : uint8_t { kAgain, kWait };

    void Pump();
    Step StepOnce();
    Step ReadStep();
    Step WriteStep();
    Step SourceStep();
    void AskSource();
    Step LingerStep();
    void BeginUpgrade();
    Step UpgradedStep();
    void EndUpgrade();
    void SweepUpgraded(SteadyTime now);
    void Received(std::string_view bytes);
    void AfterBytes();
    bool Account();
    void ReleaseBody();
    void Dispatch();
    void Refuse(int status, std::string_view text);
    void BeginAnswer(Response response);
    void WriteHead(std::string& out);
    void EndAnswer();
    void PreparePiece(Piece piece);
    void Wait(boost::asio::posix::stream_descriptor::wait_type type);
    void BeginRead();
    bool BodyIsSlow(SteadyTime now) const;
    bool WriteIsSlow(SteadyTime now) const;
    void TimeOut(bool with_answer);

    Loop& loop_;
    boost::asio::posix::stream_descriptor socket_;
    int fd_;
    std::string peer_address_;
    RequestReader reader_;
    Phase phase_ = Phase::kRead;
    bool pumping_ = false;
    bool readable_ = false;        // A wait for reading has ended and nothing was read since.
    bool waiting_read_ = false;
    bool waiting_write_ = false;
    bool keep_alive_ = false;
    bool head_only_ = false;
    bool http_1_0_ = false;
    bool continue_sent_ = false;
    bool linger_ = false;
    bool head_begun_ = false;
    bool in_source_ = false;       // The source is being called.
    bool source_asked_ = false;    // It was called and its piece has not come.
    bool served_one_ = false;
    uint16_t listener_;
    uint64_t sequence_ = 0;
    size_t accounted_ = 0;         // Of Shared::body_bytes_in_flight.
    std::string pending_;          // Pipelined bytes that wait for their turn.
    SteadyTime since_{};           // When the phase, the head or the body began.
    SteadyTime progress_{};        // When bytes last moved.

    Response answer_;
    std::string out_;              // Head or piece; the answer's body follows it.
    size_t out_at_ = 0;
    size_t written_ = 0;           // Of the present out_ and body, for the least rate.
    bool chunked_ = false;
    bool last_piece_ = false;
    std::optional<Piece> piece_;   // Came while the source was being called.

    std::shared_ptr<Upgrade> upgrade_;
    std::shared_ptr<LoopWire> wire_;
    std::optional<SteadyTime> finish_by_;
};

}  // namespace http
